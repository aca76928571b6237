
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Short texts of configuration: commands, times, URIs of containers.
 */


#include "ngx_registry_command.h"
#include "ngx_registry_container.h"
#include "ngx_registry_time.h"

#include "fuzz.h"


int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    char                   *dst, *argv[NGX_REGISTRY_COMMAND_ARGS + 1];
    size_t                  i, n;
    ngx_registry_status_e   rc;

    dst = (char *) fuzz_alloc(len + 1);

    rc = ngx_registry_command_split(p, p + len, dst, argv);

    if (rc == NGX_REGISTRY_OK) {

        /* words do not overlap, and are no longer than the text */

        n = 0;

        for (i = 0; argv[i]; i++) {
            check(argv[i] >= dst && argv[i] + strlen(argv[i]) <= dst + len);
            check(i == 0 || argv[i] > argv[i - 1] + strlen(argv[i - 1]));
            n += strlen(argv[i]);
        }

        check(i > 0 && i <= NGX_REGISTRY_COMMAND_ARGS && n <= len);
    }

    free(dst);

    check(ngx_registry_time_parse(p, p + len) >= -1);

    rc = ngx_registry_container_uri(p, p + len);

    if (rc != NGX_REGISTRY_INVALID) {
        check(len > 7 && (p[0] | 0x20) == 'h' && memchr(p, '@', len) == NULL
              ? 1 : len > 7);
    }

    return 0;
}
