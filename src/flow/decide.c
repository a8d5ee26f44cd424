/* How flows end and come out in order. */
#include "clock.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

enum { AHEAD = 8 };

const char *sl_flow_end_name(uint32_t end) {
    static const char *const names[] = {"eof", "fin", "rst", "reuse", "idle", "evicted"};
    return end < sizeof names / sizeof *names ? names[end] : NULL;
}

/* Marks a flow as ended. Where nobody looks at it, its place is free at once. */
static int end(struct sl_flows *t, struct sl_hot *h, uint8_t why, struct sl_time when) {
    t->stats.ended[why]++;
    t->stats.live--;
    h->flags &= (uint8_t)~SL_FLOW_LIVE;
    if (!t->options.ordered) {
        h->wheel_bucket = SL_WHEEL_NONE;
        return sl_store_put(&t->store, h->index);
    }
    struct sl_cold *c = sl_store_cold(&t->store, h->index);
    c->end = why;
    c->decided_s = when.s;
    c->decided_nsec = when.nsec;
    return 0;
}

/* The same, and no further packet finds it. */
static int take_out(struct sl_flows *t, struct sl_hot *h, uint8_t why, struct sl_time when) {
    sl_slots_remove(&t->slots, sl_flow_hash_of(t, h), h->index);
    return end(t, h, why, when);
}

int sl_flow_end_early(struct sl_flows *t, struct sl_hot *h, uint8_t why, struct sl_time when) {
    if (take_out(t, h, why, when) < 0)
        return -1;
    return t->options.ordered ? sl_wheel_put(&t->wheel, h, when.s) : 0;
}

/* ---- handing out ---- */

static int queue(struct sl_flows *t, uint32_t index) {
    if (!t->options.ordered)
        return 0;
    if (t->taken == t->n_decided)
        t->taken = t->n_decided = 0;
    if (t->n_decided == t->room) {
        size_t room = t->room ? 2 * t->room : 256;
        uint32_t *grown = realloc(t->decided, room * sizeof *grown);
        if (!grown)
            return -1;
        t->decided = grown;
        t->room = room;
    }
    t->decided[t->n_decided++] = index;
    return 0;
}

static int by_decision(const void *a, const void *b, void *store) {
    const struct sl_cold *x = sl_store_cold(store, *(const uint32_t *)a);
    const struct sl_cold *y = sl_store_cold(store, *(const uint32_t *)b);

    if (x->decided_s != y->decided_s)
        return x->decided_s < y->decided_s ? -1 : 1;
    if (x->decided_nsec != y->decided_nsec)
        return x->decided_nsec < y->decided_nsec ? -1 : 1;
    return sl_cold_number(x) < sl_cold_number(y) ? -1 : 1;
}

static void sort_decided(struct sl_flows *t, size_t from) {
    if (t->n_decided - from > 1)
        qsort_r(t->decided + from, t->n_decided - from, sizeof *t->decided, by_decision, &t->store);
}

/* All flows have come out: their memory is free for what is made of them. */
static void let_go(struct sl_flows *t) {
    sl_store_free(&t->store);
    sl_wheel_free(&t->wheel);
    sl_evict_free(&t->evict);
    free(t->fragments);
    free(t->decided);
    t->fragments = NULL;
    t->decided = NULL;
    t->n_decided = t->taken = t->room = 0;
}

uint32_t sl_flows_decided(struct sl_flows *t, struct sl_flow ***flows) {
    uint32_t n = 0;

    for (; n < SL_FLOWS_AT_ONCE && t->taken < t->n_decided; n++) {
        uint32_t index = t->decided[t->taken];
        sl_flow_assemble(t, index, &t->handed->flows[n]);
        if (sl_store_put(&t->store, index) < 0)
            break; /* no memory to remember the free place: the next round tries again */
        t->taken++;
        t->handed->list[n] = &t->handed->flows[n];
    }
    *flows = n ? t->handed->list : NULL;
    if (t->ended && t->taken == t->n_decided)
        let_go(t);
    return n;
}

/* ---- sweeping ---- */

/* The i-th flow that the wheel gave out, with the hash slot of one further on asked for. */
static struct sl_hot *taken(const struct sl_flows *t, uint32_t i) {
    const struct sl_bucket *b = &t->wheel.taken;

    if (i + AHEAD < b->n)
        sl_slots_prefetch(&t->slots,
                          sl_flow_hash_of(t, sl_store_hot(&t->store, b->indexes[i + AHEAD])));
    return sl_store_hot(&t->store, b->indexes[i]);
}

static int sweep_flow(struct sl_flows *t, struct sl_hot *h, int64_t until_s) {
    int decided = !(h->flags & SL_FLOW_LIVE);
    struct sl_time when =
        decided ? sl_cold_decided(sl_store_cold(&t->store, h->index)) : sl_flow_due(t, h);

    if (when.s >= until_s)
        return sl_wheel_put(&t->wheel, h, when.s);
    if (!decided && take_out(t, h, sl_flow_end_when_idle(h), when) < 0)
        return -1;
    return queue(t, h->index);
}

static int sweep(struct sl_flows *t, int64_t until_s) {
    size_t from = t->n_decided - t->taken;

    if (sl_wheel_take(&t->wheel, until_s) < 0)
        return -1;
    for (uint32_t i = 0; i < t->wheel.taken.n; i++)
        if (sweep_flow(t, taken(t, i), until_s) < 0)
            return -1;
    sort_decided(t, t->taken + from);
    return 0;
}

/* When the clock has fallen far back the wheel starts again from there: what is due in its past
 * would else stay for as long as the leap. */
int sl_flows_sweep(struct sl_flows *t, int64_t until_s, struct sl_error *err) {
    if (until_s <= t->wheel.next_s && until_s >= t->wheel.next_s - SL_WHEEL_BUCKETS / 2)
        return 0;
    return sweep(t, until_s) < 0 ? sl_flows_no_memory(t, err) : 0;
}

/* Why a flow ends that is left at the end of the input, and when. */
static uint8_t end_of_left(const struct sl_flows *t, const struct sl_hot *h, struct sl_time at_end,
                           struct sl_time *when) {
    struct sl_time last = sl_hot_last(h);
    uint8_t why = sl_flow_end_when_idle(h);

    *when = sl_flow_due(t, h);
    if (sl_before(*when, at_end))
        return why;
    *when = sl_before(at_end, last) ? last : at_end; /* its time was not up */
    return why == SL_END_IDLE ? SL_END_EOF : why;
}

static int finish(struct sl_flows *t, struct sl_time at_end) {
    if (sl_wheel_take(&t->wheel, t->wheel.next_s - 1) < 0)
        return -1;
    for (uint32_t i = 0; i < t->wheel.taken.n; i++) {
        struct sl_hot *h = sl_store_hot(&t->store, t->wheel.taken.indexes[i]);
        if (h->flags & SL_FLOW_LIVE) {
            struct sl_time when;
            uint8_t why = end_of_left(t, h, at_end, &when);
            if (end(t, h, why, when) < 0)
                return -1;
        }
        if (queue(t, h->index) < 0)
            return -1;
    }
    sort_decided(t, t->taken);
    return 0;
}

/* Where nobody looks they are only counted, in the order of their places: memory likes that. */
static void finish_unseen(struct sl_flows *t, struct sl_time at_end) {
    for (uint32_t i = sl_store_next(&t->store, 0); i < t->store.used;
         i = sl_store_next(&t->store, i + 1)) {
        const struct sl_hot *h = sl_store_hot(&t->store, i);
        struct sl_time when;
        if (h->flags & SL_FLOW_LIVE)
            t->stats.ended[end_of_left(t, h, at_end, &when)]++;
    }
    t->stats.live = 0;
}

int sl_flows_finish(struct sl_flows *t, struct sl_time at_end, struct sl_error *err) {
    sl_slots_free(&t->slots); /* nobody looks for a flow any more */
    if (!t->options.ordered)
        finish_unseen(t, at_end);
    else if (finish(t, at_end) < 0)
        return sl_flows_no_memory(t, err);
    t->ended = 1;
    if (!t->options.ordered)
        let_go(t);
    return 0;
}
