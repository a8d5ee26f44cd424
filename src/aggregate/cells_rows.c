/* The rows of quantile and histogram: the cells in the order of their keys and bins, where those of
 * a key lie side by side. A quantile has a row for each key; a histogram one for each key and bin,
 * from the one below all edges to the one above. */
#include <math.h>
#include <stdlib.h>

#include "kind.h"

static int same_key(const struct sl_agg *a, const uint64_t *x, const uint64_t *y) {
    for (uint32_t i = 0; i < a->key_words; i++)
        if (x[i] != y[i])
            return 0;
    return 1;
}

static size_t make_ranges(const struct sl_agg *a, const struct sl_order *cells,
                          struct sl_range *ranges) {
    size_t n = 0;

    for (size_t i = 0; i < cells->n; i++) {
        const uint64_t *slot = cells->items[i].slot;
        if (!i || !same_key(a, sl_slot_key(slot), sl_slot_key(cells->items[i - 1].slot)))
            ranges[n++] = (struct sl_range){i, 0, 0};
        ranges[n - 1].n++;
        ranges[n - 1].count += sl_i128_load(slot);
    }
    return n;
}

static const uint64_t *key_of(const struct sl_agg_view *r, const struct sl_range *range) {
    return sl_slot_key(r->order.items[range->first].slot);
}

static int by_key(const void *x, const void *y, void *context) {
    const struct sl_agg_view *r = context;
    sl_compare_keys *compare = sl_key_order(r->agg);
    const struct sl_range *a = x, *b = y;

    if (compare)
        return compare(r->agg, key_of(r, a), key_of(r, b));
    return (a->first > b->first) - (a->first < b->first); /* as the cells are */
}

static int by_count(const void *x, const void *y, void *context) {
    const struct sl_range *a = x, *b = y;

    return a->count != b->count ? (a->count < b->count ? 1 : -1) : by_key(x, y, context);
}

static uint64_t rows_a_key(const struct sl_agg *a) {
    return a->spec.kind == SL_AGG_HISTOGRAM ? (uint64_t)a->spec.n_edges + 1 : 1;
}

int sl_cells_rows(struct sl_agg_view *r, int order, uint64_t limit) {
    const struct sl_agg *a = r->agg;
    size_t n;

    if (sl_order_init(&r->order, &a->table, SL_ORDER_KEY, NULL) ||
        sl_order_init(&r->rest, &a->cells.rest, SL_ORDER_KEY, NULL))
        return -1;
    sl_order_sort(&r->order, r->order.n);
    sl_order_sort(&r->rest, r->rest.n);
    r->ranges = calloc(r->order.n + 2, sizeof *r->ranges);
    if (!r->ranges)
        return -1;
    n = make_ranges(a, &r->order, r->ranges);
    if (!n && !a->spec.parts)
        n = 1; /* without a key there is always a row, of 0 values */
    qsort_r(r->ranges, n, sizeof *r->ranges, order == SL_AGG_BY_VALUE ? by_count : by_key, r);
    r->head.total = n;
    r->shown = limit && limit < n ? limit : n;
    r->other = !limit && r->rest.n > 0;
    if (r->other) {
        r->ranges[r->shown] = (struct sl_range){0, r->rest.n, 0};
        for (size_t i = 0; i < r->rest.n; i++)
            r->ranges[r->shown].count += sl_i128_load(r->rest.items[i].slot);
    }
    r->head.n = (r->shown + (uint64_t)r->other) * rows_a_key(a);
    return 0;
}

/* The cells of range i, and which word of their keys is the bin. */
static const struct sl_order_item *cells_of(const struct sl_agg_view *r, uint64_t i,
                                            uint32_t *bin_at) {
    *bin_at = i == r->shown ? 0 : r->agg->key_words;
    return (i == r->shown ? r->rest.items : r->order.items) + r->ranges[i].first;
}

static void fill_bin(const struct sl_agg_view *r, uint64_t range, uint64_t bin,
                     struct sl_agg_row *out) {
    const struct sl_agg *a = r->agg;
    uint32_t bin_at;
    const struct sl_order_item *cells = cells_of(r, range, &bin_at);
    size_t low = 0, high = r->ranges[range].n;

    out->from = bin ? a->edges[bin - 1] : -INFINITY;
    out->to = bin < a->spec.n_edges ? a->edges[bin] : INFINITY;
    out->value = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sl_slot_key(cells[middle].slot)[bin_at] < bin)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < r->ranges[range].n && sl_slot_key(cells[low].slot)[bin_at] == bin)
        out->value = (double)sl_i128_load(cells[low].slot);
}

void sl_cells_row(const struct sl_agg_view *r, uint64_t i, struct sl_agg_row *out) {
    uint64_t per_key = rows_a_key(r->agg), range = i / per_key;

    if (range == r->shown)
        out->other = 1;
    else if (r->agg->spec.parts)
        sl_row_fields(r->agg, key_of(r, &r->ranges[range]), 0, r->agg->spec.parts, out);
    out->value = (double)r->ranges[range].count;
    if (r->agg->spec.kind == SL_AGG_HISTOGRAM)
        fill_bin(r, range, i % per_key, out);
}

/* The number, counted from 0, of the value that is wanted of n sorted ones. */
static sl_i128 wanted(double q, sl_i128 n) {
    double at = floor((q > 0 ? q < 1 ? q : 1 : 0) * ((double)n - 1));

    return (sl_i128)at < n ? (sl_i128)at : n - 1;
}

double sl_agg_row_quantile(const struct sl_agg_rows *head, uint64_t i, double q) {
    const struct sl_agg_view *r = (const struct sl_agg_view *)head;
    const struct sl_order_item *cells;
    sl_i128 left;
    uint32_t bin_at;

    if (i >= head->n || r->agg->spec.kind != SL_AGG_QUANTILE || !r->ranges[i].n)
        return NAN;
    cells = cells_of(r, i, &bin_at);
    left = wanted(q, r->ranges[i].count);
    while (left >= sl_i128_load(cells->slot)) {
        left -= sl_i128_load(cells->slot);
        cells++;
    }
    return sl_quantile_of_bin(r->agg, sl_slot_key(cells->slot)[bin_at]);
}

/* Without sorting the others: every bin that can be is asked for, once to count, once to find. */
int sl_agg_get_quantile(struct sl_agg *a, double q, double *value) {
    uint64_t cell[SL_TABLE_MAX_WORDS], last = sl_cells_bin(a, INT64_MAX), first = ~last + 1;
    sl_i128 n = 0, left = 0;

    if (sl_take_staged(a, a->key_words) || a->spec.kind != SL_AGG_QUANTILE)
        return 0;
    memcpy(cell, a->staged.words, a->key_words * sizeof *cell);
    for (int finding = 0; finding < 2; finding++) {
        for (uint64_t bin = first; bin <= last; bin++) {
            const uint64_t *slot;
            cell[a->key_words] = bin;
            slot = sl_table_find(&a->table, cell, a->table.key_words);
            if (sl_slot_empty(slot))
                continue;
            if (finding && left < sl_i128_load(slot)) {
                *value = sl_quantile_of_bin(a, bin);
                return 1;
            }
            if (finding)
                left -= sl_i128_load(slot);
            else
                n += sl_i128_load(slot);
        }
        if (!n)
            return 0;
        left = wanted(q, n);
    }
    return 0;
}
