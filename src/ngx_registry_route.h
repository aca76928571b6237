
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_ROUTE_H_INCLUDED_
#define _NGX_REGISTRY_ROUTE_H_INCLUDED_


#include "ngx_registry.h"
#include "ngx_registry_digest.h"


#pragma GCC visibility push(hidden)


typedef enum {
    NGX_REGISTRY_ROUTE_BASE = 0,      /* /v2/ */
    NGX_REGISTRY_ROUTE_MANIFEST,      /* /v2/<name>/manifests/<reference> */
    NGX_REGISTRY_ROUTE_BLOB,          /* /v2/<name>/blobs/<digest> */
    NGX_REGISTRY_ROUTE_UPLOADS,       /* /v2/<name>/blobs/uploads/ */
    NGX_REGISTRY_ROUTE_UPLOAD,        /* /v2/<name>/blobs/uploads/<session> */
    NGX_REGISTRY_ROUTE_TAGS,          /* /v2/<name>/tags/list */
    NGX_REGISTRY_ROUTE_REFERRERS,     /* /v2/<name>/referrers/<digest> */
    NGX_REGISTRY_ROUTE_CATALOG,       /* /v2/_catalog */
    NGX_REGISTRY_ROUTE_UNKNOWN
} ngx_registry_route_e;


/* methods, as a mask */
#define NGX_REGISTRY_GET     0x01
#define NGX_REGISTRY_HEAD    0x02
#define NGX_REGISTRY_POST    0x04
#define NGX_REGISTRY_PUT     0x08
#define NGX_REGISTRY_PATCH   0x10
#define NGX_REGISTRY_DELETE  0x20


typedef struct {
    ngx_registry_route_e   type;
    ngx_registry_span_t    name;        /* empty for BASE, CATALOG, UNKNOWN */
    ngx_registry_span_t    reference;   /* tag or digest text, session id;
                                           empty for the other types */
    ngx_registry_digest_t  digest;      /* if by_digest */
    unsigned               by_digest:1; /* reference is a digest in use */
} ngx_registry_route_t;


/*
 * Finds the endpoint of the path [p, last): what follows the prefix of the
 * registry, from "/v2" on, percent-decoded, without the query.
 *
 * OCI Distribution Spec, Endpoints; _catalog and the grammar of session ids,
 * [a-zA-Z0-9_.=-]+, are distribution's, registry/api/v2.
 *
 * Components of a name may be words of the API, so a path is read from its
 * end.  The last but one segment decides:
 *
 *     manifests  MANIFEST, the last segment is the reference
 *     referrers  REFERRERS, the last segment is the digest
 *     blobs      BLOB, the last segment is the digest; except that of
 *                <name>/blobs/uploads, see below
 *     tags       TAGS, if the last segment is "list"
 *     uploads    if "blobs" stands before it: UPLOADS, if the last segment is
 *                empty, as in <name>/blobs/uploads/, else UPLOAD
 *
 * and the name is all before, so that a path has one reading, whatever the
 * name is: /v2/a/blobs/uploads/manifests/b is the manifest b of the
 * repository a/blobs/uploads, and /v2/a/manifests/blobs/uploads/ starts an
 * upload to a/manifests.  One path fits two endpoints: <name>/blobs/uploads
 * would be a blob too, but no digest is without a colon; so it is UPLOADS,
 * which has lost its slash.
 *
 * A slash more or less makes another path, and one that is no endpoint: a
 * reference or session that is empty, and a name that is empty, as in
 * /v2//tags/list and /v2/tags/list, are NOT_FOUND.
 *
 * A reference of a manifest that has a colon is a digest, else a tag.
 *
 * p     first byte, not NUL-terminated; may equal last.
 * last  one past the last byte.
 * rt    the result.  Its spans point into the path and live as long.
 *
 * Returns, of the first that holds:
 *
 *     NOT_FOUND          no endpoint, or a session id of other characters:
 *                        type is UNKNOWN, the spans are empty
 *     NAME_INVALID       grammar or length of the name
 *     REFERENCE_INVALID  a manifest by what is neither tag nor digest
 *     DIGEST_INVALID     grammar of the digest of a manifest, blob, subject
 *     UNSUPPORTED        a digest by an algorithm that is not known here
 *     OK
 *
 * type is set in every case, and, unless NOT_FOUND, so are name and
 * reference, as sent.  by_digest is set, and digest with it, if OK only.
 */
ngx_registry_status_e ngx_registry_route_parse(const u_char *p,
    const u_char *last, ngx_registry_route_t *rt);

/*
 * Methods that an endpoint has, as a mask: those of reading, and, if push is
 * not 0, those of writing.  All of UPLOADS and UPLOAD is writing, and nothing
 * is allowed for UNKNOWN.
 */
unsigned ngx_registry_route_methods(ngx_registry_route_e type, int push);

/*
 * Writes a mask as the value of an Allow header, "GET, HEAD": RFC 9110,
 * Allow.  Nothing for 0: an empty Allow says that there is no method.  dst
 * takes NGX_REGISTRY_METHODS_MAX_LEN bytes.  Returns the end of what was
 * written.
 */
#define NGX_REGISTRY_METHODS_MAX_LEN                                          \
    (sizeof("GET, HEAD, POST, PUT, PATCH, DELETE") - 1)

u_char *ngx_registry_methods_write(u_char *dst, unsigned methods);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_ROUTE_H_INCLUDED_ */
