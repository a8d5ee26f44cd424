/* Making, freeing, merging and describing aggregates. */
#include "aggregate.h"

#include <math.h>
#include <stdlib.h>
#include <sys/random.h>

#include "kind.h"

static const struct {
    const struct sl_agg_ops *ops;
    uint32_t extra_words;
    int non_negative;
} kinds[SL_AGG_KIND_END] = {
    [SL_AGG_COUNT] = {&sl_agg_keyed_ops, 0, 1},
    [SL_AGG_SUM] = {&sl_agg_keyed_ops, 0, 0},
    [SL_AGG_MIN] = {&sl_agg_keyed_ops, 0, 0},
    [SL_AGG_MAX] = {&sl_agg_keyed_ops, 0, 0},
    [SL_AGG_TOP] = {&sl_agg_top_ops, 0, 1},
    [SL_AGG_SERIES] = {&sl_agg_series_ops, 0, 0},
    [SL_AGG_MEAN] = {&sl_agg_keyed_ops, SL_MOMENT_WORDS, 0},
    [SL_AGG_QUANTILE] = {&sl_agg_cells_ops, 0, 0},
    [SL_AGG_HISTOGRAM] = {&sl_agg_cells_ops, 0, 0},
    [SL_AGG_DISTINCT] = {&sl_agg_sketch_ops, 1, 0},
    [SL_AGG_SAMPLE] = {&sl_agg_sketch_ops, 1, 0},
};

double sl_agg_double(const struct sl_agg *a, sl_i128 value) {
    return (double)value / a->scale;
}

int sl_has_other(const struct sl_agg *a) {
    return a->counters.past_keys || a->counters.past_bins || a->counters.no_memory;
}

void sl_combine_other(struct sl_agg *a, sl_i128 value, int fresh) {
    uint64_t slot[2];

    sl_i128_store(slot, fresh ? value : a->other);
    if (!fresh)
        sl_combine(a->spec.kind, slot, value);
    a->other = sl_i128_load(slot);
}

static int copy_spec(struct sl_agg *a, const struct sl_agg_spec *s) {
    uint32_t fields = s->parts + s->of_parts;

    a->spec = *s;
    memset(a->spec.label, 0, sizeof a->spec.label);
    a->spec.edges = NULL;
    a->spec.name = a->labels[SL_AGG_MAX_FIELDS] = strdup(s->name);
    if (!a->spec.name)
        return -1;
    for (uint32_t i = 0; i < fields; i++) {
        a->spec.label[i] = a->labels[i] = strdup(s->label[i]);
        if (!a->spec.label[i])
            return -1;
        a->all_words += sl_type_words(s->type[i]);
        a->key_words += i < s->parts ? sl_type_words(s->type[i]) : 0;
        if (s->type[i] == SL_AGG_STRING)
            a->has_texts |= i < s->parts || s->kind == SL_AGG_SAMPLE;
    }
    a->scale = 1;
    for (uint32_t i = 0; i < s->decimals; i++)
        a->scale *= 10;
    return 0;
}

/* Edges are kept as what they mean once they are rounded. */
static int copy_edges(struct sl_agg *a, const struct sl_agg_spec *s) {
    struct sl_cells *c = &a->cells;

    if (!s->n_edges)
        return 0;
    c->edges = calloc(s->n_edges, sizeof *c->edges);
    a->edges = calloc(s->n_edges, sizeof *a->edges);
    if (!c->edges || !a->edges)
        return -1;
    for (uint32_t i = 0; i < s->n_edges; i++) {
        c->edges[i] = (int64_t)round(s->edges[i] * a->scale);
        a->edges[i] = (double)c->edges[i] / a->scale;
    }
    c->step = c->edges[1] - c->edges[0];
    for (uint32_t i = 2; i < s->n_edges; i++)
        if (c->edges[i] - c->edges[i - 1] != c->step)
            c->step = 0;
    a->spec.edges = a->edges;
    return 0;
}

static int make_tables(struct sl_agg *a) {
    uint64_t seed[2] = {a->spec.seed, a->spec.seed * UINT64_C(0x9e3779b97f4a7c15)};
    uint64_t max = a->spec.max_keys;
    struct sl_series *s = &a->series;

    if (!a->spec.seed && getrandom(seed, sizeof seed, 0) != sizeof seed)
        return -1;
    if (a->has_texts && sl_texts_init(&a->texts, seed))
        return -1;
    if (sl_has_cells(a)) {
        if (sl_table_init(&a->cells.keys, a->key_words, 0, max, seed) ||
            sl_table_init(&a->cells.rest, 1, 0, 0, seed))
            return -1;
        return sl_table_init(&a->table, a->key_words + 1, 0, 0, seed);
    }
    if (a->spec.kind != SL_AGG_SERIES)
        return sl_table_init(&a->table, a->key_words, kinds[a->spec.kind].extra_words, max, seed);
    s->width_us = a->spec.bin_us ? a->spec.bin_us : sl_series_rung_us(0);
    if (sl_table_init(&s->bins, 1, 0, a->spec.max_bins, seed) ||
        sl_table_init(&s->keys, a->key_words, 0, max, seed))
        return -1;
    return sl_table_init(&a->table, 1 + a->key_words, 0, 0, seed);
}

/* Slots from where on a table no longer fits the caches near the processor. */
static uint64_t queue_from(const struct sl_agg *a) {
    enum { NEAR_BYTES = 512 * 1024 };
    uint32_t words = a->key_words;

    if (a->spec.kind == SL_AGG_DISTINCT)
        words++;
    if (a->spec.kind == SL_AGG_SAMPLE)
        words += sl_pick_words(a);
    int fits = a->key_words > 0 && words <= SL_QUEUE_WORDS && !a->has_texts;

    if (!fits || a->ops == &sl_agg_series_ops || a->ops == &sl_agg_cells_ops)
        return UINT64_MAX;
    return NEAR_BYTES / (a->table.stride * sizeof(uint64_t));
}

struct sl_agg *sl_agg_new(const struct sl_agg_spec *spec, struct sl_error *err) {
    struct sl_agg_spec checked = *spec;
    struct sl_agg *a;

    if (sl_spec_check(&checked, err))
        return NULL;
    a = calloc(1, sizeof *a);
    if (!a || copy_spec(a, &checked) || copy_edges(a, &checked) || make_tables(a)) {
        (void)sl_error_set(err, SL_EXIT_USAGE, "no memory for aggregate \"%s\"", spec->name);
        sl_agg_free(a);
        return NULL;
    }
    a->ops = kinds[a->spec.kind].ops;
    a->non_negative = kinds[a->spec.kind].non_negative;
    a->queue.from = queue_from(a);
    return a;
}

void sl_agg_free(struct sl_agg *a) {
    if (!a)
        return;
    if (sl_has_sketches(a) && a->table.slots)
        sl_sketches_free(a);
    sl_table_free(&a->table);
    sl_table_free(&a->series.bins);
    sl_table_free(&a->series.keys);
    sl_table_free(&a->cells.keys);
    sl_table_free(&a->cells.rest);
    sl_texts_free(&a->texts);
    free(a->cells.edges);
    free(a->edges);
    for (size_t i = 0; i <= SL_AGG_MAX_FIELDS; i++)
        free(a->labels[i]);
    free(a);
}

/* Counters stop at their end: the sum is then still the same in any order. */
static void merge_counters(struct sl_agg_counters *to, const struct sl_agg_counters *from) {
    uint64_t *t = (uint64_t *)to;
    const uint64_t *f = (const uint64_t *)from;

    for (size_t i = 0; i < sizeof *to / sizeof *t; i++)
        t[i] = t[i] + f[i] < SL_MAX_ADDITIONS ? t[i] + f[i] : SL_MAX_ADDITIONS;
}

int sl_agg_merge(struct sl_agg *to, struct sl_agg *from, struct sl_error *err) {
    const char *what = sl_spec_difference(&to->spec, &from->spec);
    int failed;

    if (what)
        return sl_error_set(err, SL_EXIT_USAGE,
                            "cannot merge aggregate \"%s\" into \"%s\": their %s differs; merge "
                            "results of the same recipe with the same options",
                            from->spec.name, to->spec.name, what);
    sl_settle(to);
    sl_settle(from);
    if (to == from || to->counters.additions + from->counters.additions > SL_MAX_ADDITIONS)
        return sl_error_set(err, SL_EXIT_USAGE, "cannot merge aggregate \"%s\": %s", to->spec.name,
                            to == from ? "it is the same one" : "more than 2^62 additions");
    to->from = from;
    failed = to->ops->reserve(to, from) || to->ops->merge(to, from);
    to->from = NULL;
    if (failed)
        return sl_error_set(err, SL_EXIT_USAGE, "no memory to merge aggregate \"%s\"",
                            to->spec.name);
    merge_counters(&to->counters, &from->counters);
    return 0;
}

static uint64_t keys_of(const struct sl_agg *a) {
    if (sl_has_cells(a))
        return a->spec.parts ? a->cells.keys.used : a->table.used > 0;
    if (a->spec.kind != SL_AGG_SERIES)
        return a->table.used;
    return a->spec.parts ? a->series.keys.used : a->series.bins.used;
}

void sl_agg_stats(struct sl_agg *a, struct sl_agg_stats *out) {
    const struct sl_table *more[] = {&a->table, &a->series.bins, &a->series.keys, &a->cells.keys,
                                     &a->cells.rest};

    sl_settle(a);
    *out = (struct sl_agg_stats){.counters = a->counters, .spec = a->spec};
    out->keys = keys_of(a);
    out->memory = sizeof *a + sl_texts_bytes(&a->texts);
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        out->memory += more[i]->slots ? sl_table_bytes(more[i]) : 0;
    if (sl_has_sketches(a))
        out->memory += sl_sketches_memory(a);
    out->bin_us = a->series.width_us;
    out->error = sl_agg_double(a, a->error);
    out->other = sl_has_other(a) ? sl_agg_double(a, a->other) : 0;
    out->approximate = sl_has_other(a) || a->error != 0;
}
