
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_RESULT_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_RESULT_H_INCLUDED_


/*
 * What came of a question to the store, in the terms of the registry.
 */


typedef enum {
    NGX_HTTP_REGISTRY_OK = 0,
    NGX_HTTP_REGISTRY_NOT_FOUND,       /* the object does not exist */
    NGX_HTTP_REGISTRY_MISSED,          /* the cache does not have it */
    NGX_HTTP_REGISTRY_BEYOND,          /* 416 */
    NGX_HTTP_REGISTRY_EXISTS,          /* 412: the object does, already */
    NGX_HTTP_REGISTRY_UNREACHABLE,     /* no answer, a cut one, 5xx */
    NGX_HTTP_REGISTRY_THROTTLED,       /* SlowDown and its like */
    NGX_HTTP_REGISTRY_REFUSED,         /* of the keys or the clock */
    NGX_HTTP_REGISTRY_FULL,            /* no room; later there may be */
    NGX_HTTP_REGISTRY_FAULT            /* no retry will mend it */
} ngx_http_registry_outcome_e;


struct ngx_http_registry_result_s {
    ngx_http_registry_outcome_e   outcome;
    ngx_uint_t                    status;       /* of the store, 0: none */
    ngx_str_t                     code;         /* of S3, or ours in words */
    ngx_str_t                     message;
    ngx_str_t                     request_id;
    ngx_str_t                     region;       /* the right one, if told */
    ngx_str_t                     hint;         /* what to do */
};


/*
 * Judges a subrequest that is done.  Strings live as long as its pool.
 */
void ngx_http_registry_result(ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result);

/*
 * A result of our own: the answer arrived, but is not what it must be, and
 * is not to stay in the cache.  code and hint are literals.
 */
void ngx_http_registry_result_fault(ngx_http_registry_result_t *result,
    const char *code, const char *hint);

/* the same, of content that has another digest */
void ngx_http_registry_result_damaged(ngx_http_registry_result_t *result);

/* of S3: no answer, or another one than a success */
void ngx_http_registry_s3_judge(ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result);

/* whether a retry may help */
#define ngx_http_registry_result_again(result)                                \
    ((result)->outcome >= NGX_HTTP_REGISTRY_UNREACHABLE                       \
     && (result)->outcome <= NGX_HTTP_REGISTRY_REFUSED)

/* whether an old copy is better than the answer */
#define ngx_http_registry_result_stale(result)                                \
    ngx_http_registry_result_again(result)

/*
 * Writes the error-log line of a question that failed, once a minute for faults
 * of one kind, with their count.
 */
void ngx_http_registry_result_log(ngx_http_registry_ctx_t *ctx,
    ngx_http_registry_op_t *op, ngx_http_registry_result_t *result);

/* the same for a stale tag that is served, age in seconds */
void ngx_http_registry_result_log_stale(ngx_http_registry_ctx_t *ctx,
    time_t age);


#endif /* _NGX_HTTP_REGISTRY_RESULT_H_INCLUDED_ */
