
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* seconds for which an address is avoided after a failure, doubled with each
   further one, and how often */
#define NGX_HTTP_REGISTRY_ADDR_AVOID      30
#define NGX_HTTP_REGISTRY_ADDR_DOUBLE     4

/* seconds for which what is connected to an address that the name has lost
   is used */
#define NGX_HTTP_REGISTRY_ADDR_LEFT       2

/* bounds of the time that a resolved name is used, seconds */
#define NGX_HTTP_REGISTRY_TTL_MIN         1
#define NGX_HTTP_REGISTRY_TTL_MAX         3600

/* seconds between questions, and for which nobody waits after a failure */
#define NGX_HTTP_REGISTRY_RESOLVE_PAUSE   1
#define NGX_HTTP_REGISTRY_RESOLVE_FAILED  10

/* milliseconds for one question to the servers of resolv.conf */
#define NGX_HTTP_REGISTRY_RESOLVE_TIMEOUT 3000

/* seconds between messages of one host */
#define NGX_HTTP_REGISTRY_RESOLVE_LOG     60

/* addresses of a name in /etc/hosts */
#define NGX_HTTP_REGISTRY_HOSTS_MAX       4


static ngx_int_t ngx_http_registry_host_literals(ngx_conf_t *cf,
    ngx_http_registry_host_t *host);
static ngx_int_t ngx_http_registry_host_literal(ngx_conf_t *cf,
    ngx_http_registry_host_t *host, const char *text);
static void ngx_http_registry_host_init(ngx_http_registry_host_t *host);
static void ngx_http_registry_host_resolve(ngx_http_registry_host_t *host);
static ngx_int_t ngx_http_registry_host_ask(ngx_http_registry_host_t *host);
static ngx_int_t ngx_http_registry_host_file(ngx_http_registry_host_t *host);
static void ngx_http_registry_host_resolved(ngx_resolver_ctx_t *ctx);
static void ngx_http_registry_host_failed(ngx_http_registry_host_t *host,
    ngx_resolver_ctx_t *ctx);
static void ngx_http_registry_host_update(ngx_http_registry_host_t *host,
    ngx_resolver_ctx_t *ctx);
/* none of the addresses that were found can be used */
static void ngx_http_registry_host_useless(ngx_http_registry_host_t *host);
static void ngx_http_registry_host_replace(ngx_http_registry_host_t *host,
    ngx_http_registry_addr_t *list);
/* an address with the reference of the list that it will be in */
static ngx_http_registry_addr_t *ngx_http_registry_host_take(
    ngx_http_registry_host_t *host, struct sockaddr *sockaddr,
    socklen_t socklen);
static void ngx_http_registry_host_notify(ngx_event_t *ev);

/*
 * RFC 6724, section 5, rule 1, as getaddrinfo() does it: connecting a datagram
 * socket asks the routing table and sends nothing.  NGX_DECLINED: there is no
 * route now; NGX_ERROR: this host cannot have such sockets.
 */
static ngx_int_t ngx_http_registry_addr_route(ngx_http_registry_addr_t *addr);


ngx_http_registry_host_t *
ngx_http_registry_host_add(ngx_conf_t *cf, ngx_str_t *name, in_port_t port,
    ngx_uint_t tls, ngx_str_t *store)
{
    void                            *server;
    ngx_uint_t                       i;
    ngx_http_registry_host_t       **slot, *host;
    ngx_http_registry_main_conf_t   *rmcf;

    rmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_registry_module);
    server = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);

    slot = rmcf->hosts.elts;

    for (i = 0; i < rmcf->hosts.nelts; i++) {

        if (slot[i]->port == port
            && slot[i]->tls == tls
            && slot[i]->server == server
            && slot[i]->store.len == store->len
            && ngx_strncmp(slot[i]->store.data, store->data, store->len) == 0
            && slot[i]->name.len == name->len
            && ngx_strncasecmp(slot[i]->name.data, name->data, name->len) == 0)
        {
            return slot[i];
        }
    }

    slot = ngx_array_push(&rmcf->hosts);
    host = ngx_pcalloc(cf->pool, sizeof(ngx_http_registry_host_t));

    if (slot == NULL || host == NULL) {
        return NULL;
    }

    *slot = host;

    host->port = port;
    host->tls = tls;
    host->server = server;
    host->store = *store;
    host->clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    host->name.len = name->len;
    host->name.data = ngx_pnalloc(cf->pool, name->len + 1);
    if (host->name.data == NULL) {
        return NULL;
    }

    (void) ngx_cpystrn(host->name.data, name->data, name->len + 1);

    if (ngx_http_registry_host_literals(cf, host) != NGX_OK) {
        return NULL;
    }

    return host;
}


static ngx_int_t
ngx_http_registry_host_literals(ngx_conf_t *cf, ngx_http_registry_host_t *host)
{
    size_t   len;
    u_char  *tail;

    host->literals = ngx_pcalloc(cf->pool, 2 * sizeof(ngx_addr_t));
    if (host->literals == NULL) {
        return NGX_ERROR;
    }

    /* RFC 6761, section 6.3: resolvers are not asked for localhost */

    len = sizeof("localhost") - 1;
    tail = host->name.data + host->name.len - len;

    if (host->name.len >= len
        && ngx_strncasecmp(tail, (u_char *) "localhost", len) == 0
        && (host->name.len == len || tail[-1] == '.'))
    {
        if (ngx_http_registry_host_literal(cf, host, "127.0.0.1") == NGX_ERROR
            || ngx_http_registry_host_literal(cf, host, "::1") == NGX_ERROR)
        {
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    if (ngx_http_registry_host_literal(cf, host, (char *) host->name.data)
        == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_host_literal(ngx_conf_t *cf, ngx_http_registry_host_t *host,
    const char *text)
{
    ngx_int_t    rc;
    ngx_addr_t  *addr;

    addr = &host->literals[host->nliterals];

    rc = ngx_parse_addr(cf->pool, addr, (u_char *) text, ngx_strlen(text));

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_inet_set_port(addr->sockaddr, host->port);
    host->nliterals++;

    return NGX_OK;
}


static void
ngx_http_registry_host_init(ngx_http_registry_host_t *host)
{
    ngx_uint_t                  i;
    ngx_http_registry_addr_t   *addr, **last;

    if (host->ready) {
        return;
    }

    host->ready = 1;

    ngx_queue_init(&host->waiters);
    ngx_queue_init(&host->idle);

    host->event.handler = ngx_http_registry_host_notify;
    host->event.data = host;
    host->event.log = ngx_cycle->log;

    last = &host->addrs;

    for (i = 0; i < host->nliterals; i++) {
        addr = ngx_http_registry_host_take(host, host->literals[i].sockaddr,
                                           host->literals[i].socklen);
        if (addr == NULL) {
            return;
        }

        if (i && ngx_http_registry_addr_route(addr) != NGX_OK) {
            /* "::1" where there is no IPv6 */
            ngx_http_registry_addr_release(addr);
            continue;
        }

        *last = addr;
        last = &addr->next;
    }
}


ngx_uint_t
ngx_http_registry_host_ready(ngx_http_registry_host_t *host)
{
    ngx_http_registry_host_init(host);

    return host->addrs != NULL;
}


void
ngx_http_registry_host_wait(ngx_http_registry_host_t *host,
    ngx_http_registry_waiter_t *w)
{
    ngx_http_registry_host_init(host);

    w->active = 1;
    ngx_queue_insert_tail(&host->waiters, &w->queue);

    ngx_http_registry_host_resolve(host);

    if (host->ctx == NULL
        || ngx_time() - host->failed < NGX_HTTP_REGISTRY_RESOLVE_FAILED)
    {
        ngx_post_event(&host->event, &ngx_posted_events);
        return;
    }

    if (host->ctx->event) {
        /* a worker that is to exit serves this request first */
        host->ctx->event->cancelable = 0;
    }
}


void
ngx_http_registry_host_cancel(ngx_http_registry_waiter_t *w)
{
    if (w->active) {
        ngx_queue_remove(&w->queue);
        w->active = 0;
    }
}


static void
ngx_http_registry_host_notify(ngx_event_t *ev)
{
    ngx_http_registry_host_t *host = ev->data;

    ngx_queue_t                  waiters, *q;
    ngx_http_registry_waiter_t  *w;

    if (ngx_queue_empty(&host->waiters)) {
        return;
    }

    /* those who come while these are served wait for the next time */

    ngx_queue_init(&waiters);
    ngx_queue_add(&waiters, &host->waiters);
    ngx_queue_init(&host->waiters);

    while (!ngx_queue_empty(&waiters)) {

        q = ngx_queue_head(&waiters);
        w = ngx_queue_data(q, ngx_http_registry_waiter_t, queue);

        ngx_queue_remove(q);
        w->active = 0;

        w->handler(w->data);
    }
}


void
ngx_http_registry_host_renew(ngx_http_registry_host_t *host)
{
    if (host->nliterals == 0 && ngx_time() >= host->expires) {
        ngx_http_registry_host_resolve(host);
    }
}


ngx_http_registry_addr_t *
ngx_http_registry_host_addr(ngx_http_registry_host_t *host)
{
    ngx_http_registry_addr_t  *addr, *first;

    if (host->addrs == NULL) {
        return NULL;
    }

    /* in turn, but not those that have just failed */

    first = (host->last && host->last->next) ? host->last->next : host->addrs;
    addr = first;

    do {

        if (addr->avoid <= ngx_time()) {
            break;
        }

        addr = addr->next ? addr->next : host->addrs;

    } while (addr != first);

    host->last = addr;
    addr->refs++;

    return addr;
}


static void
ngx_http_registry_host_resolve(ngx_http_registry_host_t *host)
{
    if (host->ctx || host->nliterals || host->retry > ngx_time()) {
        return;
    }

    host->retry = ngx_time() + NGX_HTTP_REGISTRY_RESOLVE_PAUSE;

    /* as the system does: files, then DNS */

    if (ngx_http_registry_host_file(host) == NGX_OK) {
        return;
    }

    if (ngx_http_registry_host_ask(host) != NGX_OK) {
        host->failed = ngx_time();
    }
}


static ngx_int_t
ngx_http_registry_host_ask(ngx_http_registry_host_t *host)
{
    ngx_resolver_t      *resolver;
    ngx_resolver_ctx_t  *ctx;

    resolver = host->clcf->resolver;
    host->own = 0;

    if (resolver == NULL || resolver->connections.nelts == 0) {

        resolver = ngx_http_registry_resolver_begin();

        if (resolver == NULL) {
            return NGX_ERROR;
        }

        host->own = 1;
    }

    ctx = ngx_resolve_start(resolver, NULL);

    if (ctx && ctx != NGX_NO_RESOLVER) {

        ctx->name = host->name;
        ctx->handler = ngx_http_registry_host_resolved;
        ctx->data = host;
        ctx->cancelable = 1;
        ctx->timeout = host->own ? NGX_HTTP_REGISTRY_RESOLVE_TIMEOUT
                                 : host->clcf->resolver_timeout;

        /* the handler may be called before this returns */

        host->ctx = ctx;

        if (ngx_resolve_name(ctx) == NGX_OK) {
            return NGX_OK;
        }

        host->ctx = NULL;
    }

    if (host->own) {
        ngx_http_registry_resolver_end();
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_registry_host_file(ngx_http_registry_host_t *host)
{
    socklen_t            lens[NGX_HTTP_REGISTRY_HOSTS_MAX];
    ngx_uint_t           i;
    ngx_sockaddr_t       sockaddrs[NGX_HTTP_REGISTRY_HOSTS_MAX];
    ngx_resolver_ctx_t   ctx;
    ngx_resolver_addr_t  addrs[NGX_HTTP_REGISTRY_HOSTS_MAX];

    /* "resolver" is meant instead of what the system knows */

    if (host->clcf->resolver && host->clcf->resolver->connections.nelts) {
        return NGX_DECLINED;
    }

    ngx_memzero(&ctx, sizeof(ngx_resolver_ctx_t));
    ngx_memzero(addrs, sizeof(addrs));

    ctx.naddrs = ngx_http_registry_resolver_hosts(&host->name, sockaddrs, lens,
                                                NGX_HTTP_REGISTRY_HOSTS_MAX);
    ctx.addrs = addrs;

    if (ctx.naddrs == 0) {
        return NGX_DECLINED;
    }

    for (i = 0; i < ctx.naddrs; i++) {
        addrs[i].sockaddr = &sockaddrs[i].sockaddr;
        addrs[i].socklen = lens[i];
    }

    ctx.valid = ngx_time() + NGX_HTTP_REGISTRY_RESOLVE_LOG;

    ngx_http_registry_host_update(host, &ctx);

    return NGX_OK;
}


static void
ngx_http_registry_host_resolved(ngx_resolver_ctx_t *ctx)
{
    ngx_http_registry_host_t *host = ctx->data;

    if (ctx->state) {
        ngx_http_registry_host_failed(host, ctx);

    } else {
        ngx_http_registry_host_update(host, ctx);
    }

    ngx_resolve_name_done(ctx);

    host->ctx = NULL;

    if (host->own) {
        ngx_http_registry_resolver_end();
    }

    ngx_post_event(&host->event, &ngx_posted_events);
}


static void
ngx_http_registry_host_failed(ngx_http_registry_host_t *host,
    ngx_resolver_ctx_t *ctx)
{
    host->failed = ngx_time();

    if (host->own) {
        ngx_http_registry_resolver_doubt();
    }

    if (ngx_time() - host->logged < NGX_HTTP_REGISTRY_RESOLVE_LOG) {
        return;
    }

    host->logged = ngx_time();

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "registry: the endpoint \"%V\" could not be resolved "
                  "by the servers of %s (%i: %s)%s", &host->name,
                  host->own ? NGX_HTTP_REGISTRY_RESOLV_CONF
                            : "\"resolver\"",
                  ctx->state, ngx_resolver_strerror(ctx->state),
                  host->addrs ? ", its last addresses stay in use" : "");
}


static void
ngx_http_registry_host_update(ngx_http_registry_host_t *host,
    ngx_resolver_ctx_t *ctx)
{
    time_t                      ttl;
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_http_registry_addr_t   *addr, *list, **last, *far;

    list = NULL;
    last = &list;
    far = NULL;

    for (i = 0; i < ctx->naddrs; i++) {

        addr = ngx_http_registry_host_take(host, ctx->addrs[i].sockaddr,
                                           ctx->addrs[i].socklen);
        if (addr == NULL) {
            continue;
        }

        rc = ngx_http_registry_addr_route(addr);

        if (rc == NGX_OK) {
            *last = addr;
            last = &addr->next;

        } else if (rc == NGX_DECLINED) {
            addr->next = far;
            far = addr;

        } else {
            ngx_http_registry_addr_release(addr);
        }
    }

    if (list == NULL) {

        /* for lack of better ones: a route may yet come */

        list = far;
        far = NULL;
    }

    while (far) {
        addr = far;
        far = addr->next;
        ngx_http_registry_addr_release(addr);
    }

    if (list == NULL) {
        ngx_http_registry_host_useless(host);
        return;
    }

    ngx_http_registry_host_replace(host, list);

    host->failed = 0;
    host->logged = 0;

    ttl = ctx->valid - ngx_time();
    ttl = ngx_max(ttl, NGX_HTTP_REGISTRY_TTL_MIN);
    ttl = ngx_min(ttl, NGX_HTTP_REGISTRY_TTL_MAX);

    host->expires = ngx_time() + ttl;
}


static void
ngx_http_registry_host_useless(ngx_http_registry_host_t *host)
{
    host->failed = ngx_time();
    host->last = NULL;

    if (ngx_time() - host->logged < NGX_HTTP_REGISTRY_RESOLVE_LOG) {
        return;
    }

    host->logged = ngx_time();

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "registry: the endpoint \"%V\" has no address of a kind "
                  "that this host has%s", &host->name,
                  host->addrs ? ", its last addresses stay in use" : "");
}


static void
ngx_http_registry_host_replace(ngx_http_registry_host_t *host,
    ngx_http_registry_addr_t *list)
{
    ngx_http_registry_addr_t  *addr, *old;

    /* what is left in the old list is not among the new addresses */

    old = host->addrs;

    host->addrs = list;
    host->last = NULL;

    while (old) {
        addr = old;
        old = addr->next;

        addr->next = NULL;
        addr->left = ngx_time();
        ngx_http_registry_addr_release(addr);
    }
}


static ngx_http_registry_addr_t *
ngx_http_registry_host_take(ngx_http_registry_host_t *host,
    struct sockaddr *sockaddr, socklen_t socklen)
{
    ngx_http_registry_addr_t  *addr, **p;

    /* one that the host has already keeps its marks and its TLS session */

    for (p = &host->addrs; *p; p = &(*p)->next) {

        if (ngx_cmp_sockaddr(&(*p)->sockaddr.sockaddr, (*p)->socklen,
                             sockaddr, socklen, 0)
            == NGX_OK)
        {
            addr = *p;
            *p = addr->next;
            addr->next = NULL;
            return addr;
        }
    }

    addr = ngx_calloc(sizeof(ngx_http_registry_addr_t), ngx_cycle->log);
    if (addr == NULL) {
        return NULL;
    }

    addr->refs = 1;
    addr->socklen = socklen;
    ngx_memcpy(&addr->sockaddr, sockaddr, socklen);
    ngx_inet_set_port(&addr->sockaddr.sockaddr, host->port);

    addr->name.data = addr->text;
    addr->name.len = ngx_sock_ntop(&addr->sockaddr.sockaddr, socklen,
                                   addr->text, NGX_SOCKADDR_STRLEN, 1);

    return addr;
}


static ngx_int_t
ngx_http_registry_addr_route(ngx_http_registry_addr_t *addr)
{
    int           rc;
    ngx_socket_t  s;

    s = ngx_socket(addr->sockaddr.sockaddr.sa_family, SOCK_DGRAM, 0);

    if (s == (ngx_socket_t) -1) {
        return (ngx_socket_errno == EAFNOSUPPORT) ? NGX_ERROR : NGX_OK;
    }

    rc = connect(s, &addr->sockaddr.sockaddr, addr->socklen);

    (void) ngx_close_socket(s);

    return (rc == -1) ? NGX_DECLINED : NGX_OK;
}


void
ngx_http_registry_host_forget(ngx_http_registry_host_t *host)
{
    if (host->ctx) {
        ngx_resolve_name_done(host->ctx);
        host->ctx = NULL;

        if (host->own) {
            ngx_http_registry_resolver_end();
        }
    }

    ngx_http_registry_host_replace(host, NULL);
}


ngx_uint_t
ngx_http_registry_addr_old(ngx_http_registry_addr_t *addr)
{
    return addr->left
           && ngx_time() - addr->left >= NGX_HTTP_REGISTRY_ADDR_LEFT;
}


void
ngx_http_registry_addr_failed(ngx_http_registry_addr_t *addr)
{
    addr->avoid = ngx_time()
                  + (NGX_HTTP_REGISTRY_ADDR_AVOID << addr->failures);

    if (addr->failures < NGX_HTTP_REGISTRY_ADDR_DOUBLE) {
        addr->failures++;
    }
}


void
ngx_http_registry_addr_works(ngx_http_registry_addr_t *addr)
{
    addr->avoid = 0;
    addr->failures = 0;
}


void
ngx_http_registry_addr_release(ngx_http_registry_addr_t *addr)
{
    if (--addr->refs) {
        return;
    }

#if (NGX_HTTP_SSL)

    if (addr->session) {
        ngx_ssl_free_session(addr->session);
    }

#endif

    ngx_free(addr);
}
