
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_HTTP_REGISTRY_RENEW_H_INCLUDED_
#define _NGX_HTTP_REGISTRY_RENEW_H_INCLUDED_


/*
 * When a source of credentials is asked, by which worker, and who waits.
 */


/* in each worker, for each source; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_registry_renew_init(ngx_cycle_t *cycle);

/* the worker ends, its threads have ended: gives leases back */
void ngx_http_registry_renew_exit(ngx_cycle_t *cycle);

/*
 * A set of the source is missing.  NGX_AGAIN: it is being asked for, wait.
 * NGX_BUSY: the same, but it takes more than three seconds, which is too long
 * for the hasty.  NGX_DECLINED: there will be none soon.  NGX_OK: there is one
 * by now.
 */
ngx_int_t ngx_http_registry_renew_missing(
    ngx_http_registry_credentials_t *credentials, ngx_uint_t hasty);

/*
 * S3 has refused the set of this generation; the same results.  At most one
 * fetch a second comes of it, and fewer if S3 takes none of the new sets.
 */
ngx_int_t ngx_http_registry_renew_refused(
    ngx_http_registry_credentials_t *credentials, ngx_uint_t generation);

/* S3 has taken the set of this generation */
void ngx_http_registry_renew_worked(
    ngx_http_registry_credentials_t *credentials, ngx_uint_t generation);

/*
 * Whether a set that S3 refuses without saying why (an answer to HEAD has no
 * document) may be refused for its age.
 */
ngx_uint_t ngx_http_registry_renew_doubtful(
    ngx_http_registry_credentials_t *credentials, ngx_uint_t generation);

/*
 * Calls w->handler once, later: when a fetch that is under way has ended, in
 * ten seconds at most, and before that once it has taken three.  The waiter
 * belongs to the caller, who cancels it by ngx_http_registry_host_cancel()
 * before its memory goes.
 */
void ngx_http_registry_renew_wait(
    ngx_http_registry_credentials_t *credentials,
    ngx_http_registry_waiter_t *w);

/*
 * Text about a source for a message on a refusal: since when, and what its
 * last failure was.  Returns the end.
 */
u_char *ngx_http_registry_renew_hint(
    ngx_http_registry_credentials_t *credentials, u_char *p, u_char *last);


#endif /* _NGX_HTTP_REGISTRY_RENEW_H_INCLUDED_ */
