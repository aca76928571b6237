
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_sigv4.h"
#include "ngx_registry_digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>


#define NGX_REGISTRY_SIGV4_ALGORITHM  "AWS4-HMAC-SHA256"
#define NGX_REGISTRY_SIGV4_DAY_LEN    8


typedef struct {
    EVP_MD_CTX  *md;
    int          failed;
} ngx_registry_sigv4_hash_t;


static u_char *ngx_registry_sigv4_digits(u_char *dst, int64_t n,
    unsigned width);
static ngx_registry_status_e ngx_registry_sigv4_hmac(u_char *out,
    const u_char *key, size_t key_len, const u_char *data, size_t len);
static void ngx_registry_sigv4_update(ngx_registry_sigv4_hash_t *hash,
    const void *data, size_t len);
static void ngx_registry_sigv4_lower(ngx_registry_sigv4_hash_t *hash,
    const ngx_registry_span_t *name);
static void ngx_registry_sigv4_value(ngx_registry_sigv4_hash_t *hash,
    const ngx_registry_span_t *value);
static void ngx_registry_sigv4_headers(ngx_registry_sigv4_hash_t *hash,
    const ngx_registry_sigv4_request_t *r);
static ngx_registry_status_e ngx_registry_sigv4_canonical(
    const ngx_registry_sigv4_request_t *r, u_char *hex);
static ngx_registry_status_e ngx_registry_sigv4_sign(
    const ngx_registry_sigv4_request_t *r, const u_char *key, u_char *hex);
static int ngx_registry_sigv4_name_cmp(const ngx_registry_span_t *a,
    const ngx_registry_span_t *b);
static void ngx_registry_sigv4_sort(ngx_registry_pair_t *pairs, size_t n,
    int (*cmp)(const ngx_registry_pair_t *a, const ngx_registry_pair_t *b));
static int ngx_registry_sigv4_header_cmp(const ngx_registry_pair_t *a,
    const ngx_registry_pair_t *b);
static int ngx_registry_sigv4_query_cmp(const ngx_registry_pair_t *a,
    const ngx_registry_pair_t *b);
static int ngx_registry_uri_cmp(const ngx_registry_span_t *a,
    const ngx_registry_span_t *b);
static int ngx_registry_uri_plain(u_char ch, int slash);
static u_char *ngx_registry_sigv4_put(u_char *dst, const void *src,
    size_t len);
static u_char ngx_registry_sigv4_low(u_char ch);

#define ngx_registry_sigv4_put_n(dst, literal)                                \
    ngx_registry_sigv4_put(dst, literal, sizeof(literal) - 1)

#define ngx_registry_sigv4_put_span(dst, span)                                \
    ngx_registry_sigv4_put(dst, (span)->data, (span)->len)


u_char *
ngx_registry_sigv4_date_write(u_char *dst, int64_t sec)
{
    int64_t  days, era, doe, yoe, doy, mp, year, month, day, rest;

    /* civil date from days since the epoch, proleptic Gregorian calendar */

    days = sec / 86400;
    rest = sec % 86400;

    if (rest < 0) {
        rest += 86400;
        days--;
    }

    days += 719468;
    era = ((days >= 0) ? days : days - 146096) / 146097;
    doe = days - era * 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    mp = (5 * doy + 2) / 153;
    day = doy - (153 * mp + 2) / 5 + 1;
    month = (mp < 10) ? mp + 3 : mp - 9;
    year = yoe + era * 400 + (month <= 2);

    dst = ngx_registry_sigv4_digits(dst, year, 4);
    dst = ngx_registry_sigv4_digits(dst, month, 2);
    dst = ngx_registry_sigv4_digits(dst, day, 2);
    *dst++ = 'T';
    dst = ngx_registry_sigv4_digits(dst, rest / 3600, 2);
    dst = ngx_registry_sigv4_digits(dst, rest / 60 % 60, 2);
    dst = ngx_registry_sigv4_digits(dst, rest % 60, 2);
    *dst++ = 'Z';

    return dst;
}


static u_char *
ngx_registry_sigv4_digits(u_char *dst, int64_t n, unsigned width)
{
    unsigned  i;

    for (i = width; i > 0; i--) {
        dst[i - 1] = (u_char) ('0' + n % 10);
        n /= 10;
    }

    return dst + width;
}


ngx_registry_status_e
ngx_registry_sigv4_key(u_char key[NGX_REGISTRY_SIGV4_KEY_LEN],
    const ngx_registry_span_t *secret, const u_char *date,
    const ngx_registry_span_t *region, const ngx_registry_span_t *service)
{
    u_char                 first[4 + 256];
    ngx_registry_status_e  rc;

    static const u_char  terminator[] = "aws4_request";

    if (secret->len > sizeof(first) - 4) {
        return NGX_REGISTRY_TOO_LONG;
    }

    memcpy(first, "AWS4", 4);
    memcpy(first + 4, secret->data, secret->len);

    rc = ngx_registry_sigv4_hmac(key, first, 4 + secret->len, date,
                                 NGX_REGISTRY_SIGV4_DAY_LEN);

    OPENSSL_cleanse(first, sizeof(first));

    if (rc == NGX_REGISTRY_OK) {
        rc = ngx_registry_sigv4_hmac(key, key, NGX_REGISTRY_SIGV4_KEY_LEN,
                                     region->data, region->len);
    }

    if (rc == NGX_REGISTRY_OK) {
        rc = ngx_registry_sigv4_hmac(key, key, NGX_REGISTRY_SIGV4_KEY_LEN,
                                     service->data, service->len);
    }

    if (rc == NGX_REGISTRY_OK) {
        rc = ngx_registry_sigv4_hmac(key, key, NGX_REGISTRY_SIGV4_KEY_LEN,
                                     terminator, sizeof(terminator) - 1);
    }

    return rc;
}


static ngx_registry_status_e
ngx_registry_sigv4_hmac(u_char *out, const u_char *key, size_t key_len,
    const u_char *data, size_t len)
{
    unsigned  n;
    u_char    md[EVP_MAX_MD_SIZE];

    if (HMAC(EVP_sha256(), key, (int) key_len, data, len, md, &n) == NULL) {
        return NGX_REGISTRY_NO_MEMORY;
    }

    memcpy(out, md, NGX_REGISTRY_SIGV4_KEY_LEN);
    OPENSSL_cleanse(md, sizeof(md));

    return NGX_REGISTRY_OK;
}


size_t
ngx_registry_sigv4_authorization_len(const ngx_registry_sigv4_request_t *r,
    const ngx_registry_span_t *access_key)
{
    size_t  i, len;

    len = sizeof(NGX_REGISTRY_SIGV4_ALGORITHM
                 " Credential=/YYYYMMDD///aws4_request, SignedHeaders="
                 ", Signature=") - 1
          + access_key->len + r->region.len + r->service.len + 64;

    for (i = 0; i < r->nheaders; i++) {
        len += r->headers[i].name.len + 1;
    }

    return len;
}


u_char *
ngx_registry_sigv4_authorization_write(u_char *dst,
    ngx_registry_sigv4_request_t *r, const ngx_registry_span_t *access_key,
    const u_char key[NGX_REGISTRY_SIGV4_KEY_LEN])
{
    size_t   i, k;
    u_char   signature[64];

    if (r->nheaders > NGX_REGISTRY_SIGV4_HEADERS_MAX
        || r->date.len != NGX_REGISTRY_SIGV4_DATE_LEN)
    {
        return NULL;
    }

    ngx_registry_sigv4_sort(r->headers, r->nheaders,
                            ngx_registry_sigv4_header_cmp);

    if (ngx_registry_sigv4_sign(r, key, signature) != NGX_REGISTRY_OK) {
        return NULL;
    }

    dst = ngx_registry_sigv4_put_n(dst, NGX_REGISTRY_SIGV4_ALGORITHM
                                        " Credential=");
    dst = ngx_registry_sigv4_put_span(dst, access_key);
    *dst++ = '/';
    dst = ngx_registry_sigv4_put(dst, r->date.data,
                                 NGX_REGISTRY_SIGV4_DAY_LEN);
    *dst++ = '/';
    dst = ngx_registry_sigv4_put_span(dst, &r->region);
    *dst++ = '/';
    dst = ngx_registry_sigv4_put_span(dst, &r->service);
    dst = ngx_registry_sigv4_put_n(dst, "/aws4_request, SignedHeaders=");

    for (i = 0; i < r->nheaders; i++) {

        if (i && ngx_registry_sigv4_name_cmp(&r->headers[i - 1].name,
                                             &r->headers[i].name)
                 == 0)
        {
            continue;
        }

        if (i) {
            *dst++ = ';';
        }

        for (k = 0; k < r->headers[i].name.len; k++) {
            *dst++ = ngx_registry_sigv4_low(r->headers[i].name.data[k]);
        }
    }

    dst = ngx_registry_sigv4_put_n(dst, ", Signature=");

    return ngx_registry_sigv4_put(dst, signature, sizeof(signature));
}


static ngx_registry_status_e
ngx_registry_sigv4_sign(const ngx_registry_sigv4_request_t *r,
    const u_char *key, u_char *hex)
{
    u_char                     *p, canonical[64];
    u_char                      md[NGX_REGISTRY_SIGV4_KEY_LEN];
    u_char                      text[512];
    ngx_registry_status_e       rc;

    /* AWS Signature Version 4, Create a string to sign */

    if (r->region.len + r->service.len > 256) {
        return NGX_REGISTRY_TOO_LONG;
    }

    rc = ngx_registry_sigv4_canonical(r, canonical);
    if (rc != NGX_REGISTRY_OK) {
        return rc;
    }

    p = ngx_registry_sigv4_put_n(text, NGX_REGISTRY_SIGV4_ALGORITHM "\n");
    p = ngx_registry_sigv4_put_span(p, &r->date);
    *p++ = '\n';
    p = ngx_registry_sigv4_put(p, r->date.data, NGX_REGISTRY_SIGV4_DAY_LEN);
    *p++ = '/';
    p = ngx_registry_sigv4_put_span(p, &r->region);
    *p++ = '/';
    p = ngx_registry_sigv4_put_span(p, &r->service);
    p = ngx_registry_sigv4_put_n(p, "/aws4_request\n");
    p = ngx_registry_sigv4_put(p, canonical, sizeof(canonical));

    rc = ngx_registry_sigv4_hmac(md, key, NGX_REGISTRY_SIGV4_KEY_LEN, text,
                                 (size_t) (p - text));

    if (rc == NGX_REGISTRY_OK) {
        (void) ngx_registry_hex_write(hex, md, sizeof(md));
    }

    return rc;
}


static ngx_registry_status_e
ngx_registry_sigv4_canonical(const ngx_registry_sigv4_request_t *r,
    u_char *hex)
{
    u_char                      md[EVP_MAX_MD_SIZE];
    unsigned                    n;
    ngx_registry_sigv4_hash_t   hash;

    /* AWS Signature Version 4, Create a canonical request */

    hash.failed = 0;
    hash.md = EVP_MD_CTX_new();

    if (hash.md == NULL) {
        return NGX_REGISTRY_NO_MEMORY;
    }

    if (EVP_DigestInit_ex(hash.md, EVP_sha256(), NULL) != 1) {
        hash.failed = 1;
    }

    ngx_registry_sigv4_update(&hash, r->method.data, r->method.len);
    ngx_registry_sigv4_update(&hash, "\n", 1);
    ngx_registry_sigv4_update(&hash, r->path.data, r->path.len);
    ngx_registry_sigv4_update(&hash, "\n", 1);
    ngx_registry_sigv4_update(&hash, r->query.data, r->query.len);
    ngx_registry_sigv4_update(&hash, "\n", 1);
    ngx_registry_sigv4_headers(&hash, r);
    ngx_registry_sigv4_update(&hash, r->payload.data, r->payload.len);

    if (!hash.failed && EVP_DigestFinal_ex(hash.md, md, &n) != 1) {
        hash.failed = 1;
    }

    EVP_MD_CTX_free(hash.md);

    if (hash.failed) {
        return NGX_REGISTRY_NO_MEMORY;
    }

    (void) ngx_registry_hex_write(hex, md, 32);

    return NGX_REGISTRY_OK;
}


static void
ngx_registry_sigv4_headers(ngx_registry_sigv4_hash_t *hash,
    const ngx_registry_sigv4_request_t *r)
{
    size_t  i;

    for (i = 0; i < r->nheaders; i++) {

        if (i && ngx_registry_sigv4_name_cmp(&r->headers[i - 1].name,
                                             &r->headers[i].name)
                 == 0)
        {
            ngx_registry_sigv4_update(hash, ",", 1);

        } else {
            if (i) {
                ngx_registry_sigv4_update(hash, "\n", 1);
            }

            ngx_registry_sigv4_lower(hash, &r->headers[i].name);
            ngx_registry_sigv4_update(hash, ":", 1);
        }

        ngx_registry_sigv4_value(hash, &r->headers[i].value);
    }

    ngx_registry_sigv4_update(hash, "\n\n", i ? 2 : 1);

    for (i = 0; i < r->nheaders; i++) {

        if (i && ngx_registry_sigv4_name_cmp(&r->headers[i - 1].name,
                                             &r->headers[i].name)
                 == 0)
        {
            continue;
        }

        if (i) {
            ngx_registry_sigv4_update(hash, ";", 1);
        }

        ngx_registry_sigv4_lower(hash, &r->headers[i].name);
    }

    ngx_registry_sigv4_update(hash, "\n", 1);
}


static void
ngx_registry_sigv4_update(ngx_registry_sigv4_hash_t *hash, const void *data,
    size_t len)
{
    if (len && !hash->failed && EVP_DigestUpdate(hash->md, data, len) != 1) {
        hash->failed = 1;
    }
}


static void
ngx_registry_sigv4_lower(ngx_registry_sigv4_hash_t *hash,
    const ngx_registry_span_t *name)
{
    size_t  i;
    u_char  ch;

    for (i = 0; i < name->len; i++) {
        ch = ngx_registry_sigv4_low(name->data[i]);
        ngx_registry_sigv4_update(hash, &ch, 1);
    }
}


static void
ngx_registry_sigv4_value(ngx_registry_sigv4_hash_t *hash,
    const ngx_registry_span_t *value)
{
    const u_char  *p, *last, *word;

    /* trimmed, runs of blanks become one */

    p = value->data;
    last = p + value->len;

    for ( ;; ) {

        while (p < last && (*p == ' ' || *p == '\t')) {
            p++;
        }

        if (p == last) {
            return;
        }

        for (word = p; p < last && *p != ' ' && *p != '\t'; p++) {
            /* void */
        }

        ngx_registry_sigv4_update(hash, word, (size_t) (p - word));

        for (word = p; word < last && (*word == ' ' || *word == '\t'); word++)
        {
            /* void */
        }

        if (word < last) {
            ngx_registry_sigv4_update(hash, " ", 1);
        }
    }
}


static u_char
ngx_registry_sigv4_low(u_char ch)
{
    return (ch >= 'A' && ch <= 'Z') ? (u_char) (ch | 0x20) : ch;
}


static int
ngx_registry_sigv4_name_cmp(const ngx_registry_span_t *a,
    const ngx_registry_span_t *b)
{
    int     d;
    size_t  i;

    for (i = 0; i < a->len && i < b->len; i++) {
        d = ngx_registry_sigv4_low(a->data[i])
            - ngx_registry_sigv4_low(b->data[i]);

        if (d) {
            return d;
        }
    }

    return (a->len > b->len) - (a->len < b->len);
}


static int
ngx_registry_sigv4_header_cmp(const ngx_registry_pair_t *a,
    const ngx_registry_pair_t *b)
{
    return ngx_registry_sigv4_name_cmp(&a->name, &b->name);
}


static void
ngx_registry_sigv4_sort(ngx_registry_pair_t *pairs, size_t n,
    int (*cmp)(const ngx_registry_pair_t *a, const ngx_registry_pair_t *b))
{
    size_t               i, k;
    ngx_registry_pair_t  pair;

    /* insertion: few elements, and equal ones keep their order */

    for (i = 1; i < n; i++) {
        pair = pairs[i];

        for (k = i; k > 0 && cmp(&pairs[k - 1], &pair) > 0; k--) {
            pairs[k] = pairs[k - 1];
        }

        pairs[k] = pair;
    }
}


size_t
ngx_registry_sigv4_query_len(const ngx_registry_pair_t *pairs, size_t n)
{
    size_t  i, len;

    len = 0;

    for (i = 0; i < n; i++) {
        len += ngx_registry_uri_encode_len(&pairs[i].name, 0)
               + ngx_registry_uri_encode_len(&pairs[i].value, 0)
               + (i ? 2 : 1);
    }

    return len;
}


u_char *
ngx_registry_sigv4_query_write(u_char *dst, ngx_registry_pair_t *pairs,
    size_t n)
{
    size_t  i;

    ngx_registry_sigv4_sort(pairs, n, ngx_registry_sigv4_query_cmp);

    for (i = 0; i < n; i++) {

        if (i) {
            *dst++ = '&';
        }

        dst = ngx_registry_uri_encode_write(dst, &pairs[i].name, 0);
        *dst++ = '=';
        dst = ngx_registry_uri_encode_write(dst, &pairs[i].value, 0);
    }

    return dst;
}


static int
ngx_registry_sigv4_query_cmp(const ngx_registry_pair_t *a,
    const ngx_registry_pair_t *b)
{
    int  rc;

    rc = ngx_registry_uri_cmp(&a->name, &b->name);

    return rc ? rc : ngx_registry_uri_cmp(&a->value, &b->value);
}


static int
ngx_registry_uri_cmp(const ngx_registry_span_t *a,
    const ngx_registry_span_t *b)
{
    int     x, y;
    size_t  i;

    /* the order of the encoded forms, which begin with "%" if not plain */

    for (i = 0; i < a->len && i < b->len; i++) {

        if (a->data[i] == b->data[i]) {
            continue;
        }

        x = ngx_registry_uri_plain(a->data[i], 0) ? a->data[i] : '%';
        y = ngx_registry_uri_plain(b->data[i], 0) ? b->data[i] : '%';

        return (x != y) ? x - y : a->data[i] - b->data[i];
    }

    return (a->len > b->len) - (a->len < b->len);
}


static int
ngx_registry_uri_plain(u_char ch, int slash)
{
    return (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z')
           || (ch >= '0' && ch <= '9')
           || ch == '-' || ch == '.' || ch == '_' || ch == '~'
           || (slash && ch == '/');
}


size_t
ngx_registry_uri_encode_len(const ngx_registry_span_t *s, int slash)
{
    size_t  i, len;

    len = s->len;

    for (i = 0; i < s->len; i++) {
        if (!ngx_registry_uri_plain(s->data[i], slash)) {
            len += 2;
        }
    }

    return len;
}


u_char *
ngx_registry_uri_encode_write(u_char *dst, const ngx_registry_span_t *s,
    int slash)
{
    size_t  i;
    u_char  ch;

    static const u_char  hex[] = "0123456789ABCDEF";

    for (i = 0; i < s->len; i++) {
        ch = s->data[i];

        if (ngx_registry_uri_plain(ch, slash)) {
            *dst++ = ch;
            continue;
        }

        *dst++ = '%';
        *dst++ = hex[ch >> 4];
        *dst++ = hex[ch & 0xf];
    }

    return dst;
}


static u_char *
ngx_registry_sigv4_put(u_char *dst, const void *src, size_t len)
{
    if (len) {
        memcpy(dst, src, len);
    }

    return dst + len;
}
