
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* what malloc() gives is aligned for anything, so is what follows this */

typedef union {
    size_t       size;
    long double  align;
} ngx_http_registry_secret_t;


const ngx_registry_memory_t  ngx_http_registry_secret_memory = {
    ngx_http_registry_secret_alloc,
    ngx_http_registry_secret_resize,
    ngx_http_registry_secret_free
};


void *
ngx_http_registry_secret_alloc(size_t size)
{
    ngx_http_registry_secret_t  *secret;

    if (size > NGX_MAX_SIZE_T_VALUE - sizeof(ngx_http_registry_secret_t)) {
        return NULL;
    }

    secret = malloc(sizeof(ngx_http_registry_secret_t) + size);
    if (secret == NULL) {
        return NULL;
    }

    secret->size = size;

    return secret + 1;
}


void *
ngx_http_registry_secret_calloc(size_t n, size_t size)
{
    void  *p;

    if (size && n > NGX_MAX_SIZE_T_VALUE / size) {
        return NULL;
    }

    p = ngx_http_registry_secret_alloc(n * size);

    if (p) {
        ngx_memzero(p, n * size);
    }

    return p;
}


void *
ngx_http_registry_secret_resize(void *p, size_t size)
{
    void                        *dst;
    ngx_http_registry_secret_t  *secret;

    if (p == NULL) {
        return ngx_http_registry_secret_alloc(size);
    }

    /* never in place: realloc() would leave the old bytes where they were */

    dst = ngx_http_registry_secret_alloc(size);

    if (dst == NULL) {
        return NULL;
    }

    secret = (ngx_http_registry_secret_t *) p - 1;

    ngx_memcpy(dst, p, ngx_min(secret->size, size));

    ngx_http_registry_secret_free(p);

    return dst;
}


char *
ngx_http_registry_secret_strdup(const char *s)
{
    char    *p;
    size_t   len;

    len = ngx_strlen(s) + 1;

    p = ngx_http_registry_secret_alloc(len);

    if (p) {
        ngx_memcpy(p, s, len);
    }

    return p;
}


void
ngx_http_registry_secret_free(void *p)
{
    ngx_http_registry_secret_t  *secret;

    if (p == NULL) {
        return;
    }

    secret = (ngx_http_registry_secret_t *) p - 1;

    ngx_explicit_memzero(p, secret->size);

    free(secret);
}
