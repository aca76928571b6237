
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/*
 * AWS SDKs and Tools Reference Guide, Shared config and credentials files:
 * keys in a profile, by a role that another profile or source assumes, or
 * from a program.  All of it is read anew each time.
 */


#define NGX_HTTP_REGISTRY_PROFILE_SIZE  65536

/* roles that assume roles */
#define NGX_HTTP_REGISTRY_PROFILE_MAX   5


typedef struct {
    ngx_http_registry_fetch_t   *fetch;
    ngx_str_t                    credentials;     /* contents of the files */
    ngx_str_t                    config;
    ngx_uint_t                   n;
    ngx_registry_profile_t       profiles[NGX_HTTP_REGISTRY_PROFILE_MAX];
} ngx_http_registry_profiles_t;


static ngx_int_t ngx_http_registry_profile_files(
    ngx_http_registry_profiles_t *ps);
static ngx_int_t ngx_http_registry_profile_chain(
    ngx_http_registry_profiles_t *ps);
static ngx_int_t ngx_http_registry_profile_find(
    ngx_http_registry_profiles_t *ps, ngx_registry_span_t *name,
    ngx_registry_profile_t *profile);
static ngx_int_t ngx_http_registry_profile_parse(
    ngx_http_registry_profiles_t *ps, ngx_str_t *path, ngx_str_t *content,
    ngx_registry_span_t *name, ngx_registry_profile_t *profile);
static ngx_int_t ngx_http_registry_profile_base(
    ngx_http_registry_profiles_t *ps, ngx_registry_profile_t *profile);
static ngx_int_t ngx_http_registry_profile_source(
    ngx_http_registry_profiles_t *ps, ngx_registry_span_t *source);
static ngx_int_t ngx_http_registry_profile_static(
    ngx_http_registry_profiles_t *ps, ngx_registry_profile_t *profile);
static ngx_int_t ngx_http_registry_profile_role(
    ngx_http_registry_profiles_t *ps, ngx_registry_profile_t *profile);
static ngx_int_t ngx_http_registry_profile_web_identity(
    ngx_http_registry_profiles_t *ps, ngx_registry_profile_t *profile);
static void ngx_http_registry_profile_request(
    ngx_registry_sts_request_t *rq, ngx_registry_profile_t *profile);
static ngx_registry_span_t ngx_http_registry_profile_region(
    ngx_http_registry_profiles_t *ps, ngx_registry_profile_t *profile);


ngx_int_t
ngx_http_registry_profile(ngx_http_registry_fetch_t *fetch)
{
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    ngx_http_registry_profiles_t   ps;

    ngx_memzero(&ps, sizeof(ngx_http_registry_profiles_t));
    ps.fetch = fetch;

    rc = ngx_http_registry_profile_files(&ps);

    if (rc == NGX_OK) {
        rc = ngx_http_registry_profile_chain(&ps);
    }

    if (rc == NGX_OK) {
        ngx_http_registry_fetch_detail(fetch, "\"%V\"",
                                       &fetch->source->profile);
        rc = ngx_http_registry_profile_base(&ps, &ps.profiles[ps.n - 1]);
    }

    /* from the inner role to the outer one */

    for (i = ps.n; rc == NGX_OK && i > 0; i--) {
        rc = ngx_http_registry_profile_role(&ps, &ps.profiles[i - 1]);
    }

    ngx_http_registry_secret_free(ps.credentials.data);
    ngx_http_registry_secret_free(ps.config.data);

    return rc;
}


ngx_int_t
ngx_http_registry_profile_look(ngx_http_registry_fetch_t *fetch)
{
    ngx_int_t                      rc;
    ngx_registry_span_t            name;
    ngx_registry_profile_t        *profile;
    ngx_http_registry_profiles_t   ps;

    ngx_memzero(&ps, sizeof(ngx_http_registry_profiles_t));
    ps.fetch = fetch;

    profile = &ps.profiles[0];
    name = ngx_http_registry_span(&fetch->source->profile);

    rc = ngx_http_registry_profile_files(&ps);

    if (rc == NGX_OK) {
        rc = ngx_http_registry_profile_find(&ps, &name, profile);

        if (profile->region.len) {
            ngx_http_registry_fetch_detail(fetch, "%*s", profile->region.len,
                                           profile->region.data);
        }
    }

    ngx_http_registry_secret_free(ps.credentials.data);
    ngx_http_registry_secret_free(ps.config.data);

    return rc;
}


static ngx_int_t
ngx_http_registry_profile_files(ngx_http_registry_profiles_t *ps)
{
    ngx_int_t                    rc;
    ngx_http_registry_source_t  *source;

    source = ps->fetch->source;

    if (source->credentials_file.len == 0 && source->config_file.len == 0) {
        (void) ngx_http_registry_fetch_error(ps->fetch,
                     "HOME is not set, nor are AWS_SHARED_CREDENTIALS_FILE "
                     "and AWS_CONFIG_FILE");
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;

    if (source->config_file.len) {
        rc = ngx_http_registry_fetch_file(ps->fetch, &source->config_file,
                                          NGX_HTTP_REGISTRY_PROFILE_SIZE, 0,
                                          &ps->config);
        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    if (source->credentials_file.len) {

        switch (ngx_http_registry_fetch_file(ps->fetch,
                                             &source->credentials_file,
                                             NGX_HTTP_REGISTRY_PROFILE_SIZE, 1,
                                             &ps->credentials))
        {
        case NGX_OK:
            return NGX_OK;

        case NGX_DECLINED:
            /* one of both will do */
            break;

        default:
            return NGX_ERROR;
        }
    }

    return rc;
}


static ngx_int_t
ngx_http_registry_profile_chain(ngx_http_registry_profiles_t *ps)
{
    ngx_int_t                rc;
    ngx_registry_span_t      name;
    ngx_registry_profile_t  *profile;

    name = ngx_http_registry_span(&ps->fetch->source->profile);

    for ( ;; ) {

        if (ps->n == NGX_HTTP_REGISTRY_PROFILE_MAX) {
            return ngx_http_registry_fetch_error(ps->fetch,
                         "profile \"%V\": more than %d source_profile one "
                         "after the other", &ps->fetch->source->profile,
                         NGX_HTTP_REGISTRY_PROFILE_MAX);
        }

        profile = &ps->profiles[ps->n];

        rc = ngx_http_registry_profile_find(ps, &name, profile);

        if (rc != NGX_OK) {
            return rc;
        }

        ps->n++;

        if (profile->role_arn.len && profile->mfa_serial.len) {
            return ngx_http_registry_fetch_error(ps->fetch,
                         "profile \"%*s\": mfa_serial takes a person",
                         name.len, name.data);
        }

        if (profile->role_arn.len == 0 || profile->source_profile.len == 0
            || profile->web_identity_token_file.len)
        {
            return NGX_OK;
        }

        /* botocore: a role that names its own profile uses the keys in it */

        if (profile->source_profile.len == name.len
            && ngx_memcmp(profile->source_profile.data, name.data, name.len)
               == 0)
        {
            profile->source_profile.len = 0;
            return NGX_OK;
        }

        name = profile->source_profile;
    }
}


static ngx_int_t
ngx_http_registry_profile_find(ngx_http_registry_profiles_t *ps,
    ngx_registry_span_t *name, ngx_registry_profile_t *profile)
{
    ngx_int_t                    rc1, rc2;
    const char                  *why;
    ngx_registry_profile_t       more;
    ngx_http_registry_source_t  *source;

    source = ps->fetch->source;

    rc1 = ngx_http_registry_profile_parse(ps, &source->credentials_file,
                                          &ps->credentials, name, profile);
    rc2 = ngx_http_registry_profile_parse(ps, &source->config_file,
                                          &ps->config, name, &more);

    if (rc1 == NGX_ERROR || rc2 == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc1 == NGX_DECLINED && rc2 == NGX_DECLINED) {
        (void) ngx_http_registry_fetch_error(ps->fetch,
                     "no profile \"%*s\" in \"%V\"%s%V%s", name->len,
                     name->data, &source->credentials_file,
                     source->config_file.len ? " and \"" : "",
                     &source->config_file,
                     source->config_file.len ? "\"" : "");
        return NGX_DECLINED;
    }

    ngx_registry_profile_merge(profile, &more);

    why = "";

    if (!ngx_registry_profile_usable(profile, &why)) {
        (void) ngx_http_registry_fetch_error(ps->fetch,
                                             "profile \"%*s\" %s",
                                             name->len, name->data, why);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_profile_parse(ngx_http_registry_profiles_t *ps,
    ngx_str_t *path, ngx_str_t *content, ngx_registry_span_t *name,
    ngx_registry_profile_t *profile)
{
    if (content->data == NULL) {
        ngx_memzero(profile, sizeof(ngx_registry_profile_t));
        return NGX_DECLINED;
    }

    switch (ngx_registry_profile_parse(content->data,
                                       content->data + content->len, name,
                                       profile))
    {
    case NGX_REGISTRY_OK:
    case NGX_REGISTRY_NONE:
        return NGX_OK;

    case NGX_REGISTRY_NOT_FOUND:
        return NGX_DECLINED;

    default:
        return ngx_http_registry_fetch_error(ps->fetch,
                     "\"%V\" is no file of profiles, or profile \"%*s\" in it "
                     "is malformed", path, name->len, name->data);
    }
}


static ngx_int_t
ngx_http_registry_profile_base(ngx_http_registry_profiles_t *ps,
    ngx_registry_profile_t *profile)
{
    if (profile->role_arn.len) {

        if (profile->web_identity_token_file.len) {
            return ngx_http_registry_profile_web_identity(ps, profile);
        }

        if (profile->credential_source.len) {
            return ngx_http_registry_profile_source(ps,
                                                &profile->credential_source);
        }

        if (profile->access_key.len == 0) {
            return ngx_http_registry_fetch_error(ps->fetch,
                         "profile with role_arn \"%*s\" has neither "
                         "source_profile, credential_source nor "
                         "web_identity_token_file", profile->role_arn.len,
                         profile->role_arn.data);
        }
    }

    if (profile->access_key.len || profile->secret_key.len) {
        return ngx_http_registry_profile_static(ps, profile);
    }

    return ngx_http_registry_process(ps->fetch, &profile->credential_process);
}


static ngx_int_t
ngx_http_registry_profile_source(ngx_http_registry_profiles_t *ps,
    ngx_registry_span_t *source)
{
    ngx_registry_profile_t    keys;
    ngx_http_registry_env_t  *env;

    if (source->len == 19
        && ngx_memcmp(source->data, "Ec2InstanceMetadata", 19) == 0)
    {
        return ngx_http_registry_imds(ps->fetch);
    }

    if (source->len == 12
        && ngx_memcmp(source->data, "EcsContainer", 12) == 0)
    {
        return ngx_http_registry_container(ps->fetch);
    }

    if (source->len == 11 && ngx_memcmp(source->data, "Environment", 11) == 0)
    {
        env = ps->fetch->source->env;

        ngx_memzero(&keys, sizeof(ngx_registry_profile_t));

        keys.access_key = ngx_http_registry_span(&env->access_key);
        keys.secret_key = ngx_http_registry_span(&env->secret_key);
        keys.token = ngx_http_registry_span(&env->token);

        return ngx_http_registry_profile_static(ps, &keys);
    }

    return ngx_http_registry_fetch_error(ps->fetch,
                 "profile: credential_source \"%*s\" is not Environment, "
                 "Ec2InstanceMetadata or EcsContainer", source->len,
                 source->data);
}


static ngx_int_t
ngx_http_registry_profile_static(ngx_http_registry_profiles_t *ps,
    ngx_registry_profile_t *profile)
{
    if (profile->access_key.len == 0 || profile->secret_key.len == 0) {
        return ngx_http_registry_fetch_error(ps->fetch,
                     "no aws_access_key_id and aws_secret_access_key in "
                     "profile \"%V\", one of both is missing",
                     &ps->fetch->source->profile);
    }

    if (ngx_registry_credentials_fill(&ps->fetch->set, &profile->access_key,
                                      &profile->secret_key, &profile->token)
        != NGX_REGISTRY_OK)
    {
        return ngx_http_registry_fetch_error(ps->fetch,
                     "keys in profile \"%V\" are too long or have control "
                     "characters", &ps->fetch->source->profile);
    }

    ps->fetch->reread = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_profile_role(ngx_http_registry_profiles_t *ps,
    ngx_registry_profile_t *profile)
{
    ngx_registry_span_t          region;
    ngx_registry_sts_request_t   rq;

    /* with a token of an identity provider the role is assumed already */

    if (profile->role_arn.len == 0 || profile->web_identity_token_file.len) {
        return NGX_OK;
    }

    ngx_http_registry_profile_request(&rq, profile);

    region = ngx_http_registry_profile_region(ps, profile);

    return ngx_http_registry_sts_assume(ps->fetch, &rq, &region);
}


static ngx_int_t
ngx_http_registry_profile_web_identity(ngx_http_registry_profiles_t *ps,
    ngx_registry_profile_t *profile)
{
    u_char                       buf[1024];
    ngx_str_t                    path;
    ngx_registry_span_t          region;
    ngx_registry_sts_request_t   rq;

    if (profile->web_identity_token_file.len >= sizeof(buf)) {
        return ngx_http_registry_fetch_error(ps->fetch,
                           "profile: web_identity_token_file is too long");
    }

    /* to be opened, it ends with a NUL */

    path.data = buf;
    path.len = profile->web_identity_token_file.len;

    ngx_memcpy(buf, profile->web_identity_token_file.data, path.len);
    buf[path.len] = '\0';

    ngx_http_registry_profile_request(&rq, profile);

    region = ngx_http_registry_profile_region(ps, profile);

    return ngx_http_registry_sts_web_identity(ps->fetch, &rq, &path, &region);
}


static void
ngx_http_registry_profile_request(ngx_registry_sts_request_t *rq,
    ngx_registry_profile_t *profile)
{
    ngx_memzero(rq, sizeof(ngx_registry_sts_request_t));

    rq->role_arn = profile->role_arn;
    rq->session = profile->role_session_name;
    rq->external_id = profile->external_id;
    rq->duration = profile->duration_seconds;
}


static ngx_registry_span_t
ngx_http_registry_profile_region(ngx_http_registry_profiles_t *ps,
    ngx_registry_profile_t *profile)
{
    /* the region of the profile with the role, then that of the outer one */

    if (ps->fetch->source->env->region.len) {
        return ngx_http_registry_span(&ps->fetch->source->env->region);
    }

    if (profile->region.len) {
        return profile->region;
    }

    if (ps->profiles[0].region.len) {
        return ps->profiles[0].region;
    }

    return ngx_http_registry_span(&ps->fetch->source->region);
}
