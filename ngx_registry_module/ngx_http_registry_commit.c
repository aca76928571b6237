
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* bytes; of what is larger S3 is asked first whether it has it */
#define NGX_HTTP_REGISTRY_COMMIT_LOOK    (2 * 1024 * 1024)

/* parts on their way at a time */
#define NGX_HTTP_REGISTRY_COMMIT_PARTS   4

/* bytes of an answer of S3 that are read */
#define NGX_HTTP_REGISTRY_COMMIT_ANSWER  16384

/* a timer keeps a worker that is to exit until the end, milliseconds */
#define NGX_HTTP_REGISTRY_COMMIT_GUARD   60000


struct ngx_http_registry_commit_s {
    ngx_http_request_t          *request;     /* its own */
    ngx_http_registry_ctx_t     *ctx;
    ngx_http_request_t          *client;      /* NULL: it is gone */
    ngx_http_cleanup_t          *gone;        /* of client */
    ngx_http_registry_spool_t   *spool;
    ngx_event_t                  guard;
    ngx_event_t                  start;

    ngx_registry_digest_t        digest;      /* that the client gave */
    ngx_registry_digest_t        sha256;      /* that the data has */
    ngx_str_t                    text;        /* of digest */
    ngx_str_t                    content;     /* of links: text of sha256 */
    ngx_str_t                    key;         /* of the data */

    off_t                        size;
    off_t                        part;        /* size of parts */
    ngx_uint_t                   nparts;
    ngx_uint_t                   next;        /* part to hash */
    ngx_uint_t                   active;      /* parts on their way */
    ngx_str_t                   *etags;
    ngx_http_registry_hasher_t   hasher;
    ngx_registry_hash_t          whole;       /* of what the parts have */

    ngx_http_registry_op_t       op;          /* what failed */
    ngx_http_registry_result_t   result;
    ngx_uint_t                   linked;      /* links that are written */
    unsigned                     hashing:1;
    unsigned                     answered:1;
    unsigned                     failed:1;
    unsigned                     lost:1;      /* the spool cannot be read */
    unsigned                     damaged:1;   /* the spool has other bytes */
    unsigned                     plain:1;     /* no conditional writes */
    unsigned                     looked:1;    /* after a failed PUT */
};


typedef struct {
    ngx_http_registry_commit_t  *commit;
    ngx_uint_t                   n;
} ngx_http_registry_commit_part_t;


static ngx_int_t ngx_http_registry_commit_init(
    ngx_http_registry_commit_t *commit, ngx_registry_digest_t *digest,
    u_char *sha256);
static void ngx_http_registry_commit_run(ngx_event_t *ev);
static void ngx_http_registry_commit_guard(ngx_event_t *ev);
static void ngx_http_registry_commit_cleanup(void *data);
static void ngx_http_registry_commit_client_gone(void *data);
static ngx_http_registry_call_t *ngx_http_registry_commit_call(
    ngx_http_registry_commit_t *commit, ngx_http_registry_call_pt handler);
static ngx_int_t ngx_http_registry_commit_start(
    ngx_http_registry_commit_t *commit, ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_commit_head(
    ngx_http_registry_commit_t *commit);
static ngx_int_t ngx_http_registry_commit_headed(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_commit_put(
    ngx_http_registry_commit_t *commit);
static ngx_int_t ngx_http_registry_commit_put_done(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_commit_compare(
    ngx_http_registry_commit_t *commit);
static ngx_int_t ngx_http_registry_commit_compared(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_commit_create(
    ngx_http_registry_commit_t *commit);
static ngx_int_t ngx_http_registry_commit_created(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_commit_parts(
    ngx_http_registry_commit_t *commit);
static ngx_uint_t ngx_http_registry_commit_whole(
    ngx_http_registry_commit_t *commit);
static void ngx_http_registry_commit_damaged(
    ngx_http_registry_commit_t *commit);
static void ngx_http_registry_commit_hashed(void *data, ngx_int_t rc);
static ngx_int_t ngx_http_registry_commit_part(
    ngx_http_registry_commit_t *commit);
static ngx_int_t ngx_http_registry_commit_part_done(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_commit_complete(
    ngx_http_registry_commit_t *commit);
static ngx_int_t ngx_http_registry_commit_completed(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_commit_abort(
    ngx_http_registry_commit_t *commit);
static ngx_int_t ngx_http_registry_commit_aborted(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_commit_query(
    ngx_http_registry_commit_t *commit, ngx_uint_t part, ngx_str_t *query);
static ngx_int_t ngx_http_registry_commit_link(
    ngx_http_registry_commit_t *commit, ngx_registry_key_e type,
    ngx_registry_digest_t *digest);
static ngx_int_t ngx_http_registry_commit_link_done(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_commit_fail(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_commit_done(
    ngx_http_registry_commit_t *commit);


ngx_int_t
ngx_http_registry_commit(ngx_http_request_t *r,
    ngx_http_registry_spool_t *spool, ngx_registry_digest_t *digest,
    u_char *sha256)
{
    ngx_http_request_t          *own;
    ngx_http_cleanup_t          *cln;
    ngx_http_registry_ctx_t     *ctx;
    ngx_http_registry_commit_t  *commit;

    ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);

    cln = ngx_http_cleanup_add(r, 0);
    own = ngx_http_registry_store_request(ctx->conf);

    if (cln == NULL || own == NULL) {
        if (own) {
            ngx_http_registry_store_close(own);
        }

        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    commit = ngx_pcalloc(own->pool, sizeof(ngx_http_registry_commit_t));
    if (commit == NULL) {
        ngx_http_registry_store_close(own);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    commit->request = own;
    commit->ctx = ngx_http_get_module_ctx(own, ngx_http_registry_module);
    commit->spool = ngx_http_registry_spool_move(spool, own->pool,
                                                 own->connection->log);

    if (commit->spool == NULL
        || ngx_http_registry_commit_init(commit, digest, sha256) != NGX_OK)
    {
        ngx_http_registry_store_close(own);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* a local file is replaced by a rename: by the same bytes, or better */

    commit->plain = commit->ctx->conf->kind->local;

    if ((commit->size > NGX_HTTP_REGISTRY_COMMIT_LOOK && !commit->plain
         ? ngx_http_registry_commit_head(commit)
         : ngx_http_registry_commit_put(commit))
        != NGX_AGAIN)
    {
        ngx_http_registry_store_close(own);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    commit->client = r;

    commit->gone = cln;

    cln->handler = ngx_http_registry_commit_client_gone;
    cln->data = commit;

    /* the whole commit may end in its first step, and the client with it */

    commit->start.handler = ngx_http_registry_commit_run;
    commit->start.data = commit;
    commit->start.log = own->connection->log;

    ngx_post_event(&commit->start, &ngx_posted_events);

    return NGX_AGAIN;
}


static void
ngx_http_registry_commit_run(ngx_event_t *ev)
{
    ngx_http_registry_commit_t *commit = ev->data;

    ngx_http_run_posted_requests(commit->request->connection);
}


static ngx_int_t
ngx_http_registry_commit_init(ngx_http_registry_commit_t *commit,
    ngx_registry_digest_t *digest, u_char *sha256)
{
    u_char              *p;
    ngx_pool_t          *pool;
    ngx_http_cleanup_t  *cln;
    ngx_registry_key_t   key;

    pool = commit->request->pool;

    commit->size = commit->spool->offset;
    commit->part = ngx_registry_upload_part(commit->size);
    commit->nparts = (commit->size + commit->part - 1) / commit->part;

    commit->ctx->name = commit->spool->name;

    commit->text.len = digest->text.len;
    commit->text.data = ngx_pnalloc(pool, digest->text.len);

    commit->content.len = sizeof("sha256:") - 1 + 64;
    commit->content.data = ngx_pnalloc(pool, commit->content.len);

    commit->etags = ngx_pcalloc(pool, (commit->nparts + 1)
                                      * sizeof(ngx_str_t));
    cln = ngx_http_cleanup_add(commit->request, 0);

    if (commit->text.data == NULL || commit->content.data == NULL
        || commit->etags == NULL || cln == NULL)
    {
        return NGX_ERROR;
    }

    ngx_memcpy(commit->text.data, digest->text.data, digest->text.len);

    p = ngx_cpymem(commit->content.data, "sha256:", 7);
    (void) ngx_registry_hex_write(p, sha256, 32);

    (void) ngx_registry_digest_parse(commit->text.data,
                                     commit->text.data + commit->text.len,
                                     &commit->digest);
    (void) ngx_registry_digest_parse(commit->content.data,
                                  commit->content.data + commit->content.len,
                                  &commit->sha256);

    commit->ctx->reference = commit->text;

    /*
     * distribution stores data by SHA-256 only, and by another algorithm has
     * a link that says so
     */

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_BLOB;
    key.digest = commit->sha256;

    if (ngx_http_registry_object_key(commit->ctx, &key, &commit->key)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_registry_commit_cleanup;
    cln->data = commit;

    commit->guard.handler = ngx_http_registry_commit_guard;
    commit->guard.data = commit;
    commit->guard.log = commit->request->connection->log;

    ngx_add_timer(&commit->guard, NGX_HTTP_REGISTRY_COMMIT_GUARD);

    return NGX_OK;
}


static void
ngx_http_registry_commit_guard(ngx_event_t *ev)
{
    ngx_add_timer(ev, NGX_HTTP_REGISTRY_COMMIT_GUARD);
}


static void
ngx_http_registry_commit_cleanup(void *data)
{
    ngx_http_registry_commit_t *commit = data;

    ngx_connection_t  *c;

    ngx_http_registry_hasher_cancel(&commit->hasher);

    if (commit->guard.timer_set) {
        ngx_del_timer(&commit->guard);
    }

    if (commit->start.posted) {
        ngx_delete_posted_event(&commit->start);
    }

    if (commit->client == NULL) {
        return;
    }

    /* a client whose answer is still being sent outlives the commit */

    commit->gone->handler = NULL;

    if (!commit->answered) {
        c = commit->client->connection;

        ngx_http_finalize_request(commit->client,
                                  NGX_HTTP_INTERNAL_SERVER_ERROR);
        ngx_http_run_posted_requests(c);
    }
}


static void
ngx_http_registry_commit_client_gone(void *data)
{
    ngx_http_registry_commit_t *commit = data;

    commit->client = NULL;
}


static ngx_http_registry_call_t *
ngx_http_registry_commit_call(ngx_http_registry_commit_t *commit,
    ngx_http_registry_call_pt handler)
{
    ngx_http_registry_call_t  *call;

    call = ngx_pcalloc(commit->request->pool,
                       sizeof(ngx_http_registry_call_t));
    if (call == NULL) {
        return NULL;
    }

    call->op.conf = commit->ctx->conf;
    call->op.key = commit->key;
    call->limit = NGX_HTTP_REGISTRY_COMMIT_ANSWER;
    call->handler = handler;
    call->data = commit;

    return call;
}


static ngx_int_t
ngx_http_registry_commit_start(ngx_http_registry_commit_t *commit,
    ngx_http_registry_call_t *call)
{
    if (ngx_http_registry_store_call(commit->request, call) == NGX_OK) {
        return NGX_AGAIN;
    }

    commit->lost = 1;

    return ngx_http_registry_commit_done(commit);
}


static ngx_int_t
ngx_http_registry_commit_head(ngx_http_registry_commit_t *commit)
{
    ngx_http_registry_call_t  *call;

    call = ngx_http_registry_commit_call(commit,
                                         ngx_http_registry_commit_headed);
    if (call == NULL) {
        return NGX_ERROR;
    }

    call->op.role = NGX_HTTP_REGISTRY_ROLE_DIRECT;
    call->op.header_only = 1;
    ngx_str_set(&call->op.method, "HEAD");

    return ngx_http_registry_commit_start(commit, call);
}


static ngx_int_t
ngx_http_registry_commit_headed(ngx_http_registry_call_t *call)
{
    ngx_http_registry_commit_t  *commit;

    commit = call->data;

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK
        && call->content_length == commit->size)
    {
        return ngx_http_registry_commit_link(commit, NGX_REGISTRY_KEY_LAYER,
                                             &commit->digest);
    }

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK
        && call->result.outcome != NGX_HTTP_REGISTRY_NOT_FOUND)
    {
        return ngx_http_registry_commit_fail(call);
    }

    if (commit->looked) {
        /* the PUT has failed, and not because the object is there */
        commit->failed = 1;
        return ngx_http_registry_commit_done(commit);
    }

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK) {

        /* damaged: what is there is not this blob, and has to make way */

        ngx_log_error(NGX_LOG_WARN, commit->request->connection->log, 0,
                      "registry: \"%V\" has %O bytes instead of %O, it is "
                      "written anew", &commit->key, call->content_length,
                      commit->size);
        commit->plain = 1;
    }

    return (commit->size > NGX_REGISTRY_PART_MIN)
           ? ngx_http_registry_commit_create(commit)
           : ngx_http_registry_commit_put(commit);
}


static ngx_int_t
ngx_http_registry_commit_put(ngx_http_registry_commit_t *commit)
{
    ngx_http_registry_call_t  *call;

    call = ngx_http_registry_commit_call(commit,
                                         ngx_http_registry_commit_put_done);
    if (call == NULL
        || ngx_http_registry_op_write(commit->request, &call->op, "PUT", NULL)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    call->op.file = &commit->spool->file;
    call->op.file_len = commit->size;
    call->op.payload.data = (u_char *) commit->sha256.hex.data;
    call->op.payload.len = commit->sha256.hex.len;
    call->op.create = !commit->plain;
    call->op.headers = NGX_HTTP_REGISTRY_S3_HEADER_WRITE
                       |NGX_HTTP_REGISTRY_S3_HEADER_BLOB;

    return ngx_http_registry_commit_start(commit, call);
}


static ngx_int_t
ngx_http_registry_commit_put_done(ngx_http_registry_call_t *call)
{
    ngx_http_registry_commit_t  *commit;

    commit = call->data;

    switch (call->result.outcome) {

    case NGX_HTTP_REGISTRY_OK:
        return ngx_http_registry_commit_link(commit, NGX_REGISTRY_KEY_LAYER,
                                             &commit->digest);

    case NGX_HTTP_REGISTRY_EXISTS:

        if (commit->plain) {
            /* there was no condition: this is no S3 */
            break;
        }

        return ngx_http_registry_commit_compare(commit);

    default:
        break;
    }

    if (call->sub->damaged) {
        ngx_http_registry_commit_damaged(commit);

        commit->lost = 1;
        ngx_http_registry_spool_remove(commit->spool);

        return ngx_http_registry_commit_done(commit);
    }

    if (call->result.status == NGX_HTTP_NOT_IMPLEMENTED && !commit->plain) {

        /* a store without conditional writes: look first */

        commit->plain = 1;

        return ngx_http_registry_commit_head(commit);
    }

    if (ngx_http_registry_result_again(&call->result) && !commit->looked) {

        /*
         * a store that refuses what it has may do so without reading it, and
         * close, and the answer is lost with the connection
         */

        commit->looked = 1;
        commit->op = call->op;
        commit->result = call->result;

        return ngx_http_registry_commit_head(commit);
    }

    return ngx_http_registry_commit_fail(call);
}


/*
 * The object exists, and its client has sent it nevertheless: perhaps because
 * what is there cannot be pulled.
 */
static ngx_int_t
ngx_http_registry_commit_compare(ngx_http_registry_commit_t *commit)
{
    ngx_http_registry_call_t  *call;

    if (commit->size > NGX_HTTP_REGISTRY_COMMIT_LOOK) {
        /* it was not, a moment ago: another one has just written it */
        return ngx_http_registry_commit_link(commit, NGX_REGISTRY_KEY_LAYER,
                                             &commit->digest);
    }

    call = ngx_http_registry_commit_call(commit,
                                         ngx_http_registry_commit_compared);
    if (call == NULL) {
        return NGX_ERROR;
    }

    call->op.role = NGX_HTTP_REGISTRY_ROLE_DIRECT;
    ngx_str_set(&call->op.method, "GET");
    call->op.digest = &commit->sha256;
    call->limit = NGX_HTTP_REGISTRY_COMMIT_LOOK;

    return ngx_http_registry_commit_start(commit, call);
}


static ngx_int_t
ngx_http_registry_commit_compared(ngx_http_registry_call_t *call)
{
    ngx_http_registry_commit_t  *commit;

    commit = call->data;

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_commit_link(commit, NGX_REGISTRY_KEY_LAYER,
                                             &commit->digest);
    }

    if (call->result.outcome != NGX_HTTP_REGISTRY_NOT_FOUND
        && (call->result.outcome != NGX_HTTP_REGISTRY_FAULT
            || call->result.status != NGX_HTTP_OK))
    {
        return ngx_http_registry_commit_fail(call);
    }

    /* gone since, or damaged: what is there has to make way */

    ngx_log_error(NGX_LOG_WARN, commit->request->connection->log, 0,
                  "registry: \"%V\" is not the blob that it should be, it is "
                  "written anew", &commit->key);

    commit->plain = 1;

    return ngx_http_registry_commit_put(commit);
}


static ngx_int_t
ngx_http_registry_commit_create(ngx_http_registry_commit_t *commit)
{
    ngx_http_registry_call_t  *call;

    call = ngx_http_registry_commit_call(commit,
                                         ngx_http_registry_commit_created);
    if (call == NULL
        || ngx_http_registry_op_write(commit->request, &call->op, "POST",
                                      NULL)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_str_set(&call->op.query, "uploads=");
    call->op.headers = NGX_HTTP_REGISTRY_S3_HEADER_WRITE
                       |NGX_HTTP_REGISTRY_S3_HEADER_BLOB;

    return ngx_http_registry_commit_start(commit, call);
}


static ngx_int_t
ngx_http_registry_commit_created(ngx_http_registry_call_t *call)
{
    ngx_str_t                   *id;
    ngx_http_registry_commit_t  *commit;
    ngx_registry_s3_upload_t     upload;

    commit = call->data;

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK
        && ngx_registry_s3_upload_parse(call->body.data,
                                        call->body.data + call->body.len,
                                        &upload)
           != NGX_REGISTRY_OK)
    {
        ngx_http_registry_result_fault(&call->result, "no UploadId",
                              "check registry_s3_endpoint: is this S3?");
    }

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_commit_fail(call);
    }

    /* on disk before the first part: whoever purges the session needs it */

    id = &commit->spool->upload_id;

    id->data = ngx_pnalloc(commit->request->pool, upload.len);

    if (id->data == NULL) {
        /* nobody can abort it by name: a later look at the bucket will */
        commit->lost = 1;
        return ngx_http_registry_commit_done(commit);
    }

    id->len = upload.len;
    ngx_memcpy(id->data, upload.id, upload.len);

    commit->spool->key = commit->key;

    if (ngx_http_registry_spool_save(commit->spool) != NGX_OK) {
        commit->lost = 1;
        return ngx_http_registry_commit_abort(commit);
    }

    ngx_registry_hash_init(&commit->whole, NGX_REGISTRY_SHA256);
    commit->hasher.whole = &commit->whole;

    return ngx_http_registry_commit_parts(commit);
}


static ngx_int_t
ngx_http_registry_commit_parts(ngx_http_registry_commit_t *commit)
{
    ngx_http_registry_hasher_t  *h;

    if (commit->failed || commit->lost) {
        return (commit->active || commit->hashing)
               ? NGX_AGAIN : ngx_http_registry_commit_abort(commit);
    }

    if (commit->next == commit->nparts) {

        if (commit->active || commit->hashing) {
            return NGX_AGAIN;
        }

        if (!ngx_http_registry_commit_whole(commit)) {
            commit->damaged = 1;
            commit->lost = 1;
            return ngx_http_registry_commit_abort(commit);
        }

        return ngx_http_registry_commit_complete(commit);
    }

    if (commit->hashing || commit->active == NGX_HTTP_REGISTRY_COMMIT_PARTS) {
        return NGX_AGAIN;
    }

    h = &commit->hasher;

    h->file = &commit->spool->file;
    h->pos = commit->next * commit->part;
    h->left = ngx_min(commit->part, commit->size - h->pos);
    h->algorithm = NGX_REGISTRY_SHA256;
    h->handler = ngx_http_registry_commit_hashed;
    h->data = commit;

    commit->hashing = 1;

    ngx_http_registry_hasher_start(h, commit->request->connection->log);

    return NGX_AGAIN;
}


/*
 * The digest was compared with what was received, and what is sent is read
 * from disk: a store would confirm bytes that a bad disk has changed.
 */
static ngx_uint_t
ngx_http_registry_commit_whole(ngx_http_registry_commit_t *commit)
{
    size_t   n;
    u_char   hash[NGX_REGISTRY_HASH_MAX_LEN], hex[2 * sizeof(hash)];

    n = ngx_registry_hash_final(&commit->whole, hash);
    n = ngx_registry_hex_write(hex, hash, n) - hex;

    if (n == commit->sha256.hex.len
        && ngx_memcmp(hex, commit->sha256.hex.data, n) == 0)
    {
        return 1;
    }

    ngx_http_registry_commit_damaged(commit);

    return 0;
}


static void
ngx_http_registry_commit_damaged(ngx_http_registry_commit_t *commit)
{
    ngx_log_error(NGX_LOG_ERR, commit->request->connection->log, 0,
                  "registry: \"%V\" is not what was received, the upload "
                  "ends: is the disk of registry_upload_path damaged?",
                  &commit->spool->file.name);
}


static void
ngx_http_registry_commit_hashed(void *data, ngx_int_t rc)
{
    ngx_http_registry_commit_t *commit = data;

    ngx_connection_t  *c;

    c = commit->request->connection;

    commit->hashing = 0;

    if (rc != NGX_OK) {
        commit->lost = 1;

    } else if (!commit->failed
               && ngx_http_registry_commit_part(commit) != NGX_OK)
    {
        commit->lost = 1;
    }

    if (ngx_http_registry_commit_parts(commit) != NGX_AGAIN) {
        ngx_http_registry_store_close(commit->request);
        return;
    }

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_registry_commit_part(ngx_http_registry_commit_t *commit)
{
    off_t                             pos;
    ngx_pool_t                       *pool;
    ngx_http_registry_call_t         *call;
    ngx_http_registry_commit_part_t  *part;

    pool = commit->request->pool;

    call = ngx_http_registry_commit_call(commit,
                                         ngx_http_registry_commit_part_done);
    part = ngx_palloc(pool, sizeof(ngx_http_registry_commit_part_t));

    if (call == NULL || part == NULL
        || ngx_http_registry_op_write(commit->request, &call->op, "PUT", NULL)
           != NGX_OK
        || ngx_http_registry_commit_query(commit, commit->next + 1,
                                          &call->op.query)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    call->op.payload.len = commit->hasher.len;
    call->op.payload.data = ngx_pnalloc(pool, commit->hasher.len);
    if (call->op.payload.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(call->op.payload.data, commit->hasher.hex, commit->hasher.len);

    pos = commit->next * commit->part;

    call->op.file = &commit->spool->file;
    call->op.file_pos = pos;
    call->op.file_len = ngx_min(commit->part, commit->size - pos);
    call->data = part;

    part->commit = commit;
    part->n = commit->next;

    if (ngx_http_registry_store_call(commit->request, call) != NGX_OK) {
        return NGX_ERROR;
    }

    commit->next++;
    commit->active++;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_commit_part_done(ngx_http_registry_call_t *call)
{
    ngx_str_t                        *etag;
    ngx_http_registry_commit_t       *commit;
    ngx_http_registry_commit_part_t  *part;

    part = call->data;
    commit = part->commit;

    commit->active--;

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK) {

        etag = ngx_http_registry_sub_header_n(call->sub, "etag");

        if (etag && etag->len && etag->len < 256) {
            commit->etags[part->n] = *etag;

        } else {
            ngx_http_registry_result_fault(&call->result, "part without ETag",
                              "check registry_s3_endpoint: is this S3?");
        }
    }

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK && !commit->failed) {
        commit->failed = 1;
        commit->op = call->op;
        commit->result = call->result;
    }

    return ngx_http_registry_commit_parts(commit);
}


static ngx_int_t
ngx_http_registry_commit_complete(ngx_http_registry_commit_t *commit)
{
    u_char                    *p;
    size_t                     len;
    ngx_str_t                  body;
    ngx_uint_t                 i;
    ngx_pool_t                *pool;
    ngx_http_registry_call_t  *call;

    pool = commit->request->pool;

    len = sizeof("<CompleteMultipartUpload></CompleteMultipartUpload>");

    for (i = 0; i < commit->nparts; i++) {
        len += sizeof("<Part><PartNumber>12345</PartNumber><ETag></ETag>"
                      "</Part>")
               + commit->etags[i].len
               + ngx_escape_html(NULL, commit->etags[i].data,
                                 commit->etags[i].len);
    }

    p = ngx_pnalloc(pool, len);
    call = ngx_http_registry_commit_call(commit,
                                         ngx_http_registry_commit_completed);
    if (p == NULL || call == NULL) {
        return NGX_ERROR;
    }

    body.data = p;

    p = ngx_sprintf(p, "<CompleteMultipartUpload>");

    for (i = 0; i < commit->nparts; i++) {
        p = ngx_sprintf(p, "<Part><PartNumber>%ui</PartNumber><ETag>", i + 1);
        p = (u_char *) ngx_escape_html(p, commit->etags[i].data,
                                       commit->etags[i].len);
        p = ngx_sprintf(p, "</ETag></Part>");
    }

    p = ngx_sprintf(p, "</CompleteMultipartUpload>");

    body.len = p - body.data;

    if (ngx_http_registry_op_write(commit->request, &call->op, "POST", &body)
        != NGX_OK
        || ngx_http_registry_commit_query(commit, 0, &call->op.query)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    call->op.create = !commit->plain;

    return ngx_http_registry_commit_start(commit, call);
}


static ngx_int_t
ngx_http_registry_commit_completed(ngx_http_registry_call_t *call)
{
    ngx_registry_s3_error_t      e;
    ngx_http_registry_commit_t  *commit;

    commit = call->data;

    /* S3 API, CompleteMultipartUpload: a 200 may turn out to be an error */

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK
        && ngx_registry_s3_error_parse(call->body.data,
                                       call->body.data + call->body.len, &e)
           == NGX_REGISTRY_OK)
    {
        ngx_http_registry_result_fault(&call->result,
                                       "CompleteMultipartUpload failed", "");
        call->result.outcome = NGX_HTTP_REGISTRY_UNREACHABLE;
    }

    switch (call->result.outcome) {

    case NGX_HTTP_REGISTRY_OK:
        ngx_str_null(&commit->spool->upload_id);
        return ngx_http_registry_commit_link(commit, NGX_REGISTRY_KEY_LAYER,
                                             &commit->digest);

    case NGX_HTTP_REGISTRY_EXISTS:
        /* somebody else was faster; the parts are not needed */
        return ngx_http_registry_commit_abort(commit);

    case NGX_HTTP_REGISTRY_NOT_FOUND:

        if (call->retry.tries > 1) {
            /* an answer got lost, and the upload was completed before */

            ngx_str_null(&commit->spool->upload_id);

            commit->looked = 1;
            commit->op = call->op;
            commit->result = call->result;
            ngx_http_registry_result_fault(&commit->result, "NoSuchUpload",
                          "the multipart upload is gone: was it aborted by "
                          "somebody else? push again");

            return ngx_http_registry_commit_head(commit);
        }

        break;

    default:
        break;
    }

    if (call->result.status == NGX_HTTP_NOT_IMPLEMENTED && !commit->plain) {
        commit->plain = 1;
        return ngx_http_registry_commit_complete(commit);
    }

    commit->failed = 1;
    commit->op = call->op;
    commit->result = call->result;

    return ngx_http_registry_commit_abort(commit);
}


static ngx_int_t
ngx_http_registry_commit_abort(ngx_http_registry_commit_t *commit)
{
    ngx_http_registry_call_t  *call;

    call = ngx_http_registry_commit_call(commit,
                                         ngx_http_registry_commit_aborted);
    if (call == NULL
        || ngx_http_registry_op_write(commit->request, &call->op, "DELETE",
                                      NULL)
           != NGX_OK
        || ngx_http_registry_commit_query(commit, 0, &call->op.query)
           != NGX_OK)
    {
        /* the purge of the session will try again */
        commit->lost = 1;
        return ngx_http_registry_commit_done(commit);
    }

    return ngx_http_registry_commit_start(commit, call);
}


static ngx_int_t
ngx_http_registry_commit_aborted(ngx_http_registry_call_t *call)
{
    ngx_http_registry_commit_t  *commit;

    commit = call->data;

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK
        || call->result.outcome == NGX_HTTP_REGISTRY_NOT_FOUND)
    {
        ngx_str_null(&commit->spool->upload_id);
        ngx_str_null(&commit->spool->key);

    } else {
        /* the purge of the session will try again */
        ngx_http_registry_result_log(commit->ctx, &call->op, &call->result);
    }

    if (commit->damaged && commit->spool->upload_id.len == 0) {

        /* nothing that is left of it could be pushed */

        ngx_http_registry_spool_remove(commit->spool);
        return ngx_http_registry_commit_done(commit);
    }

    if (commit->failed || commit->lost) {
        (void) ngx_http_registry_spool_save(commit->spool);
        return ngx_http_registry_commit_done(commit);
    }

    return ngx_http_registry_commit_link(commit, NGX_REGISTRY_KEY_LAYER,
                                             &commit->digest);
}


static ngx_int_t
ngx_http_registry_commit_query(ngx_http_registry_commit_t *commit,
    ngx_uint_t part, ngx_str_t *query)
{
    u_char               *p, number[NGX_INT_T_LEN];
    size_t                n;
    ngx_registry_pair_t   pairs[2];

    n = 0;

    ngx_http_registry_pair(&pairs[n++], "uploadId",
                           commit->spool->upload_id.data,
                           commit->spool->upload_id.len);

    if (part) {
        p = ngx_sprintf(number, "%ui", part);
        ngx_http_registry_pair(&pairs[n++], "partNumber", number, p - number);
    }

    query->data = ngx_pnalloc(commit->request->pool,
                              ngx_registry_sigv4_query_len(pairs, n));
    if (query->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_registry_sigv4_query_write(query->data, pairs, n);
    if (p == NULL) {
        return NGX_ERROR;
    }

    query->len = p - query->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_commit_link(ngx_http_registry_commit_t *commit,
    ngx_registry_key_e type, ngx_registry_digest_t *digest)
{
    ngx_registry_key_t         key;
    ngx_http_registry_call_t  *call;

    ngx_memzero(&key, sizeof(ngx_registry_key_t));

    key.type = type;
    key.digest = *digest;

    call = ngx_http_registry_commit_call(commit,
                                         ngx_http_registry_commit_link_done);
    if (call == NULL
        || ngx_http_registry_object_key(commit->ctx, &key, &call->op.key)
           != NGX_OK
        || ngx_http_registry_op_write(commit->request, &call->op, "PUT",
                                      &commit->content)
           != NGX_OK)
    {
        commit->lost = 1;
        return ngx_http_registry_commit_done(commit);
    }

    call->op.headers = NGX_HTTP_REGISTRY_S3_HEADER_WRITE;

    return ngx_http_registry_commit_start(commit, call);
}


static ngx_int_t
ngx_http_registry_commit_link_done(ngx_http_registry_call_t *call)
{
    ngx_http_registry_ctx_t     *ctx;
    ngx_http_registry_object_t   object;
    ngx_http_registry_commit_t  *commit;

    commit = call->data;
    ctx = commit->ctx;

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_commit_fail(call);
    }

    commit->linked++;

    if (commit->digest.algorithm != NGX_REGISTRY_SHA256) {

        if (commit->linked == 1) {
            return ngx_http_registry_commit_link(commit,
                                                 NGX_REGISTRY_KEY_LAYER,
                                                 &commit->sha256);
        }

        if (commit->linked == 2) {

            /* by which a blob is found that is mounted from anywhere */

            return ngx_http_registry_commit_link(commit,
                                                 NGX_REGISTRY_KEY_BLOB_LINK,
                                                 &commit->digest);
        }
    }

    object.size = commit->size;
    object.type_len = 0;

    ngx_http_registry_zone_add_member(ctx->conf->zone, &ctx->conf->id,
                                      &ctx->name, &commit->text,
                                      NGX_HTTP_REGISTRY_MEMBER_BLOB);
    ngx_http_registry_zone_add_object(ctx->conf->zone, &ctx->conf->id,
                                      &commit->text, &object);

    ngx_http_registry_spool_remove(commit->spool);

    return ngx_http_registry_commit_done(commit);
}


static ngx_int_t
ngx_http_registry_commit_fail(ngx_http_registry_call_t *call)
{
    ngx_http_registry_commit_t  *commit;

    commit = call->data;

    commit->failed = 1;
    commit->op = call->op;
    commit->result = call->result;

    return ngx_http_registry_commit_done(commit);
}


static ngx_int_t
ngx_http_registry_commit_done(ngx_http_registry_commit_t *commit)
{
    ngx_int_t                 rc;
    ngx_connection_t         *c;
    ngx_http_request_t       *r;
    ngx_http_registry_ctx_t  *ctx;

    r = commit->client;

    if (commit->spool->single && commit->spool->upload_id.len == 0) {
        /* nobody knows its name */
        ngx_http_registry_spool_remove(commit->spool);
    }

    /* the session is free again before the client hears of it */

    ngx_http_registry_spool_close(commit->spool);

    if (r == NULL) {
        if (commit->failed) {
            ngx_http_registry_result_log(commit->ctx, &commit->op,
                                         &commit->result);
        }

        return NGX_DONE;
    }

    commit->answered = 1;

    c = r->connection;
    ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);

    ngx_http_set_log_request(c->log, r);

    ctx->s3_requests += commit->ctx->s3_requests;
    ctx->s3_status = commit->ctx->s3_status;

    if (commit->failed) {
        rc = ngx_http_registry_failure(r, &commit->op, &commit->result,
                                       NGX_REGISTRY_BLOB_UPLOAD_UNKNOWN);

    } else if (commit->lost) {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    } else {
        rc = ngx_http_registry_created(r, ctx, "blobs", &commit->text);
    }

    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);

    return NGX_DONE;
}


ngx_int_t
ngx_http_registry_created(ngx_http_request_t *r, ngx_http_registry_ctx_t *ctx,
    const char *what, ngx_str_t *digest)
{
    u_char     *p;
    ngx_str_t   location, copy;

    copy.len = digest->len;
    copy.data = ngx_pstrdup(r->pool, digest);

    p = ngx_pnalloc(r->pool, ctx->conf->base.len + ctx->name.len + copy.len
                             + ngx_strlen(what) + sizeof("/v2///"));

    if (copy.data == NULL || p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    location.data = p;
    location.len = ngx_sprintf(p, "%V/v2/%V/%s/%V", &ctx->conf->base,
                               &ctx->name, what, &copy)
                   - p;

    if (ngx_http_registry_add_header(r, "Location", &location) == NULL
        || ngx_http_registry_add_header(r, "Docker-Content-Digest", &copy)
           == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_registry_send_empty(r, NGX_HTTP_CREATED);
}
