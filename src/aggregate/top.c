/* top: sums of the keys with the largest sums (see aggregate.h for the papers).
 *
 * At most max_keys counters. When there is one more, the (max_keys / 2 + 1)th largest value is
 * subtracted from all of them and what is then not positive is dropped: max_keys / 2 stay at most.
 * Each such cut by c takes c from more than max_keys / 2 counters, so the sum of all cuts, which
 * is the error, is at most the sum of all values / (max_keys / 2). */
#include "kind.h"

static void lose(struct sl_agg *a, sl_i128 value) {
    a->error += value;
    a->counters.no_memory++;
}

static void cut(struct sl_agg *a) {
    struct sl_order order;
    sl_i128 amount;
    uint64_t before = a->table.used;

    if (sl_order_init(&order, &a->table, SL_ORDER_VALUE, NULL))
        return; /* one key too many is better than a wrong cut; the next new one tries again */
    sl_order_select(&order, a->spec.max_keys / 2);
    amount = sl_i128_load(order.items[a->spec.max_keys / 2].slot);
    sl_order_free(&order);
    sl_table_subtract(&a->table, amount);
    a->error += amount;
    a->counters.past_keys += before - a->table.used;
    sl_sweep_texts(a);
}

static void add_new(struct sl_agg *a, const uint64_t *key, int64_t value) {
    uint64_t *slot =
        sl_keep_texts(a, key, 0, a->spec.parts) ? NULL : sl_table_insert(&a->table, key);

    if (!slot) {
        lose(a, value);
        return;
    }
    sl_i128_store(slot, value);
    if (a->table.used > a->spec.max_keys)
        cut(a);
}

static int reserve(struct sl_agg *to, const struct sl_agg *from) {
    return sl_table_reserve(&to->table, to->table.used + from->table.used);
}

/* All counters first, one cut after: so the order of slots decides nothing. */
static int merge(struct sl_agg *to, const struct sl_agg *from) {
    for (const uint64_t *s = sl_table_next(&from->table, NULL); s;
         s = sl_table_next(&from->table, s)) {
        uint64_t *slot = sl_keep_texts(to, sl_slot_key(s), 0, to->spec.parts)
                             ? NULL
                             : sl_table_insert(&to->table, sl_slot_key(s));
        if (slot)
            sl_combine(SL_AGG_TOP, slot, sl_i128_load(s));
        else
            to->error += sl_i128_load(s);
    }
    to->error += from->error;
    if (to->table.used > to->spec.max_keys)
        cut(to);
    return 0;
}

const struct sl_agg_ops sl_agg_top_ops = {add_new, reserve, merge};
