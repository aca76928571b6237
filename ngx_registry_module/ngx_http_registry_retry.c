
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* milliseconds */
#define NGX_HTTP_REGISTRY_RETRY_BASE      50
#define NGX_HTTP_REGISTRY_THROTTLE_BASE   1000
#define NGX_HTTP_REGISTRY_RETRY_MAX       20000
#define NGX_HTTP_REGISTRY_PATIENCE_BASE   1000
#define NGX_HTTP_REGISTRY_PATIENCE_LONG   5000

/* a bucket of tokens keeps a failing store from being asked three times as
   often as a working one */
#define NGX_HTTP_REGISTRY_RETRY_TOKENS    500
#define NGX_HTTP_REGISTRY_RETRY_COST      14
#define NGX_HTTP_REGISTRY_THROTTLE_COST   5


static ngx_uint_t ngx_http_registry_retry_silent(
    ngx_http_registry_retry_t *retry, ngx_http_registry_sub_t *sub);
static ngx_int_t ngx_http_registry_retry_keys(
    ngx_http_registry_retry_t *retry, ngx_http_registry_sub_t *sub);
static ngx_int_t ngx_http_registry_retry_renew(
    ngx_http_registry_retry_t *retry, ngx_http_registry_sub_t *sub);
static ngx_http_registry_credentials_t *ngx_http_registry_retry_source(
    ngx_http_registry_sub_t *sub);


/* of a worker process */
static ngx_uint_t  ngx_http_registry_retry_tokens =
    NGX_HTTP_REGISTRY_RETRY_TOKENS;


ngx_int_t
ngx_http_registry_retry(ngx_http_registry_retry_t *retry,
    ngx_http_registry_sub_t *sub, ngx_http_registry_result_t *result,
    ngx_msec_t *delay)
{
    ngx_uint_t  throttled, cost;
    ngx_msec_t  max;

    *delay = 0;

    if (!ngx_http_registry_result_again(result)) {
        return NGX_DECLINED;
    }

    if (sub->obstacle == NGX_HTTP_REGISTRY_WAIT_REGION
        || sub->obstacle == NGX_HTTP_REGISTRY_WAIT_CREDENTIALS)
    {
        return ngx_http_registry_retry_keys(retry, sub);
    }

    if (sub->obstacle == NGX_HTTP_REGISTRY_WAIT_ADDRESS) {

        /* what is cached has not waited; this one has to, once */

        if (retry->waited) {
            return NGX_DECLINED;
        }

        retry->waited = 1;
        retry->tries--;

        return NGX_BUSY;
    }

    if (result->outcome == NGX_HTTP_REGISTRY_REFUSED) {
        return ngx_http_registry_retry_renew(retry, sub);
    }

    if (ngx_http_registry_retry_silent(retry, sub)) {
        return NGX_DECLINED;
    }

    throttled = (result->outcome == NGX_HTTP_REGISTRY_THROTTLED);

    cost = throttled ? NGX_HTTP_REGISTRY_THROTTLE_COST
                     : NGX_HTTP_REGISTRY_RETRY_COST;

    if (retry->tries >= NGX_HTTP_REGISTRY_TRIES
        || ngx_http_registry_retry_tokens < cost)
    {
        return NGX_DECLINED;
    }

    ngx_http_registry_retry_tokens -= cost;

    /* exponential, with full jitter */

    max = throttled ? NGX_HTTP_REGISTRY_THROTTLE_BASE
                    : NGX_HTTP_REGISTRY_RETRY_BASE;

    max <<= ngx_min(retry->tries, 8);
    max = ngx_min(max, NGX_HTTP_REGISTRY_RETRY_MAX);

    *delay = (ngx_msec_t) ngx_random() % (max + 1);

    return NGX_OK;
}


ngx_int_t
ngx_http_registry_retry_patience(ngx_http_registry_retry_t *retry,
    ngx_http_registry_result_t *result, ngx_http_registry_loc_conf_t *rlcf,
    ngx_msec_t *delay)
{
    ngx_msec_t  base;

    if (!ngx_http_registry_result_again(result)) {
        return NGX_DECLINED;
    }

    if (retry->failing == 0) {
        /* 0 is taken */
        retry->failing = ngx_current_msec ? ngx_current_msec : 1;
    }

    if (ngx_current_msec - retry->failing >= rlcf->patience) {
        return NGX_DECLINED;
    }

    /* an address and new keys are worth waiting for again */

    retry->waited = 0;
    retry->renewed = 0;

    /* nginx logs each connection that is refused: less often after a while */

    base = NGX_HTTP_REGISTRY_PATIENCE_BASE;

    if (ngx_current_msec - retry->failing >= NGX_HTTP_REGISTRY_PATIENCE_LONG) {
        base *= 3;
    }

    *delay = base + (ngx_msec_t) ngx_random() % base;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_retry_keys(ngx_http_registry_retry_t *retry,
    ngx_http_registry_sub_t *sub)
{
    ngx_int_t                         rc;
    ngx_http_registry_credentials_t  *source;

    /* what is cached has not waited; this one has to, until they are there
       or cannot be had */

    source = ngx_http_registry_retry_source(sub);

    rc = ngx_http_registry_renew_missing(source, retry->hasty);

    if (rc == NGX_BUSY) {
        retry->put_off = 1;
        return NGX_DECLINED;
    }

    if (rc == NGX_DECLINED) {
        return NGX_DECLINED;
    }

    if (rc == NGX_AGAIN) {
        retry->tries--;
        return NGX_BUSY;
    }

    /* they came in between, twice: once for a region, once for keys */

    return (retry->keyed++ < 2) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_registry_retry_renew(ngx_http_registry_retry_t *retry,
    ngx_http_registry_sub_t *sub)
{
    ngx_int_t  rc;

    /* the same keys and the same clock would be refused again */

    if (retry->renewed) {
        return NGX_DECLINED;
    }

    retry->renewed = 1;

    if (sub->skew != sub->op->conf->host->skew) {
        return NGX_OK;
    }

    rc = ngx_http_registry_renew_refused(sub->op->conf->credentials,
                                         sub->generation);

    return (rc == NGX_AGAIN) ? NGX_BUSY : rc;
}


static ngx_http_registry_credentials_t *
ngx_http_registry_retry_source(ngx_http_registry_sub_t *sub)
{
    return (sub->obstacle == NGX_HTTP_REGISTRY_WAIT_REGION)
           ? sub->op->conf->region_source : sub->op->conf->credentials;
}


void
ngx_http_registry_retry_wait(ngx_http_registry_sub_t *sub,
    ngx_http_registry_waiter_t *w)
{
    if (sub->obstacle == NGX_HTTP_REGISTRY_WAIT_ADDRESS) {
        ngx_http_registry_host_wait(sub->op->conf->host, w);
        return;
    }

    ngx_http_registry_renew_wait(ngx_http_registry_retry_source(sub), w);
}


static ngx_uint_t
ngx_http_registry_retry_silent(ngx_http_registry_retry_t *retry,
    ngx_http_registry_sub_t *sub)
{
    ngx_uint_t                     silent;
    ngx_http_registry_loc_conf_t  *rlcf;

    if (sub->status || sub->rc != NGX_HTTP_GATEWAY_TIME_OUT) {
        return 0;
    }

    /*
     * a time limit has passed: once is bad luck, and worth another try
     * unless there is something to serve; twice is a store that is away,
     * and to keep everybody waiting for it several times helps nobody
     */

    rlcf = sub->op->conf;

    silent = ngx_http_registry_zone_silent(rlcf->zone, &rlcf->id, sub->begun);

    ngx_http_registry_zone_silence(rlcf->zone, &rlcf->id, 1);

    return silent || retry->hasty;
}


void
ngx_http_registry_retry_success(ngx_http_registry_loc_conf_t *rlcf)
{
    if (ngx_http_registry_zone_silent(rlcf->zone, &rlcf->id,
                                      ngx_current_msec))
    {
        ngx_http_registry_zone_silence(rlcf->zone, &rlcf->id, 0);
    }

    if (ngx_http_registry_retry_tokens < NGX_HTTP_REGISTRY_RETRY_TOKENS) {
        ngx_http_registry_retry_tokens++;
    }
}
