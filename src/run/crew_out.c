/* What the main thread gets of the workers: decided flows in the order of one worker, and the sums
 * of what each has counted. */
#include "crew_state.h"

#include "interrupt.h"

#include <errno.h>
#include <time.h>

/* ---- decided flows ---- */

static const struct sl_decided *head(const struct sl_crew_tap *tap, uint32_t i) {
    return tap->in[i].first;
}

static int earlier(const struct sl_decided *a, const struct sl_decided *b) {
    const struct sl_flow *x = &a->flows[a->at], *y = &b->flows[b->at];

    if (a->order[a->at] != b->order[b->at])
        return a->order[a->at] < b->order[b->at];
    if (sl_before(x->decided, y->decided) || sl_before(y->decided, x->decided))
        return sl_before(x->decided, y->decided);
    return x->number64 < y->number64;
}

/* What the end of the input has decided comes from the shard's own table, piece by piece. */
static int refill(struct sl_crew_tap *tap, uint32_t i, struct sl_error *err) {
    if (tap->in[i].first || !tap->finished[i])
        return 0;
    return sl_shard_more(&tap->shards[i], &tap->in[i], err);
}

/* Fetches what the shards have put out. All flows of sweeps up to tap->complete are there then. The
 * lock is held. */
static void fetch(struct sl_crew *c, struct sl_crew_tap *tap) {
    struct sl_error err;

    c->waiting -= tap->n_handed;
    tap->n_handed = 0;
    tap->complete = UINT64_MAX;
    for (uint32_t i = 0; i < tap->n_shards; i++) {
        struct sl_shard *s = &tap->shards[i];
        sl_decided_append(&tap->in[i], &s->out);
        if (s->done < tap->complete)
            tap->complete = s->done;
        tap->finished[i] = s->finished;
        if (refill(tap, i, &err) < 0 && !c->error.code)
            c->error = err;
    }
    tell_workers(c);
}

/* The shard whose next flow is the first of all, or SL_EVENT_CLASSES: none can go out yet. */
static uint32_t first_of_all(const struct sl_crew_tap *tap) {
    uint32_t best = SL_EVENT_CLASSES;

    for (uint32_t i = 0; i < tap->n_shards; i++)
        if (head(tap, i) && (best == SL_EVENT_CLASSES || earlier(head(tap, i), head(tap, best))))
            best = i;
    if (best < SL_EVENT_CLASSES && head(tap, best)->order[head(tap, best)->at] > tap->complete)
        return SL_EVENT_CLASSES;
    return best;
}

/* Takes the next flow of a shard; the memory of the last one of its piece goes with the next call.
 */
static struct sl_flow *take_flow(struct sl_crew_tap *tap, uint32_t i) {
    struct sl_decided *d = tap->in[i].first;
    struct sl_flow *flow = &d->flows[d->at++];

    if (d->at == d->n) {
        tap->in[i].first = d->next;
        if (!d->next)
            tap->in[i].last = NULL;
        d->next = NULL;
        tap->n_handed += d->order[0] == SL_ORDER_LAST ? 0 : d->n; /* those never waited */
        sl_decided_append(&tap->handed, &(struct sl_decided_queue){d, d});
    }
    return flow;
}

uint32_t sl_crew_decided(struct sl_crew *c, uint32_t t, struct sl_flow ***flows) {
    struct sl_crew_tap *tap = &c->taps[t];
    struct sl_error err = {0};
    uint32_t n = 0, i;

    sl_decided_free(&tap->handed);
    pthread_mutex_lock(&c->lock);
    fetch(c, tap);
    pthread_mutex_unlock(&c->lock);
    while (n < SL_FLOWS_AT_ONCE && (i = first_of_all(tap)) < SL_EVENT_CLASSES) {
        tap->list[n++] = take_flow(tap, i);
        if (refill(tap, i, &err) < 0)
            break;
    }
    if (err.code) {
        pthread_mutex_lock(&c->lock);
        c->error = c->error.code ? c->error : err;
        pthread_mutex_unlock(&c->lock);
    }
    *flows = tap->list;
    return n;
}

/* ---- waiting ---- */

static int has_flows(struct sl_crew *c) {
    for (uint32_t t = 0; t < c->n_taps; t++) {
        if (!c->taps[t].look)
            continue;
        fetch(c, &c->taps[t]);
        if (first_of_all(&c->taps[t]) < SL_EVENT_CLASSES)
            return 1;
    }
    return 0;
}

static uint32_t state_at_end(struct sl_crew *c) {
    if (sl_interrupted())
        return SL_STEP_INTERRUPTED;
    if (!c->error.code)
        return SL_STEP_END;
    c->main->error = c->error;
    return SL_STEP_ERROR;
}

static void add_meters(struct sl_crew *c, struct sl_meters *to, struct sl_meters *from) {
    struct sl_error err;

    if (sl_meters_merge(to, from, &err) < 0 && !c->error.code)
        c->error = err;
}

/* What workers and shards have metered goes to the series of the tap. */
static void add_all_meters(struct sl_crew *c) {
    for (uint32_t t = 0; t < c->n_taps; t++) {
        struct sl_meters *to = &c->main->taps[t]->meters;
        for (uint32_t i = 0; i < c->n_workers; i++)
            add_meters(c, to, &c->workers[i].run.taps[t]->meters);
        for (uint32_t i = 0; i < c->taps[t].n_shards; i++)
            add_meters(c, to, &c->taps[t].shards[i].meters);
    }
}

/* Waits until the workers have added up what they have, which they do while nobody else is at it.
 */
static void settle(struct sl_crew *c) {
    c->settling = 1;
    pthread_cond_broadcast(&c->work);
    while (c->at_end < c->n_workers)
        pthread_cond_wait(&c->news, &c->lock);
    c->main->clock = c->clock;
    sl_crew_add_counters(c);
    add_all_meters(c);
}

uint32_t sl_crew_wait(struct sl_crew *c) {
    uint32_t state = SL_STEP_PACKETS;
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += SL_WAIT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&c->lock);
    while (state == SL_STEP_PACKETS && !has_flows(c)) {
        if (sl_crew_all_finished(c)) {
            settle(c);
            state = state_at_end(c);
        } else {
            c->hungry = 1;
            tell_workers(c);
            if (pthread_cond_timedwait(&c->news, &c->lock, &until) == ETIMEDOUT)
                state = SL_STEP_WAIT;
        }
    }
    c->hungry = 0;
    uint64_t bytes = c->bytes, packets = c->clock.packets;
    struct sl_traffic traffic = c->traffic;
    if (sl_interrupt_pending()) /* whoever waits for something to do has to look, too */
        pthread_cond_broadcast(&c->work);
    pthread_mutex_unlock(&c->lock);
    if (state != SL_STEP_PACKETS && state != SL_STEP_WAIT)
        sl_progress_clear(&c->main->progress);
    else if (sl_progress_due(&c->main->progress))
        sl_progress_draw(&c->main->progress, bytes, packets, &traffic);
    return state;
}

/* ---- sums ---- */

/* Workers merge one after another, so that every run does it in the same order. */
static int is_next(const struct sl_crew *c, const struct sl_run *worker) {
    for (uint32_t i = 0; i < sl_crew_index(c, worker); i++)
        if (!c->workers[i].ended)
            return 0;
    return 1;
}

void sl_crew_merge(struct sl_run *worker, uint32_t i, struct sl_agg *from) {
    struct sl_crew *c = worker->crew;
    struct sl_error err;

    pthread_mutex_lock(&c->lock);
    while (!(c->settling && is_next(c, worker)) && !c->stopped)
        pthread_cond_wait(&c->work, &c->lock);
    if (c->settling && i < c->main->n_shared && sl_agg_merge(c->main->shared[i], from, &err) < 0 &&
        !c->error.code)
        c->error = err;
    pthread_mutex_unlock(&c->lock);
}

const struct sl_flow_stats *sl_crew_flow_stats(struct sl_crew *c, uint32_t t) {
    struct sl_crew_tap *tap = &c->taps[t];
    struct sl_flow_stats *sum = &tap->stats;

    if (!tap->flows)
        return NULL;
    *sum = (struct sl_flow_stats){0};
    pthread_mutex_lock(&c->lock);
    for (uint32_t i = 0; i < tap->n_shards; i++) {
        const struct sl_flow_stats *s = sl_flows_stats(tap->shards[i].flows);
        sum->created += s->created;
        sum->packets += s->packets;
        sum->fragments_lost += s->fragments_lost;
        sum->live += s->live;
        sum->live_max += s->live_max;
        for (uint32_t e = 0; e < sizeof s->ended / sizeof *s->ended; e++)
            sum->ended[e] += s->ended[e];
    }
    pthread_mutex_unlock(&c->lock);
    return sum;
}

uint64_t sl_crew_bytes(struct sl_crew *c) {
    pthread_mutex_lock(&c->lock);
    uint64_t bytes = c->bytes;
    pthread_mutex_unlock(&c->lock);
    return bytes;
}

uint64_t sl_crew_frames(struct sl_crew *c) {
    pthread_mutex_lock(&c->lock);
    uint64_t frames = c->clock.packets;
    pthread_mutex_unlock(&c->lock);
    return frames;
}
