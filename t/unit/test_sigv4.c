
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_sigv4.c.
 */


#include "ngx_registry_sigv4.h"

#include "tap.h"


typedef struct {
    const char         *name;
    const char         *value;
} aws_pair_t;


typedef struct {
    const char         *name;
    int                 applies;
    const char         *method;
    const char         *path;
    const aws_pair_t   *query;
    const aws_pair_t   *headers;
    const char         *payload;
    const char         *signature;
} aws_case_t;


#include "data/sigv4_aws.h"


#define AWS_SECRET   "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define S3_SECRET    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

#define EMPTY        NGX_REGISTRY_SIGV4_EMPTY_SHA256


/*
 * Amazon S3 API Reference, Authenticating Requests: the examples for headers,
 * and for a query string, whose parts before the signature are signed alike.
 */

static const aws_pair_t  s3_get_headers[] = {
    { "Host", "examplebucket.s3.amazonaws.com" },
    { "Range", "bytes=0-9" },
    { "x-amz-content-sha256", EMPTY },
    { "x-amz-date", "20130524T000000Z" },
    { NULL, NULL }
};

static const aws_pair_t  s3_put_headers[] = {
    { "Host", "examplebucket.s3.amazonaws.com" },
    { "Date", "Fri, 24 May 2013 00:00:00 GMT" },
    { "x-amz-date", "20130524T000000Z" },
    { "x-amz-storage-class", "REDUCED_REDUNDANCY" },
    { "x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbb"
                              "a87d2b6b4b4e99e42034a8b803f8b072" },
    { NULL, NULL }
};

static const aws_pair_t  s3_headers[] = {
    { "Host", "examplebucket.s3.amazonaws.com" },
    { "x-amz-content-sha256", EMPTY },
    { "x-amz-date", "20130524T000000Z" },
    { NULL, NULL }
};

static const aws_pair_t  s3_host[] = {
    { "host", "examplebucket.s3.amazonaws.com" },
    { NULL, NULL }
};

static const aws_pair_t  s3_chunked_headers[] = {
    { "Host", "s3.amazonaws.com" },
    { "x-amz-date", "20130524T000000Z" },
    { "x-amz-storage-class", "REDUCED_REDUNDANCY" },
    { "x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" },
    { "Content-Encoding", "aws-chunked" },
    { "x-amz-decoded-content-length", "66560" },
    { "Content-Length", "66824" },
    { NULL, NULL }
};

static const aws_pair_t  s3_lifecycle[] = {
    { "lifecycle", "" },
    { NULL, NULL }
};

static const aws_pair_t  s3_list[] = {
    { "prefix", "J" },
    { "max-keys", "2" },
    { NULL, NULL }
};

static const aws_pair_t  s3_presigned[] = {
    { "X-Amz-SignedHeaders", "host" },
    { "X-Amz-Expires", "86400" },
    { "X-Amz-Date", "20130524T000000Z" },
    { "X-Amz-Credential",
      "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request" },
    { "X-Amz-Algorithm", "AWS4-HMAC-SHA256" },
    { NULL, NULL }
};

static const aws_case_t  s3_cases[] = {
    { "S3, GET object", 1, "GET", "/test.txt", NULL, s3_get_headers, EMPTY,
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
    { "S3, PUT object", 1, "PUT", "/test$file.text", NULL, s3_put_headers,
      "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd" },
    { "S3, GET lifecycle", 1, "GET", "/", s3_lifecycle, s3_headers, EMPTY,
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
    { "S3, GET list", 1, "GET", "/", s3_list, s3_headers, EMPTY,
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
    { "S3, presigned GET", 1, "GET", "/test.txt", s3_presigned, s3_host,
      "UNSIGNED-PAYLOAD",
      "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404" },
    { "S3, chunked PUT, seed", 1, "PUT", "/examplebucket/chunkObject.txt",
      NULL, s3_chunked_headers, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9" }
};


static const struct {
    int64_t      sec;
    const char  *date;
} dates[] = {
    { 0, "19700101T000000Z" },
    { 951782399, "20000228T235959Z" },
    { 951782400, "20000229T000000Z" },
    { 1369353600, "20130524T000000Z" },
    { 1440938160, "20150830T123600Z" },
    { 4107542399, "21000228T235959Z" },
    { 4107542400, "21000301T000000Z" }
};


static const struct {
    const char  *in;
    int          slash;
    const char  *out;
} encoded[] = {
    { "", 1, "" },
    { "azAZ09-_.~", 1, "azAZ09-_.~" },
    { "a/b", 1, "a/b" },
    { "a/b", 0, "a%2Fb" },
    { " +*:@$%", 1, "%20%2B%2A%3A%40%24%25" },
    { "\303\244", 1, "%C3%A4" },
    { "/../a//b", 1, "/../a//b" }
};


static ngx_registry_span_t
span(const char *s)
{
    ngx_registry_span_t  sp;

    sp.data = (const u_char *) s;
    sp.len = strlen(s);

    return sp;
}


static size_t
pairs(ngx_registry_pair_t *dst, const aws_pair_t *src)
{
    size_t  n;

    for (n = 0; src && src[n].name; n++) {
        dst[n].name = span(src[n].name);
        dst[n].value = span(src[n].value);
    }

    return n;
}


static void
sign(const aws_case_t *c, const char *access, const char *secret,
    const char *date, const char *service)
{
    size_t                         len, max;
    u_char                         path[512], query[1024], out[2048];
    u_char                         key[NGX_REGISTRY_SIGV4_KEY_LEN], *last;
    ngx_registry_pair_t            q[16], h[NGX_REGISTRY_SIGV4_HEADERS_MAX];
    ngx_registry_span_t            s, a;
    ngx_registry_sigv4_request_t   r;

    memset(&r, 0, sizeof(r));

    s = span(c->path);
    r.path.data = path;
    r.path.len = (size_t) (ngx_registry_uri_encode_write(path, &s, 1) - path);

    len = pairs(q, c->query);
    max = ngx_registry_sigv4_query_len(q, len);
    r.query.data = query;
    r.query.len = (size_t) (ngx_registry_sigv4_query_write(query, q, len)
                            - query);

    ok(r.query.len <= max, "query fits");

    r.method = span(c->method);
    r.headers = h;
    r.nheaders = pairs(h, c->headers);
    r.payload = span(c->payload);
    r.date = span(date);
    r.region = span("us-east-1");
    r.service = span(service);

    s = span(secret);
    a = span(access);

    ok(ngx_registry_sigv4_key(key, &s, r.date.data, &r.region, &r.service)
       == NGX_REGISTRY_OK, "key");

    max = ngx_registry_sigv4_authorization_len(&r, &a);
    last = ngx_registry_sigv4_authorization_write(out, &r, &a, key);

    ok(last != NULL && (size_t) (last - out) <= max, "value fits");
    is_bytes(last - 64, 64, c->signature, 64, c->name);
}


int
main(void)
{
    size_t               i, len;
    u_char               out[64], *p, key[NGX_REGISTRY_SIGV4_KEY_LEN];
    ngx_registry_span_t  s, region, service;

    for (i = 0; i < sizeof(aws_cases) / sizeof(aws_cases[0]); i++) {

        if (!aws_cases[i].applies) {
            printf("# %s: S3 does not normalize paths\n", aws_cases[i].name);
            continue;
        }

        sign(&aws_cases[i], "AKIDEXAMPLE", AWS_SECRET, "20150830T123600Z",
             "service");
    }

    for (i = 0; i < sizeof(s3_cases) / sizeof(s3_cases[0]); i++) {
        sign(&s3_cases[i], "AKIAIOSFODNN7EXAMPLE", S3_SECRET,
             "20130524T000000Z", "s3");
    }

    for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        p = ngx_registry_sigv4_date_write(out, dates[i].sec);
        is_bytes(out, (size_t) (p - out), dates[i].date, 16, dates[i].date);
    }

    for (i = 0; i < sizeof(encoded) / sizeof(encoded[0]); i++) {
        len = strlen(encoded[i].in);
        s.data = tap_guarded(encoded[i].in, len);
        s.len = len;

        p = ngx_registry_uri_encode_write(out, &s, encoded[i].slash);
        is_bytes(out, (size_t) (p - out), encoded[i].out,
                 strlen(encoded[i].out), encoded[i].out);
        ok(ngx_registry_uri_encode_len(&s, encoded[i].slash)
           == strlen(encoded[i].out), "its length");
    }

    memset(out, 'a', sizeof(out));
    s.data = tap_guarded(encoded, 0);
    s.len = 100000;
    region = span("us-east-1");
    service = span("s3");

    ok(ngx_registry_sigv4_key(key, &s, out, &region, &service)
       == NGX_REGISTRY_TOO_LONG, "a secret of that length is none");

    return done_testing();
}
