
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <openssl/evp.h>

#include "ngx_registry_digest.h"


static ngx_registry_status_e ngx_registry_digest_algorithm(const u_char *p,
    const u_char *last);


ngx_registry_status_e
ngx_registry_digest_parse(const u_char *p, const u_char *last,
    ngx_registry_digest_t *d)
{
    size_t         len;
    u_char         ch, lower;
    const u_char  *colon;

    for (colon = p; colon < last && *colon != ':'; colon++) { /* void */ }

    if (last - colon < 2
        || ngx_registry_digest_algorithm(p, colon) != NGX_REGISTRY_OK)
    {
        return NGX_REGISTRY_INVALID;
    }

    d->text.data = p;
    d->text.len = (size_t) (last - p);
    d->name.data = p;
    d->name.len = (size_t) (colon - p);
    d->hex.data = colon + 1;
    d->hex.len = (size_t) (last - colon - 1);

    if (d->name.len == 6 && memcmp(p, "sha256", 6) == 0) {
        d->algorithm = NGX_REGISTRY_SHA256;
        len = 64;

    } else if (d->name.len == 6 && memcmp(p, "sha512", 6) == 0) {
        d->algorithm = NGX_REGISTRY_SHA512;
        len = 128;

    } else {
        len = 0;
    }

    if (len && d->hex.len != len) {
        return NGX_REGISTRY_INVALID;
    }

    for (p = d->hex.data; p < last; p++) {
        ch = *p;
        lower = (u_char) (ch | 0x20);

        if ((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f')) {
            continue;
        }

        /* OCI image-spec, Descriptor, Digests: encoded */

        if (len || !((lower >= 'a' && lower <= 'z') || ch == '='
                     || ch == '_' || ch == '-'))
        {
            return NGX_REGISTRY_INVALID;
        }
    }

    return len ? NGX_REGISTRY_OK : NGX_REGISTRY_UNSUPPORTED;
}


static ngx_registry_status_e
ngx_registry_digest_algorithm(const u_char *p, const u_char *last)
{
    u_char    ch;
    unsigned  separator;

    /* OCI image-spec, Descriptor, Digests: components and separators */

    separator = 1;

    for ( /* void */ ; p < last; p++) {
        ch = *p;

        if ((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9')) {
            separator = 0;
            continue;
        }

        if (separator || (ch != '+' && ch != '.' && ch != '_' && ch != '-')) {
            return NGX_REGISTRY_INVALID;
        }

        separator = 1;
    }

    return separator ? NGX_REGISTRY_INVALID : NGX_REGISTRY_OK;
}


ngx_registry_status_e
ngx_registry_digest_check(const ngx_registry_digest_t *d, const u_char *data,
    size_t n)
{
    u_char         md[EVP_MAX_MD_SIZE], text[2 * EVP_MAX_MD_SIZE];
    unsigned int   len;
    const EVP_MD  *type;

    type = (d->algorithm == NGX_REGISTRY_SHA512) ? EVP_sha512() : EVP_sha256();

    if (EVP_Digest(data, n, md, &len, type, NULL) != 1) {
        return NGX_REGISTRY_NO_MEMORY;
    }

    (void) ngx_registry_hex_write(text, md, len);

    return (d->hex.len == 2 * (size_t) len
            && memcmp(d->hex.data, text, d->hex.len) == 0)
           ? NGX_REGISTRY_OK : NGX_REGISTRY_DIGEST_INVALID;
}


u_char *
ngx_registry_hex_write(u_char *dst, const u_char *src, size_t n)
{
    static const u_char  hex[] = "0123456789abcdef";

    while (n--) {
        *dst++ = hex[*src >> 4];
        *dst++ = hex[*src++ & 0xf];
    }

    return dst;
}
