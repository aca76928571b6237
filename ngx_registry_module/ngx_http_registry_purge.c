
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* milliseconds between two looks at the folders */
#define NGX_HTTP_REGISTRY_PURGE_FIRST  1000
#define NGX_HTTP_REGISTRY_PURGE_MIN    1000
#define NGX_HTTP_REGISTRY_PURGE_MAX    600000


/* multipart uploads that are aborted in one look; the others the next time */
#define NGX_HTTP_REGISTRY_PURGE_ABORTS  32


/* a session whose multipart upload is being aborted */

typedef struct {
    ngx_http_registry_call_t     call;
    ngx_http_registry_spool_t   *spool;
} ngx_http_registry_purge_t;


static void ngx_http_registry_purge_handler(ngx_event_t *ev);
static ngx_uint_t ngx_http_registry_purge_seen(
    ngx_http_registry_main_conf_t *rmcf, ngx_uint_t n);
static void ngx_http_registry_purge_folder(
    ngx_http_registry_loc_conf_t *rlcf, ngx_log_t *log);
static ngx_uint_t ngx_http_registry_purge_old(
    ngx_http_registry_loc_conf_t *rlcf, ngx_str_t *name, ngx_log_t *log);
static void ngx_http_registry_purge_stray(ngx_http_registry_loc_conf_t *rlcf,
    ngx_str_t *name, ngx_str_t *uuid, ngx_log_t *log);
static void ngx_http_registry_purge_session(
    ngx_http_registry_loc_conf_t *rlcf, ngx_str_t *uuid, ngx_uint_t *aborts,
    ngx_log_t *log);
static void ngx_http_registry_purge_abort(ngx_http_registry_loc_conf_t *rlcf,
    ngx_http_registry_spool_t *spool);
static ngx_int_t ngx_http_registry_purge_aborted(
    ngx_http_registry_call_t *call);


static ngx_event_t  ngx_http_registry_purge_event;


ngx_int_t
ngx_http_registry_purge_init(ngx_cycle_t *cycle)
{
    ngx_uint_t                      i;
    ngx_event_t                    *ev;
    ngx_http_registry_loc_conf_t  **rlcf;
    ngx_http_registry_main_conf_t  *rmcf;

    if (ngx_worker != 0
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    rmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_registry_module);
    if (rmcf == NULL) {
        return NGX_OK;
    }

    rlcf = rmcf->registries.elts;

    for (i = 0; i < rmcf->registries.nelts && !rlcf[i]->push; i++) {
        /* void */
    }

    if (i == rmcf->registries.nelts) {
        /* this host writes nothing */
        return NGX_OK;
    }

    ev = &ngx_http_registry_purge_event;

    ev->handler = ngx_http_registry_purge_handler;
    ev->data = rmcf;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_HTTP_REGISTRY_PURGE_FIRST);

    return NGX_OK;
}


static void
ngx_http_registry_purge_handler(ngx_event_t *ev)
{
    ngx_http_registry_main_conf_t *rmcf = ev->data;

    ngx_uint_t                      i;
    ngx_msec_t                      next;
    ngx_http_registry_loc_conf_t  **rlcf;

    rlcf = rmcf->registries.elts;
    next = NGX_HTTP_REGISTRY_PURGE_MAX;

    for (i = 0; i < rmcf->registries.nelts; i++) {

        if (!rlcf[i]->push) {
            continue;
        }

        ngx_http_registry_purge_folder(rlcf[i], ev->log);

        if (!ngx_http_registry_purge_seen(rmcf, i)
            && ngx_time() >= rlcf[i]->orphans)
        {
            rlcf[i]->kind->purge(rlcf[i]);
            rlcf[i]->orphans = ngx_time() + rlcf[i]->upload_expires / 4;
        }

        next = ngx_min(next, (ngx_msec_t) rlcf[i]->upload_expires * 250);
    }

    ngx_add_timer(ev, ngx_max(next, NGX_HTTP_REGISTRY_PURGE_MIN));
}


/* whether a location before this one writes to the same bucket */
static ngx_uint_t
ngx_http_registry_purge_seen(ngx_http_registry_main_conf_t *rmcf,
    ngx_uint_t n)
{
    ngx_uint_t                      i;
    ngx_http_registry_loc_conf_t  **rlcf;

    rlcf = rmcf->registries.elts;

    for (i = 0; i < n; i++) {

        if (rlcf[i]->push && rlcf[i]->id.len == rlcf[n]->id.len
            && ngx_memcmp(rlcf[i]->id.data, rlcf[n]->id.data, rlcf[n]->id.len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
ngx_http_registry_purge_folder(ngx_http_registry_loc_conf_t *rlcf,
    ngx_log_t *log)
{
    u_char      *p;
    ngx_dir_t    dir;
    ngx_str_t   *path, name, uuid;
    ngx_uint_t   aborts;

    path = &rlcf->upload_path->name;
    aborts = 0;

    if (ngx_open_dir(path, &dir) == NGX_ERROR) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      ngx_open_dir_n " \"%V\" failed, see "
                      "registry_upload_path", path);
        return;
    }

    for ( ;; ) {

        ngx_set_errno(0);

        if (ngx_read_dir(&dir) == NGX_ERROR) {
            break;
        }

        name.data = ngx_de_name(&dir);
        name.len = ngx_de_namelen(&dir);

        p = ngx_strlchr(name.data, name.data + name.len, '.');

        if (p == NULL || !ngx_registry_uuid_check(name.data, p)
            || !ngx_http_registry_purge_old(rlcf, &name, log))
        {
            continue;
        }

        uuid.data = name.data;
        uuid.len = p - name.data;

        if (ngx_strcmp(p, ".data") == 0) {
            ngx_http_registry_purge_session(rlcf, &uuid, &aborts, log);

        } else if (ngx_strcmp(p, ".state") == 0
                   || ngx_strcmp(p, ".state.new") == 0)
        {
            ngx_http_registry_purge_stray(rlcf, &name, &uuid, log);
        }
    }

    (void) ngx_close_dir(&dir);
}


static ngx_uint_t
ngx_http_registry_purge_old(ngx_http_registry_loc_conf_t *rlcf,
    ngx_str_t *name, ngx_log_t *log)
{
    u_char           path[NGX_MAX_PATH];
    ngx_file_info_t  fi;

    if (rlcf->upload_path->name.len + name->len + 2 > NGX_MAX_PATH) {
        return 0;
    }

    (void) ngx_sprintf(path, "%V/%V%Z", &rlcf->upload_path->name, name);

    if (ngx_file_info(path, &fi) == NGX_FILE_ERROR) {
        return 0;
    }

    return ngx_time() - ngx_file_mtime(&fi) >= rlcf->upload_expires;
}


/*
 * A state is written after the spool was created and goes before it, so that
 * one without is what a process left that was killed.
 */
static void
ngx_http_registry_purge_stray(ngx_http_registry_loc_conf_t *rlcf,
    ngx_str_t *name, ngx_str_t *uuid, ngx_log_t *log)
{
    u_char           path[NGX_MAX_PATH];
    ngx_str_t       *folder;
    ngx_file_info_t  fi;

    folder = &rlcf->upload_path->name;

    if (folder->len + uuid->len + sizeof("/.data") > NGX_MAX_PATH) {
        return;
    }

    (void) ngx_sprintf(path, "%V/%V.data%Z", folder, uuid);

    if (ngx_file_info(path, &fi) != NGX_FILE_ERROR
        || ngx_errno != NGX_ENOENT)
    {
        return;
    }

    (void) ngx_sprintf(path, "%V/%V%Z", folder, name);

    if (ngx_delete_file(path) == NGX_FILE_ERROR && ngx_errno != NGX_ENOENT) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      ngx_delete_file_n " \"%s\" failed", path);
    }
}


static void
ngx_http_registry_purge_session(ngx_http_registry_loc_conf_t *rlcf,
    ngx_str_t *uuid, ngx_uint_t *aborts, ngx_log_t *log)
{
    ngx_int_t                   rc;
    ngx_pool_t                 *pool;
    ngx_http_registry_spool_t  *spool;

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, log);
    if (pool == NULL) {
        return;
    }

    spool = NULL;

    rc = ngx_http_registry_spool_open(pool, log, &rlcf->upload_path->name,
                                      uuid, &spool);

    if (rc == NGX_OK && spool->upload_id.len) {

        if ((*aborts)++ < NGX_HTTP_REGISTRY_PURGE_ABORTS) {
            ngx_http_registry_purge_abort(rlcf, spool);
        }

    } else if (rc == NGX_OK
               || (rc == NGX_DECLINED && spool
                   && spool->file.fd != NGX_INVALID_FILE))
    {
        /* also one whose state was never written, or cannot be read */

        ngx_log_error(NGX_LOG_INFO, log, 0,
                      "registry: upload \"%V\" has expired", uuid);

        ngx_http_registry_spool_remove(spool);
    }

    ngx_destroy_pool(pool);
}


static void
ngx_http_registry_purge_abort(ngx_http_registry_loc_conf_t *rlcf,
    ngx_http_registry_spool_t *spool)
{
    u_char                     *p;
    ngx_http_request_t         *r;
    ngx_registry_pair_t         pair;
    ngx_http_registry_ctx_t    *ctx;
    ngx_http_registry_purge_t  *purge;

    r = ngx_http_registry_store_request(rlcf);
    if (r == NULL) {
        return;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);

    purge = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_purge_t));
    if (purge == NULL) {
        goto failed;
    }

    purge->spool = ngx_http_registry_spool_move(spool, r->pool,
                                                r->connection->log);

    if (purge->spool == NULL
        || ngx_http_registry_op_write(r, &purge->call.op, "DELETE", NULL)
           != NGX_OK)
    {
        goto failed;
    }

    ctx->name = purge->spool->name;

    ngx_http_registry_pair(&pair, "uploadId", purge->spool->upload_id.data,
                           purge->spool->upload_id.len);

    p = ngx_pnalloc(r->pool, ngx_registry_sigv4_query_len(&pair, 1));
    if (p == NULL) {
        goto failed;
    }

    purge->call.op.conf = rlcf;
    purge->call.op.key = purge->spool->key;
    purge->call.op.query.data = p;
    purge->call.op.query.len = ngx_registry_sigv4_query_write(p, &pair, 1) - p;
    purge->call.limit = NGX_HTTP_REGISTRY_LINK_SIZE;
    purge->call.handler = ngx_http_registry_purge_aborted;
    purge->call.data = purge;

    if (ngx_http_registry_store_call(r, &purge->call) != NGX_OK) {
        goto failed;
    }

    ngx_http_run_posted_requests(r->connection);

    return;

failed:

    ngx_http_registry_store_close(r);
}


static ngx_int_t
ngx_http_registry_purge_aborted(ngx_http_registry_call_t *call)
{
    ngx_http_registry_ctx_t    *ctx;
    ngx_http_registry_purge_t  *purge;

    purge = call->data;

    ctx = ngx_http_get_module_ctx(call->request, ngx_http_registry_module);

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK
        || call->result.outcome == NGX_HTTP_REGISTRY_NOT_FOUND)
    {
        ngx_log_error(NGX_LOG_INFO, call->request->connection->log, 0,
                      "registry: upload \"%V\" has expired, its multipart "
                      "upload was aborted", &purge->spool->uuid);

        ngx_http_registry_spool_remove(purge->spool);

    } else {
        /* next time */
        ngx_http_registry_result_log(ctx, &call->op, &call->result);
    }

    return NGX_DONE;
}
