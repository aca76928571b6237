
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Descriptors of referrers, which anybody who may push can write: what is
 * made of them is JSON that is taken again, as the same.
 */


#include "ngx_registry_referrer.h"

#include "fuzz.h"


static ngx_registry_status_e fuzz_taken(void *data,
    const ngx_registry_referrer_t *r);
static ngx_registry_status_e fuzz_again(void *data,
    const ngx_registry_referrer_t *r);


int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    u_char                   *text;
    ngx_registry_span_t       digest;
    ngx_registry_status_e     rc;
    ngx_registry_manifest_t   m;

    static const char  sample[] = "sha256:44136fa355b3678a1146ad16f7e8649e"
                                  "94fb4fc21fe77e8310c060f61caaff8a";

    /* a string of C, too */

    text = fuzz_alloc(len + 1);
    *fuzz_write(text, p, len) = '\0';

    rc = ngx_registry_referrer_parse(text, text + len, fuzz_taken, NULL);
    check(rc == NGX_REGISTRY_OK || rc == NGX_REGISTRY_INVALID);

    if (ngx_registry_manifest_parse(text, text + len, &m, NULL, NULL)
        == NGX_REGISTRY_OK)
    {
        digest = fuzz_span(sample, sizeof(sample) - 1);
        rc = ngx_registry_referrer_of(text, text + len, &m, &digest,
                                      fuzz_taken, NULL);
        check(rc == NGX_REGISTRY_OK || rc == NGX_REGISTRY_INVALID);
    }

    free(text);

    return 0;
}


static ngx_registry_status_e
fuzz_taken(void *data, const ngx_registry_referrer_t *r)
{
    u_char  *text;

    (void) data;

    /* at most one level of nesting, and no more than there was */

    text = fuzz_alloc(r->json.len + 1);
    *fuzz_write(text, r->json.data, r->json.len) = '\0';

    (void) ngx_registry_referrer_parse(text, text + r->json.len, fuzz_again,
                                       (void *) r);

    free(text);

    return NGX_REGISTRY_OK;
}


static ngx_registry_status_e
fuzz_again(void *data, const ngx_registry_referrer_t *r)
{
    const ngx_registry_referrer_t *first = data;

    check(fuzz_same(&r->digest, &first->digest));
    check(fuzz_same(&r->artifact_type, &first->artifact_type));

    return NGX_REGISTRY_OK;
}
