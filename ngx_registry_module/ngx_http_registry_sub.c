
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


static void ngx_http_registry_sub_enter(ngx_http_request_t *sr,
    ngx_http_core_loc_conf_t *clcf);


ngx_int_t
ngx_http_registry_subrequest(ngx_http_request_t *r,
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

    /* a question about the whole store has no key */

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

    /*
     * a subrequest starts with a copy of the client's headers: its Range,
     * Authorization, Cookie and Content-Length are not for the store
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

    ngx_http_registry_sub_enter(sr, clcf);

    return op->conf->kind->request(sub);
}


static void
ngx_http_registry_sub_enter(ngx_http_request_t *sr,
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


ngx_int_t
ngx_http_registry_op_write(ngx_http_request_t *r, ngx_http_registry_op_t *op,
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
ngx_http_registry_sub_done(ngx_http_registry_sub_t *sub, ngx_int_t rc)
{
    sub->done = 1;
    sub->rc = rc;

    if (sub->connected) {
        sub->ctx->s3_requests++;
    }

    /* nginx ends a subrequest with NGX_OK even if its answer was cut */

    if (!sub->op->conf->kind->whole(sub) || sub->status == 0
        || sub->mismatch || sub->overflow)
    {
        return;
    }

    if (!sub->request->header_only
        && !sub->streaming && sub->content_length != -1
        && (off_t) sub->len != sub->content_length)
    {
        return;
    }

    sub->complete = 1;
}


void
ngx_http_registry_sub_forget(ngx_http_registry_sub_t *sub)
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
ngx_http_registry_sub_header(ngx_http_registry_sub_t *sub, const char *name,
    size_t len)
{
    ngx_uint_t        i;
    ngx_list_t       *headers;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    headers = sub->op->conf->kind->headers(sub);

    if (headers == NULL || sub->status == 0) {
        return NULL;
    }

    part = &headers->part;
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
ngx_http_registry_sub_content_range(ngx_http_registry_sub_t *sub,
    off_t *start, off_t *size)
{
    off_t       end;
    u_char     *p, *last, *dash, *slash;
    ngx_str_t  *value;

    /* RFC 9110, Content-Range: bytes first-last/size */

    value = ngx_http_registry_sub_header_n(sub, "content-range");

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
        || end < *start || end >= *size)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}
