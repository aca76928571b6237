
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_LIST_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_LIST_H_INCLUDED_


/*
 * Listings: the names directly below a key, all pages of them; and the
 * paging of the API's own answers.
 */


/* called once, as a ngx_http_registry_call_pt is */
typedef ngx_int_t (*ngx_http_registry_list_pt)(
    ngx_http_registry_list_t *list);


struct ngx_http_registry_list_s {

    /* set by the caller */

    ngx_http_registry_ctx_t         *ctx;
    ngx_str_t                        prefix;     /* ends with "/" */
    ngx_str_t                        after;      /* a name, or empty: others
                                                    than greater ones may be
                                                    left out */
    ngx_uint_t                       max_keys;   /* of the one page that is
                                                    fetched, 0: all pages */
    unsigned                         objects:1;  /* all below the prefix,
                                                    not its directories */
    ngx_http_registry_list_pt        handler;
    void                            *data;

    /* the answer: call->result, and */

    ngx_array_t                      names;      /* ngx_str_t, of S3's
                                                    "directories", without
                                                    prefix and "/"; or of
                                                    objects, whole keys */
    ngx_uint_t                       entries;    /* these and objects */

    ngx_http_registry_call_t         call;
    ngx_uint_t                       pages;
};


/* NGX_OK or NGX_ERROR, then handler is not called */
ngx_int_t ngx_http_registry_list(ngx_http_registry_list_t *list);

/* adds a copy to list->names; for who takes a page */
ngx_registry_status_e ngx_http_registry_list_push(
    ngx_http_registry_list_t *list, const u_char *data, size_t len);


/* n and last of a request for a list */

typedef struct {
    ngx_uint_t                       n;          /* NGX_MAX_INT_T: no limit */
    ngx_str_t                        last;
} ngx_http_registry_page_t;


/* NGX_OK, or NGX_DECLINED if a parameter is invalid, or NGX_ERROR */
ngx_int_t ngx_http_registry_page(ngx_http_request_t *r,
    ngx_http_registry_page_t *page);

/*
 * Sends the names that are greater than page->last, at most page->n, in the
 * order of their bytes, as {"name":...,"<member>":[...]}; without "name" if
 * name is NULL.  A Link header tells if there is more.  Sorts names.
 */
ngx_int_t ngx_http_registry_page_send(ngx_http_request_t *r,
    ngx_http_registry_page_t *page, ngx_str_t *name, ngx_str_t *member,
    ngx_array_t *names);

int ngx_libc_cdecl ngx_http_registry_name_cmp(const void *one,
    const void *two);


#endif /* _NGX_HTTP_REGISTRY_LIST_H_INCLUDED_ */
