
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* bytes that are read at a time */
#define NGX_HTTP_REGISTRY_VERIFY_BUF   65536

/* bytes that a thread hashes in a turn, about a millisecond with SHA-NI */
#define NGX_HTTP_REGISTRY_VERIFY_TURN  (2 * 1024 * 1024)


typedef struct {
    ngx_queue_t                      queue;
    ngx_fd_t                         fd;
    off_t                            pos;
    off_t                            len;
} ngx_http_registry_piece_t;


struct ngx_http_registry_verify_s {
    ngx_pool_t                      *pool;
    EVP_MD_CTX                      *md;
    off_t                            hashed;
    ngx_queue_t                      pieces;
    void                           (*handler)(void *data);
    void                            *data;

    /* of the turn: the thread has them while it runs */
    ngx_fd_t                         fd;
    off_t                            pos;
    size_t                           len;
    u_char                          *buf;

#if (NGX_THREADS)
    ngx_thread_task_t               *task;
#endif
    ngx_event_t                     *event;

    unsigned                         running:1;
    unsigned                         gone:1;      /* its owner is */
    unsigned                         failed:1;    /* set by the thread */
};


static void ngx_http_registry_verify_turn(ngx_http_registry_verify_t *v);
static void ngx_http_registry_verify_run(void *data, ngx_log_t *log);
static void ngx_http_registry_verify_done(ngx_event_t *ev);
static void ngx_http_registry_verify_free(ngx_http_registry_verify_t *v);


#if !(NGX_THREADS)
static void ngx_http_registry_verify_posted(ngx_event_t *ev);
#endif


ngx_http_registry_verify_t *
ngx_http_registry_verify_create(ngx_registry_digest_t *digest,
    void (*handler)(void *data), void *data)
{
    ngx_pool_t                  *pool;
    ngx_http_registry_verify_t  *v;

    pool = ngx_create_pool(1024, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    v = ngx_pcalloc(pool, sizeof(ngx_http_registry_verify_t));
    if (v == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    v->pool = pool;
    v->handler = handler;
    v->data = data;

    ngx_queue_init(&v->pieces);

    v->md = EVP_MD_CTX_new();
    v->buf = ngx_palloc(pool, NGX_HTTP_REGISTRY_VERIFY_BUF);

#if (NGX_THREADS)

    v->task = ngx_thread_task_alloc(pool, 0);

    if (v->task) {
        v->task->ctx = v;
        v->task->handler = ngx_http_registry_verify_run;
        v->event = &v->task->event;
    }

#else

    v->event = ngx_pcalloc(pool, sizeof(ngx_event_t));

#endif

    if (v->md == NULL || v->buf == NULL || v->event == NULL
        || EVP_DigestInit_ex(v->md,
                             digest->algorithm == NGX_REGISTRY_SHA512
                             ? EVP_sha512() : EVP_sha256(), NULL)
           != 1)
    {
        ngx_http_registry_verify_free(v);
        return NULL;
    }

    v->event->data = v;
    v->event->log = ngx_cycle->log;

#if (NGX_THREADS)
    v->event->handler = ngx_http_registry_verify_done;
#else
    v->event->handler = ngx_http_registry_verify_posted;
#endif

    return v;
}


ngx_int_t
ngx_http_registry_verify_file(ngx_http_registry_verify_t *v, ngx_fd_t fd,
    off_t pos, off_t len)
{
    ngx_http_registry_piece_t  *piece;

    piece = ngx_palloc(v->pool, sizeof(ngx_http_registry_piece_t));

    if (piece == NULL) {
        (void) ngx_close_file(fd);
        return NGX_ERROR;
    }

    piece->fd = fd;
    piece->pos = pos;
    piece->len = len;

    ngx_queue_insert_tail(&v->pieces, &piece->queue);

    ngx_http_registry_verify_turn(v);

    return NGX_OK;
}


ngx_int_t
ngx_http_registry_verify_memory(ngx_http_registry_verify_t *v, u_char *p,
    size_t n)
{
    if (EVP_DigestUpdate(v->md, p, n) != 1) {
        v->failed = 1;
        return NGX_ERROR;
    }

    v->hashed += n;

    return NGX_OK;
}


ngx_uint_t
ngx_http_registry_verify_idle(ngx_http_registry_verify_t *v)
{
    return !v->running && (v->failed || ngx_queue_empty(&v->pieces));
}


off_t
ngx_http_registry_verify_hashed(ngx_http_registry_verify_t *v)
{
    return v->hashed;
}


ngx_int_t
ngx_http_registry_verify_final(ngx_http_registry_verify_t *v,
    ngx_registry_digest_t *digest)
{
    u_char        md[EVP_MAX_MD_SIZE], hex[2 * EVP_MAX_MD_SIZE];
    unsigned int  len;

    if (v->failed || EVP_DigestFinal_ex(v->md, md, &len) != 1) {
        return NGX_ERROR;
    }

    (void) ngx_registry_hex_write(hex, md, len);

    return (digest->hex.len == 2 * len
            && ngx_memcmp(digest->hex.data, hex, 2 * len) == 0)
           ? NGX_OK : NGX_DECLINED;
}


void
ngx_http_registry_verify_destroy(ngx_http_registry_verify_t *v)
{
    if (v->running) {
        v->gone = 1;
        return;
    }

    ngx_http_registry_verify_free(v);
}


static void
ngx_http_registry_verify_turn(ngx_http_registry_verify_t *v)
{
    ngx_queue_t                    *q;
    ngx_http_registry_piece_t      *piece;
#if (NGX_THREADS)
    ngx_http_registry_main_conf_t  *rmcf;
#endif

    if (v->running || v->failed || ngx_queue_empty(&v->pieces)) {
        return;
    }

    q = ngx_queue_head(&v->pieces);
    piece = ngx_queue_data(q, ngx_http_registry_piece_t, queue);

    v->fd = piece->fd;
    v->pos = piece->pos;
    v->len = (size_t) ngx_min(piece->len, NGX_HTTP_REGISTRY_VERIFY_TURN);

    v->running = 1;

#if (NGX_THREADS)

    rmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_registry_module);

    if (ngx_thread_task_post(rmcf->threads, v->task) == NGX_OK) {
        return;
    }

    /* the queue of the pool is full */

    v->running = 0;
    v->failed = 1;

#else

    ngx_post_event(v->event, &ngx_posted_next_events);

#endif
}


#if !(NGX_THREADS)

static void
ngx_http_registry_verify_posted(ngx_event_t *ev)
{
    ngx_http_registry_verify_run(ev->data, ev->log);
    ngx_http_registry_verify_done(ev);
}

#endif


/* in a thread: nothing of nginx, and nothing of v but what the turn is of */
static void
ngx_http_registry_verify_run(void *data, ngx_log_t *log)
{
    ngx_http_registry_verify_t *v = data;

    off_t    pos;
    size_t   left, n;
    ssize_t  got;

    pos = v->pos;
    left = v->len;

    while (left) {

        n = ngx_min(left, NGX_HTTP_REGISTRY_VERIFY_BUF);

        got = pread(v->fd, v->buf, n, pos);

        if (got <= 0 || EVP_DigestUpdate(v->md, v->buf, got) != 1) {
            v->failed = 1;
            return;
        }

        pos += got;
        left -= got;
    }
}


static void
ngx_http_registry_verify_done(ngx_event_t *ev)
{
    ngx_http_registry_verify_t *v = ev->data;

    ngx_http_registry_piece_t  *piece;

    v->running = 0;

    if (v->gone) {
        ngx_http_registry_verify_free(v);
        return;
    }

    piece = ngx_queue_data(ngx_queue_head(&v->pieces),
                           ngx_http_registry_piece_t, queue);

    piece->pos += v->len;
    piece->len -= v->len;

    v->hashed += v->len;

    if (piece->len == 0) {
        ngx_queue_remove(&piece->queue);
        (void) ngx_close_file(piece->fd);
    }

    if (!v->failed) {
        ngx_http_registry_verify_turn(v);
    }

    if (v->failed || !v->running) {
        v->handler(v->data);
    }
}


static void
ngx_http_registry_verify_free(ngx_http_registry_verify_t *v)
{
    ngx_queue_t                *q;
    ngx_http_registry_piece_t  *piece;

    for (q = ngx_queue_head(&v->pieces);
         q != ngx_queue_sentinel(&v->pieces);
         q = ngx_queue_next(q))
    {
        piece = ngx_queue_data(q, ngx_http_registry_piece_t, queue);

        (void) ngx_close_file(piece->fd);
    }

#if !(NGX_THREADS)

    if (v->event && v->event->posted) {
        ngx_delete_posted_event(v->event);
    }

#endif

    if (v->md) {
        EVP_MD_CTX_free(v->md);
    }

    ngx_destroy_pool(v->pool);
}
