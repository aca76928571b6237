
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Files of credentials.
 */


#include "ngx_registry_profile.h"

#include "fuzz.h"


#define KEYS  "[default]\naws_access_key_id=a\naws_secret_access_key=b\n"


static void fuzz_value(const ngx_registry_span_t *s, const uint8_t *p,
    size_t len);
static void fuzz_joined(const uint8_t *p, size_t len,
    ngx_registry_status_e rc, const ngx_registry_profile_t *was);


int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    ngx_registry_span_t      name = ngx_registry_span("default");
    ngx_registry_profile_t   profile;
    ngx_registry_status_e    rc;

    memset(&profile, 0xa5, sizeof(ngx_registry_profile_t));

    rc = ngx_registry_profile_parse(p, p + len, &name, &profile);

    switch (rc) {

    case NGX_REGISTRY_OK:
        check(profile.access_key.len && profile.secret_key.len);
        check(fuzz_has(p, len, "default"));
        break;

    case NGX_REGISTRY_NONE:
        check(profile.access_key.len == 0 || profile.secret_key.len == 0);
        check(fuzz_has(p, len, "default"));
        break;

    case NGX_REGISTRY_NOT_FOUND:
        check(profile.access_key.len == 0 && profile.secret_key.len == 0
              && profile.token.len == 0);
        break;

    default:
        check(rc == NGX_REGISTRY_INVALID);
    }

    fuzz_value(&profile.access_key, p, len);
    fuzz_value(&profile.secret_key, p, len);
    fuzz_value(&profile.token, p, len);

    fuzz_joined(p, len, rc, &profile);

    return 0;
}


static void
fuzz_value(const ngx_registry_span_t *s, const uint8_t *p, size_t len)
{
    size_t  i;

    check(fuzz_within(s, p, len));

    for (i = 0; i < s->len; i++) {
        check(s->data[i] >= 0x20 && s->data[i] != 0x7f);
    }

    check(s->len == 0
          || (s->data[0] != ' ' && s->data[s->len - 1] != ' '));
}


/*
 * What follows in a file of its own section changes nothing; the same section
 * once more has the last word.
 */
static void
fuzz_joined(const uint8_t *p, size_t len, ngx_registry_status_e rc,
    const ngx_registry_profile_t *was)
{
    u_char                  *text, *end;
    ngx_registry_span_t      name = ngx_registry_span("default");
    ngx_registry_profile_t   profile;

    text = fuzz_alloc(len + sizeof(KEYS) + 16);

    end = fuzz_write(text, p, len);
    end = fuzz_literal(end, "\n[other]\njunk\n");

    check(ngx_registry_profile_parse(text, end, &name, &profile) == rc);
    check(rc == NGX_REGISTRY_INVALID
          || (fuzz_same(&profile.access_key, &was->access_key)
              && fuzz_same(&profile.secret_key, &was->secret_key)
              && fuzz_same(&profile.token, &was->token)));

    end = fuzz_write(text, p, len);
    end = fuzz_literal(end, "\n" KEYS);

    if (rc == NGX_REGISTRY_INVALID) {
        check(ngx_registry_profile_parse(text, end, &name, &profile) == rc);

    } else {
        check(ngx_registry_profile_parse(text, end, &name, &profile)
              == NGX_REGISTRY_OK);
        check(profile.access_key.len == 1 && *profile.access_key.data == 'a');
        check(profile.secret_key.len == 1 && *profile.secret_key.data == 'b');
        check(fuzz_same(&profile.token, &was->token));
    }

    free(text);
}
