
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * XML of S3: the input as a document, and as a name and a text in one.
 */


#include "ngx_registry_s3_xml.h"

#include "fuzz.h"


typedef struct {
    size_t         count;
    size_t         stop;
    size_t         len;
    const u_char  *name;           /* that is expected, or NULL */
} fuzz_seen_t;


static ngx_registry_status_e fuzz_error(const uint8_t *p, size_t len);
static ngx_registry_status_e fuzz_list(const uint8_t *p, size_t len);
static ngx_registry_status_e fuzz_entry(void *data,
    ngx_registry_s3_entry_e type, const ngx_registry_span_t *name);
static void fuzz_name(const uint8_t *p, size_t len);
static void fuzz_text(const uint8_t *p, size_t len);


int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    ngx_registry_status_e  error, list;

    error = fuzz_error(p, len);
    list = fuzz_list(p, len);

    check(error == NGX_REGISTRY_OK || error == NGX_REGISTRY_INVALID);
    check(list == NGX_REGISTRY_OK || list == NGX_REGISTRY_INVALID);

    /* there is one root */

    check(error != NGX_REGISTRY_OK || list != NGX_REGISTRY_OK);

    fuzz_name(p, len);
    fuzz_text(p, len);

    return 0;
}


static ngx_registry_status_e
fuzz_error(const uint8_t *p, size_t len)
{
    ngx_registry_status_e     rc;
    ngx_registry_s3_error_t   e;

    memset(&e, 0xa5, sizeof(ngx_registry_s3_error_t));

    rc = ngx_registry_s3_error_parse(p, p + len, &e);

    check(e.code_len <= sizeof(e.code));
    check(e.message_len <= sizeof(e.message));
    check(e.request_id_len <= sizeof(e.request_id));
    check(e.region_len <= sizeof(e.region));
    check(e.endpoint_len <= sizeof(e.endpoint));

    return rc;
}


static ngx_registry_status_e
fuzz_list(const uint8_t *p, size_t len)
{
    size_t                    count;
    u_char                   *text, *end;
    fuzz_seen_t               seen;
    ngx_registry_status_e     rc;
    ngx_registry_s3_list_t    list;

    memset(&list, 0xa5, sizeof(ngx_registry_s3_list_t));
    memset(&seen, 0, sizeof(fuzz_seen_t));

    rc = ngx_registry_s3_list_parse(p, p + len, &list, fuzz_entry, &seen);

    count = seen.count;

    check(list.token_len <= sizeof(list.token));
    check(rc != NGX_REGISTRY_OK || !list.truncated || list.token_len);
    check(ngx_registry_s3_list_parse(p, p + len, &list, NULL, NULL) == rc);

    if (count) {
        seen.count = 0;
        seen.stop = count;

        check(ngx_registry_s3_list_parse(p, p + len, &list, fuzz_entry,
                                         &seen)
              == NGX_REGISTRY_STOPPED);
        check(seen.count == count);
    }

    /* of a broken document nothing is handed out, even if its end breaks it */

    memset(&seen, 0, sizeof(fuzz_seen_t));
    text = fuzz_alloc(len + 4);

    end = fuzz_write(text, p, len);
    end = fuzz_literal(end, "<a>");

    check(ngx_registry_s3_list_parse(text, end, &list, fuzz_entry, &seen)
          == NGX_REGISTRY_INVALID);
    check(seen.count == 0);

    free(text);

    return rc;
}


static ngx_registry_status_e
fuzz_entry(void *data, ngx_registry_s3_entry_e type,
    const ngx_registry_span_t *name)
{
    fuzz_seen_t *seen = data;

    check(type == NGX_REGISTRY_S3_KEY || type == NGX_REGISTRY_S3_PREFIX);
    check(name->len <= 4096);

    if (seen->name) {
        check(name->len == seen->len
              && (seen->len == 0
                  || memcmp(name->data, seen->name, seen->len) == 0));
    }

    return (++seen->count == seen->stop) ? NGX_REGISTRY_NONE
                                         : NGX_REGISTRY_OK;
}


/*
 * A name that is encoded comes back, whatever it has.
 */
static void
fuzz_name(const uint8_t *p, size_t len)
{
    u_char                   *text, *end;
    size_t                    i;
    fuzz_seen_t               seen;
    ngx_registry_status_e     rc;
    ngx_registry_s3_list_t    list;

    static const char  hex[] = "0123456789abcdef";

    text = fuzz_alloc(3 * len + 200);

    end = fuzz_literal(text, "<ListBucketResult><Contents><Key>");

    for (i = 0; i < len; i++) {
        *end++ = '%';
        *end++ = (u_char) hex[p[i] >> 4];
        *end++ = (u_char) hex[p[i] & 15];
    }

    end = fuzz_literal(end, "</Key></Contents><EncodingType>url"
                            "</EncodingType></ListBucketResult>");

    memset(&seen, 0, sizeof(fuzz_seen_t));
    seen.name = p;
    seen.len = len;

    rc = ngx_registry_s3_list_parse(text, end, &list, fuzz_entry, &seen);

    check(rc == (3 * len <= 4096 ? NGX_REGISTRY_OK : NGX_REGISTRY_INVALID));
    check(seen.count == (rc == NGX_REGISTRY_OK));

    free(text);
}


/*
 * So does a text of ASCII, with references for what needs them, cut at the
 * size of its field.
 */
static void
fuzz_text(const uint8_t *p, size_t len)
{
    u_char                   *text, *end, *plain;
    size_t                    i, n;
    ngx_registry_s3_error_t   e;

    text = fuzz_alloc(6 * len + 100);
    plain = fuzz_alloc(len);
    n = 0;

    end = fuzz_literal(text, "<Error><Message>");

    for (i = 0; i < len; i++) {

        if (p[i] < 0x20 || p[i] >= 0x7f) {
            continue;
        }

        plain[n++] = p[i];

        if (strchr("<>&\"'", p[i])) {
            end += sprintf((char *) end, "&#%u;", p[i]);

        } else {
            *end++ = p[i];
        }
    }

    end = fuzz_literal(end, "</Message></Error>");

    check(ngx_registry_s3_error_parse(text, end, &e) == NGX_REGISTRY_OK);

    if (n > sizeof(e.message)) {
        n = sizeof(e.message);
    }

    check(e.message_len == n && (n == 0 || memcmp(e.message, plain, n) == 0));

    free(plain);
    free(text);
}
