
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_STORE_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_STORE_H_INCLUDED_


/*
 * The store call: one small question to the store, whose answer is wanted in
 * memory.
 *
 *     caller                    store call                    nginx
 *     store_call() ---------->  background subrequest ----->  cache, upstream
 *                               waits for address or keys,
 *                               retries with back-off,      <-  answer
 *                               signs each try afresh
 *     handler()  <-------------  run by the main request's
 *                               write event handler
 *
 * A call belongs to a main request: one of a client, or one of the module's
 * own made by ngx_http_registry_store_request().  It is allocated by the
 * caller from the pool of that request, and dies with it.
 */


/*
 * Called once, from the event handler of the main request.  Returns NGX_AGAIN
 * if the request goes on (other calls are pending, or new ones or a delivery
 * were started), else what the request is to be finalized with.
 */
typedef ngx_int_t (*ngx_http_registry_call_pt)(
    ngx_http_registry_call_t *call);


struct ngx_http_registry_call_s {

    /* set by the caller */

    ngx_http_registry_op_t           op;
    size_t                           limit;      /* bytes of the answer */
    ngx_http_registry_call_pt        handler;
    void                            *data;

    /* called, unless NULL, if the request ends before the call has */
    void                           (*cancel)(ngx_http_registry_call_t *call);

    /* the answer */

    ngx_http_registry_result_t       result;
    ngx_str_t                        body;
    off_t                            content_length;
    ngx_uint_t                       cache_status;
    ngx_http_registry_sub_t         *sub;        /* the last try */

    /* internal */

    ngx_http_request_t              *request;    /* main */
    ngx_queue_t                      queue;
    ngx_event_t                      timer;
    ngx_http_registry_waiter_t       waiter;
    ngx_http_registry_retry_t        retry;
    unsigned                         done:1;     /* a try is */
    unsigned                         paused:1;   /* no request, a pause */
};


/*
 * Prepares a main request for calls: from now on it is driven by them.  The
 * caller is its content handler and returns NGX_DONE.
 */
ngx_int_t ngx_http_registry_store_init(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx);

/* starts a call; NGX_OK or NGX_ERROR, then handler is not called */
ngx_int_t ngx_http_registry_store_call(ngx_http_request_t *r,
    ngx_http_registry_call_t *call);

/*
 * Calls handler after a time, msec in milliseconds, as if an answer had come.
 * Of the fields set by the caller only handler and data are used.
 */
void ngx_http_registry_store_pause(ngx_http_request_t *r,
    ngx_http_registry_call_t *call, ngx_msec_t msec);

/*
 * A main request without a client, for work from a timer.  It lives until a
 * handler of one of its calls returns something else than NGX_AGAIN.  NULL if
 * out of memory.
 */
ngx_http_request_t *ngx_http_registry_store_request(
    ngx_http_registry_loc_conf_t *rlcf);

/* ends such a request before any of its calls has */
void ngx_http_registry_store_close(ngx_http_request_t *r);

/*
 * Calls handler once ngx_http_registry_store_settled() was called, as if an
 * answer had come.
 */
void ngx_http_registry_store_wait(ngx_http_request_t *r,
    ngx_http_registry_call_t *call);

/* what was left to do after a write is done, see ngx_http_registry_kind.h */
void ngx_http_registry_store_settled(ngx_http_registry_call_t *call);

/* calls drive the request again, after a delivery has */
void ngx_http_registry_store_resume(ngx_http_request_t *r);


#endif /* _NGX_HTTP_REGISTRY_STORE_H_INCLUDED_ */
