
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_UPLOAD_H_INCLUDED_
#define _NGX_REGISTRY_UPLOAD_H_INCLUDED_


#include "ngx_registry.h"
#include "ngx_registry_hash.h"


#pragma GCC visibility push(hidden)


/* bytes of "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx" */
#define NGX_REGISTRY_UUID_LEN          36

/* bytes of the longest values of a state */
#define NGX_REGISTRY_UPLOAD_KEY_MAX    1024
#define NGX_REGISTRY_UPLOAD_ID_MAX     2048

/* bytes of the longest state */
#define NGX_REGISTRY_UPLOAD_STATE_MAX  4096


/* S3 API, Multipart upload limits: bytes and number of parts */
#define NGX_REGISTRY_PART_MIN          (16 * 1024 * 1024)
#define NGX_REGISTRY_PARTS_MAX         10000


/* an upload session, as it is on disk between two requests */

typedef struct {
    ngx_registry_span_t  name;          /* of the repository */
    uint64_t             offset;        /* bytes that it has */
    u_char               hash[NGX_REGISTRY_HASH_STATE_LEN];
                                        /* of these bytes */
    ngx_registry_span_t  key;           /* of an object that is being written,
                                           or empty */
    ngx_registry_span_t  upload_id;     /* of its multipart upload, or empty */
} ngx_registry_upload_t;


/*
 * The state as text, a line for each field, the last one "end": what was cut
 * is not a state.  dst takes NGX_REGISTRY_UPLOAD_STATE_MAX bytes.  Returns the
 * end of what was written, or NULL if a value is too long or has a control
 * character.
 */
u_char *ngx_registry_upload_write(u_char *dst, const ngx_registry_upload_t *u);

/*
 * The opposite.  Spans point into [p, last).  Returns OK; UNSUPPORTED if it is
 * the state of another version; INVALID.
 */
ngx_registry_status_e ngx_registry_upload_parse(const u_char *p,
    const u_char *last, ngx_registry_upload_t *u);

/*
 * A random UUID, RFC 9562, UUID Version 4, of 16 random bytes, which are
 * changed; returns the end.  And whether [p, last) may be one.
 */
u_char *ngx_registry_uuid_write(u_char *dst, u_char random[16]);
int ngx_registry_uuid_check(const u_char *p, const u_char *last);

/*
 * Content-Range of a chunk, OCI Distribution Spec, Pushing a blob in chunks:
 * "<start>-<end>", both inclusive.  What RFC 9110, Content-Range, has around
 * it, "bytes <start>-<end>/<size>", is taken as well.  Returns OK or INVALID.
 */
ngx_registry_status_e ngx_registry_upload_range(const ngx_registry_span_t *s,
    uint64_t *start, uint64_t *end);

/*
 * The size of the parts, but the last, of an object: at least 16 MiB, and so
 * large that 10000 of them suffice, a multiple of 1 MiB.
 */
uint64_t ngx_registry_upload_part(uint64_t size);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_UPLOAD_H_INCLUDED_ */
