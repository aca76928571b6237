
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_CREDENTIALS_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_CREDENTIALS_H_INCLUDED_


/*
 * Where the keys of S3 come from.
 *
 *     configuration      the provider is chosen and stays chosen
 *     one worker         has the lease of the source, and a thread of its
 *                        pool asks: ngx_http_registry_renew.c, _fetch.c
 *     shared memory      has the set: ngx_http_registry_vault.c
 *     all workers        copy it to sign, and wait for it if there is none
 *
 * No directive has a secret, since nginx -T prints the configuration.
 */


/* what a worker knows of a source; ngx_http_registry_renew.c */

typedef struct {
    ngx_event_t                        event;
    ngx_queue_t                        waiters;   /* ..._waiter_t */
    ngx_queue_t                        ready;     /* they need not wait */
    ngx_event_t                        notify;
    ngx_atomic_t                       waiting;   /* how many */
    ngx_uint_t                         seen;      /* slot->fetches */
    ngx_uint_t                         worked;    /* generation, of which
                                                     all workers know it */
    ngx_str_t                          region;    /* of IMDS, for STS */
    ngx_msec_t                         slow;      /* lease of which it was
                                                     told to be */
    void                              *task;      /* ngx_thread_task_t */
    ngx_http_registry_fetch_t         *fetch;     /* under way, or NULL */
    unsigned                           begun:1;
    unsigned                           exposed:1; /* a file was told of */
} ngx_http_registry_renew_t;


struct ngx_http_registry_credentials_s {
    ngx_http_registry_provider_pt      provider;  /* NULL: environment */
    ngx_str_t                          name;      /* for people */
    ngx_uint_t                         kind;      /* asked for */
    ngx_str_t                          why;       /* not those before it */
    ngx_http_registry_source_t         source;
    ngx_shm_zone_t                    *vault;
    void                              *pool;      /* of threads */
    u_char                             id[NGX_HTTP_REGISTRY_SLOT_KEY_LEN];
    unsigned                           chosen:1;
    unsigned                           announced:1;
    unsigned                           region:1;  /* no keys but a region */

    /* below: of a worker */

    ngx_log_t                         *log;       /* of a location that uses
                                                     it */
    ngx_http_registry_renew_t          renew;

    u_char                             key[NGX_REGISTRY_SIGV4_KEY_LEN];
    u_char                             key_date[8];
    ngx_str_t                         *key_region;
    ngx_uint_t                         key_generation;
};


/* one set, valid until ngx_http_registry_credentials_done() */

typedef struct {
    ngx_registry_span_t   access_key;
    ngx_registry_span_t   secret_key;
    ngx_registry_span_t   token;          /* empty if there is none */
    ngx_uint_t            generation;     /* changes with the set */
} ngx_http_registry_keys_t;


/* "registry_credentials auto | env | file path [profile] | ...;" */
char *ngx_http_registry_credentials(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Chooses the provider of a registry, "auto" if it has no directive.  To be
 * called before its region is needed, which the provider may know.
 */
char *ngx_http_registry_credentials_choose(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf);

/*
 * A source for the region of this host.  Returns NULL if there is none, or
 * memory is out.
 */
ngx_http_registry_credentials_t *ngx_http_registry_credentials_region(
    ngx_conf_t *cf);

/*
 * All registries are known: equal sources become one, and get threads and
 * shared memory.
 */
ngx_int_t ngx_http_registry_credentials_complete(ngx_conf_t *cf);

/* one line at start about what needs no fetching */
void ngx_http_registry_credentials_announce(ngx_cycle_t *cycle);

/* whether there is a set of keys now */
ngx_uint_t ngx_http_registry_credentials_ready(
    ngx_http_registry_credentials_t *credentials);

/* the set to sign with: NGX_OK, or NGX_DECLINED if there is none */
ngx_int_t ngx_http_registry_credentials_keys(
    ngx_http_registry_credentials_t *credentials,
    ngx_http_registry_keys_t *keys);

/* overwrites the copy that keys are in */
void ngx_http_registry_credentials_done(void);

/*
 * Signing key of a day, made once for each set, day and region.
 * date takes 8 bytes of YYYYMMDD.  NULL on failure of OpenSSL.
 */
u_char *ngx_http_registry_credentials_key(
    ngx_http_registry_credentials_t *credentials,
    ngx_http_registry_keys_t *keys, u_char *date, ngx_str_t *region);

/* overwrites the keys; the worker ends */
void ngx_http_registry_credentials_forget(
    ngx_http_registry_credentials_t *credentials);

/* for messages and the variable: "environment", "IMDS", … */
ngx_str_t *ngx_http_registry_credentials_source(
    ngx_http_registry_credentials_t *credentials);

/* of the slot in the vault */
u_char *ngx_http_registry_credentials_id(
    ngx_http_registry_credentials_t *credentials);


#endif /* _NGX_HTTP_REGISTRY_CREDENTIALS_H_INCLUDED_ */
