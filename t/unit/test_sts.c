
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_sts.c.
 */


#include "ngx_registry_sts.h"

#include "tap.h"


static const ngx_registry_memory_t  memory = { malloc, realloc, free };


typedef struct {
    const char             *xml;
    ngx_registry_status_e   rc;
    const char             *text;       /* code, or reason */
} case_t;


#define CRED(token)                                                           \
    "<Credentials><SessionToken>" token "</SessionToken>"                     \
    "<SecretAccessKey>sec/ret</SecretAccessKey>"                              \
    "<Expiration>2026-11-25T07:20:32Z</Expiration>"                           \
    "<AccessKeyId>AKID</AccessKeyId></Credentials>"

#define ANSWER(action, cred)                                                  \
    "<" action "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">" \
    "<" action "Result>" cred "<AssumedRoleUser><Arn>a</Arn>"                 \
    "</AssumedRoleUser></" action "Result></" action "Response>"


static const case_t  cases[] = {
    { ANSWER("AssumeRole", CRED("to&#47;ken")), NGX_REGISTRY_OK, "" },
    { ANSWER("AssumeRoleWithWebIdentity", CRED("to/ken")), NGX_REGISTRY_OK,
      "" },
    { "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
      "<Message>no</Message></Error></ErrorResponse>", NGX_REGISTRY_NONE,
      "AccessDenied" },

    { ANSWER("AssumeRole", ""), NGX_REGISTRY_INVALID,
      "the answer has no complete Credentials" },
    { ANSWER("AssumeRole", CRED("")), NGX_REGISTRY_INVALID,
      "the answer has no complete Credentials" },
    { ANSWER("AssumeRole", CRED("a&#10;b")), NGX_REGISTRY_INVALID,
      "a key or token in the answer has control characters" },
    { "<GetCallerIdentityResponse/>", NGX_REGISTRY_INVALID,
      "the answer is not one of STS" },
    { "", NGX_REGISTRY_INVALID, "the answer is not one of STS" },
    { "{}", NGX_REGISTRY_INVALID, "the answer is not one of STS" },
    { "<AssumeRoleResponse>", NGX_REGISTRY_INVALID,
      "the answer is not one of STS" },
    { "<!DOCTYPE x><AssumeRoleResponse/>", NGX_REGISTRY_INVALID,
      "the answer has a document type" }
};


static void
test_body(void)
{
    u_char                      *p;
    size_t                       len;
    ngx_registry_sts_request_t   rq;

    static const char  web[] =
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn="
        "arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa&RoleSessionName=s"
        "&WebIdentityToken=e.y%3D%3D";
    static const char  role[] =
        "Action=AssumeRole&Version=2011-06-15&RoleArn="
        "arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa&RoleSessionName=s"
        "&ExternalId=a%20b%26c&DurationSeconds=900";

    memset(&rq, 0, sizeof(rq));

    rq.role_arn.data = (const u_char *) "arn:aws:iam::1:role/a";
    rq.role_arn.len = 21;
    rq.session.data = (const u_char *) "s";
    rq.session.len = 1;
    rq.token.data = (const u_char *) "e.y==";
    rq.token.len = 5;

    len = ngx_registry_sts_body_len(&rq);
    p = tap_guarded(NULL, len);
    ok(ngx_registry_sts_body_write(p, &rq) == p + len, "length");
    is_bytes(p, len, web, sizeof(web) - 1, "web identity");

    rq.token.len = 0;
    rq.external_id.data = (const u_char *) "a b&c";
    rq.external_id.len = 5;
    rq.duration.data = (const u_char *) "900";
    rq.duration.len = 3;

    len = ngx_registry_sts_body_len(&rq);
    p = tap_guarded(NULL, len);
    ok(ngx_registry_sts_body_write(p, &rq) == p + len, "length");
    is_bytes(p, len, role, sizeof(role) - 1, "role");
}


static void
test_host(const char *region, int fips, int dualstack, const char *host)
{
    u_char               *p, *end;
    ngx_registry_span_t   span;

    span.data = (const u_char *) region;
    span.len = strlen(region);

    p = tap_guarded(NULL, NGX_REGISTRY_STS_HOST_MAX);
    end = ngx_registry_sts_host_write(p, &span, fips, dualstack);

    if (host == NULL) {
        ok(end == NULL, region);
        return;
    }

    is_bytes(p, end ? (size_t) (end - p) : 0, host, strlen(host), host);
}


static void
test_session(const char *host, const char *name)
{
    u_char               *p, *end;
    ngx_registry_span_t   span;

    span.data = (const u_char *) host;
    span.len = strlen(host);

    p = tap_guarded(NULL, NGX_REGISTRY_STS_SESSION_MAX);
    end = ngx_registry_sts_session_write(p, &span);

    is_bytes(p, (size_t) (end - p), name, strlen(name), name);
}


int
main(void)
{
    u_char                      *p;
    size_t                       i, len;
    const case_t                *t;
    ngx_registry_refusal_t       refusal;
    ngx_registry_credentials_t   c;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        t = &cases[i];
        len = strlen(t->xml);
        p = tap_guarded(t->xml, len);

        ok(ngx_registry_sts_parse(p, p + len, &memory, &c, &refusal)
           == t->rc, t->xml);

        if (t->rc == NGX_REGISTRY_OK) {
            is_bytes(c.access_key, c.access_key_len, "AKID", 4, "key");
            is_bytes(c.secret_key, c.secret_key_len, "sec/ret", 7, "secret");
            is_bytes(c.token, c.token_len, "to/ken", 6, "token");
            ok(c.expiration == 1795591232, "expiration");

        } else if (t->rc == NGX_REGISTRY_NONE) {
            is_bytes(refusal.code, refusal.code_len, t->text,
                     strlen(t->text), "code");

        } else {
            is_bytes(refusal.reason, strlen(refusal.reason), t->text,
                     strlen(t->text), "reason");
        }
    }

    test_body();

    /* botocore, endpoint rules of sts */

    test_host("eu-central-1", 0, 0, "sts.eu-central-1.amazonaws.com");
    test_host("us-east-1", 1, 0, "sts-fips.us-east-1.amazonaws.com");
    test_host("us-east-1", 0, 1, "sts.us-east-1.api.aws");
    test_host("us-gov-west-1", 0, 0, "sts.us-gov-west-1.amazonaws.com");
    test_host("cn-north-1", 0, 0, "sts.cn-north-1.amazonaws.com.cn");
    test_host("us-iso-east-1", 0, 0, "sts.us-iso-east-1.c2s.ic.gov");
    test_host("us-isob-east-1", 0, 0, "sts.us-isob-east-1.sc2s.sgov.gov");
    test_host("", 1, 1, "sts.amazonaws.com");
    test_host("eu central", 0, 0, NULL);
    test_host("-eu", 0, 0, NULL);
    test_host("evil.example.com/", 0, 0, NULL);
    test_host("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
              "a", 0, 0, NULL);

    test_session("node-1.local", "registry-node-1.local");
    test_session("a b/c", "registry-a-b-c");
    test_session("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                 "registry-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");

    return done_testing();
}
