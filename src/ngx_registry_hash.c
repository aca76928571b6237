
/*
 * Copyright (C) The ngx_registry_module authors
 */


/* the functions of OpenSSL 1, of which only these show their state */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "ngx_registry_hash.h"


static u_char *ngx_registry_hash_put(u_char *dst, uint64_t n, unsigned bytes);
static const u_char *ngx_registry_hash_get(const u_char *src, uint64_t *n,
    unsigned bytes);


void
ngx_registry_hash_init(ngx_registry_hash_t *h, ngx_registry_digest_e algorithm)
{
    h->algorithm = algorithm;

    if (algorithm == NGX_REGISTRY_SHA512) {
        (void) SHA512_Init(&h->u.sha512);

    } else {
        (void) SHA256_Init(&h->u.sha256);
    }
}


void
ngx_registry_hash_update(ngx_registry_hash_t *h, const void *data, size_t n)
{
    if (n == 0) {
        return;
    }

    if (h->algorithm == NGX_REGISTRY_SHA512) {
        (void) SHA512_Update(&h->u.sha512, data, n);

    } else {
        (void) SHA256_Update(&h->u.sha256, data, n);
    }
}


size_t
ngx_registry_hash_final(ngx_registry_hash_t *h, u_char *dst)
{
    if (h->algorithm == NGX_REGISTRY_SHA512) {
        (void) SHA512_Final(dst, &h->u.sha512);
        return SHA512_DIGEST_LENGTH;
    }

    (void) SHA256_Final(dst, &h->u.sha256);

    return SHA256_DIGEST_LENGTH;
}


void
ngx_registry_hash_save(const ngx_registry_hash_t *h, u_char *dst)
{
    size_t             i;
    uint64_t           bits;
    const SHA256_CTX  *c;

    c = &h->u.sha256;

    for (i = 0; i < 8; i++) {
        dst = ngx_registry_hash_put(dst, c->h[i], 4);
    }

    bits = ((uint64_t) c->Nh << 32) | c->Nl;

    dst = ngx_registry_hash_put(dst, bits / 8, 8);

    memset(dst, 0, 64);
    memcpy(dst, c->data, c->num);
}


void
ngx_registry_hash_load(ngx_registry_hash_t *h, const u_char *src)
{
    size_t       i;
    uint64_t     n;
    SHA256_CTX  *c;

    ngx_registry_hash_init(h, NGX_REGISTRY_SHA256);

    c = &h->u.sha256;

    for (i = 0; i < 8; i++) {
        src = ngx_registry_hash_get(src, &n, 4);
        c->h[i] = (SHA_LONG) n;
    }

    src = ngx_registry_hash_get(src, &n, 8);

    c->num = (unsigned) (n % 64);
    memcpy(c->data, src, c->num);

    n *= 8;

    c->Nl = (SHA_LONG) (n & 0xffffffff);
    c->Nh = (SHA_LONG) (n >> 32);
}


static u_char *
ngx_registry_hash_put(u_char *dst, uint64_t n, unsigned bytes)
{
    while (bytes--) {
        *dst++ = (u_char) (n >> (8 * bytes));
    }

    return dst;
}


static const u_char *
ngx_registry_hash_get(const u_char *src, uint64_t *n, unsigned bytes)
{
    *n = 0;

    while (bytes--) {
        *n = (*n << 8) | *src++;
    }

    return src;
}
