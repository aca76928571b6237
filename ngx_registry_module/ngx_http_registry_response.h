
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_RESPONSE_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_RESPONSE_H_INCLUDED_


/*
 * Answers.  All of them return what the request is to be finalized with,
 * which is never NGX_AGAIN: that is of requests that go on.
 */


/*
 * An error in the form of the OCI Distribution Spec, Error Codes.  message
 * and detail may be NULL.
 */
ngx_int_t ngx_http_registry_error(ngx_http_request_t *r, ngx_uint_t status,
    ngx_registry_error_e code, ngx_str_t *message, ngx_str_t *detail);

/* a request that the library refuses, by the one table */
ngx_int_t ngx_http_registry_refuse(ngx_http_request_t *r,
    ngx_registry_status_e status, ngx_str_t *detail);

/*
 * A failed S3 request: 404 with the code given, or 503 with Retry-After, or
 * 502; the cause and S3's request id are in the message, what to do about a
 * fault that no retry mends in the detail.  Logs the fault.
 */
ngx_int_t ngx_http_registry_failure(ngx_http_request_t *r,
    ngx_http_registry_op_t *op, ngx_http_registry_result_t *result,
    ngx_registry_error_e not_found);

/* 200 with a body in memory that lives as long as the request */
ngx_int_t ngx_http_registry_send(ngx_http_request_t *r, ngx_str_t *type,
    ngx_str_t *body);

/* a status of success without a body */
ngx_int_t ngx_http_registry_send_empty(ngx_http_request_t *r,
    ngx_uint_t status);

/*
 * Discards a body that nobody wants, if there is one and nobody has read it.
 * Returns what ngx_http_discard_request_body() does.
 */
ngx_int_t ngx_http_registry_discard(ngx_http_request_t *r);

/* the body for an error page of nginx itself */
ngx_int_t ngx_http_registry_error_page(ngx_http_request_t *r,
    ngx_uint_t status, ngx_str_t *body);

/* pushes a header of the answer; value must outlive the request */
ngx_table_elt_t *ngx_http_registry_add_header(ngx_http_request_t *r,
    const char *name, ngx_str_t *value);

/* Docker-Content-Digest and ETag */
ngx_int_t ngx_http_registry_add_digest(ngx_http_request_t *r,
    ngx_str_t *digest);

/* whether If-None-Match has the digest */
ngx_uint_t ngx_http_registry_not_modified(ngx_http_request_t *r,
    ngx_str_t *digest);

/* 304 with the validators */
ngx_int_t ngx_http_registry_send_not_modified(ngx_http_request_t *r,
    ngx_str_t *digest);


#endif /* _NGX_HTTP_REGISTRY_RESPONSE_H_INCLUDED_ */
