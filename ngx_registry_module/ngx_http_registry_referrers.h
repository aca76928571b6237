
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_REFERRERS_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_REFERRERS_H_INCLUDED_


/*
 * OCI Distribution Spec, Listing Referrers.  Each manifest with a subject has
 * an object with its descriptor below _referrers/, so that two pushes at a
 * time lose nothing; what clients have written by the referrers tag schema,
 * to this registry or to distribution, is merged with them.
 */


ngx_int_t ngx_http_registry_referrers_handler(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx);

/* the descriptor of a manifest, in r->pool: NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_registry_referrer(ngx_http_request_t *r, ngx_str_t *bytes,
    ngx_registry_manifest_t *manifest, ngx_str_t *digest,
    ngx_str_t *descriptor);


#endif /* _NGX_HTTP_REGISTRY_REFERRERS_H_INCLUDED_ */
