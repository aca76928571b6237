
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_command.h"


ngx_registry_status_e
ngx_registry_command_split(const u_char *p, const u_char *last, char *dst,
    char **argv)
{
    u_char    ch, quote;
    unsigned  n, word;

    n = 0;
    word = 0;
    quote = '\0';

    for ( /* void */ ; p < last; p++) {

        ch = *p;

        if (ch == '\0') {
            return NGX_REGISTRY_INVALID;
        }

        if (quote == '\0' && (ch == ' ' || ch == '\t')) {

            if (word) {
                *dst++ = '\0';
                word = 0;
            }

            continue;
        }

        if (!word) {

            if (n == NGX_REGISTRY_COMMAND_ARGS) {
                return NGX_REGISTRY_TOO_LONG;
            }

            argv[n++] = dst;
            word = 1;
        }

        if (ch == quote && quote) {
            quote = '\0';
            continue;
        }

        if (quote == '\0' && (ch == '\'' || ch == '"')) {
            quote = ch;
            continue;
        }

        /* POSIX shell, Quoting: between double quotes few are special */

        if (ch == '\\' && quote != '\'') {

            if (p + 1 == last) {
                return NGX_REGISTRY_INVALID;
            }

            if (quote == '\0' || p[1] == '"' || p[1] == '\\') {
                ch = *++p;

                if (ch == '\0') {
                    return NGX_REGISTRY_INVALID;
                }
            }
        }

        *dst++ = (char) ch;
    }

    if (quote) {
        return NGX_REGISTRY_INVALID;
    }

    if (word) {
        *dst = '\0';
    }

    argv[n] = NULL;

    return n ? NGX_REGISTRY_OK : NGX_REGISTRY_NONE;
}
