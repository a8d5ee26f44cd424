#include "feed.h"

#include <stdlib.h>

#include "../capture/state.h"
#include "../flow/clock.h"
#include "../source/follow.h"
#include "interrupt.h"
#include "seek.h"

/* Little is fetched for the head of an input while a time window is wanted, or there are others. */
enum { HEAD_BYTES = 128 * 1024 };

struct input {
    struct sl_source *source;
    struct sl_reader *reader;
    struct sl_window window;
    struct sl_packet first; /* with a window: the input's first packet, until it is handed out */
    int has_first;
    struct sl_packet *packets; /* read ahead, when there are several inputs; [at, n) are left */
    uint32_t at, n;
    int ended;
};

struct sl_feed {
    struct input *inputs;
    uint32_t n;
    struct sl_source_options options;
    uint64_t number;
    struct sl_when from, to;
    int follow;
    int windowed;             /* one of them is not open */
    struct sl_sample *sample; /* of the one input; NULL: all of it is read */
    int placed;               /* inputs stand where the window or sample begins; origin is known */
    struct sl_time origin; /* of a windowed or sampled feed: time of the capture's first packet */
    uint64_t begin, end;   /* the piece of the one input; end 0: all of it */
    uint64_t before;       /* packets before it */
    uint32_t begin_state;
    struct sl_source *opened; /* of the one input, until it is used; or NULL */
    struct sl_error failed;   /* of the first input that failed; code 0: none */
};

/* Whether little is read of an input at first, which then is gone on with elsewhere. */
static int jumps(const struct sl_feed *f) {
    return f->windowed || f->sample;
}

static struct sl_source *open_source(struct sl_feed *f, const char *name, struct sl_error *err) {
    struct sl_source *opened = f->opened;

    f->opened = NULL;
    if (!opened)
        return f->follow ? sl_source_follow_open(name, &f->options, err)
                         : sl_source_open(name, &f->options, err);
    if (opened->ops->seek(opened, 0, err) == 0)
        return opened;
    sl_source_close(opened);
    return NULL;
}

static int open_input(struct sl_feed *f, struct input *in, const char *name, int several,
                      struct sl_error *err) {
    if (!(in->source = open_source(f, name, err)))
        return -1;
    in->source->until = jumps(f) || f->begin ? HEAD_BYTES : f->end;
    in->reader = sl_reader_open(in->source, err);
    if (!in->reader)
        return -1;
    if (f->sample && sl_sample_check(in->reader, in->source, err) < 0)
        return -1;
    if (several && !(in->packets = calloc(SL_BATCH, sizeof *in->packets)))
        return sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", in->source->name);
    return 0;
}

struct sl_feed *sl_feed_open(const char *const *inputs, uint32_t n, const struct sl_feed_options *o,
                             struct sl_error *err) {
    struct sl_feed *f = calloc(1, sizeof *f);

    if (f)
        f->opened = o->opened;
    else
        sl_source_close(o->opened);
    if (!f || !(f->inputs = calloc(n, sizeof *f->inputs)) ||
        (o->sample > 0 && !(f->sample = calloc(1, sizeof *f->sample)))) {
        sl_feed_close(f);
        sl_error_set(err, SL_EXIT_INPUT, "out of memory");
        return NULL;
    }
    if (f->sample)
        *f->sample = (struct sl_sample){.part = o->sample, .seed = o->seed};
    f->from = o->from;
    f->to = o->to;
    f->follow = o->follow;
    f->begin = o->begin;
    f->end = o->end;
    f->before = o->before;
    f->windowed = o->from.kind != SL_WHEN_OPEN || o->to.kind != SL_WHEN_OPEN;
    /* Of several inputs all wait with their first bytes until it is their time. */
    int heads = jumps(f) || f->begin || n > 1;
    f->options = (struct sl_source_options){.http_first_bytes = heads ? HEAD_BYTES : 0,
                                            .http_in_flight = o->in_flight,
                                            .interrupted = sl_interrupted};
    for (f->n = 0; f->n < n;) {
        struct input *in = &f->inputs[f->n];
        if (open_input(f, in, inputs[f->n++], n > 1, err) < 0) {
            sl_feed_close(f);
            return NULL;
        }
    }
    return f;
}

struct sl_feed *sl_feed_of(struct sl_source *source, struct sl_error *err) {
    struct sl_feed *f = calloc(1, sizeof *f);

    if (!f || !(f->inputs = calloc(1, sizeof *f->inputs))) {
        free(f);
        sl_source_close(source);
        sl_error_set(err, SL_EXIT_INPUT, "out of memory");
        return NULL;
    }
    f->n = 1;
    f->inputs->source = source;
    f->inputs->reader = sl_reader_open(source, err);
    if (f->inputs->reader)
        return f;
    sl_feed_close(f);
    return NULL;
}

void sl_feed_close(struct sl_feed *f) {
    if (!f)
        return;
    for (uint32_t i = 0; i < f->n; i++) {
        sl_reader_close(f->inputs[i].reader);
        sl_source_close(f->inputs[i].source);
        free(f->inputs[i].packets);
    }
    free(f->inputs);
    sl_source_close(f->opened);
    sl_sample_free(f->sample);
    free(f);
}

/* Ends an input; keeps the first failure for the end of the run. */
static void leave(struct sl_feed *f, struct input *in, int result, const struct sl_error *err) {
    in->ended = 1;
    if (result == SL_READ_ERROR && !f->failed.code)
        f->failed = *err;
}

/* ---- a time window ---- */

/* Reads the first packet of each input. SL_READ_WAIT: call again. */
static int read_heads(struct sl_feed *f, int timeout_ms, struct sl_error *err) {
    for (uint32_t i = 0; i < f->n; i++) {
        struct input *in = &f->inputs[i];
        if (in->ended || in->has_first)
            continue;
        int n = sl_reader_next(in->reader, &in->first, 1, timeout_ms, err);
        if (n == SL_READ_WAIT)
            return SL_READ_WAIT;
        if (n <= 0)
            leave(f, in, n, err);
        else
            in->has_first = 1;
    }
    return 1;
}

static struct sl_time sum(struct sl_time a, struct sl_time b) {
    uint32_t nsec = a.nsec + b.nsec;

    return (struct sl_time){a.s + b.s + nsec / 1000000000, nsec % 1000000000};
}

static struct sl_time bound(const struct sl_feed *f, struct sl_when when, int64_t open_s) {
    switch (when.kind) {
    case SL_WHEN_TIME:
        return when.t;
    case SL_WHEN_OFFSET:
        return sum(f->origin, when.t);
    default:
        return (struct sl_time){.s = open_s};
    }
}

/* Lays the sample out. */
static void lay_out(struct sl_feed *f, struct input *in, struct sl_error *err) {
    if (in->has_first && sl_sample_begin(f->sample, in->reader, in->source, &in->first, err) < 0)
        leave(f, in, SL_READ_ERROR, err);
    in->has_first = 0; /* its block may be read, or not */
    f->placed = 1;
}

/* Brings every input to where the window begins. */
static int place(struct sl_feed *f, int timeout_ms, struct sl_error *err) {
    int known = 0;

    if (read_heads(f, timeout_ms, err) == SL_READ_WAIT)
        return SL_READ_WAIT;
    for (uint32_t i = 0; i < f->n; i++) {
        const struct input *in = &f->inputs[i];
        if (in->has_first && (!known++ || sl_before(in->first.ts, f->origin)))
            f->origin = in->first.ts;
    }
    if (f->sample) {
        lay_out(f, &f->inputs[0], err);
        return 1;
    }
    for (uint32_t i = 0; i < f->n; i++) {
        struct input *in = &f->inputs[i];
        sl_window_init(&in->window, bound(f, f->from, INT64_MIN), bound(f, f->to, INT64_MAX));
        in->source->until = 0;
        if (in->has_first && sl_seek(in->reader, in->source, &in->first, &in->window, err) < 0) {
            in->has_first = 0;
            leave(f, in, SL_READ_ERROR, err);
        }
        in->window.trusted |= f->follow; /* what grows is in order, and has no other end */
    }
    f->placed = 1;
    return 1;
}

/* ---- a piece ---- */

/* Moves the one input's reader to where the piece begins, in the state behind its first packet. */
static int move_to_piece(struct sl_feed *f, int timeout_ms, struct sl_error *err) {
    struct input *in = &f->inputs[0];
    struct sl_reader_state *state;

    int n = sl_reader_next(in->reader, &in->first, 1, timeout_ms, err);
    if (n <= 0)
        return n;
    if (!sl_reader_can_seek(in->reader))
        return sl_error_set(err, SL_EXIT_INPUT, "%s: no piece of it can be read: it cannot seek",
                            in->source->name);
    if (!(state = sl_reader_state(in->reader, err)))
        return SL_READ_ERROR;
    f->begin_state = sl_reader_state_sum(state);
    sl_reader_state_free(state);
    in->source->until = f->end;
    sl_reader_count_from(in->reader, f->before);
    return sl_reader_move(in->reader, f->begin, err) < 0 ? SL_READ_ERROR : 1;
}

static int place_piece(struct sl_feed *f, int timeout_ms, struct sl_error *err) {
    int n = f->begin ? move_to_piece(f, timeout_ms, err) : 1;

    if (n > 0 && f->end)
        sl_reader_limit(f->inputs[0].reader, f->end);
    f->placed = n > 0;
    return n;
}

int sl_feed_edges(const struct sl_feed *f, struct sl_edges *edges) {
    const struct sl_reader *reader = f->inputs[0].reader;
    struct sl_error ignored;
    struct sl_reader_state *state;

    if (f->n != 1 || jumps(f) || !(state = sl_reader_state(reader, &ignored)))
        return 0;
    *edges = (struct sl_edges){.begin = f->begin,
                               .end = sl_reader_offset(reader),
                               .begin_state = f->begin_state,
                               .end_state = sl_reader_state_sum(state),
                               .own_time = (uint32_t)sl_reader_stats(reader)->own_time};
    sl_reader_state_free(state);
    return 1;
}

/* ---- packets ---- */

/* The next packets of one input. */
static int next_of(const struct sl_feed *f, struct input *in, struct sl_packet *packets,
                   uint32_t max, int timeout_ms, struct sl_error *err) {
    if (!jumps(f))
        return sl_reader_next(in->reader, packets, max, timeout_ms, err);
    if (in->ended)
        return SL_READ_END;
    if (f->sample)
        return sl_sample_next(f->sample, in->reader, in->source, packets, max, timeout_ms, err);
    if (in->has_first) {
        in->has_first = 0;
        if (sl_window_holds(&in->window, in->first.ts)) {
            packets[0] = in->first;
            return 1;
        }
    }
    return sl_window_next(&in->window, in->reader, packets, max, timeout_ms, err);
}

static int pass_through(struct sl_feed *f, struct sl_packet *packets, uint32_t max, int timeout_ms,
                        struct sl_error *err) {
    int n = next_of(f, &f->inputs[0], packets, max, timeout_ms, err);

    for (int i = 0; jumps(f) && i < n; i++)
        packets[i].number64 = ++f->number;
    return n;
}

/* Makes sure that every input that goes on has a packet at hand. Only an input that has none left
 * is read, so the bytes of the others' packets stay where they are. */
static int read_ahead(struct sl_feed *f, int timeout_ms, struct sl_error *err) {
    for (uint32_t i = 0; i < f->n; i++) {
        struct input *in = &f->inputs[i];
        if (in->ended || in->at < in->n)
            continue;
        int n = next_of(f, in, in->packets, SL_BATCH, timeout_ms, err);
        if (n == SL_READ_WAIT)
            return SL_READ_WAIT;
        if (n <= 0) {
            leave(f, in, n, err);
            continue;
        }
        in->at = 0;
        in->n = (uint32_t)n;
    }
    return 1;
}

static struct input *earliest(const struct sl_feed *f) {
    struct input *best = NULL;

    for (uint32_t i = 0; i < f->n; i++) {
        struct input *in = &f->inputs[i];
        if (!in->ended && (!best || sl_before(in->packets[in->at].ts, best->packets[best->at].ts)))
            best = in;
    }
    return best;
}

static int merge(struct sl_feed *f, struct sl_packet *packets, uint32_t max, int timeout_ms,
                 struct sl_error *err) {
    uint32_t n = 0;
    struct input *in;

    if (read_ahead(f, timeout_ms, err) == SL_READ_WAIT)
        return SL_READ_WAIT;
    while (n < max && (in = earliest(f))) {
        packets[n] = in->packets[in->at++];
        packets[n].input = (uint16_t)(in - f->inputs);
        packets[n++].number64 = ++f->number;
        if (in->at == in->n) /* reading on would move the bytes of what was just handed out */
            break;
    }
    return (int)n;
}

int sl_feed_next(struct sl_feed *f, struct sl_packet *packets, uint32_t max, int timeout_ms,
                 struct sl_error *err) {
    if (jumps(f) && !f->placed && place(f, timeout_ms, err) == SL_READ_WAIT)
        return SL_READ_WAIT;
    if ((f->begin || f->end) && !f->placed) {
        int placed = place_piece(f, timeout_ms, err);
        if (placed <= 0)
            return placed;
    }
    int n = f->n == 1 ? pass_through(f, packets, max, timeout_ms, err)
                      : merge(f, packets, max, timeout_ms, err);
    if (n == 0 && f->failed.code) {
        *err = f->failed;
        return SL_READ_ERROR;
    }
    return n;
}

struct sl_reader *sl_feed_reader(const struct sl_feed *f, uint32_t input) {
    return f->inputs[input].reader;
}

struct sl_time sl_feed_origin(const struct sl_feed *f, const struct sl_packet *first) {
    return jumps(f) ? f->origin : first->ts;
}

const struct sl_window *sl_feed_window(const struct sl_feed *f, uint32_t input) {
    return f->windowed && input < f->n ? &f->inputs[input].window : NULL;
}

const struct sl_sample *sl_feed_sample(const struct sl_feed *f) {
    return f->sample;
}

uint32_t sl_feed_inputs(const struct sl_feed *f) {
    return f->n;
}

const char *sl_feed_name(const struct sl_feed *f, uint32_t input) {
    return input < f->n ? f->inputs[input].source->name : NULL;
}

const char *sl_feed_etag(const struct sl_feed *f, uint32_t input) {
    const char *etag = input < f->n ? f->inputs[input].source->etag : NULL;

    return etag ? etag : "";
}

uint64_t sl_feed_bytes(const struct sl_feed *f) {
    uint64_t sum = 0;

    for (uint32_t i = 0; i < f->n; i++) {
        const struct input *in = &f->inputs[i];
        sum += in->window.sought ? atomic_load(&in->source->traffic.fetched)
                                 : sl_reader_taken(in->reader);
    }
    return sum;
}

int64_t sl_feed_size(const struct sl_feed *f) {
    int64_t sum = 0;

    for (uint32_t i = 0; i < f->n; i++) {
        int64_t size = sl_reader_size(f->inputs[i].reader);
        if (size < 0)
            return -1;
        sum += size;
    }
    return sum;
}

void sl_feed_traffic(const struct sl_feed *f, struct sl_traffic *sum) {
    *sum = (struct sl_traffic){0};
    for (uint32_t i = 0; i < f->n; i++) {
        const struct sl_source_traffic *traffic = &f->inputs[i].source->traffic;
        uint32_t status = atomic_load(&traffic->last_status);

        sum->fetched += atomic_load(&traffic->fetched);
        sum->requests += atomic_load(&traffic->requests);
        sum->retries += atomic_load(&traffic->retries);
        sum->in_flight += atomic_load(&traffic->in_flight);
        if (status)
            sum->last_status = status;
    }
}
