/* quantile and histogram: how many values fell into each bin, by key.
 *
 * table holds key and bin, for the keys that have bins of their own (those in keys); rest holds
 * the bins of all other keys together. Every slot counts, so merging adds.
 *
 * The bins of a quantile are those of a DDSketch with the linear mapping (Masson et al., VLDB
 * 2019): each power of two has 64 of the same width, and below 128 each integer has its own. So
 * no bin is wider than 1/64 of its values, the value that stands for it is wrong by 0.8 % at most,
 * and no more than 3,712 of either sign can be: nothing has to be collapsed. Only integers are
 * computed with, so that every machine gives the same bins. */
#include <stdio.h>
#include <stdlib.h>

#include "kind.h"

enum { SUB_BITS = 6, SUB = 1 << SUB_BITS, EXACT = 2 * SUB };

/* ---- bins ---- */

static int64_t quantile_bin(int64_t v) {
    uint64_t size = v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v;
    int64_t bin = (int64_t)size;

    if (size >= EXACT) {
        int exponent = 63 - __builtin_clzll(size);
        bin = (int64_t)(exponent - SUB_BITS) * SUB + (int64_t)(size >> (exponent - SUB_BITS));
    }
    return v < 0 ? -bin : bin;
}

/* The least and the largest size in a bin, which is not negative. */
static void quantile_edges(int64_t bin, double *low, double *high) {
    int64_t sub = bin, shift = 0;

    if (bin >= EXACT) {
        shift = bin / SUB - 1;
        sub = bin % SUB + SUB;
    }
    *low = (double)sub * (double)(UINT64_C(1) << shift);
    *high = (double)(sub + 1) * (double)(UINT64_C(1) << shift) - 1;
}

/* Four digits: more would be made up, and what rounding adds to the error is a twentieth of a
 * percent. */
double sl_quantile_of_bin(const struct sl_agg *a, uint64_t word) {
    int64_t bin = sl_word_to_time(word);
    double low, high;
    char digits[32];

    quantile_edges(bin < 0 ? -bin : bin, &low, &high);
    if (high > 0) /* equally wrong, in parts of the value, at both ends */
        low = 2 * low * high / (low + high);
    (void)snprintf(digits, sizeof digits, "%.4g", (bin < 0 ? -low : low) / a->scale);
    return strtod(digits, NULL);
}

/* The first edge that is larger than v is the end of its bin; bin 0 lies below all edges. */
static uint64_t histogram_bin(const struct sl_agg *a, int64_t v) {
    const int64_t *edges = a->cells.edges;
    uint64_t low = 0, high = a->spec.n_edges;

    if (v < edges[0])
        return 0;
    if (v >= edges[high - 1])
        return high;
    if (a->cells.step)
        return (uint64_t)((v - edges[0]) / a->cells.step) + 1;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (edges[middle] <= v)
            low = middle;
        else
            high = middle;
    }
    return high;
}

uint64_t sl_cells_bin(const struct sl_agg *a, int64_t value) {
    if (a->spec.kind == SL_AGG_HISTOGRAM)
        return histogram_bin(a, value);
    return sl_time_to_word(quantile_bin(value));
}

int sl_cells_bin_possible(const struct sl_agg *a, uint64_t bin) {
    int64_t last = quantile_bin(INT64_MAX), signed_bin = sl_word_to_time(bin);

    if (a->spec.kind == SL_AGG_HISTOGRAM)
        return bin <= a->spec.n_edges;
    return signed_bin >= -last && signed_bin <= last;
}

/* ---- adding ---- */

/* 1: the key has bins of its own, or gets them. 0: *counter says why not. */
static int own_bins(struct sl_agg *a, const uint64_t *key, uint64_t **counter) {
    struct sl_table *keys = &a->cells.keys;

    *counter = &a->counters.past_keys;
    if (!a->spec.parts || !sl_slot_empty(sl_table_find(keys, key, keys->key_words)))
        return 1;
    if (keys->used >= a->spec.max_keys)
        return 0;
    *counter = &a->counters.no_memory;
    return !sl_keep_texts(a, key, 0, a->spec.parts) && sl_table_insert(keys, key);
}

static void add_rest(struct sl_agg *a, uint64_t bin, sl_i128 n, uint64_t *counter) {
    uint64_t *slot = sl_table_insert(&a->cells.rest, &bin);

    ++*counter;
    if (slot)
        sl_combine(SL_AGG_COUNT, slot, n);
}

static void add_cell(struct sl_agg *a, const uint64_t *cell, sl_i128 n) {
    uint64_t *slot = sl_table_find(&a->table, cell, a->table.key_words), *counter;

    if (!sl_slot_empty(slot)) {
        sl_combine(SL_AGG_COUNT, slot, n);
        return;
    }
    if (own_bins(a, cell, &counter)) {
        slot = sl_table_insert(&a->table, cell);
        if (slot) {
            sl_i128_store(slot, n);
            return;
        }
        counter = &a->counters.no_memory;
    }
    add_rest(a, cell[a->key_words], n, counter);
}

void sl_cells_add(struct sl_agg *a, const uint64_t *key, int64_t value) {
    uint64_t cell[SL_TABLE_MAX_WORDS];

    for (uint32_t i = 0; i < a->key_words; i++)
        cell[i] = key[i];
    cell[a->key_words] = sl_cells_bin(a, value);
    add_cell(a, cell, 1);
}

/* ---- merging ---- */

static int reserve(struct sl_agg *to, const struct sl_agg *from) {
    return sl_table_reserve(&to->table, to->table.used + from->table.used) ||
                   sl_table_reserve(&to->cells.keys, to->cells.keys.used + from->cells.keys.used) ||
                   sl_table_reserve(&to->cells.rest,
                                    to->cells.rest.used + from->cells.rest.used + from->table.used)
               ? -1
               : 0;
}

/* Which keys of from still fit is decided by their order, and all cells of a key go with it. */
static int merge(struct sl_agg *to, const struct sl_agg *from) {
    struct sl_order order;

    if (sl_order_init(&order, &from->table, SL_ORDER_KEY, NULL))
        return -1;
    if (to->cells.keys.used + from->cells.keys.used > to->spec.max_keys)
        sl_order_sort(&order, order.n);
    for (size_t i = 0; i < order.n; i++)
        add_cell(to, sl_slot_key(order.items[i].slot), sl_i128_load(order.items[i].slot));
    sl_order_free(&order);
    for (const uint64_t *s = sl_table_next(&from->cells.rest, NULL); s;
         s = sl_table_next(&from->cells.rest, s)) {
        uint64_t *slot = sl_table_insert(&to->cells.rest, sl_slot_key(s));
        if (slot)
            sl_combine(SL_AGG_COUNT, slot, sl_i128_load(s));
    }
    return 0;
}

static void add_new(struct sl_agg *a, const uint64_t *key, int64_t value) {
    (void)a; /* sl_cells_add does without it */
    (void)key;
    (void)value;
}

const struct sl_agg_ops sl_agg_cells_ops = {add_new, reserve, merge};
