
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_FETCH_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_FETCH_H_INCLUDED_


/*
 * What runs in a thread of the pool: one question to a source of credentials.
 * Nothing here may touch requests, timers, pools or the vault; what it reads
 * of the configuration does not change while a worker lives.
 */


/* milliseconds, for all of a fetch: a worker that exits waits no longer */
#define NGX_HTTP_REGISTRY_FETCH_TIME  10000


/*
 * What the environment says, read once by the master.  NUL-terminated; no
 * secret is copied, values are where the environment has them.
 */

typedef struct {
    ngx_str_t                    access_key;
    ngx_str_t                    secret_key;
    ngx_str_t                    token;

    ngx_str_t                    credentials_file;
    ngx_str_t                    config_file;
    ngx_str_t                    profile;         /* "default" */

    ngx_str_t                    role_arn;
    ngx_str_t                    role_session;
    ngx_str_t                    token_file;

    ngx_str_t                    container;       /* URI */
    ngx_str_t                    container_token;
    ngx_str_t                    container_token_file;

    ngx_str_t                    imds;            /* URL without a slash at
                                                     its end */
    ngx_str_t                    sts;             /* URL, empty: AWS's */
    ngx_str_t                    region;
    ngx_str_t                    session;         /* default of the name */

    ngx_str_t                    ca_bundle;
    ngx_str_t                    proxy;
    ngx_str_t                    no_proxy;

    unsigned                     profile_set:1;   /* AWS_PROFILE */
    unsigned                     imds_off:1;
    unsigned                     fips:1;
    unsigned                     dualstack:1;
} ngx_http_registry_env_t;


/* what a source is asked for: parameters of its provider */

typedef struct {
    ngx_http_registry_env_t     *env;
    ngx_str_t                    credentials_file;
    ngx_str_t                    config_file;     /* empty: none */
    ngx_str_t                    profile;
    ngx_str_t                    role_arn;
    ngx_str_t                    role_session;
    ngx_str_t                    token_file;
    ngx_str_t                    region;          /* of STS */
} ngx_http_registry_source_t;


typedef struct ngx_http_registry_fetch_s  ngx_http_registry_fetch_t;

/* a provider; fills fetch->set or fetch->error */
typedef ngx_int_t (*ngx_http_registry_provider_pt)(
    ngx_http_registry_fetch_t *fetch);


struct ngx_http_registry_fetch_s {
    ngx_http_registry_source_t  *source;
    ngx_atomic_t                *waiting;         /* requests, now */
    uint64_t                     begun;           /* ms, monotonic */
    void                        *curl;
    ngx_http_registry_provider_pt provider;
    u_char                       user[64];        /* of the worker */

    /* the answer */

    ngx_int_t                    rc;
    ngx_uint_t                   reread;          /* from a file: somebody
                                                     may edit it */
    time_t                       skew;            /* of this host's clock to
                                                     the source's, 0: none */
    ngx_registry_credentials_t   set;             /* of the region: it is
                                                     access_key */
    size_t                       detail_len;
    size_t                       error_len;
    size_t                       exposed_len;
    u_char                       detail[256];
    u_char                       error[512];
    u_char                       exposed[256];    /* a file that others can
                                                     read */
};


/* a request of HTTP */

typedef struct {
    const char                  *url;
    const char                  *method;
    const char                  *body;            /* NULL: none */
    size_t                       body_len;
    struct curl_slist           *headers;
    ngx_uint_t                   tries;
    ngx_msec_t                   timeout;         /* of a try */
    unsigned                     proxy:1;         /* may be used */
    unsigned                     local:1;         /* only to addresses that
                                                     containers may ask */

    /* the answer; freed by ngx_http_registry_fetch_free() */

    long                         status;          /* 0: none */
    u_char                      *data;
    size_t                       len;
    size_t                       size;
    const char                  *failure;         /* of the connection */
} ngx_http_registry_http_t;


ngx_int_t ngx_http_registry_imds(ngx_http_registry_fetch_t *fetch);
ngx_int_t ngx_http_registry_imds_region(ngx_http_registry_fetch_t *fetch);
ngx_int_t ngx_http_registry_container(ngx_http_registry_fetch_t *fetch);
ngx_int_t ngx_http_registry_web_identity(ngx_http_registry_fetch_t *fetch);
ngx_int_t ngx_http_registry_profile(ngx_http_registry_fetch_t *fetch);

/*
 * Whether there is a profile with keys, asked by the master while it reads
 * the configuration; its region becomes fetch->detail.  NGX_DECLINED: there
 * is none, NGX_ERROR: something is there, and wrong; fetch->error is set.
 */
ngx_int_t ngx_http_registry_profile_look(ngx_http_registry_fetch_t *fetch);

/* parts of the profile provider */
ngx_int_t ngx_http_registry_process(ngx_http_registry_fetch_t *fetch,
    ngx_registry_span_t *command);
ngx_int_t ngx_http_registry_sts_assume(ngx_http_registry_fetch_t *fetch,
    ngx_registry_sts_request_t *rq, ngx_registry_span_t *region);
ngx_int_t ngx_http_registry_sts_web_identity(ngx_http_registry_fetch_t *fetch,
    ngx_registry_sts_request_t *rq, ngx_str_t *token_file,
    ngx_registry_span_t *region);


/* libcurl, once in a worker, before any fetch; and at its end */
ngx_int_t ngx_http_registry_fetch_init(ngx_log_t *log);
void ngx_http_registry_fetch_exit(void);

/* what the requests of a fetch have left */
void ngx_http_registry_fetch_close(ngx_http_registry_fetch_t *fetch);

/*
 * Sends rq, again after transient faults.  NGX_OK: there is an answer, of any
 * status; NGX_ERROR: there is none, failure says why.  Headers are kept.
 */
ngx_int_t ngx_http_registry_fetch_http(ngx_http_registry_fetch_t *fetch,
    ngx_http_registry_http_t *rq);
void ngx_http_registry_fetch_free(ngx_http_registry_http_t *rq);

/* adds a header to rq; NGX_ERROR if out of memory */
ngx_int_t ngx_http_registry_fetch_header(ngx_http_registry_http_t *rq,
    const char *name, const u_char *value, size_t len);

/*
 * A file of at most limit bytes, in memory of ngx_http_registry_secret.h
 * that the caller frees.  NGX_DECLINED: it does not exist; NGX_ERROR.  In
 * both cases fetch->error is set.  secret: warn if others can read it.
 */
ngx_int_t ngx_http_registry_fetch_file(ngx_http_registry_fetch_t *fetch,
    ngx_str_t *path, size_t limit, ngx_uint_t secret, ngx_str_t *content);

/* sets fetch->error, or fetch->detail, as by ngx_sprintf(); NGX_ERROR */
ngx_int_t ngx_cdecl ngx_http_registry_fetch_error(
    ngx_http_registry_fetch_t *fetch, const char *fmt, ...);
void ngx_cdecl ngx_http_registry_fetch_detail(
    ngx_http_registry_fetch_t *fetch, const char *fmt, ...);

/* sets fetch->error to what a source has said; NGX_ERROR */
ngx_int_t ngx_http_registry_fetch_refused(ngx_http_registry_fetch_t *fetch,
    const char *what, long status, ngx_registry_refusal_t *refusal);

/* milliseconds that are left, 0: none, or the worker wants to exit */
ngx_msec_t ngx_http_registry_fetch_left(ngx_http_registry_fetch_t *fetch);

/* sleeps, at most as long as that; NGX_ERROR if it is over */
ngx_int_t ngx_http_registry_fetch_sleep(ngx_http_registry_fetch_t *fetch,
    ngx_msec_t msec);

uint64_t ngx_http_registry_fetch_now(void);

/* AWS SDKs: clocks that differ by less than four minutes agree */
#define ngx_http_registry_skew(skew)                                          \
    (((skew) >= 240 || (skew) <= -240) ? (skew) : 0)


#endif /* _NGX_HTTP_REGISTRY_FETCH_H_INCLUDED_ */
