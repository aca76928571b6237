
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/*
 * The filters stand between nginx's copy filter and all others.  Answers to
 * subrequests of the module end here: other filters, whatever nginx.conf says,
 * see only the answer to the client.
 */


/* bytes of an error document that are kept */
#define NGX_HTTP_REGISTRY_ERROR_SIZE  16384

/* milliseconds between renewals of a lock of the cache */
#define NGX_HTTP_REGISTRY_HOLD        500


static ngx_int_t ngx_http_registry_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_registry_filter_page(ngx_http_request_t *r);
static ngx_int_t ngx_http_registry_filter_version(ngx_http_request_t *r);
static ngx_int_t ngx_http_registry_filter_answer(ngx_http_request_t *r,
    ngx_http_registry_sub_t *sub);
static ngx_int_t ngx_http_registry_filter_digest(
    ngx_http_registry_sub_t *sub);
static void ngx_http_registry_filter_digest_cleanup(void *data);
static ngx_int_t ngx_http_registry_filter_verify(
    ngx_http_registry_sub_t *sub);
static ngx_int_t ngx_http_registry_filter_input_init(void *data);
static void ngx_http_registry_filter_enough(ngx_http_registry_sub_t *sub,
    ngx_event_pipe_t *p, ngx_chain_t *in);
static void ngx_http_registry_filter_hold(ngx_http_registry_sub_t *sub);
static ngx_int_t ngx_http_registry_filter_input(ngx_event_pipe_t *p,
    ngx_buf_t *buf);
static ngx_int_t ngx_http_registry_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_registry_filter_page_body(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx, ngx_chain_t *in);
static ngx_int_t ngx_http_registry_filter_capture(
    ngx_http_registry_sub_t *sub, ngx_chain_t *in);
static ngx_int_t ngx_http_registry_filter_grow(ngx_http_registry_sub_t *sub,
    size_t size);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


ngx_int_t
ngx_http_registry_filter_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_registry_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_registry_body_filter;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_header_filter(ngx_http_request_t *r)
{
    ngx_http_registry_ctx_t       *ctx;
    ngx_http_registry_sub_t       *sub;
    ngx_http_registry_loc_conf_t  *rlcf;

    if (r != r->main) {

        sub = ngx_http_get_module_ctx(r, ngx_http_registry_module);

        if (sub == NULL) {
            return ngx_http_next_header_filter(r);
        }

        return ngx_http_registry_filter_answer(r, sub);
    }

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_registry_module);

    if (!rlcf->enable) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);

    if (ctx && ctx->lock) {
        /* all is written, and the client may take its time */
        ngx_http_registry_unlock(ctx->lock);
    }

    if (ngx_http_registry_filter_version(r) != NGX_OK) {
        return NGX_ERROR;
    }

    if (r->err_status >= NGX_HTTP_BAD_REQUEST
        && ngx_http_registry_filter_page(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_registry_filter_version(ngx_http_request_t *r)
{
    ngx_str_t  value;

    /* Docker Registry HTTP API V2, API Version Check */

    ngx_str_set(&value, "registry/2.0");

    return ngx_http_registry_add_header(r, "Docker-Distribution-Api-Version",
                                        &value)
           ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_registry_filter_page(ngx_http_request_t *r)
{
    ngx_http_registry_ctx_t  *ctx;

    /*
     * an error page of nginx: of authentication, limits, or of ours when
     * memory was short.  Clients look for a code of OCI in it.
     */

    ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);

    if (ctx == NULL) {
        ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_ctx_t));
        if (ctx == NULL) {
            return NGX_ERROR;
        }

        ctx->request = r;
        ctx->stale_age = -1;
        ngx_queue_init(&ctx->calls);

        ngx_http_set_ctx(r, ctx, ngx_http_registry_module);
    }

    if (ngx_http_registry_error_page(r, r->err_status, &ctx->error)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_clear_content_length(r);
    r->headers_out.content_length_n = ctx->error.len;

    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.charset.len = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_filter_answer(ngx_http_request_t *r,
    ngx_http_registry_sub_t *sub)
{
    ngx_int_t  rc;

    r->header_sent = 1;
    r->filter_need_in_memory = 1;

    if (sub->op->conf->kind->answer(sub) != NGX_OK) {
        /* a page of nginx, not an answer of the store */
        sub->limit = 0;
        return NGX_OK;
    }

    if (r->upstream && !r->cached) {
        sub->input_filter_init = r->upstream->input_filter_init;
        r->upstream->input_filter_init = ngx_http_registry_filter_input_init;
    }

    if (sub->status != NGX_HTTP_OK
        && sub->status != NGX_HTTP_PARTIAL_CONTENT)
    {
        sub->limit = NGX_HTTP_REGISTRY_ERROR_SIZE;
        return NGX_OK;
    }

    if (sub->status == NGX_HTTP_PARTIAL_CONTENT && sub->op->range.len == 0) {
        /* nobody asked for a part, and a part has no digest */
        sub->status = 0;
        return NGX_ERROR;
    }

    if (sub->sink == NULL) {
        sub->whole = (sub->status == NGX_HTTP_OK);
        return ngx_http_registry_filter_digest(sub);
    }

    rc = sub->sink->header(sub);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_OK) {
        sub->streaming = 1;
        r->filter_need_in_memory = 0;
    }

    return ngx_http_registry_filter_digest(sub);
}


static ngx_int_t
ngx_http_registry_filter_digest(ngx_http_registry_sub_t *sub)
{
    const EVP_MD        *md;
    ngx_pool_cleanup_t  *cln;

    /* what comes from the cache was verified; what does not go there, if it
       goes to a sink, is by the sink */

    if (sub->op->digest == NULL || !sub->whole || sub->request->cached
        || sub->request->upstream == NULL
        || sub->request->header_only || (sub->sink && !sub->filed))
    {
        return NGX_OK;
    }

    cln = ngx_pool_cleanup_add(sub->request->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    sub->md = EVP_MD_CTX_new();
    if (sub->md == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_registry_filter_digest_cleanup;
    cln->data = sub;

    md = (sub->op->digest->algorithm == NGX_REGISTRY_SHA512) ? EVP_sha512()
                                                             : EVP_sha256();

    if (EVP_DigestInit_ex(sub->md, md, NULL) != 1) {
        return NGX_ERROR;
    }

    if (sub->content_length == 0) {
        /* no input will come */
        return ngx_http_registry_filter_verify(sub);
    }

    if (sub->content_length == -1
        && !sub->request->upstream->headers_in.chunked)
    {
        /* its end could not be told from a cut */
        sub->status = 0;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_registry_filter_digest_cleanup(void *data)
{
    ngx_http_registry_sub_t  *sub = data;

    EVP_MD_CTX_free(sub->md);
}


static ngx_int_t
ngx_http_registry_filter_verify(ngx_http_registry_sub_t *sub)
{
    u_char                  md[EVP_MAX_MD_SIZE], hex[2 * EVP_MAX_MD_SIZE];
    unsigned int            len;
    ngx_registry_digest_t  *digest;

    sub->verified = 1;

    digest = sub->op->digest;

    if (EVP_DigestFinal_ex(sub->md, md, &len) != 1) {
        return NGX_ERROR;
    }

    (void) ngx_registry_hex_write(hex, md, len);

    if (digest->hex.len == 2 * len
        && ngx_memcmp(digest->hex.data, hex, 2 * len) == 0)
    {
        return NGX_OK;
    }

    /*
     * NGX_ERROR to the pipe: the last bytes do not reach the client, and
     * the temporary file does not become a file of the cache
     */

    sub->mismatch = 1;

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_registry_filter_input_init(void *data)
{
    ngx_http_request_t *r = data;

    size_t                    size;
    ngx_event_pipe_t         *p;
    ngx_http_registry_sub_t  *sub;

    sub = ngx_http_get_module_ctx(r, ngx_http_registry_module);

    if (sub->input_filter_init && sub->input_filter_init(data) != NGX_OK) {
        return NGX_ERROR;
    }

    p = r->upstream->pipe;

    if (p == NULL || !r->upstream->buffering) {
        return NGX_OK;
    }

    if (!sub->streaming && !r->upstream->cacheable) {

        /*
         * nothing of a background subrequest leaves the pipe before its end:
         * let it hold what may be captured, or it would stop reading
         */

        size = sub->limit / p->bufs.size + 2;

        if ((size_t) p->bufs.num < size) {
            p->bufs.num = size;
        }
    }

    if (sub->md || r->upstream->cacheable || !sub->streaming) {
        sub->input_filter = p->input_filter;
        p->input_filter = ngx_http_registry_filter_input;
    }

    if (sub->streaming && r->upstream->cacheable) {
        ngx_http_registry_disk_pipe(sub);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_filter_input(ngx_event_pipe_t *p, ngx_buf_t *buf)
{
    ngx_int_t                 rc;
    ngx_chain_t              *cl, **last;
    ngx_http_request_t       *r;
    ngx_http_registry_sub_t  *sub;

    r = p->input_ctx;
    sub = ngx_http_get_module_ctx(r, ngx_http_registry_module);

    /* what the original filter appends is the body without its framing */

    last = p->in ? p->last_in : &p->in;

    rc = sub->input_filter(p, buf);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_registry_filter_hold(sub);
    ngx_http_registry_filter_enough(sub, p, *last);

    if (sub->md == NULL) {
        return NGX_OK;
    }

    for (cl = *last; cl; cl = cl->next) {

        if (EVP_DigestUpdate(sub->md, cl->buf->pos,
                             cl->buf->last - cl->buf->pos)
            != 1)
        {
            return NGX_ERROR;
        }
    }

    if (!sub->verified && (p->length == 0 || p->upstream_done)) {
        return ngx_http_registry_filter_verify(sub);
    }

    return NGX_OK;
}


/*
 * Of what is captured, nothing leaves the pipe before its end: an answer
 * larger than that would fill it and never end.  So it ends here, as one that
 * is too large.
 */
static void
ngx_http_registry_filter_enough(ngx_http_registry_sub_t *sub,
    ngx_event_pipe_t *p, ngx_chain_t *in)
{
    ngx_chain_t          *cl;
    ngx_http_upstream_t  *u;

    u = sub->request->upstream;

    if (sub->streaming || u->cacheable) {
        return;
    }

    for (cl = in; cl; cl = cl->next) {
        sub->received += cl->buf->last - cl->buf->pos;
    }

    if (sub->received > (off_t) sub->limit && !p->upstream_done) {

        /* the rest of it must not be taken for the next answer */

        p->upstream_done = 1;
        u->headers_in.connection_close = 1;
        u->keepalive = 0;
    }
}


static void
ngx_http_registry_filter_hold(ngx_http_registry_sub_t *sub)
{
    ngx_http_cache_t  *c;

    /*
     * while bytes come, the others wait for them; once they no longer do,
     * also because this worker was killed, somebody else takes over after
     * proxy_cache_lock_age
     */

    c = sub->request->cache;

    if (c == NULL || !c->updating || c->node == NULL
        || ngx_current_msec - sub->held < NGX_HTTP_REGISTRY_HOLD)
    {
        return;
    }

    sub->held = ngx_current_msec;

    ngx_shmtx_lock(&c->file_cache->shpool->mutex);

    if (c->node->lock_time == c->lock_time) {
        c->lock_time = ngx_current_msec + c->lock_age;
        c->node->lock_time = c->lock_time;
    }

    ngx_shmtx_unlock(&c->file_cache->shpool->mutex);
}


static ngx_int_t
ngx_http_registry_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_int_t                 rc;
    ngx_chain_t              *out;
    ngx_http_registry_ctx_t  *ctx;
    ngx_http_registry_sub_t  *sub;

    if (r == r->main) {

        ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);

        if (ctx == NULL || ctx->error.len == 0 || in == NULL) {
            return ngx_http_next_body_filter(r, in);
        }

        return ngx_http_registry_filter_page_body(r, ctx, in);
    }

    sub = ngx_http_get_module_ctx(r, ngx_http_registry_module);

    if (sub == NULL) {
        return ngx_http_next_body_filter(r, in);
    }

    if (!sub->streaming) {
        return ngx_http_registry_filter_capture(sub, in);
    }

    if (in == NULL) {
        return ngx_http_next_body_filter(r, in);
    }

    rc = sub->sink->body(sub, in, &out);

    if (rc != NGX_OK || out == NULL) {
        return rc;
    }

    return ngx_http_next_body_filter(r, out);
}


static ngx_int_t
ngx_http_registry_filter_page_body(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl, out;

    for (cl = in; cl; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
        cl->buf->file_pos = cl->buf->file_last;
    }

    if (ctx->error_sent) {
        return NGX_OK;
    }

    ctx->error_sent = 1;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = ctx->error.data;
    b->last = ctx->error.data + ctx->error.len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_next_body_filter(r, &out);
}


static ngx_int_t
ngx_http_registry_filter_capture(ngx_http_registry_sub_t *sub,
    ngx_chain_t *in)
{
    size_t        size;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    for (cl = in; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_buf_in_memory(b)) {

            size = b->last - b->pos;

            if (size > sub->limit - sub->len) {

                /*
                 * not NGX_ERROR, which would take the client's connection
                 * down with the subrequest
                 */

                sub->overflow = 1;

            } else if (size && !sub->overflow) {

                if (ngx_http_registry_filter_grow(sub, size) != NGX_OK) {
                    return NGX_ERROR;
                }

                sub->len = ngx_cpymem(sub->body + sub->len, b->pos, size)
                           - sub->body;
            }
        }

        b->pos = b->last;
        b->file_pos = b->file_last;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_filter_grow(ngx_http_registry_sub_t *sub, size_t size)
{
    u_char  *p;
    size_t   n;

    if (size <= sub->size - sub->len) {
        return NGX_OK;
    }

    n = (sub->content_length > 0) ? (size_t) sub->content_length : 4096;

    n = ngx_max(n, 2 * sub->size);
    n = ngx_max(n, sub->len + size);
    n = ngx_min(n, sub->limit);

    p = ngx_pnalloc(sub->request->pool, n);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (sub->len) {
        ngx_memcpy(p, sub->body, sub->len);
    }

    sub->body = p;
    sub->size = n;

    return NGX_OK;
}
