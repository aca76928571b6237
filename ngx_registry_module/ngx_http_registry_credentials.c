
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


#define NGX_HTTP_REGISTRY_CREDENTIALS_SIZE  65536


typedef struct {
    ngx_int_t           (*load)(ngx_http_registry_credentials_t *credentials);
    ngx_str_t             name;
} ngx_http_registry_provider_t;


struct ngx_http_registry_credentials_s {
    ngx_http_registry_provider_t  *provider;
    ngx_str_t                      path;           /* NUL-terminated */
    ngx_str_t                      profile;
    ngx_str_t                      source;

    /* below: of a worker */

    ngx_str_t                      access_key;
    ngx_str_t                      secret_key;
    ngx_str_t                      token;
    ngx_uint_t                     generation;     /* 0: none */

    time_t                         checked;        /* the file */
    time_t                         mtime;
    ngx_file_uniq_t                uniq;

    u_char                         key[NGX_REGISTRY_SIGV4_KEY_LEN];
    u_char                         key_date[8];
    ngx_str_t                     *key_region;
    ngx_uint_t                     key_generation;
};


static ngx_int_t ngx_http_registry_credentials_load_env(
    ngx_http_registry_credentials_t *credentials);
static ngx_int_t ngx_http_registry_credentials_load_file(
    ngx_http_registry_credentials_t *credentials);
static ngx_int_t ngx_http_registry_credentials_read(
    ngx_http_registry_credentials_t *credentials, ngx_fd_t fd, size_t size);
static ngx_int_t ngx_http_registry_credentials_set(
    ngx_http_registry_credentials_t *credentials,
    ngx_registry_profile_t *profile);
static void ngx_http_registry_credentials_wipe(ngx_str_t *s);
static ngx_int_t ngx_http_registry_credentials_copy(ngx_str_t *dst,
    ngx_registry_span_t *src);


static ngx_http_registry_provider_t  ngx_http_registry_env_provider = {
    ngx_http_registry_credentials_load_env,
    ngx_string("environment")
};


static ngx_http_registry_provider_t  ngx_http_registry_file_provider = {
    ngx_http_registry_credentials_load_file,
    ngx_string("file")
};


/* AWS SDKs and Tools Reference Guide, Environment variables */

static ngx_str_t  ngx_http_registry_env_names[] = {
    ngx_string("AWS_ACCESS_KEY_ID"),
    ngx_string("AWS_SECRET_ACCESS_KEY"),
    ngx_string("AWS_SESSION_TOKEN"),
    ngx_string("AWS_REGION"),
    ngx_string("AWS_DEFAULT_REGION"),
    ngx_string("AWS_ENDPOINT_URL"),
    ngx_string("AWS_ENDPOINT_URL_S3"),
    ngx_string("AWS_USE_DUALSTACK_ENDPOINT"),
    ngx_string("AWS_USE_FIPS_ENDPOINT"),
    ngx_null_string
};


char *
ngx_http_registry_credentials(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_registry_loc_conf_t  *rlcf = conf;

    ngx_str_t                        *value;
    ngx_http_registry_credentials_t  *credentials;

    if (rlcf->credentials != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    credentials = ngx_http_registry_credentials_auto(cf);
    if (credentials == NULL) {
        return NGX_CONF_ERROR;
    }

    rlcf->credentials = credentials;

    if (ngx_strcmp(value[1].data, "file") == 0) {

        if (cf->args->nelts == 2) {
            return "needs a path: \"registry_credentials file /path "
                   "[profile];\"";
        }

        credentials->provider = &ngx_http_registry_file_provider;
        credentials->path = value[2];

        if (ngx_conf_full_name(cf->cycle, &credentials->path, 1) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        credentials->source = credentials->path;

        if (cf->args->nelts == 4) {
            credentials->profile = value[3];
        }

        return NGX_CONF_OK;
    }

    if ((ngx_strcmp(value[1].data, "auto") == 0
         || ngx_strcmp(value[1].data, "env") == 0)
        && cf->args->nelts == 2)
    {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" in \"registry_credentials\", "
                       "it is \"auto\", \"env\" or \"file /path [profile]\"",
                       &value[1]);

    return NGX_CONF_ERROR;
}


ngx_http_registry_credentials_t *
ngx_http_registry_credentials_auto(ngx_conf_t *cf)
{
    ngx_http_registry_credentials_t  *credentials;

    credentials = ngx_pcalloc(cf->pool,
                              sizeof(ngx_http_registry_credentials_t));
    if (credentials == NULL) {
        return NULL;
    }

    credentials->provider = &ngx_http_registry_env_provider;
    credentials->source = credentials->provider->name;

    ngx_str_set(&credentials->profile, "default");

    return credentials;
}


ngx_int_t
ngx_http_registry_credentials_env(ngx_cycle_t *cycle)
{
    ngx_str_t        *name, *env;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    for (name = ngx_http_registry_env_names; name->len; name++) {

        if (ngx_http_registry_getenv((char *) name->data) == NULL) {
            continue;
        }

        env = ngx_array_push(&ccf->env);
        if (env == NULL) {
            return NGX_ERROR;
        }

        *env = *name;
    }

    return NGX_OK;
}


u_char *
ngx_http_registry_getenv(const char *name)
{
    /*
     * the master's environment is whole while it reads the configuration,
     * a worker's has the names that ngx_http_registry_credentials_env() kept
     */

    return (u_char *) getenv(name);
}


ngx_uint_t
ngx_http_registry_credentials_ready(
    ngx_http_registry_credentials_t *credentials)
{
    (void) credentials->provider->load(credentials);

    return credentials->generation != 0;
}


ngx_int_t
ngx_http_registry_credentials_keys(
    ngx_http_registry_credentials_t *credentials,
    ngx_http_registry_keys_t *keys)
{
    if (!ngx_http_registry_credentials_ready(credentials)) {
        return NGX_DECLINED;
    }

    keys->access_key = ngx_http_registry_span(&credentials->access_key);
    keys->secret_key = ngx_http_registry_span(&credentials->secret_key);
    keys->token = ngx_http_registry_span(&credentials->token);
    keys->generation = credentials->generation;

    return NGX_OK;
}


ngx_int_t
ngx_http_registry_credentials_refused(
    ngx_http_registry_credentials_t *credentials, ngx_uint_t generation)
{
    credentials->checked = 0;

    (void) credentials->provider->load(credentials);

    return (credentials->generation != generation) ? NGX_OK : NGX_DECLINED;
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


ngx_str_t *
ngx_http_registry_credentials_source(
    ngx_http_registry_credentials_t *credentials)
{
    return &credentials->source;
}


static ngx_int_t
ngx_http_registry_credentials_load_env(
    ngx_http_registry_credentials_t *credentials)
{
    u_char                  *value;
    ngx_registry_profile_t   profile;

    if (credentials->generation) {
        return NGX_OK;
    }

    ngx_memzero(&profile, sizeof(ngx_registry_profile_t));

    value = ngx_http_registry_getenv("AWS_ACCESS_KEY_ID");
    if (value) {
        profile.access_key.data = value;
        profile.access_key.len = ngx_strlen(value);
    }

    value = ngx_http_registry_getenv("AWS_SECRET_ACCESS_KEY");
    if (value) {
        profile.secret_key.data = value;
        profile.secret_key.len = ngx_strlen(value);
    }

    value = ngx_http_registry_getenv("AWS_SESSION_TOKEN");
    if (value) {
        profile.token.data = value;
        profile.token.len = ngx_strlen(value);
    }

    if (profile.access_key.len == 0 || profile.secret_key.len == 0) {
        return NGX_DECLINED;
    }

    return ngx_http_registry_credentials_set(credentials, &profile);
}


static ngx_int_t
ngx_http_registry_credentials_load_file(
    ngx_http_registry_credentials_t *credentials)
{
    ngx_fd_t         fd;
    ngx_int_t        rc;
    ngx_file_info_t  fi;

    if (credentials->checked == ngx_time()) {
        return NGX_OK;
    }

    /* a small local file, looked at once a second while there are requests */

    credentials->checked = ngx_time();

    fd = ngx_open_file(credentials->path.data, NGX_FILE_RDONLY,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      "registry_credentials: " ngx_open_file_n " \"%V\" "
                      "failed, the file must be readable by the user of "
                      "the worker processes", &credentials->path);
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      "registry_credentials: " ngx_fd_info_n " \"%V\" "
                      "failed", &credentials->path);

    } else if (credentials->generation
               && credentials->mtime == ngx_file_mtime(&fi)
               && credentials->uniq == ngx_file_uniq(&fi))
    {
        rc = NGX_OK;

    } else if (ngx_file_size(&fi) > NGX_HTTP_REGISTRY_CREDENTIALS_SIZE) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "registry_credentials: \"%V\" is larger than %d bytes",
                      &credentials->path, NGX_HTTP_REGISTRY_CREDENTIALS_SIZE);

    } else {
        rc = ngx_http_registry_credentials_read(credentials, fd,
                                                (size_t) ngx_file_size(&fi));
        if (rc == NGX_OK) {
            credentials->mtime = ngx_file_mtime(&fi);
            credentials->uniq = ngx_file_uniq(&fi);

            if (ngx_file_access(&fi) & (S_IRGRP|S_IROTH)) {
                ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                              "registry_credentials: \"%V\" can be read by "
                              "others than its owner", &credentials->path);
            }
        }
    }

    (void) ngx_close_file(fd);

    return rc;
}


static ngx_int_t
ngx_http_registry_credentials_read(
    ngx_http_registry_credentials_t *credentials, ngx_fd_t fd, size_t size)
{
    u_char                  *buf;
    ssize_t                  n;
    ngx_int_t                rc;
    ngx_registry_span_t      name;
    ngx_registry_profile_t   profile;

    buf = ngx_alloc(size + 1, ngx_cycle->log);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    n = ngx_read_fd(fd, buf, size);

    if (n != (ssize_t) size) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, n < 0 ? ngx_errno : 0,
                      "registry_credentials: " ngx_read_fd_n " \"%V\" "
                      "returned %z of %uz", &credentials->path, n, size);
        goto done;
    }

    name = ngx_http_registry_span(&credentials->profile);

    switch (ngx_registry_profile_parse(buf, buf + size, &name, &profile)) {

    case NGX_REGISTRY_OK:
        rc = ngx_http_registry_credentials_set(credentials, &profile);
        break;

    case NGX_REGISTRY_NOT_FOUND:
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "registry_credentials: no profile \"%V\" in \"%V\"",
                      &credentials->profile, &credentials->path);
        break;

    default:
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "registry_credentials: no aws_access_key_id and "
                      "aws_secret_access_key in profile \"%V\" of \"%V\"",
                      &credentials->profile, &credentials->path);
        break;
    }

done:

    ngx_explicit_memzero(buf, size);
    ngx_free(buf);

    return rc;
}


static ngx_int_t
ngx_http_registry_credentials_set(
    ngx_http_registry_credentials_t *credentials,
    ngx_registry_profile_t *profile)
{
    static ngx_uint_t  generation;

    if (ngx_http_registry_credentials_copy(&credentials->access_key,
                                           &profile->access_key)
        != NGX_OK
        || ngx_http_registry_credentials_copy(&credentials->secret_key,
                                              &profile->secret_key)
           != NGX_OK
        || ngx_http_registry_credentials_copy(&credentials->token,
                                              &profile->token)
           != NGX_OK)
    {
        credentials->generation = 0;
        return NGX_ERROR;
    }

    credentials->generation = ++generation;

    return NGX_OK;
}


void
ngx_http_registry_credentials_forget(
    ngx_http_registry_credentials_t *credentials)
{
    ngx_http_registry_credentials_wipe(&credentials->access_key);
    ngx_http_registry_credentials_wipe(&credentials->secret_key);
    ngx_http_registry_credentials_wipe(&credentials->token);

    ngx_explicit_memzero(credentials->key, NGX_REGISTRY_SIGV4_KEY_LEN);

    credentials->generation = 0;
}


static void
ngx_http_registry_credentials_wipe(ngx_str_t *s)
{
    if (s->data) {
        ngx_explicit_memzero(s->data, s->len);
        ngx_free(s->data);
    }

    ngx_str_null(s);
}


static ngx_int_t
ngx_http_registry_credentials_copy(ngx_str_t *dst, ngx_registry_span_t *src)
{
    ngx_http_registry_credentials_wipe(dst);

    dst->data = ngx_alloc(src->len + 1, ngx_cycle->log);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    if (src->len) {
        ngx_memcpy(dst->data, src->data, src->len);
        dst->len = src->len;
    }

    return NGX_OK;
}
