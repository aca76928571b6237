
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/*
 * OCI Distribution Spec, Pulling manifests.
 *
 *     by tag:     tags/<tag>/current/link, kept for a second by the workers
 *                 of the host together; an old copy if S3 fails
 *     by digest:  known, or in the cache for this repository, or
 *                 revisions/.../link says so
 *     then:       blobs/.../data, verified, kept for this repository
 *
 * The cache has a manifest for each repository that it was served from: that
 * it is there proves, also after a restart, that the repository has it.
 */


/* milliseconds that one request may take to renew a tag before another one
   tries; between two looks at what the other does */

#define NGX_HTTP_REGISTRY_TAG_LEASE  15000
#define NGX_HTTP_REGISTRY_TAG_POLL   10
#define NGX_HTTP_REGISTRY_TAG_WAIT   60000


typedef struct {
    ngx_http_registry_ctx_t         *ctx;
    ngx_registry_digest_t            digest;
    ngx_str_t                        text;        /* of the digest */
    ngx_registry_manifest_t          manifest;

    ngx_http_registry_call_t         pause;
    ngx_msec_t                       since;
    ngx_http_registry_result_t       result;      /* of the tag's link */
    ngx_http_registry_op_t           op;

    unsigned                         leased:1;
    unsigned                         asked:1;     /* S3, for the link */
    unsigned                         patient:1;   /* there is no old one */
    unsigned                         damaged:1;   /* the copy in the cache */
    unsigned                         put_off:1;   /* the wait for keys was */
} ngx_http_registry_manifest_ctx_t;


static ngx_int_t ngx_http_registry_manifest_tag(
    ngx_http_registry_manifest_ctx_t *m);
static ngx_int_t ngx_http_registry_manifest_tag_pause(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_manifest_tag_fetch(
    ngx_http_registry_manifest_ctx_t *m, ngx_uint_t role,
    ngx_http_registry_call_pt handler);
static ngx_int_t ngx_http_registry_manifest_tag_fetched(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_manifest_tag_stale(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_manifest_tag_gone(
    ngx_http_registry_call_t *call);
static void ngx_http_registry_manifest_tag_publish(
    ngx_http_registry_manifest_ctx_t *m, ngx_str_t *digest, time_t valid,
    time_t age);
static void ngx_http_registry_manifest_tag_release(void *data);
static ngx_int_t ngx_http_registry_manifest_tag_known(
    ngx_http_registry_manifest_ctx_t *m, ngx_http_registry_tag_t *tag);
static ngx_int_t ngx_http_registry_manifest_digest(
    ngx_http_registry_manifest_ctx_t *m);
static ngx_int_t ngx_http_registry_manifest_cached(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_manifest_link(
    ngx_http_registry_manifest_ctx_t *m);
static ngx_int_t ngx_http_registry_manifest_linked(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_manifest_fetch(
    ngx_http_registry_manifest_ctx_t *m, ngx_uint_t role,
    ngx_http_registry_call_pt handler);
static ngx_int_t ngx_http_registry_manifest_fetched(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_manifest_damaged(
    ngx_http_registry_manifest_ctx_t *m, ngx_http_registry_call_t *call);
static ngx_registry_status_e ngx_http_registry_manifest_descriptor(void *data,
    const ngx_registry_descriptor_t *d);
static ngx_int_t ngx_http_registry_manifest_send(
    ngx_http_registry_manifest_ctx_t *m, ngx_str_t *type, ngx_str_t *body,
    off_t size);


ngx_int_t
ngx_http_registry_manifest_handler(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx)
{
    ngx_http_cleanup_t                *cln;
    ngx_http_registry_manifest_ctx_t  *m;

    m = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_manifest_ctx_t));
    if (m == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    m->ctx = ctx;

    if (ctx->route.by_digest) {
        m->digest = ctx->route.digest;
        m->text = ctx->reference;

        return ngx_http_registry_manifest_digest(m);
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_registry_manifest_tag_release;
    cln->data = m;

    m->since = ngx_current_msec;

    return ngx_http_registry_manifest_tag(m);
}


static ngx_int_t
ngx_http_registry_manifest_tag(ngx_http_registry_manifest_ctx_t *m)
{
    ngx_http_registry_ctx_t       *ctx;
    ngx_http_registry_tag_t        tag;
    ngx_http_registry_loc_conf_t  *rlcf;

    ctx = m->ctx;
    rlcf = ctx->conf;

    if (rlcf->fresh) {
        /* the host that writes sees its own writes at once */
        return ngx_http_registry_manifest_tag_fetch(m,
                                      NGX_HTTP_REGISTRY_ROLE_DIRECT,
                                      ngx_http_registry_manifest_tag_fetched);
    }

    switch (ngx_http_registry_zone_tag(rlcf->zone, &rlcf->id, &ctx->name,
                                       &ctx->reference,
                                       NGX_HTTP_REGISTRY_TAG_LEASE, &tag))
    {
    case NGX_HTTP_REGISTRY_TAG_FRESH:
        ctx->cache_status = NGX_HTTP_CACHE_HIT;

        return ngx_http_registry_manifest_tag_known(m, &tag);

    case NGX_HTTP_REGISTRY_TAG_BUSY:

        if (ngx_current_msec - m->since < NGX_HTTP_REGISTRY_TAG_WAIT) {

            m->pause.handler = ngx_http_registry_manifest_tag_pause;
            m->pause.data = m;

            ngx_http_registry_store_pause(ctx->request, &m->pause,
                                          NGX_HTTP_REGISTRY_TAG_POLL);
            return NGX_AGAIN;
        }

        break;

    default: /* NGX_HTTP_REGISTRY_TAG_FETCH */
        m->leased = 1;
        break;
    }

    if (ngx_http_registry_zone_silent(rlcf->zone, &rlcf->id,
                                      ngx_current_msec))
    {
        return ngx_http_registry_manifest_tag_fetch(m,
                                      NGX_HTTP_REGISTRY_ROLE_CACHED,
                                      ngx_http_registry_manifest_tag_stale);
    }

    return ngx_http_registry_manifest_tag_fetch(m,
                                      NGX_HTTP_REGISTRY_ROLE_TAG,
                                      ngx_http_registry_manifest_tag_fetched);
}


static ngx_int_t
ngx_http_registry_manifest_tag_pause(ngx_http_registry_call_t *call)
{
    return ngx_http_registry_manifest_tag(call->data);
}


static ngx_int_t
ngx_http_registry_manifest_tag_fetch(ngx_http_registry_manifest_ctx_t *m,
    ngx_uint_t role, ngx_http_registry_call_pt handler)
{
    ngx_registry_key_t         key;
    ngx_http_registry_call_t  *call;

    ngx_memzero(&key, sizeof(ngx_registry_key_t));

    key.type = NGX_REGISTRY_KEY_TAG_CURRENT;
    key.tag = ngx_http_registry_span(&m->ctx->reference);

    call = ngx_http_registry_object_call(m->ctx, &key, role,
                                         NGX_HTTP_REGISTRY_LINK_SIZE, handler,
                                         m);
    if (call == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call->retry.hasty = !m->patient && !m->ctx->conf->fresh;

    if (ngx_http_registry_store_call(m->ctx->request, call) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_manifest_tag_fetched(ngx_http_registry_call_t *call)
{
    time_t                             valid;
    ngx_http_cache_t                  *c;
    ngx_http_request_t                *r;
    ngx_http_registry_manifest_ctx_t  *m;

    m = call->data;
    r = call->request;

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK
        && ngx_http_registry_object_link(call, &m->digest) == NGX_OK)
    {
        ngx_http_registry_digest_str(&m->text, &m->digest);

        /* as long as the copy in nginx's cache, which counts whole seconds */

        c = call->sub->request->cache;
        valid = (c && c->valid_sec) ? c->valid_sec : ngx_time();

        ngx_http_registry_manifest_tag_publish(m, &m->text, valid, -1);

        ngx_http_registry_zone_add_member(m->ctx->conf->zone,
                                          &m->ctx->conf->id, &m->ctx->name,
                                          &m->text,
                                          NGX_HTTP_REGISTRY_MEMBER_MANIFEST);

        return ngx_http_registry_manifest_fetch(m,
                                      NGX_HTTP_REGISTRY_ROLE_OBJECT,
                                      ngx_http_registry_manifest_fetched);
    }

    if (call->result.outcome == NGX_HTTP_REGISTRY_NOT_FOUND) {

        if (call->sub->request->cache == NULL) {

            /* it was asked for without the cache: look there, too */

            return ngx_http_registry_manifest_tag_fetch(m,
                                      NGX_HTTP_REGISTRY_ROLE_CACHED,
                                      ngx_http_registry_manifest_tag_gone);
        }

        return ngx_http_registry_manifest_tag_gone(call);

    } else if (ngx_http_registry_result_stale(&call->result)
               && !m->ctx->conf->fresh)
    {
        m->result = call->result;
        m->op = call->op;
        m->asked = 1;
        m->put_off = call->retry.put_off;

        return ngx_http_registry_manifest_tag_fetch(m,
                                      NGX_HTTP_REGISTRY_ROLE_CACHED,
                                      ngx_http_registry_manifest_tag_stale);
    }

    return ngx_http_registry_failure(r, &call->op, &call->result,
                                     NGX_REGISTRY_MANIFEST_UNKNOWN);
}


static ngx_int_t
ngx_http_registry_manifest_tag_gone(ngx_http_registry_call_t *call)
{
    ngx_http_registry_ctx_t           *ctx;
    ngx_http_registry_manifest_ctx_t  *m;

    m = call->data;
    ctx = m->ctx;

    /* an old copy must not come back when S3 fails later */

    ngx_http_registry_sub_forget(call->sub);

    ngx_http_registry_manifest_tag_publish(m, NULL, ngx_time(), -1);

    return ngx_http_registry_error(ctx->request, NGX_HTTP_NOT_FOUND,
                                   NGX_REGISTRY_MANIFEST_UNKNOWN, NULL,
                                   &ctx->reference);
}


static ngx_int_t
ngx_http_registry_manifest_tag_stale(ngx_http_registry_call_t *call)
{
    time_t                             age;
    ngx_http_cache_t                  *c;
    ngx_http_registry_ctx_t           *ctx;
    ngx_http_registry_manifest_ctx_t  *m;

    m = call->data;
    ctx = m->ctx;

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK
        || ngx_http_registry_object_link(call, &m->digest) != NGX_OK)
    {
        if (!m->patient
            && (!m->asked || m->put_off
                || ngx_http_registry_zone_silent(ctx->conf->zone,
                                                 &ctx->conf->id,
                                                 ngx_current_msec)))
        {
            /* there is no copy: take the time that it takes */

            m->patient = 1;

            return ngx_http_registry_manifest_tag_fetch(m,
                                      NGX_HTTP_REGISTRY_ROLE_TAG,
                                      ngx_http_registry_manifest_tag_fetched);
        }

        return ngx_http_registry_failure(call->request, &m->op, &m->result,
                                         NGX_REGISTRY_MANIFEST_UNKNOWN);
    }

    ngx_http_registry_digest_str(&m->text, &m->digest);

    c = call->sub->request->cache;
    age = c ? ngx_time() - c->date : 0;

    ctx->stale_age = age;
    ctx->cache_status = NGX_HTTP_CACHE_STALE;

    if (m->asked) {
        ngx_http_registry_result_log(ctx, &m->op, &m->result);
    }

    ngx_http_registry_result_log_stale(ctx, age);

    /* the next second S3 is asked again, by one request */

    ngx_http_registry_manifest_tag_publish(m, &m->text, ngx_time(), age);

    ngx_http_registry_zone_add_member(ctx->conf->zone, &ctx->conf->id,
                                      &ctx->name, &m->text,
                                      NGX_HTTP_REGISTRY_MEMBER_MANIFEST);

    return ngx_http_registry_manifest_fetch(m, NGX_HTTP_REGISTRY_ROLE_OBJECT,
                                      ngx_http_registry_manifest_fetched);
}


static void
ngx_http_registry_manifest_tag_publish(ngx_http_registry_manifest_ctx_t *m,
    ngx_str_t *digest, time_t valid, time_t age)
{
    ngx_http_registry_ctx_t  *ctx;
    ngx_http_registry_tag_t   tag;

    ctx = m->ctx;

    if (ctx->conf->fresh) {
        return;
    }

    tag.len = 0;
    tag.valid = valid;
    tag.age = age;

    if (digest) {
        tag.len = digest->len;
        ngx_memcpy(tag.digest, digest->data, digest->len);
    }

    m->leased = 0;

    ngx_http_registry_zone_publish_tag(ctx->conf->zone, &ctx->conf->id,
                                       &ctx->name, &ctx->reference, &tag);
}


static void
ngx_http_registry_manifest_tag_release(void *data)
{
    ngx_http_registry_manifest_ctx_t *m = data;

    ngx_http_registry_ctx_t  *ctx;

    if (!m->leased) {
        return;
    }

    m->leased = 0;

    ctx = m->ctx;

    ngx_http_registry_zone_release_tag(ctx->conf->zone, &ctx->conf->id,
                                       &ctx->name, &ctx->reference);
}


static ngx_int_t
ngx_http_registry_manifest_tag_known(ngx_http_registry_manifest_ctx_t *m,
    ngx_http_registry_tag_t *tag)
{
    ngx_http_registry_ctx_t  *ctx;

    ctx = m->ctx;

    if (tag->len == 0) {
        return ngx_http_registry_error(ctx->request, NGX_HTTP_NOT_FOUND,
                                       NGX_REGISTRY_MANIFEST_UNKNOWN, NULL,
                                       &ctx->reference);
    }

    m->text.len = tag->len;

    m->text.data = ngx_pnalloc(ctx->request->pool, tag->len);
    if (m->text.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(m->text.data, tag->digest, tag->len);

    if (ngx_registry_digest_parse(m->text.data, m->text.data + m->text.len,
                                  &m->digest)
        != NGX_REGISTRY_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (tag->age != -1) {
        ctx->stale_age = tag->age;
        ctx->cache_status = NGX_HTTP_CACHE_STALE;
    }

    return ngx_http_registry_manifest_fetch(m, NGX_HTTP_REGISTRY_ROLE_OBJECT,
                                      ngx_http_registry_manifest_fetched);
}


static ngx_int_t
ngx_http_registry_manifest_digest(ngx_http_registry_manifest_ctx_t *m)
{
    ngx_http_registry_ctx_t       *ctx;
    ngx_http_registry_loc_conf_t  *rlcf;

    ctx = m->ctx;
    rlcf = ctx->conf;

    if (rlcf->fresh) {
        return ngx_http_registry_manifest_link(m);
    }

    if (ngx_http_registry_zone_member(rlcf->zone, &rlcf->id, &ctx->name,
                                      &m->text,
                                      NGX_HTTP_REGISTRY_MEMBER_MANIFEST))
    {
        return ngx_http_registry_manifest_fetch(m,
                                      NGX_HTTP_REGISTRY_ROLE_OBJECT,
                                      ngx_http_registry_manifest_fetched);
    }

    return ngx_http_registry_manifest_fetch(m, NGX_HTTP_REGISTRY_ROLE_CACHED,
                                      ngx_http_registry_manifest_cached);
}


static ngx_int_t
ngx_http_registry_manifest_cached(ngx_http_registry_call_t *call)
{
    if (call->result.outcome == NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_manifest_fetched(call);
    }

    return ngx_http_registry_manifest_link(call->data);
}


static ngx_int_t
ngx_http_registry_manifest_link(ngx_http_registry_manifest_ctx_t *m)
{
    ngx_registry_key_t         key;
    ngx_http_registry_call_t  *call;

    ngx_memzero(&key, sizeof(ngx_registry_key_t));

    key.type = NGX_REGISTRY_KEY_REVISION;
    key.digest = m->digest;

    call = ngx_http_registry_object_call(m->ctx, &key,
                         m->ctx->conf->fresh ? NGX_HTTP_REGISTRY_ROLE_DIRECT
                                             : NGX_HTTP_REGISTRY_ROLE_OBJECT,
                         NGX_HTTP_REGISTRY_LINK_SIZE,
                         ngx_http_registry_manifest_linked, m);

    if (call == NULL
        || ngx_http_registry_store_call(m->ctx->request, call) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_manifest_linked(ngx_http_registry_call_t *call)
{
    ngx_http_registry_manifest_ctx_t  *m;

    m = call->data;

    /* the link may name the content by another algorithm than its key */

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK
        || ngx_http_registry_object_link(call, &m->digest) != NGX_OK)
    {
        return ngx_http_registry_failure(call->request, &call->op,
                                         &call->result,
                                         NGX_REGISTRY_MANIFEST_UNKNOWN);
    }

    return ngx_http_registry_manifest_fetch(m, NGX_HTTP_REGISTRY_ROLE_OBJECT,
                                      ngx_http_registry_manifest_fetched);
}


static ngx_int_t
ngx_http_registry_manifest_fetch(ngx_http_registry_manifest_ctx_t *m,
    ngx_uint_t role, ngx_http_registry_call_pt handler)
{
    ngx_int_t                    rc;
    ngx_str_t                    type, body;
    ngx_registry_key_t           key;
    ngx_http_registry_ctx_t     *ctx;
    ngx_http_registry_call_t    *call;
    ngx_http_registry_object_t   object;

    ctx = m->ctx;

    if (role == NGX_HTTP_REGISTRY_ROLE_OBJECT
        && (ctx->request->method == NGX_HTTP_HEAD
            || ngx_http_registry_not_modified(ctx->request, &m->text))
        && ngx_http_registry_zone_object(ctx->conf->zone, &ctx->conf->id,
                                         &m->text, &object)
           == NGX_OK
        && object.type_len)
    {
        type.len = object.type_len;

        type.data = ngx_pnalloc(ctx->request->pool, type.len);
        if (type.data == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_memcpy(type.data, object.type, type.len);

        return ngx_http_registry_manifest_send(m, &type, NULL, object.size);
    }

    if (role == NGX_HTTP_REGISTRY_ROLE_OBJECT && !ctx->conf->push) {

        rc = ngx_http_registry_recent_find(ctx, &m->text, &type, &body);

        if (rc == NGX_ERROR) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (rc == NGX_OK) {

            if (ctx->stale_age == -1) {
                ctx->cache_status = NGX_HTTP_CACHE_HIT;
            }

            return ngx_http_registry_manifest_send(m, &type, &body, body.len);
        }
    }

    ngx_memzero(&key, sizeof(ngx_registry_key_t));

    key.type = NGX_REGISTRY_KEY_BLOB;
    key.digest = m->digest;

    call = ngx_http_registry_object_call(ctx, &key, role,
                                         NGX_REGISTRY_MANIFEST_MAX_LEN,
                                         handler, m);
    if (call == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call->op.scope = ctx->name;
    call->op.digest = &m->digest;

    if (ngx_http_registry_store_call(ctx->request, call) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_manifest_fetched(ngx_http_registry_call_t *call)
{
    ngx_str_t                          type;
    ngx_http_registry_ctx_t           *ctx;
    ngx_http_registry_object_t         object;
    ngx_http_registry_loc_conf_t      *rlcf;
    ngx_http_registry_manifest_ctx_t  *m;

    m = call->data;
    ctx = m->ctx;
    rlcf = ctx->conf;

    if (ctx->stale_age != -1) {
        ctx->cache_status = NGX_HTTP_CACHE_STALE;
    }

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK
        && call->sub->request->cached
        && ngx_registry_digest_check(&m->digest, call->body.data,
                                     call->body.len)
           != NGX_REGISTRY_OK)
    {
        return ngx_http_registry_manifest_damaged(m, call);
    }

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK
        && ngx_registry_manifest_parse(call->body.data,
                                       call->body.data + call->body.len,
                                       &m->manifest,
                                       ngx_http_registry_manifest_descriptor,
                                       m)
           != NGX_REGISTRY_OK)
    {
        ngx_http_registry_sub_forget(call->sub);

        ngx_http_registry_result_fault(&call->result,
                                       "not a manifest",
                                       "the object is damaged: push the "
                                       "image again");
    }

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_failure(call->request, &call->op,
                                         &call->result,
                                         NGX_REGISTRY_MANIFEST_UNKNOWN);
    }

    type.data = m->manifest.media_type;
    type.len = m->manifest.media_type_len;

    ngx_http_registry_zone_add_member(rlcf->zone, &rlcf->id, &ctx->name,
                                      &m->text,
                                      NGX_HTTP_REGISTRY_MEMBER_MANIFEST);

    object.size = call->body.len;
    object.type_len = type.len;
    ngx_memcpy(object.type, type.data, type.len);

    ngx_http_registry_zone_add_object(rlcf->zone, &rlcf->id, &m->text,
                                      &object);

    if (call->sub->request->cached && !rlcf->push) {
        /* it was asked for before, and may be again */
        ngx_http_registry_recent_add(ctx, &m->text, &type, &call->body);
    }

    return ngx_http_registry_manifest_send(m, &type, &call->body,
                                           call->body.len);
}


static ngx_int_t
ngx_http_registry_manifest_damaged(ngx_http_registry_manifest_ctx_t *m,
    ngx_http_registry_call_t *call)
{
    /* it was right when it was stored: a disk has forgotten, S3 has not */

    ngx_log_error(NGX_LOG_WARN, call->request->connection->log, 0,
                  "registry: the copy of manifest \"%V\" in the cache is "
                  "damaged, it is fetched again", &m->text);

    ngx_http_registry_sub_forget(call->sub);

    if (m->damaged) {
        /* a disk that forgets may not let go either */
        return ngx_http_registry_manifest_fetch(m,
                                      NGX_HTTP_REGISTRY_ROLE_DIRECT,
                                      ngx_http_registry_manifest_fetched);
    }

    m->damaged = 1;

    return ngx_http_registry_manifest_fetch(m, NGX_HTTP_REGISTRY_ROLE_OBJECT,
                                      ngx_http_registry_manifest_fetched);
}


static ngx_registry_status_e
ngx_http_registry_manifest_descriptor(void *data,
    const ngx_registry_descriptor_t *d)
{
    ngx_http_registry_manifest_ctx_t *m = data;

    ngx_str_t                      digest;
    ngx_http_registry_loc_conf_t  *rlcf;

    /*
     * a registry takes a manifest only if the repository has its config and
     * its layers, except for layers that are elsewhere ("urls"); children of
     * an index and subjects it takes on trust
     */

    if (d->urls
        || (d->type != NGX_REGISTRY_DESCRIPTOR_CONFIG
            && d->type != NGX_REGISTRY_DESCRIPTOR_LAYER))
    {
        return NGX_REGISTRY_OK;
    }

    rlcf = m->ctx->conf;

    ngx_http_registry_digest_str(&digest, &d->digest);

    ngx_http_registry_zone_add_member(rlcf->zone, &rlcf->id, &m->ctx->name,
                                      &digest, NGX_HTTP_REGISTRY_MEMBER_BLOB);

    return NGX_REGISTRY_OK;
}


static ngx_int_t
ngx_http_registry_manifest_send(ngx_http_registry_manifest_ctx_t *m,
    ngx_str_t *type, ngx_str_t *body, off_t size)
{
    ngx_str_t            empty;
    ngx_http_request_t  *r;

    r = m->ctx->request;

    if (ngx_http_registry_not_modified(r, &m->text)) {
        return ngx_http_registry_send_not_modified(r, &m->text);
    }

    if (ngx_http_registry_add_digest(r, &m->text) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (body == NULL) {
        /* HEAD: only the length of it counts */
        empty.data = NULL;
        empty.len = size;
        body = &empty;
    }

    return ngx_http_registry_send(r, type, body);
}
