
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_PROFILE_H_INCLUDED_
#define _NGX_REGISTRY_PROFILE_H_INCLUDED_


#include "ngx_registry.h"


#pragma GCC visibility push(hidden)


typedef struct {
    ngx_registry_span_t  access_key;     /* aws_access_key_id */
    ngx_registry_span_t  secret_key;     /* aws_secret_access_key */
    ngx_registry_span_t  token;          /* aws_session_token, or empty */
} ngx_registry_profile_t;


/*
 * AWS shared credentials file: finds section [name], or [profile name], and
 * its keys.  As in botocore, a line that is indented more than the setting
 * above it belongs to that setting, names of settings have no case, and a
 * comment is a line of its own or stands after a section.  Of equal settings
 * the last one counts.
 *
 * OK; NOT_FOUND (no such section); NONE (section without both keys);
 * INVALID (also a control character in a key or token).  Spans point into the
 * input.
 */
ngx_registry_status_e ngx_registry_profile_parse(const u_char *p,
    const u_char *last, const ngx_registry_span_t *name,
    ngx_registry_profile_t *profile);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_PROFILE_H_INCLUDED_ */
