
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


ngx_int_t
ngx_http_registry_object_key(ngx_http_registry_ctx_t *ctx,
    ngx_registry_key_t *key, ngx_str_t *dst)
{
    key->prefix = ngx_http_registry_span(&ctx->conf->key_prefix);
    key->name = ngx_http_registry_span(&ctx->name);

    dst->len = ngx_registry_key_len(key);

    dst->data = ngx_pnalloc(ctx->request->pool, dst->len);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_registry_key_write(dst->data, key);

    return NGX_OK;
}


ngx_http_registry_call_t *
ngx_http_registry_object_call(ngx_http_registry_ctx_t *ctx,
    ngx_registry_key_t *key, ngx_uint_t role, size_t limit,
    ngx_http_registry_call_pt handler, void *data)
{
    ngx_http_registry_call_t  *call;

    call = ngx_pcalloc(ctx->request->pool, sizeof(ngx_http_registry_call_t));
    if (call == NULL) {
        return NULL;
    }

    if (ngx_http_registry_object_key(ctx, key, &call->op.key) != NGX_OK) {
        return NULL;
    }

    call->op.conf = ctx->conf;
    call->op.role = role;
    ngx_str_set(&call->op.method, "GET");
    call->limit = limit;
    call->handler = handler;
    call->data = data;

    return call;
}


ngx_int_t
ngx_http_registry_object_link(ngx_http_registry_call_t *call,
    ngx_registry_digest_t *digest)
{
    if (ngx_registry_link_parse(call->body.data,
                                call->body.data + call->body.len, digest)
        == NGX_REGISTRY_OK)
    {
        return NGX_OK;
    }

    ngx_http_registry_sub_forget(call->sub);

    ngx_http_registry_result_fault(&call->result, "link without a digest",
                  "a link object holds a digest and nothing else, "
                  "not even a newline");

    return NGX_ERROR;
}
