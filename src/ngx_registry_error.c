
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_error.h"


typedef struct {
    ngx_registry_span_t  name;
    ngx_registry_span_t  text;
} ngx_registry_error_t;


static u_char *ngx_registry_error_put(u_char *dst, const char *src,
    size_t len);
static size_t ngx_registry_json_utf8(const u_char *p, const u_char *last);
static u_char *ngx_registry_json_byte(u_char *dst, u_char ch, size_t *len);
static u_char *ngx_registry_json_make(u_char *dst,
    const ngx_registry_span_t *s, size_t *len);

#define ngx_registry_error_put_n(dst, literal)                                \
    ngx_registry_error_put(dst, literal, sizeof(literal) - 1)


/* in the order of ngx_registry_error_e */

static const ngx_registry_error_t  ngx_registry_errors[] = {
    { ngx_registry_span("BLOB_UNKNOWN"),
      ngx_registry_span("blob unknown to registry") },
    { ngx_registry_span("BLOB_UPLOAD_INVALID"),
      ngx_registry_span("blob upload invalid") },
    { ngx_registry_span("BLOB_UPLOAD_UNKNOWN"),
      ngx_registry_span("blob upload unknown to registry") },
    { ngx_registry_span("DIGEST_INVALID"),
      ngx_registry_span("provided digest did not match uploaded content") },
    { ngx_registry_span("MANIFEST_BLOB_UNKNOWN"),
      ngx_registry_span("manifest references a manifest or blob unknown to "
                        "registry") },
    { ngx_registry_span("MANIFEST_INVALID"),
      ngx_registry_span("manifest invalid") },
    { ngx_registry_span("MANIFEST_UNKNOWN"),
      ngx_registry_span("manifest unknown to registry") },
    { ngx_registry_span("NAME_INVALID"),
      ngx_registry_span("invalid repository name") },
    { ngx_registry_span("NAME_UNKNOWN"),
      ngx_registry_span("repository name not known to registry") },
    { ngx_registry_span("SIZE_INVALID"),
      ngx_registry_span("provided length or range did not match content") },
    { ngx_registry_span("UNAUTHORIZED"),
      ngx_registry_span("authentication required") },
    { ngx_registry_span("DENIED"),
      ngx_registry_span("requested access to the resource is denied") },
    { ngx_registry_span("UNSUPPORTED"),
      ngx_registry_span("the operation is unsupported") },
    { ngx_registry_span("TOOMANYREQUESTS"),
      ngx_registry_span("too many requests") },
    { ngx_registry_span("UNKNOWN"),
      ngx_registry_span("unknown error") },
    { ngx_registry_span("UNAVAILABLE"),
      ngx_registry_span("service unavailable") }
};


const ngx_registry_span_t *
ngx_registry_error_name(ngx_registry_error_e code)
{
    return &ngx_registry_errors[code].name;
}


const ngx_registry_span_t *
ngx_registry_error_text(ngx_registry_error_e code)
{
    return &ngx_registry_errors[code].text;
}


size_t
ngx_registry_error_len(ngx_registry_error_e code,
    const ngx_registry_span_t *message, const ngx_registry_span_t *detail)
{
    size_t  len;

    if (message->len == 0) {
        message = ngx_registry_error_text(code);
    }

    len = sizeof("{\"errors\":[{\"code\":\"\",\"message\":}]}\n") - 1
          + ngx_registry_error_name(code)->len
          + ngx_registry_json_string_len(message);

    if (detail->len) {
        len += sizeof(",\"detail\":") - 1
               + ngx_registry_json_string_len(detail);
    }

    return len;
}


u_char *
ngx_registry_error_write(u_char *dst, ngx_registry_error_e code,
    const ngx_registry_span_t *message, const ngx_registry_span_t *detail)
{
    const ngx_registry_span_t  *name;

    name = ngx_registry_error_name(code);

    if (message->len == 0) {
        message = ngx_registry_error_text(code);
    }

    dst = ngx_registry_error_put_n(dst, "{\"errors\":[{\"code\":\"");
    dst = ngx_registry_error_put(dst, (const char *) name->data, name->len);
    dst = ngx_registry_error_put_n(dst, "\",\"message\":");
    dst = ngx_registry_json_string_write(dst, message);

    if (detail->len) {
        dst = ngx_registry_error_put_n(dst, ",\"detail\":");
        dst = ngx_registry_json_string_write(dst, detail);
    }

    return ngx_registry_error_put_n(dst, "}]}\n");
}


static u_char *
ngx_registry_error_put(u_char *dst, const char *src, size_t len)
{
    memcpy(dst, src, len);

    return dst + len;
}


size_t
ngx_registry_json_string_len(const ngx_registry_span_t *s)
{
    size_t  len;

    len = 0;
    (void) ngx_registry_json_make(NULL, s, &len);

    return len;
}


u_char *
ngx_registry_json_string_write(u_char *dst, const ngx_registry_span_t *s)
{
    size_t  len;

    len = 0;

    return ngx_registry_json_make(dst, s, &len);
}


static u_char *
ngx_registry_json_make(u_char *dst, const ngx_registry_span_t *s, size_t *len)
{
    size_t         n;
    const u_char  *p, *last;

    static const u_char  replacement[] = { 0xef, 0xbf, 0xbd };

    p = s->data;
    last = s->len ? p + s->len : p;

    *len += 2;

    if (dst) {
        *dst++ = '"';
    }

    while (p < last) {

        if (*p < 0x80) {
            dst = ngx_registry_json_byte(dst, *p++, len);
            continue;
        }

        n = ngx_registry_json_utf8(p, last);

        *len += n ? n : sizeof(replacement);

        if (dst) {
            memcpy(dst, n ? p : replacement, n ? n : sizeof(replacement));
            dst += n ? n : sizeof(replacement);
        }

        p += n ? n : 1;
    }

    if (dst) {
        *dst++ = '"';
    }

    return dst;
}


static u_char *
ngx_registry_json_byte(u_char *dst, u_char ch, size_t *len)
{
    static const u_char  hex[] = "0123456789abcdef";

    if (ch == '"' || ch == '\\') {
        *len += 2;

        if (dst) {
            *dst++ = '\\';
            *dst++ = ch;
        }

        return dst;
    }

    if (ch >= 0x20 && ch != 0x7f) {
        *len += 1;

        if (dst) {
            *dst++ = ch;
        }

        return dst;
    }

    *len += 6;

    if (dst) {
        memcpy(dst, "\\u00", 4);
        dst[4] = hex[ch >> 4];
        dst[5] = hex[ch & 0xf];
        dst += 6;
    }

    return dst;
}


static size_t
ngx_registry_json_utf8(const u_char *p, const u_char *last)
{
    size_t    n, i;
    uint32_t  u;

    /* RFC 3629, Syntax of UTF-8 Byte Sequences; 0 if this is none */

    if (*p >= 0xc2 && *p <= 0xdf) {
        n = 2;
        u = *p & 0x1fu;

    } else if (*p >= 0xe0 && *p <= 0xef) {
        n = 3;
        u = *p & 0x0fu;

    } else if (*p >= 0xf0 && *p <= 0xf4) {
        n = 4;
        u = *p & 0x07u;

    } else {
        return 0;
    }

    if ((size_t) (last - p) < n) {
        return 0;
    }

    for (i = 1; i < n; i++) {

        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }

        u = (u << 6) | (p[i] & 0x3fu);
    }

    if ((n == 3 && (u < 0x800 || (u >= 0xd800 && u <= 0xdfff)))
        || (n == 4 && (u < 0x10000 || u > 0x10ffff)))
    {
        return 0;
    }

    return n;
}
