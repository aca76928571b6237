
/*
 * Copyright (C) The ngx_registry_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_registry.h>

#include <poll.h>
#include <spawn.h>
#include <dirent.h>


/*
 * AWS SDKs and Tools Reference Guide, Process credential provider.
 *
 * nginx waits for every child of a worker itself, and calls it an alert if a
 * signal ended one.  So a shell starts the program in the background and is
 * gone at once; the program is nobody's child, the end of its output tells
 * that it is done, and its output how.  The words of the command are
 * arguments of the shell, which does not look at them.
 */


#define NGX_HTTP_REGISTRY_PROCESS_LIMIT  65536

/* milliseconds; less than the limit of a fetch, so that it can be told */
#define NGX_HTTP_REGISTRY_PROCESS_TIME   9000
#define NGX_HTTP_REGISTRY_PROCESS_TICK   100


static ngx_int_t ngx_http_registry_process_run(
    ngx_http_registry_fetch_t *fetch, char **argv, ngx_str_t *output);
static ngx_int_t ngx_http_registry_process_spawn(char **argv, int out,
    pid_t *pid);
static ngx_int_t ngx_http_registry_process_close(
    posix_spawn_file_actions_t *actions);
static ngx_int_t ngx_http_registry_process_read(
    ngx_http_registry_fetch_t *fetch, int fd, ngx_str_t *output);


ngx_int_t
ngx_http_registry_process(ngx_http_registry_fetch_t *fetch,
    ngx_registry_span_t *command)
{
    char                     *words;
    char                     *argv[NGX_REGISTRY_COMMAND_ARGS + 5];
    ngx_int_t                 rc;
    ngx_str_t                 output;
    ngx_registry_status_e     status;
    ngx_registry_refusal_t    refusal;

    static char  *shell[] = { "sh", "-c", "\"$@\" &", "sh" };

    words = ngx_http_registry_secret_alloc(command->len + 1);
    if (words == NULL) {
        return ngx_http_registry_fetch_error(fetch, "no memory");
    }

    ngx_memcpy(argv, shell, sizeof(shell));

    status = ngx_registry_command_split(command->data,
                                        command->data + command->len, words,
                                        argv + 4);

    if (status != NGX_REGISTRY_OK) {
        ngx_http_registry_secret_free(words);
        return ngx_http_registry_fetch_error(fetch,
                     "credential_process: %s",
                     status == NGX_REGISTRY_TOO_LONG
                     ? "too many words" : "a quote is not closed");
    }

    rc = ngx_http_registry_process_run(fetch, argv, &output);

    if (rc == NGX_OK
        && ngx_registry_credentials_parse(output.data,
                                          output.data + output.len,
                                          NGX_REGISTRY_CREDENTIALS_PROCESS,
                                          &ngx_http_registry_secret_memory,
                                          &fetch->set, &refusal)
           != NGX_REGISTRY_OK)
    {
        rc = ngx_http_registry_fetch_error(fetch,
                     "credential_process \"%s\": %s, in %uz bytes of output; "
                     "what it writes to stderr is in the error log", argv[4],
                     refusal.reason ? refusal.reason
                                    : "the answer has a \"Code\"",
                     output.len);
    }

    ngx_http_registry_secret_free(output.data);
    ngx_http_registry_secret_free(words);

    return rc;
}


static ngx_int_t
ngx_http_registry_process_run(ngx_http_registry_fetch_t *fetch, char **argv,
    ngx_str_t *output)
{
    int        fds[2];
    pid_t      pid;
    ngx_int_t  rc;

    ngx_str_null(output);

    if (pipe2(fds, O_CLOEXEC) == -1) {
        return ngx_http_registry_fetch_error(fetch,
                                     "credential_process: pipe2() failed: %s",
                                     strerror(ngx_errno));
    }

    rc = ngx_http_registry_process_spawn(argv, fds[1], &pid);

    (void) close(fds[1]);

    if (rc != NGX_OK) {
        (void) close(fds[0]);
        return ngx_http_registry_fetch_error(fetch,
                             "credential_process: \"/bin/sh\" cannot be run: "
                             "%s", strerror(ngx_errno));
    }

    rc = ngx_http_registry_process_read(fetch, fds[0], output);

    (void) close(fds[0]);

    if (rc == NGX_AGAIN) {

        /* the shell was the leader of the group that the program is in */

        (void) kill(-pid, SIGKILL);

        rc = ngx_http_registry_fetch_error(fetch,
                     "credential_process \"%s\" has not ended within %d s, "
                     "and was killed", argv[4],
                     NGX_HTTP_REGISTRY_PROCESS_TIME / 1000);
    }

    return rc;
}


static ngx_int_t
ngx_http_registry_process_spawn(char **argv, int out, pid_t *pid)
{
    int                          rc;
    sigset_t                     set;
    posix_spawnattr_t            attr;
    posix_spawn_file_actions_t   actions;

    if (posix_spawn_file_actions_init(&actions) != 0) {
        return NGX_ERROR;
    }

    if (posix_spawnattr_init(&attr) != 0) {
        (void) posix_spawn_file_actions_destroy(&actions);
        return NGX_ERROR;
    }

    /* threads of the pool block all signals, and nginx ignores some */

    (void) sigemptyset(&set);
    (void) posix_spawnattr_setsigmask(&attr, &set);
    (void) sigfillset(&set);
    (void) posix_spawnattr_setsigdefault(&attr, &set);
    (void) posix_spawnattr_setpgroup(&attr, 0);
    (void) posix_spawnattr_setflags(&attr,
                                    POSIX_SPAWN_SETSIGMASK
                                    |POSIX_SPAWN_SETSIGDEF
                                    |POSIX_SPAWN_SETPGROUP);

    rc = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY,
                                          0);
    if (rc == 0) {
        rc = posix_spawn_file_actions_adddup2(&actions, out, 1);
    }

    if (rc == 0 && ngx_http_registry_process_close(&actions) != NGX_OK) {
        rc = NGX_ENOMEM;
    }

    if (rc == 0) {
        rc = posix_spawn(pid, "/bin/sh", &actions, &attr, argv,
                         environ);
    }

    (void) posix_spawnattr_destroy(&attr);
    (void) posix_spawn_file_actions_destroy(&actions);

    if (rc != 0) {
        ngx_set_errno(rc);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Sockets of clients have no FD_CLOEXEC.
 */
static ngx_int_t
ngx_http_registry_process_close(posix_spawn_file_actions_t *actions)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)

    return (posix_spawn_file_actions_addclosefrom_np(actions, 3) == 0)
           ? NGX_OK : NGX_ERROR;

#else

    int             fd, rc;
    DIR            *dir;
    struct dirent  *de;

    dir = opendir("/proc/self/fd");
    if (dir == NULL) {
        return NGX_ERROR;
    }

    rc = 0;

    while (rc == 0 && (de = readdir(dir)) != NULL) {
        fd = ngx_atoi((u_char *) de->d_name, ngx_strlen(de->d_name));

        if (fd >= 3) {
            rc = posix_spawn_file_actions_addclose(actions, fd);
        }
    }

    (void) closedir(dir);

    return (rc == 0) ? NGX_OK : NGX_ERROR;

#endif
}


/*
 * NGX_AGAIN: it goes on for too long.
 */
static ngx_int_t
ngx_http_registry_process_read(ngx_http_registry_fetch_t *fetch, int fd,
    ngx_str_t *output)
{
    int             rc;
    ssize_t         n;
    uint64_t        end;
    struct pollfd   pfd;

    output->data =
        ngx_http_registry_secret_alloc(NGX_HTTP_REGISTRY_PROCESS_LIMIT);
    if (output->data == NULL) {
        return ngx_http_registry_fetch_error(fetch, "no memory");
    }

    end = ngx_http_registry_fetch_now() + NGX_HTTP_REGISTRY_PROCESS_TIME;

    pfd.fd = fd;
    pfd.events = POLLIN;

    for ( ;; ) {

        if (ngx_http_registry_fetch_now() >= end
            || ngx_http_registry_fetch_left(fetch) == 0)
        {
            return NGX_AGAIN;
        }

        rc = poll(&pfd, 1, NGX_HTTP_REGISTRY_PROCESS_TICK);

        if (rc == 0 || (rc == -1 && ngx_errno == NGX_EINTR)) {
            continue;
        }

        n = read(fd, output->data + output->len,
                 NGX_HTTP_REGISTRY_PROCESS_LIMIT - output->len);

        if (n == 0) {
            return NGX_OK;
        }

        if (n == -1) {
            return ngx_http_registry_fetch_error(fetch,
                                     "credential_process: read() failed: %s",
                                     strerror(ngx_errno));
        }

        output->len += n;

        if (output->len == NGX_HTTP_REGISTRY_PROCESS_LIMIT) {
            return ngx_http_registry_fetch_error(fetch,
                         "credential_process writes more than %d bytes",
                         NGX_HTTP_REGISTRY_PROCESS_LIMIT - 1);
        }
    }
}
