
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_DIGEST_H_INCLUDED_
#define _NGX_REGISTRY_DIGEST_H_INCLUDED_


#include "ngx_registry.h"


#pragma GCC visibility push(hidden)


/* bytes of the longest digest that digest_parse() takes */
#define NGX_REGISTRY_DIGEST_MAX_LEN  (sizeof("sha512:") - 1 + 128)


typedef enum {
    NGX_REGISTRY_SHA256 = 0,
    NGX_REGISTRY_SHA512
} ngx_registry_digest_e;


typedef struct {
    ngx_registry_digest_e  algorithm;
    ngx_registry_span_t    name;         /* "sha256" */
    ngx_registry_span_t    hex;          /* lower case */
    ngx_registry_span_t    text;         /* "sha256:..." */
} ngx_registry_digest_t;


/*
 * Parses [p, last) as a digest, all of it: nothing is trimmed.
 *
 * OCI image-spec, Descriptor, Digests:
 *
 *     digest     = algorithm ":" encoded
 *     algorithm  = component((\+|\.|_|-)component)*
 *     component  = [a-z0-9]+
 *     encoded    = [a-zA-Z0-9=_-]+
 *
 * Registered algorithms, same section: the encoded part of sha256 is 64 hex
 * digits, that of sha512 is 128, a-f in lower case only.  Others, such as
 * sha384 of distribution's library, have no S3 keys that we know.
 *
 * p     first byte, not NUL-terminated; may equal last.
 * last  one past the last byte.
 * d     the result.  Its spans point into the input and live as long.
 *
 * Returns OK; UNSUPPORTED if the grammar holds but the algorithm is neither
 * sha256 nor sha512: the spans are set, the algorithm is not; or INVALID: d
 * is undefined.
 */
ngx_registry_status_e ngx_registry_digest_parse(const u_char *p,
    const u_char *last, ngx_registry_digest_t *d);

/*
 * Whether n bytes of data hash to the digest.  Returns OK; DIGEST_INVALID; or
 * NO_MEMORY, also if OpenSSL fails for another reason.
 */
ngx_registry_status_e ngx_registry_digest_check(
    const ngx_registry_digest_t *d, const u_char *data, size_t n);

/*
 * Writes n bytes of src as 2 * n hexadecimal digits in lower case.  src and
 * dst do not overlap.  Returns the end of what was written.
 */
u_char *ngx_registry_hex_write(u_char *dst, const u_char *src, size_t n);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_DIGEST_H_INCLUDED_ */
