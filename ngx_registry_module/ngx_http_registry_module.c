
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


static ngx_int_t ngx_http_registry_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_registry_postconfiguration(ngx_conf_t *cf);
static void *ngx_http_registry_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_registry_create_srv_conf(ngx_conf_t *cf);
static void *ngx_http_registry_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_registry_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static void ngx_http_registry_merge_location(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf);
static ngx_int_t ngx_http_registry_init_process(ngx_cycle_t *cycle);
static void ngx_http_registry_init_logs(ngx_cycle_t *cycle);
static void ngx_http_registry_exit_process(ngx_cycle_t *cycle);

static char *ngx_http_registry(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_registry_check_slices(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf);
static char *ngx_http_registry_check_push(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf);
static char *ngx_http_registry_upload_path(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_registry_expires(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_registry_tags(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_registry_store(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_registry_ns(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_registry_include(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_registry_store_location(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_http_registry_check_uploads(ngx_conf_t *cf,
    ngx_http_registry_main_conf_t *rmcf, ngx_uint_t n);
static ngx_int_t ngx_http_registry_find_locations(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf);
static ngx_int_t ngx_http_registry_check_location(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf);
static ngx_int_t ngx_http_registry_check_include(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf);


static ngx_str_t  ngx_http_registry_roles[] = {
    ngx_string("tag"),
    ngx_string("object"),
    ngx_string("blob"),
    ngx_string("cached"),
    ngx_string("cached_blob"),
    ngx_string("direct"),
    ngx_string("write")
};


static ngx_http_registry_kind_t  *ngx_http_registry_kinds[] = {
    &ngx_http_registry_s3_kind,
    &ngx_http_registry_dav_kind,
    NULL
};


static ngx_conf_post_t  ngx_http_registry_expires_post = {
    ngx_http_registry_expires
};


static ngx_conf_num_bounds_t  ngx_http_registry_parallel_bounds = {
    ngx_conf_check_num_bounds, 1, NGX_HTTP_REGISTRY_PARALLEL_MAX
};


static ngx_command_t  ngx_http_registry_commands[] = {

    { ngx_string("registry"),
      NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_registry,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, enable),
      NULL },

    { ngx_string("registry_push"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, push),
      NULL },

    { ngx_string("registry_push_namespaces"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_registry_push_namespaces,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("registry_upload_path"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_registry_upload_path,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, upload_path),
      NULL },

    { ngx_string("registry_upload_expires"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, upload_expires),
      &ngx_http_registry_expires_post },

    { ngx_string("registry_mount_anonymous"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, mount_anonymous),
      NULL },

    { ngx_string("registry_sparse"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, sparse),
      NULL },

    { ngx_string("registry_tags"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_registry_tags,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("registry_store"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE2,
      ngx_http_registry_store,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("registry_dav_path"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, dav_path),
      NULL },

    { ngx_string("registry_s3_bucket"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, bucket),
      NULL },

    { ngx_string("registry_s3_region"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, region),
      NULL },

    { ngx_string("registry_s3_endpoint"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, endpoint),
      NULL },

    { ngx_string("registry_s3_prefix"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, prefix),
      NULL },

    { ngx_string("registry_s3_path_style"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, path_style),
      NULL },

    { ngx_string("registry_s3_dualstack"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, dualstack),
      NULL },

    { ngx_string("registry_s3_fips"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, fips),
      NULL },

    { ngx_string("registry_s3_list_bucket"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, list_bucket),
      NULL },

    { ngx_string("registry_s3_header"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE23,
      ngx_http_registry_s3_header_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("registry_slice_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, slice_size),
      NULL },

    { ngx_string("registry_slice_threshold"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, slice_threshold),
      NULL },

    { ngx_string("registry_parallel"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, parallel),
      &ngx_http_registry_parallel_bounds },

    { ngx_string("registry_s3_patience"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_registry_loc_conf_t, patience),
      NULL },

    { ngx_string("registry_credentials"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_registry_credentials,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("registry_ns"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_registry_ns,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("registry_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_registry_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("registry_include"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_TAKE12,
      ngx_http_registry_include,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("registry_store_location"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_registry_store_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("registry_upstream"),
      NGX_HTTP_UPS_CONF|NGX_CONF_ANY,
      ngx_http_registry_upstream,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_registry_module_ctx = {
    ngx_http_registry_preconfiguration,    /* preconfiguration */
    ngx_http_registry_postconfiguration,   /* postconfiguration */

    ngx_http_registry_create_main_conf,    /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_http_registry_create_srv_conf,     /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_registry_create_loc_conf,     /* create location configuration */
    ngx_http_registry_merge_loc_conf       /* merge location configuration */
};


ngx_module_t  ngx_http_registry_module = {
    NGX_MODULE_V1,
    &ngx_http_registry_module_ctx,         /* module context */
    ngx_http_registry_commands,            /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_registry_init_process,        /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_registry_exit_process,        /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_registry_preconfiguration(ngx_conf_t *cf)
{
    if (ngx_http_registry_s3_add_variables(cf) != NGX_OK
        || ngx_http_registry_dav_add_variables(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_registry_add_variables(cf);
}


static ngx_int_t
ngx_http_registry_postconfiguration(ngx_conf_t *cf)
{
    ngx_str_t                       name;
    ngx_uint_t                      i;
    ngx_http_registry_loc_conf_t  **rlcf;
    ngx_http_registry_main_conf_t  *rmcf;

    if (ngx_http_registry_upstream_init(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    rmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_registry_module);

    if (rmcf->registries.nelts == 0) {
        return NGX_OK;
    }

    if (rmcf->zone == NULL) {
        ngx_str_set(&name, "registry");

        rmcf->zone = ngx_http_registry_zone_add(cf, &name, 10 * 1024 * 1024);
        if (rmcf->zone == NULL) {
            return NGX_ERROR;
        }
    }

    rlcf = rmcf->registries.elts;

    for (i = 0; i < rmcf->registries.nelts; i++) {

        if (ngx_http_registry_check_location(cf, rlcf[i]) != NGX_OK
            || ngx_http_registry_check_include(cf, rlcf[i]) != NGX_OK
            || ngx_http_registry_check_uploads(cf, rmcf, i) != NGX_OK
            || ngx_http_registry_find_locations(cf, rlcf[i]) != NGX_OK
            || (rlcf[i]->kind->init
                && rlcf[i]->kind->init(cf, rlcf[i]) != NGX_OK)
            || ngx_http_registry_guard(cf, rlcf[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }

        rlcf[i]->zone = rmcf->zone;
    }

#if (NGX_THREADS)

    if (ngx_thread_pool_add == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"registry on\" needs an nginx with threads, and this "
                      "one was built without \"--with-threads\"");
        return NGX_ERROR;
    }

    rmcf->threads = ngx_thread_pool_add(cf, NULL);
    if (rmcf->threads == NULL) {
        return NGX_ERROR;
    }

#endif

    if (ngx_http_registry_credentials_complete(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (rmcf->hosts.nelts
        && (getenv("HTTPS_PROXY") || getenv("https_proxy")))
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "HTTPS_PROXY is set, but a registry reaches S3 "
                           "directly, not by a proxy");
    }

    return ngx_http_registry_filter_init(cf);
}


static ngx_int_t
ngx_http_registry_check_location(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf)
{
    ngx_str_t                 *name;
    ngx_uint_t                 regex;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = rlcf->loc_conf[ngx_http_core_module.ctx_index];
    name = &clcf->name;

#if (NGX_PCRE)
    regex = (clcf->regex != NULL);
#else
    regex = 0;
#endif

    /* the copies that "if" and "limit_except" make have no handler */

    if (!clcf->noname && clcf->handler != ngx_http_registry_handler) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"registry on\" cannot be in one location with "
                      "another handler (location \"%V\")", name);
        return NGX_ERROR;
    }

    /*
     * an exact one is for what differs at the version check, a password; what
     * goes on behind "/v2/" is a part of the names
     */

    if (clcf->noname
        || (!regex
            && ((name->len == 1 && name->data[0] == '/' && !clcf->exact_match)
                || (name->len == 3 && ngx_strncmp(name->data, "/v2", 3) == 0)
                || ngx_strnstr(name->data, "/v2/", name->len))))
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"registry on\" in location \"%V\": it must be \"/v2/\", "
                  "or have it as \"/team/v2/\" and \"/v2/team/\" do, and be "
                  "no regular expression; clients ask for nothing else", name);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_registry_check_include(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf)
{
    ngx_http_registry_srv_conf_t   *rscf;
    ngx_http_registry_main_conf_t  *rmcf;

    rmcf = rlcf->http_ctx->main_conf[ngx_http_registry_module.ctx_index];
    rscf = rlcf->http_ctx->srv_conf[ngx_http_registry_module.ctx_index];

    if (rmcf->include == 0 && rlcf->kind->http) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"registry on\" needs \"include registry_http.conf;\" "
                      "in the http block");
        return NGX_ERROR;
    }

    if (rscf->include == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"registry on\" needs \"include %V;\" in its server "
                      "block", &rlcf->kind->include);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * A session does not know for which bucket it was begun: in a folder that two
 * registries share, one would go on with uploads of the other, and abort them
 * where they are not.
 */
static ngx_int_t
ngx_http_registry_check_uploads(ngx_conf_t *cf,
    ngx_http_registry_main_conf_t *rmcf, ngx_uint_t n)
{
    ngx_str_t                      *one, *two;
    ngx_uint_t                      i;
    ngx_http_registry_loc_conf_t  **rlcf;

    rlcf = rmcf->registries.elts;

    if (!rlcf[n]->push) {
        return NGX_OK;
    }

    two = &rlcf[n]->upload_path->name;

    for (i = 0; i < n; i++) {

        if (!rlcf[i]->push) {
            continue;
        }

        one = &rlcf[i]->upload_path->name;

        if (one->len != two->len
            || ngx_memcmp(one->data, two->data, two->len) != 0
            || (rlcf[i]->id.len == rlcf[n]->id.len
                && ngx_memcmp(rlcf[i]->id.data, rlcf[n]->id.data,
                              rlcf[n]->id.len)
                   == 0))
        {
            continue;
        }

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"registry_upload_path %V\" is used for two "
                      "registries, \"%V\" and \"%V\": each needs a folder "
                      "of its own", two, &rlcf[i]->id, &rlcf[n]->id);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_find_locations(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf)
{
    size_t                           len;
    ngx_uint_t                       i, role, n;
    ngx_http_core_loc_conf_t       **clcf;
    ngx_http_core_loc_conf_t        *found[NGX_HTTP_REGISTRY_ROLES];
    ngx_http_core_srv_conf_t        *cscf;
    ngx_http_registry_store_loc_t   *loc;
    ngx_http_registry_main_conf_t   *rmcf;

    rmcf = rlcf->http_ctx->main_conf[ngx_http_registry_module.ctx_index];
    cscf = rlcf->http_ctx->srv_conf[ngx_http_core_module.ctx_index];

    loc = rmcf->stores.elts;
    clcf = rlcf->locations;
    len = rlcf->store.len;

    ngx_memzero(found, sizeof(found));

    /* "/<store>/<role>/" of the same server */

    for (i = 0; i < rmcf->stores.nelts; i++) {

        if (loc[i].server == cscf
            && loc[i].clcf->name.len > len + 1
            && loc[i].clcf->name.data[0] == '/'
            && loc[i].clcf->name.data[len + 1] == '/'
            && ngx_strncmp(loc[i].clcf->name.data + 1, rlcf->store.data, len)
               == 0)
        {
            found[loc[i].role] = loc[i].clcf;
        }
    }

    for (role = 0; role < NGX_HTTP_REGISTRY_ROLES; role++) {

        n = rlcf->kind->roles[role];
        clcf[role] = found[n];

        if (clcf[role] == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"registry_store %V %V\": there is no location "
                          "\"/%V/%V/\" in this server, is the right "
                          "%V included?", &rlcf->kind->name, &rlcf->store,
                          &rlcf->store, &ngx_http_registry_roles[n],
                          &rlcf->kind->include);
            return NGX_ERROR;
        }

        if (!clcf[role]->internal) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "location \"%V\" of a registry's store must be "
                          "\"internal\", or clients could read the %V",
                          &clcf[role]->name, &rlcf->kind->place);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void *
ngx_http_registry_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_registry_main_conf_t  *rmcf;

    rmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_registry_main_conf_t));
    if (rmcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     rmcf->include = 0;
     *     rmcf->zone = NULL;
     *     rmcf->env = NULL;
     *     rmcf->credentials = NULL;
     *     rmcf->vault = NULL;
     */

    if (ngx_array_init(&rmcf->registries, cf->pool, 4, sizeof(void *))
        != NGX_OK
        || ngx_array_init(&rmcf->upstreams, cf->pool, 1,
                          sizeof(ngx_http_registry_upstream_conf_t))
           != NGX_OK
        || ngx_array_init(&rmcf->hosts, cf->pool, 4, sizeof(void *)) != NGX_OK
        || ngx_array_init(&rmcf->sources, cf->pool, 2, sizeof(void *))
           != NGX_OK
        || ngx_array_init(&rmcf->stores, cf->pool, NGX_HTTP_REGISTRY_ROLES,
                          sizeof(ngx_http_registry_store_loc_t))
           != NGX_OK)
    {
        return NULL;
    }

    return rmcf;
}


static void *
ngx_http_registry_create_srv_conf(ngx_conf_t *cf)
{
    /*
     * set by ngx_pcalloc():
     *
     *     rscf->include = 0;
     */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_registry_srv_conf_t));
}


static void *
ngx_http_registry_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_registry_loc_conf_t  *rlcf;

    rlcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_registry_loc_conf_t));
    if (rlcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     rlcf->store = { 0, NULL };
     *     rlcf->dav_path = { 0, NULL };
     *     rlcf->bucket = { 0, NULL };
     *     rlcf->region = { 0, NULL };
     *     rlcf->endpoint = { 0, NULL };
     *     rlcf->prefix = { 0, NULL };
     *     rlcf->region_source = NULL;
     *     rlcf->s3 = NULL;
     *     rlcf->id = { 0, NULL };
     *     rlcf->place = { 0, NULL };
     *     rlcf->fresh = 0;
     *     rlcf->key_prefix = { 0, NULL };
     *     rlcf->base = { 0, NULL };
     *     rlcf->host = NULL;
     *     rlcf->zone = NULL;
     *     rlcf->http_ctx = NULL;
     *     rlcf->loc_conf = NULL;
     *     rlcf->locations = { NULL };
     */

    rlcf->kind = NGX_CONF_UNSET_PTR;
    rlcf->enable = NGX_CONF_UNSET;
    rlcf->push = NGX_CONF_UNSET;
    rlcf->path_style = NGX_CONF_UNSET;
    rlcf->dualstack = NGX_CONF_UNSET;
    rlcf->fips = NGX_CONF_UNSET;
    rlcf->list_bucket = NGX_CONF_UNSET;
    rlcf->slice_size = NGX_CONF_UNSET_SIZE;
    rlcf->slice_threshold = NGX_CONF_UNSET_SIZE;
    rlcf->parallel = NGX_CONF_UNSET;
    rlcf->patience = NGX_CONF_UNSET_MSEC;
    rlcf->headers = NGX_CONF_UNSET_PTR;
    rlcf->ns = NGX_CONF_UNSET_PTR;
    rlcf->namespaces = NGX_CONF_UNSET_PTR;
    rlcf->sparse = NGX_CONF_UNSET;
    rlcf->mount_anonymous = NGX_CONF_UNSET;
    rlcf->tags = NGX_CONF_UNSET_UINT;
    rlcf->upload_expires = NGX_CONF_UNSET;
    rlcf->credentials = NGX_CONF_UNSET_PTR;

    return rlcf;
}


static char *
ngx_http_registry_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_registry_loc_conf_t *prev = parent;
    ngx_http_registry_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_registry_loc_conf_t   **registry;
    ngx_http_registry_main_conf_t   *rmcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /*
     * "if" and limit_except blocks take the handler of their location along,
     * unless they have one: a node may pass on what it does not write
     */

    if ((clcf->noname || clcf->lmt_excpt) && prev->enable == 1
        && conf->enable == NGX_CONF_UNSET && clcf->handler == NULL)
    {
        conf->enable = 1;
        clcf->handler = ngx_http_registry_handler;
    }

    ngx_conf_merge_value(conf->enable, 0, 0);
    ngx_conf_merge_value(conf->push, prev->push, 0);
    ngx_conf_merge_ptr_value(conf->kind, prev->kind,
                             &ngx_http_registry_s3_kind);
    ngx_conf_merge_str_value(conf->store, prev->store, "registry_s3");
    ngx_conf_merge_str_value(conf->dav_path, prev->dav_path, "");
    ngx_conf_merge_str_value(conf->bucket, prev->bucket, "");
    ngx_conf_merge_str_value(conf->region, prev->region, "");
    ngx_conf_merge_str_value(conf->endpoint, prev->endpoint, "");
    ngx_conf_merge_str_value(conf->prefix, prev->prefix, "");
    ngx_conf_merge_value(conf->path_style, prev->path_style, NGX_CONF_UNSET);
    ngx_conf_merge_value(conf->dualstack, prev->dualstack, NGX_CONF_UNSET);
    ngx_conf_merge_value(conf->fips, prev->fips, NGX_CONF_UNSET);
    ngx_conf_merge_value(conf->list_bucket, prev->list_bucket, 1);
    ngx_conf_merge_size_value(conf->slice_size, prev->slice_size,
                              8 * 1024 * 1024);
    ngx_conf_merge_size_value(conf->slice_threshold, prev->slice_threshold,
                              8 * 1024 * 1024);
    ngx_conf_merge_value(conf->parallel, prev->parallel, 16);
    ngx_conf_merge_msec_value(conf->patience, prev->patience, 60000);
    ngx_conf_merge_ptr_value(conf->headers, prev->headers, NULL);
    ngx_conf_merge_ptr_value(conf->ns, prev->ns, NULL);
    ngx_conf_merge_ptr_value(conf->credentials, prev->credentials, NULL);

    ngx_conf_merge_value(conf->sparse, prev->sparse, 0);
    ngx_conf_merge_value(conf->mount_anonymous, prev->mount_anonymous, 1);
    ngx_conf_merge_uint_value(conf->tags, prev->tags,
                              NGX_HTTP_REGISTRY_TAGS_MUTABLE);
    ngx_conf_merge_value(conf->upload_expires, prev->upload_expires, 86400);
    ngx_conf_merge_ptr_value(conf->namespaces, prev->namespaces, NULL);

    if (conf->upload_path == NULL) {
        conf->upload_path = prev->upload_path;
    }

    if (!conf->enable) {
        return NGX_CONF_OK;
    }

    if (ngx_http_registry_check_push(cf, conf) != NGX_CONF_OK
        || ngx_http_registry_check_slices(cf, conf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    rmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_registry_module);

    registry = ngx_array_push(&rmcf->registries);
    if (registry == NULL) {
        return NGX_CONF_ERROR;
    }

    *registry = conf;

    conf->fresh = conf->push || conf->kind->local;

    ngx_http_registry_merge_location(cf, conf);

    return conf->kind->configure(cf, conf);
}


static void
ngx_http_registry_merge_location(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf)
{
    u_char                    *p;
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_core_srv_conf_t  *cscf;

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    rlcf->http_ctx = cscf->ctx;
    rlcf->loc_conf = clcf->loc_conf;

    if (rlcf->loc_conf == NULL) {
        rlcf->loc_conf = ((ngx_http_conf_ctx_t *) cf->ctx)->loc_conf;
    }

    /* "location /team/v2/": the API begins at /team */

    p = ngx_strnstr(clcf->name.data, "/v2/", clcf->name.len);

    if (p) {
        rlcf->base.data = clcf->name.data;
        rlcf->base.len = p - clcf->name.data;
    }
}


static ngx_int_t
ngx_http_registry_init_process(ngx_cycle_t *cycle)
{
    ngx_http_registry_init_logs(cycle);
    ngx_http_registry_credentials_announce(cycle);

    if (ngx_http_registry_renew_init(cycle) != NGX_OK
        || ngx_http_registry_purge_init(cycle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_registry_probe_init(cycle);
}


/*
 * What is not about a request goes where the operator looks for what is: to
 * the "error_log" of the location, or of the first that shares it.
 */
static void
ngx_http_registry_init_logs(ngx_cycle_t *cycle)
{
    ngx_log_t                       *log;
    ngx_uint_t                       i;
    ngx_http_registry_loc_conf_t   **rlcf;
    ngx_http_registry_main_conf_t   *rmcf;

    rmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_registry_module);
    if (rmcf == NULL) {
        return;
    }

    rlcf = rmcf->registries.elts;

    for (i = 0; i < rmcf->registries.nelts; i++) {

        log = ngx_http_registry_log(rlcf[i]);

        if (rlcf[i]->credentials && rlcf[i]->credentials->log == NULL) {
            rlcf[i]->credentials->log = log;
        }

        if (rlcf[i]->region_source && rlcf[i]->region_source->log == NULL) {
            rlcf[i]->region_source->log = log;
        }
    }
}


ngx_log_t *
ngx_http_registry_log(ngx_http_registry_loc_conf_t *rlcf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = rlcf->loc_conf[ngx_http_core_module.ctx_index];

    return clcf->error_log;
}


static char *
ngx_http_registry(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                          *rv;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_registry_loc_conf_t  *rlcf = conf;

    rv = ngx_conf_set_flag_slot(cf, cmd, conf);

    if (rv != NGX_CONF_OK || !rlcf->enable) {
        return rv;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler) {
        return "cannot be in one location with another handler";
    }

    if (clcf->named) {
        return "cannot be in a named location";
    }

    clcf->handler = ngx_http_registry_handler;

    if (clcf->name.len && clcf->name.data[clcf->name.len - 1] == '/') {
        clcf->auto_redirect = 1;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_registry_check_slices(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf)
{
    if (rlcf->slice_size == 0) {
        /* blobs are fetched whole */
        return NGX_CONF_OK;
    }

    if (rlcf->slice_size < NGX_HTTP_REGISTRY_SLICE_SIZE_MIN
        || rlcf->slice_threshold < NGX_HTTP_REGISTRY_SLICE_SIZE_MIN)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"registry_slice_size\" and "
                           "\"registry_slice_threshold\" are at least %dk, "
                           "or registry_slice_size is 0, so that blobs are "
                           "not sliced",
                           NGX_HTTP_REGISTRY_SLICE_SIZE_MIN / 1024);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_registry_check_push(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf)
{
    if (rlcf->push && rlcf->upload_path == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"registry_push on\" needs "
                           "\"registry_upload_path path;\", a folder on "
                           "local disk for uploads that are under way");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_registry_upload_path(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_registry_loc_conf_t *rlcf = conf;

    char             *rv;
    ngx_str_t        *value;
    ngx_file_info_t   fi;

    value = cf->args->elts;

    /* nginx gives what it is told to its workers, its own folder as well */

    if (value[1].len == 0) {
        return "needs a folder on local disk";
    }

    rv = ngx_conf_set_path_slot(cf, cmd, conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (ngx_file_info(rlcf->upload_path->name.data, &fi) != NGX_FILE_ERROR
        && !ngx_is_dir(&fi))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"registry_upload_path %V\": it is there, and no "
                           "folder", &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_registry_expires(ngx_conf_t *cf, void *post, void *data)
{
    time_t *expires = data;

    if (*expires == 0) {
        return "must leave uploads some time, as \"24h\" does";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_registry_tags(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_registry_loc_conf_t *rlcf = conf;

    ngx_str_t  *value;

    if (rlcf->tags != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "mutable") == 0) {
        rlcf->tags = NGX_HTTP_REGISTRY_TAGS_MUTABLE;

    } else if (ngx_strcmp(value[1].data, "immutable") == 0) {
        rlcf->tags = NGX_HTTP_REGISTRY_TAGS_IMMUTABLE;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"registry_tags\", it "
                           "is \"mutable\" or \"immutable\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_registry_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_registry_loc_conf_t *rlcf = conf;

    u_char                     *p, *last;
    ngx_str_t                  *value;
    ngx_http_registry_kind_t  **kind;

    if (rlcf->store.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    kind = ngx_http_registry_kinds;

    while (*kind && ngx_strcmp((*kind)->name.data, value[1].data) != 0) {
        kind++;
    }

    if (*kind == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid store \"%V\" in \"registry_store\", "
                           "it is \"s3\" or \"dav\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    rlcf->kind = *kind;

    last = value[2].data + value[2].len;

    for (p = value[2].data; p < last; p++) {

        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
              || (*p >= '0' && *p <= '9') || *p == '_'))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid prefix \"%V\" in \"registry_store\", "
                               "it has letters, digits and \"_\" only, as in "
                               "\"registry_s3\"", &value[2]);
            return NGX_CONF_ERROR;
        }
    }

    rlcf->store = value[2];

    return NGX_CONF_OK;
}


static char *
ngx_http_registry_ns(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_registry_loc_conf_t *rlcf = conf;

    ngx_str_t   *value, *ns;
    ngx_uint_t   i;

    value = cf->args->elts;

    if (rlcf->ns == NGX_CONF_UNSET_PTR) {
        rlcf->ns = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
        if (rlcf->ns == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_strlchr(value[i].data, value[i].data + value[i].len, '/')) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid host \"%V\" in \"registry_ns\", it is "
                               "a name as in images, with its port if there "
                               "is one: \"registry_ns docker.io\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        ns = ngx_array_push(rlcf->ns);
        if (ns == NULL) {
            return NGX_CONF_ERROR;
        }

        *ns = value[i];
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_registry_include(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_registry_srv_conf_t *rscf = conf;

    ngx_int_t                       format;
    ngx_str_t                      *value;
    ngx_uint_t                     *include;
    ngx_http_registry_main_conf_t  *rmcf;

    value = cf->args->elts;

    format = ngx_atoi(value[1].data, value[1].len);

    if (format != NGX_HTTP_REGISTRY_INCLUDE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"registry_include %V\": the include files are "
                           "of another version than the module, which takes "
                           "%d", &value[1], NGX_HTTP_REGISTRY_INCLUDE);
        return NGX_CONF_ERROR;
    }

    rmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_registry_module);

    include = (cf->cmd_type == NGX_HTTP_MAIN_CONF) ? &rmcf->include
                                                   : &rscf->include;

    /* what a local store includes has no other file beside it */

    if (include == &rscf->include && rmcf->include == 0
        && !(cf->args->nelts == 3 && ngx_strcmp(value[2].data, "dav") == 0))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "registry_server.conf needs \"include "
                           "registry_http.conf;\" in the http block, before "
                           "the servers");
        return NGX_CONF_ERROR;
    }

    *include = format;

    return NGX_CONF_OK;
}


static char *
ngx_http_registry_store_location(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_str_t                      *value;
    ngx_uint_t                      role;
    ngx_http_registry_store_loc_t  *loc;
    ngx_http_registry_main_conf_t  *rmcf;

    value = cf->args->elts;

    for (role = 0; role < NGX_HTTP_REGISTRY_ROLES; role++) {

        if (value[1].len == ngx_http_registry_roles[role].len
            && ngx_strcmp(value[1].data, ngx_http_registry_roles[role].data)
               == 0)
        {
            break;
        }
    }

    if (role == NGX_HTTP_REGISTRY_ROLES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in "
                           "\"registry_store_location\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    rmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_registry_module);

    loc = ngx_array_push(&rmcf->stores);
    if (loc == NULL) {
        return NGX_CONF_ERROR;
    }

    loc->role = role;
    loc->clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    loc->server = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);

    return NGX_CONF_OK;
}


static void
ngx_http_registry_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                       i;
    ngx_http_registry_host_t       **host;
    ngx_http_registry_loc_conf_t   **rlcf;
    ngx_http_registry_main_conf_t   *rmcf;

    rmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_registry_module);
    if (rmcf == NULL) {
        return;
    }

    rlcf = rmcf->registries.elts;

    ngx_http_registry_renew_exit(cycle);

    for (i = 0; i < rmcf->registries.nelts; i++) {
        if (rlcf[i]->credentials) {
            ngx_http_registry_credentials_forget(rlcf[i]->credentials);
        }
    }

    host = rmcf->hosts.elts;

    for (i = 0; i < rmcf->hosts.nelts; i++) {
        ngx_http_registry_host_forget(host[i]);
    }

    ngx_http_registry_resolver_exit();
}
