
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_LOCK_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_LOCK_H_INCLUDED_


/*
 * Locks of repositories among the requests of a host: those that write
 * manifests share one, those that delete have it for themselves.  So no
 * manifest is written whose parts are being deleted, and no tag to a manifest
 * that is.  They are locks of the kernel on files below registry_upload_path
 * and end when the request is answered, or with the process however that ends.
 */


struct ngx_http_registry_lock_s {

    /* set by the caller, which keeps it as long as the request lives */

    ngx_http_registry_ctx_t    *ctx;
    ngx_uint_t                  exclusive;

    /* called once with the lock; returns as the handler of a store call does */
    ngx_int_t                 (*handler)(void *data);
    void                       *data;

    /* internal */

    ngx_http_registry_call_t    pause;
    ngx_msec_t                  since;
    ngx_fd_t                    fd;
};


/*
 * Waits for the lock of ctx's repository and calls handler; 503 after a
 * minute.  Returns as a content handler may after
 * ngx_http_registry_store_init().
 */
ngx_int_t ngx_http_registry_lock(ngx_http_registry_lock_t *lock);

/* before the end of the request */
void ngx_http_registry_unlock(ngx_http_registry_lock_t *lock);


#endif /* _NGX_HTTP_REGISTRY_LOCK_H_INCLUDED_ */
