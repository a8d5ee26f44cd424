/* The rows of a series: every key times every bin of one time line, with zeros where a bin has no
 * content. Which bins the line has depends on the content alone. */
#include <stdlib.h>

#include "kind.h"

enum {
    FILL_GAP = 10000,   /* fixed width: a longer stretch without content is left out */
    FILL_ROWS = 100000, /* and so is every one once the line is that long */
    MAX_GAPS = 4,       /* automatic width: stretches that may be left out, and that … */
    BINS_A_GAP = 10     /* … for each so many bins with content: outliers, not the rule */
};

struct line {
    const struct sl_order *bins; /* sorted by time */
    int64_t width_us;
    uint64_t fill_gap, fill_rows;
};

static int64_t start_of(const struct line *l, size_t i) {
    return sl_series_floor(sl_word_to_time(*sl_slot_key(l->bins->items[i].slot)), l->width_us);
}

/* Counts the bins of a line, and writes their starts where times is given. */
static uint64_t walk(const struct line *l, int64_t *times, uint64_t *gaps, uint64_t *content) {
    uint64_t n = 0;
    int64_t last = 0;

    *gaps = *content = 0;
    for (size_t i = 0; i < l->bins->n; i++) {
        int64_t start = start_of(l, i);
        uint64_t steps = n ? (uint64_t)(start - last) / (uint64_t)l->width_us : 1;
        if (!steps)
            continue; /* two stored bins in one bin shown */
        if (steps > l->fill_gap || n + steps > l->fill_rows) {
            *gaps += steps > 1;
            steps = 1;
        }
        for (uint64_t k = steps; times && k > 0; k--)
            times[n + steps - k] = start - (int64_t)(k - 1) * l->width_us;
        n += steps;
        last = start;
        ++*content;
    }
    return n;
}

/* The narrowest rung at which the line, filled up, has at most max_bins rows. A few stretches may
 * stay open, or a single packet with a wrong clock would squeeze everything else into one bin. */
static struct line choose(const struct sl_agg *a, const struct sl_order *bins) {
    struct line l = {bins, a->series.width_us, FILL_GAP, FILL_ROWS};

    if (a->spec.bin_us)
        return l;
    l.fill_gap = l.fill_rows = a->spec.max_bins;
    for (uint32_t rung = a->series.rung; rung < SL_SERIES_RUNGS; rung++) {
        uint64_t gaps, content, n;
        l.width_us = sl_series_rung_us(rung);
        n = walk(&l, NULL, &gaps, &content);
        if (n <= a->spec.max_bins && gaps <= MAX_GAPS && gaps * BINS_A_GAP <= content)
            break;
    }
    return l;
}

static int make_line(struct sl_agg_view *r) {
    struct sl_order bins;
    struct line l;
    uint64_t gaps, content, n;

    if (sl_order_init(&bins, &r->agg->series.bins, SL_ORDER_KEY, NULL))
        return -1;
    sl_order_sort(&bins, bins.n);
    l = choose(r->agg, &bins);
    n = walk(&l, NULL, &gaps, &content);
    r->times = calloc(n ? n : 1, sizeof *r->times);
    if (r->times)
        r->times_n = walk(&l, r->times, &gaps, &content);
    r->head.gaps = gaps;
    r->head.bin = (double)l.width_us / 1e6;
    sl_order_free(&bins);
    if (!r->times)
        return -1;
    return sl_series_rebin(&r->bins, &r->agg->series.bins, l.width_us) ||
                   sl_series_rebin(&r->cells, &r->agg->table, l.width_us)
               ? -1
               : 0;
}

/* The sum of each key over all time, which ranks them. */
static int make_keys(struct sl_agg_view *r, int order, uint64_t limit) {
    const struct sl_agg *a = r->agg;
    enum sl_order_by by = order == SL_AGG_BY_VALUE ? SL_ORDER_VALUE : SL_ORDER_KEY;

    if (sl_table_init(&r->keys, a->key_words, 0, a->spec.max_keys, r->cells.seed))
        return -1;
    for (const uint64_t *s = sl_table_next(&r->cells, NULL); s; s = sl_table_next(&r->cells, s)) {
        uint64_t *slot = sl_table_insert(&r->keys, sl_slot_key(s) + 1);
        if (!slot)
            return -1;
        sl_combine(SL_AGG_SERIES, slot, sl_i128_load(s));
    }
    if (sl_order_init(&r->order, &r->keys, by, &(struct sl_order_how){sl_key_order(a), NULL, a}))
        return -1;
    r->head.total = r->order.n;
    r->shown = limit && limit < r->order.n ? limit : r->order.n;
    sl_order_sort(&r->order, r->shown);
    r->other = !limit && (a->counters.past_keys || a->counters.no_memory);
    return 0;
}

int sl_series_rows(struct sl_agg_view *r, int order, uint64_t limit) {
    if (make_line(r))
        return -1;
    if (!r->agg->spec.parts) {
        r->head.n = r->head.total = r->times_n;
        return 0;
    }
    if (make_keys(r, order, limit))
        return -1;
    r->head.n = (r->shown + (uint64_t)r->other) * r->times_n;
    return 0;
}

static sl_i128 value_in(const struct sl_table *t, const uint64_t *key) {
    const uint64_t *slot = sl_table_find(t, key, t->key_words);

    return sl_slot_empty(slot) ? 0 : sl_i128_load(slot);
}

/* What is in a bin but not with one of the keys. */
static sl_i128 other_in(const struct sl_agg_view *r, uint64_t bin) {
    uint64_t cell[SL_TABLE_MAX_WORDS] = {bin};
    sl_i128 rest = value_in(&r->bins, &bin);

    for (size_t i = 0; i < r->order.n; i++) {
        memcpy(cell + 1, sl_slot_key(r->order.items[i].slot), r->agg->key_words * sizeof *cell);
        rest -= value_in(&r->cells, cell);
    }
    return rest;
}

void sl_series_row(const struct sl_agg_view *r, uint64_t i, struct sl_agg_row *out) {
    uint64_t key = i / r->times_n, bin = sl_time_to_word(r->times[i % r->times_n]);
    uint64_t cell[SL_TABLE_MAX_WORDS] = {bin};

    out->time = (double)r->times[i % r->times_n] / 1e6;
    if (!r->agg->spec.parts) {
        out->value = sl_agg_double(r->agg, value_in(&r->bins, &bin));
    } else if (key == r->shown) {
        out->other = 1;
        out->value = sl_agg_double(r->agg, other_in(r, bin));
    } else {
        const uint64_t *words = sl_slot_key(r->order.items[key].slot);
        memcpy(cell + 1, words, r->agg->key_words * sizeof *cell);
        sl_row_fields(r->agg, words, 0, r->agg->spec.parts, out);
        out->value = sl_agg_double(r->agg, value_in(&r->cells, cell));
    }
}
