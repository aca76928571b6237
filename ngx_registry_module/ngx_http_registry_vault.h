
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_VAULT_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_VAULT_H_INCLUDED_


/*
 * Shared memory with what sources of credentials have given: a slot for each
 * source, outside of any LRU, in a zone that a reload keeps.  A set that is
 * replaced is overwritten.
 */


#define NGX_HTTP_REGISTRY_SLOT_KEY_LEN  16


typedef struct {
    ngx_queue_t                  queue;
    u_char                       key[NGX_HTTP_REGISTRY_SLOT_KEY_LEN];

    ngx_uint_t                   cycle;        /* of the configuration */
    ngx_msec_t                   used;         /* by any worker, last */

    ngx_uint_t                   generation;   /* of the set, 0: none */
    ngx_uint_t                   fetches;      /* that have ended */
    ngx_uint_t                   failures;     /* since the last success */
    ngx_uint_t                   repeats;      /* of a set that S3 refuses */
    ngx_uint_t                   worked;       /* generation, with S3, last */
    ngx_uint_t                   refusals;     /* of sets, one after the other,
                                                  of which none has worked */
    ngx_msec_t                   next;         /* fetch, not before */
    ngx_msec_t                   forced;       /* fetch, last */
    ngx_msec_t                   logged;       /* failure, last */
    ngx_msec_t                   lease;        /* ends, at the latest */
    ngx_pid_t                    owner;        /* of the lease */
    time_t                       fetched;      /* the set, when */

    unsigned                     leased:1;
    unsigned                     refused:1;    /* the set, by S3 */
    unsigned                     again:1;      /* and while it was asked for
                                                  once more */

    size_t                       detail_len;
    size_t                       error_len;
    u_char                       detail[256];  /* of the source */
    u_char                       error[512];   /* of the last failure */

    ngx_registry_credentials_t   set;
} ngx_http_registry_slot_t;


/*
 * The zone, made if there is a source that needs it.  Its init fills it with
 * a slot for each of rmcf->sources, so it is to be added after these are
 * known.  NULL if out of memory.
 */
ngx_shm_zone_t *ngx_http_registry_vault_add(ngx_conf_t *cf,
    ngx_array_t *sources);

/*
 * Locks the vault and finds a slot, which is valid until it is unlocked.
 * Returns NULL, and nothing is locked, if there is none: the configuration is
 * an old one, and so long that the slot was given up.
 */
ngx_http_registry_slot_t *ngx_http_registry_vault_lock(ngx_shm_zone_t *zone,
    u_char *key);
void ngx_http_registry_vault_unlock(ngx_shm_zone_t *zone);

/* overwrites and frees slots that no configuration in use has */
void ngx_http_registry_vault_clean(ngx_shm_zone_t *zone);

/*
 * Seconds that the clock of S3 is ahead of this host's, as any worker has
 * found.
 */
time_t ngx_http_registry_vault_skew(ngx_shm_zone_t *zone);
void ngx_http_registry_vault_set_skew(ngx_shm_zone_t *zone, time_t skew);


#endif /* _NGX_HTTP_REGISTRY_VAULT_H_INCLUDED_ */
