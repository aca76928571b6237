
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


struct ngx_http_registry_delivery_s {
    ngx_http_request_t              *request;
    ngx_http_registry_ctx_t         *ctx;

    ngx_str_t                        key;
    ngx_str_t                       *text;      /* the digest asked for */
    ngx_registry_digest_t           *digest;    /* of the content */

    off_t                            size;      /* of the blob, -1 unknown */
    off_t                            offset;    /* next byte for the client */
    off_t                            end;       /* one past its last */

    /* the client's Range, -1 where it says nothing */
    int64_t                          first;
    int64_t                          last;

    ngx_http_registry_sub_t         *sub;       /* the child */
    ngx_http_registry_op_t          *op;        /* of the last child */
    off_t                            position;  /* next byte of its answer */
    off_t                            begun;     /* offset when it started */

    ngx_http_registry_call_t         call;      /* for the size */
    ngx_event_t                      timer;
    ngx_http_registry_waiter_t       waiter;
    ngx_http_registry_retry_t        retry;

    unsigned                         range:1;   /* one is asked for */
    unsigned                         partial:1; /* one is sent */
    unsigned                         beyond:1;  /* it begins after the end */
    unsigned                         header_sent:1;
};


static void ngx_http_registry_delivery_range(
    ngx_http_registry_delivery_t *d);
static ngx_int_t ngx_http_registry_delivery_child(
    ngx_http_registry_delivery_t *d, ngx_uint_t role, ngx_str_t *range);
static ngx_int_t ngx_http_registry_delivery_done(ngx_http_request_t *sr,
    void *data, ngx_int_t rc);
static void ngx_http_registry_delivery_wake(ngx_http_request_t *r);
static void ngx_http_registry_delivery_next(ngx_http_registry_delivery_t *d);
static void ngx_http_registry_delivery_whole(
    ngx_http_registry_delivery_t *d, ngx_http_registry_sub_t *sub);
static ngx_int_t ngx_http_registry_delivery_failed(
    ngx_http_registry_delivery_t *d, ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result);
static ngx_int_t ngx_http_registry_delivery_again(
    ngx_http_registry_delivery_t *d, ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result);
static ngx_int_t ngx_http_registry_delivery_rest(
    ngx_http_registry_delivery_t *d, ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result);
static void ngx_http_registry_delivery_timer(ngx_event_t *ev);
static void ngx_http_registry_delivery_ready(void *data);
static ngx_int_t ngx_http_registry_delivery_start(
    ngx_http_registry_delivery_t *d);
static ngx_int_t ngx_http_registry_delivery_asked(
    ngx_http_registry_delivery_t *d, ngx_str_t *range);
static ngx_int_t ngx_http_registry_delivery_size(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_delivery_ask_size(
    ngx_http_registry_delivery_t *d);
static ngx_int_t ngx_http_registry_delivery_beyond(
    ngx_http_registry_delivery_t *d);
static void ngx_http_registry_delivery_cleanup(void *data);
static ngx_int_t ngx_http_registry_delivery_header(
    ngx_http_registry_sub_t *sub);
static ngx_int_t ngx_http_registry_delivery_content_range(
    ngx_http_registry_sub_t *sub, off_t *start, off_t *size);
static void ngx_http_registry_delivery_extent(
    ngx_http_registry_delivery_t *d);
static ngx_int_t ngx_http_registry_delivery_send_header(
    ngx_http_registry_delivery_t *d);
static ngx_int_t ngx_http_registry_delivery_add_content_range(
    ngx_http_registry_delivery_t *d);
static ngx_int_t ngx_http_registry_delivery_body(
    ngx_http_registry_sub_t *sub, ngx_chain_t *in, ngx_chain_t **out);
static off_t ngx_http_registry_delivery_trim(
    ngx_http_registry_delivery_t *d, ngx_buf_t *b);


static ngx_http_registry_sink_t  ngx_http_registry_delivery_sink = {
    ngx_http_registry_delivery_header,
    ngx_http_registry_delivery_body
};


ngx_int_t
ngx_http_registry_delivery(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx, ngx_str_t *key,
    ngx_registry_digest_t *digest, ngx_str_t *text)
{
    ngx_http_cleanup_t            *cln;
    ngx_http_registry_delivery_t  *d;

    d = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_delivery_t));
    if (d == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_registry_delivery_cleanup;
    cln->data = d;

    d->request = r;
    d->ctx = ctx;
    d->key = *key;
    d->text = text;
    d->digest = digest;
    d->size = -1;

    d->timer.handler = ngx_http_registry_delivery_timer;
    d->timer.data = d;
    d->timer.log = r->connection->log;

    d->waiter.handler = ngx_http_registry_delivery_ready;
    d->waiter.data = d;

    ctx->delivery = d;

    ngx_http_registry_delivery_range(d);

    r->write_event_handler = ngx_http_registry_delivery_wake;

    if (ngx_http_registry_delivery_child(d,
                             d->range ? NGX_HTTP_REGISTRY_ROLE_CACHED_BLOB
                                      : NGX_HTTP_REGISTRY_ROLE_BLOB,
                             NULL)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static void
ngx_http_registry_delivery_range(ngx_http_registry_delivery_t *d)
{
    ngx_str_t           *value;
    ngx_http_request_t  *r;

    r = d->request;

    if (r->headers_in.range == NULL) {
        return;
    }

    /* RFC 9110, If-Range: another representation is sent whole */

    if (r->headers_in.if_range) {
        value = &r->headers_in.if_range->value;

        if (value->len != d->text->len + 2
            || value->data[0] != '"'
            || value->data[value->len - 1] != '"'
            || ngx_memcmp(value->data + 1, d->text->data, d->text->len) != 0)
        {
            return;
        }
    }

    value = &r->headers_in.range->value;

    /*
     * several ranges are answered whole: clients that send them take that,
     * and the answer is the same whether the blob is cached or not
     */

    switch (ngx_registry_range_scan(value->data, value->data + value->len,
                                    &d->first, &d->last))
    {
    case NGX_REGISTRY_OK:
    case NGX_REGISTRY_UNSATISFIABLE:
        d->range = 1;
        break;

    default:
        break;
    }
}


static ngx_int_t
ngx_http_registry_delivery_child(ngx_http_registry_delivery_t *d,
    ngx_uint_t role, ngx_str_t *range)
{
    ngx_http_request_t          *r;
    ngx_http_registry_op_t      *op;
    ngx_http_registry_sub_t     *sub;
    ngx_http_post_subrequest_t  *ps;

    r = d->request;

    op = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_op_t));
    sub = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_sub_t));
    ps = ngx_palloc(r->pool, sizeof(ngx_http_post_subrequest_t));

    if (op == NULL || sub == NULL || ps == NULL) {
        return NGX_ERROR;
    }

    op->conf = d->ctx->conf;
    op->role = role;
    op->key = d->key;
    op->digest = d->digest;
    ngx_str_set(&op->method, "GET");

    if (range) {
        op->range = *range;
    }

    sub->op = op;
    sub->sink = &ngx_http_registry_delivery_sink;
    sub->data = d;

    ps->handler = ngx_http_registry_delivery_done;
    ps->data = d;

    d->op = op;
    d->sub = sub;
    d->begun = d->offset;
    d->retry.tries++;

    if (ngx_http_registry_s3_subrequest(r, sub, ps, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    /*
     * nginx does not look at the client while it fills a cache: without this
     * the download would go on after the client has left
     */

    if (!r->discard_body) {
        sub->request->read_event_handler = ngx_http_test_reading;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_delivery_done(ngx_http_request_t *sr, void *data,
    ngx_int_t rc)
{
    ngx_http_registry_delivery_t *d = data;

    /* nginx calls this again for a subrequest that waits for its turn */

    if (d->sub && d->sub->request == sr && !d->sub->done) {
        ngx_http_registry_s3_done(d->sub, rc);
    }

    /* the parent, which nginx wakes, decides */

    return NGX_OK;
}


static void
ngx_http_registry_delivery_wake(ngx_http_request_t *r)
{
    ngx_connection_t              *c;
    ngx_http_registry_ctx_t       *ctx;
    ngx_http_registry_delivery_t  *d;

    c = r->connection;

    ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);
    d = ctx->delivery;

    if (c->write->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "client timed out");
        c->timedout = 1;

        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    /* the child is at work, or the next one has not started yet */

    if (r != c->data || d->sub == NULL || !d->sub->done) {
        return;
    }

    ngx_http_registry_delivery_next(d);
}


static void
ngx_http_registry_delivery_next(ngx_http_registry_delivery_t *d)
{
    ngx_int_t                    rc;
    ngx_http_request_t          *r;
    ngx_http_registry_sub_t     *sub;
    ngx_http_registry_result_t   result;

    r = d->request;

    sub = d->sub;
    d->sub = NULL;

    ngx_http_registry_result(sub, &result);

    if (d->header_sent && d->offset == d->end && !sub->mismatch) {

        ngx_http_registry_delivery_whole(d, sub);

        /* NGX_AGAIN is of a slow client here, nginx waits for it */

        ngx_http_registry_retry_success(d->ctx->conf);
        ngx_http_finalize_request(r, ngx_http_send_special(r, NGX_HTTP_LAST));
        return;
    }

    if (!d->header_sent) {
        rc = ngx_http_registry_delivery_failed(d, sub, &result);

    } else if (sub->mismatch) {

        /* the client has wrong bytes: break off before the last of them */

        ngx_http_registry_result_log(d->ctx, sub->op, &result);
        rc = NGX_ERROR;

    } else {
        rc = ngx_http_registry_delivery_rest(d, sub, &result);
    }

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(r, rc);
    }
}


static void
ngx_http_registry_delivery_whole(ngx_http_registry_delivery_t *d,
    ngx_http_registry_sub_t *sub)
{
    ngx_http_registry_object_t  object;

    if (!sub->verified) {
        return;
    }

    /* what HEAD may have been told before was not */

    object.size = d->size;
    object.type_len = 0;

    ngx_http_registry_zone_add_object(d->ctx->conf->zone, &d->ctx->conf->id,
                                      &d->ctx->reference, &object);
}


static ngx_int_t
ngx_http_registry_delivery_failed(ngx_http_registry_delivery_t *d,
    ngx_http_registry_sub_t *sub, ngx_http_registry_result_t *result)
{
    ngx_str_t  range;

    if (d->beyond) {
        return ngx_http_registry_delivery_beyond(d);
    }

    if (result->outcome == NGX_HTTP_REGISTRY_MISSED) {

        /* a range does not fill the cache: ask for no more than it */

        d->retry.tries = 0;

        if (d->first != -1 && d->last != -1 && d->first > d->last) {
            /* S3 would answer it whole */
            return ngx_http_registry_delivery_ask_size(d);
        }

        if (ngx_http_registry_delivery_asked(d, &range) != NGX_OK
            || ngx_http_registry_delivery_child(d,
                                     NGX_HTTP_REGISTRY_ROLE_DIRECT, &range)
               != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return NGX_AGAIN;
    }

    if (result->outcome == NGX_HTTP_REGISTRY_BEYOND) {
        return ngx_http_registry_delivery_ask_size(d);
    }

    if (ngx_http_registry_delivery_again(d, sub, result) == NGX_OK) {
        return NGX_AGAIN;
    }

    return ngx_http_registry_failure(d->request, sub->op, result,
                                     NGX_REGISTRY_BLOB_UNKNOWN);
}


static ngx_int_t
ngx_http_registry_delivery_again(ngx_http_registry_delivery_t *d,
    ngx_http_registry_sub_t *sub, ngx_http_registry_result_t *result)
{
    ngx_int_t   rc;
    ngx_msec_t  delay;

    rc = ngx_http_registry_retry(&d->retry, sub, result, &delay);

    if (rc == NGX_BUSY) {
        ngx_http_registry_host_wait(d->ctx->conf->host, &d->waiter);
        return NGX_OK;
    }

    if (rc == NGX_OK) {
        ngx_add_timer(&d->timer, delay);
    }

    return rc;
}


static ngx_int_t
ngx_http_registry_delivery_rest(ngx_http_registry_delivery_t *d,
    ngx_http_registry_sub_t *sub, ngx_http_registry_result_t *result)
{
    if (sub->request->cached) {
        /* a file of the cache that has lost its end would do so each time */
        ngx_http_registry_s3_forget(sub);
    }

    if (result->outcome == NGX_HTTP_REGISTRY_OK) {
        /* whole by its own length, but shorter than the blob */
        result->outcome = NGX_HTTP_REGISTRY_UNREACHABLE;
        ngx_str_set(&result->code, "answer was short");
    }

    if (d->offset > d->begun) {
        d->retry.tries = 1;
    }

    if (ngx_http_registry_delivery_again(d, sub, result) == NGX_OK) {
        ngx_log_error(NGX_LOG_WARN, d->request->connection->log, 0,
                      "registry: S3 GET of \"%V\" broke off at byte %O of "
                      "%O: %V, going on from there", &d->key, d->offset,
                      d->size, &result->code);
        return NGX_AGAIN;
    }

    ngx_http_registry_result_log(d->ctx, sub->op, result);

    /* the client must see that bytes are missing */

    return NGX_ERROR;
}


static void
ngx_http_registry_delivery_timer(ngx_event_t *ev)
{
    ngx_http_registry_delivery_ready(ev->data);
}


static void
ngx_http_registry_delivery_ready(void *data)
{
    ngx_http_registry_delivery_t *d = data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = d->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (ngx_http_registry_delivery_start(d) != NGX_OK) {
        ngx_http_finalize_request(r, d->header_sent ? NGX_ERROR
                                        : NGX_HTTP_INTERNAL_SERVER_ERROR);
    }

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_registry_delivery_start(ngx_http_registry_delivery_t *d)
{
    u_char      *p;
    ngx_str_t    range;
    ngx_uint_t   role;

    if (d->header_sent) {

        p = ngx_pnalloc(d->request->pool,
                        sizeof("bytes=-") + 2 * NGX_OFF_T_LEN);
        if (p == NULL) {
            return NGX_ERROR;
        }

        range.data = p;
        range.len = ngx_sprintf(p, "bytes=%O-%O", d->offset, d->end - 1) - p;

        return ngx_http_registry_delivery_child(d,
                                    NGX_HTTP_REGISTRY_ROLE_DIRECT, &range);
    }

    if (d->range) {

        if (ngx_http_registry_delivery_asked(d, &range) != NGX_OK) {
            return NGX_ERROR;
        }

        return ngx_http_registry_delivery_child(d,
                                    NGX_HTTP_REGISTRY_ROLE_DIRECT, &range);
    }

    /* the last try does without the cache, whose disk may be full */

    role = (d->retry.tries == NGX_HTTP_REGISTRY_TRIES - 1)
           ? NGX_HTTP_REGISTRY_ROLE_DIRECT : NGX_HTTP_REGISTRY_ROLE_BLOB;

    return ngx_http_registry_delivery_child(d, role, NULL);
}


static ngx_int_t
ngx_http_registry_delivery_asked(ngx_http_registry_delivery_t *d,
    ngx_str_t *range)
{
    u_char  *p;

    p = ngx_pnalloc(d->request->pool, sizeof("bytes=-") + 2 * NGX_OFF_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    range->data = p;

    p = ngx_cpymem(p, "bytes=", sizeof("bytes=") - 1);

    if (d->first != -1) {
        p = ngx_sprintf(p, "%O", (off_t) d->first);
    }

    *p++ = '-';

    if (d->last != -1) {
        p = ngx_sprintf(p, "%O", (off_t) d->last);
    }

    range->len = p - range->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_delivery_ask_size(ngx_http_registry_delivery_t *d)
{
    ngx_http_request_t        *r;
    ngx_http_registry_call_t  *call;

    /* S3 does not tell the size in a 416, and an empty object has no range */

    r = d->request;

    call = &d->call;

    call->op.conf = d->ctx->conf;
    call->op.role = NGX_HTTP_REGISTRY_ROLE_DIRECT;
    call->op.key = d->key;
    ngx_str_set(&call->op.method, "HEAD");
    call->handler = ngx_http_registry_delivery_size;
    call->data = d;

    ngx_http_registry_store_resume(r);

    return (ngx_http_registry_store_call(r, call) == NGX_OK)
           ? NGX_AGAIN : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static ngx_int_t
ngx_http_registry_delivery_size(ngx_http_registry_call_t *call)
{
    ngx_int_t                      rc;
    ngx_http_request_t            *r;
    ngx_http_registry_delivery_t  *d;

    d = call->data;
    r = d->request;

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK) {

        d->size = call->content_length;

        ngx_http_registry_delivery_extent(d);

        if (d->beyond) {
            return ngx_http_registry_delivery_beyond(d);
        }

        if (d->size == 0) {
            rc = ngx_http_registry_delivery_send_header(d);

            if (rc == NGX_OK) {
                rc = ngx_http_send_special(r, NGX_HTTP_LAST);
            }

            return (rc == NGX_AGAIN) ? NGX_OK : rc;
        }

        ngx_http_registry_result_fault(&call->result, "unexpected answer",
                              "S3 refused a range that it has");
    }

    return ngx_http_registry_failure(r, &call->op, &call->result,
                                     NGX_REGISTRY_BLOB_UNKNOWN);
}


static ngx_int_t
ngx_http_registry_delivery_beyond(ngx_http_registry_delivery_t *d)
{
    if (ngx_http_registry_delivery_add_content_range(d) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_registry_error(d->request, NGX_HTTP_RANGE_NOT_SATISFIABLE,
                                   NGX_REGISTRY_SIZE_INVALID, NULL, NULL);
}


static void
ngx_http_registry_delivery_cleanup(void *data)
{
    ngx_http_registry_delivery_t *d = data;

    if (d->timer.timer_set) {
        ngx_del_timer(&d->timer);
    }

    if (d->waiter.active) {
        ngx_http_registry_host_cancel(&d->waiter);
    }
}


static ngx_int_t
ngx_http_registry_delivery_header(ngx_http_registry_sub_t *sub)
{
    off_t                          start, size;
    ngx_http_registry_delivery_t  *d;

    d = sub->data;

    start = 0;
    size = sub->content_length;

    if (sub->status == NGX_HTTP_PARTIAL_CONTENT
        && ngx_http_registry_delivery_content_range(sub, &start, &size)
           != NGX_OK)
    {
        goto rejected;
    }

    if (size == -1 || (d->header_sent && size != d->size)) {
        goto rejected;
    }

    if (!d->header_sent) {
        d->size = size;

        ngx_http_registry_delivery_extent(d);

        if (d->beyond) {
            /* known from the cache: the parent will answer */
            return NGX_ERROR;
        }
    }

    if (start > d->offset) {
        /* S3 and this host do not agree on what the range is */
        goto rejected;
    }

    d->position = start;

    if (d->header_sent) {
        return NGX_OK;
    }

    return ngx_http_registry_delivery_send_header(d);

rejected:

    sub->rejected = 1;

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_registry_delivery_content_range(ngx_http_registry_sub_t *sub,
    off_t *start, off_t *size)
{
    u_char     *p, *last, *dash, *slash;
    ngx_str_t  *value;

    /* RFC 9110, Content-Range: bytes first-last/size */

    value = ngx_http_registry_s3_header_n(sub, "content-range");

    if (value == NULL || value->len < 6
        || ngx_strncasecmp(value->data, (u_char *) "bytes ", 6) != 0)
    {
        return NGX_ERROR;
    }

    p = value->data + 6;
    last = value->data + value->len;

    dash = ngx_strlchr(p, last, '-');
    if (dash == NULL) {
        return NGX_ERROR;
    }

    slash = ngx_strlchr(dash, last, '/');
    if (slash == NULL) {
        return NGX_ERROR;
    }

    *start = ngx_atoof(p, dash - p);
    *size = ngx_atoof(slash + 1, last - slash - 1);

    return (*start == NGX_ERROR || *size == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_http_registry_blob_headers(ngx_http_request_t *r, ngx_str_t *text,
    off_t size)
{
    ngx_str_t                 value;
    ngx_http_registry_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);
    ctx->own_response = 1;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = size;
    ngx_str_set(&r->headers_out.content_type, "application/octet-stream");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    r->disable_not_modified = 1;
    r->allow_ranges = 0;

    ngx_str_set(&value, "bytes");

    r->headers_out.accept_ranges = ngx_http_registry_add_header(r,
                                                      "Accept-Ranges", &value);
    if (r->headers_out.accept_ranges == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_registry_add_digest(r, text);
}


static void
ngx_http_registry_delivery_extent(ngx_http_registry_delivery_t *d)
{
    int64_t     start, end;
    ngx_str_t  *value;

    d->offset = 0;
    d->end = d->size;

    if (!d->range) {
        return;
    }

    value = &d->request->headers_in.range->value;

    switch (ngx_registry_range_parse(value->data, value->data + value->len,
                                     d->size, &start, &end))
    {
    case NGX_REGISTRY_OK:
        d->partial = 1;
        d->offset = start;
        d->end = end;
        break;

    case NGX_REGISTRY_UNSATISFIABLE:
        d->beyond = 1;
        break;

    default:
        break;
    }
}


static ngx_int_t
ngx_http_registry_delivery_send_header(ngx_http_registry_delivery_t *d)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = d->request;

    if (ngx_http_registry_blob_headers(r, d->text, d->end - d->offset)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (d->partial) {

        r->headers_out.status = NGX_HTTP_PARTIAL_CONTENT;

        if (ngx_http_registry_delivery_add_content_range(d) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    d->header_sent = 1;

    rc = ngx_http_send_header(r);

    return (rc == NGX_OK || rc == NGX_AGAIN) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_registry_delivery_add_content_range(ngx_http_registry_delivery_t *d)
{
    u_char     *p;
    ngx_str_t   value;

    p = ngx_pnalloc(d->request->pool, sizeof("bytes -/") + 3 * NGX_OFF_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;

    if (d->partial) {
        p = ngx_sprintf(p, "bytes %O-%O/%O", d->offset, d->end - 1, d->size);

    } else {
        p = ngx_sprintf(p, "bytes */%O", d->size);
    }

    value.len = p - value.data;

    d->request->headers_out.content_range =
        ngx_http_registry_add_header(d->request, "Content-Range", &value);

    return d->request->headers_out.content_range ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_registry_delivery_body(ngx_http_registry_sub_t *sub, ngx_chain_t *in,
    ngx_chain_t **out)
{
    ngx_chain_t                   *cl, *ln, **ll;
    ngx_http_registry_delivery_t  *d;

    d = sub->data;

    *out = NULL;
    ll = out;

    for (cl = in; cl; cl = cl->next) {

        if (!ngx_buf_special(cl->buf)
            && ngx_http_registry_delivery_trim(d, cl->buf) == 0)
        {
            /* nginx takes an empty buffer for a bug: leave it out */
            continue;
        }

        ln = ngx_alloc_chain_link(sub->request->pool);
        if (ln == NULL) {
            return NGX_ERROR;
        }

        ln->buf = cl->buf;
        ln->next = NULL;

        *ll = ln;
        ll = &ln->next;
    }

    return NGX_OK;
}


static off_t
ngx_http_registry_delivery_trim(ngx_http_registry_delivery_t *d, ngx_buf_t *b)
{
    off_t  size, skip, keep;

    size = ngx_buf_size(b);

    skip = ngx_min(size, d->offset - d->position);
    keep = ngx_min(size - skip, d->end - d->offset);

    d->position += size;
    d->offset += keep;

    if (keep == 0) {
        b->pos = b->last;
        b->file_pos = b->file_last;
        return 0;
    }

    if (ngx_buf_in_memory(b)) {
        b->pos += skip;
        b->last = b->pos + keep;
    }

    if (b->in_file) {
        b->file_pos += skip;
        b->file_last = b->file_pos + keep;
    }

    return keep;
}
