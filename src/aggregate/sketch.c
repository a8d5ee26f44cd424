/* distinct and sample: a sketch for each key, and one for all keys past the bound. A sketch hangs
 * from the extra word of its slot; the slot's value counts what was added. */
#include <stdlib.h>

#include "hll.h"
#include "kind.h"
#include "pick.h"

enum { SWEEP_TEXTS = 1000 }; /* texts of records that dropped out are kept up to that many */

uint32_t sl_pick_words(const struct sl_agg *a) {
    return SL_PICK_HEAD + a->all_words - a->key_words;
}

double sl_distinct_estimate(const struct sl_agg *a, const uint64_t *extra) {
    return sl_hll_estimate(sl_sketch_load(extra), a->spec.precision);
}

/* ---- one sketch ---- */

static int add_hash(const struct sl_agg *a, uint64_t *extra, uint64_t hash) {
    struct sl_hll *h = sl_sketch_load(extra);
    int failed = sl_hll_add(&h, a->spec.precision, hash);

    *extra = sl_sketch_word(h);
    return failed;
}

static int add_record(struct sl_agg *a, uint64_t *extra, const uint64_t *record) {
    struct sl_pick *p = sl_sketch_load(extra);
    uint32_t words = sl_pick_words(a);
    int failed;

    if (!sl_pick_open(p, a->spec.keep, words, record[SL_PICK_HASH]))
        return 0;
    failed =
        sl_keep_texts(a, record + SL_PICK_HEAD, a->spec.parts, a->spec.parts + a->spec.of_parts) ||
        sl_pick_add(&p, a->spec.keep, words, record);
    *extra = sl_sketch_word(p);
    return failed ? -1 : 0;
}

static int add_to(struct sl_agg *a, uint64_t *extra, const uint64_t *what) {
    return a->spec.kind == SL_AGG_DISTINCT ? add_hash(a, extra, *what) : add_record(a, extra, what);
}

static int merge_into(struct sl_agg *a, uint64_t *extra, const uint64_t *from) {
    uint32_t words = sl_pick_words(a);

    if (a->spec.kind == SL_AGG_DISTINCT) {
        struct sl_hll *h = sl_sketch_load(extra);
        const struct sl_hll *theirs = sl_sketch_load(from);
        int failed = theirs ? sl_hll_merge(&h, theirs, a->spec.precision) : 0;
        *extra = sl_sketch_word(h);
        return failed;
    }
    for (uint32_t i = 0; sl_sketch_load(from); i++) {
        const struct sl_pick *theirs = sl_sketch_load(from);
        if (i == theirs->n)
            break;
        if (add_record(a, extra, theirs->words + (size_t)i * words))
            return -1;
    }
    return 0;
}

/* ---- all of them ---- */

/* The slot of a key; NULL: it belongs to "other", and *counter says why. */
static uint64_t *slot_of(struct sl_agg *a, const uint64_t *key, uint64_t hash, uint64_t **counter) {
    uint64_t *slot = sl_table_find_hashed(&a->table, key, a->key_words, hash);

    *counter = &a->counters.past_keys;
    if (!sl_slot_empty(slot))
        return slot;
    if (a->table.used >= a->spec.max_keys)
        return NULL;
    *counter = &a->counters.no_memory;
    return sl_keep_texts(a, key, 0, a->spec.parts) ? NULL : sl_table_insert(&a->table, key);
}

static void sweep(struct sl_agg *a) {
    uint64_t live =
        (a->table.used + 1) * (a->spec.parts + (uint64_t)a->spec.of_parts * a->spec.keep);

    if (a->spec.kind == SL_AGG_SAMPLE && a->has_texts &&
        a->texts.index.used > 2 * live + SWEEP_TEXTS)
        sl_sweep_texts(a);
}

void sl_sketch_add(struct sl_agg *a, const uint64_t *words, uint64_t hash) {
    uint64_t *counter = NULL, *slot = slot_of(a, words, hash, &counter);
    uint64_t *extra = slot ? sl_slot_extra(&a->table, slot) : a->other_extra;

    if (slot) {
        sl_combine(SL_AGG_COUNT, slot, 1);
    } else {
        a->other++;
        ++*counter;
    }
    if (add_to(a, extra, words + a->key_words))
        a->counters.no_memory++;
    sweep(a);
}

static int reserve(struct sl_agg *to, const struct sl_agg *from) {
    uint64_t all = to->table.used + from->table.used;

    return sl_table_reserve(&to->table, all < to->spec.max_keys ? all : to->spec.max_keys);
}

static int merge(struct sl_agg *to, const struct sl_agg *from) {
    struct sl_order order;

    if (sl_order_init(&order, &from->table, SL_ORDER_KEY, NULL))
        return -1;
    if (to->table.used + from->table.used > to->spec.max_keys)
        sl_order_sort(&order, order.n);
    for (size_t i = 0; i < order.n; i++) {
        const uint64_t *theirs = order.items[i].slot, *key = sl_slot_key(theirs);
        uint64_t hash = sl_table_hash(&to->table, key, to->key_words);
        uint64_t *counter = NULL, *slot = slot_of(to, key, hash, &counter);
        if (slot) {
            sl_combine(SL_AGG_COUNT, slot, sl_i128_load(theirs));
        } else {
            to->other += sl_i128_load(theirs);
            ++*counter;
        }
        if (merge_into(to, slot ? sl_slot_extra(&to->table, slot) : to->other_extra,
                       sl_slot_extra_of(&from->table, theirs)))
            to->counters.no_memory++;
    }
    sl_order_free(&order);
    to->other += from->other;
    if (merge_into(to, to->other_extra, from->other_extra))
        to->counters.no_memory++;
    sweep(to);
    return 0;
}

void sl_sketches_free(struct sl_agg *a) {
    const struct sl_table *t = &a->table;

    for (const uint64_t *s = sl_table_next(t, NULL); s; s = sl_table_next(t, s))
        free(sl_sketch_load(sl_slot_extra_of(t, s)));
    free(sl_sketch_load(a->other_extra));
}

static uint64_t memory_of(const struct sl_agg *a, const uint64_t *extra) {
    if (!sl_sketch_load(extra))
        return 0;
    return a->spec.kind == SL_AGG_DISTINCT ? sl_hll_bytes(sl_sketch_load(extra), a->spec.precision)
                                           : sl_pick_bytes(sl_sketch_load(extra), sl_pick_words(a));
}

uint64_t sl_sketches_memory(const struct sl_agg *a) {
    const struct sl_table *t = &a->table;
    uint64_t sum = memory_of(a, a->other_extra);

    for (const uint64_t *s = sl_table_next(t, NULL); s; s = sl_table_next(t, s))
        sum += memory_of(a, sl_slot_extra_of(t, s));
    return sum;
}

static void add_new(struct sl_agg *a, const uint64_t *key, int64_t value) {
    (void)key; /* reached only by a call that does not fit: there is nothing to count or keep */
    (void)value;
    a->counters.additions--;
    a->counters.bad_key++;
}

const struct sl_agg_ops sl_agg_sketch_ops = {add_new, reserve, merge};
