
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_SECRET_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_SECRET_H_INCLUDED_


/*
 * Memory that is overwritten when it is freed, from any thread.  libcurl and
 * the parsers of credentials use it, too.  Each function as its namesake of
 * libc; out of memory they return NULL and log nothing.
 */


void *ngx_http_registry_secret_alloc(size_t size);
void *ngx_http_registry_secret_calloc(size_t n, size_t size);
void *ngx_http_registry_secret_resize(void *p, size_t size);
char *ngx_http_registry_secret_strdup(const char *s);
void ngx_http_registry_secret_free(void *p);


/* for the parsers of src/ */
extern const ngx_registry_memory_t  ngx_http_registry_secret_memory;


#endif /* _NGX_HTTP_REGISTRY_SECRET_H_INCLUDED_ */
