
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

    ngx_registry_span_t  region;
    ngx_registry_span_t  role_arn;
    ngx_registry_span_t  role_session_name;
    ngx_registry_span_t  source_profile;
    ngx_registry_span_t  credential_source;
    ngx_registry_span_t  credential_process;
    ngx_registry_span_t  web_identity_token_file;
    ngx_registry_span_t  external_id;
    ngx_registry_span_t  duration_seconds;
    ngx_registry_span_t  mfa_serial;
    ngx_registry_span_t  sso;            /* sso_session or sso_start_url */
} ngx_registry_profile_t;


/*
 * AWS shared credentials and config files: finds section [name], or [profile
 * name], and its settings.  As in botocore, a line that is indented more
 * than the setting above it belongs to that setting, names of settings have
 * no case, and a comment is a line of its own or stands after a section.  Of
 * equal settings the last one counts.
 *
 * OK; NOT_FOUND (no such section); NONE (section without both keys, it may
 * have other settings); INVALID (also a control character in a key or token).
 * Spans point into the input.
 */
ngx_registry_status_e ngx_registry_profile_parse(const u_char *p,
    const u_char *last, const ngx_registry_span_t *name,
    ngx_registry_profile_t *profile);

/*
 * Adds to profile what more says: AWS SDKs and Tools Reference Guide, Shared
 * config and credentials files: of settings that are in both files those of
 * the credentials file count.  Keys are of one file, never of two.
 */
void ngx_registry_profile_merge(ngx_registry_profile_t *profile,
    const ngx_registry_profile_t *more);

/*
 * Whether a profile says where keys come from; if not *why is a text, for a
 * message.
 */
int ngx_registry_profile_usable(const ngx_registry_profile_t *profile,
    const char **why);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_PROFILE_H_INCLUDED_ */
