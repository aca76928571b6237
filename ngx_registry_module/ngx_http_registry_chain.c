
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/*
 * What the environment says of credentials, and which provider is the first
 * that is configured: AWS SDKs and Tools Reference Guide, Understand the
 * credential provider chain.  All of it happens in the master, which sees the
 * environment whole.
 */


#define NGX_HTTP_REGISTRY_IMDS_IPV4  "http://169.254.169.254"
#define NGX_HTTP_REGISTRY_IMDS_IPV6  "http://[fd00:ec2::254]"
#define NGX_HTTP_REGISTRY_ECS        "http://169.254.170.2"


static void ngx_http_registry_chain_value(ngx_str_t *value,
    const char *name);
static ngx_uint_t ngx_http_registry_chain_true(const char *name);
static ngx_int_t ngx_http_registry_chain_file(ngx_conf_t *cf, ngx_str_t *path,
    const char *name, const char *file);
static ngx_int_t ngx_http_registry_chain_imds(ngx_conf_t *cf,
    ngx_http_registry_env_t *env);
static ngx_int_t ngx_http_registry_chain_container(ngx_conf_t *cf,
    ngx_http_registry_env_t *env);
static void ngx_http_registry_chain_keys(ngx_conf_t *cf,
    ngx_http_registry_env_t *env);
static ngx_int_t ngx_http_registry_chain_auto(ngx_conf_t *cf,
    ngx_http_registry_credentials_t *c);
static ngx_int_t ngx_http_registry_chain_why(ngx_conf_t *cf,
    ngx_http_registry_credentials_t *c, const char *name, ngx_str_t *why);
static void ngx_http_registry_chain_set(ngx_http_registry_credentials_t *c,
    ngx_http_registry_kind_e kind);
static ngx_int_t ngx_http_registry_chain_look(ngx_conf_t *cf,
    ngx_http_registry_source_t *source, ngx_str_t *why, ngx_str_t *region);


/* AWS SDKs and Tools Reference Guide, Settings reference; libcurl's; a
   credential_process needs to find programs and its own files */

static ngx_str_t  ngx_http_registry_chain_names[] = {
    ngx_string("AWS_ACCESS_KEY_ID"),
    ngx_string("AWS_SECRET_ACCESS_KEY"),
    ngx_string("AWS_SESSION_TOKEN"),
    ngx_string("AWS_REGION"),
    ngx_string("AWS_DEFAULT_REGION"),
    ngx_string("AWS_PROFILE"),
    ngx_string("AWS_DEFAULT_PROFILE"),
    ngx_string("AWS_SHARED_CREDENTIALS_FILE"),
    ngx_string("AWS_CONFIG_FILE"),
    ngx_string("AWS_ROLE_ARN"),
    ngx_string("AWS_ROLE_SESSION_NAME"),
    ngx_string("AWS_WEB_IDENTITY_TOKEN_FILE"),
    ngx_string("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
    ngx_string("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    ngx_string("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
    ngx_string("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
    ngx_string("AWS_EC2_METADATA_DISABLED"),
    ngx_string("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
    ngx_string("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"),
    ngx_string("AWS_ENDPOINT_URL"),
    ngx_string("AWS_ENDPOINT_URL_S3"),
    ngx_string("AWS_ENDPOINT_URL_STS"),
    ngx_string("AWS_USE_DUALSTACK_ENDPOINT"),
    ngx_string("AWS_USE_FIPS_ENDPOINT"),
    ngx_string("AWS_CA_BUNDLE"),
    ngx_string("HTTPS_PROXY"),
    ngx_string("https_proxy"),
    ngx_string("NO_PROXY"),
    ngx_string("no_proxy"),
    ngx_string("HOME"),
    ngx_string("PATH"),
    ngx_null_string
};


/* by ngx_http_registry_kind_e */

static struct {
    ngx_http_registry_provider_pt  provider;
    ngx_str_t                      name;
} ngx_http_registry_chain_kinds[] = {
    { NULL, ngx_string("none") },
    { NULL, ngx_string("environment") },
    { ngx_http_registry_profile, ngx_string("file") },
    { ngx_http_registry_profile, ngx_string("profile") },
    { ngx_http_registry_web_identity, ngx_string("web identity") },
    { ngx_http_registry_container, ngx_string("container") },
    { ngx_http_registry_imds, ngx_string("IMDS") }
};


ngx_int_t
ngx_http_registry_chain_keep(ngx_cycle_t *cycle)
{
    ngx_str_t        *name, *env;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    for (name = ngx_http_registry_chain_names; name->len; name++) {

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
     * a worker's has the names that ngx_http_registry_chain_keep() kept
     */

    return (u_char *) getenv(name);
}


ngx_http_registry_env_t *
ngx_http_registry_chain_env(ngx_conf_t *cf)
{
    ngx_http_registry_env_t        *env;
    ngx_http_registry_main_conf_t  *rmcf;

    rmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_registry_module);

    if (rmcf->env) {
        return rmcf->env;
    }

    env = ngx_pcalloc(cf->pool, sizeof(ngx_http_registry_env_t));
    if (env == NULL) {
        return NULL;
    }

    ngx_http_registry_chain_value(&env->access_key, "AWS_ACCESS_KEY_ID");
    ngx_http_registry_chain_value(&env->secret_key, "AWS_SECRET_ACCESS_KEY");
    ngx_http_registry_chain_value(&env->token, "AWS_SESSION_TOKEN");
    ngx_http_registry_chain_value(&env->profile, "AWS_PROFILE");
    ngx_http_registry_chain_value(&env->profile, "AWS_DEFAULT_PROFILE");
    ngx_http_registry_chain_value(&env->role_arn, "AWS_ROLE_ARN");
    ngx_http_registry_chain_value(&env->role_session,
                                  "AWS_ROLE_SESSION_NAME");
    ngx_http_registry_chain_value(&env->token_file,
                                  "AWS_WEB_IDENTITY_TOKEN_FILE");
    ngx_http_registry_chain_value(&env->container_token,
                                  "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    ngx_http_registry_chain_value(&env->container_token_file,
                                  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    ngx_http_registry_chain_value(&env->sts, "AWS_ENDPOINT_URL_STS");
    ngx_http_registry_chain_value(&env->sts, "AWS_ENDPOINT_URL");
    ngx_http_registry_chain_value(&env->region, "AWS_REGION");
    ngx_http_registry_chain_value(&env->region, "AWS_DEFAULT_REGION");
    ngx_http_registry_chain_value(&env->ca_bundle, "AWS_CA_BUNDLE");
    ngx_http_registry_chain_value(&env->proxy, "HTTPS_PROXY");
    ngx_http_registry_chain_value(&env->proxy, "https_proxy");
    ngx_http_registry_chain_value(&env->no_proxy, "NO_PROXY");
    ngx_http_registry_chain_value(&env->no_proxy, "no_proxy");

    ngx_http_registry_chain_keys(cf, env);

    env->imds_off = ngx_http_registry_chain_true("AWS_EC2_METADATA_DISABLED");
    env->fips = ngx_http_registry_chain_true("AWS_USE_FIPS_ENDPOINT");
    env->dualstack =
                  ngx_http_registry_chain_true("AWS_USE_DUALSTACK_ENDPOINT");

    env->profile_set = (env->profile.len != 0);

    if (!env->profile_set) {
        ngx_str_set(&env->profile, "default");
    }

    env->session = cf->cycle->hostname;

    if (ngx_http_registry_chain_file(cf, &env->credentials_file,
                                     "AWS_SHARED_CREDENTIALS_FILE",
                                     "/.aws/credentials")
        != NGX_OK
        || ngx_http_registry_chain_file(cf, &env->config_file,
                                        "AWS_CONFIG_FILE", "/.aws/config")
           != NGX_OK
        || ngx_http_registry_chain_imds(cf, env) != NGX_OK
        || ngx_http_registry_chain_container(cf, env) != NGX_OK)
    {
        return NULL;
    }

    rmcf->env = env;

    return env;
}


static void
ngx_http_registry_chain_value(ngx_str_t *value, const char *name)
{
    u_char  *p;

    /* one that is empty is as good as none, and the first one counts */

    if (value->len) {
        return;
    }

    p = ngx_http_registry_getenv(name);

    if (p && *p) {
        value->data = p;
        value->len = ngx_strlen(p);
    }
}


static ngx_uint_t
ngx_http_registry_chain_true(const char *name)
{
    ngx_str_t  value;

    ngx_str_null(&value);
    ngx_http_registry_chain_value(&value, name);

    return value.len == 4
           && ngx_strncasecmp(value.data, (u_char *) "true", 4) == 0;
}


static ngx_int_t
ngx_http_registry_chain_file(ngx_conf_t *cf, ngx_str_t *path,
    const char *name, const char *file)
{
    u_char     *p;
    ngx_str_t   value, home;

    ngx_str_null(&value);
    ngx_str_null(&home);

    ngx_http_registry_chain_value(&value, name);
    ngx_http_registry_chain_value(&home, "HOME");

    if (value.len == 0) {
        value.data = (u_char *) file;
        value.len = ngx_strlen(file);

    } else if (value.len > 1 && value.data[0] == '~' && value.data[1] == '/') {
        value.data++;
        value.len--;

    } else {
        *path = value;
        return NGX_OK;
    }

    if (home.len == 0) {
        return NGX_OK;
    }

    path->len = home.len + value.len;
    path->data = ngx_pnalloc(cf->pool, path->len + 1);
    if (path->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(path->data, home.data, home.len);
    p = ngx_cpymem(p, value.data, value.len);
    *p = '\0';

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_chain_imds(ngx_conf_t *cf, ngx_http_registry_env_t *env)
{
    ngx_str_t  value;

    ngx_str_null(&value);

    ngx_http_registry_chain_value(&value,
                                  "AWS_EC2_METADATA_SERVICE_ENDPOINT");

    if (value.len == 0) {
        ngx_http_registry_chain_value(&value,
                                   "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");

        if (value.len == 4
            && ngx_strncasecmp(value.data, (u_char *) "IPv6", 4) == 0)
        {
            ngx_str_set(&env->imds, NGX_HTTP_REGISTRY_IMDS_IPV6);

        } else {
            ngx_str_set(&env->imds, NGX_HTTP_REGISTRY_IMDS_IPV4);
        }

        return NGX_OK;
    }

    if (value.len > 256) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "AWS_EC2_METADATA_SERVICE_ENDPOINT is longer than "
                           "256 bytes");
        return NGX_ERROR;
    }

    while (value.len && value.data[value.len - 1] == '/') {
        value.len--;
    }

    env->imds = value;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_chain_container(ngx_conf_t *cf,
    ngx_http_registry_env_t *env)
{
    u_char     *p;
    ngx_str_t   value;

    ngx_str_null(&value);

    ngx_http_registry_chain_value(&value,
                                  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");

    if (value.len == 0) {
        ngx_http_registry_chain_value(&env->container,
                                      "AWS_CONTAINER_CREDENTIALS_FULL_URI");
        return NGX_OK;
    }

    env->container.len = sizeof(NGX_HTTP_REGISTRY_ECS) - 1 + value.len;
    env->container.data = ngx_pnalloc(cf->pool, env->container.len + 1);
    if (env->container.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(env->container.data, NGX_HTTP_REGISTRY_ECS,
                   sizeof(NGX_HTTP_REGISTRY_ECS) - 1);
    p = ngx_cpymem(p, value.data, value.len);
    *p = '\0';

    return NGX_OK;
}


ngx_int_t
ngx_http_registry_chain_choose(ngx_conf_t *cf,
    ngx_http_registry_credentials_t *c)
{
    ngx_http_registry_env_t     *env;
    ngx_http_registry_source_t  *source;

    env = ngx_http_registry_chain_env(cf);
    if (env == NULL) {
        return NGX_ERROR;
    }

    c->chosen = 1;

    source = &c->source;
    source->env = env;

    /* what the directive does not say */

    if (c->kind != NGX_HTTP_REGISTRY_KIND_FILE) {
        source->credentials_file = env->credentials_file;
        source->config_file = env->config_file;
    }

    if (source->profile.len == 0) {

        if (c->kind == NGX_HTTP_REGISTRY_KIND_FILE) {
            ngx_str_set(&source->profile, "default");

        } else {
            source->profile = env->profile;
        }
    }

    if (source->role_arn.len == 0) {
        source->role_arn = env->role_arn;
        source->role_session = env->role_session;
        source->token_file = env->token_file;
    }

    source->region = env->region;

    if (c->kind == NGX_HTTP_REGISTRY_KIND_AUTO) {
        return ngx_http_registry_chain_auto(cf, c);
    }

    ngx_http_registry_chain_set(c, c->kind);

    return NGX_OK;
}


static void
ngx_http_registry_chain_set(ngx_http_registry_credentials_t *c,
    ngx_http_registry_kind_e kind)
{
    c->provider = ngx_http_registry_chain_kinds[kind].provider;
    c->name = ngx_http_registry_chain_kinds[kind].name;
}


/*
 * They go into headers as they are.  A newline at the end is what a secret has
 * that was made with "echo".
 */
static void
ngx_http_registry_chain_keys(ngx_conf_t *cf, ngx_http_registry_env_t *env)
{
    size_t      i;
    ngx_uint_t  n;

    static const char  *names[] = { "AWS_ACCESS_KEY_ID",
                                    "AWS_SECRET_ACCESS_KEY",
                                    "AWS_SESSION_TOKEN" };

    ngx_str_t  *values[] = { &env->access_key, &env->secret_key,
                             &env->token };

    for (n = 0; n < 3; n++) {

        for (i = 0; i < values[n]->len; i++) {

            if (values[n]->data[i] >= 0x20 && values[n]->data[i] < 0x7f) {
                continue;
            }

            ngx_conf_log_error(NGX_LOG_ERR, cf, 0,
                               "registry_credentials: %s in the environment "
                               "has a newline or another character that no "
                               "key has, the keys of the environment are not "
                               "used", names[n]);

            /* half of a pair: no other provider takes their place */

            env->secret_key.len = 0;
            env->token.len = 0;

            if (env->access_key.len == 0) {
                ngx_str_set(&env->access_key, "-");
            }

            return;
        }
    }
}


static ngx_int_t
ngx_http_registry_chain_auto(ngx_conf_t *cf,
    ngx_http_registry_credentials_t *c)
{
    ngx_int_t                 rc;
    ngx_str_t                 why;
    ngx_http_registry_env_t  *env;

    env = c->source.env;

    /*
     * half of a pair is a mistake to be told, and not a reason to become
     * somebody else
     */

    if (env->access_key.len || env->secret_key.len) {
        ngx_http_registry_chain_set(c, NGX_HTTP_REGISTRY_KIND_ENV);
        return NGX_OK;
    }

    ngx_str_set(&why, "AWS_ACCESS_KEY_ID is not set");

    if (ngx_http_registry_chain_why(cf, c, "environment", &why) != NGX_OK) {
        return NGX_ERROR;
    }

    if (env->token_file.len) {
        ngx_http_registry_chain_set(c, NGX_HTTP_REGISTRY_KIND_WEB_IDENTITY);
        return NGX_OK;
    }

    ngx_str_set(&why, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");

    if (ngx_http_registry_chain_why(cf, c, "web identity", &why) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_registry_chain_look(cf, &c->source, &why, NULL);

    if (rc == NGX_ABORT) {
        return NGX_ERROR;
    }

    if (rc != NGX_DECLINED || env->profile_set) {
        ngx_http_registry_chain_set(c, NGX_HTTP_REGISTRY_KIND_PROFILE);
        return NGX_OK;
    }

    if (ngx_http_registry_chain_why(cf, c, "profile", &why) != NGX_OK) {
        return NGX_ERROR;
    }

    if (env->container.len) {
        ngx_http_registry_chain_set(c, NGX_HTTP_REGISTRY_KIND_CONTAINER);
        return NGX_OK;
    }

    ngx_str_set(&why, "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor "
                      "AWS_CONTAINER_CREDENTIALS_FULL_URI is set");

    if (ngx_http_registry_chain_why(cf, c, "container", &why) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!env->imds_off) {
        ngx_http_registry_chain_set(c, NGX_HTTP_REGISTRY_KIND_IMDS);
        return NGX_OK;
    }

    ngx_http_registry_chain_set(c, NGX_HTTP_REGISTRY_KIND_AUTO);

    ngx_str_set(&why, "AWS_EC2_METADATA_DISABLED is true");

    return ngx_http_registry_chain_why(cf, c, "IMDS", &why);
}


static ngx_int_t
ngx_http_registry_chain_why(ngx_conf_t *cf,
    ngx_http_registry_credentials_t *c, const char *name, ngx_str_t *why)
{
    u_char  *p;
    size_t   len;

    len = c->why.len + sizeof("; : ") - 1 + ngx_strlen(name) + why->len;

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    len = ngx_sprintf(p, "%V%s%s: %V", &c->why, c->why.len ? "; " : "", name,
                      why)
          - p;

    c->why.data = p;
    c->why.len = len;

    return NGX_OK;
}


/*
 * As ngx_http_registry_profile_look(), NGX_ABORT if out of memory; why and
 * region are from the pool.
 */
static ngx_int_t
ngx_http_registry_chain_look(ngx_conf_t *cf,
    ngx_http_registry_source_t *source, ngx_str_t *why, ngx_str_t *region)
{
    ngx_int_t                   rc;
    ngx_http_registry_fetch_t  *fetch;

    /* the file has secrets, and goes through memory that forgets them */

    fetch = ngx_http_registry_secret_calloc(1,
                                          sizeof(ngx_http_registry_fetch_t));
    if (fetch == NULL) {
        return NGX_ABORT;
    }

    fetch->source = source;

    *ngx_snprintf(fetch->user, sizeof(fetch->user) - 1, "%d",
                  (int) geteuid()) = '\0';

    rc = ngx_http_registry_profile_look(fetch);

    why->len = fetch->error_len;
    why->data = ngx_pnalloc(cf->pool, fetch->error_len + 1);

    if (why->data == NULL) {
        rc = NGX_ABORT;

    } else {
        ngx_memcpy(why->data, fetch->error, fetch->error_len);
    }

    if (region && fetch->detail_len) {
        region->data = ngx_pnalloc(cf->pool, fetch->detail_len);

        if (region->data == NULL) {
            rc = NGX_ABORT;

        } else {
            region->len = fetch->detail_len;
            ngx_memcpy(region->data, fetch->detail, fetch->detail_len);
        }
    }

    ngx_http_registry_secret_free(fetch);

    return rc;
}


ngx_int_t
ngx_http_registry_chain_region(ngx_conf_t *cf,
    ngx_http_registry_credentials_t *c, ngx_str_t *region)
{
    ngx_str_t  why;

    /* the SDKs: of the environment, then of the profile, then of IMDS */

    if (c->source.env->region.len) {
        *region = c->source.env->region;
        return NGX_OK;
    }

    if (ngx_http_registry_chain_look(cf, &c->source, &why, region)
        == NGX_ABORT)
    {
        return NGX_ERROR;
    }

    if (region->len) {
        return NGX_OK;
    }

    return c->source.env->imds_off ? NGX_DECLINED : NGX_AGAIN;
}
