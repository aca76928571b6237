
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/*
 * Docker Registry HTTP API V2, Listing Repositories.
 *
 * Names of repositories are paths, and one may be below another: "a" and
 * "a/b" both exist if both have "_manifests/".  Directories are listed one
 * by one, the least name first, a few at a time.  A directory's name is not
 * greater than any name below it, so what is less than all directories still
 * to be listed is final, and a page of n names needs no more than that.
 */


/* listings in flight */
#define NGX_HTTP_REGISTRY_CATALOG_WINDOW  8

/* names in an answer; each may cost a listing */
#define NGX_HTTP_REGISTRY_CATALOG_MAX     1000


typedef struct {
    ngx_http_registry_page_t    page;
    ngx_http_registry_ctx_t    *ctx;
    ngx_str_t                   root;        /* .../repositories/ */
    ngx_array_t                 pending;     /* ngx_str_t, directories */
    ngx_array_t                 active;      /* ngx_http_registry_dir_t * */
    ngx_array_t                 found;       /* ngx_str_t, repositories */
} ngx_http_registry_catalog_t;


typedef struct {
    ngx_http_registry_list_t    list;
    ngx_str_t                   name;        /* "" is the root */
} ngx_http_registry_dir_t;


static ngx_int_t ngx_http_registry_catalog_run(
    ngx_http_registry_catalog_t *catalog);
static ngx_uint_t ngx_http_registry_catalog_enough(
    ngx_http_registry_catalog_t *catalog, ngx_str_t *least);
static ngx_int_t ngx_http_registry_catalog_open(
    ngx_http_registry_catalog_t *catalog, ngx_str_t *name);
static ngx_int_t ngx_http_registry_catalog_listed(
    ngx_http_registry_list_t *list);
static ngx_int_t ngx_http_registry_catalog_entry(
    ngx_http_registry_catalog_t *catalog, ngx_str_t *dir, ngx_str_t *name);
static ngx_uint_t ngx_http_registry_catalog_before(ngx_str_t *dir,
    ngx_str_t *last);
static ngx_int_t ngx_http_registry_catalog_push(ngx_array_t *array,
    ngx_str_t *name);
static ngx_int_t ngx_http_registry_catalog_send(
    ngx_http_registry_catalog_t *catalog, ngx_str_t *least);


ngx_int_t
ngx_http_registry_catalog_handler(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx)
{
    ngx_int_t                     rc;
    ngx_str_t                     message, empty;
    ngx_registry_key_t            key;
    ngx_http_registry_catalog_t  *catalog;

    catalog = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_catalog_t));
    if (catalog == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_registry_page(r, &catalog->page);

    if (rc == NGX_DECLINED) {
        ngx_str_set(&message, "n is not a number, or last is not encoded "
                              "as a parameter must be");

        return ngx_http_registry_error(r, NGX_HTTP_BAD_REQUEST,
                                       NGX_REGISTRY_CODE_UNSUPPORTED,
                                       &message, NULL);
    }

    if (catalog->page.n > NGX_HTTP_REGISTRY_CATALOG_MAX) {
        catalog->page.n = NGX_HTTP_REGISTRY_CATALOG_MAX;
    }

    catalog->ctx = ctx;

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_REPOSITORIES;

    ngx_str_null(&empty);

    if (rc == NGX_ERROR
        || ngx_http_registry_object_key(ctx, &key, &catalog->root) != NGX_OK
        || ngx_array_init(&catalog->pending, r->pool, 16, sizeof(ngx_str_t))
           != NGX_OK
        || ngx_array_init(&catalog->found, r->pool, 16, sizeof(ngx_str_t))
           != NGX_OK
        || ngx_array_init(&catalog->active, r->pool,
                          NGX_HTTP_REGISTRY_CATALOG_WINDOW, sizeof(void *))
           != NGX_OK
        || ngx_http_registry_catalog_open(catalog, &empty) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_catalog_run(ngx_http_registry_catalog_t *catalog)
{
    ngx_str_t                 *pending, *next, *least, name;
    ngx_uint_t                 i, k, enough;
    ngx_http_registry_dir_t  **active;

    for ( ;; ) {

        pending = catalog->pending.elts;
        active = catalog->active.elts;

        k = 0;

        for (i = 1; i < catalog->pending.nelts; i++) {
            if (ngx_http_registry_name_cmp(&pending[i], &pending[k]) < 0) {
                k = i;
            }
        }

        next = catalog->pending.nelts ? &pending[k] : NULL;
        least = next;

        for (i = 0; i < catalog->active.nelts; i++) {
            if (least == NULL
                || ngx_http_registry_name_cmp(&active[i]->name, least) < 0)
            {
                least = &active[i]->name;
            }
        }

        enough = ngx_http_registry_catalog_enough(catalog, least);

        if (enough || next == NULL) {

            /* calls that are under way are waited for */

            return catalog->active.nelts
                   ? NGX_AGAIN : ngx_http_registry_catalog_send(catalog,
                                                                least);
        }

        if (catalog->active.nelts == NGX_HTTP_REGISTRY_CATALOG_WINDOW) {
            return NGX_AGAIN;
        }

        name = *next;
        *next = pending[--catalog->pending.nelts];

        if (ngx_http_registry_catalog_open(catalog, &name) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }
}


static ngx_uint_t
ngx_http_registry_catalog_enough(ngx_http_registry_catalog_t *catalog,
    ngx_str_t *least)
{
    ngx_str_t   *found;
    ngx_uint_t   i, n;

    if (catalog->page.n == 0) {
        return 1;
    }

    if (least == NULL || catalog->found.nelts <= catalog->page.n) {
        return 0;
    }

    /* one more than asked for tells that there is a next page */

    found = catalog->found.elts;
    n = 0;

    for (i = 0; i < catalog->found.nelts; i++) {
        if (ngx_http_registry_name_cmp(&found[i], least) < 0) {
            n++;
        }
    }

    return n > catalog->page.n;
}


static ngx_int_t
ngx_http_registry_catalog_open(ngx_http_registry_catalog_t *catalog,
    ngx_str_t *name)
{
    u_char                    *p;
    ngx_http_registry_dir_t   *dir, **slot;
    ngx_http_registry_list_t  *list;

    dir = ngx_pcalloc(catalog->ctx->request->pool,
                      sizeof(ngx_http_registry_dir_t));
    if (dir == NULL) {
        return NGX_ERROR;
    }

    slot = ngx_array_push(&catalog->active);
    if (slot == NULL) {
        return NGX_ERROR;
    }

    *slot = dir;
    dir->name = *name;

    list = &dir->list;

    list->prefix.data = ngx_pnalloc(catalog->ctx->request->pool,
                                    catalog->root.len + name->len + 1);
    if (list->prefix.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(list->prefix.data, catalog->root.data, catalog->root.len);

    if (name->len) {
        p = ngx_cpymem(p, name->data, name->len);
        *p++ = '/';
    }

    list->prefix.len = p - list->prefix.data;

    list->ctx = catalog->ctx;
    list->handler = ngx_http_registry_catalog_listed;
    list->data = catalog;

    return ngx_http_registry_list(list);
}


static ngx_int_t
ngx_http_registry_catalog_listed(ngx_http_registry_list_t *list)
{
    ngx_str_t                    *names, dir;
    ngx_uint_t                    i;
    ngx_http_registry_dir_t     **active;
    ngx_http_registry_catalog_t  *catalog;

    catalog = list->data;

    if (list->call.result.outcome != NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_failure(list->ctx->request, &list->call.op,
                                         &list->call.result,
                                         NGX_REGISTRY_NAME_UNKNOWN);
    }

    ngx_str_null(&dir);
    active = catalog->active.elts;

    for (i = 0; i < catalog->active.nelts; i++) {
        if (&active[i]->list == list) {
            dir = active[i]->name;
            active[i] = active[--catalog->active.nelts];
            break;
        }
    }

    names = list->names.elts;

    for (i = 0; i < list->names.nelts; i++) {
        if (ngx_http_registry_catalog_entry(catalog, &dir, &names[i])
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return ngx_http_registry_catalog_run(catalog);
}


static ngx_int_t
ngx_http_registry_catalog_entry(ngx_http_registry_catalog_t *catalog,
    ngx_str_t *dir, ngx_str_t *name)
{
    u_char     *p;
    ngx_str_t   path;

    if (name->len == sizeof("_manifests") - 1
        && ngx_memcmp(name->data, "_manifests", name->len) == 0)
    {
        if (dir->len == 0
            || (catalog->page.last.len
                && ngx_http_registry_name_cmp(dir, &catalog->page.last) <= 0))
        {
            return NGX_OK;
        }

        return ngx_http_registry_catalog_push(&catalog->found, dir);
    }

    /* _layers, _uploads: a component of a name begins with a-z0-9 */

    if (name->data[0] == '_') {
        return NGX_OK;
    }

    path.len = dir->len + 1 + name->len;

    path.data = ngx_pnalloc(catalog->ctx->request->pool, path.len);
    if (path.data == NULL) {
        return NGX_ERROR;
    }

    p = path.data;

    if (dir->len) {
        p = ngx_cpymem(p, dir->data, dir->len);
        *p++ = '/';
    }

    p = ngx_cpymem(p, name->data, name->len);
    path.len = p - path.data;

    if (ngx_registry_name_check(path.data, p) != NGX_REGISTRY_OK
        || ngx_http_registry_catalog_before(&path, &catalog->page.last))
    {
        return NGX_OK;
    }

    return ngx_http_registry_catalog_push(&catalog->pending, &path);
}


static ngx_uint_t
ngx_http_registry_catalog_before(ngx_str_t *dir, ngx_str_t *last)
{
    ngx_int_t  rc;

    /* whether dir and all names below it are not greater than last */

    if (last->len == 0) {
        return 0;
    }

    rc = ngx_memcmp(dir->data, last->data, ngx_min(dir->len, last->len));

    if (rc || dir->len >= last->len) {
        return rc < 0;
    }

    /* last begins with dir: what is below begins with dir and "/" */

    return last->data[dir->len] > '/';
}


static ngx_int_t
ngx_http_registry_catalog_push(ngx_array_t *array, ngx_str_t *name)
{
    ngx_str_t  *s;

    s = ngx_array_push(array);
    if (s == NULL) {
        return NGX_ERROR;
    }

    *s = *name;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_catalog_send(ngx_http_registry_catalog_t *catalog,
    ngx_str_t *least)
{
    ngx_str_t   *found, member;
    ngx_uint_t   i, n;

    /* names that are not final yet belong to a later page */

    if (least) {
        found = catalog->found.elts;
        n = 0;

        for (i = 0; i < catalog->found.nelts; i++) {
            if (ngx_http_registry_name_cmp(&found[i], least) < 0) {
                found[n++] = found[i];
            }
        }

        catalog->found.nelts = n;
    }

    ngx_str_set(&member, "repositories");

    return ngx_http_registry_page_send(catalog->ctx->request, &catalog->page,
                                       NULL, &member, &catalog->found);
}
