
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_PUSH_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_PUSH_H_INCLUDED_


/*
 * PUT and DELETE of manifests, DELETE of blobs: OCI Distribution Spec, Pushing
 * manifests, Content management.  They return what a content handler may
 * return, after ngx_http_registry_store_init().
 */


ngx_int_t ngx_http_registry_push_handler(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx);
ngx_int_t ngx_http_registry_delete_handler(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx);

/*
 * Whether the repository may be written here, "registry_push_namespaces".
 * NGX_OK, or NGX_DECLINED.
 */
ngx_int_t ngx_http_registry_push_allowed(ngx_http_registry_ctx_t *ctx);

/* "registry_push_namespaces name ...;" */
char *ngx_http_registry_push_namespaces(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_REGISTRY_PUSH_H_INCLUDED_ */
