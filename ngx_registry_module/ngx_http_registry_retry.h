
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_RETRY_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_RETRY_H_INCLUDED_


/*
 * When a failed S3 request is tried again: the standard retry mode of the AWS
 * SDKs, AWS SDKs and Tools Reference Guide, Retry behavior.
 */


/* attempts of one request */
#define NGX_HTTP_REGISTRY_TRIES  3


typedef struct {
    ngx_uint_t                       tries;       /* begun so far */
    ngx_msec_t                       failing;     /* since, 0: it does not */
    unsigned                         waited:1;    /* for an address */
    unsigned                         keyed:2;     /* keys came meanwhile */
    unsigned                         renewed:1;   /* the keys or the clock */
    unsigned                         put_off:1;   /* too hasty to wait */
    unsigned                         hasty:1;     /* there is an old copy */
} ngx_http_registry_retry_t;


/*
 * NGX_OK: try again after *delay milliseconds.  NGX_BUSY: first wait, by
 * ngx_http_registry_retry_wait(), for what is missing.  NGX_DECLINED: give
 * up.
 */
ngx_int_t ngx_http_registry_retry(ngx_http_registry_retry_t *retry,
    ngx_http_registry_sub_t *sub, ngx_http_registry_result_t *result,
    ngx_msec_t *delay);

/*
 * For a client that has a part of a blob, and would have to begin again: tries
 * go on, each some seconds after the last one, until nothing has come for the
 * time of "registry_s3_patience".  NGX_OK with *delay, or NGX_DECLINED.
 */
ngx_int_t ngx_http_registry_retry_patience(ngx_http_registry_retry_t *retry,
    ngx_http_registry_result_t *result, ngx_http_registry_loc_conf_t *rlcf,
    ngx_msec_t *delay);

/*
 * Calls w->handler when what the try lacked is there, or will not be.  The
 * waiter is cancelled by ngx_http_registry_host_cancel().
 */
void ngx_http_registry_retry_wait(ngx_http_registry_sub_t *sub,
    ngx_http_registry_waiter_t *w);

/* a request succeeded: later failures may be retried again */
void ngx_http_registry_retry_success(ngx_http_registry_loc_conf_t *rlcf);


#endif /* _NGX_HTTP_REGISTRY_RETRY_H_INCLUDED_ */
