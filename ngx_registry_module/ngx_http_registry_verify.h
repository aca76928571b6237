
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_VERIFY_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_VERIFY_H_INCLUDED_


/*
 * The digest of content that comes in pieces, one after another.  Pieces of
 * files are hashed in a thread, without blocking the event loop; pieces in
 * memory at once, for which the thread must be idle.  The object has a life
 * of its own: its owner may destroy it at any time, the thread ends first.
 */

typedef struct ngx_http_registry_verify_s  ngx_http_registry_verify_t;


/*
 * handler is called from the event loop when all pieces are hashed, or one
 * could not be read.  Returns NULL if there is no memory.
 */
ngx_http_registry_verify_t *ngx_http_registry_verify_create(
    ngx_registry_digest_t *digest, void (*handler)(void *data), void *data);

/* adds len bytes at pos of a file, whose descriptor it takes over */
ngx_int_t ngx_http_registry_verify_file(ngx_http_registry_verify_t *v,
    ngx_fd_t fd, off_t pos, off_t len);

/* adds bytes; the thread must be idle */
ngx_int_t ngx_http_registry_verify_memory(ngx_http_registry_verify_t *v,
    u_char *p, size_t n);

/* whether all that was added is hashed */
ngx_uint_t ngx_http_registry_verify_idle(ngx_http_registry_verify_t *v);

/* bytes that are hashed */
off_t ngx_http_registry_verify_hashed(ngx_http_registry_verify_t *v);

/*
 * Compares, once, when idle: NGX_OK, NGX_DECLINED if it is another digest,
 * NGX_ERROR if a piece could not be read.
 */
ngx_int_t ngx_http_registry_verify_final(ngx_http_registry_verify_t *v,
    ngx_registry_digest_t *digest);

void ngx_http_registry_verify_destroy(ngx_http_registry_verify_t *v);


#endif /* _NGX_HTTP_REGISTRY_VERIFY_H_INCLUDED_ */
