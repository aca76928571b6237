
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* slices that are asked for at first, before the client's pace is known */
#define NGX_HTTP_REGISTRY_PARALLEL_FIRST  4

/* the same for a client that wants a part, and may want no more of it */
#define NGX_HTTP_REGISTRY_PARALLEL_PART   2

/* ms between measurements of the client's pace */
#define NGX_HTTP_REGISTRY_PACE            20

/* ms of the client's pace that are fetched ahead */
#define NGX_HTTP_REGISTRY_AHEAD           500

/* ms after which a child that waits for another request is looked at */
#define NGX_HTTP_REGISTRY_POKE            10

/* ms after which the verdict of another request is looked for */
#define NGX_HTTP_REGISTRY_VERDICT         20

/* ms of waiting in which the other one has to verify so many bytes */
#define NGX_HTTP_REGISTRY_PATIENCE        500
#define NGX_HTTP_REGISTRY_ADVANCE         (32 * 1024 * 1024)

/* ms after which everything is looked at, if nothing happens */
#define NGX_HTTP_REGISTRY_TICK            1000


static void ngx_http_registry_delivery_range(
    ngx_http_registry_delivery_t *d);
static ngx_int_t ngx_http_registry_delivery_start(
    ngx_http_registry_delivery_t *d);
static void ngx_http_registry_delivery_wake(ngx_http_request_t *r);
/* NGX_AGAIN, or NGX_DONE: the request is finalized, and may be gone */
static ngx_int_t ngx_http_registry_delivery_run(
    ngx_http_registry_delivery_t *d);
static ngx_int_t ngx_http_registry_delivery_first(
    ngx_http_registry_delivery_t *d);
static ngx_int_t ngx_http_registry_delivery_next(
    ngx_http_registry_delivery_t *d);
static void ngx_http_registry_delivery_passed(
    ngx_http_registry_delivery_t *d, ngx_http_registry_slice_t *slice);
static ngx_int_t ngx_http_registry_delivery_plan(
    ngx_http_registry_delivery_t *d);
static void ngx_http_registry_delivery_pace(ngx_http_registry_delivery_t *d);
static ngx_uint_t ngx_http_registry_delivery_room(
    ngx_http_registry_delivery_t *d);
static ngx_int_t ngx_http_registry_delivery_flush(
    ngx_http_registry_delivery_t *d);
static void ngx_http_registry_delivery_close(ngx_http_registry_delivery_t *d);
static void ngx_http_registry_delivery_watch(
    ngx_http_registry_delivery_t *d);
static void ngx_http_registry_delivery_timer(ngx_event_t *ev);
static ngx_http_registry_slice_t *ngx_http_registry_delivery_head(
    ngx_http_registry_delivery_t *d);
static ngx_int_t ngx_http_registry_delivery_again(
    ngx_http_registry_delivery_t *d, ngx_http_registry_slice_t *slice);
static ngx_int_t ngx_http_registry_delivery_ask_size(
    ngx_http_registry_delivery_t *d);
static ngx_int_t ngx_http_registry_delivery_size(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_delivery_empty(
    ngx_http_registry_delivery_t *d, ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_delivery_beyond(
    ngx_http_registry_delivery_t *d);
static void ngx_http_registry_delivery_extent(
    ngx_http_registry_delivery_t *d);
static ngx_int_t ngx_http_registry_delivery_add_content_range(
    ngx_http_registry_delivery_t *d);
static ngx_int_t ngx_http_registry_delivery_trust(
    ngx_http_registry_delivery_t *d, ngx_http_registry_slice_t *slice);
static ngx_int_t ngx_http_registry_delivery_verify(
    ngx_http_registry_delivery_t *d);
static ngx_int_t ngx_http_registry_delivery_hash(
    ngx_http_registry_delivery_t *d);
static ngx_http_registry_slice_t *ngx_http_registry_delivery_after(
    ngx_http_registry_delivery_t *d, ngx_http_registry_slice_t *slice);
static void ngx_http_registry_delivery_hashed(void *data);
static ngx_int_t ngx_http_registry_delivery_finish(
    ngx_http_registry_delivery_t *d);
static ngx_int_t ngx_http_registry_delivery_verdict(
    ngx_http_registry_delivery_t *d);
static ngx_int_t ngx_http_registry_delivery_other_verdict(
    ngx_http_registry_delivery_t *d);
static ngx_uint_t ngx_http_registry_delivery_slow(
    ngx_http_registry_delivery_t *d, ngx_http_registry_trust_t *trust);
static void ngx_http_registry_delivery_damaged(
    ngx_http_registry_delivery_t *d);
static ngx_int_t ngx_http_registry_delivery_last(
    ngx_http_registry_delivery_t *d);
static void ngx_http_registry_delivery_cleanup(void *data);


ngx_int_t
ngx_http_registry_delivery(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx, ngx_str_t *key,
    ngx_registry_digest_t *digest, ngx_str_t *text)
{
    ngx_int_t                      rc;
    ngx_http_cleanup_t            *cln;
    ngx_http_registry_delivery_t  *d;

    static ngx_uint_t  owner;

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
    d->content.data = (u_char *) digest->text.data;
    d->content.len = digest->text.len;
    d->size = -1;

    d->owner = ((ngx_uint_t) ngx_pid << 32) + ++owner;

    ngx_queue_init(&d->slices);
    ngx_queue_init(&d->passed);

    d->timer.handler = ngx_http_registry_delivery_timer;
    d->timer.data = d;
    d->timer.log = r->connection->log;

    ctx->delivery = d;

    ngx_http_registry_delivery_range(d);

    r->write_event_handler = ngx_http_registry_delivery_wake;

    rc = ngx_http_registry_delivery_start(d);

    if (rc == NGX_OK) {
        ngx_http_registry_delivery_watch(d);
        return NGX_AGAIN;
    }

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
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


/*
 * The first slice, before the size is known; it may be known from what was
 * asked for before, but the answer tells it anyway.
 */
static ngx_int_t
ngx_http_registry_delivery_start(ngx_http_registry_delivery_t *d)
{
    ngx_http_registry_object_t   object;
    ngx_http_registry_ctx_t     *ctx;

    ctx = d->ctx;

    if (!d->range) {
        return ngx_http_registry_slice_add(d, 0);
    }

    if (ngx_http_registry_slice_threshold(ctx->conf) == 0
        && !ctx->conf->kind->local)
    {
        return ngx_http_registry_slice_add(d, 0);
    }

    if (ngx_http_registry_zone_object(ctx->conf->zone, &ctx->conf->id,
                                      &ctx->reference, &object)
        == NGX_OK)
    {
        d->size = object.size;
        ngx_http_registry_delivery_extent(d);

        if (!d->beyond && d->offset < d->end) {
            return ngx_http_registry_slice_add(d, d->offset);
        }

        d->beyond = 0;
        d->size = -1;

        return ngx_http_registry_slice_add(d, 0);
    }

    if (d->first == -1) {
        return ngx_http_registry_slice_suffix(d, (off_t) d->last);
    }

    return ngx_http_registry_slice_add(d, (off_t) d->first);
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

        if (c->buffered) {
            ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                          "client timed out");
            c->timedout = 1;

            ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
            return;
        }

        /* of a child that has waited for its turn: it is S3 that is slow */

        c->write->timedout = 0;
    }

    (void) ngx_http_registry_delivery_run(d);
}


void
ngx_http_registry_delivery_go(ngx_http_registry_delivery_t *d)
{
    ngx_connection_t  *c;

    c = d->request->connection;

    ngx_http_set_log_request(c->log, d->request);

    (void) ngx_http_registry_delivery_run(d);

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_registry_delivery_run(ngx_http_registry_delivery_t *d)
{
    ngx_int_t            rc;
    ngx_queue_t         *q;
    ngx_http_request_t  *r;

    if (d->ended) {
        return NGX_DONE;
    }

    r = d->request;

    for (q = ngx_queue_head(&d->slices);
         q != ngx_queue_sentinel(&d->slices);
         q = ngx_queue_next(q))
    {
        ngx_http_registry_slice_settle(ngx_queue_data(q,
                                           ngx_http_registry_slice_t, queue));
    }

    if (!d->header_sent) {
        rc = ngx_http_registry_delivery_first(d);

    } else {

        rc = NGX_AGAIN;

        if (r == r->connection->data) {
            rc = ngx_http_registry_delivery_next(d);
        }

        if (rc == NGX_AGAIN) {
            rc = ngx_http_registry_delivery_plan(d);
        }
    }

    if (rc == NGX_AGAIN) {
        ngx_http_registry_delivery_watch(d);
        return NGX_AGAIN;
    }

    d->ended = 1;

    ngx_http_finalize_request(r, rc);

    return NGX_DONE;
}


/* the first slice has failed: there may be an answer for the client */
static ngx_int_t
ngx_http_registry_delivery_first(ngx_http_registry_delivery_t *d)
{
    ngx_http_registry_slice_t  *slice;

    slice = ngx_queue_data(ngx_queue_head(&d->slices),
                           ngx_http_registry_slice_t, queue);

    if (slice->failed) {
        /* no memory for another child */
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* the child is at work, or the next one has not started yet */

    if (!slice->settled || d->request != d->request->connection->data) {
        return NGX_AGAIN;
    }

    slice->settled = 0;

    if (d->beyond) {
        return ngx_http_registry_delivery_beyond(d);
    }

    if (slice->again) {
        slice->again = 0;

        return (ngx_http_registry_slice_start(slice) == NGX_OK)
               ? NGX_AGAIN : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (slice->result.outcome == NGX_HTTP_REGISTRY_BEYOND) {
        return ngx_http_registry_delivery_ask_size(d);
    }

    if (slice->result.outcome == NGX_HTTP_REGISTRY_OK) {
        slice->result.outcome = NGX_HTTP_REGISTRY_UNREACHABLE;
        ngx_str_set(&slice->result.code, "answer was short");
    }

    if (slice->sub->request->cached
        && slice->result.outcome == NGX_HTTP_REGISTRY_UNREACHABLE)
    {
        /* a file that has lost its end would do so each time */
        ngx_http_registry_sub_forget(slice->sub);
    }

    if (ngx_http_registry_delivery_again(d, slice) == NGX_OK) {
        return NGX_AGAIN;
    }

    return ngx_http_registry_failure(d->request, slice->sub->op,
                                     &slice->result,
                                     NGX_REGISTRY_BLOB_UNKNOWN);
}


static ngx_int_t
ngx_http_registry_delivery_again(ngx_http_registry_delivery_t *d,
    ngx_http_registry_slice_t *slice)
{
    ngx_int_t   rc;
    ngx_msec_t  delay;

    if (ngx_http_registry_disk_failed(slice->sub)) {
        slice->direct = 1;
    }

    rc = ngx_http_registry_retry(&slice->retry, slice->sub, &slice->result,
                                 &delay);

    if (rc == NGX_BUSY) {
        ngx_http_registry_retry_wait(slice->sub, &slice->waiter);
        return NGX_OK;
    }

    if (rc == NGX_OK) {

        /* the last try does without the cache, whose disk may be full */

        if (slice->retry.tries == NGX_HTTP_REGISTRY_TRIES - 1) {
            slice->direct = 1;
        }

        ngx_add_timer(&slice->timer, delay);
    }

    return rc;
}


/* it is the parent's turn: who is next, or is there nobody left? */
static ngx_int_t
ngx_http_registry_delivery_next(ngx_http_registry_delivery_t *d)
{
    ngx_http_request_t         *r;
    ngx_http_registry_slice_t  *slice;

    r = d->request;

    for ( ;; ) {

        slice = ngx_http_registry_delivery_head(d);

        if (slice == NULL) {
            break;
        }

        if (ngx_http_registry_slice_queued(slice)) {

            if (d->verify && slice->running && !slice->sub->filed
                && slice->direct
                && !ngx_http_registry_verify_idle(d->verify))
            {
                /* what it brings is hashed as it passes, after what came
                   before it */
                return NGX_AGAIN;
            }

            return (ngx_http_output_filter(r, NULL) == NGX_ERROR)
                   ? NGX_ERROR : NGX_AGAIN;
        }

        if (slice->failed) {
            ngx_http_registry_result_log(d->ctx, slice->sub->op,
                                         &slice->result);

            /* the client must see that bytes are missing */

            return NGX_ERROR;
        }

        if (!slice->complete) {
            return NGX_AGAIN;
        }

        ngx_http_registry_delivery_passed(d, slice);
    }

    if (d->planned < d->end) {
        return NGX_AGAIN;
    }

    return ngx_http_registry_delivery_finish(d);
}


static void
ngx_http_registry_delivery_passed(ngx_http_registry_delivery_t *d,
    ngx_http_registry_slice_t *slice)
{
    ngx_queue_remove(&slice->queue);
    ngx_queue_insert_tail(&d->passed, &slice->queue);

    d->ahead--;
}


static ngx_int_t
ngx_http_registry_delivery_plan(ngx_http_registry_delivery_t *d)
{
    if (d->verify && ngx_http_registry_delivery_hash(d) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_registry_delivery_pace(d);
    ngx_http_registry_delivery_close(d);

    while (d->planned < d->end && ngx_http_registry_delivery_room(d)) {

        if (ngx_http_registry_slice_add(d, d->planned) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_http_registry_delivery_flush(d);
}


static void
ngx_http_registry_delivery_pace(ngx_http_registry_delivery_t *d)
{
    off_t              sent;
    ngx_uint_t         rate;
    ngx_msec_t         passed;
    ngx_connection_t  *c;

    c = d->request->connection;

    passed = ngx_current_msec - d->measured;

    if (passed < NGX_HTTP_REGISTRY_PACE) {
        return;
    }

    sent = c->sent - d->sent;

    rate = (ngx_uint_t) sent * 1000 / passed;

    d->rate = d->rate ? (d->rate + rate) / 2 : rate;
    d->sent = c->sent;
    d->measured = ngx_current_msec;

    if (d->lead && d->verify) {
        ngx_http_registry_zone_progress(d->ctx->conf->zone, &d->ctx->conf->id,
                                        &d->content, d->owner,
                                   ngx_http_registry_verify_hashed(d->verify));
    }

    if (!c->buffered && d->parallel < (ngx_uint_t) d->ctx->conf->parallel) {

        /* it waits for S3 */

        d->parallel = ngx_min(2 * d->parallel,
                              (ngx_uint_t) d->ctx->conf->parallel);
    }
}


/* whether another slice is to be fetched now */
static ngx_uint_t
ngx_http_registry_delivery_room(ngx_http_registry_delivery_t *d)
{
    off_t              ahead, wanted;
    ngx_connection_t  *c;

    c = d->request->connection;

    if (d->running >= d->parallel || d->ahead >= 2 * d->parallel) {
        return 0;
    }

    if (d->running && ngx_http_registry_slice_crowd()) {
        return 0;
    }

    if (d->ahead) {

        /* others need connections as well */

        if (ngx_cycle->free_connection_n < ngx_cycle->connection_n / 16) {
            return 0;
        }
    }

    if (!c->buffered) {
        return 1;
    }

    /* not more than the client takes soon */

    ahead = d->planned - d->offset - (c->sent - d->begun);

    wanted = (off_t) d->rate * NGX_HTTP_REGISTRY_AHEAD / 1000;
    wanted = ngx_max(wanted, (off_t) d->ctx->conf->slice_size);

    return ahead < wanted;
}


/* nobody but the parent is there to send what the client has not taken */
static ngx_int_t
ngx_http_registry_delivery_flush(ngx_http_registry_delivery_t *d)
{
    ngx_int_t                      rc;
    ngx_event_t                   *wev;
    ngx_connection_t              *c;
    ngx_http_request_t            *r;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_postponed_request_t  *postponed;

    r = d->request;
    c = r->connection;
    wev = c->write;

    if (!c->buffered) {

        if (wev->timer_set && !wev->delayed) {
            ngx_del_timer(wev);
        }

        return NGX_AGAIN;
    }

    if (c->data != r) {
        return NGX_AGAIN;
    }

    if (wev->ready && !wev->delayed) {

        /* not the turn of those who wait: the slice before them is not there,
           but the client has not taken all of what came before that */

        postponed = r->postponed;
        r->postponed = NULL;

        rc = ngx_http_output_filter(r, NULL);

        r->postponed = postponed;

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    if (!c->buffered) {
        return ngx_http_post_request(r, NULL) == NGX_OK ? NGX_AGAIN
                                                        : NGX_ERROR;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (!wev->delayed) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    return (ngx_handle_write_event(wev, clcf->send_lowat) == NGX_OK)
           ? NGX_AGAIN : NGX_ERROR;
}


/* descriptors of slices that the client has are not held until the end */
static void
ngx_http_registry_delivery_close(ngx_http_registry_delivery_t *d)
{
    ngx_queue_t                *q;
    ngx_http_request_t         *r;
    ngx_http_registry_slice_t  *slice;

    r = d->request;

    if (r->connection->buffered || r->out) {
        return;
    }

#if (NGX_HTTP_V2)

    if (r->stream && r->stream->queued) {
        return;
    }

#endif

    for (q = ngx_queue_last(&d->passed);
         q != ngx_queue_sentinel(&d->passed);
         q = ngx_queue_prev(q))
    {
        slice = ngx_queue_data(q, ngx_http_registry_slice_t, queue);

        if (slice->closed) {
            break;
        }

        slice->closed = 1;
        ngx_http_registry_slice_close(slice);
    }
}


/*
 * There is always a timer: a worker that is to exit takes a request that only
 * waits for a thread for none.  It is a short one while the first child waits
 * for one of another request.
 */
static void
ngx_http_registry_delivery_watch(ngx_http_registry_delivery_t *d)
{
    ngx_msec_t                  delay;
    ngx_http_registry_slice_t  *slice;

    delay = NGX_HTTP_REGISTRY_TICK;

    if (d->waiting) {
        delay = NGX_HTTP_REGISTRY_VERDICT;

    } else {

        slice = ngx_http_registry_delivery_head(d);

        if (slice && slice->running && !slice->direct && !slice->sub->connected
            && !slice->sub->done)
        {
            delay = NGX_HTTP_REGISTRY_POKE;
        }
    }

    if (d->timer.timer_set) {

        if (delay >= d->delay) {
            return;
        }

        ngx_del_timer(&d->timer);
    }

    d->delay = delay;
    ngx_add_timer(&d->timer, delay);
}


static void
ngx_http_registry_delivery_timer(ngx_event_t *ev)
{
    ngx_http_registry_delivery_t *d = ev->data;

    ngx_connection_t           *c;
    ngx_http_registry_slice_t  *slice;

    c = d->request->connection;

    ngx_http_set_log_request(c->log, d->request);

    slice = ngx_http_registry_delivery_head(d);

    if (slice) {
        ngx_http_registry_slice_late(slice);
    }

    if (ngx_http_registry_delivery_run(d) == NGX_AGAIN) {

        slice = ngx_http_registry_delivery_head(d);

        if (slice) {
            /* the request may have ended when this returns */
            ngx_http_registry_slice_poke(slice);
        }
    }

    ngx_http_run_posted_requests(c);
}


static ngx_http_registry_slice_t *
ngx_http_registry_delivery_head(ngx_http_registry_delivery_t *d)
{
    return ngx_queue_empty(&d->slices)
           ? NULL : ngx_queue_data(ngx_queue_head(&d->slices),
                                   ngx_http_registry_slice_t, queue);
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
            return ngx_http_registry_delivery_empty(d, call);
        }

        ngx_http_registry_result_fault(&call->result, "unexpected answer",
                              "S3 refused a range that it has");
    }

    return ngx_http_registry_failure(r, &call->op, &call->result,
                                     NGX_REGISTRY_BLOB_UNKNOWN);
}


static ngx_int_t
ngx_http_registry_delivery_empty(ngx_http_registry_delivery_t *d,
    ngx_http_registry_call_t *call)
{
    ngx_int_t                    rc;
    ngx_http_registry_verify_t  *verify;

    verify = ngx_http_registry_verify_create(d->digest, NULL, NULL);
    if (verify == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_registry_verify_final(verify, d->digest);

    ngx_http_registry_verify_destroy(verify);

    if (rc != NGX_OK) {
        ngx_http_registry_result_damaged(&call->result);

        return ngx_http_registry_failure(d->request, &call->op, &call->result,
                                         NGX_REGISTRY_BLOB_UNKNOWN);
    }

    rc = ngx_http_registry_delivery_send_header(d);

    if (rc == NGX_OK) {
        rc = ngx_http_send_special(d->request, NGX_HTTP_LAST);
    }

    return (rc == NGX_AGAIN) ? NGX_OK : rc;
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


ngx_int_t
ngx_http_registry_delivery_begin(ngx_http_registry_delivery_t *d, off_t size,
    ngx_http_registry_slice_t *slice)
{
    ngx_http_request_t  *r;

    r = d->request;

    d->size = size;

    ngx_http_registry_delivery_extent(d);

    if (d->beyond) {
        /* the parent will answer */
        return NGX_ERROR;
    }

    if (d->offset < slice->start) {
        slice->sub->rejected = 1;
        return NGX_ERROR;
    }

    slice->next = d->offset;
    slice->begun = d->offset;
    slice->last = ngx_min(slice->end, d->end);

    d->planned = slice->last;

    if (ngx_http_registry_delivery_trust(d, slice) != NGX_OK) {
        return NGX_ERROR;
    }

    d->parallel = d->partial ? NGX_HTTP_REGISTRY_PARALLEL_PART
                             : NGX_HTTP_REGISTRY_PARALLEL_FIRST;
    d->parallel = ngx_min(d->parallel, (ngx_uint_t) d->ctx->conf->parallel);

    d->measured = ngx_current_msec;

    d->begun = r->connection->sent;
    d->sent = d->begun;

    /*
     * what is verified before it passes, as a small blob is as a whole, may
     * yet turn out to be damaged, and that can be told as long as there is
     * no header
     */

    if ((!slice->sub->whole || !slice->sub->filed || size == 0)
        && ngx_http_registry_delivery_send_header(d) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* the other slices */

    return ngx_http_post_request(r, NULL);
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


ngx_int_t
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


/* what is known of the blob when its first answer comes */
static ngx_int_t
ngx_http_registry_delivery_trust(ngx_http_registry_delivery_t *d,
    ngx_http_registry_slice_t *slice)
{
    ngx_http_registry_trust_t  trust;

    if (d->partial || d->ctx->conf->kind->local) {
        d->trust = NGX_HTTP_REGISTRY_TRUST_NONE;
        return NGX_OK;
    }

    d->trust = NGX_HTTP_REGISTRY_TRUST_CACHE;

    if (slice->sub->whole) {
        /* it is verified before it is cached */
        return NGX_OK;
    }

    ngx_http_registry_zone_trust(d->ctx->conf->zone, &d->ctx->conf->id,
                                 &d->content, d->owner, 1, &trust);

    d->faults = trust.faults;
    d->lead = trust.leader;

    if (trust.verified) {
        return NGX_OK;
    }

    if (trust.partial && !d->fresh) {

        /*
         * what was fetched for a client that wanted a part was never
         * verified, and is fetched again: who gets all of a blob is not to
         * find out with the last byte that an old slice is wrong
         */

        d->fresh = 1;

        if (slice->sub->request->cached) {
            slice->again = 1;
            return NGX_ERROR;
        }
    }

    if (!d->lead && !d->fresh) {
        d->trust = NGX_HTTP_REGISTRY_TRUST_LEADER;
        return NGX_OK;
    }

    return ngx_http_registry_delivery_verify(d);
}


ngx_int_t
ngx_http_registry_delivery_distrust(ngx_http_registry_delivery_t *d,
    ngx_uint_t filed)
{
    if (d->trust == NGX_HTTP_REGISTRY_TRUST_NONE
        || d->trust == NGX_HTTP_REGISTRY_TRUST_SELF)
    {
        return NGX_OK;
    }

    if (filed) {

        /* it can be verified by whoever leads, or later from the files */

        d->trust = NGX_HTTP_REGISTRY_TRUST_LEADER;
        return NGX_OK;
    }

    return ngx_http_registry_delivery_verify(d);
}


/* from here on, and from the beginning, the digest is computed here */
static ngx_int_t
ngx_http_registry_delivery_verify(ngx_http_registry_delivery_t *d)
{
    d->verify = ngx_http_registry_verify_create(d->digest,
                                          ngx_http_registry_delivery_hashed,
                                          d);
    if (d->verify == NULL) {
        return NGX_ERROR;
    }

    d->trust = NGX_HTTP_REGISTRY_TRUST_SELF;
    d->hashing = ngx_http_registry_delivery_after(d, NULL);

    return ngx_http_registry_delivery_hash(d);
}


static ngx_int_t
ngx_http_registry_delivery_hash(ngx_http_registry_delivery_t *d)
{
    ngx_int_t                   rc;
    ngx_http_registry_slice_t  *slice;

    if (d->hashing == NULL) {
        d->hashing = ngx_http_registry_delivery_after(d, d->hashed);
    }

    while (d->hashing) {

        slice = d->hashing;

        rc = ngx_http_registry_slice_feed(slice);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_AGAIN || !slice->complete) {
            return NGX_OK;
        }

        d->hashed = slice;
        d->hashing = ngx_http_registry_delivery_after(d, slice);
    }

    return NGX_OK;
}


static ngx_http_registry_slice_t *
ngx_http_registry_delivery_after(ngx_http_registry_delivery_t *d,
    ngx_http_registry_slice_t *slice)
{
    ngx_queue_t  *q;

    /* slices are in one queue or the other, one after another */

    q = slice ? ngx_queue_next(&slice->queue) : ngx_queue_head(&d->passed);

    if (q == ngx_queue_sentinel(&d->passed)) {
        q = ngx_queue_head(&d->slices);
    }

    return (q == ngx_queue_sentinel(&d->slices))
           ? NULL : ngx_queue_data(q, ngx_http_registry_slice_t, queue);
}


static void
ngx_http_registry_delivery_hashed(void *data)
{
    ngx_http_registry_delivery_t *d = data;

    if (d->lead) {
        ngx_http_registry_zone_progress(d->ctx->conf->zone, &d->ctx->conf->id,
                                        &d->content, d->owner,
                                   ngx_http_registry_verify_hashed(d->verify));
    }

    ngx_http_registry_delivery_go(d);
}


/* all has passed but the last byte, if it is kept back */
static ngx_int_t
ngx_http_registry_delivery_finish(ngx_http_registry_delivery_t *d)
{
    ngx_int_t  rc;

    rc = NGX_OK;

    if (d->held) {

        rc = (d->trust == NGX_HTTP_REGISTRY_TRUST_SELF)
             ? ngx_http_registry_delivery_verdict(d)
             : ngx_http_registry_delivery_other_verdict(d);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_registry_delivery_last(d);
}


static ngx_int_t
ngx_http_registry_delivery_verdict(ngx_http_registry_delivery_t *d)
{
    ngx_int_t  rc;

    if (ngx_http_registry_delivery_hash(d) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!ngx_http_registry_verify_idle(d->verify)) {
        return NGX_AGAIN;
    }

    if (d->hashing) {
        /* a copy waits for the thread, which has just ended */
        return NGX_AGAIN;
    }

    rc = ngx_http_registry_verify_final(d->verify, d->digest);

    if (d->lead || rc == NGX_DECLINED) {
        d->lead = 0;
        ngx_http_registry_zone_verdict(d->ctx->conf->zone, &d->ctx->conf->id,
                                       &d->content, d->owner, rc);
    }

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (rc == NGX_DECLINED) {
        ngx_http_registry_delivery_damaged(d);

    } else {
        ngx_log_error(NGX_LOG_ERR, d->request->connection->log, 0,
                      "registry: blob \"%V\" could not be read from the cache "
                      "to verify it", &d->content);
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_registry_delivery_other_verdict(ngx_http_registry_delivery_t *d)
{
    ngx_http_registry_trust_t  trust;

    ngx_http_registry_zone_trust(d->ctx->conf->zone, &d->ctx->conf->id,
                                 &d->content, d->owner, 1, &trust);

    if (trust.faults != d->faults) {
        ngx_http_registry_delivery_damaged(d);
        return NGX_ERROR;
    }

    if (trust.verified) {
        return NGX_OK;
    }

    if (!trust.leader) {

        if (!ngx_http_registry_delivery_slow(d, &trust)) {
            return NGX_AGAIN;
        }

        /* it waits for its client: here are all bytes, and hashed sooner */

        ngx_http_registry_zone_lead(d->ctx->conf->zone, &d->ctx->conf->id,
                                    &d->content, d->owner);
    }

    d->lead = 1;
    d->waiting = 0;

    return (ngx_http_registry_delivery_verify(d) == NGX_OK)
           ? ngx_http_registry_delivery_verdict(d) : NGX_ERROR;
}


/* whether the leader that is waited for makes no progress worth waiting */
static ngx_uint_t
ngx_http_registry_delivery_slow(ngx_http_registry_delivery_t *d,
    ngx_http_registry_trust_t *trust)
{
    ngx_uint_t  slow;

    /* less than it had: it is another leader, which has just begun */

    if (d->waiting && trust->hashed >= d->leader) {

        if (ngx_current_msec - d->since < NGX_HTTP_REGISTRY_PATIENCE) {
            return 0;
        }

        slow = trust->hashed - d->leader < NGX_HTTP_REGISTRY_ADVANCE;

    } else {
        slow = 0;
    }

    d->waiting = 1;
    d->since = ngx_current_msec;
    d->leader = trust->hashed;

    return slow;
}


static void
ngx_http_registry_delivery_damaged(ngx_http_registry_delivery_t *d)
{
    ngx_queue_t                 *q;
    ngx_http_registry_slice_t   *slice;
    ngx_http_registry_result_t   result;

    slice = NULL;

    for (q = ngx_queue_head(&d->passed);
         q != ngx_queue_sentinel(&d->passed);
         q = ngx_queue_next(q))
    {
        slice = ngx_queue_data(q, ngx_http_registry_slice_t, queue);

        ngx_http_registry_sub_forget(slice->sub);
    }

    if (slice) {
        result = slice->result;
        ngx_http_registry_result_damaged(&result);
        ngx_http_registry_result_log(d->ctx, slice->sub->op, &result);
    }
}


static ngx_int_t
ngx_http_registry_delivery_last(ngx_http_registry_delivery_t *d)
{
    ngx_int_t                    rc;
    ngx_buf_t                   *b;
    ngx_chain_t                  out;
    ngx_http_request_t          *r;
    ngx_http_registry_object_t   object;

    r = d->request;

    if (!d->partial) {

        /* what HEAD may have been told before was not verified */

        object.size = d->size;
        object.type_len = 0;

        ngx_http_registry_zone_add_object(d->ctx->conf->zone,
                                          &d->ctx->conf->id,
                                          &d->ctx->reference, &object);
    }

    ngx_http_registry_retry_success(d->ctx->conf);

    if (!d->held) {
        rc = ngx_http_send_special(r, NGX_HTTP_LAST);

        /* NGX_AGAIN is of a slow client here, nginx waits for it */

        return (rc == NGX_AGAIN) ? NGX_OK : rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->memory = 1;
    b->pos = &d->byte;
    b->last = b->pos + 1;
    b->last_buf = 1;

    out.buf = b;
    out.next = NULL;

    rc = ngx_http_output_filter(r, &out);

    return (rc == NGX_AGAIN) ? NGX_OK : rc;
}


static void
ngx_http_registry_delivery_cleanup(void *data)
{
    ngx_http_registry_delivery_t *d = data;

    ngx_queue_t  *q;

    d->ended = 1;

    if (d->timer.timer_set) {
        ngx_del_timer(&d->timer);
    }

    for (q = ngx_queue_head(&d->slices);
         q != ngx_queue_sentinel(&d->slices);
         q = ngx_queue_next(q))
    {
        ngx_http_registry_slice_cleanup(ngx_queue_data(q,
                                           ngx_http_registry_slice_t, queue));
    }

    for (q = ngx_queue_head(&d->passed);
         q != ngx_queue_sentinel(&d->passed);
         q = ngx_queue_next(q))
    {
        ngx_http_registry_slice_cleanup(ngx_queue_data(q,
                                           ngx_http_registry_slice_t, queue));
    }

    if (d->verify) {
        ngx_http_registry_verify_destroy(d->verify);
    }

    if (d->lead) {
        ngx_http_registry_zone_verdict(d->ctx->conf->zone, &d->ctx->conf->id,
                                       &d->content, d->owner, NGX_ERROR);
    }
}
