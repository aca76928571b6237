
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* pages of one listing */
#define NGX_HTTP_REGISTRY_LIST_PAGES   1000


static ngx_int_t ngx_http_registry_list_fetch(ngx_http_registry_list_t *list,
    ngx_str_t *token);
static ngx_int_t ngx_http_registry_list_fetched(
    ngx_http_registry_call_t *call);
static ngx_int_t ngx_http_registry_page_link(ngx_http_request_t *r,
    ngx_http_registry_page_t *page, ngx_str_t *last);
static ngx_int_t ngx_http_registry_page_body(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *member, ngx_str_t *first, ngx_uint_t n,
    ngx_str_t *body);


ngx_int_t
ngx_http_registry_list(ngx_http_registry_list_t *list)
{
    if (ngx_array_init(&list->names, list->ctx->request->pool, 16,
                       sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    list->entries = 0;
    list->pages = 0;

    return ngx_http_registry_list_fetch(list, NULL);
}


static ngx_int_t
ngx_http_registry_list_fetch(ngx_http_registry_list_t *list,
    ngx_str_t *token)
{
    ngx_http_registry_call_t  *call;

    call = &list->call;

    ngx_memzero(call, sizeof(ngx_http_registry_call_t));

    call->op.conf = list->ctx->conf;
    call->op.role = NGX_HTTP_REGISTRY_ROLE_DIRECT;
    ngx_str_set(&call->op.method, "GET");
    call->handler = ngx_http_registry_list_fetched;
    call->data = list;

    if (call->op.conf->kind->list(list, token) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_registry_store_call(list->ctx->request, call);
}


static ngx_int_t
ngx_http_registry_list_fetched(ngx_http_registry_call_t *call)
{
    ngx_int_t                  rc;
    ngx_str_t                  token;
    ngx_http_registry_list_t  *list;

    list = call->data;

    rc = call->op.conf->kind->listed(list, &token);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_AGAIN && ++list->pages == NGX_HTTP_REGISTRY_LIST_PAGES) {
        ngx_http_registry_result_fault(&call->result, "an endless listing",
                              "check registry_s3_endpoint: is this S3?");
        rc = NGX_DECLINED;
    }

    if (rc != NGX_AGAIN) {
        return list->handler(list);
    }

    if (ngx_http_registry_list_fetch(list, &token) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


ngx_registry_status_e
ngx_http_registry_list_push(ngx_http_registry_list_t *list,
    const u_char *data, size_t len)
{
    ngx_str_t  *s;

    s = ngx_array_push(&list->names);
    if (s == NULL) {
        return NGX_REGISTRY_STOPPED;
    }

    s->len = len;

    s->data = ngx_pnalloc(list->ctx->request->pool, len);
    if (s->data == NULL) {
        return NGX_REGISTRY_STOPPED;
    }

    ngx_memcpy(s->data, data, len);

    return NGX_REGISTRY_OK;
}


ngx_int_t
ngx_http_registry_page(ngx_http_request_t *r, ngx_http_registry_page_t *page)
{
    u_char                 *last;
    uint64_t                n;
    ngx_registry_span_t     name, value;
    ngx_registry_status_e   rc;

    page->n = NGX_MAX_INT_T_VALUE;
    ngx_str_null(&page->last);

    last = r->args.data + r->args.len;

    name.data = (u_char *) "n";
    name.len = 1;

    if (ngx_registry_query_find(r->args.data, last, &name, &value)
        == NGX_REGISTRY_OK)
    {
        rc = ngx_registry_query_number(&value, NGX_MAX_INT_T_VALUE, &n);

        if (rc == NGX_REGISTRY_OK) {
            page->n = n;

        } else if (rc != NGX_REGISTRY_TOO_LONG) {
            return NGX_DECLINED;
        }
    }

    name.data = (u_char *) "last";
    name.len = 4;

    if (ngx_registry_query_find(r->args.data, last, &name, &value)
        == NGX_REGISTRY_OK)
    {
        page->last.data = ngx_pnalloc(r->pool, value.len);
        if (page->last.data == NULL) {
            return NGX_ERROR;
        }

        last = ngx_registry_query_decode(page->last.data, &value);
        if (last == NULL) {
            return NGX_DECLINED;
        }

        page->last.len = last - page->last.data;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_registry_page_send(ngx_http_request_t *r,
    ngx_http_registry_page_t *page, ngx_str_t *name, ngx_str_t *member,
    ngx_array_t *names)
{
    ngx_str_t   *s, body, type;
    ngx_uint_t   i, n;

    s = names->elts;

    /* OCI Distribution Spec, Listing tags: the order of bytes */

    ngx_qsort(s, names->nelts, sizeof(ngx_str_t), ngx_http_registry_name_cmp);

    i = 0;

    if (page->last.len) {
        while (i < names->nelts
               && ngx_http_registry_name_cmp(&s[i], &page->last) <= 0)
        {
            i++;
        }
    }

    n = names->nelts - i;

    if (n > page->n) {
        n = page->n;

        /* OCI Distribution Spec, Listing tags: no Link if n is 0 */

        if (n && ngx_http_registry_page_link(r, page, &s[i + n - 1])
                 != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (ngx_http_registry_page_body(r, name, member, s + i, n, &body)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&type, "application/json");

    return ngx_http_registry_send(r, &type, &body);
}


static ngx_int_t
ngx_http_registry_page_link(ngx_http_request_t *r,
    ngx_http_registry_page_t *page, ngx_str_t *last)
{
    u_char               *p;
    ngx_str_t             value;
    ngx_registry_span_t   span;

    span = ngx_http_registry_span(last);

    p = ngx_pnalloc(r->pool, sizeof("<?last=&n=>; rel=\"next\"") + r->uri.len
                             + ngx_registry_uri_encode_len(&span, 0)
                             + NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    /* relative, so that no proxy in front has to be known of */

    value.data = p;

    p = ngx_sprintf(p, "<%V?last=", &r->uri);
    p = ngx_registry_uri_encode_write(p, &span, 0);
    p = ngx_sprintf(p, "&n=%ui>; rel=\"next\"", page->n);

    value.len = p - value.data;

    return ngx_http_registry_add_header(r, "Link", &value) ? NGX_OK
                                                           : NGX_ERROR;
}


static ngx_int_t
ngx_http_registry_page_body(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *member, ngx_str_t *first, ngx_uint_t n, ngx_str_t *body)
{
    u_char               *p;
    size_t                len;
    ngx_uint_t            i;
    ngx_registry_span_t   span;

    len = sizeof("{\"name\":,\"\":[]}\n") + member->len;

    if (name) {
        span = ngx_http_registry_span(name);
        len += ngx_registry_json_string_len(&span);
    }

    for (i = 0; i < n; i++) {
        span = ngx_http_registry_span(&first[i]);
        len += ngx_registry_json_string_len(&span) + 1;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    body->data = p;

    *p++ = '{';

    if (name) {
        span = ngx_http_registry_span(name);

        p = ngx_cpymem(p, "\"name\":", sizeof("\"name\":") - 1);
        p = ngx_registry_json_string_write(p, &span);
        *p++ = ',';
    }

    p = ngx_sprintf(p, "\"%V\":[", member);

    for (i = 0; i < n; i++) {

        if (i) {
            *p++ = ',';
        }

        span = ngx_http_registry_span(&first[i]);
        p = ngx_registry_json_string_write(p, &span);
    }

    p = ngx_cpymem(p, "]}\n", sizeof("]}\n") - 1);

    body->len = p - body->data;

    return NGX_OK;
}


int ngx_libc_cdecl
ngx_http_registry_name_cmp(const void *one, const void *two)
{
    int               rc;
    const ngx_str_t  *first, *second;

    first = one;
    second = two;

    rc = ngx_memcmp(first->data, second->data,
                    ngx_min(first->len, second->len));

    if (rc) {
        return rc;
    }

    return (first->len > second->len) - (first->len < second->len);
}
