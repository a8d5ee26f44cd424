#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../error.h"

enum { TEMP_TRIES = 100 };

struct sl_outfile {
    char *path; /* the final place, links resolved */
    char *temp; /* beside it; NULL once committed */
    int fd;
    mode_t mode; /* permissions of the file that is replaced; 0: there is none */
    struct sl_error error;
};

static int fail(struct sl_outfile *file, const char *path, const char *why) {
    return sl_error_set(&file->error, SL_EXIT_USAGE, "%s: cannot write: %s", path, why);
}

/* Where the file will stand: path with links followed. */
static int resolve(struct sl_outfile *file, const char *path) {
    struct stat st;

    file->path = realpath(path, NULL);
    if (!file->path) {
        if (errno != ENOENT)
            return fail(file, path, strerror(errno));
        if (lstat(path, &st) == 0)
            return fail(file, path, "it is a symbolic link that leads nowhere");
        file->path = strdup(path);
        return file->path ? 0 : fail(file, path, "out of memory");
    }
    if (stat(file->path, &st) != 0)
        return fail(file, path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fail(file, path, "it is not a regular file");
    file->mode = st.st_mode & 0777;
    return 0;
}

/* Not mkstemp(3): its mode 0600 would stay with the result, and umask cannot be asked safely. */
static int create_temp(struct sl_outfile *file, const char *path) {
    size_t size = strlen(file->path) + 48;
    const char *slash = strrchr(file->path, '/');
    const char *name = slash ? slash + 1 : file->path;

    file->temp = malloc(size);
    if (!file->temp)
        return fail(file, path, "out of memory");
    for (int i = 0; i < TEMP_TRIES; i++) {
        (void)snprintf(file->temp, size, "%.*s.%s.%ld-%d", (int)(name - file->path), file->path,
                       name, (long)getpid(), i);
        file->fd = open(file->temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (file->fd >= 0 || errno != EEXIST)
            break;
    }
    if (file->fd < 0) {
        free(file->temp);
        file->temp = NULL;
        return fail(file, path, strerror(errno));
    }
    if (file->mode && fchmod(file->fd, file->mode) != 0) {
        (void)fail(file, path, strerror(errno));
        sl_outfile_give_up(file);
        return -1;
    }
    return 0;
}

struct sl_outfile *sl_outfile_open(const char *path) {
    struct sl_outfile *file = calloc(1, sizeof *file);

    if (!file)
        return NULL;
    file->fd = -1;
    if (resolve(file, path) == 0)
        (void)create_temp(file, path);
    return file;
}

int sl_outfile_fd(const struct sl_outfile *file) {
    return file->fd;
}

const char *sl_outfile_temp(const struct sl_outfile *file) {
    return file->temp;
}

const char *sl_outfile_error(const struct sl_outfile *file) {
    return file->error.message[0] ? file->error.message : NULL;
}

int sl_outfile_write(struct sl_outfile *file, const void *data, size_t length) {
    const char *at = data;

    if (file->error.message[0])
        return -1;
    while (length > 0) {
        ssize_t n = write(file->fd, at, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(file, file->path, strerror(errno));
        at += n;
        length -= (size_t)n;
    }
    return 0;
}

void sl_outfile_give_up(struct sl_outfile *file) {
    if (file->fd >= 0)
        (void)close(file->fd);
    if (file->temp)
        (void)unlink(file->temp);
    free(file->temp);
    file->temp = NULL;
    file->fd = -1;
}

int sl_outfile_commit(struct sl_outfile *file) {
    int closed;

    if (file->error.message[0] || !file->temp)
        return -1;
    closed = close(file->fd); /* network file systems report a full disk here */
    file->fd = -1;
    if (closed != 0 || rename(file->temp, file->path) != 0)
        return fail(file, file->path, strerror(errno));
    free(file->temp);
    file->temp = NULL;
    return 0;
}

void sl_outfile_free(struct sl_outfile *file) {
    if (!file)
        return;
    sl_outfile_give_up(file);
    free(file->path);
    free(file);
}
