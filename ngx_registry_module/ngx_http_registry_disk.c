
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* bytes per second of one writer: memory takes a hundred times as many */
#define NGX_HTTP_REGISTRY_DISK_RATE    (20 * 1024 * 1024)

/* nanoseconds of writing that are looked at together */
#define NGX_HTTP_REGISTRY_DISK_WINDOW  100000000

/* ms for which a disk is left out, twice as long each time up to the last */
#define NGX_HTTP_REGISTRY_DISK_PAUSE   2000
#define NGX_HTTP_REGISTRY_DISK_MAX     60000

/* ms after which it is forgiven */
#define NGX_HTTP_REGISTRY_DISK_QUIET   300000


/* of a worker process */

static struct {
    uint64_t    busy;        /* ns spent with writing */
    uint64_t    bytes;       /* that were written in this time */
    ngx_msec_t  until;       /* it is left out */
    ngx_msec_t  pause;       /* for as long */
    unsigned    behind:1;
} ngx_http_registry_disk;


static void ngx_http_registry_disk_leave(ngx_log_t *log, const char *why);


#if (NGX_THREADS)

/* what a thread writes, and how long it took */

typedef struct {
    void      (*handler)(void *data, ngx_log_t *log);
    void       *ctx;
    uint64_t    took;        /* ns */
} ngx_http_registry_disk_write_t;


static ngx_int_t ngx_http_registry_disk_write(ngx_thread_task_t *task,
    ngx_file_t *file);
static void ngx_http_registry_disk_run(void *data, ngx_log_t *log);
static void ngx_http_registry_disk_written(ngx_event_t *ev);
static void ngx_http_registry_disk_account(ngx_http_registry_sub_t *sub);


void
ngx_http_registry_disk_pipe(ngx_http_registry_sub_t *sub)
{
    ngx_event_pipe_t  *p;

    p = sub->request->upstream->pipe;

    /* "aio_write on" of nginx before 1.25.4 does not survive an abort */

    p->thread_handler = ngx_http_registry_disk_write;
    p->thread_ctx = sub->request;
}


static ngx_int_t
ngx_http_registry_disk_write(ngx_thread_task_t *task, ngx_file_t *file)
{
    ngx_http_request_t              *r;
    ngx_http_registry_sub_t         *sub;
    ngx_http_registry_main_conf_t   *rmcf;
    ngx_http_registry_disk_write_t  *write;

    r = file->thread_ctx;
    sub = ngx_http_get_module_ctx(r, ngx_http_registry_module);
    rmcf = ngx_http_get_module_main_conf(r, ngx_http_registry_module);

    write = sub->writing;

    if (write == NULL) {
        write = ngx_palloc(r->pool, sizeof(ngx_http_registry_disk_write_t));
        if (write == NULL) {
            return NGX_ERROR;
        }

        sub->writing = write;
    }

    write->handler = task->handler;
    write->ctx = task->ctx;

    sub->task = task;

    task->handler = ngx_http_registry_disk_run;
    task->ctx = write;
    task->event.data = r;
    task->event.handler = ngx_http_registry_disk_written;

    if (ngx_thread_task_post(rmcf->threads, task) != NGX_OK) {
        task->handler = write->handler;
        task->ctx = write->ctx;
        return NGX_ERROR;
    }

    /* HTTP/2 may send the same file meanwhile, and would call this as well;
       nginx sets it again before each write */

    file->thread_handler = NULL;

    r->main->blocked++;
    r->aio = 1;
    r->upstream->pipe->aio = 1;

    return NGX_OK;
}


static void
ngx_http_registry_disk_run(void *data, ngx_log_t *log)
{
    ngx_http_registry_disk_write_t *write = data;

    struct timespec  begun, ended;

    (void) clock_gettime(CLOCK_MONOTONIC, &begun);

    write->handler(write->ctx, log);

    (void) clock_gettime(CLOCK_MONOTONIC, &ended);

    write->took = (uint64_t) (ended.tv_sec - begun.tv_sec) * 1000000000
                  + (uint64_t) ended.tv_nsec - (uint64_t) begun.tv_nsec;
}


static void
ngx_http_registry_disk_written(ngx_event_t *ev)
{
    ngx_event_pipe_t                *p;
    ngx_connection_t                *c;
    ngx_http_request_t              *r;
    ngx_http_registry_sub_t         *sub;
    ngx_http_registry_disk_write_t  *write;

    r = ev->data;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    sub = ngx_http_get_module_ctx(r, ngx_http_registry_module);
    p = r->upstream->pipe;

    /* nginx keeps the task, and uses it again */

    write = sub->writing;

    sub->task->handler = write->handler;
    sub->task->ctx = write->ctx;

    r->main->blocked--;
    r->aio = 0;
    p->aio = 0;

    if (sub->ctx->terminated) {

        /*
         * the request was ended meanwhile, and was kept for what is still
         * being written: its upstreams are closed, and must not be run
         */

        if (r->main->blocked == 0) {
            ngx_http_finalize_request(r->main, NGX_ERROR);
            ngx_http_run_posted_requests(c);
        }

        return;
    }

    ngx_http_registry_disk_account(sub);

    r->write_event_handler(r);

    if (c->write->delayed && !sub->done && r->upstream->read_event_handler) {

        /* a client with a limited rate does not hold up a file */

        r->upstream->read_event_handler(r, r->upstream);
    }

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_registry_disk_account(ngx_http_registry_sub_t *sub)
{
    off_t                            n;
    ngx_uint_t                       slow;
    ngx_event_pipe_t                *p;
    ngx_http_registry_disk_write_t  *write;

    p = sub->request->upstream->pipe;
    write = sub->writing;

    /* what was written is accounted for with the write before it */

    n = p->temp_file->offset - sub->written;
    sub->written = p->temp_file->offset;

    ngx_http_registry_disk.busy += write->took;
    ngx_http_registry_disk.bytes += n;

    if (ngx_http_registry_disk.busy >= NGX_HTTP_REGISTRY_DISK_WINDOW) {

        slow = ngx_http_registry_disk.bytes * 1000
               / (ngx_http_registry_disk.busy / 1000000)
               < NGX_HTTP_REGISTRY_DISK_RATE;

        ngx_http_registry_disk.busy = 0;
        ngx_http_registry_disk.bytes = 0;

        if (slow) {
            ngx_http_registry_disk_leave(sub->request->connection->log,
                                         "is slower than S3");
        }
    }

    /* who is held up by it goes on without it, from the byte reached */

    if (ngx_http_registry_disk_behind(sub->op->conf)
        && sub->streaming && !sub->whole
        && !p->upstream_done && !p->upstream_eof)
    {
        sub->left = 1;
        p->upstream_error = 1;
    }
}

#else

void
ngx_http_registry_disk_pipe(ngx_http_registry_sub_t *sub)
{
}

#endif


ngx_uint_t
ngx_http_registry_disk_behind(ngx_http_registry_loc_conf_t *rlcf)
{
    if (!ngx_http_registry_disk.behind) {
        return 0;
    }

    if ((ngx_msec_int_t) (ngx_http_registry_disk.until - ngx_current_msec) > 0)
    {
        return 1;
    }

    ngx_http_registry_disk.behind = 0;

    return 0;
}


ngx_uint_t
ngx_http_registry_disk_failed(ngx_http_registry_sub_t *sub)
{
    ngx_event_pipe_t  *p;

    if (!sub->filed || sub->request->cached || sub->left || sub->rejected
        || sub->mismatch || !sub->streaming || sub->request->upstream == NULL)
    {
        return 0;
    }

    p = sub->request->upstream->pipe;

    /* nothing is wrong with what came from S3 */

    if (p == NULL || p->upstream_error || p->upstream_eof
        || p->downstream_error || sub->rc != NGX_ERROR)
    {
        return 0;
    }

    ngx_http_registry_disk_leave(sub->request->connection->log,
                                 "cannot be written");

    return 1;
}


static void
ngx_http_registry_disk_leave(ngx_log_t *log, const char *why)
{
    ngx_msec_t  now;

    now = ngx_current_msec;

    if (ngx_http_registry_disk.behind
        && (ngx_msec_int_t) (ngx_http_registry_disk.until - now) > 0)
    {
        return;
    }

    if (ngx_http_registry_disk.pause == 0
        || now - ngx_http_registry_disk.until > NGX_HTTP_REGISTRY_DISK_QUIET)
    {
        ngx_http_registry_disk.pause = NGX_HTTP_REGISTRY_DISK_PAUSE;

    } else {
        ngx_http_registry_disk.pause =
                              ngx_min(2 * ngx_http_registry_disk.pause,
                                      NGX_HTTP_REGISTRY_DISK_MAX);
    }

    ngx_http_registry_disk.behind = 1;
    ngx_http_registry_disk.until = now + ngx_http_registry_disk.pause;

    ngx_log_error(NGX_LOG_WARN, log, 0,
                  "registry: the disk of the cache of blobs %s, they are "
                  "served without being cached for %M ms", why,
                  ngx_http_registry_disk.pause);
}
