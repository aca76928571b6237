
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


static ngx_http_registry_credentials_t *ngx_http_registry_credentials_create(
    ngx_conf_t *cf);
static ngx_int_t ngx_http_registry_credentials_identify(ngx_conf_t *cf,
    ngx_http_registry_credentials_t *credentials);
static ngx_int_t ngx_http_registry_credentials_share(ngx_conf_t *cf,
    ngx_http_registry_credentials_t **credentials);
static ngx_int_t ngx_http_registry_credentials_threads(ngx_conf_t *cf);
static void ngx_http_registry_credentials_env(
    ngx_http_registry_credentials_t *credentials,
    ngx_http_registry_keys_t *keys);


static ngx_str_t  ngx_http_registry_credentials_half = ngx_string(
    "environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both "
    "set");

/* the copy that a worker signs with, empty but then */
static ngx_registry_credentials_t  ngx_http_registry_credentials_copy;


char *
ngx_http_registry_credentials(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_registry_loc_conf_t  *rlcf = conf;

    ngx_str_t                        *value;
    ngx_uint_t                        i, n;
    ngx_http_registry_source_t       *source;
    ngx_http_registry_credentials_t  *credentials;

    /* by ngx_http_registry_kind_e; arguments beside the name, a mask */

    static struct {
        const char  *name;
        ngx_uint_t   args;
    } kinds[] = {
        { "auto", 1 },
        { "env", 1 },
        { "file", 2|4 },
        { "profile", 1|2 },
        { "web_identity", 1|4 },
        { "container", 1 },
        { "imds", 1 },
        { NULL, 0 }
    };

    if (rlcf->credentials != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;
    n = cf->args->nelts - 2;

    for (i = 0; kinds[i].name; i++) {
        if (ngx_strcmp(value[1].data, kinds[i].name) == 0) {
            break;
        }
    }

    if (i == NGX_HTTP_REGISTRY_KIND_FILE && n == 0) {
        return "needs a path: \"registry_credentials file /path "
               "[profile];\"";
    }

    if (kinds[i].name == NULL || !(kinds[i].args & (1 << n))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"registry_credentials\", "
                           "or wrong number of values, it is \"auto\", "
                           "\"env\", \"file /path [profile]\", \"profile "
                           "[name]\", \"web_identity [role-arn /token]\", "
                           "\"container\" or \"imds\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    credentials = ngx_http_registry_credentials_create(cf);
    if (credentials == NULL) {
        return NGX_CONF_ERROR;
    }

    rlcf->credentials = credentials;
    credentials->kind = i;
    source = &credentials->source;

    switch (i) {

    case NGX_HTTP_REGISTRY_KIND_FILE:
        source->credentials_file = value[2];

        if (ngx_conf_full_name(cf->cycle, &source->credentials_file, 1)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        if (n == 2) {
            source->profile = value[3];
        }

        break;

    case NGX_HTTP_REGISTRY_KIND_PROFILE:

        if (n == 1) {
            source->profile = value[2];
        }

        break;

    case NGX_HTTP_REGISTRY_KIND_WEB_IDENTITY:

        if (n == 2) {
            source->role_arn = value[2];
            source->token_file = value[3];

            if (ngx_conf_full_name(cf->cycle, &source->token_file, 1)
                != NGX_OK)
            {
                return NGX_CONF_ERROR;
            }
        }

        break;
    }

    return NGX_CONF_OK;
}


static ngx_http_registry_credentials_t *
ngx_http_registry_credentials_create(ngx_conf_t *cf)
{
    /*
     * set by ngx_pcalloc():
     *
     *     credentials->kind = NGX_HTTP_REGISTRY_KIND_AUTO;
     */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_registry_credentials_t));
}


char *
ngx_http_registry_credentials_choose(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf)
{
    ngx_http_registry_main_conf_t  *rmcf;

    rmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_registry_module);

    if (rlcf->credentials == NULL) {

        if (rmcf->credentials == NULL) {
            rmcf->credentials = ngx_http_registry_credentials_create(cf);
            if (rmcf->credentials == NULL) {
                return NGX_CONF_ERROR;
            }
        }

        rlcf->credentials = rmcf->credentials;
    }

    if (!rlcf->credentials->chosen
        && ngx_http_registry_chain_choose(cf, rlcf->credentials) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_http_registry_credentials_t *
ngx_http_registry_credentials_region(ngx_conf_t *cf)
{
    ngx_http_registry_credentials_t  *region;

    region = ngx_http_registry_credentials_create(cf);
    if (region == NULL) {
        return NULL;
    }

    region->source.env = ngx_http_registry_chain_env(cf);
    if (region->source.env == NULL) {
        return NULL;
    }

    region->provider = ngx_http_registry_imds_region;
    region->region = 1;
    region->chosen = 1;

    ngx_str_set(&region->name, "region");
    ngx_str_set(&region->why, "registry_s3_region and AWS_REGION are not set, "
                              "nor is \"region\" in the profile");

    return region;
}


ngx_int_t
ngx_http_registry_credentials_complete(ngx_conf_t *cf)
{
    ngx_uint_t                      i;
    ngx_http_registry_loc_conf_t  **rlcf;
    ngx_http_registry_main_conf_t  *rmcf;

    rmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_registry_module);

    rlcf = rmcf->registries.elts;

    for (i = 0; i < rmcf->registries.nelts; i++) {

        if (rlcf[i]->credentials == NULL) {
            /* a store that needs none */
            continue;
        }

        if (ngx_http_registry_credentials_share(cf, &rlcf[i]->credentials)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (rlcf[i]->region_source
            && ngx_http_registry_credentials_share(cf,
                                                   &rlcf[i]->region_source)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_http_registry_chain_keep(cf->cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    return rmcf->sources.nelts ? ngx_http_registry_credentials_threads(cf)
                               : NGX_OK;
}


static ngx_int_t
ngx_http_registry_credentials_share(ngx_conf_t *cf,
    ngx_http_registry_credentials_t **credentials)
{
    ngx_uint_t                         i;
    ngx_http_registry_main_conf_t     *rmcf;
    ngx_http_registry_credentials_t  **source;

    if ((*credentials)->provider == NULL) {
        return NGX_OK;
    }

    rmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_registry_module);

    if (ngx_http_registry_credentials_identify(cf, *credentials) != NGX_OK) {
        return NGX_ERROR;
    }

    source = rmcf->sources.elts;

    for (i = 0; i < rmcf->sources.nelts; i++) {

        if (ngx_memcmp(source[i]->id, (*credentials)->id,
                       NGX_HTTP_REGISTRY_SLOT_KEY_LEN)
            == 0)
        {
            *credentials = source[i];
            return NGX_OK;
        }
    }

    source = ngx_array_push(&rmcf->sources);
    if (source == NULL) {
        return NGX_ERROR;
    }

    *source = *credentials;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_credentials_identify(ngx_conf_t *cf,
    ngx_http_registry_credentials_t *credentials)
{
    u_char                       hash[NGX_REGISTRY_HASH_MAX_LEN];
    ngx_uint_t                   i;
    ngx_registry_hash_t          h;
    ngx_http_registry_source_t  *source;

    ngx_str_t  *parts[12];

    source = &credentials->source;

    parts[0] = &credentials->name;
    parts[1] = &source->credentials_file;
    parts[2] = &source->config_file;
    parts[3] = &source->profile;
    parts[4] = &source->role_arn;
    parts[5] = &source->role_session;
    parts[6] = &source->token_file;
    parts[7] = &source->region;
    parts[8] = &source->env->container;
    parts[9] = &source->env->imds;
    parts[10] = &source->env->sts;
    parts[11] = &source->env->container_token_file;

    /* what tells sources apart; lengths keep "a", "b" from being "ab", "" */

    ngx_registry_hash_init(&h, NGX_REGISTRY_SHA256);

    for (i = 0; i < 12; i++) {
        ngx_registry_hash_update(&h, (u_char *) &parts[i]->len,
                                 sizeof(size_t));
        ngx_registry_hash_update(&h, parts[i]->data, parts[i]->len);
    }

    if (ngx_registry_hash_final(&h, hash) < NGX_HTTP_REGISTRY_SLOT_KEY_LEN) {
        return NGX_ERROR;
    }

    ngx_memcpy(credentials->id, hash, NGX_HTTP_REGISTRY_SLOT_KEY_LEN);

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_credentials_threads(ngx_conf_t *cf)
{
    void                              *pool;
    ngx_uint_t                         i;
    ngx_shm_zone_t                    *vault;
    ngx_http_registry_main_conf_t     *rmcf;
    ngx_http_registry_credentials_t  **source;

    rmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_registry_module);

    source = rmcf->sources.elts;

#if (NGX_THREADS)
    pool = rmcf->threads;
#else
    pool = NULL;
#endif

    if (pool == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "credentials of %V need an nginx with threads "
                      "(--with-threads); this one can use the keys of "
                      "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                      &source[0]->name);
        return NGX_ERROR;
    }

    vault = ngx_http_registry_vault_add(cf, &rmcf->sources);
    if (vault == NULL) {
        return NGX_ERROR;
    }

    rmcf->vault = vault;

    for (i = 0; i < rmcf->sources.nelts; i++) {
        source[i]->pool = pool;
        source[i]->vault = vault;
    }

    return NGX_OK;
}


void
ngx_http_registry_credentials_announce(ngx_cycle_t *cycle)
{
    size_t                             len;
    ngx_uint_t                         i;
    ngx_http_registry_keys_t           keys;
    ngx_http_registry_loc_conf_t     **rlcf;
    ngx_http_registry_main_conf_t     *rmcf;
    ngx_http_registry_credentials_t   *credentials;

    rmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_registry_module);

    if (rmcf == NULL || ngx_worker != 0
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return;
    }

    rlcf = rmcf->registries.elts;

    for (i = 0; i < rmcf->registries.nelts; i++) {

        credentials = rlcf[i]->credentials;

        if (credentials == NULL || credentials->provider
            || credentials->announced)
        {
            continue;
        }

        credentials->announced = 1;

        if (ngx_http_registry_credentials_keys(credentials, &keys) != NGX_OK) {
            ngx_log_error(NGX_LOG_ERR, credentials->log, 0,
                          "registry: no credentials: %V", credentials->why.len
                          ? &credentials->why
                          : &ngx_http_registry_credentials_half);
            continue;
        }

        len = ngx_min(keys.access_key.len, 4);

        ngx_log_error(NGX_LOG_NOTICE, credentials->log, 0,
                      "registry: credentials of %V, access key ...%*s, which "
                      "do not expire", &credentials->name, len,
                      keys.access_key.data + keys.access_key.len - len);
    }
}


ngx_uint_t
ngx_http_registry_credentials_ready(
    ngx_http_registry_credentials_t *credentials)
{
    ngx_uint_t                 ready;
    ngx_http_registry_keys_t   keys;
    ngx_http_registry_slot_t  *slot;

    if (credentials->provider == NULL) {
        return ngx_http_registry_credentials_keys(credentials, &keys)
               == NGX_OK;
    }

    slot = ngx_http_registry_vault_lock(credentials->vault, credentials->id);

    if (slot == NULL) {
        return 0;
    }

    ready = (slot->generation != 0);

    ngx_http_registry_vault_unlock(credentials->vault);

    return ready;
}


ngx_int_t
ngx_http_registry_credentials_keys(
    ngx_http_registry_credentials_t *credentials,
    ngx_http_registry_keys_t *keys)
{
    ngx_registry_credentials_t  *copy;
    ngx_http_registry_slot_t    *slot;

    if (credentials->provider == NULL) {
        ngx_http_registry_credentials_env(credentials, keys);

        return (keys->access_key.len && keys->secret_key.len) ? NGX_OK
                                                              : NGX_DECLINED;
    }

    slot = ngx_http_registry_vault_lock(credentials->vault, credentials->id);

    if (slot == NULL) {
        return NGX_DECLINED;
    }

    if (slot->generation == 0) {
        ngx_http_registry_vault_unlock(credentials->vault);
        return NGX_DECLINED;
    }

    copy = &ngx_http_registry_credentials_copy;

    copy->access_key_len = slot->set.access_key_len;
    copy->secret_key_len = slot->set.secret_key_len;
    copy->token_len = slot->set.token_len;

    ngx_memcpy(copy->access_key, slot->set.access_key, copy->access_key_len);
    ngx_memcpy(copy->secret_key, slot->set.secret_key, copy->secret_key_len);
    ngx_memcpy(copy->token, slot->set.token, copy->token_len);

    keys->generation = slot->generation;

    ngx_http_registry_vault_unlock(credentials->vault);

    keys->access_key.data = copy->access_key;
    keys->access_key.len = copy->access_key_len;
    keys->secret_key.data = copy->secret_key;
    keys->secret_key.len = copy->secret_key_len;
    keys->token.data = copy->token;
    keys->token.len = copy->token_len;

    return NGX_OK;
}


static void
ngx_http_registry_credentials_env(
    ngx_http_registry_credentials_t *credentials,
    ngx_http_registry_keys_t *keys)
{
    ngx_http_registry_env_t  *env;

    env = credentials->source.env;

    keys->access_key = ngx_http_registry_span(&env->access_key);
    keys->secret_key = ngx_http_registry_span(&env->secret_key);
    keys->token = ngx_http_registry_span(&env->token);
    keys->generation = 1;
}


void
ngx_http_registry_credentials_done(void)
{
    ngx_registry_credentials_wipe(&ngx_http_registry_credentials_copy);
}


u_char *
ngx_http_registry_credentials_key(
    ngx_http_registry_credentials_t *credentials,
    ngx_http_registry_keys_t *keys, u_char *date, ngx_str_t *region)
{
    ngx_registry_span_t  span, service;

    if (credentials->key_generation == keys->generation
        && credentials->key_region == region
        && ngx_memcmp(credentials->key_date, date, 8) == 0)
    {
        return credentials->key;
    }

    span = ngx_http_registry_span(region);

    service.data = (u_char *) "s3";
    service.len = 2;

    if (ngx_registry_sigv4_key(credentials->key, &keys->secret_key, date,
                               &span, &service)
        != NGX_REGISTRY_OK)
    {
        credentials->key_generation = 0;
        return NULL;
    }

    ngx_memcpy(credentials->key_date, date, 8);
    credentials->key_region = region;
    credentials->key_generation = keys->generation;

    return credentials->key;
}


void
ngx_http_registry_credentials_forget(
    ngx_http_registry_credentials_t *credentials)
{
    ngx_explicit_memzero(credentials->key, NGX_REGISTRY_SIGV4_KEY_LEN);

    credentials->key_generation = 0;
}


ngx_str_t *
ngx_http_registry_credentials_source(
    ngx_http_registry_credentials_t *credentials)
{
    return &credentials->name;
}


u_char *
ngx_http_registry_credentials_id(ngx_http_registry_credentials_t *credentials)
{
    return credentials->id;
}
