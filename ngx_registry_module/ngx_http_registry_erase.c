
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


static ngx_int_t ngx_http_registry_erase_listed(
    ngx_http_registry_list_t *list);
static ngx_int_t ngx_http_registry_erase_next(
    ngx_http_registry_erase_t *erase);
static ngx_int_t ngx_http_registry_erase_gone(
    ngx_http_registry_apart_t *apart);
static ngx_int_t ngx_http_registry_erase_fail(
    ngx_http_registry_erase_t *erase, ngx_http_registry_call_t *call);


ngx_int_t
ngx_http_registry_erase(ngx_http_registry_erase_t *erase)
{
    return erase->ctx->conf->kind->erase(erase);
}


ngx_int_t
ngx_http_registry_s3_erase(ngx_http_registry_erase_t *erase)
{
    erase->list.ctx = erase->ctx;
    erase->list.prefix = erase->prefix;
    erase->list.objects = 1;
    erase->list.handler = ngx_http_registry_erase_listed;
    erase->list.data = erase;

    return (ngx_http_registry_list(&erase->list) == NGX_OK)
           ? NGX_AGAIN : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static ngx_int_t
ngx_http_registry_erase_listed(ngx_http_registry_list_t *list)
{
    ngx_http_registry_erase_t  *erase;

    erase = list->data;

    if (list->call.result.outcome != NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_erase_fail(erase, &list->call);
    }

    if (list->names.nelts == 0) {
        erase->op = list->call.op;
        erase->result = list->call.result;
        erase->result.outcome = NGX_HTTP_REGISTRY_NOT_FOUND;

        return erase->handler(erase);
    }

    return ngx_http_registry_erase_next(erase);
}


static ngx_int_t
ngx_http_registry_erase_next(ngx_http_registry_erase_t *erase)
{
    ngx_str_t                 *keys, *key;
    ngx_http_request_t        *r;
    ngx_http_registry_ctx_t   *ctx;
    ngx_http_registry_call_t  *call;

    keys = erase->list.names.elts;
    key = NULL;

    while (erase->next < erase->list.names.nelts) {

        key = &keys[erase->next++];

        if (key->len != erase->last.len
            || ngx_memcmp(key->data, erase->last.data, key->len) != 0)
        {
            break;
        }

        key = NULL;
    }

    if (key == NULL) {

        if (erase->ended) {
            erase->result.outcome = NGX_HTTP_REGISTRY_OK;
            return erase->handler(erase);
        }

        /* who asks for it finds it, and can ask again, until now */

        erase->ended = 1;
        key = &erase->last;
    }

    /* an old tag has thousands */

    erase->apart.request = erase->ctx->request;
    erase->apart.handler = ngx_http_registry_erase_gone;
    erase->apart.data = erase;

    ctx = ngx_http_registry_apart_begin(&erase->apart);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r = ctx->request;

    call = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_call_t));

    if (call == NULL
        || ngx_http_registry_op_write(r, &call->op, "DELETE", NULL) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call->op.conf = erase->ctx->conf;
    call->op.key = *key;
    call->limit = NGX_HTTP_REGISTRY_LINK_SIZE;
    call->handler = ngx_http_registry_apart_done;
    call->data = &erase->apart;

    return (ngx_http_registry_store_call(r, call) == NGX_OK)
           ? NGX_AGAIN : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static ngx_int_t
ngx_http_registry_erase_gone(ngx_http_registry_apart_t *apart)
{
    ngx_http_registry_call_t   *call;
    ngx_http_registry_erase_t  *erase;

    call = apart->call;
    erase = apart->data;

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK
        && call->result.outcome != NGX_HTTP_REGISTRY_NOT_FOUND)
    {
        return ngx_http_registry_erase_fail(erase, call);
    }

    return ngx_http_registry_erase_next(erase);
}


static ngx_int_t
ngx_http_registry_erase_fail(ngx_http_registry_erase_t *erase,
    ngx_http_registry_call_t *call)
{
    erase->op = call->op;
    erase->result = call->result;

    if (ngx_http_registry_apart_keep(erase->ctx->request->pool, &erase->op,
                                     &erase->result)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return erase->handler(erase);
}
