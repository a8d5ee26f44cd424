/* Buffered output to standard output or to a file (abi.h). A file is written beside its place and
 * renamed when it is whole, so that nobody meets half a result under its name. */
#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OUT_BUFFER = 64 * 1024 };

struct sl_out {
    int fd;
    char *path; /* NULL: standard output */
    char *temporary; /* NULL: path is written to directly (a device or a pipe) */
    size_t used;
    int failed; /* errno of the first failed write; 0: none */
    char error[512];
    char buffer[OUT_BUFFER];
};

static int fail(struct sl_out *o, int number) {
    o->failed = number;
    snprintf(o->error, sizeof o->error, "%s: cannot write: %s", o->path ? o->path : "standard output",
             strerror(number));
    return -1;
}

static int open_file(struct sl_out *o, const char *path) {
    struct stat st;
    size_t size = strlen(path) + 16;

    if (!(o->path = strdup(path)))
        return fail(o, ENOMEM);
    if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
        o->fd = open(path, O_WRONLY | O_CLOEXEC);
        return o->fd < 0 ? fail(o, errno) : 0;
    }
    if (!(o->temporary = malloc(size)))
        return fail(o, ENOMEM);
    snprintf(o->temporary, size, "%s.%s", path, "XXXXXX");
    o->fd = mkostemp(o->temporary, O_CLOEXEC);
    if (o->fd < 0)
        return fail(o, errno);
    mode_t mask = umask(0);
    umask(mask);
    (void)fchmod(o->fd, 0666 & ~mask); /* mkostemp makes files for the owner alone */
    return 0;
}

static void free_out(struct sl_out *o) {
    if (o->fd > STDERR_FILENO)
        close(o->fd);
    free(o->path);
    free(o->temporary);
    free(o);
}

struct sl_out *sl_out_open(const char *path, char *message, size_t size) {
    struct sl_out *o = calloc(1, sizeof *o);

    if (!o) {
        snprintf(message, size, "out of memory");
        return NULL;
    }
    o->fd = STDOUT_FILENO;
    if (path && open_file(o, path) < 0) {
        snprintf(message, size, "%s", o->error);
        free_out(o);
        return NULL;
    }
    return o;
}

int sl_out_flush(struct sl_out *o) {
    size_t done = 0;

    while (!o->failed && done < o->used) {
        ssize_t n = write(o->fd, o->buffer + done, o->used - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            fail(o, errno);
    }
    o->used = 0;
    return o->failed ? -1 : 0;
}

int sl_out_write(struct sl_out *o, const char *data, size_t size) {
    while (size) {
        size_t room = OUT_BUFFER - o->used;
        size_t n = size < room ? size : room;
        memcpy(o->buffer + o->used, data, n);
        o->used += n;
        data += n;
        size -= n;
        if (o->used == OUT_BUFFER && sl_out_flush(o) < 0)
            return -1;
    }
    return o->failed ? -1 : 0;
}

char *sl_out_reserve(struct sl_out *o, size_t size) {
    if (OUT_BUFFER - o->used < size)
        (void)sl_out_flush(o);
    return o->buffer + o->used;
}

void sl_out_advance(struct sl_out *o, const char *end) {
    o->used = (size_t)(end - o->buffer);
}

int sl_out_close(struct sl_out *o, int keep, char *message, size_t size) {
    (void)sl_out_flush(o);
    if (o->temporary) {
        if (close(o->fd) < 0 && !o->failed)
            fail(o, errno);
        o->fd = -1;
        if (!o->failed && keep && rename(o->temporary, o->path) < 0)
            fail(o, errno);
        if (o->failed || !keep)
            unlink(o->temporary);
    }
    int failed = o->failed != 0;
    snprintf(message, size, "%s", o->error);
    free_out(o);
    return failed ? -1 : 0;
}

const char *sl_out_error(const struct sl_out *o) {
    return o->failed ? o->error : NULL;
}

int sl_out_closed(const struct sl_out *o) {
    return o->failed == EPIPE;
}
