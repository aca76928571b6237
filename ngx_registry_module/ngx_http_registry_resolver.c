
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


#define NGX_HTTP_REGISTRY_HOSTS        "/etc/hosts"

/* resolv.conf(5): MAXNS */
#define NGX_HTTP_REGISTRY_NAMESERVERS  3

/* bytes of a file that are looked at */
#define NGX_HTTP_REGISTRY_FILE_MAX     65536

/* seconds; a question that got lost is asked again, of the next server */
#define NGX_HTTP_REGISTRY_RESEND       1


/* of a worker process */

typedef struct {
    ngx_resolver_t    *resolver;
    ngx_pool_t        *pool;
    time_t             mtime;
    ngx_uint_t         pending;
} ngx_http_registry_resolver_t;


static void ngx_http_registry_resolver_create(time_t mtime);
static ngx_uint_t ngx_http_registry_resolver_servers(ngx_pool_t *pool,
    ngx_str_t *names);
static ngx_int_t ngx_http_registry_resolver_server(ngx_pool_t *pool,
    ngx_str_t *word, ngx_str_t *name);
static ngx_int_t ngx_http_registry_resolver_read(ngx_pool_t *pool,
    const char *name, ngx_str_t *text);
/* takes a line, without its comment, off the text */
static ngx_uint_t ngx_http_registry_resolver_line(ngx_str_t *text,
    ngx_str_t *line);
/* takes a word off the line */
static ngx_uint_t ngx_http_registry_resolver_word(ngx_str_t *line,
    ngx_str_t *word);
static ngx_int_t ngx_http_registry_resolver_literal(ngx_str_t *word,
    ngx_sockaddr_t *sockaddr, socklen_t *socklen);


static ngx_http_registry_resolver_t  ngx_http_registry_own;


ngx_resolver_t *
ngx_http_registry_resolver_begin(void)
{
    time_t                         mtime;
    ngx_file_info_t                fi;
    ngx_http_registry_resolver_t  *own;

    own = &ngx_http_registry_own;

    if (own->pending == 0) {

        mtime = 0;

        if (ngx_file_info(NGX_HTTP_REGISTRY_RESOLV_CONF, &fi)
            != NGX_FILE_ERROR)
        {
            mtime = ngx_file_mtime(&fi);
        }

        if (own->resolver == NULL || own->mtime != mtime) {
            ngx_http_registry_resolver_create(mtime);
        }
    }

    if (own->resolver) {
        own->pending++;
    }

    return own->resolver;
}


void
ngx_http_registry_resolver_end(void)
{
    ngx_http_registry_own.pending--;
}


void
ngx_http_registry_resolver_doubt(void)
{
    ngx_http_registry_own.mtime = -1;
}


void
ngx_http_registry_resolver_exit(void)
{
    ngx_http_registry_resolver_t *own = &ngx_http_registry_own;

    if (own->pool) {
        ngx_destroy_pool(own->pool);
        own->pool = NULL;
        own->resolver = NULL;
    }
}


static void
ngx_http_registry_resolver_create(time_t mtime)
{
    ngx_str_t                      names[NGX_HTTP_REGISTRY_NAMESERVERS];
    ngx_conf_t                     cf;
    ngx_uint_t                     n;
    ngx_pool_t                    *pool;
    ngx_resolver_t                *resolver;
    ngx_http_registry_resolver_t  *own;

    own = &ngx_http_registry_own;

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, ngx_cycle->log);
    if (pool == NULL) {
        return;
    }

    n = ngx_http_registry_resolver_servers(pool, names);

    /* as nginx makes the resolver of a directive, but now */

    ngx_memzero(&cf, sizeof(ngx_conf_t));

    cf.pool = pool;
    cf.temp_pool = pool;
    cf.cycle = (ngx_cycle_t *) ngx_cycle;
    cf.log = ngx_cycle->log;

    resolver = ngx_resolver_create(&cf, names, n);

    if (resolver == NULL) {
        ngx_destroy_pool(pool);
        return;
    }

    resolver->resend_timeout = NGX_HTTP_REGISTRY_RESEND;

    if (own->pool) {
        /* destroys the resolver in it */
        ngx_destroy_pool(own->pool);
    }

    own->resolver = resolver;
    own->pool = pool;
    own->mtime = mtime;
}


static ngx_uint_t
ngx_http_registry_resolver_servers(ngx_pool_t *pool, ngx_str_t *names)
{
    ngx_str_t   text, line, word;
    ngx_uint_t  n;

    n = 0;

    if (ngx_http_registry_resolver_read(pool, NGX_HTTP_REGISTRY_RESOLV_CONF,
                                        &text)
        != NGX_OK)
    {
        text.len = 0;
    }

    while (n < NGX_HTTP_REGISTRY_NAMESERVERS
           && ngx_http_registry_resolver_line(&text, &line))
    {
        if (ngx_http_registry_resolver_word(&line, &word)
            && word.len == 10
            && ngx_strncmp(word.data, "nameserver", 10) == 0
            && ngx_http_registry_resolver_word(&line, &word)
            && ngx_http_registry_resolver_server(pool, &word, &names[n])
               == NGX_OK)
        {
            n++;
        }
    }

    if (n == 0) {
        /* resolv.conf(5): the default is the name server of this host */
        ngx_str_set(&names[n], "127.0.0.1");
        n++;
    }

    return n;
}


static ngx_int_t
ngx_http_registry_resolver_server(ngx_pool_t *pool, ngx_str_t *word,
    ngx_str_t *name)
{
    socklen_t       socklen;
    ngx_sockaddr_t  sockaddr;

    /* nginx would resolve a name there, and block; it knows no scopes */

    if (ngx_http_registry_resolver_literal(word, &sockaddr, &socklen)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    name->data = ngx_pnalloc(pool, word->len + 2);
    if (name->data == NULL) {
        return NGX_ERROR;
    }

    name->len = ngx_sprintf(name->data,
                            sockaddr.sockaddr.sa_family == AF_INET
                            ? "%V" : "[%V]", word)
                - name->data;

    return NGX_OK;
}


ngx_uint_t
ngx_http_registry_resolver_hosts(ngx_str_t *name, ngx_sockaddr_t *addrs,
    socklen_t *lens, ngx_uint_t n)
{
    ngx_str_t    text, line, first, word;
    ngx_uint_t   found;
    ngx_pool_t  *pool;

    found = 0;

    pool = ngx_create_pool(1024, ngx_cycle->log);
    if (pool == NULL) {
        return 0;
    }

    if (ngx_http_registry_resolver_read(pool, NGX_HTTP_REGISTRY_HOSTS, &text)
        != NGX_OK)
    {
        text.len = 0;
    }

    while (found < n && ngx_http_registry_resolver_line(&text, &line)) {

        if (!ngx_http_registry_resolver_word(&line, &first)) {
            continue;
        }

        while (ngx_http_registry_resolver_word(&line, &word)) {

            if (word.len == name->len
                && ngx_strncasecmp(word.data, name->data, name->len) == 0
                && ngx_http_registry_resolver_literal(&first, &addrs[found],
                                                      &lens[found])
                   == NGX_OK)
            {
                found++;
                break;
            }
        }
    }

    ngx_destroy_pool(pool);

    return found;
}


static ngx_int_t
ngx_http_registry_resolver_read(ngx_pool_t *pool, const char *name,
    ngx_str_t *text)
{
    ssize_t    n;
    ngx_fd_t   fd;

    fd = ngx_open_file(name, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return NGX_DECLINED;
    }

    text->data = ngx_palloc(pool, NGX_HTTP_REGISTRY_FILE_MAX);

    n = text->data ? ngx_read_fd(fd, text->data, NGX_HTTP_REGISTRY_FILE_MAX)
                   : -1;

    (void) ngx_close_file(fd);

    if (n < 0) {
        return NGX_ERROR;
    }

    text->len = n;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_registry_resolver_line(ngx_str_t *text, ngx_str_t *line)
{
    size_t  i, len;

    if (text->len == 0) {
        return 0;
    }

    for (len = 0; len < text->len && text->data[len] != LF; len++) {
        /* void */
    }

    for (i = 0;
         i < len && text->data[i] != '#' && text->data[i] != ';';
         i++)
    {
        /* void */
    }

    line->data = text->data;
    line->len = i;

    len += (len < text->len);

    text->data += len;
    text->len -= len;

    return 1;
}


static ngx_uint_t
ngx_http_registry_resolver_word(ngx_str_t *line, ngx_str_t *word)
{
    u_char  *p, *last;

    p = line->data;
    last = p + line->len;

    while (p < last && (*p == ' ' || *p == '\t' || *p == CR)) {
        p++;
    }

    word->data = p;

    while (p < last && *p != ' ' && *p != '\t' && *p != CR) {
        p++;
    }

    word->len = p - word->data;

    line->data = p;
    line->len = last - p;

    return word->len != 0;
}


static ngx_int_t
ngx_http_registry_resolver_literal(ngx_str_t *word, ngx_sockaddr_t *sockaddr,
    socklen_t *socklen)
{
    in_addr_t  addr;

    ngx_memzero(sockaddr, sizeof(ngx_sockaddr_t));

    addr = ngx_inet_addr(word->data, word->len);

    if (addr != INADDR_NONE) {
        sockaddr->sockaddr_in.sin_family = AF_INET;
        sockaddr->sockaddr_in.sin_addr.s_addr = addr;
        *socklen = sizeof(struct sockaddr_in);
        return NGX_OK;
    }

#if (NGX_HAVE_INET6)

    if (ngx_inet6_addr(word->data, word->len,
                       sockaddr->sockaddr_in6.sin6_addr.s6_addr)
        == NGX_OK)
    {
        sockaddr->sockaddr_in6.sin6_family = AF_INET6;
        *socklen = sizeof(struct sockaddr_in6);
        return NGX_OK;
    }

#endif

    return NGX_DECLINED;
}
