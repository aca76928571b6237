
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>

#include <curl/curl.h>


/* aws-c-auth: what a source sends is smaller by far */
#define NGX_HTTP_REGISTRY_HTTP_LIMIT    65536

/* milliseconds before a second try, and between looks at whether to exit */
#define NGX_HTTP_REGISTRY_HTTP_PAUSE    200
#define NGX_HTTP_REGISTRY_FETCH_TICK    100


static void ngx_http_registry_fetch_options(ngx_http_registry_fetch_t *fetch,
    ngx_http_registry_http_t *rq);
static void ngx_http_registry_fetch_tls(CURL *curl);
static CURLcode ngx_http_registry_fetch_tls_context(CURL *curl, void *ctx,
    void *data);
static size_t ngx_http_registry_fetch_body(char *p, size_t size, size_t n,
    void *data);
static size_t ngx_http_registry_fetch_date(char *p, size_t size, size_t n,
    void *data);
static int ngx_http_registry_fetch_progress(void *data, curl_off_t dltotal,
    curl_off_t dlnow, curl_off_t ultotal, curl_off_t ulnow);
static curl_socket_t ngx_http_registry_fetch_socket(void *data,
    curlsocktype purpose, struct curl_sockaddr *addr);
static ngx_uint_t ngx_http_registry_fetch_transient(CURLcode rc,
    ngx_http_registry_http_t *rq);
static const char *ngx_http_registry_fetch_failure(CURLcode rc);
static ngx_int_t ngx_http_registry_fetch_read(
    ngx_http_registry_fetch_t *fetch, ngx_str_t *path, ngx_fd_t fd,
    size_t limit, ngx_str_t *content);


static ngx_uint_t  ngx_http_registry_fetch_ready;


ngx_int_t
ngx_http_registry_fetch_init(ngx_log_t *log)
{
    CURLcode  rc;

    /*
     * what libcurl has in its buffers are secrets.  If another module was
     * first, its functions stay.
     */

    rc = curl_global_init_mem(CURL_GLOBAL_DEFAULT,
                              ngx_http_registry_secret_alloc,
                              ngx_http_registry_secret_free,
                              ngx_http_registry_secret_resize,
                              ngx_http_registry_secret_strdup,
                              ngx_http_registry_secret_calloc);
    if (rc != CURLE_OK) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "registry: curl_global_init() failed: %s",
                      curl_easy_strerror(rc));
        return NGX_ERROR;
    }

    ngx_http_registry_fetch_ready = 1;

    return NGX_OK;
}


void
ngx_http_registry_fetch_exit(void)
{
    if (ngx_http_registry_fetch_ready) {
        curl_global_cleanup();
        ngx_http_registry_fetch_ready = 0;
    }
}


ngx_int_t
ngx_http_registry_fetch_http(ngx_http_registry_fetch_t *fetch,
    ngx_http_registry_http_t *rq)
{
    CURLcode    rc;
    ngx_uint_t  i;
    ngx_msec_t  left;

    if (fetch->curl == NULL) {
        fetch->curl = curl_easy_init();
        if (fetch->curl == NULL) {
            rq->failure = "no memory";
            return NGX_ERROR;
        }
    }

    for (i = 0; /* void */ ; i++) {

        left = ngx_http_registry_fetch_left(fetch);

        if (left == 0) {
            rq->failure = "no time is left";
            return NGX_ERROR;
        }

        ngx_http_registry_fetch_options(fetch, rq);

        (void) curl_easy_setopt(fetch->curl, CURLOPT_TIMEOUT_MS,
                                (long) ngx_min(left, rq->timeout));

        rq->status = 0;
        rq->len = 0;

        rc = curl_easy_perform(fetch->curl);

        if (rc == CURLE_OK) {
            (void) curl_easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE,
                                     &rq->status);
        }

        if (i + 1 >= rq->tries
            || !ngx_http_registry_fetch_transient(rc, rq)
            || ngx_http_registry_fetch_sleep(fetch,
                                       NGX_HTTP_REGISTRY_HTTP_PAUSE << i)
               != NGX_OK)
        {
            break;
        }
    }

    if (rc == CURLE_OK) {
        return NGX_OK;
    }

    rq->failure = ngx_http_registry_fetch_failure(rc);

    return NGX_ERROR;
}


static void
ngx_http_registry_fetch_options(ngx_http_registry_fetch_t *fetch,
    ngx_http_registry_http_t *rq)
{
    CURL                     *curl;
    ngx_http_registry_env_t  *env;

    curl = fetch->curl;
    env = fetch->source->env;

    curl_easy_reset(curl);

    /* what fails here makes the request fail, or is no harm */

    (void) curl_easy_setopt(curl, CURLOPT_URL, rq->url);
    (void) curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void) curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    (void) curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    (void) curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
                            (long) CURL_HTTP_VERSION_1_1);
    (void) curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 3000L);
    (void) curl_easy_setopt(curl, CURLOPT_USERAGENT, "ngx_registry_module");

#if (LIBCURL_VERSION_NUM >= 0x075500)
    (void) curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    (void) curl_easy_setopt(curl, CURLOPT_PROTOCOLS,
                            (long) (CURLPROTO_HTTP|CURLPROTO_HTTPS));
#endif

#if (LIBCURL_VERSION_NUM >= 0x075700)
    /* a name that DNS is silent about must not hold the thread */
    (void) curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
#endif

    (void) curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, rq->method);
    (void) curl_easy_setopt(curl, CURLOPT_HTTPHEADER, rq->headers);

    if (rq->body) {
        (void) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, rq->body);
        (void) curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE,
                                (long) rq->body_len);
    }

    /* libcurl would take the variables that nginx has left of them */

    if (rq->proxy && env->proxy.len
        && ngx_strncasecmp((u_char *) rq->url, (u_char *) "https://", 8) == 0)
    {
        (void) curl_easy_setopt(curl, CURLOPT_PROXY, env->proxy.data);
        (void) curl_easy_setopt(curl, CURLOPT_NOPROXY,
                                env->no_proxy.len ? (char *) env->no_proxy.data
                                                  : "");

    } else {
        (void) curl_easy_setopt(curl, CURLOPT_PROXY, "");
        (void) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    }

    if (env->ca_bundle.len) {
        (void) curl_easy_setopt(curl, CURLOPT_CAINFO, env->ca_bundle.data);
    }

    (void) curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION,
                            ngx_http_registry_fetch_body);
    (void) curl_easy_setopt(curl, CURLOPT_WRITEDATA, rq);
    (void) curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION,
                            ngx_http_registry_fetch_date);
    (void) curl_easy_setopt(curl, CURLOPT_HEADERDATA, fetch);
    (void) curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    (void) curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION,
                            ngx_http_registry_fetch_progress);
    (void) curl_easy_setopt(curl, CURLOPT_XFERINFODATA, fetch);

    if (rq->local) {
        (void) curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION,
                                ngx_http_registry_fetch_socket);
    }

    ngx_http_registry_fetch_tls(curl);
}


static void
ngx_http_registry_fetch_tls(CURL *curl)
{
    const char  *library;

    library = curl_version_info(CURLVERSION_NOW)->ssl_version;

    if (library && ngx_strncmp(library, "OpenSSL/", 8) == 0) {
        (void) curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION,
                                ngx_http_registry_fetch_tls_context);
    }
}


static CURLcode
ngx_http_registry_fetch_tls_context(CURL *curl, void *ctx, void *data)
{
#ifdef SSL_OP_CLEANSE_PLAINTEXT
    (void) SSL_CTX_set_options(ctx, SSL_OP_CLEANSE_PLAINTEXT);
#endif

    return CURLE_OK;
}


static size_t
ngx_http_registry_fetch_body(char *p, size_t size, size_t n, void *data)
{
    ngx_http_registry_http_t *rq = data;

    u_char  *dst;
    size_t   len;

    len = size * n;

    if (len > NGX_HTTP_REGISTRY_HTTP_LIMIT - rq->len) {
        return 0;
    }

    if (rq->len + len > rq->size) {

        rq->size = rq->len + ngx_max(len, 4096);

        dst = ngx_http_registry_secret_resize(rq->data, rq->size);
        if (dst == NULL) {
            rq->size = rq->len;
            return 0;
        }

        rq->data = dst;
    }

    ngx_memcpy(rq->data + rq->len, p, len);
    rq->len += len;

    return len;
}


static size_t
ngx_http_registry_fetch_date(char *p, size_t size, size_t n, void *data)
{
    ngx_http_registry_fetch_t *fetch = data;

    time_t  date;
    size_t  len;

    len = size * n;

    if (len > 6 && ngx_strncasecmp((u_char *) p, (u_char *) "Date: ", 6) == 0)
    {
        date = ngx_parse_http_time((u_char *) p + 6, len - 6);

        if (date != NGX_ERROR) {
            fetch->skew = date - time(NULL);
        }
    }

    return len;
}


static int
ngx_http_registry_fetch_progress(void *data, curl_off_t dltotal,
    curl_off_t dlnow, curl_off_t ultotal, curl_off_t ulnow)
{
    return ngx_http_registry_fetch_left(data) == 0;
}


static curl_socket_t
ngx_http_registry_fetch_socket(void *data, curlsocktype purpose,
    struct curl_sockaddr *addr)
{
    int                   allowed;
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    allowed = 0;

    switch (addr->family) {

    case AF_INET:
        sin = (struct sockaddr_in *) (void *) &addr->addr;
        allowed = ngx_registry_container_address((u_char *) &sin->sin_addr,
                                                 4);
        break;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) (void *) &addr->addr;
        allowed = ngx_registry_container_address(sin6->sin6_addr.s6_addr, 16);
        break;
#endif
    }

    if (!allowed) {
        return CURL_SOCKET_BAD;
    }

    return socket(addr->family, addr->socktype | SOCK_CLOEXEC,
                  addr->protocol);
}


static ngx_uint_t
ngx_http_registry_fetch_transient(CURLcode rc, ngx_http_registry_http_t *rq)
{
    switch (rc) {

    case CURLE_OK:
        return rq->status >= 500 || rq->status == NGX_HTTP_TOO_MANY_REQUESTS;

    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
        return 1;

    default:
        return 0;
    }
}


static const char *
ngx_http_registry_fetch_failure(CURLcode rc)
{
    switch (rc) {

    case CURLE_OPERATION_TIMEDOUT:
        return "no answer in time";

    case CURLE_WRITE_ERROR:
        return "the answer is too long";

    case CURLE_ABORTED_BY_CALLBACK:
        return "no answer in time, or the worker exits";

    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return "the answer was cut";

    default:
        return curl_easy_strerror(rc);
    }
}


void
ngx_http_registry_fetch_free(ngx_http_registry_http_t *rq)
{
    ngx_http_registry_secret_free(rq->data);

    rq->data = NULL;
    rq->size = 0;
    rq->len = 0;

    curl_slist_free_all(rq->headers);
    rq->headers = NULL;
}


ngx_int_t
ngx_http_registry_fetch_header(ngx_http_registry_http_t *rq,
    const char *name, const u_char *value, size_t len)
{
    u_char             *p, *line;
    struct curl_slist  *list;

    line = ngx_http_registry_secret_alloc(ngx_strlen(name) + 2 + len + 1);
    if (line == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(line, name, ngx_strlen(name));
    *p++ = ':';
    *p++ = ' ';
    p = ngx_cpymem(p, value, len);
    *p = '\0';

    list = curl_slist_append(rq->headers, (char *) line);

    ngx_http_registry_secret_free(line);

    if (list == NULL) {
        return NGX_ERROR;
    }

    rq->headers = list;

    return NGX_OK;
}


ngx_int_t
ngx_http_registry_fetch_file(ngx_http_registry_fetch_t *fetch,
    ngx_str_t *path, size_t limit, ngx_uint_t secret, ngx_str_t *content)
{
    u_char           *p;
    ngx_fd_t          fd;
    ngx_int_t         rc;
    ngx_err_t         err;
    ngx_file_info_t   fi;

    ngx_str_null(content);

    /* a fifo must not hold the thread */

    fd = open((char *) path->data, O_RDONLY|O_NONBLOCK|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        err = ngx_errno;

        (void) ngx_http_registry_fetch_error(fetch,
                            "\"%V\" cannot be read by user %s: %s", path,
                            fetch->user, strerror(err));

        return (err == NGX_ENOENT || err == NGX_ENOTDIR) ? NGX_DECLINED
                                                         : NGX_ERROR;
    }

    rc = ngx_http_registry_fetch_read(fetch, path, fd, limit, content);

    if (rc == NGX_OK && secret && fstat(fd, &fi) == 0
        && (fi.st_mode & (S_IRGRP|S_IROTH)))
    {
        p = ngx_snprintf(fetch->exposed, sizeof(fetch->exposed), "%V", path);
        fetch->exposed_len = p - fetch->exposed;
    }

    (void) close(fd);

    return rc;
}


static ngx_int_t
ngx_http_registry_fetch_read(ngx_http_registry_fetch_t *fetch,
    ngx_str_t *path, ngx_fd_t fd, size_t limit, ngx_str_t *content)
{
    u_char           *buf;
    size_t            len;
    ssize_t           n;
    ngx_file_info_t   fi;

    if (fstat(fd, &fi) == -1 || !S_ISREG(fi.st_mode)) {
        return ngx_http_registry_fetch_error(fetch,
                                             "\"%V\" is no file", path);
    }

    buf = ngx_http_registry_secret_alloc(limit + 1);
    if (buf == NULL) {
        return ngx_http_registry_fetch_error(fetch, "no memory");
    }

    len = 0;

    do {
        n = read(fd, buf + len, limit + 1 - len);

        if (n > 0) {
            len += n;
        }

    } while (n > 0 && len <= limit);

    if (n == -1 || len > limit) {
        ngx_http_registry_secret_free(buf);

        return (n == -1)
               ? ngx_http_registry_fetch_error(fetch,
                            "\"%V\" cannot be read by user %s: %s", path,
                            fetch->user, strerror(ngx_errno))
               : ngx_http_registry_fetch_error(fetch,
                            "\"%V\" is larger than %uz bytes", path, limit);
    }

    content->data = buf;
    content->len = len;

    return NGX_OK;
}


ngx_int_t ngx_cdecl
ngx_http_registry_fetch_error(ngx_http_registry_fetch_t *fetch,
    const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(fetch->error, fetch->error + sizeof(fetch->error), fmt,
                      args);
    va_end(args);

    fetch->error_len = p - fetch->error;

    return NGX_ERROR;
}


void ngx_cdecl
ngx_http_registry_fetch_detail(ngx_http_registry_fetch_t *fetch,
    const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(fetch->detail, fetch->detail + sizeof(fetch->detail),
                      fmt, args);
    va_end(args);

    fetch->detail_len = p - fetch->detail;
}


ngx_int_t
ngx_http_registry_fetch_refused(ngx_http_registry_fetch_t *fetch,
    const char *what, long status, ngx_registry_refusal_t *refusal)
{
    if (refusal->reason) {
        return ngx_http_registry_fetch_error(fetch, "%s: status %l, %s", what,
                                             status, refusal->reason);
    }

    return ngx_http_registry_fetch_error(fetch, "%s: status %l, %*s%s%*s",
                                 what, status, refusal->code_len,
                                 refusal->code,
                                 refusal->message_len ? ": " : "",
                                 refusal->message_len, refusal->message);
}


ngx_msec_t
ngx_http_registry_fetch_left(ngx_http_registry_fetch_t *fetch)
{
    uint64_t  passed;

    /* a worker that exits stays for the requests that still wait */

    if (ngx_terminate
        || ((ngx_exiting || ngx_quit) && *fetch->waiting == 0))
    {
        return 0;
    }

    passed = ngx_http_registry_fetch_now() - fetch->begun;

    return (passed < NGX_HTTP_REGISTRY_FETCH_TIME)
           ? (ngx_msec_t) (NGX_HTTP_REGISTRY_FETCH_TIME - passed) : 0;
}


ngx_int_t
ngx_http_registry_fetch_sleep(ngx_http_registry_fetch_t *fetch,
    ngx_msec_t msec)
{
    ngx_msec_t       tick;
    struct timespec  ts;

    while (msec) {

        if (ngx_http_registry_fetch_left(fetch) == 0) {
            return NGX_ERROR;
        }

        tick = ngx_min(msec, NGX_HTTP_REGISTRY_FETCH_TICK);
        msec -= tick;

        ts.tv_sec = 0;
        ts.tv_nsec = (long) tick * 1000000;

        (void) nanosleep(&ts, NULL);
    }

    return NGX_OK;
}


void
ngx_http_registry_fetch_close(ngx_http_registry_fetch_t *fetch)
{
    if (fetch->curl) {
        curl_easy_cleanup(fetch->curl);
        fetch->curl = NULL;
    }
}


uint64_t
ngx_http_registry_fetch_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
