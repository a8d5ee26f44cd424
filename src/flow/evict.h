/* Finds the longest idle live flow, for --max-flows. A binary heap of (last, number) as they were
 * when the entry was made; an entry that proves old is renewed when it reaches the top. Flows that
 * ended in another way leave entries that are dropped there too. */
#ifndef SL_FLOW_EVICT_H
#define SL_FLOW_EVICT_H

#include "store.h"

struct sl_evict_entry {
    struct sl_time last;
    uint64_t number; /* tells whether the index still holds the same flow */
    uint32_t index;
};

struct sl_evict {
    struct sl_evict_entry *heap;
    uint32_t n, room;
};

int sl_evict_add(struct sl_evict *, const struct sl_hot *, uint64_t number); /* -1: out of memory */
/* The live flow whose last packet is the oldest (ties: the first that began); it leaves the heap.
 * NULL when there is none. */
struct sl_hot *sl_evict_take(struct sl_evict *, const struct sl_store *);
void sl_evict_free(struct sl_evict *);

#endif
