#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../error.h"
#include "outfile.h"

enum {
    SAID_MAX = 4096,
    ROOM = 1 << 20 /* of what we write and it has not read; as much as the system allows */
};

struct sl_child {
    pid_t pid; /* 0: not running */
    int in;    /* our end of its standard input, -1: closed */
    int said;  /* our end of its standard error, -1: closed */
    int missing;
    int deaf; /* it stopped reading before the end */
    size_t text_len;
    char text[SAID_MAX]; /* the beginning of what it said */
    char name[64];
    struct sl_error error;
};

static int fail(struct sl_child *child, const char *what, int number) {
    return sl_error_set(&child->error, SL_EXIT_USAGE, "%s: %s: %s", child->name, what,
                        strerror(number));
}

static void close_fd(int *fd) {
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* The child's signals as a fresh program expects them, whatever ours are. */
static int set_attributes(posix_spawnattr_t *attributes) {
    sigset_t none, pipe_only;
    int rc;

    (void)sigemptyset(&none);
    (void)sigemptyset(&pipe_only);
    (void)sigaddset(&pipe_only, SIGPIPE);
    rc = posix_spawnattr_setsigmask(attributes, &none);
    rc = rc ? rc : posix_spawnattr_setsigdefault(attributes, &pipe_only);
    return rc ? rc
              : posix_spawnattr_setflags(attributes,
                                         POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* Our environment with variable ("NAME=value" or NULL) in place of its namesake. The strings are
 * borrowed; the list is the caller's to free. NULL: no memory. */
static const char **environment_with(const char *variable) {
    size_t count = 0, kept = 0, name = variable ? strcspn(variable, "=") + 1 : 0;
    const char **list;

    while (environ[count])
        count++;
    list = calloc(count + 2, sizeof *list);
    if (!list)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (!variable || strncmp(environ[i], variable, name) != 0)
            list[kept++] = environ[i];
    list[kept] = variable;
    return list;
}

/* What the child becomes: its program, and the variable to set for it. */
struct program {
    const char *const *argv;
    const char *variable;
};

/* POSIX takes char *const[] but does not write to the strings. */
static char *const *writable(const char *const list[]) {
    return (char *const *)(uintptr_t)list;
}

static int spawn(struct sl_child *child, const struct program *program, int in, int out, int err) {
    const char **environment = environment_with(program->variable);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int rc = environment ? 0 : ENOMEM;

    if (rc)
        return rc;
    rc = posix_spawn_file_actions_init(&actions);
    if (rc) {
        free(environment);
        return rc;
    }
    rc = posix_spawnattr_init(&attributes);
    if (!rc) {
        rc = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
        rc = rc ? rc : posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
        rc = rc ? rc : posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
        rc = rc ? rc : set_attributes(&attributes);
        rc = rc ? rc
                : posix_spawnp(&child->pid, program->argv[0], &actions, &attributes,
                               writable(program->argv), writable(environment));
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    free(environment);
    return rc;
}

/* A socket instead of a pipe as its standard input: send(2) can do without SIGPIPE. */
static int start(struct sl_child *child, const struct program *program, int out) {
    int in[2] = {-1, -1}, err[2] = {-1, -1}, rc = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0 || pipe2(err, O_CLOEXEC) != 0)
        rc = errno;
    else
        rc = spawn(child, program, in[1], out, err[1]);
    (void)setsockopt(in[0], SOL_SOCKET, SO_SNDBUF, &(int){ROOM}, sizeof(int));
    close_fd(&in[1]);
    close_fd(&err[1]);
    child->in = in[0];
    child->said = err[0];
    if (!rc)
        return 0;
    child->pid = 0;
    child->missing = rc == ENOENT;
    return fail(child, "cannot start", rc);
}

struct sl_child *sl_child_start(const char *const argv[], const char *variable,
                                struct sl_outfile *out) {
    const struct program program = {argv, variable};
    struct sl_child *child = calloc(1, sizeof *child);

    if (!child)
        return NULL;
    child->in = child->said = -1;
    (void)strncpy(child->name, argv[0], sizeof child->name - 1);
    (void)start(child, &program, sl_outfile_fd(out));
    return child;
}

/* Reads once what the child says; beyond SAID_MAX it is dropped. Closes at its end. */
static void listen_once(struct sl_child *child) {
    char chunk[1024];
    size_t room = SAID_MAX - child->text_len;
    ssize_t n = read(child->said, chunk, sizeof chunk);

    if (n < 0 && errno == EINTR)
        return;
    if (n <= 0) {
        close_fd(&child->said);
        return;
    }
    if ((size_t)n < room)
        room = (size_t)n;
    memcpy(child->text + child->text_len, chunk, room);
    child->text_len += room;
}

int sl_child_write(struct sl_child *child, const void *data, size_t length) {
    const char *at = data;

    while (length > 0) {
        struct pollfd fds[2] = {{.fd = child->in, .events = POLLOUT},
                                {.fd = child->said, .events = POLLIN}};
        ssize_t n;

        if (child->in < 0)
            return -1;
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return fail(child, "cannot write", errno);
        if (fds[1].revents)
            listen_once(child);
        if (!fds[0].revents)
            continue;
        n = send(child->in, at, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) {
            child->deaf = 1; /* sl_child_finish() says why */
            close_fd(&child->in);
            return -1;
        }
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return fail(child, "cannot write", errno);
        if (n > 0) {
            at += n;
            length -= (size_t)n;
        }
    }
    return 0;
}

/* The last line that is not blank: gnuplot prints the failing command first, then what is wrong. */
static void last_line(const struct sl_child *child, const char **line, int *length) {
    size_t end = child->text_len, begin;

    while (end > 0 && strchr(" \t\r\n", child->text[end - 1]))
        end--;
    begin = end;
    while (begin > 0 && child->text[begin - 1] != '\n')
        begin--;
    while (begin < end && strchr(" \t", child->text[begin]))
        begin++;
    *line = child->text + begin;
    *length = (int)(end - begin);
}

static int judge(struct sl_child *child, int status) {
    const char *line;
    int length;

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && child->deaf)
        return sl_error_set(&child->error, SL_EXIT_USAGE, "%s: ended before it had read everything",
                            child->name);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return child->error.message[0] ? -1 : 0;
    last_line(child, &line, &length);
    if (WIFSIGNALED(status))
        return sl_error_set(&child->error, SL_EXIT_USAGE, "%s: ended by signal %d: %.*s",
                            child->name, WTERMSIG(status), length, line);
    return sl_error_set(&child->error, SL_EXIT_USAGE, "%s: failed with exit status %d: %.*s",
                        child->name, WEXITSTATUS(status), length, line);
}

int sl_child_finish(struct sl_child *child) {
    int status = 0;
    pid_t pid;

    if (child->pid == 0)
        return -1;
    close_fd(&child->in);
    while (child->said >= 0)
        listen_once(child);
    do
        pid = waitpid(child->pid, &status, 0);
    while (pid < 0 && errno == EINTR);
    child->pid = 0;
    return pid < 0 ? fail(child, "cannot wait for it", errno) : judge(child, status);
}

const char *sl_child_error(const struct sl_child *child) {
    return child->error.message[0] ? child->error.message : NULL;
}

int sl_child_missing(const struct sl_child *child) {
    return child->missing;
}

void sl_child_free(struct sl_child *child) {
    if (!child)
        return;
    if (child->pid > 0) {
        (void)kill(child->pid, SIGKILL);
        (void)sl_child_finish(child);
    }
    close_fd(&child->in);
    close_fd(&child->said);
    free(child);
}
