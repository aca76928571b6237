
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_s3_endpoint.c.
 */


#include "ngx_registry_s3_endpoint.h"

#include "tap.h"


typedef struct {
    const char  *bucket;
    const char  *region;
    const char  *endpoint;
    int          path_style;
    unsigned     dualstack;
    unsigned     fips;
    const char  *url;               /* or the beginning of the error */
} endpoint_case_t;


#include "data/s3_endpoints.h"


#define A16   "aaaaaaaaaaaaaaaa"
#define A63   A16 A16 A16 "aaaaaaaaaaaaaaa"
#define A64   A63 "a"
#define A250  A63 A63 A63 A16 A16 A16 "aaaaaaaaaaaaa"
#define A255  A250 "aaaaa"

/* 4 characters and a path of 508, with the bucket 512 */

#define P16   "/bcdefghijklmnop"
#define P128  P16 P16 P16 P16 P16 P16 P16 P16
#define P508  P128 P128 P128 P16 P16 P16 P16 P16 P16 P16 "/bcdefghijkl"

#define VPCE  "vpce-1a2b3c4d-5e6f.s3.us-west-2.vpce.amazonaws.com"

#define B     "registry_s3_bucket: "
#define R     "registry_s3_region: "
#define E     "registry_s3_endpoint: "


static const endpoint_case_t  cases[] = {

    /* partitions: by the beginning of the region */

    { "bkt", "us-east-1", "", -1, 0, 0,
      "https://bkt.s3.us-east-1.amazonaws.com" },
    { "bkt", "eu-central-1", "", -1, 0, 0,
      "https://bkt.s3.eu-central-1.amazonaws.com" },
    { "bkt", "us-gov-west-1", "", -1, 0, 0,
      "https://bkt.s3.us-gov-west-1.amazonaws.com" },
    { "bkt", "us-gov-east-1", "", -1, 1, 1,
      "https://bkt.s3-fips.dualstack.us-gov-east-1.amazonaws.com" },
    { "bkt", "cn-northwest-1", "", -1, 0, 0,
      "https://bkt.s3.cn-northwest-1.amazonaws.com.cn" },
    { "bkt", "us-iso-east-1", "", -1, 0, 0,
      "https://bkt.s3.us-iso-east-1.c2s.ic.gov" },
    { "bkt", "us-isob-east-1", "", -1, 0, 0,
      "https://bkt.s3.us-isob-east-1.sc2s.sgov.gov" },
    { "bkt", "us-isof-south-1", "", -1, 0, 0,
      "https://bkt.s3.us-isof-south-1.csp.hci.ic.gov" },
    { "bkt", "eu-isoe-west-1", "", -1, 0, 0,
      "https://bkt.s3.eu-isoe-west-1.cloud.adc-e.uk" },
    { "bkt", "eusc-de-east-1", "", -1, 0, 0,
      "https://bkt.s3.eusc-de-east-1.amazonaws.eu" },
    { "bkt", "us-iso-east-1", "", 1, 0, 1,
      "https://s3-fips.us-iso-east-1.c2s.ic.gov/bkt" },
    { "bkt", "cn", "", -1, 0, 0,
      "https://bkt.s3.cn.amazonaws.com" },
    { "bkt", "cnx-north-1", "", -1, 0, 0,
      "https://bkt.s3.cnx-north-1.amazonaws.com" },
    { "bkt", "a", "", -1, 0, 0,
      "https://bkt.s3.a.amazonaws.com" },
    { "bkt", A63, "", -1, 0, 0,
      "https://bkt.s3." A63 ".amazonaws.com" },

    /* names that are no label of a host go into the path, if not told */

    { "a-1", "us-east-1", "", -1, 0, 0,
      "https://a-1.s3.us-east-1.amazonaws.com" },
    { "123", "us-east-1", "", -1, 0, 0,
      "https://123.s3.us-east-1.amazonaws.com" },
    { A63, "us-east-1", "", -1, 0, 0,
      "https://" A63 ".s3.us-east-1.amazonaws.com" },
    { A64, "us-east-1", "", -1, 0, 0,
      "https://s3.us-east-1.amazonaws.com/" A64 },
    { A255, "us-east-1", "", -1, 0, 0,
      "https://s3.us-east-1.amazonaws.com/" A255 },
    { "-aa", "us-east-1", "", -1, 0, 0,
      "https://s3.us-east-1.amazonaws.com/-aa" },
    { "aa-", "us-east-1", "", -1, 0, 0,
      "https://s3.us-east-1.amazonaws.com/aa-" },
    { "a_b", "us-east-1", "", -1, 0, 0,
      "https://s3.us-east-1.amazonaws.com/a_b" },
    { "aBc", "us-east-1", "", -1, 0, 0,
      "https://s3.us-east-1.amazonaws.com/aBc" },
    { "my.registry.example", "eu-west-1", "", -1, 0, 0,
      "https://s3.eu-west-1.amazonaws.com/my.registry.example" },
    { "my.registry.example", "eu-west-1", "", -1, 1, 0,
      "https://s3.dualstack.eu-west-1.amazonaws.com/my.registry.example" },
    { "my.registry.example", "eu-west-1", "", 1, 0, 0,
      "https://s3.eu-west-1.amazonaws.com/my.registry.example" },
    { "my.registry.example", "eu-west-1", "", 0, 0, 0,
      "https://my.registry.example.s3.eu-west-1.amazonaws.com" },
    { "bkt", "eu-west-1", "", 0, 0, 0,
      "https://bkt.s3.eu-west-1.amazonaws.com" },
    { A63 "." A63, "eu-west-1", "", 0, 0, 0,
      "https://" A63 "." A63 ".s3.eu-west-1.amazonaws.com" },
    { "b_t", "garage", "http://h", 0, 0, 0, "http://b_t.h" },

    /* alias of an access point: as a bucket */

    { "reg-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias", "us-west-2", "", -1,
      0, 0,
      "https://reg-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias"
      ".s3.us-west-2.amazonaws.com" },
    { "reg-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias", "us-west-2", "", -1,
      1, 1,
      "https://reg-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias"
      ".s3-fips.dualstack.us-west-2.amazonaws.com" },

    /* endpoints of one's own: the bucket is in the path, if not told */

    { "bkt", "us-west-2", "https://bucket." VPCE, -1, 0, 0,
      "https://bucket." VPCE "/bkt" },
    { "bkt", "us-west-2", "https://bucket." VPCE, 0, 0, 0,
      "https://bkt.bucket." VPCE },
    { "bkt", "us-west-2", "https://accesspoint." VPCE, 0, 0, 0,
      "https://bkt.accesspoint." VPCE },
    { "bkt", "garage", "s3.example.com", -1, 0, 0,
      "https://s3.example.com/bkt" },
    { "bkt", "garage", "minio:9000", -1, 0, 0,
      "https://minio:9000/bkt" },
    { "bkt", "garage", "http://minio:9000", -1, 0, 0,
      "http://minio:9000/bkt" },
    { "bkt", "garage", "http://minio:9000/", -1, 0, 0,
      "http://minio:9000/bkt" },
    { "bkt", "garage", "http://minio:9000///", 1, 0, 0,
      "http://minio:9000/bkt" },
    { "bkt", "garage", "http://minio:9000", 0, 0, 0,
      "http://bkt.minio:9000" },
    { "bkt", "garage", "http://S3.Example.com", -1, 0, 0,
      "http://S3.Example.com/bkt" },
    { "bkt", "garage", "http://s3_a.example.com.", -1, 0, 0,
      "http://s3_a.example.com./bkt" },
    { "my.bkt", "garage", "https://s3.example.com", -1, 0, 0,
      "https://s3.example.com/my.bkt" },
    { "Bk_t", "garage", "https://s3.example.com", -1, 0, 0,
      "https://s3.example.com/Bk_t" },
    { "bkt", "EU", "https://s3.example.com", -1, 0, 0,
      "https://s3.example.com/bkt" },

    /* ports: not in Host if it is that of the scheme */

    { "bkt", "garage", "http://h:80", -1, 0, 0, "http://h/bkt" },
    { "bkt", "garage", "https://h:443", -1, 0, 0, "https://h/bkt" },
    { "bkt", "garage", "http://h:443", -1, 0, 0, "http://h:443/bkt" },
    { "bkt", "garage", "https://h:80", -1, 0, 0, "https://h:80/bkt" },
    { "bkt", "garage", "http://h:1", -1, 0, 0, "http://h:1/bkt" },
    { "bkt", "garage", "http://h:00080", -1, 0, 0, "http://h/bkt" },
    { "bkt", "garage", "http://h:100", -1, 0, 0, "http://h:100/bkt" },
    { "bkt", "garage", "http://h:10000", -1, 0, 0, "http://h:10000/bkt" },
    { "bkt", "garage", "http://h:65535", -1, 0, 0, "http://h:65535/bkt" },

    /* addresses */

    { "bkt", "garage", "http://10.0.1.12:433", -1, 0, 0,
      "http://10.0.1.12:433/bkt" },
    { "bkt", "garage", "http://[::1]", -1, 0, 0, "http://[::1]/bkt" },
    { "bkt", "garage", "http://[::1]:9000", -1, 0, 0,
      "http://[::1]:9000/bkt" },
    { "bkt", "garage", "[2001:DB8::a]:443", 1, 0, 0,
      "https://[2001:DB8::a]/bkt" },
    { "bkt", "garage", "https://[::ffff:10.0.0.1]/a", -1, 0, 0,
      "https://[::ffff:10.0.0.1]/a/bkt" },

    /* paths: encoded once */

    { "bkt", "garage", "http://h/s3", -1, 0, 0, "http://h/s3/bkt" },
    { "bkt", "garage", "http://h/s3/", -1, 0, 0, "http://h/s3/bkt" },
    { "bkt", "garage", "http://h/a/b//", -1, 0, 0, "http://h/a/b/bkt" },
    { "bkt", "garage", "http://h/s3", 0, 0, 0, "http://bkt.h/s3" },
    { "bkt", "garage", "http://h:8/a+b:c~", -1, 0, 0,
      "http://h:8/a%2Bb%3Ac~/bkt" },
    { "bkt", "garage", "http://h/\xc3\xa9", -1, 0, 0,
      "http://h/%C3%A9/bkt" },
    { "bkt", "garage", "http://h/a@b", -1, 0, 0, "http://h/a%40b/bkt" },
    { "bkt", "garage", "http://h" P508, -1, 0, 0, "http://h" P508 "/bkt" },
    { "bkt", "garage", "http://h" P508 "/bkt", 0, 0, 0,
      "http://bkt.h" P508 "/bkt" },

    /* hosts: 256 bytes at most */

    { "bkt", "garage", "http://" A255 "a", -1, 0, 0,
      "http://" A255 "a/bkt" },
    { "bkt", "garage", "http://" A250 "aa:65535", 0, 0, 0,
      "http://bkt." A250 "aa:65535" }
};


static const endpoint_case_t  refused[] = {

    /* buckets; the first three are in the rules of botocore */

    { "aa", "us-east-1", "", -1, 0, 0, B "a bucket name has 3 to 63" },
    { "bucket!", "us-east-1", "", -1, 1, 1, B "a bucket name has letters" },
    { "example.com#", "us-west-2", "", -1, 0, 0,
      B "a bucket name has letters" },
    { "", "us-east-1", "", -1, 0, 0, B "a bucket name has 3 to 63" },
    { A255 "a", "us-east-1", "", -1, 0, 0, B "a bucket name has 3 to 63" },
    { "a b", "us-east-1", "", -1, 0, 0, B "a bucket name has letters" },
    { "a/b", "us-east-1", "", -1, 0, 0, B "a bucket name has letters" },
    { "a%62", "us-east-1", "", -1, 0, 0, B "a bucket name has letters" },
    { "a?b", "us-east-1", "http://h", -1, 0, 0, B "a bucket name has" },
    { "abc\n", "us-east-1", "", -1, 0, 0, B "a bucket name has letters" },
    { "a@b", "us-east-1", "", 0, 0, 0, B "a bucket name has letters" },
    { "a[b", "us-east-1", "", 0, 0, 0, B "a bucket name has letters" },
    { "a\xc3\xa9", "us-east-1", "", -1, 0, 0, B "a bucket name has letters" },
    { "s3://bkt", "us-east-1", "", -1, 0, 0, B "a bucket name has letters" },

    /* zones, which no region is named like */

    { "bkt", "eu-central-1a", "", -1, 0, 0,
      "registry_s3_region: this is an availability zone" },
    { "bkt", "us-gov-west-1b", "", 0, 1, 1,
      "registry_s3_region: this is an availability zone" },

    /* ARNs, with the hint */

    { "arn:aws:s3:us-west-2:123456789012:accesspoint/reg", "us-west-2", "",
      -1, 0, 0,
      B "an ARN is not supported, use the alias of the access point, which "
      "ends in \"-s3alias\"" },
    { "arn:aws:s3:::bkt", "us-west-2", "http://h", 1, 0, 0,
      B "an ARN is not supported, use the alias" },
    { "arn:", "us-west-2", "", -1, 0, 0, B "an ARN is not supported" },

    { "reg--usw2-az1--x-s3", "us-west-2", "", -1, 0, 0,
      B "directory buckets of S3 Express are not supported" },

    /* regions */

    { "bkt", "", "", -1, 0, 0, R "a region has a name" },
    { "bkt", "", "http://h", -1, 0, 0, R "a region has a name" },
    { "bkt", A64, "", -1, 0, 0, R "a region has a name" },
    { "bkt", "us east", "", -1, 0, 0, R "a region has letters" },
    { "bkt", "us-east-1/", "", -1, 0, 0, R "a region has letters" },
    { "bkt", "us.east", "", -1, 0, 0, R "a region has letters" },
    { "bkt", "us_east", "", -1, 0, 0, R "a region has letters" },
    { "bkt", "-us", "", -1, 0, 0, R "a region has letters" },
    { "bkt", "us-", "", -1, 0, 0, R "a region has letters" },
    { "bkt", "us-east-1\n", "", -1, 0, 0, R "a region has letters" },
    { "bkt", "@host", "http://h", -1, 0, 0, R "a region has letters" },

    { "bkt", "cn-north-1", "", -1, 0, 1,
      "registry_s3_fips: there are no FIPS endpoints in the regions of "
      "China" },
    { "bkt", "cn-north-1", "", 1, 1, 1, "registry_s3_fips: there are no" },

    /* endpoints of AWS only */

    { "bkt", "us-west-2", "http://h", -1, 1, 0,
      E "registry_s3_dualstack and registry_s3_fips" },
    { "bkt", "us-west-2", "http://h", -1, 0, 1,
      E "registry_s3_dualstack and registry_s3_fips" },

    /* URLs */

    { "bkt", "garage", "ftp://h", -1, 0, 0, E "the URL must begin with" },
    { "bkt", "garage", "h/a", -1, 0, 0, E "the URL must begin with" },
    { "bkt", "garage", "//h", -1, 0, 0, E "the URL must begin with" },
    { "bkt", "garage", "http:/h", -1, 0, 0, E "the URL must begin with" },
    { "bkt", "garage", "HTTP://h", -1, 0, 0, E "the URL must begin with" },
    { "bkt", "garage", " http://h", -1, 0, 0, E "the URL must begin with" },
    { "bkt", "garage", "http://", -1, 0, 0, E "no host name" },
    { "bkt", "garage", "http:///a", -1, 0, 0, E "no host name" },
    { "bkt", "garage", "http://:80", -1, 0, 0, E "no host name" },
    { "bkt", "garage", ":80", -1, 0, 0, E "no host name" },
    { "bkt", "garage", "http://h h", -1, 0, 0, E "invalid character" },
    { "bkt", "garage", "http://u@h", -1, 0, 0, E "invalid character" },
    { "bkt", "garage", "http://u:p@h", -1, 0, 0, E "invalid port" },
    { "bkt", "garage", "http://h?a", -1, 0, 0, E "invalid character" },
    { "bkt", "garage", "http://h%41", -1, 0, 0, E "invalid character" },
    { "bkt", "garage", "http://h\n", -1, 0, 0, E "invalid character" },
    { "bkt", "garage", "http://\xc3\xa9", -1, 0, 0, E "invalid character" },

    { "bkt", "garage", "http://h:", -1, 0, 0, E "invalid port" },
    { "bkt", "garage", "http://h:0", -1, 0, 0, E "invalid port" },
    { "bkt", "garage", "http://h:65536", -1, 0, 0, E "invalid port" },
    { "bkt", "garage", "http://h:000080", -1, 0, 0, E "invalid port" },
    { "bkt", "garage", "http://h:99999999999", -1, 0, 0, E "invalid port" },
    { "bkt", "garage", "http://h:-1", -1, 0, 0, E "invalid port" },
    { "bkt", "garage", "http://h:8x", -1, 0, 0, E "invalid port" },
    { "bkt", "garage", "http://h:8:8", -1, 0, 0, E "invalid port" },
    { "bkt", "garage", "http://::1", -1, 0, 0, E "no host name" },

    { "bkt", "garage", "http://[]", -1, 0, 0, E "invalid IPv6 address" },
    { "bkt", "garage", "http://[::1", -1, 0, 0, E "invalid IPv6 address" },
    { "bkt", "garage", "http://[", -1, 0, 0, E "invalid IPv6 address" },
    { "bkt", "garage", "http://[/]", -1, 0, 0, E "invalid IPv6 address" },
    { "bkt", "garage", "http://[h]", -1, 0, 0, E "invalid IPv6 address" },
    { "bkt", "garage", "http://[dead]", -1, 0, 0, E "invalid IPv6 address" },
    { "bkt", "garage", "http://[10.0.0.1]", -1, 0, 0,
      E "invalid IPv6 address" },
    { "bkt", "garage", "http://[a:1]", -1, 0, 0, E "invalid IPv6 address" },
    { "bkt", "garage", "http://.", -1, 0, 0, E "an empty label" },
    { "bkt", "garage", "http://.h", -1, 0, 0, E "an empty label" },
    { "bkt", "garage", "http://a..h", -1, 0, 0, E "an empty label" },
    { "bkt", "garage", "http://a..:80", -1, 0, 0, E "an empty label" },
    { "bkt", "garage", "http://[fe80::1%25eth0]", -1, 0, 0,
      E "invalid IPv6 address" },
    { "bkt", "garage", "http://[::1]x", -1, 0, 0, E "invalid port" },
    { "bkt", "garage", "http://[::1]]", -1, 0, 0, E "invalid port" },
    { "bkt", "garage", "http://[::1]:", -1, 0, 0, E "invalid port" },

    { "bkt", "garage", "http://10.0.0.1", 0, 0, 0,
      "registry_s3_path_style: \"off\" needs an endpoint with a name" },
    { "bkt", "garage", "http://[::1]:9000", 0, 0, 0,
      "registry_s3_path_style: \"off\" needs an endpoint with a name" },

    /* hosts have no case, and labels of 1 to 63 bytes */

    { "Bkt", "us-east-1", "", 0, 0, 0,
      "registry_s3_path_style: \"off\" needs a bucket" },
    { A64, "us-east-1", "", 0, 0, 0,
      "registry_s3_path_style: \"off\" needs a bucket" },
    { "bkT", "garage", "http://h", 0, 0, 0,
      "registry_s3_path_style: \"off\" needs a bucket" },
    { "a." A64 ".b", "garage", "http://h", 0, 0, 0,
      "registry_s3_path_style: \"off\" needs a bucket" },
    { ".bkt", "garage", "http://h", 0, 0, 0,
      "registry_s3_path_style: \"off\" needs a bucket" },
    { "b..t", "garage", "http://h", 0, 0, 0,
      "registry_s3_path_style: \"off\" needs a bucket" },
    { "bkt.", "us-east-1", "", 0, 0, 0,
      "registry_s3_path_style: \"off\" needs a bucket" },

    { "bkt", "garage", "http://h/a?b", -1, 0, 0, E "a query, a fragment" },
    { "bkt", "garage", "http://h/a#b", -1, 0, 0, E "a query, a fragment" },
    { "bkt", "garage", "http://h/%41", -1, 0, 0, E "a query, a fragment" },
    { "bkt", "garage", "http://h/a b", -1, 0, 0, E "a query, a fragment" },
    { "bkt", "garage", "http://h/a\n", -1, 0, 0, E "a query, a fragment" },

    /* one byte more than there is room for */

    { "bkt", "garage", "http://h" P508 "a", -1, 0, 0,
      E "the path is too long" },
    { "bkt", "garage", "http://h" P508 "/bktx", 0, 0, 0,
      E "the path is too long" },
    { "bkt", "garage", "http://" A255 "aa", -1, 0, 0,
      "the host name of the endpoint is too long" },
    { "bkt", "garage", "http://" A250 "aaa", 0, 0, 0,
      E "the host name is too long" }
};


static ngx_registry_span_t
span(const char *text)
{
    ngx_registry_span_t  s;

    s.len = strlen(text);
    s.data = tap_guarded(text, s.len);

    return s;
}


static ngx_registry_status_e
find(const endpoint_case_t *c, ngx_registry_s3_endpoint_t *ep)
{
    ngx_registry_s3_bucket_t  b;

    memset(ep, 0xa5, sizeof(ngx_registry_s3_endpoint_t));

    b.bucket = span(c->bucket);
    b.region = span(c->region);
    b.endpoint = span(c->endpoint);
    b.path_style = c->path_style;
    b.dualstack = c->dualstack & 1;
    b.fips = c->fips & 1;

    return ngx_registry_s3_endpoint(&b, ep);
}


static void
test_url(const endpoint_case_t *c)
{
    int                         n, rc, literal;
    char                        url[1024], authority[300];
    size_t                      skip;
    ngx_registry_s3_endpoint_t  ep;

    if (!ok(find(c, &ep) == NGX_REGISTRY_OK, c->url)) {
        printf("# %s\n", ep.error);
        return;
    }

    n = snprintf(url, sizeof(url), "http%s://%.*s%.*s", ep.tls ? "s" : "",
                 (int) ep.authority_len, (char *) ep.authority,
                 (int) ep.path_len, (char *) ep.path);

    is_bytes(url, (size_t) n, c->url, strlen(c->url), "the URL");

    /* what is connected to is what is asked for */

    literal = (memchr(ep.host, ':', ep.host_len) != NULL);

    n = snprintf(authority, sizeof(authority), "%s%.*s%s:%u",
                 literal ? "[" : "", (int) ep.host_len, (char *) ep.host,
                 literal ? "]" : "", ep.port);

    if (ep.port == (ep.tls ? 443 : 80)) {
        n = (int) (strrchr(authority, ':') - authority);
    }

    is_bytes(ep.authority, ep.authority_len, authority, (size_t) n,
             "host and port");

    /* the bucket is in one of them, once */

    skip = strlen(c->bucket);

    if (ep.path_style) {
        rc = (ep.path_len > skip && ep.path[ep.path_len - skip - 1] == '/'
              && memcmp(ep.path + ep.path_len - skip, c->bucket, skip) == 0);

    } else {
        rc = (ep.host_len > skip && ep.host[skip] == '.'
              && memcmp(ep.host, c->bucket, skip) == 0);
    }

    ok(rc, ep.path_style ? "the bucket in the path" : "... in the host");

    ok(ep.error == NULL, "no error");
}


static void
test_refused(const endpoint_case_t *c)
{
    ngx_registry_s3_endpoint_t  ep;

    if (!ok(find(c, &ep) == NGX_REGISTRY_INVALID, c->url)
        || !ok(ep.error != NULL, "there is a reason"))
    {
        printf("# \"%s\" \"%s\" \"%s\"\n", c->bucket, c->region, c->endpoint);
        return;
    }

    is_bytes(ep.error, strnlen(ep.error, strlen(c->url)), c->url,
             strlen(c->url), "the reason");
}


/*
 * Each byte within a bucket, a region, a host and a path.
 */
static void
test_bytes(void)
{
    char                         bucket[4], region[4], host[13], path[13];
    unsigned                     ch, alnum, n;
    endpoint_case_t              c;
    ngx_registry_s3_endpoint_t   ep;

    static const char  *const names[] = { "bucket", "region", "host", "path" };

    unsigned  bad[4] = { 0, 0, 0, 0 };

    for (ch = 1; ch < 256; ch++) {
        alnum = (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z')
                || (ch >= 'A' && ch <= 'Z');

        (void) snprintf(bucket, sizeof(bucket), "a%cb", (int) ch);
        (void) snprintf(region, sizeof(region), "a%cb", (int) ch);
        (void) snprintf(host, sizeof(host), "http://ha%ch", (int) ch);
        (void) snprintf(path, sizeof(path), "http://h/a%cb", (int) ch);

        for (n = 0; n < 4; n++) {
            memset(&c, 0, sizeof(endpoint_case_t));

            c.bucket = (n == 0) ? bucket : "bkt";
            c.region = (n == 1) ? region : "garage";
            c.endpoint = (n == 2) ? host : (n == 3) ? path : "http://h";
            c.path_style = 1;

            if (find(&c, &ep) == NGX_REGISTRY_OK) {
                bad[n] += !(alnum || ch == '-'
                            || (n == 0 && (ch == '.' || ch == '_'))
                            || (n == 2 && (ch == '.' || ch == '_'
                                           || ch == '/'))
                            || (n == 3 && ch > ' ' && ch != '%' && ch != '?'
                                && ch != '#'));

            } else {
                bad[n] += (alnum || ch == '-');
            }
        }
    }

    for (n = 0; n < 4; n++) {
        ok(bad[n] == 0, names[n]);
    }
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(botocore_cases) / sizeof(botocore_cases[0]); i++) {
        test_url(&botocore_cases[i]);
    }

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_url(&cases[i]);
    }

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        test_refused(&refused[i]);
    }

    test_bytes();

    return done_testing();
}
