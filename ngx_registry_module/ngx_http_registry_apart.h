
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_APART_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_APART_H_INCLUDED_


/*
 * Questions to the store that a request does not ask itself, but by another
 * request of its own.  What a call takes of memory (some 20 KB, and the
 * answer) stays until its request ends: a request that asks about thousands
 * of objects has a few of these at work, and each frees all that it took.
 *
 *     request                    apart                 store
 *     apart_begin()  -------->   store_call()  ----->
 *                                handlers      <-----
 *     handler()      <--------   apart_end()
 *
 * An apart belongs to the caller, in the pool of its request, and can begin
 * again once it has ended.  If the request ends first, so do the questions.
 */


typedef struct ngx_http_registry_apart_s  ngx_http_registry_apart_t;

/* as of a call: NGX_AGAIN if the request goes on */
typedef ngx_int_t (*ngx_http_registry_apart_pt)(
    ngx_http_registry_apart_t *apart);


struct ngx_http_registry_apart_s {

    /* set by the caller, of a zeroed structure */
    ngx_http_request_t          *request;
    ngx_http_registry_apart_pt   handler;     /* of request */
    void                        *data;

    /* the answer, as long as the handler runs */
    ngx_http_registry_call_t    *call;

    /* internal */
    ngx_http_request_t          *own;         /* NULL: it may begin */
    ngx_http_cleanup_t          *gone;        /* of own */
    ngx_event_t                  start;
    ngx_http_registry_call_t     wait;        /* of request */
    unsigned                     lost:1;
};


/*
 * The context for calls to the store, with the name and the reference of the
 * request's; its request is the one to ask by, and the one whose pool holds
 * what is needed for it.  NULL if out of memory.
 */
ngx_http_registry_ctx_t *ngx_http_registry_apart_begin(
    ngx_http_registry_apart_t *apart);

/*
 * Ends it, and calls the handler of the request, while the answers are still
 * there.  The result is for the handler of a call to return.
 */
ngx_int_t ngx_http_registry_apart_end(ngx_http_registry_apart_t *apart);

/* the same as handler of the only call, whose data is the apart */
ngx_int_t ngx_http_registry_apart_done(ngx_http_registry_call_t *call);

/*
 * Copies, for ngx_http_registry_failure(), what ends with its request;
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_registry_apart_keep(ngx_pool_t *pool,
    ngx_http_registry_op_t *op, ngx_http_registry_result_t *result);


#endif /* _NGX_HTTP_REGISTRY_APART_H_INCLUDED_ */
