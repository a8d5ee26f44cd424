#include "slots.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 4096 };

static struct sl_slot *make(uint32_t n) {
    struct sl_slot *slots = sl_huge_alloc(n * sizeof *slots);

    if (slots)
        memset(slots, 0xff, n * sizeof *slots); /* SL_NIL in every index */
    return slots;
}

int sl_slots_init(struct sl_slots *t) {
    t->slots = make(FIRST_SLOTS);
    t->mask = FIRST_SLOTS - 1;
    t->used = 0;
    return t->slots ? 0 : -1;
}

void sl_slots_free(struct sl_slots *t) {
    if (t->slots)
        sl_huge_free(t->slots, ((size_t)t->mask + 1) * sizeof *t->slots);
    t->slots = NULL;
}

static void put(struct sl_slots *t, struct sl_slot s) {
    uint32_t i = s.hash & t->mask;

    while (t->slots[i].index != SL_NIL)
        i = (i + 1) & t->mask;
    t->slots[i] = s;
}

static int grow(struct sl_slots *t) {
    struct sl_slots bigger = {.mask = 2 * t->mask + 1, .used = t->used};

    bigger.slots = make(bigger.mask + 1);
    if (!bigger.slots)
        return -1;
    for (uint32_t i = 0; i <= t->mask; i++)
        if (t->slots[i].index != SL_NIL)
            put(&bigger, t->slots[i]);
    sl_slots_free(t);
    *t = bigger;
    return 0;
}

int sl_slots_add(struct sl_slots *t, uint32_t hash, uint32_t index) {
    if (t->used >= t->mask / 2 && grow(t) < 0)
        return -1;
    put(t, (struct sl_slot){hash, index});
    t->used++;
    return 0;
}

/* Moves later slots of the run back over the hole, so that no tombstones pile up (Knuth, TAOCP
 * volume 3, section 6.4, algorithm R). */
void sl_slots_remove(struct sl_slots *t, uint32_t hash, uint32_t index) {
    uint32_t hole = hash & t->mask;

    while (t->slots[hole].index != index)
        hole = (hole + 1) & t->mask;
    for (uint32_t i = (hole + 1) & t->mask; t->slots[i].index != SL_NIL; i = (i + 1) & t->mask) {
        uint32_t home = t->slots[i].hash & t->mask;
        if (((i - home) & t->mask) >= ((i - hole) & t->mask)) {
            t->slots[hole] = t->slots[i];
            hole = i;
        }
    }
    t->slots[hole].index = SL_NIL;
    t->used--;
}
