
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_sts.h"
#include "ngx_registry_sigv4.h"
#include "ngx_registry_time.h"

#include <expat.h>
#include <openssl/crypto.h>


#define NGX_REGISTRY_STS_DEPTH   16
#define NGX_REGISTRY_STS_FIELDS  7


typedef struct {
    ngx_registry_span_t          name;
    ngx_registry_span_t          value;
} ngx_registry_sts_field_t;


typedef struct {
    const char                  *prefix;    /* of the region */
    const char                  *suffix;
    const char                  *dualstack;
} ngx_registry_sts_partition_t;


typedef struct {
    XML_Parser                   parser;
    ngx_registry_credentials_t  *c;
    ngx_registry_refusal_t      *refusal;
    ngx_registry_status_e        rc;

    unsigned                     depth;
    unsigned                     base;        /* depth of Credentials or
                                                 Error, 0: not inside */
    unsigned                     error:1;     /* it is Error */
    unsigned                     root:1;
    unsigned                     overflow:1;

    size_t                       len;
    u_char                       text[NGX_REGISTRY_TOKEN_MAX];
} ngx_registry_sts_parser_t;


static unsigned ngx_registry_sts_fields(const ngx_registry_sts_request_t *rq,
    ngx_registry_sts_field_t *fields);
static void ngx_registry_sts_run(ngx_registry_sts_parser_t *sp,
    const u_char *p, const u_char *last,
    const ngx_registry_memory_t *memory);
static void ngx_registry_sts_fail(ngx_registry_sts_parser_t *sp,
    ngx_registry_status_e rc, const char *reason);
static void XMLCALL ngx_registry_sts_start(void *data, const XML_Char *name,
    const XML_Char **atts);
static void XMLCALL ngx_registry_sts_end(void *data, const XML_Char *name);
static void ngx_registry_sts_refusal(ngx_registry_sts_parser_t *sp,
    const char *name);
static void ngx_registry_sts_key(ngx_registry_sts_parser_t *sp,
    const char *name);
static void XMLCALL ngx_registry_sts_text(void *data, const XML_Char *s,
    int len);
static void XMLCALL ngx_registry_sts_doctype(void *data,
    const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid,
    int internal);
static const char *ngx_registry_sts_local(const XML_Char *name);


/* botocore partitions.json */

static const ngx_registry_sts_partition_t  ngx_registry_sts_partitions[] = {
    { "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn" },
    { "us-isob-", "sc2s.sgov.gov", "api.aws.scloud" },
    { "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov" },
    { "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk" },
    { "us-iso-", "c2s.ic.gov", "api.aws.ic.gov" },
    { "eusc-", "amazonaws.eu", "api.amazonwebservices.eu" },
    { "", "amazonaws.com", "api.aws" }
};


size_t
ngx_registry_sts_body_len(const ngx_registry_sts_request_t *rq)
{
    size_t                     len;
    unsigned                   i, n;
    ngx_registry_sts_field_t   fields[NGX_REGISTRY_STS_FIELDS];

    n = ngx_registry_sts_fields(rq, fields);
    len = n - 1;

    for (i = 0; i < n; i++) {
        len += fields[i].name.len + 1
               + ngx_registry_uri_encode_len(&fields[i].value, 0);
    }

    return len;
}


u_char *
ngx_registry_sts_body_write(u_char *dst, const ngx_registry_sts_request_t *rq)
{
    unsigned                   i, n;
    ngx_registry_sts_field_t   fields[NGX_REGISTRY_STS_FIELDS];

    n = ngx_registry_sts_fields(rq, fields);

    for (i = 0; i < n; i++) {

        if (i) {
            *dst++ = '&';
        }

        memcpy(dst, fields[i].name.data, fields[i].name.len);
        dst += fields[i].name.len;
        *dst++ = '=';

        dst = ngx_registry_uri_encode_write(dst, &fields[i].value, 0);
    }

    return dst;
}


static unsigned
ngx_registry_sts_fields(const ngx_registry_sts_request_t *rq,
    ngx_registry_sts_field_t *fields)
{
    unsigned  n;

    static const ngx_registry_sts_field_t  role = {
        ngx_registry_span("Action"), ngx_registry_span("AssumeRole")
    };

    static const ngx_registry_sts_field_t  web = {
        ngx_registry_span("Action"),
        ngx_registry_span("AssumeRoleWithWebIdentity")
    };

    static const ngx_registry_sts_field_t  version = {
        ngx_registry_span("Version"), ngx_registry_span("2011-06-15")
    };

    static const ngx_registry_span_t  names[] = {
        ngx_registry_span("RoleArn"),
        ngx_registry_span("RoleSessionName"),
        ngx_registry_span("ExternalId"),
        ngx_registry_span("DurationSeconds"),
        ngx_registry_span("WebIdentityToken")
    };

    fields[0] = rq->token.len ? web : role;
    fields[1] = version;

    fields[2].name = names[0];
    fields[2].value = rq->role_arn;
    fields[3].name = names[1];
    fields[3].value = rq->session;

    n = 4;

    if (rq->external_id.len) {
        fields[n].name = names[2];
        fields[n++].value = rq->external_id;
    }

    if (rq->duration.len) {
        fields[n].name = names[3];
        fields[n++].value = rq->duration;
    }

    if (rq->token.len) {
        fields[n].name = names[4];
        fields[n++].value = rq->token;
    }

    return n;
}


u_char *
ngx_registry_sts_session_write(u_char dst[NGX_REGISTRY_STS_SESSION_MAX],
    const ngx_registry_span_t *host)
{
    u_char   ch, *p, *last;
    size_t   i;

    static const u_char  prefix[] = "registry-";

    /* STS API, AssumeRole: [\w+=,.@-]*, from 2 to 64 */

    p = dst;
    last = dst + NGX_REGISTRY_STS_SESSION_MAX;

    memcpy(p, prefix, sizeof(prefix) - 1);
    p += sizeof(prefix) - 1;

    for (i = 0; i < host->len && p < last; i++) {
        ch = host->data[i];

        *p++ = ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
                || (ch >= '0' && ch <= '9') || ch == '_' || ch == '.'
                || ch == '-')
               ? ch : '-';
    }

    return p;
}


u_char *
ngx_registry_sts_host_write(u_char dst[NGX_REGISTRY_STS_HOST_MAX],
    const ngx_registry_span_t *region, int fips, int dualstack)
{
    u_char                              *p;
    size_t                               i, len;
    const char                          *s;
    const ngx_registry_sts_partition_t  *partition;

    if (region->len > 63) {
        return NULL;
    }

    for (i = 0; i < region->len; i++) {

        if (!((region->data[i] >= 'a' && region->data[i] <= 'z')
              || (region->data[i] >= '0' && region->data[i] <= '9')
              || (region->data[i] == '-' && i && i + 1 < region->len)))
        {
            return NULL;
        }
    }

    p = dst;

    memcpy(p, "sts", 3);
    p += 3;

    if (fips && region->len) {
        memcpy(p, "-fips", 5);
        p += 5;
    }

    if (region->len) {
        *p++ = '.';
        memcpy(p, region->data, region->len);
        p += region->len;
    }

    for (partition = ngx_registry_sts_partitions; *partition->prefix;
         partition++)
    {
        len = strlen(partition->prefix);

        if (region->len > len
            && memcmp(region->data, partition->prefix, len) == 0)
        {
            break;
        }
    }

    s = (dualstack && region->len) ? partition->dualstack
                                   : partition->suffix;

    *p++ = '.';
    memcpy(p, s, strlen(s));

    return p + strlen(s);
}


ngx_registry_status_e
ngx_registry_sts_parse(const u_char *p, const u_char *last,
    const ngx_registry_memory_t *memory, ngx_registry_credentials_t *c,
    ngx_registry_refusal_t *refusal)
{
    ngx_registry_status_e      rc;
    ngx_registry_sts_parser_t  sp;

    memset(c, 0, sizeof(ngx_registry_credentials_t));
    memset(refusal, 0, sizeof(ngx_registry_refusal_t));
    memset(&sp, 0, sizeof(ngx_registry_sts_parser_t));

    sp.c = c;
    sp.refusal = refusal;

    ngx_registry_sts_run(&sp, p, last, memory);

    rc = sp.rc;

    if (rc == NGX_REGISTRY_OK && sp.error) {
        rc = NGX_REGISTRY_NONE;

    } else if (rc == NGX_REGISTRY_OK
               && (c->access_key_len == 0 || c->secret_key_len == 0
                   || c->token_len == 0 || c->expiration == 0))
    {
        rc = NGX_REGISTRY_INVALID;
        refusal->reason = "the answer has no complete Credentials";
    }

    /* the text was that of a secret, or of a token */

    OPENSSL_cleanse(&sp, sizeof(ngx_registry_sts_parser_t));

    if (rc != NGX_REGISTRY_OK) {
        ngx_registry_credentials_wipe(c);
    }

    return rc;
}


static void
ngx_registry_sts_run(ngx_registry_sts_parser_t *sp, const u_char *p,
    const u_char *last, const ngx_registry_memory_t *memory)
{
    enum XML_Status             status;
    XML_Memory_Handling_Suite   suite;

    if (last - p > INT32_MAX) {
        ngx_registry_sts_fail(sp, NGX_REGISTRY_TOO_LONG,
                              "the answer is too long");
        return;
    }

    suite.malloc_fcn = memory->alloc;
    suite.realloc_fcn = memory->resize;
    suite.free_fcn = memory->release;

    sp->parser = XML_ParserCreate_MM(NULL, &suite, NULL);
    if (sp->parser == NULL) {
        sp->rc = NGX_REGISTRY_NO_MEMORY;
        sp->refusal->reason = "no memory";
        return;
    }

    XML_SetUserData(sp->parser, sp);
    XML_SetElementHandler(sp->parser, ngx_registry_sts_start,
                          ngx_registry_sts_end);
    XML_SetCharacterDataHandler(sp->parser, ngx_registry_sts_text);
    XML_SetStartDoctypeDeclHandler(sp->parser, ngx_registry_sts_doctype);

    status = XML_Parse(sp->parser, (const char *) p, (int) (last - p), 1);

    if (sp->rc == NGX_REGISTRY_OK
        && (status != XML_STATUS_OK || !sp->root))
    {
        sp->rc = NGX_REGISTRY_INVALID;
        sp->refusal->reason = "the answer is not one of STS";
    }

    XML_ParserFree(sp->parser);
}


static void
ngx_registry_sts_fail(ngx_registry_sts_parser_t *sp,
    ngx_registry_status_e rc, const char *reason)
{
    if (sp->rc == NGX_REGISTRY_OK) {
        sp->rc = rc;
        sp->refusal->reason = reason;
    }

    if (sp->parser) {
        (void) XML_StopParser(sp->parser, XML_FALSE);
    }
}


static void XMLCALL
ngx_registry_sts_start(void *data, const XML_Char *name,
    const XML_Char **atts)
{
    ngx_registry_sts_parser_t *sp = data;

    const char  *local;

    (void) atts;

    local = ngx_registry_sts_local(name);

    sp->len = 0;
    sp->overflow = 0;

    if (++sp->depth > NGX_REGISTRY_STS_DEPTH) {
        ngx_registry_sts_fail(sp, NGX_REGISTRY_INVALID,
                              "the answer is too deep");
        return;
    }

    if (sp->depth == 1) {
        sp->root = (strcmp(local, "AssumeRoleResponse") == 0
                    || strcmp(local, "AssumeRoleWithWebIdentityResponse")
                       == 0
                    || strcmp(local, "ErrorResponse") == 0);

        if (!sp->root) {
            ngx_registry_sts_fail(sp, NGX_REGISTRY_INVALID,
                                  "the answer is not one of STS");
        }

        return;
    }

    if (sp->base) {
        return;
    }

    if (strcmp(local, "Error") == 0) {
        sp->error = 1;
        sp->base = sp->depth;

    } else if (strcmp(local, "Credentials") == 0) {
        sp->base = sp->depth;
    }
}


static void XMLCALL
ngx_registry_sts_end(void *data, const XML_Char *name)
{
    ngx_registry_sts_parser_t *sp = data;

    const char  *local;

    local = ngx_registry_sts_local(name);

    if (sp->base && sp->depth == sp->base + 1) {

        if (sp->error) {
            ngx_registry_sts_refusal(sp, local);

        } else {
            ngx_registry_sts_key(sp, local);
        }

    } else if (sp->depth == sp->base) {
        sp->base = 0;
    }

    sp->depth--;
    sp->len = 0;
}


static void
ngx_registry_sts_refusal(ngx_registry_sts_parser_t *sp, const char *name)
{
    if (strcmp(name, "Code") == 0) {
        ngx_registry_refusal_code(sp->refusal, sp->text, sp->len);

    } else if (strcmp(name, "Message") == 0) {
        ngx_registry_refusal_message(sp->refusal, sp->text, sp->len);
    }
}


static void
ngx_registry_sts_key(ngx_registry_sts_parser_t *sp, const char *name)
{
    u_char                      *dst;
    size_t                      *len, size, i;
    ngx_registry_credentials_t  *c;

    c = sp->c;

    if (strcmp(name, "AccessKeyId") == 0) {
        dst = c->access_key;
        len = &c->access_key_len;
        size = sizeof(c->access_key);

    } else if (strcmp(name, "SecretAccessKey") == 0) {
        dst = c->secret_key;
        len = &c->secret_key_len;
        size = sizeof(c->secret_key);

    } else if (strcmp(name, "SessionToken") == 0) {
        dst = c->token;
        len = &c->token_len;
        size = sizeof(c->token);

    } else if (strcmp(name, "Expiration") == 0) {
        c->expiration = ngx_registry_time_parse(sp->text,
                                                sp->text + sp->len);

        if (c->expiration <= 0) {
            ngx_registry_sts_fail(sp, NGX_REGISTRY_INVALID,
                              "Expiration in the answer is not a time");
        }

        return;

    } else {
        return;
    }

    if (sp->overflow || sp->len > size) {
        ngx_registry_sts_fail(sp, NGX_REGISTRY_TOO_LONG,
                              "a key or token in the answer is too long");
        return;
    }

    for (i = 0; i < sp->len; i++) {
        if (sp->text[i] < 0x20 || sp->text[i] == 0x7f) {
            ngx_registry_sts_fail(sp, NGX_REGISTRY_INVALID,
                              "a key or token in the answer has control "
                              "characters");
            return;
        }
    }

    memcpy(dst, sp->text, sp->len);
    *len = sp->len;
}


static void XMLCALL
ngx_registry_sts_text(void *data, const XML_Char *s, int len)
{
    ngx_registry_sts_parser_t *sp = data;

    size_t  n;

    n = (size_t) len;

    if (n > sizeof(sp->text) - sp->len) {
        n = sizeof(sp->text) - sp->len;
        sp->overflow = 1;
    }

    memcpy(sp->text + sp->len, s, n);
    sp->len += n;
}


static void XMLCALL
ngx_registry_sts_doctype(void *data, const XML_Char *name,
    const XML_Char *sysid, const XML_Char *pubid, int internal)
{
    (void) name;
    (void) sysid;
    (void) pubid;
    (void) internal;

    ngx_registry_sts_fail(data, NGX_REGISTRY_INVALID,
                          "the answer has a document type");
}


static const char *
ngx_registry_sts_local(const XML_Char *name)
{
    const char  *colon;

    colon = strrchr(name, ':');

    return colon ? colon + 1 : name;
}
