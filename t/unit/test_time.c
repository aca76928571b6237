
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_time.c.
 */


#include "ngx_registry_time.h"

#include "tap.h"


typedef struct {
    const char  *text;
    int64_t      t;
} case_t;


static const case_t  cases[] = {
    { "1970-01-01T00:00:00Z", 0 },
    { "2026-11-25T07:20:32Z", 1795591232 },
    { "2026-11-25T07:20:32.123456Z", 1795591232 },
    { "2026-11-25T07:20:32+00:00", 1795591232 },
    { "2026-11-25T09:20:32+02:00", 1795591232 },
    { "2026-11-25T02:50:32-0430", 1795591232 },
    { "2024-02-29T23:59:59Z", 1709251199 },
    { "2000-02-29T00:00:00Z", 951782400 },
    { "2026-12-31T23:59:60Z", 1798761600 },
    { "2099-01-01T00:00:00Z", 4070908800 },

    { "", -1 },
    { "2026-11-25", -1 },
    { "2026-11-25T07:20:32", -1 },
    { "2026-11-25T07:20:32z1", -1 },
    { "2026-11-25T07:20:32.Z", -1 },
    { "2026-11-25 07:20:32Z", -1 },
    { "2026-02-29T00:00:00Z", -1 },
    { "2100-02-29T00:00:00Z", -1 },
    { "2026-13-01T00:00:00Z", -1 },
    { "2026-00-01T00:00:00Z", -1 },
    { "2026-04-31T00:00:00Z", -1 },
    { "2026-01-00T00:00:00Z", -1 },
    { "2026-01-01T24:00:00Z", -1 },
    { "2026-01-01T00:60:00Z", -1 },
    { "2026-01-01T00:00:61Z", -1 },
    { "2026-01-01T00:00:00+2:00", -1 },
    { "2026-01-01T00:00:00+24:00", -1 },
    { "2026-01-01T00:00:00+00:60", -1 },
    { "2026-01-01T00:00:00+00:000", -1 },
    { "1969-12-31T23:59:59Z", -1 },
    { "x026-01-01T00:00:00Z", -1 }
};


int
main(void)
{
    u_char  *p;
    size_t   i, k, len, n;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = strlen(cases[i].text);
        p = tap_guarded(cases[i].text, len);

        ok(ngx_registry_time_parse(p, p + len) == cases[i].t, cases[i].text);

        /* no beginning is a time, but of those with more digits */

        n = 0;

        for (k = 0; k < len; k++) {
            p = tap_guarded(cases[i].text, k);
            n += (ngx_registry_time_parse(p, p + k) >= 0);
        }

        ok(n <= 1, "its beginnings");
    }

    return done_testing();
}
