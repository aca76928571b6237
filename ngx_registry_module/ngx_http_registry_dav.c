
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>


/* bytes of the listing of a directory, some 400,000 entries */
#define NGX_HTTP_REGISTRY_DAV_LIST_SIZE  (64 * 1024 * 1024)


static char *ngx_http_registry_dav_configure(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf);
static ngx_int_t ngx_http_registry_dav_init(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf);
static ngx_int_t ngx_http_registry_dav_device(ngx_str_t *path, dev_t *dev);
static ngx_int_t ngx_http_registry_dav_request(ngx_http_registry_sub_t *sub);
static ngx_int_t ngx_http_registry_dav_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_registry_dav_directory(
    ngx_http_registry_sub_t *sub);
static ngx_int_t ngx_http_registry_dav_open(ngx_http_request_t *r,
    ngx_str_t *path, ngx_open_file_info_t *of);
static ngx_int_t ngx_http_registry_dav_send(ngx_http_request_t *r,
    ngx_str_t *path, ngx_open_file_info_t *of, off_t start, off_t end);
static ngx_int_t ngx_http_registry_dav_answer(ngx_http_registry_sub_t *sub);
static ngx_uint_t ngx_http_registry_dav_whole(ngx_http_registry_sub_t *sub);
static ngx_list_t *ngx_http_registry_dav_headers(
    ngx_http_registry_sub_t *sub);
static void ngx_http_registry_dav_judge(ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result);
static ngx_int_t ngx_http_registry_dav_list(ngx_http_registry_list_t *list,
    ngx_str_t *token);
static ngx_int_t ngx_http_registry_dav_listed(ngx_http_registry_list_t *list,
    ngx_str_t *token);
static ngx_registry_status_e ngx_http_registry_dav_entry(void *data,
    const ngx_registry_span_t *name, int directory);
static u_char *ngx_http_registry_dav_describe(
    ngx_http_registry_loc_conf_t *rlcf, u_char *p, u_char *last);
static ngx_int_t ngx_http_registry_dav_path_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


ngx_http_registry_kind_t  ngx_http_registry_dav_kind = {
    ngx_string("dav"),
    ngx_string("local store"),
    ngx_string("directory"),
    ngx_string("registry_dav.conf"),

    /* nothing is kept elsewhere: every file is read where it lies */

    {
        NGX_HTTP_REGISTRY_ROLE_DIRECT,
        NGX_HTTP_REGISTRY_ROLE_DIRECT,
        NGX_HTTP_REGISTRY_ROLE_DIRECT,
        NGX_HTTP_REGISTRY_ROLE_DIRECT,
        NGX_HTTP_REGISTRY_ROLE_DIRECT,
        NGX_HTTP_REGISTRY_ROLE_DIRECT,
        NGX_HTTP_REGISTRY_ROLE_WRITE
    },

    0,
    1,

    ngx_http_registry_dav_configure,
    ngx_http_registry_dav_init,
    ngx_http_registry_dav_request,
    ngx_http_registry_dav_answer,
    ngx_http_registry_dav_whole,
    ngx_http_registry_dav_headers,
    ngx_http_registry_dav_judge,
    ngx_http_registry_dav_settle,
    ngx_http_registry_dav_list,
    ngx_http_registry_dav_listed,
    ngx_http_registry_dav_erase,
    ngx_http_registry_dav_describe,
    ngx_http_registry_dav_sweep
};


static ngx_str_t  ngx_http_registry_dav_access_hint = ngx_string(
    "the user of nginx's workers must be able to read the files of "
    "registry_dav_path, and to write there if registry_push is on");

static ngx_str_t  ngx_http_registry_dav_full_hint = ngx_string(
    "the disk of registry_dav_path and registry_upload_path is full");

static ngx_str_t  ngx_http_registry_dav_fault_hint = ngx_string(
    "see the lines above in the error log");


static char *
ngx_http_registry_dav_configure(ngx_conf_t *cf,
    ngx_http_registry_loc_conf_t *rlcf)
{
    u_char     *p;
    ngx_str_t  *path;

    path = &rlcf->dav_path;

    if (path->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"registry_store dav\" needs \"registry_dav_path "
                           "path;\", the directory with the images");
        return NGX_CONF_ERROR;
    }

    if (ngx_conf_full_name(cf->cycle, path, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    while (path->len && path->data[path->len - 1] == '/') {
        path->len--;
    }

    if (path->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"registry_dav_path\" cannot be \"/\"");
        return NGX_CONF_ERROR;
    }

    /* a copy that ends there */

    p = ngx_pnalloc(cf->pool, path->len + 1);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    *ngx_cpymem(p, path->data, path->len) = '\0';
    path->data = p;

    rlcf->place = *path;

    /* a file is read where it is wanted */

    rlcf->slice_size = 0;

    rlcf->id.len = sizeof("file://") - 1 + path->len;

    rlcf->id.data = ngx_pnalloc(cf->pool, rlcf->id.len);
    if (rlcf->id.data == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) ngx_sprintf(rlcf->id.data, "file://%V", path);

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_registry_dav_init(ngx_conf_t *cf, ngx_http_registry_loc_conf_t *rlcf)
{
    dev_t                      store, uploads;
    ngx_uint_t                 i;
    ngx_path_t                *path;
    ngx_file_info_t            fi;
    ngx_http_core_loc_conf_t  *clcf;

    static ngx_uint_t  roles[] = {
        NGX_HTTP_REGISTRY_ROLE_DIRECT, NGX_HTTP_REGISTRY_ROLE_WRITE
    };

    for (i = 0; i < sizeof(roles) / sizeof(ngx_uint_t); i++) {

        clcf = rlcf->locations[roles[i]];

        if (clcf->alias == 0) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "location \"%V\" of a local store needs "
                          "\"alias $registry_dav_path/;\"", &clcf->name);
            return NGX_ERROR;
        }

        clcf->handler = ngx_http_registry_dav_handler;

        /* what is not there is an answer, and not a page of the operator's */

        clcf->error_pages = NULL;
    }

    /* who made it before knows whose it is */

    if (ngx_file_info(rlcf->dav_path.data, &fi) == NGX_FILE_ERROR) {

        path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
        if (path == NULL) {
            return NGX_ERROR;
        }

        path->name = rlcf->dav_path;
        path->conf_file = cf->cycle->conf_file.data;

        if (ngx_add_path(cf, &path) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (!ngx_is_dir(&fi)) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"registry_dav_path %V\" is not a directory",
                      &rlcf->dav_path);
        return NGX_ERROR;
    }

    if (!rlcf->push) {
        return NGX_OK;
    }

#if !(NGX_THREADS)

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"registry_push on\" with \"registry_store dav\" needs "
                  "an nginx that was built with threads");
    return NGX_ERROR;

#endif

    /* what is written is renamed, and nginx would copy it instead */

    if (ngx_http_registry_dav_device(&rlcf->dav_path, &store) == NGX_OK
        && ngx_http_registry_dav_device(&rlcf->upload_path->name, &uploads)
           == NGX_OK
        && store != uploads)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"registry_upload_path %V\" must be on the file "
                      "system of \"registry_dav_path %V\"",
                      &rlcf->upload_path->name, &rlcf->dav_path);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Of a path that need not exist yet.
 */
static ngx_int_t
ngx_http_registry_dav_device(ngx_str_t *path, dev_t *dev)
{
    size_t        len;
    u_char        name[NGX_MAX_PATH];
    struct stat   sb;

    if (path->len >= sizeof(name)) {
        return NGX_ERROR;
    }

    ngx_memcpy(name, path->data, path->len);

    for (len = path->len; len; len--) {

        name[len] = '\0';

        if (stat((char *) name, &sb) == 0) {
            *dev = sb.st_dev;
            return NGX_OK;
        }

        while (len > 1 && name[len - 1] != '/') {
            len--;
        }
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_registry_dav_request(ngx_http_registry_sub_t *sub)
{
    ngx_http_request_t  *sr;

    sr = sub->request;

    if (sub->op->write) {
        sr->method = (sub->op->method.data[0] == 'P') ? NGX_HTTP_PUT
                                                      : NGX_HTTP_DELETE;
    }

    return NGX_OK;
}


/*
 * In front of nginx's own handlers: NGX_DECLINED leaves it to them.
 */
static ngx_int_t
ngx_http_registry_dav_handler(ngx_http_request_t *r)
{
    ngx_http_registry_op_t   *op;
    ngx_http_registry_sub_t  *sub;

    sub = (r == r->main) ? NULL
              : ngx_http_get_module_ctx(r, ngx_http_registry_module);

    if (sub == NULL) {
        /* whoever sent it here */
        return NGX_HTTP_NOT_FOUND;
    }

    op = sub->op;

    if (op->role == NGX_HTTP_REGISTRY_ROLE_CACHED
        || op->role == NGX_HTTP_REGISTRY_ROLE_CACHED_BLOB)
    {
        sub->obstacle = NGX_HTTP_REGISTRY_NOT_CACHED;
        return NGX_HTTP_NOT_FOUND;
    }

    if (!ngx_registry_key_check(op->key.data, op->key.data + op->key.len)) {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "registry: \"%V\" is no key of the local store",
                      &op->key);
        return NGX_HTTP_FORBIDDEN;
    }

    if (r->method == NGX_HTTP_PUT) {
        return ngx_http_registry_dav_stage(sub);
    }

    if (op->key.data[op->key.len - 1] == '/') {
        return ngx_http_registry_dav_directory(sub);
    }

    if (op->range.len) {
        return ngx_http_registry_dav_range(sub);
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_registry_dav_directory(ngx_http_registry_sub_t *sub)
{
    size_t              root;
    ngx_str_t           path;
    ngx_file_info_t     fi;

    /* one that is not there is normal, and would be an error in the log */

    if (ngx_http_map_uri_to_path(sub->request, &path, &root, 0) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_file_info(path.data, &fi) == NGX_FILE_ERROR
        && (ngx_errno == NGX_ENOENT || ngx_errno == NGX_ENOTDIR))
    {
        return NGX_HTTP_NOT_FOUND;
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_registry_dav_range(ngx_http_registry_sub_t *sub)
{
    int64_t                 start, end;
    ngx_int_t               rc;
    ngx_str_t               path, *range;
    ngx_open_file_info_t    of;
    ngx_registry_status_e   status;

    /* nginx's filter of ranges is for clients; its handler reads it all */

    rc = ngx_http_registry_dav_open(sub->request, &path, &of);

    if (rc != NGX_OK) {
        return rc;
    }

    range = &sub->op->range;

    status = ngx_registry_range_parse(range->data, range->data + range->len,
                                      of.size, &start, &end);

    if (status == NGX_REGISTRY_UNSATISFIABLE) {
        return NGX_HTTP_RANGE_NOT_SATISFIABLE;
    }

    if (status != NGX_REGISTRY_OK) {
        /* an empty file has no ranges */
        return NGX_DECLINED;
    }

    return ngx_http_registry_dav_send(sub->request, &path, &of, start, end);
}


static ngx_int_t
ngx_http_registry_dav_open(ngx_http_request_t *r, ngx_str_t *path,
    ngx_open_file_info_t *of)
{
    size_t                     root;
    ngx_int_t                  rc;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (ngx_http_map_uri_to_path(r, path, &root, 0) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    path->len--;

    ngx_memzero(of, sizeof(ngx_open_file_info_t));

    of->read_ahead = clcf->read_ahead;
    of->directio = clcf->directio;
    of->valid = clcf->open_file_cache_valid;
    of->min_uses = clcf->open_file_cache_min_uses;
    of->errors = clcf->open_file_cache_errors;
    of->events = clcf->open_file_cache_events;

    if (ngx_http_set_disable_symlinks(r, clcf, path, of) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_open_cached_file(clcf->open_file_cache, path, of, r->pool)
        == NGX_OK)
    {
        return of->is_file ? NGX_OK : NGX_HTTP_NOT_FOUND;
    }

    switch (of->err) {

    case NGX_ENOENT:
    case NGX_ENOTDIR:
    case NGX_ENAMETOOLONG:
        return NGX_HTTP_NOT_FOUND;

    case NGX_EACCES:
        rc = NGX_HTTP_FORBIDDEN;
        break;

    default:
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
        break;
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, of->err,
                  "%s \"%V\" failed", of->failed, path);
    return rc;
}


/* the bytes from start to before end, with their header */
static ngx_int_t
ngx_http_registry_dav_send(ngx_http_request_t *r, ngx_str_t *path,
    ngx_open_file_info_t *of, off_t start, off_t end)
{
    u_char       *p;
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_str_t     value;
    ngx_chain_t   out;

    p = ngx_pnalloc(r->pool, sizeof("bytes -/") + 3 * NGX_OFF_T_LEN);
    b = ngx_calloc_buf(r->pool);

    if (p == NULL || b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->file = ngx_pcalloc(r->pool, sizeof(ngx_file_t));
    if (b->file == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    value.data = p;
    value.len = ngx_sprintf(p, "bytes %O-%O/%O", start, end - 1, of->size) - p;

    if (ngx_http_registry_add_header(r, "Content-Range", &value) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_PARTIAL_CONTENT;
    r->headers_out.content_length_n = end - start;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->in_file = 1;
    b->file_pos = start;
    b->file_last = end;
    b->last_in_chain = 1;

    b->file->fd = of->fd;
    b->file->name = *path;
    b->file->log = r->connection->log;
    b->file->directio = of->is_directio;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static ngx_int_t
ngx_http_registry_dav_answer(ngx_http_registry_sub_t *sub)
{
    ngx_http_request_t  *sr;

    sr = sub->request;

    if (sr->err_status) {
        return NGX_DECLINED;
    }

    sub->status = sr->headers_out.status;
    sub->content_length = sr->headers_out.content_length_n;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_registry_dav_whole(ngx_http_registry_sub_t *sub)
{
    if (sub->status == 0 && sub->rc >= NGX_HTTP_OK) {
        sub->status = sub->rc;
    }

    if (sub->rc == NGX_ERROR) {
        return 0;
    }

    /* what is small is verified; blobs go from the disk to the client */

    if (sub->op->digest && sub->status == NGX_HTTP_OK && !sub->streaming
        && !sub->request->header_only && !sub->overflow
        && ngx_registry_digest_check(sub->op->digest, sub->body,
                                     sub->len)
           != NGX_REGISTRY_OK)
    {
        sub->mismatch = 1;
    }

    return 1;
}


static ngx_list_t *
ngx_http_registry_dav_headers(ngx_http_registry_sub_t *sub)
{
    return &sub->request->headers_out.headers;
}


static void
ngx_http_registry_dav_judge(ngx_http_registry_sub_t *sub,
    ngx_http_registry_result_t *result)
{
    if (sub->obstacle == NGX_HTTP_REGISTRY_NOT_CACHED) {
        result->outcome = NGX_HTTP_REGISTRY_MISSED;
        ngx_str_set(&result->code, "not cached");
        return;
    }

    result->outcome = NGX_HTTP_REGISTRY_FAULT;

    switch (sub->status) {

    case NGX_HTTP_NOT_FOUND:
        result->outcome = NGX_HTTP_REGISTRY_NOT_FOUND;
        ngx_str_set(&result->code, "not found");
        break;

    case NGX_HTTP_PRECONDITION_FAILED:
        result->outcome = NGX_HTTP_REGISTRY_EXISTS;
        ngx_str_set(&result->code, "exists");
        break;

    case NGX_HTTP_RANGE_NOT_SATISFIABLE:
        result->outcome = NGX_HTTP_REGISTRY_BEYOND;
        break;

    case NGX_HTTP_INSUFFICIENT_STORAGE:
        result->outcome = NGX_HTTP_REGISTRY_FULL;
        ngx_str_set(&result->code, "no space left on the local disk");
        result->hint = ngx_http_registry_dav_full_hint;
        break;

    case NGX_HTTP_FORBIDDEN:
        ngx_str_set(&result->code, "permission denied");
        result->hint = ngx_http_registry_dav_access_hint;
        break;

    case NGX_HTTP_MOVED_PERMANENTLY:
    case NGX_HTTP_CONFLICT:
        ngx_str_set(&result->code, "a directory instead of a file");
        break;

    default:
        ngx_str_set(&result->code, "input or output failed");
        result->hint = ngx_http_registry_dav_fault_hint;
        break;
    }
}


static ngx_int_t
ngx_http_registry_dav_list(ngx_http_registry_list_t *list, ngx_str_t *token)
{
    u_char                    *p;
    ngx_http_registry_call_t  *call;

    call = &list->call;

    /* names that begin with what follows the last "/" are looked for there */

    p = list->prefix.data + list->prefix.len;

    while (p > list->prefix.data && p[-1] != '/') {
        p--;
    }

    call->op.key.data = list->prefix.data;
    call->op.key.len = p - list->prefix.data;
    call->limit = NGX_HTTP_REGISTRY_DAV_LIST_SIZE;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_dav_listed(ngx_http_registry_list_t *list, ngx_str_t *token)
{
    ngx_registry_status_e      rc;
    ngx_http_registry_call_t  *call;

    call = &list->call;

    if (call->result.outcome == NGX_HTTP_REGISTRY_NOT_FOUND) {
        /* nothing has been written below it */
        call->result.outcome = NGX_HTTP_REGISTRY_OK;
        return NGX_OK;
    }

    if (call->result.outcome != NGX_HTTP_REGISTRY_OK) {
        return NGX_DECLINED;
    }

    rc = ngx_registry_autoindex_parse(call->body.data,
                                      call->body.data + call->body.len,
                                      ngx_http_registry_dav_entry, list);

    if (rc == NGX_REGISTRY_OK) {
        return NGX_OK;
    }

    if (rc != NGX_REGISTRY_INVALID) {
        return NGX_ERROR;
    }

    ngx_http_registry_result_fault(&call->result,
                              "not a listing of autoindex",
                              "is the right registry_dav.conf included?");

    return NGX_DECLINED;
}


static ngx_registry_status_e
ngx_http_registry_dav_entry(void *data, const ngx_registry_span_t *name,
    int directory)
{
    ngx_http_registry_list_t *list = data;

    size_t  skip;

    skip = list->call.op.key.len;

    if (name->len < list->prefix.len - skip
        || ngx_memcmp(name->data, list->prefix.data + skip,
                      list->prefix.len - skip)
           != 0)
    {
        return NGX_REGISTRY_OK;
    }

    list->entries++;

    return directory ? ngx_http_registry_list_push(list, name->data,
                                                   name->len)
                     : NGX_REGISTRY_OK;
}


static u_char *
ngx_http_registry_dav_describe(ngx_http_registry_loc_conf_t *rlcf, u_char *p,
    u_char *last)
{
    return ngx_snprintf(p, last - p, "directory \"%V\"", &rlcf->dav_path);
}


ngx_int_t
ngx_http_registry_dav_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var;

    static ngx_http_variable_t  vars[] = {
        { ngx_string("registry_dav_path"), NULL,
          ngx_http_registry_dav_path_variable, 0,
          NGX_HTTP_VAR_NOCACHEABLE, 0 }
    };

    var = ngx_http_add_variable(cf, &vars[0].name, vars[0].flags);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->get_handler = vars[0].get_handler;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_dav_path_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                *path;
    ngx_http_registry_sub_t  *sub;

    sub = (r == r->main) ? NULL
              : ngx_http_get_module_ctx(r, ngx_http_registry_module);

    if (sub == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    path = &sub->op->conf->dav_path;

    v->len = path->len;
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;
    v->data = path->data;

    return NGX_OK;
}
