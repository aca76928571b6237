
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/*
 * What an nginx.conf sets for all of its sites may be fatal to a registry: a
 * compressed or rewritten body has another digest, an error page is not JSON.
 * A registry location inherits none of it.
 */


/* bytes that are taken from a client at a time */
#define NGX_HTTP_REGISTRY_GUARD_BUFFER  (512 * 1024)


static void *ngx_http_registry_guard_default(ngx_conf_t *cf,
    ngx_http_module_t *module);
static void ngx_http_registry_guard_core(ngx_http_registry_loc_conf_t *rlcf);


/* filters that change bodies or their type, nginx's own and well-known ones,
   and what reads the bodies of requests before a push can */

static const char  *ngx_http_registry_guarded[] = {
    "ngx_http_gzip_filter_module",
    "ngx_http_gunzip_filter_module",
    "ngx_http_brotli_filter_module",
    "ngx_http_zstd_filter_module",
    "ngx_http_charset_filter_module",
    "ngx_http_addition_filter_module",
    "ngx_http_sub_filter_module",
    "ngx_http_subs_filter_module",
    "ngx_http_ssi_filter_module",
    "ngx_http_xslt_filter_module",
    "ngx_http_image_filter_module",
    "ngx_http_mirror_module",
    NULL
};


ngx_int_t
ngx_http_registry_guard(ngx_conf_t *cf, ngx_http_registry_loc_conf_t *rlcf)
{
    void               *conf;
    ngx_uint_t          i;
    const char        **name;
    ngx_http_module_t  *module;

    for (i = 0; cf->cycle->modules[i]; i++) {

        if (cf->cycle->modules[i]->type != NGX_HTTP_MODULE) {
            continue;
        }

        module = cf->cycle->modules[i]->ctx;

        if (module->create_loc_conf == NULL
            || module->merge_loc_conf == NULL)
        {
            continue;
        }

        for (name = ngx_http_registry_guarded; *name; name++) {

            if (ngx_strcmp(cf->cycle->modules[i]->name, *name) != 0) {
                continue;
            }

            conf = ngx_http_registry_guard_default(cf, module);
            if (conf == NULL) {
                return NGX_ERROR;
            }

            rlcf->loc_conf[cf->cycle->modules[i]->ctx_index] = conf;
        }
    }

    ngx_http_registry_guard_core(rlcf);

    return NGX_OK;
}


static void *
ngx_http_registry_guard_default(ngx_conf_t *cf, ngx_http_module_t *module)
{
    void  *prev, *conf;

    /* what a location has if no level of the configuration says anything */

    prev = module->create_loc_conf(cf);
    conf = module->create_loc_conf(cf);

    if (prev == NULL || conf == NULL
        || module->merge_loc_conf(cf, prev, conf) != NGX_CONF_OK)
    {
        return NULL;
    }

    return conf;
}


static void
ngx_http_registry_guard_core(ngx_http_registry_loc_conf_t *rlcf)
{
    ngx_http_core_loc_conf_t  *clcf, *server;

    clcf = rlcf->loc_conf[ngx_http_core_module.ctx_index];
    server = rlcf->http_ctx->loc_conf[ngx_http_core_module.ctx_index];

    /* what the location says itself is meant, and stays */

    if (clcf->error_pages == server->error_pages) {
        clcf->error_pages = NULL;
    }

    if (clcf->client_max_body_size == server->client_max_body_size) {
        clcf->client_max_body_size = 0;
    }

    /* 16k would make uploads wait for system calls */

    if (rlcf->push
        && clcf->client_body_buffer_size == server->client_body_buffer_size)
    {
        clcf->client_body_buffer_size = NGX_HTTP_REGISTRY_GUARD_BUFFER;
    }

    /* bodies are taken as they come, over HTTP/2 as well */

    clcf->client_body_in_file_only = 0;

    /* from "/v2" to "/v2/", whatever proxy and port are in front */

    clcf->absolute_redirect = 0;
}
