/* A timer wheel over flows: finds those that are due without touching anything at every packet.
 *
 * A flow stands in the bucket of a second that is not later than its real due time. When that
 * bucket is swept the flow either comes out or, having seen packets since, moves on to the bucket
 * of its new due time. So a packet costs nothing here, and a flow costs one move in each timeout.
 * (Varghese and Lauck, Hashed and Hierarchical Timing Wheels, 1987, scheme 6, with lazy moves.)
 *
 * Buckets are arrays of indexes, not lists through the flows, so that a sweep can ask for the
 * flows' memory ahead of time. A flow that moves leaves its old entry behind: an entry counts only
 * while the flow's wheel_bucket says so.
 */
#ifndef SL_FLOW_WHEEL_H
#define SL_FLOW_WHEEL_H

#include "store.h"

enum {
    SL_WHEEL_BUCKETS = 512, /* seconds; due times beyond go to the last one and move on */
    SL_WHEEL_NONE = 0xffff  /* wheel_bucket of a flow that is in none */
};

struct sl_bucket {
    uint32_t *indexes;
    uint32_t n, room;
};

struct sl_wheel {
    struct sl_store *store; /* borrowed */
    int64_t next_s;         /* the first second that has not been swept */
    struct sl_bucket buckets[SL_WHEEL_BUCKETS];
    struct sl_bucket taken; /* what the last take found */
};

void sl_wheel_init(struct sl_wheel *, struct sl_store *);
void sl_wheel_free(struct sl_wheel *);
/* Puts a flow into the bucket of due_s, and out of any other. -1: out of memory. */
int sl_wheel_put(struct sl_wheel *, struct sl_hot *, int64_t due_s) SL_USED;

/* Empties the buckets of all seconds below until_s: the flows that stood there are in none then,
 * and listed in w->taken until the next take. The caller puts back what is not due. Where until_s
 * lies before next_s, or further on than the wheel is long, all buckets are emptied. The wheel
 * goes on from until_s. -1: out of memory. */
int sl_wheel_take(struct sl_wheel *, int64_t until_s) SL_USED;

#endif
