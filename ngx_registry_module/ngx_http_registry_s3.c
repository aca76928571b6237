
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


static void ngx_http_registry_s3_enter(ngx_http_request_t *sr,
    ngx_http_core_loc_conf_t *clcf);
static ngx_int_t ngx_http_registry_s3_headers_in(ngx_http_request_t *sr,
    ngx_http_registry_sub_t *sub);
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
static ngx_int_t ngx_http_registry_s3_key_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_registry_s3_fresh_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


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
ngx_http_registry_s3_subrequest(ngx_http_request_t *r,
    ngx_http_registry_sub_t *sub, ngx_http_post_subrequest_t *ps,
    ngx_uint_t flags)
{
    u_char                    *p;
    ngx_str_t                  uri;
    ngx_http_request_t        *sr;
    ngx_http_registry_op_t    *op;
    ngx_http_core_loc_conf_t  *clcf;

    op = sub->op;
    clcf = op->conf->locations[op->role];

    uri.len = clcf->name.len + op->key.len;

    uri.data = ngx_pnalloc(r->pool, uri.len);
    if (uri.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(uri.data, clcf->name.data, clcf->name.len);

    /* a question about the bucket has no key */

    if (op->key.len) {
        ngx_memcpy(p, op->key.data, op->key.len);
    }

    if (ngx_http_subrequest(r, &uri, NULL, &sr, ps, flags) != NGX_OK) {
        return NGX_ERROR;
    }

    sub->request = sr;
    sub->ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);
    sub->content_length = -1;
    sub->begun = ngx_current_msec;

    ngx_http_set_ctx(sr, sub, ngx_http_registry_module);

    /* the cache serves GET only; a HEAD goes where nothing is cached */

    sr->method_name = op->method;
    sr->header_only = op->header_only;

    if (op->method.data[0] == 'H') {
        sr->method = NGX_HTTP_HEAD;
        sr->header_only = 1;
    }

    ngx_http_registry_s3_enter(sr, clcf);

    return ngx_http_registry_s3_headers_in(sr, sub);
}


static void
ngx_http_registry_s3_enter(ngx_http_request_t *sr,
    ngx_http_core_loc_conf_t *clcf)
{
    ngx_int_t                   i;
    ngx_http_phase_handler_t   *ph;
    ngx_http_core_main_conf_t  *cmcf;

    /*
     * straight to the handler of the location: what a server rewrites and
     * refuses is meant for its clients, and there may be none to look at
     */

    sr->loc_conf = clcf->loc_conf;
    sr->valid_location = 1;

    ngx_http_update_location_config(sr);

    cmcf = ngx_http_get_module_main_conf(sr, ngx_http_core_module);
    ph = cmcf->phase_engine.handlers;

    for (i = 0; ph[i].checker != ngx_http_core_content_phase; i++) {
        /* void */
    }

    sr->phase_handler = i;
    sr->write_event_handler = ngx_http_core_run_phases;
}


static ngx_int_t
ngx_http_registry_s3_headers_in(ngx_http_request_t *sr,
    ngx_http_registry_sub_t *sub)
{
    ngx_uint_t                      i;
    ngx_http_registry_s3_header_t  *header;

    /*
     * a subrequest starts with a copy of the client's headers: its Range,
     * Authorization, Cookie and Content-Length are not for S3
     */

    sr->request_body = NULL;

    ngx_memzero(&sr->headers_in, sizeof(ngx_http_headers_in_t));

    sr->headers_in.content_length_n = -1;
    sr->headers_in.keep_alive_n = -1;

    if (ngx_list_init(&sr->headers_in.headers, sr->pool, 4,
                      sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

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
ngx_http_registry_s3_write(ngx_http_request_t *r, ngx_http_registry_op_t *op,
    const char *method, ngx_str_t *body)
{
    size_t               len;
    u_char               hash[NGX_REGISTRY_HASH_MAX_LEN];
    ngx_registry_hash_t  h;

    op->role = NGX_HTTP_REGISTRY_ROLE_WRITE;
    op->write = 1;
    op->file_len = -1;
    op->method.data = (u_char *) method;
    op->method.len = ngx_strlen(method);

    if (body == NULL) {
        ngx_str_null(&op->body);
        ngx_str_set(&op->payload, NGX_REGISTRY_SIGV4_EMPTY_SHA256);
        return NGX_OK;
    }

    op->body = *body;

    ngx_registry_hash_init(&h, NGX_REGISTRY_SHA256);
    ngx_registry_hash_update(&h, body->data, body->len);
    len = ngx_registry_hash_final(&h, hash);

    op->payload.len = 2 * len;
    op->payload.data = ngx_pnalloc(r->pool, op->payload.len);
    if (op->payload.data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_registry_hex_write(op->payload.data, hash, len);

    return NGX_OK;
}


void
ngx_http_registry_s3_done(ngx_http_registry_sub_t *sub, ngx_int_t rc)
{
    ngx_event_pipe_t     *p;
    ngx_http_request_t   *sr;
    ngx_http_upstream_t  *u;

    sr = sub->request;
    u = sr->upstream;

    sub->done = 1;
    sub->rc = rc;

    if (sub->connected) {
        sub->ctx->s3_requests++;
    }

    if (u) {

        if (sub->status && u->cache_status == NGX_HTTP_CACHE_STALE) {
            sub->cache_status = NGX_HTTP_CACHE_STALE;
        }

        p = u->pipe;

    } else {
        p = NULL;
    }

    if (sub->status == 0 || sub->mismatch || sub->overflow) {
        return;
    }

    if (sr->header_only) {
        sub->complete = 1;
        return;
    }

    /*
     * nginx ends a subrequest with NGX_OK even if its answer was cut
     */

    if (!sr->cached
        && (p == NULL || p->upstream_error
            || !(p->upstream_done
                 || (p->upstream_eof && p->length == -1))))
    {
        return;
    }

    if (!sub->streaming && sub->content_length != -1
        && (off_t) sub->len != sub->content_length)
    {
        return;
    }

    sub->complete = 1;
}


void
ngx_http_registry_s3_forget(ngx_http_registry_sub_t *sub)
{
    ngx_http_cache_t  *c;

    c = sub->request->cache;

    if (c == NULL || c->file.name.len == 0) {
        return;
    }

    /* nginx takes a missing file for a miss */

    if (ngx_delete_file(c->file.name.data) == NGX_FILE_ERROR
        && ngx_errno != NGX_ENOENT)
    {
        ngx_log_error(NGX_LOG_ERR, sub->request->connection->log, ngx_errno,
                      ngx_delete_file_n " \"%V\" failed", &c->file.name);
    }
}


ngx_str_t *
ngx_http_registry_s3_header(ngx_http_registry_sub_t *sub, const char *name,
    size_t len)
{
    ngx_uint_t            i;
    ngx_list_part_t      *part;
    ngx_table_elt_t      *h;
    ngx_http_upstream_t  *u;

    u = sub->request->upstream;

    if (u == NULL || sub->status == 0) {
        return NULL;
    }

    part = &u->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == len
            && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0)
        {
            return &h[i].value;
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_registry_s3_content_range(ngx_http_registry_sub_t *sub,
    off_t *start, off_t *size)
{
    off_t       end;
    u_char     *p, *last, *dash, *slash;
    ngx_str_t  *value;

    /* RFC 9110, Content-Range: bytes first-last/size */

    value = ngx_http_registry_s3_header_n(sub, "content-range");

    if (value == NULL || value->len < 6
        || ngx_strncasecmp(value->data, (u_char *) "bytes ", 6) != 0)
    {
        return NGX_ERROR;
    }

    p = value->data + 6;
    last = value->data + value->len;

    dash = ngx_strlchr(p, last, '-');
    if (dash == NULL) {
        return NGX_ERROR;
    }

    slash = ngx_strlchr(dash, last, '/');
    if (slash == NULL) {
        return NGX_ERROR;
    }

    *start = ngx_atoof(p, dash - p);
    end = ngx_atoof(dash + 1, slash - dash - 1);
    *size = ngx_atoof(slash + 1, last - slash - 1);

    if (*start == NGX_ERROR || end == NGX_ERROR || *size == NGX_ERROR
        || end < *start || end >= *size
        || (sub->content_length != -1
            && sub->content_length != end - *start + 1))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
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
    ngx_pool_t                *pool;
    ngx_http_registry_keys_t   keys;

    if (sub->uri.len) {
        return NGX_OK;
    }

    pool = sub->request->pool;

    if (ngx_http_registry_s3_uri(sub) != NGX_OK) {
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

    sub->generation = keys.generation;

    if (keys.token.len) {
        sub->token.data = ngx_pnalloc(pool, keys.token.len);
        if (sub->token.data == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(sub->token.data, keys.token.data, keys.token.len);
        sub->token.len = keys.token.len;
    }

    return ngx_http_registry_s3_authorize(sub, &keys);
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

    ngx_http_registry_s3_variable_value(v, s->data, s->len);

    return NGX_OK;
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
