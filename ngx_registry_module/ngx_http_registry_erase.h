
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_ERASE_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_ERASE_H_INCLUDED_


/*
 * The deletion of all objects below a prefix.
 */


typedef ngx_int_t (*ngx_http_registry_erase_pt)(
    ngx_http_registry_erase_t *erase);


struct ngx_http_registry_erase_s {

    /* set by the caller */

    ngx_http_registry_ctx_t         *ctx;
    ngx_str_t                        prefix;     /* ends with "/" */
    ngx_str_t                        last;       /* key of the one that goes
                                                    last, or with the others
                                                    at once */
    ngx_http_registry_erase_pt       handler;    /* called once, as a
                                                    ngx_http_registry_call_pt
                                                    is */
    void                            *data;

    /*
     * the answer: OK, also if some objects were gone before; NOT_FOUND: there
     * was none; or what failed, at op
     */

    ngx_http_registry_result_t       result;
    ngx_http_registry_op_t           op;

    /* internal */

    ngx_http_registry_list_t         list;
    ngx_http_registry_apart_t        apart;
    ngx_uint_t                       next;
    unsigned                         ended:1;    /* last has gone */
};


/*
 * Starts it.  Returns NGX_AGAIN, or what handler returned, or
 * NGX_HTTP_INTERNAL_SERVER_ERROR.
 */
ngx_int_t ngx_http_registry_erase(ngx_http_registry_erase_t *erase);

/* of S3: object by object */
ngx_int_t ngx_http_registry_s3_erase(ngx_http_registry_erase_t *erase);


#endif /* _NGX_HTTP_REGISTRY_ERASE_H_INCLUDED_ */
