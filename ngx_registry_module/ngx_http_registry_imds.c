
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/*
 * EC2 User Guide, Use IMDSv2: a token first, by PUT, then what is wanted.
 * IMDSv1 is never asked: a token that cannot be had is a fault to be told.
 */


#define NGX_HTTP_REGISTRY_IMDS_TIMEOUT  1000
#define NGX_HTTP_REGISTRY_IMDS_TRIES    3

#define NGX_HTTP_REGISTRY_IMDS_TOKEN    "/latest/api/token"
#define NGX_HTTP_REGISTRY_IMDS_ROLE                                           \
    "/latest/meta-data/iam/security-credentials/"
#define NGX_HTTP_REGISTRY_IMDS_REGION   "/latest/meta-data/placement/region"


typedef struct {
    ngx_http_registry_fetch_t   *fetch;
    size_t                       token_len;
    u_char                       token[256];
    ngx_uint_t                   tokens;          /* asked for */
} ngx_http_registry_imds_t;


static ngx_int_t ngx_http_registry_imds_token(ngx_http_registry_imds_t *imds);
static ngx_int_t ngx_http_registry_imds_get(ngx_http_registry_imds_t *imds,
    const char *path, ngx_str_t *name, ngx_http_registry_http_t *rq);
static void ngx_http_registry_imds_url(ngx_http_registry_imds_t *imds,
    const char *path, ngx_str_t *name, u_char *url, size_t size);
static ngx_int_t ngx_http_registry_imds_line(ngx_http_registry_imds_t *imds,
    ngx_http_registry_http_t *rq, const char *what, u_char *dst, size_t size,
    ngx_str_t *line);
static ngx_int_t ngx_http_registry_imds_keys(ngx_http_registry_imds_t *imds,
    ngx_str_t *role);


ngx_int_t
ngx_http_registry_imds(ngx_http_registry_fetch_t *fetch)
{
    u_char                     name[128];
    ngx_int_t                  rc;
    ngx_str_t                  role;
    ngx_http_registry_http_t   rq;
    ngx_http_registry_imds_t   imds;

    ngx_memzero(&imds, sizeof(ngx_http_registry_imds_t));
    imds.fetch = fetch;

    if (ngx_http_registry_imds_get(&imds, NGX_HTTP_REGISTRY_IMDS_ROLE, NULL,
                                   &rq)
        != NGX_OK)
    {
        rc = NGX_ERROR;

    } else if (rq.status == NGX_HTTP_NOT_FOUND) {
        ngx_http_registry_fetch_free(&rq);
        rc = ngx_http_registry_fetch_error(fetch,
                     "IMDS: no role is attached to the instance (GET %V%s: "
                     "status 404)", &fetch->source->env->imds,
                     NGX_HTTP_REGISTRY_IMDS_ROLE);

    } else {
        rc = ngx_http_registry_imds_line(&imds, &rq,
                                         NGX_HTTP_REGISTRY_IMDS_ROLE, name,
                                         sizeof(name), &role);
        if (rc == NGX_OK) {
            rc = ngx_http_registry_imds_keys(&imds, &role);
        }
    }

    ngx_explicit_memzero(&imds, sizeof(ngx_http_registry_imds_t));

    return rc;
}


ngx_int_t
ngx_http_registry_imds_region(ngx_http_registry_fetch_t *fetch)
{
    ngx_int_t                  rc;
    ngx_str_t                  region;
    ngx_http_registry_http_t   rq;
    ngx_http_registry_imds_t   imds;

    ngx_memzero(&imds, sizeof(ngx_http_registry_imds_t));
    imds.fetch = fetch;

    rc = ngx_http_registry_imds_get(&imds, NGX_HTTP_REGISTRY_IMDS_REGION,
                                    NULL, &rq);

    if (rc == NGX_OK) {
        rc = ngx_http_registry_imds_line(&imds, &rq,
                                         NGX_HTTP_REGISTRY_IMDS_REGION,
                                         fetch->set.access_key, 64, &region);
    }

    if (rc == NGX_OK) {
        fetch->set.access_key_len = region.len;
    }

    ngx_explicit_memzero(&imds, sizeof(ngx_http_registry_imds_t));

    return rc;
}


static ngx_int_t
ngx_http_registry_imds_token(ngx_http_registry_imds_t *imds)
{
    u_char                     url[512];
    size_t                     i;
    ngx_int_t                  rc;
    ngx_http_registry_http_t   rq;

    ngx_memzero(&rq, sizeof(ngx_http_registry_http_t));

    ngx_http_registry_imds_url(imds, NGX_HTTP_REGISTRY_IMDS_TOKEN, NULL, url,
                               sizeof(url));

    rq.url = (char *) url;
    rq.method = "PUT";
    rq.tries = NGX_HTTP_REGISTRY_IMDS_TRIES;
    rq.timeout = NGX_HTTP_REGISTRY_IMDS_TIMEOUT;

    imds->tokens++;
    imds->token_len = 0;

    /* for the questions of this fetch only */

    rc = ngx_http_registry_fetch_header(&rq,
                                        "X-aws-ec2-metadata-token-ttl-seconds",
                                        (u_char *) "60", 2);
    if (rc == NGX_OK) {
        rc = ngx_http_registry_fetch_http(imds->fetch, &rq);
    }

    if (rc != NGX_OK) {
        (void) ngx_http_registry_fetch_error(imds->fetch,
                     "IMDS: PUT %s: %s; if this runs in a container behind a "
                     "bridge, the hop limit in the metadata options of the "
                     "instance must be 2", url,
                     rq.failure ? rq.failure : "no memory");
        goto done;
    }

    rc = NGX_ERROR;

    if (rq.status != NGX_HTTP_OK) {
        (void) ngx_http_registry_fetch_error(imds->fetch,
                     "IMDS: PUT %s: status %l%s", url, rq.status,
                     rq.status == NGX_HTTP_FORBIDDEN
                     ? ", it is switched off in the metadata options of the "
                       "instance, or was reached by a proxy" : "");
        goto done;
    }

    if (rq.len == 0 || rq.len > sizeof(imds->token)) {
        (void) ngx_http_registry_fetch_error(imds->fetch,
                     "IMDS: PUT %s: %uz bytes are no token", url, rq.len);
        goto done;
    }

    for (i = 0; i < rq.len; i++) {
        if (rq.data[i] <= 0x20 || rq.data[i] >= 0x7f) {
            (void) ngx_http_registry_fetch_error(imds->fetch,
                         "IMDS: PUT %s: the answer is no token", url);
            goto done;
        }
    }

    ngx_memcpy(imds->token, rq.data, rq.len);
    imds->token_len = rq.len;

    rc = NGX_OK;

done:

    ngx_http_registry_fetch_free(&rq);

    return rc;
}


/*
 * NGX_OK: an answer of any status, which the caller frees.
 */
static ngx_int_t
ngx_http_registry_imds_get(ngx_http_registry_imds_t *imds, const char *path,
    ngx_str_t *name, ngx_http_registry_http_t *rq)
{
    u_char     url[512];
    ngx_int_t  rc;

    ngx_http_registry_imds_url(imds, path, name, url, sizeof(url));

    for ( ;; ) {

        if (imds->token_len == 0
            && ngx_http_registry_imds_token(imds) != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_memzero(rq, sizeof(ngx_http_registry_http_t));

        rq->url = (char *) url;
        rq->method = "GET";
        rq->tries = NGX_HTTP_REGISTRY_IMDS_TRIES;
        rq->timeout = NGX_HTTP_REGISTRY_IMDS_TIMEOUT;

        rc = ngx_http_registry_fetch_header(rq, "X-aws-ec2-metadata-token",
                                            imds->token, imds->token_len);
        if (rc == NGX_OK) {
            rc = ngx_http_registry_fetch_http(imds->fetch, rq);
        }

        if (rc != NGX_OK) {
            (void) ngx_http_registry_fetch_error(imds->fetch,
                                    "IMDS: GET %s: %s", url,
                                    rq->failure ? rq->failure : "no memory");
            ngx_http_registry_fetch_free(rq);
            return NGX_ERROR;
        }

        /* EC2 User Guide: 401 is a token that IMDS does not know */

        if (rq->status != NGX_HTTP_UNAUTHORIZED || imds->tokens == 2) {
            return NGX_OK;
        }

        ngx_http_registry_fetch_free(rq);
        imds->token_len = 0;
    }
}


static void
ngx_http_registry_imds_url(ngx_http_registry_imds_t *imds, const char *path,
    ngx_str_t *name, u_char *url, size_t size)
{
    ngx_str_t  none;

    ngx_str_null(&none);

    *ngx_snprintf(url, size - 1, "%V%s%V", &imds->fetch->source->env->imds,
                  path, name ? name : &none) = '\0';
}


/*
 * The first line of an answer, as a name that goes into a URL; frees it.
 */
static ngx_int_t
ngx_http_registry_imds_line(ngx_http_registry_imds_t *imds,
    ngx_http_registry_http_t *rq, const char *what, u_char *dst, size_t size,
    ngx_str_t *line)
{
    u_char      ch;
    size_t      len;
    ngx_str_t  *base;
    ngx_int_t   rc;

    base = &imds->fetch->source->env->imds;
    rc = NGX_ERROR;

    if (rq->status != NGX_HTTP_OK) {
        (void) ngx_http_registry_fetch_error(imds->fetch,
                                             "IMDS: GET %V%s: status %l",
                                             base, what, rq->status);
        goto done;
    }

    for (len = 0; len < rq->len; len++) {
        ch = rq->data[len];

        /* IAM User Guide, Quotas: names of roles */

        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
              || (ch >= '0' && ch <= '9') || ch == '_' || ch == '-'
              || ch == '+' || ch == '=' || ch == ',' || ch == '.'
              || ch == '@'))
        {
            break;
        }
    }

    if (len == 0 || len > size
        || (len < rq->len && rq->data[len] != '\n' && rq->data[len] != '\r'))
    {
        (void) ngx_http_registry_fetch_error(imds->fetch,
                                  "IMDS: GET %V%s: the answer is no name",
                                  base, what);
        goto done;
    }

    ngx_memcpy(dst, rq->data, len);

    line->data = dst;
    line->len = len;

    rc = NGX_OK;

done:

    ngx_http_registry_fetch_free(rq);

    return rc;
}


static ngx_int_t
ngx_http_registry_imds_keys(ngx_http_registry_imds_t *imds, ngx_str_t *role)
{
    ngx_int_t                  rc;
    ngx_registry_refusal_t     refusal;
    ngx_http_registry_http_t   rq;

    if (ngx_http_registry_imds_get(imds, NGX_HTTP_REGISTRY_IMDS_ROLE, role,
                                   &rq)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_memzero(&refusal, sizeof(ngx_registry_refusal_t));

    if (rq.status != NGX_HTTP_OK) {
        rc = ngx_http_registry_fetch_error(imds->fetch,
                               "IMDS: keys of role \"%V\": status %l", role,
                               rq.status);

    } else if (ngx_registry_credentials_parse(rq.data, rq.data + rq.len,
                                    NGX_REGISTRY_CREDENTIALS_IMDS,
                                    &ngx_http_registry_secret_memory,
                                    &imds->fetch->set, &refusal)
               != NGX_REGISTRY_OK)
    {
        rc = ngx_http_registry_fetch_refused(imds->fetch,
                                             "IMDS: keys of the role",
                                             rq.status, &refusal);

    } else {
        ngx_http_registry_fetch_detail(imds->fetch, "role \"%V\"", role);
        rc = NGX_OK;
    }

    ngx_http_registry_fetch_free(&rq);

    return rc;
}
