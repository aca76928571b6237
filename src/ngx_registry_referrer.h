
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_REFERRER_H_INCLUDED_
#define _NGX_REGISTRY_REFERRER_H_INCLUDED_


#include "ngx_registry.h"
#include "ngx_registry_manifest.h"


#pragma GCC visibility push(hidden)


/* a manifest with a subject, as the referrers API describes it */

typedef struct {
    ngx_registry_span_t  digest;
    ngx_registry_span_t  artifact_type;   /* empty if there is none */
    ngx_registry_span_t  json;            /* the descriptor */
} ngx_registry_referrer_t;


/*
 * Spans live until it returns.  Anything but NGX_REGISTRY_OK stops with
 * NGX_REGISTRY_STOPPED.
 */
typedef ngx_registry_status_e (*ngx_registry_referrer_pt)(void *data,
    const ngx_registry_referrer_t *r);


/*
 * The descriptor of a manifest [p, last) that ngx_registry_manifest_parse()
 * has taken: OCI Distribution Spec, Listing Referrers: mediaType m's, digest,
 * size, artifactType (of an image without one the mediaType of its config),
 * annotations.  handler is called once.
 *
 * Returns OK, INVALID, NO_MEMORY, STOPPED.
 */
ngx_registry_status_e ngx_registry_referrer_of(const u_char *p,
    const u_char *last, const ngx_registry_manifest_t *m,
    const ngx_registry_span_t *digest, ngx_registry_referrer_pt handler,
    void *data);

/*
 * The descriptors in [p, last): one, or those of an index, which is what the
 * referrers tag schema has.  What is no descriptor is left out.
 */
ngx_registry_status_e ngx_registry_referrer_parse(const u_char *p,
    const u_char *last, ngx_registry_referrer_pt handler, void *data);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_REFERRER_H_INCLUDED_ */
