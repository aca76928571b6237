
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Routes: a path that is taken apart can be put together again.
 */


#include "ngx_registry_name.h"
#include "ngx_registry_route.h"

#include "fuzz.h"


static void fuzz_methods(const ngx_registry_route_t *rt);
static void fuzz_whole(const ngx_registry_route_t *rt, const uint8_t *p,
    size_t len);


/* what stands between name and reference, by type */

static const char  *const words[] = {
    "", "/manifests/", "/blobs/", "/blobs/uploads", "/blobs/uploads/",
    "/tags/list", "/referrers/"
};


int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    ngx_registry_route_t    rt;
    ngx_registry_status_e   rc;

    rc = ngx_registry_route_parse(p, p + len, &rt);

    check(fuzz_within(&rt.name, p, len));
    check(fuzz_within(&rt.reference, p, len));

    fuzz_methods(&rt);

    check((rc == NGX_REGISTRY_NOT_FOUND)
          == (rt.type == NGX_REGISTRY_ROUTE_UNKNOWN));
    check(rc == NGX_REGISTRY_OK || !rt.by_digest);

    if (rc == NGX_REGISTRY_NOT_FOUND) {
        check(rt.name.len == 0 && rt.reference.len == 0);
        return 0;
    }

    fuzz_whole(&rt, p, len);

    if (rt.type == NGX_REGISTRY_ROUTE_BASE
        || rt.type == NGX_REGISTRY_ROUTE_CATALOG)
    {
        check(rc == NGX_REGISTRY_OK && rt.name.len == 0);
        return 0;
    }

    check((rc == NGX_REGISTRY_NAME_INVALID)
          == (ngx_registry_name_check(rt.name.data,
                                      rt.name.data + rt.name.len)
              != NGX_REGISTRY_OK));

    switch (rc) {

    case NGX_REGISTRY_OK:
        check(!rt.by_digest || fuzz_same(&rt.digest.text, &rt.reference));
        check(rt.by_digest || rt.type != NGX_REGISTRY_ROUTE_BLOB);
        check(rt.by_digest || rt.type != NGX_REGISTRY_ROUTE_REFERRERS);
        check(rt.by_digest || rt.type != NGX_REGISTRY_ROUTE_MANIFEST
              || ngx_registry_tag_check(rt.reference.data,
                                        rt.reference.data + rt.reference.len)
                 == NGX_REGISTRY_OK);
        break;

    case NGX_REGISTRY_REFERENCE_INVALID:
        check(rt.type == NGX_REGISTRY_ROUTE_MANIFEST);
        check(memchr(rt.reference.data, ':', rt.reference.len) == NULL);
        break;

    case NGX_REGISTRY_DIGEST_INVALID:
    case NGX_REGISTRY_UNSUPPORTED:
    case NGX_REGISTRY_NAME_INVALID:
        break;

    default:
        check(0);
    }

    return 0;
}


static void
fuzz_whole(const ngx_registry_route_t *rt, const uint8_t *p, size_t len)
{
    u_char  *path, *end;

    /* all but these two have one form */

    if (rt->type == NGX_REGISTRY_ROUTE_BASE) {
        check((len == 3 || len == 4) && memcmp(p, "/v2/", len) == 0);
        return;
    }

    if (rt->type == NGX_REGISTRY_ROUTE_CATALOG) {
        check(len == 12 && memcmp(p, "/v2/_catalog", len) == 0);
        return;
    }

    path = fuzz_alloc(len + 64);

    end = fuzz_literal(path, "/v2/");
    end = fuzz_write(end, rt->name.data, rt->name.len);
    end = fuzz_write(end, words[rt->type], strlen(words[rt->type]));
    end = fuzz_write(end, rt->reference.data, rt->reference.len);

    if (rt->type == NGX_REGISTRY_ROUTE_UPLOADS && p[len - 1] == '/') {
        *end++ = '/';
    }

    check((size_t) (end - path) == len && memcmp(path, p, len) == 0);

    free(path);
}


static void
fuzz_methods(const ngx_registry_route_t *rt)
{
    u_char    allow[NGX_REGISTRY_METHODS_MAX_LEN], *end;
    unsigned  read, all;

    read = ngx_registry_route_methods(rt->type, 0);
    all = ngx_registry_route_methods(rt->type, 1);

    check((read & all) == read);
    check((read & ~(unsigned) (NGX_REGISTRY_GET|NGX_REGISTRY_HEAD)) == 0);
    check((all == 0) == (rt->type == NGX_REGISTRY_ROUTE_UNKNOWN));

    end = ngx_registry_methods_write(allow, all);

    check(end >= allow && end <= allow + sizeof(allow));
    check((end == allow) == (all == 0));
}
