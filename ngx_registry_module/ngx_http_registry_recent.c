
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* bytes, of all of a worker and of one; milliseconds */

#define NGX_HTTP_REGISTRY_RECENT_SIZE     1048576
#define NGX_HTTP_REGISTRY_RECENT_MAX      65536
#define NGX_HTTP_REGISTRY_RECENT_TIME     60000

#define NGX_HTTP_REGISTRY_RECENT_BUCKETS  64


typedef struct {
    ngx_queue_t              lru;
    ngx_queue_t              bucket;
    size_t                   size;           /* of all this */
    ngx_msec_t               added;

    /* what follows data points into the same allocation */
    ngx_str_t                id;
    ngx_str_t                name;
    ngx_str_t                digest;
    ngx_str_t                type;
    ngx_str_t                body;
    u_char                   data[1];
} ngx_http_registry_recent_t;


static ngx_queue_t *ngx_http_registry_recent_bucket(ngx_str_t *digest);
static ngx_http_registry_recent_t *ngx_http_registry_recent_lookup(
    ngx_http_registry_ctx_t *ctx, ngx_str_t *digest);
static void ngx_http_registry_recent_delete(ngx_http_registry_recent_t *recent);
static u_char *ngx_http_registry_recent_copy(u_char *p, ngx_str_t *to,
    ngx_str_t *from);
static ngx_uint_t ngx_http_registry_recent_equal(ngx_str_t *a, ngx_str_t *b);


/* of the worker */

static ngx_queue_t  ngx_http_registry_recent_lru;    /* most recent first */
static ngx_queue_t  ngx_http_registry_recent_buckets
                                           [NGX_HTTP_REGISTRY_RECENT_BUCKETS];
static size_t       ngx_http_registry_recent_size;


ngx_int_t
ngx_http_registry_recent_find(ngx_http_registry_ctx_t *ctx, ngx_str_t *digest,
    ngx_str_t *type, ngx_str_t *body)
{
    u_char                      *p;
    ngx_http_registry_recent_t  *recent;

    recent = ngx_http_registry_recent_lookup(ctx, digest);

    if (recent == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_current_msec - recent->added >= NGX_HTTP_REGISTRY_RECENT_TIME) {
        ngx_http_registry_recent_delete(recent);
        return NGX_DECLINED;
    }

    ngx_queue_remove(&recent->lru);
    ngx_queue_insert_head(&ngx_http_registry_recent_lru, &recent->lru);

    /* a copy: a slow client may outlive it */

    p = ngx_pnalloc(ctx->request->pool, recent->type.len + recent->body.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    p = ngx_http_registry_recent_copy(p, type, &recent->type);
    (void) ngx_http_registry_recent_copy(p, body, &recent->body);

    return NGX_OK;
}


void
ngx_http_registry_recent_add(ngx_http_registry_ctx_t *ctx, ngx_str_t *digest,
    ngx_str_t *type, ngx_str_t *body)
{
    u_char                      *p;
    size_t                       size;
    ngx_queue_t                 *bucket;
    ngx_http_registry_recent_t  *recent;

    if (body->len > NGX_HTTP_REGISTRY_RECENT_MAX) {
        return;
    }

    bucket = ngx_http_registry_recent_bucket(digest);
    recent = ngx_http_registry_recent_lookup(ctx, digest);

    if (recent) {
        ngx_http_registry_recent_delete(recent);
    }

    size = offsetof(ngx_http_registry_recent_t, data) + ctx->conf->id.len
           + ctx->name.len + digest->len + type->len + body->len;

    while (ngx_http_registry_recent_size + size
           > NGX_HTTP_REGISTRY_RECENT_SIZE
           && !ngx_queue_empty(&ngx_http_registry_recent_lru))
    {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it leaves the queue */
        ngx_http_registry_recent_delete(
            ngx_queue_data(ngx_queue_last(&ngx_http_registry_recent_lru),
                           ngx_http_registry_recent_t, lru));
    }

    recent = ngx_alloc(size, ctx->request->connection->log);
    if (recent == NULL) {
        return;
    }

    recent->size = size;
    recent->added = ngx_current_msec;

    p = ngx_http_registry_recent_copy(recent->data, &recent->id,
                                      &ctx->conf->id);
    p = ngx_http_registry_recent_copy(p, &recent->name, &ctx->name);
    p = ngx_http_registry_recent_copy(p, &recent->digest, digest);
    p = ngx_http_registry_recent_copy(p, &recent->type, type);
    (void) ngx_http_registry_recent_copy(p, &recent->body, body);

    ngx_queue_insert_head(&ngx_http_registry_recent_lru, &recent->lru);
    ngx_queue_insert_head(bucket, &recent->bucket);

    ngx_http_registry_recent_size += size;
}


static ngx_queue_t *
ngx_http_registry_recent_bucket(ngx_str_t *digest)
{
    ngx_uint_t  i;

    if (ngx_http_registry_recent_lru.next == NULL) {

        ngx_queue_init(&ngx_http_registry_recent_lru);

        for (i = 0; i < NGX_HTTP_REGISTRY_RECENT_BUCKETS; i++) {
            ngx_queue_init(&ngx_http_registry_recent_buckets[i]);
        }
    }

    i = ngx_murmur_hash2(digest->data, digest->len)
        % NGX_HTTP_REGISTRY_RECENT_BUCKETS;

    return &ngx_http_registry_recent_buckets[i];
}


static ngx_http_registry_recent_t *
ngx_http_registry_recent_lookup(ngx_http_registry_ctx_t *ctx,
    ngx_str_t *digest)
{
    ngx_queue_t                 *q, *bucket;
    ngx_http_registry_recent_t  *recent;

    bucket = ngx_http_registry_recent_bucket(digest);

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = ngx_queue_next(q))
    {
        recent = ngx_queue_data(q, ngx_http_registry_recent_t, bucket);

        if (ngx_http_registry_recent_equal(&recent->digest, digest)
            && ngx_http_registry_recent_equal(&recent->name, &ctx->name)
            && ngx_http_registry_recent_equal(&recent->id, &ctx->conf->id))
        {
            return recent;
        }
    }

    return NULL;
}


static void
ngx_http_registry_recent_delete(ngx_http_registry_recent_t *recent)
{
    ngx_queue_remove(&recent->lru);
    ngx_queue_remove(&recent->bucket);

    ngx_http_registry_recent_size -= recent->size;

    ngx_free(recent);
}


static u_char *
ngx_http_registry_recent_copy(u_char *p, ngx_str_t *to, ngx_str_t *from)
{
    to->data = p;
    to->len = from->len;

    return ngx_cpymem(p, from->data, from->len);
}


static ngx_uint_t
ngx_http_registry_recent_equal(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len && ngx_memcmp(a->data, b->data, a->len) == 0;
}
