
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/*
 * Multipart uploads of which no session knows: the answer to
 * CreateMultipartUpload was lost with a connection or with a worker.  They
 * cost storage and nobody sees them, so those that are as old as a session may
 * get are aborted.  Only data of blobs is looked at; distribution has its
 * uploads elsewhere.
 */


/* S3 API, ListMultipartUploads: at most 1000 of them a page */
#define NGX_HTTP_REGISTRY_ORPHANS_SIZE  (8 * 1024 * 1024)

/* bytes of an answer to AbortMultipartUpload that are read */
#define NGX_HTTP_REGISTRY_ORPHANS_ANSWER  16384


typedef struct {
    ngx_str_t                   key;
    ngx_str_t                   id;
} ngx_http_registry_orphan_t;


typedef struct {
    ngx_http_registry_ctx_t    *ctx;
    ngx_http_registry_call_t    call;
    ngx_array_t                 found;     /* ngx_http_registry_orphan_t */
    ngx_uint_t                  next;
    time_t                      before;
} ngx_http_registry_orphans_t;


static ngx_int_t ngx_http_registry_orphans_list(
    ngx_http_registry_orphans_t *orphans);
static ngx_int_t ngx_http_registry_orphans_listed(
    ngx_http_registry_call_t *call);
static ngx_registry_status_e ngx_http_registry_orphans_found(void *data,
    const ngx_registry_s3_begun_t *begun);
static ngx_int_t ngx_http_registry_orphans_abort(
    ngx_http_registry_orphans_t *orphans);
static ngx_int_t ngx_http_registry_orphans_aborted(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_orphans_query(
    ngx_http_registry_orphans_t *orphans, ngx_registry_pair_t *pairs,
    ngx_uint_t n);


void
ngx_http_registry_orphans(ngx_http_registry_loc_conf_t *rlcf)
{
    ngx_http_request_t           *r;
    ngx_http_registry_orphans_t  *orphans;

    r = ngx_http_registry_store_request(rlcf);
    if (r == NULL) {
        return;
    }

    orphans = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_orphans_t));

    if (orphans == NULL
        || ngx_array_init(&orphans->found, r->pool, 4,
                          sizeof(ngx_http_registry_orphan_t))
           != NGX_OK)
    {
        ngx_http_registry_store_close(r);
        return;
    }

    orphans->ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);

    /* by the clock of S3 */

    orphans->before = ngx_time() + rlcf->host->skew
                      - rlcf->upload_expires;

    if (ngx_http_registry_orphans_list(orphans) != NGX_OK) {
        ngx_http_registry_store_close(r);
        return;
    }

    ngx_http_run_posted_requests(r->connection);
}


static ngx_int_t
ngx_http_registry_orphans_list(ngx_http_registry_orphans_t *orphans)
{
    ngx_str_t                  prefix;
    ngx_registry_key_t         key;
    ngx_registry_pair_t        pairs[2];
    ngx_http_registry_call_t  *call;

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_BLOBS;

    if (ngx_http_registry_object_key(orphans->ctx, &key, &prefix) != NGX_OK) {
        return NGX_ERROR;
    }

    call = &orphans->call;

    call->op.conf = orphans->ctx->conf;
    call->op.role = NGX_HTTP_REGISTRY_ROLE_DIRECT;
    ngx_str_set(&call->op.method, "GET");
    call->limit = NGX_HTTP_REGISTRY_ORPHANS_SIZE;
    call->handler = ngx_http_registry_orphans_listed;
    call->data = orphans;

    ngx_http_registry_pair(&pairs[0], "prefix", prefix.data, prefix.len);
    ngx_http_registry_pair(&pairs[1], "uploads", NULL, 0);

    if (ngx_http_registry_orphans_query(orphans, pairs, 2) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_registry_store_call(orphans->ctx->request, call);
}


static ngx_int_t
ngx_http_registry_orphans_listed(ngx_http_registry_call_t *call)
{
    ngx_registry_status_e         rc;
    ngx_http_registry_orphans_t  *orphans;

    orphans = call->data;

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK) {

        ngx_log_error(NGX_LOG_INFO, call->request->connection->log, 0,
                      "registry: multipart uploads in bucket \"%V\" that were "
                      "given up cannot be listed: %V, status %ui; the role "
                      "needs s3:ListBucketMultipartUploads, or the bucket a "
                      "lifecycle rule with AbortIncompleteMultipartUpload",
                      &call->op.conf->bucket, &call->result.code,
                      call->result.status);
        return NGX_DONE;
    }

    rc = ngx_registry_s3_uploads_parse(call->body.data,
                                       call->body.data + call->body.len,
                                       ngx_http_registry_orphans_found,
                                       orphans);
    if (rc != NGX_REGISTRY_OK) {

        ngx_log_error(NGX_LOG_ERR, call->request->connection->log, 0,
                      "registry: the list of multipart uploads in bucket "
                      "\"%V\" is none", &call->op.conf->bucket);
        return NGX_DONE;
    }

    return ngx_http_registry_orphans_abort(orphans);
}


static ngx_registry_status_e
ngx_http_registry_orphans_found(void *data,
    const ngx_registry_s3_begun_t *begun)
{
    ngx_http_registry_orphans_t *orphans = data;

    ngx_pool_t                  *pool;
    ngx_http_registry_orphan_t  *orphan;

    if (begun->initiated == 0 || begun->initiated > orphans->before) {
        return NGX_REGISTRY_OK;
    }

    pool = orphans->ctx->request->pool;

    orphan = ngx_array_push(&orphans->found);
    if (orphan == NULL) {
        return NGX_REGISTRY_STOPPED;
    }

    orphan->key.len = begun->key.len;
    orphan->key.data = ngx_pnalloc(pool, begun->key.len);

    orphan->id.len = begun->id.len;
    orphan->id.data = ngx_pnalloc(pool, begun->id.len);

    if (orphan->key.data == NULL || orphan->id.data == NULL) {
        return NGX_REGISTRY_STOPPED;
    }

    ngx_memcpy(orphan->key.data, begun->key.data, begun->key.len);
    ngx_memcpy(orphan->id.data, begun->id.data, begun->id.len);

    return NGX_REGISTRY_OK;
}


static ngx_int_t
ngx_http_registry_orphans_abort(ngx_http_registry_orphans_t *orphans)
{
    ngx_http_request_t          *r;
    ngx_registry_pair_t          pair;
    ngx_http_registry_call_t    *call;
    ngx_http_registry_orphan_t  *orphan;

    if (orphans->next == orphans->found.nelts) {
        return NGX_DONE;
    }

    orphan = orphans->found.elts;
    orphan += orphans->next++;

    r = orphans->ctx->request;
    call = &orphans->call;

    ngx_memzero(call, sizeof(ngx_http_registry_call_t));

    call->op.conf = orphans->ctx->conf;
    call->op.key = orphan->key;
    call->limit = NGX_HTTP_REGISTRY_ORPHANS_ANSWER;
    call->handler = ngx_http_registry_orphans_aborted;
    call->data = orphans;

    ngx_http_registry_pair(&pair, "uploadId", orphan->id.data,
                           orphan->id.len);

    if (ngx_http_registry_op_write(r, &call->op, "DELETE", NULL) != NGX_OK
        || ngx_http_registry_orphans_query(orphans, &pair, 1) != NGX_OK
        || ngx_http_registry_store_call(r, call) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_orphans_aborted(ngx_http_registry_call_t *call)
{
    ngx_http_registry_orphans_t  *orphans;

    orphans = call->data;

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK) {

        ngx_log_error(NGX_LOG_INFO, call->request->connection->log, 0,
                      "registry: a multipart upload of \"%V\" that nobody "
                      "knew of was aborted", &call->op.key);

    } else if (call->result.outcome != NGX_HTTP_REGISTRY_NOT_FOUND) {

        /* next time; the others may be luckier, unless S3 is away */

        ngx_http_registry_result_log(orphans->ctx, &call->op, &call->result);

        if (ngx_http_registry_result_again(&call->result)) {
            return NGX_DONE;
        }
    }

    return ngx_http_registry_orphans_abort(orphans);
}


static ngx_int_t
ngx_http_registry_orphans_query(ngx_http_registry_orphans_t *orphans,
    ngx_registry_pair_t *pairs, ngx_uint_t n)
{
    ngx_str_t  *query;

    query = &orphans->call.op.query;

    query->data = ngx_pnalloc(orphans->ctx->request->pool,
                              ngx_registry_sigv4_query_len(pairs, n));
    if (query->data == NULL) {
        return NGX_ERROR;
    }

    query->len = ngx_registry_sigv4_query_write(query->data, pairs, n)
                 - query->data;

    return NGX_OK;
}
