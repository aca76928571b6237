
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


typedef struct {
    ngx_str_t                     code;
    ngx_http_registry_outcome_e   outcome;
    ngx_str_t                     hint;
} ngx_http_registry_code_t;


static void ngx_http_registry_result_silence(ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result);
static void ngx_http_registry_result_error(ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result);
static ngx_int_t ngx_http_registry_result_parse(ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result);
static ngx_http_registry_code_t *ngx_http_registry_result_code(
    ngx_str_t *code);
static void ngx_http_registry_result_status(ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result);
static void ngx_http_registry_result_denied(ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result);
static void ngx_http_registry_result_clock(ngx_http_registry_sub_t *sub);
static ngx_int_t ngx_http_registry_result_copy(ngx_pool_t *pool,
    ngx_str_t *dst, u_char *data, size_t len);


static ngx_str_t  ngx_http_registry_list_hint = ngx_string(
    "the role needs s3:GetObject on the objects and s3:ListBucket on the "
    "bucket; if it has no s3:ListBucket, S3 says AccessDenied of what does "
    "not exist, see registry_s3_list_bucket; a bucket whose requester pays "
    "needs x-amz-request-payer, see registry_s3_header");

static ngx_str_t  ngx_http_registry_write_hint = ngx_string(
    "the role needs s3:PutObject, s3:DeleteObject and "
    "s3:AbortMultipartUpload on the objects; the bucket's policy may ask "
    "for headers such as x-amz-server-side-encryption, "
    "x-amz-server-side-encryption-aws-kms-key-id, x-amz-acl or "
    "x-amz-request-payer, see registry_s3_header");

static ngx_str_t  ngx_http_registry_kms_write_hint = ngx_string(
    "the role needs kms:GenerateDataKey and kms:Decrypt on the key that "
    "objects are encrypted with");

static ngx_str_t  ngx_http_registry_kms_hint = ngx_string(
    "the role needs kms:Decrypt on the key that the object is encrypted "
    "with");

static ngx_str_t  ngx_http_registry_region_hint = ngx_string(
    "set registry_s3_region to the region of the bucket");


/*
 * Amazon S3 API Reference, Error responses; aws-c-s3 and botocore for what
 * is worth a retry.  Codes with "Throttl" in them are not listed: all of
 * them, also those of KMS, ask for less.
 */

static ngx_http_registry_code_t  ngx_http_registry_codes[] = {

    { ngx_string("NoSuchKey"), NGX_HTTP_REGISTRY_NOT_FOUND,
      ngx_null_string },

    { ngx_string("NoSuchBucket"), NGX_HTTP_REGISTRY_FAULT,
      ngx_string("check registry_s3_bucket and registry_s3_endpoint") },

    { ngx_string("PermanentRedirect"), NGX_HTTP_REGISTRY_FAULT,
      ngx_string("set registry_s3_region to the region of the bucket") },

    { ngx_string("TemporaryRedirect"), NGX_HTTP_REGISTRY_FAULT,
      ngx_string("the bucket is new or in another region: check "
                 "registry_s3_region") },

    { ngx_string("AuthorizationHeaderMalformed"), NGX_HTTP_REGISTRY_FAULT,
      ngx_string("set registry_s3_region to the region of the bucket") },

    { ngx_string("IllegalLocationConstraintException"),
      NGX_HTTP_REGISTRY_FAULT,
      ngx_string("set registry_s3_region to the region of the bucket") },

    { ngx_string("InvalidObjectState"), NGX_HTTP_REGISTRY_FAULT,
      ngx_string("the object is in an archive class: restore it, and keep "
                 "lifecycle rules off the registry's prefix") },

    { ngx_string("KMS.DisabledException"), NGX_HTTP_REGISTRY_FAULT,
      ngx_string("the KMS key of the object is disabled") },

    { ngx_string("KMS.NotFoundException"), NGX_HTTP_REGISTRY_FAULT,
      ngx_string("the KMS key of the object does not exist") },

    { ngx_string("RequestTimeTooSkewed"), NGX_HTTP_REGISTRY_REFUSED,
      ngx_string("the clock of this host is wrong") },

    { ngx_string("ExpiredToken"), NGX_HTTP_REGISTRY_REFUSED,
      ngx_string("the credentials have expired") },

    { ngx_string("TokenRefreshRequired"), NGX_HTTP_REGISTRY_REFUSED,
      ngx_string("the credentials have expired") },

    { ngx_string("InvalidToken"), NGX_HTTP_REGISTRY_REFUSED,
      ngx_string("S3 does not accept the session token") },

    { ngx_string("InvalidAccessKeyId"), NGX_HTTP_REGISTRY_REFUSED,
      ngx_string("S3 does not know the access key") },

    { ngx_string("SignatureDoesNotMatch"), NGX_HTTP_REGISTRY_REFUSED,
      ngx_string("the secret key is not the one of the access key") },

    { ngx_string("SlowDown"), NGX_HTTP_REGISTRY_THROTTLED,
      ngx_null_string },

    { ngx_string("ServiceUnavailable"), NGX_HTTP_REGISTRY_THROTTLED,
      ngx_null_string },

    { ngx_string("RequestLimitExceeded"), NGX_HTTP_REGISTRY_THROTTLED,
      ngx_null_string },

    { ngx_string("BandwidthLimitExceeded"), NGX_HTTP_REGISTRY_THROTTLED,
      ngx_null_string },

    { ngx_string("TooManyRequestsException"), NGX_HTTP_REGISTRY_THROTTLED,
      ngx_null_string },

    { ngx_string("RequestTimeout"), NGX_HTTP_REGISTRY_UNREACHABLE,
      ngx_null_string },

    { ngx_string("PriorRequestNotComplete"), NGX_HTTP_REGISTRY_UNREACHABLE,
      ngx_null_string },

    { ngx_string("OperationAborted"), NGX_HTTP_REGISTRY_UNREACHABLE,
      ngx_null_string },

    { ngx_string("ConditionalRequestConflict"),
      NGX_HTTP_REGISTRY_UNREACHABLE, ngx_null_string },

    { ngx_string("InvalidRange"), NGX_HTTP_REGISTRY_BEYOND,
      ngx_null_string },

    { ngx_string("PreconditionFailed"), NGX_HTTP_REGISTRY_EXISTS,
      ngx_null_string },

    { ngx_string("NoSuchUpload"), NGX_HTTP_REGISTRY_NOT_FOUND,
      ngx_null_string },

    { ngx_string("NotImplemented"), NGX_HTTP_REGISTRY_FAULT,
      ngx_string("the store lacks this operation of S3, or this header") },

    { ngx_null_string, 0, ngx_null_string }
};


void
ngx_http_registry_result(ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result)
{
    ngx_str_t  *id;

    ngx_memzero(result, sizeof(ngx_http_registry_result_t));

    result->status = sub->status;

    id = ngx_http_registry_sub_header_n(sub, "x-amz-request-id");
    if (id) {
        result->request_id = *id;
    }

    if (sub->status == 0 || sub->status >= 300) {
        sub->op->conf->kind->judge(sub, result);
        return;
    }

    if (sub->mismatch) {
        ngx_http_registry_result_damaged(result);
        return;
    }

    if (sub->rejected) {
        ngx_http_registry_result_fault(result, "unexpected answer",
                              "check registry_s3_endpoint: is this S3?");
        return;
    }

    if (sub->overflow) {
        ngx_http_registry_result_fault(result, "object too large",
                              "this is not what a registry has stored there");
        return;
    }

    if (!sub->complete) {
        result->outcome = NGX_HTTP_REGISTRY_UNREACHABLE;
        ngx_str_set(&result->code, "answer was cut");
    }
}


void
ngx_http_registry_result_damaged(ngx_http_registry_result_t *result)
{
    ngx_http_registry_result_fault(result, "content does not match digest",
                              "the object is damaged: push the image again");
}


void
ngx_http_registry_s3_judge(ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result)
{
    if (sub->status == 0) {
        ngx_http_registry_result_silence(sub, result);

    } else {
        ngx_http_registry_result_error(sub, result);
    }
}


void
ngx_http_registry_result_fault(ngx_http_registry_result_t *result,
    const char *code, const char *hint)
{
    result->outcome = NGX_HTTP_REGISTRY_FAULT;

    result->code.data = (u_char *) code;
    result->code.len = ngx_strlen(code);
    result->hint.data = (u_char *) hint;
    result->hint.len = ngx_strlen(hint);

    ngx_str_null(&result->message);
}


static void
ngx_http_registry_result_silence(ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result)
{
    result->outcome = NGX_HTTP_REGISTRY_UNREACHABLE;

    switch (sub->obstacle) {

    case NGX_HTTP_REGISTRY_NOT_CACHED:
        result->outcome = NGX_HTTP_REGISTRY_MISSED;
        ngx_str_set(&result->code, "not cached");
        return;

    case NGX_HTTP_REGISTRY_WAIT_ADDRESS:
        ngx_str_set(&result->code, "the endpoint's name cannot be resolved");
        ngx_str_set(&result->hint, "check registry_s3_endpoint and the "
                    "resolver");
        return;

    case NGX_HTTP_REGISTRY_WAIT_REGION:
        result->outcome = NGX_HTTP_REGISTRY_REFUSED;
        ngx_str_set(&result->code, "no region");
        ngx_str_set(&result->hint, "see registry_s3_region");
        return;

    case NGX_HTTP_REGISTRY_WAIT_CREDENTIALS:
        result->outcome = NGX_HTTP_REGISTRY_REFUSED;
        ngx_str_set(&result->code, "no credentials");
        ngx_str_set(&result->hint, "see registry_credentials");
        return;
    }

    if (sub->rc == NGX_HTTP_GATEWAY_TIME_OUT) {
        ngx_str_set(&result->code, "no answer in time");

    } else if (sub->rc == NGX_HTTP_BAD_GATEWAY) {
        ngx_str_set(&result->code, "connection failed");

    } else {
        ngx_str_set(&result->code, "request failed");
    }
}


static void
ngx_http_registry_result_error(ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result)
{
    ngx_str_t                 *region;
    ngx_http_registry_code_t  *code;

    region = ngx_http_registry_sub_header_n(sub, "x-amz-bucket-region");
    if (region) {
        result->region = *region;
    }

    /* S3 API, HeadObject: a HEAD has no error document, the status is all */

    if (sub->op->method.data[0] == 'H'
        || ngx_http_registry_result_parse(sub, result) != NGX_OK)
    {
        ngx_http_registry_result_status(sub, result);
        return;
    }

    if (ngx_strcasestrn(result->code.data, "throttl", 7 - 1)) {
        result->outcome = NGX_HTTP_REGISTRY_THROTTLED;
        return;
    }

    code = ngx_http_registry_result_code(&result->code);

    if (code) {
        result->outcome = code->outcome;
        result->hint = code->hint;

        if (sub->status == NGX_HTTP_FORBIDDEN
            && ngx_strcmp(result->code.data, "RequestTimeTooSkewed") == 0)
        {
            ngx_http_registry_result_clock(sub);
        }

        return;
    }

    if (ngx_strcmp(result->code.data, "AccessDenied") == 0) {
        ngx_http_registry_result_denied(sub, result);
        return;
    }

    result->outcome = (sub->status >= 500
                       || sub->status == NGX_HTTP_TOO_MANY_REQUESTS)
                      ? NGX_HTTP_REGISTRY_UNREACHABLE
                      : NGX_HTTP_REGISTRY_FAULT;
}


static ngx_int_t
ngx_http_registry_result_parse(ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result)
{
    ngx_pool_t                *pool;
    ngx_registry_s3_error_t    e;

    if (sub->len == 0 || sub->overflow
        || ngx_registry_s3_error_parse(sub->body, sub->body + sub->len, &e)
           != NGX_REGISTRY_OK
        || e.code_len == 0)
    {
        return NGX_DECLINED;
    }

    pool = sub->request->pool;

    if (ngx_http_registry_result_copy(pool, &result->code, e.code, e.code_len)
        != NGX_OK
        || ngx_http_registry_result_copy(pool, &result->message, e.message,
                                         e.message_len)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (result->request_id.len == 0
        && ngx_http_registry_result_copy(pool, &result->request_id,
                                         e.request_id, e.request_id_len)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (result->region.len == 0 && e.region_len
        && ngx_http_registry_result_copy(pool, &result->region, e.region,
                                         e.region_len)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_http_registry_code_t *
ngx_http_registry_result_code(ngx_str_t *code)
{
    ngx_http_registry_code_t  *c;

    for (c = ngx_http_registry_codes; c->code.len; c++) {

        if (c->code.len == code->len
            && ngx_strncmp(c->code.data, code->data, code->len) == 0)
        {
            return c;
        }
    }

    return NULL;
}


static void
ngx_http_registry_result_status(ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result)
{
    ngx_uint_t  head;

    /* an answer without a document of S3, which is normal for HEAD */

    head = (sub->op->method.data[0] == 'H');

    switch (sub->status) {

    case NGX_HTTP_NOT_FOUND:

        if (head) {
            result->outcome = NGX_HTTP_REGISTRY_NOT_FOUND;
            ngx_str_set(&result->code, "NotFound");
            return;
        }

        break;

    case NGX_HTTP_FORBIDDEN:

        if (head && ngx_http_registry_renew_doubtful(sub->op->conf->credentials,
                                                     sub->generation))
        {
            result->outcome = NGX_HTTP_REGISTRY_REFUSED;
            ngx_str_set(&result->code, "Forbidden");
            return;
        }

        if (head) {
            ngx_str_set(&result->code, "Forbidden");
            ngx_http_registry_result_denied(sub, result);
            return;
        }

        break;

    case NGX_HTTP_RANGE_NOT_SATISFIABLE:
        result->outcome = NGX_HTTP_REGISTRY_BEYOND;
        return;

    case NGX_HTTP_MOVED_PERMANENTLY:
    case NGX_HTTP_TEMPORARY_REDIRECT:
    case NGX_HTTP_BAD_REQUEST:

        if (result->region.len) {
            result->outcome = NGX_HTTP_REGISTRY_FAULT;
            result->hint = ngx_http_registry_region_hint;
            ngx_str_set(&result->code, "wrong region");
            return;
        }

        /* S3 API, HeadObject: ExpiredToken is 400, and there is no more */

        if (head && sub->status == NGX_HTTP_BAD_REQUEST) {
            result->outcome = NGX_HTTP_REGISTRY_REFUSED;
            ngx_str_set(&result->code, "Bad Request");
            return;
        }

        break;

    case NGX_HTTP_TOO_MANY_REQUESTS:
    case NGX_HTTP_SERVICE_UNAVAILABLE:
        result->outcome = NGX_HTTP_REGISTRY_THROTTLED;
        ngx_str_set(&result->code, "overloaded");
        return;

    default:

        if (sub->status >= 500) {
            result->outcome = NGX_HTTP_REGISTRY_UNREACHABLE;
            ngx_str_set(&result->code, "server error");
            return;
        }

        break;
    }

    if (!sub->complete && !sub->overflow) {
        result->outcome = NGX_HTTP_REGISTRY_UNREACHABLE;
        ngx_str_set(&result->code, "answer was cut");
        return;
    }

    ngx_http_registry_result_fault(result, "not an answer of S3",
                              "check registry_s3_endpoint: is this S3?");
}


static void
ngx_http_registry_result_denied(ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result)
{
    if (result->message.len
        && ngx_strcasestrn(result->message.data, "kms:", 4 - 1))
    {
        result->outcome = NGX_HTTP_REGISTRY_FAULT;
        result->hint = sub->op->write ? ngx_http_registry_kms_write_hint
                                      : ngx_http_registry_kms_hint;
        return;
    }

    if (sub->op->write) {
        result->outcome = NGX_HTTP_REGISTRY_FAULT;
        result->hint = ngx_http_registry_write_hint;
        return;
    }

    /* S3 API, GetObject: without s3:ListBucket a missing key is a 403 */

    if (!sub->op->conf->list_bucket && sub->op->key.len) {
        result->outcome = NGX_HTTP_REGISTRY_NOT_FOUND;
        return;
    }

    result->outcome = NGX_HTTP_REGISTRY_FAULT;
    result->hint = ngx_http_registry_list_hint;
}


static void
ngx_http_registry_result_clock(ngx_http_registry_sub_t *sub)
{
    time_t                     date, skew;
    ngx_str_t                 *value;
    ngx_http_registry_host_t  *host;

    value = ngx_http_registry_sub_header_n(sub, "date");
    if (value == NULL) {
        return;
    }

    date = ngx_parse_http_time(value->data, value->len);
    if (date == NGX_ERROR) {
        return;
    }

    skew = date - ngx_time();

    /*
     * AWS SDKs: a difference of less than four minutes is not the reason for
     * the answer, since S3 tolerates fifteen; an older correction may be
     */

    if (skew > -240 && skew < 240) {
        skew = 0;
    }

    host = sub->op->conf->host;

    if (skew == host->skew) {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, sub->request->connection->log, 0,
                  "registry: the clock of this host is %T seconds %s, "
                  "requests to S3 are signed with its time",
                  skew > 0 ? skew : -skew, skew > 0 ? "late" : "early");

    host->skew = skew;

    if (sub->op->conf->credentials->vault) {
        ngx_http_registry_vault_set_skew(sub->op->conf->credentials->vault,
                                         skew);
    }
}


static ngx_int_t
ngx_http_registry_result_copy(ngx_pool_t *pool, ngx_str_t *dst, u_char *data,
    size_t len)
{
    size_t  i;

    dst->data = ngx_pnalloc(pool, len + 1);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    /* goes to the log and into a header's neighborhood: no controls */

    for (i = 0; i < len; i++) {
        dst->data[i] = (data[i] < 0x20 || data[i] == 0x7f) ? ' ' : data[i];
    }

    dst->data[len] = '\0';
    dst->len = len;

    return NGX_OK;
}


void
ngx_http_registry_result_log(ngx_http_registry_ctx_t *ctx,
    ngx_http_registry_op_t *op, ngx_http_registry_result_t *result)
{
    u_char                         buf[1024], *p;
    ngx_str_t                      fault, source;
    ngx_uint_t                     count;
    ngx_http_registry_kind_t      *kind;
    ngx_http_registry_loc_conf_t  *rlcf;

    rlcf = op->conf;
    kind = rlcf->kind;

    /* faults are of one kind if they have code and status in common */

    p = ngx_snprintf(buf, 256, "%V|%ui", &result->code, result->status);
    fault.data = buf;
    fault.len = p - buf;

    if (!ngx_http_registry_zone_fault(rlcf->zone, &rlcf->id, &fault, &count)) {
        return;
    }

    source.data = buf;
    source.len = 0;

    if (result->outcome == NGX_HTTP_REGISTRY_REFUSED) {
        p = ngx_http_registry_renew_hint(rlcf->credentials, buf,
                                         buf + sizeof(buf));
        source.len = p - buf;
    }

    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "registry: %V %V of \"%V%s%V\" in %V \"%V\" failed: %V"
                  "%s%V%s, status %ui%s%V%s%V, repository \"%V\"%s%V%V; "
                  "%ui since the last such line",
                  &kind->title, &op->method, &op->key,
                  op->query.len ? "?" : "", &op->query, &kind->place,
                  &rlcf->place, &result->code,
                  result->message.len ? " (" : "", &result->message,
                  result->message.len ? ")" : "", result->status,
                  result->request_id.len ? ", request id " : "",
                  &result->request_id,
                  result->region.len ? ", the bucket's region is " : "",
                  &result->region, &ctx->name,
                  result->hint.len ? ": " : "", &result->hint, &source,
                  count);
}


void
ngx_http_registry_result_log_stale(ngx_http_registry_ctx_t *ctx, time_t age)
{
    ngx_str_t   fault;
    ngx_uint_t  count;

    ngx_str_set(&fault, "stale");

    if (!ngx_http_registry_zone_fault(ctx->conf->zone, &ctx->conf->id, &fault,
                                      &count))
    {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, ctx->request->connection->log, 0,
                  "registry: S3 fails, tag \"%V\" of repository \"%V\" is "
                  "served stale, %T seconds old; %ui since the last such line",
                  &ctx->reference, &ctx->name, age, count);
}
