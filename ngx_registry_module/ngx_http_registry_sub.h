
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_SUB_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_SUB_H_INCLUDED_


/*
 * One question to the store as a subrequest to one of its locations: what it
 * asks for, and what came of it.
 */


/* what is asked of the store; lives as long as the main request */

struct ngx_http_registry_op_s {
    ngx_http_registry_loc_conf_t    *conf;
    ngx_uint_t                       role;        /* of the location */
    ngx_str_t                        method;      /* "GET", "HEAD" */
    ngx_str_t                        key;         /* of the object, empty for
                                                     the whole store */
    ngx_str_t                        query;       /* of S3, canonical */
    ngx_str_t                        range;       /* "bytes=0-9" or empty */
    ngx_str_t                        scope;       /* tells copies in the cache
                                                     apart: a repository */
    ngx_registry_digest_t           *digest;      /* what the whole body must
                                                     hash to, or NULL */

    /* of a write; the body is in memory or in a file */

    ngx_str_t                        body;
    ngx_file_t                      *file;
    off_t                            file_pos;
    off_t                            file_len;    /* -1: the body is in
                                                     memory */
    ngx_str_t                        payload;     /* its SHA-256 in hex */
    ngx_uint_t                       headers;     /* of the operator, scopes,
                                                     a mask; of S3 */

    unsigned                         header_only:1;
    unsigned                         fresh:1;     /* not from the cache */
    unsigned                         write:1;
    unsigned                         create:1;    /* only if it is not there,
                                                     If-None-Match: * */
};


/* why the store was not asked */

#define NGX_HTTP_REGISTRY_WAIT_ADDRESS      1
#define NGX_HTTP_REGISTRY_WAIT_CREDENTIALS  2
#define NGX_HTTP_REGISTRY_NOT_CACHED        3
#define NGX_HTTP_REGISTRY_WAIT_REGION       4


/* takes an answer that is not captured; called by the filters */

typedef struct {
    /* an answer of 2xx begins.  NGX_OK: its body goes to body(), NGX_DECLINED:
       it is captured, NGX_ERROR: the subrequest ends */
    ngx_int_t                      (*header)(ngx_http_registry_sub_t *sub);

    /* in is what came, *out what goes on to the client */
    ngx_int_t                      (*body)(ngx_http_registry_sub_t *sub,
                                        ngx_chain_t *in, ngx_chain_t **out);
} ngx_http_registry_sink_t;


/* module context of a subrequest to a store location */

struct ngx_http_registry_sub_s {
    ngx_http_registry_op_t          *op;
    ngx_http_request_t              *request;     /* the subrequest */
    ngx_http_registry_ctx_t         *ctx;         /* of the main request */

    ngx_http_registry_sink_t        *sink;        /* NULL: capture */
    void                            *data;        /* of the sink */

    /* of S3, made once, when nginx creates the request to it */
    ngx_str_t                        authorization;
    ngx_str_t                        date;
    ngx_str_t                        token;
    ngx_str_t                        uri;
    ngx_uint_t                       generation;  /* of the credentials */
    time_t                           skew;        /* of the clock */

    /* of the local store: work in a thread, and why it failed */
    ngx_http_registry_file_job_t    *job;
    ngx_err_t                        err;

    /* captured body, at most limit bytes */
    u_char                          *body;
    size_t                           len;
    size_t                           size;
    size_t                           limit;
    off_t                            received;    /* of it, from the store */

    /* digest of what comes from the store, before it is cached */
    EVP_MD_CTX                      *md;
    ngx_event_pipe_input_filter_pt   input_filter;
    ngx_int_t                      (*input_filter_init)(void *data);

    ngx_uint_t                       status;      /* of the answer, 0: none */
    off_t                            content_length;
    ngx_uint_t                       cache_status;
    ngx_uint_t                       obstacle;    /* why it was not asked */
    ngx_int_t                        rc;          /* of the subrequest */

    ngx_msec_t                       begun;
    ngx_msec_t                       held;        /* the lock of the cache */

#if (NGX_THREADS)
    ngx_thread_task_t               *task;        /* that writes its file */
    void                            *writing;
    off_t                            written;
#endif

    unsigned                         connected:1; /* the store was asked */
    unsigned                         streaming:1; /* the sink took it */
    unsigned                         whole:1;     /* it is all of the object,
                                                     not a range */
    unsigned                         filed:1;     /* its body is a file of the
                                                     cache, or becomes one */
    unsigned                         left:1;      /* its disk is too slow */
    unsigned                         overflow:1;  /* larger than limit */
    unsigned                         rejected:1;  /* by the sink */
    unsigned                         mismatch:1;  /* wrong digest */
    unsigned                         damaged:1;   /* so is what was to be
                                                     written */
    unsigned                         verified:1;  /* the digest was looked at */
    unsigned                         complete:1;  /* no byte is missing */
    unsigned                         done:1;
};


/*
 * Makes op a write of a body in memory, NULL for none, which lives as long as
 * the main request: sets role, body and payload.  method is a literal.
 */
ngx_int_t ngx_http_registry_op_write(ngx_http_request_t *r,
    ngx_http_registry_op_t *op, const char *method, ngx_str_t *body);

/*
 * Starts the subrequest of sub->op; sub->sink, data and limit are set by the
 * caller, all else here.  ps is called once it is done.  r is the main
 * request.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_registry_subrequest(ngx_http_request_t *r,
    ngx_http_registry_sub_t *sub, ngx_http_post_subrequest_t *ps,
    ngx_uint_t flags);

/*
 * To be called once in the post subrequest handler: notes rc, and whether
 * the answer is whole, which nginx does not tell by rc.
 */
void ngx_http_registry_sub_done(ngx_http_registry_sub_t *sub, ngx_int_t rc);

/* removes what a cacheable subrequest has left in the cache */
void ngx_http_registry_sub_forget(ngx_http_registry_sub_t *sub);

/* value of a header of the store's answer, or NULL; name in lower case */
ngx_str_t *ngx_http_registry_sub_header(ngx_http_registry_sub_t *sub,
    const char *name, size_t len);

/* where an answer of 206 begins, and the size of the object, in bytes */
ngx_int_t ngx_http_registry_sub_content_range(ngx_http_registry_sub_t *sub,
    off_t *start, off_t *size);

#define ngx_http_registry_sub_header_n(sub, name)                              \
    ngx_http_registry_sub_header(sub, name, sizeof(name) - 1)


#endif /* _NGX_HTTP_REGISTRY_SUB_H_INCLUDED_ */
