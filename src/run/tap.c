/* Taps: what recipes with one filter of their own see of the run (abi.h). */
#include "../packet/decode.h"
#include "crew.h"
#include "log.h"
#include "split.h"
#include "takers.h"

#include <stdlib.h>
#include <string.h>

static struct sl_run_tap *of(const struct sl_tap *tap) {
    return (struct sl_run_tap *)(uintptr_t)tap;
}

struct sl_tap *sl_run_tap(struct sl_run *r, int flows, int look) {
    struct sl_run_tap *x;

    if (r->n_taps == SL_TAPS_MAX) {
        sl_error_set(&r->error, SL_EXIT_USAGE, "more than %d recipes with different filters",
                     SL_TAPS_MAX);
        return NULL;
    }
    if (!(x = calloc(1, sizeof *x))) {
        sl_error_set(&r->error, SL_EXIT_INPUT, "out of memory");
        return NULL;
    }
    *x = (struct sl_run_tap){.run = r, .index = r->n_taps, .wants_flows = flows, .looks = look};
    r->taps[r->n_taps++] = x;
    return &x->tap;
}

int sl_tap_heads(struct sl_tap *tap, uint32_t size) {
    struct sl_run_tap *x = of(tap);

    x->head_size = size;
    return (x->heads = sl_heads_new(size, &x->run->error)) ? 0 : -1;
}

int sl_tap_meter(struct sl_tap *tap, struct sl_agg *agg) {
    struct sl_run_tap *x = of(tap);

    return sl_meters_put(&x->meters, agg, &x->run->error);
}

uint64_t sl_tap_heads_lost(const struct sl_tap *tap) {
    const struct sl_heads *heads = of(tap)->heads;

    return heads ? sl_heads_lost(heads) : 0;
}

struct sl_tap *sl_run_tap_at(struct sl_run *r, uint32_t i) {
    return i < r->n_taps ? &r->taps[i]->tap : NULL;
}

void sl_tap_begin(struct sl_tap *tap) {
    const struct sl_batch *b = &of(tap)->run->batch;

    tap->n = b->n;
    tap->n_flows = 0;
    memcpy(tap->sel, b->sel, b->n * sizeof *tap->sel);
}

void sl_tap_inside(struct sl_tap *tap) {
    of(tap)->inside = 1;
}

/* Tells the packets where they stand in the table. */
static void stamp_packets(struct sl_packet *packets, const struct sl_event_batch *events,
                          const struct sl_stamp *stamps, const uint32_t *sel) {
    for (uint32_t i = 0; i < events->n; i++) {
        struct sl_packet *p = &packets[sel[events->events[i].position]];
        if (events->events[i].bits & SL_EVENT_NO_FLOW)
            continue;
        p->dir = stamps[i].dir;
        p->flow = stamps[i].flow;
        p->flow_pkt64 = stamps[i].ordinal;
    }
}

/* With `inside` a packet counts as tshark counts it: where its transport header is whole. */
static int add_one(struct sl_run_tap *x, struct sl_event_batch *events, const struct sl_packet *p) {
    if (x->inside && (p->frag_offset || p->skip))
        return 0;
    if (events->n == SL_BATCH) {
        if (sl_tap_take(x, events, NULL) < 0)
            return -1;
        sl_event_batch_clear(events, p->number64);
    }
    (void)sl_event_add(events, p, &x->run->flow_options.seed);
    return 0;
}

int sl_tap_add(struct sl_run_tap *x, struct sl_event_batch *events, const struct sl_packet *p) {
    struct sl_packet inside[2];
    int result = add_one(x, events, p);

    for (int n = 0; x->inside && n < SL_TUNNELS_MAX && result == 0; n++) {
        if (!sl_decode_inside(p, &inside[n % 2]))
            break;
        p = &inside[n % 2];
        result = add_one(x, events, p);
    }
    return result;
}

/* As sl_tap_flows, where a packet may stand for several. */
static int flows_inside(struct sl_run_tap *x, struct sl_packet *packets) {
    struct sl_event_batch *events = &x->run->events;

    for (uint32_t i = 0; i < x->tap.n; i++)
        if (sl_tap_add(x, events, &packets[x->tap.sel[i]]) < 0)
            return -1;
    return sl_tap_take(x, events, NULL) < 0 ? -1 : sl_tap_sweep(x);
}

int sl_tap_flows(struct sl_tap *tap) {
    struct sl_run_tap *x = of(tap);
    struct sl_run *r = x->run;
    struct sl_event_batch *events = &r->events;
    struct sl_packet *packets = r->batch.packets;
    struct sl_stamp stamps[SL_BATCH] = {0};

    sl_event_batch_clear(events, packets[0].number64);
    if (x->inside)
        return flows_inside(x, packets);
    for (uint32_t i = 0; i < tap->n; i++)
        if (sl_event_add(events, &packets[tap->sel[i]], &r->flow_options.seed))
            events->events[events->n - 1].position = (uint8_t)i;
    for (uint32_t i = 0; x->meters.n && i < tap->n; i++) {
        const struct sl_packet *p = &packets[tap->sel[i]];
        sl_meters_packet(&x->meters, p->ts, p->ip_version != 0, p->len);
    }
    sl_meters_flush(&x->meters);
    if (r->log &&
        sl_log_events_and_heads(r->log, x->index, events, packets, tap->sel, &r->error) < 0)
        return -1;
    /* cppcheck-suppress legacyUninitvar ; it is filled here */
    if (sl_tap_take(x, events, x->flows ? stamps : NULL) < 0)
        return -1;
    if (x->flows)
        stamp_packets(packets, events, stamps, tap->sel);
    if (x->heads && sl_heads_take(x->heads, packets, tap->sel, tap->n, &r->error) < 0)
        return -1;
    return sl_tap_sweep(x);
}

int sl_tap_take(struct sl_run_tap *x, struct sl_event_batch *events, struct sl_stamp *stamps) {
    struct sl_run *r = x->run;

    if (r->split) {
        if (sl_split_add_events(r->split, x->index, events) < 0)
            return sl_error_set(&r->error, SL_EXIT_INPUT, "out of memory for flows");
        return 0;
    }
    return x->flows ? sl_flows_take(x->flows, events, stamps, &r->error) : 0;
}

int sl_tap_sweep(struct sl_run_tap *x) {
    struct sl_run *r = x->run;

    if (!x->flows || !r->sweeps || r->at < r->read)
        return 0;
    return sl_flows_sweep(x->flows, r->sweep_s, &r->error);
}

int sl_tap_finish(struct sl_tap *tap) {
    struct sl_run_tap *x = of(tap);
    struct sl_run *r = x->run;

    return x->flows ? sl_flows_finish(x->flows, sl_clock_end(&r->clock), &r->error) : 0;
}

uint32_t sl_tap_decided(struct sl_tap *tap) {
    struct sl_run_tap *x = of(tap);

    tap->n_flows = x->run->crew ? sl_crew_decided(x->run->crew, x->index, &tap->flows)
                                : sl_flows_decided(x->flows, &tap->flows);
    for (uint32_t i = 0; x->heads && i < tap->n_flows; i++)
        for (int dir = 0; dir < 2; dir++)
            tap->flows[i]->head[dir] = sl_heads_of(x->heads, tap->flows[i]->index, dir);
    return tap->n_flows;
}

int sl_tap_taker(struct sl_tap *tap, uint32_t taker) {
    struct sl_run_tap *x = of(tap);

    if (x->n_takers == SL_TAKERS_MAX)
        return sl_error_set(&x->run->error, SL_EXIT_USAGE, "more than %d flow handlers",
                            SL_TAKERS_MAX);
    x->takers[x->n_takers++] = taker;
    return 0;
}

void sl_tap_give(struct sl_tap *tap) {
    struct sl_run_tap *x = of(tap);

    if (x->run->crew)
        sl_takers_give(x->run->crew, x->index, tap->flows, tap->n_flows);
}

const struct sl_flow_stats *sl_tap_stats(const struct sl_tap *tap) {
    const struct sl_run_tap *x = of(tap);
    const struct sl_flows *flows = x->flows;

    if (x->run->crew)
        return sl_crew_flow_stats(x->run->crew, x->index);
    return flows ? sl_flows_stats(flows) : NULL;
}
