
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_BODY_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_BODY_H_INCLUDED_


/*
 * The body of a client's request as it comes, of any length and framing,
 * without a temporary file.
 */


typedef struct {

    /* takes a piece: NGX_OK, or NGX_ABORT, having set rc */
    ngx_int_t         (*data)(ngx_http_request_t *r, void *ctx, u_char *p,
                          size_t n);

    /*
     * The body has ended.  Returns NGX_AGAIN if the request goes on, or what
     * it is to be finalized with.
     */
    ngx_int_t         (*end)(ngx_http_request_t *r, void *ctx);

    void               *ctx;
    ngx_int_t           rc;       /* what to finalize the request with */
} ngx_http_registry_body_t;


/*
 * Starts reading, after ngx_http_registry_store_init().  Returns NGX_AGAIN, or
 * a status to finalize the request with.  body lives as long as the request.
 */
ngx_int_t ngx_http_registry_body_read(ngx_http_request_t *r,
    ngx_http_registry_body_t *body);


#endif /* _NGX_HTTP_REGISTRY_BODY_H_INCLUDED_ */
