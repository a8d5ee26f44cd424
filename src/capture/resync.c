#include "resync.h"

#include <stdlib.h>

#include "format.h"

enum {
    /* A chain from the last byte that is tried, its last record, and the next one's header. */
    WINDOW_MAX = SL_RESYNC_SCAN + SL_RESYNC_SURE + SL_LOOK_MAX_BYTES + 64,
    MARGIN = 16 * 1024, /* read beyond the chain's span at first */
    WEAK_RUN_MAX = 8,
    RECORDS_MIN = 4 /* large records span enough with too few headers to believe */
};

struct search {
    const struct sl_format *format;
    const void *state; /* of the format */
    struct sl_buffer *buffer;
    int timely;       /* places with times far from the state's are not believed */
    int at_end;       /* the window reaches to the end of the source */
    size_t span;      /* bytes that a chain must span */
    uint8_t *refuted; /* a bit for each byte of the window: a chain that came by here broke */
};

enum verdict { BROKEN, DOUBTFUL, GOOD, SHORT };

static int refuted(const struct search *s, size_t at) {
    return s->refuted[at / 8] >> at % 8 & 1;
}

/* Follows the chain that starts at `from`; *broke is where a broken one does.
 *
 * Payload that looks like a header often comes just before a true one (zeros that pad a frame,
 * small numbers) and leads on to it: so the first two records must not be weak. */
static enum verdict judge(const struct search *s, size_t from, size_t *broke) {
    const uint8_t *window = sl_buffer_at(s->buffer);
    size_t size = sl_buffer_size(s->buffer);
    struct sl_chain chain = {.state = s->state, .timely = s->timely};
    int weak_run = 0;
    int64_t record;

    for (size_t at = from;; at += (size_t)record) {
        *broke = at;
        if (at == size && s->at_end)
            return at > from ? GOOD : BROKEN;
        if (at > size)
            return s->at_end ? BROKEN : SHORT;
        if (at < size && refuted(s, at))
            return BROKEN;
        record = s->format->look(&chain, window + at, size - at);
        if (record == SL_LOOK_SHORT)
            return s->at_end ? BROKEN : SHORT;
        weak_run = chain.weak ? weak_run + 1 : 0;
        if (record == 0 || weak_run > WEAK_RUN_MAX)
            return BROKEN;
        if (chain.weak && chain.records <= 2)
            return DOUBTFUL;
        if (at - from >= s->span && chain.records >= RECORDS_MIN)
            return GOOD;
    }
}

/* Every later chain that comes to a place of this one breaks where this one broke. Without this,
 * payload of self-similar bytes would be followed once from each of them. */
static void refute(struct search *s, size_t from, size_t broke) {
    const uint8_t *window = sl_buffer_at(s->buffer);
    size_t size = sl_buffer_size(s->buffer), at = from;
    struct sl_chain chain = {.state = s->state};

    while (at < broke) {
        s->refuted[at / 8] |= (uint8_t)(1 << at % 8);
        at += (size_t)s->format->look(&chain, window + at, size - at);
    }
    if (broke < size)
        s->refuted[broke / 8] |= (uint8_t)(1 << broke % 8);
}

/* Reads on: to the first chain's length, then twice as far each time. */
static int widen(struct search *s, struct sl_error *err) {
    size_t have = sl_buffer_size(s->buffer), want = have ? 2 * have : s->span + MARGIN;

    switch (sl_buffer_more(s->buffer, want < WINDOW_MAX ? want : WINDOW_MAX, -1, err)) {
    case SL_MORE_OK:
        return 0;
    case SL_MORE_END:
        s->at_end = 1;
        return 0;
    case SL_MORE_WAIT:
        return sl_error_set(err, SL_EXIT_INTERRUPTED, "%s: interrupted", s->buffer->source->name);
    default:
        return -1;
    }
}

/* Tries [at, end) of the window, one place after the other. */
static int scan(struct search *s, size_t at, size_t end, size_t *found, struct sl_error *err) {
    while (at < end) {
        if (at >= sl_buffer_size(s->buffer) && s->at_end)
            return 0;
        size_t broke;
        enum verdict v = judge(s, at, &broke);
        if (v == SHORT && sl_buffer_size(s->buffer) < WINDOW_MAX) {
            if (widen(s, err) < 0)
                return -1;
            continue;
        }
        if (v == GOOD) {
            *found = at;
            return 1;
        }
        if (v == BROKEN)
            refute(s, at, broke);
        at += s->format->align;
    }
    return 0;
}

/* As sl_resync; the window then begins with the record. */
static int search(struct search *s, uint64_t from, uint64_t to, struct sl_error *err) {
    struct sl_buffer *b = s->buffer;
    uint32_t align = s->format->align;
    size_t first = (size_t)((align - from % align) % align), at;
    size_t end = to - from < SL_RESYNC_SCAN ? (size_t)(to - from) : SL_RESYNC_SCAN;

    if (from >= to || (b->source->size >= 0 && from >= (uint64_t)b->source->size))
        return 0;
    sl_buffer_restart(b, from);
    if (b->source->ops->seek(b->source, from, err) < 0 || widen(s, err) < 0)
        return -1;
    s->timely = 1;
    int result = scan(s, first, end, &at, err);
    if (result == 0) { /* the state's own time may be the odd one */
        s->timely = 0;
        result = scan(s, first, end, &at, err);
    }
    if (result > 0)
        sl_buffer_consume(b, at);
    return result;
}

static int search_with_memory(struct search *s, uint64_t from, uint64_t to, struct sl_error *err) {
    if (!(s->refuted = calloc(WINDOW_MAX / 8 + 1, 1)))
        return sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", s->buffer->source->name);
    int result = search(s, from, to, err);
    free(s->refuted);
    return result;
}

int sl_resync(struct sl_source *source, const struct sl_reader_state *state, uint64_t from,
              uint64_t to, enum sl_resync_chain chain, uint64_t *found, struct sl_error *err) {
    struct sl_buffer buffer;
    struct search s = {.format = state->format,
                       .state = state->of_format,
                       .buffer = &buffer,
                       .span = (size_t)chain};

    if (sl_buffer_init(&buffer, source, err) < 0)
        return -1;
    int result = search_with_memory(&s, from, to, err);
    if (result > 0)
        *found = buffer.offset;
    sl_buffer_free(&buffer);
    return result;
}

int sl_reader_resync(struct sl_reader *r, uint64_t from, uint64_t to, enum sl_resync_chain chain,
                     struct sl_error *err) {
    struct search s = {
        .format = r->format, .state = r->state, .buffer = &r->buffer, .span = (size_t)chain};
    int result = search_with_memory(&s, from, to, err);

    r->skip = 0;
    r->record = r->buffer.offset;
    return result;
}
