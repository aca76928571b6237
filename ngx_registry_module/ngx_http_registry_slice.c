
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* slices of a blob: all of them are held until the request ends */
#define NGX_HTTP_REGISTRY_SLICE_MAX    256

/* bytes that make it worth going on with an S3 that breaks off all the time */
#define NGX_HTTP_REGISTRY_SLICE_PROGRESS  16384

/* where no object of S3 reaches, and sums do not overflow yet */
#define NGX_HTTP_REGISTRY_SLICE_END    ((off_t) 1 << 60)

/* children of a worker after which each delivery makes do with one: they have
   half a megabyte of buffers each */
#define NGX_HTTP_REGISTRY_SLICE_CROWD  32

/* bytes after which the delivery is asked for more slices */
#define NGX_HTTP_REGISTRY_SLICE_STEP   1048576

/* a slice that takes so many times as long as others is given up, not before
   so many ms */
#define NGX_HTTP_REGISTRY_SLICE_LATE   4
#define NGX_HTTP_REGISTRY_SLICE_WAIT   1000


/* what has passed of a slice, of a file or a copy */

typedef struct {
    ngx_queue_t                      queue;
    ngx_fd_t                         fd;        /* or path, or data */
    ngx_str_t                        path;
    off_t                            pos;
    off_t                            len;
    u_char                          *data;
} ngx_http_registry_part_t;


static void ngx_http_registry_slice_bounds(ngx_http_registry_delivery_t *d,
    off_t pos, off_t *start, off_t *end);
static ngx_http_registry_slice_t *ngx_http_registry_slice_create(
    ngx_http_registry_delivery_t *d, off_t start, off_t end);
static ngx_int_t ngx_http_registry_slice_op(ngx_http_registry_slice_t *slice,
    ngx_http_registry_op_t *op);
static void ngx_http_registry_slice_place(ngx_http_registry_slice_t *slice,
    ngx_http_request_t *sr);
static ngx_uint_t ngx_http_registry_slice_head(
    ngx_http_registry_slice_t *slice);
static ngx_http_registry_slice_t *ngx_http_registry_slice_of(
    ngx_http_request_t *sr);
static ngx_int_t ngx_http_registry_slice_done(ngx_http_request_t *sr,
    void *data, ngx_int_t rc);
static void ngx_http_registry_slice_took(ngx_http_registry_slice_t *slice);
static void ngx_http_registry_slice_again(ngx_http_registry_slice_t *slice);
static void ngx_http_registry_slice_timer(ngx_event_t *ev);
static void ngx_http_registry_slice_ready(void *data);
static ngx_int_t ngx_http_registry_slice_header(ngx_http_registry_sub_t *sub);
static ngx_int_t ngx_http_registry_slice_extent(ngx_http_registry_sub_t *sub,
    off_t *start, off_t *size);
static ngx_int_t ngx_http_registry_slice_distrust(
    ngx_http_registry_slice_t *slice);
static ngx_int_t ngx_http_registry_slice_body(ngx_http_registry_sub_t *sub,
    ngx_chain_t *in, ngx_chain_t **out);
static ngx_int_t ngx_http_registry_slice_cut(ngx_http_registry_slice_t *slice,
    ngx_buf_t *b);
static ngx_int_t ngx_http_registry_slice_hold(
    ngx_http_registry_slice_t *slice, ngx_buf_t *b);
static ngx_int_t ngx_http_registry_slice_memory(
    ngx_http_registry_slice_t *slice, u_char *p, size_t n);
static ngx_int_t ngx_http_registry_slice_file(
    ngx_http_registry_slice_t *slice);
static ngx_int_t ngx_http_registry_slice_feed_part(
    ngx_http_registry_slice_t *slice, ngx_http_registry_part_t *part);


/* children at work, of all deliveries of this worker */
static ngx_uint_t  ngx_http_registry_slice_children;


static ngx_http_registry_sink_t  ngx_http_registry_slice_sink = {
    ngx_http_registry_slice_header,
    ngx_http_registry_slice_body
};


off_t
ngx_http_registry_slice_threshold(ngx_http_registry_loc_conf_t *rlcf)
{
    return rlcf->slice_size ? (off_t) rlcf->slice_threshold : 0;
}


ngx_int_t
ngx_http_registry_slice_first(ngx_pool_t *pool,
    ngx_http_registry_loc_conf_t *rlcf, ngx_str_t *range)
{
    off_t  first;

    first = ngx_http_registry_slice_threshold(rlcf);

    if (first == 0) {
        ngx_str_null(range);
        return NGX_OK;
    }

    range->data = ngx_pnalloc(pool, sizeof("bytes=0-") + NGX_OFF_T_LEN);
    if (range->data == NULL) {
        return NGX_ERROR;
    }

    range->len = ngx_sprintf(range->data, "bytes=0-%O", first - 1)
                 - range->data;

    return NGX_OK;
}


/*
 * The first slice is the one in which small blobs are whole; the others begin
 * at multiples of a size that depends on nothing but the size of the blob.
 */
static void
ngx_http_registry_slice_bounds(ngx_http_registry_delivery_t *d, off_t pos,
    off_t *start, off_t *end)
{
    off_t  size, first;

    first = ngx_http_registry_slice_threshold(d->ctx->conf);

    if (first == 0) {
        *start = 0;
        *end = NGX_MAX_OFF_T_VALUE;
        return;
    }

    if (pos < first) {
        *start = 0;
        *end = first;
        return;
    }

    size = d->ctx->conf->slice_size;

    while (d->size / size >= NGX_HTTP_REGISTRY_SLICE_MAX) {
        size *= 2;
    }

    *start = ngx_max(pos / size * size, first);
    *end = (pos / size + 1) * size;
}


ngx_int_t
ngx_http_registry_slice_add(ngx_http_registry_delivery_t *d, off_t pos)
{
    off_t                       start, end;
    ngx_http_registry_slice_t  *slice;

    pos = ngx_min(pos, NGX_HTTP_REGISTRY_SLICE_END);

    ngx_http_registry_slice_bounds(d, pos, &start, &end);

    slice = ngx_http_registry_slice_create(d, start, end);
    if (slice == NULL) {
        return NGX_ERROR;
    }

    slice->next = pos;
    slice->last = (d->size == -1) ? end : ngx_min(end, d->end);
    slice->direct = d->ctx->conf->kind->local
                    || ngx_http_registry_disk_behind(d->ctx->conf);

    d->planned = slice->last;

    return ngx_http_registry_slice_start(slice);
}


ngx_int_t
ngx_http_registry_slice_suffix(ngx_http_registry_delivery_t *d, off_t n)
{
    ngx_http_registry_slice_t  *slice;

    slice = ngx_http_registry_slice_create(d, -n, NGX_MAX_OFF_T_VALUE);
    if (slice == NULL) {
        return NGX_ERROR;
    }

    slice->direct = 1;
    slice->last = NGX_MAX_OFF_T_VALUE;

    return ngx_http_registry_slice_start(slice);
}


static ngx_http_registry_slice_t *
ngx_http_registry_slice_create(ngx_http_registry_delivery_t *d, off_t start,
    off_t end)
{
    ngx_http_registry_slice_t  *slice;

    slice = ngx_pcalloc(d->request->pool, sizeof(ngx_http_registry_slice_t));
    if (slice == NULL) {
        return NULL;
    }

    slice->delivery = d;
    slice->start = start;
    slice->end = end;

    ngx_queue_init(&slice->parts);

    slice->timer.handler = ngx_http_registry_slice_timer;
    slice->timer.data = slice;
    slice->timer.log = d->request->connection->log;

    slice->waiter.handler = ngx_http_registry_slice_ready;
    slice->waiter.data = slice;

    ngx_queue_insert_tail(&d->slices, &slice->queue);
    d->ahead++;

    return slice;
}


ngx_int_t
ngx_http_registry_slice_start(ngx_http_registry_slice_t *slice)
{
    ngx_http_request_t            *r;
    ngx_http_registry_op_t        *op;
    ngx_http_registry_sub_t       *sub;
    ngx_http_post_subrequest_t    *ps;
    ngx_http_registry_delivery_t  *d;

    d = slice->delivery;
    r = d->request;

    op = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_op_t));
    sub = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_sub_t));
    ps = ngx_palloc(r->pool, sizeof(ngx_http_post_subrequest_t));

    if (op == NULL || sub == NULL || ps == NULL
        || ngx_http_registry_slice_op(slice, op) != NGX_OK)
    {
        return NGX_ERROR;
    }

    sub->op = op;
    sub->sink = &ngx_http_registry_slice_sink;
    sub->data = slice;

    ps->handler = ngx_http_registry_slice_done;
    ps->data = slice;

    slice->sub = sub;
    slice->begun = slice->next;
    slice->retry.tries++;
    slice->settled = 0;
    slice->ended = 0;

    if (ngx_http_registry_subrequest(r, sub, ps, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    slice->running = 1;
    d->running++;
    ngx_http_registry_slice_children++;

    if (slice->direct) {
        d->ctx->uncached++;
    }

    /*
     * nginx does not look at the client while it fills a cache: without this
     * the download would go on after the client has left
     */

    if (!r->discard_body) {
        sub->request->read_event_handler = ngx_http_test_reading;
    }

    ngx_http_registry_slice_place(slice, sub->request);

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_slice_op(ngx_http_registry_slice_t *slice,
    ngx_http_registry_op_t *op)
{
    u_char                        *p;
    off_t                          start, end;
    ngx_uint_t                     suffix;
    ngx_http_registry_delivery_t  *d;

    d = slice->delivery;

    op->conf = d->ctx->conf;
    op->key = d->key;
    op->digest = d->digest;
    op->fresh = d->fresh;
    ngx_str_set(&op->method, "GET");

    /* what has passed of a slice does not pass again: the rest is no file */

    if (d->header_sent && slice->next != ngx_max(slice->start, d->offset)) {
        slice->direct = 1;
    }

    op->role = slice->direct ? NGX_HTTP_REGISTRY_ROLE_DIRECT
                             : NGX_HTTP_REGISTRY_ROLE_BLOB;

    start = slice->direct ? slice->next : slice->start;
    end = slice->direct ? slice->last : slice->end;

    if (slice->direct && d->size == -1 && d->range
        && d->first != -1 && d->last != -1)
    {
        /* of an unknown size, but no more than that */
        end = ngx_min(end, (off_t) d->last + 1);
    }

    suffix = (slice->start < 0 && !d->header_sent);

    if (!suffix && start == 0 && end == NGX_MAX_OFF_T_VALUE) {
        /* all of it */
        return NGX_OK;
    }

    p = ngx_pnalloc(d->request->pool, sizeof("bytes=-") + 2 * NGX_OFF_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    op->range.data = p;

    if (suffix) {
        p = ngx_sprintf(p, "bytes=%O", slice->start);

    } else if (end == NGX_MAX_OFF_T_VALUE) {
        p = ngx_sprintf(p, "bytes=%O-", start);

    } else {
        p = ngx_sprintf(p, "bytes=%O-%O", start, end - 1);
    }

    op->range.len = p - op->range.data;

    return NGX_OK;
}


/*
 * nginx has put the child behind all others; it belongs before those of later
 * slices.  If it is the first one now, and the parent's turn, it is active at
 * once: to be woken as well it must have run before.
 */
static void
ngx_http_registry_slice_place(ngx_http_registry_slice_t *slice,
    ngx_http_request_t *sr)
{
    ngx_connection_t               *c;
    ngx_http_request_t             *r;
    ngx_http_registry_slice_t      *other;
    ngx_http_postponed_request_t  **last, **pr, *node;

    r = slice->delivery->request;

    last = &r->postponed;

    while ((*last)->next) {
        last = &(*last)->next;
    }

    node = *last;

    for (pr = &r->postponed; *pr != node; pr = &(*pr)->next) {

        other = ngx_http_registry_slice_of((*pr)->request);

        if (other && other->next > slice->next) {
            *last = NULL;
            node->next = *pr;
            *pr = node;
            break;
        }
    }

    /*
     * nginx makes a subrequest active if no other one waits: not one whose
     * turn has not come, as the slice before it waits to be tried again
     */

    c = r->connection;

    if (c->data == r || c->data == sr) {
        c->data = (r->postponed == node
                   && ngx_http_registry_slice_head(slice))
                  ? sr : r;
    }
}


/* whether its bytes are those that the client gets next */
static ngx_uint_t
ngx_http_registry_slice_head(ngx_http_registry_slice_t *slice)
{
    return ngx_queue_head(&slice->delivery->slices) == &slice->queue;
}


static ngx_http_registry_slice_t *
ngx_http_registry_slice_of(ngx_http_request_t *sr)
{
    ngx_http_registry_sub_t  *sub;

    sub = sr ? ngx_http_get_module_ctx(sr, ngx_http_registry_module) : NULL;

    return (sub && sub->sink == &ngx_http_registry_slice_sink) ? sub->data
                                                               : NULL;
}


ngx_uint_t
ngx_http_registry_slice_queued(ngx_http_registry_slice_t *slice)
{
    ngx_http_postponed_request_t  *pr;

    for (pr = slice->delivery->request->postponed; pr; pr = pr->next) {

        if (ngx_http_registry_slice_of(pr->request) == slice) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_registry_slice_done(ngx_http_request_t *sr, void *data, ngx_int_t rc)
{
    ngx_http_registry_slice_t *slice = data;

    /* nginx calls this again for a subrequest that waits for its turn */

    if (slice->sub->request != sr || slice->sub->done) {
        return NGX_OK;
    }

    if (!slice->ended) {
        slice->ended = 1;
        slice->rc = rc;
    }

    /* of what is copied for TLS, nginx may hold most until the client reads */

    if (!sr->buffered) {
        ngx_http_registry_sub_done(slice->sub, slice->rc);
    }

    /* the parent, which nginx wakes, decides */

    return NGX_OK;
}


void
ngx_http_registry_slice_settle(ngx_http_registry_slice_t *slice)
{
    ngx_http_registry_sub_t       *sub;
    ngx_http_registry_delivery_t  *d;

    d = slice->delivery;
    sub = slice->sub;

    if (!slice->running || !sub->done) {
        return;
    }

    slice->running = 0;
    slice->settled = 1;
    d->running--;
    ngx_http_registry_slice_children--;

    ngx_http_registry_result(sub, &slice->result);

    if (ngx_http_registry_slice_file(slice) != NGX_OK) {
        slice->failed = 1;
        return;
    }

    if (!d->header_sent) {
        /* there may be an answer for the client */
        return;
    }

    if (slice->next == slice->last && !sub->mismatch) {
        slice->complete = 1;
        ngx_http_registry_slice_took(slice);
        ngx_http_registry_slice_trim(slice);
        return;
    }

    if (sub->mismatch) {
        /* the client has wrong bytes: break off before the last of them */
        slice->failed = 1;
        return;
    }

    ngx_http_registry_slice_again(slice);
}


/* how long a slice takes, on the average of the last ones */
static void
ngx_http_registry_slice_took(ngx_http_registry_slice_t *slice)
{
    ngx_msec_t                     took;
    ngx_http_registry_delivery_t  *d;

    d = slice->delivery;

    if (!slice->sub->connected || slice->next == slice->begun) {
        return;
    }

    took = ngx_current_msec - slice->sub->begun;

    d->typical = d->typical ? (3 * d->typical + took) / 4 : took + 1;
}


void
ngx_http_registry_slice_late(ngx_http_registry_slice_t *slice)
{
    ngx_msec_t                     took;
    ngx_event_pipe_t              *p;
    ngx_http_upstream_t           *u;
    ngx_http_registry_sub_t       *sub;
    ngx_http_registry_delivery_t  *d;

    d = slice->delivery;
    sub = slice->sub;

    if (!slice->running || !sub->streaming || sub->done || sub->whole
        || d->typical == 0)
    {
        return;
    }

    u = sub->request->upstream;
    p = u ? u->pipe : NULL;

    took = ngx_current_msec - sub->begun;

    if (p == NULL || sub->request->cached || u->peer.connection == NULL
        || p->upstream_done || p->upstream_eof || p->upstream_error
        || took < NGX_HTTP_REGISTRY_SLICE_WAIT
        || took < NGX_HTTP_REGISTRY_SLICE_LATE * d->typical
        || (!sub->filed && d->request->connection->buffered))
    {
        /* the last: it is the client that is slow */
        return;
    }

    /* others were faster, over other connections: go on over a new one */

    ngx_log_error(NGX_LOG_INFO, d->request->connection->log, 0,
                  "registry: S3 GET of \"%V\" is slow at byte %O, after %M ms "
                  "a new request goes on from there", &d->key, slice->next,
                  took);

    sub->left = 1;
    p->upstream_error = 1;

    d->typical = took / NGX_HTTP_REGISTRY_SLICE_LATE + d->typical;

    if (!p->aio) {
        u->read_event_handler(sub->request, u);
    }
}


static void
ngx_http_registry_slice_again(ngx_http_registry_slice_t *slice)
{
    ngx_int_t                      rc;
    ngx_msec_t                     delay;
    ngx_http_registry_sub_t       *sub;
    ngx_http_registry_result_t    *result;
    ngx_http_registry_delivery_t  *d;

    d = slice->delivery;
    sub = slice->sub;
    result = &slice->result;

    if (sub->request->cached) {
        /* a file of the cache that has lost its end would do so each time */
        ngx_http_registry_sub_forget(sub);
    }

    if (result->outcome == NGX_HTTP_REGISTRY_OK) {
        /* whole by its own length, but shorter than the slice */
        result->outcome = NGX_HTTP_REGISTRY_UNREACHABLE;
        ngx_str_set(&result->code, "answer was short");
    }

    if (sub->left || ngx_http_registry_disk_failed(sub)) {
        /* not S3's fault: no delay */
        slice->direct = 1;
        rc = NGX_OK;
        delay = 0;

    } else {

        if (slice->next - slice->begun >= NGX_HTTP_REGISTRY_SLICE_PROGRESS) {
            slice->retry.tries = 1;
            slice->retry.failing = 0;
        }

        rc = ngx_http_registry_retry(&slice->retry, sub, result, &delay);

        if (rc == NGX_DECLINED) {
            rc = ngx_http_registry_retry_patience(&slice->retry, result,
                                                  d->ctx->conf, &delay);
        }

        if (rc == NGX_OK && slice->next > slice->begun) {
            ngx_log_error(NGX_LOG_WARN, d->request->connection->log, 0,
                          "registry: %V GET of \"%V\" broke off at byte %O of "
                          "%O: %V, going on from there",
                          &d->ctx->conf->kind->title, &d->key, slice->next,
                          d->size, &result->code);
        }
    }

    if (rc == NGX_BUSY) {
        ngx_http_registry_retry_wait(sub, &slice->waiter);

    } else if (rc == NGX_OK) {
        ngx_add_timer(&slice->timer, delay);

    } else {
        slice->failed = 1;
    }
}


static void
ngx_http_registry_slice_timer(ngx_event_t *ev)
{
    ngx_http_registry_slice_ready(ev->data);
}


static void
ngx_http_registry_slice_ready(void *data)
{
    ngx_http_registry_slice_t *slice = data;

    if (ngx_http_registry_slice_start(slice) != NGX_OK) {
        slice->failed = 1;
    }

    ngx_http_registry_delivery_go(slice->delivery);
}


void
ngx_http_registry_slice_cleanup(ngx_http_registry_slice_t *slice)
{
    ngx_queue_t               *q;
    ngx_http_cache_t          *c;
    ngx_http_registry_part_t  *part;

    if (slice->timer.timer_set) {
        ngx_del_timer(&slice->timer);
    }

    if (slice->waiter.active) {
        ngx_http_registry_host_cancel(&slice->waiter);
    }

    for (q = ngx_queue_head(&slice->parts);
         q != ngx_queue_sentinel(&slice->parts);
         q = ngx_queue_next(q))
    {
        part = ngx_queue_data(q, ngx_http_registry_part_t, queue);

        if (part->fd != NGX_INVALID_FILE) {
            (void) ngx_close_file(part->fd);
        }
    }

    /*
     * a child that waits for the lock of the cache would keep the request
     * until the lock is free, and then ask S3
     */

    c = (slice->sub && slice->sub->request) ? slice->sub->request->cache
                                            : NULL;

    if (slice->running && c && c->waiting) {
        c->waiting = 0;
        slice->delivery->request->main->blocked--;

        if (c->wait_event.timer_set) {
            ngx_del_timer(&c->wait_event);
        }
    }

    if (slice->running) {
        slice->running = 0;
        ngx_http_registry_slice_children--;
    }
}


ngx_uint_t
ngx_http_registry_slice_crowd(void)
{
    return ngx_http_registry_slice_children >= NGX_HTTP_REGISTRY_SLICE_CROWD;
}


void
ngx_http_registry_slice_poke(ngx_http_registry_slice_t *slice)
{
    ngx_http_cache_t  *c;

    c = slice->running ? slice->sub->request->cache : NULL;

    if (c == NULL || !c->waiting || !c->wait_event.timer_set) {
        return;
    }

    /* nginx looks twice a second */

    ngx_del_timer(&c->wait_event);

    c->wait_event.handler(&c->wait_event);
}


static ngx_int_t
ngx_http_registry_slice_header(ngx_http_registry_sub_t *sub)
{
    off_t                          start, size;
    ngx_http_registry_slice_t     *slice;
    ngx_http_registry_delivery_t  *d;

    slice = sub->data;
    d = slice->delivery;

    if (ngx_http_registry_slice_extent(sub, &start, &size) != NGX_OK) {
        sub->rejected = 1;
        return NGX_ERROR;
    }

    sub->whole = (start == 0 && sub->content_length == size);

    sub->filed = sub->request->cached
                 || (sub->request->upstream
                     && sub->request->upstream->cacheable);

    if (!d->header_sent) {

        if (slice->start < 0) {
            slice->start = start;
        }

        if (sub->whole) {
            slice->end = ngx_max(slice->end, size);
        }

        if (ngx_http_registry_delivery_begin(d, size, slice) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (start > slice->next) {
        /* S3 and this host do not agree on what the range is */
        sub->rejected = 1;
        return NGX_ERROR;
    }

    slice->position = start;

    return ngx_http_registry_slice_distrust(slice);
}


/* where the answer begins in the blob, and the size of the blob */
static ngx_int_t
ngx_http_registry_slice_extent(ngx_http_registry_sub_t *sub, off_t *start,
    off_t *size)
{
    ngx_http_registry_slice_t     *slice;
    ngx_http_registry_delivery_t  *d;

    slice = sub->data;
    d = slice->delivery;

    *start = 0;
    *size = sub->content_length;

    if (sub->status == NGX_HTTP_PARTIAL_CONTENT) {

        if (ngx_http_registry_sub_content_range(sub, start, size) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (d->header_sent && sub->op->range.len) {

        /* others bring the other slices */

        return NGX_ERROR;
    }

    if (*size < 0 || (d->header_sent && *size != d->size)) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_slice_distrust(ngx_http_registry_slice_t *slice)
{
    ngx_http_registry_sub_t       *sub;
    ngx_http_registry_delivery_t  *d;

    d = slice->delivery;
    sub = slice->sub;

    /* what is whole is verified before it is cached */

    if (sub->request->cached || (sub->whole && sub->filed)) {
        return NGX_OK;
    }

    /* what else comes from S3 is not, whatever was known */

    if (sub->filed) {
        ngx_http_registry_zone_missed(d->ctx->conf->zone, &d->ctx->conf->id,
                                      &d->content, slice->start,
                                      d->trust == NGX_HTTP_REGISTRY_TRUST_NONE);
    }

    return ngx_http_registry_delivery_distrust(d, sub->filed);
}


static ngx_int_t
ngx_http_registry_slice_body(ngx_http_registry_sub_t *sub, ngx_chain_t *in,
    ngx_chain_t **out)
{
    ngx_int_t                      rc;
    ngx_chain_t                   *cl, *ln, **ll;
    ngx_http_request_t            *r;
    ngx_http_registry_slice_t     *slice;
    ngx_http_registry_delivery_t  *d;

    slice = sub->data;
    d = slice->delivery;
    r = d->request;

    *out = NULL;
    ll = out;

    if (sub->request == r->connection->data
        && !ngx_http_registry_slice_head(slice))
    {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "registry: a slice of \"%V\" at byte %O is out of turn",
                      &d->key, slice->start);
        return NGX_ERROR;
    }

    for (cl = in; cl; cl = cl->next) {

        if (!ngx_buf_special(cl->buf)) {

            if (!d->header_sent
                && ngx_http_registry_delivery_send_header(d) != NGX_OK)
            {
                return NGX_ERROR;
            }

            rc = ngx_http_registry_slice_cut(slice, cl->buf);

            if (rc == NGX_ERROR) {
                return NGX_ERROR;
            }

            if (rc == NGX_DECLINED) {
                /* nginx takes an empty buffer for a bug: leave it out */
                continue;
            }
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

    if (d->planned < d->end
        && slice->next - d->asked >= NGX_HTTP_REGISTRY_SLICE_STEP)
    {
        d->asked = slice->next;

        return ngx_http_post_request(r, NULL);
    }

    return NGX_OK;
}


/* to what the client wants; NGX_DECLINED: nothing is left */
static ngx_int_t
ngx_http_registry_slice_cut(ngx_http_registry_slice_t *slice, ngx_buf_t *b)
{
    off_t  size, skip, keep;

    size = ngx_buf_size(b);

    skip = ngx_min(size, slice->next - slice->position);
    keep = ngx_min(size - skip, slice->last - slice->next);

    slice->position += size;
    slice->next += keep;

    if (keep == 0) {
        b->pos = b->last;
        b->file_pos = b->file_last;
        return NGX_DECLINED;
    }

    if (ngx_buf_in_memory(b)) {
        b->pos += skip;
        b->last = b->pos + keep;
    }

    if (b->in_file) {
        b->file_pos += skip;
        b->file_last = b->file_pos + keep;
    }

    if (!slice->sub->filed
        && ngx_http_registry_slice_memory(slice, b->pos, keep) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (slice->next == slice->delivery->end) {
        return ngx_http_registry_slice_hold(slice, b);
    }

    return NGX_OK;
}


/*
 * The last byte of a blob that is not yet verified: a client that does not
 * get it does not take the others for the blob.
 */
static ngx_int_t
ngx_http_registry_slice_hold(ngx_http_registry_slice_t *slice, ngx_buf_t *b)
{
    ngx_http_registry_delivery_t  *d;

    d = slice->delivery;

    if (d->trust < NGX_HTTP_REGISTRY_TRUST_LEADER) {
        return NGX_OK;
    }

    if (ngx_buf_in_memory(b)) {
        d->byte = *--b->last;

        if (b->in_file) {
            b->file_last--;
        }

    } else {

        if (ngx_read_file(b->file, &d->byte, 1, b->file_last - 1) != 1) {
            return NGX_ERROR;
        }

        b->file_last--;
    }

    d->held = 1;

    return ngx_buf_size(b) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_registry_slice_memory(ngx_http_registry_slice_t *slice, u_char *p,
    size_t n)
{
    ngx_http_registry_part_t      *part;
    ngx_http_registry_delivery_t  *d;

    d = slice->delivery;

    if (d->verify == NULL) {
        return NGX_OK;
    }

    if (ngx_queue_empty(&slice->parts)
        && slice == d->hashing
        && ngx_http_registry_verify_idle(d->verify))
    {
        return ngx_http_registry_verify_memory(d->verify, p, n);
    }

    /*
     * its turn has not come, or the files before it are still being hashed.
     * The buffer will be used again, so this takes a copy; a child that waits
     * for its turn has no more than its buffers.
     */

    part = ngx_palloc(d->request->pool, sizeof(ngx_http_registry_part_t));
    if (part == NULL) {
        return NGX_ERROR;
    }

    part->data = ngx_palloc(d->request->pool, n);
    if (part->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(part->data, p, n);
    part->len = n;
    part->fd = NGX_INVALID_FILE;

    ngx_queue_insert_tail(&slice->parts, &part->queue);

    return NGX_OK;
}


/* what a child has brought by a file, when it is done */
static ngx_int_t
ngx_http_registry_slice_file(ngx_http_registry_slice_t *slice)
{
    ngx_http_cache_t              *c;
    ngx_http_registry_sub_t       *sub;
    ngx_http_registry_part_t      *part;
    ngx_http_registry_delivery_t  *d;

    d = slice->delivery;
    sub = slice->sub;
    c = sub->request->cache;

    if (d->trust < NGX_HTTP_REGISTRY_TRUST_CACHE
        || !sub->filed || c == NULL
        || slice->next == slice->begun)
    {
        return NGX_OK;
    }

    part = ngx_palloc(d->request->pool, sizeof(ngx_http_registry_part_t));
    if (part == NULL) {
        return NGX_ERROR;
    }

    part->fd = NGX_INVALID_FILE;
    part->data = NULL;
    part->path = c->file.name;
    part->pos = c->body_start + slice->begun - slice->start;
    part->len = slice->next - slice->begun;

    if (slice->next != slice->last) {

        /* the file has no name any more, or will have none */

        part->fd = dup(sub->request->cached ? c->file.fd
                          : sub->request->upstream->pipe->temp_file->file.fd);

        if (part->fd == NGX_INVALID_FILE) {
            return NGX_ERROR;
        }
    }

    ngx_queue_insert_tail(&slice->parts, &part->queue);

    return NGX_OK;
}


ngx_int_t
ngx_http_registry_slice_feed(ngx_http_registry_slice_t *slice)
{
    ngx_int_t                  rc;
    ngx_queue_t               *q;
    ngx_http_registry_part_t  *part;

    while (!ngx_queue_empty(&slice->parts)) {

        q = ngx_queue_head(&slice->parts);
        part = ngx_queue_data(q, ngx_http_registry_part_t, queue);

        rc = ngx_http_registry_slice_feed_part(slice, part);

        if (rc != NGX_OK) {
            return rc;
        }

        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a ring */
        ngx_queue_remove(q);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_slice_feed_part(ngx_http_registry_slice_t *slice,
    ngx_http_registry_part_t *part)
{
    ngx_fd_t                     fd;
    ngx_int_t                    rc;
    ngx_http_registry_verify_t  *verify;

    verify = slice->delivery->verify;

    if (part->data) {

        if (!ngx_http_registry_verify_idle(verify)) {
            return NGX_AGAIN;
        }

        rc = ngx_http_registry_verify_memory(verify, part->data, part->len);
        (void) ngx_pfree(slice->delivery->request->pool, part->data);

        return rc;
    }

    fd = part->fd;
    part->fd = NGX_INVALID_FILE;

    if (fd == NGX_INVALID_FILE) {
        fd = open((const char *) part->path.data, O_RDONLY|O_CLOEXEC);
    }

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, slice->delivery->request->connection->log,
                      ngx_errno, "registry: \"%V\" left the cache before it "
                      "was verified: is the cache too small?", &part->path);
        return NGX_ERROR;
    }

    return ngx_http_registry_verify_file(verify, fd, part->pos, part->len);
}


void
ngx_http_registry_slice_trim(ngx_http_registry_slice_t *slice)
{
    ngx_str_t           *id;
    ngx_chain_t         *cl;
    ngx_event_pipe_t    *p;
    ngx_http_request_t  *sr;

    sr = slice->sub->request;

    /* what the child has output is in its file */

    if (!slice->sub->filed || sr->upstream == NULL) {
        return;
    }

    /* a header that may be wanted yet */

    id = &slice->result.request_id;

    if (id->len) {
        id->data = ngx_pstrdup(sr->pool, id);

        if (id->data == NULL) {
            id->len = 0;
        }
    }

    if (sr->cached) {

        if (sr->cache->buf) {
            (void) ngx_pfree(sr->pool, sr->cache->buf->start);
        }

        return;
    }

    p = sr->upstream->pipe;

    if (p == NULL || p->in || p->writing || p->upstream_eof
        || p->upstream_error)
    {
        /* after the end of a connection nginx frees them, and leaves the
           links */
        return;
    }

    for (cl = p->free_raw_bufs; cl; cl = cl->next) {
        (void) ngx_pfree(sr->pool, cl->buf->start);
    }

    p->free_raw_bufs = NULL;
}


void
ngx_http_registry_slice_close(ngx_http_registry_slice_t *slice)
{
    ngx_http_request_t   *sr;
    ngx_http_upstream_t  *u;

    sr = slice->sub->request;
    u = sr->upstream;

    if (sr->cache && sr->cache->file.fd != NGX_INVALID_FILE) {
        ngx_pool_run_cleanup_file(sr->pool, sr->cache->file.fd);
        sr->cache->file.fd = NGX_INVALID_FILE;
    }

    if (u && u->pipe && u->pipe->temp_file
        && u->pipe->temp_file->file.fd != NGX_INVALID_FILE)
    {
        ngx_pool_run_cleanup_file(sr->pool, u->pipe->temp_file->file.fd);
        u->pipe->temp_file->file.fd = NGX_INVALID_FILE;
    }
}
