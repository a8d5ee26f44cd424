#include "run.h"

#include "../capture/live.h"
#include "../capture/writer.h"
#include "../packet/decode.h"
#include "../packet/names.h"
#include "../source/list.h"
#include "crew.h"
#include "interrupt.h"
#include "log.h"
#include "plan.h"
#include "replay.h"
#include "split.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A packet this far ahead of the current interval is believed only when the next one confirms it:
 * one wrong time stamp must not fire a year's worth of intervals. */
static const double LEAP_S = 86400;

/* What the inputs stand for, as one capture. */
static struct sl_feed *open_inputs(const struct sl_options *o, struct sl_error *err) {
    struct sl_source_options listing = {.interrupted = sl_interrupted};
    struct sl_feed_options options = {o->in_flight, o->from,  o->to,  o->follow, o->sample,
                                      o->seed,      o->begin, o->end, o->before, NULL};
    struct sl_strings inputs = {0};
    struct sl_feed *feed = NULL;
    int result = 0;

    for (uint32_t i = 0; i < o->n_inputs && result == 0; i++)
        result = sl_list_add(&inputs, o->inputs[i], &listing, err);
    if (result == 0 && inputs.n > UINT16_MAX)
        result =
            sl_error_set(err, SL_EXIT_USAGE, "%u inputs are more than the %d that sluice reads",
                         inputs.n, UINT16_MAX);
    if (result == 0 && (o->follow || o->sample > 0) && inputs.n > 1)
        result = sl_error_set(err, SL_EXIT_USAGE, "%s takes one input, not %u",
                              o->follow ? "--follow" : "--sample", inputs.n);
    if (result == 0 && o->end && inputs.n > 1)
        result = sl_error_set(err, SL_EXIT_USAGE, "a piece is of one input, not of %u", inputs.n);
    if (result == 0 && o->opened && !o->in_flight)
        options.opened = sl_planned_take(o->opened);
    if (result == 0)
        feed = sl_feed_open((const char *const *)inputs.at, inputs.n, &options, err);
    sl_strings_free(&inputs);
    return feed;
}

static int open_feed(struct sl_run *r, const struct sl_options *o) {
    if (o->live && !(r->live = sl_live_open(o->live, o->bpf, &r->error)))
        return -1;
    r->feed = r->live ? sl_feed_of(r->live, &r->error) : open_inputs(o, &r->error);
    if (!r->feed)
        return -1;
    return sl_feed_sample(r->feed) ? sl_scaled_init(&r->scaled, sl_run_blocks(r), &r->error) : 0;
}

static int open_run(struct sl_run *r, const struct sl_options *o) {
    r->count_left = o->count ? o->count : UINT64_MAX;
    r->interval_s = o->interval_s;
    r->decap = o->decap;
    r->deltas = o->deltas;
    r->raw = o->raw;
    r->flow_options = sl_flow_defaults();
    r->flow_options.max_flows = o->max_flows;
    if (o->idle_s >= 0)
        r->flow_options.idle_tcp_s = r->flow_options.idle_other_s = o->idle_s;
    if (o->bpf && !(r->bpf = sl_bpf_new(o->bpf, &r->error)))
        return -1;
    if (o->logs && !(r->replay = sl_replay_new(o->logs, o->n_logs, &r->error)))
        return -1;
    if (o->logs && !o->n_inputs)
        return 0;
    if (open_feed(r, o) < 0)
        return -1;
    sl_progress_start(&r->progress, o->progress, sl_feed_size(r->feed));
    return 0;
}

struct sl_run *sl_run_open(const struct sl_options *options, struct sl_error *err) {
    struct sl_run *r = calloc(1, sizeof *r);

    if (!r) {
        sl_error_set(err, SL_EXIT_INPUT, "out of memory");
        return NULL;
    }
    if (open_run(r, options) < 0) {
        *err = r->error;
        sl_run_close(r);
        return NULL;
    }
    return r;
}

void sl_run_close(struct sl_run *r) {
    if (!r)
        return;
    if (r->crew)
        sl_crew_end(r->crew);
    sl_progress_clear(&r->progress);
    for (uint32_t i = 0; i < r->n_taps; i++) {
        sl_flows_free(r->taps[i]->flows);
        sl_heads_free(r->taps[i]->heads);
        free(r->taps[i]);
    }
    sl_scaled_free(&r->scaled);
    sl_log_free(r->log);
    sl_replay_free(r->replay);
    sl_feed_close(r->feed);
    sl_bpf_free(r->bpf);
    free(r);
}

const struct sl_error *sl_run_error(const struct sl_run *r) {
    return &r->error;
}

/* ---- a step ---- */

void sl_run_meet(struct sl_run *r, uint32_t link_type) {
    if (r->split) {
        sl_split_meet(r->split, (uint16_t)link_type);
        return;
    }
    for (uint32_t i = 0; i < r->n_link_types; i++)
        if (r->link_types[i] == link_type)
            return;
    if (r->n_link_types == SL_LINK_TYPES_MAX)
        return;
    if (!sl_link_name(link_type))
        (void)snprintf(r->link_numbers[r->n_link_types], sizeof *r->link_numbers, "LINKTYPE_%u",
                       link_type);
    r->link_types[r->n_link_types++] = link_type;
}

static void begin(struct sl_run *r) {
    const struct sl_packet *first = &r->batch.packets[0];

    r->origin = sl_feed_origin(r->feed, first);
    r->started = 1;
    if (r->interval_s) /* a window begins in the middle: there are no intervals before it */
        r->batch.tick = floor(sl_seconds_between(r->origin, first->ts) / r->interval_s);
    for (uint32_t i = 0; i < r->n_taps; i++)
        if (r->taps[i]->flows)
            sl_flows_begin(r->taps[i]->flows, r->origin);
}

static int run_clock(struct sl_run *r) {
    struct sl_clock_part part;

    if (r->split) {
        r->clock.packets += r->read;
        return sl_split_add_times(r->split, r->batch.packets, r->read);
    }
    if (r->count_left != UINT64_MAX)
        r->before = r->clock;
    sl_clock_part_of(&part, r->batch.packets, r->read);
    r->sweeps = sl_clock_add(&r->clock, &part, &r->sweep_s);
    return 0;
}

static void stamp_deltas(struct sl_run *r, int first) {
    struct sl_time before = first ? r->batch.packets[0].ts : r->last;

    for (uint32_t i = 0; i < r->read; i++) {
        r->batch.packets[i].delta = sl_seconds_between(before, r->batch.packets[i].ts);
        before = r->batch.packets[i].ts;
    }
    r->last = before;
}

static void meet_link_types(struct sl_run *r) {
    uint32_t link_type = UINT32_MAX;

    for (uint32_t i = 0; i < r->read; i++)
        if (r->batch.packets[i].link_type != link_type)
            sl_run_meet(r, link_type = r->batch.packets[i].link_type);
}

/* No packets from behind the end of a block of the clock. */
static int next_packets(struct sl_run *r, struct sl_error *err) {
    uint32_t room = sl_clock_room(r->clock.packets), max = room < SL_BATCH ? room : SL_BATCH;

    if (!r->blocks) {
        int got = sl_feed_next(r->feed, r->batch.packets, max, SL_WAIT_MS, err);
        if (r->scaled.estimate)
            sl_scaled_look(&r->scaled, sl_run_blocks(r), &r->counter);
        return got;
    }
    int n = r->split ? sl_reader_next(r->blocks, r->batch.packets, max, -1, err) : SL_READ_END;
    while (n == SL_READ_END && sl_crew_turn(r) == SL_STEP_PACKETS)
        n = sl_reader_next(r->blocks, r->batch.packets, max, -1, err);
    return n;
}

/* Reads the next packets. */
static uint32_t read_batch(struct sl_run *r) {
    struct sl_error err;
    int n = next_packets(r, &err);

    r->at = 0;
    r->read = n > 0 ? (uint32_t)n : 0;
    switch (n) {
    case SL_READ_WAIT:
        return SL_STEP_WAIT;
    case SL_READ_END:
        return r->taking ? SL_STEP_FLOWS : SL_STEP_END;
    case SL_READ_ERROR:
        r->error = err;
        return SL_STEP_ERROR;
    default:
        if (r->deltas)
            stamp_deltas(r, !r->started);
        if (!r->started)
            begin(r);
        meet_link_types(r);
        if (r->log && sl_log_packets(r->log, r->batch.packets, r->read, &r->error) < 0)
            return SL_STEP_ERROR;
        if (run_clock(r) == 0)
            return SL_STEP_PACKETS;
        sl_error_set(&r->error, SL_EXIT_INPUT, "out of memory");
        return SL_STEP_ERROR;
    }
}

static void show_progress(struct sl_run *r) {
    struct sl_traffic traffic;

    if (!sl_progress_due(&r->progress))
        return;
    sl_feed_traffic(r->feed, &traffic);
    sl_progress_draw(&r->progress, sl_feed_bytes(r->feed), r->counter.stats.packets, &traffic);
}

uint32_t sl_run_read(struct sl_run *r) {
    uint32_t state;

    if (!r->blocks && sl_interrupted())
        state = SL_STEP_INTERRUPTED;
    else if (r->error.code)
        state = SL_STEP_ERROR;
    else
        state = r->at < r->read ? SL_STEP_PACKETS : read_batch(r);
    if (r->blocks)
        return state; /* the main thread shows progress */
    if (state == SL_STEP_PACKETS || state == SL_STEP_WAIT)
        show_progress(r);
    else
        sl_progress_clear(&r->progress);
    return state;
}

/* The interval that a packet belongs to; never an earlier one than the current. */
static double interval_of(struct sl_run *r, const struct sl_packet *p, double current) {
    double interval = floor(sl_seconds_between(r->origin, p->ts) / r->interval_s);
    int leaps = (interval - current) * r->interval_s > LEAP_S;

    if (interval <= current || (leaps && !r->leaped)) {
        r->leaped = leaps;
        return current;
    }
    r->leaped = 0;
    return interval;
}

/* Where this step ends: at the end of what was read, or before the first packet of a later
 * interval than that of the step's first packet. Each packet is asked once: of two that leap the
 * second one counts. */
static uint32_t end_of_step(struct sl_run *r) {
    struct sl_batch *b = &r->batch;
    uint32_t end = r->at + 1;

    if (!r->interval_s)
        return r->read;
    b->ticked = b->tick;
    b->tick = r->is_met ? r->met : interval_of(r, &b->packets[r->at], b->tick);
    for (r->is_met = 0; end < r->read; end++) {
        r->met = interval_of(r, &b->packets[end], b->tick);
        r->is_met = r->met > b->tick;
        if (r->is_met)
            break;
    }
    return end;
}

int sl_run_passes(struct sl_run *r, const struct sl_packet *p) {
    return r->bpf ? sl_bpf_test(r->bpf, p, &r->error) : 1;
}

void sl_run_decode(const struct sl_run *r, struct sl_packet *p) {
    p->t = (double)(p->ts.s - r->origin.s) + ((double)p->ts.nsec - (double)r->origin.nsec) * 1e-9;
    p->ts_ns = sl_time_ns(p->ts);
    sl_decode(p);
    if (r->decap)
        sl_decap(p);
}

/* Selects what passes -f of the step's packets, decoded. */
static int select_packets(struct sl_run *r, uint32_t end) {
    struct sl_batch *b = &r->batch;

    b->n = 0;
    for (uint32_t i = r->at; i < end; i++) {
        int passes = sl_run_passes(r, &b->packets[i]);
        if (passes < 0)
            return -1;
        if (!passes)
            continue;
        if (!r->raw)
            sl_run_decode(r, &b->packets[i]);
        b->sel[b->n++] = i;
    }
    r->at = end;
    return 0;
}

int sl_run_next(struct sl_run *r) {
    struct sl_batch *b = &r->batch;

    b->n = 0;
    if (!r->blocks)
        sl_interrupt_at("");
    b->state = sl_run_read(r);
    if (b->state == SL_STEP_PACKETS && select_packets(r, end_of_step(r)) < 0)
        b->state = SL_STEP_ERROR;
    return (int)b->state;
}

struct sl_batch *sl_run_batch(struct sl_run *r) {
    return &r->batch;
}

/* For the clock the capture ends with the last packet that is counted. */
static void end_clock(struct sl_run *r) {
    struct sl_clock_part part;
    int64_t ignored;

    sl_clock_part_of(&part, r->batch.packets, r->batch.sel[r->batch.n - 1] + 1);
    r->clock = r->before;
    (void)sl_clock_add(&r->clock, &part, &ignored);
}

int sl_run_count(struct sl_run *r) {
    struct sl_batch *b = &r->batch;

    if (b->n > r->count_left)
        b->n = (uint32_t)r->count_left;
    if (b->n && b->n == r->count_left)
        end_clock(r);
    if (r->count_left != UINT64_MAX)
        r->count_left -= b->n;
    if (r->raw)
        r->counter.stats.packets += b->n;
    else
        sl_counter_add(&r->counter, b->packets, b->sel, b->n);
    return r->count_left == 0;
}

int sl_run_live_counters(const struct sl_run *r, struct sl_live_counters *counters) {
    if (r->live)
        sl_live_counters(r->live, counters);
    return r->live != NULL;
}

struct sl_writer *sl_run_writer(struct sl_run *r, const struct sl_write_options *o,
                                struct sl_error *err) {
    uint32_t n = sl_feed_inputs(r->feed);
    struct sl_form_input *inputs = calloc(n, sizeof *inputs);
    struct sl_writer *w = NULL;
    uint32_t i = 0;

    if (!inputs)
        sl_error_set(err, SL_EXIT_USAGE, "-w: out of memory");
    for (; inputs && i < n; i++) {
        struct sl_reader *reader = sl_feed_reader(r->feed, i);
        if (sl_reader_keep_blocks(reader, err) < 0)
            break;
        inputs[i] = (struct sl_form_input){sl_reader_blocks(reader), sl_reader_is_pcapng(reader)};
    }
    if (inputs && i == n)
        w = sl_writer_open(o, inputs, n, err);
    free(inputs);
    return w;
}

/* ---- what was met ---- */

const struct sl_stats *sl_run_stats(struct sl_run *r) {
    r->counter.stats.backwards = r->clock.backwards;
    return sl_counter_stats(&r->counter);
}

const char *sl_run_link_type(const struct sl_run *r, uint32_t i) {
    if (i >= r->n_link_types)
        return NULL;
    const char *name = sl_link_name(r->link_types[i]);
    return name ? name : r->link_numbers[i];
}

const char *sl_run_input_name(const struct sl_run *r, uint32_t i) {
    return sl_feed_name(r->feed, i);
}

const char *sl_run_input_etag(const struct sl_run *r, uint32_t i) {
    return sl_feed_etag(r->feed, i);
}

int64_t sl_run_input_size(const struct sl_run *r, uint32_t i) {
    return i < sl_feed_inputs(r->feed) ? sl_reader_size(sl_feed_reader(r->feed, i)) : -1;
}

const char *sl_run_window_note(const struct sl_run *r, uint32_t i) {
    const struct sl_window *w = sl_feed_window(r->feed, i);

    return w ? w->note : "";
}

int sl_run_window_doubt(const struct sl_run *r, uint32_t i) {
    const struct sl_window *w = sl_feed_window(r->feed, i);

    return w && w->sought && w->disorder;
}

const struct sl_blocks_read *sl_run_blocks(const struct sl_run *r) {
    const struct sl_sample *sample = sl_feed_sample(r->feed);

    return sample ? &sample->read : NULL;
}

struct sl_estimate *sl_run_estimate(struct sl_run *r) {
    return r->scaled.estimate;
}

int sl_run_sample(const struct sl_run *r, struct sl_sample_account *account) {
    const struct sl_sample *sample = sl_feed_sample(r->feed);

    if (sample)
        sl_sample_account(sample, account);
    return sample != NULL;
}

uint64_t sl_run_bytes_read(const struct sl_run *r) {
    struct sl_sample_account account;

    if (sl_run_sample(r, &account))
        return (uint64_t)account.bytes;
    return r->crew ? sl_crew_bytes(r->crew) : sl_feed_bytes(r->feed);
}

uint64_t sl_run_frames(const struct sl_run *r) {
    return r->crew ? sl_crew_frames(r->crew) : r->clock.packets;
}

void sl_run_traffic(const struct sl_run *r, struct sl_traffic *traffic) {
    sl_feed_traffic(r->feed, traffic);
}
