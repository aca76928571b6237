
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include "ngx_registry_autoindex.h"

#include <yajl/yajl_parse.h>


/* bytes of a name in a directory, NAME_MAX of Linux */
#define NGX_REGISTRY_AUTOINDEX_NAME  255


typedef enum {
    NGX_REGISTRY_AUTOINDEX_START = 0,   /* before the array */
    NGX_REGISTRY_AUTOINDEX_ARRAY,
    NGX_REGISTRY_AUTOINDEX_ENTRY,
    NGX_REGISTRY_AUTOINDEX_END
} ngx_registry_autoindex_state_e;


typedef enum {
    NGX_REGISTRY_AUTOINDEX_OTHER = 0,
    NGX_REGISTRY_AUTOINDEX_KEY_NAME,
    NGX_REGISTRY_AUTOINDEX_KEY_TYPE
} ngx_registry_autoindex_key_e;


typedef struct {
    ngx_registry_autoindex_pt        handler;
    void                            *data;
    ngx_registry_status_e            rc;
    ngx_registry_autoindex_state_e   state;
    ngx_registry_autoindex_key_e     key;

    /* the entry that is being read */

    size_t                           len;
    u_char                           name[NGX_REGISTRY_AUTOINDEX_NAME];
    unsigned                         directory:1;
} ngx_registry_autoindex_t;


static int ngx_registry_autoindex_string(void *data, const u_char *p,
    size_t len);
static int ngx_registry_autoindex_null(void *data);
static int ngx_registry_autoindex_boolean(void *data, int value);
static int ngx_registry_autoindex_number(void *data, const char *p,
    size_t len);
static int ngx_registry_autoindex_start_map(void *data);
static int ngx_registry_autoindex_map_key(void *data, const u_char *p,
    size_t len);
static int ngx_registry_autoindex_end_map(void *data);
static int ngx_registry_autoindex_start_array(void *data);
static int ngx_registry_autoindex_end_array(void *data);


static const yajl_callbacks  ngx_registry_autoindex_callbacks = {
    ngx_registry_autoindex_null,
    ngx_registry_autoindex_boolean,
    NULL,
    NULL,
    ngx_registry_autoindex_number,
    ngx_registry_autoindex_string,
    ngx_registry_autoindex_start_map,
    ngx_registry_autoindex_map_key,
    ngx_registry_autoindex_end_map,
    ngx_registry_autoindex_start_array,
    ngx_registry_autoindex_end_array
};


ngx_registry_status_e
ngx_registry_autoindex_parse(const u_char *p, const u_char *last,
    ngx_registry_autoindex_pt handler, void *data)
{
    yajl_handle               json;
    yajl_status               status;
    ngx_registry_autoindex_t  ai;

    memset(&ai, 0, sizeof(ngx_registry_autoindex_t));

    ai.handler = handler;
    ai.data = data;
    ai.rc = NGX_REGISTRY_INVALID;

    json = yajl_alloc(&ngx_registry_autoindex_callbacks, NULL, &ai);
    if (json == NULL) {
        return NGX_REGISTRY_NO_MEMORY;
    }

    /* names are bytes, and a file system does not ask what they mean */

    (void) yajl_config(json, yajl_dont_validate_strings, 1);

    status = yajl_parse(json, p, (size_t) (last - p));

    if (status == yajl_status_ok) {
        status = yajl_complete_parse(json);
    }

    yajl_free(json);

    if (status != yajl_status_ok || ai.state != NGX_REGISTRY_AUTOINDEX_END) {
        return ai.rc;
    }

    return NGX_REGISTRY_OK;
}


static int
ngx_registry_autoindex_string(void *data, const u_char *p, size_t len)
{
    ngx_registry_autoindex_t *ai = data;

    static const char  directory[] = "directory";

    if (ai->state != NGX_REGISTRY_AUTOINDEX_ENTRY) {
        return 0;
    }

    switch (ai->key) {

    case NGX_REGISTRY_AUTOINDEX_KEY_NAME:

        if (len == 0 || len > sizeof(ai->name)) {
            return 0;
        }

        memcpy(ai->name, p, len);
        ai->len = len;
        break;

    case NGX_REGISTRY_AUTOINDEX_KEY_TYPE:
        ai->directory = (len == sizeof(directory) - 1
                         && memcmp(p, directory, len) == 0);
        break;

    case NGX_REGISTRY_AUTOINDEX_OTHER:
        break;
    }

    return 1;
}


static int
ngx_registry_autoindex_null(void *data)
{
    ngx_registry_autoindex_t *ai = data;

    return (ai->state == NGX_REGISTRY_AUTOINDEX_ENTRY
            && ai->key == NGX_REGISTRY_AUTOINDEX_OTHER);
}


static int
ngx_registry_autoindex_boolean(void *data, int value)
{
    (void) value;

    return ngx_registry_autoindex_null(data);
}


static int
ngx_registry_autoindex_number(void *data, const char *p, size_t len)
{
    (void) p;
    (void) len;

    return ngx_registry_autoindex_null(data);
}


static int
ngx_registry_autoindex_start_map(void *data)
{
    ngx_registry_autoindex_t *ai = data;

    if (ai->state != NGX_REGISTRY_AUTOINDEX_ARRAY) {
        return 0;
    }

    ai->state = NGX_REGISTRY_AUTOINDEX_ENTRY;
    ai->len = 0;
    ai->directory = 0;

    return 1;
}


static int
ngx_registry_autoindex_map_key(void *data, const u_char *p, size_t len)
{
    ngx_registry_autoindex_t *ai = data;

    ai->key = NGX_REGISTRY_AUTOINDEX_OTHER;

    if (len == 4 && memcmp(p, "name", 4) == 0) {
        ai->key = NGX_REGISTRY_AUTOINDEX_KEY_NAME;

    } else if (len == 4 && memcmp(p, "type", 4) == 0) {
        ai->key = NGX_REGISTRY_AUTOINDEX_KEY_TYPE;
    }

    return 1;
}


static int
ngx_registry_autoindex_end_map(void *data)
{
    ngx_registry_autoindex_t *ai = data;

    ngx_registry_span_t  name;

    if (ai->len == 0) {
        return 0;
    }

    ai->state = NGX_REGISTRY_AUTOINDEX_ARRAY;

    name.data = ai->name;
    name.len = ai->len;

    if (ai->handler
        && ai->handler(ai->data, &name, ai->directory) != NGX_REGISTRY_OK)
    {
        ai->rc = NGX_REGISTRY_STOPPED;
        return 0;
    }

    return 1;
}


static int
ngx_registry_autoindex_start_array(void *data)
{
    ngx_registry_autoindex_t *ai = data;

    if (ai->state != NGX_REGISTRY_AUTOINDEX_START) {
        return 0;
    }

    ai->state = NGX_REGISTRY_AUTOINDEX_ARRAY;

    return 1;
}


static int
ngx_registry_autoindex_end_array(void *data)
{
    ngx_registry_autoindex_t *ai = data;

    ai->state = NGX_REGISTRY_AUTOINDEX_END;

    return 1;
}
