
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_CREDENTIALS_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_CREDENTIALS_H_INCLUDED_


/*
 * Where the keys of S3 come from.  A provider is chosen when the
 * configuration is read and stays chosen; secrets are read by the workers
 * only, and never in answer to a directive, which nginx -T would print.
 */


typedef struct ngx_http_registry_credentials_s
    ngx_http_registry_credentials_t;


/* one set, valid until the event loop is entered again */

typedef struct {
    ngx_registry_span_t   access_key;
    ngx_registry_span_t   secret_key;
    ngx_registry_span_t   token;          /* empty if there is none */
    ngx_uint_t            generation;     /* changes with the set */
} ngx_http_registry_keys_t;


/* "registry_credentials auto | env | file path [profile];" */
char *ngx_http_registry_credentials(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* "auto", for a registry without the directive; NULL if out of memory */
ngx_http_registry_credentials_t *ngx_http_registry_credentials_auto(
    ngx_conf_t *cf);

/*
 * Keeps the names of AWS's environment variables through nginx's cleaning of
 * the environment, also across a binary upgrade.
 */
ngx_int_t ngx_http_registry_credentials_env(ngx_cycle_t *cycle);

/* value of a variable of the environment, or NULL; NUL-terminated */
u_char *ngx_http_registry_getenv(const char *name);

/* whether there is a set of keys now */
ngx_uint_t ngx_http_registry_credentials_ready(
    ngx_http_registry_credentials_t *credentials);

/* the set to sign with: NGX_OK, or NGX_DECLINED if there is none */
ngx_int_t ngx_http_registry_credentials_keys(
    ngx_http_registry_credentials_t *credentials,
    ngx_http_registry_keys_t *keys);

/*
 * The store refused the set of this generation.  Returns NGX_OK if there is
 * another one by now, which a retry will use, or NGX_DECLINED.
 */
ngx_int_t ngx_http_registry_credentials_refused(
    ngx_http_registry_credentials_t *credentials, ngx_uint_t generation);

/*
 * Signing key of a day, made once for each set, day and region.
 * date takes 8 bytes of YYYYMMDD.  NULL on failure of OpenSSL.
 */
u_char *ngx_http_registry_credentials_key(
    ngx_http_registry_credentials_t *credentials,
    ngx_http_registry_keys_t *keys, u_char *date, ngx_str_t *region);

/* wipes and frees the keys; the worker ends */
void ngx_http_registry_credentials_forget(
    ngx_http_registry_credentials_t *credentials);

/* for messages: "environment", "file /path, profile x"; and why there is
   none */
ngx_str_t *ngx_http_registry_credentials_source(
    ngx_http_registry_credentials_t *credentials);


#endif /* _NGX_HTTP_REGISTRY_CREDENTIALS_H_INCLUDED_ */
