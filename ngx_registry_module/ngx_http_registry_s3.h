
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_S3_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_S3_H_INCLUDED_


/*
 * S3 as a store: the endpoint, and how a request is signed.
 */


/*
 * Identity of a registry's store for messages, cache keys and shared memory,
 * the endpoint, and all that is derived from directives and environment.
 * Returns NGX_CONF_OK or NGX_CONF_ERROR, having logged why.
 */
char *ngx_http_registry_s3_configure(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf);

/*
 * In a worker, before a registry's region and endpoint are used: takes over
 * the region that IMDS has said.  NGX_OK, NGX_AGAIN (not yet), NGX_ERROR.
 */
ngx_int_t ngx_http_registry_s3_locate(ngx_http_registry_loc_conf_t *rlcf);

/*
 * nginx shows the values of variables in its debug log.  So those of the
 * token and the signature are masked, and this puts the real ones into the
 * request, once nginx has made it, and overwrites it when the pool goes.
 */
void ngx_http_registry_s3_unmask(ngx_http_registry_sub_t *sub);
void ngx_http_registry_s3_wipe(ngx_http_registry_sub_t *sub);

/* "registry_s3_header name value [write|blob|all];" */
char *ngx_http_registry_s3_header_directive(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);

ngx_int_t ngx_http_registry_s3_add_variables(ngx_conf_t *cf);

/* of the kind "s3", see ngx_http_registry_kind.h */
ngx_int_t ngx_http_registry_s3_request(ngx_http_registry_sub_t *sub);
ngx_int_t ngx_http_registry_s3_answer(ngx_http_registry_sub_t *sub);
ngx_uint_t ngx_http_registry_s3_whole(ngx_http_registry_sub_t *sub);
ngx_list_t *ngx_http_registry_s3_headers(ngx_http_registry_sub_t *sub);
ngx_int_t ngx_http_registry_s3_list(ngx_http_registry_list_t *list,
    ngx_str_t *token);
ngx_int_t ngx_http_registry_s3_listed(ngx_http_registry_list_t *list,
    ngx_str_t *token);
u_char *ngx_http_registry_s3_describe(ngx_http_registry_loc_conf_t *rlcf,
    u_char *p, u_char *last);

extern ngx_http_registry_kind_t  ngx_http_registry_s3_kind;


#endif /* _NGX_HTTP_REGISTRY_S3_H_INCLUDED_ */
