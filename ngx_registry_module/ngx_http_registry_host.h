
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_HOST_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_HOST_H_INCLUDED_


/*
 * The addresses of an endpoint.  They are resolved when they are needed and
 * again when their TTL has passed, and stay in use while that fails.
 */


typedef struct ngx_http_registry_addr_s  ngx_http_registry_addr_t;
typedef struct ngx_http_registry_host_s  ngx_http_registry_host_t;


/*
 * An address.  It lives as long as its host has it or somebody holds a
 * reference: a request, or a connection kept alive.
 */

struct ngx_http_registry_addr_s {
    ngx_http_registry_addr_t        *next;
    ngx_sockaddr_t                   sockaddr;
    socklen_t                        socklen;
    ngx_str_t                        name;        /* as text, with the port */
    u_char                           text[NGX_SOCKADDR_STRLEN];
    time_t                           avoid;       /* until */
    ngx_uint_t                       failures;    /* one after another */
    ngx_uint_t                       refs;
    time_t                           left;        /* when the name lost it */
#if (NGX_HTTP_SSL)
    ngx_ssl_session_t               *session;
#endif
};


/* of one store in one server { }, since they may trust different roots */

struct ngx_http_registry_host_s {
    ngx_str_t                        name;
    in_port_t                        port;
    ngx_uint_t                       tls;         /* unsigned  tls:1; */
    void                            *server;      /* its srv_conf */
    ngx_str_t                        store;       /* "registry_store" */
    ngx_http_core_loc_conf_t        *clcf;        /* for "resolver" */
    ngx_addr_t                      *literals;    /* that need no resolver */
    ngx_uint_t                       nliterals;

    /* below: of a worker */

    ngx_http_registry_addr_t        *addrs;
    ngx_http_registry_addr_t        *last;        /* that was used */
    time_t                           expires;
    time_t                           retry;       /* not before */
    time_t                           failed;      /* when resolving did */
    time_t                           logged;
    time_t                           skew;        /* seconds that the clock of
                                                     S3 is ahead of ours */
    ngx_resolver_ctx_t              *ctx;
    ngx_queue_t                      waiters;
    ngx_event_t                      event;

    ngx_queue_t                      idle;        /* connections */
    ngx_uint_t                       nidle;

    unsigned                         ready:1;     /* is initialized */
    unsigned                         own:1;       /* ctx is of resolv.conf */
};


/* somebody who cannot go on without an address */

typedef struct {
    ngx_queue_t                      queue;
    void                           (*handler)(void *data);
    void                            *data;
    unsigned                         active:1;
} ngx_http_registry_waiter_t;


/*
 * The entry of a host, made at configuration time in cf->pool, one for each
 * different name, port, scheme and store in a server { }.  Address literals
 * are ready at once.  The location that is configured gives the resolver
 * ("resolver") if it has one.  Returns NULL if there is no memory.
 */
ngx_http_registry_host_t *ngx_http_registry_host_add(ngx_conf_t *cf,
    ngx_str_t *name, in_port_t port, ngx_uint_t tls, ngx_str_t *store);

/* whether there is an address to connect to */
ngx_uint_t ngx_http_registry_host_ready(ngx_http_registry_host_t *host);

/*
 * Calls w->handler once, later, from the event loop, when resolving has ended
 * either way; starts resolving if it is not under way.  While names are known
 * not to be resolved nobody is kept waiting.  The waiter belongs to the
 * caller and must be cancelled before its memory goes.
 */
void ngx_http_registry_host_wait(ngx_http_registry_host_t *host,
    ngx_http_registry_waiter_t *w);
void ngx_http_registry_host_cancel(ngx_http_registry_waiter_t *w);

/* before each request: has them resolved again, meanwhile, if they are old */
void ngx_http_registry_host_renew(ngx_http_registry_host_t *host);

/*
 * The address for the next connection of a host that is ready, with a
 * reference that the caller must release.  NULL if there is none.
 */
ngx_http_registry_addr_t *ngx_http_registry_host_addr(
    ngx_http_registry_host_t *host);

/* drops the addresses; the worker ends */
void ngx_http_registry_host_forget(ngx_http_registry_host_t *host);

/*
 * Whether the name has lost it a while ago, and what is connected to it is not
 * to be used again.  Not at once: names of S3 have others every few seconds.
 */
ngx_uint_t ngx_http_registry_addr_old(ngx_http_registry_addr_t *addr);

/* after a failure it is not used for a while, unless there is no other */
void ngx_http_registry_addr_failed(ngx_http_registry_addr_t *addr);
void ngx_http_registry_addr_works(ngx_http_registry_addr_t *addr);
void ngx_http_registry_addr_release(ngx_http_registry_addr_t *addr);


#endif /* _NGX_HTTP_REGISTRY_HOST_H_INCLUDED_ */
