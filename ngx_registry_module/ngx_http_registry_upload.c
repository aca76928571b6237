
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* ms and number of pauses in which a request that ends may leave a session */
#define NGX_HTTP_REGISTRY_UPLOAD_PAUSE   50
#define NGX_HTTP_REGISTRY_UPLOAD_PAUSES  20


typedef struct {
    ngx_http_request_t          *request;
    ngx_http_registry_ctx_t     *ctx;
    ngx_http_registry_spool_t   *spool;
    ngx_http_registry_body_t     body;
    ngx_http_registry_hasher_t   hasher;
    ngx_http_registry_call_t     pause;       /* for who has the session */
    ngx_uint_t                   pauses;

    ngx_str_t                    text;        /* of digest */
    ngx_registry_digest_t        digest;      /* of the closing request */
    ngx_registry_digest_t        content;     /* of the data that is mounted */
    u_char                       sha256[32];

    off_t                        expected;    /* bytes of a chunk, or -1 */
    off_t                        begun;       /* offset before it */
    unsigned                     chunk:1;     /* there is a Content-Range */
    unsigned                     last:1;      /* the closing request */
    unsigned                     single:1;    /* and the first one */
    unsigned                     repeated:1;  /* what it brings is there */
    unsigned                     ended:1;     /* the session goes on or not */
} ngx_http_registry_upload_ctx_t;


static ngx_http_registry_upload_ctx_t *ngx_http_registry_upload_ctx(
    ngx_http_request_t *r, ngx_http_registry_ctx_t *ctx);
static void ngx_http_registry_upload_cleanup(void *data);
static void ngx_http_registry_upload_leave(
    ngx_http_registry_upload_ctx_t *u);
static ngx_int_t ngx_http_registry_upload_digest(
    ngx_http_registry_upload_ctx_t *u);
static ngx_int_t ngx_http_registry_upload_mount(
    ngx_http_registry_upload_ctx_t *u);
static ngx_int_t ngx_http_registry_upload_mount_found(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_upload_mount_anywhere(
    ngx_http_registry_upload_ctx_t *u);
static ngx_int_t ngx_http_registry_upload_mount_alias(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_upload_mount_look(
    ngx_http_registry_upload_ctx_t *u);
static ngx_int_t ngx_http_registry_upload_mount_data(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_upload_mount_link(
    ngx_http_registry_upload_ctx_t *u);
static ngx_int_t ngx_http_registry_upload_mounted(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_upload_create(
    ngx_http_registry_upload_ctx_t *u);
static ngx_int_t ngx_http_registry_upload_open(
    ngx_http_registry_upload_ctx_t *u);
static ngx_int_t ngx_http_registry_upload_ask(
    ngx_http_registry_upload_ctx_t *u, ngx_uint_t busy);
static ngx_int_t ngx_http_registry_upload_ask_again(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_upload_delete(
    ngx_http_registry_upload_ctx_t *u);
static ngx_str_t *ngx_http_registry_upload_content_range(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_registry_upload_range(
    ngx_http_registry_upload_ctx_t *u);
static ngx_uint_t ngx_http_registry_upload_whole(
    ngx_http_registry_upload_ctx_t *u);
static ngx_int_t ngx_http_registry_upload_read(
    ngx_http_registry_upload_ctx_t *u);
static ngx_int_t ngx_http_registry_upload_data(ngx_http_request_t *r,
    void *data, u_char *p, size_t n);
static ngx_int_t ngx_http_registry_upload_end(ngx_http_request_t *r,
    void *data);
static ngx_int_t ngx_http_registry_upload_verify(
    ngx_http_registry_upload_ctx_t *u);
static void ngx_http_registry_upload_hashed(void *data, ngx_int_t rc);
static ngx_int_t ngx_http_registry_upload_compare(
    ngx_http_registry_upload_ctx_t *u, u_char *hex, size_t len);
static ngx_int_t ngx_http_registry_upload_status(
    ngx_http_registry_upload_ctx_t *u, ngx_uint_t status);
static ngx_int_t ngx_http_registry_upload_headers(
    ngx_http_registry_upload_ctx_t *u);
static ngx_int_t ngx_http_registry_upload_unsatisfiable(
    ngx_http_registry_upload_ctx_t *u, const char *text);
static ngx_int_t ngx_http_registry_upload_refuse(
    ngx_http_registry_upload_ctx_t *u, ngx_uint_t status,
    ngx_registry_error_e code, const char *text);
static ngx_int_t ngx_http_registry_upload_disk(
    ngx_http_registry_upload_ctx_t *u);


ngx_int_t
ngx_http_registry_uploads_handler(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx)
{
    ngx_int_t                        rc;
    ngx_str_t                        mount;
    ngx_http_registry_upload_ctx_t  *u;

    u = ngx_http_registry_upload_ctx(r, ctx);
    if (u == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_registry_arg(r, "mount", &mount);

    if (rc == NGX_OK) {
        u->text = mount;

        if (ngx_registry_digest_parse(mount.data, mount.data + mount.len,
                                      &u->digest)
            != NGX_REGISTRY_OK)
        {
            return ngx_http_registry_upload_refuse(u, NGX_HTTP_BAD_REQUEST,
                                             NGX_REGISTRY_CODE_DIGEST_INVALID,
                                             "invalid digest to mount");
        }

        return ngx_http_registry_upload_mount(u);
    }

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_registry_upload_digest(u);

    if (rc == NGX_OK) {
        u->last = 1;
        u->single = 1;

    } else if (rc != NGX_DECLINED) {
        return u->body.rc;
    }

    return ngx_http_registry_upload_create(u);
}


ngx_int_t
ngx_http_registry_upload_handler(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx)
{
    ngx_int_t                        rc;
    ngx_http_registry_upload_ctx_t  *u;

    u = ngx_http_registry_upload_ctx(r, ctx);
    if (u == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->method == NGX_HTTP_PUT) {

        u->last = 1;

        rc = ngx_http_registry_upload_digest(u);

        if (rc == NGX_DECLINED) {
            return ngx_http_registry_upload_refuse(u, NGX_HTTP_BAD_REQUEST,
                                             NGX_REGISTRY_CODE_DIGEST_INVALID,
                                             "the digest is missing");
        }

        if (rc != NGX_OK) {
            return u->body.rc;
        }
    }

    return ngx_http_registry_upload_open(u);
}


static ngx_http_registry_upload_ctx_t *
ngx_http_registry_upload_ctx(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx)
{
    ngx_http_cleanup_t              *cln;
    ngx_http_registry_upload_ctx_t  *u;

    u = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_upload_ctx_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (u == NULL || cln == NULL) {
        return NULL;
    }

    u->request = r;
    u->ctx = ctx;
    u->expected = -1;

    cln->handler = ngx_http_registry_upload_cleanup;
    cln->data = u;

    return u;
}


static void
ngx_http_registry_upload_cleanup(void *data)
{
    ngx_http_registry_upload_ctx_t *u = data;

    ngx_http_registry_hasher_cancel(&u->hasher);
    ngx_http_registry_upload_leave(u);
}


static void
ngx_http_registry_upload_leave(ngx_http_registry_upload_ctx_t *u)
{
    if (u->spool == NULL || u->spool->file.fd == NGX_INVALID_FILE) {
        return;
    }

    if (u->ended) {
        ngx_http_registry_spool_close(u->spool);
        return;
    }

    u->ended = 1;

    /*
     * The request broke off.  What a stream has brought is kept, so that its
     * client may go on from there; a chunk, and what comes with the closing
     * request, comes again as a whole.
     */

    if (u->single || !u->spool->saved) {
        ngx_http_registry_spool_remove(u->spool);

    } else if (!u->chunk && !u->last && u->spool->offset > u->begun) {
        (void) ngx_http_registry_spool_save(u->spool);
    }

    /* the client's next request may come before this one has ended */

    ngx_http_registry_spool_close(u->spool);
}


ngx_int_t
ngx_http_registry_arg(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    u_char               *last;
    ngx_registry_span_t   key, span;

    key.data = (u_char *) name;
    key.len = ngx_strlen(name);

    if (ngx_registry_query_find(r->args.data, r->args.data + r->args.len,
                                &key, &span)
        != NGX_REGISTRY_OK)
    {
        return NGX_DECLINED;
    }

    value->data = ngx_pnalloc(r->pool, span.len + 1);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    last = ngx_registry_query_decode(value->data, &span);
    if (last == NULL) {
        return NGX_ABORT;
    }

    value->len = last - value->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_upload_digest(ngx_http_registry_upload_ctx_t *u)
{
    ngx_int_t               rc;
    ngx_registry_status_e   status;

    rc = ngx_http_registry_arg(u->request, "digest", &u->text);

    if (rc == NGX_DECLINED) {
        return rc;
    }

    if (rc == NGX_ERROR) {
        u->body.rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return NGX_ABORT;
    }

    status = (rc == NGX_ABORT)
             ? NGX_REGISTRY_INVALID
             : ngx_registry_digest_parse(u->text.data,
                                         u->text.data + u->text.len,
                                         &u->digest);

    if (status == NGX_REGISTRY_OK) {
        return NGX_OK;
    }

    (void) ngx_http_registry_upload_refuse(u, NGX_HTTP_BAD_REQUEST,
                                           NGX_REGISTRY_CODE_DIGEST_INVALID,
                                       status == NGX_REGISTRY_UNSUPPORTED
                                       ? "unsupported digest algorithm, "
                                         "there are sha256 and sha512"
                                       : "invalid digest");

    return NGX_ABORT;
}


static ngx_int_t
ngx_http_registry_upload_mount(ngx_http_registry_upload_ctx_t *u)
{
    ngx_int_t                  rc;
    ngx_str_t                  from, name;
    ngx_registry_key_t         key;
    ngx_http_registry_ctx_t   *ctx;
    ngx_http_registry_call_t  *call;

    ctx = u->ctx;

    rc = ngx_http_registry_arg(u->request, "from", &from);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc != NGX_OK
        || ngx_registry_name_check(from.data, from.data + from.len)
           != NGX_REGISTRY_OK)
    {
        return ngx_http_registry_upload_mount_anywhere(u);
    }

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_LAYER;
    key.digest = u->digest;

    /* the key of another repository */

    name = ctx->name;
    ctx->name = from;

    call = ngx_http_registry_object_call(ctx, &key,
                                         NGX_HTTP_REGISTRY_ROLE_DIRECT,
                                         NGX_HTTP_REGISTRY_LINK_SIZE,
                                         ngx_http_registry_upload_mount_found,
                                         u);
    ctx->name = name;

    if (call == NULL
        || ngx_http_registry_store_call(u->request, call) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_upload_mount_found(ngx_http_registry_call_t *call)
{
    ngx_http_registry_upload_ctx_t  *u;

    u = call->data;

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK
        && ngx_http_registry_object_link(call, &u->content) == NGX_OK)
    {
        return ngx_http_registry_upload_mount_look(u);
    }

    if (call->result.outcome == NGX_HTTP_REGISTRY_NOT_FOUND) {
        return ngx_http_registry_upload_mount_anywhere(u);
    }

    return ngx_http_registry_failure(u->request, &call->op, &call->result,
                                     NGX_REGISTRY_BLOB_UNKNOWN);
}


static ngx_int_t
ngx_http_registry_upload_mount_anywhere(ngx_http_registry_upload_ctx_t *u)
{
    ngx_registry_key_t         key;
    ngx_http_registry_call_t  *call;

    if (!u->ctx->conf->mount_anonymous) {
        return ngx_http_registry_upload_create(u);
    }

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.digest = u->digest;

    if (u->digest.algorithm != NGX_REGISTRY_SHA256) {

        /* data is stored by SHA-256, see ngx_http_registry_commit.c */

        key.type = NGX_REGISTRY_KEY_BLOB_LINK;

        call = ngx_http_registry_object_call(u->ctx, &key,
                                         NGX_HTTP_REGISTRY_ROLE_DIRECT,
                                         NGX_HTTP_REGISTRY_LINK_SIZE,
                                         ngx_http_registry_upload_mount_alias,
                                         u);
        if (call == NULL
            || ngx_http_registry_store_call(u->request, call) != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return NGX_AGAIN;
    }

    u->content = u->digest;

    return ngx_http_registry_upload_mount_look(u);
}


/* whether the data is there: a garbage collection leaves links behind */
static ngx_int_t
ngx_http_registry_upload_mount_look(ngx_http_registry_upload_ctx_t *u)
{
    ngx_registry_key_t         key;
    ngx_http_registry_call_t  *call;

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_BLOB;
    key.digest = u->content;

    call = ngx_http_registry_object_call(u->ctx, &key,
                                         NGX_HTTP_REGISTRY_ROLE_DIRECT, 0,
                                         ngx_http_registry_upload_mount_data,
                                         u);
    if (call == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call->op.header_only = 1;
    ngx_str_set(&call->op.method, "HEAD");

    if (ngx_http_registry_store_call(u->request, call) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_upload_mount_alias(ngx_http_registry_call_t *call)
{
    ngx_http_registry_upload_ctx_t  *u;

    u = call->data;

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK
        && ngx_http_registry_object_link(call, &u->content) == NGX_OK)
    {
        return ngx_http_registry_upload_mount_look(u);
    }

    if (call->result.outcome == NGX_HTTP_REGISTRY_NOT_FOUND) {
        return ngx_http_registry_upload_create(u);
    }

    return ngx_http_registry_failure(u->request, &call->op, &call->result,
                                     NGX_REGISTRY_BLOB_UNKNOWN);
}


static ngx_int_t
ngx_http_registry_upload_mount_data(ngx_http_registry_call_t *call)
{
    ngx_http_registry_upload_ctx_t  *u;

    u = call->data;

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_upload_mount_link(u);
    }

    if (call->result.outcome == NGX_HTTP_REGISTRY_NOT_FOUND) {
        return ngx_http_registry_upload_create(u);
    }

    return ngx_http_registry_failure(u->request, &call->op, &call->result,
                                     NGX_REGISTRY_BLOB_UNKNOWN);
}


static ngx_int_t
ngx_http_registry_upload_mount_link(ngx_http_registry_upload_ctx_t *u)
{
    ngx_str_t                  content;
    ngx_registry_key_t         key;
    ngx_http_registry_call_t  *call;

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_LAYER;
    key.digest = u->digest;

    call = ngx_http_registry_object_call(u->ctx, &key,
                                         NGX_HTTP_REGISTRY_ROLE_WRITE,
                                         NGX_HTTP_REGISTRY_LINK_SIZE,
                                         ngx_http_registry_upload_mounted, u);

    content.len = u->content.text.len;
    content.data = ngx_pnalloc(u->request->pool, content.len);

    if (call == NULL || content.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(content.data, u->content.text.data, content.len);

    if (ngx_http_registry_op_write(u->request, &call->op, "PUT", &content)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call->op.headers = NGX_HTTP_REGISTRY_S3_HEADER_WRITE;

    if (ngx_http_registry_store_call(u->request, call) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_upload_mounted(ngx_http_registry_call_t *call)
{
    ngx_http_registry_ctx_t         *ctx;
    ngx_http_registry_upload_ctx_t  *u;

    u = call->data;
    ctx = u->ctx;

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_failure(u->request, &call->op, &call->result,
                                         NGX_REGISTRY_BLOB_UNKNOWN);
    }

    ngx_http_registry_zone_add_member(ctx->conf->zone, &ctx->conf->id,
                                      &ctx->name, &u->text,
                                      NGX_HTTP_REGISTRY_MEMBER_BLOB);

    return ngx_http_registry_created(u->request, ctx, "blobs", &u->text);
}


static ngx_int_t
ngx_http_registry_upload_create(ngx_http_registry_upload_ctx_t *u)
{
    ngx_http_request_t       *r;
    ngx_http_registry_ctx_t  *ctx;

    r = u->request;
    ctx = u->ctx;

    u->spool = ngx_http_registry_spool_create(r->pool, r->connection->log,
                                        &ctx->conf->upload_path->name,
                                        &ctx->name);
    if (u->spool == NULL) {
        return ngx_http_registry_upload_disk(u);
    }

    if (u->single) {
        u->spool->single = 1;
        return ngx_http_registry_upload_read(u);
    }

    if (ngx_http_registry_spool_save(u->spool) != NGX_OK) {
        return ngx_http_registry_upload_disk(u);
    }

    return ngx_http_registry_upload_status(u, NGX_HTTP_ACCEPTED);
}


static ngx_int_t
ngx_http_registry_upload_open(ngx_http_registry_upload_ctx_t *u)
{
    ngx_int_t                 rc;
    ngx_http_request_t       *r;
    ngx_http_registry_ctx_t  *ctx;

    r = u->request;
    ctx = u->ctx;

    rc = ngx_http_registry_spool_open(r->pool, r->connection->log,
                                      &ctx->conf->upload_path->name,
                                      &ctx->reference, &u->spool);

    if (rc == NGX_ERROR) {
        u->ended = 1;
        return ngx_http_registry_upload_disk(u);
    }

    if (rc == NGX_DECLINED
        || u->spool->name.len != ctx->name.len
        || ngx_memcmp(u->spool->name.data, ctx->name.data, ctx->name.len) != 0)
    {
        u->ended = 1;

        /* another repository's session is free for who has it */

        ngx_http_registry_upload_leave(u);

        return ngx_http_registry_error(r, NGX_HTTP_NOT_FOUND,
                                       NGX_REGISTRY_BLOB_UPLOAD_UNKNOWN, NULL,
                                       &ctx->reference);
    }

    u->begun = u->spool->offset;

    if (r->method == NGX_HTTP_GET || r->method == NGX_HTTP_HEAD) {
        return ngx_http_registry_upload_ask(u, rc == NGX_BUSY);
    }

    if (rc == NGX_BUSY) {
        u->ended = 1;
        return ngx_http_registry_upload_unsatisfiable(u,
                                   "another request writes to this upload");
    }

    if (r->method == NGX_HTTP_DELETE) {
        return ngx_http_registry_upload_delete(u);
    }

    if (ngx_http_registry_upload_range(u) != NGX_OK) {
        return u->body.rc;
    }

    u->repeated = ngx_http_registry_upload_whole(u);

    return ngx_http_registry_upload_read(u);
}


/*
 * A client asks because its last request broke off, and that one may just be
 * ending: the answer should be what it leaves, and the session free for what
 * comes next.  Who does not end soon is not waited for.
 */
static ngx_int_t
ngx_http_registry_upload_ask(ngx_http_registry_upload_ctx_t *u,
    ngx_uint_t busy)
{
    if (!busy || u->pauses == NGX_HTTP_REGISTRY_UPLOAD_PAUSES) {
        return ngx_http_registry_upload_status(u, NGX_HTTP_NO_CONTENT);
    }

    u->pauses++;

    ngx_http_registry_spool_close(u->spool);

    u->pause.handler = ngx_http_registry_upload_ask_again;
    u->pause.data = u;

    ngx_http_registry_store_pause(u->request, &u->pause,
                                  NGX_HTTP_REGISTRY_UPLOAD_PAUSE);

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_upload_ask_again(ngx_http_registry_call_t *call)
{
    return ngx_http_registry_upload_open(call->data);
}


static ngx_int_t
ngx_http_registry_upload_delete(ngx_http_registry_upload_ctx_t *u)
{
    u->ended = 1;

    if (u->spool->upload_id.len) {

        /* the purge aborts the multipart upload, and needs to know it */

        (void) ngx_set_file_time(u->spool->file.name.data,
                                 u->spool->file.fd, 0);

    } else {
        ngx_http_registry_spool_remove(u->spool);
    }

    ngx_http_registry_spool_close(u->spool);

    return ngx_http_registry_send_empty(u->request, NGX_HTTP_NO_CONTENT);
}


static ngx_str_t *
ngx_http_registry_upload_content_range(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len == sizeof("Content-Range") - 1
                && ngx_strncasecmp(h[i].key.data, (u_char *) "Content-Range",
                                   sizeof("Content-Range") - 1)
                   == 0)
            {
                return &h[i].value;
            }
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_registry_upload_range(ngx_http_registry_upload_ctx_t *u)
{
    uint64_t              start, end;
    ngx_str_t            *value;
    ngx_http_request_t   *r;
    ngx_registry_span_t   span;

    r = u->request;

    value = ngx_http_registry_upload_content_range(r);

    if (value == NULL) {
        return NGX_OK;
    }

    span = ngx_http_registry_span(value);

    if (ngx_registry_upload_range(&span, &start, &end) != NGX_REGISTRY_OK) {
        (void) ngx_http_registry_upload_refuse(u, NGX_HTTP_BAD_REQUEST,
                                             NGX_REGISTRY_BLOB_UPLOAD_INVALID,
                                             "invalid Content-Range");

        return NGX_ABORT;
    }

    if ((off_t) start != u->spool->offset) {
        (void) ngx_http_registry_upload_unsatisfiable(u,
                                        "the chunk is not the next one");

        return NGX_ABORT;
    }

    u->chunk = 1;
    u->expected = end - start + 1;

    if (r->headers_in.content_length_n != -1
        && r->headers_in.content_length_n != u->expected)
    {
        (void) ngx_http_registry_upload_refuse(u, NGX_HTTP_BAD_REQUEST,
                                               NGX_REGISTRY_SIZE_INVALID,
                              "Content-Range and Content-Length differ");

        return NGX_ABORT;
    }

    return NGX_OK;
}


/*
 * A client that was told to come again, since the store failed, sends its
 * closing request again, with what it brought before.
 */
static ngx_uint_t
ngx_http_registry_upload_whole(ngx_http_registry_upload_ctx_t *u)
{
    size_t               len;
    u_char               sum[NGX_REGISTRY_HASH_MAX_LEN], hex[2 * sizeof(sum)];
    ngx_registry_hash_t  hash;

    if (!u->last || u->chunk || u->begun == 0
        || u->digest.algorithm != NGX_REGISTRY_SHA256)
    {
        return 0;
    }

    hash = u->spool->hash;
    len = ngx_registry_hash_final(&hash, sum);
    len = ngx_registry_hex_write(hex, sum, len) - hex;

    return len == u->digest.hex.len
           && ngx_memcmp(hex, u->digest.hex.data, len) == 0;
}


static ngx_int_t
ngx_http_registry_upload_read(ngx_http_registry_upload_ctx_t *u)
{
    u->body.data = ngx_http_registry_upload_data;
    u->body.end = ngx_http_registry_upload_end;
    u->body.ctx = u;

    return ngx_http_registry_body_read(u->request, &u->body);
}


static ngx_int_t
ngx_http_registry_upload_data(ngx_http_request_t *r, void *data, u_char *p,
    size_t n)
{
    ngx_http_registry_upload_ctx_t *u = data;

    if (u->repeated) {
        return NGX_OK;
    }

    if (u->expected != -1
        && u->spool->offset + (off_t) n - u->begun > u->expected)
    {
        (void) ngx_http_registry_upload_refuse(u, NGX_HTTP_BAD_REQUEST,
                                               NGX_REGISTRY_SIZE_INVALID,
                                "the body is longer than Content-Range says");

        return NGX_ABORT;
    }

    if (ngx_http_registry_spool_append(u->spool, p, n) != NGX_OK) {
        (void) ngx_http_registry_upload_disk(u);

        return NGX_ABORT;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_upload_end(ngx_http_request_t *r, void *data)
{
    ngx_http_registry_upload_ctx_t *u = data;

    if (u->expected != -1 && u->spool->offset - u->begun != u->expected) {
        return ngx_http_registry_upload_refuse(u, NGX_HTTP_BAD_REQUEST,
                                               NGX_REGISTRY_SIZE_INVALID,
                               "the body is shorter than Content-Range says");
    }

    if (u->last) {
        return ngx_http_registry_upload_verify(u);
    }

    if (ngx_http_registry_spool_save(u->spool) != NGX_OK) {
        return ngx_http_registry_upload_disk(u);
    }

    u->ended = 1;

    return ngx_http_registry_upload_status(u, NGX_HTTP_ACCEPTED);
}


static ngx_int_t
ngx_http_registry_upload_verify(ngx_http_registry_upload_ctx_t *u)
{
    size_t                       len;
    u_char                       hex[64];
    ngx_registry_hash_t          hash;
    ngx_http_registry_hasher_t  *h;

    /*
     * on disk first: the bytes are promised by an answer that may get lost,
     * and the client will ask how many there are
     */

    if (!u->single && u->spool->offset > u->begun
        && ngx_http_registry_spool_save(u->spool) != NGX_OK)
    {
        return ngx_http_registry_upload_disk(u);
    }

    hash = u->spool->hash;
    len = ngx_registry_hash_final(&hash, u->sha256);

    if (u->digest.algorithm == NGX_REGISTRY_SHA256) {
        (void) ngx_registry_hex_write(hex, u->sha256, len);

        return ngx_http_registry_upload_compare(u, hex, 2 * len);
    }

    /* another algorithm: nobody said so before the bytes came */

    h = &u->hasher;

    h->file = &u->spool->file;
    h->pos = 0;
    h->left = u->spool->offset;
    h->algorithm = u->digest.algorithm;
    h->handler = ngx_http_registry_upload_hashed;
    h->data = u;

    ngx_http_registry_hasher_start(h, u->request->connection->log);

    return NGX_AGAIN;
}


static void
ngx_http_registry_upload_hashed(void *data, ngx_int_t rc)
{
    ngx_http_registry_upload_ctx_t *u = data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = u->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    rc = (rc == NGX_OK) ? ngx_http_registry_upload_compare(u, u->hasher.hex,
                                                           u->hasher.len)
                        : ngx_http_registry_upload_disk(u);

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(r, rc);
    }

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_registry_upload_compare(ngx_http_registry_upload_ctx_t *u,
    u_char *hex, size_t len)
{
    ngx_str_t                 message;
    ngx_http_request_t       *r;
    ngx_http_registry_ctx_t  *ctx;

    r = u->request;
    ctx = u->ctx;

    if (len == u->digest.hex.len
        && ngx_memcmp(hex, u->digest.hex.data, len) == 0)
    {
        ctx->reference = u->text;
        return ngx_http_registry_commit(r, u->spool, &u->digest, u->sha256);
    }

    /* these bytes will never be that blob */

    u->ended = 1;

    ngx_http_registry_spool_remove(u->spool);

    ngx_str_set(&message, "the content does not match the digest");

    return ngx_http_registry_error(r, NGX_HTTP_BAD_REQUEST,
                                   NGX_REGISTRY_CODE_DIGEST_INVALID, &message,
                                   &u->text);
}


static ngx_int_t
ngx_http_registry_upload_status(ngx_http_registry_upload_ctx_t *u,
    ngx_uint_t status)
{
    if (ngx_http_registry_upload_headers(u) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    u->ended = 1;

    /* the next request may come over another connection, at once */

    ngx_http_registry_spool_close(u->spool);

    return ngx_http_registry_send_empty(u->request, status);
}


static ngx_int_t
ngx_http_registry_upload_headers(ngx_http_registry_upload_ctx_t *u)
{
    u_char                   *p;
    ngx_str_t                 location, range;
    ngx_http_request_t       *r;
    ngx_http_registry_ctx_t  *ctx;

    r = u->request;
    ctx = u->ctx;

    p = ngx_pnalloc(r->pool, ctx->conf->base.len + ctx->name.len
                             + u->spool->uuid.len
                             + sizeof("/v2//blobs/uploads/0-")
                             + NGX_OFF_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    location.data = p;
    p = ngx_sprintf(p, "%V/v2/%V/blobs/uploads/%V", &ctx->conf->base,
                    &ctx->name, &u->spool->uuid);
    location.len = p - location.data;

    /* the last byte that is there; "0-0" if there is none, as elsewhere */

    range.data = p;
    p = ngx_sprintf(p, "0-%O", u->spool->offset ? u->spool->offset - 1 : 0);
    range.len = p - range.data;

    if (ngx_http_registry_add_header(r, "Location", &location) == NULL
        || ngx_http_registry_add_header(r, "Range", &range) == NULL
        || ngx_http_registry_add_header(r, "Docker-Upload-UUID",
                                        &u->spool->uuid)
           == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_upload_unsatisfiable(ngx_http_registry_upload_ctx_t *u,
    const char *text)
{
    /* Location and Range tell the client where to go on */

    if (ngx_http_registry_upload_headers(u) != NGX_OK) {
        u->body.rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return u->body.rc;
    }

    return ngx_http_registry_upload_refuse(u,
                                           NGX_HTTP_RANGE_NOT_SATISFIABLE,
                                           NGX_REGISTRY_BLOB_UPLOAD_INVALID,
                                           text);
}


static ngx_int_t
ngx_http_registry_upload_refuse(ngx_http_registry_upload_ctx_t *u,
    ngx_uint_t status, ngx_registry_error_e code, const char *text)
{
    ngx_str_t  message;

    ngx_http_registry_upload_leave(u);

    message.data = (u_char *) text;
    message.len = ngx_strlen(text);

    u->body.rc = ngx_http_registry_error(u->request, status, code, &message,
                                         NULL);

    return u->body.rc;
}


static ngx_int_t
ngx_http_registry_upload_disk(ngx_http_registry_upload_ctx_t *u)
{
    ngx_str_t  value;

    /* the error log has path and reason */

    ngx_str_set(&value, "60");

    if (ngx_http_registry_add_header(u->request, "Retry-After", &value)
        == NULL)
    {
        u->body.rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return u->body.rc;
    }

    return ngx_http_registry_upload_refuse(u, NGX_HTTP_SERVICE_UNAVAILABLE,
                                           NGX_REGISTRY_UNAVAILABLE,
                              "the upload could not be stored on local disk");
}
