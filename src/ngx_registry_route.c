
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_route.h"
#include "ngx_registry_name.h"


static const u_char *ngx_registry_route_shape(const u_char *start,
    const u_char *last, ngx_registry_route_t *rt);
static const u_char *ngx_registry_route_segment(const u_char *start,
    const u_char *last);
static unsigned ngx_registry_route_is(const u_char *p, const u_char *last,
    const char *word, size_t len);
static unsigned ngx_registry_route_session(const u_char *p,
    const u_char *last);
static ngx_registry_status_e ngx_registry_route_reference(
    ngx_registry_route_t *rt);

#define ngx_registry_route_is_n(p, last, word)                                \
    ngx_registry_route_is(p, last, word, sizeof(word) - 1)


ngx_registry_status_e
ngx_registry_route_parse(const u_char *p, const u_char *last,
    ngx_registry_route_t *rt)
{
    const u_char  *end;

    memset(rt, 0, sizeof(ngx_registry_route_t));
    rt->type = NGX_REGISTRY_ROUTE_UNKNOWN;

    /* OCI Distribution Spec, Endpoints: end-1; distribution redirects /v2 */

    if (ngx_registry_route_is_n(p, last, "/v2")
        || ngx_registry_route_is_n(p, last, "/v2/"))
    {
        rt->type = NGX_REGISTRY_ROUTE_BASE;
        return NGX_REGISTRY_OK;
    }

    if (ngx_registry_route_is_n(p, last, "/v2/_catalog")) {
        rt->type = NGX_REGISTRY_ROUTE_CATALOG;
        return NGX_REGISTRY_OK;
    }

    if (last - p < 4 || memcmp(p, "/v2/", 4) != 0) {
        return NGX_REGISTRY_NOT_FOUND;
    }

    p += 4;

    end = ngx_registry_route_shape(p, last, rt);

    if (end == NULL) {
        return NGX_REGISTRY_NOT_FOUND;
    }

    rt->name.data = p;
    rt->name.len = (size_t) (end - p);

    if (ngx_registry_name_check(p, end) != NGX_REGISTRY_OK) {
        return NGX_REGISTRY_NAME_INVALID;
    }

    return ngx_registry_route_reference(rt);
}


/*
 * Sets type and reference from the end of the path, returns the end of the
 * name, or NULL if there is no such endpoint: then rt is as before.
 */
static const u_char *
ngx_registry_route_shape(const u_char *start, const u_char *last,
    ngx_registry_route_t *rt)
{
    const u_char          *word, *ref, *end;
    ngx_registry_route_e   type;

    ref = ngx_registry_route_segment(start, last);
    if (ref == NULL) {
        return NULL;
    }

    end = ref - 1;

    word = ngx_registry_route_segment(start, end);
    if (word == NULL) {
        return NULL;
    }

    if (ngx_registry_route_is_n(word, end, "manifests")) {
        type = NGX_REGISTRY_ROUTE_MANIFEST;

    } else if (ngx_registry_route_is_n(word, end, "referrers")) {
        type = NGX_REGISTRY_ROUTE_REFERRERS;

    } else if (ngx_registry_route_is_n(word, end, "tags")) {
        type = NGX_REGISTRY_ROUTE_TAGS;

        if (!ngx_registry_route_is_n(ref, last, "list")) {
            return NULL;
        }

    } else if (ngx_registry_route_is_n(word, end, "blobs")) {
        type = ngx_registry_route_is_n(ref, last, "uploads")
               ? NGX_REGISTRY_ROUTE_UPLOADS : NGX_REGISTRY_ROUTE_BLOB;

    } else if (ngx_registry_route_is_n(word, end, "uploads")) {
        type = (ref == last) ? NGX_REGISTRY_ROUTE_UPLOADS
                             : NGX_REGISTRY_ROUTE_UPLOAD;

        end = word - 1;
        word = ngx_registry_route_segment(start, end);

        if (word == NULL || !ngx_registry_route_is_n(word, end, "blobs")
            || !ngx_registry_route_session(ref, last))
        {
            return NULL;
        }

    } else {
        return NULL;
    }

    if (type != NGX_REGISTRY_ROUTE_TAGS && type != NGX_REGISTRY_ROUTE_UPLOADS)
    {
        if (ref == last) {
            return NULL;
        }

        rt->reference.data = ref;
        rt->reference.len = (size_t) (last - ref);
    }

    rt->type = type;

    return word - 1;
}


/*
 * The last segment of [start, last), if there is something before its slash.
 */
static const u_char *
ngx_registry_route_segment(const u_char *start, const u_char *last)
{
    const u_char  *p;

    for (p = last; p > start; p--) {
        if (p[-1] == '/') {
            return (p - 1 == start) ? NULL : p;
        }
    }

    return NULL;
}


static unsigned
ngx_registry_route_is(const u_char *p, const u_char *last, const char *word,
    size_t len)
{
    return (size_t) (last - p) == len && memcmp(p, word, len) == 0;
}


static unsigned
ngx_registry_route_session(const u_char *p, const u_char *last)
{
    u_char  ch, lower;

    /* distribution, registry/api/v2: {uuid:[a-zA-Z0-9-_.=]+} */

    for ( /* void */ ; p < last; p++) {
        ch = *p;
        lower = (u_char) (ch | 0x20);

        if (!((lower >= 'a' && lower <= 'z') || (ch >= '0' && ch <= '9')
              || ch == '-' || ch == '_' || ch == '.' || ch == '='))
        {
            return 0;
        }
    }

    return 1;
}


static ngx_registry_status_e
ngx_registry_route_reference(ngx_registry_route_t *rt)
{
    const u_char           *p, *last;
    ngx_registry_status_e   rc;

    if (rt->reference.len == 0 || rt->type == NGX_REGISTRY_ROUTE_UPLOAD) {
        return NGX_REGISTRY_OK;
    }

    p = rt->reference.data;
    last = p + rt->reference.len;

    if (rt->type == NGX_REGISTRY_ROUTE_MANIFEST
        && memchr(p, ':', rt->reference.len) == NULL)
    {
        rc = ngx_registry_tag_check(p, last);

        return (rc == NGX_REGISTRY_OK) ? NGX_REGISTRY_OK
                                       : NGX_REGISTRY_REFERENCE_INVALID;
    }

    rc = ngx_registry_digest_parse(p, last, &rt->digest);

    rt->by_digest = (rc == NGX_REGISTRY_OK);

    return (rc == NGX_REGISTRY_INVALID) ? NGX_REGISTRY_DIGEST_INVALID : rc;
}


unsigned
ngx_registry_route_methods(ngx_registry_route_e type, int push)
{
    unsigned  read, write;

    read = NGX_REGISTRY_GET|NGX_REGISTRY_HEAD;
    write = 0;

    switch (type) {

    case NGX_REGISTRY_ROUTE_MANIFEST:
        write = NGX_REGISTRY_PUT|NGX_REGISTRY_DELETE;
        break;

    case NGX_REGISTRY_ROUTE_BLOB:
        write = NGX_REGISTRY_DELETE;
        break;

    case NGX_REGISTRY_ROUTE_UPLOADS:
        read = 0;
        write = NGX_REGISTRY_POST;
        break;

    case NGX_REGISTRY_ROUTE_UPLOAD:
        write = read|NGX_REGISTRY_PATCH|NGX_REGISTRY_PUT|NGX_REGISTRY_DELETE;
        read = 0;
        break;

    case NGX_REGISTRY_ROUTE_UNKNOWN:
        read = 0;
        break;

    case NGX_REGISTRY_ROUTE_BASE:
    case NGX_REGISTRY_ROUTE_TAGS:
    case NGX_REGISTRY_ROUTE_REFERRERS:
    case NGX_REGISTRY_ROUTE_CATALOG:
        break;
    }

    return push ? read|write : read;
}


u_char *
ngx_registry_methods_write(u_char *dst, unsigned methods)
{
    size_t    len;
    unsigned  i;
    u_char   *start;

    static const char  *const names[] = {
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"
    };

    start = dst;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {

        if (!(methods & (1u << i))) {
            continue;
        }

        if (dst != start) {
            *dst++ = ',';
            *dst++ = ' ';
        }

        len = strlen(names[i]);
        memcpy(dst, names[i], len);
        dst += len;
    }

    return dst;
}
