
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_container.c.
 */


#include "ngx_registry_container.h"

#include "tap.h"


typedef struct {
    const char             *uri;
    ngx_registry_status_e   rc;
} case_t;


static const case_t  cases[] = {
    { "http://169.254.170.2/v2/credentials/x", NGX_REGISTRY_OK },
    { "http://169.254.170.23/v1/credentials", NGX_REGISTRY_OK },
    { "http://[fd00:ec2::23]/v1/credentials", NGX_REGISTRY_OK },
    { "http://127.0.0.1:8080/", NGX_REGISTRY_OK },
    { "http://127.255.0.9", NGX_REGISTRY_OK },
    { "http://[::1]:80/?a=b", NGX_REGISTRY_OK },
    { "HTTP://127.0.0.1/", NGX_REGISTRY_OK },
    { "https://example.com/", NGX_REGISTRY_OK },
    { "https://192.0.2.1:8443/x", NGX_REGISTRY_OK },
    { "https://[2001:db8::1]/", NGX_REGISTRY_OK },

    { "http://localhost/", NGX_REGISTRY_NONE },
    { "http://sidecar:8000/x", NGX_REGISTRY_NONE },
    { "http://127.1/", NGX_REGISTRY_NONE },
    { "http://0x7f.0.0.1/", NGX_REGISTRY_NONE },
    { "http://127.0.0.1.example.com/", NGX_REGISTRY_NONE },

    { "http://192.0.2.1/", NGX_REGISTRY_UNSUPPORTED },
    { "http://169.254.169.254/", NGX_REGISTRY_UNSUPPORTED },
    { "http://[fd00:ec2::254]/", NGX_REGISTRY_UNSUPPORTED },
    { "http://[::ffff:127.0.0.1]/", NGX_REGISTRY_UNSUPPORTED },

    { "", NGX_REGISTRY_INVALID },
    { "127.0.0.1/", NGX_REGISTRY_INVALID },
    { "file:///etc/passwd", NGX_REGISTRY_INVALID },
    { "http:/127.0.0.1/", NGX_REGISTRY_INVALID },
    { "http:///x", NGX_REGISTRY_INVALID },
    { "http://", NGX_REGISTRY_INVALID },
    { "http://:80/", NGX_REGISTRY_INVALID },
    { "http://127.0.0.1@example.com/", NGX_REGISTRY_INVALID },
    { "https://u:p@example.com/", NGX_REGISTRY_INVALID },
    { "http://example.com\\@127.0.0.1/", NGX_REGISTRY_INVALID },
    { "http://127.0.0.1/#@x", NGX_REGISTRY_INVALID },
    { "http://[::1", NGX_REGISTRY_INVALID },
    { "http://[::1]x/", NGX_REGISTRY_INVALID },
    { "http://a b/", NGX_REGISTRY_INVALID },
    { "http://127.0.0.1/\r\nx: y", NGX_REGISTRY_INVALID },
    { "https://ex%61mple.com/", NGX_REGISTRY_INVALID }
};


int
main(void)
{
    u_char   a4[4], a6[16], *p;
    size_t   i, len;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = strlen(cases[i].uri);
        p = tap_guarded(cases[i].uri, len);

        ok(ngx_registry_container_uri(p, p + len) == cases[i].rc,
           cases[i].uri);
    }

    memcpy(a4, "\177\0\0\1", 4);
    ok(ngx_registry_container_address(a4, 4), "127.0.0.1");
    memcpy(a4, "\251\376\252\2", 4);
    ok(ngx_registry_container_address(a4, 4), "169.254.170.2");
    a4[3] = 23;
    ok(ngx_registry_container_address(a4, 4), "169.254.170.23");
    a4[3] = 3;
    ok(!ngx_registry_container_address(a4, 4), "169.254.170.3");
    memcpy(a4, "\251\376\251\376", 4);
    ok(!ngx_registry_container_address(a4, 4), "IMDS");

    memset(a6, 0, 16);
    ok(!ngx_registry_container_address(a6, 16), "::");
    a6[15] = 1;
    ok(ngx_registry_container_address(a6, 16), "::1");
    a6[10] = a6[11] = 0xff;
    a6[12] = 127;
    ok(ngx_registry_container_address(a6, 16), "::ffff:127.0.0.1");
    a6[12] = 10;
    ok(!ngx_registry_container_address(a6, 16), "::ffff:10.0.0.1");
    ok(!ngx_registry_container_address(a6, 0), "no address");

    return done_testing();
}
