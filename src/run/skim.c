/* Whole batches in C, for runs where nobody looks at packets: no field is decoded that neither the
 * flow table nor the statistics ask for. */
#include "run.h"

#include "interrupt.h"
#include "log.h"

enum { BATCHES = 64, LINK_ETHERNET = 1 };

/* Times outside these are decode's to count: before 1970, or past what sl_packet.ts_ns holds. */
static inline int may_express(const struct sl_packet *p) {
    return p->link_type == LINK_ETHERNET && !p->no_time &&
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

/* Makes the event of a packet that passes -f, and counts it. */
static inline int skim(struct sl_run *r, struct sl_run_tap *tap, struct sl_meters *meters,
                       struct sl_express_times *times) {
    const struct sl_packet *p = &r->batch.packets[r->at];
    int may = !r->decap && !(tap && tap->inside) && may_express(p);
    int kind = may ? sl_event_express(&r->events, p, &r->flow_options.seed) : -1;

    if (kind < 0)
        return decode(r, tap, meters, r->at);
    if (meters)
        sl_meters_packet(meters, p->ts, 1, p->len);
    sl_counter_express(&r->counter, times, (uint32_t)kind, p);
    return 0;
}

static int make_events(struct sl_run *r, struct sl_run_tap *tap, struct sl_meters *meters) {
    struct sl_express_times times = {.first = UINT64_MAX};

    for (; r->at < r->read; r->at++) {
        int passes = r->bpf ? sl_run_passes(r, &r->batch.packets[r->at]) : 1;
        if (passes < 0 || (passes && skim(r, tap, meters, &times) < 0))
            break;
    }
    sl_stats_times(&r->counter.stats, times.n, sl_time_of_key(times.first),
                   sl_time_of_key(times.last));
    return r->at < r->read ? -1 : 0;
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
