
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>

#include <sys/file.h>


/* files that the repositories have between them */
#define NGX_HTTP_REGISTRY_LOCK_FILES  256

/* milliseconds between two tries, and of all of them */
#define NGX_HTTP_REGISTRY_LOCK_POLL   10
#define NGX_HTTP_REGISTRY_LOCK_WAIT   60000


static ngx_int_t ngx_http_registry_lock_try(ngx_http_registry_lock_t *lock);
static ngx_int_t ngx_http_registry_lock_paused(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_lock_open(ngx_http_registry_lock_t *lock);
static void ngx_http_registry_lock_cleanup(void *data);
static ngx_int_t ngx_http_registry_lock_fail(ngx_http_registry_lock_t *lock,
    const char *text);


ngx_int_t
ngx_http_registry_lock(ngx_http_registry_lock_t *lock)
{
    if (ngx_http_registry_lock_open(lock) != NGX_OK) {
        return ngx_http_registry_lock_fail(lock,
                              "a lock could not be taken on local disk");
    }

    lock->since = ngx_current_msec;

    return ngx_http_registry_lock_try(lock);
}


static ngx_int_t
ngx_http_registry_lock_try(ngx_http_registry_lock_t *lock)
{
    int                  op;
    ngx_http_request_t  *r;

    r = lock->ctx->request;
    op = lock->exclusive ? LOCK_EX|LOCK_NB : LOCK_SH|LOCK_NB;

    if (flock(lock->fd, op) == 0) {
        return lock->handler(lock->data);
    }

    if (ngx_errno != EWOULDBLOCK && ngx_errno != NGX_EINTR) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, ngx_errno,
                      "flock() in \"%V\" failed, see registry_upload_path",
                      &lock->ctx->conf->upload_path->name);

        return ngx_http_registry_lock_fail(lock,
                              "a lock could not be taken on local disk");
    }

    if (ngx_current_msec - lock->since >= NGX_HTTP_REGISTRY_LOCK_WAIT) {
        return ngx_http_registry_lock_fail(lock,
                              "other requests change this repository");
    }

    lock->pause.handler = ngx_http_registry_lock_paused;
    lock->pause.data = lock;

    ngx_http_registry_store_pause(r, &lock->pause,
                                  NGX_HTTP_REGISTRY_LOCK_POLL);

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_lock_paused(ngx_http_registry_call_t *call)
{
    return ngx_http_registry_lock_try(call->data);
}


static ngx_int_t
ngx_http_registry_lock_open(ngx_http_registry_lock_t *lock)
{
    u_char               path[NGX_MAX_PATH];
    uint32_t             hash;
    ngx_str_t           *folder, *name;
    ngx_http_request_t  *r;
    ngx_http_cleanup_t  *cln;

    r = lock->ctx->request;
    folder = &lock->ctx->conf->upload_path->name;
    name = &lock->ctx->name;

    cln = ngx_http_cleanup_add(r, 0);

    if (cln == NULL || folder->len + sizeof("/lock-00") > NGX_MAX_PATH) {
        return NGX_ERROR;
    }

    hash = ngx_crc32_long(name->data, name->len)
           % NGX_HTTP_REGISTRY_LOCK_FILES;

    (void) ngx_sprintf(path, "%V/lock-%02xD%Z", folder, hash);

    /* a new binary must not inherit the lock */

    lock->fd = open((const char *) path, O_CREAT|O_RDWR|O_CLOEXEC, 0600);

    if (lock->fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed, see "
                      "registry_upload_path", path);
        return NGX_ERROR;
    }

    cln->handler = ngx_http_registry_lock_cleanup;
    cln->data = lock;

    lock->ctx->lock = lock;

    return NGX_OK;
}


static void
ngx_http_registry_lock_cleanup(void *data)
{
    ngx_http_registry_unlock(data);
}


void
ngx_http_registry_unlock(ngx_http_registry_lock_t *lock)
{
    if (lock->fd == NGX_INVALID_FILE) {
        return;
    }

    if (ngx_close_file(lock->fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, lock->ctx->request->connection->log,
                      ngx_errno, ngx_close_file_n " of a lock failed");
    }

    lock->fd = NGX_INVALID_FILE;
}


static ngx_int_t
ngx_http_registry_lock_fail(ngx_http_registry_lock_t *lock, const char *text)
{
    ngx_str_t            message, value;
    ngx_http_request_t  *r;

    r = lock->ctx->request;

    message.data = (u_char *) text;
    message.len = ngx_strlen(text);

    ngx_str_set(&value, "10");

    if (ngx_http_registry_add_header(r, "Retry-After", &value) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_registry_error(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   NGX_REGISTRY_UNAVAILABLE, &message, NULL);
}
