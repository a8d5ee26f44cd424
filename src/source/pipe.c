#include "source.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "name.h"

struct pipe_source {
    struct sl_source base;
    int fd;
    uint64_t offset; /* bytes handed out so far, for messages */
};

static int fail(const struct pipe_source *pipe, struct sl_error *err) {
    return sl_error_set(err, SL_EXIT_INPUT, "%s: cannot read at byte %" PRIu64 ": %s",
                        pipe->base.name, pipe->offset, strerror(errno));
}

/* A signal ends the wait as a timeout does: the caller looks whether it shall stop. */
static ssize_t pipe_read(struct sl_source *source, void *buf, size_t cap, int timeout_ms,
                         struct sl_error *err) {
    struct pipe_source *pipe = (struct pipe_source *)source;
    struct pollfd wanted = {.fd = pipe->fd, .events = POLLIN};
    int ready = poll(&wanted, 1, timeout_ms);
    ssize_t n;

    if (ready == 0 || (ready < 0 && errno == EINTR))
        return SL_SOURCE_WAIT;
    if (ready < 0)
        return fail(pipe, err);
    n = read(pipe->fd, buf, cap);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) /* or another reader of it was faster */
        return SL_SOURCE_WAIT;
    if (n < 0)
        return fail(pipe, err);
    pipe->offset += (uint64_t)n;
    return n;
}

static void pipe_close(struct sl_source *source) {
    struct pipe_source *pipe = (struct pipe_source *)source;

    (void)close(pipe->fd);
    free(source->name);
    free(pipe);
}

static const struct sl_source_ops pipe_ops = {pipe_read, NULL, pipe_close, NULL};

struct sl_source *sl_source_pipe_open(int fd, const char *name, struct sl_error *err) {
    struct pipe_source *pipe = calloc(1, sizeof *pipe);
    char *copy = sl_source_name_copy(name);

    if (!pipe || !copy) {
        sl_error_set(err, SL_EXIT_INPUT, "out of memory");
        free(pipe);
        free(copy);
        (void)close(fd);
        return NULL;
    }
    pipe->base = (struct sl_source){.ops = &pipe_ops, .name = copy, .size = -1};
    pipe->fd = fd;
    return &pipe->base;
}
