
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* S3 API, ListObjectsV2: at most 1000 names a page, of at most 1024 bytes,
   of which a byte may be encoded as three */
#define NGX_HTTP_REGISTRY_S3_LIST_SIZE  (8 * 1024 * 1024)


static ngx_int_t ngx_http_registry_s3_list_query(
    ngx_http_registry_list_t *list, ngx_str_t *token, ngx_str_t *query);
static ngx_registry_status_e ngx_http_registry_s3_list_entry(void *data,
    ngx_registry_s3_entry_e type, const ngx_registry_span_t *name);


ngx_int_t
ngx_http_registry_s3_list(ngx_http_registry_list_t *list, ngx_str_t *token)
{
    list->call.limit = NGX_HTTP_REGISTRY_S3_LIST_SIZE;

    return ngx_http_registry_s3_list_query(list, token, &list->call.op.query);
}


static ngx_int_t
ngx_http_registry_s3_list_query(ngx_http_registry_list_t *list,
    ngx_str_t *token, ngx_str_t *query)
{
    u_char               *p, buf[NGX_INT_T_LEN];
    size_t                n;
    ngx_str_t             after, keys;
    ngx_registry_pair_t   pairs[6];

    n = 0;

    ngx_http_registry_pair(&pairs[n++], "list-type", (u_char *) "2", 1);
    ngx_http_registry_pair(&pairs[n++], "encoding-type", (u_char *) "url", 3);
    ngx_http_registry_pair(&pairs[n++], "prefix",
                           list->prefix.data, list->prefix.len);

    if (list->max_keys) {
        keys.data = buf;
        keys.len = ngx_sprintf(buf, "%ui", list->max_keys) - buf;
        ngx_http_registry_pair(&pairs[n++], "max-keys",
                           keys.data, keys.len);

    } else if (!list->objects) {
        ngx_http_registry_pair(&pairs[n++], "delimiter", (u_char *) "/", 1);
    }

    if (token) {
        ngx_http_registry_pair(&pairs[n++], "continuation-token",
                           token->data, token->len);

    } else if (list->after.len) {

        /*
         * without the "/" that names end with in S3: "a-b/" is less than
         * "a/", but "a-b" is greater than "a"
         */

        after.len = list->prefix.len + list->after.len;

        after.data = ngx_pnalloc(list->ctx->request->pool, after.len);
        if (after.data == NULL) {
            return NGX_ERROR;
        }

        p = ngx_cpymem(after.data, list->prefix.data, list->prefix.len);
        ngx_memcpy(p, list->after.data, list->after.len);

        ngx_http_registry_pair(&pairs[n++], "start-after",
                           after.data, after.len);
    }

    query->data = ngx_pnalloc(list->ctx->request->pool,
                              ngx_registry_sigv4_query_len(pairs, n));
    if (query->data == NULL) {
        return NGX_ERROR;
    }

    query->len = ngx_registry_sigv4_query_write(query->data, pairs, n)
                 - query->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_registry_s3_listed(ngx_http_registry_list_t *list, ngx_str_t *token)
{
    ngx_registry_status_e      rc;
    ngx_registry_s3_list_t     page;
    ngx_http_registry_call_t  *call;

    call = &list->call;

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK) {
        return NGX_DECLINED;
    }

    rc = ngx_registry_s3_list_parse(call->body.data,
                                    call->body.data + call->body.len, &page,
                                    ngx_http_registry_s3_list_entry, list);

    if (rc == NGX_REGISTRY_STOPPED || rc == NGX_REGISTRY_NO_MEMORY) {
        return NGX_ERROR;
    }

    if (rc != NGX_REGISTRY_OK) {
        ngx_http_registry_result_fault(&call->result, "not a listing of S3",
                              "check registry_s3_endpoint: is this S3?");
        return NGX_DECLINED;
    }

    if (!page.truncated || list->max_keys) {
        return NGX_OK;
    }

    token->len = page.token_len;

    token->data = ngx_pnalloc(call->request->pool, token->len);
    if (token->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(token->data, page.token, token->len);

    return NGX_AGAIN;
}


static ngx_registry_status_e
ngx_http_registry_s3_list_entry(void *data, ngx_registry_s3_entry_e type,
    const ngx_registry_span_t *name)
{
    ngx_http_registry_list_t *list = data;

    list->entries++;

    if (list->objects) {
        return (type == NGX_REGISTRY_S3_KEY)
               ? ngx_http_registry_list_push(list, name->data, name->len)
               : NGX_REGISTRY_OK;
    }

    if (type != NGX_REGISTRY_S3_PREFIX
        || name->len <= list->prefix.len + 1
        || name->data[name->len - 1] != '/'
        || ngx_memcmp(name->data, list->prefix.data, list->prefix.len) != 0)
    {
        return NGX_REGISTRY_OK;
    }

    return ngx_http_registry_list_push(list, name->data + list->prefix.len,
                                       name->len - list->prefix.len - 1);
}
