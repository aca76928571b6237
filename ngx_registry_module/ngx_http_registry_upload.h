
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_UPLOAD_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_UPLOAD_H_INCLUDED_


/*
 * The endpoints <name>/blobs/uploads/ and <name>/blobs/uploads/<session>: OCI
 * Distribution Spec, Pushing blobs.  They return what a content handler may
 * return, after ngx_http_registry_store_init().
 */


ngx_int_t ngx_http_registry_uploads_handler(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx);
ngx_int_t ngx_http_registry_upload_handler(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx);

/*
 * A parameter of the query, decoded: NGX_OK; NGX_DECLINED if there is none;
 * NGX_ABORT if it cannot be decoded; NGX_ERROR.
 */
ngx_int_t ngx_http_registry_arg(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);


#endif /* _NGX_HTTP_REGISTRY_UPLOAD_H_INCLUDED_ */
