/* Reading an aggregate: sorted rows. */
#include <stdlib.h>

#include "aggregate.h"
#include "kind.h"

void sl_row_key(const struct sl_agg *a, const uint64_t *key, struct sl_agg_row *row) {
    for (uint32_t i = 0; i < a->spec.parts; i++) {
        if (a->spec.type[i] == SL_AGG_NUMBER) {
            row->number[i] = sl_word_to_number(*key++);
            continue;
        }
        row->address[i] = (struct sl_addr){{(uint32_t)(key[0] >> 32), (uint32_t)key[0],
                                            (uint32_t)(key[1] >> 32), (uint32_t)key[1]}};
        key += 2;
    }
}

static int keyed_rows(struct sl_rows *r, int order, uint64_t limit) {
    const struct sl_agg *a = r->agg;
    enum sl_order_by by = order == SL_AGG_BY_VALUE ? SL_ORDER_VALUE : SL_ORDER_KEY;

    if (sl_order_init(&r->order, &a->table, by))
        return -1;
    r->head.total = r->order.n;
    r->shown = limit && limit < r->order.n ? limit : r->order.n;
    sl_order_sort(&r->order, r->shown);
    /* "other" makes rows add up; beside keys that were cut it would pass for the rest of them. */
    r->other = !limit && a->spec.kind != SL_AGG_TOP && sl_has_other(a);
    r->head.n = r->shown + (uint64_t)r->other;
    return 0;
}

struct sl_agg_rows *sl_agg_rows_new(const struct sl_agg *a, int order, uint64_t limit,
                                    struct sl_error *err) {
    struct sl_rows *r = calloc(1, sizeof *r);
    int failed = -1;

    if (r) {
        r->agg = a;
        failed = a->spec.kind == SL_AGG_SERIES ? sl_series_rows(r, order, limit)
                                               : keyed_rows(r, order, limit);
    }
    if (!failed)
        return &r->head;
    (void)sl_error_set(err, SL_EXIT_USAGE, "no memory to sort aggregate \"%s\"", a->spec.name);
    if (r)
        sl_agg_rows_free(&r->head);
    return NULL;
}

void sl_agg_row(const struct sl_agg_rows *head, uint64_t i, struct sl_agg_row *out) {
    const struct sl_rows *r = (const struct sl_rows *)head;

    *out = (struct sl_agg_row){0};
    if (i >= head->n)
        return;
    if (r->agg->spec.kind == SL_AGG_SERIES) {
        sl_series_row(r, i, out);
        return;
    }
    if (i == r->shown) {
        out->other = 1;
        out->value = sl_agg_double(r->agg, r->agg->other);
        return;
    }
    sl_row_key(r->agg, sl_slot_key(r->order.items[i].slot), out);
    out->value = sl_agg_double(r->agg, sl_i128_load(r->order.items[i].slot));
}

void sl_agg_rows_free(struct sl_agg_rows *head) {
    struct sl_rows *r = (struct sl_rows *)head;

    if (!r)
        return;
    sl_order_free(&r->order);
    sl_table_free(&r->bins);
    sl_table_free(&r->cells);
    sl_table_free(&r->keys);
    free(r->times);
    free(r);
}
