/* Where live flows stand: addressed by a dense index, never moved, reused after they end. */
#ifndef SL_FLOW_STORE_H
#define SL_FLOW_STORE_H

#include "../types.h"

enum { SL_STORE_SHIFT = 15, SL_STORE_CHUNK = 1 << SL_STORE_SHIFT, SL_NIL = 0xffffffff };

struct sl_store {
    struct sl_flow **chunks; /* SL_STORE_CHUNK flows each: 6 MiB, so whole huge pages */
    uint32_t n_chunks;
    uint32_t used;   /* indexes below it have been given out */
    uint32_t *freed; /* a stack of the n_freed of them that are free again */
    uint32_t n_freed, room;
};

void sl_store_init(struct sl_store *);
void sl_store_free(struct sl_store *);
/* A zeroed flow with its index set, or NULL: out of memory. */
struct sl_flow *sl_store_get(struct sl_store *);
int sl_store_put(struct sl_store *, struct sl_flow *) SL_USED; /* -1: out of memory */

static inline struct sl_flow *sl_store_at(const struct sl_store *s, uint32_t index) {
    return &s->chunks[index >> SL_STORE_SHIFT][index & (SL_STORE_CHUNK - 1)];
}

/* Memory for a large table that is met at random: zeroed, on huge pages where the system has
 * them. Freed with sl_huge_free of the same size. */
void *sl_huge_alloc(size_t size) SL_USED;
void sl_huge_free(void *, size_t size);

#endif
