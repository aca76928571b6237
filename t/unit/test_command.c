
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_command.c.
 */


#include "ngx_registry_command.h"

#include "tap.h"


typedef struct {
    const char             *text;
    ngx_registry_status_e   rc;
    const char             *words;      /* with "|" between them */
} case_t;


static const case_t  cases[] = {
    { "/bin/a", NGX_REGISTRY_OK, "/bin/a" },
    { "  a\tb  c ", NGX_REGISTRY_OK, "a|b|c" },
    { "a \"b c\" d", NGX_REGISTRY_OK, "a|b c|d" },
    { "a 'b \"c' d", NGX_REGISTRY_OK, "a|b \"c|d" },
    { "a b\\ c", NGX_REGISTRY_OK, "a|b c" },
    { "a \"b\\\"c\\\\\"", NGX_REGISTRY_OK, "a|b\"c\\" },
    { "a \"b\\n\"", NGX_REGISTRY_OK, "a|b\\n" },
    { "a 'b\\'", NGX_REGISTRY_OK, "a|b\\" },
    { "a \"\" ''", NGX_REGISTRY_OK, "a||" },
    { "a'b'\"c\"d", NGX_REGISTRY_OK, "abcd" },
    { "a $b `c` ;d | e > f * ~", NGX_REGISTRY_OK,
      "a|$b|`c`|;d|||e|>|f|*|~" },

    { "", NGX_REGISTRY_NONE, "" },
    { " \t ", NGX_REGISTRY_NONE, "" },
    { "a 'b", NGX_REGISTRY_INVALID, "" },
    { "a \"b", NGX_REGISTRY_INVALID, "" },
    { "a \"b\\", NGX_REGISTRY_INVALID, "" },
    { "a\\", NGX_REGISTRY_INVALID, "" }
};


int
main(void)
{
    u_char                 *p;
    char                   *dst, *argv[NGX_REGISTRY_COMMAND_ARGS + 1];
    char                    joined[256];
    size_t                  i, k, len;
    ngx_registry_status_e   rc;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = strlen(cases[i].text);
        p = tap_guarded(cases[i].text, len);
        dst = (char *) tap_guarded(NULL, len + 1);

        rc = ngx_registry_command_split(p, p + len, dst, argv);

        ok(rc == cases[i].rc, cases[i].text);

        if (rc != NGX_REGISTRY_OK) {
            continue;
        }

        joined[0] = '\0';

        for (k = 0; argv[k]; k++) {
            if (k) {
                strcat(joined, "|");
            }

            strcat(joined, argv[k]);
        }

        is_bytes(joined, strlen(joined), cases[i].words,
                 strlen(cases[i].words), "words");
    }

    p = tap_guarded(NULL, 2 * NGX_REGISTRY_COMMAND_ARGS + 2);

    for (i = 0; i < NGX_REGISTRY_COMMAND_ARGS + 1; i++) {
        p[2 * i] = 'a';
        p[2 * i + 1] = ' ';
    }

    dst = (char *) tap_guarded(NULL, 2 * NGX_REGISTRY_COMMAND_ARGS + 3);
    ok(ngx_registry_command_split(p, p + 2 * NGX_REGISTRY_COMMAND_ARGS, dst,
                                  argv) == NGX_REGISTRY_OK, "64 words");
    ok(ngx_registry_command_split(p, p + 2 * NGX_REGISTRY_COMMAND_ARGS + 2,
                                  dst, argv) == NGX_REGISTRY_TOO_LONG,
       "65 words");

    p = tap_guarded("a\0b", 3);
    ok(ngx_registry_command_split(p, p + 3, dst, argv)
       == NGX_REGISTRY_INVALID, "a NUL");

    return done_testing();
}
