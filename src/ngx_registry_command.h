
/*
 * Copyright (C) The ngx_registry_module authors
 */


#ifndef _NGX_REGISTRY_COMMAND_H_INCLUDED_
#define _NGX_REGISTRY_COMMAND_H_INCLUDED_


#include "ngx_registry.h"


#pragma GCC visibility push(hidden)


#define NGX_REGISTRY_COMMAND_ARGS  64


/*
 * The words of credential_process, as botocore splits them on POSIX systems:
 * blanks part them, single and double quotes and a backslash keep blanks; no
 * variables, no patterns, no shell.
 *
 * dst takes last - p + 1 bytes, the words with a NUL after each; argv takes
 * NGX_REGISTRY_COMMAND_ARGS + 1 pointers into it, the last one is NULL.
 *
 * OK; INVALID (a quote that is not closed, a backslash at the end, a NUL);
 * NONE (no word); TOO_LONG (too many).
 */
ngx_registry_status_e ngx_registry_command_split(const u_char *p,
    const u_char *last, char *dst, char **argv);


#pragma GCC visibility pop


#endif /* _NGX_REGISTRY_COMMAND_H_INCLUDED_ */
