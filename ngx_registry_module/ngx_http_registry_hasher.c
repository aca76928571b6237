
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* bytes in a turn of the event loop, a millisecond with SHA-NI */
#define NGX_HTTP_REGISTRY_HASHER_SLICE  (1024 * 1024)

/* a timer keeps a worker that is to exit until the end, milliseconds */
#define NGX_HTTP_REGISTRY_HASHER_GUARD  60000


static void ngx_http_registry_hasher_handler(ngx_event_t *ev);
static void ngx_http_registry_hasher_guard(ngx_event_t *ev);
static ngx_int_t ngx_http_registry_hasher_slice(
    ngx_http_registry_hasher_t *h);


/*
 * Of a worker process: those that have something to hash take turns, so that
 * eight uploads at a time do not stop the event loop for eight slices.
 */

static ngx_queue_t  ngx_http_registry_hasher_queue;
static ngx_event_t  ngx_http_registry_hasher_event;
static u_char       ngx_http_registry_hasher_buf
                                           [NGX_HTTP_REGISTRY_HASHER_SLICE];


void
ngx_http_registry_hasher_start(ngx_http_registry_hasher_t *h, ngx_log_t *log)
{
    ngx_event_t  *ev;

    ev = &ngx_http_registry_hasher_event;

    if (ev->handler == NULL) {
        ngx_queue_init(&ngx_http_registry_hasher_queue);

        ev->handler = ngx_http_registry_hasher_handler;
        ev->log = ngx_cycle->log;
    }

    ngx_registry_hash_init(&h->hash, h->algorithm);

    h->active = 1;

    ngx_queue_insert_tail(&ngx_http_registry_hasher_queue, &h->queue);

    if (!ev->posted) {
        ngx_post_event(ev, &ngx_posted_next_events);
    }

    h->guard.handler = ngx_http_registry_hasher_guard;
    h->guard.data = h;
    h->guard.log = log;

    ngx_add_timer(&h->guard, NGX_HTTP_REGISTRY_HASHER_GUARD);
}


void
ngx_http_registry_hasher_cancel(ngx_http_registry_hasher_t *h)
{
    if (h->active) {
        h->active = 0;
        ngx_queue_remove(&h->queue);
    }

    if (h->guard.timer_set) {
        ngx_del_timer(&h->guard);
    }
}


static void
ngx_http_registry_hasher_guard(ngx_event_t *ev)
{
    ngx_add_timer(ev, NGX_HTTP_REGISTRY_HASHER_GUARD);
}


static void
ngx_http_registry_hasher_handler(ngx_event_t *ev)
{
    ngx_int_t                    rc;
    ngx_queue_t                 *q, *queue;
    ngx_http_registry_hasher_t  *h;

    queue = &ngx_http_registry_hasher_queue;

    if (ngx_queue_empty(queue)) {
        return;
    }

    q = ngx_queue_head(queue);
    h = ngx_queue_data(q, ngx_http_registry_hasher_t, queue);

    rc = ngx_http_registry_hasher_slice(h);

    if (rc == NGX_AGAIN) {
        ngx_queue_remove(q);
        ngx_queue_insert_tail(queue, q);

    } else {
        ngx_http_registry_hasher_cancel(h);
    }

    if (!ngx_queue_empty(queue)) {
        ngx_post_event(ev, &ngx_posted_next_events);
    }

    if (rc != NGX_AGAIN) {
        h->handler(h->data, rc);
    }
}


static ngx_int_t
ngx_http_registry_hasher_slice(ngx_http_registry_hasher_t *h)
{
    u_char  *buf, hash[NGX_REGISTRY_HASH_MAX_LEN];
    size_t   n;

    buf = ngx_http_registry_hasher_buf;
    n = ngx_min(h->left, NGX_HTTP_REGISTRY_HASHER_SLICE);

    if (n) {
        if (ngx_read_file(h->file, buf, n, h->pos) != (ssize_t) n) {
            return NGX_ERROR;
        }

        ngx_registry_hash_update(&h->hash, buf, n);

        if (h->whole) {
            ngx_registry_hash_update(h->whole, buf, n);
        }

        h->pos += n;
        h->left -= n;
    }

    if (h->left) {
        return NGX_AGAIN;
    }

    n = ngx_registry_hash_final(&h->hash, hash);
    h->len = ngx_registry_hex_write(h->hex, hash, n) - h->hex;

    return NGX_OK;
}
