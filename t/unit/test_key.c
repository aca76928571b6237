
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_key.c.
 */


#include "ngx_registry_key.h"

#include "tap.h"


#define HEX16   "0123456789abcdef"
#define HEX62   HEX16 HEX16 HEX16 "0123456789abcd"
#define HEX64   "f7" HEX62
#define HEX128  "f7" HEX62 HEX16 HEX16 HEX16 HEX16
#define SHA256  "sha256:" HEX64
#define SHA512  "sha512:" HEX128

#define V2      "docker/registry/v2/"
#define REPO    V2 "repositories/team/app/"


/* a field of NULL is not used by the type, and must not be read */

typedef struct {
    ngx_registry_key_e   type;
    const char          *prefix;
    const char          *name;
    const char          *tag;
    const char          *digest;
    const char          *key;
} test_t;


/* registry/storage/paths.go of distribution, in its order */

static const test_t  tests[] = {
    { NGX_REGISTRY_KEY_ROOT, "", NULL, NULL, NULL,
      "docker/registry/v2/" },
    { NGX_REGISTRY_KEY_BLOBS, "a/b/", NULL, NULL, NULL,
      "a/b/docker/registry/v2/blobs/" },
    { NGX_REGISTRY_KEY_ROOT, "a/b/", NULL, NULL, NULL,
      "a/b/docker/registry/v2/" },

    { NGX_REGISTRY_KEY_REPOSITORIES, "", "", NULL, NULL,
      "docker/registry/v2/repositories/" },
    { NGX_REGISTRY_KEY_REPOSITORIES, "a/", "", NULL, NULL,
      "a/docker/registry/v2/repositories/" },
    { NGX_REGISTRY_KEY_REPOSITORIES, "", "team/app", NULL, NULL,
      "docker/registry/v2/repositories/team/app/" },
    { NGX_REGISTRY_KEY_REPOSITORIES, "a/b/", "x", NULL, NULL,
      "a/b/docker/registry/v2/repositories/x/" },

    { NGX_REGISTRY_KEY_TAGS, "", "team/app", NULL, NULL,
      "docker/registry/v2/repositories/team/app/_manifests/tags/" },
    { NGX_REGISTRY_KEY_TAGS, "a/b/", "x", NULL, NULL,
      "a/b/docker/registry/v2/repositories/x/_manifests/tags/" },

    { NGX_REGISTRY_KEY_TAG_CURRENT, "", "team/app", "latest", NULL,
      REPO "_manifests/tags/latest/current/link" },
    { NGX_REGISTRY_KEY_TAG_CURRENT, "p/", "x", "v1.0_a-b", NULL,
      "p/docker/registry/v2/repositories/x/_manifests/tags/v1.0_a-b/"
      "current/link" },

    { NGX_REGISTRY_KEY_TAG_INDEX, "", "team/app", "latest", SHA256,
      REPO "_manifests/tags/latest/index/sha256/" HEX64 "/link" },
    { NGX_REGISTRY_KEY_TAG_INDEX, "p/", "team/app", "latest", SHA512,
      "p/" REPO "_manifests/tags/latest/index/sha512/" HEX128 "/link" },

    { NGX_REGISTRY_KEY_REVISION, "", "team/app", NULL, SHA256,
      REPO "_manifests/revisions/sha256/" HEX64 "/link" },
    { NGX_REGISTRY_KEY_REVISION, "p/", "team/app", NULL, SHA512,
      "p/" REPO "_manifests/revisions/sha512/" HEX128 "/link" },

    { NGX_REGISTRY_KEY_LAYER, "", "team/app", NULL, SHA256,
      REPO "_layers/sha256/" HEX64 "/link" },
    { NGX_REGISTRY_KEY_LAYER, "p/", "team/app", NULL, SHA512,
      "p/" REPO "_layers/sha512/" HEX128 "/link" },

    { NGX_REGISTRY_KEY_BLOB, "", NULL, NULL, SHA256,
      V2 "blobs/sha256/f7/" HEX64 "/data" },
    { NGX_REGISTRY_KEY_BLOB, "a/b/", NULL, NULL, SHA512,
      "a/b/" V2 "blobs/sha512/f7/" HEX128 "/data" },

    /* whole, as a bucket of distribution has it */

    { NGX_REGISTRY_KEY_BLOB, "", NULL, NULL, "sha256:44136fa355b3678a1146ad"
      "16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
      "docker/registry/v2/blobs/sha256/44/44136fa355b3678a1146ad16f7e8649e94"
      "fb4fc21fe77e8310c060f61caaff8a/data" }
};


static const struct {
    const char  *root;
    const char  *prefix;
} prefixes[] = {
    { "", "" },
    { "/", "" },
    { "//", "" },
    { "////", "" },
    { "a", "a/" },
    { "/a", "a/" },
    { "a/", "a/" },
    { "/a/", "a/" },
    { "//a//", "a/" },
    { "/a/b/", "a/b/" },
    { "a/b", "a/b/" },
    { "a//b", "a//b/" },
    { "///a///b///", "a///b/" },
    { ".", "./" },
    { " ", " /" },
    { "docker", "docker/" }
};


static const struct {
    const char             *text;
    ngx_registry_status_e   rc;
} links[] = {
    { SHA256, NGX_REGISTRY_OK },
    { SHA512, NGX_REGISTRY_OK },
    { "md5:d41d8cd98f00b204e9800998ecf8427e", NGX_REGISTRY_UNSUPPORTED },
    { "", NGX_REGISTRY_INVALID },
    { SHA256 "\n", NGX_REGISTRY_INVALID },
    { SHA256 "\r\n", NGX_REGISTRY_INVALID },
    { SHA256 " ", NGX_REGISTRY_INVALID },
    { "\n" SHA256, NGX_REGISTRY_INVALID },
    { " " SHA256, NGX_REGISTRY_INVALID },
    { "\xef\xbb\xbf" SHA256, NGX_REGISTRY_INVALID },
    { SHA256 SHA256, NGX_REGISTRY_INVALID },
    { "sha256:F7" HEX62, NGX_REGISTRY_INVALID },
    { HEX64, NGX_REGISTRY_INVALID },
    { "latest", NGX_REGISTRY_INVALID },
    { "<Error/>", NGX_REGISTRY_INVALID }
};


static ngx_registry_span_t
span(const char *text)
{
    ngx_registry_span_t  s;

    /* where it may not be read, reading must crash or be seen in the length */

    s.data = (const u_char *) text;
    s.len = text ? strlen(text) : 12345;

    return s;
}


static void
test_key(const test_t *t)
{
    u_char              *p, *end;
    size_t               len;
    ngx_registry_key_t   key;

    memset(&key, 0xa5, sizeof(key));

    key.type = t->type;
    key.prefix = span(t->prefix);
    key.name = span(t->name);
    key.tag = span(t->tag);
    key.digest.name = span(NULL);
    key.digest.hex = span(NULL);
    key.digest.text = span(NULL);

    if (t->digest
        && ngx_registry_digest_parse((const u_char *) t->digest,
                                     (const u_char *) t->digest
                                     + strlen(t->digest), &key.digest)
           != NGX_REGISTRY_OK)
    {
        abort();
    }

    len = ngx_registry_key_len(&key);

    if (!ok(len == strlen(t->key), t->key)) {
        return;
    }

    p = tap_guarded(NULL, len);
    end = ngx_registry_key_write(p, &key);

    is_bytes(p, (size_t) (end - p), t->key, len, "as it is written");
}


/*
 * The fields are spans: what follows them does not count.
 */
static void
test_spans(void)
{
    u_char              *p, *end;
    ngx_registry_key_t   key;

    static const char  want[] = "ab/" V2 "repositories/x/_manifests/tags/v1/"
                                "current/link";

    memset(&key, 0, sizeof(key));

    key.type = NGX_REGISTRY_KEY_TAG_CURRENT;
    key.prefix.data = tap_guarded("ab/", 3);
    key.prefix.len = 3;
    key.name.data = tap_guarded("x", 1);
    key.name.len = 1;
    key.tag.data = tap_guarded("v1", 2);
    key.tag.len = 2;

    p = tap_guarded(NULL, sizeof(want) - 1);
    end = ngx_registry_key_write(p, &key);

    is_bytes(p, (size_t) (end - p), want, sizeof(want) - 1, "spans");
}


static void
test_prefix(const char *root, const char *want)
{
    u_char               *p, *end;
    ngx_registry_span_t   s;

    s.len = strlen(root);
    s.data = tap_guarded(root, s.len);

    p = tap_guarded(NULL, s.len + 1);
    end = ngx_registry_key_prefix_write(p, &s);

    is_bytes(p, (size_t) (end - p), want, strlen(want), root);

    /* and once more, with nothing before it */

    s.data = tap_guarded_low(root, s.len);
    end = ngx_registry_key_prefix_write(p, &s);

    is_bytes(p, (size_t) (end - p), want, strlen(want), "again");
}


static void
test_link(const char *text, ngx_registry_status_e rc)
{
    size_t                  i, len;
    unsigned                short_ok;
    const u_char           *p;
    ngx_registry_digest_t   d;

    len = strlen(text);
    p = tap_guarded(text, len);

    ok(ngx_registry_link_parse(p, p + len, &d) == rc, text);

    if (rc != NGX_REGISTRY_OK) {
        return;
    }

    is_bytes(d.text.data, d.text.len, text, len, "the digest");

    short_ok = 0;

    for (i = 0; i < len; i++) {
        p = tap_guarded(text, i);
        short_ok += (ngx_registry_link_parse(p, p + i, &d)
                     == NGX_REGISTRY_OK);
    }

    ok(short_ok == 0, "cut short anywhere it is no link");
}


static const char  *good_keys[] = {
    "a", "docker/registry/v2/", "a/b-c/_d/e.f", "...", "a/.b", "a/b..", ".x/y"
};


static const char  *bad_keys[] = {
    "", "/", "/a", "a//b", "a//", ".", "..", "../a", "a/..", "a/../b", "a/./b",
    "a/../", "a b", "a\\b", "a\nb", "a%2e", "a\xff", "a/..\x01"
};


static void
test_check(const char *text, int want)
{
    size_t   len;
    u_char  *p;

    len = strlen(text);
    p = tap_guarded(text, len);

    ok(ngx_registry_key_check(p, p + len) == want, text);
}


int
main(void)
{
    size_t               i;
    u_char               room[1];
    ngx_registry_span_t  none = { NULL, 0 };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        test_key(&tests[i]);
    }

    test_spans();

    for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        test_prefix(prefixes[i].root, prefixes[i].prefix);
    }

    ok(ngx_registry_key_prefix_write(room, &none) == room, "no prefix");

    for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        test_link(links[i].text, links[i].rc);
    }

    for (i = 0; i < sizeof(good_keys) / sizeof(good_keys[0]); i++) {
        test_check(good_keys[i], 1);
    }

    for (i = 0; i < sizeof(bad_keys) / sizeof(bad_keys[0]); i++) {
        test_check(bad_keys[i], 0);
    }

    ok(ngx_registry_key_check((const u_char *) "a\0b",
                              (const u_char *) "a\0b" + 3)
       == 0, "NUL");

    return done_testing();
}
