
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _TAP_H_INCLUDED_
#define _TAP_H_INCLUDED_


/*
 * What a unit test needs to speak the Test Anything Protocol to prove, and
 * memory whose neighbours cannot be touched.  To be included once, by the
 * file that has main():
 *
 *     ok(cond, "what should hold");
 *     is_bytes(got, got_len, want, want_len, "what was written");
 *
 *     return done_testing();
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>


/* a test need not use all of this */
#define TAP_UNUSED      __attribute__((unused))

/* bytes that tap_guarded() can hold, and how many results live at a time */
#define TAP_AREA_SIZE   (256 * 1024)
#define TAP_AREAS       4


static int  tap_tests, tap_failed;


/* the condition is evaluated once; names may have any bytes but NUL */

#define ok(cond, name)                                                        \
    tap_result((cond) ? 1 : 0, name, __FILE__, __LINE__, #cond)

#define is_bytes(got, got_len, want, want_len, name)                          \
    tap_bytes(got, got_len, want, want_len, name, __FILE__, __LINE__)


/*
 * "#" would begin a directive, as in "# SKIP", and a line feed the next line
 */
static void
tap_print(const void *text, size_t len)
{
    size_t                i;
    const unsigned char  *p;

    p = text;

    for (i = 0; i < len; i++) {

        if (p[i] >= 0x20 && p[i] < 0x7f && p[i] != '#' && p[i] != '\\') {
            putchar(p[i]);

        } else {
            printf("\\x%02x", p[i]);
        }
    }
}


static int
tap_result(int rc, const char *name, const char *file, int line,
    const char *expr)
{
    printf("%sok %d - ", rc ? "" : "not ", ++tap_tests);
    tap_print(name, strlen(name));
    printf("\n");

    if (!rc) {
        tap_failed++;
        printf("# %s:%d: %s\n", file, line, expr);
    }

    /* if the next one crashes, this line is known to be the last */

    fflush(stdout);

    return rc;
}


TAP_UNUSED static int
tap_bytes(const void *got, size_t got_len, const void *want, size_t want_len,
    const char *name, const char *file, int line)
{
    int  rc;

    rc = (got_len == want_len
          && (want_len == 0 || memcmp(got, want, want_len) == 0));

    (void) tap_result(rc, name, file, line, "the bytes are the same");

    if (!rc) {
        printf("#   got %lu: ", (unsigned long) got_len);
        tap_print(got, got_len);
        printf("\n#  want %lu: ", (unsigned long) want_len);
        tap_print(want, want_len);
        printf("\n");
    }

    return rc;
}


/*
 * Prints the plan; returns what main() should.
 */
TAP_UNUSED static int
done_testing(void)
{
    printf("1..%d\n", tap_tests);

    return (tap_failed || tap_tests == 0) ? EXIT_FAILURE : EXIT_SUCCESS;
}


/*
 * An area of TAP_AREA_SIZE bytes between two pages that cannot be accessed.
 * Areas are used in turn: the area of a call is reused TAP_AREAS calls later.
 */
static unsigned char *
tap_area(size_t len)
{
    size_t          page;
    unsigned        i;
    unsigned char  *p;

    static unsigned        turn;
    static unsigned char  *areas[TAP_AREAS];

    if (len > TAP_AREA_SIZE) {
        fprintf(stderr, "tap: %lu bytes are too many\n", (unsigned long) len);
        abort();
    }

    i = turn++ % TAP_AREAS;
    page = (size_t) sysconf(_SC_PAGESIZE);

    if (areas[i] == NULL) {
        p = mmap(NULL, TAP_AREA_SIZE + 2 * page, PROT_READ|PROT_WRITE,
                 MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED
            || mprotect(p, page, PROT_NONE) != 0
            || mprotect(p + page + TAP_AREA_SIZE, page, PROT_NONE) != 0)
        {
            perror("tap: mmap");
            abort();
        }

        areas[i] = p + page;
    }

    return areas[i];
}


/*
 * Copies len bytes to where an unmapped page follows: reading or writing one
 * byte past them ends the test, also without a sanitizer.  picohttpparser's
 * test.c has the idea.  With src of NULL the bytes are 0xa5, as room for a
 * writer.  The result lives for the next TAP_AREAS - 1 calls.
 */
TAP_UNUSED static unsigned char *
tap_guarded(const void *src, size_t len)
{
    unsigned char  *p;

    p = tap_area(len) + TAP_AREA_SIZE - len;

    if (src == NULL) {
        return memset(p, 0xa5, len);
    }

    return memcpy(p, src, len);
}


/*
 * The same with the unmapped page before the bytes, for what looks back.
 */
TAP_UNUSED static unsigned char *
tap_guarded_low(const void *src, size_t len)
{
    return memcpy(tap_area(len), src, len);
}


#endif /* _TAP_H_INCLUDED_ */
