/* The hash table from keys to flow indexes. A bucket is one cache line, so a lookup misses the
 * cache once: 12 indexes, and of each the 8 bits of its hash that did not choose the bucket.
 *
 * What does not fit into its bucket stands in the next one that has room; every bucket counts what
 * has passed by it, so a search knows when to stop and nothing moves when an entry is removed.
 * (Bronson and Shi, Open-sourcing F14 for faster, more memory-efficient hash tables, 2019.)
 *
 * The table holds no whole hashes: when it is full, its owner makes a larger one and adds all.
 */
#ifndef SL_FLOW_SLOTS_H
#define SL_FLOW_SLOTS_H

#include "store.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { SL_SLOTS_A_BUCKET = 12, SL_SLOTS_LOAD = 10 /* of them on average, at most */ };

struct sl_slots_bucket {
    uint8_t tags[SL_SLOTS_A_BUCKET]; /* 0: free */
    uint32_t passed;
    uint32_t indexes[SL_SLOTS_A_BUCKET];
};

struct sl_slots {
    struct sl_slots_bucket *buckets;
    uint32_t mask;
    uint32_t used;
};

/* Room for at least n; -1: out of memory. */
int sl_slots_init(struct sl_slots *, uint32_t n) SL_USED;
void sl_slots_free(struct sl_slots *);
/* The table must not be full. */
void sl_slots_add(struct sl_slots *, uint32_t hash, uint32_t index);
void sl_slots_remove(struct sl_slots *, uint32_t hash, uint32_t index);

/* Whether it should grow before more is added. */
static inline int sl_slots_full(const struct sl_slots *t) {
    return t->used / SL_SLOTS_LOAD >= t->mask + 1;
}

static inline struct sl_slots_bucket *sl_slots_home(const struct sl_slots *t, uint32_t hash) {
    return &t->buckets[hash & t->mask];
}
static inline struct sl_slots_bucket *sl_slots_next(const struct sl_slots *t,
                                                    const struct sl_slots_bucket *b) {
    return &t->buckets[(uint32_t)(b - t->buckets + 1) & t->mask];
}
static inline uint8_t sl_slots_tag(uint32_t hash) {
    return (uint8_t)(hash >> 24 ? hash >> 24 : 1);
}

/* A bit for each slot of the bucket that holds this tag. */
static inline uint32_t sl_slots_match(const struct sl_slots_bucket *b, uint8_t tag) {
#ifdef __SSE2__
    __m128i tags = _mm_load_si128((const __m128i *)(const void *)b);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(tags, _mm_set1_epi8((char)tag))) &
           ((1u << SL_SLOTS_A_BUCKET) - 1);
#else
    uint32_t found = 0;
    for (uint32_t i = 0; i < SL_SLOTS_A_BUCKET; i++)
        found |= (uint32_t)(b->tags[i] == tag) << i;
    return found;
#endif
}

static inline void sl_slots_prefetch(const struct sl_slots *t, uint32_t hash) {
    sl_prefetch(sl_slots_home(t, hash));
}

#endif
