/* How a run goes on when its taps are known: alone, or with workers. */
#include "crew_state.h"
#include "log.h"
#include "split.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

static int open_tables(struct sl_run *r) {
    for (uint32_t i = 0; i < r->n_taps && !r->tableless; i++) {
        struct sl_flow_options options = r->flow_options;
        options.ordered = r->taps[i]->looks;
        if (r->taps[i]->wants_flows && !(r->taps[i]->flows = sl_flows_new(&options, &r->error)))
            return -1;
        if (r->taps[i]->flows)
            sl_flows_meter(r->taps[i]->flows, &r->taps[i]->meters);
    }
    return 0;
}

int sl_run_can_share(const struct sl_run *r) {
    return sl_feed_inputs(r->feed) == 1;
}

int64_t sl_run_size(const struct sl_run *r) {
    return sl_feed_size(r->feed);
}

uint32_t sl_cores(void) {
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return 1;
    return (uint32_t)CPU_COUNT(&set);
}

int sl_run_start(struct sl_run *r, uint32_t workers, uint64_t split_bytes,
                 const struct sl_script *script) {
    if (!workers)
        return open_tables(r);
    return sl_crew_start(r, workers, (size_t)split_bytes, script) ? 0 : -1;
}

/* No flow ends by a shorter gap; 0: by none. */
static int64_t shortest_gap(const struct sl_run *r) {
    const struct sl_flow_options *o = &r->flow_options;
    int64_t gap = o->idle_tcp_s < o->idle_other_s ? o->idle_tcp_s : o->idle_other_s;

    return gap && o->closing_s < gap ? o->closing_s : gap;
}

int sl_run_log(struct sl_run *r, struct sl_outfile *file, int tables) {
    r->tableless = !tables;
    int result = (r->log = sl_log_new(file, r->n_taps, tables)) ? 0 : -1;

    for (uint32_t i = 0; i < r->n_taps && result == 0; i++)
        if (r->taps[i]->head_size)
            result = sl_log_keep_heads(r->log, i, r->taps[i]->head_size, shortest_gap(r));
    if (result < 0)
        sl_error_set(&r->error, SL_EXIT_INPUT, "out of memory for a log of events");
    return result;
}

int sl_run_log_end(struct sl_run *r, uint64_t *size, uint32_t *crc, uint64_t *sum,
                   struct sl_error *err) {
    if (sl_log_finish(r->log, err) < 0)
        return -1;
    *size = sl_log_size(r->log);
    *crc = sl_log_crc(r->log);
    *sum = sl_log_sum(r->log);
    return 0;
}

int sl_run_edges(const struct sl_run *r, struct sl_edges *edges) {
    return sl_feed_edges(r->feed, edges);
}

int sl_run_wait(struct sl_run *r) {
    return (int)sl_crew_wait(r->crew);
}

int sl_run_share(struct sl_run *r, struct sl_agg *agg) {
    if (r->n_shared == SL_SHARED_MAX)
        return sl_error_set(&r->error, SL_EXIT_USAGE, "more than %d aggregates", SL_SHARED_MAX);
    r->shared[r->n_shared++] = agg;
    return 0;
}

int sl_run_lend(struct sl_run *r, void *aggregate, const char *name) {
    if (r->n_lent == SL_LENT_MAX)
        return sl_error_set(&r->error, SL_EXIT_USAGE, "more than %d aggregates", SL_LENT_MAX);
    r->lent[r->n_lent++] = (struct sl_lent){aggregate, name};
    return 0;
}

void *sl_run_lent(const struct sl_run *w, uint32_t i, const char *name) {
    const struct sl_run *r = w->crew->main;

    return i < r->n_lent && strcmp(r->lent[i].name, name) == 0 ? r->lent[i].aggregate : NULL;
}

void sl_run_halt(struct sl_run *r) {
    if (r->crew)
        sl_crew_halt(r->crew);
}

/* ---- a worker's part ---- */

int sl_run_init_worker(struct sl_run *w, struct sl_run *of) {
    w->crew = of->crew;
    w->count_left = UINT64_MAX;
    w->decap = of->decap;
    w->flow_options = of->flow_options;
    if (of->bpf && !(w->bpf = sl_bpf_copy(of->bpf, &of->error)))
        return -1;
    if (!(w->blocks = sl_reader_of_stretches(&of->error)))
        return -1;
    for (uint32_t i = 0; i < of->n_taps; i++) {
        if (!sl_run_tap(w, of->taps[i]->wants_flows, of->taps[i]->looks)) {
            of->error = w->error;
            return -1;
        }
        if (sl_meters_copy(&w->taps[i]->meters, &of->taps[i]->meters, &of->error) < 0)
            return -1;
    }
    return 0;
}

void sl_run_end_worker(struct sl_run *w) {
    sl_bpf_free(w->bpf);
    sl_reader_of_stretches_close(w->blocks);
    for (uint32_t i = 0; i < w->n_taps; i++) {
        sl_meters_free(&w->taps[i]->meters);
        free(w->taps[i]);
    }
}

void sl_run_take_stretch(struct sl_run *w, struct sl_stretch *b, struct sl_time origin) {
    sl_reader_give(w->blocks, b);
    w->origin = origin;
    w->started = 1;
    w->clock.packets = b->before;
}
