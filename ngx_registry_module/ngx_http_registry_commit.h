
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_COMMIT_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_COMMIT_H_INCLUDED_


/*
 * From the spool to the bucket: a blob that has been verified is written to
 * its final key, by one PUT or in parts, then linked to its repository, and
 * the session is removed.
 *
 *     PUT of a client                  commit, a request of its own
 *     body, digest is right  ------->  data, unless S3 has it
 *     waits                            link
 *     201 or an error        <-------  done
 *
 * A client that goes away ends its own request only.
 */


typedef struct ngx_http_registry_commit_s  ngx_http_registry_commit_t;


/*
 * Starts it for a spool whose bytes hash to digest, by SHA-256 to sha256, 32
 * bytes.  The spool's file goes over to the commit.  The client's request r is
 * answered when it is done.  Returns NGX_AGAIN, or a status if it cannot be
 * started; the spool is r's then.
 */
ngx_int_t ngx_http_registry_commit(ngx_http_request_t *r,
    ngx_http_registry_spool_t *spool, ngx_registry_digest_t *digest,
    u_char *sha256);

/* 201 for a blob: Location and Docker-Content-Digest */
ngx_int_t ngx_http_registry_created(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx, const char *what, ngx_str_t *digest);


#endif /* _NGX_HTTP_REGISTRY_COMMIT_H_INCLUDED_ */
