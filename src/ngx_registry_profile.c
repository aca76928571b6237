
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_profile.h"


static void ngx_registry_profile_trim(ngx_registry_span_t *s);
static ngx_registry_status_e ngx_registry_profile_section(
    ngx_registry_span_t *line);
static ngx_registry_status_e ngx_registry_profile_line(
    ngx_registry_span_t line, ngx_registry_profile_t *profile);
static int ngx_registry_profile_is(const ngx_registry_span_t *s,
    const char *word);


ngx_registry_status_e
ngx_registry_profile_parse(const u_char *p, const u_char *last,
    const ngx_registry_span_t *name, ngx_registry_profile_t *profile)
{
    int                    in, found, setting;
    size_t                 indent, n;
    const u_char          *end;
    ngx_registry_span_t    line;
    ngx_registry_status_e  rc;

    memset(profile, 0, sizeof(ngx_registry_profile_t));

    in = 0;
    found = 0;
    setting = 0;
    indent = 0;

    for ( /* void */ ; p < last; p = (end < last) ? end + 1 : last) {

        for (end = p; end < last && *end != '\n'; end++) { /* void */ }

        line.data = p;
        line.len = (size_t) (end - p);

        ngx_registry_profile_trim(&line);

        if (line.len == 0 || *line.data == '#' || *line.data == ';') {
            continue;
        }

        /* a line that is indented more belongs to the setting above it */

        n = (size_t) (line.data - p);

        if (setting && n > indent) {
            continue;
        }

        indent = n;
        setting = (*line.data != '[');

        if (!setting) {
            rc = ngx_registry_profile_section(&line);
            in = (rc == NGX_REGISTRY_OK && line.len == name->len
                  && memcmp(line.data, name->data, line.len) == 0);
            found |= in;

        } else if (in) {
            rc = ngx_registry_profile_line(line, profile);

        } else {
            rc = NGX_REGISTRY_OK;
        }

        if (rc != NGX_REGISTRY_OK) {
            return rc;
        }
    }

    if (!found) {
        return NGX_REGISTRY_NOT_FOUND;
    }

    return (profile->access_key.len && profile->secret_key.len)
           ? NGX_REGISTRY_OK : NGX_REGISTRY_NONE;
}


/*
 * Leaves the name of a section in the line.
 */
static ngx_registry_status_e
ngx_registry_profile_section(ngx_registry_span_t *line)
{
    size_t               n;
    ngx_registry_span_t  rest;

    for (n = 1; n < line->len; n++) {

        if (line->data[n] != ']') {
            continue;
        }

        rest.data = line->data + n + 1;
        rest.len = line->len - n - 1;
        ngx_registry_profile_trim(&rest);

        if (rest.len == 0 || *rest.data == '#' || *rest.data == ';') {
            break;
        }
    }

    if (n >= line->len) {
        return NGX_REGISTRY_INVALID;
    }

    /* "[name]", and "[profile name]" as in AWS's config file */

    line->data++;
    line->len = n - 1;
    ngx_registry_profile_trim(line);

    if (line->len > 8 && memcmp(line->data, "profile", 7) == 0
        && (line->data[7] == ' ' || line->data[7] == '\t'))
    {
        line->data += 8;
        line->len -= 8;
        ngx_registry_profile_trim(line);
    }

    return NGX_REGISTRY_OK;
}


static ngx_registry_status_e
ngx_registry_profile_line(ngx_registry_span_t line,
    ngx_registry_profile_t *profile)
{
    size_t                i;
    const u_char         *equal;
    ngx_registry_span_t   name, value, *dst;

    equal = memchr(line.data, '=', line.len);

    if (equal == NULL) {
        return NGX_REGISTRY_INVALID;
    }

    name.data = line.data;
    name.len = (size_t) (equal - line.data);
    value.data = equal + 1;
    value.len = line.len - name.len - 1;

    ngx_registry_profile_trim(&name);
    ngx_registry_profile_trim(&value);

    if (ngx_registry_profile_is(&name, "aws_access_key_id")) {
        dst = &profile->access_key;

    } else if (ngx_registry_profile_is(&name, "aws_secret_access_key")) {
        dst = &profile->secret_key;

    } else if (ngx_registry_profile_is(&name, "aws_session_token")) {
        dst = &profile->token;

    } else {
        return NGX_REGISTRY_OK;
    }

    /* they are sent in headers */

    for (i = 0; i < value.len; i++) {
        if (value.data[i] < 0x20 || value.data[i] == 0x7f) {
            return NGX_REGISTRY_INVALID;
        }
    }

    *dst = value;

    return NGX_REGISTRY_OK;
}


static int
ngx_registry_profile_is(const ngx_registry_span_t *s, const char *word)
{
    size_t  i;
    u_char  ch;

    /* names have no case; word is of lower case */

    for (i = 0; i < s->len && word[i]; i++) {
        ch = s->data[i];

        if (ch >= 'A' && ch <= 'Z') {
            ch = (u_char) (ch | 0x20);
        }

        if (ch != (u_char) word[i]) {
            return 0;
        }
    }

    return i == s->len && word[i] == '\0';
}


static void
ngx_registry_profile_trim(ngx_registry_span_t *s)
{
    while (s->len && (*s->data == ' ' || *s->data == '\t')) {
        s->data++;
        s->len--;
    }

    while (s->len
           && (s->data[s->len - 1] == ' ' || s->data[s->len - 1] == '\t'
               || s->data[s->len - 1] == '\r'))
    {
        s->len--;
    }
}
