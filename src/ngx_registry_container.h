
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_CONTAINER_H_INCLUDED_
#define _NGX_REGISTRY_CONTAINER_H_INCLUDED_


#include "ngx_registry.h"


#pragma GCC visibility push(hidden)


/*
 * AWS SDKs and Tools Reference Guide, Container credential provider: whom the
 * authorization token may be sent to.
 */


/*
 * AWS_CONTAINER_CREDENTIALS_FULL_URI.  https may be of any host; http of
 * loopback, of ECS (169.254.170.2) and of EKS (169.254.170.23, fd00:ec2::23).
 *
 * OK; NONE: http and a name, each address of which has to pass
 * ngx_registry_container_address(); UNSUPPORTED: http and any other address;
 * INVALID: no URI of http or https, a user in it, or a character that does
 * not belong there.
 */
ngx_registry_status_e ngx_registry_container_uri(const u_char *p,
    const u_char *last);

/* whether an address, in network order, of 4 or 16 bytes, is one of these */
int ngx_registry_container_address(const u_char *addr, size_t len);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_CONTAINER_H_INCLUDED_ */
