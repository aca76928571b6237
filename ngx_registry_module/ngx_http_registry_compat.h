
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_COMPAT_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_COMPAT_H_INCLUDED_


/*
 * The differences between supported versions of nginx, 1.22 and later.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* since 1.23.0 headers of the same name are a linked list */

#if (nginx_version >= 1023000)
#define ngx_http_registry_header_init(h)  (h)->next = NULL
#else
#define ngx_http_registry_header_init(h)
#endif


/*
 * An nginx without threads lacks these functions: with strong symbols the
 * module could not be loaded into it, and nobody would be told why
 */

#if (NGX_THREADS)

#include <ngx_thread_pool.h>

#pragma weak ngx_thread_pool_add
#pragma weak ngx_thread_task_alloc
#pragma weak ngx_thread_task_post

#endif


#endif /* _NGX_HTTP_REGISTRY_COMPAT_H_INCLUDED_ */
