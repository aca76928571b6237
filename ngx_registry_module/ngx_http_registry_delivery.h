
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_DELIVERY_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_DELIVERY_H_INCLUDED_


/*
 * The delivery: a blob streamed to the client by one or more children, that
 * is, ordered subrequests whose bodies nginx joins.
 *
 *     child, from the cache only       if the client asks for a range
 *       | not there
 *     child, whole and cached          else; or a range, not cached
 *       | its header is right: the client's header is sent
 *       | its body passes, cut to what the client asked for
 *       | it breaks before the first byte: another child, freshly signed
 *       | it breaks later: a child for the rest, by Range, not cached
 *     end
 *
 * The request stays in its location: what the operator has set there
 * (access_log, add_header, limit_rate) applies to the blob.
 */


/*
 * Starts the delivery of the blob to the client of r, whose store calls are
 * initialized, and takes over the request.  key is of the object, text what
 * the client asked for.  Returns NGX_AGAIN, or what the request is to be
 * finalized with.
 */
ngx_int_t ngx_http_registry_delivery(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx, ngx_str_t *key,
    ngx_registry_digest_t *digest, ngx_str_t *text);

/* the headers of a blob of size bytes; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_registry_blob_headers(ngx_http_request_t *r,
    ngx_str_t *text, off_t size);


#endif /* _NGX_HTTP_REGISTRY_DELIVERY_H_INCLUDED_ */
