
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_OBJECT_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_OBJECT_H_INCLUDED_


/*
 * Objects of the layout as store calls: a key, and what a link says.
 */


/* bytes of a link that are read; a digest is at most 135 */
#define NGX_HTTP_REGISTRY_LINK_SIZE  256


/*
 * Fills op->key with the key of an object of ctx's repository: name and
 * prefix are ctx's, the rest is in key.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_registry_object_key(ngx_http_registry_ctx_t *ctx,
    ngx_registry_key_t *key, ngx_str_t *dst);

/* a call of GET for the object of a key, not started */
ngx_http_registry_call_t *ngx_http_registry_object_call(
    ngx_http_registry_ctx_t *ctx, ngx_registry_key_t *key, ngx_uint_t role,
    size_t limit, ngx_http_registry_call_pt handler, void *data);

/*
 * The digest that a fetched link holds; its spans point into a copy that
 * lives as long as the request.  NGX_OK; NGX_ERROR with call->result made a
 * fault, and the link removed from the cache.
 */
ngx_int_t ngx_http_registry_object_link(ngx_http_registry_call_t *call,
    ngx_registry_digest_t *digest);

/* the text of a digest */
#define ngx_http_registry_digest_str(str, digest)                             \
    (str)->data = (u_char *) (digest)->text.data;                             \
    (str)->len = (digest)->text.len


#endif /* _NGX_HTTP_REGISTRY_OBJECT_H_INCLUDED_ */
