
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_digest.c.
 */


#include "ngx_registry_digest.h"

#include "tap.h"


#define HEX16   "0123456789abcdef"
#define HEX64   HEX16 HEX16 HEX16 HEX16
#define HEX128  HEX64 HEX64


typedef struct {
    const char             *text;
    ngx_registry_status_e   rc;
    const char             *name;
    const char             *hex;
} test_t;


static const test_t  tests[] = {
    { "sha256:" HEX64, NGX_REGISTRY_OK, "sha256", HEX64 },
    { "sha512:" HEX128, NGX_REGISTRY_OK, "sha512", HEX128 },

    /* OCI image-spec, Descriptor, Digests: the examples, and the grammar */

    { "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8",
      NGX_REGISTRY_UNSUPPORTED, "multihash+base58",
      "QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8" },
    { "sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564",
      NGX_REGISTRY_UNSUPPORTED, "sha256+b64u",
      "LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564" },
    { "sha384:" HEX64 HEX16 HEX16, NGX_REGISTRY_UNSUPPORTED, "sha384",
      HEX64 HEX16 HEX16 },
    { "blake3:" HEX64, NGX_REGISTRY_UNSUPPORTED, "blake3", HEX64 },
    { "md5:d41d8cd98f00b204e9800998ecf8427e", NGX_REGISTRY_UNSUPPORTED,
      "md5", "d41d8cd98f00b204e9800998ecf8427e" },
    { "a:b", NGX_REGISTRY_UNSUPPORTED, "a", "b" },
    { "0:=", NGX_REGISTRY_UNSUPPORTED, "0", "=" },
    { "a+b.c_d-e0:AZaz09=_-", NGX_REGISTRY_UNSUPPORTED, "a+b.c_d-e0",
      "AZaz09=_-" },
    { "sha2560:" HEX64, NGX_REGISTRY_UNSUPPORTED, "sha2560", HEX64 },
    { "sha25:" HEX64, NGX_REGISTRY_UNSUPPORTED, "sha25", HEX64 },
    { "sha257:" HEX64, NGX_REGISTRY_UNSUPPORTED, "sha257", HEX64 },

    { "", NGX_REGISTRY_INVALID, NULL, NULL },
    { ":", NGX_REGISTRY_INVALID, NULL, NULL },
    { "a", NGX_REGISTRY_INVALID, NULL, NULL },
    { "a:", NGX_REGISTRY_INVALID, NULL, NULL },
    { ":a", NGX_REGISTRY_INVALID, NULL, NULL },
    { "a::b", NGX_REGISTRY_INVALID, NULL, NULL },
    { "a:b:c", NGX_REGISTRY_INVALID, NULL, NULL },
    { "+a:b", NGX_REGISTRY_INVALID, NULL, NULL },
    { "a+:b", NGX_REGISTRY_INVALID, NULL, NULL },
    { "a++b:c", NGX_REGISTRY_INVALID, NULL, NULL },
    { "a.-b:c", NGX_REGISTRY_INVALID, NULL, NULL },
    { "a__b:c", NGX_REGISTRY_INVALID, NULL, NULL },
    { "A:b", NGX_REGISTRY_INVALID, NULL, NULL },
    { "SHA256:" HEX64, NGX_REGISTRY_INVALID, NULL, NULL },
    { "sha 256:" HEX64, NGX_REGISTRY_INVALID, NULL, NULL },
    { "a:b+c", NGX_REGISTRY_INVALID, NULL, NULL },
    { "a:b.c", NGX_REGISTRY_INVALID, NULL, NULL },
    { "a:b/c", NGX_REGISTRY_INVALID, NULL, NULL },
    { "a/b:c", NGX_REGISTRY_INVALID, NULL, NULL },
    { "a:b c", NGX_REGISTRY_INVALID, NULL, NULL },
    { "a:b\n", NGX_REGISTRY_INVALID, NULL, NULL },
    { "a:\xff", NGX_REGISTRY_INVALID, NULL, NULL },
    { "\xff:a", NGX_REGISTRY_INVALID, NULL, NULL },
    { "a:@", NGX_REGISTRY_INVALID, NULL, NULL },
    { "a:[", NGX_REGISTRY_INVALID, NULL, NULL },
    { "a:`", NGX_REGISTRY_INVALID, NULL, NULL },
    { "a:{", NGX_REGISTRY_INVALID, NULL, NULL },

    { "sha256", NGX_REGISTRY_INVALID, NULL, NULL },
    { "sha256:", NGX_REGISTRY_INVALID, NULL, NULL },
    { "sha256:abc", NGX_REGISTRY_INVALID, NULL, NULL },
    { "sha256:" HEX64 "0", NGX_REGISTRY_INVALID, NULL, NULL },
    { "sha256:" HEX16 HEX16 HEX16 "0123456789abcde", NGX_REGISTRY_INVALID,
      NULL, NULL },
    { "sha256:" HEX128, NGX_REGISTRY_INVALID, NULL, NULL },
    { "sha512:" HEX64, NGX_REGISTRY_INVALID, NULL, NULL },
    { "sha512:" HEX128 "0", NGX_REGISTRY_INVALID, NULL, NULL },
    { "sha256:" HEX16 HEX16 HEX16 "0123456789abcdeF", NGX_REGISTRY_INVALID,
      NULL, NULL },
    { "sha256:A123456789abcdef" HEX16 HEX16 HEX16, NGX_REGISTRY_INVALID,
      NULL, NULL },
    { "sha256:" HEX16 HEX16 HEX16 "0123456789abcdeg", NGX_REGISTRY_INVALID,
      NULL, NULL },
    { "sha256:" HEX16 HEX16 HEX16 "0123456789abcde=", NGX_REGISTRY_INVALID,
      NULL, NULL },
    { "sha256:" HEX16 HEX16 HEX16 "0123456789abcde\n", NGX_REGISTRY_INVALID,
      NULL, NULL },
    { "sha256:" HEX64 "\n", NGX_REGISTRY_INVALID, NULL, NULL },
    { " sha256:" HEX64, NGX_REGISTRY_INVALID, NULL, NULL },
    { "\"sha256:" HEX64 "\"", NGX_REGISTRY_INVALID, NULL, NULL },
    { "sha256-" HEX64, NGX_REGISTRY_INVALID, NULL, NULL },
    { "sha256@" HEX64, NGX_REGISTRY_INVALID, NULL, NULL },
    { "sha256:sha256:" HEX16 HEX16 HEX16 "012345678", NGX_REGISTRY_INVALID,
      NULL, NULL }
};


static void
test_parse(const test_t *t)
{
    size_t                  i, len;
    unsigned                same;
    const u_char           *p, *all;
    ngx_registry_digest_t   d;

    len = strlen(t->text);
    p = tap_guarded(t->text, len);

    ok(ngx_registry_digest_parse(p, p + len, &d) == t->rc, t->text);

    if (t->name) {
        is_bytes(d.name.data, d.name.len, t->name, strlen(t->name), "name");
        is_bytes(d.hex.data, d.hex.len, t->hex, strlen(t->hex), "hex");
        ok(d.text.data == p && d.text.len == len, "text is the input");
        ok(d.name.data == p && d.hex.data == p + d.name.len + 1,
           "spans point into the input");
    }

    all = (const u_char *) t->text;
    same = 1;

    for (i = 0; i < len; i++) {
        p = tap_guarded(t->text, i);
        same &= (ngx_registry_digest_parse(p, p + i, &d)
                 == ngx_registry_digest_parse(all, all + i, &d));

        if (t->rc == NGX_REGISTRY_OK) {
            same &= (ngx_registry_digest_parse(p, p + i, &d)
                     == NGX_REGISTRY_INVALID);
        }
    }

    ok(same, "its beginnings");
}


static void
test_algorithm(void)
{
    ngx_registry_digest_t  d;

    static const u_char  sha256[] = "sha256:" HEX64;
    static const u_char  sha512[] = "sha512:" HEX128;

    memset(&d, 0xa5, sizeof(d));
    (void) ngx_registry_digest_parse(sha256, sha256 + sizeof(sha256) - 1, &d);
    ok(d.algorithm == NGX_REGISTRY_SHA256, "algorithm of sha256");

    memset(&d, 0xa5, sizeof(d));
    (void) ngx_registry_digest_parse(sha512, sha512 + sizeof(sha512) - 1, &d);
    ok(d.algorithm == NGX_REGISTRY_SHA512, "algorithm of sha512");

    ok(sizeof(sha512) - 1 == NGX_REGISTRY_DIGEST_MAX_LEN, "the longest one");
}


/*
 * Each byte at each place of a sha256: 0 ... 9 and a ... f, and after the
 * colon only, may stand there.
 */
static void
test_bytes(void)
{
    size_t                  i;
    unsigned                ch, bad, good;
    ngx_registry_digest_t   d;
    ngx_registry_status_e   rc;

    u_char  s[] = "sha256:" HEX64;

    bad = 0;
    good = 0;

    for (i = 7; i < sizeof(s) - 1; i++) {
        for (ch = 0; ch < 256; ch++) {
            s[i] = (u_char) ch;
            rc = ngx_registry_digest_parse(s, s + sizeof(s) - 1, &d);

            good += (rc == NGX_REGISTRY_OK);
            bad += ((rc == NGX_REGISTRY_OK)
                    != (ch && strchr(HEX16, (int) ch) != NULL));
        }

        s[i] = '0';
    }

    ok(bad == 0, "bytes of a sha256");
    ok(good == 64 * 16, "16 of them at each place");
}


static void
test_hex(void)
{
    char       want[3];
    size_t     i;
    u_char    *p, *end, byte;
    unsigned   bad;

    static const u_char  src[] = { 0x00, 0x01, 0x9a, 0xbc, 0xf0, 0xff };

    p = tap_guarded(NULL, 2 * sizeof(src));
    end = ngx_registry_hex_write(p, tap_guarded(src, sizeof(src)),
                                 sizeof(src));
    is_bytes(p, (size_t) (end - p), "00019abcf0ff", 12, "hex");

    p = tap_guarded(NULL, 0);
    ok(ngx_registry_hex_write(p, src, 0) == p, "hex of nothing");

    bad = 0;

    for (i = 0; i < 256; i++) {
        byte = (u_char) i;
        p = tap_guarded(NULL, 2);
        (void) ngx_registry_hex_write(p, &byte, 1);
        (void) snprintf(want, sizeof(want), "%02x", (unsigned) i);
        bad += (memcmp(p, want, 2) != 0);
    }

    ok(bad == 0, "hex of each byte");
}


static void
test_check(void)
{
    size_t                 i, j;
    ngx_registry_digest_t  d;

    /* FIPS 180-4, examples of NIST: "abc", and nothing */

    static const struct {
        const char  *data;
        const char  *digest;
    } hashes[] = {
        { "abc", "sha256:ba7816bf8f01cfea414140de5dae2223"
                 "b00361a396177a9cb410ff61f20015ad" },
        { "", "sha256:e3b0c44298fc1c149afbf4c8996fb924"
              "27ae41e4649b934ca495991b7852b855" },
        { "abc", "sha512:ddaf35a193617abacc417349ae204131"
                 "12e6fa4e89a97ea20a9eeee64b55d39a"
                 "2192992a274fc1a836ba3c23a3feebbd"
                 "454d4423643ce80e2a9ac94fa54ca49f" },
        { "", "sha512:cf83e1357eefb8bdf1542850d66d8007"
              "d620e4050b5715dc83f4a921d36ce9ce"
              "47d0d13c5d85f2b0ff8318d2877eec2f"
              "63b931bd47417a81a538327af927da3e" }
    };

    const size_t  n = sizeof(hashes) / sizeof(hashes[0]);

    for (i = 0; i < n; i++) {

        ok(ngx_registry_digest_parse((const u_char *) hashes[i].digest,
                                     (const u_char *) hashes[i].digest
                                     + strlen(hashes[i].digest), &d)
           == NGX_REGISTRY_OK, "digest of a hash");

        for (j = 0; j < n; j++) {
            ok((ngx_registry_digest_check(&d, (const u_char *) hashes[j].data,
                                          strlen(hashes[j].data))
                == NGX_REGISTRY_OK)
               == (strcmp(hashes[i].data, hashes[j].data) == 0),
               "check of bytes");
        }
    }
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        test_parse(&tests[i]);
    }

    test_algorithm();
    test_bytes();
    test_hex();
    test_check();

    return done_testing();
}
