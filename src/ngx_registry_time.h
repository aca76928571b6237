
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_TIME_H_INCLUDED_
#define _NGX_REGISTRY_TIME_H_INCLUDED_


#include "ngx_registry.h"


#pragma GCC visibility push(hidden)


/*
 * RFC 3339, Internet Date/Time Format, as the sources of credentials write
 * it: YYYY-MM-DDThh:mm:ss, a fraction or none, "Z" or an offset.  A time
 * without either is refused, since it may be of any place.
 *
 * Returns seconds since 1970, or -1 (also for times before).
 */
int64_t ngx_registry_time_parse(const u_char *p, const u_char *last);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_TIME_H_INCLUDED_ */
