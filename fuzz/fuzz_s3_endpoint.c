
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Endpoints of S3.  The first byte has the flags; bucket, region and endpoint
 * follow, with a line feed between them.
 */


#include "ngx_registry_s3_endpoint.h"

#include "fuzz.h"


static void fuzz_endpoint(const ngx_registry_s3_bucket_t *b,
    const ngx_registry_s3_endpoint_t *ep);
static void fuzz_again(const ngx_registry_s3_bucket_t *b,
    const ngx_registry_s3_endpoint_t *ep);
static ngx_registry_span_t fuzz_line(const uint8_t **p, const uint8_t *last);


int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    const uint8_t                *last;
    ngx_registry_s3_bucket_t      b;
    ngx_registry_s3_endpoint_t    ep;

    if (len == 0) {
        return 0;
    }

    last = p + len;

    b.path_style = p[0] % 3 - 1;
    b.dualstack = (p[0] >> 6) & 1;
    b.fips = (p[0] >> 7) & 1;

    p++;

    b.bucket = fuzz_line(&p, last);
    b.region = fuzz_line(&p, last);
    b.endpoint = fuzz_span(p, (size_t) (last - p));

    memset(&ep, 0xa5, sizeof(ngx_registry_s3_endpoint_t));

    if (ngx_registry_s3_endpoint(&b, &ep) != NGX_REGISTRY_OK) {
        check(ep.error != NULL && *ep.error != '\0');
        return 0;
    }

    check(ep.error == NULL);

    fuzz_endpoint(&b, &ep);
    fuzz_again(&b, &ep);

    return 0;
}


static ngx_registry_span_t
fuzz_line(const uint8_t **p, const uint8_t *last)
{
    const uint8_t        *end;
    ngx_registry_span_t   s;

    for (end = *p; end < last && *end != '\n'; end++) { /* void */ }

    s = fuzz_span(*p, (size_t) (end - *p));
    *p = (end < last) ? end + 1 : last;

    return s;
}


static void
fuzz_endpoint(const ngx_registry_s3_bucket_t *b,
    const ngx_registry_s3_endpoint_t *ep)
{
    char                  want[300];
    size_t                i;
    u_char                ch;
    ngx_registry_span_t   s;

    check(ep->host_len > 0 && ep->host_len <= sizeof(ep->host));
    check(ep->authority_len >= ep->host_len
          && ep->authority_len <= sizeof(ep->authority));
    check(ep->path_len <= sizeof(ep->path));
    check(ep->port != 0);

    /* nothing that would end a line or a host in the request */

    for (i = 0; i < ep->authority_len; i++) {
        ch = ep->authority[i];
        check(ch > 0x20 && ch < 0x7f && strchr("/?#@%\\\"", ch) == NULL);
    }

    check(ep->path_len == 0 || ep->path[0] == '/');
    check(ep->path_len == 0 || ep->path[ep->path_len - 1] != '/');

    for (i = 0; i < ep->path_len; i++) {
        ch = ep->path[i];
        check(ch > 0x20 && ch < 0x7f && strchr("?#\\\"", ch) == NULL);
    }

    /* Host says where the request goes */

    i = (size_t) snprintf(want, sizeof(want),
                          memchr(ep->host, ':', ep->host_len) ? "[%.*s]"
                                                              : "%.*s",
                          (int) ep->host_len, (char *) ep->host);

    if (ep->port != (ep->tls ? 443 : 80)) {
        i += (size_t) snprintf(want + i, sizeof(want) - i, ":%u", ep->port);
    }

    check(i == ep->authority_len && memcmp(want, ep->authority, i) == 0);

    /* the bucket is in one of them */

    if (ep->path_style) {
        check(b->path_style != 0 || b->endpoint.len == 0);
        check(ep->path_len > b->bucket.len);
        s = fuzz_span(ep->path + ep->path_len - b->bucket.len, b->bucket.len);
        check(ep->path[ep->path_len - b->bucket.len - 1] == '/');

    } else {
        check(b->path_style != 1);
        check(ep->host_len > b->bucket.len + 1);
        s = fuzz_span(ep->host, b->bucket.len);
        check(ep->host[b->bucket.len] == '.');
    }

    check(fuzz_same(&s, &b->bucket));

    if (b->endpoint.len == 0) {
        check(ep->tls && ep->port == 443);
        check(memchr(ep->host, ':', ep->host_len) == NULL);
    }
}


/*
 * The result as an endpoint of one's own is the same.
 */
static void
fuzz_again(const ngx_registry_s3_bucket_t *b,
    const ngx_registry_s3_endpoint_t *ep)
{
    int                          n;
    char                         url[300];
    ngx_registry_s3_bucket_t     custom;
    ngx_registry_s3_endpoint_t   same;

    n = snprintf(url, sizeof(url), "%s://%.*s", ep->tls ? "https" : "http",
                 (int) ep->authority_len, (char *) ep->authority);

    custom = *b;
    custom.endpoint = fuzz_span(url, (size_t) n);
    custom.path_style = 1;
    custom.dualstack = 0;
    custom.fips = 0;

    check(ngx_registry_s3_endpoint(&custom, &same) == NGX_REGISTRY_OK);
    check(same.tls == ep->tls && same.port == ep->port);
    check(same.host_len == ep->host_len
          && memcmp(same.host, ep->host, ep->host_len) == 0);
    check(same.authority_len == ep->authority_len
          && memcmp(same.authority, ep->authority, ep->authority_len) == 0);
}
