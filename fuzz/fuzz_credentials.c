
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Answers of sources of credentials: JSON of each form, and the XML of STS.
 */


#include "ngx_registry_credentials.h"
#include "ngx_registry_sts.h"

#include "fuzz.h"


static const ngx_registry_memory_t  memory = { malloc, realloc, free };


static void
fuzz_judge(ngx_registry_status_e rc, const ngx_registry_credentials_t *c,
    const ngx_registry_refusal_t *refusal)
{
    size_t         i;
    const u_char  *p;

    if (rc != NGX_REGISTRY_OK) {

        /* nothing of it is left, and somebody says why */

        p = (const u_char *) c;

        for (i = 0; i < sizeof(ngx_registry_credentials_t); i++) {
            check(p[i] == 0);
        }

        check(rc == NGX_REGISTRY_NONE || refusal->reason != NULL);
        check(refusal->code_len <= sizeof(refusal->code));
        check(refusal->message_len <= sizeof(refusal->message));

        for (i = 0; i < refusal->message_len; i++) {
            check(refusal->message[i] >= 0x20 && refusal->message[i] != 0x7f);
        }

        return;
    }

    check(c->access_key_len && c->access_key_len <= sizeof(c->access_key));
    check(c->secret_key_len && c->secret_key_len <= sizeof(c->secret_key));
    check(c->token_len <= sizeof(c->token));
    check(c->expiration >= 0);

    for (i = 0; i < c->token_len; i++) {
        check(c->token[i] >= 0x20 && c->token[i] != 0x7f);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    int                          form;
    ngx_registry_status_e        rc;
    ngx_registry_refusal_t       refusal;
    ngx_registry_credentials_t   c;

    for (form = NGX_REGISTRY_CREDENTIALS_IMDS;
         form <= NGX_REGISTRY_CREDENTIALS_PROCESS;
         form++)
    {
        memset(&c, 0xa5, sizeof(c));
        rc = ngx_registry_credentials_parse(p, p + len,
                                    (ngx_registry_credentials_form_e) form,
                                    &memory, &c, &refusal);
        fuzz_judge(rc, &c, &refusal);
    }

    memset(&c, 0xa5, sizeof(c));
    rc = ngx_registry_sts_parse(p, p + len, &memory, &c, &refusal);
    fuzz_judge(rc, &c, &refusal);

    return 0;
}
