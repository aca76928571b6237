
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_TAGGING_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_TAGGING_H_INCLUDED_


/*
 * Tags of one manifest are written: OCI Distribution Spec, Pushing manifests,
 * in the layout of distribution, tags/<tag>/index/.../link first and then
 * tags/<tag>/current/link.
 *
 * With "registry_tags immutable" a tag that exists stays where it is, whoever
 * has written it: the store decides by If-None-Match, and is asked before the
 * first tag whether it does.
 */


#define NGX_HTTP_REGISTRY_TAGS_MUTABLE    0
#define NGX_HTTP_REGISTRY_TAGS_IMMUTABLE  1


typedef struct ngx_http_registry_tagging_s  ngx_http_registry_tagging_t;

/* what follows; returns as the handler of a store call does */
typedef ngx_int_t (*ngx_http_registry_tagging_pt)(void *data);


struct ngx_http_registry_tagging_s {

    /* set by the caller, which keeps it as long as the request lives */

    ngx_http_registry_ctx_t       *ctx;
    ngx_registry_digest_t          digest;     /* of the manifest */
    ngx_str_t                      text;       /* of digest */
    ngx_array_t                    tags;       /* ngx_str_t, may be empty */
    void                          *data;

    /* internal */

    ngx_http_registry_tagging_pt   next;
    ngx_uint_t                     n;          /* tag that is at work */
    ngx_uint_t                     created;    /* times that the store said
                                                  that it is there */
};


/*
 * Before anything of the manifest is stored: a tag that may not be moved ends
 * the request with 409.  Both return as a content handler may after
 * ngx_http_registry_store_init(), and call next once if all is well.
 */
ngx_int_t ngx_http_registry_tagging_check(ngx_http_registry_tagging_t *t,
    ngx_http_registry_tagging_pt next);

/* after data and revision of the manifest are stored: writes the tags */
ngx_int_t ngx_http_registry_tagging_write(ngx_http_registry_tagging_t *t,
    ngx_http_registry_tagging_pt next);


#endif /* _NGX_HTTP_REGISTRY_TAGGING_H_INCLUDED_ */
