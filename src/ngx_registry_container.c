
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_container.h"


static const u_char *ngx_registry_container_scheme(const u_char *p,
    const u_char *last, const char *scheme);
static ngx_registry_status_e ngx_registry_container_host(const u_char *p,
    const u_char *last);
static int ngx_registry_container_ipv4(const u_char *p, const u_char *last,
    u_char addr[4]);
static int ngx_registry_container_ipv6(const u_char *p, const u_char *last);


ngx_registry_status_e
ngx_registry_container_uri(const u_char *p, const u_char *last)
{
    const u_char           *host, *end, *s;
    unsigned                tls;
    ngx_registry_status_e   rc;

    for (s = p; s < last; s++) {
        if (*s <= 0x20 || *s >= 0x7f || *s == '\\' || *s == '#') {
            return NGX_REGISTRY_INVALID;
        }
    }

    tls = 0;
    host = ngx_registry_container_scheme(p, last, "http://");

    if (host == NULL) {
        tls = 1;
        host = ngx_registry_container_scheme(p, last, "https://");
    }

    if (host == NULL) {
        return NGX_REGISTRY_INVALID;
    }

    for (end = host; end < last && *end != '/' && *end != '?'; end++) {
        if (*end == '@') {
            return NGX_REGISTRY_INVALID;
        }
    }

    /* a port: what libcurl does not take for one, it refuses */

    if (host < end && *host == '[') {
        s = memchr(host, ']', (size_t) (end - host));

        if (s == NULL || (s + 1 < end && s[1] != ':')) {
            return NGX_REGISTRY_INVALID;
        }

        end = s + 1;

    } else {
        s = memchr(host, ':', (size_t) (end - host));

        if (s) {
            end = s;
        }
    }

    if (host == end) {
        return NGX_REGISTRY_INVALID;
    }

    rc = ngx_registry_container_host(host, end);

    return (tls && rc != NGX_REGISTRY_INVALID) ? NGX_REGISTRY_OK : rc;
}


static const u_char *
ngx_registry_container_scheme(const u_char *p, const u_char *last,
    const char *scheme)
{
    size_t  i;

    for (i = 0; scheme[i]; i++) {

        if (p + i == last
            || (p[i] | (scheme[i] >= 'a' ? 0x20 : 0)) != (u_char) scheme[i])
        {
            return NULL;
        }
    }

    return p + i;
}


static ngx_registry_status_e
ngx_registry_container_host(const u_char *p, const u_char *last)
{
    u_char         addr[4];
    const u_char  *s;

    if (*p == '[') {
        return ngx_registry_container_ipv6(p + 1, last - 1)
               ? NGX_REGISTRY_OK : NGX_REGISTRY_UNSUPPORTED;
    }

    if (ngx_registry_container_ipv4(p, last, addr)) {
        return ngx_registry_container_address(addr, 4)
               ? NGX_REGISTRY_OK : NGX_REGISTRY_UNSUPPORTED;
    }

    for (s = p; s < last; s++) {

        if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z')
              || (*s >= '0' && *s <= '9') || *s == '.' || *s == '-'
              || *s == '_'))
        {
            return NGX_REGISTRY_INVALID;
        }
    }

    return NGX_REGISTRY_NONE;
}


static int
ngx_registry_container_ipv4(const u_char *p, const u_char *last,
    u_char addr[4])
{
    unsigned  i, n, digits;

    /* other ways to write an address are names here, and looked up */

    for (i = 0; i < 4; i++) {

        n = 0;

        for (digits = 0; p < last && *p >= '0' && *p <= '9'; p++) {

            n = n * 10 + (unsigned) (*p - '0');

            if (++digits > 3) {
                return 0;
            }
        }

        if (digits == 0 || n > 255) {
            return 0;
        }

        addr[i] = (u_char) n;

        if (i < 3) {

            if (p == last || *p != '.') {
                return 0;
            }

            p++;
        }
    }

    return p == last;
}


static int
ngx_registry_container_ipv6(const u_char *p, const u_char *last)
{
    size_t  len;

    /* as they are written in documents: anything else can use a name */

    len = (size_t) (last - p);

    return (len == 3 && memcmp(p, "::1", 3) == 0)
           || (len == 15 && memcmp(p, "0:0:0:0:0:0:0:1", 15) == 0)
           || (len == 12 && memcmp(p, "fd00:ec2::23", 12) == 0)
           || (len == 12 && memcmp(p, "FD00:EC2::23", 12) == 0);
}


int
ngx_registry_container_address(const u_char *addr, size_t len)
{
    static const u_char  ecs[] = { 169, 254, 170, 2 };
    static const u_char  eks[] = { 169, 254, 170, 23 };
    static const u_char  eks6[] = { 0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0,
                                    0, 0, 0, 0, 0, 0, 0, 0x23 };
    static const u_char  loopback6[] = { 0, 0, 0, 0, 0, 0, 0, 0,
                                         0, 0, 0, 0, 0, 0, 0, 1 };
    static const u_char  mapped[] = { 0, 0, 0, 0, 0, 0, 0, 0,
                                      0, 0, 0xff, 0xff };

    if (len == 16 && memcmp(addr, mapped, sizeof(mapped)) == 0) {
        addr += sizeof(mapped);
        len = 4;
    }

    if (len == 4) {
        return addr[0] == 127
               || memcmp(addr, ecs, 4) == 0
               || memcmp(addr, eks, 4) == 0;
    }

    return len == 16
           && (memcmp(addr, loopback6, 16) == 0
               || memcmp(addr, eks6, 16) == 0);
}
