
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Loaded into nginx by Test::Registry::Disk: counts what is done to the files
 * below a folder, and at one of these steps stops the process, or fails; makes
 * the disk slow.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>


/* shared with the test */

typedef struct {
    int  action;        /* BEFORE, AFTER, or an errno */
    int  at;            /* the step at which, from 1; 0: none */
    int  count;         /* steps so far */
    int  pid;           /* who stopped */
    int  directories;   /* making one is a step, too */
    int  delay;         /* milliseconds, of what is read and written there */
    char what[48];      /* the step that was it */
} fault_t;

#define BEFORE  -1
#define AFTER   -2


static fault_t     *fault;
static char     *below;


__attribute__((constructor)) static void
fault_init(void)
{
    int    fd;
    void  *p;

    /* nginx writes its title over the environment */

    below = getenv("DISK_FAULT_BELOW");
    below = below ? strdup(below) : NULL;

    fd = open(getenv("DISK_FAULT") ? getenv("DISK_FAULT") : "", O_RDWR);
    if (fd == -1 || below == NULL) {
        return;
    }

    p = mmap(NULL, sizeof(fault_t), PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);

    if (p != MAP_FAILED) {
        fault = p;
    }

    close(fd);
}


/*
 * Whether this step is the one: 0, or its action.
 */
static int
fault_step(const char *name, const char *path)
{
    if (fault == NULL || fault->at == 0
        || strncmp(path, below, strlen(below)) != 0
        || __sync_add_and_fetch(&fault->count, 1) != fault->at)
    {
        return 0;
    }

    path = strrchr(path, '/');
    (void) snprintf(fault->what, sizeof(fault->what), "%s %s", name, path);

    return fault->action;
}


static void
fault_stop(void)
{
    fault->pid = getpid();
    raise(SIGSTOP);
}


#define FAULT_CALL(name, path, call)                                          \
    int  action, rc;                                                          \
                                                                              \
    action = fault_step(name, path);                                          \
                                                                              \
    if (action > 0) {                                                         \
        fault->pid = getpid();                                                \
        errno = action;                                                       \
        return -1;                                                            \
    }                                                                         \
                                                                              \
    if (action == BEFORE) {                                                   \
        fault_stop();                                                         \
    }                                                                         \
                                                                              \
    rc = call;                                                                \
                                                                              \
    if (action == AFTER) {                                                    \
        fault_stop();                                                         \
    }                                                                         \
                                                                              \
    return rc


int
rename(const char *from, const char *to)
{
    int  (*next)(const char *, const char *);

    *(void **) &next = dlsym(RTLD_NEXT, "rename");

    FAULT_CALL("rename", to, next(from, to));
}


int
link(const char *from, const char *to)
{
    int  (*next)(const char *, const char *);

    *(void **) &next = dlsym(RTLD_NEXT, "link");

    FAULT_CALL("link", to, next(from, to));
}


int
unlink(const char *path)
{
    int  (*next)(const char *);

    *(void **) &next = dlsym(RTLD_NEXT, "unlink");

    FAULT_CALL("unlink", path, next(path));
}


int
mkdir(const char *path, mode_t mode)
{
    int  (*next)(const char *, mode_t);

    *(void **) &next = dlsym(RTLD_NEXT, "mkdir");

    if (fault && !fault->directories) {
        return next(path, mode);
    }

    FAULT_CALL("mkdir", path, next(path, mode));
}


int
fsync(int fd)
{
    int           (*next)(int);
    char           name[32], path[4096];
    ssize_t        n;
    struct stat    sb;

    *(void **) &next = dlsym(RTLD_NEXT, "fsync");

    (void) snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);

    n = readlink(name, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';

    if (fault && !fault->directories
        && fstat(fd, &sb) == 0 && S_ISDIR(sb.st_mode))
    {
        return next(fd);
    }

    FAULT_CALL("fsync", path, next(fd));
}


/* nginx reads and writes its cache with these */

static void
fault_delay(int fd)
{
    char     name[32], path[4096];
    ssize_t  n;

    if (fault == NULL || fault->delay == 0) {
        return;
    }

    (void) snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);

    n = readlink(name, path, sizeof(path) - 1);

    if (n > 0 && strncmp(path, below, strlen(below)) == 0) {
        usleep(fault->delay * 1000);
    }
}


ssize_t
pread64(int fd, void *buf, size_t n, off64_t pos)
{
    ssize_t  (*next)(int, void *, size_t, off64_t);

    *(void **) &next = dlsym(RTLD_NEXT, "pread64");

    fault_delay(fd);

    return next(fd, buf, n, pos);
}


ssize_t
pwrite64(int fd, const void *buf, size_t n, off64_t pos)
{
    ssize_t  (*next)(int, const void *, size_t, off64_t);

    *(void **) &next = dlsym(RTLD_NEXT, "pwrite64");

    fault_delay(fd);

    return next(fd, buf, n, pos);
}


ssize_t
pwritev64(int fd, const struct iovec *iov, int n, off64_t pos)
{
    ssize_t  (*next)(int, const struct iovec *, int, off64_t);

    *(void **) &next = dlsym(RTLD_NEXT, "pwritev64");

    fault_delay(fd);

    return next(fd, iov, n, pos);
}
