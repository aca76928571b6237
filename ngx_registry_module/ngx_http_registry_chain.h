
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_CHAIN_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_CHAIN_H_INCLUDED_


/*
 * The chain of providers, at configuration time.
 */


typedef enum {
    NGX_HTTP_REGISTRY_KIND_AUTO = 0,       /* and none at all */
    NGX_HTTP_REGISTRY_KIND_ENV,
    NGX_HTTP_REGISTRY_KIND_FILE,
    NGX_HTTP_REGISTRY_KIND_PROFILE,
    NGX_HTTP_REGISTRY_KIND_WEB_IDENTITY,
    NGX_HTTP_REGISTRY_KIND_CONTAINER,
    NGX_HTTP_REGISTRY_KIND_IMDS
} ngx_http_registry_kind_e;


/*
 * Keeps the names of AWS's environment variables through nginx's cleaning of
 * the environment, also across a binary upgrade.
 */
ngx_int_t ngx_http_registry_chain_keep(ngx_cycle_t *cycle);

/* value of a variable of the environment, or NULL; NUL-terminated */
u_char *ngx_http_registry_getenv(const char *name);

/* what the environment says, the same for all; NULL: logged */
ngx_http_registry_env_t *ngx_http_registry_chain_env(ngx_conf_t *cf);

/* sets provider, name, why and source of c, by its kind */
ngx_int_t ngx_http_registry_chain_choose(ngx_conf_t *cf,
    ngx_http_registry_credentials_t *c);

/*
 * The region that no directive says.  NGX_OK: it is *region; NGX_AGAIN: IMDS
 * can be asked, later; NGX_DECLINED: there is none; NGX_ERROR.
 */
ngx_int_t ngx_http_registry_chain_region(ngx_conf_t *cf,
    ngx_http_registry_credentials_t *c, ngx_str_t *region);


#endif /* _NGX_HTTP_REGISTRY_CHAIN_H_INCLUDED_ */
