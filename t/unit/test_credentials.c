
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_credentials.c.
 */


#include "ngx_registry_credentials.h"

#include "tap.h"


#define K  "\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"sec/ret\""
#define T  "\"Token\":\"to\\/ken\""
#define E  "\"Expiration\":\"2026-11-25T07:20:32Z\""


typedef struct {
    const char                       *json;
    ngx_registry_credentials_form_e   form;
    ngx_registry_status_e             rc;
    const char                       *reason;    /* or message */
} case_t;


static const ngx_registry_memory_t  memory = { malloc, realloc, free };

#define I  NGX_REGISTRY_CREDENTIALS_IMDS
#define C  NGX_REGISTRY_CREDENTIALS_CONTAINER
#define P  NGX_REGISTRY_CREDENTIALS_PROCESS


static const case_t  cases[] = {
    { "{\"Code\":\"Success\"," K "," T "," E "}", I, NGX_REGISTRY_OK, "" },
    { "{" K "," T "," E ",\"AccountId\":\"1\"}", C, NGX_REGISTRY_OK, "" },
    { "{\"Version\":1," K ",\"SessionToken\":\"to/ken\"," E "}", P,
      NGX_REGISTRY_OK, "" },
    { "{\"a\":{\"AccessKeyId\":\"x\"}," K "," T "," E ",\"b\":[null,1,true]}",
      C, NGX_REGISTRY_OK, "" },

    { "{\"Code\":\"Failed\",\"Message\":\"later\"," K "}", I,
      NGX_REGISTRY_NONE, "later" },
    { "{\"code\":\"Denied\",\"message\":\"a\\nb\"}", C,
      NGX_REGISTRY_NONE, "a b" },

    { "{" K "," E "}", I, NGX_REGISTRY_INVALID, "the answer has no Token" },
    { "{" K "," T "}", I, NGX_REGISTRY_INVALID,
      "the answer has no Expiration" },
    { "{" T "," E "}", C, NGX_REGISTRY_INVALID,
      "the answer has no AccessKeyId" },
    { "{\"AccessKeyId\":\"a\"," T "}", C, NGX_REGISTRY_INVALID,
      "the answer has no SecretAccessKey" },
    { "{" K "," T "," E "}", P, NGX_REGISTRY_UNSUPPORTED,
      "the answer has no \"Version\": 1" },
    { "{\"Version\":\"1\"," K "}", P, NGX_REGISTRY_UNSUPPORTED,
      "the answer has no \"Version\": 1" },
    { "{\"Version\":10," K "}", P, NGX_REGISTRY_UNSUPPORTED,
      "the answer has no \"Version\": 1" },
    { "{" K ",\"Token\":\"a\\u0000b\"}", C, NGX_REGISTRY_INVALID,
      "a key or token in the answer has control characters" },
    { "{" K ",\"Expiration\":\"soon\"}", C, NGX_REGISTRY_INVALID,
      "Expiration in the answer is not a time" },
    { "", C, NGX_REGISTRY_INVALID, "the answer is not a JSON object" },
    { "null", C, NGX_REGISTRY_INVALID, "the answer is not a JSON object" },
    { "[" K "]", C, NGX_REGISTRY_INVALID, "the answer is not a JSON object" },
    { "[{" K "}]", C, NGX_REGISTRY_INVALID,
      "the answer is not a JSON object" },
    { "{" K, C, NGX_REGISTRY_INVALID, "the answer is not a JSON object" },
    { "{" K "}x", C, NGX_REGISTRY_INVALID,
      "the answer is not a JSON object" },
    { "{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]," K "}", C,
      NGX_REGISTRY_INVALID, "the answer is too deep" }
};


static int
wiped(const ngx_registry_credentials_t *c)
{
    size_t         i;
    const u_char  *p;

    p = (const u_char *) c;

    for (i = 0; i < sizeof(ngx_registry_credentials_t); i++) {
        if (p[i]) {
            return 0;
        }
    }

    return 1;
}


static void
test_answer(const case_t *t)
{
    u_char                      *p;
    size_t                       len;
    ngx_registry_refusal_t       refusal;
    ngx_registry_credentials_t   c;

    len = strlen(t->json);
    p = tap_guarded(t->json, len);

    memset(&c, 0xa5, sizeof(c));

    ok(ngx_registry_credentials_parse(p, p + len, t->form, &memory, &c,
                                      &refusal) == t->rc, t->json);

    if (t->rc == NGX_REGISTRY_OK) {
        is_bytes(c.access_key, c.access_key_len, "AKID", 4, "access key");
        is_bytes(c.secret_key, c.secret_key_len, "sec/ret", 7, "secret key");
        is_bytes(c.token, c.token_len, "to/ken", 6, "token");
        ok(c.expiration == 1795591232, "expiration");
        return;
    }

    ok(wiped(&c), "nothing is left");

    if (t->rc == NGX_REGISTRY_NONE) {
        is_bytes(refusal.message, refusal.message_len, t->reason,
                 strlen(t->reason), "message");
        return;
    }

    is_bytes(refusal.reason, strlen(refusal.reason), t->reason,
             strlen(t->reason), "reason");
}


int
main(void)
{
    size_t                       i;
    char                         text[NGX_REGISTRY_TOKEN_MAX + 200];
    ngx_registry_span_t          a = ngx_registry_span("a");
    ngx_registry_span_t          b = ngx_registry_span("b");
    ngx_registry_span_t          bad = ngx_registry_span("b\n");
    ngx_registry_span_t          none = { NULL, 0 };
    ngx_registry_refusal_t       refusal;
    ngx_registry_credentials_t   c, d;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_answer(&cases[i]);
    }

    i = (size_t) sprintf(text, "{" K ",\"Token\":\"");
    memset(text + i, 'x', NGX_REGISTRY_TOKEN_MAX + 1);
    strcpy(text + i + NGX_REGISTRY_TOKEN_MAX, "\"}");
    ok(ngx_registry_credentials_parse((u_char *) text,
                                      (u_char *) text + strlen(text), C,
                                      &memory, &c, &refusal)
       == NGX_REGISTRY_OK, "the longest token");
    ok(c.token_len == NGX_REGISTRY_TOKEN_MAX, "the longest token - length");

    memset(text + i, 'x', NGX_REGISTRY_TOKEN_MAX + 1);
    strcpy(text + i + NGX_REGISTRY_TOKEN_MAX + 1, "\"}");
    ok(ngx_registry_credentials_parse((u_char *) text,
                                      (u_char *) text + strlen(text), C,
                                      &memory, &c, &refusal)
       == NGX_REGISTRY_TOO_LONG, "a longer token");

    ok(ngx_registry_credentials_fill(&c, &a, &b, &none) == NGX_REGISTRY_OK
       && ngx_registry_credentials_fill(&d, &a, &b, &none)
          == NGX_REGISTRY_OK
       && ngx_registry_credentials_same(&c, &d), "the same");
    d.expiration = 1;
    ok(!ngx_registry_credentials_same(&c, &d), "another expiry");
    ok(ngx_registry_credentials_fill(&d, &a, &a, &none) == NGX_REGISTRY_OK
       && !ngx_registry_credentials_same(&c, &d), "another secret");
    ok(ngx_registry_credentials_fill(&d, &a, &bad, &none)
       == NGX_REGISTRY_INVALID && wiped(&d), "a control character");

    ngx_registry_credentials_wipe(&c);
    ok(wiped(&c), "wiped");

    return done_testing();
}
