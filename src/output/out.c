/* Buffered output to standard output or to a file (abi.h). */
#include "out.h"

#include "../error.h"
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OUT_BUFFER = 256 * 1024 };

struct sl_out {
    struct sl_outfile *file; /* NULL: fd is standard output or a device */
    int fd, closed;
    size_t used;
    struct sl_error error; /* code 0: none */
    char buffer[OUT_BUFFER];
};

static int open_path(struct sl_out *o, const char *path, struct sl_error *err) {
    struct stat st;

    if (!stat(path, &st) && (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode))) {
        o->fd = open(path, O_WRONLY | O_CLOEXEC);
        if (o->fd < 0)
            return sl_error_set(err, SL_EXIT_USAGE, "%s: cannot write: %s", path, strerror(errno));
        return 0;
    }
    o->file = sl_outfile_open(path);
    if (!o->file)
        return sl_error_set(err, SL_EXIT_USAGE, "%s: out of memory", path);
    if (sl_outfile_error(o->file))
        return sl_error_set(err, SL_EXIT_USAGE, "%s", sl_outfile_error(o->file));
    o->fd = sl_outfile_fd(o->file);
    return 0;
}

static void free_out(struct sl_out *o) {
    if (!o->file && o->fd > STDERR_FILENO)
        close(o->fd);
    sl_outfile_free(o->file);
    free(o);
}

struct sl_out *sl_out_open(const char *path, struct sl_error *err) {
    struct sl_out *o = calloc(1, sizeof *o);

    if (!o) {
        sl_error_set(err, SL_EXIT_USAGE, "out of memory");
        return NULL;
    }
    o->fd = STDOUT_FILENO;
    if (path && open_path(o, path, err) < 0) {
        free_out(o);
        return NULL;
    }
    return o;
}

static void write_out(struct sl_out *o) {
    size_t done = 0;

    while (done < o->used && !o->error.code) {
        ssize_t n = write(o->fd, o->buffer + done, o->used - done);
        if (n >= 0) {
            done += (size_t)n;
        } else if (errno != EINTR) {
            o->closed = errno == EPIPE;
            sl_error_set(&o->error, SL_EXIT_USAGE, "cannot write the result: %s", strerror(errno));
        }
    }
}

int sl_out_flush(struct sl_out *o) {
    if (o->file && o->used) {
        if (!o->error.code && sl_outfile_write(o->file, o->buffer, o->used) < 0)
            sl_error_set(&o->error, SL_EXIT_USAGE, "%s", sl_outfile_error(o->file));
    } else {
        write_out(o);
    }
    o->used = 0;
    return o->error.code ? -1 : 0;
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
    return o->error.code ? -1 : 0;
}

char *sl_out_reserve(struct sl_out *o, size_t size) {
    if (OUT_BUFFER - o->used < size)
        (void)sl_out_flush(o);
    return o->buffer + o->used;
}

void sl_out_advance(struct sl_out *o, const char *end) {
    o->used = (size_t)(end - o->buffer);
}

int sl_out_close(struct sl_out *o, int keep, struct sl_error *err) {
    int result = sl_out_flush(o);

    if (!result && keep && o->file && sl_outfile_commit(o->file) < 0)
        result = sl_error_set(&o->error, SL_EXIT_USAGE, "%s", sl_outfile_error(o->file));
    *err = o->error;
    free_out(o);
    return result;
}

const struct sl_error *sl_out_error(const struct sl_out *o) {
    return &o->error;
}

int sl_out_closed(const struct sl_out *o) {
    return o->closed;
}

int sl_out_columns(const struct sl_out *o) {
    struct winsize size;

    return ioctl(o->fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int sl_out_lines(const struct sl_out *o) {
    struct winsize size;

    return ioctl(o->fd, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}
