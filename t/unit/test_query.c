
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_query.c.
 */


#include "ngx_registry_query.h"

#include "tap.h"


#define DIGITS100   "99999999999999999999999999999999999999999999999999" \
                    "99999999999999999999999999999999999999999999999999"
#define ZEROS50     "00000000000000000000000000000000000000000000000000"


/* value is NULL if there is none */

static const struct {
    const char  *query;
    const char  *name;
    const char  *value;
} finds[] = {
    { "n=2", "n", "2" },
    { "n=2&last=a", "n", "2" },
    { "n=2&last=a", "last", "a" },
    { "last=a&n=2", "n", "2" },
    { "a=1&n=2&b=3", "n", "2" },
    { "n=", "n", "" },
    { "n", "n", "" },
    { "n&a=1", "n", "" },
    { "a=1&n", "n", "" },
    { "a=1&n=", "n", "" },
    { "n=&a=1", "n", "" },
    { "n=1&n=2", "n", "1" },
    { "n&n=2", "n", "" },
    { "n==", "n", "=" },
    { "n=a=b", "n", "a=b" },
    { "&n=2", "n", "2" },
    { "&&&n=2", "n", "2" },
    { "n=2&", "n", "2" },
    { "n=2&&", "n", "2" },
    { "=x&n=2", "n", "2" },
    { "n=%26&a", "n", "%26" },
    { "n=a+b", "n", "a+b" },
    { "n=?n=3", "n", "?n=3" },
    { "n=2;a=1", "n", "2;a=1" },
    { "N=1&n=2", "n", "2" },
    { "nn=1&n=2", "n", "2" },
    { "n2=1&n=2", "n", "2" },
    { "digest=sha256:abc", "digest", "sha256:abc" },
    { "digest-algorithm=sha512&digest=d", "digest", "d" },
    { "ns=docker.io", "ns", "docker.io" },
    { "mount=sha256:a&from=b/c", "from", "b/c" },
    { "artifactType=application%2Fx+json", "artifactType",
      "application%2Fx+json" },

    { "", "n", NULL },
    { "&", "n", NULL },
    { "&&", "n", NULL },
    { "=", "n", NULL },
    { "=2", "n", NULL },
    { "=n", "n", NULL },
    { "a=n", "n", NULL },
    { "a=n&b=n", "n", NULL },
    { "nn=2", "n", NULL },
    { "an=2", "n", NULL },
    { "N=2", "n", NULL },
    { "%6e=2", "n", NULL },
    { "?n=2", "n", NULL },
    { " n=2", "n", NULL },
    { "n =2", "n", NULL },
    { "a;n=2", "n", NULL },
    { "las=a", "last", NULL },
    { "las", "last", NULL },
    { "lastx=a", "last", NULL },
    { "la&st=a", "last", NULL }
};


/* result is NULL if the encoding is broken */

static const struct {
    const char  *value;
    const char  *result;
} decodes[] = {
    { "", "" },
    { "abc", "abc" },
    { "%41", "A" },
    { "%4a%4A", "JJ" },
    { "a%2Fb%2fc", "a/b/c" },
    { "%20", " " },
    { "%25", "%" },
    { "%2541", "%41" },
    { "%01%ff", "\x01\xff" },
    { "%c3%a9", "\xc3\xa9" },
    { "\xc3\xa9", "\xc3\xa9" },
    { "a+b", "a+b" },
    { "a%2Bb", "a+b" },
    { "application/vnd.oci.image.manifest.v1+json",
      "application/vnd.oci.image.manifest.v1+json" },
    { "application%2Fvnd.oci.image.manifest.v1%2Bjson",
      "application/vnd.oci.image.manifest.v1+json" },
    { "sha256%3aabc", "sha256:abc" },

    { "%", NULL },
    { "%4", NULL },
    { "a%", NULL },
    { "a%4", NULL },
    { "%%41", NULL },
    { "%4g", NULL },
    { "%g4", NULL },
    { "%G4", NULL },
    { "% 4", NULL },
    { "%4 ", NULL },
    { "%-1", NULL },
    { "%+1", NULL },
    { "%0x", NULL },
    { "%u0041", NULL },
    { "%@1", NULL },
    { "%`1", NULL },
    { "%/1", NULL },
    { "%:1", NULL },
    { "%1\x10", NULL },
    { "%4\xc1", NULL },
    { "%00", NULL },
    { "a%00b", NULL },
    { "%41%", NULL }
};


static const struct {
    const char             *value;
    uint64_t                max;
    ngx_registry_status_e   rc;
    uint64_t                n;
} numbers[] = {
    { "0", 1000, NGX_REGISTRY_OK, 0 },
    { "1", 1000, NGX_REGISTRY_OK, 1 },
    { "42", 1000, NGX_REGISTRY_OK, 42 },
    { "999", 1000, NGX_REGISTRY_OK, 999 },
    { "1000", 1000, NGX_REGISTRY_OK, 1000 },
    { "007", 1000, NGX_REGISTRY_OK, 7 },
    { ZEROS50 ZEROS50 "1", 1000, NGX_REGISTRY_OK, 1 },
    { "0", 0, NGX_REGISTRY_OK, 0 },
    { "00", 0, NGX_REGISTRY_OK, 0 },
    { "9", 9, NGX_REGISTRY_OK, 9 },
    { "18446744073709551615", UINT64_MAX, NGX_REGISTRY_OK, UINT64_MAX },
    { "9223372036854775807", INT64_MAX, NGX_REGISTRY_OK, INT64_MAX },

    { "1001", 1000, NGX_REGISTRY_TOO_LONG, 0 },
    { "1010", 1000, NGX_REGISTRY_TOO_LONG, 0 },
    { "10000", 1000, NGX_REGISTRY_TOO_LONG, 0 },
    { "2000", 1000, NGX_REGISTRY_TOO_LONG, 0 },
    { "1", 0, NGX_REGISTRY_TOO_LONG, 0 },
    { "7", 5, NGX_REGISTRY_TOO_LONG, 0 },
    { "17", 5, NGX_REGISTRY_TOO_LONG, 0 },
    { "10", 9, NGX_REGISTRY_TOO_LONG, 0 },
    { "9223372036854775808", INT64_MAX, NGX_REGISTRY_TOO_LONG, 0 },
    { "18446744073709551616", UINT64_MAX, NGX_REGISTRY_TOO_LONG, 0 },
    { "18446744073709551616", 1000, NGX_REGISTRY_TOO_LONG, 0 },
    { "18446744073709551617", 1000, NGX_REGISTRY_TOO_LONG, 0 },
    { DIGITS100, UINT64_MAX, NGX_REGISTRY_TOO_LONG, 0 },

    { "", 1000, NGX_REGISTRY_INVALID, 0 },
    { "-1", 1000, NGX_REGISTRY_INVALID, 0 },
    { "+1", 1000, NGX_REGISTRY_INVALID, 0 },
    { " 1", 1000, NGX_REGISTRY_INVALID, 0 },
    { "1 ", 1000, NGX_REGISTRY_INVALID, 0 },
    { "1x", 1000, NGX_REGISTRY_INVALID, 0 },
    { "x", 1000, NGX_REGISTRY_INVALID, 0 },
    { "1.0", 1000, NGX_REGISTRY_INVALID, 0 },
    { "0x1", 1000, NGX_REGISTRY_INVALID, 0 },
    { "1e3", 1000, NGX_REGISTRY_INVALID, 0 },
    { "%31", 1000, NGX_REGISTRY_INVALID, 0 },
    { "/", 1000, NGX_REGISTRY_INVALID, 0 },
    { ":", 1000, NGX_REGISTRY_INVALID, 0 },
    { "\xb1", 1000, NGX_REGISTRY_INVALID, 0 },
    { DIGITS100 "x", 1000, NGX_REGISTRY_INVALID, 0 }
};


static ngx_registry_span_t
span(const u_char *p, size_t len)
{
    ngx_registry_span_t  s;

    s.data = p;
    s.len = len;

    return s;
}


static void
test_find(const char *query, const char *name, const char *want)
{
    size_t                  i, len;
    unsigned                same;
    const u_char           *p, *all;
    ngx_registry_span_t     n, value, v;
    ngx_registry_status_e   rc;

    n = span(tap_guarded(name, strlen(name)), strlen(name));

    len = strlen(query);
    p = tap_guarded(query, len);

    value = span(NULL, 7);
    rc = ngx_registry_query_find(p, p + len, &n, &value);

    ok(rc == (want ? NGX_REGISTRY_OK : NGX_REGISTRY_NONE), query);

    if (want) {
        is_bytes(value.data, value.len, want, strlen(want), "value");
        ok(value.data >= p && value.data + value.len <= p + len,
           "in the query");

    } else {
        ok(value.data == NULL && value.len == 7, "value is untouched");
    }

    all = (const u_char *) query;
    n.data = (const u_char *) name;
    same = 1;

    for (i = 0; i < len; i++) {
        p = tap_guarded(query, i);
        value.len = 0;
        v.len = 0;

        rc = ngx_registry_query_find(p, p + i, &n, &value);
        same &= (rc == ngx_registry_query_find(all, all + i, &n, &v)
                 && value.len == v.len);
    }

    ok(same, "its beginnings");
}


static void
test_decode(const char *text, const char *want)
{
    u_char               *dst, *end;
    size_t                i, len;
    ngx_registry_span_t   value;

    len = strlen(text);
    value = span(tap_guarded(text, len), len);

    /* no more room than announced */

    dst = tap_guarded(NULL, len);
    end = ngx_registry_query_decode(dst, &value);

    if (want == NULL) {
        ok(end == NULL, text);

    } else if (ok(end != NULL, text)) {
        is_bytes(dst, (size_t) (end - dst), want, strlen(want), "decoded");
    }

    /* in place */

    dst = tap_guarded(text, len);
    value = span(dst, len);
    end = ngx_registry_query_decode(dst, &value);

    if (want == NULL) {
        ok(end == NULL, "in place");

    } else if (ok(end != NULL, "in place")) {
        is_bytes(dst, (size_t) (end - dst), want, strlen(want),
                 "decoded in place");
    }

    /* beginnings: nothing to compare, but the page that follows */

    for (i = 0; i < len; i++) {
        value = span(tap_guarded(text, i), i);
        (void) ngx_registry_query_decode(tap_guarded(NULL, i), &value);
    }
}


/*
 * Each byte as %XX in both cases, and each byte as a digit.
 */
static void
test_encoding(void)
{
    u_char               *end, dst[3];
    char                  text[4];
    unsigned              ch, bad, lower;
    ngx_registry_span_t   value;

    bad = 0;
    value = span((u_char *) text, 3);

    for (ch = 1; ch < 256; ch++) {
        for (lower = 0; lower < 2; lower++) {
            (void) snprintf(text, sizeof(text), lower ? "%%%02x" : "%%%02X",
                            ch);
            end = ngx_registry_query_decode(dst, &value);

            bad += (end != dst + 1 || dst[0] != ch);
        }
    }

    ok(bad == 0, "each byte encoded");

    bad = 0;
    memcpy(text, "%11", 3);

    for (ch = 0; ch < 256; ch++) {
        text[1] = (char) ch;
        end = ngx_registry_query_decode(dst, &value);
        bad += ((end != NULL)
                != (ch && strchr("0123456789abcdefABCDEF", (int) ch)));

        text[1] = '1';
        text[2] = (char) ch;
        end = ngx_registry_query_decode(dst, &value);
        bad += ((end != NULL)
                != (ch && strchr("0123456789abcdefABCDEF", (int) ch)));
        text[2] = '1';
    }

    ok(bad == 0, "each byte as a digit");
}


static void
test_number(size_t i)
{
    size_t                 len;
    uint64_t               n;
    ngx_registry_span_t    value;
    ngx_registry_status_e  rc;

    len = strlen(numbers[i].value);
    value = span(tap_guarded(numbers[i].value, len), len);

    n = 77;
    rc = ngx_registry_query_number(&value, numbers[i].max, &n);

    ok(rc == numbers[i].rc, numbers[i].value);

    if (rc == NGX_REGISTRY_OK) {
        ok(n == numbers[i].n, "the number");
    }
}


int
main(void)
{
    size_t                i;
    u_char                room[1];
    ngx_registry_span_t   name = ngx_registry_span("n"), value;

    for (i = 0; i < sizeof(finds) / sizeof(finds[0]); i++) {
        test_find(finds[i].query, finds[i].name, finds[i].value);
    }

    ok(ngx_registry_query_find(NULL, NULL, &name, &value)
       == NGX_REGISTRY_NONE, "no query");

    for (i = 0; i < sizeof(decodes) / sizeof(decodes[0]); i++) {
        test_decode(decodes[i].value, decodes[i].result);
    }

    value = span(NULL, 0);
    ok(ngx_registry_query_decode(room, &value) == room, "nothing to decode");

    test_encoding();

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        test_number(i);
    }

    return done_testing();
}
