#include "table.h"

#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

enum { FIRST_CAPACITY = 16 };

/* Zeroed memory. Large tables are touched at random, so that a miss in the TLB would come on top
 * of the one in the cache: they get huge pages where the system has some. */
static uint64_t *slots_new(size_t bytes, size_t *mapped) {
    char *raw, *aligned;
    size_t size, head;

    *mapped = 0;
    if (bytes < HUGE_PAGE)
        return calloc(1, bytes);
    size = (bytes + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    raw = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED)
        return NULL;
    head = (HUGE_PAGE - ((uintptr_t)raw & (HUGE_PAGE - 1))) & (HUGE_PAGE - 1);
    aligned = raw + head;
    if (head)
        (void)munmap(raw, head);
    if (head < HUGE_PAGE)
        (void)munmap(aligned + size, HUGE_PAGE - head);
    (void)madvise(aligned, size, MADV_HUGEPAGE);
    *mapped = size;
    return (uint64_t *)(void *)aligned;
}

static void slots_free(uint64_t *slots, size_t mapped) {
    if (mapped)
        (void)munmap(slots, mapped);
    else
        free(slots);
}

static uint64_t capacity_for(uint64_t keys) {
    return keys / 3 * 4 + 6; /* load at most 3/4, and always one empty slot */
}

static int set_capacity(struct sl_table *t, uint64_t capacity) {
    if (capacity > SIZE_MAX / 4 / (t->stride * sizeof(uint64_t)))
        return -1;
    uint64_t *slots = slots_new(capacity * t->stride * sizeof(uint64_t), &t->mapped);
    if (!slots)
        return -1;
    t->slots = slots;
    t->capacity = capacity;
    t->grow_at = capacity / 4 * 3;
    return 0;
}

int sl_table_init(struct sl_table *t, uint32_t key_words, uint32_t extra_words, uint64_t max_keys,
                  const uint64_t seed[2]) {
    memset(t, 0, sizeof *t);
    t->key_words = key_words;
    t->stride = 2 + key_words + extra_words;
    t->max_keys = max_keys;
    t->seed[0] = seed[0];
    t->seed[1] = seed[1] | 1;
    return set_capacity(t, FIRST_CAPACITY);
}

void sl_table_free(struct sl_table *t) {
    slots_free(t->slots, t->mapped);
    memset(t, 0, sizeof *t);
}

/* Moves everything into a table of another capacity. The slot number grows with the hash, so both
 * tables are walked from front to back: what has been moved is given back on the way, and growing
 * needs little more memory than the new table alone. */
static int rehash(struct sl_table *t, uint64_t capacity) {
    struct sl_table old = *t;
    size_t slot_bytes = t->stride * sizeof(uint64_t), released = 0;

    if (set_capacity(t, capacity)) {
        *t = old;
        return -1;
    }
    for (uint64_t i = 0; i < old.capacity; i++) {
        const uint64_t *from = old.slots + i * old.stride;
        if (!sl_slot_empty(from))
            memcpy(sl_table_find(t, sl_slot_key(from), t->key_words), from, slot_bytes);
        if (old.mapped && i * slot_bytes - released >= HUGE_PAGE) {
            (void)madvise((char *)old.slots + released, HUGE_PAGE, MADV_DONTNEED);
            released += HUGE_PAGE;
        }
    }
    slots_free(old.slots, old.mapped);
    return 0;
}

int sl_table_reserve(struct sl_table *t, uint64_t keys) {
    uint64_t capacity = t->capacity, enough = capacity_for(t->max_keys);

    if (keys <= t->grow_at)
        return 0;
    if (keys > SIZE_MAX / 64)
        return -1;
    while (capacity / 4 * 3 < keys)
        capacity *= 2;
    if (keys <= t->max_keys && capacity > enough)
        capacity = enough;
    return rehash(t, capacity);
}

uint64_t *sl_table_insert(struct sl_table *t, const uint64_t *key) {
    uint64_t *slot = sl_table_find(t, key, t->key_words);

    if (!sl_slot_empty(slot))
        return slot;
    if (t->used >= t->grow_at) {
        if (sl_table_reserve(t, t->used + 1))
            return NULL;
        slot = sl_table_find(t, key, t->key_words);
    }
    t->used++;
    sl_i128_store(slot, 0);
    if (t->key_words) /* else there may be no key */
        memcpy(slot + 2, key, t->key_words * sizeof(uint64_t));
    return slot;
}

/* As memset, which for so few words costs more than they do. */
static void clear(const struct sl_table *t, uint64_t *slot) {
    for (uint32_t i = 0; i < t->stride; i++)
        slot[i] = 0;
}

/* Moves what is in a slot to the first free one from its home on, which may be its own. */
static void settle_in(const struct sl_table *t, uint64_t *slot) {
    const uint64_t *end = t->slots + t->capacity * t->stride;
    uint64_t *to = sl_table_home(t, sl_table_hash(t, sl_slot_key(slot), t->key_words));

    while (to != slot && !sl_slot_empty(to)) {
        to += t->stride;
        if (to == end)
            to = t->slots;
    }
    if (to == slot)
        return;
    for (uint32_t i = 0; i < t->stride; i++)
        to[i] = slot[i];
    clear(t, slot);
}

/* Goes once around, from behind an empty slot, so that whatever lies between the home of a key and
 * the key itself has been dealt with before it. */
void sl_table_subtract(struct sl_table *t, sl_i128 amount) {
    uint64_t start = 0;

    while (!sl_slot_empty(t->slots + start * t->stride))
        start++;
    for (uint64_t k = 1; k < t->capacity; k++) {
        uint64_t i = start + k < t->capacity ? start + k : start + k - t->capacity;
        uint64_t *slot = t->slots + i * t->stride;
        if (sl_slot_empty(slot))
            continue;
        sl_i128 left = sl_i128_load(slot) - amount;
        if (left > 0) {
            sl_i128_store(slot, left);
            settle_in(t, slot);
        } else {
            clear(t, slot);
            t->used--;
        }
    }
}

const uint64_t *sl_table_next(const struct sl_table *t, const uint64_t *slot) {
    const uint64_t *end = t->slots + t->capacity * t->stride;

    for (slot = slot ? slot + t->stride : t->slots; slot < end; slot += t->stride)
        if (!sl_slot_empty(slot))
            return slot;
    return NULL;
}

size_t sl_table_bytes(const struct sl_table *t) {
    return t->mapped ? t->mapped : t->capacity * t->stride * sizeof(uint64_t);
}
