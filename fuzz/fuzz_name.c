
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Names, tags and digests, against the regular expressions of the
 * specifications.
 */


#include <regex.h>

#include "ngx_registry_digest.h"
#include "ngx_registry_key.h"
#include "ngx_registry_name.h"

#include "fuzz.h"


#define COMPONENT  "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*"


enum {
    NAME = 0,
    TAG,
    DIGEST,
    SHA256,
    SHA512
};


static const char  *const grammar[] = {
    "^" COMPONENT "(/" COMPONENT ")*$",
    "^[a-zA-Z0-9_][a-zA-Z0-9._-]*$",
    "^[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$",
    "^sha256:[0-9a-f]{64}$",
    "^sha512:[0-9a-f]{128}$"
};


static int fuzz_matches(size_t n, const uint8_t *p, size_t len);
static void fuzz_digest(const uint8_t *p, size_t len);


int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    ngx_registry_status_e  rc;

    if (len > 4096) {
        return 0;
    }

    rc = ngx_registry_name_check(p, p + len);

    if (len > NGX_REGISTRY_NAME_MAX_LEN) {
        check(rc == NGX_REGISTRY_TOO_LONG);

    } else {
        check(rc == (fuzz_matches(NAME, p, len) ? NGX_REGISTRY_OK
                                                : NGX_REGISTRY_INVALID));
    }

    rc = ngx_registry_tag_check(p, p + len);

    if (len > NGX_REGISTRY_TAG_MAX_LEN) {
        check(rc == NGX_REGISTRY_TOO_LONG);

    } else {
        check(rc == (fuzz_matches(TAG, p, len) ? NGX_REGISTRY_OK
                                               : NGX_REGISTRY_INVALID));
    }

    fuzz_digest(p, len);

    return 0;
}


static void
fuzz_digest(const uint8_t *p, size_t len)
{
    ngx_registry_digest_t   d, link;
    ngx_registry_status_e   rc;

    rc = ngx_registry_digest_parse(p, p + len, &d);

    check(ngx_registry_link_parse(p, p + len, &link) == rc);

    if (fuzz_matches(SHA256, p, len)) {
        check(rc == NGX_REGISTRY_OK && d.algorithm == NGX_REGISTRY_SHA256);

    } else if (fuzz_matches(SHA512, p, len)) {
        check(rc == NGX_REGISTRY_OK && d.algorithm == NGX_REGISTRY_SHA512);

    } else if (fuzz_matches(DIGEST, p, len)
               && (len < 7 || (memcmp(p, "sha256:", 7) != 0
                               && memcmp(p, "sha512:", 7) != 0)))
    {
        check(rc == NGX_REGISTRY_UNSUPPORTED);

    } else {
        check(rc == NGX_REGISTRY_INVALID);
        return;
    }

    check(d.text.data == p && d.text.len == len);
    check(d.name.data == p && p[d.name.len] == ':');
    check(d.hex.data == p + d.name.len + 1
          && d.name.len + 1 + d.hex.len == len);
    check(memchr(d.name.data, ':', d.name.len) == NULL);
}


static int
fuzz_matches(size_t n, const uint8_t *p, size_t len)
{
    int    rc;
    char  *text;

    static int      compiled[5];
    static regex_t  re[5];

    if (!compiled[n]) {
        check(regcomp(&re[n], grammar[n], REG_EXTENDED|REG_NOSUB) == 0);
        compiled[n] = 1;
    }

    if (len && memchr(p, '\0', len)) {
        return 0;
    }

    text = (char *) fuzz_alloc(len + 1);
    *fuzz_write((u_char *) text, p, len) = '\0';

    rc = regexec(&re[n], text, 0, NULL, 0);

    free(text);

    return rc == 0;
}
