
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

#include "ngx_registry_referrer.h"


/* bytes of a type, a digest, or the key of an annotation: what is longer is
   not taken (RFC 6838, 4.2: a media type has at most 255) */
#define NGX_REGISTRY_REFERRER_TEXT    1024

/* digits of a size, so that it cannot overflow */
#define NGX_REGISTRY_REFERRER_DIGITS  18


/* keys of what makes a descriptor */

typedef enum {
    NGX_REGISTRY_REFERRER_OTHER = 0,
    NGX_REGISTRY_REFERRER_MEDIA_TYPE,
    NGX_REGISTRY_REFERRER_DIGEST,
    NGX_REGISTRY_REFERRER_SIZE,
    NGX_REGISTRY_REFERRER_ARTIFACT_TYPE,
    NGX_REGISTRY_REFERRER_ANNOTATIONS,
    NGX_REGISTRY_REFERRER_CONFIG,
    NGX_REGISTRY_REFERRER_MANIFESTS
} ngx_registry_referrer_key_e;


/* a copy: the parser uses its buffer again */

typedef struct {
    size_t   len;
    unsigned seen:1;
    u_char   data[NGX_REGISTRY_REFERRER_TEXT];
} ngx_registry_referrer_text_t;


typedef struct {
    ngx_registry_referrer_text_t  media_type;
    ngx_registry_referrer_text_t  digest;
    ngx_registry_referrer_text_t  artifact_type;
    long long                     size;       /* -1: there is none */

    /* the descriptor, annotations are written to it as they are read */
    yajl_gen                      gen;
} ngx_registry_referrer_fields_t;


/*
 * Nothing is built of what is not wanted: a client chooses the document, and
 * a tree of it would be fifty times as large.
 */

typedef struct {
    ngx_registry_referrer_fields_t  top;
    ngx_registry_referrer_fields_t  entry;    /* of the list */
    ngx_registry_referrer_text_t    config_type;
    ngx_registry_referrer_text_t    note;     /* key of an annotation */

    ngx_registry_referrer_key_e     top_key;
    ngx_registry_referrer_key_e     key;      /* of top or entry */
    ngx_registry_referrer_key_e     config_key;
    unsigned                        depth;    /* open maps and arrays */
    unsigned                        list:1;   /* of manifests, is open */
    unsigned                        listed:1; /* there was one */
    unsigned                        notes:1;  /* annotations are open */

    ngx_registry_referrer_pt        handler;  /* NULL: no entries */
    void                           *data;
    ngx_registry_status_e           rc;
} ngx_registry_referrer_parser_t;


static ngx_registry_status_e ngx_registry_referrer_read(
    ngx_registry_referrer_parser_t *parser, const u_char *p,
    const u_char *last);
static int ngx_registry_referrer_start_map(void *ctx);
static int ngx_registry_referrer_map_key(void *ctx, const u_char *p,
    size_t len);
static int ngx_registry_referrer_end_map(void *ctx);
static int ngx_registry_referrer_start_array(void *ctx);
static int ngx_registry_referrer_end_array(void *ctx);
static int ngx_registry_referrer_string(void *ctx, const u_char *p,
    size_t len);
static int ngx_registry_referrer_number(void *ctx, const char *p, size_t len);
static ngx_registry_referrer_key_e ngx_registry_referrer_key(const u_char *p,
    size_t len);
static ngx_registry_referrer_fields_t *ngx_registry_referrer_fields(
    ngx_registry_referrer_parser_t *parser);
static unsigned ngx_registry_referrer_noted(
    const ngx_registry_referrer_parser_t *parser);
static void ngx_registry_referrer_copy(ngx_registry_referrer_text_t *text,
    const u_char *p, size_t len);
static int ngx_registry_referrer_open(ngx_registry_referrer_parser_t *parser,
    ngx_registry_referrer_fields_t *f);
static ngx_registry_status_e ngx_registry_referrer_entry(
    ngx_registry_referrer_parser_t *parser,
    ngx_registry_referrer_fields_t *f);
static ngx_registry_status_e ngx_registry_referrer_emit(
    ngx_registry_referrer_parser_t *parser, ngx_registry_referrer_fields_t *f);
static void ngx_registry_referrer_put(yajl_gen gen, const char *key,
    const ngx_registry_referrer_text_t *text);
static void ngx_registry_referrer_reset(ngx_registry_referrer_fields_t *f);


static yajl_callbacks  ngx_registry_referrer_callbacks = {
    NULL,
    NULL,
    NULL,
    NULL,
    ngx_registry_referrer_number,
    ngx_registry_referrer_string,
    ngx_registry_referrer_start_map,
    ngx_registry_referrer_map_key,
    ngx_registry_referrer_end_map,
    ngx_registry_referrer_start_array,
    ngx_registry_referrer_end_array
};


ngx_registry_status_e
ngx_registry_referrer_of(const u_char *p, const u_char *last,
    const ngx_registry_manifest_t *m, const ngx_registry_span_t *digest,
    ngx_registry_referrer_pt handler, void *data)
{
    ngx_registry_status_e            rc;
    ngx_registry_referrer_fields_t  *f;
    ngx_registry_referrer_parser_t   parser;

    memset(&parser, 0, sizeof(ngx_registry_referrer_parser_t));

    rc = ngx_registry_referrer_read(&parser, p, last);

    if (rc == NGX_REGISTRY_OK) {
        parser.handler = handler;
        parser.data = data;

        f = &parser.top;
        f->size = last - p;

        ngx_registry_referrer_copy(&f->media_type,
                                   (const u_char *) m->media_type,
                                   m->media_type_len);
        ngx_registry_referrer_copy(&f->digest, digest->data, digest->len);

        /* of an index there is no other one */

        if (f->artifact_type.len == 0 && !m->index) {
            f->artifact_type = parser.config_type;
        }

        rc = ngx_registry_referrer_emit(&parser, f);
    }

    ngx_registry_referrer_reset(&parser.top);
    ngx_registry_referrer_reset(&parser.entry);

    return rc;
}


ngx_registry_status_e
ngx_registry_referrer_parse(const u_char *p, const u_char *last,
    ngx_registry_referrer_pt handler, void *data)
{
    ngx_registry_status_e           rc;
    ngx_registry_referrer_parser_t  parser;

    memset(&parser, 0, sizeof(ngx_registry_referrer_parser_t));

    parser.handler = handler;
    parser.data = data;

    rc = ngx_registry_referrer_read(&parser, p, last);

    if (rc == NGX_REGISTRY_OK && !parser.listed) {
        rc = ngx_registry_referrer_entry(&parser, &parser.top);
    }

    ngx_registry_referrer_reset(&parser.top);
    ngx_registry_referrer_reset(&parser.entry);

    return rc;
}


static ngx_registry_status_e
ngx_registry_referrer_read(ngx_registry_referrer_parser_t *parser,
    const u_char *p, const u_char *last)
{
    yajl_handle              json;
    yajl_status              status;
    ngx_registry_manifest_t  m;

    /* nesting and length have limits there; no handler is called in vain */

    if (ngx_registry_manifest_parse(p, last, &m, NULL, NULL)
        != NGX_REGISTRY_OK)
    {
        return NGX_REGISTRY_INVALID;
    }

    parser->top.size = -1;
    parser->entry.size = -1;

    json = yajl_alloc(&ngx_registry_referrer_callbacks, NULL, parser);
    if (json == NULL) {
        return NGX_REGISTRY_NO_MEMORY;
    }

    status = yajl_parse(json, p, (size_t) (last - p));

    if (status == yajl_status_ok) {
        status = yajl_complete_parse(json);
    }

    yajl_free(json);

    if (parser->rc != NGX_REGISTRY_OK) {
        return parser->rc;
    }

    return (status == yajl_status_ok) ? NGX_REGISTRY_OK
                                      : NGX_REGISTRY_INVALID;
}


static int
ngx_registry_referrer_start_map(void *ctx)
{
    ngx_registry_referrer_parser_t *parser = ctx;

    ngx_registry_referrer_fields_t  *f;

    f = ngx_registry_referrer_fields(parser);

    parser->depth++;

    if (f == NULL || parser->key != NGX_REGISTRY_REFERRER_ANNOTATIONS
        || f->gen)
    {
        return 1;
    }

    if (!ngx_registry_referrer_open(parser, f)) {
        return 0;
    }

    (void) yajl_gen_string(f->gen, (const u_char *) "annotations", 11);
    (void) yajl_gen_map_open(f->gen);

    parser->notes = 1;

    return 1;
}


static int
ngx_registry_referrer_map_key(void *ctx, const u_char *p, size_t len)
{
    ngx_registry_referrer_parser_t *parser = ctx;

    if (parser->notes) {
        if (ngx_registry_referrer_noted(parser)) {
            ngx_registry_referrer_copy(&parser->note, p, len);
        }

        return 1;
    }

    if (ngx_registry_referrer_fields(parser)) {
        parser->key = ngx_registry_referrer_key(p, len);

        if (parser->depth == 1) {
            parser->top_key = parser->key;
            parser->config_key = NGX_REGISTRY_REFERRER_OTHER;
        }
    }

    if (parser->depth == 2) {
        parser->config_key = ngx_registry_referrer_key(p, len);
    }

    return 1;
}


static int
ngx_registry_referrer_end_map(void *ctx)
{
    ngx_registry_referrer_parser_t *parser = ctx;

    ngx_registry_referrer_fields_t  *f;

    parser->depth--;

    f = ngx_registry_referrer_fields(parser);

    if (f && parser->notes) {
        (void) yajl_gen_map_close(f->gen);
        parser->notes = 0;
    }

    if (parser->list && parser->depth == 2) {
        parser->rc = ngx_registry_referrer_entry(parser, &parser->entry);
        ngx_registry_referrer_reset(&parser->entry);
    }

    return parser->rc == NGX_REGISTRY_OK;
}


static int
ngx_registry_referrer_start_array(void *ctx)
{
    ngx_registry_referrer_parser_t *parser = ctx;

    if (parser->depth == 1
        && parser->top_key == NGX_REGISTRY_REFERRER_MANIFESTS
        && parser->handler && !parser->listed)
    {
        parser->list = 1;
        parser->listed = 1;
    }

    parser->depth++;

    return 1;
}


static int
ngx_registry_referrer_end_array(void *ctx)
{
    ngx_registry_referrer_parser_t *parser = ctx;

    parser->depth--;

    if (parser->depth == 1) {
        parser->list = 0;
    }

    return 1;
}


static int
ngx_registry_referrer_string(void *ctx, const u_char *p, size_t len)
{
    ngx_registry_referrer_parser_t *parser = ctx;

    ngx_registry_referrer_text_t    *text;
    ngx_registry_referrer_fields_t  *f;

    f = parser->list ? &parser->entry : &parser->top;

    /* OCI image-spec, Annotations: values are strings */

    if (parser->notes) {

        if (ngx_registry_referrer_noted(parser) && parser->note.len) {
            (void) yajl_gen_string(f->gen, parser->note.data,
                                   parser->note.len);
            (void) yajl_gen_string(f->gen, p, len);
        }

        return 1;
    }

    f = ngx_registry_referrer_fields(parser);

    text = NULL;

    if (f && parser->key == NGX_REGISTRY_REFERRER_MEDIA_TYPE) {
        text = &f->media_type;

    } else if (f && parser->key == NGX_REGISTRY_REFERRER_DIGEST) {
        text = &f->digest;

    } else if (f && parser->key == NGX_REGISTRY_REFERRER_ARTIFACT_TYPE) {
        text = &f->artifact_type;

    } else if (parser->depth == 2
               && parser->top_key == NGX_REGISTRY_REFERRER_CONFIG
               && parser->config_key == NGX_REGISTRY_REFERRER_MEDIA_TYPE)
    {
        text = &parser->config_type;
    }

    if (text && !text->seen) {
        ngx_registry_referrer_copy(text, p, len);
    }

    return 1;
}


static int
ngx_registry_referrer_number(void *ctx, const char *p, size_t len)
{
    ngx_registry_referrer_parser_t *parser = ctx;

    size_t                           i;
    long long                        size;
    ngx_registry_referrer_fields_t  *f;

    f = ngx_registry_referrer_fields(parser);

    if (f == NULL || parser->key != NGX_REGISTRY_REFERRER_SIZE
        || f->size != -1 || len > NGX_REGISTRY_REFERRER_DIGITS)
    {
        return 1;
    }

    size = 0;

    for (i = 0; i < len; i++) {

        if (p[i] < '0' || p[i] > '9') {
            return 1;
        }

        size = size * 10 + (p[i] - '0');
    }

    f->size = size;

    return 1;
}


static ngx_registry_referrer_key_e
ngx_registry_referrer_key(const u_char *p, size_t len)
{
    size_t  i;

    static const struct {
        const char                   *name;
        ngx_registry_referrer_key_e   key;
    } keys[] = {
        { "mediaType", NGX_REGISTRY_REFERRER_MEDIA_TYPE },
        { "digest", NGX_REGISTRY_REFERRER_DIGEST },
        { "size", NGX_REGISTRY_REFERRER_SIZE },
        { "artifactType", NGX_REGISTRY_REFERRER_ARTIFACT_TYPE },
        { "annotations", NGX_REGISTRY_REFERRER_ANNOTATIONS },
        { "config", NGX_REGISTRY_REFERRER_CONFIG },
        { "manifests", NGX_REGISTRY_REFERRER_MANIFESTS }
    };

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {

        if (strlen(keys[i].name) == len && memcmp(keys[i].name, p, len) == 0) {
            return keys[i].key;
        }
    }

    return NGX_REGISTRY_REFERRER_OTHER;
}


/* those whose keys are read now, or NULL */
static ngx_registry_referrer_fields_t *
ngx_registry_referrer_fields(ngx_registry_referrer_parser_t *parser)
{
    if (parser->depth == 1) {
        return &parser->top;
    }

    return (parser->list && parser->depth == 3) ? &parser->entry : NULL;
}


/* what is deeper is no annotation */
static unsigned
ngx_registry_referrer_noted(const ngx_registry_referrer_parser_t *parser)
{
    return parser->depth == (parser->list ? 4u : 2u);
}


static void
ngx_registry_referrer_copy(ngx_registry_referrer_text_t *text,
    const u_char *p, size_t len)
{
    text->seen = 1;
    text->len = (len <= NGX_REGISTRY_REFERRER_TEXT) ? len : 0;

    if (text->len) {
        memcpy(text->data, p, len);
    }
}


static int
ngx_registry_referrer_open(ngx_registry_referrer_parser_t *parser,
    ngx_registry_referrer_fields_t *f)
{
    f->gen = yajl_gen_alloc(NULL);
    if (f->gen == NULL) {
        parser->rc = NGX_REGISTRY_NO_MEMORY;
        return 0;
    }

    (void) yajl_gen_map_open(f->gen);

    return 1;
}


static ngx_registry_status_e
ngx_registry_referrer_entry(ngx_registry_referrer_parser_t *parser,
    ngx_registry_referrer_fields_t *f)
{
    ngx_registry_digest_t  digest;

    if (f->media_type.len == 0 || f->digest.len == 0 || f->size == -1
        || ngx_registry_digest_parse(f->digest.data,
                                     f->digest.data + f->digest.len, &digest)
           != NGX_REGISTRY_OK)
    {
        return NGX_REGISTRY_OK;
    }

    return ngx_registry_referrer_emit(parser, f);
}


static ngx_registry_status_e
ngx_registry_referrer_emit(ngx_registry_referrer_parser_t *parser,
    ngx_registry_referrer_fields_t *f)
{
    const u_char             *json;
    ngx_registry_referrer_t   r;

    if (f->gen == NULL && !ngx_registry_referrer_open(parser, f)) {
        return NGX_REGISTRY_NO_MEMORY;
    }

    ngx_registry_referrer_put(f->gen, "mediaType", &f->media_type);
    ngx_registry_referrer_put(f->gen, "digest", &f->digest);

    (void) yajl_gen_string(f->gen, (const u_char *) "size", 4);
    (void) yajl_gen_integer(f->gen, f->size);

    if (f->artifact_type.len) {
        ngx_registry_referrer_put(f->gen, "artifactType", &f->artifact_type);
    }

    (void) yajl_gen_map_close(f->gen);

    if (yajl_gen_get_buf(f->gen, &json, &r.json.len) != yajl_gen_status_ok) {
        return NGX_REGISTRY_NO_MEMORY;
    }

    r.json.data = json;
    r.digest.data = f->digest.data;
    r.digest.len = f->digest.len;
    r.artifact_type.data = f->artifact_type.data;
    r.artifact_type.len = f->artifact_type.len;

    return (parser->handler(parser->data, &r) == NGX_REGISTRY_OK)
           ? NGX_REGISTRY_OK : NGX_REGISTRY_STOPPED;
}


static void
ngx_registry_referrer_put(yajl_gen gen, const char *key,
    const ngx_registry_referrer_text_t *text)
{
    (void) yajl_gen_string(gen, (const u_char *) key, strlen(key));
    (void) yajl_gen_string(gen, text->data, text->len);
}


static void
ngx_registry_referrer_reset(ngx_registry_referrer_fields_t *f)
{
    if (f->gen) {
        yajl_gen_free(f->gen);
    }

    memset(f, 0, sizeof(ngx_registry_referrer_fields_t));
    f->size = -1;
}
