
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_SIGV4_H_INCLUDED_
#define _NGX_REGISTRY_SIGV4_H_INCLUDED_


#include "ngx_registry.h"


#pragma GCC visibility push(hidden)


#define NGX_REGISTRY_SIGV4_DATE_LEN      (sizeof("YYYYMMDDThhmmssZ") - 1)
#define NGX_REGISTRY_SIGV4_KEY_LEN       32
#define NGX_REGISTRY_SIGV4_HEADERS_MAX   32

/* SHA-256 of nothing, the payload hash of every read */
#define NGX_REGISTRY_SIGV4_EMPTY_SHA256                                       \
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


typedef struct {
    ngx_registry_span_t  name;
    ngx_registry_span_t  value;
} ngx_registry_pair_t;


typedef struct {
    ngx_registry_span_t         method;
    ngx_registry_span_t         path;        /* encoded, as on the wire */
    ngx_registry_span_t         query;       /* canonical, as on the wire */
    ngx_registry_pair_t        *headers;     /* to be signed; reordered */
    size_t                      nheaders;
    ngx_registry_span_t         payload;     /* x-amz-content-sha256 */
    ngx_registry_span_t         date;        /* YYYYMMDDThhmmssZ */
    ngx_registry_span_t         region;
    ngx_registry_span_t         service;
} ngx_registry_sigv4_request_t;


/* seconds since the epoch to YYYYMMDDThhmmssZ; returns the end */
u_char *ngx_registry_sigv4_date_write(u_char *dst, int64_t sec);

/*
 * Signing key of a day: AWS Signature Version 4, Calculate the signature.
 * date takes 8 bytes of YYYYMMDD.  OK or NO_MEMORY (of OpenSSL).
 */
ngx_registry_status_e ngx_registry_sigv4_key(
    u_char key[NGX_REGISTRY_SIGV4_KEY_LEN], const ngx_registry_span_t *secret,
    const u_char *date, const ngx_registry_span_t *region,
    const ngx_registry_span_t *service);

/*
 * Value of the Authorization header.  _len gives an upper bound.  Names of
 * headers are lowered, values trimmed and folded, equal names joined.
 * Returns NULL on failure of OpenSSL or too many headers.
 */
size_t ngx_registry_sigv4_authorization_len(
    const ngx_registry_sigv4_request_t *r,
    const ngx_registry_span_t *access_key);
u_char *ngx_registry_sigv4_authorization_write(u_char *dst,
    ngx_registry_sigv4_request_t *r, const ngx_registry_span_t *access_key,
    const u_char key[NGX_REGISTRY_SIGV4_KEY_LEN]);

/*
 * Canonical query string of n pairs (not encoded): encodes names and values,
 * sorts by encoded name, then value.  The pairs are reordered.
 */
size_t ngx_registry_sigv4_query_len(const ngx_registry_pair_t *pairs,
    size_t n);
u_char *ngx_registry_sigv4_query_write(u_char *dst,
    ngx_registry_pair_t *pairs, size_t n);

/*
 * S3 URI encoding: all but A-Z a-z 0-9 - . _ ~ becomes %XX; "/" stays if
 * slash is not 0.
 */
size_t ngx_registry_uri_encode_len(const ngx_registry_span_t *s, int slash);
u_char *ngx_registry_uri_encode_write(u_char *dst,
    const ngx_registry_span_t *s, int slash);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_SIGV4_H_INCLUDED_ */
