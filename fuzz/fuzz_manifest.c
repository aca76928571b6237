
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Manifests: the input as one, and as a string in one.
 */


#include "ngx_registry_error.h"
#include "ngx_registry_manifest.h"

#include "fuzz.h"


typedef struct {
    size_t  count;
    size_t  stop;
} fuzz_seen_t;


static ngx_registry_status_e fuzz_descriptor(void *data,
    const ngx_registry_descriptor_t *d);
static void fuzz_type(const u_char *p, size_t len);
static void fuzz_good(const uint8_t *p, size_t len,
    const ngx_registry_manifest_t *m, size_t count);
static void fuzz_string(const uint8_t *p, size_t len);


int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    fuzz_seen_t               seen;
    ngx_registry_status_e     rc;
    ngx_registry_manifest_t   m;

    memset(&m, 0xa5, sizeof(ngx_registry_manifest_t));
    memset(&seen, 0, sizeof(fuzz_seen_t));

    rc = ngx_registry_manifest_parse(p, p + len, &m, fuzz_descriptor, &seen);

    if (rc == NGX_REGISTRY_OK) {
        fuzz_good(p, len, &m, seen.count);

    } else {
        check(rc == NGX_REGISTRY_INVALID);
    }

    check(ngx_registry_manifest_parse(p, p + len, &m, NULL, NULL) == rc);

    if (seen.count) {
        seen.stop = seen.count;
        seen.count = 0;

        check(ngx_registry_manifest_parse(p, p + len, &m, fuzz_descriptor,
                                          &seen)
              == NGX_REGISTRY_STOPPED);
        check(seen.count == seen.stop);
    }

    fuzz_string(p, len);

    return 0;
}


static ngx_registry_status_e
fuzz_descriptor(void *data, const ngx_registry_descriptor_t *d)
{
    fuzz_seen_t *seen = data;

    ngx_registry_digest_t  digest;

    check(d->type <= NGX_REGISTRY_DESCRIPTOR_SUBJECT);
    check(d->size >= -1);
    check(ngx_registry_digest_parse(d->digest.text.data,
                                    d->digest.text.data + d->digest.text.len,
                                    &digest)
          == NGX_REGISTRY_OK);
    check(digest.algorithm == d->digest.algorithm);
    check(fuzz_same(&digest.hex, &d->digest.hex));

    fuzz_type(d->media_type.data, d->media_type.len);

    return (++seen->count == seen->stop) ? NGX_REGISTRY_NONE
                                         : NGX_REGISTRY_OK;
}


static void
fuzz_type(const u_char *p, size_t len)
{
    size_t  i;

    check(len <= NGX_REGISTRY_MEDIA_TYPE_MAX_LEN);

    for (i = 0; i < len; i++) {
        check(p[i] > 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\');
    }
}


/*
 * It is one object, all of it, and it ends where it says.
 */
static void
fuzz_good(const uint8_t *p, size_t len, const ngx_registry_manifest_t *m,
    size_t count)
{
    u_char                   *text, *end;
    fuzz_seen_t               seen;
    ngx_registry_manifest_t   same;

    check(m->media_type_len > 0);
    fuzz_type(m->media_type, m->media_type_len);
    fuzz_type(m->artifact_type, m->artifact_type_len);
    check(m->schema_version >= 0);

    memset(&seen, 0, sizeof(fuzz_seen_t));
    text = fuzz_alloc(len + 4);

    end = fuzz_literal(text, " \n");
    end = fuzz_write(end, p, len);
    *end++ = '\t';

    check(ngx_registry_manifest_parse(text, end, &same, fuzz_descriptor,
                                      &seen)
          == NGX_REGISTRY_OK);
    check(seen.count == count);
    check(same.media_type_len == m->media_type_len
          && memcmp(same.media_type, m->media_type, m->media_type_len) == 0
          && same.schema_version == m->schema_version
          && same.index == m->index);

    *end++ = '0';
    check(ngx_registry_manifest_parse(text, end, &same, NULL, NULL)
          == NGX_REGISTRY_INVALID);

    /* without its last brace */

    for (end = text + 2 + len; end > text && end[-1] != '}'; end--) {
        /* void */
    }

    check(end > text);
    check(ngx_registry_manifest_parse(text, end - 1, &same, NULL, NULL)
          == NGX_REGISTRY_INVALID);

    free(text);
}


/*
 * What is written as a string of JSON is read as one.
 */
static void
fuzz_string(const uint8_t *p, size_t len)
{
    u_char                   *text, *end;
    size_t                    i;
    ngx_registry_span_t       s;
    ngx_registry_status_e     rc;
    ngx_registry_manifest_t   m;

    s = fuzz_span(p, len);
    text = fuzz_alloc(ngx_registry_json_string_len(&s) + 16);

    end = fuzz_literal(text, "{\"a\":");
    end = ngx_registry_json_string_write(end, &s);
    *end++ = '}';

    check(ngx_registry_manifest_parse(text, end, &m, NULL, NULL)
          == NGX_REGISTRY_OK);

    end = fuzz_literal(text, "{\"mediaType\":");
    end = ngx_registry_json_string_write(end, &s);
    *end++ = '}';

    rc = ngx_registry_manifest_parse(text, end, &m, NULL, NULL);

    for (i = 0; i < len && p[i] > 0x20 && p[i] < 0x7f; i++) {
        if (p[i] == '"' || p[i] == '\\') {
            break;
        }
    }

    if (i == len && len <= NGX_REGISTRY_MEDIA_TYPE_MAX_LEN) {
        check(rc == NGX_REGISTRY_OK);
        check(len == 0
              || (m.media_type_len == len
                  && memcmp(m.media_type, p, len) == 0));

    } else {
        check(rc == NGX_REGISTRY_INVALID);
    }

    free(text);
}
