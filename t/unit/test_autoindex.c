
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_autoindex.c.
 */


#include "ngx_registry_autoindex.h"

#include "tap.h"


typedef struct {
    char      text[4096];            /* of each: name, "/" or none, line */
    size_t    len;
    unsigned  count;
    unsigned  stop;                  /* after so many, 0: never */
} taken_t;


static ngx_registry_status_e
take(void *data, const ngx_registry_span_t *name, int directory)
{
    taken_t *t = data;

    t->len += (size_t) snprintf(t->text + t->len, sizeof(t->text) - t->len,
                                "%.*s%s\n", (int) name->len,
                                (const char *) name->data,
                                directory ? "/" : "");

    return (++t->count == t->stop) ? NGX_REGISTRY_INVALID : NGX_REGISTRY_OK;
}


typedef struct {
    const char             *name;
    const char             *text;
    ngx_registry_status_e   rc;
    const char             *want;
} list_t;


#define DATE  "\"mtime\":\"Wed, 25 Nov 2026 07:53:33 GMT\""


static const list_t  lists[] = {
    { "nothing", "[\r\n]\r\n", NGX_REGISTRY_OK, "" },
    { "as nginx has it",
      "[\r\n{ \"name\":\"a\", \"type\":\"directory\", " DATE " },\r\n"
      "{ \"name\":\"b\", \"type\":\"file\", " DATE ", \"size\":71 },\r\n"
      "{ \"name\":\"c\", \"type\":\"other\", " DATE " }\r\n]\r\n",
      NGX_REGISTRY_OK, "a/\nb\nc\n" },
    { "other keys, other order",
      "[{\"x\":null,\"type\":\"directory\",\"y\":true,\"z\":1.5,"
      "\"name\":\"n\"}]", NGX_REGISTRY_OK, "n/\n" },
    { "escapes", "[{\"name\":\"a\\u0020\\\"b\",\"type\":\"file\"}]",
      NGX_REGISTRY_OK, "a \"b\n" },
    { "bytes that are no UTF-8", "[{\"name\":\"\xff\",\"type\":\"file\"}]",
      NGX_REGISTRY_OK, "\xff\n" },
    { "no type", "[{\"name\":\"a\"}]", NGX_REGISTRY_OK, "a\n" },
    { "no name", "[{\"type\":\"file\"}]", NGX_REGISTRY_INVALID, "" },
    { "an empty name", "[{\"name\":\"\"}]", NGX_REGISTRY_INVALID, "" },
    { "a name that is none", "[{\"name\":1}]", NGX_REGISTRY_INVALID, "" },
    { "a list in an entry", "[{\"name\":\"a\",\"x\":[]}]",
      NGX_REGISTRY_INVALID, "" },
    { "an entry in an entry", "[{\"name\":\"a\",\"x\":{}}]",
      NGX_REGISTRY_INVALID, "" },
    { "a list in the list", "[[]]", NGX_REGISTRY_INVALID, "" },
    { "a string in the list", "[\"a\"]", NGX_REGISTRY_INVALID, "" },
    { "an object", "{\"name\":\"a\"}", NGX_REGISTRY_INVALID, "" },
    { "a string", "\"a\"", NGX_REGISTRY_INVALID, "" },
    { "two lists", "[][]", NGX_REGISTRY_INVALID, "" },
    { "cut", "[{\"name\":\"a\"}", NGX_REGISTRY_INVALID, "a\n" },
    { "HTML", "<html>", NGX_REGISTRY_INVALID, "" },
    { "no bytes", "", NGX_REGISTRY_INVALID, "" }
};


static void
test_list(const list_t *list)
{
    u_char   *p;
    size_t    len;
    taken_t   t;

    len = strlen(list->text);
    p = tap_guarded(list->text, len);

    memset(&t, 0, sizeof(taken_t));

    ok(ngx_registry_autoindex_parse(p, p + len, take, &t) == list->rc,
       list->name);
    is_bytes(t.text, t.len, list->want, strlen(list->want), list->name);

    if (t.count) {
        memset(&t, 0, sizeof(taken_t));
        t.stop = 1;

        ok(ngx_registry_autoindex_parse(p, p + len, take, &t)
           == NGX_REGISTRY_STOPPED && t.count == 1, "stopped");
    }
}


static void
test_long(void)
{
    char     text[512];
    u_char  *p;
    size_t   n, len;
    taken_t  t;

    /* NAME_MAX is what a file system can have */

    for (n = 255; n <= 256; n++) {
        len = (size_t) snprintf(text, sizeof(text), "[{\"name\":\"%0*d\"}]",
                                (int) n, 0);
        p = tap_guarded(text, len);
        memset(&t, 0, sizeof(taken_t));

        ok(ngx_registry_autoindex_parse(p, p + len, take, &t)
           == (n == 255 ? NGX_REGISTRY_OK : NGX_REGISTRY_INVALID),
           n == 255 ? "255 bytes" : "256 bytes");
    }
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        test_list(&lists[i]);
    }

    test_long();

    return done_testing();
}
