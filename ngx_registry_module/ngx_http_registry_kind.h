
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_KIND_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_KIND_H_INCLUDED_


/*
 * The kinds of stores, and all in which they differ.  Whatever the kind, a
 * question to the store is a subrequest to one of its locations, and what
 * asks for objects does not know which kind it is.
 *
 *     s3     a bucket: a request signed for S3, by proxy_pass
 *     dav    a directory: nginx's own files, nginx's dav module for writes
 */


struct ngx_http_registry_kind_s {
    ngx_str_t     name;       /* in registry_store */
    ngx_str_t     title;      /* in messages */
    ngx_str_t     place;      /* what an object lies in, in messages */
    ngx_str_t     include;    /* the file that has its locations */

    /* the location that serves a role, by role */
    ngx_uint_t    roles[NGX_HTTP_REGISTRY_ROLES];

    /* needs registry_http.conf, too */
    unsigned      http:1;

    /*
     * the store is this host's own: nothing of it is kept elsewhere, and what
     * is written replaces what was there at once and as a whole
     */
    unsigned      local:1;

    /* the values of a registry's directives are known; NGX_CONF_OK or not */
    char       *(*configure)(ngx_conf_t *cf,
                    ngx_http_registry_loc_conf_t *rlcf);

    /* its locations are found; NGX_OK or NGX_ERROR */
    ngx_int_t   (*init)(ngx_conf_t *cf, ngx_http_registry_loc_conf_t *rlcf);

    /* the headers and the body of a subrequest that is about to start */
    ngx_int_t   (*request)(ngx_http_registry_sub_t *sub);

    /*
     * a header came: sets what sub has of it.  NGX_DECLINED: this is no
     * answer of the store, but a page of nginx
     */
    ngx_int_t   (*answer)(ngx_http_registry_sub_t *sub);

    /* whether a body that has ended has not just been cut */
    ngx_uint_t  (*whole)(ngx_http_registry_sub_t *sub);

    /* the headers of the answer */
    ngx_list_t *(*headers)(ngx_http_registry_sub_t *sub);

    /* what an answer means, other than a success */
    void        (*judge)(ngx_http_registry_sub_t *sub,
                    ngx_http_registry_result_t *result);

    /*
     * Something is left to do after a write: NGX_AGAIN, and
     * ngx_http_registry_store_settled() is called later.  NULL or NGX_OK: it
     * is done.
     */
    ngx_int_t   (*settle)(ngx_http_registry_call_t *call);

    /* prepares list->call to fetch a page, token is what the last one gave */
    ngx_int_t   (*list)(ngx_http_registry_list_t *list, ngx_str_t *token);

    /*
     * Takes the page that was fetched into list->names.  NGX_OK, or NGX_AGAIN
     * if there is another one, by *token; NGX_DECLINED: list->call.result
     * says what is wrong; NGX_ERROR: memory
     */
    ngx_int_t   (*listed)(ngx_http_registry_list_t *list, ngx_str_t *token);

    /* see ngx_http_registry_erase(), as which it returns */
    ngx_int_t   (*erase)(ngx_http_registry_erase_t *erase);

    /* what the log says of the store at start: at most last - p bytes */
    u_char     *(*describe)(ngx_http_registry_loc_conf_t *rlcf, u_char *p,
                    u_char *last);

    /* removes what others have left behind, now and then; may be NULL */
    void        (*purge)(ngx_http_registry_loc_conf_t *rlcf);
};


#endif /* _NGX_HTTP_REGISTRY_KIND_H_INCLUDED_ */
