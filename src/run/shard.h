/* A share of a tap's flows: those of one class, in a flow table of their own, fed split by split.
 * What one worker does with it at a time; which worker that is does not matter. */
#ifndef SL_RUN_SHARD_H
#define SL_RUN_SHARD_H

#include "../flow/flow.h"
#include "split.h"

enum { SL_DECIDED_AT_ONCE = 128 };

/* Decided flows on their way out, each with the sweep that let it out. */
#define SL_ORDER_LAST UINT64_MAX /* of flows that the end of the input decides */

struct sl_decided {
    struct sl_decided *next;
    uint32_t n, at; /* [at, n) are left */
    uint64_t order[SL_DECIDED_AT_ONCE];
    struct sl_flow flows[SL_DECIDED_AT_ONCE];
};

struct sl_decided_queue {
    struct sl_decided *first, *last;
};

struct sl_shard {
    struct sl_flows *flows;
    struct sl_meters meters;         /* its own */
    struct sl_decided_queue decided; /* of the work that is under way, in their order */
    /* The crew's: */
    uint64_t next;               /* the split that is taken next */
    uint64_t done;               /* the last sweep that it has done */
    int busy, finished;          /* a worker is at it; all of its flows are decided */
    struct sl_decided_queue out; /* what can be handed out when the other shards are as far */
};

/* meters: of the tap, which it has copies of. */
int sl_shard_init(struct sl_shard *, const struct sl_flow_options *, const struct sl_meters *,
                  struct sl_error *) SL_USED;
void sl_shard_free(struct sl_shard *);

/* Takes a split's events of a queue. Returns the order of the last sweep in *done. -1: *err. */
int sl_shard_take(struct sl_shard *, const struct sl_split *, uint32_t queue, uint64_t *done,
                  struct sl_error *) SL_USED;
/* Behind the last split. What is decided by that stays in the table: there may be many. */
int sl_shard_finish(struct sl_shard *, struct sl_time at_end, struct sl_error *) SL_USED;
/* Some of that, in its order, at the end of the queue; none: that was all. -1: *err. */
int sl_shard_more(struct sl_shard *, struct sl_decided_queue *, struct sl_error *) SL_USED;

void sl_decided_append(struct sl_decided_queue *, struct sl_decided_queue *from);
void sl_decided_free(struct sl_decided_queue *);

#endif
