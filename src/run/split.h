/* A stretch of the capture on its way through the workers (crew.h): what one worker has made of its
 * records for others to go on with: events for the flow tables, and what the capture's clock needs.
 */
#ifndef SL_RUN_SPLIT_H
#define SL_RUN_SPLIT_H

#include "../capture/stretch.h"
#include "../flow/clock.h"
#include "../flow/event.h"

enum { SL_SPLIT_LINK_TYPES = 64 };

/* Batches of events in capture order; none crosses the end of a block of the clock. */
struct sl_event_queue {
    struct sl_event_batch *first, *last;
};

/* Behind the block of the clock with this number flows may be let out up to until_s. */
struct sl_sweep {
    uint64_t clock_block;
    uint64_t order; /* which sweep of the run it is, from 1 */
    int64_t until_s;
};

struct sl_split {
    uint64_t number; /* which split of the run it is, from 0 */
    int decoded;     /* the worker is done with it */
    uint32_t left;   /* flow tables that have not taken its events */

    struct sl_event_queue *queues;   /* one for each flow table */
    uint32_t n_queues, shards;       /* in all; of a tap, a power of two */
    struct sl_event_batch **batches; /* what the queues are made of: used of those made */
    uint32_t used, made, batches_room;

    struct sl_clock_part *parts; /* of one block of the clock each */
    uint32_t n_parts, parts_room;
    struct sl_sweep *sweeps; /* filled in when it is its turn */
    uint32_t n_sweeps, sweeps_room;

    uint16_t link_types[SL_SPLIT_LINK_TYPES]; /* in the order in which they were met */
    uint32_t n_link_types;
};

int sl_split_init(struct sl_split *, uint32_t n_taps,
                  uint32_t shards) SL_USED; /* -1: out of memory */
void sl_split_free(struct sl_split *);
/* Makes it ready for another stretch. */
void sl_split_reset(struct sl_split *, uint64_t number);

/* Puts the events of a batch into the queues of a tap's shards, by their classes. -1: out of
 * memory.
 */
int sl_split_add_events(struct sl_split *, uint32_t tap, const struct sl_event_batch *) SL_USED;
/* Counts n packets in, which follow those before and cross no end of a block of the clock. */
int sl_split_add_times(struct sl_split *, const struct sl_packet *, uint32_t n) SL_USED;
void sl_split_meet(struct sl_split *, uint16_t link_type);

/* Runs the capture's clock over it: its sweeps are known then. */
int sl_split_run_clock(struct sl_split *, struct sl_clock *, uint64_t *order) SL_USED;

/* Which block of the clock a frame number is in. */
static inline uint64_t sl_clock_block_of(uint64_t number) {
    return (number - 1) / SL_CLOCK_BLOCK;
}

#endif
