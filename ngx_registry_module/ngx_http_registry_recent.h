
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_RECENT_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_RECENT_H_INCLUDED_


/*
 * Manifests that this worker has lately served, in its memory, so that one
 * that many ask for costs neither a subrequest nor a file, neither a digest nor
 * a look at its JSON.  They are verified, and kept for the repository they were
 * served from.
 *
 * A worker keeps a megabyte of them at most, none that is larger than 64k, and
 * none for longer than a minute: then nginx's cache is asked again, so that it
 * does not take for forgotten what is used most, and what the manifest proves
 * of its repository is noted again.
 */

/*
 * The manifest with a digest of the repository of the request.  NGX_OK, then
 * type and body are in the pool of the request; NGX_DECLINED; NGX_ERROR if out
 * of memory.
 */
ngx_int_t ngx_http_registry_recent_find(ngx_http_registry_ctx_t *ctx,
    ngx_str_t *digest, ngx_str_t *type, ngx_str_t *body);

/* notes one that was verified; nothing happens if there is no memory */
void ngx_http_registry_recent_add(ngx_http_registry_ctx_t *ctx,
    ngx_str_t *digest, ngx_str_t *type, ngx_str_t *body);


#endif /* _NGX_HTTP_REGISTRY_RECENT_H_INCLUDED_ */
