
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_name.c.
 */


#include <regex.h>

#include "ngx_registry_name.h"

#include "tap.h"


typedef ngx_registry_status_e (*check_pt)(const u_char *p, const u_char *last);

typedef struct {
    const char             *text;
    ngx_registry_status_e   rc;
} test_t;


static const test_t  names[] = {
    { "a", NGX_REGISTRY_OK },
    { "0", NGX_REGISTRY_OK },
    { "alpine", NGX_REGISTRY_OK },
    { "library/alpine", NGX_REGISTRY_OK },
    { "a/b/c/d/e/f/g/h", NGX_REGISTRY_OK },
    { "a.b", NGX_REGISTRY_OK },
    { "a_b", NGX_REGISTRY_OK },
    { "a__b", NGX_REGISTRY_OK },
    { "a-b", NGX_REGISTRY_OK },
    { "a--b", NGX_REGISTRY_OK },
    { "a-----------b", NGX_REGISTRY_OK },
    { "a.b_c__d---e/0", NGX_REGISTRY_OK },
    { "0.1/2_3/4__5/6-7", NGX_REGISTRY_OK },
    { "registry.example.com/a", NGX_REGISTRY_OK },
    { "manifests/blobs/tags/uploads/list", NGX_REGISTRY_OK },
    { "v2", NGX_REGISTRY_OK },

    { "", NGX_REGISTRY_INVALID },
    { "/", NGX_REGISTRY_INVALID },
    { "/alpine", NGX_REGISTRY_INVALID },
    { "alpine/", NGX_REGISTRY_INVALID },
    { "a//b", NGX_REGISTRY_INVALID },
    { ".", NGX_REGISTRY_INVALID },
    { "..", NGX_REGISTRY_INVALID },
    { "a/..", NGX_REGISTRY_INVALID },
    { "a/../b", NGX_REGISTRY_INVALID },
    { "a/./b", NGX_REGISTRY_INVALID },
    { "a..b", NGX_REGISTRY_INVALID },
    { "a___b", NGX_REGISTRY_INVALID },
    { "a____b", NGX_REGISTRY_INVALID },
    { "a._b", NGX_REGISTRY_INVALID },
    { "a_.b", NGX_REGISTRY_INVALID },
    { "a.-b", NGX_REGISTRY_INVALID },
    { "a-.b", NGX_REGISTRY_INVALID },
    { "a_-b", NGX_REGISTRY_INVALID },
    { "a-_b", NGX_REGISTRY_INVALID },
    { "a__-b", NGX_REGISTRY_INVALID },
    { "a.", NGX_REGISTRY_INVALID },
    { "a_", NGX_REGISTRY_INVALID },
    { "a__", NGX_REGISTRY_INVALID },
    { "a-", NGX_REGISTRY_INVALID },
    { ".a", NGX_REGISTRY_INVALID },
    { "_a", NGX_REGISTRY_INVALID },
    { "-a", NGX_REGISTRY_INVALID },
    { "a/.b", NGX_REGISTRY_INVALID },
    { "a/_b", NGX_REGISTRY_INVALID },
    { "a/-b", NGX_REGISTRY_INVALID },
    { "a./b", NGX_REGISTRY_INVALID },
    { "a_/b", NGX_REGISTRY_INVALID },
    { "a-/b", NGX_REGISTRY_INVALID },
    { "_catalog", NGX_REGISTRY_INVALID },
    { "Alpine", NGX_REGISTRY_INVALID },
    { "alpinE", NGX_REGISTRY_INVALID },
    { "EXAMPLE.COM/a", NGX_REGISTRY_INVALID },
    { "localhost:5000/a", NGX_REGISTRY_INVALID },
    { "a:latest", NGX_REGISTRY_INVALID },
    { "a@sha256", NGX_REGISTRY_INVALID },
    { "a b", NGX_REGISTRY_INVALID },
    { " a", NGX_REGISTRY_INVALID },
    { "a\n", NGX_REGISTRY_INVALID },
    { "a%2fb", NGX_REGISTRY_INVALID },
    { "a\\b", NGX_REGISTRY_INVALID },
    { "a+b", NGX_REGISTRY_INVALID },
    { "a~b", NGX_REGISTRY_INVALID },
    { "\xc3\xa9", NGX_REGISTRY_INVALID },
    { "a\xff", NGX_REGISTRY_INVALID },
    { NULL, NGX_REGISTRY_OK }
};


static const test_t  tags[] = {
    { "a", NGX_REGISTRY_OK },
    { "A", NGX_REGISTRY_OK },
    { "z", NGX_REGISTRY_OK },
    { "Z", NGX_REGISTRY_OK },
    { "0", NGX_REGISTRY_OK },
    { "9", NGX_REGISTRY_OK },
    { "_", NGX_REGISTRY_OK },
    { "latest", NGX_REGISTRY_OK },
    { "v1.2.3-rc_1", NGX_REGISTRY_OK },
    { "a..", NGX_REGISTRY_OK },
    { "_.", NGX_REGISTRY_OK },
    { "_-", NGX_REGISTRY_OK },
    { "a--", NGX_REGISTRY_OK },
    { "sha256-0123456789abcdef", NGX_REGISTRY_OK },
    { "sha256-0123.sig", NGX_REGISTRY_OK },

    { "", NGX_REGISTRY_INVALID },
    { ".", NGX_REGISTRY_INVALID },
    { "..", NGX_REGISTRY_INVALID },
    { "-", NGX_REGISTRY_INVALID },
    { ".a", NGX_REGISTRY_INVALID },
    { "-a", NGX_REGISTRY_INVALID },
    { "a/b", NGX_REGISTRY_INVALID },
    { "a:b", NGX_REGISTRY_INVALID },
    { "a+b", NGX_REGISTRY_INVALID },
    { "a b", NGX_REGISTRY_INVALID },
    { "a@b", NGX_REGISTRY_INVALID },
    { "a`b", NGX_REGISTRY_INVALID },
    { "a[b", NGX_REGISTRY_INVALID },
    { "a{b", NGX_REGISTRY_INVALID },
    { "a\n", NGX_REGISTRY_INVALID },
    { "a%41", NGX_REGISTRY_INVALID },
    { "\xc3\xa9", NGX_REGISTRY_INVALID },
    { "a\xff", NGX_REGISTRY_INVALID },
    { NULL, NGX_REGISTRY_OK }
};


/*
 * Each input, and each beginning of it where nothing follows: the result must
 * be the same as where the rest does.
 */
static void
test_table(check_pt check, const test_t *t)
{
    size_t           i, len;
    unsigned         same;
    const u_char    *p, *all;

    for ( /* void */ ; t->text; t++) {
        len = strlen(t->text);
        p = tap_guarded(t->text, len);

        ok(check(p, p + len) == t->rc, t->text);

        all = (const u_char *) t->text;
        same = 1;

        for (i = 0; i < len; i++) {
            p = tap_guarded(t->text, i);
            same &= (check(p, p + i) == check(all, all + i));
        }

        ok(same, "its beginnings");
    }
}


/*
 * All strings of up to five characters, among them each that has a meaning,
 * against the expression of the specification.
 */
static void
test_exhaustive(check_pt check, const char *expr, const char *name)
{
    char      s[8];
    size_t    i, n, len, at[8];
    regex_t   re;
    unsigned  differ, match, matched;

    static const char  chars[] = "aZ0._-/";

    if (regcomp(&re, expr, REG_EXTENDED|REG_NOSUB) != 0) {
        abort();
    }

    differ = 0;
    matched = 0;

    for (len = 0; len <= 5; len++) {
        memset(at, 0, sizeof(at));

        do {
            for (i = 0; i < len; i++) {
                s[i] = chars[at[i]];
            }

            s[len] = '\0';

            match = (regexec(&re, s, 0, NULL, 0) == 0);
            matched += match;

            differ += (match != (check((u_char *) s, (u_char *) s + len)
                                 == NGX_REGISTRY_OK));

            for (n = 0; n < len; n++) {
                if (++at[n] < sizeof(chars) - 1) {
                    break;
                }

                at[n] = 0;
            }

        } while (n < len);
    }

    regfree(&re);

    ok(differ == 0, name);
    ok(matched > 100, "and some do match");
}


static void
test_len(check_pt check, size_t max, const char *name)
{
    u_char  *p, buf[512];

    memset(buf, 'a', sizeof(buf));

    p = tap_guarded(buf, max);
    ok(check(p, p + max) == NGX_REGISTRY_OK, name);

    p = tap_guarded(buf, max + 1);
    ok(check(p, p + max + 1) == NGX_REGISTRY_TOO_LONG, "one more");

    p[0] = '/';
    ok(check(p, p + max + 1) == NGX_REGISTRY_TOO_LONG, "long and invalid");

    p = tap_guarded(buf, max);
    p[max - 1] = '/';
    ok(check(p, p + max) == NGX_REGISTRY_INVALID, "the last byte counts");
}


/*
 * Each of the 256 bytes alone, and after an "a".
 */
static void
test_bytes(check_pt check, const char *alone, const char *after,
    const char *name)
{
    unsigned  ch, bad;
    u_char    s[2];

    bad = 0;

    for (ch = 0; ch < 256; ch++) {
        s[0] = 'a';
        s[1] = (u_char) ch;

        bad += ((ch && strchr(alone, (int) ch))
                != (check(s + 1, s + 2) == NGX_REGISTRY_OK));
        bad += ((ch && strchr(after, (int) ch))
                != (check(s, s + 2) == NGX_REGISTRY_OK));
    }

    ok(bad == 0, name);
}


int
main(void)
{
#define LOWER  "abcdefghijklmnopqrstuvwxyz0123456789"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

    test_table(ngx_registry_name_check, names);
    test_table(ngx_registry_tag_check, tags);

    test_len(ngx_registry_name_check, NGX_REGISTRY_NAME_MAX_LEN, "255 bytes");
    test_len(ngx_registry_tag_check, NGX_REGISTRY_TAG_MAX_LEN, "128 bytes");

    test_bytes(ngx_registry_name_check, LOWER, LOWER, "bytes of a name");
    test_bytes(ngx_registry_tag_check, LOWER UPPER "_", LOWER UPPER "_.-",
               "bytes of a tag");

    /* OCI Distribution Spec, Pulling manifests */

    test_exhaustive(ngx_registry_name_check,
                    "^[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*"
                    "(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*$",
                    "the expression of a name");
    test_exhaustive(ngx_registry_tag_check,
                    "^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$",
                    "the expression of a tag");

    return done_testing();
}
