
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/*
 * OCI Distribution Spec, Listing tags.
 */


typedef struct {
    ngx_http_registry_page_t   page;
    ngx_http_registry_list_t   tags;
    ngx_http_registry_list_t   repository;
} ngx_http_registry_tags_t;


static ngx_int_t ngx_http_registry_tags_listed(
    ngx_http_registry_list_t *list);
static ngx_int_t ngx_http_registry_tags_repository(
    ngx_http_registry_list_t *list);
static ngx_int_t ngx_http_registry_tags_send(ngx_http_registry_tags_t *tags,
    ngx_http_registry_ctx_t *ctx);


ngx_int_t
ngx_http_registry_tags_handler(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx)
{
    ngx_int_t                  rc;
    ngx_str_t                  message;
    ngx_registry_key_t         key;
    ngx_http_registry_tags_t  *tags;

    tags = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_tags_t));
    if (tags == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_registry_page(r, &tags->page);

    if (rc == NGX_DECLINED) {
        ngx_str_set(&message, "n is not a number, or last is not encoded "
                              "as a parameter must be");

        return ngx_http_registry_error(r, NGX_HTTP_BAD_REQUEST,
                                       NGX_REGISTRY_CODE_UNSUPPORTED,
                                       &message, NULL);
    }

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_TAGS;

    tags->tags.ctx = ctx;
    tags->tags.after = tags->page.last;
    tags->tags.handler = ngx_http_registry_tags_listed;
    tags->tags.data = tags;

    if (rc == NGX_ERROR
        || ngx_http_registry_object_key(ctx, &key, &tags->tags.prefix)
           != NGX_OK
        || ngx_http_registry_list(&tags->tags) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_registry_tags_listed(ngx_http_registry_list_t *list)
{
    u_char                    *p;
    ngx_str_t                 *prefix;
    ngx_registry_key_t         key;
    ngx_http_registry_ctx_t   *ctx;
    ngx_http_registry_tags_t  *tags;

    tags = list->data;
    ctx = list->ctx;

    if (list->call.result.outcome != NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_failure(ctx->request, &list->call.op,
                                         &list->call.result,
                                         NGX_REGISTRY_NAME_UNKNOWN);
    }

    if (list->names.nelts) {
        return ngx_http_registry_tags_send(tags, ctx);
    }

    /* no tag, or no such repository? */

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_REPOSITORIES;

    tags->repository.ctx = ctx;
    tags->repository.max_keys = 1;
    tags->repository.handler = ngx_http_registry_tags_repository;
    tags->repository.data = tags;

    prefix = &tags->repository.prefix;

    if (ngx_http_registry_object_key(ctx, &key, prefix) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /*
     * what a repository itself has begins with "_", which no component of a
     * name does: "a" is none because "a/b" is one
     */

    p = ngx_pnalloc(ctx->request->pool, prefix->len + 1);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(p, prefix->data, prefix->len);
    p[prefix->len] = '_';

    prefix->data = p;
    prefix->len++;

    return (ngx_http_registry_list(&tags->repository) == NGX_OK)
           ? NGX_AGAIN : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static ngx_int_t
ngx_http_registry_tags_repository(ngx_http_registry_list_t *list)
{
    ngx_http_registry_ctx_t  *ctx;

    ctx = list->ctx;

    if (list->call.result.outcome != NGX_HTTP_REGISTRY_OK) {
        return ngx_http_registry_failure(ctx->request, &list->call.op,
                                         &list->call.result,
                                         NGX_REGISTRY_NAME_UNKNOWN);
    }

    if (list->entries == 0) {
        return ngx_http_registry_error(ctx->request, NGX_HTTP_NOT_FOUND,
                                       NGX_REGISTRY_NAME_UNKNOWN, NULL,
                                       &ctx->name);
    }

    return ngx_http_registry_tags_send(list->data, ctx);
}


static ngx_int_t
ngx_http_registry_tags_send(ngx_http_registry_tags_t *tags,
    ngx_http_registry_ctx_t *ctx)
{
    ngx_str_t    *s, member;
    ngx_uint_t    i, n;
    ngx_array_t  *names;

    names = &tags->tags.names;
    s = names->elts;

    /* one name that is no tag makes the whole list useless to skopeo */

    n = 0;

    for (i = 0; i < names->nelts; i++) {

        if (ngx_registry_tag_check(s[i].data, s[i].data + s[i].len)
            == NGX_REGISTRY_OK)
        {
            s[n++] = s[i];
        }
    }

    names->nelts = n;

    ngx_str_set(&member, "tags");

    return ngx_http_registry_page_send(ctx->request, &tags->page, &ctx->name,
                                       &member, names);
}
