/* A hash table from keys of a fixed number of 64-bit words (0 to SL_TABLE_MAX_WORDS) to 128-bit
 * values, and words beside them where one value does not tell all: what stands behind every keyed
 * aggregate.
 *
 * Open addressing with linear probing; key and value lie in one slot, so that a look-up in a
 * table larger than the cache costs one miss:
 *
 *     slot[0..1]  value, biased (int128.h); slot[1] is 0 in an empty slot
 *     slot[2..]   key words, then extra words (0 in a new slot)
 *
 * The hash is seeded, because keys come from captures and somebody may have chosen them to
 * collide. Nothing that leaves the table may depend on the order of its slots: see order.h.
 */
#ifndef SL_TABLE_H
#define SL_TABLE_H

#include <string.h>

#include "../types.h"
#include "int128.h"

enum { SL_TABLE_MAX_WORDS = 10 }; /* the bin of a series and three strings */

struct sl_table {
    uint64_t *slots;
    uint64_t capacity; /* slots */
    uint64_t used;     /* slots that hold a key */
    uint64_t grow_at;  /* used may reach this before the table grows: 3/4 of capacity */
    uint64_t max_keys; /* expected bound: the last growth is cut to what it needs */
    uint64_t seed[2];  /* the second one is odd */
    uint32_t key_words;
    uint32_t stride; /* words of a slot: 2 + key_words + the extra ones */
    size_t mapped;   /* bytes from mmap; 0: slots come from calloc */
};

/* An empty table. max_keys is a hint, not a limit. 0, or -1 without memory. */
int sl_table_init(struct sl_table *, uint32_t key_words, uint32_t extra_words, uint64_t max_keys,
                  const uint64_t seed[2]) SL_USED;
void sl_table_free(struct sl_table *); /* allowed on zeroed memory */

/* Makes room for that many keys in all without further allocation. 0, or -1 without memory and
 * the table as it was. Pointers to slots become invalid. */
int sl_table_reserve(struct sl_table *, uint64_t keys) SL_USED;

/* The slot of a key, added with the value 0 if it is new. NULL without memory for a new one.
 * Pointers to other slots become invalid. */
uint64_t *sl_table_insert(struct sl_table *, const uint64_t *key) SL_USED;

/* Subtracts from every value and removes the keys whose value is then 0 or less. */
void sl_table_subtract(struct sl_table *, sl_i128);

/* Walks the slots that hold a key: starts with NULL, ends with NULL. */
const uint64_t *sl_table_next(const struct sl_table *, const uint64_t *slot);

size_t sl_table_bytes(const struct sl_table *);

static inline int sl_slot_empty(const uint64_t *slot) {
    return slot[1] == 0;
}

static inline const uint64_t *sl_slot_key(const uint64_t *slot) {
    return slot + 2;
}

static inline uint64_t *sl_slot_extra(const struct sl_table *t, uint64_t *slot) {
    return slot + 2 + t->key_words;
}

static inline const uint64_t *sl_slot_extra_of(const struct sl_table *t, const uint64_t *slot) {
    return slot + 2 + t->key_words;
}

/* Folded multiplication, as in wyhash: both halves of the product count. The slot number comes
 * from the upper bits, which depend on every bit of every word. */
static inline uint64_t sl_table_hash(const struct sl_table *t, const uint64_t *key,
                                     uint32_t words) {
    uint64_t h = t->seed[0];

    for (uint32_t i = 0; i < words; i++) {
        sl_u128 product = (sl_u128)(h ^ key[i]) * t->seed[1];
        h = (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    return h;
}

/* The slot where looking for a key with that hash begins. */
static inline uint64_t *sl_table_home(const struct sl_table *t, uint64_t hash) {
    return t->slots + (uint64_t)((sl_u128)hash * t->capacity >> 64) * t->stride;
}

/* The slot that holds key, or the empty one where it would go. hash is that of the key. */
static inline uint64_t *sl_table_find_hashed(const struct sl_table *t, const uint64_t *key,
                                             uint32_t words, uint64_t hash) {
    const uint64_t *end = t->slots + t->capacity * t->stride;
    uint64_t *slot = sl_table_home(t, hash);

    for (;;) {
        uint64_t differs = 0;
        if (sl_slot_empty(slot))
            return slot;
        for (uint32_t w = 0; w < words; w++)
            differs |= slot[2 + w] ^ key[w];
        if (!differs)
            return slot;
        slot += t->stride;
        if (slot == end)
            slot = t->slots;
    }
}

/* The same. words is t->key_words: callers that know it as a constant pass that, and the loops
 * unroll. */
static inline uint64_t *sl_table_find(const struct sl_table *t, const uint64_t *key,
                                      uint32_t words) {
    return sl_table_find_hashed(t, key, words, sl_table_hash(t, key, words));
}

#endif
