
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Listings of directories: the input as one, and as the name of an entry of
 * one.
 */


#include "ngx_registry_autoindex.h"
#include "ngx_registry_error.h"

#include "fuzz.h"


typedef struct {
    size_t               count;
    size_t               stop;
    ngx_registry_span_t  want;
} fuzz_seen_t;


static ngx_registry_status_e fuzz_entry(void *data,
    const ngx_registry_span_t *name, int directory);
static void fuzz_name(const uint8_t *p, size_t len);


int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    fuzz_seen_t            seen;
    ngx_registry_status_e  rc;

    memset(&seen, 0, sizeof(fuzz_seen_t));

    rc = ngx_registry_autoindex_parse(p, p + len, fuzz_entry, &seen);

    check(rc == NGX_REGISTRY_OK || rc == NGX_REGISTRY_INVALID);
    check(ngx_registry_autoindex_parse(p, p + len, NULL, NULL) == rc);

    if (seen.count) {
        seen.stop = seen.count;
        seen.count = 0;

        check(ngx_registry_autoindex_parse(p, p + len, fuzz_entry, &seen)
              == NGX_REGISTRY_STOPPED);
        check(seen.count == seen.stop);
    }

    fuzz_name(p, len);

    return 0;
}


static ngx_registry_status_e
fuzz_entry(void *data, const ngx_registry_span_t *name, int directory)
{
    fuzz_seen_t *seen = data;

    check(name->len > 0 && name->len <= 255);
    check(directory == 0 || directory == 1);

    if (seen->want.data) {
        check(fuzz_same(name, &seen->want));
    }

    return (++seen->count == seen->stop) ? NGX_REGISTRY_INVALID
                                         : NGX_REGISTRY_OK;
}


/*
 * What is written as a string of JSON comes back.
 */
static void
fuzz_name(const uint8_t *p, size_t len)
{
    size_t               i, n;
    u_char              *text, *q;
    fuzz_seen_t          seen;
    ngx_registry_span_t  name;

    for (i = 0; i < len; i++) {
        if (p[i] >= 0x80) {
            /* the writer replaces what is no UTF-8 */
            return;
        }
    }

    memset(&seen, 0, sizeof(fuzz_seen_t));

    name = fuzz_span(p, len);
    seen.want = name;

    n = sizeof("[{\"name\":,\"type\":\"directory\"}]")
        + ngx_registry_json_string_len(&name);
    text = fuzz_alloc(n);

    q = fuzz_literal(text, "[{\"name\":");
    q = ngx_registry_json_string_write(q, &name);
    q = fuzz_literal(q, ",\"type\":\"directory\"}]");

    check(ngx_registry_autoindex_parse(text, q, fuzz_entry, &seen)
          == (len && len <= 255 ? NGX_REGISTRY_OK : NGX_REGISTRY_INVALID));

    free(text);
}
