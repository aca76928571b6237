
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>

#include <ftw.h>
#include <pthread.h>
#include <sys/file.h>
#include <openssl/rand.h>


/* bytes that are read at a time to verify a spool */
#define NGX_HTTP_REGISTRY_FILE_BUFFER  (256 * 1024)

/* files by which creations are told apart */
#define NGX_HTTP_REGISTRY_FILE_LOCKS   256

/* a timer keeps a worker that is to exit until the end, milliseconds */
#define NGX_HTTP_REGISTRY_FILE_GUARD   60000

/* descriptors of nftw() */
#define NGX_HTTP_REGISTRY_FILE_DEPTH   16

/* directories that a worker remembers */
#define NGX_HTTP_REGISTRY_FILE_KNOWN   4096


/* a directory of which is known that its name, and all above it, is on the
   disk */

typedef struct {
    uint64_t    device;
    uint64_t    inode;
    int64_t     sec;         /* when it was made */
    uint64_t    nsec;
} ngx_http_registry_known_t;


static ngx_int_t ngx_http_registry_file_start(
    ngx_http_registry_file_job_t *job, ngx_http_registry_loc_conf_t *rlcf,
    void (*work)(ngx_http_registry_file_job_t *job));
static void ngx_http_registry_file_thread(void *data, ngx_log_t *log);
static void ngx_http_registry_file_ended(ngx_event_t *ev);
static void ngx_http_registry_file_guard(ngx_event_t *ev);
static ngx_int_t ngx_http_registry_file_temp(
    ngx_http_registry_file_job_t *job, const char *suffix);
static void ngx_http_registry_file_fail(ngx_http_registry_file_job_t *job,
    const char *what);
static void ngx_http_registry_file_work_stage(
    ngx_http_registry_file_job_t *job);
static ngx_int_t ngx_http_registry_file_lock(
    ngx_http_registry_file_job_t *job);
static void ngx_http_registry_file_write(ngx_http_registry_file_job_t *job);
static void ngx_http_registry_file_take(ngx_http_registry_file_job_t *job);
static ngx_int_t ngx_http_registry_file_verify(
    ngx_http_registry_file_job_t *job);
static void ngx_http_registry_file_work_settle(
    ngx_http_registry_file_job_t *job);
static ngx_int_t ngx_http_registry_file_sync(
    ngx_http_registry_file_job_t *job, const u_char *path);
static void ngx_http_registry_file_know(const u_char *path);
static ngx_http_registry_known_t *ngx_http_registry_file_identity(
    const u_char *path, ngx_http_registry_known_t *dir);
static void ngx_http_registry_file_work_erase(
    ngx_http_registry_file_job_t *job);
static int ngx_http_registry_file_remove(const char *path,
    const struct stat *sb, int type, struct FTW *ftw);
static void ngx_http_registry_file_work_sweep(
    ngx_http_registry_file_job_t *job);
static void ngx_http_registry_file_sweep_entry(
    ngx_http_registry_file_job_t *job, u_char *path, u_char *name);


/* of a worker process, for all its threads */

static pthread_mutex_t            ngx_http_registry_file_mutex =
    PTHREAD_MUTEX_INITIALIZER;
static ngx_http_registry_known_t
    ngx_http_registry_file_known[NGX_HTTP_REGISTRY_FILE_KNOWN];


ngx_http_registry_file_job_t *
ngx_http_registry_file_job(ngx_http_registry_loc_conf_t *rlcf)
{
    ngx_pool_t                    *pool;
    ngx_http_registry_file_job_t  *job;

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    job = ngx_pcalloc(pool, sizeof(ngx_http_registry_file_job_t));
    if (job == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    job->pool = pool;
    job->log = ngx_cycle->log;
    job->fd = NGX_INVALID_FILE;
    job->lock = NGX_INVALID_FILE;

    if (ngx_http_registry_file_copy(job, &job->root, &rlcf->dav_path, NULL)
        != NGX_OK
        || ngx_http_registry_file_copy(job, &job->uploads,
                                       &rlcf->upload_path->name, NULL)
           != NGX_OK)
    {
        ngx_destroy_pool(pool);
        return NULL;
    }

    return job;
}


ngx_int_t
ngx_http_registry_file_copy(ngx_http_registry_file_job_t *job, ngx_str_t *dst,
    ngx_str_t *one, ngx_str_t *two)
{
    u_char  *p;

    dst->len = one->len + (two ? 1 + two->len : 0);

    dst->data = ngx_pnalloc(job->pool, dst->len + 1);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(dst->data, one->data, one->len);

    if (two) {
        *p++ = '/';
        p = ngx_cpymem(p, two->data, two->len);
    }

    *p = '\0';

    return NGX_OK;
}


ngx_int_t
ngx_http_registry_file_stage(ngx_http_registry_file_job_t *job,
    ngx_http_registry_loc_conf_t *rlcf)
{
    size_t  len;

    if (job->spool.len) {

        /* "<uuid>.data" as "<uuid>.put": who takes the session up knows */

        len = job->spool.len - (sizeof("data") - 1);

        job->temp.data = ngx_pnalloc(job->pool, len + sizeof("put"));
        if (job->temp.data == NULL) {
            return NGX_ERROR;
        }

        job->temp.len = ngx_sprintf(job->temp.data, "%*sput%Z", len,
                                    job->spool.data)
                        - job->temp.data - 1;

    } else if (ngx_http_registry_file_temp(job, "put") != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_registry_file_start(job, rlcf,
                                        ngx_http_registry_file_work_stage);
}


ngx_int_t
ngx_http_registry_file_settle(ngx_http_registry_file_job_t *job,
    ngx_http_registry_loc_conf_t *rlcf)
{
    return ngx_http_registry_file_start(job, rlcf,
                                        ngx_http_registry_file_work_settle);
}


ngx_int_t
ngx_http_registry_file_erase(ngx_http_registry_file_job_t *job,
    ngx_http_registry_loc_conf_t *rlcf)
{
    if (ngx_http_registry_file_temp(job, "gone") != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_registry_file_start(job, rlcf,
                                        ngx_http_registry_file_work_erase);
}


ngx_int_t
ngx_http_registry_file_sweep(ngx_http_registry_file_job_t *job,
    ngx_http_registry_loc_conf_t *rlcf)
{
    return ngx_http_registry_file_start(job, rlcf,
                                        ngx_http_registry_file_work_sweep);
}


static ngx_int_t
ngx_http_registry_file_temp(ngx_http_registry_file_job_t *job,
    const char *suffix)
{
    u_char  uuid[NGX_REGISTRY_UUID_LEN], random[16];

    if (RAND_bytes(random, sizeof(random)) != 1) {
        ngx_log_error(NGX_LOG_ERR, job->log, 0, "RAND_bytes() failed");
        return NGX_ERROR;
    }

    (void) ngx_registry_uuid_write(uuid, random);

    job->temp.data = ngx_pnalloc(job->pool, job->uploads.len + 1
                                            + sizeof(uuid) + 1
                                            + ngx_strlen(suffix) + 1);
    if (job->temp.data == NULL) {
        return NGX_ERROR;
    }

    job->temp.len = ngx_sprintf(job->temp.data, "%V/%*s.%s%Z", &job->uploads,
                                sizeof(uuid), uuid, suffix)
                    - job->temp.data - 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_registry_file_start(ngx_http_registry_file_job_t *job,
    ngx_http_registry_loc_conf_t *rlcf,
    void (*work)(ngx_http_registry_file_job_t *job))
{
    ngx_thread_task_t               *task;
    ngx_http_registry_file_job_t   **ctx;
    ngx_http_registry_main_conf_t   *rmcf;

    rmcf = rlcf->http_ctx->main_conf[ngx_http_registry_module.ctx_index];

    task = ngx_thread_task_alloc(job->pool, sizeof(void *));
    if (task == NULL) {
        return NGX_ERROR;
    }

    ctx = task->ctx;
    *ctx = job;

    job->work = work;
    job->err = 0;

    task->handler = ngx_http_registry_file_thread;
    task->event.handler = ngx_http_registry_file_ended;
    task->event.data = job;
    task->event.log = job->log;

    job->guard.handler = ngx_http_registry_file_guard;
    job->guard.data = job;
    job->guard.log = job->log;

    if (ngx_thread_task_post(rmcf->threads, task) != NGX_OK) {
        return NGX_ERROR;
    }

    job->running = 1;

    ngx_add_timer(&job->guard, NGX_HTTP_REGISTRY_FILE_GUARD);

    return NGX_OK;
}


static void
ngx_http_registry_file_thread(void *data, ngx_log_t *log)
{
    ngx_http_registry_file_job_t **job = data;

    (*job)->work(*job);
}


static void
ngx_http_registry_file_ended(ngx_event_t *ev)
{
    ngx_http_registry_file_job_t *job = ev->data;

    job->running = 0;

    ngx_del_timer(&job->guard);

    if (job->err) {
        ngx_log_error(NGX_LOG_ERR, job->log, job->err,
                      "registry: %s failed for \"%V\" of the local store, "
                      "see registry_dav_path and registry_upload_path",
                      job->failed, &job->path);
    }

    if (job->data == NULL) {
        ngx_http_registry_file_close(job);
        return;
    }

    job->done(job);
}


static void
ngx_http_registry_file_guard(ngx_event_t *ev)
{
    ngx_add_timer(ev, NGX_HTTP_REGISTRY_FILE_GUARD);
}


void
ngx_http_registry_file_unlock(ngx_http_registry_file_job_t *job)
{
    if (job->lock != NGX_INVALID_FILE) {
        (void) ngx_close_file(job->lock);
        job->lock = NGX_INVALID_FILE;
    }
}


void
ngx_http_registry_file_close(ngx_http_registry_file_job_t *job)
{
    job->data = NULL;

    if (job->running) {
        return;
    }

    if (job->staged) {

        /* usually it has its final name by now */

        if (ngx_delete_file(job->temp.data) == NGX_FILE_ERROR
            && ngx_errno != NGX_ENOENT)
        {
            ngx_log_error(NGX_LOG_ERR, job->log, ngx_errno,
                          ngx_delete_file_n " \"%V\" failed", &job->temp);
        }
    }

    ngx_http_registry_file_unlock(job);

    if (job->fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(job->fd);
    }

    ngx_destroy_pool(job->pool);
}


/* below: in a thread, and on the job only */


static void
ngx_http_registry_file_fail(ngx_http_registry_file_job_t *job,
    const char *what)
{
    job->err = ngx_errno ? ngx_errno : EIO;
    job->failed = what;
}


static void
ngx_http_registry_file_work_stage(ngx_http_registry_file_job_t *job)
{
    if (job->create && ngx_http_registry_file_lock(job) != NGX_OK) {
        return;
    }

    if (job->spool.len) {
        ngx_http_registry_file_take(job);

    } else {
        ngx_http_registry_file_write(job);
    }
}


static ngx_int_t
ngx_http_registry_file_lock(ngx_http_registry_file_job_t *job)
{
    u_char        name[NGX_MAX_PATH];
    struct stat   sb;

    if (job->uploads.len + sizeof("/create-00") > sizeof(name)) {
        ngx_set_errno(NGX_ENAMETOOLONG);
        ngx_http_registry_file_fail(job, "open() of a lock");
        return NGX_ERROR;
    }

    (void) ngx_sprintf(name, "%V/create-%02xD%Z", &job->uploads,
                       ngx_crc32_long(job->path.data, job->path.len)
                       % NGX_HTTP_REGISTRY_FILE_LOCKS);

    job->lock = open((char *) name, O_CREAT|O_RDWR|O_CLOEXEC, 0600);

    if (job->lock == NGX_INVALID_FILE) {
        ngx_http_registry_file_fail(job, "open() of a lock");
        return NGX_ERROR;
    }

    /* who has it needs no thread to go on */

    while (flock(job->lock, LOCK_EX) == -1) {

        if (ngx_errno != NGX_EINTR) {
            ngx_http_registry_file_fail(job, "flock()");
            return NGX_ERROR;
        }
    }

    if (lstat((char *) job->path.data, &sb) == 0) {
        job->exists = 1;
        return NGX_DECLINED;
    }

    if (ngx_errno != NGX_ENOENT) {
        ngx_http_registry_file_fail(job, "lstat()");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_registry_file_write(ngx_http_registry_file_job_t *job)
{
    size_t    pos;
    ssize_t   n;
    ngx_fd_t  fd;

    fd = open((char *) job->temp.data, O_CREAT|O_EXCL|O_WRONLY|O_CLOEXEC,
              0600);

    if (fd == NGX_INVALID_FILE) {
        ngx_http_registry_file_fail(job, "open()");
        return;
    }

    job->staged = 1;

    for (pos = 0; pos < job->body.len; pos += n) {

        n = write(fd, job->body.data + pos, job->body.len - pos);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            n = 0;

        } else if (n <= 0) {
            ngx_http_registry_file_fail(job, "write()");
            (void) close(fd);
            return;
        }
    }

    if (fsync(fd) == -1) {
        ngx_http_registry_file_fail(job, "fsync()");
    }

    if (close(fd) == -1 && job->err == 0) {
        ngx_http_registry_file_fail(job, "close()");
    }
}


static void
ngx_http_registry_file_take(ngx_http_registry_file_job_t *job)
{
    if (fsync(job->fd) == -1) {
        ngx_http_registry_file_fail(job, "fsync()");
        return;
    }

    if (ngx_http_registry_file_verify(job) != NGX_OK) {
        return;
    }

    /*
     * nginx deletes the file if it cannot be renamed, and the session must
     * not lose its bytes: it keeps its own name until all is done
     */

    if (link((char *) job->spool.data, (char *) job->temp.data) == 0) {
        job->staged = 1;
        return;
    }

    if (ngx_errno == NGX_EEXIST) {

        /* of a process that died; the lock of the session is ours */

        if (unlink((char *) job->temp.data) == 0
            && link((char *) job->spool.data, (char *) job->temp.data) == 0)
        {
            job->staged = 1;
            return;
        }
    }

    if (ngx_errno == NGX_EPERM || ngx_errno == EOPNOTSUPP
        || ngx_errno == EMLINK)
    {
        /* a file system without links: then it is lost with the rename */

        job->temp = job->spool;
        return;
    }

    ngx_http_registry_file_fail(job, "link()");
}


/*
 * The digest was compared with what was received, and what will be served is
 * what the file has.
 */
static ngx_int_t
ngx_http_registry_file_verify(ngx_http_registry_file_job_t *job)
{
    off_t                 pos;
    u_char               *buf, hash[NGX_REGISTRY_HASH_MAX_LEN];
    u_char                hex[2 * NGX_REGISTRY_HASH_MAX_LEN];
    ssize_t               n;
    ngx_registry_hash_t   h;

    buf = malloc(NGX_HTTP_REGISTRY_FILE_BUFFER);
    if (buf == NULL) {
        ngx_http_registry_file_fail(job, "malloc()");
        return NGX_ERROR;
    }

    ngx_registry_hash_init(&h, NGX_REGISTRY_SHA256);

    pos = 0;

    for ( ;; ) {

        n = pread(job->fd, buf, NGX_HTTP_REGISTRY_FILE_BUFFER, pos);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            continue;
        }

        if (n == -1) {
            ngx_http_registry_file_fail(job, "pread()");
            free(buf);
            return NGX_ERROR;
        }

        if (n == 0) {
            break;
        }

        ngx_registry_hash_update(&h, buf, (size_t) n);
        pos += n;
    }

    free(buf);

    n = ngx_registry_hash_final(&h, hash);
    n = ngx_registry_hex_write(hex, hash, n) - hex;

    if (pos == job->size && n == sizeof(job->hex)
        && ngx_memcmp(hex, job->hex, n) == 0)
    {
        return NGX_OK;
    }

    job->damaged = 1;

    return NGX_DECLINED;
}


/*
 * The name of the file is on the disk with its directory, the name of that
 * with the next one, and so on.  A directory need not be new to be on its way
 * to the disk, another request may have made it just now; so it goes up to
 * one of which it is known.
 */
static void
ngx_http_registry_file_work_settle(ngx_http_registry_file_job_t *job)
{
    u_char      *p;
    ngx_int_t    rc;
    ngx_uint_t   n;

    p = job->path.data + job->path.len;
    n = 0;

    for ( ;; ) {

        while (*p != '/') {
            p--;
        }

        if ((size_t) (p - job->path.data) < job->root.len) {

            /* nginx may have made the store; who may not look has not */

            *p = '\0';

            if (p != job->path.data) {
                (void) ngx_http_registry_file_sync(job, job->path.data);
                job->err = 0;
            }

            break;
        }

        *p = '\0';

        rc = ngx_http_registry_file_sync(job, job->path.data);

        if (rc == NGX_ERROR || job->removed) {
            return;
        }

        if (rc == NGX_OK) {
            break;
        }

        n++;
    }

    /* the way up is whole, and so are those on it, from the top */

    while (n--) {
        job->path.data[ngx_strlen(job->path.data)] = '/';
        ngx_http_registry_file_know(job->path.data);
    }
}


/*
 * Writes a directory to the disk.  NGX_OK: that its own name is there is known;
 * NGX_DECLINED: it is not; NGX_ERROR.
 */
static ngx_int_t
ngx_http_registry_file_sync(ngx_http_registry_file_job_t *job,
    const u_char *path)
{
    ngx_fd_t                    fd;
    ngx_int_t                   rc;
    ngx_http_registry_known_t   dir, *slot;

    fd = open((const char *) path, O_RDONLY|O_CLOEXEC|O_DIRECTORY);

    if (fd == NGX_INVALID_FILE) {
        ngx_http_registry_file_fail(job, "open()");
        return NGX_ERROR;
    }

    rc = NGX_DECLINED;

    slot = ngx_http_registry_file_identity(path, &dir);

    if (slot) {
        (void) pthread_mutex_lock(&ngx_http_registry_file_mutex);

        if (ngx_memcmp(slot, &dir, sizeof(ngx_http_registry_known_t)) == 0) {
            rc = NGX_OK;
        }

        (void) pthread_mutex_unlock(&ngx_http_registry_file_mutex);
    }

    /* some file systems cannot do it with directories */

    if (fsync(fd) == -1 && ngx_errno != NGX_EINVAL && ngx_errno != EBADF) {
        ngx_http_registry_file_fail(job, "fsync()");
        rc = NGX_ERROR;
    }

    (void) close(fd);

    return rc;
}


static void
ngx_http_registry_file_know(const u_char *path)
{
    ngx_http_registry_known_t  dir, *slot;

    slot = ngx_http_registry_file_identity(path, &dir);

    if (slot) {
        (void) pthread_mutex_lock(&ngx_http_registry_file_mutex);
        *slot = dir;
        (void) pthread_mutex_unlock(&ngx_http_registry_file_mutex);
    }
}


/*
 * What tells a directory from all others, also from one that has got its
 * inode later, and where that is kept.  NULL if the file system does not say.
 */
static ngx_http_registry_known_t *
ngx_http_registry_file_identity(const u_char *path,
    ngx_http_registry_known_t *dir)
{
#ifdef STATX_BTIME

    struct statx  sx;

    if (statx(AT_FDCWD, (const char *) path, 0, STATX_INO|STATX_BTIME, &sx)
        == -1
        || !(sx.stx_mask & STATX_BTIME) || !(sx.stx_mask & STATX_INO))
    {
        return NULL;
    }

    ngx_memzero(dir, sizeof(ngx_http_registry_known_t));

    dir->device = ((uint64_t) sx.stx_dev_major << 32) | sx.stx_dev_minor;
    dir->inode = sx.stx_ino;
    dir->sec = sx.stx_btime.tv_sec;
    dir->nsec = sx.stx_btime.tv_nsec;

    return &ngx_http_registry_file_known[dir->inode
                                         % NGX_HTTP_REGISTRY_FILE_KNOWN];

#else

    return NULL;

#endif
}


static void
ngx_http_registry_file_work_erase(ngx_http_registry_file_job_t *job)
{
    u_char  *p;

    if (rename((char *) job->path.data, (char *) job->temp.data) == -1) {

        if (ngx_errno != NGX_ENOENT) {
            ngx_http_registry_file_fail(job, "rename()");
        }

        return;
    }

    job->exists = 1;

    p = job->path.data + job->path.len;

    while (*p != '/') {
        p--;
    }

    *p = '\0';

    if (ngx_http_registry_file_sync(job, job->path.data) == NGX_ERROR) {
        return;
    }

    /* whoever dies here leaves it to the sweep */

    (void) nftw((char *) job->temp.data, ngx_http_registry_file_remove,
                NGX_HTTP_REGISTRY_FILE_DEPTH, FTW_DEPTH|FTW_PHYS|FTW_MOUNT);
}


static int
ngx_http_registry_file_remove(const char *path, const struct stat *sb,
    int type, struct FTW *ftw)
{
    (void) remove(path);

    return 0;
}


static void
ngx_http_registry_file_work_sweep(ngx_http_registry_file_job_t *job)
{
    DIR            *dir;
    u_char          path[NGX_MAX_PATH], *p;
    struct dirent  *de;

    dir = opendir((char *) job->uploads.data);
    if (dir == NULL) {
        ngx_http_registry_file_fail(job, "opendir()");
        return;
    }

    for ( ;; ) {

        de = readdir(dir);
        if (de == NULL) {
            break;
        }

        p = ngx_snprintf(path, sizeof(path) - 1, "%V/%s", &job->uploads,
                         de->d_name);
        *p = '\0';

        ngx_http_registry_file_sweep_entry(job, path,
                                           (u_char *) de->d_name);
    }

    (void) closedir(dir);
}


static void
ngx_http_registry_file_sweep_entry(ngx_http_registry_file_job_t *job,
    u_char *path, u_char *name)
{
    u_char       *p;
    struct stat   sb;

    p = (u_char *) ngx_strchr(name, '.');

    /* a link or a rename changes st_ctime */

    if (p == NULL || !ngx_registry_uuid_check(name, p)
        || lstat((char *) path, &sb) == -1
        || time(NULL) - sb.st_ctime < job->age)
    {
        return;
    }

    if (S_ISREG(sb.st_mode) && ngx_strcmp(p, ".put") == 0) {
        (void) unlink((char *) path);

    } else if (S_ISDIR(sb.st_mode) && ngx_strcmp(p, ".gone") == 0) {
        (void) nftw((char *) path, ngx_http_registry_file_remove,
                    NGX_HTTP_REGISTRY_FILE_DEPTH,
                    FTW_DEPTH|FTW_PHYS|FTW_MOUNT);
    }
}
