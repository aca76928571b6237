
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* tags that are looked at at a time */
#define NGX_HTTP_REGISTRY_DELETE_WINDOW  8


/*
 * Links are deleted, never data: that is for distribution's garbage
 * collection.  Of a manifest the tags go first, so that none points to what
 * is gone, then the descriptor among the referrers of its subject.  The link
 * by which a request finds what it deletes goes last, so that a delete that
 * broke off can be repeated.
 */

typedef struct ngx_http_registry_delete_s  ngx_http_registry_delete_t;


/* a tag on its way */

typedef struct {
    ngx_http_registry_delete_t  *del;
    ngx_http_registry_ctx_t     *ctx;         /* of who deletes it */
    ngx_http_registry_apart_t    apart;
    ngx_str_t                    tag;
    ngx_http_registry_erase_t    erase;       /* of its objects */
    ngx_http_registry_op_t      *op;          /* what came of it */
    ngx_http_registry_result_t  *result;
} ngx_http_registry_delete_tag_t;


struct ngx_http_registry_delete_s {
    ngx_http_request_t          *request;
    ngx_http_registry_ctx_t     *ctx;
    ngx_http_registry_lock_t     lock;
    ngx_http_registry_list_t     list;        /* of tags */
    ngx_uint_t                   next;
    ngx_uint_t                   active;
    ngx_http_registry_delete_tag_t
                                 tags[NGX_HTTP_REGISTRY_DELETE_WINDOW];
    ngx_str_t                    subject;
    ngx_http_registry_op_t       op;          /* that failed */
    ngx_http_registry_result_t   result;
    unsigned                     failed:1;
};


static ngx_int_t ngx_http_registry_delete_locked(void *data);
static ngx_int_t ngx_http_registry_delete_link(
    ngx_http_registry_delete_t *del, ngx_registry_key_t *key,
    ngx_http_registry_call_pt handler);
static ngx_int_t ngx_http_registry_delete_linked(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_delete_key(
    ngx_http_registry_delete_t *del, ngx_str_t *key,
    ngx_http_registry_call_pt handler, void *data);
static ngx_int_t ngx_http_registry_delete_unlinked(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_delete_subject(
    ngx_http_registry_delete_t *del);
static ngx_int_t ngx_http_registry_delete_revision(
    ngx_http_registry_delete_t *del);
static ngx_int_t ngx_http_registry_delete_subject_fetched(
    ngx_http_registry_call_t *call);
static ngx_registry_status_e ngx_http_registry_delete_descriptor(void *data,
    const ngx_registry_descriptor_t *d);
static ngx_int_t ngx_http_registry_delete_referrer(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_delete_tags(
    ngx_http_registry_delete_t *del);
static ngx_int_t ngx_http_registry_delete_listed(
    ngx_http_registry_list_t *list);
static ngx_int_t ngx_http_registry_delete_run(
    ngx_http_registry_delete_t *del);
static ngx_int_t ngx_http_registry_delete_look(
    ngx_http_registry_delete_t *del, ngx_str_t *tag);
static ngx_int_t ngx_http_registry_delete_looked(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_delete_tag(
    ngx_http_registry_delete_tag_t *dt);
static ngx_int_t ngx_http_registry_delete_tag_gone(
    ngx_http_registry_erase_t *erase);
static ngx_int_t ngx_http_registry_delete_tag_ended(
    ngx_http_registry_delete_tag_t *dt, ngx_http_registry_op_t *op,
    ngx_http_registry_result_t *result);
static ngx_int_t ngx_http_registry_delete_next(
    ngx_http_registry_apart_t *apart);
static ngx_int_t ngx_http_registry_delete_done(
    ngx_http_registry_delete_t *del);


ngx_int_t
ngx_http_registry_delete_handler(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx)
{
    ngx_http_registry_delete_t  *del;

    del = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_delete_t));
    if (del == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    del->request = r;
    del->ctx = ctx;

    /*
     * what is begun is ended, whether the client stays or not; only a stream
     * of HTTP/2 that is reset ends with the step that is under way
     */

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_block_reading;
    }

    del->lock.ctx = ctx;
    del->lock.exclusive = 1;
    del->lock.handler = ngx_http_registry_delete_locked;
    del->lock.data = del;

    return ngx_http_registry_lock(&del->lock);
}


static ngx_int_t
ngx_http_registry_delete_locked(void *data)
{
    ngx_http_registry_delete_t *del = data;

    ngx_registry_key_t        key;
    ngx_http_registry_ctx_t  *ctx;

    ctx = del->ctx;

    ngx_memzero(&key, sizeof(ngx_registry_key_t));

    /* what is not there is 404: S3 would not say */

    if (ctx->route.type == NGX_REGISTRY_ROUTE_BLOB) {
        key.type = NGX_REGISTRY_KEY_LAYER;
        key.digest = ctx->route.digest;

    } else if (ctx->route.by_digest) {
        key.type = NGX_REGISTRY_KEY_REVISION;
        key.digest = ctx->route.digest;

    } else {
        key.type = NGX_REGISTRY_KEY_TAG_CURRENT;
        key.tag = ngx_http_registry_span(&ctx->reference);
    }

    return ngx_http_registry_delete_link(del, &key,
                                         ngx_http_registry_delete_linked);
}


static ngx_int_t
ngx_http_registry_delete_link(ngx_http_registry_delete_t *del,
    ngx_registry_key_t *key, ngx_http_registry_call_pt handler)
{
    ngx_http_registry_call_t  *call;

    call = ngx_http_registry_object_call(del->ctx, key,
                                         NGX_HTTP_REGISTRY_ROLE_DIRECT,
                                         NGX_HTTP_REGISTRY_LINK_SIZE, handler,
                                         del);
    if (call == NULL
        || ngx_http_registry_store_call(del->request, call) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_delete_linked(ngx_http_registry_call_t *call)
{
    ngx_uint_t                       unlinked;
    ngx_http_registry_ctx_t         *ctx;
    ngx_http_registry_delete_t      *del;
    ngx_http_registry_delete_tag_t  *dt;

    del = call->data;
    ctx = del->ctx;

    unlinked = (call->result.outcome == NGX_HTTP_REGISTRY_NOT_FOUND
                && ctx->route.type == NGX_REGISTRY_ROUTE_MANIFEST
                && !ctx->route.by_digest);

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK && !unlinked) {
        return ngx_http_registry_failure(del->request, &call->op,
                                         &call->result,
                                  ctx->route.type == NGX_REGISTRY_ROUTE_BLOB
                                  ? NGX_REGISTRY_BLOB_UNKNOWN
                                  : NGX_REGISTRY_MANIFEST_UNKNOWN);
    }

    if (ctx->route.type == NGX_REGISTRY_ROUTE_BLOB) {
        return ngx_http_registry_delete_key(del, &call->op.key,
                                    ngx_http_registry_delete_unlinked, del);
    }

    if (ctx->route.by_digest) {
        return ngx_http_registry_delete_tags(del);
    }

    dt = ngx_pcalloc(del->request->pool,
                     sizeof(ngx_http_registry_delete_tag_t));
    if (dt == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* a push that broke off has left objects of a tag that is not there */

    dt->del = del;
    dt->ctx = ctx;
    dt->tag = ctx->reference;
    dt->erase.ended = unlinked;

    return ngx_http_registry_delete_tag(dt);
}


static ngx_int_t
ngx_http_registry_delete_key(ngx_http_registry_delete_t *del, ngx_str_t *key,
    ngx_http_registry_call_pt handler, void *data)
{
    ngx_http_registry_call_t  *call;

    call = ngx_pcalloc(del->request->pool, sizeof(ngx_http_registry_call_t));

    if (call == NULL
        || ngx_http_registry_op_write(del->request, &call->op, "DELETE", NULL)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call->op.conf = del->ctx->conf;
    call->op.key = *key;
    call->limit = NGX_HTTP_REGISTRY_LINK_SIZE;
    call->handler = handler;
    call->data = data;

    if (ngx_http_registry_store_call(del->request, call) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_delete_unlinked(ngx_http_registry_call_t *call)
{
    ngx_http_registry_ctx_t     *ctx;
    ngx_http_registry_delete_t  *del;

    del = call->data;
    ctx = del->ctx;

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK
        && call->result.outcome != NGX_HTTP_REGISTRY_NOT_FOUND)
    {
        return ngx_http_registry_failure(del->request, &call->op,
                                         &call->result,
                                         NGX_REGISTRY_BLOB_UNKNOWN);
    }

    ngx_http_registry_zone_forget(ctx->conf->zone, &ctx->conf->id, &ctx->name,
                                  &ctx->reference);

    return ngx_http_registry_delete_done(del);
}


static ngx_int_t
ngx_http_registry_delete_tags(ngx_http_registry_delete_t *del)
{
    ngx_registry_key_t         key;
    ngx_http_registry_call_t  *call;

    /* its subject has a descriptor of it */

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_BLOB;
    key.digest = del->ctx->route.digest;

    call = ngx_http_registry_object_call(del->ctx, &key,
                                     NGX_HTTP_REGISTRY_ROLE_DIRECT,
                                     NGX_REGISTRY_MANIFEST_MAX_LEN,
                                     ngx_http_registry_delete_subject_fetched,
                                     del);
    if (call == NULL
        || ngx_http_registry_store_call(del->request, call) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_delete_subject_fetched(ngx_http_registry_call_t *call)
{
    ngx_registry_key_t           key;
    ngx_registry_status_e        status;
    ngx_registry_manifest_t      manifest;
    ngx_http_registry_delete_t  *del;

    del = call->data;

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK) {
        status = ngx_registry_manifest_parse(call->body.data,
                                          call->body.data + call->body.len,
                                          &manifest,
                                         ngx_http_registry_delete_descriptor,
                                          del);

        if (status == NGX_REGISTRY_STOPPED
            || status == NGX_REGISTRY_NO_MEMORY)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

    } else if (call->result.outcome != NGX_HTTP_REGISTRY_NOT_FOUND) {
        return ngx_http_registry_failure(del->request, &call->op,
                                         &call->result,
                                         NGX_REGISTRY_MANIFEST_UNKNOWN);
    }

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_TAGS;

    del->list.ctx = del->ctx;
    del->list.handler = ngx_http_registry_delete_listed;
    del->list.data = del;

    if (ngx_http_registry_object_key(del->ctx, &key, &del->list.prefix)
        != NGX_OK
        || ngx_http_registry_list(&del->list) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_registry_status_e
ngx_http_registry_delete_descriptor(void *data,
    const ngx_registry_descriptor_t *d)
{
    ngx_http_registry_delete_t *del = data;

    if (d->type != NGX_REGISTRY_DESCRIPTOR_SUBJECT) {
        return NGX_REGISTRY_OK;
    }

    del->subject.len = d->digest.text.len;
    del->subject.data = ngx_pnalloc(del->request->pool, del->subject.len);
    if (del->subject.data == NULL) {
        del->subject.len = 0;
        return NGX_REGISTRY_STOPPED;
    }

    ngx_memcpy(del->subject.data, d->digest.text.data, del->subject.len);

    return NGX_REGISTRY_OK;
}


static ngx_int_t
ngx_http_registry_delete_listed(ngx_http_registry_list_t *list)
{
    ngx_http_registry_delete_t  *del;

    del = list->data;

    if (list->call.result.outcome != NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_failure(del->request, &list->call.op,
                                         &list->call.result,
                                         NGX_REGISTRY_MANIFEST_UNKNOWN);
    }

    return ngx_http_registry_delete_run(del);
}


static ngx_int_t
ngx_http_registry_delete_run(ngx_http_registry_delete_t *del)
{
    ngx_str_t  *tags;

    tags = del->list.names.elts;

    while (!del->failed && del->next < del->list.names.nelts
           && del->active < NGX_HTTP_REGISTRY_DELETE_WINDOW)
    {
        if (ngx_http_registry_delete_look(del, &tags[del->next++])
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (del->active) {
        return NGX_AGAIN;
    }

    if (del->failed) {
        return ngx_http_registry_failure(del->request, &del->op, &del->result,
                                         NGX_REGISTRY_MANIFEST_UNKNOWN);
    }

    /* no tag points to it any more */

    return del->subject.len ? ngx_http_registry_delete_subject(del)
                            : ngx_http_registry_delete_revision(del);
}


static ngx_int_t
ngx_http_registry_delete_revision(ngx_http_registry_delete_t *del)
{
    ngx_str_t           key;
    ngx_registry_key_t  revision;

    ngx_memzero(&revision, sizeof(ngx_registry_key_t));
    revision.type = NGX_REGISTRY_KEY_REVISION;
    revision.digest = del->ctx->route.digest;

    if (ngx_http_registry_object_key(del->ctx, &revision, &key) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_registry_delete_key(del, &key,
                                    ngx_http_registry_delete_unlinked, del);
}


static ngx_int_t
ngx_http_registry_delete_look(ngx_http_registry_delete_t *del, ngx_str_t *tag)
{
    ngx_uint_t                       i;
    ngx_registry_key_t               key;
    ngx_http_registry_call_t        *call;
    ngx_http_registry_delete_tag_t  *dt;

    /* there are as many as may be active */

    for (i = 0; del->tags[i].apart.own; i++) { /* void */ }

    dt = &del->tags[i];

    ngx_memzero(dt, sizeof(ngx_http_registry_delete_tag_t));

    dt->del = del;
    dt->tag = *tag;

    dt->apart.request = del->request;
    dt->apart.handler = ngx_http_registry_delete_next;
    dt->apart.data = dt;

    dt->ctx = ngx_http_registry_apart_begin(&dt->apart);
    if (dt->ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_TAG_CURRENT;
    key.tag = ngx_http_registry_span(tag);

    call = ngx_http_registry_object_call(dt->ctx, &key,
                                         NGX_HTTP_REGISTRY_ROLE_DIRECT,
                                         NGX_HTTP_REGISTRY_LINK_SIZE,
                                         ngx_http_registry_delete_looked, dt);
    if (call == NULL) {
        return NGX_ERROR;
    }

    del->active++;

    return ngx_http_registry_store_call(dt->ctx->request, call);
}


static ngx_int_t
ngx_http_registry_delete_looked(ngx_http_registry_call_t *call)
{
    ngx_str_t                       *reference;
    ngx_http_registry_delete_tag_t  *dt;

    dt = call->data;
    reference = &dt->ctx->reference;

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK
        && call->body.len == reference->len
        && ngx_memcmp(call->body.data, reference->data, reference->len) == 0)
    {
        return ngx_http_registry_delete_tag(dt);
    }

    return ngx_http_registry_delete_tag_ended(dt, &call->op, &call->result);
}


static ngx_int_t
ngx_http_registry_delete_tag(ngx_http_registry_delete_tag_t *dt)
{
    ngx_registry_key_t          current, key;
    ngx_http_registry_erase_t  *erase;

    erase = &dt->erase;

    ngx_memzero(&current, sizeof(ngx_registry_key_t));
    current.type = NGX_REGISTRY_KEY_TAG_CURRENT;
    current.tag = ngx_http_registry_span(&dt->tag);

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_TAG;
    key.tag = ngx_http_registry_span(&dt->tag);

    erase->ctx = dt->ctx;
    erase->handler = ngx_http_registry_delete_tag_gone;
    erase->data = dt;

    if (ngx_http_registry_object_key(erase->ctx, &current, &erase->last)
        != NGX_OK
        || ngx_http_registry_object_key(erase->ctx, &key, &erase->prefix)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_registry_erase(erase);
}


static ngx_int_t
ngx_http_registry_delete_tag_gone(ngx_http_registry_erase_t *erase)
{
    ngx_http_registry_delete_t      *del;
    ngx_http_registry_delete_tag_t  *dt;

    dt = erase->data;
    del = dt->del;

    if (del->ctx->route.by_digest) {
        return ngx_http_registry_delete_tag_ended(dt, &erase->op,
                                                  &erase->result);
    }

    if (erase->result.outcome != NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_failure(del->request, &erase->op,
                                         &erase->result,
                                         NGX_REGISTRY_MANIFEST_UNKNOWN);
    }

    return ngx_http_registry_delete_done(del);
}


static ngx_int_t
ngx_http_registry_delete_tag_ended(ngx_http_registry_delete_tag_t *dt,
    ngx_http_registry_op_t *op, ngx_http_registry_result_t *result)
{
    dt->op = op;
    dt->result = result;

    return ngx_http_registry_apart_end(&dt->apart);
}


static ngx_int_t
ngx_http_registry_delete_next(ngx_http_registry_apart_t *apart)
{
    ngx_http_registry_delete_t      *del;
    ngx_http_registry_delete_tag_t  *dt;

    dt = apart->data;
    del = dt->del;

    del->active--;

    /* of the tags of a manifest another host may have deleted one */

    if (dt->result->outcome != NGX_HTTP_REGISTRY_OK
        && dt->result->outcome != NGX_HTTP_REGISTRY_NOT_FOUND
        && !del->failed)
    {
        del->failed = 1;
        del->op = *dt->op;
        del->result = *dt->result;

        if (ngx_http_registry_apart_keep(del->request->pool, &del->op,
                                         &del->result)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return ngx_http_registry_delete_run(del);
}


static ngx_int_t
ngx_http_registry_delete_subject(ngx_http_registry_delete_t *del)
{
    ngx_str_t           key;
    ngx_registry_key_t  referrer;

    ngx_memzero(&referrer, sizeof(ngx_registry_key_t));
    referrer.type = NGX_REGISTRY_KEY_REFERRER;
    referrer.digest = del->ctx->route.digest;

    (void) ngx_registry_digest_parse(del->subject.data,
                                     del->subject.data + del->subject.len,
                                     &referrer.subject);

    if (ngx_http_registry_object_key(del->ctx, &referrer, &key) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_registry_delete_key(del, &key,
                                    ngx_http_registry_delete_referrer, del);
}


static ngx_int_t
ngx_http_registry_delete_referrer(ngx_http_registry_call_t *call)
{
    ngx_http_registry_delete_t  *del;

    del = call->data;

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK
        && call->result.outcome != NGX_HTTP_REGISTRY_NOT_FOUND)
    {
        return ngx_http_registry_failure(del->request, &call->op,
                                         &call->result,
                                         NGX_REGISTRY_MANIFEST_UNKNOWN);
    }

    return ngx_http_registry_delete_revision(del);
}


static ngx_int_t
ngx_http_registry_delete_done(ngx_http_registry_delete_t *del)
{
    return ngx_http_registry_send_empty(del->request, NGX_HTTP_ACCEPTED);
}
