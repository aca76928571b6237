
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


static ngx_uint_t ngx_http_registry_writes(ngx_http_request_t *r);
static ngx_uint_t ngx_http_registry_reads_body(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx, ngx_registry_status_e status);
static ngx_int_t ngx_http_registry_denied(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx);
static ngx_int_t ngx_http_registry_dispatch(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx);
static ngx_int_t ngx_http_registry_route(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx);
static ngx_int_t ngx_http_registry_ns(ngx_http_request_t *r,
    ngx_http_registry_loc_conf_t *rlcf);
static unsigned ngx_http_registry_method(ngx_http_request_t *r);
static ngx_int_t ngx_http_registry_not_allowed(ngx_http_request_t *r,
    unsigned methods);
static ngx_int_t ngx_http_registry_base(ngx_http_request_t *r);


ngx_int_t
ngx_http_registry_handler(ngx_http_request_t *r)
{
    unsigned                       methods;
    ngx_int_t                      rc;
    ngx_registry_status_e          status;
    ngx_http_registry_ctx_t       *ctx;
    ngx_http_registry_loc_conf_t  *rlcf;

    if (r != r->main) {
        /* a subrequest of some other module: there is no client to serve */
        return NGX_HTTP_NOT_FOUND;
    }

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_registry_module);

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_ctx_t));

    if (ctx == NULL || ngx_http_registry_hold(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->request = r;
    ctx->conf = rlcf;
    ctx->stale_age = -1;
    ngx_queue_init(&ctx->calls);

    ngx_http_set_ctx(r, ctx, ngx_http_registry_module);

    status = ngx_http_registry_route(r, ctx);

    methods = ngx_registry_route_methods(ctx->route.type, rlcf->push);

    if (!ngx_http_registry_reads_body(r, ctx, status)) {

        rc = ngx_http_registry_discard(r);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (ctx->route.type != NGX_REGISTRY_ROUTE_UNKNOWN
        && !(ngx_http_registry_method(r) & methods))
    {
        return ngx_http_registry_not_allowed(r, methods);
    }

    if (status == NGX_REGISTRY_REFERENCE_INVALID
        && ngx_http_registry_method(r) != NGX_REGISTRY_PUT)
    {
        /* what cannot be a tag is not there; only a push of it is wrong */

        return ngx_http_registry_error(r, NGX_HTTP_NOT_FOUND,
                                       NGX_REGISTRY_MANIFEST_UNKNOWN, NULL,
                                       &ctx->reference);
    }

    if (status != NGX_REGISTRY_OK) {
        return ngx_http_registry_refuse(r, status,
                                        status == NGX_REGISTRY_NAME_INVALID
                                        ? &ctx->name : &ctx->reference);
    }

    if (ctx->route.type == NGX_REGISTRY_ROUTE_BASE) {
        return ngx_http_registry_base(r);
    }

    if (ngx_http_registry_ns(r, rlcf) != NGX_OK) {
        return ngx_http_registry_error(r, NGX_HTTP_NOT_FOUND,
                                       NGX_REGISTRY_NAME_UNKNOWN, NULL,
                                       &ctx->name);
    }

    if (ngx_http_registry_writes(r)
        && ngx_http_registry_push_allowed(ctx) != NGX_OK)
    {
        return ngx_http_registry_denied(r, ctx);
    }

    if (ngx_http_registry_store_init(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_registry_dispatch(r, ctx);

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(r, rc);
    }

    return NGX_DONE;
}


static ngx_uint_t
ngx_http_registry_writes(ngx_http_request_t *r)
{
    return r->method != NGX_HTTP_GET && r->method != NGX_HTTP_HEAD;
}


static ngx_uint_t
ngx_http_registry_reads_body(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx, ngx_registry_status_e status)
{
    /* what is refused without a look at its body is discarded */

    if (!ctx->conf->push || status != NGX_REGISTRY_OK
        || ngx_http_registry_push_allowed(ctx) != NGX_OK)
    {
        return 0;
    }

    return r->method == NGX_HTTP_POST || r->method == NGX_HTTP_PUT
           || r->method == NGX_HTTP_PATCH;
}


static ngx_int_t
ngx_http_registry_denied(ngx_http_request_t *r, ngx_http_registry_ctx_t *ctx)
{
    u_char      *p;
    size_t       len;
    ngx_str_t   *ns, message;
    ngx_uint_t   i;

    ns = ctx->conf->namespaces->elts;
    len = sizeof("this registry is written below only: ");

    for (i = 0; i < ctx->conf->namespaces->nelts; i++) {
        len += ns[i].len + 2;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    message.data = p;
    p = ngx_sprintf(p, "this registry is written below only: ");

    for (i = 0; i < ctx->conf->namespaces->nelts; i++) {
        p = ngx_sprintf(p, "%s%V", i ? ", " : "", &ns[i]);
    }

    message.len = p - message.data;

    return ngx_http_registry_error(r, NGX_HTTP_FORBIDDEN, NGX_REGISTRY_DENIED,
                                   &message, &ctx->name);
}


static ngx_int_t
ngx_http_registry_dispatch(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx)
{
    if (r->method == NGX_HTTP_DELETE
        && ctx->route.type != NGX_REGISTRY_ROUTE_UPLOAD)
    {
        return ngx_http_registry_delete_handler(r, ctx);
    }

    switch (ctx->route.type) {

    case NGX_REGISTRY_ROUTE_MANIFEST:
        return (r->method == NGX_HTTP_PUT)
               ? ngx_http_registry_push_handler(r, ctx)
               : ngx_http_registry_manifest_handler(r, ctx);

    case NGX_REGISTRY_ROUTE_BLOB:
        return ngx_http_registry_blob_handler(r, ctx);

    case NGX_REGISTRY_ROUTE_UPLOADS:
        return ngx_http_registry_uploads_handler(r, ctx);

    case NGX_REGISTRY_ROUTE_UPLOAD:
        return ngx_http_registry_upload_handler(r, ctx);

    case NGX_REGISTRY_ROUTE_TAGS:
        return ngx_http_registry_tags_handler(r, ctx);

    case NGX_REGISTRY_ROUTE_CATALOG:
        return ngx_http_registry_catalog_handler(r, ctx);

    default: /* NGX_REGISTRY_ROUTE_REFERRERS */
        return ngx_http_registry_referrers_handler(r, ctx);
    }
}


static ngx_int_t
ngx_http_registry_route(ngx_http_request_t *r, ngx_http_registry_ctx_t *ctx)
{
    u_char                 *p, *last;
    ngx_registry_status_e   status;

    p = r->uri.data;
    last = r->uri.data + r->uri.len;

    if (ctx->conf->base.len) {

        if (r->uri.len < ctx->conf->base.len
            || ngx_memcmp(p, ctx->conf->base.data, ctx->conf->base.len) != 0)
        {
            ctx->route.type = NGX_REGISTRY_ROUTE_UNKNOWN;
            return NGX_REGISTRY_NOT_FOUND;
        }

        p += ctx->conf->base.len;
    }

    status = ngx_registry_route_parse(p, last, &ctx->route);

    ctx->name.data = (u_char *) ctx->route.name.data;
    ctx->name.len = ctx->route.name.len;
    ctx->reference.data = (u_char *) ctx->route.reference.data;
    ctx->reference.len = ctx->route.reference.len;

    return status;
}


static ngx_int_t
ngx_http_registry_ns(ngx_http_request_t *r,
    ngx_http_registry_loc_conf_t *rlcf)
{
    u_char               *last;
    ngx_str_t            *ns, value;
    ngx_uint_t            i;
    ngx_registry_span_t   name, span;

    if (rlcf->ns == NULL) {
        return NGX_OK;
    }

    name.data = (u_char *) "ns";
    name.len = 2;

    /* OCI Distribution Spec, Registry Proxying: ns is optional */

    if (ngx_registry_query_find(r->args.data, r->args.data + r->args.len,
                                &name, &span)
        != NGX_REGISTRY_OK)
    {
        return NGX_OK;
    }

    value.data = ngx_pnalloc(r->pool, span.len);
    if (value.data == NULL) {
        return NGX_DECLINED;
    }

    last = ngx_registry_query_decode(value.data, &span);
    if (last == NULL) {
        return NGX_DECLINED;
    }

    value.len = last - value.data;

    ns = rlcf->ns->elts;

    for (i = 0; i < rlcf->ns->nelts; i++) {

        if (ns[i].len == value.len
            && ngx_strncasecmp(ns[i].data, value.data, value.len) == 0)
        {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static unsigned
ngx_http_registry_method(ngx_http_request_t *r)
{
    switch (r->method) {

    case NGX_HTTP_GET:
        return NGX_REGISTRY_GET;

    case NGX_HTTP_HEAD:
        return NGX_REGISTRY_HEAD;

    case NGX_HTTP_POST:
        return NGX_REGISTRY_POST;

    case NGX_HTTP_PUT:
        return NGX_REGISTRY_PUT;

    case NGX_HTTP_PATCH:
        return NGX_REGISTRY_PATCH;

    case NGX_HTTP_DELETE:
        return NGX_REGISTRY_DELETE;

    default:
        return 0;
    }
}


static ngx_int_t
ngx_http_registry_not_allowed(ngx_http_request_t *r, unsigned methods)
{
    u_char     *p;
    ngx_str_t   allow, message;

    allow.data = ngx_pnalloc(r->pool, NGX_REGISTRY_METHODS_MAX_LEN);
    if (allow.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_registry_methods_write(allow.data, methods);
    allow.len = p - allow.data;

    /* RFC 9110, 405: Allow is required, and may be empty */

    if (ngx_http_registry_add_header(r, "Allow", &allow) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&message, "this registry does not offer the method here");

    return ngx_http_registry_error(r, NGX_HTTP_NOT_ALLOWED,
                                   NGX_REGISTRY_CODE_UNSUPPORTED, &message,
                                   NULL);
}


static ngx_int_t
ngx_http_registry_base(ngx_http_request_t *r)
{
    ngx_str_t  type, body;

    ngx_str_set(&type, "application/json");
    ngx_str_set(&body, "{}");

    return ngx_http_registry_send(r, &type, &body);
}
