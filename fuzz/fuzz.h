
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _FUZZ_H_INCLUDED_
#define _FUZZ_H_INCLUDED_


/*
 * What the targets of libFuzzer share.  To be included once, by the file that
 * has LLVMFuzzerTestOneInput().
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ngx_registry.h"


/* a target need not use all of this */
#define FUZZ_UNUSED  __attribute__((unused))


/* what does not hold is found as a crash */

#define check(cond)                                                           \
    do {                                                                      \
        if (!(cond)) {                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);        \
            abort();                                                          \
        }                                                                     \
    } while (0)


int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);


/*
 * Memory of exactly that size, for the sanitizer to see a byte too much.
 */
FUZZ_UNUSED static u_char *
fuzz_alloc(size_t len)
{
    u_char  *p;

    p = malloc(len ? len : 1);
    check(p != NULL);

    return p;
}


FUZZ_UNUSED static int
fuzz_same(const ngx_registry_span_t *a, const ngx_registry_span_t *b)
{
    return a->len == b->len
           && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}


FUZZ_UNUSED static int
fuzz_within(const ngx_registry_span_t *s, const uint8_t *p, size_t len)
{
    return s->len == 0 || (s->data >= p && s->data + s->len <= p + len);
}


FUZZ_UNUSED static ngx_registry_span_t
fuzz_span(const void *p, size_t len)
{
    ngx_registry_span_t  s;

    s.data = p;
    s.len = len;

    return s;
}


/*
 * Whether the bytes have the text somewhere.
 */
FUZZ_UNUSED static int
fuzz_has(const uint8_t *p, size_t len, const char *text)
{
    size_t  i, n;

    n = strlen(text);

    for (i = 0; i + n <= len; i++) {
        if (memcmp(p + i, text, n) == 0) {
            return 1;
        }
    }

    return 0;
}


/*
 * Copies bytes, of which there may be none, and returns the end of the copy.
 */
FUZZ_UNUSED static u_char *
fuzz_write(u_char *dst, const void *p, size_t len)
{
    if (len) {
        memcpy(dst, p, len);
    }

    return dst + len;
}


#define fuzz_literal(dst, text)  fuzz_write(dst, text, sizeof(text) - 1)


#endif /* _FUZZ_H_INCLUDED_ */
