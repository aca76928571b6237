
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_RANGE_H_INCLUDED_
#define _NGX_REGISTRY_RANGE_H_INCLUDED_


#include "ngx_registry.h"


#pragma GCC visibility push(hidden)


/*
 * Parses the value of a Range header for a representation of size bytes.
 *
 * RFC 9110, Byte Ranges and Range:
 *
 *     "bytes=" ( first "-" [ last ] / "-" suffix )
 *
 * Positions count from 0, and last is inclusive.  The unit is of any case.
 * Blanks, spaces and tabs, may stand around the value and around the range,
 * but not within it, nor before "=".  A number of any length is taken: one
 * above INT64_MAX counts as INT64_MAX.
 *
 * p           first byte, not NUL-terminated; may equal last.
 * last        one past the last byte.
 * size        of the representation, bytes, 0 or more.
 * start, end  bytes start ... end - 1 are asked for; set if OK only.
 *
 * OK             one range, 0 <= start < end <= size: answer 206.  The last
 *                position is cut to the size; a suffix longer than that is
 *                all of it.
 * NONE           to be ignored, answer 200 with the whole: another unit,
 *                malformed, or, with size 0, a range from position 0 or a
 *                suffix of 1 or more.  Such a range asks for what there is,
 *                and no Content-Range can say "no bytes": nginx's filter of
 *                ranges and Go's net/http, thus distribution, answer 200.
 * MULTIPLE       more than one range, or a comma after one: answer 200 with
 *                the whole, as RFC 9110, Range, allows.  What follows the
 *                first comma is not looked at.
 * UNSATISFIABLE  answer 416: the first position is not below the size; the
 *                suffix is 0; or the last position is before the first, which
 *                RFC 9110 calls invalid, to be ignored, but nginx and the
 *                conformance suite of the OCI ("bytes=500-0") have it so.
 */
ngx_registry_status_e ngx_registry_range_parse(const u_char *p,
    const u_char *last, int64_t size, int64_t *start, int64_t *end);

/*
 * The same without knowing the size: whether the value of a Range header,
 * [p, last_byte), names one range.
 *
 * first, last  the numbers as sent, at most INT64_MAX, -1 where there is
 *              none: 5 and -1 for "5-", -1 and 5 for "-5".  Set if OK or
 *              UNSATISFIABLE, else undefined.
 *
 * OK             one range, satisfiable or not: range_parse() then returns
 *                anything but MULTIPLE
 * NONE           to be ignored, of whatever size: no bytes unit, malformed
 * MULTIPLE       as above
 * UNSATISFIABLE  last < first, of whatever size
 */
ngx_registry_status_e ngx_registry_range_scan(const u_char *p,
    const u_char *last_byte, int64_t *first, int64_t *last);

/*
 * Whether the value of an If-None-Match header, [p, last), has the entity tag
 * "<digest>", which a registry gives to what the digest names.
 *
 * RFC 9110, If-None-Match: "*" or a list; tags are compared weakly, so W/"x"
 * is "x".  Beyond that, as distribution's registry/handlers/manifests.go has
 * it, a digest without quotes matches, and, as in Go's net/http, "*" anywhere
 * in a list.  A list ends where it breaks the grammar.
 *
 * digest  not empty.
 *
 * Returns 1 or 0.
 */
int ngx_registry_etag_match(const u_char *p, const u_char *last,
    const ngx_registry_span_t *digest);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_RANGE_H_INCLUDED_ */
