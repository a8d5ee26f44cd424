#include "shard.h"

#include <stdlib.h>

int sl_shard_init(struct sl_shard *s, const struct sl_flow_options *options,
                  const struct sl_meters *meters, struct sl_error *err) {
    *s = (struct sl_shard){0};
    s->flows = sl_flows_new(options, err);
    if (!s->flows || sl_meters_copy(&s->meters, meters, err) < 0)
        return -1;
    sl_flows_meter(s->flows, &s->meters);
    return 0;
}

void sl_shard_free(struct sl_shard *s) {
    sl_flows_free(s->flows);
    sl_meters_free(&s->meters);
    sl_decided_free(&s->decided);
    sl_decided_free(&s->out);
}

/* ---- decided flows ---- */

void sl_decided_append(struct sl_decided_queue *q, struct sl_decided_queue *from) {
    if (!from->first)
        return;
    if (q->last)
        q->last->next = from->first;
    else
        q->first = from->first;
    q->last = from->last;
    *from = (struct sl_decided_queue){0};
}

void sl_decided_free(struct sl_decided_queue *q) {
    while (q->first) {
        struct sl_decided *next = q->first->next;
        free(q->first);
        q->first = next;
    }
    q->last = NULL;
}

static int put(struct sl_decided_queue *q, const struct sl_flow *flow, uint64_t order) {
    struct sl_decided *d = q->last;

    if (!d || d->n == SL_DECIDED_AT_ONCE) {
        if (!(d = malloc(sizeof *d)))
            return -1;
        d->next = NULL;
        d->n = d->at = 0;
        sl_decided_append(q, &(struct sl_decided_queue){d, d});
    }
    d->order[d->n] = order;
    d->flows[d->n++] = *flow;
    return 0;
}

static int no_memory(struct sl_error *err) {
    return sl_error_set(err, SL_EXIT_INPUT, "out of memory for decided flows");
}

/* Takes what a sweep has decided; where nobody looks at flows that is nothing. */
static int collect(struct sl_shard *s, uint64_t order, struct sl_error *err) {
    struct sl_flow **flows;
    uint32_t n;

    while ((n = sl_flows_decided(s->flows, &flows)) > 0)
        for (uint32_t i = 0; i < n; i++)
            if (put(&s->decided, flows[i], order) < 0)
                return no_memory(err);
    return 0;
}

/* ---- splits ---- */

/* The sweeps that come before a block of the clock, from *at on. */
static int sweep(struct sl_shard *s, const struct sl_split *split, uint32_t *at, uint64_t before,
                 struct sl_error *err) {
    for (; *at < split->n_sweeps && split->sweeps[*at].clock_block < before; ++*at)
        if (sl_flows_sweep(s->flows, split->sweeps[*at].until_s, err) < 0 ||
            collect(s, split->sweeps[*at].order, err) < 0)
            return -1;
    return 0;
}

int sl_shard_take(struct sl_shard *s, const struct sl_split *split, uint32_t queue, uint64_t *done,
                  struct sl_error *err) {
    uint32_t at = 0;

    for (struct sl_event_batch *b = split->queues[queue].first; b; b = b->next)
        if (sweep(s, split, &at, sl_clock_block_of(b->base), err) < 0 ||
            sl_flows_take(s->flows, b, NULL, err) < 0)
            return -1;
    if (sweep(s, split, &at, UINT64_MAX, err) < 0)
        return -1;
    if (split->n_sweeps)
        *done = split->sweeps[split->n_sweeps - 1].order;
    return 0;
}

int sl_shard_finish(struct sl_shard *s, struct sl_time at_end, struct sl_error *err) {
    return sl_flows_finish(s->flows, at_end, err);
}

int sl_shard_more(struct sl_shard *s, struct sl_decided_queue *q, struct sl_error *err) {
    struct sl_flow **flows;
    uint32_t n = sl_flows_decided(s->flows, &flows);

    for (uint32_t i = 0; i < n; i++)
        if (put(q, flows[i], SL_ORDER_LAST) < 0)
            return no_memory(err);
    return 0;
}
