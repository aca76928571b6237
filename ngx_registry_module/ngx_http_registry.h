
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <openssl/evp.h>

#include <ngx_registry.h>
#include <ngx_registry_autoindex.h>
#include <ngx_registry_command.h>
#include <ngx_registry_container.h>
#include <ngx_registry_credentials.h>
#include <ngx_registry_digest.h>
#include <ngx_registry_error.h>
#include <ngx_registry_hash.h>
#include <ngx_registry_key.h>
#include <ngx_registry_manifest.h>
#include <ngx_registry_name.h>
#include <ngx_registry_profile.h>
#include <ngx_registry_query.h>
#include <ngx_registry_range.h>
#include <ngx_registry_refresh.h>
#include <ngx_registry_referrer.h>
#include <ngx_registry_route.h>
#include <ngx_registry_s3_endpoint.h>
#include <ngx_registry_s3_xml.h>
#include <ngx_registry_sigv4.h>
#include <ngx_registry_sts.h>
#include <ngx_registry_upload.h>


#pragma GCC visibility push(hidden)


typedef struct ngx_http_registry_main_conf_s  ngx_http_registry_main_conf_t;
typedef struct ngx_http_registry_srv_conf_s   ngx_http_registry_srv_conf_t;
typedef struct ngx_http_registry_loc_conf_s   ngx_http_registry_loc_conf_t;
typedef struct ngx_http_registry_ctx_s        ngx_http_registry_ctx_t;
typedef struct ngx_http_registry_op_s         ngx_http_registry_op_t;
typedef struct ngx_http_registry_sub_s        ngx_http_registry_sub_t;
typedef struct ngx_http_registry_call_s       ngx_http_registry_call_t;
typedef struct ngx_http_registry_delivery_s   ngx_http_registry_delivery_t;
typedef struct ngx_http_registry_slice_s      ngx_http_registry_slice_t;
typedef struct ngx_http_registry_lock_s       ngx_http_registry_lock_t;
typedef struct ngx_http_registry_list_s       ngx_http_registry_list_t;
typedef struct ngx_http_registry_result_s     ngx_http_registry_result_t;
typedef struct ngx_http_registry_kind_s       ngx_http_registry_kind_t;
typedef struct ngx_http_registry_erase_s      ngx_http_registry_erase_t;
typedef struct ngx_http_registry_file_job_s   ngx_http_registry_file_job_t;
typedef struct ngx_http_registry_credentials_s
    ngx_http_registry_credentials_t;


#include <ngx_http_registry_compat.h>
#include <ngx_http_registry_zone.h>
#include <ngx_http_registry_recent.h>
#include <ngx_http_registry_resolver.h>
#include <ngx_http_registry_host.h>
#include <ngx_http_registry_upstream.h>
#include <ngx_http_registry_secret.h>
#include <ngx_http_registry_vault.h>
#include <ngx_http_registry_fetch.h>
#include <ngx_http_registry_credentials.h>
#include <ngx_http_registry_sub.h>
#include <ngx_http_registry_chain.h>
#include <ngx_http_registry_renew.h>
#include <ngx_http_registry_s3.h>
#include <ngx_http_registry_dav.h>
#include <ngx_http_registry_result.h>
#include <ngx_http_registry_retry.h>
#include <ngx_http_registry_response.h>
#include <ngx_http_registry_store.h>
#include <ngx_http_registry_apart.h>
#include <ngx_http_registry_object.h>
#include <ngx_http_registry_list.h>
#include <ngx_http_registry_verify.h>
#include <ngx_http_registry_disk.h>
#include <ngx_http_registry_erase.h>
#include <ngx_http_registry_file.h>
#include <ngx_http_registry_delivery.h>
#include <ngx_http_registry_slice.h>
#include <ngx_http_registry_body.h>
#include <ngx_http_registry_hasher.h>
#include <ngx_http_registry_spool.h>
#include <ngx_http_registry_commit.h>
#include <ngx_http_registry_upload.h>
#include <ngx_http_registry_lock.h>
#include <ngx_http_registry_tagging.h>
#include <ngx_http_registry_push.h>
#include <ngx_http_registry_referrers.h>


/* the format of the shipped include files, "registry_include 1;" */
#define NGX_HTTP_REGISTRY_INCLUDE  1


/* what the internal locations of the include file are for */

typedef enum {
    NGX_HTTP_REGISTRY_ROLE_TAG = 0,      /* tag links, kept for a second */
    NGX_HTTP_REGISTRY_ROLE_OBJECT,       /* links and manifests by digest */
    NGX_HTTP_REGISTRY_ROLE_BLOB,         /* blob data */
    NGX_HTTP_REGISTRY_ROLE_CACHED,       /* links and manifests, from the
                                            cache only, also stale ones */
    NGX_HTTP_REGISTRY_ROLE_CACHED_BLOB,  /* blob data, from the cache only */
    NGX_HTTP_REGISTRY_ROLE_DIRECT,       /* never cached */
    NGX_HTTP_REGISTRY_ROLE_WRITE,        /* the same, with a body */
    NGX_HTTP_REGISTRY_ROLES
} ngx_http_registry_role_e;


#include <ngx_http_registry_kind.h>


typedef struct {
    ngx_str_t                        name;
    ngx_str_t                        value;
    ngx_uint_t                       scope;
} ngx_http_registry_s3_header_t;

#define NGX_HTTP_REGISTRY_S3_HEADER_WRITE  1    /* PutObject and
                                                     CreateMultipartUpload */
#define NGX_HTTP_REGISTRY_S3_HEADER_BLOB   2    /* the same, of blob data */
#define NGX_HTTP_REGISTRY_S3_HEADER_ALL    4    /* every request */


/* an internal location of an include file */

typedef struct {
    ngx_uint_t                       role;
    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_core_srv_conf_t        *server;
} ngx_http_registry_store_loc_t;


struct ngx_http_registry_main_conf_s {
    ngx_uint_t                       include;     /* of the http level */
    ngx_shm_zone_t                  *zone;
    ngx_array_t                      registries;
                                     /* ngx_http_registry_loc_conf_t *,
                                        enabled ones, limit_except and "if"
                                        copies among them */
    ngx_array_t                      upstreams;
                                     /* ngx_http_registry_upstream_conf_t */
    ngx_array_t                      hosts;
                                     /* ngx_http_registry_host_t * */
    ngx_http_registry_env_t         *env;
    ngx_http_registry_credentials_t *credentials; /* "auto" */
    ngx_array_t                      sources;
                                     /* ngx_http_registry_credentials_t *,
                                        those that are asked */
    ngx_shm_zone_t                  *vault;
    ngx_array_t                      stores;
                                     /* ngx_http_registry_store_loc_t */
#if (NGX_THREADS)
    ngx_thread_pool_t               *threads;
#endif
};


struct ngx_http_registry_srv_conf_s {
    ngx_uint_t                       include;     /* of the server level */
};


struct ngx_http_registry_loc_conf_s {
    ngx_flag_t                       enable;
    ngx_flag_t                       push;
    ngx_flag_t                       sparse;
    ngx_flag_t                       mount_anonymous;
    ngx_uint_t                       tags;        /* mutable, immutable */
    ngx_path_t                      *upload_path;
    time_t                           upload_expires;
    ngx_array_t                     *namespaces;  /* ngx_str_t */

    ngx_http_registry_kind_t        *kind;        /* of the store */
    ngx_str_t                        store;       /* prefix of the names of
                                                     its locations */

    ngx_str_t                        bucket;
    ngx_str_t                        region;
    ngx_str_t                        endpoint;
    ngx_str_t                        prefix;
    ngx_flag_t                       path_style;
    ngx_flag_t                       dualstack;
    ngx_flag_t                       fips;
    ngx_flag_t                       list_bucket;

    size_t                           slice_size;
    size_t                           slice_threshold;
    ngx_int_t                        parallel;    /* S3 requests of a blob */
    ngx_msec_t                       patience;    /* with S3 within a blob */

    ngx_array_t                     *headers;
                                     /* ngx_http_registry_s3_header_t */
    ngx_array_t                     *ns;          /* ngx_str_t */

    ngx_http_registry_credentials_t *credentials;

    ngx_str_t                        dav_path;    /* of a local store */
    /* the region, if only IMDS knows it, or NULL */
    ngx_http_registry_credentials_t *region_source;

    /* below: computed when the configuration is complete, if enabled */

    ngx_registry_s3_endpoint_t      *s3;
    ngx_str_t                        id;          /* endpoint|bucket|prefix,
                                                     in each cache key */
    ngx_str_t                        place;       /* bucket or directory */
    ngx_str_t                        key_prefix;  /* "" or "a/b/" */
    ngx_str_t                        base;        /* of the API, before
                                                     "/v2", often empty */
    ngx_http_registry_host_t        *host;
    ngx_shm_zone_t                  *zone;
    ngx_http_conf_ctx_t             *http_ctx;    /* of the server */
    void                           **loc_conf;    /* of the location */
    ngx_http_core_loc_conf_t        *locations[NGX_HTTP_REGISTRY_ROLES];
    unsigned                         fresh:1;     /* links are read at each
                                                     request */

    /* of a worker */
    time_t                           orphans;     /* when to look for them */
    unsigned                         located:1;   /* the region is known */
    unsigned                         tags_probed:1;
                                     /* the store refuses to write what
                                        exists */
};


/*
 * Context of a main request: one that a client made of a registry location,
 * or one of the module's own (no connection to a client, route is unset).
 * Subrequests to store locations have ngx_http_registry_sub_t instead.
 */

struct ngx_http_registry_ctx_s {
    ngx_http_request_t              *request;
    ngx_http_registry_loc_conf_t    *conf;

    ngx_registry_route_t             route;
    ngx_str_t                        name;        /* of the repository */
    ngx_str_t                        reference;   /* tag or digest */

    ngx_queue_t                      calls;       /* pending store calls */
    ngx_http_registry_delivery_t    *delivery;
    ngx_http_registry_body_t        *body;        /* that is being read */
    ngx_http_registry_lock_t        *lock;        /* of the repository */

    /* what the variables tell */
    ngx_uint_t                       s3_requests;
    ngx_uint_t                       uncached;    /* slices that went past the
                                                     cache */
    ngx_uint_t                       s3_status;
    ngx_uint_t                       cache_status;
    time_t                           stale_age;   /* seconds, -1 not stale */

    /* body of an error answer that replaces nginx's own page */
    ngx_str_t                        error;
    unsigned                         error_sent:1;
    unsigned                         own_response:1; /* ours, not a page of
                                                        nginx */
    unsigned                         detached:1;  /* no client */
    unsigned                         terminated:1;  /* the request ends */
};


/* the "error_log" of a registry's location, for what is not of a request */
ngx_log_t *ngx_http_registry_log(ngx_http_registry_loc_conf_t *rlcf);

extern ngx_module_t  ngx_http_registry_module;


/* content handler of a registry location */
ngx_int_t ngx_http_registry_handler(ngx_http_request_t *r);

/* endpoints: each returns what a content handler may return */
ngx_int_t ngx_http_registry_manifest_handler(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx);
ngx_int_t ngx_http_registry_blob_handler(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx);
ngx_int_t ngx_http_registry_tags_handler(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx);
ngx_int_t ngx_http_registry_catalog_handler(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx);

/* header and body filters, ngx_http_registry_filter.c */
ngx_int_t ngx_http_registry_filter_init(ngx_conf_t *cf);

/* variables, ngx_http_registry_variables.c */
ngx_int_t ngx_http_registry_add_variables(ngx_conf_t *cf);

/* one worker asks the store once after start, ngx_http_registry_probe.c */
ngx_int_t ngx_http_registry_probe_init(ngx_cycle_t *cycle);

/* one worker removes old upload sessions, ngx_http_registry_purge.c */
ngx_int_t ngx_http_registry_purge_init(ngx_cycle_t *cycle);

/*
 * Aborts multipart uploads that are older than "registry_upload_expires", in
 * the background, ngx_http_registry_orphans.c
 */
void ngx_http_registry_orphans(ngx_http_registry_loc_conf_t *rlcf);

/*
 * Makes registry locations immune to what they inherit from the nginx.conf
 * around them, ngx_http_registry_guard.c
 */
ngx_int_t ngx_http_registry_guard(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf);

/*
 * Keeps a worker that is to end until the request has ended: nginx waits for
 * connections and timers, and there is none of either while a thread writes
 * what a client has asked for that went away, ngx_http_registry_hold.c
 */
ngx_int_t ngx_http_registry_hold(ngx_http_request_t *r);


static ngx_inline ngx_registry_span_t
ngx_http_registry_span(ngx_str_t *s)
{
    ngx_registry_span_t  span;

    span.data = s->data;
    span.len = s->len;

    return span;
}


static ngx_inline void
ngx_http_registry_pair(ngx_registry_pair_t *pair, const char *name,
    u_char *value, size_t len)
{
    /* a header or an argument of a query */

    pair->name.data = (u_char *) name;
    pair->name.len = ngx_strlen(name);
    pair->value.data = value;
    pair->value.len = len;
}


#pragma GCC visibility pop


#endif /* _NGX_HTTP_REGISTRY_H_INCLUDED_ */
