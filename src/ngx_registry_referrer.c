
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

#include "ngx_registry_referrer.h"


typedef struct {
    const char  *media_type;
    size_t       media_type_len;
    const char  *digest;
    size_t       digest_len;
    long long    size;
    const char  *artifact_type;
    yajl_val     annotations;
} ngx_registry_referrer_fields_t;


static ngx_registry_status_e ngx_registry_referrer_tree(const u_char *p,
    const u_char *last, yajl_val *tree);
static ngx_registry_status_e ngx_registry_referrer_entry(yajl_val entry,
    ngx_registry_referrer_pt handler, void *data);
static const char *ngx_registry_referrer_string(yajl_val tree,
    const char **path);
static ngx_registry_status_e ngx_registry_referrer_emit(
    const ngx_registry_referrer_fields_t *f, ngx_registry_referrer_pt handler,
    void *data);
static void ngx_registry_referrer_put(yajl_gen gen, const char *s,
    size_t len);
static void ngx_registry_referrer_annotations(yajl_gen gen, yajl_val map);


static const char  *ngx_registry_referrer_artifact_type[] =
    { "artifactType", NULL };
static const char  *ngx_registry_referrer_config_type[] =
    { "config", "mediaType", NULL };
static const char  *ngx_registry_referrer_media_type[] =
    { "mediaType", NULL };
static const char  *ngx_registry_referrer_digest[] = { "digest", NULL };
static const char  *ngx_registry_referrer_size[] = { "size", NULL };
static const char  *ngx_registry_referrer_notes[] = { "annotations", NULL };
static const char  *ngx_registry_referrer_manifests[] =
    { "manifests", NULL };


ngx_registry_status_e
ngx_registry_referrer_of(const u_char *p, const u_char *last,
    const ngx_registry_manifest_t *m, const ngx_registry_span_t *digest,
    ngx_registry_referrer_pt handler, void *data)
{
    yajl_val                        tree;
    ngx_registry_status_e           rc;
    ngx_registry_referrer_fields_t  f;

    rc = ngx_registry_referrer_tree(p, last, &tree);

    if (rc != NGX_REGISTRY_OK) {
        return rc;
    }

    f.media_type = (const char *) m->media_type;
    f.media_type_len = m->media_type_len;
    f.digest = (const char *) digest->data;
    f.digest_len = digest->len;
    f.size = last - p;
    f.artifact_type = ngx_registry_referrer_string(tree,
                                        ngx_registry_referrer_artifact_type);
    f.annotations = yajl_tree_get(tree, ngx_registry_referrer_notes,
                                  yajl_t_object);

    /* of an index there is no other one */

    if ((f.artifact_type == NULL || *f.artifact_type == '\0') && !m->index) {
        f.artifact_type = ngx_registry_referrer_string(tree,
                                          ngx_registry_referrer_config_type);
    }

    rc = ngx_registry_referrer_emit(&f, handler, data);

    yajl_tree_free(tree);

    return rc;
}


ngx_registry_status_e
ngx_registry_referrer_parse(const u_char *p, const u_char *last,
    ngx_registry_referrer_pt handler, void *data)
{
    size_t                 i;
    yajl_val               tree, list;
    ngx_registry_status_e  rc;

    rc = ngx_registry_referrer_tree(p, last, &tree);

    if (rc != NGX_REGISTRY_OK) {
        return rc;
    }

    list = yajl_tree_get(tree, ngx_registry_referrer_manifests, yajl_t_array);

    if (list == NULL) {
        rc = ngx_registry_referrer_entry(tree, handler, data);
    }

    for (i = 0; list && i < list->u.array.len; i++) {

        rc = ngx_registry_referrer_entry(list->u.array.values[i],
                                         handler, data);
        if (rc != NGX_REGISTRY_OK) {
            break;
        }
    }

    yajl_tree_free(tree);

    return rc;
}


static ngx_registry_status_e
ngx_registry_referrer_tree(const u_char *p, const u_char *last,
    yajl_val *tree)
{
    ngx_registry_manifest_t  m;

    /* nesting and length have limits there */

    if (ngx_registry_manifest_parse(p, last, &m, NULL, NULL)
        != NGX_REGISTRY_OK)
    {
        return NGX_REGISTRY_INVALID;
    }

    *tree = yajl_tree_parse((const char *) p, NULL, 0);

    return *tree ? NGX_REGISTRY_OK : NGX_REGISTRY_INVALID;
}


static ngx_registry_status_e
ngx_registry_referrer_entry(yajl_val entry, ngx_registry_referrer_pt handler,
    void *data)
{
    yajl_val                        size;
    ngx_registry_digest_t           digest;
    ngx_registry_referrer_fields_t  f;

    f.digest = ngx_registry_referrer_string(entry,
                                            ngx_registry_referrer_digest);
    f.media_type = ngx_registry_referrer_string(entry,
                                            ngx_registry_referrer_media_type);
    f.artifact_type = ngx_registry_referrer_string(entry,
                                        ngx_registry_referrer_artifact_type);
    f.annotations = yajl_tree_get(entry, ngx_registry_referrer_notes,
                                  yajl_t_object);
    size = yajl_tree_get(entry, ngx_registry_referrer_size, yajl_t_number);

    if (f.digest == NULL || f.media_type == NULL || size == NULL
        || !YAJL_IS_INTEGER(size)
        || ngx_registry_digest_parse((const u_char *) f.digest,
                                     (const u_char *) f.digest
                                     + strlen(f.digest), &digest)
           != NGX_REGISTRY_OK)
    {
        return NGX_REGISTRY_OK;
    }

    f.digest_len = strlen(f.digest);
    f.media_type_len = strlen(f.media_type);
    f.size = YAJL_GET_INTEGER(size);

    return ngx_registry_referrer_emit(&f, handler, data);
}


static const char *
ngx_registry_referrer_string(yajl_val tree, const char **path)
{
    yajl_val  value;

    value = yajl_tree_get(tree, path, yajl_t_string);

    return value ? value->u.string : NULL;
}


static ngx_registry_status_e
ngx_registry_referrer_emit(const ngx_registry_referrer_fields_t *f,
    ngx_registry_referrer_pt handler, void *data)
{
    size_t                    len;
    yajl_gen                  gen;
    const u_char             *json;
    ngx_registry_status_e     rc;
    ngx_registry_referrer_t   r;

    gen = yajl_gen_alloc(NULL);
    if (gen == NULL) {
        return NGX_REGISTRY_NO_MEMORY;
    }

    (void) yajl_gen_map_open(gen);

    ngx_registry_referrer_put(gen, "mediaType", 9);
    ngx_registry_referrer_put(gen, f->media_type, f->media_type_len);
    ngx_registry_referrer_put(gen, "digest", 6);
    ngx_registry_referrer_put(gen, f->digest, f->digest_len);
    ngx_registry_referrer_put(gen, "size", 4);
    (void) yajl_gen_integer(gen, f->size);

    if (f->artifact_type && *f->artifact_type) {
        ngx_registry_referrer_put(gen, "artifactType", 12);
        ngx_registry_referrer_put(gen, f->artifact_type,
                                  strlen(f->artifact_type));
    }

    if (f->annotations) {
        ngx_registry_referrer_annotations(gen, f->annotations);
    }

    (void) yajl_gen_map_close(gen);

    rc = NGX_REGISTRY_NO_MEMORY;

    if (yajl_gen_get_buf(gen, &json, &len) == yajl_gen_status_ok) {

        r.digest.data = (const u_char *) f->digest;
        r.digest.len = f->digest_len;
        r.artifact_type.data = (const u_char *) f->artifact_type;
        r.artifact_type.len = f->artifact_type ? strlen(f->artifact_type) : 0;
        r.json.data = json;
        r.json.len = len;

        rc = (handler(data, &r) == NGX_REGISTRY_OK) ? NGX_REGISTRY_OK
                                                    : NGX_REGISTRY_STOPPED;
    }

    yajl_gen_free(gen);

    return rc;
}


static void
ngx_registry_referrer_put(yajl_gen gen, const char *s, size_t len)
{
    (void) yajl_gen_string(gen, (const u_char *) s, len);
}


static void
ngx_registry_referrer_annotations(yajl_gen gen, yajl_val map)
{
    size_t    i;
    yajl_val  value;

    /* OCI image-spec, Annotations: values are strings */

    ngx_registry_referrer_put(gen, "annotations", 11);
    (void) yajl_gen_map_open(gen);

    for (i = 0; i < map->u.object.len; i++) {

        value = map->u.object.values[i];

        if (YAJL_IS_STRING(value)) {
            ngx_registry_referrer_put(gen, map->u.object.keys[i],
                                      strlen(map->u.object.keys[i]));
            ngx_registry_referrer_put(gen, value->u.string,
                                      strlen(value->u.string));
        }
    }

    (void) yajl_gen_map_close(gen);
}
