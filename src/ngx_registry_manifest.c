
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_manifest.h"

#include <yajl/yajl_parse.h>


#define NGX_REGISTRY_MANIFEST_DEPTH  64


/* keys that mean something to a registry */

typedef enum {
    NGX_REGISTRY_JSON_OTHER = 0,
    NGX_REGISTRY_JSON_SCHEMA_VERSION,
    NGX_REGISTRY_JSON_MEDIA_TYPE,
    NGX_REGISTRY_JSON_ARTIFACT_TYPE,
    NGX_REGISTRY_JSON_CONFIG,
    NGX_REGISTRY_JSON_LAYERS,
    NGX_REGISTRY_JSON_BLOBS,
    NGX_REGISTRY_JSON_MANIFESTS,
    NGX_REGISTRY_JSON_SUBJECT,
    NGX_REGISTRY_JSON_FS_LAYERS,
    NGX_REGISTRY_JSON_SIGNATURES,
    NGX_REGISTRY_JSON_DIGEST,
    NGX_REGISTRY_JSON_BLOB_SUM,
    NGX_REGISTRY_JSON_SIZE,
    NGX_REGISTRY_JSON_URLS,
    NGX_REGISTRY_JSON_ANNOTATIONS
} ngx_registry_json_e;


typedef enum {
    NGX_REGISTRY_JSON_NULL = 0,
    NGX_REGISTRY_JSON_BOOLEAN,
    NGX_REGISTRY_JSON_NUMBER,
    NGX_REGISTRY_JSON_STRING,
    NGX_REGISTRY_JSON_MAP,
    NGX_REGISTRY_JSON_ARRAY
} ngx_registry_json_kind_e;


typedef struct {
    ngx_registry_span_t        name;
    ngx_registry_json_e        key;
    ngx_registry_json_kind_e   kind;          /* of its value */
    const char                *fault;         /* of one of another kind */
} ngx_registry_json_key_t;


typedef struct {
    ngx_registry_manifest_t     *m;
    ngx_registry_descriptor_pt   handler;
    void                        *data;
    ngx_registry_status_e        rc;

    unsigned                     depth;       /* open maps and arrays */
    unsigned                     base;        /* depth of the descriptor's
                                                 map, 0: none is open */
    unsigned                     array;       /* of descriptors, is open */
    ngx_registry_json_e          top;         /* key of the manifest */
    ngx_registry_json_e          key;         /* of the descriptor */
    uint32_t                     seen;        /* keys of the manifest */
    uint32_t                     seen_in;     /* keys of the descriptor */
    unsigned                     signatures:1;
    unsigned                     config:1;    /* there is one */
    unsigned                     failed:1;

    /* the descriptor that is being read */

    ngx_registry_descriptor_t    d;
    unsigned                     has_digest:1;
    size_t                       digest_len;
    u_char                       digest[512];
    size_t                       type_len;
    u_char                       type[NGX_REGISTRY_MEDIA_TYPE_MAX_LEN];
} ngx_registry_manifest_parser_t;


static int ngx_registry_manifest_fail(ngx_registry_manifest_parser_t *mp,
    const char *fault);
static void ngx_registry_manifest_fault(ngx_registry_manifest_parser_t *mp,
    const char *fault);
static void ngx_registry_manifest_place(ngx_registry_manifest_parser_t *mp,
    ngx_registry_json_kind_e kind);
static ngx_registry_json_e ngx_registry_manifest_key(
    const ngx_registry_json_key_t *keys, const u_char *p, size_t len);
static int ngx_registry_manifest_null(void *data);
static int ngx_registry_manifest_boolean(void *data, int value);
static int ngx_registry_manifest_number(void *data, const char *p,
    size_t len);
static int ngx_registry_manifest_string(void *data, const u_char *p,
    size_t len);
static int ngx_registry_manifest_string_top(
    ngx_registry_manifest_parser_t *mp, const u_char *p, size_t len);
static int ngx_registry_manifest_map_key(void *data, const u_char *p,
    size_t len);
static int ngx_registry_manifest_start_map(void *data);
static int ngx_registry_manifest_end_map(void *data);
static int ngx_registry_manifest_start_array(void *data);
static int ngx_registry_manifest_end_array(void *data);
static int ngx_registry_manifest_value(ngx_registry_manifest_parser_t *mp,
    ngx_registry_json_kind_e kind);
static int ngx_registry_manifest_descriptor_end(
    ngx_registry_manifest_parser_t *mp);
static int ngx_registry_manifest_type(ngx_registry_manifest_parser_t *mp,
    u_char *dst, size_t *dst_len, const u_char *p, size_t len);
static void ngx_registry_manifest_content_type(
    ngx_registry_manifest_parser_t *mp);
static size_t ngx_registry_manifest_type_index(
    const ngx_registry_span_t *type);


static const ngx_registry_json_key_t  ngx_registry_manifest_keys[] = {

    { ngx_registry_span("schemaVersion"), NGX_REGISTRY_JSON_SCHEMA_VERSION,
      NGX_REGISTRY_JSON_NUMBER, "\"schemaVersion\" is not a number" },

    { ngx_registry_span("mediaType"), NGX_REGISTRY_JSON_MEDIA_TYPE,
      NGX_REGISTRY_JSON_STRING, "\"mediaType\" is not a string" },

    { ngx_registry_span("artifactType"), NGX_REGISTRY_JSON_ARTIFACT_TYPE,
      NGX_REGISTRY_JSON_STRING, "\"artifactType\" is not a string" },

    { ngx_registry_span("config"), NGX_REGISTRY_JSON_CONFIG,
      NGX_REGISTRY_JSON_MAP, "\"config\" is not a descriptor" },

    { ngx_registry_span("layers"), NGX_REGISTRY_JSON_LAYERS,
      NGX_REGISTRY_JSON_ARRAY, "\"layers\" is not a list" },

    { ngx_registry_span("blobs"), NGX_REGISTRY_JSON_BLOBS,
      NGX_REGISTRY_JSON_ARRAY, "\"blobs\" is not a list" },

    { ngx_registry_span("manifests"), NGX_REGISTRY_JSON_MANIFESTS,
      NGX_REGISTRY_JSON_ARRAY, "\"manifests\" is not a list" },

    { ngx_registry_span("subject"), NGX_REGISTRY_JSON_SUBJECT,
      NGX_REGISTRY_JSON_MAP, "\"subject\" is not a descriptor" },

    { ngx_registry_span("annotations"), NGX_REGISTRY_JSON_ANNOTATIONS,
      NGX_REGISTRY_JSON_MAP, "\"annotations\" is not an object" },

    { ngx_registry_span("fsLayers"), NGX_REGISTRY_JSON_FS_LAYERS,
      NGX_REGISTRY_JSON_ARRAY, "\"fsLayers\" is not a list" },

    { ngx_registry_span("signatures"), NGX_REGISTRY_JSON_SIGNATURES,
      NGX_REGISTRY_JSON_ARRAY, "\"signatures\" is not a list" },

    { { NULL, 0 }, NGX_REGISTRY_JSON_OTHER, NGX_REGISTRY_JSON_NULL, NULL }
};


static const ngx_registry_json_key_t  ngx_registry_descriptor_keys[] = {

    { ngx_registry_span("mediaType"), NGX_REGISTRY_JSON_MEDIA_TYPE,
      NGX_REGISTRY_JSON_STRING,
      "the mediaType of a descriptor is not a string" },

    { ngx_registry_span("digest"), NGX_REGISTRY_JSON_DIGEST,
      NGX_REGISTRY_JSON_STRING,
      "the digest of a descriptor is not a string" },

    { ngx_registry_span("blobSum"), NGX_REGISTRY_JSON_BLOB_SUM,
      NGX_REGISTRY_JSON_STRING, "a \"blobSum\" is not a string" },

    { ngx_registry_span("size"), NGX_REGISTRY_JSON_SIZE,
      NGX_REGISTRY_JSON_NUMBER, "the size of a descriptor is not a number" },

    { ngx_registry_span("urls"), NGX_REGISTRY_JSON_URLS,
      NGX_REGISTRY_JSON_ARRAY, "the \"urls\" of a descriptor are not a list" },

    { ngx_registry_span("annotations"), NGX_REGISTRY_JSON_ANNOTATIONS,
      NGX_REGISTRY_JSON_MAP,
      "the annotations of a descriptor are not an object" },

    { { NULL, 0 }, NGX_REGISTRY_JSON_OTHER, NGX_REGISTRY_JSON_NULL, NULL }
};


/* manifests, of which those with an image have a config */

static const ngx_registry_span_t  ngx_registry_manifest_types[] = {
    ngx_registry_span("application/vnd.oci.image.manifest.v1+json"),
    ngx_registry_span("application/vnd.docker.distribution.manifest.v2+json"),
    ngx_registry_span("application/vnd.oci.image.index.v1+json"),
    ngx_registry_span("application/vnd.docker.distribution.manifest.list."
                      "v2+json"),
    ngx_registry_span("application/vnd.oci.artifact.manifest.v1+json")
};

#define NGX_REGISTRY_MANIFEST_IMAGES  2
#define NGX_REGISTRY_MANIFEST_TYPES                                           \
    (sizeof(ngx_registry_manifest_types) / sizeof(ngx_registry_span_t))


static const yajl_callbacks  ngx_registry_manifest_callbacks = {
    ngx_registry_manifest_null,
    ngx_registry_manifest_boolean,
    NULL,
    NULL,
    ngx_registry_manifest_number,
    ngx_registry_manifest_string,
    ngx_registry_manifest_start_map,
    ngx_registry_manifest_map_key,
    ngx_registry_manifest_end_map,
    ngx_registry_manifest_start_array,
    ngx_registry_manifest_end_array
};


ngx_registry_status_e
ngx_registry_manifest_parse(const u_char *p, const u_char *last,
    ngx_registry_manifest_t *m, ngx_registry_descriptor_pt handler,
    void *data)
{
    size_t                           n;
    yajl_handle                      json;
    ngx_registry_span_t              type;
    yajl_status                      status;
    ngx_registry_manifest_parser_t   mp;

    memset(m, 0, sizeof(ngx_registry_manifest_t));

    if (last - p > NGX_REGISTRY_MANIFEST_MAX_LEN) {
        m->fault = "it is longer than 4 MiB";
        return NGX_REGISTRY_TOO_LONG;
    }

    n = (size_t) (last - p);

    /* blanks to yajl, but not in JSON: strings have no controls either */

    if (n && (memchr(p, '\v', n) || memchr(p, '\f', n))) {
        m->fault = "it is not JSON";
        return NGX_REGISTRY_INVALID;
    }

    memset(&mp, 0, sizeof(ngx_registry_manifest_parser_t));

    mp.m = m;
    mp.handler = handler;
    mp.data = data;
    mp.rc = NGX_REGISTRY_INVALID;

    json = yajl_alloc(&ngx_registry_manifest_callbacks, NULL, &mp);
    if (json == NULL) {
        return NGX_REGISTRY_NO_MEMORY;
    }

    /* yajl takes a string without an end behind the object for blanks */

    (void) yajl_config(json, yajl_allow_trailing_garbage, 1);

    status = yajl_parse(json, p, n);
    n = yajl_get_bytes_consumed(json);

    if (status == yajl_status_ok) {
        status = yajl_complete_parse(json);
    }

    yajl_free(json);

    /* a value that is no object has no keys, and leaves nothing behind */

    if (status != yajl_status_ok || !mp.seen) {

        if (!mp.failed) {
            m->fault = "it is not a JSON object";
        }

        return mp.rc;
    }

    for (p += n; p < last; p++) {
        if (*p != ' ' && *p != '\t' && *p != '\r' && *p != '\n') {
            m->fault = "something follows the JSON object";
            return NGX_REGISTRY_INVALID;
        }
    }

    ngx_registry_manifest_content_type(&mp);

    type.data = m->media_type;
    type.len = m->media_type_len;

    if (!mp.config
        && ngx_registry_manifest_type_index(&type)
           < NGX_REGISTRY_MANIFEST_IMAGES)
    {
        ngx_registry_manifest_fault(&mp, "there is no \"config\"");
    }

    return NGX_REGISTRY_OK;
}


static int
ngx_registry_manifest_fail(ngx_registry_manifest_parser_t *mp,
    const char *fault)
{
    mp->failed = 1;
    mp->m->fault = fault;

    return 0;
}


static void
ngx_registry_manifest_fault(ngx_registry_manifest_parser_t *mp,
    const char *fault)
{
    if (mp->m->fault == NULL) {
        mp->m->fault = fault;
    }
}


static void
ngx_registry_manifest_place(ngx_registry_manifest_parser_t *mp,
    ngx_registry_json_kind_e kind)
{
    ngx_registry_json_e             key;
    const ngx_registry_json_key_t  *keys;

    if (mp->array && mp->depth == 2) {

        if (kind != NGX_REGISTRY_JSON_MAP) {
            ngx_registry_manifest_fault(mp,
                                  "an element of a list is no descriptor");
        }

        return;
    }

    if (mp->depth == 1) {
        keys = ngx_registry_manifest_keys;
        key = mp->top;

    } else if (mp->base && mp->depth == mp->base) {
        keys = ngx_registry_descriptor_keys;
        key = mp->key;

    } else {

        /* OCI image-spec, Annotations: values are strings */

        if (kind != NGX_REGISTRY_JSON_STRING
            && (mp->base ? (mp->depth == mp->base + 1
                            && mp->key == NGX_REGISTRY_JSON_ANNOTATIONS)
                         : (mp->depth == 2
                            && mp->top == NGX_REGISTRY_JSON_ANNOTATIONS)))
        {
            ngx_registry_manifest_fault(mp,
                               "the value of an annotation is not a string");
        }

        return;
    }

    while (keys->name.data && keys->key != key) {
        keys++;
    }

    /* Go, in which most of them are written, writes null for an empty list */

    if (keys->name.data && kind != keys->kind
        && kind != NGX_REGISTRY_JSON_NULL)
    {
        ngx_registry_manifest_fault(mp, keys->fault);
    }
}


static ngx_registry_json_e
ngx_registry_manifest_key(const ngx_registry_json_key_t *keys,
    const u_char *p, size_t len)
{
    for ( /* void */ ; keys->name.data; keys++) {

        if (keys->name.len == len && memcmp(keys->name.data, p, len) == 0) {
            break;
        }
    }

    return keys->key;
}


static int
ngx_registry_manifest_value(ngx_registry_manifest_parser_t *mp,
    ngx_registry_json_kind_e kind)
{
    ngx_registry_manifest_place(mp, kind);

    /* the document is one object: nothing stands outside of it */

    return mp->depth > 0;
}


static int
ngx_registry_manifest_null(void *data)
{
    return ngx_registry_manifest_value(data, NGX_REGISTRY_JSON_NULL);
}


static int
ngx_registry_manifest_boolean(void *data, int value)
{
    (void) value;

    return ngx_registry_manifest_value(data, NGX_REGISTRY_JSON_BOOLEAN);
}


static int
ngx_registry_manifest_number(void *data, const char *p, size_t len)
{
    ngx_registry_manifest_parser_t *mp = data;

    size_t    i;
    int64_t   n, *dst;

    if (mp->depth == 1 && mp->top == NGX_REGISTRY_JSON_SCHEMA_VERSION) {
        dst = &mp->m->schema_version;

    } else if (mp->base && mp->depth == mp->base
               && mp->key == NGX_REGISTRY_JSON_SIZE)
    {
        dst = &mp->d.size;

    } else {
        return ngx_registry_manifest_value(mp, NGX_REGISTRY_JSON_NUMBER);
    }

    n = 0;

    for (i = 0; i < len; i++) {

        if (p[i] < '0' || p[i] > '9'
            || n > (INT64_MAX - (p[i] - '0')) / 10)
        {
            return ngx_registry_manifest_fail(mp,
                                       dst == &mp->d.size
                                       ? "the size of a descriptor is not a "
                                         "number of bytes"
                                       : "\"schemaVersion\" is not a "
                                         "version");
        }

        n = n * 10 + (p[i] - '0');
    }

    *dst = n;

    return 1;
}


static int
ngx_registry_manifest_string(void *data, const u_char *p, size_t len)
{
    ngx_registry_manifest_parser_t *mp = data;

    if (!ngx_registry_manifest_value(mp, NGX_REGISTRY_JSON_STRING)) {
        return 0;
    }

    if (mp->depth == 1) {
        return ngx_registry_manifest_string_top(mp, p, len);
    }

    if (mp->base == 0) {
        return 1;
    }

    if (mp->depth == mp->base + 1 && mp->key == NGX_REGISTRY_JSON_URLS) {
        mp->d.urls = 1;
        return 1;
    }

    if (mp->depth != mp->base) {
        return 1;
    }

    if (mp->key == NGX_REGISTRY_JSON_MEDIA_TYPE) {
        return ngx_registry_manifest_type(mp, mp->type, &mp->type_len, p,
                                          len);
    }

    if (mp->key == ((mp->top == NGX_REGISTRY_JSON_FS_LAYERS)
                    ? NGX_REGISTRY_JSON_BLOB_SUM : NGX_REGISTRY_JSON_DIGEST))
    {
        if (len > sizeof(mp->digest)) {
            return ngx_registry_manifest_fail(mp,
                                     "the digest of a descriptor is invalid");
        }

        if (len) {
            memcpy(mp->digest, p, len);
        }

        mp->digest_len = len;
        mp->has_digest = 1;
    }

    return 1;
}


static int
ngx_registry_manifest_string_top(ngx_registry_manifest_parser_t *mp,
    const u_char *p, size_t len)
{
    switch ((int) mp->top) {

    case NGX_REGISTRY_JSON_MEDIA_TYPE:
        return ngx_registry_manifest_type(mp, mp->m->media_type,
                                          &mp->m->media_type_len, p, len);

    case NGX_REGISTRY_JSON_ARTIFACT_TYPE:
        return ngx_registry_manifest_type(mp, mp->m->artifact_type,
                                          &mp->m->artifact_type_len, p, len);

    default:
        return 1;
    }
}


static int
ngx_registry_manifest_type(ngx_registry_manifest_parser_t *mp, u_char *dst,
    size_t *dst_len, const u_char *p, size_t len)
{
    size_t  i;

    if (len > NGX_REGISTRY_MEDIA_TYPE_MAX_LEN) {
        return ngx_registry_manifest_fail(mp, "a media type is too long");
    }

    /* it becomes the value of a header */

    for (i = 0; i < len; i++) {
        if (p[i] <= 0x20 || p[i] >= 0x7f || p[i] == '"' || p[i] == '\\') {
            return ngx_registry_manifest_fail(mp, "a media type is none");
        }
    }

    if (len) {
        memcpy(dst, p, len);
    }

    *dst_len = len;

    return 1;
}


static int
ngx_registry_manifest_map_key(void *data, const u_char *p, size_t len)
{
    ngx_registry_manifest_parser_t *mp = data;

    uint32_t             *seen;
    ngx_registry_json_e   key;

    if (mp->depth == 1) {
        key = ngx_registry_manifest_key(ngx_registry_manifest_keys, p, len);
        seen = &mp->seen;
        mp->top = key;

    } else if (mp->base && mp->depth == mp->base) {
        key = ngx_registry_manifest_key(ngx_registry_descriptor_keys, p, len);
        seen = &mp->seen_in;
        mp->key = key;

    } else {
        return 1;
    }

    /*
     * what a client sees and what is seen here must be the same, and parsers
     * differ in which of two equal keys they take
     */

    if (key != NGX_REGISTRY_JSON_OTHER && (*seen & (1u << key))) {
        return ngx_registry_manifest_fail(mp, "a key is there twice");
    }

    *seen |= 1u << key;

    return 1;
}


static int
ngx_registry_manifest_start_map(void *data)
{
    ngx_registry_manifest_parser_t *mp = data;

    if (mp->depth) {
        ngx_registry_manifest_place(mp, NGX_REGISTRY_JSON_MAP);
    }

    if (++mp->depth > NGX_REGISTRY_MANIFEST_DEPTH) {
        return ngx_registry_manifest_fail(mp, "it is nested too deeply");
    }

    if (mp->depth == 1) {
        /* an object is seen, even an empty one */
        mp->seen |= 1u << NGX_REGISTRY_JSON_OTHER;
        return 1;
    }

    if (mp->base) {

        if (mp->depth == mp->base + 1
            && mp->key == NGX_REGISTRY_JSON_URLS)
        {
            /* it is a list */
            mp->key = NGX_REGISTRY_JSON_OTHER;
        }

        return 1;
    }

    if (mp->depth != (mp->array ? 3u : 2u)) {
        return 1;
    }

    switch ((int) mp->top) {

    case NGX_REGISTRY_JSON_CONFIG:
        mp->d.type = NGX_REGISTRY_DESCRIPTOR_CONFIG;
        break;

    case NGX_REGISTRY_JSON_SUBJECT:
        mp->d.type = NGX_REGISTRY_DESCRIPTOR_SUBJECT;
        break;

    case NGX_REGISTRY_JSON_LAYERS:
    case NGX_REGISTRY_JSON_BLOBS:
    case NGX_REGISTRY_JSON_FS_LAYERS:
        mp->d.type = NGX_REGISTRY_DESCRIPTOR_LAYER;
        break;

    case NGX_REGISTRY_JSON_MANIFESTS:
        mp->d.type = NGX_REGISTRY_DESCRIPTOR_MANIFEST;
        break;

    default:
        return 1;
    }

    if (!mp->array && mp->d.type != NGX_REGISTRY_DESCRIPTOR_CONFIG
        && mp->d.type != NGX_REGISTRY_DESCRIPTOR_SUBJECT)
    {
        return ngx_registry_manifest_fail(mp,
                                          "a list of descriptors is none");
    }

    mp->base = mp->depth;
    mp->key = NGX_REGISTRY_JSON_OTHER;
    mp->seen_in = 0;
    mp->has_digest = 0;
    mp->digest_len = 0;
    mp->type_len = 0;
    mp->d.size = -1;
    mp->d.urls = 0;

    return 1;
}


static int
ngx_registry_manifest_end_map(void *data)
{
    ngx_registry_manifest_parser_t *mp = data;

    if (mp->base && mp->depth == mp->base) {

        if (!ngx_registry_manifest_descriptor_end(mp)) {
            return 0;
        }

        mp->base = 0;
    }

    mp->depth--;

    return 1;
}


static int
ngx_registry_manifest_descriptor_end(ngx_registry_manifest_parser_t *mp)
{
    if (!mp->has_digest) {
        return ngx_registry_manifest_fail(mp, "a descriptor has no digest");
    }

    if (mp->d.size == -1 && mp->top != NGX_REGISTRY_JSON_FS_LAYERS) {
        ngx_registry_manifest_fault(mp, "a descriptor has no size");
    }

    if (mp->d.type == NGX_REGISTRY_DESCRIPTOR_CONFIG) {
        mp->config = 1;
    }

    switch (ngx_registry_digest_parse(mp->digest, mp->digest + mp->digest_len,
                                      &mp->d.digest))
    {
    case NGX_REGISTRY_OK:
        break;

    case NGX_REGISTRY_UNSUPPORTED:
        /* nothing can be asked for by it */
        return 1;

    default:
        return ngx_registry_manifest_fail(mp,
                                     "the digest of a descriptor is invalid");
    }

    mp->d.media_type.data = mp->type;
    mp->d.media_type.len = mp->type_len;

    if (mp->handler && mp->handler(mp->data, &mp->d) != NGX_REGISTRY_OK) {
        mp->rc = NGX_REGISTRY_STOPPED;
        return 0;
    }

    return 1;
}


static int
ngx_registry_manifest_start_array(void *data)
{
    ngx_registry_manifest_parser_t *mp = data;

    if (!ngx_registry_manifest_value(mp, NGX_REGISTRY_JSON_ARRAY)) {
        return 0;
    }

    if (++mp->depth > NGX_REGISTRY_MANIFEST_DEPTH) {
        return ngx_registry_manifest_fail(mp, "it is nested too deeply");
    }

    if (mp->depth != 2) {
        return 1;
    }

    switch ((int) mp->top) {

    case NGX_REGISTRY_JSON_MANIFESTS:
        mp->m->index = 1;
        mp->array = 1;
        break;

    case NGX_REGISTRY_JSON_LAYERS:
    case NGX_REGISTRY_JSON_BLOBS:
    case NGX_REGISTRY_JSON_FS_LAYERS:
        mp->array = 1;
        break;

    case NGX_REGISTRY_JSON_SIGNATURES:
        mp->signatures = 1;
        break;

    case NGX_REGISTRY_JSON_CONFIG:
    case NGX_REGISTRY_JSON_SUBJECT:
        return ngx_registry_manifest_fail(mp,
                                          "a descriptor is not an object");

    default:
        break;
    }

    return 1;
}


static int
ngx_registry_manifest_end_array(void *data)
{
    ngx_registry_manifest_parser_t *mp = data;

    if (mp->depth == 2) {
        mp->array = 0;
    }

    mp->depth--;

    return 1;
}


static void
ngx_registry_manifest_content_type(ngx_registry_manifest_parser_t *mp)
{
    const char  *type;

    /* distribution registry/storage/manifeststore.go */

    if (mp->m->media_type_len) {
        return;
    }

    if (mp->m->index) {
        type = "application/vnd.oci.image.index.v1+json";

    } else if (mp->m->schema_version == 1) {
        type = mp->signatures
               ? "application/vnd.docker.distribution.manifest.v1+prettyjws"
               : "application/vnd.docker.distribution.manifest.v1+json";

    } else {
        type = "application/vnd.oci.image.manifest.v1+json";
    }

    mp->m->media_type_len = strlen(type);
    memcpy(mp->m->media_type, type, mp->m->media_type_len);
}


static size_t
ngx_registry_manifest_type_index(const ngx_registry_span_t *type)
{
    size_t  i;

    for (i = 0; i < NGX_REGISTRY_MANIFEST_TYPES; i++) {

        if (ngx_registry_manifest_types[i].len == type->len
            && memcmp(ngx_registry_manifest_types[i].data, type->data,
                      type->len)
               == 0)
        {
            break;
        }
    }

    return i;
}


int
ngx_registry_manifest_type_known(const ngx_registry_span_t *type)
{
    return ngx_registry_manifest_type_index(type)
           < NGX_REGISTRY_MANIFEST_TYPES;
}
