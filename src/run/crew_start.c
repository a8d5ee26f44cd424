/* A crew's threads and memory: how it begins and ends. */
#include "crew_state.h"

#include "../script.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum {
    SPLITS_A_WORKER = 2,
    SPLIT_MAX_BYTES = SL_BUFFER_MAX_BYTES / 2 /* one may become half as large again */
};

/* ---- threads ---- */

static void skim_all(struct sl_run *run) {
    int state;

    do
        state = sl_run_skim(run);
    while (state == SL_STEP_PACKETS || state == SL_STEP_WAIT);
    if (state == SL_STEP_ERROR)
        sl_crew_fail(run, sl_run_error(run));
}

/* Its Lua is gone. What nobody is left to take makes the result wrong. */
static void leave_takers(struct sl_crew *c, struct sl_worker *w) {
    struct sl_error err;

    pthread_mutex_lock(&c->lock);
    int is_lost = w->is_script && c->able == 1 && !sl_takers_idle(c);
    c->able -= (uint32_t)w->is_script;
    w->is_script = 0;
    if (is_lost && c->error.code != SL_EXIT_USAGE) {
        sl_error_set(&err, SL_EXIT_USAGE, "no worker is left for flow handlers%s%s",
                     c->error.code ? ": " : "", c->error.message);
        sl_crew_note(c, 0, &err);
    }
    pthread_cond_broadcast(&c->work);
    pthread_cond_signal(&c->news);
    pthread_mutex_unlock(&c->lock);
}

/* A worker that could not even start, or fell out, leaves its work to the others; the last one does
 * what is left of the flows, so that what was read is reported. */
static void *work(void *arg) {
    struct sl_worker *w = arg;
    struct sl_crew *c = w->run.crew;

    if (c->script)
        sl_script_work(c->script, &w->run);
    else
        skim_all(&w->run);
    leave_takers(c, w);
    while (sl_crew_turn(&w->run) == SL_STEP_PACKETS)
        continue;
    pthread_mutex_lock(&c->lock);
    c->at_end++;
    w->ended = 1;
    pthread_cond_broadcast(&c->work); /* the next one may merge */
    pthread_cond_signal(&c->news);
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* Signals are the main thread's. */
static int start_threads(struct sl_crew *c) {
    sigset_t all, old;
    int failed = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (uint32_t i = 0; i < c->n_workers && !failed; i++) {
        failed = pthread_create(&c->workers[i].thread, NULL, work, &c->workers[i]);
        c->workers[i].started = !failed;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return failed ? -1 : 0;
}

/* Two for each worker, so that one can go on where another is in the way. */
static uint32_t shards_for(uint32_t workers) {
    uint32_t shards = 2;

    while (shards < 2 * workers && shards < SL_EVENT_CLASSES)
        shards *= 2;
    return shards;
}

static int open_taps(struct sl_crew *c) {
    struct sl_run *r = c->main;

    c->shards = shards_for(c->n_workers);
    c->n_taps = r->n_taps;
    if (!(c->taps = calloc(c->n_taps + 1, sizeof *c->taps)))
        return sl_error_set(&r->error, SL_EXIT_INPUT, "out of memory");
    for (uint32_t t = 0; t < c->n_taps; t++) {
        struct sl_flow_options options = r->flow_options;
        c->taps[t].flows = r->taps[t]->wants_flows;
        c->taps[t].look = options.ordered = r->taps[t]->looks;
        c->taps[t].n_shards = c->taps[t].flows ? c->shards : 0;
        for (uint32_t i = 0; i < c->taps[t].n_shards; i++)
            if (sl_shard_init(&c->taps[t].shards[i], &options, &r->taps[t]->meters, &r->error) < 0)
                return -1;
        c->sharing += c->taps[t].n_shards;
        if (sl_takers_open(&c->taps[t].takers, r->taps[t]) < 0)
            return sl_error_set(&r->error, SL_EXIT_INPUT, "out of memory");
        c->has_takers |= c->taps[t].takers.n > 0;
    }
    return 0;
}

static int open_splits(struct sl_crew *c) {
    c->n_splits = SPLITS_A_WORKER * c->n_workers;
    if (!(c->splits = calloc(c->n_splits, sizeof *c->splits)))
        return -1;
    for (uint32_t i = 0; i < c->n_splits; i++)
        if (sl_split_init(&c->splits[i], c->n_taps, c->shards) < 0)
            return -1;
    return 0;
}

static int open_crew(struct sl_crew *c) {
    if (open_taps(c) < 0)
        return -1;
    if (open_splits(c) < 0 || !(c->workers = calloc(c->n_workers, sizeof *c->workers)))
        return sl_error_set(&c->main->error, SL_EXIT_INPUT, "out of memory for %u workers",
                            c->n_workers);
    for (uint32_t i = 0; i < c->n_workers; i++)
        if (sl_run_init_worker(&c->workers[i].run, c->main) < 0)
            return -1;
    c->able = c->script ? c->n_workers : 0;
    for (uint32_t i = 0; i < c->able; i++)
        c->workers[i].is_script = 1;
    if (start_threads(c) < 0)
        return sl_error_set(&c->main->error, SL_EXIT_INPUT, "cannot start %u threads",
                            c->n_workers);
    return 0;
}

/* The main thread's waits end by a clock that nobody sets. */
static void init_lock(struct sl_crew *c) {
    pthread_condattr_t monotonic;

    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->work, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&c->news, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

struct sl_crew *sl_crew_start(struct sl_run *r, uint32_t workers, size_t split_bytes,
                              const struct sl_script *script) {
    struct sl_crew *c = calloc(1, sizeof *c);

    if (!c) {
        sl_error_set(&r->error, SL_EXIT_INPUT, "out of memory");
        return NULL;
    }
    c->main = r;
    c->script = script;
    c->n_workers = workers;
    c->split_bytes = split_bytes < SPLIT_MAX_BYTES ? split_bytes : SPLIT_MAX_BYTES;
    c->reader = r->replay ? NULL : sl_feed_reader(r->feed, 0);
    c->failed_at = UINT64_MAX;
    init_lock(c);
    r->crew = c;
    if (open_crew(c) < 0) {
        sl_crew_end(c);
        return NULL;
    }
    return c;
}

void sl_crew_add_counters(struct sl_crew *c) {
    for (uint32_t i = 0; i < c->n_workers; i++)
        sl_counter_merge(&c->main->counter, &c->workers[i].run.counter);
}

void sl_crew_halt(struct sl_crew *c) {
    pthread_mutex_lock(&c->lock);
    c->stopped = c->cut_all = 1;
    pthread_cond_broadcast(&c->work);
    pthread_mutex_unlock(&c->lock);
    for (uint32_t i = 0; c->workers && i < c->n_workers; i++) {
        if (c->workers[i].started)
            pthread_join(c->workers[i].thread, NULL);
        c->workers[i].started = 0;
    }
}

void sl_crew_end(struct sl_crew *c) {
    sl_crew_halt(c);
    for (uint32_t i = 0; c->workers && i < c->n_workers; i++) {
        sl_run_end_worker(&c->workers[i].run);
        sl_stretch_free(&c->workers[i].stretch);
    }
    for (uint32_t t = 0; c->taps && t < c->n_taps; t++) {
        sl_decided_free(&c->taps[t].handed);
        sl_takers_close(&c->taps[t].takers);
        for (uint32_t i = 0; i < c->taps[t].n_shards; i++)
            sl_decided_free(&c->taps[t].in[i]);
        for (uint32_t i = 0; i < c->taps[t].n_shards; i++)
            sl_shard_free(&c->taps[t].shards[i]);
    }
    for (uint32_t i = 0; c->splits && i < c->n_splits; i++)
        sl_split_free(&c->splits[i]);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->work);
    pthread_cond_destroy(&c->news);
    c->main->crew = NULL;
    free(c->workers);
    free(c->splits);
    free(c->taps);
    free(c);
}
