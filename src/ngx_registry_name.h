
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_NAME_H_INCLUDED_
#define _NGX_REGISTRY_NAME_H_INCLUDED_


#include "ngx_registry.h"


#pragma GCC visibility push(hidden)


/*
 * Bytes.  OCI Distribution Spec, Pulling manifests, implementers note: many
 * clients limit host[:port] + "/" + <name> to 255 characters, so a longer
 * name cannot be pulled by them, however short the host is.
 */
#define NGX_REGISTRY_NAME_MAX_LEN  255

/* bytes; OCI Distribution Spec, Pulling manifests: <tag> */
#define NGX_REGISTRY_TAG_MAX_LEN   128


/*
 * Checks that [p, last) is the name of a repository.
 *
 * OCI Distribution Spec, Pulling manifests, <name>:
 *
 *     component  = [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
 *     name       = component(/component)*
 *
 * The domain that distribution's grammar lets stand in front is not part of
 * it: "localhost:5000/a" is INVALID.
 *
 * p     first byte, not NUL-terminated; may equal last.
 * last  one past the last byte.
 *
 * Returns OK; TOO_LONG for more than NGX_REGISTRY_NAME_MAX_LEN bytes, which
 * are not looked at; or INVALID.
 */
ngx_registry_status_e ngx_registry_name_check(const u_char *p,
    const u_char *last);

/*
 * Checks that [p, last) is a tag: [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}, OCI
 * Distribution Spec, Pulling manifests.
 *
 * Returns OK; TOO_LONG for more than NGX_REGISTRY_TAG_MAX_LEN bytes, which
 * are not looked at; or INVALID.
 */
ngx_registry_status_e ngx_registry_tag_check(const u_char *p,
    const u_char *last);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_NAME_H_INCLUDED_ */
