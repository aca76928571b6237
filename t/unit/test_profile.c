
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_profile.c.
 */


#include "ngx_registry_profile.h"

#include "tap.h"


#define ID      "aws_access_key_id"
#define SECRET  "aws_secret_access_key"
#define TOKEN   "aws_session_token"

#define AB      ID " = a\n" SECRET " = b\n"
#define XY      ID " = x\n" SECRET " = y\n"


typedef struct {
    const char             *file;
    const char             *name;
    ngx_registry_status_e   rc;
    const char             *access_key;
    const char             *secret_key;
    const char             *token;
} case_t;


static const case_t  cases[] = {

    /* as the command line interface of AWS writes it */

    { "[default]\n"
      "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"
      "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
      "default", NGX_REGISTRY_OK, "AKIAIOSFODNN7EXAMPLE",
      "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "" },
    { "[default]\n" ID "=a\n" SECRET "=b\n" TOKEN "=IQoJb3JpZ2lu//x==\n",
      "default", NGX_REGISTRY_OK, "a", "b", "IQoJb3JpZ2lu//x==" },
    { "[other]\n" XY TOKEN "=z\n[ci]\n" AB "[more]\n" XY,
      "ci", NGX_REGISTRY_OK, "a", "b", "" },
    { "[ci]\n" AB, "ci", NGX_REGISTRY_OK, "a", "b", "" },
    { "[profile ci]\n" AB, "ci", NGX_REGISTRY_OK, "a", "b", "" },
    { "[profile\tci]\n" AB, "ci", NGX_REGISTRY_OK, "a", "b", "" },
    { "[  profile   ci  ]\n" AB, "ci", NGX_REGISTRY_OK, "a", "b", "" },
    { "[ ci ]\n" AB, "ci", NGX_REGISTRY_OK, "a", "b", "" },
    { "[profile]\n" AB, "profile", NGX_REGISTRY_OK, "a", "b", "" },
    { "[a b]\n" AB, "a b", NGX_REGISTRY_OK, "a", "b", "" },
    { "[a]b]\n" AB, "a]b", NGX_REGISTRY_OK, "a", "b", "" },
    { "[\xc3\xa9]\n" AB, "\xc3\xa9", NGX_REGISTRY_OK, "a", "b", "" },

    /* any order, other settings, no line feed at the end */

    { "[default]\n" TOKEN "=c\n" SECRET "=b\n" ID "=a",
      "default", NGX_REGISTRY_OK, "a", "b", "c" },
    { "[default]\nregion = r\n" AB "output=json\n",
      "default", NGX_REGISTRY_OK, "a", "b", "" },
    { "[default]\nx_" ID "=x\n" ID "_x=x\n" AB, "default", NGX_REGISTRY_OK,
      "a", "b", "" },
    { "[default]\n=x\n" AB, "default", NGX_REGISTRY_OK, "a", "b", "" },

    /* blanks */

    { "[default]\n" ID "=a\n" SECRET "\t=\tb\t \n", "default",
      NGX_REGISTRY_OK, "a", "b", "" },
    { "[default] \t\n\n \n\t\n" ID "   =   a   \n\n" SECRET "=b c\n",
      "default", NGX_REGISTRY_OK, "a", "b c", "" },
    { "[default]\r\n" ID " = a\r\n\r\n" SECRET "=b\r\n" TOKEN "=c\r\n",
      "default", NGX_REGISTRY_OK, "a", "b", "c" },

    /* values may have what separates others */

    { "[default]\n" ID "=a=b\n" SECRET "==b=\n" TOKEN "=[c]\n",
      "default", NGX_REGISTRY_OK, "a=b", "=b=", "[c]" },
    { "[default]\n" ID "=\"a\"\n" SECRET "=b#c;d\n",
      "default", NGX_REGISTRY_OK, "\"a\"", "b#c;d", "" },

    /* comments */

    { "# [default]\n;" ID "=x\n[default]\n#" ID "=x\n" AB "; " SECRET "=x\n",
      "default", NGX_REGISTRY_OK, "a", "b", "" },
    { "[default]\n;x\n" ID "=a\n#y\n;z\n" SECRET "=b\n", "default",
      NGX_REGISTRY_OK, "a", "b", "" },
    { "[default]\n # x\n" AB "\t; y\n", "default", NGX_REGISTRY_OK, "a", "b",
      "" },

    { "[default] # x\n" AB "[x]; [default]\n" XY, "default",
      NGX_REGISTRY_OK, "a", "b", "" },
    { "[x] # default]\n" XY "[default]#\n" AB "[y];]\n" XY, "default",
      NGX_REGISTRY_OK, "a", "b", "" },

    /* names of settings have no case, those of sections do */

    { "[default]\nAWS_ACCESS_KEY_ID = a\nAws_Secret_Access_Key = b\n"
      "aws_session_TOKEN = c\n", "default", NGX_REGISTRY_OK, "a", "b", "c" },
    { "[default]\naws\x7f" "access\x7fkey\x7fid=x\n" AB, "default",
      NGX_REGISTRY_OK, "a", "b", "" },

    /* all of a section is indented */

    { "[default]\n  " ID " = a\n  " SECRET " = b\n", "default",
      NGX_REGISTRY_OK, "a", "b", "" },
    { "[x]\n\t" ID "=x\n\t" SECRET "=y\n [default]\n\t" ID "=a\n\t\t" ID
      "=x\n\t" SECRET "=b\n", "default", NGX_REGISTRY_OK, "a", "b", "" },
    { " [default]\n # x\n " ID "=a\n\n " SECRET "=b\n", "default",
      NGX_REGISTRY_OK, "a", "b", "" },
    { "[default]\n  " ID "=a\n" SECRET "=b\n", "default", NGX_REGISTRY_OK,
      "a", "b", "" },

    /* settings within a setting */

    { "[default]\n " AB " [x]\n", "default", NGX_REGISTRY_OK, "a", "b",
      "" },

    { "[default]\ns3 =\n  " ID " = x\n\tmax_queue_size = 1\n" AB,
      "default", NGX_REGISTRY_OK, "a", "b", "" },
    { "[default]\n" AB "s3 =\n  no setting\n", "default", NGX_REGISTRY_OK,
      "a", "b", "" },

    /* twice: the last one counts, sections are joined */

    { "[default]\n" XY AB, "default", NGX_REGISTRY_OK, "a", "b", "" },
    { "[default]\n" ID "=a\n[x]\n" XY "[default]\n" SECRET "=b\n",
      "default", NGX_REGISTRY_OK, "a", "b", "" },
    { "[default]\n" XY "[default]\n" AB, "default", NGX_REGISTRY_OK, "a", "b",
      "" },
    { "[default]\n" AB TOKEN "=c\n" TOKEN "=\n", "default", NGX_REGISTRY_OK,
      "a", "b", "" },

    /* junk of others does not matter */

    { AB "junk\n[x]\njunk\n[default]\n" AB "[y]\njunk\n", "default",
      NGX_REGISTRY_OK, "a", "b", "" },

    { "", "default", NGX_REGISTRY_NOT_FOUND, "", "", "" },
    { "\n\n", "default", NGX_REGISTRY_NOT_FOUND, "", "", "" },
    { AB, "default", NGX_REGISTRY_NOT_FOUND, "", "", "" },
    { "[x]\n" XY, "default", NGX_REGISTRY_NOT_FOUND, "", "", "" },
    { "[defaul]\n" XY "[defaultt]\n" XY, "default", NGX_REGISTRY_NOT_FOUND,
      "", "", "" },
    { "[Default]\n" XY, "default", NGX_REGISTRY_NOT_FOUND, "", "", "" },
    { "[profiledefault]\n" XY, "default", NGX_REGISTRY_NOT_FOUND, "", "",
      "" },
    { "[Profile default]\n" XY, "default", NGX_REGISTRY_NOT_FOUND, "", "",
      "" },
    { "[default x]\n" XY, "default", NGX_REGISTRY_NOT_FOUND, "", "", "" },
    { "#[default]\n" XY, "default", NGX_REGISTRY_NOT_FOUND, "", "", "" },
    { "[]\n" XY, "default", NGX_REGISTRY_NOT_FOUND, "", "", "" },
    { "[profile ]\n" XY, "default", NGX_REGISTRY_NOT_FOUND, "", "", "" },

    { "[default]", "default", NGX_REGISTRY_NONE, "", "", "" },
    { "[default]\n[x]\n" XY, "default", NGX_REGISTRY_NONE, "", "", "" },
    { "[default]\n" ID "=a\n", "default", NGX_REGISTRY_NONE, "", "", "" },
    { "[default]\n" SECRET "=b\n", "default", NGX_REGISTRY_NONE, "", "", "" },
    { "[default]\n" ID "=a\n[x]\n" XY, "default", NGX_REGISTRY_NONE, "", "",
      "" },
    { "[default]\n" ID "=a\n" SECRET "=\n", "default", NGX_REGISTRY_NONE, "",
      "", "" },
    { "[default]\n" ID "= \n" SECRET "=b\n", "default", NGX_REGISTRY_NONE, "",
      "", "" },
    { "[default]\n" AB ID "=\n", "default", NGX_REGISTRY_NONE, "", "", "" },
    { "[default]\n" TOKEN "=c\n", "default", NGX_REGISTRY_NONE, "", "", "" },
    { "[default]\naws_access_key=a\n" SECRET "=b\n", "default",
      NGX_REGISTRY_NONE, "", "", "" },
    { "[default]\ncredential_process = /opt/bin/x\n", "default",
      NGX_REGISTRY_NONE, "", "", "" },

    { "[default]\njunk\n" AB, "default", NGX_REGISTRY_INVALID, "", "", "" },
    { "[default]\n" ID ": a\n", "default", NGX_REGISTRY_INVALID, "", "", "" },
    { "[default]\n" ID "\n", "default", NGX_REGISTRY_INVALID, "", "", "" },
    { "[default\n" AB, "default", NGX_REGISTRY_INVALID, "", "", "" },
    { "[default] x\n" AB, "default", NGX_REGISTRY_INVALID, "", "", "" },
    { "[default # x]y\n" AB, "default", NGX_REGISTRY_INVALID, "", "", "" },

    /* what would break the header that a value is sent in */

    { "[default]\n" ID "=a\r" SECRET "=b\r\n" SECRET "=b\n", "default",
      NGX_REGISTRY_INVALID, "", "", "" },
    { "[default]\n" AB TOKEN "=a\x01z\n", "default", NGX_REGISTRY_INVALID,
      "", "", "" },
    { "[default]\n" AB TOKEN "=a\tz\n", "default", NGX_REGISTRY_INVALID, "",
      "", "" },
    { "[default]\n" AB TOKEN "=a\x7f\n", "default", NGX_REGISTRY_INVALID,
      "", "", "" },
    { "[default]\n" AB "region=a\tz\n", "default", NGX_REGISTRY_OK, "a", "b",
      "" },

    { "[", "default", NGX_REGISTRY_INVALID, "", "", "" },
    { "[default]\n" AB "[x\n", "default", NGX_REGISTRY_INVALID, "", "", "" },
    { "{\"AccessKeyId\":\"a\"}\n[default]\n{}\n", "default",
      NGX_REGISTRY_INVALID, "", "", "" }
};


static int
within(const ngx_registry_span_t *s, const u_char *p, size_t len)
{
    return s->len == 0 || (s->data >= p && s->data + s->len <= p + len);
}


static void
test_file(const case_t *c)
{
    u_char                   *p;
    size_t                    i, len;
    unsigned                  bad;
    ngx_registry_span_t       name;
    ngx_registry_profile_t    profile;
    ngx_registry_status_e     rc;

    memset(&profile, 0xa5, sizeof(ngx_registry_profile_t));

    name.len = strlen(c->name);
    name.data = tap_guarded(c->name, name.len);

    len = strlen(c->file);
    p = tap_guarded(c->file, len);

    rc = ngx_registry_profile_parse(p, p + len, &name, &profile);

    if (!ok(rc == c->rc, c->file)) {
        printf("# returned %d\n", rc);
    }

    if (rc == NGX_REGISTRY_OK) {
        is_bytes(profile.access_key.data, profile.access_key.len,
                 c->access_key, strlen(c->access_key), ID);
        is_bytes(profile.secret_key.data, profile.secret_key.len,
                 c->secret_key, strlen(c->secret_key), SECRET);
        is_bytes(profile.token.data, profile.token.len, c->token,
                 strlen(c->token), TOKEN);
    }

    /* what is cut off gives nothing that is not there */

    bad = 0;
    name.data = (const u_char *) c->name;

    for (i = 0; i < len; i++) {
        p = tap_guarded(c->file, i);

        if (ngx_registry_profile_parse(p, p + i, &name, &profile)
            == NGX_REGISTRY_OK)
        {
            bad += !(within(&profile.access_key, p, i)
                     && within(&profile.secret_key, p, i)
                     && within(&profile.token, p, i)
                     && profile.access_key.len && profile.secret_key.len);
        }
    }

    ok(bad == 0, "its beginnings");
}


int
main(void)
{
    size_t                   i;
    ngx_registry_span_t      name = ngx_registry_span("default");
    ngx_registry_profile_t   profile;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_file(&cases[i]);
    }

    ok(ngx_registry_profile_parse(NULL, NULL, &name, &profile)
       == NGX_REGISTRY_NOT_FOUND, "no file");

    return done_testing();
}
