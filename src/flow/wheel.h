/* A timer wheel over flows: finds those that are due without touching a list at every packet.
 *
 * A flow hangs in the bucket of a second that is not later than its real due time. When that
 * bucket is swept it either comes out or, having seen packets since, moves on to the bucket of its
 * new due time. So a packet costs nothing here, and a flow costs one move in each timeout.
 * (Varghese and Lauck, Hashed and Hierarchical Timing Wheels, 1987, scheme 6, with lazy moves.)
 */
#ifndef SL_FLOW_WHEEL_H
#define SL_FLOW_WHEEL_H

#include "store.h"

enum { SL_WHEEL_BUCKETS = 512 }; /* seconds; due times beyond go to the last one and move on */

struct sl_wheel {
    struct sl_store *store;
    int64_t next_s; /* the first second that has not been swept */
    uint32_t buckets[SL_WHEEL_BUCKETS];
};

void sl_wheel_init(struct sl_wheel *, struct sl_store *);
void sl_wheel_add(struct sl_wheel *, struct sl_flow *, int64_t due_s);
void sl_wheel_remove(struct sl_wheel *, struct sl_flow *);

/* Empties the buckets of all seconds below until_s into a list linked by wheel_next and returns
 * its head (SL_NIL: empty). The caller adds again what is not due. */
uint32_t sl_wheel_take(struct sl_wheel *, int64_t until_s);
/* All of it; the wheel goes on from restart_s. */
uint32_t sl_wheel_take_all(struct sl_wheel *, int64_t restart_s);

#endif
