/* top: sums of the keys with the largest sums (see aggregate.h for the papers).
 *
 * At most max_keys counters. When there is one more, the (max_keys / 2 + 1)th largest value is
 * subtracted from all of them and what is then not positive is dropped: max_keys / 2 stay at most.
 * Each such cut by c takes c from more than max_keys / 2 counters, so the sum of all cuts, which
 * is the error, is at most the sum of all values / (max_keys / 2). */
#include <stdlib.h>

#include "kind.h"

static void lose(struct sl_agg *a, sl_i128 value) {
    a->error += value;
    a->counters.no_memory++;
}

/* The value at place k from the largest, by quickselect (Hoare 1961). Values come in the order of a
 * seeded hash, so that nobody can arrange them for bad pivots. */
static uint64_t select_kth(uint64_t *values, size_t n, size_t k) {
    size_t low = 0, high = n ? n - 1 : 0;

    while (low < high) {
        uint64_t pivot = values[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (values[i] > pivot)
                i++;
            while (values[j] < pivot)
                j--;
            if (i >= j)
                break;
            uint64_t swap = values[i];
            values[i++] = values[j];
            values[j--] = swap;
        }
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return values[k];
}

/* What a cut takes from each; -1 without memory. A value past 64 bits counts as the largest of
 * them: as long as half of the keys are smaller that changes nothing. */
static sl_i128 amount_of(const struct sl_agg *a) {
    uint64_t *values = calloc(a->table.used, sizeof *values), amount;
    size_t n = 0;

    if (!values)
        return -1;
    for (const uint64_t *s = sl_table_next(&a->table, NULL); s; s = sl_table_next(&a->table, s)) {
        sl_i128 value = sl_i128_load(s);
        values[n++] = value < (sl_i128)UINT64_MAX ? (uint64_t)value : UINT64_MAX;
    }
    amount = select_kth(values, n, a->spec.max_keys / 2);
    free(values);
    return (sl_i128)amount;
}

static void cut(struct sl_agg *a) {
    sl_i128 amount = amount_of(a);
    uint64_t before = a->table.used;

    if (amount < 0)
        return; /* one key too many is better than a wrong cut; the next new one tries again */
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
