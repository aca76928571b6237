
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* how often the store may say that a tag is there and then have none */
#define NGX_HTTP_REGISTRY_TAGGING_TRIES  3


static ngx_int_t ngx_http_registry_tagging_look(
    ngx_http_registry_tagging_t *t);
static ngx_int_t ngx_http_registry_tagging_looked(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_tagging_probe(
    ngx_http_registry_tagging_t *t);
static ngx_int_t ngx_http_registry_tagging_probed(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_tagging_index(
    ngx_http_registry_tagging_t *t);
static ngx_int_t ngx_http_registry_tagging_indexed(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_tagging_current(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_tagging_put(ngx_http_registry_tagging_t *t,
    ngx_registry_key_e type, ngx_uint_t create,
    ngx_http_registry_call_pt handler);
static ngx_http_registry_call_t *ngx_http_registry_tagging_call(
    ngx_http_registry_tagging_t *t, ngx_registry_key_e type, ngx_uint_t role,
    ngx_http_registry_call_pt handler);
static ngx_int_t ngx_http_registry_tagging_refuse(
    ngx_http_registry_tagging_t *t, ngx_registry_digest_t *digest);
static ngx_int_t ngx_http_registry_tagging_unsupported(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_tagging_fail(
    ngx_http_registry_call_t *call);


ngx_int_t
ngx_http_registry_tagging_check(ngx_http_registry_tagging_t *t,
    ngx_http_registry_tagging_pt next)
{
    t->next = next;
    t->n = 0;
    t->created = 0;

    if (t->ctx->conf->tags == NGX_HTTP_REGISTRY_TAGS_MUTABLE) {
        return next(t->data);
    }

    return ngx_http_registry_tagging_look(t);
}


/*
 * What the tag points to: before the manifest is stored, so that a push that
 * cannot succeed leaves nothing behind, or after the store has refused to
 * create the tag.
 */
static ngx_int_t
ngx_http_registry_tagging_look(ngx_http_registry_tagging_t *t)
{
    ngx_http_registry_call_t  *call;

    if (t->n == t->tags.nelts) {
        return t->next(t->data);
    }

    call = ngx_http_registry_tagging_call(t, NGX_REGISTRY_KEY_TAG_CURRENT,
                                          NGX_HTTP_REGISTRY_ROLE_DIRECT,
                                          ngx_http_registry_tagging_looked);

    if (call == NULL
        || ngx_http_registry_store_call(t->ctx->request, call) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_tagging_looked(ngx_http_registry_call_t *call)
{
    ngx_uint_t                    created;
    ngx_registry_digest_t         digest;
    ngx_http_registry_tagging_t  *t;

    t = call->data;

    if (call->result.outcome == NGX_HTTP_REGISTRY_NOT_FOUND) {

        if (!t->created) {
            t->n++;
            return ngx_http_registry_tagging_look(t);
        }

        /* it was deleted in between */

        return ngx_http_registry_tagging_index(t);
    }

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK
        || ngx_http_registry_object_link(call, &digest) != NGX_OK)
    {
        return ngx_http_registry_tagging_fail(call);
    }

    if (digest.text.len != t->text.len
        || ngx_strncmp(digest.text.data, t->text.data, t->text.len) != 0)
    {
        return ngx_http_registry_tagging_refuse(t, &digest);
    }

    /* the next tag has tries of its own */

    created = t->created;

    t->created = 0;
    t->n++;

    return created ? ngx_http_registry_tagging_index(t)
                   : ngx_http_registry_tagging_look(t);
}


ngx_int_t
ngx_http_registry_tagging_write(ngx_http_registry_tagging_t *t,
    ngx_http_registry_tagging_pt next)
{
    t->next = next;
    t->n = 0;
    t->created = 0;

    if (t->tags.nelts
        && t->ctx->conf->tags == NGX_HTTP_REGISTRY_TAGS_IMMUTABLE
        && !t->ctx->conf->tags_probed)
    {
        return ngx_http_registry_tagging_probe(t);
    }

    return ngx_http_registry_tagging_index(t);
}


/*
 * There is one object that surely exists, the revision's link: whoever writes
 * it again only if it does not exist must be refused.  A store that does not
 * know the condition writes the same bytes.
 */
static ngx_int_t
ngx_http_registry_tagging_probe(ngx_http_registry_tagging_t *t)
{
    return ngx_http_registry_tagging_put(t, NGX_REGISTRY_KEY_REVISION, 1,
                                         ngx_http_registry_tagging_probed);
}


static ngx_int_t
ngx_http_registry_tagging_probed(ngx_http_registry_call_t *call)
{
    ngx_http_registry_tagging_t  *t;

    t = call->data;

    if (call->result.outcome == NGX_HTTP_REGISTRY_EXISTS) {
        t->ctx->conf->tags_probed = 1;
        return ngx_http_registry_tagging_index(t);
    }

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK
        || call->result.status == NGX_HTTP_NOT_IMPLEMENTED)
    {
        return ngx_http_registry_tagging_unsupported(call);
    }

    return ngx_http_registry_tagging_fail(call);
}


static ngx_int_t
ngx_http_registry_tagging_index(ngx_http_registry_tagging_t *t)
{
    if (t->n == t->tags.nelts) {
        return t->next(t->data);
    }

    return ngx_http_registry_tagging_put(t, NGX_REGISTRY_KEY_TAG_INDEX, 0,
                                         ngx_http_registry_tagging_indexed);
}


static ngx_int_t
ngx_http_registry_tagging_indexed(ngx_http_registry_call_t *call)
{
    ngx_uint_t                    create;
    ngx_http_registry_tagging_t  *t;

    t = call->data;

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_tagging_fail(call);
    }

    create = (t->ctx->conf->tags == NGX_HTTP_REGISTRY_TAGS_IMMUTABLE);

    return ngx_http_registry_tagging_put(t, NGX_REGISTRY_KEY_TAG_CURRENT,
                                         create,
                                         ngx_http_registry_tagging_current);
}


static ngx_int_t
ngx_http_registry_tagging_current(ngx_http_registry_call_t *call)
{
    ngx_http_registry_tagging_t  *t;

    t = call->data;

    if (call->result.outcome == NGX_HTTP_REGISTRY_OK) {
        t->created = 0;
        t->n++;

        return ngx_http_registry_tagging_index(t);
    }

    if (call->result.outcome != NGX_HTTP_REGISTRY_EXISTS) {
        return ngx_http_registry_tagging_fail(call);
    }

    /* another host's, or ours: the answer to it may have been lost */

    if (t->created++ < NGX_HTTP_REGISTRY_TAGGING_TRIES) {
        return ngx_http_registry_tagging_look(t);
    }

    ngx_http_registry_result_fault(&call->result,
                          "a tag that is there and is not",
                          "the store refuses to create the link, and does "
                          "not find it");

    return ngx_http_registry_tagging_fail(call);
}


static ngx_int_t
ngx_http_registry_tagging_put(ngx_http_registry_tagging_t *t,
    ngx_registry_key_e type, ngx_uint_t create,
    ngx_http_registry_call_pt handler)
{
    ngx_http_request_t        *r;
    ngx_http_registry_call_t  *call;

    r = t->ctx->request;

    call = ngx_http_registry_tagging_call(t, type,
                                          NGX_HTTP_REGISTRY_ROLE_WRITE,
                                          handler);
    if (call == NULL
        || ngx_http_registry_op_write(r, &call->op, "PUT", &t->text)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call->op.create = create;
    call->op.headers = NGX_HTTP_REGISTRY_S3_HEADER_WRITE;

    if (ngx_http_registry_store_call(r, call) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_http_registry_call_t *
ngx_http_registry_tagging_call(ngx_http_registry_tagging_t *t,
    ngx_registry_key_e type, ngx_uint_t role,
    ngx_http_registry_call_pt handler)
{
    ngx_str_t           *tags;
    ngx_registry_key_t   key;

    tags = t->tags.elts;

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = type;
    key.tag = ngx_http_registry_span(&tags[t->n]);
    key.digest = t->digest;

    return ngx_http_registry_object_call(t->ctx, &key, role,
                                         NGX_HTTP_REGISTRY_LINK_SIZE, handler,
                                         t);
}


static ngx_int_t
ngx_http_registry_tagging_refuse(ngx_http_registry_tagging_t *t,
    ngx_registry_digest_t *digest)
{
    u_char     *p;
    ngx_str_t  *tags, message, detail;

    tags = t->tags.elts;

    message.len = sizeof("tags are immutable here, and \"\" exists") - 1
                  + tags[t->n].len;

    p = ngx_pnalloc(t->ctx->request->pool, message.len);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    message.data = p;
    (void) ngx_sprintf(p, "tags are immutable here, and \"%V\" exists",
                       &tags[t->n]);

    ngx_http_registry_digest_str(&detail, digest);

    return ngx_http_registry_error(t->ctx->request, NGX_HTTP_CONFLICT,
                                   NGX_REGISTRY_DENIED, &message, &detail);
}


static ngx_int_t
ngx_http_registry_tagging_unsupported(ngx_http_registry_call_t *call)
{
    ngx_str_t                     message;
    ngx_http_registry_tagging_t  *t;

    t = call->data;

    ngx_log_error(NGX_LOG_ERR, call->request->connection->log, 0,
                  "registry: \"registry_tags immutable\": the store \"%V\" "
                  "does not refuse to write an object that exists (PUT with "
                  "If-None-Match: * was answered %ui, not 412), no tag is "
                  "written; use another store, or \"registry_tags mutable\" "
                  "and a single writer",
                  &t->ctx->conf->id, call->result.status);

    ngx_str_set(&message, "tags are to be immutable here, and the store has "
                          "no conditional writes");

    return ngx_http_registry_error(call->request, NGX_HTTP_NOT_IMPLEMENTED,
                                   NGX_REGISTRY_UNAVAILABLE, &message, NULL);
}


static ngx_int_t
ngx_http_registry_tagging_fail(ngx_http_registry_call_t *call)
{
    return ngx_http_registry_failure(call->request, &call->op, &call->result,
                                     NGX_REGISTRY_MANIFEST_UNKNOWN);
}
