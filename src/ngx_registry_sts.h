
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_STS_H_INCLUDED_
#define _NGX_REGISTRY_STS_H_INCLUDED_


#include "ngx_registry.h"
#include "ngx_registry_credentials.h"


#pragma GCC visibility push(hidden)


#define NGX_REGISTRY_STS_SESSION_MAX  64
#define NGX_REGISTRY_STS_HOST_MAX     128


/*
 * AWS STS API Reference.  With a token of an identity provider it is
 * AssumeRoleWithWebIdentity, without one AssumeRole.
 */

typedef struct {
    ngx_registry_span_t  role_arn;
    ngx_registry_span_t  session;
    ngx_registry_span_t  external_id;     /* empty: none */
    ngx_registry_span_t  duration;        /* seconds, digits; empty: STS's
                                             own, an hour */
    ngx_registry_span_t  token;
} ngx_registry_sts_request_t;


/* body of the POST, percent-encoded; returns its end.  _len is exact */
size_t ngx_registry_sts_body_len(const ngx_registry_sts_request_t *rq);
u_char *ngx_registry_sts_body_write(u_char *dst,
    const ngx_registry_sts_request_t *rq);

/*
 * RoleSessionName: "registry-" and the name of the host, of which no
 * character that STS refuses is left, cut at 64 bytes.  Returns the end.
 */
u_char *ngx_registry_sts_session_write(
    u_char dst[NGX_REGISTRY_STS_SESSION_MAX],
    const ngx_registry_span_t *host);

/*
 * Host of the endpoint: botocore, endpoint rules of sts.  An empty region is
 * that of the global endpoint.  Returns the end, or NULL if the region is no
 * label of a name.
 */
u_char *ngx_registry_sts_host_write(u_char dst[NGX_REGISTRY_STS_HOST_MAX],
    const ngx_registry_span_t *region, int fips, int dualstack);

/*
 * The XML of an answer, of either action, or of an error.  As
 * ngx_registry_credentials_parse().
 */
ngx_registry_status_e ngx_registry_sts_parse(const u_char *p,
    const u_char *last, const ngx_registry_memory_t *memory,
    ngx_registry_credentials_t *c, ngx_registry_refusal_t *refusal);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_STS_H_INCLUDED_ */
