
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/*
 * AWS SDKs and Tools Reference Guide, Container credential provider: ECS, EKS
 * Pod Identity, Greengrass, and any sidecar that speaks as they do.
 */


#define NGX_HTTP_REGISTRY_CONTAINER_TIMEOUT  2000
#define NGX_HTTP_REGISTRY_CONTAINER_TRIES    3
#define NGX_HTTP_REGISTRY_CONTAINER_TOKEN    20000


static ngx_int_t ngx_http_registry_container_request(
    ngx_http_registry_fetch_t *fetch, ngx_http_registry_http_t *rq);
static ngx_int_t ngx_http_registry_container_token(
    ngx_http_registry_fetch_t *fetch, ngx_http_registry_http_t *rq);
static ngx_int_t ngx_http_registry_container_header(
    ngx_http_registry_fetch_t *fetch, ngx_http_registry_http_t *rq,
    ngx_str_t *token, const char *what);


ngx_int_t
ngx_http_registry_container(ngx_http_registry_fetch_t *fetch)
{
    ngx_int_t                  rc;
    ngx_str_t                 *uri;
    ngx_registry_refusal_t     refusal;
    ngx_registry_status_e      status;
    ngx_http_registry_http_t   rq;

    ngx_memzero(&rq, sizeof(ngx_http_registry_http_t));

    if (ngx_http_registry_container_request(fetch, &rq) != NGX_OK) {
        ngx_http_registry_fetch_free(&rq);
        return NGX_ERROR;
    }

    uri = &fetch->source->env->container;

    if (ngx_http_registry_fetch_http(fetch, &rq) != NGX_OK) {
        ngx_http_registry_fetch_free(&rq);
        return ngx_http_registry_fetch_error(fetch, "container: GET %V: %s",
                                             uri, rq.failure);
    }

    status = ngx_registry_credentials_parse(rq.data, rq.data + rq.len,
                                            NGX_REGISTRY_CREDENTIALS_CONTAINER,
                                            &ngx_http_registry_secret_memory,
                                            &fetch->set, &refusal);

    if (rq.status != NGX_HTTP_OK || status != NGX_REGISTRY_OK) {

        if (rq.status != NGX_HTTP_OK && refusal.code_len == 0) {
            rc = ngx_http_registry_fetch_error(fetch,
                                     "container: GET %V: status %l", uri,
                                     rq.status);

        } else {
            rc = ngx_http_registry_fetch_refused(fetch, "container",
                                                 rq.status, &refusal);
        }

        ngx_registry_credentials_wipe(&fetch->set);

    } else {
        ngx_http_registry_fetch_detail(fetch, "%V", uri);
        rc = NGX_OK;
    }

    ngx_http_registry_fetch_free(&rq);

    return rc;
}


static ngx_int_t
ngx_http_registry_container_request(ngx_http_registry_fetch_t *fetch,
    ngx_http_registry_http_t *rq)
{
    ngx_str_t  *uri;

    uri = &fetch->source->env->container;

    if (uri->len == 0) {
        return ngx_http_registry_fetch_error(fetch,
                     "container: neither "
                     "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor "
                     "AWS_CONTAINER_CREDENTIALS_FULL_URI is set");
    }

    switch (ngx_registry_container_uri(uri->data, uri->data + uri->len)) {

    case NGX_REGISTRY_OK:
        break;

    case NGX_REGISTRY_NONE:
        rq->local = 1;
        break;

    case NGX_REGISTRY_UNSUPPORTED:
        return ngx_http_registry_fetch_error(fetch,
                     "container: AWS_CONTAINER_CREDENTIALS_FULL_URI \"%V\" "
                     "is http of a host that is neither this one nor of ECS "
                     "or EKS", uri);

    default:
        return ngx_http_registry_fetch_error(fetch,
                     "container: AWS_CONTAINER_CREDENTIALS_FULL_URI \"%V\" "
                     "is no URI of http or https", uri);
    }

    rq->url = (char *) uri->data;
    rq->method = "GET";
    rq->tries = NGX_HTTP_REGISTRY_CONTAINER_TRIES;
    rq->timeout = NGX_HTTP_REGISTRY_CONTAINER_TIMEOUT;

    if (ngx_http_registry_fetch_header(rq, "Accept",
                                       (u_char *) "application/json", 16)
        != NGX_OK)
    {
        return ngx_http_registry_fetch_error(fetch, "no memory");
    }

    return ngx_http_registry_container_token(fetch, rq);
}


static ngx_int_t
ngx_http_registry_container_token(ngx_http_registry_fetch_t *fetch,
    ngx_http_registry_http_t *rq)
{
    ngx_int_t                 rc;
    ngx_str_t                 token;
    ngx_http_registry_env_t  *env;

    env = fetch->source->env;

    if (env->container_token_file.len) {

        if (ngx_http_registry_fetch_file(fetch, &env->container_token_file,
                                         NGX_HTTP_REGISTRY_CONTAINER_TOKEN, 0,
                                         &token)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        rc = ngx_http_registry_container_header(fetch, rq, &token,
                               "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");

        ngx_http_registry_secret_free(token.data);

        return rc;
    }

    if (env->container_token.len) {
        token = env->container_token;

        return ngx_http_registry_container_header(fetch, rq, &token,
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_container_header(ngx_http_registry_fetch_t *fetch,
    ngx_http_registry_http_t *rq, ngx_str_t *token, const char *what)
{
    size_t  i, len;

    len = token->len;

    while (len && (token->data[len - 1] == '\n'
                   || token->data[len - 1] == '\r'))
    {
        len--;
    }

    if (len == 0) {
        return ngx_http_registry_fetch_error(fetch, "container: %s is empty",
                                             what);
    }

    for (i = 0; i < len; i++) {
        if (token->data[i] < 0x20 || token->data[i] == 0x7f) {
            return ngx_http_registry_fetch_error(fetch,
                         "container: %s has control characters", what);
        }
    }

    if (ngx_http_registry_fetch_header(rq, "Authorization", token->data, len)
        != NGX_OK)
    {
        return ngx_http_registry_fetch_error(fetch, "no memory");
    }

    return NGX_OK;
}
