#include "seek.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../capture/resync.h"
#include "../flow/clock.h"

enum {
    PROBES_MAX = 28,         /* places looked at, of about 80 KiB each */
    NEAR_BYTES = 384 * 1024, /* a window's end is known well enough */
    WORTH_BYTES = 2 * 1024 * 1024,
    TAIL_BYTES = 256 * 1024,
    SPREAD = 8, /* so many parts of the input are looked at first, whatever the window */
    LOOK_BYTES = SL_RESYNC_HINT + 16 * 1024, /* what a look reads, so far as that is known */
    LOOK_PACKETS = 64,
    LAST_BYTES = 64 * 1024 /* reading ends with a record behind the margin */
};

/* The times of some packets from one place on. */
struct probe {
    uint64_t offset;
    struct sl_time earliest, latest;
};

struct search {
    struct sl_reader *reader;
    struct sl_source *source;
    struct sl_window *window;
    const struct sl_reader_state *state; /* the one of the input's head, assumed everywhere */
    uint64_t known;                      /* offset behind the first packet: it is true there */
    struct probe probes[PROBES_MAX + 2]; /* by offset; the first is the input's first packet */
    uint32_t n;
};

enum trust { ERROR = -1, DISTRUSTED = 0, TRUSTED = 1 };

static enum trust distrust(struct search *s, const char *format, ...) SL_PRINTF(2, 3);

static enum trust distrust(struct search *s, const char *format, ...) {
    char *note = s->window->note;
    size_t room = sizeof s->window->note;
    int n = snprintf(note, room, "read from the start, because ");
    va_list args;

    va_start(args, format);
    (void)vsnprintf(note + n, room - (size_t)n, format, args);
    va_end(args);
    return DISTRUSTED;
}

/* ---- looking ---- */

static void take_times(struct probe *p, const struct sl_packet *packets, int n) {
    p->offset = packets[0].offset64;
    p->earliest = p->latest = packets[0].ts;
    for (int i = 1; i < n; i++) {
        if (sl_before(packets[i].ts, p->earliest))
            p->earliest = packets[i].ts;
        if (sl_before(p->latest, packets[i].ts))
            p->latest = packets[i].ts;
    }
}

/* What a reader that was moved to a place finds there. */
static enum trust read_times(struct search *s, struct sl_reader *r, struct probe *p,
                             struct sl_error *err) {
    struct sl_packet packets[LOOK_PACKETS];
    uint64_t at = sl_reader_offset(r);
    int n = sl_reader_next(r, packets, LOOK_PACKETS, -1, err);

    if (n == SL_READ_WAIT)
        return (enum trust)sl_error_set(err, SL_EXIT_INTERRUPTED, "%s: interrupted",
                                        s->source->name);
    if (n <= 0) /* damage: the run will come to it and tell */
        return distrust(s, "no packet could be read at byte %" PRIu64, at);
    struct sl_reader_state *now = sl_reader_state(r, err);
    if (!now)
        return ERROR;
    int same = sl_reader_state_equal(now, s->state);
    sl_reader_state_free(now);
    if (!same)
        return distrust(s, "another pcapng section or interface begins near byte %" PRIu64, at);
    take_times(p, packets, n);
    return TRUSTED;
}

/* Looks at the first packets behind offset `at` and before `to`. DISTRUSTED with an empty note: no
 * record was found there. */
static enum trust look(struct search *s, uint64_t at, uint64_t to, struct probe *p,
                       struct sl_error *err) {
    s->source->until = at + LOOK_BYTES;
    struct sl_reader *r = sl_reader_open_at(s->source, at, s->state, err);
    if (!r)
        return ERROR;
    sl_reader_limit(r, at); /* so that no more is read than the search asks for */
    enum trust found = (enum trust)sl_reader_resync(r, at, to, SL_RESYNC_HINT, err);
    sl_reader_limit(r, UINT64_MAX);
    if (found == TRUSTED)
        found = read_times(s, r, p, err);
    sl_reader_close(r);
    return found;
}

static enum trust keep(struct search *s, const struct probe *p) {
    uint32_t i = s->n++;

    for (; i > 0 && s->probes[i - 1].offset > p->offset; i--)
        s->probes[i] = s->probes[i - 1];
    s->probes[i] = *p;
    for (uint32_t k = i ? i : 1; k <= i + 1 && k < s->n; k++) {
        const struct probe *a = &s->probes[k - 1], *b = &s->probes[k];
        if (sl_seconds_between(b->earliest, a->latest) > SL_WINDOW_DISORDER_S)
            return distrust(s, "time goes back between bytes %" PRIu64 " and %" PRIu64, a->offset,
                            b->offset);
    }
    return TRUSTED;
}

/* ---- narrowing ---- */

/* A stretch of the input with an earlier time at its begin and not at its end. */
struct bracket {
    uint64_t low, high;
    struct sl_time low_t, high_t;
    int missed; /* the last look: 1 fell below, -1 above */
};

static struct bracket bracket_of(const struct search *s, struct sl_time t) {
    struct bracket b = {.low = s->probes[0].offset,
                        .low_t = s->probes[0].latest,
                        .high = (uint64_t)s->source->size,
                        .high_t = t};

    for (uint32_t i = 0; i < s->n; i++) {
        const struct probe *p = &s->probes[i];
        if (!sl_before(p->latest, t)) {
            b.high = p->offset;
            b.high_t = p->earliest;
            break;
        }
        b.low = p->offset;
        b.low_t = p->latest;
    }
    return b;
}

/* Where to look next: where the time would be if packets came evenly, moved on a little past it on
 * the side that was not met last, so that the bracket shrinks from both; now and then the middle.
 */
static uint64_t next_place(const struct bracket *b, uint32_t step, struct sl_time t) {
    double whole = sl_seconds_between(b->low_t, b->high_t), size = (double)(b->high - b->low);
    double place = size / 2;

    if (whole > 0 && step % 3 != 2)
        place = size * sl_seconds_between(b->low_t, t) / whole + b->missed * NEAR_BYTES / 2.0;
    if (place < NEAR_BYTES / 4.0)
        place = NEAR_BYTES / 4.0;
    if (place > size - NEAR_BYTES / 4.0)
        place = size - NEAR_BYTES / 4.0;
    return b->low + (uint64_t)place;
}

/* Looks until the place of time t is known well enough, or often enough. */
static enum trust narrow(struct search *s, struct sl_time t, uint32_t looks, struct bracket *b,
                         struct sl_error *err) {
    *b = bracket_of(s, t);
    for (uint32_t step = 0; b->high - b->low > NEAR_BYTES && step < looks; step++) {
        struct probe p = {0};
        uint64_t at = next_place(b, step, t);
        int missed;
        enum trust found = look(s, at, b->high, &p, err);
        if (found == DISTRUSTED && !s->window->note[0]) {
            if (b->high - at > SL_MAX_CAPLEN)
                return distrust(s, "no record was found behind byte %" PRIu64, at);
            b->high = at; /* one large record lies there: the next one begins at high */
            continue;
        }
        if (found != TRUSTED || (found = keep(s, &p)) != TRUSTED)
            return found;
        missed = sl_before(p.latest, t) ? 1 : -1;
        *b = bracket_of(s, t);
        b->missed = missed;
    }
    return TRUSTED;
}

/* ---- the window ---- */

/* Looks at the end and at places spread over the input: captures behind one another, whose times go
 * back, show there. */
static enum trust look_around(struct search *s, struct sl_error *err) {
    uint64_t size = (uint64_t)s->source->size, tail = size - TAIL_BYTES;
    enum trust found = TRUSTED;

    for (uint64_t i = SPREAD; i > 0 && found == TRUSTED; i--) {
        struct probe p = {0};
        uint64_t at = i == SPREAD ? tail : tail / SPREAD * i;
        found = look(s, at, size, &p, err);
        if (found == DISTRUSTED && !s->window->note[0])
            return distrust(s, "no record was found behind byte %" PRIu64, at);
        if (found == TRUSTED)
            found = keep(s, &p);
    }
    return found;
}

static enum trust move(struct search *s, const struct bracket *begin, struct sl_error *err) {
    struct sl_window *w = s->window;
    uint64_t at = begin->low > SL_WINDOW_MARGIN_BYTES ? begin->low - SL_WINDOW_MARGIN_BYTES : 0;

    if (at <= s->probes[0].offset) {
        (void)snprintf(w->note, sizeof w->note, "read from the start, where the window begins");
        return sl_reader_move(s->reader, sl_reader_offset(s->reader), err) < 0 ? ERROR : TRUSTED;
    }
    enum trust found =
        (enum trust)sl_reader_resync(s->reader, at, begin->high, SL_RESYNC_SURE, err);
    if (found == DISTRUSTED)
        return distrust(s, "no record was found behind byte %" PRIu64, at);
    if (found == TRUSTED) {
        w->sought = 1;
        w->known = s->known;
        sl_reader_passed_over(s->reader);
        (void)snprintf(w->note, sizeof w->note,
                       "read from byte %" PRIu64 " of %" PRId64
                       " on, where the window was found by looking at %u places",
                       sl_reader_offset(s->reader), s->source->size, s->n - 1);
    }
    return found;
}

static enum trust search(struct search *s, struct sl_error *err) {
    const struct sl_window *w = s->window;
    struct bracket begin = {0}, end = {.high = (uint64_t)s->source->size};
    enum trust found = look_around(s, err);

    if (found == TRUSTED && w->from.s != INT64_MIN)
        found = narrow(s, w->from, (PROBES_MAX - s->n) / 2, &begin, err);
    if (found == TRUSTED && w->to.s != INT64_MAX)
        found = narrow(s, w->to, PROBES_MAX - s->n, &end, err);
    if (found != TRUSTED)
        return found;
    s->source->until = end.high + SL_WINDOW_MARGIN_BYTES + LAST_BYTES;
    return move(s, &begin, err);
}

static int is_worth_it(const struct sl_reader *r, const struct sl_source *source,
                       struct sl_window *w) {
    if (!sl_reader_can_seek(r) || source->size < 0) {
        (void)snprintf(w->note, sizeof w->note,
                       "read from the start, because it cannot be read from elsewhere");
        return 0;
    }
    return source->size > WORTH_BYTES;
}

int sl_seek(struct sl_reader *r, struct sl_source *source, const struct sl_packet *first,
            struct sl_window *w, struct sl_error *err) {
    struct search s = {
        .reader = r, .source = source, .window = w, .known = sl_reader_offset(r), .n = 1};

    if (!is_worth_it(r, source, w))
        return 0;
    struct sl_reader_state *state = sl_reader_state(r, err);
    if (!state)
        return -1;
    s.state = state;
    take_times(&s.probes[0], first, 1);
    enum trust found = search(&s, err);
    sl_reader_state_free(state);
    w->trusted = found == TRUSTED;
    if (found != DISTRUSTED)
        return found == TRUSTED ? w->sought : -1;
    source->until = 0;
    return sl_reader_move(r, s.known, err);
}
