
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


typedef struct {
    ngx_connection_t          connection;
    ngx_event_t               read;
    ngx_event_t               write;
    ngx_event_t               close;
    ngx_log_t                 log;
    ngx_sockaddr_t            sockaddr;
    ngx_http_log_ctx_t        log_ctx;
    ngx_http_connection_t     http_connection;
    ngx_http_registry_ctx_t   ctx;
} ngx_http_registry_detached_t;


static void ngx_http_registry_store_wake(ngx_http_request_t *r);
static ngx_int_t ngx_http_registry_store_finish(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_store_try(ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_store_done(ngx_http_request_t *sr,
    void *data, ngx_int_t rc);
static void ngx_http_registry_store_timer(ngx_event_t *ev);
static void ngx_http_registry_store_ready(void *data);
static void ngx_http_registry_store_restart(ngx_http_registry_call_t *call);
static void ngx_http_registry_store_cleanup(void *data);
static void ngx_http_registry_store_over(ngx_http_request_t *r);
static void ngx_http_registry_store_cancel(ngx_http_registry_ctx_t *ctx);
static ngx_int_t ngx_http_registry_store_lists(ngx_http_request_t *r);
static void ngx_http_registry_store_close_handler(ngx_event_t *ev);


ngx_int_t
ngx_http_registry_store_init(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx)
{
    ngx_http_cleanup_t  *cln;

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_registry_store_cleanup;
    cln->data = ctx;

    r->write_event_handler = ngx_http_registry_store_wake;

    if (!ctx->detached) {

        /* released when the request is finalized by a handler */
        r->main->count++;

        /* an aborting client ends the request, and all its subrequests */

        if (!r->discard_body) {
            r->read_event_handler = ngx_http_test_reading;
        }
    }

    return NGX_OK;
}


void
ngx_http_registry_store_resume(ngx_http_request_t *r)
{
    r->write_event_handler = ngx_http_registry_store_wake;
}


ngx_int_t
ngx_http_registry_store_call(ngx_http_request_t *r,
    ngx_http_registry_call_t *call)
{
    ngx_http_registry_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);

    call->request = r;

    call->timer.handler = ngx_http_registry_store_timer;
    call->timer.data = call;
    call->timer.log = r->connection->log;

    call->waiter.handler = ngx_http_registry_store_ready;
    call->waiter.data = call;

    if (ngx_http_registry_store_try(call) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(&ctx->calls, &call->queue);

    return NGX_OK;
}


void
ngx_http_registry_store_pause(ngx_http_request_t *r,
    ngx_http_registry_call_t *call, ngx_msec_t msec)
{
    call->timer.handler = ngx_http_registry_store_timer;
    call->timer.data = call;
    call->timer.log = r->connection->log;

    ngx_http_registry_store_wait(r, call);

    ngx_add_timer(&call->timer, msec);
}


void
ngx_http_registry_store_wait(ngx_http_request_t *r,
    ngx_http_registry_call_t *call)
{
    ngx_http_registry_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);

    call->request = r;
    call->paused = 1;
    call->done = 0;

    ngx_queue_insert_tail(&ctx->calls, &call->queue);
}


static ngx_int_t
ngx_http_registry_store_try(ngx_http_registry_call_t *call)
{
    ngx_http_request_t          *r;
    ngx_http_registry_sub_t     *sub;
    ngx_http_post_subrequest_t  *ps;

    r = call->request;

    sub = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_sub_t));
    if (sub == NULL) {
        return NGX_ERROR;
    }

    ps = ngx_palloc(r->pool, sizeof(ngx_http_post_subrequest_t));
    if (ps == NULL) {
        return NGX_ERROR;
    }

    ps->handler = ngx_http_registry_store_done;
    ps->data = call;

    call->sub = sub;
    call->done = 0;
    call->retry.tries++;

    if (call->retry.tries == NGX_HTTP_REGISTRY_TRIES
        && (call->op.role == NGX_HTTP_REGISTRY_ROLE_TAG
            || call->op.role == NGX_HTTP_REGISTRY_ROLE_OBJECT))
    {
        /* the last try does without the cache, whose disk may be full */
        call->op.role = NGX_HTTP_REGISTRY_ROLE_DIRECT;
    }

    sub->op = &call->op;
    sub->limit = call->limit;

    /*
     * a background subrequest does not take part in the order of output, its
     * handler is called once, and it works while the body is being read
     */

    return ngx_http_registry_subrequest(r, sub, ps,
                                           NGX_HTTP_SUBREQUEST_BACKGROUND);
}


static ngx_int_t
ngx_http_registry_store_done(ngx_http_request_t *sr, void *data, ngx_int_t rc)
{
    ngx_http_registry_call_t *call = data;

    if (call->sub->done) {
        return NGX_OK;
    }

    ngx_http_registry_sub_done(call->sub, rc);

    if (call->op.write && call->op.conf->kind->settle
        && call->op.conf->kind->settle(call) == NGX_AGAIN)
    {
        return NGX_OK;
    }

    call->done = 1;

    if (ngx_http_post_request(sr->main, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    /* whatever it was, nginx is not to answer the client with it */

    return NGX_OK;
}


void
ngx_http_registry_store_settled(ngx_http_registry_call_t *call)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = call->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    call->done = 1;

    r->write_event_handler(r);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_registry_store_wake(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_queue_t               *q;
    ngx_http_registry_ctx_t   *ctx;
    ngx_http_registry_call_t  *call;

    ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);

    q = ngx_queue_head(&ctx->calls);

    while (q != ngx_queue_sentinel(&ctx->calls)) {

        call = ngx_queue_data(q, ngx_http_registry_call_t, queue);

        if (!call->done) {
            q = ngx_queue_next(q);
            continue;
        }

        ngx_queue_remove(q);
        call->done = 0;

        rc = ngx_http_registry_store_finish(call);

        if (rc != NGX_AGAIN) {

            if (ctx->detached) {
                ngx_http_registry_store_close(r);
                return;
            }

            /* it may yet live a while, until its subrequests have ended */

            ngx_http_registry_store_cancel(ctx);
            ngx_http_finalize_request(r, rc);
            return;
        }

        /* the handler may have changed the list */

        q = ngx_queue_head(&ctx->calls);
    }
}


static ngx_int_t
ngx_http_registry_store_finish(ngx_http_registry_call_t *call)
{
    ngx_int_t                 rc;
    ngx_msec_t                delay;
    ngx_http_registry_ctx_t  *ctx;
    ngx_http_registry_sub_t  *sub;

    if (call->paused) {
        call->paused = 0;
        return call->handler(call);
    }

    sub = call->sub;

    ngx_http_registry_result(sub, &call->result);

    call->body.data = sub->body;
    call->body.len = sub->len;
    call->content_length = sub->content_length;
    call->cache_status = sub->cache_status;

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK) {

        if (sub->connected) {
            ngx_http_registry_retry_success(call->op.conf);
            ngx_http_registry_renew_worked(call->op.conf->credentials,
                                           sub->generation);
        }

        return call->handler(call);
    }

    rc = ngx_http_registry_retry(&call->retry, sub, &call->result, &delay);

    if (rc == NGX_BUSY) {
        ngx_http_registry_retry_wait(sub, &call->waiter);
        rc = NGX_OK;

    } else if (rc == NGX_OK) {
        ngx_add_timer(&call->timer, delay);
    }

    if (rc != NGX_OK) {
        return call->handler(call);
    }

    ctx = ngx_http_get_module_ctx(call->request, ngx_http_registry_module);

    ngx_queue_insert_tail(&ctx->calls, &call->queue);

    return NGX_AGAIN;
}


static void
ngx_http_registry_store_timer(ngx_event_t *ev)
{
    ngx_http_registry_store_restart(ev->data);
}


static void
ngx_http_registry_store_ready(void *data)
{
    ngx_http_registry_store_restart(data);
}


static void
ngx_http_registry_store_restart(ngx_http_registry_call_t *call)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = call->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (call->paused) {
        call->done = 1;
        r->write_event_handler(r);

    } else if (ngx_http_registry_store_try(call) != NGX_OK) {

        if (((ngx_http_registry_ctx_t *)
             ngx_http_get_module_ctx(r, ngx_http_registry_module))->detached)
        {
            ngx_http_registry_store_close(r);
            return;
        }

        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_registry_store_cleanup(void *data)
{
    ngx_http_registry_ctx_t  *ctx = data;

    ngx_queue_t               *q;
    ngx_http_cache_t          *c;
    ngx_http_request_t        *r;
    ngx_http_registry_call_t  *call;

    ctx->terminated = 1;

    ngx_http_registry_store_cancel(ctx);

    /*
     * a child that waits for the lock of the cache would go on when the lock
     * is free, in a request that is over
     */

    for (q = ngx_queue_head(&ctx->calls);
         q != ngx_queue_sentinel(&ctx->calls);
         q = ngx_queue_next(q))
    {
        call = ngx_queue_data(q, ngx_http_registry_call_t, queue);

        c = (call->sub && call->sub->request) ? call->sub->request->cache
                                              : NULL;

        if (c == NULL || !c->waiting) {
            continue;
        }

        c->waiting = 0;
        ctx->request->main->blocked--;

        if (c->wait_event.timer_set) {
            ngx_del_timer(&c->wait_event);
        }
    }

    r = ctx->request->main;

    if (r->blocked && !ctx->detached) {

        /*
         * A thread still writes for a child, so nginx keeps the request, and
         * would run the child, whose upstream is closed, when something else
         * happens to the connection: the same event may say that it can be
         * read and written.
         */

        r->posted_requests = NULL;
        r->connection->data = r;
        r->write_event_handler = ngx_http_registry_store_over;
    }
}


static void
ngx_http_registry_store_over(ngx_http_request_t *r)
{
    if (r->main->blocked == 0) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}


static void
ngx_http_registry_store_cancel(ngx_http_registry_ctx_t *ctx)
{
    ngx_queue_t               *q;
    ngx_http_registry_call_t  *call;

    /* the request is over: nothing may wake it any more */

    for (q = ngx_queue_head(&ctx->calls);
         q != ngx_queue_sentinel(&ctx->calls);
         q = ngx_queue_next(q))
    {
        call = ngx_queue_data(q, ngx_http_registry_call_t, queue);

        if (call->timer.timer_set) {
            ngx_del_timer(&call->timer);
        }

        if (call->waiter.active) {
            ngx_http_registry_host_cancel(&call->waiter);
        }

        if (call->cancel) {
            call->cancel(call);
        }
    }
}


ngx_http_request_t *
ngx_http_registry_store_request(ngx_http_registry_loc_conf_t *rlcf)
{
    ngx_pool_t                    *pool;
    ngx_connection_t              *c;
    ngx_http_request_t            *r;
    ngx_http_registry_ctx_t       *ctx;
    ngx_http_registry_detached_t  *d;

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    r = ngx_pcalloc(pool, sizeof(ngx_http_request_t));
    d = ngx_pcalloc(pool, sizeof(ngx_http_registry_detached_t));

    if (r == NULL || d == NULL) {
        goto failed;
    }

    /*
     * a connection to nobody: not one of worker_connections, no descriptor,
     * no event ever.  "active" keeps the upstream from adding a write event.
     */

    c = &d->connection;
    c->data = r;
    c->fd = (ngx_socket_t) -1;
    c->pool = pool;
    c->read = &d->read;
    c->write = &d->write;
    c->log = &d->log;
    c->sockaddr = &d->sockaddr.sockaddr;
    c->socklen = sizeof(ngx_sockaddr_t);
    c->local_sockaddr = c->sockaddr;
    c->local_socklen = c->socklen;
    c->tcp_nodelay = NGX_TCP_NODELAY_DISABLED;
    c->tcp_nopush = NGX_TCP_NOPUSH_DISABLED;

    d->read.data = c;
    d->read.log = c->log;
    d->write.data = c;
    d->write.log = c->log;
    d->write.write = 1;
    d->write.active = 1;
    d->close.data = d;
    d->close.log = ngx_cycle->log;
    d->close.handler = ngx_http_registry_store_close_handler;

    /* variables of the client's address look at it */
    d->sockaddr.sockaddr.sa_family = AF_UNIX;

    d->log = *ngx_http_registry_log(rlcf);
    d->log.data = &d->log_ctx;
    d->log.handler = NULL;
    d->log.action = NULL;

    d->log_ctx.connection = c;
    d->log_ctx.request = r;
    d->log_ctx.current_request = r;

    d->http_connection.conf_ctx = rlcf->http_ctx;

    r->signature = NGX_HTTP_MODULE;
    r->connection = c;
    r->http_connection = &d->http_connection;
    r->pool = pool;
    r->main = r;
    r->count = 1;
    r->main_conf = rlcf->http_ctx->main_conf;
    r->srv_conf = rlcf->http_ctx->srv_conf;
    r->loc_conf = rlcf->loc_conf;

    if (ngx_http_registry_store_lists(r) != NGX_OK) {
        goto failed;
    }

    ctx = &d->ctx;
    ctx->request = r;
    ctx->conf = rlcf;
    ctx->detached = 1;
    ctx->stale_age = -1;
    ngx_queue_init(&ctx->calls);

    ngx_http_set_ctx(r, ctx, ngx_http_registry_module);

    if (ngx_http_registry_store_init(r, ctx) != NGX_OK) {
        goto failed;
    }

    return r;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


static ngx_int_t
ngx_http_registry_store_lists(ngx_http_request_t *r)
{
    ngx_time_t                 *tp;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    r->ctx = ngx_pcalloc(r->pool, sizeof(void *) * ngx_http_max_module);
    r->variables = ngx_pcalloc(r->pool, cmcf->variables.nelts
                                        * sizeof(ngx_http_variable_value_t));

    if (r->ctx == NULL || r->variables == NULL
        || ngx_list_init(&r->headers_in.headers, r->pool, 1,
                         sizeof(ngx_table_elt_t))
           != NGX_OK
        || ngx_list_init(&r->headers_out.headers, r->pool, 1,
                         sizeof(ngx_table_elt_t))
           != NGX_OK
        || ngx_list_init(&r->headers_out.trailers, r->pool, 1,
                         sizeof(ngx_table_elt_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    r->headers_in.content_length_n = -1;
    r->headers_in.keep_alive_n = -1;
    r->headers_out.content_length_n = -1;
    r->headers_out.last_modified_time = -1;

    r->method = NGX_HTTP_GET;
    r->method_name = ngx_http_core_get_method;
    r->http_version = NGX_HTTP_VERSION_11;
    ngx_str_set(&r->http_protocol, "HTTP/1.1");
    ngx_str_set(&r->uri, "/");

    r->read_event_handler = ngx_http_block_reading;
    r->uri_changes = NGX_HTTP_MAX_URI_CHANGES + 1;
    r->subrequests = NGX_HTTP_MAX_SUBREQUESTS + 1;
    r->internal = 1;
    r->logged = 1;

    /* limits are for clients */
    r->limit_conn_status = 1;
    r->limit_req_status = 1;

    tp = ngx_timeofday();
    r->start_sec = tp->sec;
    r->start_msec = tp->msec;

    return NGX_OK;
}


void
ngx_http_registry_store_close(ngx_http_request_t *r)
{
    ngx_http_cleanup_t            *cln;
    ngx_http_registry_detached_t  *d;

    /* subrequests that are still under way, or not yet, end here */

    r->write_event_handler = ngx_http_request_empty_handler;
    r->posted_requests = NULL;

    cln = r->cleanup;
    r->cleanup = NULL;

    while (cln) {
        if (cln->handler) {
            cln->handler(cln->data);
        }

        cln = cln->next;
    }

    /* nginx, up the stack, still looks at the connection */

    d = (ngx_http_registry_detached_t *) r->connection;

    ngx_post_event(&d->close, &ngx_posted_next_events);
}


static void
ngx_http_registry_store_close_handler(ngx_event_t *ev)
{
    ngx_http_registry_detached_t  *d = ev->data;

    ngx_destroy_pool(d->connection.pool);
}
