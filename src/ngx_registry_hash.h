
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_HASH_H_INCLUDED_
#define _NGX_REGISTRY_HASH_H_INCLUDED_


#include <openssl/sha.h>

#include "ngx_registry.h"
#include "ngx_registry_digest.h"


#pragma GCC visibility push(hidden)


/*
 * SHA-256 and SHA-512 whose state can be written down and taken up again by
 * another process, which EVP of OpenSSL 3 cannot.
 */

typedef struct {
    ngx_registry_digest_e  algorithm;
    union {
        SHA256_CTX         sha256;
        SHA512_CTX         sha512;
    } u;
} ngx_registry_hash_t;


/* bytes of the longest hash */
#define NGX_REGISTRY_HASH_MAX_LEN  64

/* bytes of a state of SHA-256: 8 words, length, block begun */
#define NGX_REGISTRY_HASH_STATE_LEN  (8 * 4 + 8 + 64)


void ngx_registry_hash_init(ngx_registry_hash_t *h,
    ngx_registry_digest_e algorithm);
void ngx_registry_hash_update(ngx_registry_hash_t *h, const void *data,
    size_t n);

/* writes the hash; returns its length in bytes.  h is used up. */
size_t ngx_registry_hash_final(ngx_registry_hash_t *h, u_char *dst);

/*
 * The state of a SHA-256 as NGX_REGISTRY_HASH_STATE_LEN bytes, in network
 * order, the same on every machine: FIPS 180-4, 6.2.2, the words a ... h; the
 * length in bytes; what there is of the block that has begun, then zeros.
 */
void ngx_registry_hash_save(const ngx_registry_hash_t *h, u_char *dst);

/* the opposite; every sequence of bytes is a state */
void ngx_registry_hash_load(ngx_registry_hash_t *h, const u_char *src);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_HASH_H_INCLUDED_ */
