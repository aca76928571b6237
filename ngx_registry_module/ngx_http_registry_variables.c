
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/*
 * Variables for logs.
 */


static ngx_http_registry_ctx_t *ngx_http_registry_variable_ctx(
    ngx_http_request_t *r, ngx_http_variable_value_t *v);
static ngx_int_t ngx_http_registry_string_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_registry_number_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_registry_cache_status_variable(
    ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_registry_stale_age_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_registry_source_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_variable_t  ngx_http_registry_vars[] = {

    { ngx_string("registry_name"), NULL,
      ngx_http_registry_string_variable,
      offsetof(ngx_http_registry_ctx_t, name),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("registry_reference"), NULL,
      ngx_http_registry_string_variable,
      offsetof(ngx_http_registry_ctx_t, reference),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("registry_cache_status"), NULL,
      ngx_http_registry_cache_status_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("registry_stale_age"), NULL,
      ngx_http_registry_stale_age_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("registry_s3_requests"), NULL,
      ngx_http_registry_number_variable,
      offsetof(ngx_http_registry_ctx_t, s3_requests),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("registry_uncached"), NULL,
      ngx_http_registry_number_variable,
      offsetof(ngx_http_registry_ctx_t, uncached),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("registry_s3_status"), NULL,
      ngx_http_registry_number_variable,
      offsetof(ngx_http_registry_ctx_t, s3_status),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("registry_credentials_source"), NULL,
      ngx_http_registry_source_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_registry_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_registry_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_http_registry_ctx_t *
ngx_http_registry_variable_ctx(ngx_http_request_t *r,
    ngx_http_variable_value_t *v)
{
    ngx_http_registry_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r->main, ngx_http_registry_module);

    if (ctx == NULL) {
        v->not_found = 1;
        return NULL;
    }

    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;

    return ctx;
}


static ngx_int_t
ngx_http_registry_string_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                *s;
    ngx_http_registry_ctx_t  *ctx;

    ctx = ngx_http_registry_variable_ctx(r, v);

    if (ctx == NULL) {
        return NGX_OK;
    }

    s = (ngx_str_t *) ((char *) ctx + data);

    if (s->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = s->data;
    v->len = s->len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_number_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                   *p;
    ngx_http_registry_ctx_t  *ctx;

    ctx = ngx_http_registry_variable_ctx(r, v);

    if (ctx == NULL) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_sprintf(p, "%ui", *(ngx_uint_t *) ((char *) ctx + data)) - p;
    v->data = p;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_cache_status_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_registry_ctx_t  *ctx;

    ctx = ngx_http_registry_variable_ctx(r, v);

    if (ctx == NULL) {
        return NGX_OK;
    }

    if (ctx->cache_status == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = ngx_http_cache_status[ctx->cache_status - 1].data;
    v->len = ngx_http_cache_status[ctx->cache_status - 1].len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_stale_age_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                   *p;
    ngx_http_registry_ctx_t  *ctx;

    ctx = ngx_http_registry_variable_ctx(r, v);

    if (ctx == NULL) {
        return NGX_OK;
    }

    if (ctx->stale_age == -1) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_TIME_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_sprintf(p, "%T", ctx->stale_age) - p;
    v->data = p;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_source_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                *source;
    ngx_http_registry_ctx_t  *ctx;

    ctx = ngx_http_registry_variable_ctx(r, v);

    if (ctx == NULL) {
        return NGX_OK;
    }

    if (ctx->conf == NULL || ctx->conf->credentials == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    source = ngx_http_registry_credentials_source(ctx->conf->credentials);

    v->data = source->data;
    v->len = source->len;

    return NGX_OK;
}
