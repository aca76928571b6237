
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/*
 * Each worker looks at each source by a timer.  Who finds it due, and nobody
 * asking, takes the lease and has a thread ask; the others find the result
 * in the vault.  Waiting requests of other workers look for it often.
 *
 *     slot->next passed  -->  lease  -->  thread  -->  done: set or failure,
 *                                                      next, lease returned
 *
 * A worker that dies leaves a lease to its end, or until somebody sees that
 * there is no such process.
 */


/* ms: looks for a result that requests wait for, for one that nobody does,
   and at all, by which the vault knows that a slot is in use */
#define NGX_HTTP_REGISTRY_RENEW_POLL     20
#define NGX_HTTP_REGISTRY_RENEW_LOOK     1000
#define NGX_HTTP_REGISTRY_RENEW_MAX      30000

/* ms: a fetch and some more, and how often one may be forced */
#define NGX_HTTP_REGISTRY_RENEW_LEASE    (NGX_HTTP_REGISTRY_FETCH_TIME + 3000)
#define NGX_HTTP_REGISTRY_RENEW_FORCE    1000
#define NGX_HTTP_REGISTRY_RENEW_FAILING  5000

/* ms after which a fetch is slow: who has an old copy waits no longer */
#define NGX_HTTP_REGISTRY_RENEW_SLOW     3000

/* ms between two looks at what never expires, such as a file with keys */
#define NGX_HTTP_REGISTRY_RENEW_STATIC   15000

/* a new set that lives for so many seconds is left alone for half of them */
#define NGX_HTTP_REGISTRY_RENEW_SOON     300
#define NGX_HTTP_REGISTRY_RENEW_SHORT    1800

/* sets that S3 may refuse before the source is asked less and less often */
#define NGX_HTTP_REGISTRY_RENEW_REFUSALS  4

/* ms between messages of the same failure */
#define NGX_HTTP_REGISTRY_RENEW_LOG      60000


static void ngx_http_registry_renew_handler(ngx_event_t *ev);
static void ngx_http_registry_renew_schedule(
    ngx_http_registry_credentials_t *c, ngx_msec_t delay);
static ngx_msec_t ngx_http_registry_renew_look(
    ngx_http_registry_credentials_t *c, ngx_uint_t *fetch);
static void ngx_http_registry_renew_catch_up(
    ngx_http_registry_credentials_t *c, ngx_http_registry_slot_t *slot);
static void ngx_http_registry_renew_wake(ngx_http_registry_credentials_t *c);
static ngx_uint_t ngx_http_registry_renew_leased(
    ngx_http_registry_slot_t *slot);
static ngx_uint_t ngx_http_registry_renew_slow(
    ngx_http_registry_slot_t *slot);
static void ngx_http_registry_renew_now(ngx_http_registry_credentials_t *c);
static ngx_int_t ngx_http_registry_renew_post(
    ngx_http_registry_credentials_t *c);
#if (NGX_THREADS)
static void ngx_http_registry_renew_thread(void *data, ngx_log_t *log);
#endif
static void ngx_http_registry_renew_done(ngx_event_t *ev);
static void ngx_http_registry_renew_success(
    ngx_http_registry_credentials_t *c);
static ngx_uint_t ngx_http_registry_renew_store(
    ngx_http_registry_credentials_t *c, ngx_http_registry_slot_t *slot,
    time_t now);
static void ngx_http_registry_renew_failure(
    ngx_http_registry_credentials_t *c);
static void ngx_http_registry_renew_log_set(
    ngx_http_registry_credentials_t *c, time_t now, ngx_uint_t changed);
static void ngx_http_registry_renew_release(
    ngx_http_registry_credentials_t *c);
static void ngx_http_registry_renew_notify(ngx_event_t *ev);
static time_t ngx_http_registry_renew_time(
    ngx_http_registry_credentials_t *c, time_t skew);


ngx_int_t
ngx_http_registry_renew_init(ngx_cycle_t *cycle)
{
    ngx_uint_t                         i;
    ngx_http_registry_main_conf_t     *rmcf;
    ngx_http_registry_credentials_t  **source;

    rmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_registry_module);

    if (rmcf == NULL || rmcf->sources.nelts == 0
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    if (ngx_http_registry_fetch_init(cycle->log) != NGX_OK) {
        return NGX_ERROR;
    }

    source = rmcf->sources.elts;

    for (i = 0; i < rmcf->sources.nelts; i++) {

        if (source[i]->log == NULL) {
            source[i]->log = cycle->log;
        }

        ngx_queue_init(&source[i]->renew.waiters);
        ngx_queue_init(&source[i]->renew.ready);

        source[i]->renew.event.handler = ngx_http_registry_renew_handler;
        source[i]->renew.event.data = source[i];
        source[i]->renew.event.log = cycle->log;
        source[i]->renew.event.cancelable = 1;

        source[i]->renew.notify.handler = ngx_http_registry_renew_notify;
        source[i]->renew.notify.data = source[i];
        source[i]->renew.notify.log = cycle->log;

        source[i]->renew.begun = 1;

        ngx_add_timer(&source[i]->renew.event, 1);
    }

    return NGX_OK;
}


void
ngx_http_registry_renew_exit(ngx_cycle_t *cycle)
{
    ngx_uint_t                         i;
    ngx_http_registry_main_conf_t     *rmcf;
    ngx_http_registry_credentials_t  **source;

    rmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_registry_module);
    if (rmcf == NULL) {
        return;
    }

    source = rmcf->sources.elts;

    for (i = 0; i < rmcf->sources.nelts; i++) {

        if (source[i]->renew.fetch) {
            ngx_http_registry_secret_free(source[i]->renew.fetch);
            source[i]->renew.fetch = NULL;

            ngx_http_registry_renew_release(source[i]);
        }
    }

    ngx_http_registry_fetch_exit();
}


static void
ngx_http_registry_renew_handler(ngx_event_t *ev)
{
    ngx_http_registry_credentials_t *c = ev->data;

    ngx_uint_t  fetch;
    ngx_msec_t  delay;

    fetch = 0;
    delay = ngx_http_registry_renew_look(c, &fetch);

    if (fetch && ngx_http_registry_renew_post(c) != NGX_OK) {
        ngx_http_registry_renew_release(c);
    }

    ngx_http_registry_vault_clean(c->vault);

    ngx_http_registry_renew_schedule(c, delay);
}


static void
ngx_http_registry_renew_schedule(ngx_http_registry_credentials_t *c,
    ngx_msec_t delay)
{
    ngx_event_t  *ev;

    ev = &c->renew.event;

    if (!ngx_queue_empty(&c->renew.waiters)) {
        delay = ngx_min(delay, NGX_HTTP_REGISTRY_RENEW_POLL);

        /* a worker that is to exit serves these requests first */
        ev->cancelable = 0;

    } else {
        ev->cancelable = 1;
    }

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    ngx_add_timer(ev, delay);
}


/*
 * Returns when to look again; *fetch is set if the lease was taken.
 */
static ngx_msec_t
ngx_http_registry_renew_look(ngx_http_registry_credentials_t *c,
    ngx_uint_t *fetch)
{
    ngx_msec_t                 delay;
    ngx_msec_int_t             wait;
    ngx_http_registry_slot_t  *slot;

    slot = ngx_http_registry_vault_lock(c->vault, c->id);

    if (slot == NULL) {
        ngx_http_registry_renew_wake(c);
        return NGX_HTTP_REGISTRY_RENEW_MAX;
    }

    ngx_http_registry_renew_catch_up(c, slot);

    wait = (ngx_msec_int_t) (slot->next - ngx_current_msec);

    if (ngx_http_registry_renew_leased(slot)) {
        delay = NGX_HTTP_REGISTRY_RENEW_LOOK;

        if (ngx_http_registry_renew_slow(slot)
            && c->renew.slow != slot->lease)
        {
            c->renew.slow = slot->lease;
            ngx_http_registry_renew_wake(c);
        }

    } else if (wait > 0) {
        delay = ngx_min((ngx_msec_t) wait, NGX_HTTP_REGISTRY_RENEW_MAX);

    } else if (c->renew.fetch || ngx_terminate
               || ((ngx_exiting || ngx_quit) && c->renew.waiting == 0))
    {
        delay = NGX_HTTP_REGISTRY_RENEW_LOOK;

    } else {
        slot->leased = 1;
        slot->owner = ngx_pid;
        slot->lease = ngx_current_msec + NGX_HTTP_REGISTRY_RENEW_LEASE;

        *fetch = 1;
        delay = NGX_HTTP_REGISTRY_RENEW_LOOK;
    }

    ngx_http_registry_vault_unlock(c->vault);

    return delay;
}


/*
 * Those who wait for the end of a fetch that has ended by now go on; who
 * comes after this waits for another one.
 */
static void
ngx_http_registry_renew_catch_up(ngx_http_registry_credentials_t *c,
    ngx_http_registry_slot_t *slot)
{
    if (slot->fetches != c->renew.seen) {
        c->renew.seen = slot->fetches;
        ngx_http_registry_renew_wake(c);
    }
}


static void
ngx_http_registry_renew_wake(ngx_http_registry_credentials_t *c)
{
    if (ngx_queue_empty(&c->renew.waiters)) {
        return;
    }

    ngx_queue_add(&c->renew.ready, &c->renew.waiters);
    ngx_queue_init(&c->renew.waiters);

    ngx_post_event(&c->renew.notify, &ngx_posted_events);
}


static ngx_uint_t
ngx_http_registry_renew_leased(ngx_http_registry_slot_t *slot)
{
    if (!slot->leased) {
        return 0;
    }

    if ((ngx_msec_int_t) (slot->lease - ngx_current_msec) > 0
        && (kill(slot->owner, 0) == 0 || ngx_errno != ESRCH))
    {
        return 1;
    }

    slot->leased = 0;

    return 0;
}


static ngx_uint_t
ngx_http_registry_renew_slow(ngx_http_registry_slot_t *slot)
{
    ngx_msec_t  begun;

    begun = slot->lease - NGX_HTTP_REGISTRY_RENEW_LEASE;

    return slot->leased
           && (ngx_msec_int_t) (ngx_current_msec - begun)
              >= NGX_HTTP_REGISTRY_RENEW_SLOW;
}


static void
ngx_http_registry_renew_now(ngx_http_registry_credentials_t *c)
{
    ngx_event_t  *ev;

    /* not from here: the caller is a request */

    ev = &c->renew.event;

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    ngx_add_timer(ev, 0);
}


static ngx_int_t
ngx_http_registry_renew_post(ngx_http_registry_credentials_t *c)
{
#if (NGX_THREADS)

    ngx_core_conf_t            *ccf;
    ngx_thread_task_t          *task;
    ngx_http_registry_fetch_t  *fetch;

    if (c->renew.task == NULL) {
        c->renew.task = ngx_thread_task_alloc(ngx_cycle->pool, 0);
        if (c->renew.task == NULL) {
            return NGX_ERROR;
        }
    }

    fetch = ngx_http_registry_secret_calloc(1,
                                          sizeof(ngx_http_registry_fetch_t));
    if (fetch == NULL) {
        return NGX_ERROR;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                           ngx_core_module);

    /* threads look at it: not while one does */

    if (c->source.region.len == 0) {
        c->source.region = c->renew.region;
    }

    fetch->source = &c->source;
    fetch->waiting = &c->renew.waiting;
    fetch->provider = c->provider;
    fetch->begun = ngx_http_registry_fetch_now();

    if (ccf->username && ccf->user == geteuid()) {
        *ngx_snprintf(fetch->user, sizeof(fetch->user) - 1, "\"%s\"",
                      ccf->username) = '\0';

    } else {
        *ngx_snprintf(fetch->user, sizeof(fetch->user) - 1, "%d",
                      (int) geteuid()) = '\0';
    }

    task = c->renew.task;

    task->ctx = fetch;
    task->handler = ngx_http_registry_renew_thread;
    task->event.data = c;
    task->event.handler = ngx_http_registry_renew_done;

    if (ngx_thread_task_post(c->pool, task) != NGX_OK) {
        ngx_http_registry_secret_free(fetch);
        return NGX_ERROR;
    }

    c->renew.fetch = fetch;

    return NGX_OK;

#else

    return NGX_ERROR;

#endif
}


#if (NGX_THREADS)

static void
ngx_http_registry_renew_thread(void *data, ngx_log_t *log)
{
    ngx_http_registry_fetch_t *fetch = data;

    fetch->rc = fetch->provider(fetch);

    ngx_http_registry_fetch_close(fetch);
}

#endif


static void
ngx_http_registry_renew_done(ngx_event_t *ev)
{
    ngx_http_registry_credentials_t *c = ev->data;

    ngx_http_registry_fetch_t  *fetch;

    fetch = c->renew.fetch;

    if (fetch->exposed_len && !c->renew.exposed) {

        c->renew.exposed = 1;

        ngx_log_error(NGX_LOG_WARN, c->log, 0,
                      "registry_credentials: \"%*s\" can be read by others "
                      "than its owner", fetch->exposed_len, fetch->exposed);
    }

    if (fetch->rc == NGX_OK) {
        ngx_http_registry_renew_success(c);

    } else {
        ngx_http_registry_renew_failure(c);
    }

    ngx_http_registry_secret_free(fetch);
    c->renew.fetch = NULL;

    /* requests of this worker go on now, and the timer is set anew */

    ngx_http_registry_renew_handler(&c->renew.event);
}


static void
ngx_http_registry_renew_success(ngx_http_registry_credentials_t *c)
{
    time_t                     now;
    ngx_uint_t                 changed;
    ngx_http_registry_slot_t  *slot;

    now = ngx_http_registry_renew_time(c, c->renew.fetch->skew);

    slot = ngx_http_registry_vault_lock(c->vault, c->id);

    if (slot == NULL) {
        return;
    }

    changed = ngx_http_registry_renew_store(c, slot, now);

    ngx_http_registry_vault_unlock(c->vault);

    ngx_http_registry_renew_log_set(c, now, changed);
}


static ngx_uint_t
ngx_http_registry_renew_store(ngx_http_registry_credentials_t *c,
    ngx_http_registry_slot_t *slot, time_t now)
{
    int64_t                     delay, left, again;
    ngx_uint_t                  changed;
    ngx_http_registry_fetch_t  *fetch;

    fetch = c->renew.fetch;

    changed = (slot->generation == 0
               || !ngx_registry_credentials_same(&slot->set, &fetch->set));

    left = fetch->set.expiration ? fetch->set.expiration - now
                                 : NGX_REGISTRY_REFRESH_NEVER;

    delay = ngx_registry_refresh_after(left, (uint32_t) ngx_random());

    if (fetch->reread) {
        delay = NGX_HTTP_REGISTRY_RENEW_STATIC;

    } else if (changed && left > NGX_HTTP_REGISTRY_RENEW_SOON
               && left < NGX_HTTP_REGISTRY_RENEW_SHORT)
    {

        /* sets that live for a quarter of an hour are not about to expire */

        delay = ngx_max(delay, left * 1000 / 2);
    }

    if (changed) {
        slot->set = fetch->set;
        slot->generation++;
        slot->refused = 0;
        slot->again = 0;
        slot->repeats = 0;
        slot->fetched = ngx_time();

        slot->detail_len = fetch->detail_len;
        ngx_memcpy(slot->detail, fetch->detail, fetch->detail_len);

    } else if (slot->again) {

        /* it was asked for before S3 refused it: this is no news */

        slot->again = 0;
        slot->failures = 0;
        slot->next = ngx_current_msec;
        slot->forced = ngx_current_msec;
        slot->leased = 0;

        return 0;

    } else if (slot->refused) {
        again = ngx_registry_refresh_refused(++slot->repeats,
                                             (uint32_t) ngx_random());
        delay = ngx_min(delay, again);
    }

    slot->failures = 0;
    slot->error_len = 0;
    slot->next = ngx_current_msec + (ngx_msec_t) delay;
    slot->leased = 0;
    slot->fetches++;

    return changed;
}


static void
ngx_http_registry_renew_failure(ngx_http_registry_credentials_t *c)
{
    time_t                      expiration, now;
    int64_t                     delay;
    ngx_uint_t                  usable, log, refused;
    ngx_http_registry_slot_t   *slot;
    ngx_http_registry_fetch_t  *fetch;

    fetch = c->renew.fetch;
    now = ngx_http_registry_renew_time(c, fetch->skew);

    slot = ngx_http_registry_vault_lock(c->vault, c->id);

    if (slot == NULL) {
        return;
    }

    refused = slot->refused;
    usable = (slot->generation && !refused);
    expiration = slot->generation ? slot->set.expiration : 0;

    slot->failures++;
    slot->again = 0;

    delay = ngx_registry_refresh_failed(slot->failures, usable,
                                        (uint32_t) ngx_random());

    log = (slot->failures == 1
           || slot->error_len != fetch->error_len
           || ngx_memcmp(slot->error, fetch->error, fetch->error_len) != 0
           || (ngx_msec_int_t) (ngx_current_msec - slot->logged)
              >= NGX_HTTP_REGISTRY_RENEW_LOG);

    if (log) {
        slot->logged = ngx_current_msec;
    }

    slot->error_len = fetch->error_len;
    ngx_memcpy(slot->error, fetch->error, fetch->error_len);

    slot->next = ngx_current_msec + (ngx_msec_t) delay;
    slot->leased = 0;
    slot->fetches++;

    ngx_http_registry_vault_unlock(c->vault);

    if (!log) {
        return;
    }

    if (expiration == 0 && !usable && !refused) {
        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "registry: no %s: %V%s%*s",
                      c->region ? "region" : "credentials", &c->why,
                      c->why.len ? "; " : "", fetch->error_len, fetch->error);
        return;
    }

    if (expiration && expiration <= now) {
        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "registry: no new credentials of %V, those in use have "
                      "expired %T seconds ago and stay until S3 has refused "
                      "them: %*s", &c->name, now - expiration,
                      fetch->error_len, fetch->error);
        return;
    }

    ngx_log_error((refused ? NGX_LOG_ERR : NGX_LOG_WARN), c->log, 0,
                  "registry: no new credentials of %V, those in use stay%s: "
                  "%*s", &c->name, refused ? ", which S3 refuses" : "",
                  fetch->error_len, fetch->error);
}


static void
ngx_http_registry_renew_log_set(ngx_http_registry_credentials_t *c,
    time_t now, ngx_uint_t changed)
{
    u_char                       buf[NGX_REGISTRY_SIGV4_DATE_LEN];
    size_t                       len;
    ngx_registry_credentials_t  *set;

    if (!changed) {
        return;
    }

    set = &c->renew.fetch->set;

    if (c->region) {
        ngx_log_error(NGX_LOG_NOTICE, c->log, 0,
                      "registry: the region is \"%*s\", by IMDS",
                      set->access_key_len, set->access_key);
        return;
    }

    len = ngx_min(set->access_key_len, 4);

    if (set->expiration == 0) {
        ngx_log_error(NGX_LOG_NOTICE, c->log, 0,
                      "registry: credentials of %V%s%*s, access key "
                      "...%*s, which do not expire", &c->name,
                      c->renew.fetch->detail_len ? ", " : "",
                      c->renew.fetch->detail_len, c->renew.fetch->detail,
                      len, set->access_key + set->access_key_len - len);
        return;
    }

    (void) ngx_registry_sigv4_date_write(buf, set->expiration);

    ngx_log_error((set->expiration > now ? NGX_LOG_NOTICE : NGX_LOG_WARN),
                  c->log, 0,
                  "registry: credentials of %V%s%*s, access key ...%*s, %s "
                  "%*s, %T seconds %s", &c->name,
                  c->renew.fetch->detail_len ? ", " : "",
                  c->renew.fetch->detail_len, c->renew.fetch->detail, len,
                  set->access_key + set->access_key_len - len,
                  set->expiration > now ? "expire" : "have expired",
                  sizeof(buf), buf,
                  set->expiration > now ? set->expiration - now
                                        : now - set->expiration,
                  set->expiration > now ? "from now"
                      : "ago; they are used until S3 refuses them (is the "
                        "clock of this host right?)");
}


static time_t
ngx_http_registry_renew_time(ngx_http_registry_credentials_t *c, time_t skew)
{
    time_t  s3;

    /* what expires does so by the clock of S3, if that is known, or of STS */

    s3 = ngx_http_registry_vault_skew(c->vault);

    return ngx_time() + (s3 ? s3 : ngx_http_registry_skew(skew));
}


static void
ngx_http_registry_renew_release(ngx_http_registry_credentials_t *c)
{
    ngx_http_registry_slot_t  *slot;

    slot = ngx_http_registry_vault_lock(c->vault, c->id);

    if (slot == NULL) {
        return;
    }

    if (slot->leased && slot->owner == ngx_pid) {
        slot->leased = 0;
    }

    ngx_http_registry_vault_unlock(c->vault);
}


ngx_int_t
ngx_http_registry_renew_missing(ngx_http_registry_credentials_t *c,
    ngx_uint_t hasty)
{
    ngx_int_t                  rc;
    ngx_http_registry_slot_t  *slot;

    if (!c->renew.begun) {
        return NGX_DECLINED;
    }

    slot = ngx_http_registry_vault_lock(c->vault, c->id);

    if (slot == NULL) {
        return NGX_DECLINED;
    }

    ngx_http_registry_renew_catch_up(c, slot);

    if (slot->generation) {
        rc = NGX_OK;

    } else if (slot->failures == 0) {
        /* the first fetch is under way, or about to be */
        rc = (hasty && ngx_http_registry_renew_slow(slot)) ? NGX_BUSY
                                                           : NGX_AGAIN;

    } else {
        rc = NGX_DECLINED;
    }

    ngx_http_registry_vault_unlock(c->vault);

    return rc;
}


ngx_int_t
ngx_http_registry_renew_refused(ngx_http_registry_credentials_t *c,
    ngx_uint_t generation)
{
    ngx_int_t                  rc;
    ngx_uint_t                 now, vain;
    ngx_msec_t                 pause;
    ngx_http_registry_slot_t  *slot;

    if (!c->renew.begun) {
        return NGX_DECLINED;
    }

    slot = ngx_http_registry_vault_lock(c->vault, c->id);

    if (slot == NULL) {
        return NGX_DECLINED;
    }

    now = 0;

    ngx_http_registry_renew_catch_up(c, slot);

    if (slot->generation != generation) {
        rc = NGX_OK;
        goto done;
    }

    if (!slot->refused) {
        slot->refused = 1;
        slot->again = ngx_http_registry_renew_leased(slot);

        slot->refusals = (slot->worked == generation) ? 0
                                                      : slot->refusals + 1;
    }

    vain = (slot->refusals > NGX_HTTP_REGISTRY_RENEW_REFUSALS);

    /* a source that fails, or has nothing that works, is not waited for */

    rc = (slot->failures || slot->repeats || vain) ? NGX_DECLINED : NGX_AGAIN;

    if (ngx_http_registry_renew_leased(slot)) {
        goto done;
    }

    if (slot->repeats) {
        goto done;
    }

    pause = slot->failures ? NGX_HTTP_REGISTRY_RENEW_FAILING
                           : NGX_HTTP_REGISTRY_RENEW_FORCE;

    if (vain) {
        pause = ngx_max(pause, (ngx_msec_t)
                    ngx_registry_refresh_refused(slot->refusals
                                          - NGX_HTTP_REGISTRY_RENEW_REFUSALS,
                                                 (uint32_t) ngx_random()));
    }

    if (slot->forced
        && (ngx_msec_int_t) (ngx_current_msec - slot->forced)
           < (ngx_msec_int_t) pause)
    {
        /* not now, but as soon as may be */

        if ((ngx_msec_int_t) (slot->next - (slot->forced + pause)) > 0) {
            slot->next = slot->forced + pause;
            now = 1;
        }

        goto done;
    }

    slot->forced = ngx_current_msec;
    slot->next = ngx_current_msec;
    now = 1;

done:

    ngx_http_registry_vault_unlock(c->vault);

    if (now) {
        ngx_http_registry_renew_now(c);
    }

    return rc;
}


void
ngx_http_registry_renew_worked(ngx_http_registry_credentials_t *c,
    ngx_uint_t generation)
{
    ngx_http_registry_slot_t  *slot;

    if (c == NULL || c->renew.worked == generation || !c->renew.begun) {
        return;
    }

    slot = ngx_http_registry_vault_lock(c->vault, c->id);

    if (slot == NULL) {
        return;
    }

    slot->worked = generation;

    ngx_http_registry_vault_unlock(c->vault);

    c->renew.worked = generation;
}


ngx_uint_t
ngx_http_registry_renew_doubtful(ngx_http_registry_credentials_t *c,
    ngx_uint_t generation)
{
    ngx_uint_t                 doubtful;
    ngx_http_registry_slot_t  *slot;

    if (!c->renew.begun) {
        return 0;
    }

    slot = ngx_http_registry_vault_lock(c->vault, c->id);

    if (slot == NULL) {
        return 0;
    }

    doubtful = (slot->generation != generation
                || slot->refused
                || (slot->set.expiration
                    && slot->set.expiration
                       <= ngx_http_registry_renew_time(c, 0) + 60));

    ngx_http_registry_vault_unlock(c->vault);

    return doubtful;
}


void
ngx_http_registry_renew_wait(ngx_http_registry_credentials_t *c,
    ngx_http_registry_waiter_t *w)
{
    w->active = 1;

    ngx_queue_insert_tail(&c->renew.waiters, &w->queue);
    c->renew.waiting = 1;

    ngx_http_registry_renew_now(c);
    c->renew.event.cancelable = 0;
}


static void
ngx_http_registry_renew_notify(ngx_event_t *ev)
{
    ngx_http_registry_credentials_t *c = ev->data;

    ngx_queue_t                 *q;
    ngx_http_registry_waiter_t  *w;

    while (!ngx_queue_empty(&c->renew.ready)) {

        q = ngx_queue_head(&c->renew.ready);
        w = ngx_queue_data(q, ngx_http_registry_waiter_t, queue);

        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a ring */
        ngx_queue_remove(q);
        w->active = 0;

        w->handler(w->data);
    }

    c->renew.waiting = !ngx_queue_empty(&c->renew.waiters);
}


u_char *
ngx_http_registry_renew_hint(ngx_http_registry_credentials_t *c, u_char *p,
    u_char *last)
{
    time_t                     now;
    ngx_http_registry_slot_t  *slot;

    p = ngx_slprintf(p, last, "; credentials of %V", &c->name);

    if (!c->renew.begun) {
        return p;
    }

    now = ngx_http_registry_renew_time(c, 0);

    slot = ngx_http_registry_vault_lock(c->vault, c->id);

    if (slot == NULL) {
        return p;
    }

    if (slot->generation) {
        p = ngx_slprintf(p, last, " of %T seconds ago",
                         ngx_time() - slot->fetched);
    }

    if (slot->generation && slot->set.expiration
        && slot->set.expiration <= now)
    {
        p = ngx_slprintf(p, last, ", expired for %T seconds",
                         now - slot->set.expiration);
    }

    if (slot->failures) {
        p = ngx_slprintf(p, last, ", and the source fails: %*s",
                         slot->error_len, slot->error);

    } else if (slot->repeats) {
        p = ngx_slprintf(p, last, ", and the source has no others");
    }

    ngx_http_registry_vault_unlock(c->vault);

    return p;
}
