
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>

#include <sys/statvfs.h>


static ngx_int_t ngx_http_registry_dav_source(ngx_http_registry_sub_t *sub,
    ngx_http_registry_file_job_t *job);
static void ngx_http_registry_dav_staged(ngx_http_registry_file_job_t *job);
static ngx_int_t ngx_http_registry_dav_body(ngx_http_registry_sub_t *sub);
static ngx_uint_t ngx_http_registry_dav_status(ngx_err_t err);
static ngx_uint_t ngx_http_registry_dav_reason(ngx_http_registry_op_t *op);
static void ngx_http_registry_dav_sub_cleanup(void *data);
static void ngx_http_registry_dav_settled(ngx_http_registry_file_job_t *job);
static void ngx_http_registry_dav_erased(ngx_http_registry_file_job_t *job);
static ngx_int_t ngx_http_registry_dav_erase_done(
    ngx_http_registry_call_t *call);
static void ngx_http_registry_dav_swept(ngx_http_registry_file_job_t *job);


ngx_int_t
ngx_http_registry_dav_stage(ngx_http_registry_sub_t *sub)
{
    ngx_http_cleanup_t             *cln;
    ngx_http_request_t             *sr;
    ngx_http_registry_op_t         *op;
    ngx_http_registry_file_job_t   *job;

    sr = sub->request;
    op = sub->op;

    cln = ngx_http_cleanup_add(sr, 0);
    job = ngx_http_registry_file_job(op->conf);

    if (cln == NULL || job == NULL) {
        if (job) {
            ngx_http_registry_file_close(job);
        }

        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_registry_dav_sub_cleanup;
    cln->data = sub;

    sub->job = job;

    job->create = op->create;
    job->done = ngx_http_registry_dav_staged;
    job->data = sub;

    if (ngx_http_registry_file_copy(job, &job->path, &op->conf->dav_path,
                                    &op->key)
        != NGX_OK
        || ngx_http_registry_dav_source(sub, job) != NGX_OK
        || ngx_http_registry_file_stage(job, op->conf) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    sr->main->count++;

    return NGX_DONE;
}


static ngx_int_t
ngx_http_registry_dav_source(ngx_http_registry_sub_t *sub,
    ngx_http_registry_file_job_t *job)
{
    ngx_http_registry_op_t  *op;

    op = sub->op;

    if (op->file_len == -1) {
        return ngx_http_registry_file_copy(job, &job->body, &op->body, NULL);
    }

    if (op->payload.len != sizeof(job->hex)) {
        return NGX_ERROR;
    }

    ngx_memcpy(job->hex, op->payload.data, sizeof(job->hex));

    job->size = op->file_len;

    job->fd = fcntl(op->file->fd, F_DUPFD_CLOEXEC, 0);

    if (job->fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, sub->request->connection->log, ngx_errno,
                      "fcntl(F_DUPFD_CLOEXEC) failed");
        return NGX_ERROR;
    }

    return ngx_http_registry_file_copy(job, &job->spool, &op->file->name,
                                       NULL);
}


static void
ngx_http_registry_dav_staged(ngx_http_registry_file_job_t *job)
{
    ngx_int_t                 rc;
    ngx_connection_t         *c;
    ngx_http_request_t       *sr;
    ngx_http_registry_sub_t  *sub;

    sub = job->data;
    sr = sub->request;
    c = sr->connection;

    ngx_http_set_log_request(c->log, sr);

    if (job->err) {
        sub->err = job->err;
        rc = ngx_http_registry_dav_status(job->err);

    } else if (job->exists) {
        rc = NGX_HTTP_PRECONDITION_FAILED;

    } else if (job->damaged) {
        sub->damaged = 1;
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    } else if (ngx_http_registry_dav_body(sub) != NGX_OK) {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    } else {
        /* nginx's handler of PUT goes on */
        rc = NGX_DECLINED;
    }

    ngx_http_finalize_request(sr, rc);

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_registry_dav_body(ngx_http_registry_sub_t *sub)
{
    ngx_temp_file_t          *file;
    ngx_http_request_body_t  *rb;

    /* what a client's body in a file looks like */

    rb = ngx_pcalloc(sub->request->pool, sizeof(ngx_http_request_body_t));
    file = ngx_pcalloc(sub->request->pool, sizeof(ngx_temp_file_t));

    if (rb == NULL || file == NULL) {
        return NGX_ERROR;
    }

    file->file.fd = NGX_INVALID_FILE;
    file->file.log = sub->request->connection->log;
    file->file.name = sub->job->temp;

    rb->temp_file = file;
    sub->request->request_body = rb;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_registry_dav_status(ngx_err_t err)
{
    switch (err) {

    case NGX_ENOSPC:
    case EDQUOT:
        return NGX_HTTP_INSUFFICIENT_STORAGE;

    case NGX_EACCES:
    case NGX_EPERM:
    case EROFS:
        return NGX_HTTP_FORBIDDEN;

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


/*
 * nginx's handler says 500, whatever it was: whether the disk is full, or the
 * last directory on the way to the file cannot be written.
 */
static ngx_uint_t
ngx_http_registry_dav_reason(ngx_http_registry_op_t *op)
{
    u_char          path[NGX_MAX_PATH], *p;
    ngx_str_t      *root;
    struct statvfs  fs;

    root = &op->conf->dav_path;

    if (root->len + 1 + op->key.len >= sizeof(path)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (statvfs((char *) root->data, &fs) == 0
        && (fs.f_bavail == 0 || (fs.f_files && fs.f_favail == 0)))
    {
        return NGX_HTTP_INSUFFICIENT_STORAGE;
    }

    p = ngx_sprintf(path, "%V/%V%Z", root, &op->key);

    for (p--; p > path; p--) {

        if (*p != '/') {
            continue;
        }

        *p = '\0';

        if (access((char *) path, W_OK|X_OK) == 0) {
            break;
        }

        if (ngx_errno != NGX_ENOENT) {
            return ngx_http_registry_dav_status(ngx_errno);
        }
    }

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static void
ngx_http_registry_dav_sub_cleanup(void *data)
{
    ngx_http_registry_sub_t *sub = data;

    if (sub->job) {
        ngx_http_registry_file_close(sub->job);
        sub->job = NULL;
    }
}


ngx_int_t
ngx_http_registry_dav_settle(ngx_http_registry_call_t *call)
{
    ngx_str_t                       prefix;
    ngx_http_cleanup_t             *cln;
    ngx_http_registry_sub_t        *sub;
    ngx_http_registry_file_job_t   *job;

    sub = call->sub;

    if (sub->job) {
        ngx_http_registry_file_close(sub->job);
        sub->job = NULL;
    }

    if (sub->status == NGX_HTTP_INTERNAL_SERVER_ERROR && sub->err == 0
        && !sub->damaged)
    {
        sub->status = ngx_http_registry_dav_reason(&call->op);
    }

    if (sub->status < NGX_HTTP_OK
        || sub->status >= NGX_HTTP_SPECIAL_RESPONSE)
    {
        return NGX_OK;
    }

    cln = ngx_http_cleanup_add(call->request, 0);
    job = ngx_http_registry_file_job(call->op.conf);

    if (cln == NULL || job == NULL) {
        goto failed;
    }

    prefix = call->op.conf->dav_path;

    job->removed = (call->op.method.data[0] == 'D');
    job->done = ngx_http_registry_dav_settled;
    job->data = call;

    if (ngx_http_registry_file_copy(job, &job->path, &prefix, &call->op.key)
        != NGX_OK
        || ngx_http_registry_file_settle(job, call->op.conf) != NGX_OK)
    {
        goto failed;
    }

    sub->job = job;

    cln->handler = ngx_http_registry_dav_sub_cleanup;
    cln->data = sub;

    return NGX_AGAIN;

failed:

    if (job) {
        ngx_http_registry_file_close(job);
    }

    sub->status = NGX_HTTP_INTERNAL_SERVER_ERROR;

    return NGX_OK;
}


static void
ngx_http_registry_dav_settled(ngx_http_registry_file_job_t *job)
{
    ngx_http_registry_sub_t   *sub;
    ngx_http_registry_call_t  *call;

    call = job->data;
    sub = call->sub;

    if (job->err) {
        sub->err = job->err;
        sub->status = ngx_http_registry_dav_status(job->err);
    }

    sub->job = NULL;
    ngx_http_registry_file_close(job);

    ngx_http_registry_store_settled(call);
}


ngx_int_t
ngx_http_registry_dav_erase(ngx_http_registry_erase_t *erase)
{
    ngx_str_t                      key;
    ngx_http_request_t            *r;
    ngx_http_cleanup_t            *cln;
    ngx_http_registry_call_t      *call;
    ngx_http_registry_file_job_t  *job;

    r = erase->ctx->request;
    call = &erase->list.call;

    /* no subrequest, but a call all the same: it is what drives r */

    cln = ngx_http_cleanup_add(r, 0);
    call->sub = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_sub_t));
    job = ngx_http_registry_file_job(erase->ctx->conf);

    if (cln == NULL || call->sub == NULL || job == NULL) {
        goto failed;
    }

    key = erase->prefix;
    key.len--;

    erase->op.conf = erase->ctx->conf;
    erase->op.key = erase->prefix;
    ngx_str_set(&erase->op.method, "DELETE");

    call->handler = ngx_http_registry_dav_erase_done;
    call->data = erase;

    job->done = ngx_http_registry_dav_erased;
    job->data = erase;

    if (!ngx_registry_key_check(key.data, key.data + key.len)
        || ngx_http_registry_file_copy(job, &job->path,
                                       &erase->ctx->conf->dav_path, &key)
           != NGX_OK
        || ngx_http_registry_file_erase(job, erase->ctx->conf) != NGX_OK)
    {
        goto failed;
    }

    call->sub->job = job;

    cln->handler = ngx_http_registry_dav_sub_cleanup;
    cln->data = call->sub;

    ngx_http_registry_store_wait(r, call);

    return NGX_AGAIN;

failed:

    if (job) {
        ngx_http_registry_file_close(job);
    }

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static void
ngx_http_registry_dav_erased(ngx_http_registry_file_job_t *job)
{
    ngx_http_registry_call_t   *call;
    ngx_http_registry_erase_t  *erase;

    erase = job->data;
    call = &erase->list.call;

    if (job->err) {
        erase->result.status = ngx_http_registry_dav_status(job->err);
        ngx_http_registry_result_fault(&erase->result,
                                       "the directory stays",
                                       "see the lines above in the error "
                                       "log");

    } else if (!job->exists) {
        erase->result.outcome = NGX_HTTP_REGISTRY_NOT_FOUND;

    } else {
        erase->result.outcome = NGX_HTTP_REGISTRY_OK;
    }

    call->sub->job = NULL;
    ngx_http_registry_file_close(job);

    ngx_http_registry_store_settled(call);
}


static ngx_int_t
ngx_http_registry_dav_erase_done(ngx_http_registry_call_t *call)
{
    ngx_http_registry_erase_t *erase = call->data;

    return erase->handler(erase);
}


void
ngx_http_registry_dav_sweep(ngx_http_registry_loc_conf_t *rlcf)
{
    ngx_http_registry_file_job_t  *job;

    job = ngx_http_registry_file_job(rlcf);
    if (job == NULL) {
        return;
    }

    job->age = rlcf->upload_expires;
    job->path = job->uploads;
    job->done = ngx_http_registry_dav_swept;
    job->data = rlcf;

    if (ngx_http_registry_file_sweep(job, rlcf) != NGX_OK) {
        ngx_http_registry_file_close(job);
    }
}


static void
ngx_http_registry_dav_swept(ngx_http_registry_file_job_t *job)
{
    ngx_http_registry_file_close(job);
}
