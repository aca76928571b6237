
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* seconds that a client is asked to wait when the store fails */
#define NGX_HTTP_REGISTRY_RETRY_AFTER  "5"


typedef struct {
    ngx_registry_status_e    status;
    ngx_registry_error_e     code;
    ngx_uint_t               http;
    ngx_str_t                message;
} ngx_http_registry_refusal_t;


static ngx_int_t ngx_http_registry_send_error(ngx_http_request_t *r,
    ngx_uint_t status, ngx_str_t *body);
static ngx_int_t ngx_http_registry_failure_message(ngx_http_request_t *r,
    ngx_http_registry_op_t *op, ngx_http_registry_result_t *result,
    ngx_str_t *message);


/*
 * OCI Distribution Spec, Error Codes: the one place where reasons of the
 * library become statuses of HTTP and codes of the registry
 */

static ngx_http_registry_refusal_t  ngx_http_registry_refusals[] = {

    { NGX_REGISTRY_NOT_FOUND, NGX_REGISTRY_CODE_UNSUPPORTED,
      NGX_HTTP_NOT_FOUND,
      ngx_string("there is no such endpoint in the API") },

    { NGX_REGISTRY_NAME_INVALID, NGX_REGISTRY_CODE_NAME_INVALID,
      NGX_HTTP_BAD_REQUEST,
      ngx_string("invalid repository name") },

    { NGX_REGISTRY_REFERENCE_INVALID, NGX_REGISTRY_MANIFEST_INVALID,
      NGX_HTTP_BAD_REQUEST,
      ngx_string("the reference is neither a tag nor a digest") },

    { NGX_REGISTRY_DIGEST_INVALID, NGX_REGISTRY_CODE_DIGEST_INVALID,
      NGX_HTTP_BAD_REQUEST,
      ngx_string("invalid digest") },

    { NGX_REGISTRY_UNSUPPORTED, NGX_REGISTRY_CODE_DIGEST_INVALID,
      NGX_HTTP_BAD_REQUEST,
      ngx_string("unsupported digest algorithm, "
                 "there are sha256 and sha512") },

    { NGX_REGISTRY_OK, NGX_REGISTRY_UNKNOWN,
      NGX_HTTP_INTERNAL_SERVER_ERROR, ngx_null_string }
};


ngx_int_t
ngx_http_registry_error(ngx_http_request_t *r, ngx_uint_t status,
    ngx_registry_error_e code, ngx_str_t *message, ngx_str_t *detail)
{
    ngx_str_t            body;
    ngx_registry_span_t  m, d;

    ngx_memzero(&m, sizeof(ngx_registry_span_t));
    ngx_memzero(&d, sizeof(ngx_registry_span_t));

    if (message) {
        m = ngx_http_registry_span(message);
    }

    if (detail) {
        d = ngx_http_registry_span(detail);
    }

    body.len = ngx_registry_error_len(code, &m, &d);

    body.data = ngx_pnalloc(r->pool, body.len);
    if (body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_registry_error_write(body.data, code, &m, &d);

    return ngx_http_registry_send_error(r, status, &body);
}


ngx_int_t
ngx_http_registry_refuse(ngx_http_request_t *r, ngx_registry_status_e status,
    ngx_str_t *detail)
{
    ngx_http_registry_refusal_t  *refusal;

    refusal = ngx_http_registry_refusals;

    while (refusal->status != NGX_REGISTRY_OK && refusal->status != status) {
        refusal++;
    }

    return ngx_http_registry_error(r, refusal->http, refusal->code,
                                   &refusal->message, detail);
}


ngx_int_t
ngx_http_registry_failure(ngx_http_request_t *r, ngx_http_registry_op_t *op,
    ngx_http_registry_result_t *result, ngx_registry_error_e not_found)
{
    ngx_str_t                 message, value;
    ngx_http_registry_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);

    if (result->outcome == NGX_HTTP_REGISTRY_NOT_FOUND) {
        return ngx_http_registry_error(r, NGX_HTTP_NOT_FOUND, not_found, NULL,
                                       ctx->reference.len ? &ctx->reference
                                                          : &ctx->name);
    }

    ngx_http_registry_result_log(ctx, op, result);

    if (ngx_http_registry_failure_message(r, op, result, &message)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /*
     * never 401 or 403: what the node may not do is no fault of the client,
     * whom Docker would ask for "docker login"
     */

    if (!ngx_http_registry_result_again(result)
        && result->outcome != NGX_HTTP_REGISTRY_FULL)
    {
        return ngx_http_registry_error(r, NGX_HTTP_BAD_GATEWAY,
                                       NGX_REGISTRY_UNKNOWN, &message,
                                       result->hint.len ? &result->hint
                                                        : NULL);
    }

    ngx_str_set(&value, NGX_HTTP_REGISTRY_RETRY_AFTER);

    if (ngx_http_registry_add_header(r, "Retry-After", &value) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_registry_error(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   NGX_REGISTRY_UNAVAILABLE, &message, NULL);
}


static ngx_int_t
ngx_http_registry_failure_message(ngx_http_request_t *r,
    ngx_http_registry_op_t *op, ngx_http_registry_result_t *result,
    ngx_str_t *message)
{
    u_char     *p;
    ngx_str_t  *title;

    title = &op->conf->kind->title;

    message->data = ngx_pnalloc(r->pool, sizeof(": , request id ")
                                         + title->len + result->code.len
                                         + result->request_id.len);
    if (message->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(message->data, "%V: %V%s%V", title, &result->code,
                    result->request_id.len ? ", request id " : "",
                    &result->request_id);
    message->len = p - message->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_send_error(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *body)
{
    ngx_str_t  type;

    r->headers_out.status = status;

    ngx_str_set(&type, "application/json");

    return ngx_http_registry_send(r, &type, body);
}


ngx_int_t
ngx_http_registry_send_empty(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_int_t                 rc;
    ngx_http_registry_ctx_t  *ctx;

    rc = ngx_http_registry_discard(r);

    if (rc != NGX_OK) {
        return rc;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);
    ctx->own_response = 1;

    r->headers_out.status = status;
    r->headers_out.content_length_n = (status == NGX_HTTP_NO_CONTENT) ? -1 : 0;
    r->header_only = 1;

    rc = ngx_http_send_header(r);

    return (rc == NGX_ERROR || rc > NGX_OK) ? rc : NGX_OK;
}


ngx_int_t
ngx_http_registry_discard(ngx_http_request_t *r)
{
    /*
     * RFC 9110, Expect: who asks first, and is answered, need not send the
     * body, and what comes next may or may not be one
     */

    if (r->headers_in.expect && !r->expect_tested) {
        r->expect_tested = 1;
        r->keepalive = 0;
    }

    return ngx_http_discard_request_body(r);
}


ngx_int_t
ngx_http_registry_send(ngx_http_request_t *r, ngx_str_t *type,
    ngx_str_t *body)
{
    ngx_buf_t                *b;
    ngx_int_t                 rc;
    ngx_chain_t               out;
    ngx_http_registry_ctx_t  *ctx;

    /* what was refused before its body was read; nothing if it was */

    rc = ngx_http_registry_discard(r);

    if (rc != NGX_OK) {
        return rc;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);
    ctx->own_response = 1;

    if (r->headers_out.status == 0) {
        r->headers_out.status = NGX_HTTP_OK;
    }

    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = type->len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.content_length_n = body->len;

    /* validators are compared here, by the rules of digests */
    r->disable_not_modified = 1;
    r->allow_ranges = 0;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    if (r->header_only) {
        return NGX_OK;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = body->data;
    b->last = body->data + body->len;
    b->memory = (body->len != 0);
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    rc = ngx_http_output_filter(r, &out);

    /* NGX_AGAIN is of a slow client: the answer is given all the same */

    return (rc == NGX_AGAIN) ? NGX_OK : rc;
}


ngx_int_t
ngx_http_registry_error_page(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *body)
{
    ngx_registry_span_t   empty;
    ngx_registry_error_e  code;

    switch (status) {

    case NGX_HTTP_UNAUTHORIZED:
        code = NGX_REGISTRY_UNAUTHORIZED;
        break;

    case NGX_HTTP_FORBIDDEN:
        code = NGX_REGISTRY_DENIED;
        break;

    case NGX_HTTP_NOT_FOUND:
        code = NGX_REGISTRY_NAME_UNKNOWN;
        break;

    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        code = NGX_REGISTRY_SIZE_INVALID;
        break;

    case NGX_HTTP_TOO_MANY_REQUESTS:
        code = NGX_REGISTRY_TOOMANYREQUESTS;
        break;

    case NGX_HTTP_SERVICE_UNAVAILABLE:
        code = NGX_REGISTRY_UNAVAILABLE;
        break;

    default:
        code = (status < 500) ? NGX_REGISTRY_CODE_UNSUPPORTED
                              : NGX_REGISTRY_UNKNOWN;
        break;
    }

    ngx_memzero(&empty, sizeof(ngx_registry_span_t));

    body->len = ngx_registry_error_len(code, &empty, &empty);

    body->data = ngx_pnalloc(r->pool, body->len);
    if (body->data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_registry_error_write(body->data, code, &empty, &empty);

    return NGX_OK;
}


ngx_table_elt_t *
ngx_http_registry_add_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    h->hash = 1;
    ngx_http_registry_header_init(h);
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    return h;
}


ngx_int_t
ngx_http_registry_add_digest(ngx_http_request_t *r, ngx_str_t *digest)
{
    ngx_str_t         value;
    ngx_table_elt_t  *h;

    if (ngx_http_registry_add_header(r, "Docker-Content-Digest", digest)
        == NULL)
    {
        return NGX_ERROR;
    }

    value.len = digest->len + 2;

    value.data = ngx_pnalloc(r->pool, value.len);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(value.data, "\"%V\"", digest);

    h = ngx_http_registry_add_header(r, "ETag", &value);
    if (h == NULL) {
        return NGX_ERROR;
    }

    r->headers_out.etag = h;

    return NGX_OK;
}


ngx_uint_t
ngx_http_registry_not_modified(ngx_http_request_t *r, ngx_str_t *digest)
{
    ngx_str_t            *value;
    ngx_registry_span_t   span;

    if (r->headers_in.if_none_match == NULL) {
        return 0;
    }

    value = &r->headers_in.if_none_match->value;
    span = ngx_http_registry_span(digest);

    return ngx_registry_etag_match(value->data, value->data + value->len,
                                   &span);
}


ngx_int_t
ngx_http_registry_send_not_modified(ngx_http_request_t *r, ngx_str_t *digest)
{
    ngx_int_t                 rc;
    ngx_http_registry_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);
    ctx->own_response = 1;

    if (ngx_http_registry_add_digest(r, digest) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_NOT_MODIFIED;
    r->header_only = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    return NGX_OK;
}
