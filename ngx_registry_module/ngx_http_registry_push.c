
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* links that are looked for at a time */
#define NGX_HTTP_REGISTRY_PUSH_WINDOW  8

/* tags in one request; OCI Distribution Spec asks for ten at least */
#define NGX_HTTP_REGISTRY_PUSH_TAGS    64

/* descriptors of one manifest; a link may have to be read for each */
#define NGX_HTTP_REGISTRY_PUSH_REFS    4096

#define NGX_HTTP_REGISTRY_PUSH_BUFFER  16384


typedef struct {
    ngx_registry_digest_t        digest;
    unsigned                     blob:1;      /* what it may be */
    unsigned                     manifest:1;
} ngx_http_registry_push_ref_t;


/* a link that is looked for */

typedef struct {
    ngx_http_registry_push_ref_t  *ref;
    ngx_http_registry_apart_t      apart;
    unsigned                       layer:1;
} ngx_http_registry_push_check_t;


typedef struct {
    ngx_http_request_t          *request;
    ngx_http_registry_ctx_t     *ctx;
    ngx_http_registry_body_t     body;

    ngx_str_t                    bytes;
    size_t                       size;        /* of the buffer */
    ngx_registry_manifest_t      manifest;
    ngx_str_t                    subject;

    ngx_array_t                  refs;        /* ngx_http_registry_push_ref_t */
    ngx_uint_t                   next;        /* of refs to look for */
    ngx_uint_t                   active;
    ngx_http_registry_push_check_t
                                 checks[NGX_HTTP_REGISTRY_PUSH_WINDOW];
    ngx_str_t                    missing;

    ngx_http_registry_tagging_t  tagging;
    ngx_http_registry_lock_t     lock;
    unsigned                     failed:1;
    ngx_http_registry_op_t       op;          /* that failed */
    ngx_http_registry_result_t   result;
} ngx_http_registry_push_ctx_t;


static ngx_int_t ngx_http_registry_push_tags(
    ngx_http_registry_push_ctx_t *push);
static ngx_int_t ngx_http_registry_push_tag(
    ngx_http_registry_push_ctx_t *push, ngx_registry_span_t *value);
static ngx_int_t ngx_http_registry_push_data(ngx_http_request_t *r,
    void *data, u_char *p, size_t n);
static ngx_int_t ngx_http_registry_push_end(ngx_http_request_t *r,
    void *data);
static ngx_registry_status_e ngx_http_registry_push_descriptor(void *data,
    const ngx_registry_descriptor_t *d);
static ngx_int_t ngx_http_registry_push_type(
    ngx_http_registry_push_ctx_t *push);
static ngx_int_t ngx_http_registry_push_digest(
    ngx_http_registry_push_ctx_t *push);
static ngx_int_t ngx_http_registry_push_fault(
    ngx_http_registry_push_ctx_t *push);
static ngx_int_t ngx_http_registry_push_locked(void *data);
static ngx_int_t ngx_http_registry_push_check(
    ngx_http_registry_push_ctx_t *push);
static ngx_uint_t ngx_http_registry_push_known(
    ngx_http_registry_push_ctx_t *push, ngx_http_registry_push_ref_t *ref);
static ngx_int_t ngx_http_registry_push_store(void *data);
static ngx_int_t ngx_http_registry_push_look(
    ngx_http_registry_push_ctx_t *push, ngx_http_registry_push_ref_t *ref,
    ngx_uint_t layer);
static ngx_int_t ngx_http_registry_push_looked(
    ngx_http_registry_apart_t *apart);
static ngx_int_t ngx_http_registry_push_write(
    ngx_http_registry_push_ctx_t *push, ngx_registry_key_t *key,
    ngx_str_t *content, ngx_http_registry_call_pt handler);
static ngx_int_t ngx_http_registry_push_stored(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_push_revised(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_push_referred(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_push_done(void *data);
static ngx_int_t ngx_http_registry_push_refuse(
    ngx_http_registry_push_ctx_t *push, ngx_uint_t status,
    ngx_registry_error_e code, const char *text);


ngx_int_t
ngx_http_registry_push_handler(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx)
{
    ngx_http_registry_push_ctx_t  *push;

    push = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_push_ctx_t));

    if (push == NULL
        || ngx_array_init(&push->refs, r->pool, 16,
                          sizeof(ngx_http_registry_push_ref_t))
           != NGX_OK
        || ngx_array_init(&push->tagging.tags, r->pool, 4, sizeof(ngx_str_t))
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    push->request = r;
    push->ctx = ctx;
    push->tagging.ctx = ctx;
    push->tagging.data = push;
    push->body.rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    if (r->headers_in.content_length_n > NGX_REGISTRY_MANIFEST_MAX_LEN) {
        (void) ngx_http_registry_push_refuse(push,
                                        NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                        NGX_REGISTRY_SIZE_INVALID,
                                        "a manifest has at most 4 MiB");
        return push->body.rc;
    }

    if (ngx_http_registry_push_tags(push) != NGX_OK) {
        return push->body.rc;
    }

    push->body.data = ngx_http_registry_push_data;
    push->body.end = ngx_http_registry_push_end;
    push->body.ctx = push;

    return ngx_http_registry_body_read(r, &push->body);
}


static ngx_int_t
ngx_http_registry_push_tags(ngx_http_registry_push_ctx_t *push)
{
    u_char               *p, *last;
    ngx_str_t            *tag;
    ngx_http_request_t   *r;
    ngx_registry_span_t   name, value;

    r = push->request;

    if (!push->ctx->route.by_digest) {

        tag = ngx_array_push(&push->tagging.tags);
        if (tag == NULL) {
            return NGX_ABORT;
        }

        *tag = push->ctx->reference;

        return NGX_OK;
    }

    /* OCI Distribution Spec, Pushing manifests with tags: ?tag=a&tag=b */

    name.data = (u_char *) "tag";
    name.len = 3;

    p = r->args.data;
    last = p + r->args.len;

    while (ngx_registry_query_find(p, last, &name, &value)
           == NGX_REGISTRY_OK)
    {
        if (push->tagging.tags.nelts == NGX_HTTP_REGISTRY_PUSH_TAGS) {
            return ngx_http_registry_push_refuse(push,
                                           NGX_HTTP_REQUEST_URI_TOO_LARGE,
                                           NGX_REGISTRY_CODE_UNSUPPORTED,
                                           "at most 64 tags at a time");
        }

        if (ngx_http_registry_push_tag(push, &value) != NGX_OK) {
            return NGX_ABORT;
        }

        p = (u_char *) value.data + value.len;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_push_tag(ngx_http_registry_push_ctx_t *push,
    ngx_registry_span_t *value)
{
    u_char     *last;
    ngx_str_t  *tag;

    tag = ngx_array_push(&push->tagging.tags);
    if (tag == NULL) {
        return NGX_ABORT;
    }

    tag->data = ngx_pnalloc(push->request->pool, value->len + 1);
    if (tag->data == NULL) {
        return NGX_ABORT;
    }

    last = ngx_registry_query_decode(tag->data, value);

    if (last == NULL
        || ngx_registry_tag_check(tag->data, last) != NGX_REGISTRY_OK)
    {
        return ngx_http_registry_push_refuse(push,
                                             NGX_HTTP_BAD_REQUEST,
                                             NGX_REGISTRY_MANIFEST_INVALID,
                                             "invalid tag");
    }

    tag->len = last - tag->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_push_data(ngx_http_request_t *r, void *data, u_char *p,
    size_t n)
{
    ngx_http_registry_push_ctx_t *push = data;

    u_char  *buf;
    size_t   size;

    if (push->bytes.len + n > NGX_REGISTRY_MANIFEST_MAX_LEN) {
        return ngx_http_registry_push_refuse(push,
                                        NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                        NGX_REGISTRY_SIZE_INVALID,
                                        "a manifest has at most 4 MiB");
    }

    if (push->bytes.len + n > push->size) {

        size = ngx_max(push->size * 4, NGX_HTTP_REGISTRY_PUSH_BUFFER);
        size = ngx_max(size, push->bytes.len + n);
        size = ngx_min(size, NGX_REGISTRY_MANIFEST_MAX_LEN);

        buf = ngx_palloc(r->pool, size);
        if (buf == NULL) {
            return NGX_ABORT;
        }

        if (push->bytes.len) {
            ngx_memcpy(buf, push->bytes.data, push->bytes.len);
            (void) ngx_pfree(r->pool, push->bytes.data);
        }

        push->bytes.data = buf;
        push->size = size;
    }

    ngx_memcpy(push->bytes.data + push->bytes.len, p, n);
    push->bytes.len += n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_push_end(ngx_http_request_t *r, void *data)
{
    ngx_http_registry_push_ctx_t *push = data;

    ngx_registry_status_e  status;

    /* the calls to the store drive the request from now on */

    status = ngx_registry_manifest_parse(push->bytes.data,
                                         push->bytes.data + push->bytes.len,
                                         &push->manifest,
                                         ngx_http_registry_push_descriptor,
                                         push);

    if (status == NGX_REGISTRY_STOPPED
        && push->refs.nelts == NGX_HTTP_REGISTRY_PUSH_REFS)
    {
        (void) ngx_http_registry_push_refuse(push,
                                        NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                        NGX_REGISTRY_SIZE_INVALID,
                                        "a manifest has at most 4096 "
                                        "descriptors here");
        return push->body.rc;
    }

    if (status == NGX_REGISTRY_NO_MEMORY || status == NGX_REGISTRY_STOPPED) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (status != NGX_REGISTRY_OK) {
        return ngx_http_registry_push_fault(push);
    }

    if (push->manifest.schema_version != 2) {
        (void) ngx_http_registry_push_refuse(push, NGX_HTTP_BAD_REQUEST,
                                             NGX_REGISTRY_MANIFEST_INVALID,
                                             "schemaVersion is not 2");
        return push->body.rc;
    }

    if (push->manifest.fault) {
        return ngx_http_registry_push_fault(push);
    }

    if (ngx_http_registry_push_type(push) != NGX_OK
        || ngx_http_registry_push_digest(push) != NGX_OK)
    {
        return push->body.rc;
    }

    /*
     * what is begun is ended, whether the client stays or not; only a stream
     * of HTTP/2 that is reset ends with the step that is under way
     */

    r->read_event_handler = ngx_http_block_reading;

    push->lock.ctx = push->ctx;
    push->lock.handler = ngx_http_registry_push_locked;
    push->lock.data = push;

    return ngx_http_registry_lock(&push->lock);
}


static ngx_int_t
ngx_http_registry_push_fault(ngx_http_registry_push_ctx_t *push)
{
    ngx_str_t  message, detail;

    ngx_str_set(&message, "this is not a manifest");

    detail.data = (u_char *) push->manifest.fault;
    detail.len = ngx_strlen(push->manifest.fault);

    return ngx_http_registry_error(push->request, NGX_HTTP_BAD_REQUEST,
                                   NGX_REGISTRY_MANIFEST_INVALID, &message,
                                   &detail);
}


static ngx_int_t
ngx_http_registry_push_locked(void *data)
{
    return ngx_http_registry_push_check(data);
}


static ngx_registry_status_e
ngx_http_registry_push_descriptor(void *data,
    const ngx_registry_descriptor_t *d)
{
    ngx_http_registry_push_ctx_t *push = data;

    ngx_str_t                      text;
    ngx_http_registry_push_ref_t  *ref;

    /* what may be elsewhere: layers with "urls", and what is referred to */

    if (d->urls && d->type != NGX_REGISTRY_DESCRIPTOR_SUBJECT) {
        return NGX_REGISTRY_OK;
    }

    text.len = d->digest.text.len;
    text.data = ngx_pnalloc(push->request->pool, text.len);
    if (text.data == NULL) {
        return NGX_REGISTRY_STOPPED;
    }

    ngx_memcpy(text.data, d->digest.text.data, text.len);

    if (d->type == NGX_REGISTRY_DESCRIPTOR_SUBJECT) {
        push->subject = text;
        return NGX_REGISTRY_OK;
    }

    if (push->refs.nelts == NGX_HTTP_REGISTRY_PUSH_REFS) {
        return NGX_REGISTRY_STOPPED;
    }

    ref = ngx_array_push(&push->refs);
    if (ref == NULL) {
        return NGX_REGISTRY_STOPPED;
    }

    ref->manifest = (d->type == NGX_REGISTRY_DESCRIPTOR_MANIFEST);

    /* BuildKit has indexes of blobs */

    ref->blob = !ref->manifest
                || !ngx_registry_manifest_type_known(&d->media_type);

    (void) ngx_registry_digest_parse(text.data, text.data + text.len,
                                     &ref->digest);

    return NGX_REGISTRY_OK;
}


static ngx_int_t
ngx_http_registry_push_type(ngx_http_registry_push_ctx_t *push)
{
    u_char     *p;
    size_t      len;
    ngx_str_t  *value;

    /*
     * The type is not stored: it is read from the manifest, by whoever serves
     * it.  A manifest that was pushed as something else would come back as
     * what it is.
     */

    /* who opens it in a browser must not run what somebody has pushed */

    len = sizeof("application/") - 1;

    if (push->manifest.media_type_len <= len
        || ngx_strncasecmp(push->manifest.media_type,
                           (u_char *) "application/", len)
           != 0)
    {
        return ngx_http_registry_push_refuse(push, NGX_HTTP_BAD_REQUEST,
                                             NGX_REGISTRY_MANIFEST_INVALID,
                                             "the mediaType of a manifest "
                                             "begins with \"application/\"");
    }

    if (push->request->headers_in.content_type == NULL) {
        return NGX_OK;
    }

    value = &push->request->headers_in.content_type->value;

    p = ngx_strlchr(value->data, value->data + value->len, ';');
    len = p ? (size_t) (p - value->data) : value->len;

    while (len && value->data[len - 1] == ' ') {
        len--;
    }

    if (len == push->manifest.media_type_len
        && ngx_strncasecmp(value->data, push->manifest.media_type, len) == 0)
    {
        return NGX_OK;
    }

    return ngx_http_registry_push_refuse(push, NGX_HTTP_BAD_REQUEST,
                                         NGX_REGISTRY_MANIFEST_INVALID,
                                         "Content-Type is not the mediaType "
                                         "of the manifest");
}


static ngx_int_t
ngx_http_registry_push_digest(ngx_http_registry_push_ctx_t *push)
{
    u_char                    hash[NGX_REGISTRY_HASH_MAX_LEN], *p;
    size_t                    len;
    ngx_registry_hash_t       h;
    ngx_http_registry_ctx_t  *ctx;

    ctx = push->ctx;

    if (ctx->route.by_digest) {

        if (ngx_registry_digest_check(&ctx->route.digest, push->bytes.data,
                                      push->bytes.len)
            != NGX_REGISTRY_OK)
        {
            return ngx_http_registry_push_refuse(push,
                                             NGX_HTTP_BAD_REQUEST,
                                             NGX_REGISTRY_CODE_DIGEST_INVALID,
                                             "the manifest does not match the "
                                             "digest");
        }

        push->tagging.digest = ctx->route.digest;
        push->tagging.text = ctx->reference;

        return NGX_OK;
    }

    ngx_registry_hash_init(&h, NGX_REGISTRY_SHA256);
    ngx_registry_hash_update(&h, push->bytes.data, push->bytes.len);
    len = ngx_registry_hash_final(&h, hash);

    p = ngx_pnalloc(push->request->pool, sizeof("sha256:") + 2 * len);
    if (p == NULL) {
        return NGX_ABORT;
    }

    push->tagging.text.data = p;
    p = ngx_cpymem(p, "sha256:", 7);
    p = ngx_registry_hex_write(p, hash, len);
    push->tagging.text.len = p - push->tagging.text.data;

    (void) ngx_registry_digest_parse(push->tagging.text.data, p,
                                     &push->tagging.digest);

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_push_check(ngx_http_registry_push_ctx_t *push)
{
    ngx_str_t                      message;
    ngx_http_registry_ctx_t       *ctx;
    ngx_http_registry_push_ref_t  *ref;

    ctx = push->ctx;
    ref = push->refs.elts;

    while (!ctx->conf->sparse && !push->failed && push->missing.len == 0
           && push->next < push->refs.nelts
           && push->active < NGX_HTTP_REGISTRY_PUSH_WINDOW)
    {
        if (!ngx_http_registry_push_known(push, &ref[push->next])
            && ngx_http_registry_push_look(push, &ref[push->next],
                                           !ref[push->next].manifest)
               != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        push->next++;
    }

    if (push->active) {
        return NGX_AGAIN;
    }

    if (push->failed) {
        return ngx_http_registry_failure(push->request, &push->op,
                                         &push->result,
                                         NGX_REGISTRY_BLOB_UNKNOWN);
    }

    if (push->missing.len) {
        ngx_str_set(&message, "the manifest names a blob or manifest that "
                              "the repository does not have");

        return ngx_http_registry_error(push->request, NGX_HTTP_BAD_REQUEST,
                                       NGX_REGISTRY_MANIFEST_BLOB_UNKNOWN,
                                       &message, &push->missing);
    }

    return ngx_http_registry_tagging_check(&push->tagging,
                                           ngx_http_registry_push_store);
}


/* this host removes what it deletes from the zone */
static ngx_uint_t
ngx_http_registry_push_known(ngx_http_registry_push_ctx_t *push,
    ngx_http_registry_push_ref_t *ref)
{
    ngx_str_t                      text;
    ngx_http_registry_ctx_t       *ctx;
    ngx_http_registry_loc_conf_t  *rlcf;

    ctx = push->ctx;
    rlcf = ctx->conf;

    ngx_http_registry_digest_str(&text, &ref->digest);

    return (ref->manifest
            && ngx_http_registry_zone_member(rlcf->zone, &rlcf->id,
                                         &ctx->name, &text,
                                         NGX_HTTP_REGISTRY_MEMBER_MANIFEST))
           || (ref->blob
               && ngx_http_registry_zone_member(rlcf->zone, &rlcf->id,
                                            &ctx->name, &text,
                                            NGX_HTTP_REGISTRY_MEMBER_BLOB));
}


static ngx_int_t
ngx_http_registry_push_store(void *data)
{
    ngx_http_registry_push_ctx_t *push = data;

    ngx_registry_key_t  key;

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_BLOB;
    key.digest = push->tagging.digest;

    /*
     * in any case: what is there may be damaged, and to look would cost a
     * request more than these few bytes
     */

    return ngx_http_registry_push_write(push, &key, &push->bytes,
                                        ngx_http_registry_push_stored);
}


static ngx_int_t
ngx_http_registry_push_look(ngx_http_registry_push_ctx_t *push,
    ngx_http_registry_push_ref_t *ref, ngx_uint_t layer)
{
    ngx_uint_t                       i;
    ngx_registry_key_t               key;
    ngx_http_registry_ctx_t         *ctx;
    ngx_http_registry_call_t        *call;
    ngx_http_registry_push_check_t  *check;

    /* there are as many as may be active */

    for (i = 0; push->checks[i].apart.own; i++) { /* void */ }

    check = &push->checks[i];

    check->ref = ref;
    check->layer = layer;
    check->apart.request = push->request;
    check->apart.handler = ngx_http_registry_push_looked;
    check->apart.data = push;

    ctx = ngx_http_registry_apart_begin(&check->apart);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = layer ? NGX_REGISTRY_KEY_LAYER : NGX_REGISTRY_KEY_REVISION;
    key.digest = ref->digest;

    call = ngx_http_registry_object_call(ctx, &key,
                                         NGX_HTTP_REGISTRY_ROLE_DIRECT,
                                         NGX_HTTP_REGISTRY_LINK_SIZE,
                                         ngx_http_registry_apart_done,
                                         &check->apart);

    if (call == NULL
        || ngx_http_registry_store_call(ctx->request, call) != NGX_OK)
    {
        return NGX_ERROR;
    }

    push->active++;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_push_looked(ngx_http_registry_apart_t *apart)
{
    ngx_str_t                        text;
    ngx_http_registry_ctx_t         *ctx;
    ngx_http_registry_call_t        *call;
    ngx_http_registry_push_ctx_t    *push;
    ngx_http_registry_push_check_t  *check;

    push = apart->data;
    call = apart->call;
    ctx = push->ctx;

    check = (ngx_http_registry_push_check_t *)
                ((u_char *) apart
                 - offsetof(ngx_http_registry_push_check_t, apart));

    push->active--;

    ngx_http_registry_digest_str(&text, &check->ref->digest);

    switch (call->result.outcome) {

    case NGX_HTTP_REGISTRY_OK:
        ngx_http_registry_zone_add_member(ctx->conf->zone, &ctx->conf->id,
                                          &ctx->name, &text,
                                          check->layer
                                        ? NGX_HTTP_REGISTRY_MEMBER_BLOB
                                        : NGX_HTTP_REGISTRY_MEMBER_MANIFEST);
        break;

    case NGX_HTTP_REGISTRY_NOT_FOUND:

        if (check->ref->blob && !check->layer) {

            if (ngx_http_registry_push_look(push, check->ref, 1) != NGX_OK) {
                return NGX_HTTP_INTERNAL_SERVER_ERROR;
            }

            break;
        }

        push->missing = text;
        break;

    default:
        push->failed = 1;
        push->op = call->op;
        push->result = call->result;

        if (ngx_http_registry_apart_keep(push->request->pool, &push->op,
                                         &push->result)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return ngx_http_registry_push_check(push);
}


static ngx_int_t
ngx_http_registry_push_write(ngx_http_registry_push_ctx_t *push,
    ngx_registry_key_t *key, ngx_str_t *content,
    ngx_http_registry_call_pt handler)
{
    ngx_http_registry_call_t  *call;

    call = ngx_http_registry_object_call(push->ctx, key,
                                         NGX_HTTP_REGISTRY_ROLE_WRITE,
                                         NGX_HTTP_REGISTRY_LINK_SIZE, handler,
                                         push);
    if (call == NULL
        || ngx_http_registry_op_write(push->request, &call->op, "PUT",
                                      content)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call->op.headers = NGX_HTTP_REGISTRY_S3_HEADER_WRITE;

    if (ngx_http_registry_store_call(push->request, call) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_push_stored(ngx_http_registry_call_t *call)
{
    ngx_registry_key_t             key;
    ngx_http_registry_push_ctx_t  *push;

    push = call->data;

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_failure(push->request, &call->op,
                                         &call->result,
                                         NGX_REGISTRY_MANIFEST_UNKNOWN);
    }

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_REVISION;
    key.digest = push->tagging.digest;

    return ngx_http_registry_push_write(push, &key, &push->tagging.text,
                                        ngx_http_registry_push_revised);
}


static ngx_int_t
ngx_http_registry_push_revised(ngx_http_registry_call_t *call)
{
    ngx_str_t                      descriptor;
    ngx_registry_key_t             key;
    ngx_http_registry_push_ctx_t  *push;

    push = call->data;

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_failure(push->request, &call->op,
                                         &call->result,
                                         NGX_REGISTRY_MANIFEST_UNKNOWN);
    }

    if (push->subject.len == 0) {
        return ngx_http_registry_tagging_write(&push->tagging,
                                               ngx_http_registry_push_done);
    }

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_REFERRER;
    key.digest = push->tagging.digest;

    (void) ngx_registry_digest_parse(push->subject.data,
                                     push->subject.data + push->subject.len,
                                     &key.subject);

    if (ngx_http_registry_referrer(push->request, &push->bytes,
                                   &push->manifest, &push->tagging.text,
                                   &descriptor)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_registry_push_write(push, &key, &descriptor,
                                        ngx_http_registry_push_referred);
}


static ngx_int_t
ngx_http_registry_push_referred(ngx_http_registry_call_t *call)
{
    ngx_http_registry_push_ctx_t  *push;

    push = call->data;

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_failure(push->request, &call->op,
                                         &call->result,
                                         NGX_REGISTRY_MANIFEST_UNKNOWN);
    }

    return ngx_http_registry_tagging_write(&push->tagging,
                                               ngx_http_registry_push_done);
}


static ngx_int_t
ngx_http_registry_push_done(void *data)
{
    ngx_http_registry_push_ctx_t *push = data;

    ngx_str_t                     *tags;
    ngx_uint_t                     i;
    ngx_http_registry_ctx_t       *ctx;
    ngx_http_registry_object_t     object;

    ctx = push->ctx;

    ngx_http_registry_zone_add_member(ctx->conf->zone, &ctx->conf->id,
                                      &ctx->name, &push->tagging.text,
                                      NGX_HTTP_REGISTRY_MEMBER_MANIFEST);

    object.size = push->bytes.len;
    object.type_len = push->manifest.media_type_len;
    ngx_memcpy(object.type, push->manifest.media_type, object.type_len);

    ngx_http_registry_zone_add_object(ctx->conf->zone, &ctx->conf->id,
                                      &push->tagging.text, &object);

    if (push->subject.len
        && ngx_http_registry_add_header(push->request, "OCI-Subject",
                                        &push->subject)
           == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    tags = push->tagging.tags.elts;

    for (i = 0; ctx->route.by_digest && i < push->tagging.tags.nelts; i++) {
        if (ngx_http_registry_add_header(push->request, "OCI-Tag", &tags[i])
            == NULL)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return ngx_http_registry_created(push->request, ctx, "manifests",
                                     &push->tagging.text);
}


static ngx_int_t
ngx_http_registry_push_refuse(ngx_http_registry_push_ctx_t *push,
    ngx_uint_t status, ngx_registry_error_e code, const char *text)
{
    ngx_str_t  message;

    message.data = (u_char *) text;
    message.len = ngx_strlen(text);

    push->body.rc = ngx_http_registry_error(push->request, status, code,
                                            &message, NULL);

    return NGX_ABORT;
}


ngx_int_t
ngx_http_registry_push_allowed(ngx_http_registry_ctx_t *ctx)
{
    ngx_str_t   *ns, *name;
    ngx_uint_t   i;

    if (ctx->conf->namespaces == NULL) {
        return NGX_OK;
    }

    name = &ctx->name;
    ns = ctx->conf->namespaces->elts;

    /* "team" is team and team/..., never teamwork */

    for (i = 0; i < ctx->conf->namespaces->nelts; i++) {

        if (name->len >= ns[i].len
            && ngx_strncmp(name->data, ns[i].data, ns[i].len) == 0
            && (name->len == ns[i].len || name->data[ns[i].len] == '/'))
        {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


char *
ngx_http_registry_push_namespaces(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_registry_loc_conf_t *rlcf = conf;

    ngx_str_t   *value, *ns;
    ngx_uint_t   i;

    value = cf->args->elts;

    if (rlcf->namespaces == NGX_CONF_UNSET_PTR) {
        rlcf->namespaces = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
        if (rlcf->namespaces == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_registry_name_check(value[i].data,
                                    value[i].data + value[i].len)
            != NGX_REGISTRY_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid name \"%V\" in "
                               "\"registry_push_namespaces\", it is the "
                               "beginning of repositories' names, such as "
                               "\"team\" or \"team/app\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        ns = ngx_array_push(rlcf->namespaces);
        if (ns == NULL) {
            return NGX_CONF_ERROR;
        }

        *ns = value[i];
    }

    return NGX_CONF_OK;
}
