
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


typedef struct {
    ngx_http_registry_upstream_conf_t  *conf;
    ngx_http_upstream_t                *upstream;
    ngx_http_registry_sub_t            *sub;
    ngx_http_registry_host_t           *host;
    ngx_http_registry_addr_t           *addr;
} ngx_http_registry_peer_t;


/* a connection kept alive */

typedef struct {
    ngx_queue_t                      queue;
    ngx_connection_t                *connection;
    ngx_http_registry_host_t        *host;
    ngx_http_registry_addr_t        *addr;
} ngx_http_registry_idle_t;


static ngx_int_t ngx_http_registry_upstream_init_block(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *us);
static ngx_int_t ngx_http_registry_upstream_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us);
static void ngx_http_registry_upstream_forget(void *data);
static void ngx_http_registry_upstream_cleanup(void *data);
static ngx_int_t ngx_http_registry_upstream_get(ngx_peer_connection_t *pc,
    void *data);
/* why the store cannot be asked, 0 if it can */
static ngx_uint_t ngx_http_registry_upstream_obstacle(
    ngx_http_registry_peer_t *peer);
/* the reference to addr goes over to the peer */
static ngx_int_t ngx_http_registry_upstream_use(ngx_peer_connection_t *pc,
    ngx_http_registry_peer_t *peer, ngx_http_registry_addr_t *addr);
static ngx_int_t ngx_http_registry_upstream_decline(
    ngx_peer_connection_t *pc, ngx_http_registry_peer_t *peer,
    ngx_uint_t obstacle);
static void ngx_http_registry_upstream_free(ngx_peer_connection_t *pc,
    void *data, ngx_uint_t state);
static void ngx_http_registry_upstream_wipe(ngx_connection_t *c);
static ngx_http_registry_addr_t *ngx_http_registry_upstream_reuse(
    ngx_peer_connection_t *pc, ngx_http_registry_peer_t *peer);
static void ngx_http_registry_upstream_keep(ngx_peer_connection_t *pc,
    ngx_http_registry_peer_t *peer);
static void ngx_http_registry_upstream_idle_handler(ngx_event_t *ev);
static void ngx_http_registry_upstream_empty_handler(ngx_event_t *ev);
static void ngx_http_registry_upstream_drop(ngx_http_registry_idle_t *idle);
static void ngx_http_registry_upstream_close(ngx_connection_t *c);
#if (NGX_HTTP_SSL)
static ngx_int_t ngx_http_registry_upstream_set_session(
    ngx_peer_connection_t *pc, void *data);
static void ngx_http_registry_upstream_save_session(
    ngx_peer_connection_t *pc, void *data);
#endif


char *
ngx_http_registry_upstream(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t                           n;
    ngx_str_t                          *value, s;
    ngx_uint_t                          i;
    ngx_http_upstream_srv_conf_t       *us;
    ngx_http_registry_main_conf_t      *rmcf;
    ngx_http_registry_upstream_conf_t  *ucf;

    us = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);
    rmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_registry_module);

    if (us->peer.init_upstream == ngx_http_registry_upstream_init_block) {
        return "is duplicate";
    }

    ucf = ngx_array_push(&rmcf->upstreams);
    if (ucf == NULL) {
        return NGX_CONF_ERROR;
    }

    ucf->upstream = us;

    ucf->keepalive = 64;
    ucf->timeout = 4000;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "keepalive=", 10) == 0) {

            n = ngx_atoi(value[i].data + 10, value[i].len - 10);

            if (n != NGX_ERROR) {
                ucf->keepalive = n;
                continue;
            }

        } else if (ngx_strncmp(value[i].data, "timeout=", 8) == 0) {

            s.data = value[i].data + 8;
            s.len = value[i].len - 8;

            n = ngx_parse_time(&s, 0);

            if (n != NGX_ERROR && n != 0) {
                ucf->timeout = n;
                continue;
            }
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" of "
                           "\"registry_upstream\"", &value[i]);
        return NGX_CONF_ERROR;
    }

    us->peer.init_upstream = ngx_http_registry_upstream_init_block;
    us->flags = NGX_HTTP_UPSTREAM_CREATE;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_registry_upstream_init_block(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *us)
{
    us->peer.init = ngx_http_registry_upstream_init_peer;

    return NGX_OK;
}


ngx_int_t
ngx_http_registry_upstream_init(ngx_conf_t *cf)
{
    ngx_uint_t                          i;
    ngx_http_upstream_srv_conf_t       *us;
    ngx_http_registry_main_conf_t      *rmcf;
    ngx_http_registry_upstream_conf_t  *ucf;

    rmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_registry_module);

    ucf = rmcf->upstreams.elts;

    for (i = 0; i < rmcf->upstreams.nelts; i++) {

        us = ucf[i].upstream;

        if (us->peer.init_upstream != ngx_http_registry_upstream_init_block) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "upstream \"%V\" in %s:%ui: \"registry_upstream\" "
                          "chooses servers and keeps connections itself, "
                          "remove \"keepalive\" and other such directives "
                          "(\"registry_upstream keepalive=64\" sets how many "
                          "connections are kept)", &us->host, us->file_name,
                          us->line);
            return NGX_ERROR;
        }

#if (NGX_HTTP_UPSTREAM_ZONE)

        if (us->shm_zone) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "upstream \"%V\" in %s:%ui: remove \"zone\", "
                          "\"registry_upstream\" has no servers to share",
                          &us->host, us->file_name, us->line);
            return NGX_ERROR;
        }

#endif

        /*
         * nginx 1.29.7 and later keep connections of every upstream, and know
         * them by address: one that was verified for the name of another
         * bucket would be used
         */

        us->peer.init = ngx_http_registry_upstream_init_peer;
        us->peer.data = &ucf[i];
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_upstream_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_upstream_t       *u;
    ngx_http_registry_sub_t   *sub;
    ngx_http_registry_peer_t  *peer;

    sub = (r == r->main) ? NULL
                  : ngx_http_get_module_ctx(r, ngx_http_registry_module);

    if (sub == NULL) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "upstream \"%V\" is for the locations of a registry's "
                      "store only", &us->host);
        return NGX_ERROR;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_registry_peer_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    u = r->upstream;

    peer = cln->data;
    cln->handler = ngx_http_registry_upstream_forget;

    peer->conf = us->peer.data;
    peer->upstream = u;
    peer->sub = sub;
    peer->host = sub->op->conf->host;
    peer->addr = NULL;

    ngx_http_registry_s3_unmask(sub);

    u->peer.data = peer;
    u->peer.get = ngx_http_registry_upstream_get;
    u->peer.free = ngx_http_registry_upstream_free;
    u->peer.tries = 1;
#if (NGX_HTTP_SSL)
    u->peer.set_session = ngx_http_registry_upstream_set_session;
    u->peer.save_session = ngx_http_registry_upstream_save_session;
#endif

    return NGX_OK;
}


static void
ngx_http_registry_upstream_forget(void *data)
{
    ngx_http_registry_peer_t *peer = data;

    ngx_http_registry_upstream_cleanup(peer);
    ngx_http_registry_s3_wipe(peer->sub);
}


static void
ngx_http_registry_upstream_cleanup(void *data)
{
    ngx_http_registry_peer_t *peer = data;

    if (peer->addr) {
        ngx_http_registry_addr_release(peer->addr);
        peer->addr = NULL;
    }
}


static ngx_int_t
ngx_http_registry_upstream_get(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_registry_peer_t *peer = data;

    ngx_uint_t                 obstacle;
    ngx_http_registry_addr_t  *addr;

    pc->cached = 0;
    pc->connection = NULL;

    obstacle = ngx_http_registry_upstream_obstacle(peer);

    if (obstacle) {
        return ngx_http_registry_upstream_decline(pc, peer, obstacle);
    }

    ngx_http_registry_host_renew(peer->host);

    addr = ngx_http_registry_upstream_reuse(pc, peer);

    if (addr == NULL) {
        addr = ngx_http_registry_host_addr(peer->host);
    }

    if (addr == NULL) {
        return ngx_http_registry_upstream_decline(pc, peer,
                                             NGX_HTTP_REGISTRY_WAIT_ADDRESS);
    }

    peer->sub->connected = 1;

    if (ngx_http_registry_upstream_use(pc, peer, addr) != NGX_OK) {
        return NGX_ERROR;
    }

    return pc->cached ? NGX_DONE : NGX_OK;
}


static ngx_uint_t
ngx_http_registry_upstream_obstacle(ngx_http_registry_peer_t *peer)
{
    ngx_http_registry_op_t *op = peer->sub->op;

    if (op->role == NGX_HTTP_REGISTRY_ROLE_CACHED
        || op->role == NGX_HTTP_REGISTRY_ROLE_CACHED_BLOB)
    {
        return NGX_HTTP_REGISTRY_NOT_CACHED;
    }

    if (ngx_http_registry_s3_locate(op->conf) != NGX_OK) {
        return NGX_HTTP_REGISTRY_WAIT_REGION;
    }

    /* it was signed when nginx made the request, if there were keys */

    if (peer->sub->authorization.len == 0) {
        return NGX_HTTP_REGISTRY_WAIT_CREDENTIALS;
    }

    if (!ngx_http_registry_host_ready(peer->host)) {
        return NGX_HTTP_REGISTRY_WAIT_ADDRESS;
    }

    return 0;
}


static ngx_int_t
ngx_http_registry_upstream_use(ngx_peer_connection_t *pc,
    ngx_http_registry_peer_t *peer, ngx_http_registry_addr_t *addr)
{
    ngx_str_t   *name;
    ngx_pool_t  *pool;

    ngx_http_registry_upstream_cleanup(peer);

    peer->addr = addr;

    /* logs and variables use the name after the address may have gone */

    pool = peer->sub->request->pool;

    name = ngx_palloc(pool, sizeof(ngx_str_t));
    if (name == NULL) {
        return NGX_ERROR;
    }

    name->len = addr->name.len;
    name->data = ngx_pstrdup(pool, &addr->name);
    if (name->data == NULL) {
        return NGX_ERROR;
    }

    pc->sockaddr = &addr->sockaddr.sockaddr;
    pc->socklen = addr->socklen;
    pc->name = name;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_upstream_decline(ngx_peer_connection_t *pc,
    ngx_http_registry_peer_t *peer, ngx_uint_t obstacle)
{
    /*
     * nginx then tries the next peer, of which there is none, and ends the
     * request, or serves a stale copy if the location allows it
     */

    peer->sub->obstacle = obstacle;

    pc->sockaddr = NULL;
    pc->name = &peer->host->name;
    pc->tries = 0;

    return NGX_DECLINED;
}


static void
ngx_http_registry_upstream_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state)
{
    ngx_http_registry_peer_t *peer = data;

    ngx_http_registry_upstream_wipe(pc->connection);

    if (state & NGX_PEER_FAILED) {

        /* a connection that S3 had closed meanwhile says nothing of it */

        if (peer->addr && !pc->cached) {
            ngx_http_registry_addr_failed(peer->addr);
        }

    } else if (pc->connection && peer->addr) {
        ngx_http_registry_addr_works(peer->addr);
        ngx_http_registry_upstream_keep(pc, peer);
    }

    if (pc->tries) {
        pc->tries--;
    }
}


static void
ngx_http_registry_upstream_wipe(ngx_connection_t *c)
{
#if (NGX_HTTP_SSL)

    ngx_buf_t  *b;

    /* what was sent over TLS went through a buffer of the connection */

    if (c && c->ssl && c->ssl->buf) {
        b = c->ssl->buf;

        if (b->start && b->pos == b->last) {
            ngx_explicit_memzero(b->start, b->end - b->start);
        }
    }

#endif
}


static ngx_http_registry_addr_t *
ngx_http_registry_upstream_reuse(ngx_peer_connection_t *pc,
    ngx_http_registry_peer_t *peer)
{
    ngx_queue_t               *q;
    ngx_connection_t          *c;
    ngx_http_registry_addr_t  *addr;
    ngx_http_registry_idle_t  *idle;

    for ( ;; ) {

        if (ngx_queue_empty(&peer->host->idle)) {
            return NULL;
        }

        q = ngx_queue_head(&peer->host->idle);
        idle = ngx_queue_data(q, ngx_http_registry_idle_t, queue);

        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it leaves the queue */
        c = idle->connection;
        addr = idle->addr;

        if (!ngx_http_registry_addr_old(addr)) {
            break;
        }

        ngx_http_registry_upstream_drop(idle);
    }

    ngx_queue_remove(q);
    peer->host->nidle--;
    ngx_free(idle);

    c->idle = 0;
    c->sent = 0;
    c->data = NULL;
    c->log = pc->log;
    c->read->log = pc->log;
    c->write->log = pc->log;
    c->pool->log = pc->log;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    pc->connection = c;
    pc->cached = 1;

    return addr;
}


static void
ngx_http_registry_upstream_keep(ngx_peer_connection_t *pc,
    ngx_http_registry_peer_t *peer)
{
    ngx_connection_t          *c;
    ngx_http_upstream_t       *u;
    ngx_http_registry_idle_t  *idle, *oldest;

    c = pc->connection;
    u = peer->upstream;

    if (c->read->eof || c->read->error || c->read->timedout
        || c->write->error || c->write->timedout
        || !u->keepalive || !u->request_body_sent
        || ngx_terminate || ngx_exiting
        || peer->conf->keepalive == 0
        || ngx_handle_read_event(c->read, 0) != NGX_OK)
    {
        return;
    }

    if (peer->host->nidle >= peer->conf->keepalive) {
        oldest = ngx_queue_data(ngx_queue_last(&peer->host->idle),
                                ngx_http_registry_idle_t, queue);
        ngx_http_registry_upstream_drop(oldest);
    }

    idle = ngx_alloc(sizeof(ngx_http_registry_idle_t), ngx_cycle->log);
    if (idle == NULL) {
        return;
    }

    idle->connection = c;
    idle->host = peer->host;
    idle->addr = peer->addr;
    idle->addr->refs++;

    pc->connection = NULL;

    ngx_queue_insert_head(&idle->host->idle, &idle->queue);
    idle->host->nidle++;

    c->data = idle;
    c->idle = 1;
    c->log = ngx_cycle->log;
    c->read->log = ngx_cycle->log;
    c->write->log = ngx_cycle->log;
    c->pool->log = ngx_cycle->log;

    c->read->delayed = 0;
    c->read->handler = ngx_http_registry_upstream_idle_handler;
    c->write->handler = ngx_http_registry_upstream_empty_handler;

    ngx_add_timer(c->read, peer->conf->timeout);

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    if (c->read->ready) {
        ngx_http_registry_upstream_idle_handler(c->read);
    }
}


static void
ngx_http_registry_upstream_idle_handler(ngx_event_t *ev)
{
    char               buf[1];
    ssize_t            n;
    ngx_connection_t  *c;

    c = ev->data;

    if (!c->close && !ev->timedout) {

        n = recv(c->fd, buf, 1, MSG_PEEK);

        if (n == -1 && ngx_socket_errno == NGX_EAGAIN) {

            ev->ready = 0;

            if (ngx_handle_read_event(ev, 0) == NGX_OK) {
                return;
            }
        }
    }

    ngx_http_registry_upstream_drop(c->data);
}


static void
ngx_http_registry_upstream_empty_handler(ngx_event_t *ev)
{
    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, ev->log, 0,
                   "registry write event of an idle connection");
}


static void
ngx_http_registry_upstream_drop(ngx_http_registry_idle_t *idle)
{
    ngx_connection_t  *c;

    c = idle->connection;

    ngx_queue_remove(&idle->queue);
    idle->host->nidle--;

    ngx_http_registry_addr_release(idle->addr);
    ngx_free(idle);

    c->data = NULL;

    ngx_http_registry_upstream_close(c);
}


static void
ngx_http_registry_upstream_close(ngx_connection_t *c)
{
#if (NGX_HTTP_SSL)

    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = 1;

        if (ngx_ssl_shutdown(c) == NGX_AGAIN) {
            c->ssl->handler = ngx_http_registry_upstream_close;
            return;
        }
    }

#endif

    ngx_destroy_pool(c->pool);
    ngx_close_connection(c);
}


#if (NGX_HTTP_SSL)

static ngx_int_t
ngx_http_registry_upstream_set_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_registry_peer_t *peer = data;

    if (peer->addr == NULL) {
        return NGX_OK;
    }

    return ngx_ssl_set_session(pc->connection, peer->addr->session);
}


static void
ngx_http_registry_upstream_save_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_registry_peer_t *peer = data;

    ngx_ssl_session_t  *session;

    if (peer->addr == NULL) {
        return;
    }

    session = ngx_ssl_get_session(pc->connection);

    if (session == NULL) {
        return;
    }

    if (peer->addr->session) {
        ngx_ssl_free_session(peer->addr->session);
    }

    /* sessions are of one host, so of one name that was verified */

    peer->addr->session = session;
}

#endif
