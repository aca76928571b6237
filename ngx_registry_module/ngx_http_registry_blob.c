
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/*
 * OCI Distribution Spec, Pulling blobs, and Checking if content exists.
 *
 *     the repository is known to have it, or _layers/.../link says so
 *     GET:  delivery of blobs/.../data
 *     HEAD, If-None-Match:  its size, from shared memory, the cache, or S3
 */


static ngx_int_t ngx_http_registry_blob_linked(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_blob_send(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx, ngx_registry_digest_t *digest);
static ngx_int_t ngx_http_registry_blob_head(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx, ngx_str_t *key);
static ngx_int_t ngx_http_registry_blob_cached(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_blob_ask(ngx_http_request_t *r,
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_blob_sized(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_blob_send_head(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx, off_t size);


ngx_int_t
ngx_http_registry_blob_handler(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx)
{
    ngx_registry_key_t             key;
    ngx_http_registry_call_t      *call;
    ngx_http_registry_loc_conf_t  *rlcf;

    rlcf = ctx->conf;

    /*
     * distribution writes content under its sha256 only: a sha512 link holds
     * another digest than its name, so it has to be read
     */

    if (ctx->route.digest.algorithm == NGX_REGISTRY_SHA256
        && !rlcf->fresh
        && ngx_http_registry_zone_member(rlcf->zone, &rlcf->id, &ctx->name,
                                         &ctx->reference,
                                         NGX_HTTP_REGISTRY_MEMBER_BLOB))
    {
        return ngx_http_registry_blob_send(r, ctx, &ctx->route.digest);
    }

    ngx_memzero(&key, sizeof(ngx_registry_key_t));

    key.type = NGX_REGISTRY_KEY_LAYER;
    key.digest = ctx->route.digest;

    call = ngx_http_registry_object_call(ctx, &key,
                              rlcf->fresh ? NGX_HTTP_REGISTRY_ROLE_DIRECT
                                          : NGX_HTTP_REGISTRY_ROLE_OBJECT,
                              NGX_HTTP_REGISTRY_LINK_SIZE,
                              ngx_http_registry_blob_linked, ctx);

    if (call == NULL || ngx_http_registry_store_call(r, call) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_blob_linked(ngx_http_registry_call_t *call)
{
    ngx_http_request_t            *r;
    ngx_registry_digest_t         *digest;
    ngx_http_registry_ctx_t       *ctx;
    ngx_http_registry_loc_conf_t  *rlcf;

    r = call->request;
    ctx = call->data;
    rlcf = ctx->conf;

    digest = ngx_palloc(r->pool, sizeof(ngx_registry_digest_t));
    if (digest == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK
        || ngx_http_registry_object_link(call, digest) != NGX_OK)
    {
        return ngx_http_registry_failure(r, &call->op, &call->result,
                                         NGX_REGISTRY_BLOB_UNKNOWN);
    }

    if (digest->text.len == ctx->reference.len
        && ngx_memcmp(digest->text.data, ctx->reference.data,
                      ctx->reference.len)
           == 0)
    {
        ngx_http_registry_zone_add_member(rlcf->zone, &rlcf->id, &ctx->name,
                                          &ctx->reference,
                                          NGX_HTTP_REGISTRY_MEMBER_BLOB);
    }

    return ngx_http_registry_blob_send(r, ctx, digest);
}


static ngx_int_t
ngx_http_registry_blob_send(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx, ngx_registry_digest_t *digest)
{
    ngx_str_t                    data;
    ngx_registry_key_t           key;
    ngx_http_registry_object_t   object;

    ngx_memzero(&key, sizeof(ngx_registry_key_t));

    key.type = NGX_REGISTRY_KEY_BLOB;
    key.digest = *digest;

    if (ngx_http_registry_object_key(ctx, &key, &data) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->method != NGX_HTTP_HEAD
        && !ngx_http_registry_not_modified(r, &ctx->reference))
    {
        return ngx_http_registry_delivery(r, ctx, &data, digest,
                                          &ctx->reference);
    }

    /*
     * a client that pushes does not send what is said to be there, and a
     * garbage collection may have taken it since
     */

    if (ngx_http_registry_zone_object(ctx->conf->zone, &ctx->conf->id,
                                      &ctx->reference, &object)
        == NGX_OK
        && (!ctx->conf->push || object.recent))
    {
        ctx->cache_status = NGX_HTTP_CACHE_HIT;

        return ngx_http_registry_blob_send_head(r, ctx, object.size);
    }

    return ngx_http_registry_blob_head(r, ctx, &data);
}


static ngx_int_t
ngx_http_registry_blob_head(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx, ngx_str_t *key)
{
    ngx_http_registry_call_t  *call;

    call = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_call_t));
    if (call == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call->op.conf = ctx->conf;
    call->op.key = *key;
    call->op.header_only = 1;
    call->data = ctx;

    if (ctx->conf->push) {
        return ngx_http_registry_blob_ask(r, call);
    }

    /* a cached HEAD would fetch the whole object: ask the cache by GET */

    call->op.role = NGX_HTTP_REGISTRY_ROLE_CACHED_BLOB;
    ngx_str_set(&call->op.method, "GET");
    call->handler = ngx_http_registry_blob_cached;

    if (ngx_http_registry_slice_first(r->pool, ctx->conf, &call->op.range)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_registry_store_call(r, call) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_blob_cached(ngx_http_registry_call_t *call)
{
    off_t  start, size;

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK) {

        if (call->sub->status == NGX_HTTP_PARTIAL_CONTENT
            && ngx_http_registry_sub_content_range(call->sub, &start, &size)
               == NGX_OK)
        {
            call->content_length = size;
        }

        return ngx_http_registry_blob_sized(call);
    }

    ngx_str_null(&call->op.range);

    ngx_memzero(&call->retry, sizeof(ngx_http_registry_retry_t));

    return ngx_http_registry_blob_ask(call->request, call);
}


static ngx_int_t
ngx_http_registry_blob_ask(ngx_http_request_t *r,
    ngx_http_registry_call_t *call)
{
    call->op.role = NGX_HTTP_REGISTRY_ROLE_DIRECT;
    ngx_str_set(&call->op.method, "HEAD");
    call->handler = ngx_http_registry_blob_sized;

    if (ngx_http_registry_store_call(r, call) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_blob_sized(ngx_http_registry_call_t *call)
{
    ngx_http_request_t          *r;
    ngx_http_registry_ctx_t     *ctx;
    ngx_http_registry_object_t   object;

    r = call->request;
    ctx = call->data;

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK
        && call->content_length == -1)
    {
        ngx_http_registry_result_fault(&call->result, "no Content-Length",
                              "check registry_s3_endpoint: is this S3?");
    }

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_failure(r, &call->op, &call->result,
                                         NGX_REGISTRY_BLOB_UNKNOWN);
    }

    object.size = call->content_length;
    object.type_len = 0;

    ngx_http_registry_zone_add_object(ctx->conf->zone, &ctx->conf->id,
                                      &ctx->reference, &object);

    return ngx_http_registry_blob_send_head(r, ctx, object.size);
}


static ngx_int_t
ngx_http_registry_blob_send_head(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx, off_t size)
{
    ngx_int_t  rc;

    if (ngx_http_registry_not_modified(r, &ctx->reference)) {
        return ngx_http_registry_send_not_modified(r, &ctx->reference);
    }

    if (ngx_http_registry_blob_headers(r, &ctx->reference, size) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    return (rc == NGX_ERROR || rc > NGX_OK) ? rc : NGX_OK;
}
