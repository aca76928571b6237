
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_S3_ENDPOINT_H_INCLUDED_
#define _NGX_REGISTRY_S3_ENDPOINT_H_INCLUDED_


#include "ngx_registry.h"


#pragma GCC visibility push(hidden)


typedef struct {
    ngx_registry_span_t  bucket;
    ngx_registry_span_t  region;
    ngx_registry_span_t  endpoint;     /* URL or host[:port]; "" is AWS */
    int                  path_style;   /* -1: by the rules, 0, 1 */
    unsigned             dualstack:1;
    unsigned             fips:1;
} ngx_registry_s3_bucket_t;


typedef struct {
    unsigned  tls:1;
    unsigned  path_style:1;
    uint16_t  port;
    size_t    host_len;
    u_char    host[256];               /* to resolve, SNI, certificate;
                                          IPv6 literals without brackets */
    size_t    authority_len;
    u_char    authority[272];          /* Host header, as signed */
    size_t    path_len;
    u_char    path[512];               /* encoded, before "/<key>": "" or
                                          "/<bucket>", after the path of the
                                          endpoint's URL */
    const char  *error;                /* if not OK: why, and the hint */
} ngx_registry_s3_endpoint_t;


/*
 * S3 User Guide, Amazon S3 endpoints; botocore endpoint-rules.
 * OK or INVALID with ep->error set.
 */
ngx_registry_status_e ngx_registry_s3_endpoint(
    const ngx_registry_s3_bucket_t *b, ngx_registry_s3_endpoint_t *ep);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_S3_ENDPOINT_H_INCLUDED_ */
