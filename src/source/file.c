#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "name.h"

struct file_source {
    struct sl_source base;
    int fd;
    uint64_t offset; /* of the next byte to read */
};

static ssize_t file_read(struct sl_source *source, void *buf, size_t cap, int timeout_ms,
                         struct sl_error *err) {
    struct file_source *file = (struct file_source *)source;
    ssize_t n;

    (void)timeout_ms; /* a regular file never makes its reader wait for somebody else */
    do
        n = pread(file->fd, buf, cap, (off_t)file->offset);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return sl_error_set(err, SL_EXIT_INPUT, "%s: cannot read at byte %" PRIu64 ": %s",
                            source->name, file->offset, strerror(errno));
    file->offset += (uint64_t)n;
    atomic_fetch_add(&source->traffic.fetched, (unsigned long long)n);
    return n;
}

static ssize_t file_read_at(struct sl_source *source, void *buf, size_t cap, uint64_t offset) {
    ssize_t n;

    do
        n = pread(((struct file_source *)source)->fd, buf, cap, (off_t)offset);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        atomic_fetch_add(&source->traffic.fetched, (unsigned long long)n);
    return n;
}

static int file_seek(struct sl_source *source, uint64_t offset, struct sl_error *err) {
    struct file_source *file = (struct file_source *)source;

    if (offset > INT64_MAX)
        return sl_error_set(err, SL_EXIT_INPUT, "%s: no file has a byte %" PRIu64, source->name,
                            offset);
    file->offset = offset;
    return 0;
}

static void file_close(struct sl_source *source) {
    struct file_source *file = (struct file_source *)source;

    (void)close(file->fd); /* read only: nothing can be lost here */
    free(source->name);
    free(file);
}

static const struct sl_source_ops file_ops = {file_read, file_seek, file_close, file_read_at};

static struct sl_source *wrap_regular(int fd, char *name, off_t size, struct sl_error *err) {
    struct file_source *file = calloc(1, sizeof *file);

    if (!file) {
        sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", name);
        free(name);
        (void)close(fd);
        return NULL;
    }
    file->base = (struct sl_source){.ops = &file_ops, .name = name, .size = (int64_t)size};
    file->fd = fd;
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* only a hint */
    return &file->base;
}

/* Decides by what the path turned out to be: a FIFO, a device and /dev/fd/N are read as pipes. */
static struct sl_source *wrap_descriptor(int fd, char *name, struct sl_error *err) {
    struct stat st;
    struct sl_source *source = NULL;

    if (fstat(fd, &st) != 0) {
        sl_error_set(err, SL_EXIT_INPUT, "%s: cannot be examined: %s", name, strerror(errno));
    } else if (S_ISDIR(st.st_mode)) {
        sl_error_set(err, SL_EXIT_INPUT, "%s: is a directory; name the capture files in it", name);
    } else if (S_ISREG(st.st_mode)) {
        return wrap_regular(fd, name, st.st_size, err);
    } else {
        source = sl_source_pipe_open(fd, name, err);
        free(name);
        return source;
    }
    free(name);
    (void)close(fd);
    return NULL;
}

struct sl_source *sl_source_file_open(const char *path, struct sl_error *err) {
    char *name = sl_source_name_copy(path);
    int fd;

    if (!name) {
        sl_error_set(err, SL_EXIT_INPUT, "out of memory");
        return NULL;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == EINTR) { /* a FIFO that nobody writes to */
        sl_error_set(err, SL_EXIT_INTERRUPTED, "%s: interrupted before its first bytes came", name);
        free(name);
        return NULL;
    }
    if (fd < 0) {
        sl_error_set(err, SL_EXIT_INPUT, "%s: cannot be opened: %s", name, strerror(errno));
        free(name);
        return NULL;
    }
    return wrap_descriptor(fd, name, err);
}
