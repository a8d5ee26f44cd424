/* count, sum, min, max: a bounded set of keys, and "other" for the rest. */
#include "kind.h"

static void past(struct sl_agg *a, sl_i128 value, uint64_t *counter) {
    sl_combine_other(a, value, !sl_has_other(a));
    ++*counter;
}

static void add_new(struct sl_agg *a, const uint64_t *key, int64_t value) {
    uint64_t *slot;

    if (a->table.used >= a->spec.max_keys) {
        past(a, value, &a->counters.past_keys);
        return;
    }
    slot = sl_table_insert(&a->table, key);
    if (slot)
        sl_i128_store(slot, value);
    else
        past(a, value, &a->counters.no_memory);
}

static int reserve(struct sl_agg *to, const struct sl_agg *from) {
    uint64_t all = to->table.used + from->table.used;

    return sl_table_reserve(&to->table, all < to->spec.max_keys ? all : to->spec.max_keys);
}

static void merge_slot(struct sl_agg *to, const uint64_t *from) {
    const uint64_t *key = sl_slot_key(from);
    uint64_t *slot = sl_table_find(&to->table, key, to->key_words);
    sl_i128 value = sl_i128_load(from);

    if (!sl_slot_empty(slot))
        sl_combine(to->spec.kind, slot, value);
    else if (to->table.used >= to->spec.max_keys || !(slot = sl_table_insert(&to->table, key)))
        past(to, value, &to->counters.past_keys);
    else
        sl_i128_store(slot, value);
}

static int merge(struct sl_agg *to, const struct sl_agg *from) {
    struct sl_order order;

    /* Which keys of from still fit is decided by their order, not by that of a seeded hash. */
    if (sl_order_init(&order, &from->table, SL_ORDER_KEY))
        return -1;
    if (to->table.used + from->table.used > to->spec.max_keys)
        sl_order_sort(&order, order.n);
    for (size_t i = 0; i < order.n; i++)
        merge_slot(to, order.items[i].slot);
    sl_order_free(&order);
    if (sl_has_other(from))
        sl_combine_other(to, from->other, !sl_has_other(to));
    return 0;
}

const struct sl_agg_ops sl_agg_keyed_ops = {add_new, reserve, merge};
