#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { BLOCK_MAX = 1 << 28, READ_BYTES = 256 * 1024 };

struct sl_log_reader {
    char *path;
    int fd;
    uint64_t offset, left; /* in the file: where the next block begins, and bytes from there on */
    uint32_t crc, crc_at_end;
    uint8_t *bytes; /* [at, n) have been read and not been given out */
    size_t at, n, room;
};

static int damaged(const struct sl_log_reader *r, struct sl_error *err) {
    return sl_error_set(err, SL_EXIT_INPUT, "%s: byte %llu: it is damaged or cut: write it again",
                        r->path, (unsigned long long)r->offset);
}

struct sl_log_reader *sl_log_open(const struct sl_log_part *part, struct sl_error *err) {
    struct sl_log_reader *r = calloc(1, sizeof *r);

    if (!r || !(r->bytes = malloc(r->room = READ_BYTES)) || !(r->path = strdup(part->path))) {
        if (r)
            free(r->bytes);
        free(r);
        sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", part->path);
        return NULL;
    }
    r->offset = part->offset;
    r->left = part->size;
    r->crc_at_end = part->crc;
    r->fd = open(part->path, O_RDONLY | O_CLOEXEC);
    if (r->fd >= 0 && lseek(r->fd, (off_t)part->offset, SEEK_SET) >= 0)
        return r;
    sl_error_set(err, SL_EXIT_INPUT, "%s: cannot be read: %s", part->path, strerror(errno));
    sl_log_close(r);
    return NULL;
}

void sl_log_close(struct sl_log_reader *r) {
    if (!r)
        return;
    if (r->fd >= 0)
        (void)close(r->fd);
    free(r->path);
    free(r->bytes);
    free(r);
}

/* Room for so many bytes from r->at on. */
static int make_room(struct sl_log_reader *r, size_t want) {
    memmove(r->bytes, r->bytes + r->at, r->n - r->at);
    r->n -= r->at;
    r->at = 0;
    if (want <= r->room)
        return 0;
    uint8_t *grown = realloc(r->bytes, want);
    if (!grown)
        return -1;
    r->bytes = grown;
    r->room = want;
    return 0;
}

/* Has so many bytes in memory from r->at on; no more are read than the log has. */
static int fill(struct sl_log_reader *r, size_t want) {
    if (r->n - r->at >= want)
        return 0;
    if (want > r->left || make_room(r, want) < 0)
        return -1;
    while (r->n < want) {
        uint64_t unread = r->left - r->n;
        size_t most = r->room - r->n < unread ? r->room - r->n : (size_t)unread;
        ssize_t got = read(r->fd, r->bytes + r->n, most);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        r->n += (size_t)got;
    }
    return 0;
}

static uint32_t number_at(const struct sl_log_reader *r, size_t at) {
    struct sl_cursor c = {r->bytes + r->at, r->bytes + r->n};

    return sl_le32(&c, at);
}

int sl_log_next(struct sl_log_reader *r, struct sl_cursor *block, struct sl_error *err) {
    if (!r->left)
        return r->crc == r->crc_at_end ? 0 : damaged(r, err);
    if (fill(r, SL_LOG_SIZE_BYTES) < 0)
        return damaged(r, err);
    uint32_t size = number_at(r, 0);
    if (size <= SL_LOG_CRC_BYTES || size > BLOCK_MAX ||
        fill(r, SL_LOG_SIZE_BYTES + (size_t)size) < 0)
        return damaged(r, err);
    size -= SL_LOG_CRC_BYTES;
    r->crc = (uint32_t)crc32_z(r->crc, r->bytes + r->at, SL_LOG_SIZE_BYTES + size);
    if (r->crc != number_at(r, SL_LOG_SIZE_BYTES + size))
        return damaged(r, err);
    const uint8_t *begin = r->bytes + r->at + SL_LOG_SIZE_BYTES;
    *block = (struct sl_cursor){begin, begin + size};
    r->at += SL_LOG_SIZE_BYTES + size + SL_LOG_CRC_BYTES;
    r->left -= SL_LOG_SIZE_BYTES + size + SL_LOG_CRC_BYTES;
    r->offset += SL_LOG_SIZE_BYTES + size + SL_LOG_CRC_BYTES;
    return 1;
}

int sl_log_check(const struct sl_log_part *part, struct sl_error *err) {
    struct sl_log_reader *r = sl_log_open(part, err);
    struct sl_cursor block;
    int found = r ? 1 : -1;

    while (found > 0)
        found = sl_log_next(r, &block, err);
    sl_log_close(r);
    return found;
}
