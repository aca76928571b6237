
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_DELIVERY_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_DELIVERY_H_INCLUDED_


/*
 * The delivery: a blob streamed to the client by children, that is, ordered
 * subrequests whose bodies nginx joins.
 *
 *     the first slice of what the client wants
 *       | fails before the first byte: another child, freshly signed
 *       | its header is right: the client's header is sent, the size is known
 *     the next slices, several at a time, each cached by itself
 *       | one breaks: a child for the rest of it, in the same place
 *     the digest is compared before the last byte is sent
 *
 * The request stays in its location: what the operator has set there
 * (access_log, add_header, limit_rate) applies to the blob.
 */


#define NGX_HTTP_REGISTRY_PARALLEL_MAX  64


/* who compares the digest of a blob with what passes */

typedef enum {
    NGX_HTTP_REGISTRY_TRUST_NONE = 0,    /* nobody: it is a part; or it is one
                                            slice, which the filter verifies
                                            before it is cached */
    NGX_HTTP_REGISTRY_TRUST_CACHE,       /* it was verified, and comes from
                                            the cache */
    NGX_HTTP_REGISTRY_TRUST_LEADER,      /* another request of the host */
    NGX_HTTP_REGISTRY_TRUST_SELF         /* this one */
} ngx_http_registry_trust_e;


struct ngx_http_registry_delivery_s {
    ngx_http_request_t              *request;
    ngx_http_registry_ctx_t         *ctx;

    ngx_str_t                        key;
    ngx_str_t                       *text;      /* the digest asked for */
    ngx_registry_digest_t           *digest;    /* of the content */
    ngx_str_t                        content;   /* the same as text */

    off_t                            size;      /* of the blob, -1 unknown */
    off_t                            offset;    /* first byte for the client */
    off_t                            end;       /* one past its last */

    /* the client's Range, -1 where it says nothing */
    int64_t                          first;
    int64_t                          last;

    ngx_queue_t                      slices;    /* that are under way */
    ngx_queue_t                      passed;    /* the client has them */
    off_t                            planned;   /* where the next one begins */
    ngx_uint_t                       ahead;     /* slices under way */
    ngx_uint_t                       running;   /* those with a child at work */
    ngx_uint_t                       parallel;  /* wanted now */
    ngx_msec_t                       typical;   /* that a slice takes */

    /* of the client */
    off_t                            begun;     /* bytes of its connection
                                                   before the body */
    off_t                            sent;      /* when it was measured */
    ngx_msec_t                       measured;
    ngx_uint_t                       rate;      /* bytes per second */

    off_t                            asked;     /* for more slices, at */

    ngx_http_registry_trust_e        trust;
    ngx_http_registry_verify_t      *verify;
    ngx_http_registry_slice_t       *hashing;   /* the first one that is not
                                                   all hashed */
    ngx_http_registry_slice_t       *hashed;    /* the one before it */
    ngx_uint_t                       owner;     /* of the lead */
    ngx_uint_t                       faults;    /* of the blob, at first */
    ngx_msec_t                       since;     /* when another leader had */
    off_t                            leader;    /* so many bytes hashed */
    u_char                           byte;      /* the last one, kept back */

    ngx_http_registry_call_t         call;      /* for the size */
    ngx_event_t                      timer;     /* looks again */
    ngx_msec_t                       delay;     /* of it */

    unsigned                         range:1;   /* one is asked for */
    unsigned                         partial:1; /* one is sent */
    unsigned                         beyond:1;  /* it begins after the end */
    unsigned                         header_sent:1;
    unsigned                         held:1;    /* byte is */
    unsigned                         lead:1;    /* of all requests of the
                                                   host */
    unsigned                         fresh:1;   /* the cache is not trusted */
    unsigned                         waiting:1; /* for another's verdict */
    unsigned                         ended:1;
};


/*
 * Starts the delivery of the blob to the client of r, whose store calls are
 * initialized, and takes over the request.  key is of the object, text what
 * the client asked for.  Returns NGX_AGAIN, or what the request is to be
 * finalized with.
 */
ngx_int_t ngx_http_registry_delivery(ngx_http_request_t *r,
    ngx_http_registry_ctx_t *ctx, ngx_str_t *key,
    ngx_registry_digest_t *digest, ngx_str_t *text);

/* the headers of a blob of size bytes; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_registry_blob_headers(ngx_http_request_t *r,
    ngx_str_t *text, off_t size);

/*
 * For the slices: the size is known from the answer to the first one.  Sends
 * the header, unless it can wait for the first byte; NGX_OK, or NGX_ERROR if
 * the child is to end.
 */
ngx_int_t ngx_http_registry_delivery_begin(ngx_http_registry_delivery_t *d,
    off_t size, ngx_http_registry_slice_t *slice);

/* for the slices, before the first byte if header_sent is not set */
ngx_int_t ngx_http_registry_delivery_send_header(
    ngx_http_registry_delivery_t *d);

/*
 * For the slices: something comes from S3, into a file of the cache or past
 * it, so that it is not enough that the blob was verified once.
 */
ngx_int_t ngx_http_registry_delivery_distrust(ngx_http_registry_delivery_t *d,
    ngx_uint_t filed);

/* something has happened: goes on from the event loop */
void ngx_http_registry_delivery_go(ngx_http_registry_delivery_t *d);


#endif /* _NGX_HTTP_REGISTRY_DELIVERY_H_INCLUDED_ */
