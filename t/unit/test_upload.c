
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_upload.c.
 */


#include "ngx_registry_upload.h"

#include "tap.h"


#define MIB  ((uint64_t) 1024 * 1024)


/* Content-Range of a chunk */

typedef struct {
    const char  *text;
    int          valid;
    uint64_t     start;
    uint64_t     end;
} range_t;


static const range_t  ranges[] = {
    { "0-0", 1, 0, 0 },
    { "0-99", 1, 0, 99 },
    { "100-199", 1, 100, 199 },
    { "bytes 0-99/*", 1, 0, 99 },
    { "bytes 0-99/1234", 1, 0, 99 },
    { "bytes 100-199", 1, 100, 199 },
    { "0-9223372036854775806", 1, 0, 9223372036854775806u },
    { "9223372036854775806-9223372036854775806", 1, 9223372036854775806u,
      9223372036854775806u },

    { "", 0, 0, 0 },
    { "-", 0, 0, 0 },
    { "0-", 0, 0, 0 },
    { "-5", 0, 0, 0 },
    { "5", 0, 0, 0 },
    { "5-4", 0, 0, 0 },
    { "0-9223372036854775807", 0, 0, 0 },
    { "0-18446744073709551616", 0, 0, 0 },
    { "18446744073709551616-18446744073709551617", 0, 0, 0 },
    { "+0-5", 0, 0, 0 },
    { "0x0-5", 0, 0, 0 },
    { "0 - 5", 0, 0, 0 },
    { " 0-5", 0, 0, 0 },
    { "0-5 ", 0, 0, 0 },
    { "0-5-6", 0, 0, 0 },
    { "0-5,7-9", 0, 0, 0 },
    { "bytes=0-5", 0, 0, 0 },
    { "bytes */10", 0, 0, 0 },
    { "bytes ", 0, 0, 0 },
    { "/", 0, 0, 0 },
    { "a-b", 0, 0, 0 }
};


static void
test_range(const range_t *r)
{
    uint64_t               start, end;
    ngx_registry_span_t    s;
    ngx_registry_status_e  rc;

    s.len = strlen(r->text);
    s.data = tap_guarded(r->text, s.len);

    start = end = 0;
    rc = ngx_registry_upload_range(&s, &start, &end);

    if (r->valid) {
        ok(rc == NGX_REGISTRY_OK && start == r->start && end == r->end,
           r->text);

    } else {
        ok(rc == NGX_REGISTRY_INVALID, r->text);
    }
}


static ngx_registry_span_t
span(const char *text)
{
    ngx_registry_span_t  s;

    s.data = (const u_char *) text;
    s.len = strlen(text);

    return s;
}


static ngx_registry_upload_t
upload(const char *name, uint64_t offset, const char *key, const char *id)
{
    ngx_registry_upload_t  u;

    memset(&u, 0, sizeof(ngx_registry_upload_t));

    u.name = span(name);
    u.offset = offset;
    memset(u.hash, 0xa7, sizeof(u.hash));
    u.key = span(key);
    u.upload_id = span(id);

    return u;
}


static int
same(const ngx_registry_span_t *a, const ngx_registry_span_t *b)
{
    return a->len == b->len
           && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}


static void
test_state(const char *name, ngx_registry_upload_t *u)
{
    u_char                 *state, *last;
    u_char                  text[NGX_REGISTRY_UPLOAD_STATE_MAX];
    size_t                  len, i;
    unsigned                taken;
    ngx_registry_upload_t   got;

    state = tap_guarded(NULL, NGX_REGISTRY_UPLOAD_STATE_MAX);
    last = ngx_registry_upload_write(state, u);

    if (!ok(last != NULL, name)) {
        return;
    }

    len = (size_t) (last - state);
    memcpy(text, state, len);
    state = tap_guarded(text, len);

    memset(&got, 0, sizeof(ngx_registry_upload_t));

    ok(ngx_registry_upload_parse(state, state + len, &got) == NGX_REGISTRY_OK
       && same(&got.name, &u->name) && got.offset == u->offset
       && same(&got.key, &u->key) && same(&got.upload_id, &u->upload_id)
       && memcmp(got.hash, u->hash, sizeof(u->hash)) == 0, name);

    /* a power cut leaves the beginning of it */

    taken = 0;

    for (i = 0; i < len; i++) {
        last = tap_guarded(text, i);
        taken += (ngx_registry_upload_parse(last, last + i, &got)
                  == NGX_REGISTRY_OK);
    }

    ok(taken == 0, "what was cut is no state");

    last = tap_guarded(NULL, len + 1);
    memcpy(last, text, len);

    ok(ngx_registry_upload_parse(last, last + len + 1, &got)
       != NGX_REGISTRY_OK, "nor is what goes on");
}


typedef struct {
    const char             *from;
    const char             *to;       /* in its place */
    ngx_registry_status_e   rc;
} damage_t;


static const damage_t  damages[] = {
    { "upload 1\n", "upload 2\n", NGX_REGISTRY_UNSUPPORTED },
    { "upload 1\n", "upload 11\n", NGX_REGISTRY_UNSUPPORTED },
    { "upload 1\n", "upload \n", NGX_REGISTRY_UNSUPPORTED },
    { "ngx_registry", "NGX_registry", NGX_REGISTRY_INVALID },
    { "name ", "nome ", NGX_REGISTRY_INVALID },
    { "offset 42", "offset -1", NGX_REGISTRY_INVALID },
    { "offset 42", "offset ", NGX_REGISTRY_INVALID },
    { "offset 42", "offset 9223372036854775808", NGX_REGISTRY_INVALID },
    { "sha256 a7", "sha256 A7", NGX_REGISTRY_INVALID },
    { "sha256 a7", "sha256 a", NGX_REGISTRY_INVALID },
    { "sha256 a7", "sha256 a7a7", NGX_REGISTRY_INVALID },
    { "end\n", "end \n", NGX_REGISTRY_INVALID },
    { "end\n", "end\n\n", NGX_REGISTRY_INVALID },
    { "end\n", "End\n", NGX_REGISTRY_INVALID }
};


static void
test_damage(const damage_t *d)
{
    char                   *at;
    u_char                  state[NGX_REGISTRY_UPLOAD_STATE_MAX + 64];
    u_char                  text[NGX_REGISTRY_UPLOAD_STATE_MAX + 64], *p;
    size_t                  len;
    ngx_registry_upload_t   u, got;

    u = upload("team/app", 42, "a/key", "an-id");

    p = ngx_registry_upload_write(state, &u);
    *p = '\0';

    at = strstr((char *) state, d->from);
    len = (size_t) (at - (char *) state);

    memcpy(text, state, len);
    len += (size_t) sprintf((char *) text + len, "%s%s", d->to,
                            at + strlen(d->from));

    p = tap_guarded(text, len);

    ok(ngx_registry_upload_parse(p, p + len, &got) == d->rc, d->to);
}


static void
test_limits(void)
{
    char                   long_text[NGX_REGISTRY_UPLOAD_ID_MAX + 2];
    u_char                *state, *last;
    size_t                 i;
    ngx_registry_upload_t  u;

    static const char  *bad[] = { "a\nb", "a\rb", "\x01", "\x7f" };

    memset(long_text, 'x', sizeof(long_text));
    long_text[sizeof(long_text) - 1] = '\0';

    /* the longest of everything, in exactly the room that is promised */

    u = upload(long_text, INT64_MAX, long_text, long_text);
    u.name.len = 255;
    u.key.len = NGX_REGISTRY_UPLOAD_KEY_MAX;
    u.upload_id.len = NGX_REGISTRY_UPLOAD_ID_MAX;

    test_state("the longest state", &u);

    state = tap_guarded(NULL, NGX_REGISTRY_UPLOAD_STATE_MAX);

    u.name.len = 256;
    ok(ngx_registry_upload_write(state, &u) == NULL, "a longer name");

    u.name.len = 255;
    u.key.len = NGX_REGISTRY_UPLOAD_KEY_MAX + 1;
    ok(ngx_registry_upload_write(state, &u) == NULL, "a longer key");

    u.key.len = 1;
    u.upload_id.len = NGX_REGISTRY_UPLOAD_ID_MAX + 1;
    ok(ngx_registry_upload_write(state, &u) == NULL, "a longer upload id");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        u = upload("team/app", 0, "key", bad[i]);
        last = ngx_registry_upload_write(state, &u);
        ok(last == NULL, "a control character");
    }
}


static void
test_uuid(void)
{
    u_char   random[16], *text, *last;
    size_t   i;

    static const char  *bad[] = {
        "", "01936a2e-7b1c-4a3d-9c45-0123456789a",
        "01936a2e-7b1c-4a3d-9c45-0123456789abc",
        "01936A2E-7b1c-4a3d-9c45-0123456789ab",
        "01936a2e+7b1c-4a3d-9c45-0123456789ab",
        "01936a2e-7b1c-4a3d-9c45-0123456789ag",
        "../../../../../../../../etc/passwd.d",
        "01936a2e-7b1c-4a3d-9c45-01234567/9ab"
    };

    memset(random, 0xff, sizeof(random));

    text = tap_guarded(NULL, NGX_REGISTRY_UUID_LEN);
    last = ngx_registry_uuid_write(text, random);

    is_bytes(text, (size_t) (last - text),
             "ffffffff-ffff-4fff-bfff-ffffffffffff", NGX_REGISTRY_UUID_LEN,
             "RFC 9562: version and variant");
    ok(ngx_registry_uuid_check(text, last), "which is one");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        text = tap_guarded(bad[i], strlen(bad[i]));
        ok(!ngx_registry_uuid_check(text, text + strlen(bad[i])), bad[i]);
    }
}


static void
test_part(uint64_t size, uint64_t want)
{
    uint64_t  part;

    part = ngx_registry_upload_part(size);

    ok(part == want, "size of the parts");
    ok(part % MIB == 0 && part >= 16 * MIB
       && (size + part - 1) / part <= NGX_REGISTRY_PARTS_MAX,
       "not too small, and not too many");
}


int
main(void)
{
    size_t                 i;
    ngx_registry_upload_t  u;

    for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        test_range(&ranges[i]);
    }

    u = upload("team/app", 0, "", "");
    test_state("a new session", &u);

    u = upload("a", 1234567890123, "docker/registry/v2/blobs/x", "id/+=%\"<");
    test_state("one that is being written", &u);

    for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        test_damage(&damages[i]);
    }

    test_limits();
    test_uuid();

    test_part(0, 16 * MIB);
    test_part(1, 16 * MIB);
    test_part(160000 * MIB, 16 * MIB);
    test_part(160000 * MIB + 1, 17 * MIB);
    test_part(5 * MIB * MIB, 525 * MIB);

    return done_testing();
}
