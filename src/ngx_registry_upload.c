
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_query.h"
#include "ngx_registry_upload.h"


#define NGX_REGISTRY_UPLOAD_MAGIC  "ngx_registry upload "
#define NGX_REGISTRY_UPLOAD_V1     "1"


/* decimal, up to last; returns where it begins */
static u_char *ngx_registry_upload_number(u_char *last, uint64_t n);
static u_char *ngx_registry_upload_put(u_char *dst, const char *name,
    const u_char *value, size_t len);
static ngx_registry_status_e ngx_registry_upload_get(const u_char **p,
    const u_char *last, const char *name, ngx_registry_span_t *value);
static ngx_registry_status_e ngx_registry_upload_hash(
    const ngx_registry_span_t *hex, u_char *dst);


u_char *
ngx_registry_upload_write(u_char *dst, const ngx_registry_upload_t *u)
{
    u_char  number[20], *p;
    u_char  hex[2 * NGX_REGISTRY_HASH_STATE_LEN];

    if (u->name.len > 255 || u->key.len > NGX_REGISTRY_UPLOAD_KEY_MAX
        || u->upload_id.len > NGX_REGISTRY_UPLOAD_ID_MAX)
    {
        return NULL;
    }

    p = ngx_registry_upload_number(number + sizeof(number), u->offset);

    (void) ngx_registry_hex_write(hex, u->hash, NGX_REGISTRY_HASH_STATE_LEN);

    dst = ngx_registry_upload_put(dst, NGX_REGISTRY_UPLOAD_MAGIC,
                                  (const u_char *) NGX_REGISTRY_UPLOAD_V1, 1);
    dst = ngx_registry_upload_put(dst, "name ", u->name.data, u->name.len);
    dst = ngx_registry_upload_put(dst, "offset ", p,
                                  (size_t) (number + sizeof(number) - p));
    dst = ngx_registry_upload_put(dst, "sha256 ", hex, sizeof(hex));
    dst = ngx_registry_upload_put(dst, "key ", u->key.data, u->key.len);
    dst = ngx_registry_upload_put(dst, "upload ", u->upload_id.data,
                                  u->upload_id.len);

    return ngx_registry_upload_put(dst, "end", NULL, 0);
}


static u_char *
ngx_registry_upload_number(u_char *last, uint64_t n)
{
    do {
        *--last = (u_char) ('0' + n % 10);
        n /= 10;
    } while (n);

    return last;
}


static u_char *
ngx_registry_upload_put(u_char *dst, const char *name, const u_char *value,
    size_t len)
{
    size_t  i, n;

    if (dst == NULL) {
        return NULL;
    }

    for (i = 0; i < len; i++) {
        if (value[i] < 0x20 || value[i] == 0x7f) {
            return NULL;
        }
    }

    n = strlen(name);

    memcpy(dst, name, n);
    dst += n;

    if (len) {
        memcpy(dst, value, len);
        dst += len;
    }

    *dst++ = '\n';

    return dst;
}


ngx_registry_status_e
ngx_registry_upload_parse(const u_char *p, const u_char *last,
    ngx_registry_upload_t *u)
{
    ngx_registry_span_t    version, offset, hash, end;
    ngx_registry_status_e  rc;

    if (ngx_registry_upload_get(&p, last, NGX_REGISTRY_UPLOAD_MAGIC, &version)
        != NGX_REGISTRY_OK)
    {
        return NGX_REGISTRY_INVALID;
    }

    if (version.len != 1 || version.data[0] != NGX_REGISTRY_UPLOAD_V1[0]) {
        return NGX_REGISTRY_UNSUPPORTED;
    }

    if (ngx_registry_upload_get(&p, last, "name ", &u->name)
        || ngx_registry_upload_get(&p, last, "offset ", &offset)
        || ngx_registry_upload_get(&p, last, "sha256 ", &hash)
        || ngx_registry_upload_get(&p, last, "key ", &u->key)
        || ngx_registry_upload_get(&p, last, "upload ", &u->upload_id)
        || ngx_registry_upload_get(&p, last, "end", &end)
        || end.len || p != last)
    {
        return NGX_REGISTRY_INVALID;
    }

    rc = ngx_registry_query_number(&offset, INT64_MAX, &u->offset);

    if (rc != NGX_REGISTRY_OK) {
        return NGX_REGISTRY_INVALID;
    }

    return ngx_registry_upload_hash(&hash, u->hash);
}


static ngx_registry_status_e
ngx_registry_upload_get(const u_char **p, const u_char *last,
    const char *name, ngx_registry_span_t *value)
{
    size_t         n;
    const u_char  *end;

    n = strlen(name);

    if ((size_t) (last - *p) <= n || memcmp(*p, name, n) != 0) {
        return NGX_REGISTRY_INVALID;
    }

    end = memchr(*p + n, '\n', (size_t) (last - *p) - n);

    if (end == NULL) {
        return NGX_REGISTRY_INVALID;
    }

    value->data = *p + n;
    value->len = (size_t) (end - value->data);

    *p = end + 1;

    return NGX_REGISTRY_OK;
}


static ngx_registry_status_e
ngx_registry_upload_hash(const ngx_registry_span_t *hex, u_char *dst)
{
    u_char  ch, n;
    size_t  i;

    if (hex->len != 2 * NGX_REGISTRY_HASH_STATE_LEN) {
        return NGX_REGISTRY_INVALID;
    }

    for (i = 0; i < hex->len; i++) {
        ch = hex->data[i];

        if (ch >= '0' && ch <= '9') {
            n = (u_char) (ch - '0');

        } else if (ch >= 'a' && ch <= 'f') {
            n = (u_char) (ch - 'a' + 10);

        } else {
            return NGX_REGISTRY_INVALID;
        }

        dst[i / 2] = (u_char) ((i % 2) ? (dst[i / 2] | n) : (n << 4));
    }

    return NGX_REGISTRY_OK;
}


u_char *
ngx_registry_uuid_write(u_char *dst, u_char random[16])
{
    size_t  i;

    random[6] = (u_char) ((random[6] & 0x0f) | 0x40);
    random[8] = (u_char) ((random[8] & 0x3f) | 0x80);

    for (i = 0; i < 16; i++) {

        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *dst++ = '-';
        }

        dst = ngx_registry_hex_write(dst, &random[i], 1);
    }

    return dst;
}


int
ngx_registry_uuid_check(const u_char *p, const u_char *last)
{
    u_char  ch;
    size_t  i;

    if ((size_t) (last - p) != NGX_REGISTRY_UUID_LEN) {
        return 0;
    }

    for (i = 0; i < NGX_REGISTRY_UUID_LEN; i++) {
        ch = p[i];

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (ch != '-') {
                return 0;
            }

        } else if (!((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f'))) {
            return 0;
        }
    }

    return 1;
}


ngx_registry_status_e
ngx_registry_upload_range(const ngx_registry_span_t *s, uint64_t *start,
    uint64_t *end)
{
    const u_char         *p, *last, *dash, *slash;
    ngx_registry_span_t   first, second;

    p = s->data;
    last = p + s->len;

    if (s->len > 6 && memcmp(p, "bytes ", 6) == 0) {
        p += 6;
    }

    for (slash = p; slash < last && *slash != '/'; slash++) {
        /* void */
    }

    for (dash = p; dash < slash && *dash != '-'; dash++) {
        /* void */
    }

    if (dash == slash) {
        return NGX_REGISTRY_INVALID;
    }

    first.data = p;
    first.len = (size_t) (dash - p);
    second.data = dash + 1;
    second.len = (size_t) (slash - dash) - 1;

    if (ngx_registry_query_number(&first, INT64_MAX, start) != NGX_REGISTRY_OK
        || ngx_registry_query_number(&second, INT64_MAX - 1, end)
           != NGX_REGISTRY_OK
        || *start > *end)
    {
        return NGX_REGISTRY_INVALID;
    }

    return NGX_REGISTRY_OK;
}


uint64_t
ngx_registry_upload_part(uint64_t size)
{
    uint64_t  part;

    const uint64_t  mib = 1024 * 1024;

    part = (size + NGX_REGISTRY_PARTS_MAX - 1) / NGX_REGISTRY_PARTS_MAX;

    if (part <= NGX_REGISTRY_PART_MIN) {
        return NGX_REGISTRY_PART_MIN;
    }

    return (part + mib - 1) / mib * mib;
}
