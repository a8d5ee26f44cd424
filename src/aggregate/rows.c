/* Reading an aggregate: sorted rows, and single values by key. */
#include <stdlib.h>

#include "aggregate.h"
#include "hll.h"
#include "kind.h"
#include "pick.h"

static double value_at(const struct sl_agg *a, const uint64_t *slot) {
    double value = sl_agg_double(a, sl_i128_load(slot));

    if (a->spec.kind == SL_AGG_MEAN)
        return value / (double)sl_slot_extra_of(&a->table, slot)[0];
    if (a->spec.kind == SL_AGG_DISTINCT)
        return sl_distinct_estimate(a, sl_slot_extra_of(&a->table, slot));
    return value;
}

static double rank(const void *context, const uint64_t *slot) {
    return value_at(context, slot);
}

static void spread(const struct sl_agg *a, sl_i128 sum, const uint64_t *moments, double *deviation,
                   double *count) {
    *deviation = sl_moments_deviation(sum, moments) / a->scale;
    *count = (double)moments[0];
}

/* ---- rows ---- */

/* A sample has a row for each record. */
static int spread_records(struct sl_agg_view *r) {
    const struct sl_agg *a = r->agg;
    size_t rows = 0;

    r->starts = calloc(r->shown + 2, sizeof *r->starts);
    if (!r->starts)
        return -1;
    for (uint64_t i = 0; i < r->shown; i++) {
        const struct sl_pick *p =
            sl_sketch_load(sl_slot_extra_of(&a->table, r->order.items[i].slot));
        r->starts[i] = rows;
        rows += p ? p->n : 0;
    }
    r->starts[r->shown] = rows;
    if (r->other && sl_sketch_load(a->other_extra)) {
        const struct sl_pick *p = sl_sketch_load(a->other_extra);
        rows += p->n;
    }
    r->starts[r->shown + 1] = rows;
    r->head.n = rows;
    return 0;
}

static int keyed_rows(struct sl_agg_view *r, int order, uint64_t limit) {
    const struct sl_agg *a = r->agg;
    enum sl_order_by by = order == SL_AGG_BY_VALUE ? SL_ORDER_VALUE : SL_ORDER_KEY;
    int ranked = a->spec.kind == SL_AGG_MEAN || a->spec.kind == SL_AGG_DISTINCT;
    const struct sl_order_how how = {sl_key_order(a), ranked ? rank : NULL, a};

    if (sl_order_init(&r->order, &a->table, by, &how))
        return -1;
    r->head.total = r->order.n;
    r->shown = limit && limit < r->order.n ? limit : r->order.n;
    sl_order_sort(&r->order, r->shown);
    /* "other" makes rows add up; beside keys that were cut it would pass for the rest of them. */
    r->other = !limit && a->spec.kind != SL_AGG_TOP && sl_has_other(a);
    r->head.n = r->shown + (uint64_t)r->other;
    return a->spec.kind == SL_AGG_SAMPLE ? spread_records(r) : 0;
}

static int make_rows(struct sl_agg_view *r, int order, uint64_t limit) {
    if (r->agg->spec.kind == SL_AGG_SERIES)
        return sl_series_rows(r, order, limit);
    if (sl_has_cells(r->agg))
        return sl_cells_rows(r, order, limit);
    return keyed_rows(r, order, limit);
}

struct sl_agg_rows *sl_agg_rows_new(struct sl_agg *a, int order, uint64_t limit,
                                    struct sl_error *err) {
    struct sl_agg_view *r = calloc(1, sizeof *r);

    sl_settle(a);
    if (r)
        r->agg = a;
    if (r && !make_rows(r, order, limit))
        return &r->head;
    (void)sl_error_set(err, SL_EXIT_USAGE, "no memory to sort aggregate \"%s\"", a->spec.name);
    if (r)
        sl_agg_rows_free(&r->head);
    return NULL;
}

static void record_row(const struct sl_agg_view *r, uint64_t i, struct sl_agg_row *out) {
    const struct sl_agg *a = r->agg;
    uint32_t fields = a->spec.parts + a->spec.of_parts;
    const uint64_t *extra = a->other_extra, *record;
    const struct sl_pick *p;
    uint64_t low = 0, high = r->shown + 1;

    while (high - low > 1) { /* the last key that starts at i or before */
        uint64_t middle = low + (high - low) / 2;
        if (r->starts[middle] <= i)
            low = middle;
        else
            high = middle;
    }
    if (low == r->shown) {
        out->other = 1;
    } else {
        extra = sl_slot_extra_of(&a->table, r->order.items[low].slot);
        sl_row_fields(a, sl_slot_key(r->order.items[low].slot), 0, a->spec.parts, out);
    }
    p = sl_sketch_load(extra);
    record = p->words + (size_t)(i - r->starts[low]) * sl_pick_words(a);
    out->time = (double)sl_word_to_time(record[SL_PICK_TIME]) / 1e6;
    out->place = (double)record[SL_PICK_PLACE];
    sl_row_fields(a, record + SL_PICK_HEAD, a->spec.parts, fields, out);
}

static void other_row(const struct sl_agg *a, struct sl_agg_row *out) {
    out->other = 1;
    out->value = sl_agg_double(a, a->other);
    if (a->spec.kind == SL_AGG_MEAN) {
        spread(a, a->other, a->other_extra, &out->deviation, &out->count);
        out->value /= out->count;
    } else if (a->spec.kind == SL_AGG_DISTINCT) {
        out->value = sl_distinct_estimate(a, a->other_extra);
    }
}

static void keyed_row(const struct sl_agg_view *r, uint64_t i, struct sl_agg_row *out) {
    const struct sl_agg *a = r->agg;
    const uint64_t *slot;

    if (i == r->shown) {
        other_row(a, out);
        return;
    }
    slot = r->order.items[i].slot;
    sl_row_fields(a, sl_slot_key(slot), 0, a->spec.parts, out);
    out->value = value_at(a, slot);
    if (a->spec.kind == SL_AGG_MEAN)
        spread(a, sl_i128_load(slot), sl_slot_extra_of(&a->table, slot), &out->deviation,
               &out->count);
}

void sl_agg_row(const struct sl_agg_rows *head, uint64_t i, struct sl_agg_row *out) {
    const struct sl_agg_view *r = (const struct sl_agg_view *)head;

    *out = (struct sl_agg_row){0};
    if (i >= head->n)
        return;
    if (r->agg->spec.kind == SL_AGG_SERIES)
        sl_series_row(r, i, out);
    else if (sl_has_cells(r->agg))
        sl_cells_row(r, i, out);
    else if (r->agg->spec.kind == SL_AGG_SAMPLE)
        record_row(r, i, out);
    else
        keyed_row(r, i, out);
}

void sl_agg_rows_free(struct sl_agg_rows *head) {
    struct sl_agg_view *r = (struct sl_agg_view *)head;

    if (!r)
        return;
    sl_order_free(&r->order);
    sl_order_free(&r->rest);
    sl_table_free(&r->bins);
    sl_table_free(&r->cells);
    sl_table_free(&r->keys);
    free(r->times);
    free(r->ranges);
    free(r->starts);
    free(r);
}

/* ---- single values ---- */

static const uint64_t *staged_slot(struct sl_agg *a) {
    const uint64_t *slot;

    sl_settle(a);
    if (sl_take_staged(a, a->key_words) || a->spec.kind == SL_AGG_SERIES || sl_has_cells(a))
        return NULL;
    slot = sl_table_find(&a->table, a->staged.words, a->key_words);
    return sl_slot_empty(slot) ? NULL : slot;
}

int sl_agg_get(struct sl_agg *a, double *value) {
    const uint64_t *slot = staged_slot(a);

    if (!slot)
        return 0;
    *value = value_at(a, slot);
    return 1;
}

int sl_agg_get_spread(struct sl_agg *a, double *deviation, double *count) {
    const uint64_t *slot = staged_slot(a);

    if (!slot || a->spec.kind != SL_AGG_MEAN)
        return 0;
    spread(a, sl_i128_load(slot), sl_slot_extra_of(&a->table, slot), deviation, count);
    return 1;
}
