/* count, sum, min, max, mean: a bounded set of keys, and "other" for the rest. */
#include "kind.h"

/* moments: of a mean, else NULL. */
static void past(struct sl_agg *a, sl_i128 value, const uint64_t *moments, uint64_t *counter) {
    sl_combine_other(a, value, !sl_has_other(a));
    if (moments)
        sl_moments_merge(a->other_extra, moments);
    ++*counter;
}

/* A slot for a key that has none; NULL: *counter says why not. */
static uint64_t *new_slot(struct sl_agg *a, const uint64_t *key, uint64_t **counter) {
    *counter = &a->counters.past_keys;
    if (a->table.used >= a->spec.max_keys)
        return NULL;
    *counter = &a->counters.no_memory;
    return sl_keep_texts(a, key, 0, a->spec.parts) ? NULL : sl_table_insert(&a->table, key);
}

static void add_new(struct sl_agg *a, const uint64_t *key, int64_t value) {
    uint64_t moments[SL_MOMENT_WORDS] = {0}, *counter;
    uint64_t *slot = new_slot(a, key, &counter);
    int mean = a->spec.kind == SL_AGG_MEAN;

    if (mean)
        sl_moments_add(moments, value);
    if (!slot) {
        past(a, value, mean ? moments : NULL, counter);
        return;
    }
    sl_i128_store(slot, value);
    if (mean)
        memcpy(sl_slot_extra(&a->table, slot), moments, sizeof moments);
}

static int reserve(struct sl_agg *to, const struct sl_agg *from) {
    uint64_t all = to->table.used + from->table.used;

    return sl_table_reserve(&to->table, all < to->spec.max_keys ? all : to->spec.max_keys);
}

static void merge_slot(struct sl_agg *to, const struct sl_agg *from, const uint64_t *theirs) {
    const uint64_t *key = sl_slot_key(theirs);
    const uint64_t *moments = sl_slot_extra_of(&from->table, theirs);
    uint64_t *slot = sl_table_find(&to->table, key, to->key_words), *counter;
    sl_i128 value = sl_i128_load(theirs);

    if (to->spec.kind != SL_AGG_MEAN)
        moments = NULL;
    if (!sl_slot_empty(slot)) {
        sl_combine(to->spec.kind, slot, value);
    } else {
        slot = new_slot(to, key, &counter);
        if (!slot) {
            past(to, value, moments, counter);
            return;
        }
        sl_i128_store(slot, value);
    }
    if (moments)
        sl_moments_merge(sl_slot_extra(&to->table, slot), moments);
}

static int merge(struct sl_agg *to, const struct sl_agg *from) {
    struct sl_order order;

    /* Which keys of from still fit is decided by their order, not by that of a seeded hash. */
    if (sl_order_init(&order, &from->table, SL_ORDER_KEY, NULL))
        return -1;
    if (to->table.used + from->table.used > to->spec.max_keys)
        sl_order_sort(&order, order.n);
    for (size_t i = 0; i < order.n; i++)
        merge_slot(to, from, order.items[i].slot);
    sl_order_free(&order);
    if (sl_has_other(from)) {
        sl_combine_other(to, from->other, !sl_has_other(to));
        if (to->spec.kind == SL_AGG_MEAN)
            sl_moments_merge(to->other_extra, from->other_extra);
    }
    return 0;
}

const struct sl_agg_ops sl_agg_keyed_ops = {add_new, reserve, merge};
