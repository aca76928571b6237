
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_SPOOL_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_SPOOL_H_INCLUDED_


/*
 * Upload sessions on local disk, below registry_upload_path: for each a spool
 * file <uuid>.data with the bytes, and a state <uuid>.state, which is replaced
 * by a rename after the bytes that it speaks of have been written.  A session
 * in use is locked by flock() on its spool file, which ends with the process,
 * however that ends.  What the spool has beyond the state is cut off when the
 * session is taken up again.
 *
 * Reads and writes are those of the page cache, as nginx's own temporary
 * files are written.
 */


typedef struct {
    ngx_str_t                uuid;
    ngx_str_t                name;        /* of the repository */
    ngx_str_t                key;         /* of the object that is written */
    ngx_str_t                upload_id;   /* of a multipart upload, or empty */
    ngx_file_t               file;        /* the spool */
    ngx_str_t                state;       /* its path, NUL-terminated */
    off_t                    offset;      /* bytes received */
    ngx_registry_hash_t      hash;        /* SHA-256 of them */
    ngx_log_t               *log;
    unsigned                 saved:1;     /* there is a state */
    unsigned                 single:1;    /* of one request, no client knows
                                             its uuid; set by the caller */
} ngx_http_registry_spool_t;


/*
 * A new session for a repository, locked.  The file is closed, and the lock
 * ends, with the pool.  NULL on failure, which is in the log; ngx_errno is
 * set.
 */
ngx_http_registry_spool_t *ngx_http_registry_spool_create(ngx_pool_t *pool,
    ngx_log_t *log, ngx_str_t *path, ngx_str_t *name);

/*
 * Takes up a session.  NGX_OK: it is locked and *spool has it; NGX_DECLINED:
 * there is none; NGX_BUSY: another request has it, and *spool has what its
 * state says; NGX_ERROR: the failure is in the log.
 */
ngx_int_t ngx_http_registry_spool_open(ngx_pool_t *pool, ngx_log_t *log,
    ngx_str_t *path, ngx_str_t *uuid, ngx_http_registry_spool_t **spool);

/* appends bytes to file and hash; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_registry_spool_append(ngx_http_registry_spool_t *spool,
    u_char *data, size_t n);

/* writes the state: from now on the bytes are promised */
ngx_int_t ngx_http_registry_spool_save(ngx_http_registry_spool_t *spool);

/* as it was when it was saved last */
ngx_int_t ngx_http_registry_spool_restore(ngx_http_registry_spool_t *spool);

/*
 * Hands the session, with file and lock, over to another pool; the old spool
 * is closed.  NULL if there is no memory, then nothing has changed.
 */
ngx_http_registry_spool_t *ngx_http_registry_spool_move(
    ngx_http_registry_spool_t *spool, ngx_pool_t *pool, ngx_log_t *log);

/* removes the session from disk */
void ngx_http_registry_spool_remove(ngx_http_registry_spool_t *spool);

/* closes the file, and with it the lock, before the pool ends */
void ngx_http_registry_spool_close(ngx_http_registry_spool_t *spool);


#endif /* _NGX_HTTP_REGISTRY_SPOOL_H_INCLUDED_ */
