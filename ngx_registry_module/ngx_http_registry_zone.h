
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_ZONE_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_ZONE_H_INCLUDED_


/*
 * What the workers of a host know together: which repository has which blob,
 * sizes and types of blobs, current digests of tags, faults already logged.
 * Least recently used entries are dropped when the zone is full: everything
 * here can be asked of the store again.  Keys are 16 bytes of a SHA-256.
 *
 * One zone serves all registries.  An entry takes 64 bytes of memory for a
 * member, 128 for most objects and for a fault, 256 for a tag; half of a zone
 * is for members, so 10m know 80,000 of them.  The contents survive a reload,
 * but not a change of size.
 *
 * All functions take NULL for a zone, of which nothing is known.
 */


/* what of a repository a digest is: one may be both */

typedef enum {
    NGX_HTTP_REGISTRY_MEMBER_BLOB = 'b',
    NGX_HTTP_REGISTRY_MEMBER_MANIFEST = 'm'
} ngx_http_registry_member_e;


typedef struct {
    off_t                   size;           /* bytes */
    size_t                  type_len;       /* media type, 0 if unknown */
    u_char                  type[NGX_REGISTRY_MEDIA_TYPE_MAX_LEN];
    ngx_uint_t              recent;         /* the store has had it within
                                               the last half minute; set by
                                               ngx_http_registry_zone_object()
                                               only */
} ngx_http_registry_object_t;


typedef enum {
    NGX_HTTP_REGISTRY_TAG_FRESH = 0,        /* use it */
    NGX_HTTP_REGISTRY_TAG_FETCH,            /* the caller must fetch and
                                               publish, or release */
    NGX_HTTP_REGISTRY_TAG_BUSY              /* another request fetches */
} ngx_http_registry_tag_e;


typedef struct {
    size_t                  len;            /* 0: the tag does not exist */
    u_char                  digest[NGX_REGISTRY_DIGEST_MAX_LEN];
    time_t                  valid;          /* the last second it may be
                                               used in */
    time_t                  age;            /* of a stale one, else -1; it
                                               grows while it is here */
} ngx_http_registry_tag_t;


/* what is known of a large blob in the cache */

typedef struct {
    ngx_uint_t              faults;         /* times it was found damaged */
    off_t                   hashed;         /* bytes, by the leader */
    unsigned                verified:1;     /* all slices, by the digest */
    unsigned                leader:1;       /* the caller is to verify it */
    unsigned                partial:1;      /* slices of it are there that
                                               nobody has verified, since a
                                               client asked for a range */
} ngx_http_registry_trust_t;


/* "registry_zone name:size;" */
char *ngx_http_registry_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* the default zone, if no directive made one; NULL if out of memory */
ngx_shm_zone_t *ngx_http_registry_zone_add(ngx_conf_t *cf, ngx_str_t *name,
    size_t size);

/*
 * id is the identity of the bucket (conf->id), name a repository.
 * Whether the repository is known to have the blob or manifest.
 */
ngx_uint_t ngx_http_registry_zone_member(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *name, ngx_str_t *digest, ngx_http_registry_member_e type);
void ngx_http_registry_zone_add_member(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *name, ngx_str_t *digest, ngx_http_registry_member_e type);

/*
 * NGX_OK or NGX_DECLINED.  A type that is known stays when the object is
 * added again without one.
 */
ngx_int_t ngx_http_registry_zone_object(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *digest, ngx_http_registry_object_t *object);
void ngx_http_registry_zone_add_object(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *digest, ngx_http_registry_object_t *object);

/*
 * One request of the host renews a tag at a time.  A lease ends after
 * lease milliseconds, so that a killed worker does not block a tag.
 * value is set if the tag is fresh.
 */
ngx_http_registry_tag_e ngx_http_registry_zone_tag(ngx_shm_zone_t *zone,
    ngx_str_t *id, ngx_str_t *name, ngx_str_t *tag, ngx_msec_t lease,
    ngx_http_registry_tag_t *value);
void ngx_http_registry_zone_publish_tag(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *name, ngx_str_t *tag, ngx_http_registry_tag_t *value);
void ngx_http_registry_zone_release_tag(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *name, ngx_str_t *tag);

/*
 * A blob that is cached in slices is verified by one request of the host, the
 * leader, while it passes; the others wait for it with their last byte.  A
 * lead ends by a verdict, some time after its last progress, so that a worker
 * that was killed does not keep others waiting, or if another takes it, who
 * does not want to wait for a leader with a slow client.
 *
 * owner is a number other than 0 that tells requests apart.  _trust() tells
 * what is known, and makes the caller the leader if lead is set and nobody
 * else is; _lead() makes it the leader in any case.  _missed() notes that a
 * slice which begins at start is fetched, part: for a client that wants a
 * range.  _progress() renews the lead, hashed is how many bytes are verified.
 * _verdict(): NGX_OK, all slices are right, NGX_DECLINED, they are not,
 * NGX_ERROR, the leader gives up.
 */
void ngx_http_registry_zone_trust(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *digest, ngx_uint_t owner, ngx_uint_t lead,
    ngx_http_registry_trust_t *trust);
void ngx_http_registry_zone_lead(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *digest, ngx_uint_t owner);
void ngx_http_registry_zone_missed(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *digest, off_t start, ngx_uint_t part);
void ngx_http_registry_zone_progress(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *digest, ngx_uint_t owner, off_t hashed);
void ngx_http_registry_zone_verdict(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *digest, ngx_uint_t owner, ngx_int_t verdict);

/* forgets that a repository has something, and all of an object */
void ngx_http_registry_zone_forget(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *name, ngx_str_t *digest);

/*
 * Whether a fault is to be logged now: the first time, and then once a
 * minute; *count is how many there were since the last line, this one
 * included.
 */
ngx_uint_t ngx_http_registry_zone_fault(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *fault, ngx_uint_t *count);

/*
 * Notes that a store did not answer in time, or did again; and tells whether
 * silence of the last seconds was noted before a time, in milliseconds: nobody
 * need wait for it twice.
 */
void ngx_http_registry_zone_silence(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_uint_t silent);
ngx_uint_t ngx_http_registry_zone_silent(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_msec_t before);


#endif /* _NGX_HTTP_REGISTRY_ZONE_H_INCLUDED_ */
