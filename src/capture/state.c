#include "state.h"

#include <stdlib.h>

#include "format.h"

static struct sl_reader_state *copy(const struct sl_format *format, const void *state,
                                    struct sl_error *err) {
    struct sl_reader_state *s = malloc(sizeof *s);

    if (!s || !(s->of_format = format->copy(state))) {
        free(s);
        sl_error_set(err, SL_EXIT_INPUT, "out of memory");
        return NULL;
    }
    s->format = format;
    return s;
}

struct sl_reader_state *sl_reader_state(const struct sl_reader *r, struct sl_error *err) {
    return copy(r->format, r->state, err);
}

struct sl_reader_state *sl_reader_state_copy(const struct sl_reader_state *s,
                                             struct sl_error *err) {
    return copy(s->format, s->of_format, err);
}

void sl_reader_state_free(struct sl_reader_state *s) {
    if (!s)
        return;
    s->format->free(s->of_format);
    free(s);
}

int sl_reader_state_equal(const struct sl_reader_state *a, const struct sl_reader_state *b) {
    return a->format == b->format && a->format->equal(a->of_format, b->of_format);
}

uint32_t sl_reader_state_sum(const struct sl_reader_state *s) {
    return s->format->sum(s->of_format) ^ (uint8_t)s->format->name[4]; /* pcap or pcapng */
}

int sl_reader_state_joins(const struct sl_reader_state *assumed,
                          const struct sl_reader_state *truth,
                          const struct sl_reader_stats *stats) {
    if (!sl_reader_state_equal(assumed, truth))
        return 0;
    if (stats->own_time)
        return 1;
    struct sl_time a = assumed->format->last(assumed->of_format);
    struct sl_time b = truth->format->last(truth->of_format);
    return a.s == b.s && a.nsec == b.nsec;
}
