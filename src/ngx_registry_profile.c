
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_profile.h"


typedef struct {
    const char  *name;
    size_t       offset;
    unsigned     key:1;      /* goes into headers */
} ngx_registry_profile_setting_t;


static void ngx_registry_profile_trim(ngx_registry_span_t *s);
static ngx_registry_status_e ngx_registry_profile_section(
    ngx_registry_span_t *line);
static ngx_registry_status_e ngx_registry_profile_line(
    ngx_registry_span_t line, ngx_registry_profile_t *profile);
static int ngx_registry_profile_is(const ngx_registry_span_t *s,
    const char *word);
static ngx_registry_span_t *ngx_registry_profile_field(
    ngx_registry_profile_t *profile,
    const ngx_registry_profile_setting_t *setting);


#define ngx_registry_profile_setting(name, field, key)                        \
    { name, offsetof(ngx_registry_profile_t, field), key }


/* AWS SDKs and Tools Reference Guide, Settings reference */

static const ngx_registry_profile_setting_t  ngx_registry_profile_names[] = {
    ngx_registry_profile_setting("aws_access_key_id", access_key, 1),
    ngx_registry_profile_setting("aws_secret_access_key", secret_key, 1),
    ngx_registry_profile_setting("aws_session_token", token, 1),
    ngx_registry_profile_setting("region", region, 0),
    ngx_registry_profile_setting("role_arn", role_arn, 0),
    ngx_registry_profile_setting("role_session_name", role_session_name, 0),
    ngx_registry_profile_setting("source_profile", source_profile, 0),
    ngx_registry_profile_setting("credential_source", credential_source, 0),
    ngx_registry_profile_setting("credential_process", credential_process,
                                 0),
    ngx_registry_profile_setting("web_identity_token_file",
                                 web_identity_token_file, 0),
    ngx_registry_profile_setting("external_id", external_id, 0),
    ngx_registry_profile_setting("duration_seconds", duration_seconds, 0),
    ngx_registry_profile_setting("mfa_serial", mfa_serial, 0),
    ngx_registry_profile_setting("sso_session", sso, 0),
    ngx_registry_profile_setting("sso_start_url", sso, 0),
    { NULL, 0, 0 }
};


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
    size_t                                i;
    const u_char                         *equal;
    ngx_registry_span_t                   name, value, *dst;
    const ngx_registry_profile_setting_t *setting;

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

    for (setting = ngx_registry_profile_names; setting->name; setting++) {
        if (ngx_registry_profile_is(&name, setting->name)) {
            break;
        }
    }

    if (setting->name == NULL) {
        return NGX_REGISTRY_OK;
    }

    dst = ngx_registry_profile_field(profile, setting);

    if (!setting->key) {
        *dst = value;
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


static ngx_registry_span_t *
ngx_registry_profile_field(ngx_registry_profile_t *profile,
    const ngx_registry_profile_setting_t *setting)
{
    return (ngx_registry_span_t *) (void *)
           ((char *) profile + setting->offset);
}


void
ngx_registry_profile_merge(ngx_registry_profile_t *profile,
    const ngx_registry_profile_t *more)
{
    int                                    keys;
    ngx_registry_span_t                   *to;
    ngx_registry_profile_t                 from;
    const ngx_registry_profile_setting_t  *setting;

    from = *more;

    keys = (profile->access_key.len || profile->secret_key.len
            || profile->token.len);

    for (setting = ngx_registry_profile_names; setting->name; setting++) {

        if (setting->key && keys) {
            continue;
        }

        to = ngx_registry_profile_field(profile, setting);

        if (to->len == 0) {
            *to = *ngx_registry_profile_field(&from, setting);
        }
    }
}


int
ngx_registry_profile_usable(const ngx_registry_profile_t *profile,
    const char **why)
{
    if (profile->role_arn.len || profile->credential_process.len
        || profile->access_key.len || profile->secret_key.len)
    {
        return 1;
    }

    *why = profile->sso.len ? "has keys by sso only, which takes a person"
                            : "has no keys, role_arn or credential_process";

    return 0;
}
