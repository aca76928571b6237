
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* descriptors that are fetched at a time, and bytes of one */
#define NGX_HTTP_REGISTRY_REFERRERS_WINDOW  8
#define NGX_HTTP_REGISTRY_REFERRER_SIZE     NGX_REGISTRY_MANIFEST_MAX_LEN

/*
 * bytes of descriptors after which a page ends: clients limit what they read
 * to that of a manifest, and the memory of the worker is not theirs to fill
 */
#define NGX_HTTP_REGISTRY_REFERRERS_PAGE    1048576


typedef struct {
    ngx_str_t                  digest;
    ngx_str_t                  json;
} ngx_http_registry_referrer_t;


typedef struct {
    ngx_http_request_t        *request;
    ngx_http_registry_ctx_t   *ctx;
    ngx_http_registry_list_t   list;
    ngx_uint_t                 next;
    ngx_uint_t                 active;
    ngx_http_registry_apart_t  aparts[NGX_HTTP_REGISTRY_REFERRERS_WINDOW];
    ngx_array_t                types;         /* ngx_str_t, to be listed */
    ngx_array_t                found;         /* ngx_http_registry_referrer_t */
    size_t                     size;          /* of them */
    ngx_str_t                  last;          /* name before this page */
    ngx_http_registry_op_t     op;            /* that failed */
    ngx_http_registry_result_t result;
    unsigned                   tag:1;         /* looked for */
    unsigned                   failed:1;
} ngx_http_registry_referrers_t;


static ngx_int_t ngx_http_registry_referrers_types(
    ngx_http_registry_referrers_t *rs);
static ngx_int_t ngx_http_registry_referrers_listed(
    ngx_http_registry_list_t *list);
static ngx_int_t ngx_http_registry_referrers_run(
    ngx_http_registry_referrers_t *rs);
static ngx_int_t ngx_http_registry_referrers_fetch(
    ngx_http_registry_referrers_t *rs, ngx_str_t *name);
static ngx_int_t ngx_http_registry_referrers_tag(
    ngx_http_registry_referrers_t *rs);
static ngx_int_t ngx_http_registry_referrers_tag_fetched(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_referrers_fetched(
    ngx_http_registry_apart_t *apart);
static ngx_int_t ngx_http_registry_referrers_take(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_referrers_failed(
    ngx_http_registry_referrers_t *rs, ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_referrers_text(ngx_http_request_t *r,
    ngx_str_t *bytes, ngx_str_t *text);
static ngx_registry_status_e ngx_http_registry_referrers_add(void *data,
    const ngx_registry_referrer_t *referrer);
static ngx_int_t ngx_http_registry_referrers_link(
    ngx_http_registry_referrers_t *rs);
static ngx_int_t ngx_http_registry_referrers_send(
    ngx_http_registry_referrers_t *rs);
static ngx_registry_status_e ngx_http_registry_referrer_copy(void *data,
    const ngx_registry_referrer_t *referrer);


ngx_int_t
ngx_http_registry_referrers_handler(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx)
{
    ngx_int_t                       rc;
    ngx_str_t                       message;
    ngx_registry_key_t              key;
    ngx_http_registry_referrers_t  *rs;

    rs = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_referrers_t));

    if (rs == NULL
        || ngx_array_init(&rs->found, r->pool, 8,
                          sizeof(ngx_http_registry_referrer_t))
           != NGX_OK
        || ngx_array_init(&rs->types, r->pool, 2, sizeof(ngx_str_t))
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rs->request = r;
    rs->ctx = ctx;

    rc = ngx_http_registry_referrers_types(rs);

    if (rc == NGX_OK) {
        rc = ngx_http_registry_arg(r, "last", &rs->last);
    }

    if (rc == NGX_ABORT) {
        ngx_str_set(&message, "artifactType or last is not encoded as a "
                              "parameter must be");

        return ngx_http_registry_error(r, NGX_HTTP_BAD_REQUEST,
                                       NGX_REGISTRY_CODE_UNSUPPORTED,
                                       &message, NULL);
    }

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_REFERRERS;
    key.subject = ctx->route.digest;

    rs->list.ctx = ctx;
    rs->list.after = rs->last;
    rs->list.handler = ngx_http_registry_referrers_listed;
    rs->list.data = rs;

    if (ngx_http_registry_object_key(ctx, &key, &rs->list.prefix) != NGX_OK
        || ngx_http_registry_list(&rs->list) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_referrers_types(ngx_http_registry_referrers_t *rs)
{
    u_char               *p, *last, *end;
    ngx_str_t            *type;
    ngx_http_request_t   *r;
    ngx_registry_span_t   name, value;

    /* containerd names several */

    r = rs->request;

    name.data = (u_char *) "artifactType";
    name.len = 12;

    p = r->args.data;
    last = p + r->args.len;

    while (ngx_registry_query_find(p, last, &name, &value)
           == NGX_REGISTRY_OK)
    {
        p = (u_char *) value.data + value.len;

        if (value.len == 0) {
            continue;
        }

        type = ngx_array_push(&rs->types);
        if (type == NULL) {
            return NGX_ERROR;
        }

        type->data = ngx_pnalloc(r->pool, value.len);
        if (type->data == NULL) {
            return NGX_ERROR;
        }

        end = ngx_registry_query_decode(type->data, &value);

        if (end == NULL) {
            return NGX_ABORT;
        }

        type->len = end - type->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_referrers_listed(ngx_http_registry_list_t *list)
{
    ngx_str_t                      *names;
    ngx_http_registry_referrers_t  *rs;

    rs = list->data;

    if (list->call.result.outcome != NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_failure(rs->request, &list->call.op,
                                         &list->call.result,
                                         NGX_REGISTRY_NAME_UNKNOWN);
    }

    names = list->names.elts;

    ngx_qsort(names, list->names.nelts, sizeof(ngx_str_t),
              ngx_http_registry_name_cmp);

    while (rs->last.len && rs->next < list->names.nelts
           && ngx_http_registry_name_cmp(&names[rs->next], &rs->last) <= 0)
    {
        rs->next++;
    }

    return ngx_http_registry_referrers_run(rs);
}


static ngx_int_t
ngx_http_registry_referrers_run(ngx_http_registry_referrers_t *rs)
{
    ngx_str_t  *names;

    if (!rs->tag && rs->last.len == 0) {
        rs->tag = 1;

        if (ngx_http_registry_referrers_tag(rs) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    names = rs->list.names.elts;

    while (!rs->failed && rs->next < rs->list.names.nelts
           && rs->size < NGX_HTTP_REGISTRY_REFERRERS_PAGE
           && rs->active < NGX_HTTP_REGISTRY_REFERRERS_WINDOW)
    {
        if (ngx_http_registry_referrers_fetch(rs, &names[rs->next++])
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (rs->active) {
        return NGX_AGAIN;
    }

    if (rs->failed) {
        return ngx_http_registry_failure(rs->request, &rs->op, &rs->result,
                                         NGX_REGISTRY_NAME_UNKNOWN);
    }

    return ngx_http_registry_referrers_send(rs);
}


static ngx_int_t
ngx_http_registry_referrers_fetch(ngx_http_registry_referrers_t *rs,
    ngx_str_t *name)
{
    u_char                     *p;
    ngx_uint_t                  i;
    ngx_pool_t                 *pool;
    ngx_http_registry_ctx_t    *ctx;
    ngx_http_registry_call_t   *call;
    ngx_http_registry_apart_t  *apart;

    /* there are as many as may be active */

    for (i = 0; rs->aparts[i].own; i++) { /* void */ }

    apart = &rs->aparts[i];

    apart->request = rs->request;
    apart->handler = ngx_http_registry_referrers_fetched;
    apart->data = rs;

    ctx = ngx_http_registry_apart_begin(apart);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    pool = ctx->request->pool;

    call = ngx_pcalloc(pool, sizeof(ngx_http_registry_call_t));
    p = ngx_pnalloc(pool, rs->list.prefix.len + name->len
                          + sizeof("/descriptor"));
    if (call == NULL || p == NULL) {
        return NGX_ERROR;
    }

    call->op.conf = rs->ctx->conf;
    call->op.key.data = p;
    call->op.key.len = ngx_sprintf(p, "%V%V/descriptor", &rs->list.prefix,
                                   name)
                       - p;
    call->op.role = NGX_HTTP_REGISTRY_ROLE_OBJECT;
    ngx_str_set(&call->op.method, "GET");
    call->limit = NGX_HTTP_REGISTRY_REFERRER_SIZE;
    call->handler = ngx_http_registry_apart_done;
    call->data = apart;

    rs->active++;

    return ngx_http_registry_store_call(ctx->request, call);
}


static ngx_int_t
ngx_http_registry_referrers_tag(ngx_http_registry_referrers_t *rs)
{
    u_char                    *p;
    ngx_str_t                  tag;
    ngx_registry_key_t         key;
    ngx_registry_digest_t     *d;
    ngx_http_registry_call_t  *call;

    /* OCI Distribution Spec, Referrers Tag Schema: at most 32 and 64 bytes */

    d = &rs->ctx->route.digest;

    p = ngx_pnalloc(rs->request->pool, 32 + 1 + 64);
    if (p == NULL) {
        return NGX_ERROR;
    }

    tag.data = p;
    p = ngx_cpymem(p, d->name.data, ngx_min(d->name.len, 32));
    *p++ = '-';
    p = ngx_cpymem(p, d->hex.data, ngx_min(d->hex.len, 64));
    tag.len = p - tag.data;

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_TAG_CURRENT;
    key.tag = ngx_http_registry_span(&tag);

    call = ngx_http_registry_object_call(rs->ctx, &key,
                                     NGX_HTTP_REGISTRY_ROLE_DIRECT,
                                     NGX_HTTP_REGISTRY_LINK_SIZE,
                                     ngx_http_registry_referrers_tag_fetched,
                                     rs);
    if (call == NULL) {
        return NGX_ERROR;
    }

    rs->active++;

    return ngx_http_registry_store_call(rs->request, call);
}


static ngx_int_t
ngx_http_registry_referrers_tag_fetched(ngx_http_registry_call_t *call)
{
    ngx_registry_key_t              key;
    ngx_registry_digest_t          *digest;
    ngx_http_registry_call_t       *data;
    ngx_http_registry_referrers_t  *rs;

    rs = call->data;

    if (call->result.outcome == NGX_HTTP_REGISTRY_NOT_FOUND) {
        rs->active--;
        return ngx_http_registry_referrers_run(rs);
    }

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_BLOB;

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK
        || ngx_http_registry_object_link(call, &key.digest) != NGX_OK)
    {
        return ngx_http_registry_referrers_failed(rs, call);
    }

    digest = ngx_palloc(rs->request->pool, sizeof(ngx_registry_digest_t));
    data = ngx_http_registry_object_call(rs->ctx, &key,
                                         NGX_HTTP_REGISTRY_ROLE_OBJECT,
                                         NGX_REGISTRY_MANIFEST_MAX_LEN,
                                         ngx_http_registry_referrers_take,
                                         rs);
    if (digest == NULL || data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    *digest = key.digest;
    data->op.digest = digest;

    if (ngx_http_registry_store_call(rs->request, data) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_referrers_fetched(ngx_http_registry_apart_t *apart)
{
    apart->call->data = apart->data;

    return ngx_http_registry_referrers_take(apart->call);
}


static ngx_int_t
ngx_http_registry_referrers_take(ngx_http_registry_call_t *call)
{
    ngx_str_t                       text;
    ngx_registry_status_e           status;
    ngx_http_registry_referrers_t  *rs;

    rs = call->data;

    if (call->result.outcome == NGX_HTTP_REGISTRY_NOT_FOUND) {

        /* deleted since it was listed */

        rs->active--;
        return ngx_http_registry_referrers_run(rs);
    }

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_referrers_failed(rs, call);
    }

    /* in the request that asked, which may end now */

    if (ngx_http_registry_referrers_text(call->request, &call->body, &text)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    status = ngx_registry_referrer_parse(text.data, text.data + text.len,
                                         ngx_http_registry_referrers_add, rs);

    if (status == NGX_REGISTRY_STOPPED || status == NGX_REGISTRY_NO_MEMORY) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* what is no descriptor does not keep the others away, and is not kept */

    if (status != NGX_REGISTRY_OK) {
        ngx_http_registry_sub_forget(call->sub);
    }

    rs->active--;

    return ngx_http_registry_referrers_run(rs);
}


static ngx_int_t
ngx_http_registry_referrers_failed(ngx_http_registry_referrers_t *rs,
    ngx_http_registry_call_t *call)
{
    rs->active--;

    if (!rs->failed) {
        rs->failed = 1;
        rs->op = call->op;
        rs->result = call->result;

        if (ngx_http_registry_apart_keep(rs->request->pool, &rs->op,
                                         &rs->result)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return ngx_http_registry_referrers_run(rs);
}


static ngx_int_t
ngx_http_registry_referrers_text(ngx_http_request_t *r, ngx_str_t *bytes,
    ngx_str_t *text)
{
    /* the parser wants a string of C */

    text->len = bytes->len;

    text->data = ngx_pnalloc(r->pool, bytes->len + 1);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    *ngx_cpymem(text->data, bytes->data, bytes->len) = '\0';

    return NGX_OK;
}


static ngx_registry_status_e
ngx_http_registry_referrers_add(void *data,
    const ngx_registry_referrer_t *referrer)
{
    ngx_http_registry_referrers_t *rs = data;

    ngx_str_t                     *type;
    ngx_uint_t                     i;
    ngx_http_registry_referrer_t  *found, *entry;

    type = rs->types.elts;

    for (i = 0; i < rs->types.nelts; i++) {

        if (type[i].len == referrer->artifact_type.len
            && ngx_memcmp(type[i].data, referrer->artifact_type.data,
                          type[i].len)
               == 0)
        {
            break;
        }
    }

    if (rs->types.nelts && i == rs->types.nelts) {
        return NGX_REGISTRY_OK;
    }

    found = rs->found.elts;

    for (i = 0; i < rs->found.nelts; i++) {

        if (found[i].digest.len == referrer->digest.len
            && ngx_memcmp(found[i].digest.data, referrer->digest.data,
                          referrer->digest.len)
               == 0)
        {
            return NGX_REGISTRY_OK;
        }
    }

    entry = ngx_array_push(&rs->found);
    if (entry == NULL) {
        return NGX_REGISTRY_STOPPED;
    }

    entry->digest.len = referrer->digest.len;
    entry->digest.data = ngx_pnalloc(rs->request->pool,
                                     referrer->digest.len);
    entry->json.len = referrer->json.len;
    entry->json.data = ngx_pnalloc(rs->request->pool, referrer->json.len);

    if (entry->digest.data == NULL || entry->json.data == NULL) {
        return NGX_REGISTRY_STOPPED;
    }

    rs->size += referrer->json.len;

    ngx_memcpy(entry->digest.data, referrer->digest.data,
               referrer->digest.len);
    ngx_memcpy(entry->json.data, referrer->json.data, referrer->json.len);

    return NGX_REGISTRY_OK;
}


/* OCI Distribution Spec, Listing Referrers: of more there is a link */
static ngx_int_t
ngx_http_registry_referrers_link(ngx_http_registry_referrers_t *rs)
{
    u_char               *p;
    size_t                len;
    ngx_str_t            *type, value;
    ngx_uint_t            i;
    ngx_http_request_t   *r;
    ngx_registry_span_t   span, last;

    r = rs->request;
    type = rs->types.elts;

    last = ngx_http_registry_span(
                         &((ngx_str_t *) rs->list.names.elts)[rs->next - 1]);

    len = sizeof("<?last=>; rel=\"next\"") + r->uri.len
          + ngx_registry_uri_encode_len(&last, 0);

    for (i = 0; i < rs->types.nelts; i++) {
        span = ngx_http_registry_span(&type[i]);
        len += sizeof("&artifactType=")
               + ngx_registry_uri_encode_len(&span, 0);
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;

    p = ngx_sprintf(p, "<%V?last=", &r->uri);
    p = ngx_registry_uri_encode_write(p, &last, 0);

    for (i = 0; i < rs->types.nelts; i++) {
        span = ngx_http_registry_span(&type[i]);
        p = ngx_sprintf(p, "&artifactType=");
        p = ngx_registry_uri_encode_write(p, &span, 0);
    }

    p = ngx_sprintf(p, ">; rel=\"next\"");

    value.len = p - value.data;

    return ngx_http_registry_add_header(r, "Link", &value) ? NGX_OK
                                                           : NGX_ERROR;
}


static ngx_int_t
ngx_http_registry_referrers_send(ngx_http_registry_referrers_t *rs)
{
    u_char                        *p;
    size_t                         len;
    ngx_str_t                      body, type, value;
    ngx_uint_t                     i;
    ngx_http_registry_referrer_t  *found;

    found = rs->found.elts;
    len = sizeof("{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci."
                 "image.index.v1+json\",\"manifests\":[]}\n");

    for (i = 0; i < rs->found.nelts; i++) {
        len += found[i].json.len + 1;
    }

    p = ngx_pnalloc(rs->request->pool, len);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&type, "application/vnd.oci.image.index.v1+json");

    body.data = p;

    p = ngx_sprintf(p, "{\"schemaVersion\":2,\"mediaType\":\"%V\","
                    "\"manifests\":[", &type);

    for (i = 0; i < rs->found.nelts; i++) {

        if (i) {
            *p++ = ',';
        }

        p = ngx_cpymem(p, found[i].json.data, found[i].json.len);
    }

    p = ngx_cpymem(p, "]}\n", 3);

    body.len = p - body.data;

    if (rs->next < rs->list.names.nelts
        && ngx_http_registry_referrers_link(rs) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rs->types.nelts) {
        ngx_str_set(&value, "artifactType");

        if (ngx_http_registry_add_header(rs->request, "OCI-Filters-Applied",
                                         &value)
            == NULL)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return ngx_http_registry_send(rs->request, &type, &body);
}


typedef struct {
    ngx_pool_t  *pool;
    ngx_str_t    json;
} ngx_http_registry_referrer_json_t;


ngx_int_t
ngx_http_registry_referrer(ngx_http_request_t *r, ngx_str_t *bytes,
    ngx_registry_manifest_t *manifest, ngx_str_t *digest,
    ngx_str_t *descriptor)
{
    ngx_str_t                          text;
    ngx_registry_span_t                span;
    ngx_http_registry_referrer_json_t  copy;

    span = ngx_http_registry_span(digest);
    copy.pool = r->pool;

    if (ngx_http_registry_referrers_text(r, bytes, &text) != NGX_OK
        || ngx_registry_referrer_of(text.data, text.data + text.len,
                                    manifest, &span,
                                    ngx_http_registry_referrer_copy, &copy)
           != NGX_REGISTRY_OK)
    {
        return NGX_ERROR;
    }

    *descriptor = copy.json;

    return NGX_OK;
}


static ngx_registry_status_e
ngx_http_registry_referrer_copy(void *data,
    const ngx_registry_referrer_t *referrer)
{
    ngx_http_registry_referrer_json_t *copy = data;

    copy->json.len = referrer->json.len;
    copy->json.data = ngx_pnalloc(copy->pool, referrer->json.len);
    if (copy->json.data == NULL) {
        return NGX_REGISTRY_STOPPED;
    }

    ngx_memcpy(copy->json.data, referrer->json.data, referrer->json.len);

    return NGX_REGISTRY_OK;
}
