/* The hash table from keys to flow indexes: open addressing with linear probing, eight slots a
 * cache line. A slot holds the whole 32-bit hash, so growing never touches a flow. */
#ifndef SL_FLOW_SLOTS_H
#define SL_FLOW_SLOTS_H

#include "store.h"

struct sl_slot {
    uint32_t hash;
    uint32_t index; /* SL_NIL: free */
};

struct sl_slots {
    struct sl_slot *slots;
    uint32_t mask;
    uint32_t used;
};

int sl_slots_init(struct sl_slots *); /* -1: out of memory */
void sl_slots_free(struct sl_slots *);
int sl_slots_add(struct sl_slots *, uint32_t hash, uint32_t index); /* -1: out of memory */
void sl_slots_remove(struct sl_slots *, uint32_t hash, uint32_t index);

static inline void sl_slots_prefetch(const struct sl_slots *t, uint32_t hash) {
    __builtin_prefetch(&t->slots[hash & t->mask]);
}

#endif
