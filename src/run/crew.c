#include "crew_state.h"

#include "interrupt.h"
#include "replay.h"

enum { WAITING_MAX = 1 << 13 };

/* Where failures stand in the order of those that count: that of the first flows (takers.h), then
 * that of the first split, then those behind the last one, UINT64_MAX. */
#define FIRST_SPLIT (UINT64_C(1) << 62)

/* ---- what there is to do; the lock is held ---- */

void sl_crew_note(struct sl_crew *c, uint64_t at, const struct sl_error *err) {
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
            sl_crew_note(c, FIRST_SPLIT + s->number, &err);
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

/* A shard that can go on: splits wait for it, or it is behind the last one. Each worker looks at
 * others first, and so at those whose flows its processor has in its cache. */
static struct sl_shard *ready_shard(struct sl_crew *c, uint32_t worker, uint32_t *queue) {
    int behind = c->cut_all && c->decoded == c->cut && !c->cutting;
    uint32_t begin = worker * c->shards / c->n_workers;

    for (uint32_t t = 0; t < c->n_taps; t++) {
        for (uint32_t k = 0; k < c->taps[t].n_shards; k++) {
            uint32_t i = (begin + k) % c->shards;
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
static int may_begin(const struct sl_crew *c, const struct sl_run *worker, uint64_t number) {
    int is_its_turn = !c->main->n_shared || number % c->n_workers == sl_crew_index(c, worker);

    return is_its_turn && !c->cut_all && number - c->taken < c->n_splits &&
           (c->waiting < WAITING_MAX || c->hungry);
}

static int may_cut(const struct sl_crew *c, const struct sl_run *worker) {
    return !c->cutting && c->loading <= c->cut && may_begin(c, worker, c->cut);
}

static int may_load(const struct sl_crew *c, const struct sl_run *worker) {
    return c->load_at && may_begin(c, worker, c->loading);
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
        sl_crew_note(c, FIRST_SPLIT + (finish ? c->cut : s->next), &err);
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

/* Behind a cut: splits that come next may be loaded from where the reader stands, if none is on its
 * way; else they go on as they do while what they bring is what comes next. */
static void plan_loads(struct sl_crew *c) {
    uint64_t from = sl_reader_load_from(c->reader);

    if (c->loading <= c->cut)
        c->loading = c->cut;
    for (uint64_t k = c->cut; from && k < c->loading; k++)
        from = sl_stretch_end(from, c->split_bytes);
    c->load_at = c->loading == c->cut || from == c->load_at ? from : 0;
}

/* Cuts the next split for the worker. */
static void work_at_reader(struct sl_crew *c, struct sl_run *worker) {
    struct sl_stretch *stretch = &c->workers[sl_crew_index(c, worker)].stretch;
    struct sl_split *s = sl_crew_split(c, c->cut);
    struct sl_error err = {0};

    c->cutting = 1;
    pthread_mutex_unlock(&c->lock);
    int n = sl_reader_cut(c->reader, stretch, c->split_bytes, SL_WAIT_MS, &err);
    pthread_mutex_lock(&c->lock);
    c->cutting = 0;
    c->bytes = sl_reader_taken(c->reader);
    sl_feed_traffic(c->main->feed, &c->traffic);
    if (n > 0) {
        sl_split_reset(s, c->cut);
        s->left = c->sharing;
        if (!c->cut++)
            begin(c, stretch->first);
        plan_loads(c);
        worker->split = s;
    } else if (n == SL_READ_ERROR) {
        sl_crew_note(c, UINT64_MAX, &err);
    } else if (n == SL_READ_END) {
        c->cut_all = 1;
    } else {
        pthread_cond_signal(&c->news); /* nothing came: the main thread may flush */
    }
    tell_workers(c);
}

static void wait_for_work(struct sl_crew *c) {
    c->idle++;
    pthread_cond_wait(&c->work, &c->lock);
    c->idle--;
}

/* Reads a split, while others do the same, and cuts it when it is its turn. */
static void work_at_file(struct sl_crew *c, struct sl_run *worker) {
    struct sl_stretch *stretch = &c->workers[sl_crew_index(c, worker)].stretch;
    uint64_t number = c->loading++, at = c->load_at;

    c->load_at = sl_stretch_end(at, c->split_bytes);
    pthread_mutex_unlock(&c->lock);
    sl_stretch_load(stretch, c->reader, at, c->split_bytes);
    pthread_mutex_lock(&c->lock);
    while (c->cut <= number && !c->cut_all && !c->stopped) {
        if (c->cut == number && !c->cutting)
            work_at_reader(c, worker);
        else
            wait_for_work(c);
    }
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
        sl_crew_note(c, UINT64_MAX, &err);
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

/* Whether nothing is left to do, and nothing will come any more. */
static int is_over(const struct sl_crew *c) {
    return sl_crew_all_finished(c) && sl_takers_idle(c) && (c->settling || !c->has_takers);
}

/* Works until the worker has a split or flows to take, or all is over; the lock is held. */
static void work_on(struct sl_crew *c, struct sl_run *worker, int is_script) {
    struct sl_shard *shard;
    uint32_t queue;

    while (!worker->split && !worker->taking && !c->stopped) {
        if (sl_interrupt_pending())
            c->cut_all = 1;
        if (is_script && sl_takers_start(c, worker))
            break;
        if ((shard = ready_shard(c, sl_crew_index(c, worker), &queue)) != NULL)
            work_at_shard(c, shard, queue);
        else if (may_cut(c, worker) && c->main->replay)
            work_at_logs(c);
        else if (may_load(c, worker))
            work_at_file(c, worker);
        else if (may_cut(c, worker))
            work_at_reader(c, worker);
        else if (is_over(c))
            break;
        else
            wait_for_work(c);
    }
}

uint32_t sl_crew_turn(struct sl_run *worker) {
    struct sl_crew *c = worker->crew;
    struct sl_worker *self = &c->workers[sl_crew_index(c, worker)];

    pthread_mutex_lock(&c->lock);
    if (worker->taking)
        sl_takers_end(c, worker, 0);
    hand_in(c, worker);
    work_on(c, worker, self->is_script);
    if (!worker->split && !worker->taking) {
        tell_workers(c);
        pthread_cond_signal(&c->news);
    }
    pthread_mutex_unlock(&c->lock);
    if (worker->taking)
        return SL_STEP_FLOWS;
    if (!worker->split)
        return SL_STEP_END;
    sl_run_take_stretch(worker, &self->stretch, c->main->origin);
    return SL_STEP_PACKETS;
}

static uint64_t place_of(const struct sl_crew *c, const struct sl_run *worker) {
    if (worker->taking)
        return sl_takers_place(c, worker);
    return worker->split ? FIRST_SPLIT + worker->split->number : UINT64_MAX;
}

void sl_crew_fail(struct sl_run *worker, const struct sl_error *err) {
    struct sl_crew *c = worker->crew;

    pthread_mutex_lock(&c->lock);
    sl_crew_note(c, place_of(c, worker), err);
    if (worker->taking)
        sl_takers_end(c, worker, 1);
    hand_in(c, worker);
    pthread_mutex_unlock(&c->lock);
}
