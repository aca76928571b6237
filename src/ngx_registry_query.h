
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_QUERY_H_INCLUDED_
#define _NGX_REGISTRY_QUERY_H_INCLUDED_


#include "ngx_registry.h"


#pragma GCC visibility push(hidden)


/*
 * Finds the first parameter of that name in the query string [p, last), which
 * has no "?".
 *
 * Pairs are separated by "&", name and value by the first "=": WHATWG URL,
 * application/x-www-form-urlencoded parsing.  Unlike there, a name is compared
 * as sent: no client of a registry encodes one.  A pair without "=" has an
 * empty value.
 *
 * p      first byte, not NUL-terminated; may equal last, and both be NULL.
 * name   not empty.
 * value  as sent, still encoded; points into the query, lives as long, is set
 *        if OK only.
 *
 * Returns OK, or NONE if there is no such parameter.
 */
ngx_registry_status_e ngx_registry_query_find(const u_char *p,
    const u_char *last, const ngx_registry_span_t *name,
    ngx_registry_span_t *value);

/*
 * Decodes %XX, RFC 3986, Percent-Encoding.  "+" stays "+", unlike in forms:
 * clients send media types, which have one ("...v1+json"), as they are.
 *
 * dst    takes value->len bytes; may be value->data.
 *
 * Returns the end of what was written, or NULL if "%" is not followed by two
 * hexadecimal digits or by "00": nothing here may hold a NUL.  What dst has
 * then is undefined.
 */
u_char *ngx_registry_query_decode(u_char *dst,
    const ngx_registry_span_t *value);

/*
 * Reads value as a decimal number: digits only, leading zeros are allowed.
 *
 * n      the number, 0 ... max; undefined unless OK.
 *
 * Returns OK; INVALID if value is empty or has another character, also when
 * it is encoded; TOO_LONG if the number is above max, however long it is.
 */
ngx_registry_status_e ngx_registry_query_number(
    const ngx_registry_span_t *value, uint64_t max, uint64_t *n);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_QUERY_H_INCLUDED_ */
