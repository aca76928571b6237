
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_SLICE_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_SLICE_H_INCLUDED_


/*
 * A slice of a blob, an S3 request and a file of the cache.  Slices begin at
 * fixed places, so that all who want a blob want the same ones.
 */

/* bytes */
#define NGX_HTTP_REGISTRY_SLICE_SIZE_MIN  (64 * 1024)


struct ngx_http_registry_slice_s {
    ngx_queue_t                      queue;
    ngx_http_registry_delivery_t    *delivery;

    off_t                            start;     /* of the slice */
    off_t                            end;       /* as it is asked for, it may
                                                   be beyond the blob's */
    off_t                            next;      /* byte for the client */
    off_t                            last;      /* one past its last here */

    ngx_http_registry_sub_t         *sub;       /* the child */
    ngx_int_t                        rc;        /* that it first ended with */
    off_t                            position;  /* next byte of its answer */
    off_t                            begun;     /* next when it started */

    ngx_http_registry_retry_t        retry;
    ngx_http_registry_result_t       result;    /* of a child that failed */
    ngx_event_t                      timer;
    ngx_http_registry_waiter_t       waiter;

    ngx_queue_t                      parts;     /* to be hashed, in order */

    unsigned                         direct:1;  /* does not use the cache */
    unsigned                         running:1; /* the child is at work */
    unsigned                         ended:1;   /* it has all of its answer */
    unsigned                         settled:1; /* its result is known */
    unsigned                         complete:1;/* all bytes are passed on */
    unsigned                         failed:1;  /* for good */
    unsigned                         again:1;   /* at once */
    unsigned                         closed:1;  /* its files are */
};


/* bytes of which a slice is the first, 0 if blobs are not sliced */
off_t ngx_http_registry_slice_threshold(ngx_http_registry_loc_conf_t *rlcf);

/* the Range of that slice, empty if blobs are not sliced */
ngx_int_t ngx_http_registry_slice_first(ngx_pool_t *pool,
    ngx_http_registry_loc_conf_t *rlcf, ngx_str_t *range);

/*
 * Adds the slice that has the byte pos of the blob, for the client's bytes
 * from pos on, and starts its child.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_registry_slice_add(ngx_http_registry_delivery_t *d,
    off_t pos);

/* the last bytes of a blob of unknown size: one child, not cached */
ngx_int_t ngx_http_registry_slice_suffix(ngx_http_registry_delivery_t *d,
    off_t n);

/* starts a child for what is missing of the slice, in its place */
ngx_int_t ngx_http_registry_slice_start(ngx_http_registry_slice_t *slice);

/*
 * Judges the child if it is done: the slice is complete, or a retry is under
 * way, or it has failed.
 */
void ngx_http_registry_slice_settle(ngx_http_registry_slice_t *slice);

/* the node of a child of the slice waits for its turn to be output */
ngx_uint_t ngx_http_registry_slice_queued(ngx_http_registry_slice_t *slice);

/* gives back the memory that a child which has ended no longer needs */
void ngx_http_registry_slice_trim(ngx_http_registry_slice_t *slice);

/* closes the files of a slice that the client has */
void ngx_http_registry_slice_close(ngx_http_registry_slice_t *slice);

/* whether the children of this worker are so many that memory is short */
ngx_uint_t ngx_http_registry_slice_crowd(void);

/* wakes a child that waits for another request to fill the cache */
void ngx_http_registry_slice_poke(ngx_http_registry_slice_t *slice);

/* gives up a child that is far behind the pace of others, for another one */
void ngx_http_registry_slice_late(ngx_http_registry_slice_t *slice);

/* the request dies */
void ngx_http_registry_slice_cleanup(ngx_http_registry_slice_t *slice);

/*
 * Hands what has passed of the slice to the verification.  NGX_OK: all of it,
 * NGX_AGAIN: the verification has to catch up first, NGX_ERROR.
 */
ngx_int_t ngx_http_registry_slice_feed(ngx_http_registry_slice_t *slice);


#endif /* _NGX_HTTP_REGISTRY_SLICE_H_INCLUDED_ */
