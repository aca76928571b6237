
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* of the structures below and the slots; other ones are never read */
#define NGX_HTTP_REGISTRY_VAULT_VERSION  1

/* room for about sixty slots: pages that nobody uses cost nothing, and a
   zone of another size would be a new one after a reload */
#define NGX_HTTP_REGISTRY_VAULT_SIZE     (1024 * 1024)

/* ms after which a slot that only old workers could use is given up; they
   look at theirs twice a minute */
#define NGX_HTTP_REGISTRY_VAULT_UNUSED   120000


typedef struct {
    ngx_uint_t                     version;
    ngx_uint_t                     cycle;
    time_t                         skew;
    ngx_queue_t                    slots;
} ngx_http_registry_vault_sh_t;


typedef struct {
    ngx_http_registry_vault_sh_t  *sh;
    ngx_slab_pool_t               *shpool;
    ngx_array_t                   *sources;
} ngx_http_registry_vault_ctx_t;


static ngx_int_t ngx_http_registry_vault_init(ngx_shm_zone_t *zone,
    void *data);
static ngx_int_t ngx_http_registry_vault_create(ngx_shm_zone_t *zone,
    ngx_http_registry_vault_ctx_t *ctx);
static ngx_int_t ngx_http_registry_vault_slots(ngx_shm_zone_t *zone,
    ngx_http_registry_vault_ctx_t *ctx);
static ngx_http_registry_slot_t *ngx_http_registry_vault_find(
    ngx_http_registry_vault_ctx_t *ctx, u_char *key);
static void ngx_http_registry_vault_sweep(ngx_http_registry_vault_ctx_t *ctx);


ngx_shm_zone_t *
ngx_http_registry_vault_add(ngx_conf_t *cf, ngx_array_t *sources)
{
    ngx_shm_zone_t                 *zone;
    ngx_http_registry_vault_ctx_t  *ctx;

    static ngx_str_t  name = ngx_string("registry_credentials");

    zone = ngx_shared_memory_add(cf, &name, NGX_HTTP_REGISTRY_VAULT_SIZE,
                                 &ngx_http_registry_module);
    if (zone == NULL) {
        return NULL;
    }

    ctx = ngx_pcalloc(cf->pool, sizeof(ngx_http_registry_vault_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    ctx->sources = sources;

    zone->init = ngx_http_registry_vault_init;
    zone->data = ctx;

    return zone;
}


static ngx_int_t
ngx_http_registry_vault_init(ngx_shm_zone_t *zone, void *data)
{
    ngx_http_registry_vault_ctx_t *octx = data;

    ngx_int_t                       rc;
    ngx_http_registry_vault_ctx_t  *ctx;

    ctx = zone->data;

    if (octx) {
        ctx->sh = octx->sh;
        ctx->shpool = octx->shpool;

    } else {
        ctx->shpool = (ngx_slab_pool_t *) zone->shm.addr;

        if (zone->shm.exists) {
            ctx->sh = ctx->shpool->data;

        } else if (ngx_http_registry_vault_create(zone, ctx) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ctx->sh->version != NGX_HTTP_REGISTRY_VAULT_VERSION) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "zone \"%V\" is of version %ui, and not %d: restart "
                      "nginx", &zone->shm.name, ctx->sh->version,
                      NGX_HTTP_REGISTRY_VAULT_VERSION);
        return NGX_ERROR;
    }

    ngx_shmtx_lock(&ctx->shpool->mutex);

    rc = ngx_http_registry_vault_slots(zone, ctx);

    ngx_shmtx_unlock(&ctx->shpool->mutex);

    return rc;
}


static ngx_int_t
ngx_http_registry_vault_create(ngx_shm_zone_t *zone,
    ngx_http_registry_vault_ctx_t *ctx)
{
    size_t  len;

    ctx->sh = ngx_slab_calloc(ctx->shpool,
                              sizeof(ngx_http_registry_vault_sh_t));
    if (ctx->sh == NULL) {
        return NGX_ERROR;
    }

    ctx->sh->version = NGX_HTTP_REGISTRY_VAULT_VERSION;
    ngx_queue_init(&ctx->sh->slots);

    ctx->shpool->data = ctx->sh;

    len = sizeof(" in zone \"\"") + zone->shm.name.len;

    ctx->shpool->log_ctx = ngx_slab_alloc(ctx->shpool, len);
    if (ctx->shpool->log_ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(ctx->shpool->log_ctx, " in zone \"%V\"%Z", &zone->shm.name);

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_vault_slots(ngx_shm_zone_t *zone,
    ngx_http_registry_vault_ctx_t *ctx)
{
    u_char                            *key;
    ngx_uint_t                         i;
    ngx_http_registry_slot_t          *slot;
    ngx_http_registry_credentials_t  **source;

    ctx->sh->cycle++;

    ngx_http_registry_vault_sweep(ctx);

    source = ctx->sources->elts;

    for (i = 0; i < ctx->sources->nelts; i++) {

        key = ngx_http_registry_credentials_id(source[i]);
        slot = ngx_http_registry_vault_find(ctx, key);

        if (slot == NULL) {
            slot = ngx_slab_calloc_locked(ctx->shpool,
                                          sizeof(ngx_http_registry_slot_t));
            if (slot == NULL) {
                ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                              "too many different sources of credentials");
                return NGX_ERROR;
            }

            ngx_memcpy(slot->key, key, NGX_HTTP_REGISTRY_SLOT_KEY_LEN);
            ngx_queue_insert_tail(&ctx->sh->slots, &slot->queue);

            slot->next = ngx_current_msec;
        }

        slot->cycle = ctx->sh->cycle;
        slot->used = ngx_current_msec;
    }

    return NGX_OK;
}


static ngx_http_registry_slot_t *
ngx_http_registry_vault_find(ngx_http_registry_vault_ctx_t *ctx, u_char *key)
{
    ngx_queue_t               *q;
    ngx_http_registry_slot_t  *slot;

    for (q = ngx_queue_head(&ctx->sh->slots);
         q != ngx_queue_sentinel(&ctx->sh->slots);
         q = ngx_queue_next(q))
    {
        slot = ngx_queue_data(q, ngx_http_registry_slot_t, queue);

        if (ngx_memcmp(slot->key, key, NGX_HTTP_REGISTRY_SLOT_KEY_LEN) == 0) {
            return slot;
        }
    }

    return NULL;
}


ngx_http_registry_slot_t *
ngx_http_registry_vault_lock(ngx_shm_zone_t *zone, u_char *key)
{
    ngx_http_registry_slot_t       *slot;
    ngx_http_registry_vault_ctx_t  *ctx;

    ctx = zone->data;

    ngx_shmtx_lock(&ctx->shpool->mutex);

    slot = ngx_http_registry_vault_find(ctx, key);

    if (slot == NULL) {
        ngx_shmtx_unlock(&ctx->shpool->mutex);
        return NULL;
    }

    slot->used = ngx_current_msec;

    return slot;
}


void
ngx_http_registry_vault_unlock(ngx_shm_zone_t *zone)
{
    ngx_http_registry_vault_ctx_t  *ctx;

    ctx = zone->data;

    ngx_shmtx_unlock(&ctx->shpool->mutex);
}


void
ngx_http_registry_vault_clean(ngx_shm_zone_t *zone)
{
    ngx_http_registry_vault_ctx_t  *ctx;

    ctx = zone->data;

    ngx_shmtx_lock(&ctx->shpool->mutex);
    ngx_http_registry_vault_sweep(ctx);
    ngx_shmtx_unlock(&ctx->shpool->mutex);
}


static void
ngx_http_registry_vault_sweep(ngx_http_registry_vault_ctx_t *ctx)
{
    ngx_queue_t               *q, *next;
    ngx_http_registry_slot_t  *slot;

    for (q = ngx_queue_head(&ctx->sh->slots);
         q != ngx_queue_sentinel(&ctx->sh->slots);
         q = next)
    {
        next = ngx_queue_next(q);
        slot = ngx_queue_data(q, ngx_http_registry_slot_t, queue);

        if (slot->cycle == ctx->sh->cycle
            || (ngx_msec_int_t) (ngx_current_msec - slot->used)
               < NGX_HTTP_REGISTRY_VAULT_UNUSED)
        {
            continue;
        }

        ngx_queue_remove(q);

        ngx_explicit_memzero(slot, sizeof(ngx_http_registry_slot_t));
        ngx_slab_free_locked(ctx->shpool, slot);
    }
}


time_t
ngx_http_registry_vault_skew(ngx_shm_zone_t *zone)
{
    ngx_http_registry_vault_ctx_t  *ctx;

    ctx = zone->data;

    return ctx->sh->skew;
}


void
ngx_http_registry_vault_set_skew(ngx_shm_zone_t *zone, time_t skew)
{
    ngx_http_registry_vault_ctx_t  *ctx;

    ctx = zone->data;

    ctx->sh->skew = skew;
}
