#include "stretch.h"

#include "format.h"
#include "state.h"

#include <stdlib.h>
#include <string.h>

enum {
    AT_ONCE = 128,
    ROOM = 64 * 1024 /* before what is loaded: for the part of a record that lies before it */
};

void sl_stretch_free(struct sl_stretch *b) {
    free(b->memory);
    sl_reader_state_free(b->state);
    *b = (struct sl_stretch){0};
}

uint64_t sl_stretch_end(uint64_t from, size_t bytes) {
    return ((from + bytes / 2) / bytes + 1) * bytes;
}

/* Passes over whole records that begin before `until`, and looks at them no further than parse
 * does. */
static int parse_records(struct sl_reader *r, struct sl_stretch *b, uint64_t until, uint32_t max,
                         struct sl_error *err) {
    struct sl_packet packets[AT_ONCE];
    int n = 0;

    while (r->buffer.offset < until && (n = r->format->parse(r, packets, max, err)) > 0) {
        if (!b->packets)
            b->first = packets[0].ts;
        b->packets += (uint32_t)n;
    }
    return n;
}

/* The records up to there. Which ones these are does not depend on what the window holds beyond it
 * where the format can pass. */
static int pass_records(struct sl_reader *r, struct sl_stretch *b, uint64_t until,
                        struct sl_error *err) {
    int one_by_one = r->format->pass || /* or what tests want: */
                     until - r->buffer.offset < AT_ONCE * AT_ONCE;
    int n = 0;

    b->packets = r->format->pass ? r->format->pass(r, until, &b->first) : 0;
    if (!b->packets)
        n = parse_records(r, b, until, one_by_one ? 1 : AT_ONCE, err);
    r->packets += b->packets;
    /* Damage is met again at the next cut, which begins with it. */
    return b->packets ? (int)b->packets : n;
}

/* Gives the window away to the block, and goes on in the block's memory with what is left. */
static int swap_windows(struct sl_reader *r, struct sl_stretch *b, size_t start,
                        struct sl_error *err) {
    struct sl_buffer *w = &r->buffer;
    size_t left = sl_buffer_size(w);

    if (b->capacity < w->capacity) {
        uint8_t *grown = realloc(b->memory, w->capacity);
        if (!grown)
            return sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory at byte %llu",
                                w->source->name, (unsigned long long)w->offset);
        b->memory = grown;
        b->capacity = w->capacity;
    }
    memcpy(b->memory, sl_buffer_at(w), left);
    struct sl_buffer old = *w;
    w->data = b->memory;
    w->capacity = b->capacity;
    w->start = 0;
    w->end = left;
    b->memory = old.data;
    b->capacity = old.capacity;
    b->start = start;
    b->end = old.start;
    return 0;
}

static int cut(struct sl_reader *r, struct sl_stretch *b, uint64_t until, struct sl_error *err) {
    size_t start = r->buffer.start;

    b->source = r->buffer.source;
    b->offset = r->buffer.offset;
    b->before = r->packets;
    sl_reader_state_free(b->state);
    if (!(b->state = sl_reader_state(r, err)))
        return -1;
    int n = pass_records(r, b, until, err);
    return n > 0 && swap_windows(r, b, start, err) < 0 ? -1 : n;
}

/* ---- read by somebody else ---- */

uint64_t sl_reader_load_from(const struct sl_reader *r) {
    int can = r->buffer.source->ops->read_at && r->format->pass && !r->skip &&
              r->buffer.enough == UINT64_MAX && sl_buffer_size(&r->buffer) <= ROOM;

    return can ? r->buffer.offset + sl_buffer_size(&r->buffer) : 0;
}

void sl_stretch_load(struct sl_stretch *b, const struct sl_reader *r, uint64_t at, size_t bytes) {
    struct sl_source *source = r->buffer.source;
    size_t size = (size_t)(sl_stretch_end(at, bytes) - at);
    ssize_t n = 1;

    b->loaded = 0;
    b->loaded_at = at;
    if (b->capacity < ROOM + size) {
        uint8_t *grown = realloc(b->memory, ROOM + size);
        if (!grown)
            return;
        b->memory = grown;
        b->capacity = ROOM + size;
    }
    while (b->loaded < size && n > 0) {
        n = source->ops->read_at(source, b->memory + ROOM + b->loaded, size - b->loaded,
                                 at + b->loaded);
        b->loaded += n > 0 ? (size_t)n : 0;
    }
}

/* Goes on in the memory of what was loaded, behind what is left in the window, and leaves its own
 * to the stretch. */
static void take_loaded(struct sl_reader *r, struct sl_stretch *b) {
    struct sl_buffer *w = &r->buffer, own = *w;
    size_t left = sl_buffer_size(w), loaded = b->loaded;
    struct sl_error ignored;

    b->loaded = 0;
    if (!loaded || b->loaded_at != sl_reader_load_from(r) ||
        w->source->ops->seek(w->source, b->loaded_at + loaded, &ignored) < 0)
        return;
    w->data = b->memory;
    w->capacity = b->capacity;
    w->start = ROOM - left;
    w->end = ROOM + loaded;
    memcpy(w->data + w->start, own.data + own.start, left);
    b->memory = own.data;
    b->capacity = own.capacity;
}

int sl_reader_cut(struct sl_reader *r, struct sl_stretch *b, size_t bytes, int timeout_ms,
                  struct sl_error *err) {
    take_loaded(r, b);
    for (;;) {
        uint64_t until = sl_stretch_end(r->buffer.offset, bytes);
        size_t want = (size_t)(until - r->buffer.offset);
        if (sl_buffer_size(&r->buffer) < want && !r->skip) {
            enum sl_more more = sl_buffer_more(&r->buffer, want, timeout_ms, err);
            if (more == SL_MORE_ERROR && !sl_buffer_size(&r->buffer))
                return SL_READ_ERROR;
        }
        int n = r->skip ? 0 : cut(r, b, until, err);
        if (n > 0)
            return n;
        if (n < 0)
            return sl_reader_failed(r, err);
        n = sl_reader_fetch(r, timeout_ms, err);
        if (n <= 0)
            return n;
    }
}

/* ---- reading them ---- */

/* It never comes to asking for more than the block holds: the reader's limit is its end. */
struct sl_reader *sl_reader_of_stretches(struct sl_error *err) {
    struct sl_reader *r = calloc(1, sizeof *r);

    if (!r)
        sl_error_set(err, SL_EXIT_INPUT, "out of memory");
    return r;
}

void sl_reader_of_stretches_close(struct sl_reader *r) {
    if (r && r->format)
        r->format->free(r->state);
    free(r);
}

void sl_reader_give(struct sl_reader *r, struct sl_stretch *b) {
    if (r->format)
        r->format->free(r->state);
    r->format = b->state->format;
    r->state = b->state->of_format;
    free(b->state); /* its content is the reader's now */
    b->state = NULL;
    r->buffer = (struct sl_buffer){.source = b->source,
                                   .data = b->memory,
                                   .capacity = b->capacity,
                                   .start = b->start,
                                   .end = b->end,
                                   .offset = b->offset,
                                   .enough = UINT64_MAX};
    r->limit = b->offset + (b->end - b->start);
    r->packets = r->before = b->before;
}
