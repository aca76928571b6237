
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_referrer.c.
 */


#include "ngx_registry_referrer.h"

#include "tap.h"


#define HEX     "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define DIGEST  "sha256:" HEX
#define IMAGE   "application/vnd.oci.image.manifest.v1+json"
#define INDEX   "application/vnd.oci.image.index.v1+json"
#define EMPTY   "application/vnd.oci.empty.v1+json"
#define CONFIG  "\"config\":{\"mediaType\":\"" EMPTY "\",\"digest\":\""       \
                DIGEST "\",\"size\":2}"
#define SUBJECT "\"subject\":{\"mediaType\":\"" IMAGE "\",\"digest\":\""      \
                DIGEST "\",\"size\":2}"


typedef struct {
    char      text[8192];            /* of each: type, blank, JSON, line */
    size_t    len;
    unsigned  count;
    unsigned  stop;                  /* after so many, 0: never */
} taken_t;


static ngx_registry_status_e
take(void *data, const ngx_registry_referrer_t *r)
{
    taken_t *t = data;

    t->len += (size_t) snprintf(t->text + t->len, sizeof(t->text) - t->len,
                                "%.*s %.*s\n", (int) r->artifact_type.len,
                                r->artifact_type.data
                                ? (const char *) r->artifact_type.data : "",
                                (int) r->json.len,
                                (const char *) r->json.data);

    return (++t->count == t->stop) ? NGX_REGISTRY_INVALID : NGX_REGISTRY_OK;
}


/* what a manifest is in the list of its subject's referrers */

typedef struct {
    const char  *name;
    const char  *manifest;
    const char  *want;               /* NULL: INVALID */
} of_t;


static const of_t  ofs[] = {
    { "artifactType",
      "{\"schemaVersion\":2,\"mediaType\":\"" IMAGE "\",\"artifactType\":"
      "\"application/vnd.test.sbom\"," CONFIG ",\"layers\":[]," SUBJECT "}",
      "application/vnd.test.sbom {\"mediaType\":\"" IMAGE "\",\"digest\":\""
      DIGEST "\",\"size\":%zu,\"artifactType\":\"application/vnd.test.sbom\""
      "}\n" },
    { "the type of the config in its place",
      "{\"schemaVersion\":2,\"mediaType\":\"" IMAGE "\"," CONFIG
      ",\"layers\":[]," SUBJECT "}",
      EMPTY " {\"mediaType\":\"" IMAGE "\",\"digest\":\"" DIGEST
      "\",\"size\":%zu,\"artifactType\":\"" EMPTY "\"}\n" },
    { "an empty one is none",
      "{\"schemaVersion\":2,\"mediaType\":\"" IMAGE "\",\"artifactType\":\"\","
      CONFIG ",\"layers\":[]," SUBJECT "}",
      EMPTY " {\"mediaType\":\"" IMAGE "\",\"digest\":\"" DIGEST
      "\",\"size\":%zu,\"artifactType\":\"" EMPTY "\"}\n" },
    { "an index has its own or none",
      "{\"schemaVersion\":2,\"mediaType\":\"" INDEX "\",\"manifests\":[],"
      SUBJECT "}",
      " {\"mediaType\":\"" INDEX "\",\"digest\":\"" DIGEST "\",\"size\":%zu}"
      "\n" },
    { "annotations, those that are strings",
      "{\"schemaVersion\":2,\"mediaType\":\"" INDEX "\",\"manifests\":[],"
      SUBJECT ",\"annotations\":{\"a\":\"1\",\"b\":2,\"c\":{\"d\":\"e\"},"
      "\"quote\\\"\":\"line\\nfeed \\u00e9\",\"n\":null}}",
      " {\"annotations\":{\"a\":\"1\",\"quote\\\"\":\"line\\nfeed \xc3\xa9\"},"
      "\"mediaType\":\"" INDEX "\",\"digest\":\"" DIGEST "\",\"size\":%zu}"
      "\n" },
    { "the first annotations",
      "{\"schemaVersion\":2,\"mediaType\":\"" INDEX "\",\"manifests\":[],"
      SUBJECT ",\"annotations\":{\"a\":[\"b\",{\"c\":\"d\"}],\"e\":\"\"}}",
      " {\"annotations\":{\"e\":\"\"},"
      "\"mediaType\":\"" INDEX "\",\"digest\":\"" DIGEST "\",\"size\":%zu}"
      "\n" },
    { "what has the keys of a descriptor, and is deeper",
      "{\"schemaVersion\":2,\"mediaType\":\"" INDEX "\",\"x\":{\"artifactType\":"
      "\"a/b\",\"annotations\":{\"a\":\"b\"}},"
      "\"manifests\":[{\"annotations\":{\"g\":\"h\"},"
      "\"digest\":\"" DIGEST "\",\"size\":2}]," SUBJECT "}",
      " {\"mediaType\":\"" INDEX "\",\"digest\":\"" DIGEST "\",\"size\":%zu}"
      "\n" },
    { "annotations that are none",
      "{\"schemaVersion\":2,\"mediaType\":\"" INDEX "\",\"manifests\":[],"
      SUBJECT ",\"annotations\":[\"a\"]}",
      " {\"mediaType\":\"" INDEX "\",\"digest\":\"" DIGEST "\",\"size\":%zu}"
      "\n" },
    { "no JSON", "{", NULL },
    { "nothing", "", NULL },
    { "a list", "[]", NULL }
};


static void
test_of(const of_t *of)
{
    char                     want[4096];
    u_char                  *p, *last;
    size_t                   len;
    taken_t                  t;
    ngx_registry_span_t      digest;
    ngx_registry_status_e    rc;
    ngx_registry_manifest_t  m;

    len = strlen(of->manifest);
    p = tap_guarded(of->manifest, len);
    last = p + len;

    memset(&t, 0, sizeof(taken_t));
    memset(&m, 0, sizeof(ngx_registry_manifest_t));
    (void) ngx_registry_manifest_parse(p, last, &m, NULL, NULL);

    digest.data = (const u_char *) DIGEST;
    digest.len = sizeof(DIGEST) - 1;

    rc = ngx_registry_referrer_of(p, last, &m, &digest, take, &t);

    if (of->want == NULL) {
        ok(rc == NGX_REGISTRY_INVALID && t.count == 0, of->name);
        return;
    }

    ok(rc == NGX_REGISTRY_OK && t.count == 1, of->name);

    len = (size_t) snprintf(want, sizeof(want), of->want, len);
    is_bytes(t.text, t.len, want, len, of->name);

    memset(&t, 0, sizeof(taken_t));
    t.stop = 1;

    ok(ngx_registry_referrer_of(p, last, &m, &digest, take, &t)
       == NGX_REGISTRY_STOPPED, "stopped");
}


#define ENTRY(more)                                                           \
    "{\"mediaType\":\"" IMAGE "\",\"digest\":\"" DIGEST "\",\"size\":7" more "}"

#define NOTED                                                                 \
    "\"mediaType\":\"" IMAGE "\",\"digest\":\"" DIGEST "\",\"size\":7}"


typedef struct {
    const char             *name;
    const char             *text;
    ngx_registry_status_e   rc;
    const char             *want;
} list_t;


static const list_t  lists[] = {
    { "one descriptor", ENTRY(""), NGX_REGISTRY_OK,
      " " ENTRY("") "\n" },
    { "with a type", ENTRY(",\"artifactType\":\"a/b\""), NGX_REGISTRY_OK,
      "a/b " ENTRY(",\"artifactType\":\"a/b\"") "\n" },
    { "an index of them", "{\"schemaVersion\":2,\"mediaType\":\"" INDEX
      "\",\"manifests\":[" ENTRY("") "," ENTRY(",\"artifactType\":\"a/b\"")
      "]}", NGX_REGISTRY_OK,
      " " ENTRY("") "\na/b " ENTRY(",\"artifactType\":\"a/b\"") "\n" },
    { "annotations of each", "{\"annotations\":{\"top\":\"0\"},\"manifests\":["
      ENTRY(",\"annotations\":{\"a\":\"1\",\"b\":{\"c\":\"d\"},\"e\":[\"f\"]},"
            "\"platform\":{\"digest\":\"x\"}") ","
      ENTRY(",\"annotations\":{\"a\":\"2\"}") "]}", NGX_REGISTRY_OK,
      " {\"annotations\":{\"a\":\"1\"}," NOTED "\n"
      " {\"annotations\":{\"a\":\"2\"}," NOTED "\n" },
    { "an index of nothing", "{\"schemaVersion\":2,\"mediaType\":\"" INDEX
      "\",\"manifests\":[]}", NGX_REGISTRY_OK, "" },
    { "what is none is left out", "{\"schemaVersion\":2,\"manifests\":["
      "{\"digest\":\"" DIGEST "\",\"size\":1}," ENTRY("") "]}",
      NGX_REGISTRY_OK, " " ENTRY("") "\n" },
    { "a digest that is none", "{\"mediaType\":\"" IMAGE "\",\"digest\":"
      "\"sha256:abc\",\"size\":7}", NGX_REGISTRY_OK, "" },
    { "a size that is none", "{\"mediaType\":\"" IMAGE "\",\"digest\":\""
      DIGEST "\",\"size\":\"7\"}", NGX_REGISTRY_OK, "" },
    { "a size with a fraction", "{\"mediaType\":\"" IMAGE "\",\"digest\":\""
      DIGEST "\",\"size\":7.5}", NGX_REGISTRY_OK, "" },
    { "no JSON", "{\"manifests\":[", NGX_REGISTRY_INVALID, "" },
    { "nothing", "", NGX_REGISTRY_INVALID, "" }
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

    ok(ngx_registry_referrer_parse(p, p + len, take, &t) == list->rc,
       list->name);
    is_bytes(t.text, t.len, list->want, strlen(list->want), list->name);

    if (t.count) {
        memset(&t, 0, sizeof(taken_t));
        t.stop = 1;

        ok(ngx_registry_referrer_parse(p, p + len, take, &t)
           == NGX_REGISTRY_STOPPED && t.count == 1, "stopped");
    }
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(ofs) / sizeof(ofs[0]); i++) {
        test_of(&ofs[i]);
    }

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        test_list(&lists[i]);
    }

    return done_testing();
}
