#include "takers.h"

#include "crew_state.h"

#include <stdlib.h>

int sl_takers_open(struct sl_takers *t, const struct sl_run_tap *tap) {
    t->n = tap->n_takers;
    for (uint32_t i = 0; i < t->n; i++)
        t->at[i].number = tap->takers[i];
    if (t->n && !(t->given = calloc(SL_GIVEN_MAX, sizeof *t->given)))
        return -1;
    return 0;
}

static struct sl_given *given(const struct sl_takers *t, uint64_t number) {
    return &t->given[number % SL_GIVEN_MAX];
}

void sl_takers_close(struct sl_takers *t) {
    for (uint64_t k = t->n_gone; k < t->n_given; k++)
        sl_decided_free(&given(t, k)->pieces);
    free(t->given);
}

/* Whether anybody can still take flows. */
static int can_take(const struct sl_crew *c) {
    return c->able && !c->stopped;
}

/* Frees what all takers have taken. */
static void let_go(struct sl_crew *c, struct sl_takers *t) {
    uint64_t least = t->n_given;

    for (uint32_t i = 0; i < t->n; i++)
        if (!t->at[i].broken && t->at[i].next < least)
            least = t->at[i].next;
    for (; t->n_gone < least; t->n_gone++) {
        struct sl_given *g = given(t, t->n_gone);
        sl_decided_free(&g->pieces);
        c->waiting -= g->waiting;
        pthread_cond_signal(&c->news);
    }
}

void sl_takers_give(struct sl_crew *c, uint32_t tap, struct sl_flow *const *flows, uint32_t n) {
    struct sl_crew_tap *from = &c->taps[tap];
    struct sl_takers *t = &from->takers;

    pthread_mutex_lock(&c->lock);
    while (can_take(c) && t->n_given - t->n_gone == SL_GIVEN_MAX)
        pthread_cond_wait(&c->news, &c->lock);
    if (can_take(c)) {
        struct sl_given *g = given(t, t->n_given++);
        g->n = n;
        for (uint32_t i = 0; i < n; i++)
            g->flows[i] = flows[i];
        g->pieces = from->handed;
        g->waiting = from->n_handed;
        from->handed = (struct sl_decided_queue){0};
        from->n_handed = 0;
        let_go(c, t); /* where all of them are broken */
        if (c->idle)
            pthread_cond_broadcast(&c->work);
    }
    pthread_mutex_unlock(&c->lock);
}

/* The one of a tap that is furthest behind and at rest, if it is further behind than `than`. */
static struct sl_taker *furthest(struct sl_takers *t, uint64_t than) {
    struct sl_taker *best = NULL;

    for (uint32_t i = 0; i < t->n; i++) {
        struct sl_taker *x = &t->at[i];
        if (!x->busy && !x->broken && t->n_given - x->next > than) {
            than = t->n_given - x->next;
            best = x;
        }
    }
    return best;
}

int sl_takers_start(struct sl_crew *c, struct sl_run *worker) {
    struct sl_taker *best = NULL, *x;
    uint64_t behind = 0;

    for (uint32_t t = 0; t < c->n_taps; t++) {
        if (!(x = furthest(&c->taps[t].takers, behind)))
            continue;
        behind = c->taps[t].takers.n_given - x->next;
        best = x;
        worker->batch.tap = t;
    }
    if (!best)
        return 0;
    struct sl_given *g = given(&c->taps[worker->batch.tap].takers, best->next);
    struct sl_tap *tap = &worker->taps[worker->batch.tap]->tap;
    best->busy = 1;
    tap->flows = g->flows;
    tap->n_flows = g->n;
    worker->batch.taker = best->number;
    worker->taking = best;
    return 1;
}

void sl_takers_end(struct sl_crew *c, struct sl_run *worker, int failed) {
    struct sl_taker *x = worker->taking;

    worker->taking = NULL;
    x->busy = 0;
    x->broken = failed;
    x->next++;
    let_go(c, &c->taps[worker->batch.tap].takers);
    if (c->idle)
        pthread_cond_broadcast(&c->work);
}

uint64_t sl_takers_place(const struct sl_crew *c, const struct sl_run *worker) {
    const struct sl_taker *x = worker->taking;

    return x->next * SL_TAKERS_MAX + (uint64_t)(x - c->taps[worker->batch.tap].takers.at);
}

int sl_takers_idle(const struct sl_crew *c) {
    if (!can_take(c))
        return 1;
    for (uint32_t t = 0; t < c->n_taps; t++)
        if (c->taps[t].takers.n_gone < c->taps[t].takers.n_given)
            return 0;
    return 1;
}
