
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Query strings.  The first byte is the length of a name, which is followed by
 * the query.
 */


#include "ngx_registry_query.h"

#include "fuzz.h"


static void fuzz_find(const uint8_t *p, size_t len,
    const ngx_registry_span_t *name);
static void fuzz_decode(const uint8_t *p, size_t len);
static void fuzz_number(const uint8_t *p, size_t len, uint64_t max);


int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    size_t                n;
    ngx_registry_span_t   name;

    if (len < 2) {
        return 0;
    }

    n = p[0] % 16u + 1;
    p++;
    len--;

    if (n > len) {
        n = len;
    }

    name = fuzz_span(p, n);
    p += n;
    len -= n;

    fuzz_find(p, len, &name);
    fuzz_decode(p, len);
    fuzz_number(p, len, UINT64_MAX);
    fuzz_number(p, len, INT64_MAX);
    fuzz_number(p, len, 1000);
    fuzz_number(p, len, 0);

    return 0;
}


/*
 * The same by another way: from "&" to "&".
 */
static void
fuzz_find(const uint8_t *p, size_t len, const ngx_registry_span_t *name)
{
    size_t                  i, start;
    const u_char           *equal;
    ngx_registry_span_t     pair, value, want;
    ngx_registry_status_e   rc, found;

    found = NGX_REGISTRY_NONE;
    want = fuzz_span(NULL, 0);
    start = 0;

    for (i = 0; i <= len && found == NGX_REGISTRY_NONE; i++) {

        if (i < len && p[i] != '&') {
            continue;
        }

        pair = fuzz_span(p + start, i - start);
        equal = pair.len ? memchr(pair.data, '=', pair.len) : NULL;
        start = i + 1;

        if (equal) {
            want = fuzz_span(equal + 1, (size_t) (p + i - equal - 1));
            pair.len = (size_t) (equal - pair.data);

        } else {
            want = fuzz_span(NULL, 0);
        }

        if (fuzz_same(&pair, name)) {
            found = NGX_REGISTRY_OK;
        }
    }

    value = fuzz_span(NULL, 7);
    rc = ngx_registry_query_find(p, p + len, name, &value);

    check(rc == found);

    if (rc == NGX_REGISTRY_OK) {
        check(fuzz_within(&value, p, len));
        check(fuzz_same(&value, &want));
        check(value.len == 0 || memchr(value.data, '&', value.len) == NULL);

    } else {
        check(value.data == NULL && value.len == 7);
    }
}


static void
fuzz_decode(const uint8_t *p, size_t len)
{
    u_char               *dst, *end, *again, *same;
    size_t                i;
    ngx_registry_span_t   value;

    static const char  hex[] = "0123456789ABCDEF";

    value = fuzz_span(p, len);
    dst = fuzz_alloc(len);
    end = ngx_registry_query_decode(dst, &value);

    if (end) {
        check(end >= dst && end <= dst + len);
        check((memchr(p, '%', len) != NULL) == (end < dst + len));
        check(memchr(dst, '\0', (size_t) (end - dst)) == NULL
              || memchr(p, '\0', len) != NULL);

    } else {
        check(memchr(p, '%', len) != NULL);
    }

    /* in place */

    again = fuzz_alloc(len);
    (void) fuzz_write(again, p, len);
    value = fuzz_span(again, len);
    same = ngx_registry_query_decode(again, &value);

    check((same == NULL) == (end == NULL));
    check(end == NULL
          || (same - again == end - dst
              && memcmp(again, dst, (size_t) (end - dst)) == 0));

    free(dst);
    free(again);

    /* what is encoded comes back */

    dst = fuzz_alloc(3 * len);

    for (i = 0; i < len; i++) {
        dst[3 * i] = '%';
        dst[3 * i + 1] = (u_char) hex[p[i] >> 4];
        dst[3 * i + 2] = (u_char) hex[p[i] & 15];
    }

    value = fuzz_span(dst, 3 * len);
    end = ngx_registry_query_decode(dst, &value);

    check((end == NULL) == (memchr(p, '\0', len) != NULL));
    check(end == NULL
          || ((size_t) (end - dst) == len && memcmp(dst, p, len) == 0));

    free(dst);
}


static void
fuzz_number(const uint8_t *p, size_t len, uint64_t max)
{
    size_t                  i;
    uint64_t                n;
    unsigned __int128       want;
    ngx_registry_span_t     value;
    ngx_registry_status_e   rc;

    want = 0;
    value = fuzz_span(p, len);

    rc = ngx_registry_query_number(&value, max, &n);

    for (i = 0; i < len; i++) {

        if (p[i] < '0' || p[i] > '9') {
            check(rc == NGX_REGISTRY_INVALID);
            return;
        }

        want = want * 10 + (unsigned) (p[i] - '0');

        if (want > UINT64_MAX) {
            want = (unsigned __int128) UINT64_MAX + 1;
        }
    }

    if (len == 0) {
        check(rc == NGX_REGISTRY_INVALID);

    } else if (want > max) {
        check(rc == NGX_REGISTRY_TOO_LONG);

    } else {
        check(rc == NGX_REGISTRY_OK && n == want);
    }
}
