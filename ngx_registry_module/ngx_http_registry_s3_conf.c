
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


static char *ngx_http_registry_s3_conf_region(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf);
static void ngx_http_registry_s3_conf_env(ngx_str_t *value, const char *name);
static ngx_int_t ngx_http_registry_s3_conf_flag(ngx_conf_t *cf,
    ngx_flag_t *flag, const char *name);
static char *ngx_http_registry_s3_conf_endpoint(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf);
static ngx_int_t ngx_http_registry_s3_conf_address(
    ngx_http_registry_loc_conf_t *rlcf);
static char *ngx_http_registry_s3_conf_names(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf);
static ngx_int_t ngx_http_registry_s3_conf_prefix(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf);
static ngx_int_t ngx_http_registry_s3_conf_prefix_check(
    ngx_http_registry_loc_conf_t *rlcf);
static char *ngx_http_registry_s3_conf_header_check(ngx_conf_t *cf,
    ngx_str_t *name, ngx_str_t *value);
static ngx_uint_t ngx_http_registry_s3_conf_header_given(
    ngx_array_t *headers, ngx_str_t *name);


/* headers that the module sets and signs itself */

static ngx_str_t  ngx_http_registry_s3_reserved[] = {
    ngx_string("x-amz-date"),
    ngx_string("x-amz-content-sha256"),
    ngx_string("x-amz-security-token"),
    ngx_string("host"),
    ngx_string("authorization"),
    ngx_string("connection"),
    ngx_string("expect"),
    ngx_string("content-length"),
    ngx_string("transfer-encoding"),
    ngx_string("range"),
    ngx_string("if-match"),
    ngx_string("if-none-match"),
    ngx_null_string
};


char *
ngx_http_registry_s3_configure(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf)
{
    if (rlcf->bucket.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"registry on\" needs \"registry_s3_bucket "
                           "name;\", the bucket with the images");
        return NGX_CONF_ERROR;
    }

    if (ngx_http_registry_credentials_choose(cf, rlcf) != NGX_CONF_OK
        || ngx_http_registry_s3_conf_region(cf, rlcf) != NGX_CONF_OK
        || ngx_http_registry_s3_conf_endpoint(cf, rlcf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_registry_s3_conf_names(cf, rlcf);
}


static char *
ngx_http_registry_s3_conf_region(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf)
{
    /* AWS SDKs and Tools Reference Guide: what the directives do not say */

    ngx_http_registry_s3_conf_env(&rlcf->region, "AWS_REGION");
    ngx_http_registry_s3_conf_env(&rlcf->region, "AWS_DEFAULT_REGION");
    ngx_http_registry_s3_conf_env(&rlcf->endpoint, "AWS_ENDPOINT_URL_S3");
    ngx_http_registry_s3_conf_env(&rlcf->endpoint, "AWS_ENDPOINT_URL");

    if (ngx_http_registry_s3_conf_flag(cf, &rlcf->dualstack,
                                       "AWS_USE_DUALSTACK_ENDPOINT")
        != NGX_OK
        || ngx_http_registry_s3_conf_flag(cf, &rlcf->fips,
                                          "AWS_USE_FIPS_ENDPOINT")
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (rlcf->region.len == 0) {

        switch (ngx_http_registry_chain_region(cf, rlcf->credentials,
                                               &rlcf->region))
        {
        case NGX_OK:
            break;

        case NGX_AGAIN:

            /* until IMDS has said it, another one stands in its place */

            ngx_str_set(&rlcf->region, "us-east-1");

            rlcf->region_source = ngx_http_registry_credentials_region(cf);

            return rlcf->region_source ? NGX_CONF_OK : NGX_CONF_ERROR;

        case NGX_ERROR:
            return NGX_CONF_ERROR;
        }
    }

    if (rlcf->credentials->source.region.len == 0) {
        rlcf->credentials->source.region = rlcf->region;
    }

    if (rlcf->region.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no region for \"registry_s3_bucket %V\": set "
                           "\"registry_s3_region\" or AWS_REGION, any name "
                           "does for servers that have no regions (nor does "
                           "the profile have one, and IMDS is switched off "
                           "by AWS_EC2_METADATA_DISABLED)",
                           &rlcf->bucket);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static void
ngx_http_registry_s3_conf_env(ngx_str_t *value, const char *name)
{
    u_char  *p;

    if (value->len) {
        return;
    }

    p = ngx_http_registry_getenv(name);

    if (p) {
        value->data = p;
        value->len = ngx_strlen(p);
    }
}


static ngx_int_t
ngx_http_registry_s3_conf_flag(ngx_conf_t *cf, ngx_flag_t *flag,
    const char *name)
{
    u_char  *p;

    if (*flag != NGX_CONF_UNSET) {
        return NGX_OK;
    }

    *flag = 0;

    p = ngx_http_registry_getenv(name);

    if (p == NULL || *p == '\0') {
        return NGX_OK;
    }

    if (ngx_strcasecmp(p, (u_char *) "true") == 0) {
        *flag = 1;
        return NGX_OK;
    }

    if (ngx_strcasecmp(p, (u_char *) "false") == 0) {
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%s\" of %s, it is \"true\" or "
                       "\"false\"", p, name);

    return NGX_ERROR;
}


static char *
ngx_http_registry_s3_conf_endpoint(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf)
{
    ngx_str_t  name;

    rlcf->s3 = ngx_pcalloc(cf->pool, sizeof(ngx_registry_s3_endpoint_t));
    if (rlcf->s3 == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_registry_s3_conf_address(rlcf) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s (bucket \"%V\", region \"%V\", endpoint "
                           "\"%V\")", rlcf->s3->error, &rlcf->bucket,
                           &rlcf->region, &rlcf->endpoint);
        return NGX_CONF_ERROR;
    }

    name.data = rlcf->s3->host;
    name.len = rlcf->s3->host_len;

    if (rlcf->region_source && rlcf->endpoint.len == 0) {

        /* not the same as any other one, whatever the region will be */

        name.data = (u_char *) "?";
        name.len = 1;
    }

    rlcf->host = ngx_http_registry_host_add(cf, &name, rlcf->s3->port,
                                            rlcf->s3->tls, &rlcf->store);

    return rlcf->host ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_registry_s3_conf_address(ngx_http_registry_loc_conf_t *rlcf)
{
    ngx_registry_s3_bucket_t  bucket;

    ngx_memzero(&bucket, sizeof(ngx_registry_s3_bucket_t));

    bucket.bucket = ngx_http_registry_span(&rlcf->bucket);
    bucket.region = ngx_http_registry_span(&rlcf->region);
    bucket.endpoint = ngx_http_registry_span(&rlcf->endpoint);
    bucket.path_style = (rlcf->path_style == NGX_CONF_UNSET)
                        ? -1 : (int) rlcf->path_style;
    bucket.dualstack = rlcf->dualstack;
    bucket.fips = rlcf->fips;

    return (ngx_registry_s3_endpoint(&bucket, rlcf->s3) == NGX_REGISTRY_OK)
           ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_registry_s3_locate(ngx_http_registry_loc_conf_t *rlcf)
{
    ngx_str_t                  region;
    ngx_http_registry_keys_t   keys;

    if (rlcf->region_source == NULL || rlcf->located) {
        return NGX_OK;
    }

    if (ngx_http_registry_credentials_keys(rlcf->region_source, &keys)
        != NGX_OK)
    {
        return NGX_AGAIN;
    }

    /* once in a worker, for as long as it lives */

    region.len = keys.access_key.len;
    region.data = ngx_pnalloc(ngx_cycle->pool, region.len);
    if (region.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(region.data, keys.access_key.data, region.len);

    rlcf->region = region;

    /* a key that was made for the one that stood in its place */

    ngx_http_registry_credentials_forget(rlcf->credentials);

    rlcf->credentials->renew.region = region;

    if (ngx_http_registry_s3_conf_address(rlcf) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, ngx_http_registry_log(rlcf), 0,
                      "registry: %s (bucket \"%V\", region \"%V\" by IMDS)",
                      rlcf->s3->error, &rlcf->bucket, &rlcf->region);
        return NGX_ERROR;
    }

    if (rlcf->endpoint.len == 0) {
        rlcf->host->name.data = rlcf->s3->host;
        rlcf->host->name.len = rlcf->s3->host_len;
    }

    rlcf->located = 1;

    return NGX_OK;
}


static char *
ngx_http_registry_s3_conf_names(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf)
{
    u_char                      *p;
    ngx_str_t                    authority;
    ngx_registry_s3_endpoint_t  *s3;

    s3 = rlcf->s3;

    if (rlcf->region_source && rlcf->endpoint.len == 0) {
        ngx_str_set(&authority, "aws");

    } else {
        authority.data = s3->authority;
        authority.len = s3->authority_len;
    }

    if (ngx_http_registry_s3_conf_prefix(cf, rlcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    /* one registry: endpoint, bucket, however it is addressed, and prefix */

    rlcf->id.len = sizeof("https://||") - 1 + authority.len + s3->path_len
                   + rlcf->bucket.len + rlcf->key_prefix.len;

    rlcf->id.data = ngx_pnalloc(cf->pool, rlcf->id.len);
    if (rlcf->id.data == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_sprintf(rlcf->id.data, "%s://%*s%*s|%V|%V",
                    s3->tls ? "https" : "http", authority.len,
                    authority.data, s3->path_len, s3->path, &rlcf->bucket,
                    &rlcf->key_prefix);
    rlcf->id.len = p - rlcf->id.data;

    rlcf->place = rlcf->bucket;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_registry_s3_conf_prefix(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf)
{
    u_char               *p;
    ngx_registry_span_t   prefix;

    /* distribution: rootdirectory, with or without slashes around it */

    p = ngx_pnalloc(cf->pool, rlcf->prefix.len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    prefix = ngx_http_registry_span(&rlcf->prefix);

    rlcf->key_prefix.data = p;
    rlcf->key_prefix.len = ngx_registry_key_prefix_write(p, &prefix) - p;

    if (ngx_http_registry_s3_conf_prefix_check(rlcf) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"registry_s3_prefix %V\": it is what "
                           "stands before \"docker/registry/v2/\" in the keys, "
                           "names of letters, digits, \".\", \"_\" and \"-\" "
                           "with \"/\" between them", &rlcf->prefix);
        return NGX_ERROR;
    }

    if (rlcf->key_prefix.len > 512) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"registry_s3_prefix\" is longer than 512 bytes");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_s3_conf_prefix_check(ngx_http_registry_loc_conf_t *rlcf)
{
    u_char     ch, *p, *last, *name;
    ngx_str_t  *s;

    static ngx_str_t  layout = ngx_string("docker/registry/v2/");

    /* distribution, storagedriver.PathRegexp */

    s = &rlcf->key_prefix;

    if (s->len >= layout.len
        && ngx_strncmp(s->data + s->len - layout.len, layout.data, layout.len)
           == 0)
    {
        return NGX_ERROR;
    }

    name = s->data;
    last = s->data + s->len;

    for (p = s->data; p < last; p++) {
        ch = *p;

        if (ch == '/') {

            if (p == name
                || (name[0] == '.'
                    && (p - name == 1 || (p - name == 2 && name[1] == '.'))))
            {
                return NGX_ERROR;
            }

            name = p + 1;
            continue;
        }

        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
              || (ch >= '0' && ch <= '9') || ch == '.' || ch == '_'
              || ch == '-'))
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


char *
ngx_http_registry_s3_header_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_registry_loc_conf_t *rlcf = conf;

    char                           *rv;
    ngx_str_t                      *value;
    ngx_http_registry_s3_header_t  *header;

    value = cf->args->elts;

    rv = ngx_http_registry_s3_conf_header_check(cf, &value[1], &value[2]);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    ngx_strlow(value[1].data, value[1].data, value[1].len);

    if (rlcf->headers == NGX_CONF_UNSET_PTR) {
        rlcf->headers = ngx_array_create(cf->pool, 4,
                                       sizeof(ngx_http_registry_s3_header_t));
        if (rlcf->headers == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    /* S3 would see both values, and a signature of one */

    if (ngx_http_registry_s3_conf_header_given(rlcf->headers, &value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"registry_s3_header %V\" is given twice",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    /* the limit of what is signed, less what the module signs itself */

    if (rlcf->headers->nelts == NGX_REGISTRY_SIGV4_HEADERS_MAX - 8) {
        return "is given too often";
    }

    header = ngx_array_push(rlcf->headers);
    if (header == NULL) {
        return NGX_CONF_ERROR;
    }

    header->name = value[1];
    header->value = value[2];
    header->scope = NGX_HTTP_REGISTRY_S3_HEADER_WRITE;

    if (cf->args->nelts == 3) {
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[3].data, "all") == 0) {
        header->scope = NGX_HTTP_REGISTRY_S3_HEADER_ALL;

    } else if (ngx_strcmp(value[3].data, "blob") == 0) {
        header->scope = NGX_HTTP_REGISTRY_S3_HEADER_BLOB;

    } else if (ngx_strcmp(value[3].data, "write") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"registry_s3_header\", "
                           "it is \"write\", \"blob\" or \"all\"", &value[3]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_http_registry_s3_conf_header_given(ngx_array_t *headers, ngx_str_t *name)
{
    ngx_uint_t                      i;
    ngx_http_registry_s3_header_t  *header;

    header = headers->elts;

    for (i = 0; i < headers->nelts; i++) {

        if (header[i].name.len == name->len
            && ngx_memcmp(header[i].name.data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static char *
ngx_http_registry_s3_conf_header_check(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char      ch;
    size_t      i;
    ngx_str_t  *reserved;

    /* RFC 9110, Field Names and Field Values */

    if (name->len == 0) {
        return "has no name of a header";
    }

    for (i = 0; i < name->len; i++) {
        ch = name->data[i] | 0x20;

        if (!(ch >= 'a' && ch <= 'z') && name->data[i] != '-'
            && !(name->data[i] >= '0' && name->data[i] <= '9'))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid name \"%V\" in "
                               "\"registry_s3_header\"", name);
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_strlchr(value->data, value->data + value->len, '$')) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"registry_s3_header %V %V\": variables are not "
                           "supported there", name, value);
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < value->len; i++) {
        if (value->data[i] < 0x20 || value->data[i] == 0x7f) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "control character in the value of "
                               "\"registry_s3_header %V\"", name);
            return NGX_CONF_ERROR;
        }
    }

    for (reserved = ngx_http_registry_s3_reserved; reserved->len; reserved++) {

        if (reserved->len == name->len
            && ngx_strncasecmp(reserved->data, name->data, name->len) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"registry_s3_header %V\" is set by the "
                               "module itself", name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}
