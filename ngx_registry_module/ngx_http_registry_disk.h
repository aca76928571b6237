
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_DISK_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_DISK_H_INCLUDED_


/*
 * The disk of the cache.  nginx writes to it in the event loop, and when the
 * disk is behind all of the worker waits; here threads write.  A disk that
 * cannot keep up with S3, or is full, is left out for a while: what is fetched
 * meanwhile goes to the client without being cached.
 */


/* to be called when the pipe of a cacheable answer is set up */
void ngx_http_registry_disk_pipe(ngx_http_registry_sub_t *sub);

/* whether the disk is left out now */
ngx_uint_t ngx_http_registry_disk_behind(ngx_http_registry_loc_conf_t *rlcf);

/*
 * Whether an answer has ended early since it could not be written, and not
 * since S3 broke off; the disk is left out for a while then.
 */
ngx_uint_t ngx_http_registry_disk_failed(ngx_http_registry_sub_t *sub);


#endif /* _NGX_HTTP_REGISTRY_DISK_H_INCLUDED_ */
