/* Flow handlers in workers. The main thread gives each batch of a tap's decided flows to all takers
 * of the tap; each taker, a recipe's flow handler, takes the batches in their order in whichever
 * worker has time, one at a time. So every handler sees the flows as the main thread would show
 * them to it, and several are at work at once. Where takers are far behind the main thread waits
 * for them.
 */
#ifndef SL_RUN_TAKERS_H
#define SL_RUN_TAKERS_H

#include "run.h"
#include "shard.h"

struct sl_crew;

enum { SL_GIVEN_MAX = 32 }; /* batches that wait at most, some 10 MB */

struct sl_given {
    struct sl_flow *flows[SL_FLOWS_AT_ONCE];
    uint32_t n;
    struct sl_decided_queue pieces; /* whose last flow is in it: they go when all have taken it */
    uint64_t waiting;               /* flows of theirs that the crew counts as waiting */
};

struct sl_taker {
    uint32_t number; /* the caller's */
    uint64_t next;   /* the batch that it takes next */
    int busy;        /* a worker is at it */
    int broken;      /* its handler has failed */
};

/* Of a tap. Changed under the crew's lock. */
struct sl_takers {
    struct sl_taker at[SL_TAKERS_MAX];
    uint32_t n;
    struct sl_given *given;   /* batch number k is given[k % SL_GIVEN_MAX] */
    uint64_t n_given, n_gone; /* batches so far; those that all have taken */
};

int sl_takers_open(struct sl_takers *, const struct sl_run_tap *) SL_USED; /* -1: no memory */
void sl_takers_close(struct sl_takers *);

/* The main thread's: the flows that a tap has handed out go to its takers. Takes the lock. */
void sl_takers_give(struct sl_crew *, uint32_t tap, struct sl_flow *const *flows, uint32_t n);

/* The others are called with the lock. Makes a worker take the next batch of the taker that is
 * furthest behind. 0: there is none to take. */
int sl_takers_start(struct sl_crew *, struct sl_run *worker);
/* It has taken it, or failed. */
void sl_takers_end(struct sl_crew *, struct sl_run *worker, int failed);
/* Where a worker's failure stands in the order of those of takers: that of the first batch counts.
 */
uint64_t sl_takers_place(const struct sl_crew *, const struct sl_run *worker);
/* Whether all that was given is taken, or never will be. */
int sl_takers_idle(const struct sl_crew *);

#endif
