
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_credentials.h"
#include "ngx_registry_time.h"

#include <openssl/crypto.h>
#include <yajl/yajl_parse.h>


#define NGX_REGISTRY_CREDENTIALS_DEPTH  16


typedef enum {
    NGX_REGISTRY_FIELD_OTHER = 0,
    NGX_REGISTRY_FIELD_CODE,
    NGX_REGISTRY_FIELD_MESSAGE,
    NGX_REGISTRY_FIELD_VERSION,
    NGX_REGISTRY_FIELD_ACCESS_KEY,
    NGX_REGISTRY_FIELD_SECRET_KEY,
    NGX_REGISTRY_FIELD_TOKEN,
    NGX_REGISTRY_FIELD_EXPIRATION
} ngx_registry_credentials_field_e;


typedef struct {
    ngx_registry_span_t               name;
    ngx_registry_credentials_field_e  field;
} ngx_registry_credentials_name_t;


typedef struct {
    ngx_registry_credentials_t       *c;
    ngx_registry_refusal_t           *refusal;
    ngx_registry_status_e             rc;
    unsigned                          depth;
    unsigned                          object:1;    /* begins with "{" */
    unsigned                          version:1;   /* is 1 */
    ngx_registry_credentials_field_e  field;
} ngx_registry_credentials_parser_t;


static int ngx_registry_credentials_printable(const ngx_registry_span_t *s);
static ngx_registry_status_e ngx_registry_credentials_copy(u_char *dst,
    size_t *len, size_t size, const ngx_registry_span_t *src);
static size_t ngx_registry_refusal_copy(u_char *dst, size_t size,
    const u_char *p, size_t len);
static ngx_registry_status_e ngx_registry_credentials_run(
    ngx_registry_credentials_parser_t *cp, const u_char *p,
    const u_char *last, const ngx_registry_memory_t *memory);
static ngx_registry_status_e ngx_registry_credentials_judge(
    ngx_registry_credentials_parser_t *cp,
    ngx_registry_credentials_form_e form);
static int ngx_registry_credentials_fail(
    ngx_registry_credentials_parser_t *cp, ngx_registry_status_e rc,
    const char *reason);
static int ngx_registry_credentials_null(void *data);
static int ngx_registry_credentials_boolean(void *data, int value);
static int ngx_registry_credentials_number(void *data, const char *p,
    size_t len);
static int ngx_registry_credentials_string(void *data, const u_char *p,
    size_t len);
static int ngx_registry_credentials_expiration(
    ngx_registry_credentials_parser_t *cp, const u_char *p, size_t len);
static int ngx_registry_credentials_open_map(void *data);
static int ngx_registry_credentials_key(void *data, const u_char *p,
    size_t len);
static int ngx_registry_credentials_close(void *data);
static int ngx_registry_credentials_open_array(void *data);
static void *ngx_registry_credentials_alloc(void *ctx, size_t size);
static void *ngx_registry_credentials_resize(void *ctx, void *p,
    size_t size);
static void ngx_registry_credentials_release(void *ctx, void *p);


/* the service of EKS writes code and message in lower case */

static const ngx_registry_credentials_name_t  ngx_registry_fields[] = {
    { ngx_registry_span("Code"), NGX_REGISTRY_FIELD_CODE },
    { ngx_registry_span("code"), NGX_REGISTRY_FIELD_CODE },
    { ngx_registry_span("Message"), NGX_REGISTRY_FIELD_MESSAGE },
    { ngx_registry_span("message"), NGX_REGISTRY_FIELD_MESSAGE },
    { ngx_registry_span("Version"), NGX_REGISTRY_FIELD_VERSION },
    { ngx_registry_span("AccessKeyId"), NGX_REGISTRY_FIELD_ACCESS_KEY },
    { ngx_registry_span("SecretAccessKey"), NGX_REGISTRY_FIELD_SECRET_KEY },
    { ngx_registry_span("Token"), NGX_REGISTRY_FIELD_TOKEN },
    { ngx_registry_span("SessionToken"), NGX_REGISTRY_FIELD_TOKEN },
    { ngx_registry_span("Expiration"), NGX_REGISTRY_FIELD_EXPIRATION },
    { { NULL, 0 }, NGX_REGISTRY_FIELD_OTHER }
};


static const yajl_callbacks  ngx_registry_credentials_callbacks = {
    ngx_registry_credentials_null,
    ngx_registry_credentials_boolean,
    NULL,                                  /* integer */
    NULL,                                  /* double */
    ngx_registry_credentials_number,
    ngx_registry_credentials_string,
    ngx_registry_credentials_open_map,
    ngx_registry_credentials_key,
    ngx_registry_credentials_close,
    ngx_registry_credentials_open_array,
    ngx_registry_credentials_close
};


ngx_registry_status_e
ngx_registry_credentials_fill(ngx_registry_credentials_t *c,
    const ngx_registry_span_t *access_key,
    const ngx_registry_span_t *secret_key, const ngx_registry_span_t *token)
{
    ngx_registry_status_e  rc;

    memset(c, 0, sizeof(ngx_registry_credentials_t));

    rc = ngx_registry_credentials_copy(c->access_key, &c->access_key_len,
                                       sizeof(c->access_key), access_key);

    if (rc == NGX_REGISTRY_OK) {
        rc = ngx_registry_credentials_copy(c->secret_key, &c->secret_key_len,
                                           sizeof(c->secret_key), secret_key);
    }

    if (rc == NGX_REGISTRY_OK) {
        rc = ngx_registry_credentials_copy(c->token, &c->token_len,
                                           sizeof(c->token), token);
    }

    if (rc != NGX_REGISTRY_OK) {
        ngx_registry_credentials_wipe(c);
    }

    return rc;
}


static ngx_registry_status_e
ngx_registry_credentials_copy(u_char *dst, size_t *len, size_t size,
    const ngx_registry_span_t *src)
{
    if (src->len > size) {
        return NGX_REGISTRY_TOO_LONG;
    }

    if (!ngx_registry_credentials_printable(src)) {
        return NGX_REGISTRY_INVALID;
    }

    if (src->len) {
        memcpy(dst, src->data, src->len);
    }

    *len = src->len;

    return NGX_REGISTRY_OK;
}


static int
ngx_registry_credentials_printable(const ngx_registry_span_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        if (s->data[i] < 0x20 || s->data[i] == 0x7f) {
            return 0;
        }
    }

    return 1;
}


int
ngx_registry_credentials_same(const ngx_registry_credentials_t *a,
    const ngx_registry_credentials_t *b)
{
    return a->expiration == b->expiration
           && a->access_key_len == b->access_key_len
           && a->secret_key_len == b->secret_key_len
           && a->token_len == b->token_len
           && memcmp(a->access_key, b->access_key, a->access_key_len) == 0
           && CRYPTO_memcmp(a->secret_key, b->secret_key, a->secret_key_len)
              == 0
           && CRYPTO_memcmp(a->token, b->token, a->token_len) == 0;
}


void
ngx_registry_credentials_wipe(ngx_registry_credentials_t *c)
{
    OPENSSL_cleanse(c, sizeof(ngx_registry_credentials_t));
}


void
ngx_registry_refusal_code(ngx_registry_refusal_t *refusal, const u_char *p,
    size_t len)
{
    refusal->code_len = ngx_registry_refusal_copy(refusal->code,
                                                  sizeof(refusal->code), p,
                                                  len);
}


void
ngx_registry_refusal_message(ngx_registry_refusal_t *refusal,
    const u_char *p, size_t len)
{
    refusal->message_len = ngx_registry_refusal_copy(refusal->message,
                                                 sizeof(refusal->message), p,
                                                 len);
}


static size_t
ngx_registry_refusal_copy(u_char *dst, size_t size, const u_char *p,
    size_t len)
{
    size_t  i;

    if (len > size) {
        len = size;
    }

    for (i = 0; i < len; i++) {
        dst[i] = (p[i] < 0x20 || p[i] == 0x7f) ? ' ' : p[i];
    }

    return len;
}


ngx_registry_status_e
ngx_registry_credentials_parse(const u_char *p, const u_char *last,
    ngx_registry_credentials_form_e form, const ngx_registry_memory_t *memory,
    ngx_registry_credentials_t *c, ngx_registry_refusal_t *refusal)
{
    ngx_registry_status_e              rc;
    ngx_registry_credentials_parser_t  cp;

    memset(c, 0, sizeof(ngx_registry_credentials_t));
    memset(refusal, 0, sizeof(ngx_registry_refusal_t));
    memset(&cp, 0, sizeof(ngx_registry_credentials_parser_t));

    cp.c = c;
    cp.refusal = refusal;

    rc = ngx_registry_credentials_run(&cp, p, last, memory);

    if (rc == NGX_REGISTRY_OK) {
        rc = ngx_registry_credentials_judge(&cp, form);
    }

    if (rc != NGX_REGISTRY_OK) {
        ngx_registry_credentials_wipe(c);
    }

    return rc;
}


static ngx_registry_status_e
ngx_registry_credentials_run(ngx_registry_credentials_parser_t *cp,
    const u_char *p, const u_char *last, const ngx_registry_memory_t *memory)
{
    yajl_handle       handle;
    yajl_status       status;
    yajl_alloc_funcs  funcs;

    funcs.malloc = ngx_registry_credentials_alloc;
    funcs.realloc = ngx_registry_credentials_resize;
    funcs.free = ngx_registry_credentials_release;
    memcpy(&funcs.ctx, &memory, sizeof(void *));

    handle = yajl_alloc(&ngx_registry_credentials_callbacks, &funcs, cp);
    if (handle == NULL) {
        cp->refusal->reason = "no memory";
        return NGX_REGISTRY_NO_MEMORY;
    }

    status = yajl_parse(handle, p, (size_t) (last - p));

    if (status == yajl_status_ok) {
        status = yajl_complete_parse(handle);
    }

    yajl_free(handle);

    if (cp->rc != NGX_REGISTRY_OK) {
        return cp->rc;
    }

    if (status != yajl_status_ok || !cp->object) {
        cp->refusal->reason = "the answer is not a JSON object";
        return NGX_REGISTRY_INVALID;
    }

    return NGX_REGISTRY_OK;
}


static ngx_registry_status_e
ngx_registry_credentials_judge(ngx_registry_credentials_parser_t *cp,
    ngx_registry_credentials_form_e form)
{
    ngx_registry_refusal_t      *refusal;
    ngx_registry_credentials_t  *c;

    c = cp->c;
    refusal = cp->refusal;

    if (form == NGX_REGISTRY_CREDENTIALS_PROCESS && !cp->version) {
        refusal->reason = "the answer has no \"Version\": 1";
        return NGX_REGISTRY_UNSUPPORTED;
    }

    /* EC2 User Guide: a failure of IMDS is told by "Code" of an answer 200 */

    if (refusal->code_len
        && !(refusal->code_len == 7
             && memcmp(refusal->code, "Success", 7) == 0))
    {
        return NGX_REGISTRY_NONE;
    }

    if (c->access_key_len == 0) {
        refusal->reason = "the answer has no AccessKeyId";

    } else if (c->secret_key_len == 0) {
        refusal->reason = "the answer has no SecretAccessKey";

    } else if (form == NGX_REGISTRY_CREDENTIALS_IMDS && c->token_len == 0) {
        refusal->reason = "the answer has no Token";

    } else if (form == NGX_REGISTRY_CREDENTIALS_IMDS && c->expiration == 0) {
        refusal->reason = "the answer has no Expiration";

    } else {
        return NGX_REGISTRY_OK;
    }

    return NGX_REGISTRY_INVALID;
}


static int
ngx_registry_credentials_fail(ngx_registry_credentials_parser_t *cp,
    ngx_registry_status_e rc, const char *reason)
{
    cp->rc = rc;
    cp->refusal->reason = reason;

    return 0;
}


static int
ngx_registry_credentials_null(void *data)
{
    (void) data;

    return 1;
}


static int
ngx_registry_credentials_boolean(void *data, int value)
{
    (void) data;
    (void) value;

    return 1;
}


static int
ngx_registry_credentials_number(void *data, const char *p, size_t len)
{
    ngx_registry_credentials_parser_t *cp = data;

    if (cp->depth == 1 && cp->field == NGX_REGISTRY_FIELD_VERSION) {
        cp->version = (len == 1 && *p == '1');
    }

    return 1;
}


static int
ngx_registry_credentials_string(void *data, const u_char *p, size_t len)
{
    ngx_registry_credentials_parser_t *cp = data;

    ngx_registry_span_t          s;
    ngx_registry_status_e        rc;
    ngx_registry_credentials_t  *c;

    if (cp->depth != 1) {
        return 1;
    }

    s.data = p;
    s.len = len;
    c = cp->c;

    switch (cp->field) {

    case NGX_REGISTRY_FIELD_CODE:
        ngx_registry_refusal_code(cp->refusal, p, len);
        return 1;

    case NGX_REGISTRY_FIELD_MESSAGE:
        ngx_registry_refusal_message(cp->refusal, p, len);
        return 1;

    case NGX_REGISTRY_FIELD_ACCESS_KEY:
        rc = ngx_registry_credentials_copy(c->access_key, &c->access_key_len,
                                           sizeof(c->access_key), &s);
        break;

    case NGX_REGISTRY_FIELD_SECRET_KEY:
        rc = ngx_registry_credentials_copy(c->secret_key, &c->secret_key_len,
                                           sizeof(c->secret_key), &s);
        break;

    case NGX_REGISTRY_FIELD_TOKEN:
        rc = ngx_registry_credentials_copy(c->token, &c->token_len,
                                           sizeof(c->token), &s);
        break;

    case NGX_REGISTRY_FIELD_EXPIRATION:
        return ngx_registry_credentials_expiration(cp, p, len);

    default:
        return 1;
    }

    switch (rc) {

    case NGX_REGISTRY_OK:
        return 1;

    case NGX_REGISTRY_TOO_LONG:
        return ngx_registry_credentials_fail(cp, rc,
                          "a key or token in the answer is too long");

    default:
        return ngx_registry_credentials_fail(cp, rc,
                          "a key or token in the answer has control "
                          "characters");
    }
}


static int
ngx_registry_credentials_expiration(ngx_registry_credentials_parser_t *cp,
    const u_char *p, size_t len)
{
    int64_t  t;

    t = ngx_registry_time_parse(p, p + len);

    if (t <= 0) {
        return ngx_registry_credentials_fail(cp, NGX_REGISTRY_INVALID,
                          "Expiration in the answer is not a time");
    }

    cp->c->expiration = t;

    return 1;
}


static int
ngx_registry_credentials_open_map(void *data)
{
    ngx_registry_credentials_parser_t *cp = data;

    if (cp->depth == 0) {
        cp->object = 1;
    }

    return ngx_registry_credentials_open_array(data);
}


static int
ngx_registry_credentials_key(void *data, const u_char *p, size_t len)
{
    ngx_registry_credentials_parser_t *cp = data;

    const ngx_registry_credentials_name_t  *name;

    if (cp->depth != 1) {
        return 1;
    }

    for (name = ngx_registry_fields; name->name.len; name++) {
        if (name->name.len == len && memcmp(name->name.data, p, len) == 0) {
            break;
        }
    }

    cp->field = name->field;

    return 1;
}


static int
ngx_registry_credentials_close(void *data)
{
    ngx_registry_credentials_parser_t *cp = data;

    cp->depth--;

    return 1;
}


static int
ngx_registry_credentials_open_array(void *data)
{
    ngx_registry_credentials_parser_t *cp = data;

    if (++cp->depth > NGX_REGISTRY_CREDENTIALS_DEPTH) {
        return ngx_registry_credentials_fail(cp, NGX_REGISTRY_INVALID,
                                             "the answer is too deep");
    }

    return 1;
}


static void *
ngx_registry_credentials_alloc(void *ctx, size_t size)
{
    const ngx_registry_memory_t *memory = ctx;

    return memory->alloc(size);
}


static void *
ngx_registry_credentials_resize(void *ctx, void *p, size_t size)
{
    const ngx_registry_memory_t *memory = ctx;

    return memory->resize(p, size);
}


static void
ngx_registry_credentials_release(void *ctx, void *p)
{
    const ngx_registry_memory_t *memory = ctx;

    memory->release(p);
}
