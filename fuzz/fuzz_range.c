
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Range and If-None-Match.  The first 8 bytes are the size, the rest is the
 * value of the header.
 */


#include "ngx_registry_range.h"

#include "fuzz.h"


#define DIGEST  "sha256:e3b0c44298fc1c149afbf4c8996fb924"                        \
                "27ae41e4649b934ca495991b7852b855"


static void fuzz_range(const uint8_t *p, size_t len, int64_t size);
static void fuzz_written(const uint8_t *p);
static void fuzz_etag(const uint8_t *p, size_t len);


int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    uint64_t  size;

    if (len < sizeof(size)) {
        return 0;
    }

    memcpy(&size, p, sizeof(size));
    size &= INT64_MAX;

    fuzz_range(p + sizeof(size), len - sizeof(size), (int64_t) size);
    fuzz_range(p + sizeof(size), len - sizeof(size), (int64_t) (size % 100));
    fuzz_range(p + sizeof(size), len - sizeof(size), 0);

    fuzz_etag(p + sizeof(size), len - sizeof(size));

    if (len >= 3 * sizeof(size)) {
        fuzz_written(p);
    }

    return 0;
}


static void
fuzz_range(const uint8_t *p, size_t len, int64_t size)
{
    int64_t                 first, last, start, end;
    ngx_registry_status_e   rc, scan;

    start = -77;
    end = -77;

    scan = ngx_registry_range_scan(p, p + len, &first, &last);
    rc = ngx_registry_range_parse(p, p + len, size, &start, &end);

    if (scan != NGX_REGISTRY_OK) {
        check(rc == scan);
        check(scan == NGX_REGISTRY_NONE || scan == NGX_REGISTRY_MULTIPLE
              || scan == NGX_REGISTRY_UNSATISFIABLE);
        check(scan != NGX_REGISTRY_UNSATISFIABLE
              || (first >= 0 && last >= 0 && last < first));

    } else {
        check(first >= -1 && last >= -1 && (first >= 0 || last >= 0));
        check(first == -1 || last == -1 || first <= last);
        check(rc == NGX_REGISTRY_OK || rc == NGX_REGISTRY_UNSATISFIABLE
              || (rc == NGX_REGISTRY_NONE && size == 0));
        check((rc == NGX_REGISTRY_UNSATISFIABLE)
              == (first == -1 ? last == 0
                              : first >= size && !(size == 0 && first == 0)));
    }

    if (rc != NGX_REGISTRY_OK) {
        check(start == -77 && end == -77);
        return;
    }

    check(start >= 0 && start < end && end <= size);
    check(first == -1 || start == first);
    check(first != -1 || end == size);
    check(first != -1 || end - start == (last < size ? last : size));
    check(last == -1 || first == -1 || end - 1 <= last);
    check(memchr(p, '-', len) != NULL);
}


/*
 * Ranges that are surely well-formed.
 */
static void
fuzz_written(const uint8_t *p)
{
    int                     n;
    char                    text[128];
    int64_t                 first, last, start, end;
    uint64_t                numbers[3];
    ngx_registry_status_e   rc;

    memcpy(numbers, p, sizeof(numbers));

    first = (int64_t) (numbers[1] & INT64_MAX);
    last = (int64_t) (numbers[2] & INT64_MAX);

    n = snprintf(text, sizeof(text), "bytes=%lld-%lld", (long long) first,
                 (long long) last);

    rc = ngx_registry_range_scan((u_char *) text, (u_char *) text + n, &start,
                                 &end);

    check(rc == (first <= last ? NGX_REGISTRY_OK
                               : NGX_REGISTRY_UNSATISFIABLE));
    check(start == first && end == last);

    text[n++] = ',';

    check(ngx_registry_range_scan((u_char *) text, (u_char *) text + n,
                                  &start, &end)
          == NGX_REGISTRY_MULTIPLE);
}


static void
fuzz_etag(const uint8_t *p, size_t len)
{
    int                   rc;
    u_char               *list, *end;
    ngx_registry_span_t   digest = ngx_registry_span(DIGEST);

    rc = ngx_registry_etag_match(p, p + len, &digest);

    check(rc == 0 || rc == 1);
    check(rc == 0 || memchr(p, '*', len) != NULL
          || fuzz_has(p, len, DIGEST));

    /* the first one of a list */

    list = fuzz_alloc(len + sizeof(DIGEST) + 8);

    end = fuzz_literal(list, "W/\"" DIGEST "\",");
    end = fuzz_write(end, p, len);

    check(ngx_registry_etag_match(list, end, &digest) == 1);
    check(ngx_registry_etag_match(list + 2, end, &digest) == 1);

    /* behind another tag nothing changes */

    end = fuzz_literal(list, "\"*,\" ,");
    end = fuzz_write(end, p, len);

    check(ngx_registry_etag_match(list, end, &digest) == rc);

    free(list);
}
