
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_CREDENTIALS_H_INCLUDED_
#define _NGX_REGISTRY_CREDENTIALS_H_INCLUDED_


#include "ngx_registry.h"


#pragma GCC visibility push(hidden)


/* S3 API, Common request headers: all headers together are 8 KB at most */
#define NGX_REGISTRY_ACCESS_KEY_MAX   128
#define NGX_REGISTRY_SECRET_KEY_MAX   256
#define NGX_REGISTRY_TOKEN_MAX        7168


/* a set of keys, with what belongs to it */

typedef struct {
    int64_t  expiration;              /* seconds since 1970, 0: never */
    size_t   access_key_len;
    size_t   secret_key_len;
    size_t   token_len;               /* 0: there is none */
    u_char   access_key[NGX_REGISTRY_ACCESS_KEY_MAX];
    u_char   secret_key[NGX_REGISTRY_SECRET_KEY_MAX];
    u_char   token[NGX_REGISTRY_TOKEN_MAX];
} ngx_registry_credentials_t;


/* why a source gave none; has no part of a set in it */

typedef struct {
    size_t       code_len;
    size_t       message_len;
    u_char       code[64];            /* of the source */
    u_char       message[256];
    const char  *reason;              /* ours, or NULL */
} ngx_registry_refusal_t;


/* the memory that parsers use: what is in it may be a secret */

typedef struct {
    void      *(*alloc)(size_t size);
    void      *(*resize)(void *p, size_t size);
    void       (*release)(void *p);
} ngx_registry_memory_t;


typedef enum {
    NGX_REGISTRY_CREDENTIALS_IMDS = 0,   /* EC2 User Guide: has "Code" */
    NGX_REGISTRY_CREDENTIALS_CONTAINER,  /* ECS, EKS, any other sidecar */
    NGX_REGISTRY_CREDENTIALS_PROCESS     /* credential_process */
} ngx_registry_credentials_form_e;


/*
 * Copies parts of a set.  OK, TOO_LONG, INVALID (a control character, which
 * would end the header that the value is sent in).
 */
ngx_registry_status_e ngx_registry_credentials_fill(
    ngx_registry_credentials_t *c, const ngx_registry_span_t *access_key,
    const ngx_registry_span_t *secret_key, const ngx_registry_span_t *token);

/* whether two sets are the same, their expiry included */
int ngx_registry_credentials_same(const ngx_registry_credentials_t *a,
    const ngx_registry_credentials_t *b);

/* overwrites a set, so that the compiler does not leave it out */
void ngx_registry_credentials_wipe(ngx_registry_credentials_t *c);

/* code and message as text that can go to a log; cut at their sizes */
void ngx_registry_refusal_code(ngx_registry_refusal_t *refusal,
    const u_char *p, size_t len);
void ngx_registry_refusal_message(ngx_registry_refusal_t *refusal,
    const u_char *p, size_t len);

/*
 * The JSON of a source.  OK; NONE: it says why it has none, code and message
 * are set; else INVALID, TOO_LONG, UNSUPPORTED (another version), NO_MEMORY,
 * with reason set.  c is wiped unless OK.
 */
ngx_registry_status_e ngx_registry_credentials_parse(const u_char *p,
    const u_char *last, ngx_registry_credentials_form_e form,
    const ngx_registry_memory_t *memory, ngx_registry_credentials_t *c,
    ngx_registry_refusal_t *refusal);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_CREDENTIALS_H_INCLUDED_ */
