
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_REFRESH_H_INCLUDED_
#define _NGX_REGISTRY_REFRESH_H_INCLUDED_


#include "ngx_registry.h"


#pragma GCC visibility push(hidden)


/* for a set that never expires */
#define NGX_REGISTRY_REFRESH_NEVER  INT64_MAX


/*
 * When to ask a source of credentials again.  All results are in milliseconds
 * from now, random is any number: hosts that start together do not ask
 * together.
 */


/*
 * After an answer; left is in seconds, how long the set is valid, negative if
 * it has expired.
 *
 * botocore, RefreshableCredentials: fifteen minutes ahead.  EC2 User Guide,
 * IAM roles for Amazon EC2: a new set is there five minutes before the old
 * one expires at the latest, so earlier the same one is no fault, and asking
 * for it each minute finds the new one soon.  A source that hands out what
 * has expired is asked once in five minutes: S3 decides what expires.
 */
int64_t ngx_registry_refresh_after(int64_t left, uint32_t random);

/*
 * After a failure; failures is how many there were one after the other.  With
 * a set that S3 takes there is time: half a minute, doubled up to five.
 * Without one a role that is attached now has to be found within 30 s.
 */
int64_t ngx_registry_refresh_failed(unsigned failures, int usable,
    uint32_t random);

/*
 * After an answer that gave once more the set that S3 refuses; times is how
 * often it did.
 */
int64_t ngx_registry_refresh_refused(unsigned times, uint32_t random);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_REFRESH_H_INCLUDED_ */
