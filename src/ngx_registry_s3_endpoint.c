
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_s3_endpoint.h"
#include "ngx_registry_sigv4.h"


typedef struct {
    const char  *prefix;          /* of the region */
    const char  *suffix;
} ngx_registry_s3_partition_t;


static ngx_registry_status_e ngx_registry_s3_fail(
    ngx_registry_s3_endpoint_t *ep, const char *error);
static ngx_registry_status_e ngx_registry_s3_bucket_check(
    const ngx_registry_s3_bucket_t *b, ngx_registry_s3_endpoint_t *ep);
static int ngx_registry_s3_bucket_dns(const ngx_registry_span_t *bucket);
static ngx_registry_status_e ngx_registry_s3_bucket_host(
    const ngx_registry_span_t *bucket, ngx_registry_s3_endpoint_t *ep);
static ngx_registry_status_e ngx_registry_s3_region_check(
    const ngx_registry_span_t *region, ngx_registry_s3_endpoint_t *ep);
static ngx_registry_status_e ngx_registry_s3_aws(
    const ngx_registry_s3_bucket_t *b, ngx_registry_s3_endpoint_t *ep);
static ngx_registry_status_e ngx_registry_s3_custom(
    const ngx_registry_s3_bucket_t *b, ngx_registry_s3_endpoint_t *ep);
static ngx_registry_status_e ngx_registry_s3_custom_authority(
    ngx_registry_span_t *rest, ngx_registry_s3_endpoint_t *ep,
    int *literal);
static ngx_registry_status_e ngx_registry_s3_custom_port(
    const u_char *p, const u_char *last, ngx_registry_s3_endpoint_t *ep);
static ngx_registry_status_e ngx_registry_s3_custom_path(
    const ngx_registry_span_t *rest, ngx_registry_s3_endpoint_t *ep);
static ngx_registry_status_e ngx_registry_s3_host(
    ngx_registry_s3_endpoint_t *ep, const u_char *p, size_t len);
static ngx_registry_status_e ngx_registry_s3_address(
    const ngx_registry_s3_bucket_t *b, ngx_registry_s3_endpoint_t *ep);
static int ngx_registry_s3_has(const ngx_registry_span_t *s,
    const char *prefix, const char *suffix);

#define ngx_registry_s3_host_literal(ep, text)                                \
    ngx_registry_s3_host(ep, (const u_char *) (text), strlen(text))


/* botocore partitions.json: regions are told apart by their names */

static const ngx_registry_s3_partition_t  ngx_registry_s3_partitions[] = {
    { "cn-", "amazonaws.com.cn" },
    { "us-isob-", "sc2s.sgov.gov" },
    { "us-isof-", "csp.hci.ic.gov" },
    { "eu-isoe-", "cloud.adc-e.uk" },
    { "us-iso-", "c2s.ic.gov" },
    { "eusc-", "amazonaws.eu" },
    { "", "amazonaws.com" }
};


ngx_registry_status_e
ngx_registry_s3_endpoint(const ngx_registry_s3_bucket_t *b,
    ngx_registry_s3_endpoint_t *ep)
{
    ngx_registry_status_e  rc;

    memset(ep, 0, sizeof(ngx_registry_s3_endpoint_t));

    rc = ngx_registry_s3_bucket_check(b, ep);

    if (rc == NGX_REGISTRY_OK) {
        rc = ngx_registry_s3_region_check(&b->region, ep);
    }

    if (rc != NGX_REGISTRY_OK) {
        return rc;
    }

    return b->endpoint.len ? ngx_registry_s3_custom(b, ep)
                           : ngx_registry_s3_aws(b, ep);
}


static ngx_registry_status_e
ngx_registry_s3_fail(ngx_registry_s3_endpoint_t *ep, const char *error)
{
    ep->error = error;

    return NGX_REGISTRY_INVALID;
}


static int
ngx_registry_s3_has(const ngx_registry_span_t *s, const char *prefix,
    const char *suffix)
{
    size_t  n, m;

    n = strlen(prefix);
    m = strlen(suffix);

    return s->len >= n + m
           && memcmp(s->data, prefix, n) == 0
           && memcmp(s->data + s->len - m, suffix, m) == 0;
}


static ngx_registry_status_e
ngx_registry_s3_bucket_check(const ngx_registry_s3_bucket_t *b,
    ngx_registry_s3_endpoint_t *ep)
{
    size_t  i;
    u_char  ch, lower;

    if (ngx_registry_s3_has(&b->bucket, "arn:", "")) {
        return ngx_registry_s3_fail(ep, "registry_s3_bucket: an ARN is not "
                     "supported, use the alias of the access point, which "
                     "ends in \"-s3alias\"");
    }

    if (ngx_registry_s3_has(&b->bucket, "", "--x-s3")) {
        return ngx_registry_s3_fail(ep, "registry_s3_bucket: directory "
                     "buckets of S3 Express are not supported");
    }

    if (b->bucket.len < 3 || b->bucket.len > 255) {
        return ngx_registry_s3_fail(ep, "registry_s3_bucket: a bucket name "
                     "has 3 to 63 characters");
    }

    /* S3 User Guide, Bucket naming rules, with those of before 2018 */

    for (i = 0; i < b->bucket.len; i++) {
        ch = b->bucket.data[i];
        lower = (u_char) (ch | 0x20);

        if (!((lower >= 'a' && lower <= 'z') || (ch >= '0' && ch <= '9')
              || ch == '-' || ch == '.' || ch == '_'))
        {
            return ngx_registry_s3_fail(ep, "registry_s3_bucket: a bucket "
                         "name has letters, digits, \".\" and \"-\"");
        }
    }

    return NGX_REGISTRY_OK;
}


static int
ngx_registry_s3_bucket_dns(const ngx_registry_span_t *bucket)
{
    size_t  i;
    u_char  ch;

    if (bucket->len > 63) {
        return 0;
    }

    for (i = 0; i < bucket->len; i++) {
        ch = bucket->data[i];

        if ((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9')) {
            continue;
        }

        if (ch != '-' || i == 0 || i == bucket->len - 1) {
            return 0;
        }
    }

    return 1;
}


static ngx_registry_status_e
ngx_registry_s3_bucket_host(const ngx_registry_span_t *bucket,
    ngx_registry_s3_endpoint_t *ep)
{
    size_t  i, label;
    u_char  ch;

    /* in lower case it would be the name of another bucket */

    label = 0;

    for (i = 0; i < bucket->len; i++) {
        ch = bucket->data[i];

        if ((ch >= 'A' && ch <= 'Z') || (ch == '.' && label == 0)) {
            break;
        }

        label = (ch == '.') ? 0 : label + 1;

        if (label > 63) {
            break;
        }
    }

    if (i < bucket->len || label == 0) {
        return ngx_registry_s3_fail(ep, "registry_s3_path_style: \"off\" "
                     "needs a bucket whose name can be in a host name: of "
                     "lower case, with 1 to 63 characters between dots");
    }

    return NGX_REGISTRY_OK;
}


static ngx_registry_status_e
ngx_registry_s3_region_check(const ngx_registry_span_t *region,
    ngx_registry_s3_endpoint_t *ep)
{
    size_t  i;
    u_char  ch, lower;

    if (region->len == 0 || region->len > 63) {
        return ngx_registry_s3_fail(ep, "registry_s3_region: a region has a "
                     "name, such as \"eu-central-1\"");
    }

    for (i = 0; i < region->len; i++) {
        ch = region->data[i];
        lower = (u_char) (ch | 0x20);

        if (!((lower >= 'a' && lower <= 'z') || (ch >= '0' && ch <= '9')
              || (ch == '-' && i && i < region->len - 1)))
        {
            return ngx_registry_s3_fail(ep, "registry_s3_region: a region "
                         "has letters, digits and \"-\" only");
        }
    }

    return NGX_REGISTRY_OK;
}


static ngx_registry_status_e
ngx_registry_s3_aws(const ngx_registry_s3_bucket_t *b,
    ngx_registry_s3_endpoint_t *ep)
{
    size_t                              n;
    const char                         *service;
    ngx_registry_status_e               rc;
    const ngx_registry_s3_partition_t  *partition;

    /* regions of AWS end with a digit, their zones with a letter after it */

    n = b->region.len;

    if (n > 1 && b->region.data[n - 1] >= 'a' && b->region.data[n - 1] <= 'z'
        && b->region.data[n - 2] >= '0' && b->region.data[n - 2] <= '9')
    {
        return ngx_registry_s3_fail(ep, "registry_s3_region: this is an "
                     "availability zone, its region is the name without the "
                     "last letter");
    }

    partition = ngx_registry_s3_partitions;

    for ( ;; ) {
        n = strlen(partition->prefix);

        if (b->region.len >= n
            && memcmp(b->region.data, partition->prefix, n) == 0)
        {
            break;
        }

        partition++;
    }

    if (b->fips && strcmp(partition->prefix, "cn-") == 0) {
        return ngx_registry_s3_fail(ep, "registry_s3_fips: there are no FIPS "
                     "endpoints in the regions of China");
    }

    ep->tls = 1;
    ep->port = 443;

    /* no certificate covers a bucket with dots below the host of S3 */

    ep->path_style = (b->path_style == 1
                      || (b->path_style == -1
                          && !ngx_registry_s3_bucket_dns(&b->bucket)))
                     & 1;

    if (!ep->path_style) {
        rc = ngx_registry_s3_bucket_host(&b->bucket, ep);

        if (rc == NGX_REGISTRY_OK) {
            rc = ngx_registry_s3_host(ep, b->bucket.data, b->bucket.len);
        }

        if (rc == NGX_REGISTRY_OK) {
            rc = ngx_registry_s3_host_literal(ep, ".");
        }

        if (rc != NGX_REGISTRY_OK) {
            return rc;
        }
    }

    if (b->fips) {
        service = b->dualstack ? "s3-fips.dualstack." : "s3-fips.";

    } else {
        service = b->dualstack ? "s3.dualstack." : "s3.";
    }

    rc = ngx_registry_s3_host_literal(ep, service);

    if (rc == NGX_REGISTRY_OK) {
        rc = ngx_registry_s3_host(ep, b->region.data, b->region.len);
    }

    if (rc == NGX_REGISTRY_OK) {
        rc = ngx_registry_s3_host_literal(ep, ".");
    }

    if (rc == NGX_REGISTRY_OK) {
        rc = ngx_registry_s3_host_literal(ep, partition->suffix);
    }

    return (rc == NGX_REGISTRY_OK) ? ngx_registry_s3_address(b, ep) : rc;
}


static ngx_registry_status_e
ngx_registry_s3_custom(const ngx_registry_s3_bucket_t *b,
    ngx_registry_s3_endpoint_t *ep)
{
    int                     literal;
    ngx_registry_span_t     rest;
    ngx_registry_status_e   rc;

    if (b->dualstack || b->fips) {
        return ngx_registry_s3_fail(ep, "registry_s3_endpoint: "
                     "registry_s3_dualstack and registry_s3_fips (or "
                     "AWS_USE_DUALSTACK_ENDPOINT, AWS_USE_FIPS_ENDPOINT) are "
                     "for the endpoints of AWS");
    }

    rest = b->endpoint;

    ep->tls = 1;
    ep->port = 443;

    if (ngx_registry_s3_has(&rest, "https://", "")) {
        rest.data += 8;
        rest.len -= 8;

    } else if (ngx_registry_s3_has(&rest, "http://", "")) {
        rest.data += 7;
        rest.len -= 7;
        ep->tls = 0;
        ep->port = 80;

    } else if (rest.len && memchr(rest.data, '/', rest.len)) {
        return ngx_registry_s3_fail(ep, "registry_s3_endpoint: the URL must "
                     "begin with \"https://\" or \"http://\"");
    }

    rc = ngx_registry_s3_custom_authority(&rest, ep, &literal);
    if (rc != NGX_REGISTRY_OK) {
        return rc;
    }

    ep->path_style = (b->path_style != 0) & 1;

    if (!ep->path_style) {

        if (literal) {
            return ngx_registry_s3_fail(ep, "registry_s3_path_style: \"off\" "
                         "needs an endpoint with a name, not an address");
        }

        rc = ngx_registry_s3_bucket_host(&b->bucket, ep);
        if (rc != NGX_REGISTRY_OK) {
            return rc;
        }

        if (ep->host_len + 1 + b->bucket.len > sizeof(ep->host)) {
            return ngx_registry_s3_fail(ep, "registry_s3_endpoint: the host "
                         "name is too long");
        }

        memmove(ep->host + b->bucket.len + 1, ep->host, ep->host_len);
        memcpy(ep->host, b->bucket.data, b->bucket.len);
        ep->host[b->bucket.len] = '.';
        ep->host_len += b->bucket.len + 1;
    }

    rc = ngx_registry_s3_custom_path(&rest, ep);

    return (rc == NGX_REGISTRY_OK) ? ngx_registry_s3_address(b, ep) : rc;
}


static ngx_registry_status_e
ngx_registry_s3_custom_authority(ngx_registry_span_t *rest,
    ngx_registry_s3_endpoint_t *ep, int *literal)
{
    u_char                  ch, lower;
    size_t                  i, colons;
    const u_char           *p, *last, *end;
    ngx_registry_status_e   rc;

    p = rest->data;
    last = p + rest->len;

    for (end = p; end < last && *end != '/'; end++) { /* void */ }

    rest->data = end;
    rest->len = (size_t) (last - end);
    last = end;

    *literal = 1;

    if (p < last && *p == '[') {

        end = memchr(p, ']', (size_t) (last - p));

        if (end == NULL || end == p + 1) {
            return ngx_registry_s3_fail(ep, "registry_s3_endpoint: invalid "
                         "IPv6 address");
        }

        rc = ngx_registry_s3_host(ep, p + 1, (size_t) (end - p - 1));
        p = end + 1;
        colons = 0;

        for (i = 0; i < ep->host_len; i++) {
            ch = ep->host[i];
            lower = (u_char) (ch | 0x20);

            if (!((lower >= 'a' && lower <= 'f') || (ch >= '0' && ch <= '9')
                  || ch == ':' || ch == '.'))
            {
                return ngx_registry_s3_fail(ep, "registry_s3_endpoint: "
                             "invalid IPv6 address");
            }

            colons += (ch == ':');
        }

        /* without colons it would be taken for a name: brackets get lost */

        if (rc == NGX_REGISTRY_OK && colons < 2) {
            return ngx_registry_s3_fail(ep, "registry_s3_endpoint: invalid "
                         "IPv6 address");
        }

    } else {

        for (end = p; end < last && *end != ':'; end++) {
            ch = *end;
            lower = (u_char) (ch | 0x20);

            if (ch == '.' && (end == p || end[-1] == '.')) {
                return ngx_registry_s3_fail(ep, "registry_s3_endpoint: an "
                             "empty label in the host name");
            }

            if (lower >= 'a' && lower <= 'z') {
                *literal = 0;

            } else if (!((ch >= '0' && ch <= '9') || ch == '.' || ch == '-'
                         || ch == '_'))
            {
                return ngx_registry_s3_fail(ep, "registry_s3_endpoint: "
                             "invalid character in the host name");
            }
        }

        rc = ngx_registry_s3_host(ep, p, (size_t) (end - p));
        p = end;
    }

    if (rc != NGX_REGISTRY_OK) {
        return rc;
    }

    if (ep->host_len == 0) {
        return ngx_registry_s3_fail(ep, "registry_s3_endpoint: no host name");
    }

    return ngx_registry_s3_custom_port(p, last, ep);
}


static ngx_registry_status_e
ngx_registry_s3_custom_port(const u_char *p, const u_char *last,
    ngx_registry_s3_endpoint_t *ep)
{
    uint32_t  port;

    if (p == last) {
        return NGX_REGISTRY_OK;
    }

    port = 0;

    if (*p++ == ':' && p < last && last - p <= 5) {

        for ( /* void */ ; p < last && *p >= '0' && *p <= '9'; p++) {
            port = port * 10 + (uint32_t) (*p - '0');
        }
    }

    if (p != last || port == 0 || port > 65535) {
        return ngx_registry_s3_fail(ep, "registry_s3_endpoint: invalid port");
    }

    ep->port = (uint16_t) port;

    return NGX_REGISTRY_OK;
}


static ngx_registry_status_e
ngx_registry_s3_custom_path(const ngx_registry_span_t *rest,
    ngx_registry_s3_endpoint_t *ep)
{
    size_t                i, len;
    ngx_registry_span_t   path;

    path = *rest;

    while (path.len && path.data[path.len - 1] == '/') {
        path.len--;
    }

    for (i = 0; i < path.len; i++) {

        if (path.data[i] == '?' || path.data[i] == '#'
            || path.data[i] == '%' || path.data[i] <= 0x20)
        {
            return ngx_registry_s3_fail(ep, "registry_s3_endpoint: a query, "
                         "a fragment or an encoded character is not "
                         "supported");
        }
    }

    len = ngx_registry_uri_encode_len(&path, 1);

    if (len > sizeof(ep->path)) {
        return ngx_registry_s3_fail(ep, "registry_s3_endpoint: the path is "
                     "too long");
    }

    ep->path_len = (size_t) (ngx_registry_uri_encode_write(ep->path, &path, 1)
                             - ep->path);

    return NGX_REGISTRY_OK;
}


static ngx_registry_status_e
ngx_registry_s3_host(ngx_registry_s3_endpoint_t *ep, const u_char *p,
    size_t len)
{
    if (len > sizeof(ep->host) - ep->host_len) {
        return ngx_registry_s3_fail(ep, "the host name of the endpoint is "
                     "too long");
    }

    if (len) {
        memcpy(ep->host + ep->host_len, p, len);
        ep->host_len += len;
    }

    return NGX_REGISTRY_OK;
}


static ngx_registry_status_e
ngx_registry_s3_address(const ngx_registry_s3_bucket_t *b,
    ngx_registry_s3_endpoint_t *ep)
{
    u_char    *p;
    unsigned   port, divisor;

    /* the bucket in the path */

    if (ep->path_style) {

        if (b->bucket.len + 1 > sizeof(ep->path) - ep->path_len) {
            return ngx_registry_s3_fail(ep, "registry_s3_endpoint: the path "
                         "is too long");
        }

        ep->path[ep->path_len++] = '/';
        memcpy(ep->path + ep->path_len, b->bucket.data, b->bucket.len);
        ep->path_len += b->bucket.len;
    }

    /* Host: the port only if it is not the scheme's */

    p = ep->authority;

    if (memchr(ep->host, ':', ep->host_len)) {
        *p++ = '[';
        memcpy(p, ep->host, ep->host_len);
        p += ep->host_len;
        *p++ = ']';

    } else {
        memcpy(p, ep->host, ep->host_len);
        p += ep->host_len;
    }

    if (ep->port != (ep->tls ? 443 : 80)) {

        *p++ = ':';
        port = ep->port;

        for (divisor = 10000; divisor > port; divisor /= 10) { /* void */ }

        for ( /* void */ ; divisor; divisor /= 10) {
            *p++ = (u_char) ('0' + port / divisor % 10);
        }
    }

    ep->authority_len = (size_t) (p - ep->authority);

    return NGX_REGISTRY_OK;
}
