
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_route.c.
 */


#include "ngx_registry_route.h"

#include "tap.h"


#define HEX16    "0123456789abcdef"
#define HEX64    HEX16 HEX16 HEX16 HEX16
#define SHA256   "sha256:" HEX64
#define SHA512   "sha512:" HEX64 HEX64
#define UUID     "01936a2e-7b1c-7a3d-9c45-0123456789ab"
#define NAME255  HEX64 HEX64 HEX64 HEX16 HEX16 HEX16 "0123456789abcde"
#define TAG128   HEX64 HEX64


typedef struct {
    const char             *path;
    ngx_registry_status_e   rc;
    ngx_registry_route_e    type;
    const char             *name;
    const char             *reference;
} test_t;


#define found(path, type, name, reference)                                    \
    { path, NGX_REGISTRY_OK, NGX_REGISTRY_ROUTE_ ## type, name, reference }

#define not_found(path)                                                       \
    { path, NGX_REGISTRY_NOT_FOUND, NGX_REGISTRY_ROUTE_UNKNOWN, "", "" }

#define refused(path, rc, type, name, reference)                              \
    { path, NGX_REGISTRY_ ## rc, NGX_REGISTRY_ROUTE_ ## type, name, reference }


static const test_t  tests[] = {

    found("/v2/", BASE, "", ""),
    found("/v2", BASE, "", ""),
    found("/v2/_catalog", CATALOG, "", ""),

    found("/v2/a/manifests/latest", MANIFEST, "a", "latest"),
    found("/v2/a/b/manifests/v1.0_x-y", MANIFEST, "a/b", "v1.0_x-y"),
    found("/v2/a/manifests/_", MANIFEST, "a", "_"),
    found("/v2/a/manifests/LATEST", MANIFEST, "a", "LATEST"),
    found("/v2/a/manifests/" TAG128, MANIFEST, "a", TAG128),
    found("/v2/a/manifests/" SHA256, MANIFEST, "a", SHA256),
    found("/v2/a/manifests/" SHA512, MANIFEST, "a", SHA512),
    found("/v2/a/manifests/sha256", MANIFEST, "a", "sha256"),
    found("/v2/a/manifests/sha256-" HEX64, MANIFEST, "a", "sha256-" HEX64),

    found("/v2/a/blobs/" SHA256, BLOB, "a", SHA256),
    found("/v2/a/b/c/blobs/" SHA512, BLOB, "a/b/c", SHA512),
    found("/v2/" NAME255 "/blobs/" SHA256, BLOB, NAME255, SHA256),

    found("/v2/a/blobs/uploads/", UPLOADS, "a", ""),
    found("/v2/a/blobs/uploads", UPLOADS, "a", ""),
    found("/v2/a/b/blobs/uploads/", UPLOADS, "a/b", ""),
    found("/v2/a/blobs/uploads/" UUID, UPLOAD, "a", UUID),
    found("/v2/a/b/blobs/uploads/x", UPLOAD, "a/b", "x"),
    found("/v2/a/blobs/uploads/AZaz09-_.=", UPLOAD, "a", "AZaz09-_.="),

    found("/v2/a/tags/list", TAGS, "a", ""),
    found("/v2/a/b/c/d/tags/list", TAGS, "a/b/c/d", ""),

    found("/v2/a/referrers/" SHA256, REFERRERS, "a", SHA256),
    found("/v2/a/b/referrers/" SHA512, REFERRERS, "a/b", SHA512),

    /* names that have words of the API */

    found("/v2/manifests/manifests/latest", MANIFEST, "manifests", "latest"),
    found("/v2/a/manifests/b/manifests/latest", MANIFEST, "a/manifests/b",
          "latest"),
    found("/v2/manifests/manifests/manifests", MANIFEST, "manifests",
          "manifests"),
    found("/v2/a/blobs/uploads/manifests/b", MANIFEST, "a/blobs/uploads",
          "b"),
    found("/v2/a/tags/list/manifests/b", MANIFEST, "a/tags/list", "b"),
    found("/v2/v2/manifests/v2", MANIFEST, "v2", "v2"),
    found("/v2/a/manifests/uploads", MANIFEST, "a", "uploads"),
    found("/v2/a/manifests/list", MANIFEST, "a", "list"),
    found("/v2/a/manifests/_catalog", MANIFEST, "a", "_catalog"),
    found("/v2/blobs/blobs/" SHA256, BLOB, "blobs", SHA256),
    found("/v2/a/blobs/uploads/blobs/" SHA256, BLOB, "a/blobs/uploads",
          SHA256),
    found("/v2/a/manifests/blobs/uploads/", UPLOADS, "a/manifests", ""),
    found("/v2/a/manifests/blobs/uploads", UPLOADS, "a/manifests", ""),
    found("/v2/blobs/blobs/uploads/", UPLOADS, "blobs", ""),
    found("/v2/a/blobs/uploads/blobs/uploads/", UPLOADS, "a/blobs/uploads",
          ""),
    found("/v2/a/blobs/blobs/uploads", UPLOADS, "a/blobs", ""),
    found("/v2/uploads/blobs/uploads/uploads", UPLOAD, "uploads", "uploads"),
    found("/v2/a/blobs/uploads/manifests", UPLOAD, "a", "manifests"),
    found("/v2/a/blobs/uploads/list", UPLOAD, "a", "list"),
    found("/v2/a/blobs/uploads/blobs/uploads/x", UPLOAD, "a/blobs/uploads",
          "x"),
    found("/v2/tags/tags/list", TAGS, "tags", ""),
    found("/v2/tags/list/tags/list", TAGS, "tags/list", ""),
    found("/v2/a/blobs/uploads/tags/list", TAGS, "a/blobs/uploads", ""),
    found("/v2/a/referrers/referrers/" SHA256, REFERRERS, "a/referrers",
          SHA256),

    /* no endpoints */

    not_found(""),
    not_found("/"),
    not_found("v2/"),
    not_found("/v"),
    not_found("/v1/"),
    not_found("/v20"),
    not_found("/V2/"),
    not_found("/v2x"),
    not_found("/v3/a/tags/list"),
    not_found("//v2/"),
    not_found("/v2//"),
    not_found("/v2/a"),
    not_found("/v2/a/"),
    not_found("/v2/a/b"),
    not_found("/v2/a/b/c"),
    not_found("/v2/a/b/c/"),
    not_found("/v2/_catalog/"),
    not_found("/v2/_catalog/x"),
    not_found("/v2/_catalo"),
    not_found("/v2/_catalogs"),
    not_found("/v2/a/_catalog"),
    not_found("/v2/_Catalog"),
    not_found("/v2/a/tags"),
    not_found("/v2/a/tags/"),
    not_found("/v2/a/tags/list/"),
    not_found("/v2/a/tags/lists"),
    not_found("/v2/a/tags/List"),
    not_found("/v2/a/tags/latest"),
    not_found("/v2/a/Tags/list"),
    not_found("/v2/tags/list"),
    not_found("/v2//tags/list"),
    not_found("/v2/a/manifests"),
    not_found("/v2/a/manifests/"),
    not_found("/v2/a/manifest/latest"),
    not_found("/v2/a/manifests/latest/"),
    not_found("/v2/a/manifests/latest/x"),
    not_found("/v2/manifests/latest"),
    not_found("/v2//manifests/latest"),
    not_found("/v2/a/blobs"),
    not_found("/v2/a/blobs/"),
    not_found("/v2/a/blobs/" SHA256 "/"),
    not_found("/v2/blobs/" SHA256),
    not_found("/v2/blobs/uploads/"),
    not_found("/v2/blobs/uploads"),
    not_found("/v2//blobs/uploads/"),
    not_found("/v2/blobs/uploads/" UUID),
    not_found("/v2/a/uploads/"),
    not_found("/v2/a/uploads/" UUID),
    not_found("/v2/a/b/uploads/" UUID),
    not_found("/v2/uploads/" UUID),
    not_found("/v2/a/blob/uploads/"),
    not_found("/v2/a/xblobs/uploads/"),
    not_found("/v2/a/blobs/uploads//"),
    not_found("/v2/a/blobs/uploads/" UUID "/"),
    not_found("/v2/a/blobs/uploads/a b"),
    not_found("/v2/a/blobs/uploads/a:b"),
    not_found("/v2/a/blobs/uploads/a+b"),
    not_found("/v2/a/blobs/uploads/a%20b"),
    not_found("/v2/a/blobs/uploads/a@"),
    not_found("/v2/a/blobs/uploads/\xc3\xa9"),
    not_found("/v2/A/blobs/uploads/a:b"),
    not_found("/v2/a/referrers"),
    not_found("/v2/a/referrers/"),
    not_found("/v2/a/referrers/" SHA256 "/"),
    not_found("/v2/referrers/" SHA256),

    /* names */

    refused("/v2/A/tags/list", NAME_INVALID, TAGS, "A", ""),
    refused("/v2/a//tags/list", NAME_INVALID, TAGS, "a/", ""),
    refused("/v2//a/tags/list", NAME_INVALID, TAGS, "/a", ""),
    refused("/v2///tags/list", NAME_INVALID, TAGS, "/", ""),
    refused("/v2/_catalog/tags/list", NAME_INVALID, TAGS, "_catalog", ""),
    refused("/v2/../tags/list", NAME_INVALID, TAGS, "..", ""),
    refused("/v2/a..b/manifests/x", NAME_INVALID, MANIFEST, "a..b", "x"),
    refused("/v2/localhost:5000/a/manifests/x", NAME_INVALID, MANIFEST,
            "localhost:5000/a", "x"),
    refused("/v2/a b/blobs/" SHA256, NAME_INVALID, BLOB, "a b", SHA256),
    refused("/v2/" NAME255 "f/manifests/x", NAME_INVALID, MANIFEST,
            NAME255 "f", "x"),
    refused("/v2/-a/blobs/uploads/", NAME_INVALID, UPLOADS, "-a", ""),
    refused("/v2/-a/blobs/uploads", NAME_INVALID, UPLOADS, "-a", ""),
    refused("/v2/a-/blobs/uploads/x", NAME_INVALID, UPLOAD, "a-", "x"),
    refused("/v2/a_/referrers/" SHA256, NAME_INVALID, REFERRERS, "a_",
            SHA256),

    /* the name comes before the reference */

    refused("/v2/A/manifests/.x", NAME_INVALID, MANIFEST, "A", ".x"),
    refused("/v2/A/blobs/x", NAME_INVALID, BLOB, "A", "x"),

    /* references */

    refused("/v2/a/manifests/.x", REFERENCE_INVALID, MANIFEST, "a", ".x"),
    refused("/v2/a/manifests/-x", REFERENCE_INVALID, MANIFEST, "a", "-x"),
    refused("/v2/a/manifests/a b", REFERENCE_INVALID, MANIFEST, "a", "a b"),
    refused("/v2/a/manifests/a+b", REFERENCE_INVALID, MANIFEST, "a", "a+b"),
    refused("/v2/a/manifests/@", REFERENCE_INVALID, MANIFEST, "a", "@"),
    refused("/v2/a/manifests/" TAG128 "0", REFERENCE_INVALID, MANIFEST, "a",
            TAG128 "0"),

    /* digests */

    refused("/v2/a/manifests/:", DIGEST_INVALID, MANIFEST, "a", ":"),
    refused("/v2/a/manifests/a:", DIGEST_INVALID, MANIFEST, "a", "a:"),
    refused("/v2/a/manifests/sha256:abc", DIGEST_INVALID, MANIFEST, "a",
            "sha256:abc"),
    refused("/v2/a/manifests/" SHA256 "0", DIGEST_INVALID, MANIFEST, "a",
            SHA256 "0"),
    refused("/v2/a/manifests/latest@" SHA256, DIGEST_INVALID, MANIFEST, "a",
            "latest@" SHA256),
    refused("/v2/a/blobs/x", DIGEST_INVALID, BLOB, "a", "x"),
    refused("/v2/a/blobs/latest", DIGEST_INVALID, BLOB, "a", "latest"),
    refused("/v2/a/blobs/sha256:", DIGEST_INVALID, BLOB, "a", "sha256:"),
    refused("/v2/a/blobs/sha512:" HEX64, DIGEST_INVALID, BLOB, "a",
            "sha512:" HEX64),
    refused("/v2/a/blobs/Uploads", DIGEST_INVALID, BLOB, "a", "Uploads"),
    refused("/v2/a/blobs/upload", DIGEST_INVALID, BLOB, "a", "upload"),
    refused("/v2/a/referrers/x", DIGEST_INVALID, REFERRERS, "a", "x"),
    refused("/v2/a/referrers/sha256-" HEX64, DIGEST_INVALID, REFERRERS, "a",
            "sha256-" HEX64),

    refused("/v2/a/manifests/md5:0", UNSUPPORTED, MANIFEST, "a", "md5:0"),
    refused("/v2/a/blobs/md5:0", UNSUPPORTED, BLOB, "a", "md5:0"),
    refused("/v2/a/referrers/a+b:c=", UNSUPPORTED, REFERRERS, "a", "a+b:c=")
};


static unsigned
same_route(const u_char *p, const u_char *q, size_t len)
{
    ngx_registry_route_t   a, b;
    ngx_registry_status_e  rc;

    rc = ngx_registry_route_parse(p, p + len, &a);

    return rc == ngx_registry_route_parse(q, q + len, &b)
           && a.type == b.type && a.by_digest == b.by_digest
           && a.name.len == b.name.len
           && a.reference.len == b.reference.len;
}


static void
test_path(const test_t *t)
{
    size_t                 i, len;
    unsigned               same, by_digest;
    const u_char          *p;
    ngx_registry_route_t   rt;

    len = strlen(t->path);

    /* nothing of the last result must stay */

    memset(&rt, 0xa5, sizeof(rt));

    p = tap_guarded(t->path, len);
    ok(ngx_registry_route_parse(p, p + len, &rt) == t->rc, t->path);
    ok(rt.type == t->type, "type");
    is_bytes(rt.name.data, rt.name.len, t->name, strlen(t->name), "name");
    is_bytes(rt.reference.data, rt.reference.len, t->reference,
             strlen(t->reference), "reference");

    by_digest = (t->rc == NGX_REGISTRY_OK && strchr(t->reference, ':'));
    ok(rt.by_digest == by_digest, "by digest or not");

    if (rt.by_digest) {
        ok(rt.digest.text.data == rt.reference.data
           && rt.digest.text.len == rt.reference.len
           && rt.digest.algorithm == (t->reference[3] == '2'
                                      ? NGX_REGISTRY_SHA256
                                      : NGX_REGISTRY_SHA512),
           "digest");
    }

    /* beginnings, where nothing follows; and ends, where nothing precedes */

    same = 1;

    for (i = 0; i < len; i++) {
        same &= same_route(tap_guarded(t->path, i),
                           (const u_char *) t->path, i);
        same &= same_route(tap_guarded_low(t->path + i, len - i),
                           (const u_char *) t->path + i, len - i);
    }

    ok(same, "its beginnings and ends");
}


static const struct {
    ngx_registry_route_e   type;
    const char            *read;
    const char            *push;
} methods[] = {
    { NGX_REGISTRY_ROUTE_BASE, "GET, HEAD", "GET, HEAD" },
    { NGX_REGISTRY_ROUTE_MANIFEST, "GET, HEAD", "GET, HEAD, PUT, DELETE" },
    { NGX_REGISTRY_ROUTE_BLOB, "GET, HEAD", "GET, HEAD, DELETE" },
    { NGX_REGISTRY_ROUTE_UPLOADS, "", "POST" },
    { NGX_REGISTRY_ROUTE_UPLOAD, "", "GET, HEAD, PUT, PATCH, DELETE" },
    { NGX_REGISTRY_ROUTE_TAGS, "GET, HEAD", "GET, HEAD" },
    { NGX_REGISTRY_ROUTE_REFERRERS, "GET, HEAD", "GET, HEAD" },
    { NGX_REGISTRY_ROUTE_CATALOG, "GET, HEAD", "GET, HEAD" },
    { NGX_REGISTRY_ROUTE_UNKNOWN, "", "" }
};


static void
test_allow(unsigned mask, const char *want, const char *name)
{
    u_char  *p, *end;
    size_t   len;

    /* to the byte, so that more would be seen */

    len = strlen(want);
    p = tap_guarded(NULL, len);
    end = ngx_registry_methods_write(p, mask);

    is_bytes(p, (size_t) (end - p), want, len, name);
}


static void
test_methods(void)
{
    size_t                i;
    ngx_registry_route_e  type;

    for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        type = methods[i].type;

        test_allow(ngx_registry_route_methods(type, 0), methods[i].read,
                   "methods");
        test_allow(ngx_registry_route_methods(type, 1), methods[i].push,
                   "methods with push");
    }

    ok(ngx_registry_route_methods(NGX_REGISTRY_ROUTE_UPLOADS, 2)
       == NGX_REGISTRY_POST, "anything but 0 is push");

    test_allow(0, "", "no method");
    test_allow(NGX_REGISTRY_GET, "GET", "GET");
    test_allow(NGX_REGISTRY_HEAD, "HEAD", "HEAD");
    test_allow(NGX_REGISTRY_POST, "POST", "POST");
    test_allow(NGX_REGISTRY_PUT, "PUT", "PUT");
    test_allow(NGX_REGISTRY_PATCH, "PATCH", "PATCH");
    test_allow(NGX_REGISTRY_DELETE, "DELETE", "DELETE");
    test_allow(NGX_REGISTRY_HEAD|NGX_REGISTRY_DELETE, "HEAD, DELETE", "two");
    test_allow(0x3f, "GET, HEAD, POST, PUT, PATCH, DELETE", "all");
    test_allow(~0x3fu, "", "bits that are no method");

    ok(sizeof("GET, HEAD, POST, PUT, PATCH, DELETE") - 1
       == NGX_REGISTRY_METHODS_MAX_LEN, "the longest one");
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        test_path(&tests[i]);
    }

    test_methods();

    return done_testing();
}
