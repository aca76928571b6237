
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* bytes of a masked value; S3 takes 8 KB of headers */
#define NGX_HTTP_REGISTRY_S3_MASK    8192


static ngx_int_t ngx_http_registry_s3_push_header(ngx_http_request_t *sr,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_http_registry_s3_body(ngx_http_request_t *sr,
    ngx_http_registry_op_t *op);
static ngx_int_t ngx_http_registry_s3_uri(ngx_http_registry_sub_t *sub);
static ngx_int_t ngx_http_registry_s3_sign(ngx_http_registry_sub_t *sub);
static ngx_int_t ngx_http_registry_s3_authorize(ngx_http_registry_sub_t *sub,
    ngx_http_registry_keys_t *keys);
static ngx_http_registry_sub_t *ngx_http_registry_s3_sub(
    ngx_http_request_t *r);
static void ngx_http_registry_s3_variable_value(ngx_http_variable_value_t *v,
    const u_char *data, size_t len);
static ngx_int_t ngx_http_registry_s3_conf_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_registry_s3_op_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_registry_s3_signed_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static u_char *ngx_http_registry_s3_mask(ngx_str_t *s,
    ngx_http_registry_sub_t *sub);
static ngx_int_t ngx_http_registry_s3_key_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_registry_s3_fresh_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


ngx_http_registry_kind_t  ngx_http_registry_s3_kind = {
    ngx_string("s3"),
    ngx_string("S3"),
    ngx_string("bucket"),
    ngx_string("registry_server.conf"),

    {
        NGX_HTTP_REGISTRY_ROLE_TAG,
        NGX_HTTP_REGISTRY_ROLE_OBJECT,
        NGX_HTTP_REGISTRY_ROLE_BLOB,
        NGX_HTTP_REGISTRY_ROLE_CACHED,
        NGX_HTTP_REGISTRY_ROLE_CACHED_BLOB,
        NGX_HTTP_REGISTRY_ROLE_DIRECT,
        NGX_HTTP_REGISTRY_ROLE_WRITE
    },

    1,
    0,

    ngx_http_registry_s3_configure,
    NULL,
    ngx_http_registry_s3_request,
    ngx_http_registry_s3_answer,
    ngx_http_registry_s3_whole,
    ngx_http_registry_s3_headers,
    ngx_http_registry_s3_judge,
    NULL,
    ngx_http_registry_s3_list,
    ngx_http_registry_s3_listed,
    ngx_http_registry_s3_erase,
    ngx_http_registry_s3_describe,
    ngx_http_registry_orphans
};


typedef enum {
    NGX_HTTP_REGISTRY_S3_SCHEME = 0,
    NGX_HTTP_REGISTRY_S3_HOST,
    NGX_HTTP_REGISTRY_S3_NAME
} ngx_http_registry_s3_conf_variable_e;


/* the variables of the include file; none may be cached, see below */

static ngx_http_variable_t  ngx_http_registry_s3_variables[] = {

    { ngx_string("registry_s3_scheme"), NULL,
      ngx_http_registry_s3_conf_variable, NGX_HTTP_REGISTRY_S3_SCHEME,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("registry_s3_host"), NULL,
      ngx_http_registry_s3_conf_variable, NGX_HTTP_REGISTRY_S3_HOST,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("registry_s3_name"), NULL,
      ngx_http_registry_s3_conf_variable, NGX_HTTP_REGISTRY_S3_NAME,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("registry_s3_method"), NULL,
      ngx_http_registry_s3_op_variable,
      offsetof(ngx_http_registry_op_t, method),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("registry_s3_range"), NULL,
      ngx_http_registry_s3_op_variable,
      offsetof(ngx_http_registry_op_t, range),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("registry_s3_uri"), NULL,
      ngx_http_registry_s3_signed_variable,
      offsetof(ngx_http_registry_sub_t, uri),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("registry_s3_authorization"), NULL,
      ngx_http_registry_s3_signed_variable,
      offsetof(ngx_http_registry_sub_t, authorization),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("registry_s3_date"), NULL,
      ngx_http_registry_s3_signed_variable,
      offsetof(ngx_http_registry_sub_t, date),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("registry_s3_token"), NULL,
      ngx_http_registry_s3_signed_variable,
      offsetof(ngx_http_registry_sub_t, token),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("registry_s3_sha256"), NULL,
      ngx_http_registry_s3_signed_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("registry_s3_cache_key"), NULL,
      ngx_http_registry_s3_key_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("registry_s3_fresh"), NULL,
      ngx_http_registry_s3_fresh_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_registry_s3_request(ngx_http_registry_sub_t *sub)
{
    ngx_uint_t                      i;
    ngx_http_request_t             *sr;
    ngx_http_registry_s3_header_t  *header;

    sr = sub->request;

    if (sub->op->write && ngx_http_registry_s3_body(sr, sub->op) != NGX_OK) {
        return NGX_ERROR;
    }

    if (sub->op->conf->headers == NULL) {
        return NGX_OK;
    }

    header = sub->op->conf->headers->elts;

    for (i = 0; i < sub->op->conf->headers->nelts; i++) {

        if ((header[i].scope
             & (sub->op->headers | NGX_HTTP_REGISTRY_S3_HEADER_ALL))
            && ngx_http_registry_s3_push_header(sr, &header[i].name,
                                                &header[i].value)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_s3_push_header(ngx_http_request_t *sr, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&sr->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = ngx_hash_key(name->data, name->len);
    ngx_http_registry_header_init(h);
    h->key = *name;
    h->lowcase_key = name->data;
    h->value = *value;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_s3_body(ngx_http_request_t *sr, ngx_http_registry_op_t *op)
{
    off_t                     len;
    ngx_buf_t                *b;
    ngx_chain_t              *cl;
    ngx_http_request_body_t  *rb;

    static ngx_str_t  type = ngx_string("content-type");
    static ngx_str_t  octets = ngx_string("application/octet-stream");
    static ngx_str_t  match = ngx_string("if-none-match");
    static ngx_str_t  any = ngx_string("*");

    len = (op->file_len == -1) ? (off_t) op->body.len : op->file_len;

    sr->headers_in.content_length_n = len;

    if (len) {

        if (ngx_http_registry_s3_push_header(sr, &type, &octets) != NGX_OK) {
            return NGX_ERROR;
        }

        /* each try has a buffer of its own: nginx moves its pointers */

        rb = ngx_pcalloc(sr->pool, sizeof(ngx_http_request_body_t));
        b = ngx_calloc_buf(sr->pool);
        cl = ngx_alloc_chain_link(sr->pool);

        if (rb == NULL || b == NULL || cl == NULL) {
            return NGX_ERROR;
        }

        if (op->file_len == -1) {
            b->memory = 1;
            b->pos = op->body.data;
            b->last = op->body.data + op->body.len;

        } else {
            b->in_file = 1;
            b->file = op->file;
            b->file_pos = op->file_pos;
            b->file_last = op->file_pos + op->file_len;
        }

        b->last_buf = 1;

        cl->buf = b;
        cl->next = NULL;

        rb->bufs = cl;
        sr->request_body = rb;
    }

    if (op->create) {
        return ngx_http_registry_s3_push_header(sr, &match, &any);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_registry_s3_answer(ngx_http_registry_sub_t *sub)
{
    ngx_http_request_t   *sr;
    ngx_http_upstream_t  *u;

    sr = sub->request;
    u = sr->upstream;

    if (u == NULL || sr->err_status) {
        return NGX_DECLINED;
    }

    sub->status = sr->headers_out.status;
    sub->content_length = sr->headers_out.content_length_n;
    sub->cache_status = u->cache_status;

    sub->ctx->cache_status = u->cache_status;

    if (!sr->cached) {
        sub->ctx->s3_status = sub->status;
    }

    if (sub->op->write && sub->status >= NGX_HTTP_SPECIAL_RESPONSE) {

        /*
         * a store that refuses a body may have read nothing of it, and would
         * take it for the next request of this connection
         */

        u->headers_in.connection_close = 1;
        u->keepalive = 0;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_registry_s3_whole(ngx_http_registry_sub_t *sub)
{
    ngx_event_pipe_t     *p;
    ngx_http_request_t   *sr;
    ngx_http_upstream_t  *u;

    sr = sub->request;
    u = sr->upstream;

    if (u && sub->status && u->cache_status == NGX_HTTP_CACHE_STALE) {
        sub->cache_status = NGX_HTTP_CACHE_STALE;
    }

    if (sr->header_only) {
        return 1;
    }

    /* a disk that could not be written, or read, and nothing is wrong with
       what came from S3 */

    if (sub->rc == NGX_ERROR) {
        return 0;
    }

    if (sr->cached) {
        return 1;
    }

    p = u ? u->pipe : NULL;

    return p && !p->upstream_error
           && (p->upstream_done || (p->upstream_eof && p->length == -1));
}


ngx_list_t *
ngx_http_registry_s3_headers(ngx_http_registry_sub_t *sub)
{
    return sub->request->upstream
           ? &sub->request->upstream->headers_in.headers : NULL;
}


static ngx_int_t
ngx_http_registry_s3_uri(ngx_http_registry_sub_t *sub)
{
    u_char                      *p;
    size_t                       len;
    ngx_registry_span_t          key;
    ngx_http_registry_op_t      *op;
    ngx_registry_s3_endpoint_t  *s3;

    op = sub->op;
    s3 = op->conf->s3;

    key = ngx_http_registry_span(&op->key);

    len = s3->path_len + 1 + ngx_registry_uri_encode_len(&key, 1);

    if (op->query.len) {
        len += 1 + op->query.len;
    }

    sub->uri.data = ngx_pnalloc(sub->request->pool, len);
    if (sub->uri.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(sub->uri.data, s3->path, s3->path_len);
    *p++ = '/';
    p = ngx_registry_uri_encode_write(p, &key, 1);

    if (op->query.len) {
        *p++ = '?';
        p = ngx_cpymem(p, op->query.data, op->query.len);
    }

    sub->uri.len = p - sub->uri.data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_s3_sign(ngx_http_registry_sub_t *sub)
{
    u_char                    *p;
    ngx_int_t                  rc;
    ngx_pool_t                *pool;
    ngx_http_registry_keys_t   keys;

    if (sub->date.len) {
        return NGX_OK;
    }

    pool = sub->request->pool;

    if (ngx_http_registry_s3_locate(sub->op->conf) == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (sub->uri.len == 0 && ngx_http_registry_s3_uri(sub) != NGX_OK) {
        return NGX_ERROR;
    }

    sub->skew = sub->op->conf->host->skew;

    sub->date.data = ngx_pnalloc(pool, NGX_REGISTRY_SIGV4_DATE_LEN);
    if (sub->date.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_registry_sigv4_date_write(sub->date.data,
                                      ngx_time() + sub->skew);
    sub->date.len = p - sub->date.data;

    if (ngx_http_registry_credentials_keys(sub->op->conf->credentials, &keys)
        != NGX_OK)
    {
        /* no connection will be made, see ngx_http_registry_upstream.c */
        return NGX_OK;
    }

    rc = NGX_OK;
    sub->generation = keys.generation;

    if (keys.token.len) {
        sub->token.data = ngx_pnalloc(pool, keys.token.len);

        if (sub->token.data) {
            ngx_memcpy(sub->token.data, keys.token.data, keys.token.len);
            sub->token.len = keys.token.len;

        } else {
            rc = NGX_ERROR;
        }
    }

    if (rc == NGX_OK) {
        rc = ngx_http_registry_s3_authorize(sub, &keys);
    }

    ngx_http_registry_credentials_done();

    return rc;
}


static ngx_int_t
ngx_http_registry_s3_authorize(ngx_http_registry_sub_t *sub,
    ngx_http_registry_keys_t *keys)
{
    u_char                         *p, *key;
    ngx_uint_t                      i;
    ngx_list_part_t                *part;
    ngx_table_elt_t                *h;
    ngx_registry_pair_t             pairs[NGX_REGISTRY_SIGV4_HEADERS_MAX];
    ngx_http_registry_op_t         *op;
    ngx_registry_sigv4_request_t    rq;

    op = sub->op;

    ngx_memzero(&rq, sizeof(ngx_registry_sigv4_request_t));

    rq.method = ngx_http_registry_span(&op->method);
    rq.query = ngx_http_registry_span(&op->query);
    rq.path = ngx_http_registry_span(&sub->uri);

    if (op->query.len) {
        rq.path.len -= op->query.len + 1;
    }

    rq.date = ngx_http_registry_span(&sub->date);
    rq.region = ngx_http_registry_span(&op->conf->region);
    rq.service.data = (u_char *) "s3";
    rq.service.len = 2;
    if (op->write) {
        rq.payload = ngx_http_registry_span(&op->payload);

    } else {
        rq.payload.data = (u_char *) NGX_REGISTRY_SIGV4_EMPTY_SHA256;
        rq.payload.len = sizeof(NGX_REGISTRY_SIGV4_EMPTY_SHA256) - 1;
    }

    rq.headers = pairs;

    ngx_http_registry_pair(&pairs[rq.nheaders++], "host",
                           op->conf->s3->authority,
                           op->conf->s3->authority_len);
    ngx_http_registry_pair(&pairs[rq.nheaders++], "x-amz-content-sha256",
                           (u_char *) rq.payload.data, rq.payload.len);
    ngx_http_registry_pair(&pairs[rq.nheaders++], "x-amz-date",
                           sub->date.data, sub->date.len);

    if (sub->token.len) {
        ngx_http_registry_pair(&pairs[rq.nheaders++], "x-amz-security-token",
                               sub->token.data, sub->token.len);
    }

    for (part = &sub->request->headers_in.headers.part;
         part;
         part = part->next)
    {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (rq.nheaders == NGX_REGISTRY_SIGV4_HEADERS_MAX) {
                return NGX_ERROR;
            }

            pairs[rq.nheaders].name = ngx_http_registry_span(&h[i].key);
            pairs[rq.nheaders++].value = ngx_http_registry_span(&h[i].value);
        }
    }

    key = ngx_http_registry_credentials_key(op->conf->credentials, keys,
                                            sub->date.data, &op->conf->region);
    if (key == NULL) {
        return NGX_ERROR;
    }

    sub->authorization.data = ngx_pnalloc(sub->request->pool,
                   ngx_registry_sigv4_authorization_len(&rq,
                                                        &keys->access_key));
    if (sub->authorization.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_registry_sigv4_authorization_write(sub->authorization.data, &rq,
                                               &keys->access_key, key);
    if (p == NULL) {
        return NGX_ERROR;
    }

    sub->authorization.len = p - sub->authorization.data;

    return NGX_OK;
}


u_char *
ngx_http_registry_s3_describe(ngx_http_registry_loc_conf_t *rlcf, u_char *p,
    u_char *last)
{
    return ngx_snprintf(p, last - p,
                        "bucket \"%V\", prefix \"%V\", endpoint \"%*s\", "
                        "region \"%V\", credentials of %V", &rlcf->bucket,
                        &rlcf->key_prefix, rlcf->s3->authority_len,
                        rlcf->s3->authority, &rlcf->region,
                   ngx_http_registry_credentials_source(rlcf->credentials));
}


ngx_int_t
ngx_http_registry_s3_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_registry_s3_variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_http_registry_sub_t *
ngx_http_registry_s3_sub(ngx_http_request_t *r)
{
    if (r == r->main) {
        return NULL;
    }

    return ngx_http_get_module_ctx(r, ngx_http_registry_module);
}


static void
ngx_http_registry_s3_variable_value(ngx_http_variable_value_t *v,
    const u_char *data, size_t len)
{
    v->len = len;
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;
    v->data = (u_char *) data;
}


static ngx_int_t
ngx_http_registry_s3_conf_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_registry_sub_t     *sub;
    ngx_registry_s3_endpoint_t  *s3;

    sub = ngx_http_registry_s3_sub(r);

    if (sub == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    s3 = sub->op->conf->s3;

    switch (data) {

    case NGX_HTTP_REGISTRY_S3_SCHEME:
        ngx_http_registry_s3_variable_value(v, (u_char *) "https",
                                            s3->tls ? 5 : 4);
        break;

    case NGX_HTTP_REGISTRY_S3_HOST:
        ngx_http_registry_s3_variable_value(v, s3->authority,
                                            s3->authority_len);
        break;

    default: /* NGX_HTTP_REGISTRY_S3_NAME */
        ngx_http_registry_s3_variable_value(v, s3->host, s3->host_len);
        break;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_s3_op_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                *s;
    ngx_http_registry_sub_t  *sub;

    sub = ngx_http_registry_s3_sub(r);

    if (sub == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    s = (ngx_str_t *) ((char *) sub->op + data);

    ngx_http_registry_s3_variable_value(v, s->data, s->len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_s3_signed_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                *s;
    ngx_http_registry_sub_t  *sub;

    sub = ngx_http_registry_s3_sub(r);

    if (sub == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    /* the URL is wanted before the cache is looked at, which needs no keys */

    if (data == offsetof(ngx_http_registry_sub_t, uri)) {

        if (sub->uri.len == 0 && ngx_http_registry_s3_uri(sub) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_http_registry_s3_variable_value(v, sub->uri.data, sub->uri.len);

        return NGX_OK;
    }

    /*
     * nginx evaluates a value twice, for its length and for its bytes, and
     * subrequests share the values of variables: what is signed is kept in
     * the context of the subrequest
     */

    if (ngx_http_registry_s3_sign(sub) != NGX_OK) {
        return NGX_ERROR;
    }

    if (data == 0 && sub->op->write) {
        ngx_http_registry_s3_variable_value(v, sub->op->payload.data,
                                            sub->op->payload.len);
        return NGX_OK;
    }

    if (data == 0) {
        ngx_http_registry_s3_variable_value(v,
                             (u_char *) NGX_REGISTRY_SIGV4_EMPTY_SHA256,
                             sizeof(NGX_REGISTRY_SIGV4_EMPTY_SHA256) - 1);
        return NGX_OK;
    }

    s = (ngx_str_t *) ((char *) sub + data);

    if (s == &sub->token || s == &sub->authorization) {

        /* longer ones are of no use to S3, which would refuse them */

        if (s->len > NGX_HTTP_REGISTRY_S3_MASK) {
            return NGX_ERROR;
        }

        ngx_http_registry_s3_variable_value(v, ngx_http_registry_s3_mask(s,
                                                                       sub),
                                            s->len);
        return NGX_OK;
    }

    ngx_http_registry_s3_variable_value(v, s->data, s->len);

    return NGX_OK;
}


static u_char *
ngx_http_registry_s3_mask(ngx_str_t *s, ngx_http_registry_sub_t *sub)
{
    static u_char  token[NGX_HTTP_REGISTRY_S3_MASK];
    static u_char  authorization[NGX_HTTP_REGISTRY_S3_MASK];

    /* which of both it is must be seen where it is put in */

    if (token[0] == '\0') {
        ngx_memset(token, '*', sizeof(token));
        ngx_memset(authorization, '+', sizeof(authorization));
    }

    return (s == &sub->token) ? token : authorization;
}


void
ngx_http_registry_s3_unmask(ngx_http_registry_sub_t *sub)
{
    u_char       *p, *mask;
    size_t        n;
    ngx_buf_t    *b;
    ngx_str_t    *s[2];
    ngx_uint_t    i;

    if (sub->request->upstream->request_bufs == NULL) {
        return;
    }

    /* the header of the request, of which nginx makes one buffer */

    b = sub->request->upstream->request_bufs->buf;

    s[0] = &sub->token;
    s[1] = &sub->authorization;

    for (i = 0; i < 2; i++) {

        if (s[i]->len == 0) {
            continue;
        }

        n = s[i]->len;
        mask = ngx_http_registry_s3_mask(s[i], sub);

        for (p = b->pos; n + 4 <= (size_t) (b->last - p); p++) {

            p = ngx_strlchr(p, b->last - n - 3, ':');
            if (p == NULL) {
                break;
            }

            if (p[1] == ' ' && ngx_memcmp(p + 2, mask, n) == 0
                && p[2 + n] == CR)
            {
                ngx_memcpy(p + 2, s[i]->data, n);
                break;
            }
        }
    }
}


void
ngx_http_registry_s3_wipe(ngx_http_registry_sub_t *sub)
{
    ngx_buf_t            *b;
    ngx_http_upstream_t  *u;

    u = sub->request->upstream;

    if (u && u->request_bufs && sub->token.len) {
        b = u->request_bufs->buf;

        if (b->temporary) {
            ngx_explicit_memzero(b->start, b->end - b->start);
        }
    }

    /* S3 repeats a token that it refuses */

    if (sub->status >= NGX_HTTP_BAD_REQUEST) {

        if (u && u->buffer.start) {
            ngx_explicit_memzero(u->buffer.start,
                                 u->buffer.end - u->buffer.start);
        }

        if (sub->body) {
            ngx_explicit_memzero(sub->body, sub->size);
        }
    }

    if (sub->token.data) {
        ngx_explicit_memzero(sub->token.data, sub->token.len);
    }
}


static ngx_int_t
ngx_http_registry_s3_key_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                   *p;
    size_t                    len;
    ngx_http_registry_op_t   *op;
    ngx_http_registry_sub_t  *sub;

    sub = ngx_http_registry_s3_sub(r);

    if (sub == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    op = sub->op;

    len = sizeof("v1||||") - 1 + op->conf->id.len + op->key.len
          + op->range.len + op->scope.len;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(p, "v1|%V|%V|%V|%V", &op->conf->id, &op->key, &op->range,
                &op->scope);

    ngx_http_registry_s3_variable_value(v, p, len);

    return NGX_OK;
}


/* "1" if what the cache has is not to be used */
static ngx_int_t
ngx_http_registry_s3_fresh_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_registry_sub_t  *sub;

    sub = ngx_http_registry_s3_sub(r);

    if (sub == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_http_registry_s3_variable_value(v, (u_char *) "1",
                                        sub->op->fresh ? 1 : 0);

    return NGX_OK;
}
