#include "crew_state.h"

#include "../script.h"
#include "interrupt.h"
#include "replay.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { SPLITS_A_WORKER = 3, WAITING_MAX = 1 << 15 };

/* ---- what there is to do; the lock is held ---- */

static void fail(struct sl_crew *c, uint64_t at, const struct sl_error *err) {
    if (!c->error.code || at < c->failed_at) {
        c->error = *err;
        c->failed_at = at;
    }
    c->cut_all = 1;
}

/* Splits that are decoded, and all before them too: their clock runs, and shards may take them. */
static void line_up(struct sl_crew *c) {
    while (c->decoded < c->cut && sl_crew_split(c, c->decoded)->decoded) {
        struct sl_split *s = sl_crew_split(c, c->decoded++);
        if (sl_split_run_clock(s, &c->clock, &c->sweeps) < 0) {
            struct sl_error err;
            sl_error_set(&err, SL_EXIT_INPUT, "out of memory");
            fail(c, s->number, &err);
        }
        for (uint32_t i = 0; i < s->n_link_types; i++)
            sl_run_meet(c->main, s->link_types[i]);
    }
}

/* Frees the place of splits that all shards have taken. */
static void let_go(struct sl_crew *c) {
    while (c->taken < c->decoded && !sl_crew_split(c, c->taken)->left)
        c->taken++;
}

int sl_crew_all_finished(const struct sl_crew *c) {
    for (uint32_t t = 0; t < c->n_taps; t++)
        for (uint32_t i = 0; i < c->taps[t].n_shards; i++)
            if (!c->taps[t].shards[i].finished)
                return 0;
    return c->cut_all && c->taken == c->cut;
}

/* A shard that can go on: splits wait for it, or it is behind the last one. */
static struct sl_shard *ready_shard(struct sl_crew *c, uint32_t *queue) {
    int behind = c->cut_all && c->decoded == c->cut && !c->cutting;

    for (uint32_t t = 0; t < c->n_taps; t++) {
        for (uint32_t i = 0; i < c->taps[t].n_shards; i++) {
            struct sl_shard *s = &c->taps[t].shards[i];
            if (!s->busy && !s->finished && (s->next < c->decoded || behind)) {
                *queue = t * c->shards + i;
                return s;
            }
        }
    }
    return NULL;
}

/* Where the main thread is slower than the workers they wait for it; where it waits for flows that
 * it can hand out in order, only what comes next can help. Workers that count (in Lua) take splits
 * in turn: what each of them counts is then the same in every run, which matters where an aggregate
 * is past its bound. */
static int may_cut(const struct sl_crew *c, const struct sl_run *worker) {
    int is_its_turn = !c->script || c->cut % c->n_workers == sl_crew_index(c, worker);

    return is_its_turn && !c->cutting && !c->cut_all && c->cut - c->taken < c->n_splits &&
           (c->waiting < WAITING_MAX || c->hungry);
}

/* ---- doing it; the lock is given up meanwhile ---- */

static uint64_t count_decided(const struct sl_shard *s) {
    uint64_t n = 0;

    for (const struct sl_decided *d = s->decided.first; d; d = d->next)
        n += d->n;
    return n;
}

/* One split, or the end. */
static void work_at_shard(struct sl_crew *c, struct sl_shard *s, uint32_t queue) {
    int finish = s->next == c->decoded;
    struct sl_split *split = finish ? NULL : sl_crew_split(c, s->next);
    struct sl_time at_end = sl_clock_end(&c->clock);
    uint64_t done = s->done;
    struct sl_error err;

    s->busy = 1;
    pthread_mutex_unlock(&c->lock);
    int failed =
        finish ? sl_shard_finish(s, at_end, &err) : sl_shard_take(s, split, queue, &done, &err);
    uint64_t decided = count_decided(s);
    pthread_mutex_lock(&c->lock);
    s->busy = 0;
    if (failed < 0)
        fail(c, finish ? c->cut : s->next, &err);
    c->waiting += decided;
    sl_decided_append(&s->out, &s->decided);
    s->done = finish ? UINT64_MAX : done;
    s->finished = finish;
    s->next += !finish;
    if (split && !--split->left)
        let_go(c);
    tell_workers(c);
    if (decided || finish)
        pthread_cond_signal(&c->news);
}

/* The capture's first packet is known. */
static void begin(struct sl_crew *c, struct sl_time origin) {
    c->main->origin = origin;
    c->main->started = 1;
    for (uint32_t t = 0; t < c->n_taps; t++)
        for (uint32_t i = 0; i < c->taps[t].n_shards; i++)
            sl_flows_begin(c->taps[t].shards[i].flows, origin);
}

/* Cuts the next split. 1: the worker has it. */
static int work_at_reader(struct sl_crew *c, struct sl_run *worker) {
    struct sl_split *s = sl_crew_split(c, c->cut);
    struct sl_error err = {0};

    c->cutting = 1;
    pthread_mutex_unlock(&c->lock);
    int n = sl_reader_cut(c->reader, &s->block, c->split_bytes, SL_WAIT_MS, &err);
    pthread_mutex_lock(&c->lock);
    c->cutting = 0;
    c->bytes = sl_reader_taken(c->reader);
    sl_feed_traffic(c->main->feed, &c->traffic);
    if (n > 0) {
        sl_split_reset(s, c->cut);
        s->left = c->sharing;
        if (!c->cut++)
            begin(c, s->block.first);
        worker->split = s;
    } else if (n == SL_READ_ERROR) {
        fail(c, UINT64_MAX, &err);
    } else if (n == SL_READ_END) {
        c->cut_all = 1;
    } else {
        pthread_cond_signal(&c->news); /* nothing came: the main thread may flush */
    }
    tell_workers(c);
    return n > 0;
}

/* Fills the next split from logs (replay.h): there is nothing to decode. */
static void work_at_logs(struct sl_crew *c) {
    struct sl_split *s = sl_crew_split(c, c->cut);
    struct sl_error err = {0};
    struct sl_time first;

    c->cutting = 1;
    pthread_mutex_unlock(&c->lock);
    sl_split_reset(s, c->cut);
    int n = sl_replay_fill(c->main, s, &first, &err);
    pthread_mutex_lock(&c->lock);
    c->cutting = 0;
    if (n < 0) {
        fail(c, UINT64_MAX, &err);
    } else if (n == 0) {
        c->cut_all = 1;
    } else {
        if (!c->cut++)
            begin(c, first);
        s->left = c->sharing;
        s->decoded = 1;
        line_up(c);
        let_go(c);
    }
    tell_workers(c);
}

/* Puts the split that the worker was at into its line. */
static void hand_in(struct sl_crew *c, struct sl_run *worker) {
    struct sl_split *s = worker->split;

    if (!s)
        return;
    worker->split = NULL;
    s->decoded = 1;
    line_up(c);
    let_go(c);
    tell_workers(c);
}

uint32_t sl_crew_turn(struct sl_run *worker) {
    struct sl_crew *c = worker->crew;
    struct sl_shard *shard;
    uint32_t queue;

    pthread_mutex_lock(&c->lock);
    hand_in(c, worker);
    while (!worker->split && !c->stopped) {
        if (sl_interrupt_pending())
            c->cut_all = 1;
        if ((shard = ready_shard(c, &queue)) != NULL) {
            work_at_shard(c, shard, queue);
        } else if (may_cut(c, worker)) {
            if (c->main->replay)
                work_at_logs(c);
            else if (work_at_reader(c, worker))
                break;
        } else if (sl_crew_all_finished(c)) {
            break;
        } else {
            c->idle++;
            pthread_cond_wait(&c->work, &c->lock);
            c->idle--;
        }
    }
    struct sl_split *s = worker->split;
    if (!s) {
        tell_workers(c);
        pthread_cond_signal(&c->news);
    }
    pthread_mutex_unlock(&c->lock);
    if (!s)
        return SL_STEP_END;
    sl_run_take_stretch(worker, &s->block, c->main->origin);
    return SL_STEP_PACKETS;
}

void sl_crew_fail(struct sl_run *worker, const struct sl_error *err) {
    struct sl_crew *c = worker->crew;

    pthread_mutex_lock(&c->lock);
    fail(c, worker->split ? worker->split->number : UINT64_MAX, err);
    hand_in(c, worker);
    pthread_mutex_unlock(&c->lock);
}

/* ---- threads ---- */

static void skim_all(struct sl_run *run) {
    int state;

    do
        state = sl_run_skim(run);
    while (state == SL_STEP_PACKETS || state == SL_STEP_WAIT);
    if (state == SL_STEP_ERROR)
        sl_crew_fail(run, sl_run_error(run));
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
    if (start_threads(c) < 0)
        return sl_error_set(&c->main->error, SL_EXIT_INPUT, "cannot start %u threads",
                            c->n_workers);
    return 0;
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
    c->split_bytes = split_bytes;
    c->reader = r->replay ? NULL : sl_feed_reader(r->feed, 0);
    c->failed_at = UINT64_MAX;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->work, NULL);
    pthread_cond_init(&c->news, NULL);
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

void sl_crew_end(struct sl_crew *c) {
    pthread_mutex_lock(&c->lock);
    c->stopped = c->cut_all = 1;
    pthread_cond_broadcast(&c->work);
    pthread_mutex_unlock(&c->lock);
    for (uint32_t i = 0; c->workers && i < c->n_workers; i++) {
        if (c->workers[i].started)
            pthread_join(c->workers[i].thread, NULL);
        sl_run_end_worker(&c->workers[i].run);
    }
    for (uint32_t t = 0; c->taps && t < c->n_taps; t++) {
        sl_decided_free(&c->taps[t].handed);
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
