/* A window over a source: the bytes [start, end) of the input that are in memory and not consumed.
 *
 *     data        data+start            data+end         data+capacity
 *      | consumed  | whole and cut records | free           |
 *                  ^ input offset `offset`
 *
 * Records are parsed in place. Only sl_buffer_more moves bytes, so every pointer into the window
 * stays good until it is called.
 */
#ifndef SL_CAPTURE_BUFFER_H
#define SL_CAPTURE_BUFFER_H

#include "../source/source.h"

enum { SL_BUFFER_READ_BYTES = 512 * 1024, SL_BUFFER_MAX_BYTES = 32 * 1024 * 1024 };

struct sl_buffer {
    struct sl_source *source; /* borrowed */
    uint8_t *data;
    size_t capacity, start, end;
    uint64_t offset; /* of data[start] in the input */
    uint64_t enough; /* from this offset of the input on nothing is read that is not wanted */
};

enum sl_more { SL_MORE_ERROR = -1, SL_MORE_WAIT = -2, SL_MORE_END = 0, SL_MORE_OK = 1 };

int sl_buffer_init(struct sl_buffer *, struct sl_source *, struct sl_error *) SL_USED;
void sl_buffer_free(struct sl_buffer *);

static inline size_t sl_buffer_size(const struct sl_buffer *b) {
    return b->end - b->start;
}
static inline const uint8_t *sl_buffer_at(const struct sl_buffer *b) {
    return b->data + b->start;
}
/* Forgets the window: what is read next from the source lies at this offset of the input. */
static inline void sl_buffer_restart(struct sl_buffer *b, uint64_t offset) {
    b->start = b->end = 0;
    b->offset = offset;
}
/* n must not be above sl_buffer_size. */
static inline void sl_buffer_consume(struct sl_buffer *b, size_t n) {
    b->start += n;
    b->offset += n;
}

/* Reads on until at least `want` bytes (at most SL_BUFFER_MAX_BYTES) are in the window.
 * SL_MORE_END: the input ended first; what is there stays. SL_MORE_WAIT: timeout_ms went by. */
enum sl_more sl_buffer_more(struct sl_buffer *, size_t want, int timeout_ms, struct sl_error *);

/* Consumes n bytes that need not be in the window; *left is what is still to skip after
 * SL_MORE_WAIT (call again with it). */
enum sl_more sl_buffer_skip(struct sl_buffer *, uint64_t *left, int timeout_ms, struct sl_error *);

#endif
