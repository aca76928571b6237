
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_s3_xml.h"

#include <expat.h>


#define NGX_REGISTRY_S3_TEXT_SIZE   4096
#define NGX_REGISTRY_S3_DEPTH       16


/* an element Upload, and who takes it */

typedef struct {
    ngx_registry_s3_begun_pt  handler;
    size_t                    key_len;
    u_char                    key[1024];
    size_t                    id_len;
    u_char                    id[2048];
    int64_t                   initiated;
} ngx_registry_s3_uploads_t;


typedef struct {
    XML_Parser                  parser;

    unsigned                    depth;
    unsigned                    root:1;         /* is what was expected */
    unsigned                    failed:1;
    unsigned                    stopped:1;
    unsigned                    url:1;          /* EncodingType */
    unsigned                    contents:1;     /* inside Contents */
    unsigned                    prefixes:1;     /* inside CommonPrefixes */
    unsigned                    begun:1;        /* inside Upload */
    unsigned                    overflow:1;
    unsigned                    child:1;        /* the element has elements */

    size_t                      len;
    u_char                      text[NGX_REGISTRY_S3_TEXT_SIZE];

    ngx_registry_s3_error_t    *error;
    ngx_registry_s3_upload_t   *upload;
    ngx_registry_s3_uploads_t  *uploads;
    ngx_registry_s3_list_t     *list;
    ngx_registry_s3_entry_pt    handler;
    void                       *data;
} ngx_registry_s3_xml_t;


static ngx_registry_status_e ngx_registry_s3_xml_run(
    ngx_registry_s3_xml_t *xml, const u_char *p, const u_char *last,
    XML_StartElementHandler start, XML_EndElementHandler end);
static void ngx_registry_s3_xml_fail(ngx_registry_s3_xml_t *xml);
static void XMLCALL ngx_registry_s3_xml_text(void *data, const XML_Char *s,
    int len);
static void XMLCALL ngx_registry_s3_xml_doctype(void *data,
    const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid,
    int internal);
static const char *ngx_registry_s3_xml_local(const XML_Char *name);
static void ngx_registry_s3_xml_open(ngx_registry_s3_xml_t *xml,
    const char *name, const char *root);
static void ngx_registry_s3_xml_close(ngx_registry_s3_xml_t *xml);
static void XMLCALL ngx_registry_s3_error_start(void *data,
    const XML_Char *name, const XML_Char **atts);
static void XMLCALL ngx_registry_s3_error_end(void *data,
    const XML_Char *name);
static void ngx_registry_s3_error_copy(ngx_registry_s3_xml_t *xml,
    u_char *dst, size_t *len, size_t size);
static void XMLCALL ngx_registry_s3_upload_start(void *data,
    const XML_Char *name, const XML_Char **atts);
static void XMLCALL ngx_registry_s3_upload_end(void *data,
    const XML_Char *name);
static void XMLCALL ngx_registry_s3_uploads_start(void *data,
    const XML_Char *name, const XML_Char **atts);
static void XMLCALL ngx_registry_s3_uploads_end(void *data,
    const XML_Char *name);
static void ngx_registry_s3_uploads_field(ngx_registry_s3_xml_t *xml,
    const char *name);
static int ngx_registry_s3_xml_keep(ngx_registry_s3_xml_t *xml, u_char *dst,
    size_t *len, size_t size);
static int64_t ngx_registry_s3_xml_time(ngx_registry_s3_xml_t *xml);
static int ngx_registry_s3_xml_number(const u_char *p, size_t n);
static void XMLCALL ngx_registry_s3_list_start(void *data,
    const XML_Char *name, const XML_Char **atts);
static void XMLCALL ngx_registry_s3_list_end(void *data,
    const XML_Char *name);
static void ngx_registry_s3_list_top(ngx_registry_s3_xml_t *xml,
    const char *name);
static void ngx_registry_s3_list_entry(ngx_registry_s3_xml_t *xml,
    ngx_registry_s3_entry_e type);
static void XMLCALL ngx_registry_s3_encoding_end(void *data,
    const XML_Char *name);
static int ngx_registry_s3_xml_decode(ngx_registry_s3_xml_t *xml);
static int ngx_registry_s3_xml_hex(u_char ch);


ngx_registry_status_e
ngx_registry_s3_error_parse(const u_char *p, const u_char *last,
    ngx_registry_s3_error_t *e)
{
    ngx_registry_s3_xml_t  xml;

    memset(e, 0, sizeof(ngx_registry_s3_error_t));
    memset(&xml, 0, sizeof(ngx_registry_s3_xml_t));
    xml.error = e;

    return ngx_registry_s3_xml_run(&xml, p, last, ngx_registry_s3_error_start,
                                   ngx_registry_s3_error_end);
}


ngx_registry_status_e
ngx_registry_s3_upload_parse(const u_char *p, const u_char *last,
    ngx_registry_s3_upload_t *upload)
{
    ngx_registry_s3_xml_t  xml;
    ngx_registry_status_e  rc;

    upload->len = 0;

    memset(&xml, 0, sizeof(ngx_registry_s3_xml_t));
    xml.upload = upload;

    rc = ngx_registry_s3_xml_run(&xml, p, last, ngx_registry_s3_upload_start,
                                 ngx_registry_s3_upload_end);

    return (rc == NGX_REGISTRY_OK && upload->len == 0) ? NGX_REGISTRY_INVALID
                                                       : rc;
}


ngx_registry_status_e
ngx_registry_s3_uploads_parse(const u_char *p, const u_char *last,
    ngx_registry_s3_begun_pt handler, void *data)
{
    ngx_registry_s3_xml_t      xml;
    ngx_registry_s3_uploads_t  uploads;

    memset(&uploads, 0, sizeof(ngx_registry_s3_uploads_t));
    uploads.handler = handler;

    memset(&xml, 0, sizeof(ngx_registry_s3_xml_t));
    xml.uploads = &uploads;
    xml.data = data;

    return ngx_registry_s3_xml_run(&xml, p, last,
                                   ngx_registry_s3_uploads_start,
                                   ngx_registry_s3_uploads_end);
}


ngx_registry_status_e
ngx_registry_s3_list_parse(const u_char *p, const u_char *last,
    ngx_registry_s3_list_t *list, ngx_registry_s3_entry_pt handler,
    void *data)
{
    unsigned                url;
    ngx_registry_s3_xml_t   xml;
    ngx_registry_status_e   rc;

    list->truncated = 0;
    list->token_len = 0;

    /*
     * EncodingType may follow the names that it is about: a first pass looks
     * for it, and for what makes the document useless
     */

    memset(&xml, 0, sizeof(ngx_registry_s3_xml_t));

    rc = ngx_registry_s3_xml_run(&xml, p, last, ngx_registry_s3_list_start,
                                 ngx_registry_s3_encoding_end);
    if (rc != NGX_REGISTRY_OK) {
        return rc;
    }

    url = xml.url;

    memset(&xml, 0, sizeof(ngx_registry_s3_xml_t));
    xml.url = url & 1;
    xml.list = list;
    xml.handler = handler;
    xml.data = data;

    rc = ngx_registry_s3_xml_run(&xml, p, last, ngx_registry_s3_list_start,
                                 ngx_registry_s3_list_end);

    if (rc == NGX_REGISTRY_OK && list->truncated && list->token_len == 0) {
        /* a client would ask for the first page again and again */
        return NGX_REGISTRY_INVALID;
    }

    return rc;
}


static ngx_registry_status_e
ngx_registry_s3_xml_run(ngx_registry_s3_xml_t *xml, const u_char *p,
    const u_char *last, XML_StartElementHandler start,
    XML_EndElementHandler end)
{
    enum XML_Status  status;

    if (last - p > INT32_MAX) {
        return NGX_REGISTRY_INVALID;
    }

    xml->parser = XML_ParserCreate(NULL);
    if (xml->parser == NULL) {
        return NGX_REGISTRY_NO_MEMORY;
    }

    XML_SetUserData(xml->parser, xml);
    XML_SetElementHandler(xml->parser, start, end);
    XML_SetCharacterDataHandler(xml->parser, ngx_registry_s3_xml_text);
    XML_SetStartDoctypeDeclHandler(xml->parser, ngx_registry_s3_xml_doctype);

    status = XML_Parse(xml->parser, (const char *) p, (int) (last - p), 1);

    if (status == XML_STATUS_ERROR && !xml->stopped
        && XML_GetErrorCode(xml->parser) == XML_ERROR_NO_MEMORY)
    {
        XML_ParserFree(xml->parser);
        return NGX_REGISTRY_NO_MEMORY;
    }

    XML_ParserFree(xml->parser);

    if (xml->stopped) {
        return NGX_REGISTRY_STOPPED;
    }

    return (status == XML_STATUS_OK && xml->root && !xml->failed)
           ? NGX_REGISTRY_OK : NGX_REGISTRY_INVALID;
}


static void
ngx_registry_s3_xml_fail(ngx_registry_s3_xml_t *xml)
{
    xml->failed = 1;
    (void) XML_StopParser(xml->parser, XML_FALSE);
}


static void XMLCALL
ngx_registry_s3_xml_text(void *data, const XML_Char *s, int len)
{
    ngx_registry_s3_xml_t *xml = data;

    size_t  n;

    n = (size_t) len;

    if (n > sizeof(xml->text) - xml->len) {
        n = sizeof(xml->text) - xml->len;
        xml->overflow = 1;
    }

    memcpy(xml->text + xml->len, s, n);
    xml->len += n;
}


static void XMLCALL
ngx_registry_s3_xml_doctype(void *data, const XML_Char *name,
    const XML_Char *sysid, const XML_Char *pubid, int internal)
{
    (void) name;
    (void) sysid;
    (void) pubid;
    (void) internal;

    /* S3 sends none; entities are declared in it */

    ngx_registry_s3_xml_fail(data);
}


static const char *
ngx_registry_s3_xml_local(const XML_Char *name)
{
    const char  *colon;

    colon = strrchr(name, ':');

    return colon ? colon + 1 : name;
}


static void
ngx_registry_s3_xml_open(ngx_registry_s3_xml_t *xml, const char *name,
    const char *root)
{
    xml->len = 0;
    xml->overflow = 0;
    xml->child = 0;

    if (xml->depth == 0) {

        if (strcmp(name, root) != 0) {
            ngx_registry_s3_xml_fail(xml);
            return;
        }

        xml->root = 1;
    }

    if (++xml->depth > NGX_REGISTRY_S3_DEPTH) {
        ngx_registry_s3_xml_fail(xml);
    }
}


static void
ngx_registry_s3_xml_close(ngx_registry_s3_xml_t *xml)
{
    xml->depth--;
    xml->len = 0;
    xml->child = 1;
}


static void XMLCALL
ngx_registry_s3_error_start(void *data, const XML_Char *name,
    const XML_Char **atts)
{
    (void) atts;

    ngx_registry_s3_xml_open(data, ngx_registry_s3_xml_local(name), "Error");
}


static void XMLCALL
ngx_registry_s3_error_end(void *data, const XML_Char *name)
{
    ngx_registry_s3_xml_t *xml = data;

    const char               *local;
    ngx_registry_s3_error_t  *e;

    e = xml->error;
    local = ngx_registry_s3_xml_local(name);

    if (xml->depth == 2 && !xml->child) {

        if (strcmp(local, "Code") == 0) {
            ngx_registry_s3_error_copy(xml, e->code, &e->code_len,
                                       sizeof(e->code));

        } else if (strcmp(local, "Message") == 0) {
            ngx_registry_s3_error_copy(xml, e->message, &e->message_len,
                                       sizeof(e->message));

        } else if (strcmp(local, "RequestId") == 0) {
            ngx_registry_s3_error_copy(xml, e->request_id, &e->request_id_len,
                                       sizeof(e->request_id));

        } else if (strcmp(local, "Region") == 0) {
            ngx_registry_s3_error_copy(xml, e->region, &e->region_len,
                                       sizeof(e->region));

        } else if (strcmp(local, "Endpoint") == 0) {
            ngx_registry_s3_error_copy(xml, e->endpoint, &e->endpoint_len,
                                       sizeof(e->endpoint));
        }
    }

    ngx_registry_s3_xml_close(xml);
}


static void
ngx_registry_s3_error_copy(ngx_registry_s3_xml_t *xml, u_char *dst,
    size_t *len, size_t size)
{
    *len = (xml->len < size) ? xml->len : size;

    memcpy(dst, xml->text, *len);
}


static void XMLCALL
ngx_registry_s3_upload_start(void *data, const XML_Char *name,
    const XML_Char **atts)
{
    (void) atts;

    ngx_registry_s3_xml_open(data, ngx_registry_s3_xml_local(name),
                             "InitiateMultipartUploadResult");
}


static void XMLCALL
ngx_registry_s3_upload_end(void *data, const XML_Char *name)
{
    ngx_registry_s3_xml_t *xml = data;

    if (xml->depth == 2
        && strcmp(ngx_registry_s3_xml_local(name), "UploadId") == 0)
    {
        /* half of an identifier is none */

        if (!ngx_registry_s3_xml_keep(xml, xml->upload->id,
                                      &xml->upload->len,
                                      sizeof(xml->upload->id)))
        {
            ngx_registry_s3_xml_fail(xml);
            return;
        }
    }

    ngx_registry_s3_xml_close(xml);
}


static void XMLCALL
ngx_registry_s3_uploads_start(void *data, const XML_Char *name,
    const XML_Char **atts)
{
    ngx_registry_s3_xml_t *xml = data;

    const char  *local;

    (void) atts;

    local = ngx_registry_s3_xml_local(name);

    ngx_registry_s3_xml_open(xml, local, "ListMultipartUploadsResult");

    if (xml->depth == 2) {
        xml->begun = (strcmp(local, "Upload") == 0);
        xml->uploads->key_len = 0;
        xml->uploads->id_len = 0;
        xml->uploads->initiated = 0;
    }
}


static void XMLCALL
ngx_registry_s3_uploads_end(void *data, const XML_Char *name)
{
    ngx_registry_s3_xml_t *xml = data;

    ngx_registry_s3_begun_t     begun;
    ngx_registry_s3_uploads_t  *u;

    u = xml->uploads;

    if (xml->depth == 3 && xml->begun) {
        ngx_registry_s3_uploads_field(xml, ngx_registry_s3_xml_local(name));

    } else if (xml->depth == 2 && xml->begun && u->key_len && u->id_len) {

        begun.key.data = u->key;
        begun.key.len = u->key_len;
        begun.id.data = u->id;
        begun.id.len = u->id_len;
        begun.initiated = u->initiated;

        if (u->handler(xml->data, &begun) != NGX_REGISTRY_OK) {
            xml->stopped = 1;
            (void) XML_StopParser(xml->parser, XML_FALSE);
        }
    }

    ngx_registry_s3_xml_close(xml);
}


static void
ngx_registry_s3_uploads_field(ngx_registry_s3_xml_t *xml, const char *name)
{
    ngx_registry_s3_uploads_t  *u;

    u = xml->uploads;

    if ((strcmp(name, "Key") == 0
         && !ngx_registry_s3_xml_keep(xml, u->key, &u->key_len,
                                      sizeof(u->key)))
        || (strcmp(name, "UploadId") == 0
            && !ngx_registry_s3_xml_keep(xml, u->id, &u->id_len,
                                         sizeof(u->id))))
    {
        ngx_registry_s3_xml_fail(xml);
        return;
    }

    if (strcmp(name, "Initiated") == 0) {
        u->initiated = ngx_registry_s3_xml_time(xml);
    }
}


static int
ngx_registry_s3_xml_keep(ngx_registry_s3_xml_t *xml, u_char *dst,
    size_t *len, size_t size)
{
    /* a part of it would be something else */

    if (xml->child || xml->overflow || xml->len > size) {
        return 0;
    }

    memcpy(dst, xml->text, xml->len);
    *len = xml->len;

    return 1;
}


static int64_t
ngx_registry_s3_xml_time(ngx_registry_s3_xml_t *xml)
{
    int      year, month, day, hour, min, sec, era;
    u_char  *p;
    int64_t  days;

    /* ISO 8601 in UTC, "2024-11-05T10:11:12.000Z"; fractions do not matter */

    p = xml->text;

    if (xml->child || xml->len < sizeof("2024-11-05T10:11:12Z") - 1
        || p[4] != '-' || p[7] != '-' || p[10] != 'T' || p[13] != ':'
        || p[16] != ':' || p[xml->len - 1] != 'Z')
    {
        return 0;
    }

    year = ngx_registry_s3_xml_number(p, 4);
    month = ngx_registry_s3_xml_number(p + 5, 2);
    day = ngx_registry_s3_xml_number(p + 8, 2);
    hour = ngx_registry_s3_xml_number(p + 11, 2);
    min = ngx_registry_s3_xml_number(p + 14, 2);
    sec = ngx_registry_s3_xml_number(p + 17, 2);

    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31
        || hour < 0 || hour > 23 || min < 0 || min > 59 || sec < 0
        || sec > 60)
    {
        return 0;
    }

    /* years that begin in March: the day that may be missing is the last */

    if (month < 3) {
        year--;
        month += 12;
    }

    era = year / 100;
    days = (int64_t) year * 365 + year / 4 - era + era / 4
           + (153 * (month - 3) + 2) / 5 + day - 1;

    /* of 1970-01-01 */

    days -= 719468;

    return ((days * 24 + hour) * 60 + min) * 60 + sec;
}


static int
ngx_registry_s3_xml_number(const u_char *p, size_t n)
{
    int  value;

    for (value = 0; n; n--, p++) {

        if (*p < '0' || *p > '9') {
            return -1;
        }

        value = value * 10 + (*p - '0');
    }

    return value;
}


static void XMLCALL
ngx_registry_s3_list_start(void *data, const XML_Char *name,
    const XML_Char **atts)
{
    ngx_registry_s3_xml_t *xml = data;

    const char  *local;

    (void) atts;

    local = ngx_registry_s3_xml_local(name);

    ngx_registry_s3_xml_open(xml, local, "ListBucketResult");

    if (xml->depth == 2) {
        xml->contents = (strcmp(local, "Contents") == 0);
        xml->prefixes = (strcmp(local, "CommonPrefixes") == 0);
    }
}


static void XMLCALL
ngx_registry_s3_encoding_end(void *data, const XML_Char *name)
{
    ngx_registry_s3_xml_t *xml = data;

    if (xml->depth == 2
        && strcmp(ngx_registry_s3_xml_local(name), "EncodingType") == 0
        && xml->len == 3 && memcmp(xml->text, "url", 3) == 0)
    {
        xml->url = 1;
    }

    ngx_registry_s3_xml_close(xml);
}


static void XMLCALL
ngx_registry_s3_list_end(void *data, const XML_Char *name)
{
    ngx_registry_s3_xml_t *xml = data;

    const char  *local;

    local = ngx_registry_s3_xml_local(name);

    if (xml->depth == 2) {
        ngx_registry_s3_list_top(xml, local);

    } else if (xml->depth == 3) {

        if (xml->contents && strcmp(local, "Key") == 0) {
            ngx_registry_s3_list_entry(xml, NGX_REGISTRY_S3_KEY);

        } else if (xml->prefixes && strcmp(local, "Prefix") == 0) {
            ngx_registry_s3_list_entry(xml, NGX_REGISTRY_S3_PREFIX);
        }
    }

    ngx_registry_s3_xml_close(xml);
}


static void
ngx_registry_s3_list_top(ngx_registry_s3_xml_t *xml, const char *name)
{
    ngx_registry_s3_list_t  *list;

    list = xml->list;

    if (strcmp(name, "IsTruncated") == 0) {
        list->truncated = (xml->len == 4
                           && memcmp(xml->text, "true", 4) == 0);

        /* what is not understood would hide the rest of the list */

        if (xml->child
            || (xml->len && !list->truncated
                && (xml->len != 5 || memcmp(xml->text, "false", 5) != 0)))
        {
            ngx_registry_s3_xml_fail(xml);
        }

    } else if (strcmp(name, "NextContinuationToken") == 0) {

        if (xml->overflow || xml->child || xml->len > sizeof(list->token)) {
            ngx_registry_s3_xml_fail(xml);
            return;
        }

        memcpy(list->token, xml->text, xml->len);
        list->token_len = xml->len;
    }
}


static void
ngx_registry_s3_list_entry(ngx_registry_s3_xml_t *xml,
    ngx_registry_s3_entry_e type)
{
    ngx_registry_span_t  span;

    if (xml->overflow || xml->child
        || (xml->url && !ngx_registry_s3_xml_decode(xml)))
    {
        ngx_registry_s3_xml_fail(xml);
        return;
    }

    span.data = xml->text;
    span.len = xml->len;

    if (xml->handler
        && xml->handler(xml->data, type, &span) != NGX_REGISTRY_OK)
    {
        xml->stopped = 1;
        (void) XML_StopParser(xml->parser, XML_FALSE);
    }
}


static int
ngx_registry_s3_xml_decode(ngx_registry_s3_xml_t *xml)
{
    int      high, low;
    size_t   i, n;

    /* AWS encodes a blank as "+" and a plus as "%2B" */

    for (i = 0, n = 0; i < xml->len; i++, n++) {

        if (xml->text[i] == '+') {
            xml->text[n] = ' ';
            continue;
        }

        if (xml->text[i] != '%') {
            xml->text[n] = xml->text[i];
            continue;
        }

        if (xml->len - i < 3) {
            return 0;
        }

        high = ngx_registry_s3_xml_hex(xml->text[i + 1]);
        low = ngx_registry_s3_xml_hex(xml->text[i + 2]);

        if (high < 0 || low < 0) {
            return 0;
        }

        xml->text[n] = (u_char) (high * 16 + low);
        i += 2;
    }

    xml->len = n;

    return 1;
}


static int
ngx_registry_s3_xml_hex(u_char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }

    ch = (u_char) (ch | 0x20);

    return (ch >= 'a' && ch <= 'f') ? ch - 'a' + 10 : -1;
}
