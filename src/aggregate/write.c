/* The byte form of an aggregate (bytes.h): writing. */
#include "aggregate.h"

#include <stdlib.h>

#include "bytes.h"
#include "hll.h"
#include "kind.h"
#include "pick.h"
#include "wire.h"

struct writer {
    struct sl_wire_out out;
    uint32_t *codes; /* room for those of one sketch */
};

static void put(struct writer *w, uint64_t value, unsigned size) {
    sl_wire_put(&w->out, value, size);
}

static void put_words(struct writer *w, const uint64_t *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        put(w, words[i], 8);
}

static void put_i128(struct writer *w, sl_i128 value) {
    put(w, (uint64_t)(sl_u128)value, 8);
    put(w, (uint64_t)((sl_u128)value >> 64), 8);
}

static void put_raw(struct writer *w, const void *bytes, size_t n) {
    sl_wire_put_raw(&w->out, bytes, n);
}

static void put_text(struct writer *w, const char *text, size_t n) {
    put(w, n, 2);
    put_raw(w, text, n);
}

static void put_head(struct writer *w, const struct sl_agg *a) {
    const struct sl_agg_spec *s = &a->spec;

    sl_wire_put_head(&w->out, SL_BYTES_MAGIC, SL_BYTES_VERSION);
    put(w, s->kind, 1);
    put(w, s->decimals, 1);
    put(w, s->parts, 1);
    put(w, s->of_parts, 1);
    for (uint32_t i = 0; i < s->parts + s->of_parts; i++) {
        put(w, s->type[i], 4);
        put_text(w, s->label[i], strlen(s->label[i]));
    }
    put_text(w, s->name, strlen(s->name));
    put(w, s->max_keys, 8);
    put(w, s->max_bins, 8);
    put(w, (uint64_t)s->bin_us, 8);
    put(w, s->precision, 4);
    put(w, s->keep, 4);
    put(w, s->pick, 8);
    put(w, s->n_edges, 4);
    for (uint32_t i = 0; i < s->n_edges; i++)
        put(w, (uint64_t)a->cells.edges[i], 8);
    put_words(w, (const uint64_t *)&a->counters, SL_COUNTERS);
    put_i128(w, a->other);
    put_i128(w, a->error);
    put(w, a->series.rung, 4);
}

static void put_hll(struct writer *w, const struct sl_hll *h, uint32_t precision) {
    put(w, h->places ? SL_SKETCH_CODES : SL_SKETCH_REGISTERS, 1);
    if (!h->places) {
        put_raw(w, sl_hll_registers_of(h), (size_t)1 << precision);
        return;
    }
    put(w, h->n, 4);
    if (w->out.bytes)
        sl_hll_codes(h, w->codes);
    for (uint32_t i = 0; i < h->n; i++)
        put(w, w->codes[i], 4);
}

static void put_extra(struct writer *w, const struct sl_agg *a, const uint64_t *extra) {
    const struct sl_pick *p;

    if (a->spec.kind == SL_AGG_MEAN) {
        put_words(w, extra, SL_MOMENT_WORDS);
    } else if (sl_has_sketches(a) && !sl_sketch_load(extra)) {
        put(w, SL_SKETCH_NONE, 1);
    } else if (a->spec.kind == SL_AGG_DISTINCT) {
        put_hll(w, sl_sketch_load(extra), a->spec.precision);
    } else if (a->spec.kind == SL_AGG_SAMPLE) {
        p = sl_sketch_load(extra);
        put(w, SL_SKETCH_RECORDS, 1);
        put(w, p->n, 4);
        put_words(w, p->words, (size_t)p->n * sl_pick_words(a));
    }
}

static void put_entries(struct writer *w, const struct sl_agg *a, const struct sl_order *order) {
    const struct sl_table *t = order->table;

    put(w, order->n, 8);
    for (size_t i = 0; i < order->n; i++) {
        const uint64_t *slot = order->items[i].slot;
        put_words(w, sl_slot_key(slot), t->key_words);
        put_i128(w, sl_i128_load(slot));
        if (t == &a->table)
            put_extra(w, a, sl_slot_extra_of(t, slot));
    }
}

static void put_texts(struct writer *w, const struct sl_texts *texts,
                      const struct sl_order *order) {
    put(w, order->n, 8);
    for (size_t i = 0; i < order->n; i++) {
        size_t size = 0;
        const char *text = sl_texts_get(texts, sl_slot_key(order->items[i].slot), &size);
        put_text(w, text, size);
    }
}

/* What is written in order: texts, bins or rest, and the table. */
struct orders {
    struct sl_order texts, first, table;
};

static void put_all(struct writer *w, const struct sl_agg *a, const struct orders *o) {
    w->out.n = 0;
    put_head(w, a);
    put_texts(w, &a->texts, &o->texts);
    if (o->first.table)
        put_entries(w, a, &o->first);
    put_entries(w, a, &o->table);
    put_extra(w, a, a->other_extra);
}

static int order_of(struct sl_order *o, const struct sl_table *t) {
    if (sl_order_init(o, t, SL_ORDER_KEY, NULL))
        return -1;
    sl_order_sort(o, o->n);
    return 0;
}

static int make_orders(struct orders *o, struct sl_agg *a) {
    if (order_of(&o->table, &a->table))
        return -1;
    if (a->has_texts) {
        sl_sweep_texts(a);
        if (order_of(&o->texts, &a->texts.index))
            return -1;
    }
    if (a->spec.kind == SL_AGG_SERIES)
        return order_of(&o->first, &a->series.bins);
    return sl_has_cells(a) ? order_of(&o->first, &a->cells.rest) : 0;
}

static int write_all(struct writer *w, const struct sl_agg *a, const struct orders *o) {
    if (a->spec.kind == SL_AGG_DISTINCT) {
        w->codes = calloc(sl_hll_codes_max(a->spec.precision) + 1, sizeof *w->codes);
        if (!w->codes)
            return -1;
    }
    put_all(w, a, o);
    w->out.bytes = malloc(w->out.n + 4);
    if (!w->out.bytes)
        return -1;
    put_all(w, a, o);
    sl_wire_seal(&w->out);
    return 0;
}

int sl_agg_to_bytes(struct sl_agg *a, uint8_t **bytes, size_t *size, struct sl_error *err) {
    struct orders o = {0};
    struct writer w = {0};
    int failed;

    sl_settle(a);
    failed = make_orders(&o, a) || write_all(&w, a, &o);
    sl_order_free(&o.texts);
    sl_order_free(&o.first);
    sl_order_free(&o.table);
    free(w.codes);
    *bytes = w.out.bytes;
    *size = w.out.n;
    return failed ? sl_error_set(err, SL_EXIT_USAGE, "no memory to write aggregate \"%s\"",
                                 a->spec.name)
                  : 0;
}

void sl_agg_bytes_free(uint8_t *bytes) {
    free(bytes);
}
