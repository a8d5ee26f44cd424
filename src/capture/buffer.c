#include "buffer.h"

#include <stdlib.h>
#include <string.h>

int sl_buffer_init(struct sl_buffer *b, struct sl_source *source, struct sl_error *err) {
    *b = (struct sl_buffer){
        .source = source, .capacity = 2 * SL_BUFFER_READ_BYTES, .enough = UINT64_MAX};
    b->data = malloc(b->capacity);
    if (!b->data)
        return sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", source->name);
    return 0;
}

void sl_buffer_free(struct sl_buffer *b) {
    free(b->data);
    b->data = NULL;
}

/* Makes room behind the window for `want` bytes in all and at least one block's read. */
static int make_room(struct sl_buffer *b, size_t want, struct sl_error *err) {
    size_t size = sl_buffer_size(b);

    if (b->start) {
        memmove(b->data, b->data + b->start, size);
        b->start = 0;
        b->end = size;
    }
    if (want <= b->capacity)
        return 0;
    uint8_t *grown = realloc(b->data, want);
    if (!grown)
        return sl_error_set(err, SL_EXIT_INPUT,
                            "%s: out of memory for a record of %zu bytes at byte %llu",
                            b->source->name, want, (unsigned long long)b->offset);
    b->data = grown;
    b->capacity = want;
    return 0;
}

/* How much to ask the source for at once, to get `want` bytes into the window. */
static size_t next_read(const struct sl_buffer *b, size_t want) {
    size_t room = b->capacity - b->end, missing = want - sl_buffer_size(b);
    uint64_t at = b->offset + sl_buffer_size(b);

    if (room > SL_BUFFER_READ_BYTES)
        room = SL_BUFFER_READ_BYTES;
    if (at + missing >= b->enough)
        return missing < room ? missing : room;
    return room < b->enough - at ? room : (size_t)(b->enough - at);
}

enum sl_more sl_buffer_more(struct sl_buffer *b, size_t want, int timeout_ms,
                            struct sl_error *err) {
    if (want > SL_BUFFER_MAX_BYTES)
        return (enum sl_more)sl_error_set(err, SL_EXIT_INPUT,
                                          "%s: a record of %zu bytes at byte %llu is too large",
                                          b->source->name, want, (unsigned long long)b->offset);
    while (sl_buffer_size(b) < want) {
        if (make_room(b, want, err) < 0)
            return SL_MORE_ERROR;
        ssize_t n =
            b->source->ops->read(b->source, b->data + b->end, next_read(b, want), timeout_ms, err);
        if (n == SL_SOURCE_WAIT)
            return SL_MORE_WAIT;
        if (n < 0)
            return SL_MORE_ERROR;
        if (n == 0)
            return SL_MORE_END;
        b->end += (size_t)n;
    }
    return SL_MORE_OK;
}

enum sl_more sl_buffer_skip(struct sl_buffer *b, uint64_t *left, int timeout_ms,
                            struct sl_error *err) {
    for (;;) {
        size_t here = sl_buffer_size(b);
        size_t n = *left < here ? (size_t)*left : here;
        sl_buffer_consume(b, n);
        *left -= n;
        if (!*left)
            return SL_MORE_OK;
        enum sl_more more = sl_buffer_more(b, 1, timeout_ms, err);
        if (more != SL_MORE_OK)
            return more;
    }
}
