
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_query.h"


static int ngx_registry_query_hex(u_char ch);


ngx_registry_status_e
ngx_registry_query_find(const u_char *p, const u_char *last,
    const ngx_registry_span_t *name, ngx_registry_span_t *value)
{
    const u_char  *end, *equal;

    for ( /* void */ ; p < last; p = end + 1) {

        for (end = p; end < last && *end != '&'; end++) { /* void */ }

        for (equal = p; equal < end && *equal != '='; equal++) { /* void */ }

        if ((size_t) (equal - p) == name->len
            && memcmp(p, name->data, name->len) == 0)
        {
            value->data = (equal < end) ? equal + 1 : end;
            value->len = (size_t) (end - value->data);

            return NGX_REGISTRY_OK;
        }

        if (end == last) {
            break;
        }
    }

    return NGX_REGISTRY_NONE;
}


u_char *
ngx_registry_query_decode(u_char *dst, const ngx_registry_span_t *value)
{
    int            high, low;
    const u_char  *p, *last;

    p = value->data;
    last = value->len ? p + value->len : p;

    while (p < last) {

        if (*p != '%') {
            *dst++ = *p++;
            continue;
        }

        if (last - p < 3) {
            return NULL;
        }

        high = ngx_registry_query_hex(p[1]);
        low = ngx_registry_query_hex(p[2]);

        if (high < 0 || low < 0 || (high == 0 && low == 0)) {
            return NULL;
        }

        *dst++ = (u_char) (high * 16 + low);
        p += 3;
    }

    return dst;
}


static int
ngx_registry_query_hex(u_char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }

    ch = (u_char) (ch | 0x20);

    return (ch >= 'a' && ch <= 'f') ? ch - 'a' + 10 : -1;
}


ngx_registry_status_e
ngx_registry_query_number(const ngx_registry_span_t *value, uint64_t max,
    uint64_t *n)
{
    size_t    i;
    uint64_t  digit;

    if (value->len == 0) {
        return NGX_REGISTRY_INVALID;
    }

    for (i = 0; i < value->len; i++) {
        if (value->data[i] < '0' || value->data[i] > '9') {
            return NGX_REGISTRY_INVALID;
        }
    }

    *n = 0;

    for (i = 0; i < value->len; i++) {
        digit = (uint64_t) (value->data[i] - '0');

        if (digit > max || *n > (max - digit) / 10) {
            return NGX_REGISTRY_TOO_LONG;
        }

        *n = *n * 10 + digit;
    }

    return NGX_REGISTRY_OK;
}
