
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/*
 * AWS STS API Reference, AssumeRole and AssumeRoleWithWebIdentity.
 */


#define NGX_HTTP_REGISTRY_STS_TIMEOUT  5000
#define NGX_HTTP_REGISTRY_STS_TRIES    3

/* AssumeRoleWithWebIdentity: WebIdentityToken */
#define NGX_HTTP_REGISTRY_STS_TOKEN    20000


typedef struct {
    ngx_http_registry_fetch_t   *fetch;
    u_char                       url[512];
    u_char                       host[256];       /* with a port, as signed */
    size_t                       host_len;
    u_char                       path[256];
    size_t                       path_len;
    ngx_registry_span_t          region;          /* of the signature */
    u_char                       session[NGX_REGISTRY_STS_SESSION_MAX];
    unsigned                     corrected:1;     /* by the clock of STS */
} ngx_http_registry_sts_t;


static ngx_int_t ngx_http_registry_sts_endpoint(ngx_http_registry_sts_t *sts,
    ngx_registry_span_t *region);
static ngx_int_t ngx_http_registry_sts_custom(ngx_http_registry_sts_t *sts,
    ngx_str_t *url);
static void ngx_http_registry_sts_session(ngx_http_registry_sts_t *sts,
    ngx_registry_sts_request_t *rq);
static ngx_int_t ngx_http_registry_sts_post(ngx_http_registry_sts_t *sts,
    ngx_registry_sts_request_t *rq);
static ngx_int_t ngx_http_registry_sts_send(ngx_http_registry_sts_t *sts,
    ngx_registry_sts_request_t *rq, u_char *body, size_t len);
static ngx_int_t ngx_http_registry_sts_answer(ngx_http_registry_sts_t *sts,
    ngx_registry_sts_request_t *rq, ngx_http_registry_http_t *http);
static ngx_uint_t ngx_http_registry_sts_again(ngx_http_registry_sts_t *sts,
    ngx_registry_refusal_t *refusal);
static ngx_int_t ngx_http_registry_sts_sign(ngx_http_registry_sts_t *sts,
    ngx_http_registry_http_t *http);


ngx_int_t
ngx_http_registry_web_identity(ngx_http_registry_fetch_t *fetch)
{
    ngx_registry_span_t          region;
    ngx_http_registry_source_t  *source;
    ngx_registry_sts_request_t   rq;

    source = fetch->source;

    if (source->role_arn.len == 0 || source->token_file.len == 0) {
        return ngx_http_registry_fetch_error(fetch,
                                             "web identity: %s is not set",
                                             source->role_arn.len
                                             ? "AWS_WEB_IDENTITY_TOKEN_FILE"
                                             : "AWS_ROLE_ARN");
    }

    ngx_memzero(&rq, sizeof(ngx_registry_sts_request_t));

    rq.role_arn = ngx_http_registry_span(&source->role_arn);
    rq.session = ngx_http_registry_span(&source->role_session);

    region = ngx_http_registry_span(&source->region);

    return ngx_http_registry_sts_web_identity(fetch, &rq, &source->token_file,
                                              &region);
}


ngx_int_t
ngx_http_registry_sts_web_identity(ngx_http_registry_fetch_t *fetch,
    ngx_registry_sts_request_t *rq, ngx_str_t *token_file,
    ngx_registry_span_t *region)
{
    ngx_int_t                 rc;
    ngx_str_t                 token;
    ngx_http_registry_sts_t   sts;

    ngx_memzero(&sts, sizeof(ngx_http_registry_sts_t));
    sts.fetch = fetch;

    if (ngx_http_registry_sts_endpoint(&sts, region) != NGX_OK) {
        return NGX_ERROR;
    }

    /* the platform renews the file, so it is read each time */

    if (ngx_http_registry_fetch_file(fetch, token_file,
                                     NGX_HTTP_REGISTRY_STS_TOKEN, 0, &token)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    while (token.len && token.data[token.len - 1] <= 0x20) {
        token.len--;
    }

    if (token.len == 0) {
        ngx_http_registry_secret_free(token.data);
        return ngx_http_registry_fetch_error(fetch,
                                     "web identity: \"%V\" is empty",
                                     token_file);
    }

    rq->token = ngx_http_registry_span(&token);

    rc = ngx_http_registry_sts_post(&sts, rq);

    ngx_http_registry_secret_free(token.data);

    /* NOLINTNEXTLINE(clang-analyzer-core.StackAddressEscape): rq is used up */
    return rc;
}


ngx_int_t
ngx_http_registry_sts_assume(ngx_http_registry_fetch_t *fetch,
    ngx_registry_sts_request_t *rq, ngx_registry_span_t *region)
{
    ngx_http_registry_sts_t  sts;

    ngx_memzero(&sts, sizeof(ngx_http_registry_sts_t));
    sts.fetch = fetch;

    if (ngx_http_registry_sts_endpoint(&sts, region) != NGX_OK) {
        return NGX_ERROR;
    }

    rq->token.len = 0;

    return ngx_http_registry_sts_post(&sts, rq);
}


static ngx_int_t
ngx_http_registry_sts_endpoint(ngx_http_registry_sts_t *sts,
    ngx_registry_span_t *region)
{
    u_char                   *p;
    ngx_http_registry_env_t  *env;

    static ngx_str_t  global = ngx_string("us-east-1");

    env = sts->fetch->source->env;

    sts->region = region->len ? *region : ngx_http_registry_span(&global);

    if (env->sts.len) {
        return ngx_http_registry_sts_custom(sts, &env->sts);
    }

    p = ngx_registry_sts_host_write(sts->host, region, env->fips,
                                    env->dualstack);
    if (p == NULL) {
        return ngx_http_registry_fetch_error(sts->fetch,
                                     "STS: \"%*s\" is no region",
                                     region->len, region->data);
    }

    sts->host_len = p - sts->host;

    sts->path[0] = '/';
    sts->path_len = 1;

    *ngx_snprintf(sts->url, sizeof(sts->url) - 1, "https://%*s/",
                  sts->host_len, sts->host) = '\0';

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_sts_custom(ngx_http_registry_sts_t *sts, ngx_str_t *url)
{
    u_char      *p, *host, *end, *last;
    size_t       len;
    const char  *port;

    last = url->data + url->len;

    if (url->len > 8 && ngx_strncasecmp(url->data, (u_char *) "https://", 8)
        == 0)
    {
        host = url->data + 8;

    } else if (url->len > 7
               && ngx_strncasecmp(url->data, (u_char *) "http://", 7) == 0)
    {
        host = url->data + 7;

    } else {
        goto invalid;
    }

    end = ngx_strlchr(host, last, '/');
    if (end == NULL) {
        end = last;
    }

    for (p = url->data; p < last; p++) {
        if (*p <= 0x20 || *p >= 0x7f || *p == '?' || *p == '#' || *p == '%'
            || *p == '@')
        {
            goto invalid;
        }
    }

    sts->host_len = end - host;
    sts->path_len = last - end;

    if (sts->host_len == 0 || sts->host_len > sizeof(sts->host)
        || sts->path_len >= sizeof(sts->path)
        || url->len + 2 > sizeof(sts->url))
    {
        goto invalid;
    }

    ngx_memcpy(sts->host, host, sts->host_len);
    ngx_memcpy(sts->path, end, sts->path_len);

    /* what is signed is what libcurl sends: no default port */

    port = (host - url->data == 8) ? ":443" : ":80";
    len = ngx_strlen(port);

    if (sts->host_len > len
        && ngx_strncmp(sts->host + sts->host_len - len, port, len) == 0)
    {
        sts->host_len -= len;
    }

    if (sts->path_len == 0) {
        sts->path[sts->path_len++] = '/';
    }

    *ngx_snprintf(sts->url, sizeof(sts->url) - 1, "%*s%*s",
                  (size_t) (end - url->data), url->data, sts->path_len,
                  sts->path) = '\0';

    return NGX_OK;

invalid:

    return ngx_http_registry_fetch_error(sts->fetch,
                                 "STS: AWS_ENDPOINT_URL_STS or "
                                 "AWS_ENDPOINT_URL \"%V\" is no URL of http "
                                 "or https", url);
}


static void
ngx_http_registry_sts_session(ngx_http_registry_sts_t *sts,
    ngx_registry_sts_request_t *rq)
{
    u_char               *p;
    ngx_registry_span_t   host;

    if (rq->session.len) {
        return;
    }

    host = ngx_http_registry_span(&sts->fetch->source->env->session);
    p = ngx_registry_sts_session_write(sts->session, &host);

    rq->session.data = sts->session;
    rq->session.len = p - sts->session;
}


static ngx_int_t
ngx_http_registry_sts_post(ngx_http_registry_sts_t *sts,
    ngx_registry_sts_request_t *rq)
{
    u_char     *body;
    size_t      len;
    ngx_int_t   rc;

    ngx_http_registry_sts_session(sts, rq);

    len = ngx_registry_sts_body_len(rq);

    body = ngx_http_registry_secret_alloc(len);
    if (body == NULL) {
        return ngx_http_registry_fetch_error(sts->fetch, "no memory");
    }

    (void) ngx_registry_sts_body_write(body, rq);

    rc = ngx_http_registry_sts_send(sts, rq, body, len);

    ngx_http_registry_secret_free(body);

    return rc;
}


static ngx_int_t
ngx_http_registry_sts_send(ngx_http_registry_sts_t *sts,
    ngx_registry_sts_request_t *rq, u_char *body, size_t len)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_http_registry_http_t   http;

    static ngx_str_t  type =
        ngx_string("application/x-www-form-urlencoded; charset=utf-8");

    for (i = 1; /* void */ ; i++) {

        ngx_memzero(&http, sizeof(ngx_http_registry_http_t));

        http.url = (char *) sts->url;
        http.method = "POST";
        http.body = (char *) body;
        http.body_len = len;
        http.tries = NGX_HTTP_REGISTRY_STS_TRIES;
        http.timeout = NGX_HTTP_REGISTRY_STS_TIMEOUT;
        http.proxy = 1;

        rc = NGX_ERROR;

        if (ngx_http_registry_fetch_header(&http, "Content-Type", type.data,
                                           type.len)
            != NGX_OK
            || (rq->token.len == 0
                && ngx_http_registry_sts_sign(sts, &http) != NGX_OK))
        {
            (void) ngx_http_registry_fetch_error(sts->fetch, "no memory");

        } else if (ngx_http_registry_fetch_http(sts->fetch, &http) != NGX_OK) {
            (void) ngx_http_registry_fetch_error(sts->fetch,
                                                 "STS: POST %s: %s",
                                                 sts->url, http.failure);

        } else {
            rc = ngx_http_registry_sts_answer(sts, rq, &http);
        }

        ngx_http_registry_fetch_free(&http);

        if (rc != NGX_AGAIN) {
            return rc;
        }

        if (i == NGX_HTTP_REGISTRY_STS_TRIES
            || ngx_http_registry_fetch_sleep(sts->fetch, 500 * i) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }
}


static ngx_int_t
ngx_http_registry_sts_answer(ngx_http_registry_sts_t *sts,
    ngx_registry_sts_request_t *rq, ngx_http_registry_http_t *http)
{
    ngx_registry_status_e        rc;
    ngx_registry_refusal_t       refusal;
    ngx_http_registry_fetch_t   *fetch;
    ngx_registry_credentials_t  *set;

    fetch = sts->fetch;

    /* the set that AssumeRole was signed with stays until there is a new one */

    set = ngx_http_registry_secret_alloc(sizeof(ngx_registry_credentials_t));
    if (set == NULL) {
        return ngx_http_registry_fetch_error(fetch, "no memory");
    }

    rc = ngx_registry_sts_parse(http->data, http->data + http->len,
                                &ngx_http_registry_secret_memory, set,
                                &refusal);

    if (rc == NGX_REGISTRY_OK && http->status == NGX_HTTP_OK) {
        fetch->set = *set;
        ngx_http_registry_secret_free(set);

        ngx_http_registry_fetch_detail(fetch, "role \"%*s\"",
                                       rq->role_arn.len, rq->role_arn.data);
        return NGX_OK;
    }

    ngx_http_registry_secret_free(set);

    if (rc == NGX_REGISTRY_OK) {
        refusal.reason = "unexpected";
    }

    (void) ngx_http_registry_fetch_refused(fetch, (char *) sts->url,
                                           http->status, &refusal);

    return (rc == NGX_REGISTRY_NONE
            && ngx_http_registry_sts_again(sts, &refusal))
           ? NGX_AGAIN : NGX_ERROR;
}


static ngx_uint_t
ngx_http_registry_sts_again(ngx_http_registry_sts_t *sts,
    ngx_registry_refusal_t *refusal)
{
    ngx_str_t  *code;

    static ngx_str_t  codes[] = {
        ngx_string("IDPCommunicationError"),
        ngx_string("InvalidIdentityToken"),
        ngx_null_string
    };

    /*
     * STS API: it could not ask the identity provider; aws-c-auth: nor could
     * it if it calls the token invalid
     */

    for (code = codes; code->len; code++) {

        if (refusal->code_len == code->len
            && ngx_memcmp(refusal->code, code->data, code->len) == 0)
        {
            return 1;
        }
    }

    /* the answer has told the time: sign once more, with that */

    if (sts->corrected
        || ngx_http_registry_skew(sts->fetch->skew) == 0)
    {
        return 0;
    }

    sts->corrected = 1;

    return 1;
}


static ngx_int_t
ngx_http_registry_sts_sign(ngx_http_registry_sts_t *sts,
    ngx_http_registry_http_t *http)
{
    u_char                        hash[NGX_REGISTRY_HASH_MAX_LEN];
    u_char                        hex[2 * NGX_REGISTRY_HASH_MAX_LEN];
    u_char                        date[NGX_REGISTRY_SIGV4_DATE_LEN];
    u_char                        key[NGX_REGISTRY_SIGV4_KEY_LEN];
    u_char                       *p, *authorization;
    size_t                        len;
    ngx_int_t                     rc;
    ngx_registry_span_t           service, secret, access_key;
    ngx_registry_pair_t           pairs[3];
    ngx_registry_hash_t           h;
    ngx_registry_credentials_t   *set;
    ngx_registry_sigv4_request_t  rq;

    set = &sts->fetch->set;

    ngx_registry_hash_init(&h, NGX_REGISTRY_SHA256);
    ngx_registry_hash_update(&h, (u_char *) http->body, http->body_len);
    len = ngx_registry_hash_final(&h, hash);
    (void) ngx_registry_hex_write(hex, hash, len);

    /* an answer of STS or IMDS has told how wrong the clock is */

    (void) ngx_registry_sigv4_date_write(date,
                                         time(NULL)
                                         + ngx_http_registry_skew(
                                               sts->fetch->skew));

    ngx_memzero(&rq, sizeof(ngx_registry_sigv4_request_t));

    service.data = (u_char *) "sts";
    service.len = 3;

    rq.method.data = (u_char *) "POST";
    rq.method.len = 4;
    rq.path.data = sts->path;
    rq.path.len = sts->path_len;
    rq.date.data = date;
    rq.date.len = NGX_REGISTRY_SIGV4_DATE_LEN;
    rq.region = sts->region;
    rq.service = service;
    rq.payload.data = hex;
    rq.payload.len = 2 * len;
    rq.headers = pairs;

    ngx_http_registry_pair(&pairs[rq.nheaders++], "host", sts->host,
                           sts->host_len);
    ngx_http_registry_pair(&pairs[rq.nheaders++], "x-amz-date", date,
                           sizeof(date));

    if (set->token_len) {
        ngx_http_registry_pair(&pairs[rq.nheaders++], "x-amz-security-token",
                               set->token, set->token_len);
    }

    secret.data = set->secret_key;
    secret.len = set->secret_key_len;
    access_key.data = set->access_key;
    access_key.len = set->access_key_len;

    len = ngx_registry_sigv4_authorization_len(&rq, &access_key);

    authorization = ngx_http_registry_secret_alloc(len);
    if (authorization == NULL) {
        return NGX_ERROR;
    }

    p = NULL;

    if (ngx_registry_sigv4_key(key, &secret, date, &sts->region, &service)
        == NGX_REGISTRY_OK)
    {
        p = ngx_registry_sigv4_authorization_write(authorization, &rq,
                                                   &access_key, key);
    }

    ngx_explicit_memzero(key, sizeof(key));

    rc = NGX_ERROR;

    if (p
        && ngx_http_registry_fetch_header(http, "Authorization",
                                          authorization, p - authorization)
           == NGX_OK
        && ngx_http_registry_fetch_header(http, "X-Amz-Date", date,
                                          sizeof(date))
           == NGX_OK
        && (set->token_len == 0
            || ngx_http_registry_fetch_header(http, "X-Amz-Security-Token",
                                              set->token, set->token_len)
               == NGX_OK))
    {
        rc = NGX_OK;
    }

    ngx_http_registry_secret_free(authorization);

    return rc;
}
