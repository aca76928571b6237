
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_FILE_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_FILE_H_INCLUDED_


/*
 * What nginx's dav module lacks and what may block, in a thread:
 *
 *     stage    before PUT: the bytes are verified, under a temporary name in
 *              registry_upload_path, and on the disk; if the object is to be
 *              created, nobody else creates it meanwhile
 *     settle   after PUT and DELETE: the directories are on the disk
 *     erase    a directory vanishes at once, then its files are removed
 *     sweep    what was staged or erased by a process that died is removed
 *
 * A job owns all that its thread touches.  The request that wants it may die
 * meanwhile: then it is cancelled, which means that nobody is told.
 */


struct ngx_http_registry_file_job_s {

    /* set by the caller; strings are NUL-terminated, and copied */

    ngx_str_t                   root;       /* of the store */
    ngx_str_t                   uploads;    /* registry_upload_path */
    ngx_str_t                   path;       /* of the object, of a directory
                                               to erase */
    ngx_str_t                   spool;      /* staged, or empty: body is */
    ngx_fd_t                    fd;         /* of spool, owned by the job */
    off_t                       size;
    ngx_str_t                   body;
    u_char                      hex[64];    /* SHA-256 that spool must have */
    time_t                      age;        /* of what is swept, seconds */
    ngx_uint_t                  create;     /* not if there is one */
    ngx_uint_t                  removed;    /* settle after DELETE */

    void                      (*done)(ngx_http_registry_file_job_t *job);
    void                       *data;       /* NULL: cancelled */

    /* the result */

    ngx_str_t                   temp;       /* path of what was staged */
    ngx_err_t                   err;        /* 0: it is done */
    const char                 *failed;     /* what could not be done */
    ngx_uint_t                  exists;     /* create: there is one; erase:
                                               there was one */
    ngx_uint_t                  damaged;    /* spool has other bytes */

    /* internal */

    void                      (*work)(ngx_http_registry_file_job_t *job);
    ngx_pool_t                 *pool;
    ngx_log_t                  *log;
    ngx_event_t                 guard;
    ngx_fd_t                    lock;
    ngx_uint_t                  staged;     /* temp is there */
    ngx_uint_t                  running;
};


/* NULL: memory.  All that is set later is allocated from job->pool. */
ngx_http_registry_file_job_t *ngx_http_registry_file_job(
    ngx_http_registry_loc_conf_t *rlcf);

/* a NUL-terminated copy in the job's pool; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_registry_file_copy(ngx_http_registry_file_job_t *job,
    ngx_str_t *dst, ngx_str_t *one, ngx_str_t *two);

/*
 * Each starts a thread, and done is called in the event loop unless it was
 * cancelled.  Returns NGX_OK, or NGX_ERROR and the job is as it was.
 */
ngx_int_t ngx_http_registry_file_stage(ngx_http_registry_file_job_t *job,
    ngx_http_registry_loc_conf_t *rlcf);
ngx_int_t ngx_http_registry_file_settle(ngx_http_registry_file_job_t *job,
    ngx_http_registry_loc_conf_t *rlcf);
ngx_int_t ngx_http_registry_file_erase(ngx_http_registry_file_job_t *job,
    ngx_http_registry_loc_conf_t *rlcf);
ngx_int_t ngx_http_registry_file_sweep(ngx_http_registry_file_job_t *job,
    ngx_http_registry_loc_conf_t *rlcf);

/* what was staged is in its place, or is not wanted: others may create */
void ngx_http_registry_file_unlock(ngx_http_registry_file_job_t *job);

/* the end of a job, also of one whose thread is at work: then it ends later */
void ngx_http_registry_file_close(ngx_http_registry_file_job_t *job);


#endif /* _NGX_HTTP_REGISTRY_FILE_H_INCLUDED_ */
