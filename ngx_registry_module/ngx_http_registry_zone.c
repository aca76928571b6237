
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* of the structures below; other ones are never read */
#define NGX_HTTP_REGISTRY_ZONE_VERSION  2

#define NGX_HTTP_REGISTRY_ZONE_KEY_LEN  16

#define NGX_HTTP_REGISTRY_FAULT_TIME    60000    /* ms */

/* ms for which a store that did not answer is not waited for twice */
#define NGX_HTTP_REGISTRY_SILENCE_TIME  10000

/* ms without progress after which somebody else verifies a blob */
#define NGX_HTTP_REGISTRY_LEAD_TIME     2500

/* ms for which a stale answer serves those who would wait */
#define NGX_HTTP_REGISTRY_TAG_STALE     60000


/* seconds in which objects count when they were seen */
#define NGX_HTTP_REGISTRY_SEEN_TIME     16

/* the first byte of what a key is made of */

#define NGX_HTTP_REGISTRY_ZONE_OBJECT   'o'
#define NGX_HTTP_REGISTRY_ZONE_TAG      't'
#define NGX_HTTP_REGISTRY_ZONE_FAULT    'f'
#define NGX_HTTP_REGISTRY_ZONE_SILENCE  's'
#define NGX_HTTP_REGISTRY_ZONE_TRUST    'v'


/*
 * Entries are of four sizes, and each size has a share of the pages and a
 * queue of its own.  With one queue for all, the page that an entry of one
 * size needs would not become free before the last of many small entries in
 * it is dropped; with shares, dropping one always makes room for one.
 */

#define NGX_HTTP_REGISTRY_ZONE_SIZES    4

typedef struct {
    size_t                            size;      /* bytes */
    ngx_uint_t                        share;     /* of 16 */
} ngx_http_registry_zone_size_t;


/* the key of the node is the beginning of the entry's key */

typedef struct {
    ngx_rbtree_node_t                 node;      /* data: index of the size */
    u_char                            key[NGX_HTTP_REGISTRY_ZONE_KEY_LEN
                                          - sizeof(ngx_rbtree_key_t)];
    ngx_queue_t                       queue;
} ngx_http_registry_entry_t;


typedef struct {
    ngx_http_registry_entry_t         entry;
    off_t                             size;
    uint16_t                          seen;      /* the counter, which wraps */
    u_char                            type_len;
    u_char                            type[1];
} ngx_http_registry_object_entry_t;


typedef struct {
    ngx_http_registry_entry_t         entry;
    ngx_msec_t                        lease;     /* when it ends */
    ngx_msec_t                        published;
    time_t                            since;     /* stale since, if stale */
    time_t                            valid;
    ngx_msec_t                        life;      /* ms after published */
    u_char                            leased;
    u_char                            known;
    u_char                            stale;
    u_char                            len;
    u_char                            digest[NGX_REGISTRY_DIGEST_MAX_LEN];
} ngx_http_registry_tag_entry_t;


typedef struct {
    ngx_http_registry_entry_t         entry;
    ngx_msec_t                        logged;
    ngx_uint_t                        count;     /* since then */
} ngx_http_registry_fault_entry_t;


typedef struct {
    ngx_http_registry_entry_t         entry;
    ngx_uint_t                        owner;     /* the leader, 0: none */
    ngx_msec_t                        progress;  /* when it made some */
    off_t                             hashed;
    ngx_uint_t                        faults;
    u_char                            verified;
    u_char                            dirty;     /* a slice was fetched anew
                                                    that had been hashed */
    u_char                            partial;
} ngx_http_registry_trust_entry_t;


typedef struct {
    ngx_queue_t                       lru;       /* most recent first */
    ngx_uint_t                        n;
    ngx_uint_t                        max;
} ngx_http_registry_zone_queue_t;


typedef struct {
    ngx_uint_t                        version;
    ngx_rbtree_t                      rbtree;
    ngx_rbtree_node_t                 sentinel;
    ngx_http_registry_zone_queue_t    queues[NGX_HTTP_REGISTRY_ZONE_SIZES];
} ngx_http_registry_zone_sh_t;


typedef struct {
    ngx_http_registry_zone_sh_t      *sh;
    ngx_slab_pool_t                  *shpool;
} ngx_http_registry_zone_ctx_t;


static ngx_int_t ngx_http_registry_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_registry_zone_init_queues(ngx_shm_zone_t *shm_zone,
    ngx_http_registry_zone_ctx_t *ctx);
static ngx_http_registry_zone_ctx_t *ngx_http_registry_zone_lock(
    ngx_shm_zone_t *zone, u_char type, ngx_str_t *id, ngx_str_t *name,
    ngx_str_t *last, u_char *key);
static void ngx_http_registry_zone_unlock(ngx_http_registry_zone_ctx_t *ctx);
static ngx_int_t ngx_http_registry_zone_key(u_char type, ngx_str_t *id,
    ngx_str_t *name, ngx_str_t *last, u_char *key);
static void *ngx_http_registry_zone_find(ngx_http_registry_zone_ctx_t *ctx,
    u_char *key);
static void *ngx_http_registry_zone_insert(ngx_http_registry_zone_ctx_t *ctx,
    u_char *key, size_t len);
static ngx_uint_t ngx_http_registry_zone_index(size_t len);
static void ngx_http_registry_zone_delete(ngx_http_registry_zone_ctx_t *ctx,
    void *data);
static void ngx_http_registry_zone_rbtree_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);
static uint16_t ngx_http_registry_zone_now(void);
static void ngx_http_registry_zone_begin(ngx_http_registry_trust_entry_t *te,
    ngx_uint_t owner);
static void ngx_http_registry_zone_tag_value(
    ngx_http_registry_tag_entry_t *te, ngx_http_registry_tag_t *value);
static ngx_uint_t ngx_http_registry_zone_tag_fresh(
    ngx_http_registry_tag_entry_t *te);


/* half for members: there are more of them than of anything else */

static ngx_http_registry_zone_size_t  ngx_http_registry_zone_sizes[] = {
    {  64, 8 },
    { 128, 4 },
    { 256, 3 },
    { 512, 1 }
};


char *
ngx_http_registry_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_registry_main_conf_t *rmcf = conf;

    u_char     *p;
    ssize_t     size;
    ngx_str_t  *value, name, s;

    if (rmcf->zone) {
        return "is duplicate";
    }

    value = cf->args->elts;

    p = (u_char *) ngx_strchr(value[1].data, ':');

    if (p == NULL || p == value[1].data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\" directive, "
                           "it must be \"name:size\"",
                           &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    name.data = value[1].data;
    name.len = p - name.data;

    s.data = p + 1;
    s.len = value[1].data + value[1].len - s.data;

    size = ngx_parse_size(&s);

    if (size == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone size \"%V\" in \"%V\" directive",
                           &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    if (size < (ssize_t) (8 * ngx_pagesize)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is too small in \"%V\" directive",
                           &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    rmcf->zone = ngx_http_registry_zone_add(cf, &name, size);

    return rmcf->zone ? NGX_CONF_OK : NGX_CONF_ERROR;
}


ngx_shm_zone_t *
ngx_http_registry_zone_add(ngx_conf_t *cf, ngx_str_t *name, size_t size)
{
    ngx_shm_zone_t                *shm_zone;
    ngx_http_registry_zone_ctx_t  *ctx;

    shm_zone = ngx_shared_memory_add(cf, name, size,
                                     &ngx_http_registry_module);
    if (shm_zone == NULL) {
        return NULL;
    }

    ctx = ngx_pcalloc(cf->pool, sizeof(ngx_http_registry_zone_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    shm_zone->init = ngx_http_registry_zone_init;
    shm_zone->data = ctx;

    return shm_zone;
}


static ngx_int_t
ngx_http_registry_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_registry_zone_ctx_t  *octx = data;

    size_t                         len;
    ngx_http_registry_zone_ctx_t  *ctx;

    ctx = shm_zone->data;

    if (octx || shm_zone->shm.exists) {

        if (octx) {
            ctx->sh = octx->sh;
            ctx->shpool = octx->shpool;

        } else {
            ctx->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;
            ctx->sh = ctx->shpool->data;
        }

        /*
         * nginx does not hand the zone of one binary of the module to
         * another one, so this is a fault in any case: the old workers
         * still use it, and it cannot be emptied
         */

        if (ctx->sh->version != NGX_HTTP_REGISTRY_ZONE_VERSION) {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "registry_zone \"%V\" is of version %ui, and not "
                          "%d: restart nginx, or give the zone another name",
                          &shm_zone->shm.name, ctx->sh->version,
                          NGX_HTTP_REGISTRY_ZONE_VERSION);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    ctx->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    ctx->sh = ngx_slab_calloc(ctx->shpool,
                              sizeof(ngx_http_registry_zone_sh_t));
    if (ctx->sh == NULL) {
        return NGX_ERROR;
    }

    ctx->shpool->data = ctx->sh;

    len = sizeof(" in registry_zone \"\"") + shm_zone->shm.name.len;

    ctx->shpool->log_ctx = ngx_slab_alloc(ctx->shpool, len);
    if (ctx->shpool->log_ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(ctx->shpool->log_ctx, " in registry_zone \"%V\"%Z",
                &shm_zone->shm.name);

    ctx->shpool->log_nomem = 0;

    return ngx_http_registry_zone_init_queues(shm_zone, ctx);
}


static ngx_int_t
ngx_http_registry_zone_init_queues(ngx_shm_zone_t *shm_zone,
    ngx_http_registry_zone_ctx_t *ctx)
{
    size_t                           size;
    ngx_int_t                        i;
    ngx_uint_t                       n, pages, rest;
    ngx_http_registry_zone_sh_t     *sh;
    ngx_http_registry_zone_queue_t  *queue;

    sh = ctx->sh;

    ngx_rbtree_init(&sh->rbtree, &sh->sentinel,
                    ngx_http_registry_zone_rbtree_insert);

    rest = ctx->shpool->pfree;

    if (rest < NGX_HTTP_REGISTRY_ZONE_SIZES) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "registry_zone \"%V\" is too small",
                      &shm_zone->shm.name);
        return NGX_ERROR;
    }

    /* at least a page for each size, and for the first one what is left */

    for (i = NGX_HTTP_REGISTRY_ZONE_SIZES - 1; i >= 0; i--) {

        queue = &sh->queues[i];
        size = ngx_http_registry_zone_sizes[i].size;

        ngx_queue_init(&queue->lru);

        pages = ctx->shpool->pfree * ngx_http_registry_zone_sizes[i].share
                / 16;

        if (i == 0) {
            pages = rest;

        } else if (pages == 0) {
            pages = 1;
        }

        rest -= pages;

        /* the slab allocator may keep a bitmap of the page in the page */

        n = ngx_pagesize / size;

        if (n > 8 * sizeof(uintptr_t)) {
            n -= (n / 8 + size - 1) / size;
        }

        queue->max = pages * n;
    }

    sh->version = NGX_HTTP_REGISTRY_ZONE_VERSION;

    return NGX_OK;
}


ngx_uint_t
ngx_http_registry_zone_member(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *name, ngx_str_t *digest, ngx_http_registry_member_e type)
{
    void                          *entry;
    u_char                         key[NGX_HTTP_REGISTRY_ZONE_KEY_LEN];
    ngx_http_registry_zone_ctx_t  *ctx;

    ctx = ngx_http_registry_zone_lock(zone, (u_char) type, id, name, digest,
                                      key);
    if (ctx == NULL) {
        return 0;
    }

    entry = ngx_http_registry_zone_find(ctx, key);

    ngx_http_registry_zone_unlock(ctx);

    return entry != NULL;
}


void
ngx_http_registry_zone_add_member(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *name, ngx_str_t *digest, ngx_http_registry_member_e type)
{
    u_char                         key[NGX_HTTP_REGISTRY_ZONE_KEY_LEN];
    ngx_http_registry_zone_ctx_t  *ctx;

    ctx = ngx_http_registry_zone_lock(zone, (u_char) type, id, name, digest,
                                      key);
    if (ctx == NULL) {
        return;
    }

    if (ngx_http_registry_zone_find(ctx, key) == NULL) {
        (void) ngx_http_registry_zone_insert(ctx, key,
                                          sizeof(ngx_http_registry_entry_t));
    }

    ngx_http_registry_zone_unlock(ctx);
}


void
ngx_http_registry_zone_forget(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *name, ngx_str_t *digest)
{
    u_char                         key[NGX_HTTP_REGISTRY_ZONE_KEY_LEN];
    void                          *entry;
    ngx_uint_t                     i;
    ngx_http_registry_zone_ctx_t  *ctx;

    static u_char  types[] = { NGX_HTTP_REGISTRY_ZONE_OBJECT,
                               NGX_HTTP_REGISTRY_MEMBER_BLOB,
                               NGX_HTTP_REGISTRY_MEMBER_MANIFEST };

    for (i = 0; i < sizeof(types); i++) {

        ctx = ngx_http_registry_zone_lock(zone, types[i], id,
                                          i ? name : NULL, digest, key);
        if (ctx == NULL) {
            return;
        }

        entry = ngx_http_registry_zone_find(ctx, key);

        if (entry) {
            ngx_http_registry_zone_delete(ctx, entry);
        }

        ngx_http_registry_zone_unlock(ctx);
    }
}


ngx_int_t
ngx_http_registry_zone_object(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *digest, ngx_http_registry_object_t *object)
{
    u_char                             key[NGX_HTTP_REGISTRY_ZONE_KEY_LEN];
    ngx_http_registry_zone_ctx_t      *ctx;
    ngx_http_registry_object_entry_t  *oe;

    ctx = ngx_http_registry_zone_lock(zone, NGX_HTTP_REGISTRY_ZONE_OBJECT, id,
                                      NULL, digest, key);
    if (ctx == NULL) {
        return NGX_DECLINED;
    }

    oe = ngx_http_registry_zone_find(ctx, key);

    if (oe) {
        object->size = oe->size;
        object->type_len = oe->type_len;
        ngx_memcpy(object->type, oe->type, oe->type_len);
        object->recent = (uint16_t) (ngx_http_registry_zone_now() - oe->seen)
                         <= 1;
    }

    ngx_http_registry_zone_unlock(ctx);

    return oe ? NGX_OK : NGX_DECLINED;
}


void
ngx_http_registry_zone_add_object(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *digest, ngx_http_registry_object_t *object)
{
    size_t                             len;
    u_char                             key[NGX_HTTP_REGISTRY_ZONE_KEY_LEN];
    ngx_http_registry_zone_ctx_t      *ctx;
    ngx_http_registry_object_entry_t  *oe;

    ctx = ngx_http_registry_zone_lock(zone, NGX_HTTP_REGISTRY_ZONE_OBJECT, id,
                                      NULL, digest, key);
    if (ctx == NULL) {
        return;
    }

    len = offsetof(ngx_http_registry_object_entry_t, type) + object->type_len;

    oe = ngx_http_registry_zone_find(ctx, key);

    if (oe && object->type_len == 0) {
        oe->size = object->size;
        oe->seen = ngx_http_registry_zone_now();
        goto done;
    }

    if (oe
        && oe->entry.node.data != ngx_http_registry_zone_index(len))
    {
        ngx_http_registry_zone_delete(ctx, oe);
        oe = NULL;
    }

    if (oe == NULL) {
        oe = ngx_http_registry_zone_insert(ctx, key, len);
        if (oe == NULL) {
            goto done;
        }
    }

    oe->size = object->size;
    oe->seen = ngx_http_registry_zone_now();
    oe->type_len = (u_char) object->type_len;
    ngx_memcpy(oe->type, object->type, object->type_len);

done:

    ngx_http_registry_zone_unlock(ctx);
}


static uint16_t
ngx_http_registry_zone_now(void)
{
    return (uint16_t) (ngx_current_msec / 1000 / NGX_HTTP_REGISTRY_SEEN_TIME);
}


ngx_http_registry_tag_e
ngx_http_registry_zone_tag(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *name, ngx_str_t *tag, ngx_msec_t lease,
    ngx_http_registry_tag_t *value)
{
    u_char                          key[NGX_HTTP_REGISTRY_ZONE_KEY_LEN];
    ngx_http_registry_tag_e         rc;
    ngx_http_registry_zone_ctx_t   *ctx;
    ngx_http_registry_tag_entry_t  *te;

    ctx = ngx_http_registry_zone_lock(zone, NGX_HTTP_REGISTRY_ZONE_TAG, id,
                                      name, tag, key);
    if (ctx == NULL) {
        return NGX_HTTP_REGISTRY_TAG_FETCH;
    }

    rc = NGX_HTTP_REGISTRY_TAG_FETCH;

    te = ngx_http_registry_zone_find(ctx, key);

    if (te == NULL) {
        te = ngx_http_registry_zone_insert(ctx, key,
                                       sizeof(ngx_http_registry_tag_entry_t));
        if (te == NULL) {
            goto done;
        }
    }

    if (ngx_http_registry_zone_tag_fresh(te)) {
        ngx_http_registry_zone_tag_value(te, value);
        rc = NGX_HTTP_REGISTRY_TAG_FRESH;
        goto done;
    }

    /* ngx_current_msec is monotonic, and the same for all workers */

    if (te->leased && (ngx_msec_int_t) (te->lease - ngx_current_msec) > 0) {

        if (te->known && te->stale
            && (ngx_msec_int_t) (ngx_current_msec - te->published)
               < NGX_HTTP_REGISTRY_TAG_STALE)
        {
            /* S3 has failed; whoever asks it again keeps nobody waiting */
            ngx_http_registry_zone_tag_value(te, value);
            rc = NGX_HTTP_REGISTRY_TAG_FRESH;
            goto done;
        }

        rc = NGX_HTTP_REGISTRY_TAG_BUSY;
        goto done;
    }

    te->leased = 1;
    te->lease = ngx_current_msec + lease;

done:

    ngx_http_registry_zone_unlock(ctx);

    return rc;
}


static void
ngx_http_registry_zone_tag_value(ngx_http_registry_tag_entry_t *te,
    ngx_http_registry_tag_t *value)
{
    value->len = te->len;
    ngx_memcpy(value->digest, te->digest, te->len);
    value->valid = te->valid;
    value->age = te->stale ? ngx_max(ngx_time() - te->since, 0) : -1;
}


static ngx_uint_t
ngx_http_registry_zone_tag_fresh(ngx_http_registry_tag_entry_t *te)
{
    ngx_msec_int_t  ms;

    if (!te->known || ngx_time() > te->valid) {
        return 0;
    }

    /* a clock that is set back does not prolong a life */

    ms = (ngx_msec_int_t) (ngx_current_msec - te->published);

    return ms < 0 || (ngx_msec_t) ms < te->life;
}


void
ngx_http_registry_zone_publish_tag(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *name, ngx_str_t *tag, ngx_http_registry_tag_t *value)
{
    time_t                          now, life;
    u_char                          key[NGX_HTTP_REGISTRY_ZONE_KEY_LEN];
    ngx_http_registry_zone_ctx_t   *ctx;
    ngx_http_registry_tag_entry_t  *te;

    ctx = ngx_http_registry_zone_lock(zone, NGX_HTTP_REGISTRY_ZONE_TAG, id,
                                      name, tag, key);
    if (ctx == NULL) {
        return;
    }

    te = ngx_http_registry_zone_find(ctx, key);

    if (te == NULL) {
        te = ngx_http_registry_zone_insert(ctx, key,
                                       sizeof(ngx_http_registry_tag_entry_t));
        if (te == NULL) {
            goto done;
        }
    }

    now = ngx_time();

    /* up to the end of the last second, and not beyond a day */

    life = ngx_min(value->valid - now, 86400);

    te->known = (life >= 0);
    te->valid = value->valid;
    te->life = (ngx_msec_t) (life + 1) * 1000;
    te->published = ngx_current_msec;

    te->stale = (value->age >= 0);
    te->since = now - value->age;

    te->len = (u_char) value->len;
    ngx_memcpy(te->digest, value->digest, value->len);

    te->leased = 0;

done:

    ngx_http_registry_zone_unlock(ctx);
}


void
ngx_http_registry_zone_release_tag(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *name, ngx_str_t *tag)
{
    u_char                          key[NGX_HTTP_REGISTRY_ZONE_KEY_LEN];
    ngx_http_registry_zone_ctx_t   *ctx;
    ngx_http_registry_tag_entry_t  *te;

    ctx = ngx_http_registry_zone_lock(zone, NGX_HTTP_REGISTRY_ZONE_TAG, id,
                                      name, tag, key);
    if (ctx == NULL) {
        return;
    }

    te = ngx_http_registry_zone_find(ctx, key);

    if (te) {
        te->leased = 0;

        /* S3 may have said what ends a stale answer */
        te->known = 0;
    }

    ngx_http_registry_zone_unlock(ctx);
}


ngx_uint_t
ngx_http_registry_zone_fault(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *fault, ngx_uint_t *count)
{
    u_char                            key[NGX_HTTP_REGISTRY_ZONE_KEY_LEN];
    ngx_uint_t                        rc;
    ngx_http_registry_zone_ctx_t     *ctx;
    ngx_http_registry_fault_entry_t  *fe;

    *count = 1;

    ctx = ngx_http_registry_zone_lock(zone, NGX_HTTP_REGISTRY_ZONE_FAULT, id,
                                      NULL, fault, key);
    if (ctx == NULL) {
        return 1;
    }

    rc = 1;

    fe = ngx_http_registry_zone_find(ctx, key);

    if (fe == NULL) {
        fe = ngx_http_registry_zone_insert(ctx, key,
                                     sizeof(ngx_http_registry_fault_entry_t));
        if (fe == NULL) {
            goto done;
        }

    } else if ((ngx_msec_int_t) (ngx_current_msec - fe->logged)
               < NGX_HTTP_REGISTRY_FAULT_TIME)
    {
        fe->count++;
        rc = 0;
        goto done;
    }

    *count = fe->count + 1;

    fe->count = 0;
    fe->logged = ngx_current_msec;

done:

    ngx_http_registry_zone_unlock(ctx);

    return rc;
}


void
ngx_http_registry_zone_silence(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_uint_t silent)
{
    u_char                            key[NGX_HTTP_REGISTRY_ZONE_KEY_LEN];
    ngx_str_t                         none;
    ngx_http_registry_zone_ctx_t     *ctx;
    ngx_http_registry_fault_entry_t  *fe;

    ngx_str_null(&none);

    ctx = ngx_http_registry_zone_lock(zone, NGX_HTTP_REGISTRY_ZONE_SILENCE, id,
                                      NULL, &none, key);
    if (ctx == NULL) {
        return;
    }

    fe = ngx_http_registry_zone_find(ctx, key);

    if (fe == NULL && silent) {
        fe = ngx_http_registry_zone_insert(ctx, key,
                                     sizeof(ngx_http_registry_fault_entry_t));
    }

    if (fe) {
        fe->count = silent;
        fe->logged = ngx_current_msec;
    }

    ngx_http_registry_zone_unlock(ctx);
}


ngx_uint_t
ngx_http_registry_zone_silent(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_msec_t before)
{
    u_char                            key[NGX_HTTP_REGISTRY_ZONE_KEY_LEN];
    ngx_str_t                         none;
    ngx_uint_t                        rc;
    ngx_http_registry_zone_ctx_t     *ctx;
    ngx_http_registry_fault_entry_t  *fe;

    ngx_str_null(&none);

    ctx = ngx_http_registry_zone_lock(zone, NGX_HTTP_REGISTRY_ZONE_SILENCE, id,
                                      NULL, &none, key);
    if (ctx == NULL) {
        return 0;
    }

    fe = ngx_http_registry_zone_find(ctx, key);

    rc = fe && fe->count
         && (ngx_msec_int_t) (ngx_current_msec - fe->logged)
            < NGX_HTTP_REGISTRY_SILENCE_TIME
         && (ngx_msec_int_t) (before - fe->logged) >= 0;

    ngx_http_registry_zone_unlock(ctx);

    return rc;
}


void
ngx_http_registry_zone_trust(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *digest, ngx_uint_t owner, ngx_uint_t lead,
    ngx_http_registry_trust_t *trust)
{
    u_char                            key[NGX_HTTP_REGISTRY_ZONE_KEY_LEN];
    ngx_http_registry_zone_ctx_t     *ctx;
    ngx_http_registry_trust_entry_t  *te;

    ngx_memzero(trust, sizeof(ngx_http_registry_trust_t));

    /* who cannot tell others verifies for itself */

    trust->leader = lead ? 1 : 0;

    ctx = ngx_http_registry_zone_lock(zone, NGX_HTTP_REGISTRY_ZONE_TRUST, id,
                                      NULL, digest, key);
    if (ctx == NULL) {
        return;
    }

    te = ngx_http_registry_zone_find(ctx, key);

    if (te == NULL) {
        te = ngx_http_registry_zone_insert(ctx, key,
                                     sizeof(ngx_http_registry_trust_entry_t));
    }

    if (te == NULL) {
        goto done;
    }

    trust->faults = te->faults;
    trust->verified = te->verified;
    trust->partial = te->partial;
    trust->hashed = te->hashed;

    if (te->verified
        || (te->owner && te->owner != owner
            && (ngx_msec_int_t) (ngx_current_msec - te->progress)
               < NGX_HTTP_REGISTRY_LEAD_TIME))
    {
        trust->leader = 0;

    } else if (lead) {
        ngx_http_registry_zone_begin(te, owner);
    }

done:

    ngx_http_registry_zone_unlock(ctx);
}


void
ngx_http_registry_zone_lead(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *digest, ngx_uint_t owner)
{
    u_char                            key[NGX_HTTP_REGISTRY_ZONE_KEY_LEN];
    ngx_http_registry_zone_ctx_t     *ctx;
    ngx_http_registry_trust_entry_t  *te;

    ctx = ngx_http_registry_zone_lock(zone, NGX_HTTP_REGISTRY_ZONE_TRUST, id,
                                      NULL, digest, key);
    if (ctx == NULL) {
        return;
    }

    te = ngx_http_registry_zone_find(ctx, key);

    if (te) {
        ngx_http_registry_zone_begin(te, owner);
    }

    ngx_http_registry_zone_unlock(ctx);
}


static void
ngx_http_registry_zone_begin(ngx_http_registry_trust_entry_t *te,
    ngx_uint_t owner)
{
    te->owner = owner;
    te->progress = ngx_current_msec;
    te->hashed = 0;
    te->dirty = 0;
}


void
ngx_http_registry_zone_missed(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *digest, off_t start, ngx_uint_t part)
{
    u_char                            key[NGX_HTTP_REGISTRY_ZONE_KEY_LEN];
    ngx_http_registry_zone_ctx_t     *ctx;
    ngx_http_registry_trust_entry_t  *te;

    ctx = ngx_http_registry_zone_lock(zone, NGX_HTTP_REGISTRY_ZONE_TRUST, id,
                                      NULL, digest, key);
    if (ctx == NULL) {
        return;
    }

    te = ngx_http_registry_zone_find(ctx, key);

    if (te == NULL && part) {
        te = ngx_http_registry_zone_insert(ctx, key,
                                     sizeof(ngx_http_registry_trust_entry_t));
    }

    if (te) {
        te->verified = 0;

        if (start < te->hashed) {
            te->dirty = 1;
        }

        if (part) {
            te->partial = 1;
        }
    }

    ngx_http_registry_zone_unlock(ctx);
}


void
ngx_http_registry_zone_progress(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *digest, ngx_uint_t owner, off_t hashed)
{
    u_char                            key[NGX_HTTP_REGISTRY_ZONE_KEY_LEN];
    ngx_http_registry_zone_ctx_t     *ctx;
    ngx_http_registry_trust_entry_t  *te;

    ctx = ngx_http_registry_zone_lock(zone, NGX_HTTP_REGISTRY_ZONE_TRUST, id,
                                      NULL, digest, key);
    if (ctx == NULL) {
        return;
    }

    te = ngx_http_registry_zone_find(ctx, key);

    if (te && te->owner == owner) {
        te->progress = ngx_current_msec;
        te->hashed = hashed;
    }

    ngx_http_registry_zone_unlock(ctx);
}


void
ngx_http_registry_zone_verdict(ngx_shm_zone_t *zone, ngx_str_t *id,
    ngx_str_t *digest, ngx_uint_t owner, ngx_int_t verdict)
{
    u_char                            key[NGX_HTTP_REGISTRY_ZONE_KEY_LEN];
    ngx_http_registry_zone_ctx_t     *ctx;
    ngx_http_registry_trust_entry_t  *te;

    ctx = ngx_http_registry_zone_lock(zone, NGX_HTTP_REGISTRY_ZONE_TRUST, id,
                                      NULL, digest, key);
    if (ctx == NULL) {
        return;
    }

    te = ngx_http_registry_zone_find(ctx, key);

    if (te == NULL) {
        goto done;
    }

    if (verdict == NGX_DECLINED) {
        te->faults++;
        te->verified = 0;
    }

    if (te->owner == owner) {
        te->owner = 0;

        if (verdict == NGX_OK) {
            te->verified = !te->dirty;
            te->partial = te->dirty;
        }

        te->hashed = 0;
    }

done:

    ngx_http_registry_zone_unlock(ctx);
}


/* NULL, and nothing is locked, if there is no zone or no key */
static ngx_http_registry_zone_ctx_t *
ngx_http_registry_zone_lock(ngx_shm_zone_t *zone, u_char type, ngx_str_t *id,
    ngx_str_t *name, ngx_str_t *last, u_char *key)
{
    ngx_http_registry_zone_ctx_t  *ctx;

    if (zone == NULL) {
        return NULL;
    }

    ctx = zone->data;

    if (ctx->sh == NULL
        || ngx_http_registry_zone_key(type, id, name, last, key) != NGX_OK)
    {
        return NULL;
    }

    ngx_shmtx_lock(&ctx->shpool->mutex);

    return ctx;
}


static void
ngx_http_registry_zone_unlock(ngx_http_registry_zone_ctx_t *ctx)
{
    ngx_shmtx_unlock(&ctx->shpool->mutex);
}


static ngx_int_t
ngx_http_registry_zone_key(u_char type, ngx_str_t *id, ngx_str_t *name,
    ngx_str_t *last, u_char *key)
{
    u_char             hash[EVP_MAX_MD_SIZE];
    static EVP_MD_CTX  *md;

    if (md == NULL) {
        md = EVP_MD_CTX_new();
        if (md == NULL) {
            return NGX_ERROR;
        }

        /* once: OpenSSL 3 looks for it under locks each time it is named */

        if (EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1) {
            EVP_MD_CTX_free(md);
            md = NULL;
            return NGX_ERROR;
        }
    }

    /* the zeros keep "a", "bc" and "ab", "c" apart */

    if (EVP_DigestInit_ex(md, NULL, NULL) != 1
        || EVP_DigestUpdate(md, &type, 1) != 1
        || EVP_DigestUpdate(md, id->data, id->len) != 1
        || (name && (EVP_DigestUpdate(md, "", 1) != 1
                     || EVP_DigestUpdate(md, name->data, name->len) != 1))
        || EVP_DigestUpdate(md, "", 1) != 1
        || EVP_DigestUpdate(md, last->data, last->len) != 1
        || EVP_DigestFinal_ex(md, hash, NULL) != 1)
    {
        return NGX_ERROR;
    }

    ngx_memcpy(key, hash, NGX_HTTP_REGISTRY_ZONE_KEY_LEN);

    return NGX_OK;
}


/* finds an entry and makes it the most recent one */
static void *
ngx_http_registry_zone_find(ngx_http_registry_zone_ctx_t *ctx, u_char *key)
{
    ngx_int_t                   rc;
    ngx_rbtree_key_t            node_key;
    ngx_rbtree_node_t          *node, *sentinel;
    ngx_http_registry_entry_t  *entry;

    ngx_memcpy(&node_key, key, sizeof(ngx_rbtree_key_t));

    node = ctx->sh->rbtree.root;
    sentinel = ctx->sh->rbtree.sentinel;

    while (node != sentinel) {

        if (node_key != node->key) {
            node = (node_key < node->key) ? node->left : node->right;
            continue;
        }

        entry = (ngx_http_registry_entry_t *) node;

        rc = ngx_memcmp(key + sizeof(ngx_rbtree_key_t), entry->key,
                        sizeof(entry->key));

        if (rc == 0) {
            ngx_queue_remove(&entry->queue);
            ngx_queue_insert_head(&ctx->sh->queues[node->data].lru,
                                  &entry->queue);
            return entry;
        }

        node = (rc < 0) ? node->left : node->right;
    }

    return NULL;
}


/* adds an entry of len bytes, zeroed but for its head */
static void *
ngx_http_registry_zone_insert(ngx_http_registry_zone_ctx_t *ctx, u_char *key,
    size_t len)
{
    size_t                           size;
    ngx_uint_t                       i;
    ngx_http_registry_entry_t       *entry;
    ngx_http_registry_zone_queue_t  *queue;

    i = ngx_http_registry_zone_index(len);
    queue = &ctx->sh->queues[i];
    size = ngx_http_registry_zone_sizes[i].size;

    entry = NULL;

    if (queue->n < queue->max) {
        entry = ngx_slab_calloc_locked(ctx->shpool, size);
    }

    if (entry == NULL) {

        if (ngx_queue_empty(&queue->lru)) {
            return NULL;
        }

        ngx_http_registry_zone_delete(ctx,
                         ngx_queue_data(ngx_queue_last(&queue->lru),
                                        ngx_http_registry_entry_t, queue));

        entry = ngx_slab_calloc_locked(ctx->shpool, size);
        if (entry == NULL) {
            return NULL;
        }
    }

    queue->n++;

    ngx_memcpy(&entry->node.key, key, sizeof(ngx_rbtree_key_t));
    ngx_memcpy(entry->key, key + sizeof(ngx_rbtree_key_t),
               sizeof(entry->key));

    entry->node.data = (u_char) i;

    ngx_rbtree_insert(&ctx->sh->rbtree, &entry->node);
    ngx_queue_insert_head(&queue->lru, &entry->queue);

    return entry;
}


static ngx_uint_t
ngx_http_registry_zone_index(size_t len)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_REGISTRY_ZONE_SIZES - 1; i++) {

        if (len <= ngx_http_registry_zone_sizes[i].size) {
            break;
        }
    }

    return i;
}


static void
ngx_http_registry_zone_delete(ngx_http_registry_zone_ctx_t *ctx, void *data)
{
    ngx_http_registry_entry_t *entry = data;

    ctx->sh->queues[entry->node.data].n--;

    ngx_queue_remove(&entry->queue);
    ngx_rbtree_delete(&ctx->sh->rbtree, &entry->node);

    ngx_slab_free_locked(ctx->shpool, entry);
}


static void
ngx_http_registry_zone_rbtree_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel)
{
    ngx_rbtree_node_t          **p;
    ngx_http_registry_entry_t   *entry, *other;

    for ( ;; ) {

        if (node->key != temp->key) {
            p = (node->key < temp->key) ? &temp->left : &temp->right;

        } else {
            entry = (ngx_http_registry_entry_t *) node;
            other = (ngx_http_registry_entry_t *) temp;

            p = (ngx_memcmp(entry->key, other->key, sizeof(entry->key)) < 0)
                ? &temp->left : &temp->right;
        }

        if (*p == sentinel) {
            break;
        }

        temp = *p;
    }

    *p = node;
    node->parent = temp;
    node->left = sentinel;
    node->right = sentinel;
    ngx_rbt_red(node);
}
