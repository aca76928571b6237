
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_S3_XML_H_INCLUDED_
#define _NGX_REGISTRY_S3_XML_H_INCLUDED_


#include "ngx_registry.h"


#pragma GCC visibility push(hidden)


/* S3 API, Error responses.  Text is cut at the size of the field. */

typedef struct {
    size_t  code_len;
    u_char  code[64];
    size_t  message_len;
    u_char  message[512];
    size_t  request_id_len;
    u_char  request_id[64];
    size_t  region_len;
    u_char  region[64];            /* AuthorizationHeaderMalformed */
    size_t  endpoint_len;
    u_char  endpoint[256];         /* PermanentRedirect */
} ngx_registry_s3_error_t;


typedef enum {
    NGX_REGISTRY_S3_KEY = 0,       /* Contents/Key */
    NGX_REGISTRY_S3_PREFIX         /* CommonPrefixes/Prefix */
} ngx_registry_s3_entry_e;


typedef struct {
    unsigned  truncated:1;
    size_t    token_len;           /* NextContinuationToken, not encoded */
    u_char    token[2048];
} ngx_registry_s3_list_t;


/* name is decoded if the answer says EncodingType url; lives until return */
typedef ngx_registry_status_e (*ngx_registry_s3_entry_pt)(void *data,
    ngx_registry_s3_entry_e type, const ngx_registry_span_t *name);


/* S3 API, CreateMultipartUpload */

typedef struct {
    size_t  len;
    u_char  id[2048];
} ngx_registry_s3_upload_t;


/*
 * S3 API, ListMultipartUploads: one that has begun.  Spans live until the
 * handler returns; initiated is in seconds since 1970, 0 if it cannot be read.
 */

typedef struct {
    ngx_registry_span_t  key;
    ngx_registry_span_t  id;
    int64_t              initiated;
} ngx_registry_s3_begun_t;


typedef ngx_registry_status_e (*ngx_registry_s3_begun_pt)(void *data,
    const ngx_registry_s3_begun_t *begun);


/* OK, INVALID (also any DOCTYPE or entity declaration), NO_MEMORY */
ngx_registry_status_e ngx_registry_s3_error_parse(const u_char *p,
    const u_char *last, ngx_registry_s3_error_t *e);

/* the same; INVALID also if there is no UploadId, or one that is too long */
ngx_registry_status_e ngx_registry_s3_upload_parse(const u_char *p,
    const u_char *last, ngx_registry_s3_upload_t *upload);

/*
 * OK, INVALID (also truncated without a token, an IsTruncated that is neither
 * true nor false, elements within a name or token), NO_MEMORY, STOPPED
 */
ngx_registry_status_e ngx_registry_s3_list_parse(const u_char *p,
    const u_char *last, ngx_registry_s3_list_t *list,
    ngx_registry_s3_entry_pt handler, void *data);

/*
 * One page.  OK, INVALID (also a key or an identifier that is too long or has
 * elements in it), NO_MEMORY, STOPPED
 */
ngx_registry_status_e ngx_registry_s3_uploads_parse(const u_char *p,
    const u_char *last, ngx_registry_s3_begun_pt handler, void *data);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_S3_XML_H_INCLUDED_ */
