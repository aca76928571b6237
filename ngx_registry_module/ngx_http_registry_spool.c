
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>

#include <sys/file.h>
#include <openssl/rand.h>


static ngx_http_registry_spool_t *ngx_http_registry_spool_new(
    ngx_pool_t *pool, ngx_log_t *log, ngx_str_t *path, ngx_str_t *uuid);
static ngx_int_t ngx_http_registry_spool_lock(ngx_pool_t *pool,
    ngx_http_registry_spool_t *spool, int flags);
static ngx_int_t ngx_http_registry_spool_linked(
    ngx_http_registry_spool_t *spool);
static ngx_int_t ngx_http_registry_spool_load(ngx_pool_t *pool,
    ngx_http_registry_spool_t *spool);
static ngx_int_t ngx_http_registry_spool_set(ngx_pool_t *pool,
    ngx_http_registry_spool_t *spool, ngx_registry_upload_t *upload);
static ngx_int_t ngx_http_registry_spool_copy(ngx_pool_t *pool,
    ngx_str_t *dst, ngx_registry_span_t *src);
static ngx_int_t ngx_http_registry_spool_cut(
    ngx_http_registry_spool_t *spool);
static void ngx_http_registry_spool_cleanup(void *data);


ngx_http_registry_spool_t *
ngx_http_registry_spool_create(ngx_pool_t *pool, ngx_log_t *log,
    ngx_str_t *path, ngx_str_t *name)
{
    u_char                      text[NGX_REGISTRY_UUID_LEN], random[16];
    ngx_str_t                   uuid;
    ngx_http_registry_spool_t  *spool;

    if (RAND_bytes(random, sizeof(random)) != 1) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "RAND_bytes() failed");
        ngx_set_errno(0);
        return NULL;
    }

    uuid.data = text;
    uuid.len = ngx_registry_uuid_write(text, random) - text;

    spool = ngx_http_registry_spool_new(pool, log, path, &uuid);
    if (spool == NULL) {
        return NULL;
    }

    spool->name = *name;

    ngx_registry_hash_init(&spool->hash, NGX_REGISTRY_SHA256);

    if (ngx_http_registry_spool_lock(pool, spool, O_CREAT|O_EXCL) != NGX_OK) {
        return NULL;
    }

    return spool;
}


ngx_int_t
ngx_http_registry_spool_open(ngx_pool_t *pool, ngx_log_t *log,
    ngx_str_t *path, ngx_str_t *uuid, ngx_http_registry_spool_t **spool)
{
    ngx_int_t  rc, busy;

    if (!ngx_registry_uuid_check(uuid->data, uuid->data + uuid->len)) {
        return NGX_DECLINED;
    }

    *spool = ngx_http_registry_spool_new(pool, log, path, uuid);
    if (*spool == NULL) {
        return NGX_ERROR;
    }

    busy = ngx_http_registry_spool_lock(pool, *spool, 0);

    if (busy != NGX_OK && busy != NGX_BUSY) {
        return busy;
    }

    rc = ngx_http_registry_spool_load(pool, *spool);

    /* what another one holds may have no state yet */

    if (busy == NGX_BUSY && rc != NGX_ERROR) {
        return NGX_BUSY;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_registry_spool_cut(*spool);
}


/*
 * Only where there is something to cut: after ftruncate(), whatever it did,
 * ext4 writes the whole file to disk when it is closed, and the file is new.
 */
static ngx_int_t
ngx_http_registry_spool_cut(ngx_http_registry_spool_t *spool)
{
    struct stat  sb;

    if (fstat(spool->file.fd, &sb) == 0 && sb.st_size == spool->offset) {
        return NGX_OK;
    }

    if (ftruncate(spool->file.fd, spool->offset) == -1) {
        ngx_log_error(NGX_LOG_ERR, spool->log, ngx_errno,
                      "ftruncate() \"%V\" failed", &spool->file.name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_http_registry_spool_t *
ngx_http_registry_spool_new(ngx_pool_t *pool, ngx_log_t *log, ngx_str_t *path,
    ngx_str_t *uuid)
{
    u_char                     *p;
    ngx_http_registry_spool_t  *spool;

    spool = ngx_pcalloc(pool, sizeof(ngx_http_registry_spool_t));
    p = ngx_pnalloc(pool, 2 * (path->len + uuid->len) + sizeof("/.state")
                          + sizeof("/.data"));

    if (spool == NULL || p == NULL) {
        ngx_set_errno(NGX_ENOMEM);
        return NULL;
    }

    spool->log = log;
    spool->file.fd = NGX_INVALID_FILE;
    spool->file.log = log;

    spool->file.name.data = p;
    p = ngx_sprintf(p, "%V/%V.data%Z", path, uuid);
    spool->file.name.len = p - spool->file.name.data - 1;

    spool->state.data = p;
    p = ngx_sprintf(p, "%V/%V.state%Z", path, uuid);
    spool->state.len = p - spool->state.data - 1;

    spool->uuid.data = spool->state.data + path->len + 1;
    spool->uuid.len = uuid->len;

    return spool;
}


static ngx_int_t
ngx_http_registry_spool_lock(ngx_pool_t *pool,
    ngx_http_registry_spool_t *spool, int flags)
{
    ngx_fd_t             fd;
    struct stat          sb;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(pool, 0);
    if (cln == NULL) {
        ngx_set_errno(NGX_ENOMEM);
        return NGX_ERROR;
    }

    /* a new binary must not inherit the lock */

    fd = open((const char *) spool->file.name.data, flags|O_RDWR|O_CLOEXEC,
              0600);

    if (fd == NGX_INVALID_FILE) {

        if (ngx_errno == NGX_ENOENT && flags == 0) {
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_ERR, spool->log, ngx_errno,
                      ngx_open_file_n " \"%V\" failed, see "
                      "registry_upload_path", &spool->file.name);
        return NGX_ERROR;
    }

    spool->file.fd = fd;

    cln->handler = ngx_http_registry_spool_cleanup;
    cln->data = spool;

    if (flock(fd, LOCK_EX|LOCK_NB) == -1) {

        if (ngx_errno == EWOULDBLOCK) {
            return NGX_BUSY;
        }

        ngx_log_error(NGX_LOG_ERR, spool->log, ngx_errno,
                      "flock() \"%V\" failed", &spool->file.name);
        return NGX_ERROR;
    }

    /* who had the lock before may have removed the session */

    if (fstat(fd, &sb) == -1 || sb.st_nlink == 0) {
        return NGX_DECLINED;
    }

    return (sb.st_nlink == 1) ? NGX_OK
                              : ngx_http_registry_spool_linked(spool);
}


/*
 * A local store gives the file a second name, and then its final one.  If it
 * has got that, it is a blob by now, and not to be written to any more.
 */
static ngx_int_t
ngx_http_registry_spool_linked(ngx_http_registry_spool_t *spool)
{
    u_char       name[NGX_MAX_PATH];
    struct stat  sb;

    if (spool->file.name.len < sizeof(name)) {

        (void) ngx_sprintf(name, "%*s.put%Z",
                           spool->file.name.len - (sizeof(".data") - 1),
                           spool->file.name.data);

        (void) ngx_delete_file(name);
    }

    if (fstat(spool->file.fd, &sb) == 0 && sb.st_nlink == 1) {
        return NGX_OK;
    }

    spool->saved = 1;
    ngx_http_registry_spool_remove(spool);

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_registry_spool_load(ngx_pool_t *pool,
    ngx_http_registry_spool_t *spool)
{
    u_char                 *buf;
    ssize_t                 n;
    ngx_fd_t                fd;
    ngx_err_t               err;
    ngx_registry_upload_t   upload;
    ngx_registry_status_e   rc;

    buf = ngx_pnalloc(pool, NGX_REGISTRY_UPLOAD_STATE_MAX);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    fd = ngx_open_file(spool->state.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        err = ngx_errno;

        if (err == NGX_ENOENT) {
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_ERR, spool->log, err,
                      ngx_open_file_n " \"%V\" failed", &spool->state);
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, buf, NGX_REGISTRY_UPLOAD_STATE_MAX);

    (void) ngx_close_file(fd);

    rc = (n < 0) ? NGX_REGISTRY_INVALID
                 : ngx_registry_upload_parse(buf, buf + n, &upload);

    if (rc != NGX_REGISTRY_OK) {
        ngx_log_error(NGX_LOG_ERR, spool->log, 0,
                      "registry: \"%V\" is not a state that this version "
                      "knows, the upload cannot go on", &spool->state);
        return NGX_DECLINED;
    }

    return ngx_http_registry_spool_set(pool, spool, &upload);
}


static ngx_int_t
ngx_http_registry_spool_set(ngx_pool_t *pool,
    ngx_http_registry_spool_t *spool, ngx_registry_upload_t *upload)
{
    struct stat  sb;

    if (ngx_http_registry_spool_copy(pool, &spool->name, &upload->name)
        != NGX_OK
        || ngx_http_registry_spool_copy(pool, &spool->key, &upload->key)
           != NGX_OK
        || ngx_http_registry_spool_copy(pool, &spool->upload_id,
                                        &upload->upload_id)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    spool->offset = upload->offset;
    spool->saved = 1;

    ngx_registry_hash_load(&spool->hash, upload->hash);

    if (fstat(spool->file.fd, &sb) == -1 || sb.st_size < spool->offset) {
        ngx_log_error(NGX_LOG_ERR, spool->log, 0,
                      "registry: \"%V\" has fewer bytes than were promised, "
                      "the upload cannot go on", &spool->file.name);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_spool_copy(ngx_pool_t *pool, ngx_str_t *dst,
    ngx_registry_span_t *src)
{
    dst->len = src->len;

    dst->data = ngx_pnalloc(pool, src->len + 1);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    if (src->len) {
        ngx_memcpy(dst->data, src->data, src->len);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_registry_spool_append(ngx_http_registry_spool_t *spool, u_char *data,
    size_t n)
{
    if (n == 0) {
        return NGX_OK;
    }

    if (ngx_write_file(&spool->file, data, n, spool->offset) != (ssize_t) n) {
        return NGX_ERROR;
    }

    ngx_registry_hash_update(&spool->hash, data, n);
    spool->offset += n;

    return NGX_OK;
}


ngx_int_t
ngx_http_registry_spool_save(ngx_http_registry_spool_t *spool)
{
    u_char                  buf[NGX_REGISTRY_UPLOAD_STATE_MAX], *last;
    u_char                  temp[NGX_MAX_PATH];
    ssize_t                 n;
    ngx_fd_t                fd;
    ngx_registry_upload_t   upload;

    upload.name = ngx_http_registry_span(&spool->name);
    upload.key = ngx_http_registry_span(&spool->key);
    upload.upload_id = ngx_http_registry_span(&spool->upload_id);
    upload.offset = spool->offset;
    ngx_registry_hash_save(&spool->hash, upload.hash);

    last = ngx_registry_upload_write(buf, &upload);

    if (last == NULL || spool->state.len + sizeof(".new") > NGX_MAX_PATH) {
        ngx_log_error(NGX_LOG_ERR, spool->log, 0,
                      "registry: the state of the upload cannot be written "
                      "to \"%V\"", &spool->state);
        return NGX_ERROR;
    }

    (void) ngx_sprintf(temp, "%V.new%Z", &spool->state);

    fd = ngx_open_file(temp, NGX_FILE_WRONLY, NGX_FILE_TRUNCATE, 0600);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, spool->log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed", temp);
        return NGX_ERROR;
    }

    n = ngx_write_fd(fd, buf, last - buf);

    if (ngx_close_file(fd) == NGX_FILE_ERROR || n != last - buf
        || ngx_rename_file(temp, spool->state.data) == NGX_FILE_ERROR)
    {
        ngx_log_error(NGX_LOG_ERR, spool->log, ngx_errno,
                      "registry: the state \"%V\" could not be written",
                      &spool->state);
        (void) ngx_delete_file(temp);
        return NGX_ERROR;
    }

    spool->saved = 1;

    return NGX_OK;
}


ngx_int_t
ngx_http_registry_spool_restore(ngx_http_registry_spool_t *spool)
{
    u_char                 buf[NGX_REGISTRY_UPLOAD_STATE_MAX];
    ssize_t                n;
    ngx_fd_t               fd;
    ngx_registry_upload_t  upload;

    fd = ngx_open_file(spool->state.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, buf, sizeof(buf));

    (void) ngx_close_file(fd);

    if (n < 0
        || ngx_registry_upload_parse(buf, buf + n, &upload) != NGX_REGISTRY_OK
        || ftruncate(spool->file.fd, upload.offset) == -1)
    {
        return NGX_ERROR;
    }

    spool->offset = upload.offset;
    spool->file.offset = upload.offset;
    ngx_registry_hash_load(&spool->hash, upload.hash);

    return NGX_OK;
}


ngx_http_registry_spool_t *
ngx_http_registry_spool_move(ngx_http_registry_spool_t *spool,
    ngx_pool_t *pool, ngx_log_t *log)
{
    ngx_str_t                   path, uuid;
    ngx_pool_cleanup_t         *cln;
    ngx_registry_span_t         name, key, upload_id;
    ngx_http_registry_spool_t  *moved;

    path.data = spool->state.data;
    path.len = spool->uuid.data - spool->state.data - 1;
    uuid = spool->uuid;

    moved = ngx_http_registry_spool_new(pool, log, &path, &uuid);
    cln = ngx_pool_cleanup_add(pool, 0);

    name = ngx_http_registry_span(&spool->name);
    key = ngx_http_registry_span(&spool->key);
    upload_id = ngx_http_registry_span(&spool->upload_id);

    if (moved == NULL || cln == NULL
        || ngx_http_registry_spool_copy(pool, &moved->name, &name) != NGX_OK
        || ngx_http_registry_spool_copy(pool, &moved->key, &key) != NGX_OK
        || ngx_http_registry_spool_copy(pool, &moved->upload_id, &upload_id)
           != NGX_OK)
    {
        return NULL;
    }

    moved->offset = spool->offset;
    moved->hash = spool->hash;
    moved->saved = spool->saved;
    moved->single = spool->single;
    moved->file.fd = spool->file.fd;

    spool->file.fd = NGX_INVALID_FILE;

    cln->handler = ngx_http_registry_spool_cleanup;
    cln->data = moved;

    return moved;
}


void
ngx_http_registry_spool_remove(ngx_http_registry_spool_t *spool)
{
    /* a state without a spool would be a promise that cannot be kept */

    if (spool->saved
        && ngx_delete_file(spool->state.data) == NGX_FILE_ERROR
        && ngx_errno != NGX_ENOENT)
    {
        ngx_log_error(NGX_LOG_ERR, spool->log, ngx_errno,
                      ngx_delete_file_n " \"%V\" failed", &spool->state);
    }

    spool->saved = 0;

    if (ngx_delete_file(spool->file.name.data) == NGX_FILE_ERROR
        && ngx_errno != NGX_ENOENT)
    {
        ngx_log_error(NGX_LOG_ERR, spool->log, ngx_errno,
                      ngx_delete_file_n " \"%V\" failed", &spool->file.name);
    }
}


void
ngx_http_registry_spool_close(ngx_http_registry_spool_t *spool)
{
    if (spool->file.fd == NGX_INVALID_FILE) {
        return;
    }

    if (ngx_close_file(spool->file.fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, spool->log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", &spool->file.name);
    }

    spool->file.fd = NGX_INVALID_FILE;
}


static void
ngx_http_registry_spool_cleanup(void *data)
{
    ngx_http_registry_spool_close(data);
}
