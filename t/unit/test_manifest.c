
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_manifest.c.
 */


#include "ngx_registry_manifest.h"

#include "tap.h"


#define A16     "aaaaaaaaaaaaaaaa"
#define B16     "bbbbbbbbbbbbbbbb"
#define C16     "cccccccccccccccc"

#define A64     A16 A16 A16 A16

#define A       "sha256:" A64
#define B       "sha256:" B16 B16 B16 B16
#define C       "sha256:" C16 C16 C16 C16
#define A512    "sha512:" A64 A64

#define DOCKER  "application/vnd.docker.distribution.manifest."
#define IMAGE   "application/vnd.docker.container.image.v1+json"
#define TAR     "application/vnd.docker.image.rootfs.diff.tar.gzip"
#define FOREIGN "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
#define OCI     "application/vnd.oci.image."

/* a descriptor, and a manifest with one layer of these fields */

#define D(d)    "{\"digest\":\"" d "\"}"
#define LAYER(fields)                                                         \
    "{\"schemaVersion\":2,\"layers\":[{" fields "}]}"
#define LAYER_A(fields)  LAYER("\"digest\":\"" A "\"," fields)


typedef struct {
    const char  *json;
    int64_t      version;
    unsigned     index;
    const char  *media_type;
    const char  *artifact_type;

    /* "<type> <digest> <size> <media type>[ urls]" and a line feed for each */

    const char  *descriptors;
} good_t;


static const good_t  good[] = {

    /* Docker, image manifest v2 schema 2 */

    { "{\"schemaVersion\":2,\"mediaType\":\"" DOCKER "v2+json\",\"config\":{"
      "\"mediaType\":\"" IMAGE "\",\"size\":7023,\"digest\":\"" A "\"},"
      "\"layers\":[{\"mediaType\":\"" TAR "\",\"size\":32654,\"digest\":\"" B
      "\"},{\"mediaType\":\"" TAR "\",\"size\":16724,\"digest\":\"" C "\"}]}",
      2, 0, DOCKER "v2+json", "",
      "config " A " 7023 " IMAGE "\n"
      "layer " B " 32654 " TAR "\n"
      "layer " C " 16724 " TAR "\n" },

    /* foreign layers */

    { "{\"schemaVersion\":2,\"mediaType\":\"" DOCKER "v2+json\",\"config\":{"
      "\"mediaType\":\"" IMAGE "\",\"size\":1,\"digest\":\"" A "\"},"
      "\"layers\":[{\"mediaType\":\"" FOREIGN "\",\"size\":2,\"digest\":\"" B
      "\",\"urls\":[\"https://h/a\",\"https://h/b\"]},{\"mediaType\":\"" TAR
      "\",\"size\":3,\"digest\":\"" C "\"}]}",
      2, 0, DOCKER "v2+json", "",
      "config " A " 1 " IMAGE "\n"
      "layer " B " 2 " FOREIGN " urls\n"
      "layer " C " 3 " TAR "\n" },

    /* Docker, manifest list */

    { "{\"schemaVersion\":2,\"mediaType\":\"" DOCKER "list.v2+json\","
      "\"manifests\":[{\"mediaType\":\"" DOCKER "v2+json\",\"size\":7143,"
      "\"digest\":\"" A "\",\"platform\":{\"architecture\":\"ppc64le\","
      "\"os\":\"linux\",\"digest\":\"" C "\",\"size\":9}},{\"mediaType\":\""
      DOCKER "v2+json\",\"size\":7682,\"digest\":\"" B "\",\"platform\":{"
      "\"features\":[\"sse4\"]}}]}",
      2, 1, DOCKER "list.v2+json", "",
      "manifest " A " 7143 " DOCKER "v2+json\n"
      "manifest " B " 7682 " DOCKER "v2+json\n" },

    /* Docker, schema 1 */

    { "{\"schemaVersion\":1,\"name\":\"a\",\"tag\":\"b\",\"fsLayers\":[{"
      "\"blobSum\":\"" A "\"},{\"blobSum\":\"" B "\"}],\"history\":[{"
      "\"v1Compatibility\":\"{\\\"digest\\\":1}\"}],\"signatures\":[{"
      "\"header\":{\"jwk\":{}},\"signature\":\"x\"}]}",
      1, 0, DOCKER "v1+prettyjws", "",
      "layer " A " -1 \nlayer " B " -1 \n" },
    { "{\"schemaVersion\":1,\"fsLayers\":[{\"blobSum\":\"" A "\"}]}",
      1, 0, DOCKER "v1+json", "", "layer " A " -1 \n" },

    /* OCI image-spec, manifest.md */

    { "{\"schemaVersion\":2,\"mediaType\":\"" OCI "manifest.v1+json\","
      "\"config\":{\"mediaType\":\"" OCI "config.v1+json\",\"digest\":\"" A
      "\",\"size\":1},\"layers\":[{\"mediaType\":\"" OCI "layer.v1.tar+gzip\""
      ",\"digest\":\"" B "\",\"size\":2,\"annotations\":{\"digest\":\"" C
      "\"}}],\"subject\":{\"mediaType\":\"" OCI "manifest.v1+json\","
      "\"digest\":\"" C "\",\"size\":3},\"annotations\":{\"mediaType\":\"x\","
      "\"digest\":\"y\"}}",
      2, 0, OCI "manifest.v1+json", "",
      "config " A " 1 " OCI "config.v1+json\n"
      "layer " B " 2 " OCI "layer.v1.tar+gzip\n"
      "subject " C " 3 " OCI "manifest.v1+json\n" },

    /* artifacts, with the empty descriptor and its data */

    { "{\"schemaVersion\":2,\"mediaType\":\"" OCI "manifest.v1+json\","
      "\"artifactType\":\"application/vnd.example+type\",\"config\":{"
      "\"mediaType\":\"application/vnd.oci.empty.v1+json\",\"digest\":\"" A
      "\",\"size\":2,\"data\":\"e30=\"},\"layers\":[]}",
      2, 0, OCI "manifest.v1+json", "application/vnd.example+type",
      "config " A " 2 application/vnd.oci.empty.v1+json\n" },
    { "{\"mediaType\":\"application/vnd.oci.artifact.manifest.v1+json\","
      "\"artifactType\":\"a/b\",\"blobs\":[" D(A) "],\"subject\":" D(B) "}",
      0, 0, "application/vnd.oci.artifact.manifest.v1+json", "a/b",
      "layer " A " -1 \nsubject " B " -1 \n" },

    /* OCI image-spec, image-index.md; also nested, empty, with a subject */

    { "{\"schemaVersion\":2,\"mediaType\":\"" OCI "index.v1+json\","
      "\"manifests\":[{\"mediaType\":\"" OCI "manifest.v1+json\",\"size\":1,"
      "\"digest\":\"" A "\",\"platform\":{\"os\":\"linux\"}},{\"mediaType\":"
      "\"" OCI "index.v1+json\",\"size\":2,\"digest\":\"" B "\","
      "\"artifactType\":\"x/y\"}],\"artifactType\":\"a/b\",\"subject\":"
      D(C) "}",
      2, 1, OCI "index.v1+json", "a/b",
      "manifest " A " 1 " OCI "manifest.v1+json\n"
      "manifest " B " 2 " OCI "index.v1+json\n"
      "subject " C " -1 \n" },
    { "{\"schemaVersion\":2,\"manifests\":[]}",
      2, 1, OCI "index.v1+json", "", "" },
    { "{\"manifests\":[" D(A) "],\"schemaVersion\":2}",
      2, 1, OCI "index.v1+json", "", "manifest " A " -1 \n" },

    /* mediaType is optional in OCI's, or empty */

    { "{\"schemaVersion\":2,\"config\":" D(A) ",\"layers\":[" D(B) "]}",
      2, 0, OCI "manifest.v1+json", "",
      "config " A " -1 \nlayer " B " -1 \n" },
    { "{\"schemaVersion\":2,\"mediaType\":\"\",\"layers\":[]}",
      2, 0, OCI "manifest.v1+json", "", "" },
    { "{}", 0, 0, OCI "manifest.v1+json", "", "" },
    { " \t\r\n{ } \n", 0, 0, OCI "manifest.v1+json", "", "" },
    { "{\"mediaType\":\"" DOCKER "v2+json\"}", 0, 0, DOCKER "v2+json", "",
      "" },
    { "{\"mediaType\":\"a\\/b\"}", 0, 0, "a/b", "", "" },
    { "{\"mediaType\":\"\\u0061/b\"}", 0, 0, "a/b", "", "" },

    /* fields that nobody knows, of any kind */

    { "{\"a\":1,\"b\":-1.5e-3,\"c\":null,\"d\":[true,false,[{}]],\"e\":{"
      "\"digest\":[]},\"\":\"\",\"schemaVersion\":2}",
      2, 0, OCI "manifest.v1+json", "", "" },
    { "{\"a\":1,\"a\":2,\"b\":\"\xc3\xa9\xf0\x9f\x98\x80\\ud83d\\ude00\"}",
      0, 0, OCI "manifest.v1+json", "", "" },
    { LAYER_A("\"a\":1,\"a\":{\"digest\":1},\"b\":[{\"digest\":2}]"),
      2, 0, OCI "manifest.v1+json", "", "layer " A " -1 \n" },
    { "{\"history\":[" D("x") "],\"other\":" D("x") ",\"annotations\":{"
      "\"config\":" D("x") ",\"layers\":[" D("x") "]}}",
      0, 0, OCI "manifest.v1+json", "", "" },
    { "{\"layers\":[{\"digest\":\"" A "\",\"x\":{\"urls\":[\"a\"]}}]}",
      0, 0, OCI "manifest.v1+json", "", "layer " A " -1 \n" },

    /* fields in any order, names with escapes */

    { LAYER("\"size\":5,\"mediaType\":\"a/b\",\"digest\":\"" A "\""),
      2, 0, OCI "manifest.v1+json", "", "layer " A " 5 a/b\n" },
    { "{\"l\\u0061yers\":[{\"d\\u0069gest\":\"sha256\\u003a" A16 A16 A16 A16
      "\"}]}", 0, 0, OCI "manifest.v1+json", "", "layer " A " -1 \n" },
    { "{\"layers\":[" D(A) "," D(B) "],\"config\":" D(C) "}",
      0, 0, OCI "manifest.v1+json", "",
      "layer " A " -1 \nlayer " B " -1 \nconfig " C " -1 \n" },

    /* nothing of one descriptor is left for the next */

    { "{\"layers\":[{\"digest\":\"" A "\",\"size\":1,\"mediaType\":\"a/b\","
      "\"urls\":[\"u\"]}," D(B) "]}",
      0, 0, OCI "manifest.v1+json", "",
      "layer " A " 1 a/b urls\nlayer " B " -1 \n" },

    /* names of fields have a case */

    { "{\"MediaType\":\"a/b\",\"Layers\":[" D("x") "],\"SCHEMAVERSION\":3}",
      0, 0, OCI "manifest.v1+json", "", "" },

    { LAYER("\"digest\":\"" A512 "\""),
      2, 0, OCI "manifest.v1+json", "", "layer " A512 " -1 \n" },

    /* other algorithms: there is nothing to ask for */

    { "{\"layers\":[" D("blake3:00") "," D(A) "," D("a+b.c:Z=_-") "]}",
      0, 0, OCI "manifest.v1+json", "", "layer " A " -1 \n" },

    { LAYER("\"digest\":\"b:" A64 A64 A64 A64 A64 A64 A64 A16 A16 A16
            "aaaaaaaaaaaaaa\""), 2, 0, OCI "manifest.v1+json", "", "" },

    /* sizes */

    { LAYER_A("\"size\":0"), 2, 0, OCI "manifest.v1+json", "",
      "layer " A " 0 \n" },
    { LAYER_A("\"size\":4294967296"), 2, 0, OCI "manifest.v1+json", "",
      "layer " A " 4294967296 \n" },
    { LAYER_A("\"size\":9223372036854775799"), 2, 0, OCI "manifest.v1+json",
      "", "layer " A " 9223372036854775799 \n" },

    { LAYER_A("\"size\":9223372036854775807"), 2, 0, OCI "manifest.v1+json",
      "", "layer " A " 9223372036854775807 \n" },

    /* blobSum is of fsLayers, digest of all others */

    { LAYER_A("\"blobSum\":\"" B "\""), 2, 0, OCI "manifest.v1+json", "",
      "layer " A " -1 \n" },
    { LAYER("\"blobSum\":\"x\",\"digest\":\"" A "\""), 2, 0,
      OCI "manifest.v1+json", "", "layer " A " -1 \n" },
    { "{\"fsLayers\":[{\"blobSum\":\"" A "\",\"digest\":\"" B "\"}]}",
      0, 0, OCI "manifest.v1+json", "", "layer " A " -1 \n" },

    /* wrong types are as if absent */

    { LAYER_A("\"urls\":{\"a\":\"b\",\"c\":[\"d\"]}"), 2, 0,
      OCI "manifest.v1+json", "", "layer " A " -1 \n" },

    { LAYER_A("\"size\":\"1\""), 2, 0, OCI "manifest.v1+json", "",
      "layer " A " -1 \n" },
    { LAYER_A("\"size\":null,\"mediaType\":null,\"urls\":null"), 2, 0,
      OCI "manifest.v1+json", "", "layer " A " -1 \n" },
    { LAYER_A("\"size\":[1],\"mediaType\":[\"a/b\"]"), 2, 0,
      OCI "manifest.v1+json", "", "layer " A " -1 \n" },
    { LAYER_A("\"size\":{\"size\":1},\"mediaType\":1"), 2, 0,
      OCI "manifest.v1+json", "", "layer " A " -1 \n" },
    { LAYER_A("\"urls\":[]"), 2, 0, OCI "manifest.v1+json", "",
      "layer " A " -1 \n" },
    { LAYER_A("\"urls\":[1,null,[\"a\"]]"), 2, 0, OCI "manifest.v1+json", "",
      "layer " A " -1 \n" },
    { LAYER_A("\"urls\":\"a\""), 2, 0, OCI "manifest.v1+json", "",
      "layer " A " -1 \n" },
    { "{\"schemaVersion\":\"2\",\"mediaType\":2,\"artifactType\":[]}",
      0, 0, OCI "manifest.v1+json", "", "" },
    { "{\"schemaVersion\":null,\"mediaType\":null,\"config\":null,"
      "\"layers\":null,\"manifests\":null,\"subject\":null}",
      0, 0, OCI "manifest.v1+json", "", "" },
    { "{\"config\":\"a\",\"layers\":1,\"manifests\":true,\"subject\":\"b\"}",
      0, 0, OCI "manifest.v1+json", "", "" },
    { "{\"layers\":[1,\"" A "\",null,true,[" D("x") "]]}",
      0, 0, OCI "manifest.v1+json", "", "" }
};


/* no manifest: NGX_REGISTRY_INVALID */

static const char  *const bad[] = {

    /* not one JSON object */

    "", " ", "\n", "null", "true", "1", "\"a\"", "[]", "[{}]", "x",
    "{}{}", "{} {}", "{}x", "{}]", "{}null", "{},", "{}\x01",
    "{}\"", "{}\"}", "{} \"a", "{}\"a\"", "{}t", "{}1", "{}-", "{}/", "{}[",
    "{\"schemaVersion\":2}\n\"layers\":[]}", "{}\xff", "{}\v",
    "\f{}", "{\v}", "{\"a\"\f:1}",
    "{", "}", "{]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}",
    "{'a':1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\":01}",
    "{\"a\":1.}", "{\"a\":.1}", "{\"a\":+1}", "{\"a\":0x1}", "{\"a\":nul}",
    "{\"a\":NaN}", "{\"a\":[1,]}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}",
    "{\"a\":\"b\nc\"}", "{\"a\":\"\x01\"}", "{\"a\":\"b}",
    "{}//", "{}/**/", "/**/{}", "{\"a\":1/**/}",
    "\xef\xbb\xbf{}", "<Error/>",

    /* not UTF-8 */

    "{\"a\":\"\xff\"}", "{\"a\":\"\x80\"}", "{\"a\":\"\xc3\"}",
    "{\"a\":\"\xe2\x82\"}", "{\"\xff\":1}", "{\"a\":\"\xf8\x88\x80\x80\x80\"}",
    "{\"a\":\"\xc3\x28\"}",

    /* two of a kind: parsers differ in which one they take */

    "{\"schemaVersion\":2,\"schemaVersion\":2}",
    "{\"mediaType\":\"a/b\",\"mediaType\":\"c/d\"}",
    "{\"mediaType\":\"a/b\",\"m\\u0065diaType\":\"c/d\"}",
    "{\"mediaType\":null,\"mediaType\":\"c/d\"}",
    "{\"artifactType\":\"a/b\",\"artifactType\":\"c/d\"}",
    "{\"config\":" D(A) ",\"config\":" D(B) "}",
    "{\"layers\":[" D(A) "],\"layers\":[" D(B) "]}",
    "{\"layers\":[],\"a\":1,\"layers\":[]}",
    "{\"blobs\":[],\"blobs\":[]}",
    "{\"manifests\":[],\"manifests\":[]}",
    "{\"subject\":" D(A) ",\"subject\":" D(A) "}",
    "{\"fsLayers\":[],\"fsLayers\":[]}",
    "{\"signatures\":[],\"signatures\":[]}",
    LAYER_A("\"digest\":\"" A "\""),
    LAYER_A("\"digest\":null"),
    LAYER_A("\"size\":1,\"size\":1"),
    LAYER_A("\"mediaType\":\"a/b\",\"mediaType\":\"a/b\""),
    LAYER_A("\"urls\":[],\"urls\":[\"a\"]"),

    /* descriptors without a digest, or a broken one */

    LAYER(""), LAYER("\"size\":1"), LAYER("\"digest\":null"),
    LAYER("\"digest\":1"), LAYER("\"digest\":[\"" A "\"]"),
    LAYER("\"digest\":{\"digest\":\"" A "\"}"), LAYER("\"Digest\":\"" A "\""),
    LAYER("\"digest\":\"\""), LAYER("\"digest\":\"sha256\""),
    LAYER("\"digest\":\"sha256:\""), LAYER("\"digest\":\"" A "a\""),
    LAYER("\"digest\":\"sha256:" A16 A16 A16 "\""),
    LAYER("\"digest\":\"sha256:AAAAAAAAAAAAAAAA" A16 A16 A16 "\""),
    LAYER("\"digest\":\"sha256:../aaaaaaaaaaaaa" A16 A16 A16 "\""),
    LAYER("\"digest\":\" " A "\""), LAYER("\"digest\":\"" A "\\n\""),
    LAYER("\"digest\":\"" A "\\u0000\""),
    LAYER("\"digest\":\"b:" A64 A64 A64 A64 A64 A64 A64 A16 A16 A16
          "aaaaaaaaaaaaaaa\""),
    "{\"config\":{}}", "{\"config\":" D("x") "}",
    "{\"subject\":{}}", "{\"subject\":" D("x") "}",
    "{\"manifests\":[{}]}", "{\"manifests\":[" D(A) "," D("x") "]}",
    "{\"blobs\":[{}]}", "{\"fsLayers\":[{}]}",
    "{\"layers\":[" D(A) ",{}]}",

    /* many where there is one, one where there are many */

    "{\"layers\":" D(A) "}", "{\"blobs\":" D(A) "}",
    "{\"manifests\":" D(A) "}", "{\"fsLayers\":{\"blobSum\":\"" A "\"}}",
    "{\"layers\":{}}", "{\"manifests\":{}}",
    LAYER("\"blobSum\":\"" A "\""), "{\"fsLayers\":[" D(A) "]}",
    "{\"config\":[]}", "{\"config\":[" D(A) "]}", "{\"subject\":[]}",

    /* numbers that are none of ours */

    "{\"schemaVersion\":-1}", "{\"schemaVersion\":2.0}",
    "{\"schemaVersion\":2e0}", "{\"schemaVersion\":9223372036854775808}",
    "{\"schemaVersion\":99999999999999999999999999999999999999}",
    LAYER_A("\"size\":-1"), LAYER_A("\"size\":-0"), LAYER_A("\"size\":1.5"),
    LAYER_A("\"size\":1e3"), LAYER_A("\"size\":9223372036854775808"),
    LAYER_A("\"size\":18446744073709551616"),
    LAYER_A("\"size\":18446744073709551617"),
    LAYER_A("\"size\":99999999999999999999999999999999999999"),

    /* what cannot be in a header */

    "{\"mediaType\":\"a b\"}", "{\"mediaType\":\"a\\r\\nSet-Cookie:b\"}",
    "{\"mediaType\":\"a\\u0000\"}", "{\"mediaType\":\"a\\t\"}",
    "{\"mediaType\":\"\xc3\xa9\"}", "{\"mediaType\":\"\\u007f\"}",
    "{\"mediaType\":\"a\\\"b\"}", "{\"mediaType\":\"a\\\\b\"}",
    "{\"artifactType\":\"a\\nb\"}", LAYER_A("\"mediaType\":\"a\\nb\"")
};


static const char  *const types[] = { "config", "layer", "manifest",
                                      "subject" };


typedef struct {
    size_t      count;
    size_t      stop;
    size_t      len;
    unsigned    wrong;
    char        text[4096];
} seen_t;


static ngx_registry_status_e
descriptor(void *data, const ngx_registry_descriptor_t *d)
{
    int      n;
    seen_t  *s = data;

    s->wrong += (d->digest.text.len
                 != d->digest.name.len + 1 + d->digest.hex.len);

    n = snprintf(s->text + s->len, sizeof(s->text) - s->len,
                 "%s %.*s %lld %.*s%s\n", types[d->type],
                 (int) d->digest.text.len, (char *) d->digest.text.data,
                 (long long) d->size, (int) d->media_type.len,
                 (char *) d->media_type.data, d->urls ? " urls" : "");

    if (n < 0 || (size_t) n >= sizeof(s->text) - s->len) {
        abort();
    }

    s->len += (size_t) n;

    return (++s->count == s->stop) ? NGX_REGISTRY_INVALID : NGX_REGISTRY_OK;
}


static ngx_registry_status_e
parse(const char *json, size_t len, ngx_registry_manifest_t *m, seen_t *s)
{
    const u_char  *p;

    memset(m, 0xa5, sizeof(ngx_registry_manifest_t));
    memset(s, 0, sizeof(seen_t));

    p = tap_guarded(json, len);

    return ngx_registry_manifest_parse(p, p + len, m, descriptor, s);
}


static void
test_good(const good_t *c)
{
    size_t                    i, n, len, wrong;
    const u_char             *p;
    ngx_registry_manifest_t   m;

    static seen_t  s;

    len = strlen(c->json);

    if (!ok(parse(c->json, len, &m, &s) == NGX_REGISTRY_OK, c->json)) {
        return;
    }

    ok(m.schema_version == c->version, "schemaVersion");
    ok(m.index == c->index, "whether it is an index");
    is_bytes(m.media_type, m.media_type_len, c->media_type,
             strlen(c->media_type), "mediaType");
    is_bytes(m.artifact_type, m.artifact_type_len, c->artifact_type,
             strlen(c->artifact_type), "artifactType");
    is_bytes(s.text, s.len, c->descriptors, strlen(c->descriptors),
             "descriptors");
    ok(s.wrong == 0, "digests");

    /* stopped at each descriptor */

    n = s.count;
    wrong = 0;
    p = tap_guarded(c->json, len);

    for (i = 1; i <= n; i++) {
        memset(&s, 0, sizeof(seen_t));
        s.stop = i;

        wrong += (ngx_registry_manifest_parse(p, p + len, &m, descriptor, &s)
                  != NGX_REGISTRY_STOPPED || s.count != i);
    }

    ok(wrong == 0, "stopped");

    ok(ngx_registry_manifest_parse(p, p + len, &m, NULL, NULL)
       == NGX_REGISTRY_OK, "without a handler");

    /* cut off */

    while (len && c->json[len - 1] != '}') {
        len--;
    }

    wrong = 0;

    for (i = 0; i < len; i++) {
        wrong += (parse(c->json, i, &m, &s) != NGX_REGISTRY_INVALID);
    }

    ok(wrong == 0, "its beginnings");
}


/*
 * Bytes of NUL are part of the text.
 */
static void
test_nul(void)
{
    static seen_t             s;
    ngx_registry_manifest_t   m;

    ok(parse("{}\0", 3, &m, &s) == NGX_REGISTRY_INVALID, "NUL behind");
    ok(parse("\0{}", 3, &m, &s) == NGX_REGISTRY_INVALID, "NUL before");
    ok(parse("{\"a\0\":1}", 8, &m, &s) == NGX_REGISTRY_INVALID,
       "NUL in a name");
    ok(parse("{\0}", 3, &m, &s) == NGX_REGISTRY_INVALID, "NUL within");
}


static void
test_depth(void)
{
    char                      text[512], name[32];
    size_t                    i, n, len;
    ngx_registry_manifest_t   m;

    static seen_t  s;

    /* arrays, objects, and objects within a descriptor; n levels */

    static const struct {
        const char  *head;
        size_t       levels;
        const char  *open;
        const char  *close;
        const char  *tail;
    } kinds[] = {
        { "{\"a\":", 1, "[", "]", "}" },
        { "{\"a\":1,\"b\":", 1, "{\"a\":", "}", "}" },
        { "{\"layers\":[{\"digest\":\"" A "\",\"a\":", 3, "[", "]", "}]}" },
        { "{\"layers\":[{\"digest\":\"" A "\",\"a\":", 3, "{\"a\":", "}",
          "}]}" },
        { "{\"layers\":", 1, "[", "]", "}" }
    };

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {

        for (n = 63; n <= 66; n++) {
            size_t  level;

            len = (size_t) sprintf(text, "%s", kinds[i].head);

            for (level = kinds[i].levels; level < n; level++) {
                len += (size_t) sprintf(text + len, "%s", kinds[i].open);
            }

            if (kinds[i].open[0] == '{') {
                text[len++] = '1';
            }

            for (level = kinds[i].levels; level < n; level++) {
                len += (size_t) sprintf(text + len, "%s", kinds[i].close);
            }

            len += (size_t) sprintf(text + len, "%s", kinds[i].tail);

            (void) snprintf(name, sizeof(name), "%u levels, %u",
                            (unsigned) n, (unsigned) i);

            ok(parse(text, len, &m, &s)
               == (n <= 64 ? NGX_REGISTRY_OK : NGX_REGISTRY_INVALID), name);
        }
    }
}


static void
test_bomb(void)
{
    char                     *text;
    ngx_registry_manifest_t   m;

    static seen_t  s;

    text = malloc(200000);
    if (text == NULL) {
        abort();
    }

    memset(text, '[', 200000);
    ok(parse(text, 200000, &m, &s) == NGX_REGISTRY_INVALID, "[[[...");
    memcpy(text, "{\"a\":", 5);
    ok(parse(text, 200000, &m, &s) == NGX_REGISTRY_INVALID, "{\"a\":[[[...");
    memset(text + 5, '9', 200000 - 5);
    ok(parse(text, 200000, &m, &s) == NGX_REGISTRY_INVALID, "a number");
    text[5] = '"';
    ok(parse(text, 200000, &m, &s) == NGX_REGISTRY_INVALID, "no end");
    memcpy(text + 200000 - 2, "\"}", 2);
    ok(parse(text, 200000, &m, &s) == NGX_REGISTRY_OK, "a long string");

    free(text);
}


/*
 * Lengths of media types and of all.
 */
static void
test_sizes(void)
{
    char                     *text, name[64];
    size_t                    i, n, len;
    ngx_registry_manifest_t   m;

    static seen_t  s;

    static const char  *const heads[] = {
        "{\"mediaType\":\"", "{\"artifactType\":\"",
        "{\"config\":{\"digest\":\"" A "\",\"mediaType\":\""
    };

    static const char  *const tails[] = { "\"}", "\"}", "\"}}" };

    text = malloc(NGX_REGISTRY_MANIFEST_MAX_LEN + 1);
    if (text == NULL) {
        abort();
    }

    for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {

        for (n = 254; n <= 256; n++) {
            len = (size_t) sprintf(text, "%s", heads[i]);
            memset(text + len, 'x', n);
            len += n;
            len += (size_t) sprintf(text + len, "%s", tails[i]);

            (void) snprintf(name, sizeof(name), "%.20s, %u bytes", heads[i],
                            (unsigned) n);

            ok(parse(text, len, &m, &s)
               == (n <= NGX_REGISTRY_MEDIA_TYPE_MAX_LEN
                   ? NGX_REGISTRY_OK : NGX_REGISTRY_INVALID), name);

            ok(n > NGX_REGISTRY_MEDIA_TYPE_MAX_LEN
               || (i == 0 && m.media_type_len == n)
               || (i == 1 && m.artifact_type_len == n)
               || (i == 2 && s.len > n), "all of it");
        }
    }

    memset(text, ' ', NGX_REGISTRY_MANIFEST_MAX_LEN + 1);
    memcpy(text, "{}", 2);

    ok(ngx_registry_manifest_parse((u_char *) text, (u_char *) text
                                   + NGX_REGISTRY_MANIFEST_MAX_LEN, &m, NULL,
                                   NULL)
       == NGX_REGISTRY_OK, "4 MiB");
    ok(ngx_registry_manifest_parse((u_char *) text, (u_char *) text
                                   + NGX_REGISTRY_MANIFEST_MAX_LEN + 1, &m,
                                   NULL, NULL)
       == NGX_REGISTRY_TOO_LONG, "a byte more");
    ok(m.media_type_len == 0 && m.schema_version == 0, "nothing is left");

    free(text);
}


int
main(void)
{
    size_t                    i;
    ngx_registry_manifest_t   m;

    static seen_t  s;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        test_good(&good[i]);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(parse(bad[i], strlen(bad[i]), &m, &s) == NGX_REGISTRY_INVALID,
           bad[i]);
    }

    test_nul();
    test_depth();
    test_bomb();
    test_sizes();

    return done_testing();
}
