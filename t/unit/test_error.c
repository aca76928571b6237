
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_error.c.
 */


#include "ngx_registry_error.h"

#include "tap.h"


#define FFFD  "\xef\xbf\xbd"


/* OCI Distribution Spec, Error Codes, code-1 ... code-14; distribution's */

static const struct {
    ngx_registry_error_e   code;
    const char            *name;
} codes[] = {
    { NGX_REGISTRY_BLOB_UNKNOWN, "BLOB_UNKNOWN" },
    { NGX_REGISTRY_BLOB_UPLOAD_INVALID, "BLOB_UPLOAD_INVALID" },
    { NGX_REGISTRY_BLOB_UPLOAD_UNKNOWN, "BLOB_UPLOAD_UNKNOWN" },
    { NGX_REGISTRY_CODE_DIGEST_INVALID, "DIGEST_INVALID" },
    { NGX_REGISTRY_MANIFEST_BLOB_UNKNOWN, "MANIFEST_BLOB_UNKNOWN" },
    { NGX_REGISTRY_MANIFEST_INVALID, "MANIFEST_INVALID" },
    { NGX_REGISTRY_MANIFEST_UNKNOWN, "MANIFEST_UNKNOWN" },
    { NGX_REGISTRY_CODE_NAME_INVALID, "NAME_INVALID" },
    { NGX_REGISTRY_NAME_UNKNOWN, "NAME_UNKNOWN" },
    { NGX_REGISTRY_SIZE_INVALID, "SIZE_INVALID" },
    { NGX_REGISTRY_UNAUTHORIZED, "UNAUTHORIZED" },
    { NGX_REGISTRY_DENIED, "DENIED" },
    { NGX_REGISTRY_CODE_UNSUPPORTED, "UNSUPPORTED" },
    { NGX_REGISTRY_TOOMANYREQUESTS, "TOOMANYREQUESTS" },
    { NGX_REGISTRY_UNKNOWN, "UNKNOWN" },
    { NGX_REGISTRY_UNAVAILABLE, "UNAVAILABLE" }
};


static const struct {
    ngx_registry_error_e   code;
    const char            *message;
    const char            *detail;
    const char            *want;
} documents[] = {
    { NGX_REGISTRY_BLOB_UNKNOWN, "", "",
      "{\"errors\":[{\"code\":\"BLOB_UNKNOWN\","
      "\"message\":\"blob unknown to registry\"}]}\n" },
    { NGX_REGISTRY_MANIFEST_UNKNOWN, "", "v1",
      "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\","
      "\"message\":\"manifest unknown to registry\",\"detail\":\"v1\"}]}\n" },
    { NGX_REGISTRY_UNKNOWN, "S3: SlowDown", "",
      "{\"errors\":[{\"code\":\"UNKNOWN\","
      "\"message\":\"S3: SlowDown\"}]}\n" },
    { NGX_REGISTRY_CODE_NAME_INVALID, "a\"b", "c\\d\n",
      "{\"errors\":[{\"code\":\"NAME_INVALID\","
      "\"message\":\"a\\\"b\",\"detail\":\"c\\\\d\\u000a\"}]}\n" },
    { NGX_REGISTRY_UNAVAILABLE, "\xff", "\x80\xc3\xa9",
      "{\"errors\":[{\"code\":\"UNAVAILABLE\","
      "\"message\":\"" FFFD "\",\"detail\":\"" FFFD "\xc3\xa9\"}]}\n" }
};


static const struct {
    const char  *text;
    size_t       len;
    const char  *want;
} strings[] = {
#define S(literal)  literal, sizeof(literal) - 1
    { S(""), "\"\"" },
    { S("\""), "\"\\\"\"" },
    { S("\\"), "\"\\\\\"" },
    { S("a\0b"), "\"a\\u0000b\"" },
    { S("\b\t\n\f\r"), "\"\\u0008\\u0009\\u000a\\u000c\\u000d\"" },
    { S("\x1f "), "\"\\u001f \"" },
    { S("a~\x7f"), "\"a~\\u007f\"" },
    { S("</script>"), "\"</script>\"" },
    { S("\xc3\xa9"), "\"\xc3\xa9\"" },
    { S("\xe2\x82\xac"), "\"\xe2\x82\xac\"" },

    /* the first and the last of each length */

    { S("\xc2\x80\xdf\xbf"), "\"\xc2\x80\xdf\xbf\"" },
    { S("\xe0\xa0\x80\xef\xbf\xbf"), "\"\xe0\xa0\x80\xef\xbf\xbf\"" },
    { S("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
      "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"" },
    { S("\xed\x9f\xbf\xee\x80\x80"), "\"\xed\x9f\xbf\xee\x80\x80\"" },

    /* not UTF-8: each byte of it */

    { S("\x80"), "\"" FFFD "\"" },
    { S("\xff\xfe"), "\"" FFFD FFFD "\"" },
    { S("a\xc3"), "\"a" FFFD "\"" },
    { S("\xc3\""), "\"" FFFD "\\\"\"" },
    { S("\xc3\xc3\xa9"), "\"" FFFD "\xc3\xa9\"" },
    { S("\xe2\x82"), "\"" FFFD FFFD "\"" },
    { S("\xc0\x80"), "\"" FFFD FFFD "\"" },
    { S("\xe0\x9f\xbf"), "\"" FFFD FFFD FFFD "\"" },
    { S("\xed\xa0\x80"), "\"" FFFD FFFD FFFD "\"" },
    { S("\xf0\x8f\xbf\xbf"), "\"" FFFD FFFD FFFD FFFD "\"" },
    { S("\xf4\x90\x80\x80"), "\"" FFFD FFFD FFFD FFFD "\"" }
#undef S
};


static ngx_registry_span_t
span(const char *text)
{
    ngx_registry_span_t  s;

    s.len = strlen(text);
    s.data = tap_guarded(text, s.len);

    return s;
}


static void
test_codes(void)
{
    size_t                      i, j;
    unsigned                    printable;
    const ngx_registry_span_t  *s;

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        ok((size_t) codes[i].code == i, "in the order of the specification");

        s = ngx_registry_error_name(codes[i].code);
        is_bytes(s->data, s->len, codes[i].name, strlen(codes[i].name),
                 codes[i].name);

        s = ngx_registry_error_text(codes[i].code);
        printable = (s->len > 5);

        for (j = 0; j < s->len; j++) {
            printable &= (s->data[j] >= 0x20 && s->data[j] < 0x7f);
        }

        ok(printable, "has a text");
    }
}


static void
test_document(ngx_registry_error_e code, const char *message,
    const char *detail, const char *want)
{
    u_char               *p, *end;
    size_t                len;
    ngx_registry_span_t   m, d;

    m = span(message);
    d = span(detail);

    len = ngx_registry_error_len(code, &m, &d);

    if (ok(len == strlen(want), want)) {
        p = tap_guarded(NULL, len);
        end = ngx_registry_error_write(p, code, &m, &d);

        is_bytes(p, (size_t) (end - p), want, len, "as it is written");
    }
}


/*
 * The document of a code with the text of its own.
 */
static void
test_default(ngx_registry_error_e code)
{
    char                        want[512];
    const ngx_registry_span_t  *name, *text;

    name = ngx_registry_error_name(code);
    text = ngx_registry_error_text(code);

    (void) snprintf(want, sizeof(want), "{\"errors\":[{\"code\":\"%.*s\","
                    "\"message\":\"%.*s\"}]}\n",
                    (int) name->len, (const char *) name->data,
                    (int) text->len, (const char *) text->data);

    test_document(code, "", "", want);
}


static void
test_string(const char *text, size_t len, const char *want)
{
    size_t                i, n;
    u_char               *p, *end;
    unsigned              same;
    ngx_registry_span_t   s;

    s.data = tap_guarded(text, len);
    s.len = len;

    n = ngx_registry_json_string_len(&s);

    if (!ok(n == strlen(want), want)) {
        return;
    }

    p = tap_guarded(NULL, n);
    end = ngx_registry_json_string_write(p, &s);

    is_bytes(p, (size_t) (end - p), want, n, "as it is written");

    /* beginnings, that may end within a character */

    same = 1;

    for (i = 0; i < len; i++) {
        s.data = tap_guarded(text, i);
        s.len = i;

        n = ngx_registry_json_string_len(&s);
        p = tap_guarded(NULL, n);
        same &= (ngx_registry_json_string_write(p, &s) == p + n);
    }

    ok(same, "its beginnings: as long as announced");
}


/*
 * The length of the character at p by the table of RFC 3629, section 4, or 0.
 */
static size_t
utf8(const u_char *p, size_t len)
{
    size_t  i, j;

    static const struct {
        size_t  n;
        u_char  range[4][2];
    } rows[] = {
#define TAIL  0x80, 0xbf
        { 1, { { 0x00, 0x7f } } },
        { 2, { { 0xc2, 0xdf }, { TAIL } } },
        { 3, { { 0xe0, 0xe0 }, { 0xa0, 0xbf }, { TAIL } } },
        { 3, { { 0xe1, 0xec }, { TAIL }, { TAIL } } },
        { 3, { { 0xed, 0xed }, { 0x80, 0x9f }, { TAIL } } },
        { 3, { { 0xee, 0xef }, { TAIL }, { TAIL } } },
        { 4, { { 0xf0, 0xf0 }, { 0x90, 0xbf }, { TAIL }, { TAIL } } },
        { 4, { { 0xf1, 0xf3 }, { TAIL }, { TAIL }, { TAIL } } },
        { 4, { { 0xf4, 0xf4 }, { 0x80, 0x8f }, { TAIL }, { TAIL } } }
#undef TAIL
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        for (j = 0; j < rows[i].n; j++) {
            if (j == len || p[j] < rows[i].range[j][0]
                || p[j] > rows[i].range[j][1])
            {
                break;
            }
        }

        if (j == rows[i].n) {
            return j;
        }
    }

    return 0;
}


/*
 * Whether n bytes become something else than the table says.
 */
static unsigned
differs(const u_char *p, size_t n)
{
    char                 want[64], *w;
    size_t               i, m;
    u_char               got[64];
    ngx_registry_span_t  s;

    w = want;
    *w++ = '"';

    for (i = 0; i < n; i += m ? m : 1) {
        m = utf8(p + i, n - i);

        if (m == 0) {
            w += sprintf(w, FFFD);

        } else if (m == 1 && (p[i] < 0x20 || p[i] == 0x7f)) {
            w += sprintf(w, "\\u%04x", p[i]);

        } else if (p[i] == '"' || p[i] == '\\') {
            w += sprintf(w, "\\%c", p[i]);

        } else {
            memcpy(w, p + i, m);
            w += m;
        }
    }

    *w++ = '"';

    s.data = p;
    s.len = n;

    m = ngx_registry_json_string_len(&s);

    return m != (size_t) (w - want)
           || ngx_registry_json_string_write(got, &s) != got + m
           || memcmp(got, want, m) != 0;
}


static void
test_utf8(void)
{
    u_char    s[4];
    size_t    n, i, at[4];
    unsigned  bad, a, b;

    static const u_char  edges[] = {
        0x00, 0x22, 0x41, 0x5c, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
        0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0,
        0xf1, 0xf3, 0xf4, 0xf5, 0xff
    };

    bad = 0;

    for (a = 0; a < 256; a++) {
        s[0] = (u_char) a;
        bad += differs(s, 1);

        for (b = 0; b < 256; b++) {
            s[1] = (u_char) b;
            bad += differs(s, 2);
        }
    }

    ok(bad == 0, "all strings of one and two bytes");

    bad = 0;

    for (n = 3; n <= 4; n++) {
        memset(at, 0, sizeof(at));

        do {
            for (i = 0; i < n; i++) {
                s[i] = edges[at[i]];
            }

            bad += differs(s, n);

            for (i = 0; i < n; i++) {
                if (++at[i] < sizeof(edges)) {
                    break;
                }

                at[i] = 0;
            }

        } while (i < n);
    }

    ok(bad == 0, "three and four bytes at the edges of UTF-8");
}


int
main(void)
{
    size_t               i;
    u_char               room[2];
    ngx_registry_span_t  none = { NULL, 0 };

    test_codes();

    for (i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        test_document(documents[i].code, documents[i].message,
                      documents[i].detail, documents[i].want);
    }

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        test_default(codes[i].code);
    }

    ok(ngx_registry_json_string_len(&none) == 2, "no string");
    ok(ngx_registry_json_string_write(room, &none) == room + 2, "two quotes");

    for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        test_string(strings[i].text, strings[i].len, strings[i].want);
    }

    test_utf8();

    return done_testing();
}
