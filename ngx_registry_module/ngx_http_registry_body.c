
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


static void ngx_http_registry_body_begun(ngx_http_request_t *r);
static void ngx_http_registry_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_registry_body_run(ngx_http_request_t *r,
    ngx_http_registry_body_t *body);
static ngx_int_t ngx_http_registry_body_broken(ngx_http_request_t *r,
    ngx_http_registry_body_t *body, ngx_int_t rc);
static ngx_int_t ngx_http_registry_body_pass(ngx_http_request_t *r,
    ngx_http_registry_body_t *body);


ngx_int_t
ngx_http_registry_body_read(ngx_http_request_t *r,
    ngx_http_registry_body_t *body)
{
    ngx_int_t                 rc;
    ngx_http_registry_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);
    ctx->body = body;

    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_registry_body_begun);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return ngx_http_registry_body_broken(r, body, rc);
    }

    /* the request is held by its own count already */

    r->main->count--;

    return NGX_AGAIN;
}


static void
ngx_http_registry_body_begun(ngx_http_request_t *r)
{
    r->read_event_handler = ngx_http_registry_body_handler;

    ngx_http_registry_body_handler(r);
}


static void
ngx_http_registry_body_handler(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_http_registry_ctx_t  *ctx;

    if (r->connection->read->timedout) {
        r->connection->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);

    rc = ngx_http_registry_body_run(r, ctx->body);

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(r, rc);
    }
}


static ngx_int_t
ngx_http_registry_body_run(ngx_http_request_t *r,
    ngx_http_registry_body_t *body)
{
    ngx_int_t  rc;

    for ( ;; ) {

        if (ngx_http_registry_body_pass(r, body) != NGX_OK) {
            return body->rc;
        }

        if (!r->reading_body) {
            break;
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            return ngx_http_registry_body_broken(r, body, rc);
        }

        if (rc == NGX_AGAIN && r->request_body->bufs == NULL) {
            return NGX_AGAIN;
        }
    }

    /*
     * nginx has replaced both handlers: calls to the store drive the request
     * again, and of the client only its end is of interest
     */

    ngx_http_registry_store_resume(r);

    r->read_event_handler = ngx_http_test_reading;

    return body->end(r, body->ctx);
}


/*
 * The bytes that came together with the end of the connection, or with what is
 * no chunk, count as well: a client may ask how many there are.
 */
static ngx_int_t
ngx_http_registry_body_broken(ngx_http_request_t *r,
    ngx_http_registry_body_t *body, ngx_int_t rc)
{
    return (ngx_http_registry_body_pass(r, body) == NGX_OK) ? rc : body->rc;
}


static ngx_int_t
ngx_http_registry_body_pass(ngx_http_request_t *r,
    ngx_http_registry_body_t *body)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    while (r->request_body && r->request_body->bufs) {

        cl = r->request_body->bufs;
        b = cl->buf;

        if (ngx_buf_in_memory(b) && b->pos < b->last) {

            if (body->data(r, body->ctx, b->pos, b->last - b->pos)
                != NGX_OK)
            {
                return NGX_ABORT;
            }

            b->pos = b->last;

        } else if (!ngx_buf_special(b) && ngx_buf_size(b) != 0) {

            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "registry: a body that is not in memory");

            body->rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
            return NGX_ABORT;
        }

        /* nginx takes a buffer that is no longer in the chain for free */

        r->request_body->bufs = cl->next;
        ngx_free_chain(r->pool, cl);
    }

    return NGX_OK;
}
