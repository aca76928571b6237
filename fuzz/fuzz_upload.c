
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * States of uploads, which lie on a disk that others may write to: what is
 * taken is written again as the same bytes.  And Content-Range of chunks.
 */


#include "ngx_registry_upload.h"

#include "fuzz.h"


static void fuzz_range(const uint8_t *p, size_t len);
static void fuzz_hash(const uint8_t *p, size_t len);


int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    u_char                 *text, *last;
    ngx_registry_upload_t   u;

    fuzz_range(p, len);
    fuzz_hash(p, len);

    if (ngx_registry_upload_parse(p, p + len, &u) != NGX_REGISTRY_OK) {
        return 0;
    }

    check(fuzz_within(&u.name, p, len));
    check(fuzz_within(&u.key, p, len));
    check(fuzz_within(&u.upload_id, p, len));
    check(u.offset <= INT64_MAX);

    text = fuzz_alloc(NGX_REGISTRY_UPLOAD_STATE_MAX);
    last = ngx_registry_upload_write(text, &u);

    /* leading zeros of the offset are not written, nor is what is too long */

    if (last != NULL) {
        check((size_t) (last - text) <= len);
        check(ngx_registry_upload_parse(text, last, &u) == NGX_REGISTRY_OK);
    }

    free(text);

    return 0;
}


static void
fuzz_range(const uint8_t *p, size_t len)
{
    char                  text[64];
    uint64_t              start, end, s, e;
    ngx_registry_span_t   span;

    span = fuzz_span(p, len);

    if (ngx_registry_upload_range(&span, &start, &end) != NGX_REGISTRY_OK) {
        return;
    }

    check(start <= end && end < INT64_MAX);

    span.data = (u_char *) text;
    span.len = (size_t) sprintf(text, "%llu-%llu", (unsigned long long) start,
                                (unsigned long long) end);

    check(ngx_registry_upload_range(&span, &s, &e) == NGX_REGISTRY_OK);
    check(s == start && e == end);
}


/* any bytes are a state, and what is hashed in two pieces is the same */

static void
fuzz_hash(const uint8_t *p, size_t len)
{
    u_char               state[NGX_REGISTRY_HASH_STATE_LEN];
    u_char               one[NGX_REGISTRY_HASH_MAX_LEN];
    u_char               two[NGX_REGISTRY_HASH_MAX_LEN];
    size_t               n;
    ngx_registry_hash_t  h;

    n = len ? p[0] % len : 0;

    ngx_registry_hash_init(&h, NGX_REGISTRY_SHA256);
    ngx_registry_hash_update(&h, p, len);
    check(ngx_registry_hash_final(&h, one) == 32);

    ngx_registry_hash_init(&h, NGX_REGISTRY_SHA256);
    ngx_registry_hash_update(&h, p, n);
    ngx_registry_hash_save(&h, state);
    ngx_registry_hash_load(&h, state);
    ngx_registry_hash_update(&h, p + n, len - n);
    check(ngx_registry_hash_final(&h, two) == 32);

    check(memcmp(one, two, 32) == 0);

    if (len >= sizeof(state)) {
        ngx_registry_hash_load(&h, p);
        ngx_registry_hash_update(&h, p, len);
        check(ngx_registry_hash_final(&h, two) == 32);
    }
}
