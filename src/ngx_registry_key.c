
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_key.h"


/* distribution registry/storage/paths.go */

#define NGX_REGISTRY_KEY_V2        "docker/registry/v2/"


static u_char *ngx_registry_key_put(u_char *dst, const void *src, size_t len,
    size_t *total);
static u_char *ngx_registry_key_referrer(u_char *dst,
    const ngx_registry_key_t *key, size_t *total);
static u_char *ngx_registry_key_digest(u_char *dst,
    const ngx_registry_digest_t *d, size_t *total);
static u_char *ngx_registry_key_make(u_char *dst,
    const ngx_registry_key_t *key, size_t *total);

#define ngx_registry_key_put_n(dst, literal, total)                           \
    ngx_registry_key_put(dst, literal, sizeof(literal) - 1, total)

#define ngx_registry_key_put_span(dst, span, total)                           \
    ngx_registry_key_put(dst, (span)->data, (span)->len, total)


size_t
ngx_registry_key_len(const ngx_registry_key_t *key)
{
    size_t  total;

    total = 0;
    (void) ngx_registry_key_make(NULL, key, &total);

    return total;
}


u_char *
ngx_registry_key_write(u_char *dst, const ngx_registry_key_t *key)
{
    size_t  total;

    total = 0;

    return ngx_registry_key_make(dst, key, &total);
}


static u_char *
ngx_registry_key_make(u_char *dst, const ngx_registry_key_t *key,
    size_t *total)
{
    dst = ngx_registry_key_put_span(dst, &key->prefix, total);
    dst = ngx_registry_key_put_n(dst, NGX_REGISTRY_KEY_V2, total);

    if (key->type == NGX_REGISTRY_KEY_ROOT) {
        return dst;
    }

    if (key->type == NGX_REGISTRY_KEY_BLOBS) {
        return ngx_registry_key_put_n(dst, "blobs/", total);
    }

    if (key->type == NGX_REGISTRY_KEY_BLOB
        || key->type == NGX_REGISTRY_KEY_BLOB_LINK)
    {
        dst = ngx_registry_key_put_n(dst, "blobs/", total);
        dst = ngx_registry_key_put_span(dst, &key->digest.name, total);
        dst = ngx_registry_key_put_n(dst, "/", total);
        dst = ngx_registry_key_put(dst, key->digest.hex.data, 2, total);
        dst = ngx_registry_key_put_n(dst, "/", total);
        dst = ngx_registry_key_put_span(dst, &key->digest.hex, total);

        return (key->type == NGX_REGISTRY_KEY_BLOB)
               ? ngx_registry_key_put_n(dst, "/data", total)
               : ngx_registry_key_put_n(dst, "/link", total);
    }

    dst = ngx_registry_key_put_n(dst, "repositories/", total);

    if (key->name.len) {
        dst = ngx_registry_key_put_span(dst, &key->name, total);
        dst = ngx_registry_key_put_n(dst, "/", total);
    }

    switch (key->type) {

    case NGX_REGISTRY_KEY_TAGS:
    case NGX_REGISTRY_KEY_TAG:
    case NGX_REGISTRY_KEY_TAG_CURRENT:
    case NGX_REGISTRY_KEY_TAG_INDEX:

        dst = ngx_registry_key_put_n(dst, "_manifests/tags/", total);

        if (key->type == NGX_REGISTRY_KEY_TAGS) {
            return dst;
        }

        dst = ngx_registry_key_put_span(dst, &key->tag, total);

        if (key->type == NGX_REGISTRY_KEY_TAG) {
            return ngx_registry_key_put_n(dst, "/", total);
        }

        if (key->type == NGX_REGISTRY_KEY_TAG_CURRENT) {
            return ngx_registry_key_put_n(dst, "/current/link", total);
        }

        dst = ngx_registry_key_put_n(dst, "/index/", total);

        return ngx_registry_key_digest(dst, &key->digest, total);

    case NGX_REGISTRY_KEY_REVISION:
        dst = ngx_registry_key_put_n(dst, "_manifests/revisions/", total);

        return ngx_registry_key_digest(dst, &key->digest, total);

    case NGX_REGISTRY_KEY_LAYER:
        dst = ngx_registry_key_put_n(dst, "_layers/", total);

        return ngx_registry_key_digest(dst, &key->digest, total);

    case NGX_REGISTRY_KEY_REFERRERS:
    case NGX_REGISTRY_KEY_REFERRER:
        return ngx_registry_key_referrer(dst, key, total);

    case NGX_REGISTRY_KEY_REPOSITORIES:
    case NGX_REGISTRY_KEY_ROOT:
    case NGX_REGISTRY_KEY_BLOBS:
    case NGX_REGISTRY_KEY_BLOB:
    case NGX_REGISTRY_KEY_BLOB_LINK:
        break;
    }

    return dst;
}


static u_char *
ngx_registry_key_referrer(u_char *dst, const ngx_registry_key_t *key,
    size_t *total)
{
    dst = ngx_registry_key_put_n(dst, "_referrers/", total);
    dst = ngx_registry_key_put_span(dst, &key->subject.name, total);
    dst = ngx_registry_key_put_n(dst, "/", total);
    dst = ngx_registry_key_put_span(dst, &key->subject.hex, total);
    dst = ngx_registry_key_put_n(dst, "/", total);

    if (key->type == NGX_REGISTRY_KEY_REFERRERS) {
        return dst;
    }

    dst = ngx_registry_key_put_span(dst, &key->digest.name, total);
    dst = ngx_registry_key_put_n(dst, "-", total);
    dst = ngx_registry_key_put_span(dst, &key->digest.hex, total);

    return ngx_registry_key_put_n(dst, "/descriptor", total);
}


static u_char *
ngx_registry_key_digest(u_char *dst, const ngx_registry_digest_t *d,
    size_t *total)
{
    dst = ngx_registry_key_put_span(dst, &d->name, total);
    dst = ngx_registry_key_put_n(dst, "/", total);
    dst = ngx_registry_key_put_span(dst, &d->hex, total);

    return ngx_registry_key_put_n(dst, "/link", total);
}


static u_char *
ngx_registry_key_put(u_char *dst, const void *src, size_t len, size_t *total)
{
    *total += len;

    if (dst == NULL || len == 0) {
        return dst;
    }

    memcpy(dst, src, len);

    return dst + len;
}


u_char *
ngx_registry_key_prefix_write(u_char *dst,
    const ngx_registry_span_t *rootdirectory)
{
    const u_char  *p, *last;

    /*
     * distribution registry/storage/driver/s3-aws/s3.go, s3Path():
     * TrimLeft(TrimRight(rootdirectory, "/") + path, "/")
     */

    if (rootdirectory->len == 0) {
        return dst;
    }

    p = rootdirectory->data;
    last = p + rootdirectory->len;

    while (p < last && *p == '/') {
        p++;
    }

    while (last > p && last[-1] == '/') {
        last--;
    }

    if (p == last) {
        return dst;
    }

    memcpy(dst, p, (size_t) (last - p));
    dst += last - p;
    *dst++ = '/';

    return dst;
}


int
ngx_registry_key_check(const u_char *p, const u_char *last)
{
    const u_char  *name;

    if (p == last) {
        return 0;
    }

    name = p;

    for ( /* void */ ; p <= last; p++) {

        if (p < last && *p != '/') {

            if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
                  || (*p >= '0' && *p <= '9') || *p == '.' || *p == '_'
                  || *p == '-'))
            {
                return 0;
            }

            continue;
        }

        /* the end of a component, or of a prefix */

        if (p == name) {
            return p == last;
        }

        if (name[0] == '.'
            && (p - name == 1 || (p - name == 2 && name[1] == '.')))
        {
            return 0;
        }

        name = p + 1;
    }

    return 1;
}


ngx_registry_status_e
ngx_registry_link_parse(const u_char *p, const u_char *last,
    ngx_registry_digest_t *d)
{
    return ngx_registry_digest_parse(p, last, d);
}
