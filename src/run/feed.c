#include "feed.h"

#include "interrupt.h"

#include <stdlib.h>

enum { HEAD_BYTES = 128 * 1024 };

struct input {
    struct sl_source *source;
    struct sl_reader *reader;
    struct sl_packet *packets; /* read ahead, when there are several inputs; [at, n) are left */
    uint32_t at, n;
    int ended;
};

struct sl_feed {
    struct input *inputs;
    uint32_t n;
    struct sl_source_options options;
    uint64_t number;
    struct sl_error failed; /* of the first input that failed; code 0: none */
};

static int open_input(const struct sl_feed *f, struct input *in, const char *name, int several,
                      struct sl_error *err) {
    in->source = sl_source_open(name, &f->options, err);
    if (!in->source)
        return -1;
    in->reader = sl_reader_open(in->source, err);
    if (!in->reader)
        return -1;
    if (several && !(in->packets = calloc(SL_BATCH, sizeof *in->packets)))
        return sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", in->source->name);
    return 0;
}

struct sl_feed *sl_feed_open(const char *const *inputs, uint32_t n, uint32_t in_flight,
                             struct sl_error *err) {
    struct sl_feed *f = calloc(1, sizeof *f);

    if (!f || !(f->inputs = calloc(n, sizeof *f->inputs))) {
        free(f);
        sl_error_set(err, SL_EXIT_INPUT, "out of memory");
        return NULL;
    }
    f->options =
        (struct sl_source_options){.http_in_flight = in_flight, .interrupted = sl_interrupted};
    if (n > 1) /* all of them wait with their first bytes until it is their time */
        f->options.http_first_bytes = HEAD_BYTES;
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
    free(f);
}

/* Ends an input; keeps the first failure for the end of the run. */
static void leave(struct sl_feed *f, struct input *in, int result, const struct sl_error *err) {
    in->ended = 1;
    if (result == SL_READ_ERROR && !f->failed.code)
        f->failed = *err;
}

static int pass_through(struct sl_feed *f, struct sl_packet *packets, uint32_t max, int timeout_ms,
                        struct sl_error *err) {
    int n = sl_reader_next(f->inputs[0].reader, packets, max, timeout_ms, err);

    for (int i = 0; i < n; i++)
        packets[i].input = 0;
    return n;
}

/* Makes sure that every input that goes on has a packet at hand. Only an input that has none left
 * is read, so the bytes of the others' packets stay where they are. */
static int read_ahead(struct sl_feed *f, int timeout_ms, struct sl_error *err) {
    for (uint32_t i = 0; i < f->n; i++) {
        struct input *in = &f->inputs[i];
        if (in->ended || in->at < in->n)
            continue;
        int n = sl_reader_next(in->reader, in->packets, SL_BATCH, timeout_ms, err);
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

static int earlier(const struct sl_packet *a, const struct sl_packet *b) {
    return a->ts.s < b->ts.s || (a->ts.s == b->ts.s && a->ts.nsec < b->ts.nsec);
}

static struct input *earliest(const struct sl_feed *f) {
    struct input *best = NULL;

    for (uint32_t i = 0; i < f->n; i++) {
        struct input *in = &f->inputs[i];
        if (!in->ended && (!best || earlier(&in->packets[in->at], &best->packets[best->at])))
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
    if (f->n == 1)
        return pass_through(f, packets, max, timeout_ms, err);
    int n = merge(f, packets, max, timeout_ms, err);
    if (n == 0 && f->failed.code) {
        *err = f->failed;
        return SL_READ_ERROR;
    }
    return n;
}

struct sl_reader *sl_feed_reader(const struct sl_feed *f, uint32_t input) {
    return f->inputs[input].reader;
}

uint32_t sl_feed_inputs(const struct sl_feed *f) {
    return f->n;
}

const char *sl_feed_name(const struct sl_feed *f, uint32_t input) {
    return input < f->n ? f->inputs[input].source->name : NULL;
}

uint64_t sl_feed_bytes(const struct sl_feed *f) {
    uint64_t sum = 0;

    for (uint32_t i = 0; i < f->n; i++)
        sum += sl_reader_taken(f->inputs[i].reader);
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
