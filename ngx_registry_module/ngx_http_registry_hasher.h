
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_HASHER_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_HASHER_H_INCLUDED_


/*
 * The hash of a piece of a file.  A worker hashes a slice of one of them in
 * each turn of the event loop.
 */

typedef struct {

    /* set by the caller */
    ngx_file_t                *file;
    off_t                      pos;
    off_t                      left;
    ngx_registry_digest_e      algorithm;
    void                     (*handler)(void *data, ngx_int_t rc);
    void                      *data;

    /* of all pieces, if it is wanted: the same bytes, updated in order */
    ngx_registry_hash_t       *whole;

    /* the result, in hex */
    u_char                     hex[2 * NGX_REGISTRY_HASH_MAX_LEN];
    size_t                     len;

    /* internal */
    ngx_registry_hash_t        hash;
    ngx_queue_t                queue;
    ngx_event_t                guard;
    unsigned                   active:1;
} ngx_http_registry_hasher_t;


/* handler is called later, with NGX_OK, or NGX_ERROR if it cannot be read */
void ngx_http_registry_hasher_start(ngx_http_registry_hasher_t *h,
    ngx_log_t *log);
void ngx_http_registry_hasher_cancel(ngx_http_registry_hasher_t *h);


#endif /* _NGX_HTTP_REGISTRY_HASHER_H_INCLUDED_ */
