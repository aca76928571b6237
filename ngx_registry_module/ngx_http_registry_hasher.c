
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* bytes in a turn of the event loop, under a millisecond with SHA-NI */
#define NGX_HTTP_REGISTRY_HASHER_SLICE  (1024 * 1024)

/* a timer keeps a worker that is to exit until the end, milliseconds */
#define NGX_HTTP_REGISTRY_HASHER_GUARD  60000


static void ngx_http_registry_hasher_handler(ngx_event_t *ev);
static void ngx_http_registry_hasher_guard(ngx_event_t *ev);
static void ngx_http_registry_hasher_done(ngx_http_registry_hasher_t *h,
    ngx_int_t rc);


/* of a worker process, which hashes one slice at a time */
static u_char  ngx_http_registry_hasher_buf[NGX_HTTP_REGISTRY_HASHER_SLICE];


void
ngx_http_registry_hasher_start(ngx_http_registry_hasher_t *h, ngx_log_t *log)
{
    ngx_registry_hash_init(&h->hash, h->algorithm);

    h->event.handler = ngx_http_registry_hasher_handler;
    h->event.data = h;
    h->event.log = log;

    ngx_post_event(&h->event, &ngx_posted_next_events);

    h->guard.handler = ngx_http_registry_hasher_guard;
    h->guard.data = h;
    h->guard.log = log;

    ngx_add_timer(&h->guard, NGX_HTTP_REGISTRY_HASHER_GUARD);
}


void
ngx_http_registry_hasher_cancel(ngx_http_registry_hasher_t *h)
{
    if (h->event.posted) {
        ngx_delete_posted_event(&h->event);
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
    ngx_http_registry_hasher_t *h = ev->data;

    size_t   n;
    u_char   hash[NGX_REGISTRY_HASH_MAX_LEN];
    ssize_t  got;

    n = ngx_min(h->left, NGX_HTTP_REGISTRY_HASHER_SLICE);

    if (n) {
        got = ngx_read_file(h->file, ngx_http_registry_hasher_buf, n, h->pos);

        if (got != (ssize_t) n) {
            ngx_http_registry_hasher_done(h, NGX_ERROR);
            return;
        }

        ngx_registry_hash_update(&h->hash, ngx_http_registry_hasher_buf, n);

        if (h->whole) {
            ngx_registry_hash_update(h->whole, ngx_http_registry_hasher_buf,
                                     n);
        }

        h->pos += n;
        h->left -= n;
    }

    if (h->left) {
        ngx_post_event(ev, &ngx_posted_next_events);
        return;
    }

    n = ngx_registry_hash_final(&h->hash, hash);
    h->len = ngx_registry_hex_write(h->hex, hash, n) - h->hex;

    ngx_http_registry_hasher_done(h, NGX_OK);
}


static void
ngx_http_registry_hasher_done(ngx_http_registry_hasher_t *h, ngx_int_t rc)
{
    ngx_http_registry_hasher_cancel(h);

    h->handler(h->data, rc);
}
