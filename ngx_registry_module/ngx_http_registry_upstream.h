
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_UPSTREAM_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_UPSTREAM_H_INCLUDED_


/*
 * Peers of the upstream of the include file.  "server" in an upstream block
 * resolves its name when nginx starts, and does not start without DNS; here
 * the endpoint of each registry is the peer, resolved when it is needed, and
 * connections to it are kept.  A connection, and a TLS session, is used again
 * only for the host name, port, store and server { } for which it was
 * verified.
 */


/* an upstream block with "registry_upstream" */

typedef struct {
    ngx_http_upstream_srv_conf_t    *upstream;
    ngx_uint_t                       keepalive;   /* connections of a host */
    ngx_msec_t                       timeout;     /* of an idle one */
} ngx_http_registry_upstream_conf_t;


/* "registry_upstream [keepalive=number] [timeout=time];" */
char *ngx_http_registry_upstream(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * To be called first in postconfiguration: takes the blocks back from what
 * nginx wraps around every upstream, and refuses directives that expect
 * servers of their own there.  Returns NGX_OK, or NGX_ERROR, having said why.
 */
ngx_int_t ngx_http_registry_upstream_init(ngx_conf_t *cf);


#endif /* _NGX_HTTP_REGISTRY_UPSTREAM_H_INCLUDED_ */
