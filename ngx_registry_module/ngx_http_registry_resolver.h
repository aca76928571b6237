
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_RESOLVER_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_RESOLVER_H_INCLUDED_


#define NGX_HTTP_REGISTRY_RESOLV_CONF  "/etc/resolv.conf"


/*
 * What a worker knows of the system's way to resolve names, without blocking:
 * an nginx resolver with the name servers of /etc/resolv.conf, for locations
 * without "resolver", and the addresses in /etc/hosts, which come first.
 */


/*
 * The resolver, made again when resolv.conf has changed and no question is
 * under way.  Each question must be framed by _begin() and _end(), so that
 * the resolver stays for as long.  Returns NULL if there is no memory.
 */
ngx_resolver_t *ngx_http_registry_resolver_begin(void);
void ngx_http_registry_resolver_end(void);

/* resolv.conf is read again, its servers did not answer */
void ngx_http_registry_resolver_doubt(void);

/* the worker ends */
void ngx_http_registry_resolver_exit(void);

/*
 * Up to n addresses of a name in /etc/hosts, without ports; returns how many.
 */
ngx_uint_t ngx_http_registry_resolver_hosts(ngx_str_t *name,
    ngx_sockaddr_t *addrs, socklen_t *lens, ngx_uint_t n);


#endif /* _NGX_HTTP_REGISTRY_RESOLVER_H_INCLUDED_ */
