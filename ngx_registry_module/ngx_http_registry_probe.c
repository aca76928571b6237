
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/*
 * After start one worker asks each store for one key below its prefix, and
 * says in the error log what came of it.  Nothing depends on the answer.
 */


/* bytes of what the log says of a store */
#define NGX_HTTP_REGISTRY_PROBE_SIZE  2048


static void ngx_http_registry_probe_handler(ngx_event_t *ev);
static ngx_uint_t ngx_http_registry_probe_seen(
    ngx_http_registry_main_conf_t *rmcf, ngx_uint_t n);
static void ngx_http_registry_probe(ngx_http_registry_loc_conf_t *rlcf,
    ngx_log_t *log);
static ngx_int_t ngx_http_registry_probe_done(
    ngx_http_registry_list_t *list);


static ngx_event_t  ngx_http_registry_probe_event;


ngx_int_t
ngx_http_registry_probe_init(ngx_cycle_t *cycle)
{
    ngx_event_t                    *ev;
    ngx_http_registry_main_conf_t  *rmcf;

    if (ngx_worker != 0
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    rmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_registry_module);

    if (rmcf == NULL || rmcf->registries.nelts == 0) {
        return NGX_OK;
    }

    ev = &ngx_http_registry_probe_event;

    ev->handler = ngx_http_registry_probe_handler;
    ev->data = rmcf;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, 1);

    return NGX_OK;
}


static void
ngx_http_registry_probe_handler(ngx_event_t *ev)
{
    ngx_http_registry_main_conf_t *rmcf = ev->data;

    ngx_uint_t                      i;
    ngx_http_registry_loc_conf_t  **rlcf;

    rlcf = rmcf->registries.elts;

    for (i = 0; i < rmcf->registries.nelts; i++) {
        if (!ngx_http_registry_probe_seen(rmcf, i)) {
            ngx_http_registry_probe(rlcf[i], ev->log);
        }
    }
}


static ngx_uint_t
ngx_http_registry_probe_seen(ngx_http_registry_main_conf_t *rmcf,
    ngx_uint_t n)
{
    ngx_uint_t                      i;
    ngx_http_registry_loc_conf_t  **rlcf;

    rlcf = rmcf->registries.elts;

    for (i = 0; i < n; i++) {

        if (rlcf[i]->id.len == rlcf[n]->id.len
            && ngx_memcmp(rlcf[i]->id.data, rlcf[n]->id.data, rlcf[n]->id.len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
ngx_http_registry_probe(ngx_http_registry_loc_conf_t *rlcf, ngx_log_t *log)
{
    ngx_http_request_t        *r;
    ngx_registry_key_t         key;
    ngx_http_registry_ctx_t   *ctx;
    ngx_http_registry_list_t  *list;

    r = ngx_http_registry_store_request(rlcf);
    if (r == NULL) {
        return;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_registry_module);

    list = ngx_pcalloc(r->pool, sizeof(ngx_http_registry_list_t));
    if (list == NULL) {
        goto failed;
    }

    ngx_memzero(&key, sizeof(ngx_registry_key_t));
    key.type = NGX_REGISTRY_KEY_ROOT;

    list->ctx = ctx;
    list->max_keys = 1;
    list->handler = ngx_http_registry_probe_done;

    if (ngx_http_registry_object_key(ctx, &key, &list->prefix) != NGX_OK
        || ngx_http_registry_list(list) != NGX_OK)
    {
        goto failed;
    }

    ngx_http_run_posted_requests(r->connection);

    return;

failed:

    ngx_http_registry_store_close(r);
}


static ngx_int_t
ngx_http_registry_probe_done(ngx_http_registry_list_t *list)
{
    u_char                         buf[NGX_HTTP_REGISTRY_PROBE_SIZE], *p;
    ngx_log_t                     *log;
    ngx_http_registry_loc_conf_t  *rlcf;

    rlcf = list->ctx->conf;
    log = ngx_http_registry_log(rlcf);

    p = rlcf->kind->describe(rlcf, buf, buf + sizeof(buf));

    if (list->call.result.outcome != NGX_HTTP_REGISTRY_OK) {

        ngx_http_registry_result_log(list->ctx, &list->call.op,
                                     &list->call.result);

        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "registry: %*s: %V", p - buf, buf,
                      &list->call.result.code);

        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "registry: %*s: ready", p - buf, buf);

    /* a new directory is there for what will be pushed */

    if (list->entries == 0 && !(rlcf->kind->local && rlcf->push)) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "registry: nothing lies under \"%V\" in %V \"%V\"; "
                      "distribution's rootdirectory is %s", &list->prefix,
                      &rlcf->kind->place, &rlcf->place,
                      rlcf->kind->local ? "registry_dav_path"
                                        : "registry_s3_prefix");
    }

    return NGX_OK;
}
