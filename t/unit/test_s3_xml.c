
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_s3_xml.c.
 */


#include "ngx_registry_s3_xml.h"

#include "tap.h"


#define HEAD  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define NS    " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""
#define LIST  "<ListBucketResult" NS ">"
#define END   "</ListBucketResult>"
#define KEY   "<Contents><Key>a</Key></Contents>"
#define MORE  "<IsTruncated>true</IsTruncated>"

#define LOL   "<!DOCTYPE lolz [<!ENTITY a \"lol\">"                           \
              "<!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">"                \
              "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">"                \
              "<!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">"                \
              "<!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;\">"                \
              "<!ENTITY f \"&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;\">"                \
              "<!ENTITY g \"&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;\">]>"


typedef struct {
    const char  *xml;
    const char  *code;               /* NULL: the document is INVALID */
    const char  *message;
    const char  *request_id;
    const char  *region;
    const char  *endpoint;
} error_case_t;


/* S3 API, Error responses, and what servers make of it */

static const error_case_t  errors[] = {
    { HEAD "<Error><Code>NoSuchKey</Code><Message>The specified key does not "
      "exist.</Message><Key>a/b</Key><RequestId>4442587FB7D0A2F9</RequestId>"
      "<HostId>x</HostId></Error>",
      "NoSuchKey", "The specified key does not exist.", "4442587FB7D0A2F9",
      "", "" },
    { HEAD "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The "
      "region 'us-east-1' is wrong; expecting 'eu-west-1'</Message><Region>"
      "eu-west-1</Region><RequestId>1</RequestId></Error>",
      "AuthorizationHeaderMalformed",
      "The region 'us-east-1' is wrong; expecting 'eu-west-1'", "1",
      "eu-west-1", "" },
    { HEAD "<Error><Code>PermanentRedirect</Code><Message>m</Message>"
      "<Endpoint>bkt.s3.eu-west-1.amazonaws.com</Endpoint><Bucket>bkt"
      "</Bucket><RequestId>2</RequestId></Error>",
      "PermanentRedirect", "m", "2", "", "bkt.s3.eu-west-1.amazonaws.com" },
    { "<Error" NS "><Code>SlowDown</Code></Error>",
      "SlowDown", "", "", "", "" },
    { "<s3:Error xmlns:s3=\"u\"><s3:Code>SlowDown</s3:Code></s3:Error>",
      "SlowDown", "", "", "", "" },
    { "<Error>\n  <RequestId>3</RequestId>\n  <Code>c</Code>\n</Error>\n",
      "c", "", "3", "", "" },
    { "<Error/>", "", "", "", "", "" },
    { "<Error></Error>", "", "", "", "", "" },
    { "<Error>text</Error>", "", "", "", "", "" },
    { "<Error><Code/><Message></Message></Error>", "", "", "", "", "" },
    { "<Error a=\"b\"><Code c=\"d\">e</Code></Error>", "e", "", "", "", "" },
    { "<Error><Code>a</Code><Code>b</Code></Error>", "b", "", "", "", "" },
    { "<Error><Code> a </Code></Error>", " a ", "", "", "", "" },

    /* the five entities that XML has, references, sections, comments */

    { "<Error><Message>&lt;&gt;&amp;&quot;&apos;</Message></Error>",
      "", "<>&\"'", "", "", "" },
    { "<Error><Message>&#65;&#x42;&#233;&#x1F600;</Message></Error>",
      "", "AB\xc3\xa9\xf0\x9f\x98\x80", "", "", "" },
    { "<Error><Message>a<![CDATA[<b>&amp;]]>c</Message></Error>",
      "", "a<b>&amp;c", "", "", "" },
    { "<Error><Message>a<!-- b -->c<?d e?>f</Message></Error>",
      "", "acf", "", "", "" },
    { "<Error><Message>a\r\nb\rc\n</Message></Error>",
      "", "a\nb\nc\n", "", "", "" },
    { "\xef\xbb\xbf<Error><Code>a</Code></Error>", "a", "", "", "", "" },
    { "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><Error><Code>\xe9"
      "</Code></Error>", "\xc3\xa9", "", "", "", "" },

    /* only what is directly below the root */

    { "<Error><Resource><Code>a</Code></Resource></Error>",
      "", "", "", "", "" },
    { "<Error><Code>a</Code><Details><Code>b</Code></Details></Error>",
      "a", "", "", "", "" },
    { "<Error><Code>a</Code><Code>b<x/>c</Code></Error>",
      "a", "", "", "", "" },
    { "<Error><code>a</code><CODE>b</CODE><Codes>c</Codes></Error>",
      "", "", "", "", "" },

    /* other roots */

    { "<ErrorResponse><Error><Code>a</Code></Error></ErrorResponse>", NULL,
      NULL, NULL, NULL, NULL },
    { "<error><Code>a</Code></error>", NULL, NULL, NULL, NULL, NULL },
    { "<Errors><Code>a</Code></Errors>", NULL, NULL, NULL, NULL, NULL },
    { "<Code>a</Code>", NULL, NULL, NULL, NULL, NULL },
    { "<a/>", NULL, NULL, NULL, NULL, NULL },
    { LIST END, NULL, NULL, NULL, NULL, NULL },
    { "<html><body>503 Service Unavailable</body></html>", NULL, NULL, NULL,
      NULL, NULL },

    /* no XML */

    { "", NULL, NULL, NULL, NULL, NULL },
    { "\n", NULL, NULL, NULL, NULL, NULL },
    { HEAD, NULL, NULL, NULL, NULL, NULL },
    { "Error", NULL, NULL, NULL, NULL, NULL },
    { "{\"Code\":\"a\"}", NULL, NULL, NULL, NULL, NULL },
    { " " HEAD "<Error/>", NULL, NULL, NULL, NULL, NULL },
    { "<Error><Code>a</Error>", NULL, NULL, NULL, NULL, NULL },
    { "<Error><Code>a</Code></Errors>", NULL, NULL, NULL, NULL, NULL },
    { "<Error/><Error/>", NULL, NULL, NULL, NULL, NULL },
    { "<Error/>x", NULL, NULL, NULL, NULL, NULL },
    { "<Error><Code>a & b</Code></Error>", NULL, NULL, NULL, NULL, NULL },
    { "<Error><Code>&nbsp;</Code></Error>", NULL, NULL, NULL, NULL, NULL },
    { "<Error><Code>&#0;</Code></Error>", NULL, NULL, NULL, NULL, NULL },
    { "<Error><Code>\x01</Code></Error>", NULL, NULL, NULL, NULL, NULL },
    { "<Error><Code>\xff</Code></Error>", NULL, NULL, NULL, NULL, NULL },
    { "<Error><Code>\xc0\xaf</Code></Error>", NULL, NULL, NULL, NULL, NULL },
    { "<Error><Code>\xed\xa0\x80</Code></Error>", NULL, NULL, NULL, NULL,
      NULL },
    { "<Error a=b/>", NULL, NULL, NULL, NULL, NULL },
    { "<Error a=\"1\" a=\"2\"/>", NULL, NULL, NULL, NULL, NULL },
    { "<?xml version=\"1.0\" encoding=\"EBCDIC\"?><Error/>", NULL, NULL, NULL,
      NULL, NULL },

    /* declarations */

    { "<!DOCTYPE Error><Error/>", NULL, NULL, NULL, NULL, NULL },
    { "<!DOCTYPE Error SYSTEM \"file:///etc/passwd\"><Error/>", NULL, NULL,
      NULL, NULL, NULL },
    { "<!DOCTYPE Error PUBLIC \"p\" \"http://h/x.dtd\"><Error/>", NULL, NULL,
      NULL, NULL, NULL },
    { "<!DOCTYPE Error []><Error><Code>a</Code></Error>", NULL, NULL, NULL,
      NULL, NULL },
    { "<!DOCTYPE Error [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>"
      "<Error><Code>&a;</Code></Error>", NULL, NULL, NULL, NULL, NULL },
    { "<!DOCTYPE Error [<!ENTITY a \"b\">]><Error><Code>&a;</Code></Error>",
      NULL, NULL, NULL, NULL, NULL },
    { "<!DOCTYPE Error [<!ENTITY % a SYSTEM \"http://h/\"> %a;]><Error/>",
      NULL, NULL, NULL, NULL, NULL },
    { LOL "<Error><Code>&g;</Code></Error>", NULL, NULL, NULL, NULL, NULL }
};


typedef struct {
    const char             *xml;
    ngx_registry_status_e   rc;
    const char             *entries;      /* "k" or "p", name, line feed */
    unsigned                truncated;
    const char             *token;
} list_case_t;


static const list_case_t  lists[] = {

    /* S3 API, ListObjectsV2 */

    { HEAD LIST "<Name>bkt</Name><Prefix>docker/</Prefix><KeyCount>3"
      "</KeyCount><MaxKeys>1000</MaxKeys><Delimiter>/</Delimiter>"
      "<IsTruncated>false</IsTruncated><Contents><Key>docker/a</Key>"
      "<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;x"
      "&quot;</ETag><Size>1</Size><StorageClass>STANDARD</StorageClass>"
      "</Contents><CommonPrefixes><Prefix>docker/b/</Prefix></CommonPrefixes>"
      "<CommonPrefixes><Prefix>docker/c/</Prefix></CommonPrefixes>" END,
      NGX_REGISTRY_OK, "kdocker/a\npdocker/b/\npdocker/c/\n", 0, "" },
    { LIST MORE "<NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36"
      "Hy4vbOwM=</NextContinuationToken>" KEY END,
      NGX_REGISTRY_OK, "ka\n", 1,
      "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=" },
    { LIST KEY MORE "<NextContinuationToken>&lt;t&amp;</NextContinuationToken>"
      END, NGX_REGISTRY_OK, "ka\n", 1, "<t&" },
    { LIST END, NGX_REGISTRY_OK, "", 0, "" },
    { "<ListBucketResult/>", NGX_REGISTRY_OK, "", 0, "" },
    { "<x:ListBucketResult xmlns:x=\"u\"><x:Contents><x:Key>a</x:Key>"
      "</x:Contents></x:ListBucketResult>", NGX_REGISTRY_OK, "ka\n", 0, "" },
    { "\n" LIST "\n <Contents>\n  <Key>a</Key>\n </Contents>\n" END "\n",
      NGX_REGISTRY_OK, "ka\n", 0, "" },
    { LIST "<CommonPrefixes><Prefix>a/</Prefix><Prefix>b/</Prefix>"
      "</CommonPrefixes>" END, NGX_REGISTRY_OK, "pa/\npb/\n", 0, "" },
    { LIST "<Contents><Size>1</Size><Key>a</Key><Owner><ID>i</ID></Owner>"
      "</Contents>" KEY END, NGX_REGISTRY_OK, "ka\nka\n", 0, "" },
    { LIST "<Contents><Key>a&amp;b<![CDATA[<c>]]>&#xe9;</Key></Contents>" END,
      NGX_REGISTRY_OK, "ka&b<c>\xc3\xa9\n", 0, "" },
    { LIST "<Contents><Key/></Contents>" END, NGX_REGISTRY_OK, "k\n", 0, "" },

    /* a token without more is not asked for */

    { LIST "<NextContinuationToken>t</NextContinuationToken>" KEY END,
      NGX_REGISTRY_OK, "ka\n", 0, "t" },
    { LIST "<ContinuationToken>t</ContinuationToken><IsTruncated>false"
      "</IsTruncated>" END, NGX_REGISTRY_OK, "", 0, "" },

    /* elements of the same names elsewhere */

    { LIST "<Prefix>a/</Prefix><Key>b</Key>" END, NGX_REGISTRY_OK, "", 0,
      "" },
    { LIST "<Contents><Prefix>a/</Prefix></Contents><CommonPrefixes><Key>b"
      "</Key></CommonPrefixes>" END, NGX_REGISTRY_OK, "", 0, "" },
    { LIST "<Other><Key>a</Key><Prefix>b/</Prefix></Other>" END,
      NGX_REGISTRY_OK, "", 0, "" },
    { LIST KEY "<Other><Key>b</Key></Other>" END, NGX_REGISTRY_OK, "ka\n", 0,
      "" },
    { LIST "<Contents><Owner><Key>a</Key></Owner></Contents>" END,
      NGX_REGISTRY_OK, "", 0, "" },
    { LIST "<Contents>" MORE "<EncodingType>url</EncodingType><Key>%41</Key>"
      "</Contents>" END, NGX_REGISTRY_OK, "k%41\n", 0, "" },
    { LIST "<contents><key>a</key></contents>" END, NGX_REGISTRY_OK, "", 0,
      "" },

    /* names are decoded if the answer says so, wherever it does */

    { LIST "<EncodingType>url</EncodingType><Contents><Key>a%2Fb+c%2Bd%25e"
      "</Key></Contents>" END, NGX_REGISTRY_OK, "ka/b c+d%e\n", 0, "" },
    { LIST "<Contents><Key>%c3%A9</Key></Contents><EncodingType>url"
      "</EncodingType>" END, NGX_REGISTRY_OK, "k\xc3\xa9\n", 0, "" },
    { LIST "<CommonPrefixes><Prefix>a%2F</Prefix></CommonPrefixes>"
      "<EncodingType>url</EncodingType>" END, NGX_REGISTRY_OK, "pa/\n", 0,
      "" },
    { LIST "<Contents><Key>a%2Fb+c</Key></Contents>" END, NGX_REGISTRY_OK,
      "ka%2Fb+c\n", 0, "" },
    { LIST "<EncodingType>none</EncodingType><Contents><Key>a%2Fb</Key>"
      "</Contents>" END, NGX_REGISTRY_OK, "ka%2Fb\n", 0, "" },
    { LIST "<EncodingType>url</EncodingType>" MORE "<NextContinuationToken>"
      "a%2Bb+c</NextContinuationToken>" END, NGX_REGISTRY_OK, "", 1,
      "a%2Bb+c" },
    { LIST "<EncodingType>url</EncodingType><Contents><Key>%</Key></Contents>"
      END, NGX_REGISTRY_INVALID, "", 0, "" },
    { LIST "<EncodingType>url</EncodingType><Contents><Key>a%4</Key>"
      "</Contents>" END, NGX_REGISTRY_INVALID, "", 0, "" },
    { LIST "<EncodingType>url</EncodingType><Contents><Key>%4x</Key>"
      "</Contents>" END, NGX_REGISTRY_INVALID, "", 0, "" },
    { LIST "<EncodingType>url</EncodingType>" KEY "<Contents><Key>%x4</Key>"
      "</Contents>" END, NGX_REGISTRY_INVALID, "ka\n", 0, "" },
    { LIST "<EncodingType>url</EncodingType><Contents><Key>aaaa</Key>"
      "</Contents><Contents><Key>%4</Key></Contents>" END,
      NGX_REGISTRY_INVALID, "kaaaa\n", 0, "" },

    /* more, but from where? */

    { LIST MORE KEY END, NGX_REGISTRY_INVALID, "ka\n", 1, "" },
    { LIST MORE "<NextContinuationToken/>" END, NGX_REGISTRY_INVALID, "", 1,
      "" },
    { LIST MORE "<ContinuationToken>t</ContinuationToken>" END,
      NGX_REGISTRY_INVALID, "", 1, "" },
    { LIST MORE "<Contents><NextContinuationToken>t</NextContinuationToken>"
      "</Contents>" END, NGX_REGISTRY_INVALID, "", 1, "" },

    /* a list that is taken for whole hides what follows */

    { LIST "<IsTruncated></IsTruncated>" KEY END, NGX_REGISTRY_OK, "ka\n", 0,
      "" },
    { LIST "<IsTruncated>True</IsTruncated>" END, NGX_REGISTRY_INVALID, "", 0,
      "" },
    { LIST "<IsTruncated>1</IsTruncated>" END, NGX_REGISTRY_INVALID, "", 0,
      "" },
    { LIST "<IsTruncated> true</IsTruncated>" END, NGX_REGISTRY_INVALID, "",
      0, "" },
    { LIST "<IsTruncated>truetrue</IsTruncated>" END, NGX_REGISTRY_INVALID,
      "", 0, "" },
    { LIST "<IsTruncated>tr<a/>ue</IsTruncated>" END, NGX_REGISTRY_INVALID,
      "", 0, "" },
    { LIST "<IsTruncated>true<a/></IsTruncated>" END, NGX_REGISTRY_INVALID,
      "", 0, "" },

    /* a name is not what follows an element within it */

    { LIST "<Contents><Key>a<b/>c</Key></Contents>" END, NGX_REGISTRY_INVALID,
      "", 0, "" },
    { LIST "<Contents><Key><b>a</b></Key></Contents>" END,
      NGX_REGISTRY_INVALID, "", 0, "" },
    { LIST "<CommonPrefixes><Prefix>a<b/></Prefix></CommonPrefixes>" END,
      NGX_REGISTRY_INVALID, "", 0, "" },
    { LIST MORE "<NextContinuationToken>a<b/>c</NextContinuationToken>" END,
      NGX_REGISTRY_INVALID, "", 1, "" },

    /* nothing is handed out of a document that is broken, even at its end */

    { LIST KEY "</ListBucketResul>", NGX_REGISTRY_INVALID, "", 0, "" },
    { LIST KEY, NGX_REGISTRY_INVALID, "", 0, "" },
    { LIST KEY END "x", NGX_REGISTRY_INVALID, "", 0, "" },
    { LIST KEY END LIST END, NGX_REGISTRY_INVALID, "", 0, "" },
    { LIST KEY "&nbsp;" END, NGX_REGISTRY_INVALID, "", 0, "" },
    { LIST KEY "\xff" END, NGX_REGISTRY_INVALID, "", 0, "" },
    { "<!DOCTYPE a>" LIST KEY END, NGX_REGISTRY_INVALID, "", 0, "" },
    { LOL LIST "<Contents><Key>&g;</Key></Contents>" END,
      NGX_REGISTRY_INVALID, "", 0, "" },
    { LIST "<!DOCTYPE a>" KEY END, NGX_REGISTRY_INVALID, "", 0, "" },
    { "<Error><Code>a</Code></Error>", NGX_REGISTRY_INVALID, "", 0, "" },
    { "<ListBucketResults>" KEY "</ListBucketResults>", NGX_REGISTRY_INVALID,
      "", 0, "" },
    { "<ListAllMyBucketsResult>" KEY "</ListAllMyBucketsResult>",
      NGX_REGISTRY_INVALID, "", 0, "" },
    { "<a>" LIST KEY END "</a>", NGX_REGISTRY_INVALID, "", 0, "" },
    { "<Contents/>", NGX_REGISTRY_INVALID, "", 0, "" },
    { "", NGX_REGISTRY_INVALID, "", 0, "" },
    { "<html><head><meta></head></html>", NGX_REGISTRY_INVALID, "", 0, "" }
};


typedef struct {
    size_t    len;
    size_t    count;
    size_t    stop;                       /* after so many entries, or 0 */
    char      text[16384];
} entries_t;


static ngx_registry_status_e
entry(void *data, ngx_registry_s3_entry_e type,
    const ngx_registry_span_t *name)
{
    entries_t *e = data;

    if (e->len + name->len + 2 > sizeof(e->text)) {
        abort();
    }

    e->text[e->len++] = (type == NGX_REGISTRY_S3_KEY) ? 'k' : 'p';
    memcpy(e->text + e->len, name->data, name->len);
    e->len += name->len;
    e->text[e->len++] = '\n';

    return (++e->count == e->stop) ? NGX_REGISTRY_NONE : NGX_REGISTRY_OK;
}


static void
test_error(const error_case_t *c)
{
    u_char                   *p;
    size_t                    i, len, bad;
    ngx_registry_status_e     rc;
    ngx_registry_s3_error_t   e;

    memset(&e, 0xa5, sizeof(ngx_registry_s3_error_t));

    len = strlen(c->xml);
    p = tap_guarded(c->xml, len);

    rc = ngx_registry_s3_error_parse(p, p + len, &e);

    ok(rc == (c->code ? NGX_REGISTRY_OK : NGX_REGISTRY_INVALID), c->xml);

    if (c->code == NULL) {
        return;
    }

    is_bytes(e.code, e.code_len, c->code, strlen(c->code), "Code");
    is_bytes(e.message, e.message_len, c->message, strlen(c->message),
             "Message");
    is_bytes(e.request_id, e.request_id_len, c->request_id,
             strlen(c->request_id), "RequestId");
    is_bytes(e.region, e.region_len, c->region, strlen(c->region), "Region");
    is_bytes(e.endpoint, e.endpoint_len, c->endpoint, strlen(c->endpoint),
             "Endpoint");

    /* what was cut off is missed */

    bad = 0;

    for (i = 0; i < len && c->xml[i] && strcmp(c->xml + i, "\n") != 0; i++) {
        p = tap_guarded(c->xml, i);
        bad += (ngx_registry_s3_error_parse(p, p + i, &e)
                != NGX_REGISTRY_INVALID);
    }

    ok(bad == 0, "its beginnings");
}


static void
test_list(const list_case_t *c)
{
    u_char                  *p;
    size_t                   i, len, bad;
    ngx_registry_status_e    rc;
    ngx_registry_s3_list_t   list;

    static entries_t  e;

    memset(&e, 0, sizeof(entries_t));
    memset(&list, 0xa5, sizeof(ngx_registry_s3_list_t));

    len = strlen(c->xml);
    p = tap_guarded(c->xml, len);

    rc = ngx_registry_s3_list_parse(p, p + len, &list, entry, &e);

    ok(rc == c->rc, c->xml);
    is_bytes(e.text, e.len, c->entries, strlen(c->entries), "the entries");

    if (c->rc != NGX_REGISTRY_OK) {
        return;
    }

    ok(list.truncated == c->truncated, "whether there are more");
    is_bytes(list.token, list.token_len, c->token, strlen(c->token),
             "the token");

    ok(ngx_registry_s3_list_parse(p, p + len, &list, NULL, NULL)
       == NGX_REGISTRY_OK, "without a handler");

    /* the first entry is the last */

    if (e.count) {
        memset(&e, 0, sizeof(entries_t));
        e.stop = 1;

        rc = ngx_registry_s3_list_parse(p, p + len, &list, entry, &e);

        ok(rc == NGX_REGISTRY_STOPPED && e.count == 1, "stopped");
    }

    memset(&e, 0, sizeof(entries_t));
    bad = 0;

    for (i = 0; i < len && strcmp(c->xml + i, "\n") != 0; i++) {
        p = tap_guarded(c->xml, i);
        rc = ngx_registry_s3_list_parse(p, p + i, &list, entry, &e);
        bad += (rc != NGX_REGISTRY_INVALID);
    }

    ok(bad == 0 && e.count == 0, "its beginnings");
}


/*
 * UTF-16, which expat has to know.
 */
static void
test_utf16(void)
{
    u_char                    text[128];
    size_t                    i, n;
    ngx_registry_s3_error_t   e;

    static const char  xml[] = "<Error><Code>a</Code></Error>";

    n = 0;
    text[n++] = 0xfe;
    text[n++] = 0xff;

    for (i = 0; i < sizeof(xml) - 1; i++) {
        text[n++] = 0;
        text[n++] = (u_char) xml[i];
    }

    ok(ngx_registry_s3_error_parse(text, text + n, &e) == NGX_REGISTRY_OK,
       "UTF-16");
    is_bytes(e.code, e.code_len, "a", 1, "UTF-16, Code");
    ok(ngx_registry_s3_error_parse(text, text + n - 1, &e)
       == NGX_REGISTRY_INVALID, "UTF-16, half a character");
}


static const struct {
    const char             *open;
    const char             *close;
    size_t                  len;          /* of the text between them */
    ngx_registry_status_e   rc;
} sizes[] = {
    { LIST "<Contents><Key>", "</Key></Contents>" END, 1024,
      NGX_REGISTRY_OK },
    { LIST "<Contents><Key>", "</Key></Contents>" END, 4096,
      NGX_REGISTRY_OK },
    { LIST "<Contents><Key>", "</Key></Contents>" END, 4097,
      NGX_REGISTRY_INVALID },
    { LIST "<Contents><Key>", "</Key></Contents>" END, 200000,
      NGX_REGISTRY_INVALID },
    { LIST "<CommonPrefixes><Prefix>", "</Prefix></CommonPrefixes>" END, 4097,
      NGX_REGISTRY_INVALID },
    { LIST MORE "<NextContinuationToken>", "</NextContinuationToken>" END,
      2048, NGX_REGISTRY_OK },
    { LIST MORE "<NextContinuationToken>", "</NextContinuationToken>" END,
      2049, NGX_REGISTRY_INVALID },
    { LIST MORE "<NextContinuationToken>", "</NextContinuationToken>" END,
      200000, NGX_REGISTRY_INVALID },

    /* nobody reads these */

    { LIST "<Other>", "</Other>" KEY END, 200000, NGX_REGISTRY_OK },
    { LIST "<!--", "-->" KEY END, 200000, NGX_REGISTRY_OK },
    { LIST "<Contents><ETag>", "</ETag><Key>a</Key></Contents>" END, 5000,
      NGX_REGISTRY_OK },

    /* not a token, nor a key, of an element that is too long */

    { LIST "<Other>", "</Other>" END, 4096, NGX_REGISTRY_OK },
    { LIST "<Other x=\"", "\"/>" KEY END, 200000, NGX_REGISTRY_OK },
    { LIST "<", "/>" END, 200000, NGX_REGISTRY_OK }
};


static void
test_sizes(size_t i)
{
    char                    *text, name[200];
    size_t                   n, len, open;
    ngx_registry_s3_list_t   list;

    open = strlen(sizes[i].open);
    len = open + sizes[i].len + strlen(sizes[i].close);

    text = (char *) tap_guarded(NULL, len);

    memcpy(text, sizes[i].open, open);
    memset(text + open, 'x', sizes[i].len);
    memcpy(text + open + sizes[i].len, sizes[i].close,
           strlen(sizes[i].close));

    (void) snprintf(name, sizeof(name), "%s... %u", sizes[i].open,
                    (unsigned) sizes[i].len);

    ok(ngx_registry_s3_list_parse((u_char *) text, (u_char *) text + len,
                                  &list, NULL, NULL)
       == sizes[i].rc, name);

    if (list.truncated && sizes[i].rc == NGX_REGISTRY_OK) {

        for (n = 0; n < list.token_len && list.token[n] == 'x'; n++) {
            /* void */
        }

        ok(n == sizes[i].len, "all of the token");
    }
}


/*
 * Texts of errors are cut at the size of their fields.
 */
static void
test_cut(void)
{
    char                     *text;
    size_t                    i, n, len;
    ngx_registry_s3_error_t   e;

    static const size_t  lens[] = { 1, 63, 64, 65, 255, 256, 257, 511, 512,
                                    513, 4096, 4097, 20000 };

    static const char  *const names[] = { "Code", "Message", "RequestId",
                                          "Region", "Endpoint" };

    text = malloc(200000);
    if (text == NULL) {
        abort();
    }

    for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        len = (size_t) sprintf(text, "<Error>");

        for (n = 0; n < 5; n++) {
            len += (size_t) sprintf(text + len, "<%s>", names[n]);
            memset(text + len, (int) ('a' + n), lens[i]);
            len += lens[i];
            len += (size_t) sprintf(text + len, "</%s>", names[n]);
        }

        len += (size_t) sprintf(text + len, "</Error>");

        memset(&e, 0xa5, sizeof(ngx_registry_s3_error_t));

        n = lens[i];

        ok(ngx_registry_s3_error_parse((u_char *) text, (u_char *) text + len,
                                       &e)
           == NGX_REGISTRY_OK, "a long text");

        ok(e.code_len == (n < 64 ? n : 64) && e.code[e.code_len - 1] == 'a',
           "Code is cut");
        ok(e.message_len == (n < 512 ? n : 512)
           && e.message[e.message_len - 1] == 'b', "Message is cut");
        ok(e.request_id_len == (n < 64 ? n : 64)
           && e.request_id[e.request_id_len - 1] == 'c', "RequestId is cut");
        ok(e.region_len == (n < 64 ? n : 64)
           && e.region[e.region_len - 1] == 'd', "Region is cut");
        ok(e.endpoint_len == (n < 256 ? n : 256)
           && e.endpoint[e.endpoint_len - 1] == 'e', "Endpoint is cut");
    }

    free(text);
}


/*
 * Elements within elements: 16 are enough for all that S3 sends.
 */
static void
test_depth(void)
{
    char                      text[512], name[32];
    size_t                    n, i, len;
    ngx_registry_status_e     rc;
    ngx_registry_s3_list_t    list;
    ngx_registry_s3_error_t   e;

    for (n = 15; n <= 17; n++) {
        len = (size_t) sprintf(text, "<Error>");

        for (i = 1; i < n; i++) {
            len += (size_t) sprintf(text + len, "<a>");
        }

        for (i = 1; i < n; i++) {
            len += (size_t) sprintf(text + len, "</a>");
        }

        len += (size_t) sprintf(text + len, "<Code>a</Code></Error>");

        rc = ngx_registry_s3_error_parse((u_char *) text,
                                         (u_char *) text + len, &e);

        (void) snprintf(name, sizeof(name), "%u elements", (unsigned) n);

        ok(rc == (n <= 16 ? NGX_REGISTRY_OK : NGX_REGISTRY_INVALID), name);
    }

    len = (size_t) sprintf(text, LIST "<a><a><a><a><a><a><a><a><a><a><a><a>"
                           "<a><a><a><a><a/>");

    ok(ngx_registry_s3_list_parse((u_char *) text, (u_char *) text + len,
                                  &list, NULL, NULL)
       == NGX_REGISTRY_INVALID, "too deep, in a list");
}


/*
 * A page as long as they get: entries come in order, and a handler that has
 * enough is not called again.
 */
static void
test_page(void)
{
    char                    *text;
    size_t                   i, len;
    ngx_registry_status_e    rc;
    ngx_registry_s3_list_t   list;

    static entries_t  e, want;

    text = malloc(200000);
    if (text == NULL) {
        abort();
    }

    memset(&want, 0, sizeof(entries_t));
    len = (size_t) sprintf(text, LIST);

    for (i = 0; i < 1000; i++) {
        len += (size_t) sprintf(text + len,
                                "<Contents><Key>tags/%u</Key></Contents>",
                                (unsigned) i);
        want.len += (size_t) sprintf(want.text + want.len, "ktags/%u\n",
                                     (unsigned) i);
    }

    len += (size_t) sprintf(text + len, END);

    memset(&e, 0, sizeof(entries_t));
    rc = ngx_registry_s3_list_parse((u_char *) text, (u_char *) text + len,
                                    &list, entry, &e);

    ok(rc == NGX_REGISTRY_OK && e.count == 1000, "a thousand keys");
    is_bytes(e.text, e.len, want.text, want.len, "a thousand keys in order");

    for (i = 1; i <= 1000; i += 333) {
        memset(&e, 0, sizeof(entries_t));
        e.stop = i;
        rc = ngx_registry_s3_list_parse((u_char *) text,
                                        (u_char *) text + len, &list, entry,
                                        &e);

        ok(rc == NGX_REGISTRY_STOPPED && e.count == i, "enough");
    }

    free(text);
}


/* S3 API, CreateMultipartUpload and ListMultipartUploads */

typedef struct {
    const char  *xml;
    const char  *id;                 /* NULL: INVALID */
} upload_case_t;


#define INIT  "<InitiateMultipartUploadResult" NS ">"
#define INITE "</InitiateMultipartUploadResult>"

static const upload_case_t  uploads[] = {
    { HEAD INIT "<Bucket>b</Bucket><Key>k</Key><UploadId>VXBsb2FkIElE.._-"
      "</UploadId>" INITE, "VXBsb2FkIElE.._-" },
    { INIT "<UploadId>a&amp;b</UploadId>" INITE, "a&b" },
    { INIT "<UploadId></UploadId>" INITE, NULL },
    { INIT INITE, NULL },
    { INIT "<A><UploadId>a</UploadId></A>" INITE, NULL },
    { INIT "<UploadId>a<b/></UploadId>" INITE, NULL },
    { INIT "<UploadId>a</UploadId>", NULL },
    { "<Error><UploadId>a</UploadId></Error>", NULL },
    { "<!DOCTYPE a>" INIT "<UploadId>a</UploadId>" INITE, NULL },
    { "", NULL }
};


typedef struct {
    const char             *xml;
    ngx_registry_status_e   rc;
    const char             *want;    /* "key id time" and a line feed */
} begun_case_t;


#define UPS  "<ListMultipartUploadsResult" NS ">"
#define UPE  "</ListMultipartUploadsResult>"
#define UP(key, id, time)                                                     \
    "<Upload><Key>" key "</Key><UploadId>" id "</UploadId><Initiator><ID>i"  \
    "</ID><DisplayName>n</DisplayName></Initiator><StorageClass>STANDARD"     \
    "</StorageClass><Initiated>" time "</Initiated></Upload>"

static const begun_case_t  begun[] = {
    { HEAD UPS "<Bucket>b</Bucket><KeyMarker/><MaxUploads>1000</MaxUploads>"
      "<IsTruncated>false</IsTruncated>"
      UP("docker/a", "one", "2024-11-05T10:11:12.000Z")
      UP("docker/b", "two", "1970-01-01T00:00:01Z") UPE, NGX_REGISTRY_OK,
      "docker/a one 1730801472\ndocker/b two 1\n" },
    { UPS UPE, NGX_REGISTRY_OK, "" },
    { UPS "<Key>k</Key><UploadId>i</UploadId>" UPE, NGX_REGISTRY_OK, "" },
    { UPS "<Upload><Key>k</Key></Upload>" UPE, NGX_REGISTRY_OK, "" },
    { UPS "<Upload><UploadId>i</UploadId></Upload>" UP("k", "i",
      "2024-02-29T23:59:60.1Z") UPE, NGX_REGISTRY_OK, "k i 1709251200\n" },

    { UPS UP("k", "i", "2000-03-01T00:00:00Z") UP("k", "j",
      "2100-02-28T00:00:00Z") UP("k", "l", "2100-03-01T00:00:00Z")
      UP("k", "m", "2023-12-31T12:34:56.789Z") UP("k", "n",
      "2024-01-01T00:00:00Z") UPE, NGX_REGISTRY_OK,
      "k i 951868800\nk j 4107456000\nk l 4107542400\nk m 1704026096\n"
      "k n 1704067200\n" },

    /* a time that is none is none, not some other one */

    { UPS UP("k", "i", "") UPE, NGX_REGISTRY_OK, "k i 0\n" },
    { UPS UP("k", "i", "2024-11-05") UPE, NGX_REGISTRY_OK, "k i 0\n" },
    { UPS UP("k", "i", "2024-11-05T10:11:12+01:00") UPE, NGX_REGISTRY_OK,
      "k i 0\n" },
    { UPS UP("k", "i", "2024-13-05T10:11:12.000Z") UPE, NGX_REGISTRY_OK,
      "k i 0\n" },
    { UPS UP("k", "i", "20x4-11-05T10:11:12.000Z") UPE, NGX_REGISTRY_OK,
      "k i 0\n" },
    { UPS UP("k", "i", "2024-11-05T24:11:12.000Z") UPE, NGX_REGISTRY_OK,
      "k i 0\n" },
    { UPS UP("k", "i", "1969-12-31T23:59:59.000Z") UPE, NGX_REGISTRY_OK,
      "k i 0\n" },

    { UPS UP("k<a/>", "i", "2024-11-05T10:11:12Z") UPE, NGX_REGISTRY_INVALID,
      "" },
    { UPS UP("k", "i<a/>", "2024-11-05T10:11:12Z") UPE, NGX_REGISTRY_INVALID,
      "" },
    { UPS "<Upload><Key>k", NGX_REGISTRY_INVALID, "" },
    { "<ListBucketResult/>", NGX_REGISTRY_INVALID, "" },
    { LOL UPS UPE, NGX_REGISTRY_INVALID, "" },
    { "", NGX_REGISTRY_INVALID, "" }
};


static ngx_registry_status_e
take_begun(void *data, const ngx_registry_s3_begun_t *b)
{
    entries_t *e = data;

    e->len += (size_t) sprintf(e->text + e->len, "%.*s %.*s %ld\n",
                               (int) b->key.len, (const char *) b->key.data,
                               (int) b->id.len, (const char *) b->id.data,
                               (long) b->initiated);

    return (++e->count == e->stop) ? NGX_REGISTRY_INVALID : NGX_REGISTRY_OK;
}


static void
test_uploads(void)
{
    size_t                     i, len;
    u_char                    *p;
    entries_t                  e;
    ngx_registry_status_e      rc;
    ngx_registry_s3_upload_t   upload;

    for (i = 0; i < sizeof(uploads) / sizeof(uploads[0]); i++) {
        len = strlen(uploads[i].xml);
        p = tap_guarded(uploads[i].xml, len);
        rc = ngx_registry_s3_upload_parse(p, p + len, &upload);

        if (uploads[i].id == NULL) {
            ok(rc == NGX_REGISTRY_INVALID, uploads[i].xml);
            continue;
        }

        ok(rc == NGX_REGISTRY_OK, uploads[i].xml);
        is_bytes(upload.id, upload.len, uploads[i].id,
                 strlen(uploads[i].id), "its identifier");
    }

    for (i = 0; i < sizeof(begun) / sizeof(begun[0]); i++) {
        len = strlen(begun[i].xml);
        p = tap_guarded(begun[i].xml, len);

        memset(&e, 0, sizeof(entries_t));
        rc = ngx_registry_s3_uploads_parse(p, p + len, take_begun, &e);

        ok(rc == begun[i].rc, begun[i].xml);
        is_bytes(e.text, e.len, begun[i].want, strlen(begun[i].want),
                 begun[i].xml);
    }

    len = strlen(begun[0].xml);
    p = tap_guarded(begun[0].xml, len);

    memset(&e, 0, sizeof(entries_t));
    e.stop = 1;
    rc = ngx_registry_s3_uploads_parse(p, p + len, take_begun, &e);

    ok(rc == NGX_REGISTRY_STOPPED && e.count == 1, "enough");
}


static void
test_upload_sizes(void)
{
    char                      *text;
    size_t                     n, len;
    ngx_registry_s3_upload_t   upload;

    text = malloc(8192);

    for (n = 2047; n <= 2049; n++) {
        len = (size_t) sprintf(text, INIT "<UploadId>");
        memset(text + len, 'u', n);
        len += n;
        len += (size_t) sprintf(text + len, "</UploadId>" INITE);

        ok((ngx_registry_s3_upload_parse((u_char *) text,
                                         (u_char *) text + len, &upload)
            == NGX_REGISTRY_OK) == (n <= 2048), "half of an id is none");
    }

    free(text);
}


int
main(void)
{
    size_t                    i;
    ngx_registry_s3_list_t    list;
    ngx_registry_s3_error_t   e;

    for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        test_error(&errors[i]);
    }

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        test_list(&lists[i]);
    }

    ok(ngx_registry_s3_error_parse(NULL, NULL, &e) == NGX_REGISTRY_INVALID,
       "no error");
    ok(ngx_registry_s3_list_parse(NULL, NULL, &list, NULL, NULL)
       == NGX_REGISTRY_INVALID, "no list");

    test_utf16();

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        test_sizes(i);
    }

    test_cut();
    test_depth();
    test_page();
    test_uploads();
    test_upload_sizes();

    return done_testing();
}
