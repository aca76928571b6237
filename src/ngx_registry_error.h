
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_ERROR_H_INCLUDED_
#define _NGX_REGISTRY_ERROR_H_INCLUDED_


#include "ngx_registry.h"


#pragma GCC visibility push(hidden)


/*
 * OCI Distribution Spec, Error Codes: code-1 ... code-14, in this order.  The
 * last two are distribution's, registry/api/errcode, and for statuses of 5xx:
 * with 4xx the spec allows no others than its own.
 *
 * CODE_ tells a code from the reason of the same name in ngx_registry.h.
 */

typedef enum {
    NGX_REGISTRY_BLOB_UNKNOWN = 0,
    NGX_REGISTRY_BLOB_UPLOAD_INVALID,
    NGX_REGISTRY_BLOB_UPLOAD_UNKNOWN,
    NGX_REGISTRY_CODE_DIGEST_INVALID,
    NGX_REGISTRY_MANIFEST_BLOB_UNKNOWN,
    NGX_REGISTRY_MANIFEST_INVALID,
    NGX_REGISTRY_MANIFEST_UNKNOWN,
    NGX_REGISTRY_CODE_NAME_INVALID,
    NGX_REGISTRY_NAME_UNKNOWN,
    NGX_REGISTRY_SIZE_INVALID,
    NGX_REGISTRY_UNAUTHORIZED,
    NGX_REGISTRY_DENIED,
    NGX_REGISTRY_CODE_UNSUPPORTED,
    NGX_REGISTRY_TOOMANYREQUESTS,
    NGX_REGISTRY_UNKNOWN,
    NGX_REGISTRY_UNAVAILABLE
} ngx_registry_error_e;


/*
 * "BLOB_UNKNOWN", and the message that is used if there is no better one.
 * Both are constants.  code is one of the above.
 */
const ngx_registry_span_t *ngx_registry_error_name(ngx_registry_error_e code);
const ngx_registry_span_t *ngx_registry_error_text(ngx_registry_error_e code);

/*
 * The document of one error, OCI Distribution Spec, Error Codes:
 *
 *     {"errors":[{"code":"...","message":"...","detail":"..."}]}
 *
 * and a line feed, as distribution has it.  message and detail are spans of
 * any bytes, not NULL.  An empty message gives the default one, an empty
 * detail leaves it out.
 *
 * error_len() is the length in bytes; error_write() writes exactly that many,
 * not NUL-terminated, and returns their end.
 */
size_t ngx_registry_error_len(ngx_registry_error_e code,
    const ngx_registry_span_t *message, const ngx_registry_span_t *detail);
u_char *ngx_registry_error_write(u_char *dst, ngx_registry_error_e code,
    const ngx_registry_span_t *message, const ngx_registry_span_t *detail);

/*
 * A JSON string with its quotes, RFC 8259, Strings: quotes and backslashes
 * get a backslash; controls, and DEL for the sake of terminals, become \u00xx;
 * each byte that is not part of UTF-8, RFC 3629, becomes U+FFFD, as UTF-8.
 * All else is written as it is, so UTF-8 stays and "/" is not escaped.
 *
 * json_string_len() is the length in bytes, at most 6 * s->len + 2;
 * json_string_write() writes exactly that many, not NUL-terminated, and
 * returns their end.  dst does not overlap s.
 */
size_t ngx_registry_json_string_len(const ngx_registry_span_t *s);
u_char *ngx_registry_json_string_write(u_char *dst,
    const ngx_registry_span_t *s);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_ERROR_H_INCLUDED_ */
