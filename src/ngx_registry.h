
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_H_INCLUDED_
#define _NGX_REGISTRY_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>


/*
 * A span of bytes owned by somebody else, not NUL-terminated.
 */

typedef struct {
    const u_char  *data;
    size_t         len;
} ngx_registry_span_t;


#define ngx_registry_span(literal)                                            \
    { (const u_char *) (literal), sizeof(literal) - 1 }


/*
 * The one result type of the library.  NGX_REGISTRY_OK is zero, everything
 * else is a reason.  Only one table of the glue maps reasons to statuses of
 * HTTP and error codes of OCI.
 */

typedef enum {
    NGX_REGISTRY_OK = 0,
    NGX_REGISTRY_NONE,             /* absent, or to be ignored by the rules */
    NGX_REGISTRY_INVALID,          /* breaks the grammar */
    NGX_REGISTRY_TOO_LONG,
    NGX_REGISTRY_UNSUPPORTED,      /* well-formed, but not known here */
    NGX_REGISTRY_UNSATISFIABLE,    /* Range beyond the end */
    NGX_REGISTRY_MULTIPLE,         /* several ranges */
    NGX_REGISTRY_NOT_FOUND,        /* no such route */
    NGX_REGISTRY_NAME_INVALID,
    NGX_REGISTRY_REFERENCE_INVALID,
    NGX_REGISTRY_DIGEST_INVALID,
    NGX_REGISTRY_STOPPED,          /* a callback asked to stop */
    NGX_REGISTRY_NO_MEMORY
} ngx_registry_status_e;


#endif /* _NGX_REGISTRY_H_INCLUDED_ */
