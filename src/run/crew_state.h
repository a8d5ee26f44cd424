/* What crew.c (who does what next), crew_start.c (threads), crew_out.c (what the main thread gets)
 * and takers.c share. All but what a worker has taken for itself is changed under the lock. */
#ifndef SL_RUN_CREW_STATE_H
#define SL_RUN_CREW_STATE_H

#include "crew.h"
#include "shard.h"
#include "split.h"
#include "takers.h"

#include <pthread.h>

struct sl_worker {
    struct sl_run run;         /* its own batch, counter and -f; first: a run knows its worker */
    struct sl_stretch stretch; /* the bytes that it is at: one memory, so that caches keep it */
    pthread_t thread;
    int started, ended;
    int is_script; /* it is at work in Lua, so it can take flows */
};

struct sl_crew_tap {
    struct sl_shard shards[SL_EVENT_CLASSES];
    uint32_t n_shards; /* of them, 0 where it keeps no flows */
    int flows, look;   /* it keeps flow tables; somebody looks at flows */
    struct sl_flow_stats stats;
    struct sl_decided_queue in[SL_EVENT_CLASSES]; /* fetched; the main thread's */
    uint64_t complete;              /* flows of all sweeps up to this one are fetched */
    struct sl_decided_queue handed; /* what the last call of decided gave away */
    uint64_t n_handed;              /* flows that are gone since the crew was told */
    int finished[SL_EVENT_CLASSES]; /* the shard's table is the main thread's now */
    struct sl_flow *list[SL_FLOWS_AT_ONCE];
    struct sl_takers takers;
};

struct sl_crew {
    struct sl_run *main;
    const struct sl_script *script;
    struct sl_worker *workers;
    uint32_t n_workers;

    pthread_mutex_t lock;
    pthread_cond_t work; /* there may be something to do */
    pthread_cond_t news; /* … something for the main thread */

    struct sl_reader *reader;
    size_t split_bytes;
    uint64_t bytes; /* that the reader has taken */
    struct sl_traffic traffic;
    int cutting;      /* a worker is at the reader */
    uint64_t loading; /* numbers below, not below cut: splits that workers load to cut them then */
    uint64_t load_at; /* where the next of them is read; 0: the reader reads alone */
    int cut_all;      /* no more splits */
    int stopped;      /* nothing of what is left matters */
    int settling;     /* all flows are handed out: when they are taken, aggregates may be merged */
    uint32_t able;    /* workers that can take flows */
    uint32_t idle;    /* … that wait */
    uint32_t at_end;  /* … that have ended */

    uint32_t shards;         /* that a tap has if it keeps flows: a power of two */
    uint32_t sharing;        /* that there are in all */
    struct sl_split *splits; /* split number k is splits[k % n_splits] */
    uint32_t n_splits;
    uint64_t cut, decoded, taken; /* numbers below: cut; decoded, and all before; taken by all */
    struct sl_clock clock;
    uint64_t sweeps;

    struct sl_crew_tap *taps;
    uint32_t n_taps;
    int has_takers;   /* some tap of them */
    uint64_t waiting; /* decided flows that the main thread has not handed out */
    int hungry;       /* it waits for some that it can */

    struct sl_error
        error; /* the first one, of what stands at failed_at in the order of sl_crew_note */
    uint64_t failed_at;
};

static inline struct sl_split *sl_crew_split(const struct sl_crew *c, uint64_t number) {
    return &c->splits[number % c->n_splits];
}
static inline void tell_workers(struct sl_crew *c) {
    if (c->idle)
        pthread_cond_broadcast(&c->work);
}
static inline uint32_t sl_crew_index(const struct sl_crew *c, const struct sl_run *worker) {
    return (uint32_t)((const struct sl_worker *)(const void *)worker - c->workers);
}
/* Keeps a failure, and lets no more be cut. at: where it stands in the order of those that count.
 * The lock is held. */
void sl_crew_note(struct sl_crew *, uint64_t at, const struct sl_error *);
/* Adds what the workers have counted to the main run, once. */
void sl_crew_add_counters(struct sl_crew *);
/* Whether every flow is decided, and nothing will come any more. */
int sl_crew_all_finished(const struct sl_crew *);

#endif
