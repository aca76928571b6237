
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_refresh.h"


/* seconds */
#define NGX_REGISTRY_REFRESH_AHEAD      900
#define NGX_REGISTRY_REFRESH_SPREAD     120
#define NGX_REGISTRY_REFRESH_PROMISED   300
#define NGX_REGISTRY_REFRESH_REPEAT     60
#define NGX_REGISTRY_REFRESH_HURRY      20
#define NGX_REGISTRY_REFRESH_EXPIRED    300

/* a timer of weeks helps nobody, and a clock may be set */
#define NGX_REGISTRY_REFRESH_MAX        43200


static int64_t ngx_registry_refresh_double(int64_t base, int64_t max,
    unsigned times);
static int64_t ngx_registry_refresh_spread(int64_t sec, uint32_t random);


int64_t
ngx_registry_refresh_after(int64_t left, uint32_t random)
{
    int64_t  sec;

    if (left > NGX_REGISTRY_REFRESH_MAX + NGX_REGISTRY_REFRESH_AHEAD) {
        left = NGX_REGISTRY_REFRESH_MAX + NGX_REGISTRY_REFRESH_AHEAD;
    }

    if (left > NGX_REGISTRY_REFRESH_AHEAD + NGX_REGISTRY_REFRESH_SPREAD
               + NGX_REGISTRY_REFRESH_REPEAT)
    {
        return (left - NGX_REGISTRY_REFRESH_AHEAD) * 1000
               - (int64_t) random % (NGX_REGISTRY_REFRESH_SPREAD * 1000);
    }

    if (left > NGX_REGISTRY_REFRESH_PROMISED) {

        /* what is short-lived from the beginning is renewed in time, too */

        sec = NGX_REGISTRY_REFRESH_REPEAT;

    } else if (left > 0) {
        sec = left / 2;

        if (sec > NGX_REGISTRY_REFRESH_HURRY) {
            sec = NGX_REGISTRY_REFRESH_HURRY;

        } else if (sec < 1) {
            sec = 1;
        }

    } else {
        sec = NGX_REGISTRY_REFRESH_EXPIRED;
    }

    return ngx_registry_refresh_spread(sec, random);
}


int64_t
ngx_registry_refresh_failed(unsigned failures, int usable, uint32_t random)
{
    return ngx_registry_refresh_spread(
               usable ? ngx_registry_refresh_double(30, 240, failures)
                      : ngx_registry_refresh_double(2, 16, failures),
               random);
}


int64_t
ngx_registry_refresh_refused(unsigned times, uint32_t random)
{
    return ngx_registry_refresh_spread(ngx_registry_refresh_double(1, 16,
                                                                   times),
                                       random);
}


/*
 * Seconds after the first, second, … time.
 */
static int64_t
ngx_registry_refresh_double(int64_t base, int64_t max, unsigned times)
{
    while (times > 1 && base < max) {
        base *= 2;
        times--;
    }

    return (base < max) ? base : max;
}


/*
 * Seconds to milliseconds, and up to a quarter more.
 */
static int64_t
ngx_registry_refresh_spread(int64_t sec, uint32_t random)
{
    return sec * 1000 + (int64_t) random % (sec * 250 + 1);
}
