/* Whole batches in C, for runs where nobody looks at packets: no field is decoded that neither the
 * flow table nor the statistics ask for. */
#include "run.h"

#include "../packet/decode.h"
#include "interrupt.h"
#include "log.h"

enum { BATCHES = 64 };

/* Times outside these are decode's to count: before 1970, or past what sl_packet.ts_ns holds. */
static inline int may_express(const struct sl_packet *p) {
    return p->link_type == SL_LINK_ETHERNET && !p->no_time &&
           (uint64_t)p->ts.s < INT64_MAX / 1000000000;
}

/* A packet that cannot go by express: makes its event, and selects it to be counted. */
static int decode(struct sl_run *r, struct sl_run_tap *tap, struct sl_meters *meters, uint32_t i) {
    struct sl_batch *b = &r->batch;
    struct sl_packet *p = &b->packets[i];

    sl_run_decode(r, p);
    if (meters)
        sl_meters_packet(meters, p->ts, p->ip_version != 0, p->len);
    b->sel[b->n++] = i;
    if (tap && tap->inside)
        return sl_tap_add(tap, &r->events, p);
    (void)sl_event_add(&r->events, p, &r->flow_options.seed);
    return 0;
}

/* Makes the events of the packets that pass -f, and counts them. */
static int make_events(struct sl_run *r, struct sl_run_tap *tap, struct sl_meters *meters) {
    const struct sl_hash_seed seed = r->flow_options.seed;
    const int express = !r->decap && !(tap && tap->inside);
    struct sl_express_times times = {.first = UINT64_MAX};
    const uint32_t read = r->read;
    int failed = 0;

    for (uint32_t i = r->at; i < read && !failed; r->at = ++i) {
        const struct sl_packet *p = &r->batch.packets[i];
        int passes = r->bpf ? sl_run_passes(r, p) : 1, kind = -1;
        if (passes <= 0) {
            failed = passes;
            continue;
        }
        if (express && may_express(p))
            kind = sl_event_express(&r->events, p, &seed);
        if (kind < 0) {
            failed = decode(r, tap, meters, i);
            continue;
        }
        if (meters)
            sl_meters_packet(meters, p->ts, 1, p->len);
        sl_counter_express(&r->counter, &times, (uint32_t)kind, p);
    }
    sl_stats_times(&r->counter.stats, times.n, sl_time_of_key(times.first),
                   sl_time_of_key(times.last));
    return failed;
}

static int skim_batch(struct sl_run *r, struct sl_run_tap *tap) {
    struct sl_meters *meters = tap && tap->meters.n ? &tap->meters : NULL;
    struct sl_batch *b = &r->batch;

    b->n = 0;
    sl_event_batch_clear(&r->events, b->packets[0].number64);
    if (make_events(r, tap, meters) < 0)
        return -1;
    if (meters)
        sl_meters_flush(meters);
    sl_counter_add(&r->counter, b->packets, b->sel, b->n);
    if (!tap || !tap->wants_flows)
        return 0;
    if (r->log)
        sl_log_events(r->log, tap->index, &r->events);
    return sl_tap_take(tap, &r->events, NULL) < 0 ? -1 : sl_tap_sweep(tap);
}

int sl_run_skim(struct sl_run *r) {
    struct sl_run_tap *tap = r->n_taps ? r->taps[0] : NULL;
    uint32_t state = SL_STEP_PACKETS;

    if (!r->blocks)
        sl_interrupt_at("");
    for (int i = 0; i < BATCHES && state == SL_STEP_PACKETS; i++) {
        state = sl_run_read(r);
        if (state != SL_STEP_PACKETS)
            break;
        if (skim_batch(r, tap) < 0)
            state = SL_STEP_ERROR;
        if (r->sweeps)
            break; /* it may have decided flows */
    }
    return (int)(r->batch.state = state);
}
