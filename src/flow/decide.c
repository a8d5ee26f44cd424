/* How flows end and come out in order. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

enum { SWEEP_SLACK_S = 10, AHEAD = 8 };
static const int64_t NEVER_S = (int64_t)1 << 61;

const char *sl_flow_end_name(uint32_t end) {
    static const char *const names[] = {"eof", "fin", "rst", "reuse", "idle", "evicted"};
    return end < sizeof names / sizeof *names ? names[end] : NULL;
}

struct sl_time sl_flow_due(const struct sl_flows *t, const struct sl_flow *f) {
    const struct sl_flow_options *o = &t->options;
    int64_t idle_s = f->proto == SL_PROTO_TCP ? o->idle_tcp_s : o->idle_other_s;

    if (f->flags & SL_FLOW_DECIDED)
        return f->decided;
    if (!idle_s)
        idle_s = NEVER_S;
    else if (f->flags & (SL_FLOW_FIN | SL_FLOW_RST))
        idle_s = o->closing_s;
    return (struct sl_time){f->last.s + idle_s, f->last.nsec};
}

uint8_t sl_flow_end_when_idle(const struct sl_flow *f) {
    return f->flags & SL_FLOW_FIN ? SL_END_FIN : f->flags & SL_FLOW_RST ? SL_END_RST : SL_END_IDLE;
}

/* Takes the flow out of the hash table: no further packet finds it. */
static void end(struct sl_flows *t, struct sl_flow *f, uint8_t why, struct sl_time when) {
    sl_slots_remove(&t->slots, f->hash, f->index);
    f->end = why;
    f->decided = when;
    f->flags = (uint8_t)((f->flags | SL_FLOW_DECIDED) & ~SL_FLOW_LIVE);
    t->stats.ended[why]++;
    t->stats.live--;
}

int sl_flow_end_early(struct sl_flows *t, struct sl_flow *f, uint8_t why, struct sl_time when) {
    end(t, f, why, when);
    return sl_wheel_put(&t->wheel, f, when.s);
}

static int hand_out(struct sl_flows *t, struct sl_flow *f) {
    if (t->n_decided == t->room) {
        size_t room = t->room ? 2 * t->room : 256;
        struct sl_flow **grown = realloc(t->decided, room * sizeof *grown);
        if (!grown)
            return -1;
        t->decided = grown;
        t->room = room;
    }
    f->duration = sl_seconds_between(f->first, f->last);
    t->decided[t->n_decided++] = f;
    return 0;
}

int sl_flows_release(struct sl_flows *t) {
    if (!t->options.ordered) /* nobody looks */
        t->taken = t->n_decided;
    if (!t->taken)
        return 0;
    for (size_t i = 0; i < t->taken; i++)
        if (sl_store_put(&t->store, t->decided[i]) < 0)
            return -1;
    t->n_decided -= t->taken;
    memmove(t->decided, t->decided + t->taken, t->n_decided * sizeof *t->decided);
    t->taken = 0;
    return 0;
}

static int by_decision(const void *a, const void *b) {
    const struct sl_flow *x = *(struct sl_flow *const *)a, *y = *(struct sl_flow *const *)b;

    if (sl_before(x->decided, y->decided))
        return -1;
    if (sl_before(y->decided, x->decided))
        return 1;
    return x->number64 < y->number64 ? -1 : 1;
}

static void sort_decided(struct sl_flows *t, size_t from) {
    if (t->options.ordered && t->n_decided - from > 1)
        qsort(t->decided + from, t->n_decided - from, sizeof *t->decided, by_decision);
}

/* The i-th flow that the wheel gave out, with the hash slot of one further on asked for. */
static struct sl_flow *taken(const struct sl_flows *t, uint32_t i) {
    const struct sl_bucket *b = &t->wheel.taken;

    if (i + AHEAD < b->n)
        sl_slots_prefetch(&t->slots, sl_store_at(&t->store, b->indexes[i + AHEAD])->hash);
    return sl_store_at(&t->store, b->indexes[i]);
}

static int sweep(struct sl_flows *t, int64_t until_s) {
    size_t from = t->n_decided;

    if (sl_wheel_take(&t->wheel, until_s) < 0)
        return -1;
    for (uint32_t i = 0; i < t->wheel.taken.n; i++) {
        struct sl_flow *f = taken(t, i);
        struct sl_time when = sl_flow_due(t, f);
        if (when.s >= until_s) {
            if (sl_wheel_put(&t->wheel, f, when.s) < 0)
                return -1;
            continue;
        }
        if (!(f->flags & SL_FLOW_DECIDED))
            end(t, f, sl_flow_end_when_idle(f), when);
        if (hand_out(t, f) < 0)
            return -1;
    }
    sort_decided(t, from);
    return 0;
}

/* When the clock has fallen far back the wheel starts again from there: what is due in its past
 * would else stay for as long as the leap. */
int sl_flows_sweep_if_due(struct sl_flows *t) {
    struct sl_time low;

    if (!sl_clock_low(&t->clock, &low))
        return 0;
    int64_t until_s = low.s - SWEEP_SLACK_S;
    if (until_s > t->wheel.next_s || until_s < t->wheel.next_s - SL_WHEEL_BUCKETS / 2)
        return sweep(t, until_s);
    return 0;
}

/* Decides a flow that is left at the end of the input. */
static void end_at(struct sl_flows *t, struct sl_flow *f, struct sl_time at_end) {
    struct sl_time when = sl_flow_due(t, f);
    uint8_t why = sl_flow_end_when_idle(f);

    if (!sl_before(when, at_end)) { /* the input ended before its time was up */
        when = sl_before(at_end, f->last) ? f->last : at_end;
        why = why == SL_END_IDLE ? SL_END_EOF : why;
    }
    end(t, f, why, when);
}

int sl_flows_finish(struct sl_flows *t, struct sl_error *err) {
    struct sl_time at_end = sl_clock_end(&t->clock);

    if (sl_flows_release(t) < 0 || sl_wheel_take(&t->wheel, t->wheel.next_s - 1) < 0)
        goto no_memory;
    for (uint32_t i = 0; i < t->wheel.taken.n; i++) {
        struct sl_flow *f = taken(t, i);
        if (!(f->flags & SL_FLOW_DECIDED))
            end_at(t, f, at_end);
        if (hand_out(t, f) < 0)
            goto no_memory;
    }
    sort_decided(t, 0);
    return 0;
no_memory:
    return sl_error_set(err, SL_EXIT_INPUT, "out of memory at the end of the input");
}

uint32_t sl_flows_decided(struct sl_flows *t, struct sl_flow ***flows, uint32_t max) {
    size_t n = t->n_decided - t->taken;

    *flows = n ? t->decided + t->taken : NULL;
    if (n > max)
        n = max;
    t->taken += n;
    return (uint32_t)n;
}
