
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_refresh.c.
 */


#include "ngx_registry_refresh.h"

#include "tap.h"


static void
within(int64_t got, int64_t min, int64_t max, const char *name)
{
    if (!ok(got >= min * 1000 && got <= max * 1000, name)) {
        printf("# got %ld ms\n", (long) got);
    }
}


int
main(void)
{
    int64_t   left, ms;
    size_t    i;
    unsigned  bad, n;

    static const uint32_t  random[] = { 0, 1, 119999, 120000, 12345678,
                                        UINT32_MAX };

    for (i = 0; i < sizeof(random) / sizeof(random[0]); i++) {

        within(ngx_registry_refresh_after(6 * 3600, random[i]),
               6 * 3600 - 1020, 6 * 3600 - 900,
               "six hours: fifteen minutes ahead, two to spread");
        within(ngx_registry_refresh_after(3600, random[i]), 3600 - 1020,
               3600 - 900, "an hour");
        within(ngx_registry_refresh_after(1000, random[i]), 60, 75,
               "the same set again: a minute");
        within(ngx_registry_refresh_after(301, random[i]), 60, 75,
               "a second before a new one is promised");
        within(ngx_registry_refresh_after(300, random[i]), 20, 25,
               "a new one is promised");
        within(ngx_registry_refresh_after(10, random[i]), 5, 7, "ten seconds");
        within(ngx_registry_refresh_after(1, random[i]), 1, 2, "one second");
        within(ngx_registry_refresh_after(0, random[i]), 300, 375, "expired");
        within(ngx_registry_refresh_after(-100000, random[i]), 300, 375,
               "expired long ago");
        within(ngx_registry_refresh_after(NGX_REGISTRY_REFRESH_NEVER,
                                          random[i]), 43080, 43200,
               "never expires: twice a day");

        within(ngx_registry_refresh_failed(1, 1, random[i]), 30, 38, "fails");
        within(ngx_registry_refresh_failed(2, 1, random[i]), 60, 75, "twice");
        within(ngx_registry_refresh_failed(9, 1, random[i]), 240, 300,
               "often: five minutes at most");
        within(ngx_registry_refresh_failed(UINT32_MAX, 1, random[i]), 240,
               300, "for years");
        within(ngx_registry_refresh_failed(1, 0, random[i]), 2, 3,
               "fails without a set");
        within(ngx_registry_refresh_failed(99, 0, random[i]), 16, 20,
               "fails without a set, often: less than half a minute");
        within(ngx_registry_refresh_refused(1, random[i]), 1, 2, "refused");
        within(ngx_registry_refresh_refused(99, random[i]), 16, 20,
               "refused, often");
    }

    /* no storm, and never later than what expires, whatever is left */

    bad = 0;

    for (left = -3600; left < 100000; left += 7) {
        for (n = 0; n < 5; n++) {
            ms = ngx_registry_refresh_after(left, n * 858993459u);

            bad += (ms < 500) || (left > 4 && ms > left * 1000);
        }
    }

    ok(bad == 0, "bounds");

    return done_testing();
}
