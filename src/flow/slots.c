#include "slots.h"

enum { FIRST_BUCKETS = 512 };

static size_t size_of(const struct sl_slots *t) {
    return ((size_t)t->mask + 1) * sizeof *t->buckets;
}

int sl_slots_init(struct sl_slots *t, uint32_t n) {
    uint32_t buckets = FIRST_BUCKETS;

    while (buckets < n / SL_SLOTS_LOAD)
        buckets *= 2;
    *t = (struct sl_slots){.mask = buckets - 1};
    if (!(t->buckets = sl_huge_alloc(size_of(t))))
        return -1;
    sl_huge_touch(t->buckets, size_of(t));
    return 0;
}

void sl_slots_free(struct sl_slots *t) {
    if (t->buckets)
        sl_huge_free(t->buckets, size_of(t));
    t->buckets = NULL;
}

void sl_slots_add(struct sl_slots *t, uint32_t hash, uint32_t index) {
    struct sl_slots_bucket *b = sl_slots_home(t, hash);
    uint32_t free_slots;

    for (; !(free_slots = sl_slots_match(b, 0)); b = sl_slots_next(t, b))
        b->passed++;
    int i = __builtin_ctz(free_slots);
    b->tags[i] = sl_slots_tag(hash);
    b->indexes[i] = index;
    t->used++;
}

/* The slot of the bucket that holds the index, or -1. */
static int slot_of(const struct sl_slots_bucket *b, uint8_t tag, uint32_t index) {
    for (uint32_t found = sl_slots_match(b, tag); found; found &= found - 1) {
        int i = __builtin_ctz(found);
        if (b->indexes[i] == index)
            return i;
    }
    return -1;
}

void sl_slots_remove(struct sl_slots *t, uint32_t hash, uint32_t index) {
    struct sl_slots_bucket *b = sl_slots_home(t, hash);
    int i;

    for (; (i = slot_of(b, sl_slots_tag(hash), index)) < 0; b = sl_slots_next(t, b))
        b->passed--;
    b->tags[i] = 0;
    t->used--;
}
