
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_DAV_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_DAV_H_INCLUDED_


/*
 * A directory as a store, laid out as distribution's filesystem driver does:
 * files are read by nginx, listed by autoindex, written and deleted by nginx's
 * dav module, whose PUT renames a file.  What that lacks is done around it, in
 * a thread, see ngx_http_registry_file.h.
 *
 *     PUT     stage     job of the subrequest, before nginx's handler
 *             rename    nginx's handler
 *             settle    job of the store call
 *     DELETE  unlink    nginx's handler
 *             settle
 */


extern ngx_http_registry_kind_t  ngx_http_registry_dav_kind;


/* of this kind, see ngx_http_registry_kind.h */
ngx_int_t ngx_http_registry_dav_settle(ngx_http_registry_call_t *call);
ngx_int_t ngx_http_registry_dav_erase(ngx_http_registry_erase_t *erase);
void ngx_http_registry_dav_sweep(ngx_http_registry_loc_conf_t *rlcf);

/*
 * The bytes of a PUT are brought under a temporary name, then nginx's handler
 * goes on with the subrequest.  Returns what a content handler may return.
 */
ngx_int_t ngx_http_registry_dav_stage(ngx_http_registry_sub_t *sub);

/* a content handler: one range of a file; also in the header filter's view */
ngx_int_t ngx_http_registry_dav_range(ngx_http_registry_sub_t *sub);

/* $registry_dav_path */
ngx_int_t ngx_http_registry_dav_add_variables(ngx_conf_t *cf);


#endif /* _NGX_HTTP_REGISTRY_DAV_H_INCLUDED_ */
