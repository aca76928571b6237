
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_AUTOINDEX_H_INCLUDED_
#define _NGX_REGISTRY_AUTOINDEX_H_INCLUDED_


#include "ngx_registry.h"


#pragma GCC visibility push(hidden)


/*
 * Called for each entry of a directory.  name lives during the call only and
 * is not empty.  Anything but OK stops the parser.
 */
typedef ngx_registry_status_e (*ngx_registry_autoindex_pt)(void *data,
    const ngx_registry_span_t *name, int directory);


/*
 * Parses the listing of a directory as nginx makes it with
 * "autoindex_format json" (module "autoindex"): one array of objects
 * with "name" and "type", which is "directory", "file" or "other"; what else
 * they have is not looked at.
 *
 * OK         the handler has had all entries, in the order of the listing
 * INVALID    this is something else; the handler may have had some entries
 * STOPPED    the handler wanted it
 * NO_MEMORY
 */
ngx_registry_status_e ngx_registry_autoindex_parse(const u_char *p,
    const u_char *last, ngx_registry_autoindex_pt handler, void *data);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_AUTOINDEX_H_INCLUDED_ */
