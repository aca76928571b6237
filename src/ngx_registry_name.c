
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_name.h"


#define ngx_registry_name_alnum(ch)                                           \
    (((ch) >= 'a' && (ch) <= 'z') || ((ch) >= '0' && (ch) <= '9'))


ngx_registry_status_e
ngx_registry_name_check(const u_char *p, const u_char *last)
{
    u_char  ch;
    enum {
        sw_start = 0,
        sw_alnum,
        sw_dot,
        sw_underscore,
        sw_underscores,
        sw_dash
    } state;

    if (last - p > NGX_REGISTRY_NAME_MAX_LEN) {
        return NGX_REGISTRY_TOO_LONG;
    }

    state = sw_start;

    for ( /* void */ ; p < last; p++) {
        ch = *p;

        if (ngx_registry_name_alnum(ch)) {
            state = sw_alnum;
            continue;
        }

        if (state == sw_alnum && ch == '/') {
            state = sw_start;

        } else if (state == sw_alnum && ch == '.') {
            state = sw_dot;

        } else if (state == sw_alnum && ch == '_') {
            state = sw_underscore;

        } else if (state == sw_underscore && ch == '_') {
            state = sw_underscores;

        } else if ((state == sw_alnum || state == sw_dash) && ch == '-') {
            state = sw_dash;

        } else {
            return NGX_REGISTRY_INVALID;
        }
    }

    return (state == sw_alnum) ? NGX_REGISTRY_OK : NGX_REGISTRY_INVALID;
}


ngx_registry_status_e
ngx_registry_tag_check(const u_char *p, const u_char *last)
{
    u_char         ch, lower;
    const u_char  *start;

    if (p == last) {
        return NGX_REGISTRY_INVALID;
    }

    if (last - p > NGX_REGISTRY_TAG_MAX_LEN) {
        return NGX_REGISTRY_TOO_LONG;
    }

    for (start = p; p < last; p++) {
        ch = *p;
        lower = (u_char) (ch | 0x20);

        if ((lower >= 'a' && lower <= 'z') || (ch >= '0' && ch <= '9')
            || ch == '_')
        {
            continue;
        }

        if (p == start || (ch != '.' && ch != '-')) {
            return NGX_REGISTRY_INVALID;
        }
    }

    return NGX_REGISTRY_OK;
}
