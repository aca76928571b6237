
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_range.c.
 */


#include "ngx_registry_range.h"

#include "tap.h"


#define MAX         INT64_MAX
#define MAX_TEXT    "9223372036854775807"
#define MAX_TEXT_1  "9223372036854775806"
#define ABOVE_TEXT  "9223372036854775808"
#define DIGITS100   "99999999999999999999999999999999999999999999999999" \
                    "99999999999999999999999999999999999999999999999999"


typedef struct {
    const char             *text;
    int64_t                 size;
    ngx_registry_status_e   rc;
    int64_t                 start;
    int64_t                 end;
} parse_t;

typedef struct {
    const char             *text;
    ngx_registry_status_e   rc;
    int64_t                 first;
    int64_t                 last;
} scan_t;


static const parse_t  parses[] = {
    { "bytes=0-0", 1000, NGX_REGISTRY_OK, 0, 1 },
    { "bytes=0-499", 1000, NGX_REGISTRY_OK, 0, 500 },
    { "bytes=500-999", 1000, NGX_REGISTRY_OK, 500, 1000 },
    { "bytes=999-999", 1000, NGX_REGISTRY_OK, 999, 1000 },
    { "bytes=0-", 1000, NGX_REGISTRY_OK, 0, 1000 },
    { "bytes=999-", 1000, NGX_REGISTRY_OK, 999, 1000 },
    { "bytes=-1", 1000, NGX_REGISTRY_OK, 999, 1000 },
    { "bytes=-500", 1000, NGX_REGISTRY_OK, 500, 1000 },
    { "bytes=-1000", 1000, NGX_REGISTRY_OK, 0, 1000 },
    { "bytes=0-0", 1, NGX_REGISTRY_OK, 0, 1 },
    { "bytes=-1", 1, NGX_REGISTRY_OK, 0, 1 },

    /* cut to what there is */

    { "bytes=0-999", 1000, NGX_REGISTRY_OK, 0, 1000 },
    { "bytes=0-1000", 1000, NGX_REGISTRY_OK, 0, 1000 },
    { "bytes=500-100000", 1000, NGX_REGISTRY_OK, 500, 1000 },
    { "bytes=500-" DIGITS100, 1000, NGX_REGISTRY_OK, 500, 1000 },
    { "bytes=-1001", 1000, NGX_REGISTRY_OK, 0, 1000 },
    { "bytes=-" DIGITS100, 1000, NGX_REGISTRY_OK, 0, 1000 },

    /* any case, leading zeros, blanks */

    { "Bytes=0-0", 1000, NGX_REGISTRY_OK, 0, 1 },
    { "BYTES=0-0", 1000, NGX_REGISTRY_OK, 0, 1 },
    { "bytes=0000-00009", 1000, NGX_REGISTRY_OK, 0, 10 },
    { "bytes=00000000000000000000000001-2", 1000, NGX_REGISTRY_OK, 1, 3 },
    { " \t bytes=5-9", 1000, NGX_REGISTRY_OK, 5, 10 },
    { "bytes= 5-9", 1000, NGX_REGISTRY_OK, 5, 10 },
    { "bytes=\t \t5-9", 1000, NGX_REGISTRY_OK, 5, 10 },
    { "bytes=5-9 \t", 1000, NGX_REGISTRY_OK, 5, 10 },
    { "bytes=5- ", 1000, NGX_REGISTRY_OK, 5, 1000 },
    { "bytes= -5 ", 1000, NGX_REGISTRY_OK, 995, 1000 },

    /* numbers at the edge */

    { "bytes=" MAX_TEXT_1 "-", MAX, NGX_REGISTRY_OK, MAX - 1, MAX },
    { "bytes=" MAX_TEXT_1 "-" MAX_TEXT, MAX, NGX_REGISTRY_OK, MAX - 1, MAX },
    { "bytes=" MAX_TEXT_1 "-" MAX_TEXT_1, MAX, NGX_REGISTRY_OK, MAX - 1,
      MAX },
    { "bytes=9223372036854775800-9223372036854775801", MAX, NGX_REGISTRY_OK,
      9223372036854775800, 9223372036854775802 },
    { "bytes=922337203685477580-922337203685477581", MAX, NGX_REGISTRY_OK,
      922337203685477580, 922337203685477582 },
    { "bytes=0-" MAX_TEXT_1, MAX, NGX_REGISTRY_OK, 0, MAX },
    { "bytes=0-" ABOVE_TEXT, MAX, NGX_REGISTRY_OK, 0, MAX },
    { "bytes=-" MAX_TEXT, MAX, NGX_REGISTRY_OK, 0, MAX },
    { "bytes=-" MAX_TEXT_1, MAX, NGX_REGISTRY_OK, 1, MAX },
    { "bytes=-" ABOVE_TEXT, MAX, NGX_REGISTRY_OK, 0, MAX },
    { "bytes=" MAX_TEXT "-", MAX, NGX_REGISTRY_UNSATISFIABLE, 0, 0 },
    { "bytes=" ABOVE_TEXT "-", MAX, NGX_REGISTRY_UNSATISFIABLE, 0, 0 },
    { "bytes=9223372036854775800-", 9223372036854775800,
      NGX_REGISTRY_UNSATISFIABLE, 0, 0 },
    { "bytes=9223372036854775800-", 5000000000000000000,
      NGX_REGISTRY_UNSATISFIABLE, 0, 0 },
    { "bytes=" DIGITS100 "-", 1000, NGX_REGISTRY_UNSATISFIABLE, 0, 0 },
    { "bytes=" DIGITS100 "-" DIGITS100, 1000, NGX_REGISTRY_UNSATISFIABLE, 0,
      0 },
    { "bytes=18446744073709551616-", 1000, NGX_REGISTRY_UNSATISFIABLE, 0,
      0 },
    { "bytes=18446744073709551617-18446744073709551618", 1000,
      NGX_REGISTRY_UNSATISFIABLE, 0, 0 },

    /* beyond the end, nothing, and backwards */

    { "bytes=1000-", 1000, NGX_REGISTRY_UNSATISFIABLE, 0, 0 },
    { "bytes=1000-1000", 1000, NGX_REGISTRY_UNSATISFIABLE, 0, 0 },
    { "bytes=1-1", 1, NGX_REGISTRY_UNSATISFIABLE, 0, 0 },
    { "bytes=-0", 1000, NGX_REGISTRY_UNSATISFIABLE, 0, 0 },
    { "bytes=500-0", 1000, NGX_REGISTRY_UNSATISFIABLE, 0, 0 },
    { "bytes=1-0", 1000, NGX_REGISTRY_UNSATISFIABLE, 0, 0 },
    { "bytes=500-499", 1000, NGX_REGISTRY_UNSATISFIABLE, 0, 0 },

    /* nothing to take a part of */

    { "bytes=0-", 0, NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=0-0", 0, NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=0-99", 0, NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=-1", 0, NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=-99", 0, NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=-0", 0, NGX_REGISTRY_UNSATISFIABLE, 0, 0 },
    { "bytes=1-", 0, NGX_REGISTRY_UNSATISFIABLE, 0, 0 },
    { "bytes=1-2", 0, NGX_REGISTRY_UNSATISFIABLE, 0, 0 },
    { "bytes=500-0", 0, NGX_REGISTRY_UNSATISFIABLE, 0, 0 }
};


/* what is not OK is so of any size */

static const scan_t  scans[] = {
    { "bytes=0-0", NGX_REGISTRY_OK, 0, 0 },
    { "bytes=5-9", NGX_REGISTRY_OK, 5, 9 },
    { "bytes=5-", NGX_REGISTRY_OK, 5, -1 },
    { "bytes=-5", NGX_REGISTRY_OK, -1, 5 },
    { "bytes=-0", NGX_REGISTRY_OK, -1, 0 },
    { "bYtEs=5-9", NGX_REGISTRY_OK, 5, 9 },
    { "\tbytes= 5-9 ", NGX_REGISTRY_OK, 5, 9 },
    { "bytes=0-" MAX_TEXT_1, NGX_REGISTRY_OK, 0, MAX - 1 },
    { "bytes=0-" MAX_TEXT, NGX_REGISTRY_OK, 0, MAX },
    { "bytes=0-" ABOVE_TEXT, NGX_REGISTRY_OK, 0, MAX },
    { "bytes=0-9223372036854775810", NGX_REGISTRY_OK, 0, MAX },
    { "bytes=0-" DIGITS100, NGX_REGISTRY_OK, 0, MAX },
    { "bytes=-" DIGITS100, NGX_REGISTRY_OK, -1, MAX },
    { "bytes=" DIGITS100 "-", NGX_REGISTRY_OK, MAX, -1 },
    { "bytes=" MAX_TEXT "-" DIGITS100, NGX_REGISTRY_OK, MAX, MAX },

    { "bytes=500-0", NGX_REGISTRY_UNSATISFIABLE, 500, 0 },
    { "bytes=1-0 ", NGX_REGISTRY_UNSATISFIABLE, 1, 0 },
    { "bytes=" MAX_TEXT "-" MAX_TEXT_1, NGX_REGISTRY_UNSATISFIABLE, MAX,
      MAX - 1 },
    { "bytes=" DIGITS100 "-1", NGX_REGISTRY_UNSATISFIABLE, MAX, 1 },

    { "bytes=0-1,2-3", NGX_REGISTRY_MULTIPLE, 0, 0 },
    { "bytes=0-1, 2-3", NGX_REGISTRY_MULTIPLE, 0, 0 },
    { "bytes=0-1 ,2-3", NGX_REGISTRY_MULTIPLE, 0, 0 },
    { "bytes=0-,-1", NGX_REGISTRY_MULTIPLE, 0, 0 },
    { "bytes=-1,0-", NGX_REGISTRY_MULTIPLE, 0, 0 },
    { "bytes=5-1,0-0", NGX_REGISTRY_MULTIPLE, 0, 0 },
    { "bytes=0-1,", NGX_REGISTRY_MULTIPLE, 0, 0 },
    { "bytes=0-1,x", NGX_REGISTRY_MULTIPLE, 0, 0 },

    { "", NGX_REGISTRY_NONE, 0, 0 },
    { " ", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes= ", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=-", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=--", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=--5", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=-5-", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=5", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=5-6-7", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=5-6-", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=a-b", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=1-b", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=a-1", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=1-2x", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=1-2;", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=0x1-2", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=+1-2", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=1.0-2", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=1 -2", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=1- 2", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=1 2-3", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=,0-1", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes==0-1", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes =0-1", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes 0-1", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes:0-1", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes\x1d" "0-1", NGX_REGISTRY_NONE, 0, 0 },
    { "byte=0-1", NGX_REGISTRY_NONE, 0, 0 },
    { "bytess=0-1", NGX_REGISTRY_NONE, 0, 0 },
    { "xbytes=0-1", NGX_REGISTRY_NONE, 0, 0 },
    { "lines=0-1", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=0-1\n", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=0-1\r", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=0-1\xff", NGX_REGISTRY_NONE, 0, 0 },
    { "bytes=\xb2-3", NGX_REGISTRY_NONE, 0, 0 },
    { "\"bytes=0-1\"", NGX_REGISTRY_NONE, 0, 0 }
};


#define D  "sha256:0123456789abcdef"

static const struct {
    const char  *text;
    int          match;
} etags[] = {
    { "\"" D "\"", 1 },
    { "W/\"" D "\"", 1 },
    { D, 1 },
    { "*", 1 },
    { " * ", 1 },
    { "  \"" D "\"\t", 1 },
    { " " D " ", 1 },
    { "\"x\",\"" D "\"", 1 },
    { "\"x\", \"" D "\"", 1 },
    { "\"x\" , W/\"" D "\"", 1 },
    { "\"" D "\", \"x\"", 1 },
    { "\"" D "\",", 1 },
    { ",, ,\"" D "\"", 1 },
    { "x, " D, 1 },
    { "x, " D " , y", 1 },
    { "\"\", \"" D "\"", 1 },
    { "\"a,b\", \"" D "\"", 1 },
    { "\"x\", *", 1 },

    { "", 0 },
    { " ", 0 },
    { ",", 0 },
    { "\"", 0 },
    { "\"\"", 0 },
    { "W", 0 },
    { "W/", 0 },
    { "W/\"", 0 },
    { "W/\"\"", 0 },
    { "\"other\"", 0 },
    { "\"*\"", 0 },
    { "W/*", 0 },
    { "**", 0 },
    { "*x", 0 },
    { "\"" D, 0 },
    { D "\"", 0 },
    { "'" D "'", 0 },
    { "\"" D "0\"", 0 },
    { "\"0" D "\"", 0 },
    { "\"sha256:0123456789abcde\"", 0 },
    { "\"sha256:0123456789abcdeF\"", 0 },
    { "\"SHA256:0123456789abcdef\"", 0 },
    { "w/\"" D "\"", 0 },
    { "W/" D, 0 },
    { "W /\"" D "\"", 0 },
    { "W/W/\"" D "\"", 0 },
    { "\"" D "\"x", 0 },
    { "\"" D "\"\"x\"", 0 },
    { "\" " D "\"", 0 },
    { "\"" D " \"", 0 },
    { "\"x" D "\"", 0 },
    { "x " D, 0 },

    /* a tag may have commas: what is between is no tag */

    { "\"x," D ",y\"", 0 },
    { "\"x,\"" D "\",y\"", 0 },
    { "\"x," D, 0 },
    { "\"x,*,y\"", 0 },
    { "\"x, *", 0 }
};


static void
test_parse(const parse_t *t)
{
    size_t                  i, len;
    int64_t                 start, end, s, e;
    unsigned                same;
    const u_char           *p, *all;
    ngx_registry_status_e   rc;

    len = strlen(t->text);
    p = tap_guarded(t->text, len);

    start = -7;
    end = -7;

    ok(ngx_registry_range_parse(p, p + len, t->size, &start, &end) == t->rc,
       t->text);

    if (t->rc == NGX_REGISTRY_OK) {
        ok(start == t->start, "start");
        ok(end == t->end, "end");

    } else {
        ok(start == -7 && end == -7, "start and end are untouched");
    }

    all = (const u_char *) t->text;
    same = 1;

    for (i = 0; i < len; i++) {
        p = tap_guarded(t->text, i);
        start = end = s = e = 0;

        rc = ngx_registry_range_parse(p, p + i, t->size, &start, &end);

        same &= (rc == ngx_registry_range_parse(all, all + i, t->size, &s, &e)
                 && start == s && end == e);
    }

    ok(same, "its beginnings");
}


static void
test_scan(const scan_t *t)
{
    size_t         i, len;
    int64_t        first, last, start, end;
    unsigned       same;
    const u_char  *p;

    static const int64_t  sizes[] = { 0, 1, 1000, MAX };

    len = strlen(t->text);
    p = tap_guarded(t->text, len);

    first = -7;
    last = -7;

    ok(ngx_registry_range_scan(p, p + len, &first, &last) == t->rc, t->text);

    if (t->rc == NGX_REGISTRY_OK || t->rc == NGX_REGISTRY_UNSATISFIABLE) {
        ok(first == t->first, "first");
        ok(last == t->last, "last");
    }

    if (t->rc == NGX_REGISTRY_OK) {
        return;
    }

    /* then it is the same with any size */

    same = 1;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        same &= (ngx_registry_range_parse(p, p + len, sizes[i], &start, &end)
                 == t->rc);
    }

    ok(same, "of any size");
}


static void
test_etag(const char *text, int match)
{
    size_t                i, len;
    unsigned              same;
    const u_char         *p, *all;
    ngx_registry_span_t   digest = ngx_registry_span(D);

    len = strlen(text);
    p = tap_guarded(text, len);

    ok(ngx_registry_etag_match(p, p + len, &digest) == match, text);

    all = (const u_char *) text;
    same = 1;

    for (i = 0; i < len; i++) {
        p = tap_guarded(text, i);
        same &= (ngx_registry_etag_match(p, p + i, &digest)
                 == ngx_registry_etag_match(all, all + i, &digest));
    }

    ok(same, "its beginnings");
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(parses) / sizeof(parses[0]); i++) {
        test_parse(&parses[i]);
    }

    for (i = 0; i < sizeof(scans) / sizeof(scans[0]); i++) {
        test_scan(&scans[i]);
    }

    for (i = 0; i < sizeof(etags) / sizeof(etags[0]); i++) {
        test_etag(etags[i].text, etags[i].match);
    }

    return done_testing();
}
