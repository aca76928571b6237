
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_MANIFEST_H_INCLUDED_
#define _NGX_REGISTRY_MANIFEST_H_INCLUDED_


#include "ngx_registry.h"
#include "ngx_registry_digest.h"


#pragma GCC visibility push(hidden)


/* distribution registry/storage/io.go: more cannot be read back */
#define NGX_REGISTRY_MANIFEST_MAX_LEN    4194304

#define NGX_REGISTRY_MEDIA_TYPE_MAX_LEN  255


typedef enum {
    NGX_REGISTRY_DESCRIPTOR_CONFIG = 0,
    NGX_REGISTRY_DESCRIPTOR_LAYER,       /* also of "blobs" in artifacts */
    NGX_REGISTRY_DESCRIPTOR_MANIFEST,    /* child of an index */
    NGX_REGISTRY_DESCRIPTOR_SUBJECT
} ngx_registry_descriptor_e;


typedef struct {
    ngx_registry_descriptor_e  type;
    ngx_registry_digest_t      digest;
    int64_t                    size;         /* bytes, -1 if absent */
    ngx_registry_span_t        media_type;
    unsigned                   urls:1;       /* has a non-empty "urls" */
} ngx_registry_descriptor_t;


typedef struct {
    int64_t   schema_version;
    size_t    media_type_len;
    u_char    media_type[NGX_REGISTRY_MEDIA_TYPE_MAX_LEN];
                                        /* what to send as Content-Type */
    size_t    artifact_type_len;
    u_char    artifact_type[NGX_REGISTRY_MEDIA_TYPE_MAX_LEN];
    unsigned  index:1;                  /* has "manifests" */

    const char  *fault;                 /* why it is not one, or should not
                                           be stored; or NULL */
} ngx_registry_manifest_t;


/*
 * Called for each descriptor as it ends; spans live until it returns.
 * Anything but NGX_REGISTRY_OK stops the parser with NGX_REGISTRY_STOPPED.
 */
typedef ngx_registry_status_e (*ngx_registry_descriptor_pt)(void *data,
    const ngx_registry_descriptor_t *d);


/*
 * OK; INVALID if it is not one JSON object (of UTF-8, nesting of at most 64)
 * or a descriptor has no valid digest; TOO_LONG; NO_MEMORY; STOPPED.
 * handler may be NULL.
 *
 * What other registries have stored has to be served: a manifest that breaks
 * rules of OCI image-spec which do not matter for that (a descriptor without
 * a size, values of other types, an image without a config) is OK, and has a
 * fault.  fault is a literal that completes "this is not a manifest: ".
 */
ngx_registry_status_e ngx_registry_manifest_parse(const u_char *p,
    const u_char *last, ngx_registry_manifest_t *m,
    ngx_registry_descriptor_pt handler, void *data);

/* whether it is a media type of manifests and indexes, not of blobs */
int ngx_registry_manifest_type_known(const ngx_registry_span_t *type);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_MANIFEST_H_INCLUDED_ */
