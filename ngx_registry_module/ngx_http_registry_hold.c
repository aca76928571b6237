
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* milliseconds between which a timer fires that only has to be there */
#define NGX_HTTP_REGISTRY_HOLD_TIME  60000


static void ngx_http_registry_hold_release(void *data);
static void ngx_http_registry_hold_timer(ngx_event_t *ev);


/* of this worker: requests that hold it; an event has some connection */
static ngx_uint_t        ngx_http_registry_held;
static ngx_event_t       ngx_http_registry_hold_event;
static ngx_connection_t  ngx_http_registry_hold_nothing;


ngx_int_t
ngx_http_registry_hold(ngx_http_request_t *r)
{
    ngx_event_t         *ev;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_registry_hold_release;

    ev = &ngx_http_registry_hold_event;

    if (ngx_http_registry_held++ == 0) {

        ev->handler = ngx_http_registry_hold_timer;
        ev->data = &ngx_http_registry_hold_nothing;
        ev->log = ngx_cycle->log;

        ngx_add_timer(ev, NGX_HTTP_REGISTRY_HOLD_TIME);
    }

    return NGX_OK;
}


static void
ngx_http_registry_hold_release(void *data)
{
    if (--ngx_http_registry_held == 0) {
        ngx_del_timer(&ngx_http_registry_hold_event);
    }
}


static void
ngx_http_registry_hold_timer(ngx_event_t *ev)
{
    ngx_add_timer(ev, NGX_HTTP_REGISTRY_HOLD_TIME);
}
