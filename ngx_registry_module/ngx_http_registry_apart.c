
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


static void ngx_http_registry_apart_start(ngx_event_t *ev);
static ngx_int_t ngx_http_registry_apart_waited(
    ngx_http_registry_call_t *call);
static void ngx_http_registry_apart_cancel(ngx_http_registry_call_t *call);
static void ngx_http_registry_apart_lost(void *data);
static void ngx_http_registry_apart_leave(ngx_http_registry_apart_t *apart);
static ngx_int_t ngx_http_registry_apart_copy(ngx_pool_t *pool,
    ngx_str_t *s);


ngx_http_registry_ctx_t *
ngx_http_registry_apart_begin(ngx_http_registry_apart_t *apart)
{
    ngx_http_request_t       *own;
    ngx_http_cleanup_t       *cln;
    ngx_http_registry_ctx_t  *ctx, *own_ctx;

    ctx = ngx_http_get_module_ctx(apart->request, ngx_http_registry_module);

    own = ngx_http_registry_store_request(ctx->conf);
    if (own == NULL) {
        return NULL;
    }

    own_ctx = ngx_http_get_module_ctx(own, ngx_http_registry_module);

    own_ctx->name = ctx->name;
    own_ctx->reference = ctx->reference;

    cln = ngx_http_cleanup_add(own, 0);

    if (cln == NULL
        || ngx_http_registry_apart_copy(own->pool, &own_ctx->name) != NGX_OK
        || ngx_http_registry_apart_copy(own->pool, &own_ctx->reference)
           != NGX_OK)
    {
        ngx_http_registry_store_close(own);
        return NULL;
    }

    cln->handler = ngx_http_registry_apart_lost;
    cln->data = apart;

    apart->own = own;
    apart->gone = cln;
    apart->call = NULL;

    ngx_memzero(&apart->wait, sizeof(ngx_http_registry_call_t));

    apart->wait.handler = ngx_http_registry_apart_waited;
    apart->wait.cancel = ngx_http_registry_apart_cancel;
    apart->wait.data = apart;

    ngx_http_registry_store_wait(apart->request, &apart->wait);

    /*
     * Not within a handler of what ended before: stacks have an end, too.  In
     * the next turn: what ended before is freed then, and if all answers are
     * here, others get their turn as well.
     */

    ngx_memzero(&apart->start, sizeof(ngx_event_t));

    apart->start.handler = ngx_http_registry_apart_start;
    apart->start.data = own;
    apart->start.log = own->connection->log;

    ngx_post_event(&apart->start, &ngx_posted_next_events);

    return own_ctx;
}


static void
ngx_http_registry_apart_start(ngx_event_t *ev)
{
    ngx_http_request_t *own = ev->data;

    ngx_http_run_posted_requests(own->connection);
}


ngx_int_t
ngx_http_registry_apart_done(ngx_http_registry_call_t *call)
{
    ngx_http_registry_apart_t *apart = call->data;

    apart->call = call;

    return ngx_http_registry_apart_end(apart);
}


ngx_int_t
ngx_http_registry_apart_end(ngx_http_registry_apart_t *apart)
{
    ngx_http_registry_ctx_t  *ctx, *own_ctx;

    ctx = ngx_http_get_module_ctx(apart->request, ngx_http_registry_module);
    own_ctx = ngx_http_get_module_ctx(apart->own, ngx_http_registry_module);

    ctx->s3_requests += own_ctx->s3_requests;

    if (own_ctx->s3_status) {
        ctx->s3_status = own_ctx->s3_status;
    }

    if (own_ctx->cache_status) {
        ctx->cache_status = own_ctx->cache_status;
    }

    ngx_http_registry_apart_leave(apart);

    /* the request may end here, and the apart with it */

    ngx_http_registry_store_settled(&apart->wait);

    return NGX_DONE;
}


static ngx_int_t
ngx_http_registry_apart_waited(ngx_http_registry_call_t *call)
{
    ngx_http_registry_apart_t *apart = call->data;

    return apart->lost ? NGX_HTTP_INTERNAL_SERVER_ERROR
                       : apart->handler(apart);
}


/* the request ends */
static void
ngx_http_registry_apart_cancel(ngx_http_registry_call_t *call)
{
    ngx_http_registry_apart_t *apart = call->data;

    ngx_http_request_t  *own;

    own = apart->own;

    if (own) {
        ngx_http_registry_apart_leave(apart);
        ngx_http_registry_store_close(own);
    }
}


/* out of memory, the questions have no answer */
static void
ngx_http_registry_apart_lost(void *data)
{
    ngx_http_registry_apart_t *apart = data;

    ngx_http_registry_apart_leave(apart);

    apart->lost = 1;

    ngx_http_registry_store_settled(&apart->wait);
}


static void
ngx_http_registry_apart_leave(ngx_http_registry_apart_t *apart)
{
    apart->gone->handler = NULL;
    apart->own = NULL;

    if (apart->start.posted) {
        ngx_delete_posted_event(&apart->start);
    }
}


ngx_int_t
ngx_http_registry_apart_keep(ngx_pool_t *pool, ngx_http_registry_op_t *op,
    ngx_http_registry_result_t *result)
{
    ngx_uint_t  i;

    ngx_str_t  *s[] = { &op->key, &op->query, &result->code,
                        &result->message, &result->request_id,
                        &result->region, &result->hint };

    for (i = 0; i < sizeof(s) / sizeof(s[0]); i++) {

        if (ngx_http_registry_apart_copy(pool, s[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_apart_copy(ngx_pool_t *pool, ngx_str_t *s)
{
    if (s->len == 0) {
        return NGX_OK;
    }

    s->data = ngx_pstrdup(pool, s);

    return s->data ? NGX_OK : NGX_ERROR;
}
