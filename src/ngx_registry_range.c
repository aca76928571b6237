
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_range.h"


static const u_char *ngx_registry_range_blanks(const u_char *p,
    const u_char *last);
static const u_char *ngx_registry_range_number(const u_char *p,
    const u_char *last, int64_t *n);
static const u_char *ngx_registry_etag_read(const u_char *p,
    const u_char *last, ngx_registry_span_t *tag);


ngx_registry_status_e
ngx_registry_range_scan(const u_char *p, const u_char *last_byte,
    int64_t *first, int64_t *last)
{
    size_t         i;
    const u_char  *end;

    static const char  unit[] = "bytes";

    *first = -1;
    *last = -1;

    end = last_byte;
    p = ngx_registry_range_blanks(p, end);

    if ((size_t) (end - p) < sizeof(unit)) {
        return NGX_REGISTRY_NONE;
    }

    /* RFC 9110, Range Units: names are case-insensitive */

    for (i = 0; i < sizeof(unit) - 1; i++) {
        if ((p[i] | 0x20) != unit[i]) {
            return NGX_REGISTRY_NONE;
        }
    }

    if (p[i] != '=') {
        return NGX_REGISTRY_NONE;
    }

    p = ngx_registry_range_blanks(p + i + 1, end);
    p = ngx_registry_range_number(p, end, first);

    if (p == end || *p != '-') {
        return NGX_REGISTRY_NONE;
    }

    p = ngx_registry_range_number(p + 1, end, last);
    p = ngx_registry_range_blanks(p, end);

    if (*first == -1 && *last == -1) {
        return NGX_REGISTRY_NONE;
    }

    if (p < end) {
        return (*p == ',') ? NGX_REGISTRY_MULTIPLE : NGX_REGISTRY_NONE;
    }

    /*
     * RFC 9110 calls "500-0" invalid, to be ignored; nginx and the suite of
     * the OCI distribution-spec have it not satisfiable
     */

    if (*first != -1 && *last != -1 && *last < *first) {
        return NGX_REGISTRY_UNSATISFIABLE;
    }

    return NGX_REGISTRY_OK;
}


ngx_registry_status_e
ngx_registry_range_parse(const u_char *p, const u_char *last, int64_t size,
    int64_t *start, int64_t *end)
{
    int64_t                 a, b;
    ngx_registry_status_e   rc;

    rc = ngx_registry_range_scan(p, last, &a, &b);

    if (rc != NGX_REGISTRY_OK) {
        return rc;
    }

    if (a == -1) {

        /* the last b bytes */

        if (b == 0) {
            return NGX_REGISTRY_UNSATISFIABLE;
        }

        if (size == 0) {
            return NGX_REGISTRY_NONE;
        }

        *start = (b < size) ? size - b : 0;
        *end = size;

        return NGX_REGISTRY_OK;
    }

    if (a >= size) {

        /*
         * RFC 9110 would have 416; as in nginx and Go's net/http, clients
         * that ask for a range of everything get empty blobs too
         */

        return (size == 0 && a == 0) ? NGX_REGISTRY_NONE
                                     : NGX_REGISTRY_UNSATISFIABLE;
    }

    *start = a;
    *end = (b == -1 || b >= size) ? size : b + 1;

    return NGX_REGISTRY_OK;
}


static const u_char *
ngx_registry_range_blanks(const u_char *p, const u_char *last)
{
    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    return p;
}


static const u_char *
ngx_registry_range_number(const u_char *p, const u_char *last, int64_t *n)
{
    int64_t  value, digit;

    value = (p < last && *p >= '0' && *p <= '9') ? 0 : -1;

    for ( /* void */ ; p < last && *p >= '0' && *p <= '9'; p++) {
        digit = *p - '0';

        if (value > (INT64_MAX - digit) / 10) {

            /* no size is above it, so neither is what is asked for */

            value = INT64_MAX;

        } else {
            value = value * 10 + digit;
        }
    }

    *n = value;

    return p;
}


int
ngx_registry_etag_match(const u_char *p, const u_char *last,
    const ngx_registry_span_t *digest)
{
    u_char               first;
    ngx_registry_span_t  tag;

    while (p < last) {

        first = *p;

        if (first == ' ' || first == '\t' || first == ',') {
            p++;
            continue;
        }

        p = ngx_registry_etag_read(p, last, &tag);

        if (first == '*' && tag.len == 1) {
            return 1;
        }

        if (tag.len && tag.len == digest->len
            && memcmp(tag.data, digest->data, tag.len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static const u_char *
ngx_registry_etag_read(const u_char *p, const u_char *last,
    ngx_registry_span_t *tag)
{
    u_char         end;
    const u_char  *start;

    /* RFC 9110, If-None-Match: the comparison is weak */

    if (last - p > 2 && p[0] == 'W' && p[1] == '/' && p[2] == '"') {
        p += 2;
    }

    /* a tag in quotes may have commas */

    end = (*p == '"') ? '"' : ',';

    if (end == '"') {
        p++;
    }

    for (start = p; p < last && *p != end; p++) { /* void */ }

    tag->data = start;
    tag->len = (size_t) (p - start);

    if (end == ',') {

        while (tag->len
               && (start[tag->len - 1] == ' ' || start[tag->len - 1] == '\t'))
        {
            tag->len--;
        }

        return p;
    }

    if (p < last) {
        p = ngx_registry_range_blanks(p + 1, last);

        if (p == last || *p == ',') {
            return p;
        }
    }

    /* no quote at the end, or no comma after it: what follows is anything */

    tag->len = 0;

    return last;
}
