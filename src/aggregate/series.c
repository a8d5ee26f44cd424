/* series: values by bin of time, and by key within it.
 *
 * bins holds the sum over all keys of each bin; table holds bin and key, for the keys that have a
 * series of their own (those in keys). What is in a bin but in no such cell is its "other". */
#include "kind.h"

#define SECOND INT64_C(1000000)
#define WEEK   (604800 * SECOND)

/* Widths in microseconds, each a multiple of the one before. The widest one spans all times that
 * sl_agg_add_t accepts in four bins, so that widening always ends within max_bins. */
static const int64_t ladder[SL_SERIES_RUNGS] = {
    1000,         5000,          10000,         50000,          100000,         500000,
    SECOND,       5 * SECOND,    10 * SECOND,   30 * SECOND,    60 * SECOND,    300 * SECOND,
    600 * SECOND, 1800 * SECOND, 3600 * SECOND, 21600 * SECOND, 86400 * SECOND, WEEK,
    52 * WEEK,    520 * WEEK,    5200 * WEEK,   52000 * WEEK,   520000 * WEEK,  5200000 * WEEK,
};

int64_t sl_series_rung_us(uint32_t rung) {
    return ladder[rung];
}

int64_t sl_series_floor(int64_t us, int64_t width_us) {
    int64_t rest = us % width_us;

    return us - (rest < 0 ? rest + width_us : rest);
}

static int add_to(struct sl_table *t, const uint64_t *key, sl_i128 value) {
    uint64_t *slot = sl_table_insert(t, key);

    if (!slot)
        return -1;
    sl_combine(SL_AGG_SERIES, slot, value);
    return 0;
}

int sl_series_rebin(struct sl_table *to, const struct sl_table *from, int64_t width_us) {
    uint64_t key[SL_TABLE_MAX_WORDS];

    if (sl_table_init(to, from->key_words, 0, from->max_keys, from->seed))
        return -1;
    for (const uint64_t *s = sl_table_next(from, NULL); s; s = sl_table_next(from, s)) {
        memcpy(key, sl_slot_key(s), from->key_words * sizeof *key);
        key[0] = sl_time_to_word(sl_series_floor(sl_word_to_time(key[0]), width_us));
        if (add_to(to, key, sl_i128_load(s))) {
            sl_table_free(to);
            return -1;
        }
    }
    return 0;
}

/* Moves to a wider rung. -1 without memory, and nothing changed. */
static int widen(struct sl_agg *a, uint32_t rung) {
    struct sl_series *s = &a->series;
    struct sl_table bins, cells;

    if (sl_series_rebin(&bins, &s->bins, ladder[rung]))
        return -1;
    if (sl_series_rebin(&cells, &a->table, ladder[rung])) {
        sl_table_free(&bins);
        return -1;
    }
    sl_table_free(&s->bins);
    sl_table_free(&a->table);
    s->bins = bins;
    a->table = cells;
    s->rung = rung;
    s->width_us = ladder[rung];
    s->last = NULL;
    return 0;
}

/* Back within the bound. Without memory it stays above, and the next new bin tries again. The
 * rung that this ends at is the lowest one at which all data so far has at most max_bins bins:
 * their number never grows with the rung, so data that came earlier or later, here or in a part
 * that is merged, cannot lead past it. */
static void keep_bound(struct sl_agg *a) {
    struct sl_series *s = &a->series;

    while (!a->spec.bin_us && s->bins.used > a->spec.max_bins && s->rung + 1 < SL_SERIES_RUNGS)
        if (widen(a, s->rung + 1))
            return;
}

static void past(struct sl_agg *a, sl_i128 value, uint64_t *counter) {
    a->other += value;
    ++*counter;
}

/* The slot of the bin that holds a time, made if needed; NULL: counted as past a bound. */
static uint64_t *bin_slot(struct sl_agg *a, int64_t us, int64_t value) {
    struct sl_series *s = &a->series;
    uint64_t key = sl_time_to_word(sl_series_floor(us, s->width_us));
    uint64_t *slot = sl_table_find(&s->bins, &key, 1);

    if (!sl_slot_empty(slot))
        return slot;
    if (a->spec.bin_us && s->bins.used >= a->spec.max_bins) {
        past(a, value, &a->counters.past_bins);
        return NULL;
    }
    slot = sl_table_insert(&s->bins, &key);
    if (!slot) {
        past(a, value, &a->counters.no_memory);
        return NULL;
    }
    keep_bound(a);
    key = sl_time_to_word(sl_series_floor(us, s->width_us));
    return sl_table_find(&s->bins, &key, 1);
}

/* 1: the key has a series of its own, or gets one. 0: it belongs to "other". */
static int own_series(struct sl_agg *a, const uint64_t *key) {
    struct sl_table *keys = &a->series.keys;

    if (!sl_slot_empty(sl_table_find(keys, key, keys->key_words)))
        return 1;
    return keys->used < a->spec.max_keys && !sl_keep_texts(a, key, 0, a->spec.parts) &&
           sl_table_insert(keys, key);
}

static void add_cell(struct sl_agg *a, uint64_t bin, const uint64_t *key, sl_i128 value) {
    uint64_t cell[SL_TABLE_MAX_WORDS] = {bin};
    uint64_t *slot;

    memcpy(cell + 1, key, a->key_words * sizeof *key);
    slot = sl_table_find(&a->table, cell, a->table.key_words);
    if (!sl_slot_empty(slot))
        sl_combine(SL_AGG_SERIES, slot, value);
    else if (!own_series(a, key))
        a->counters.past_keys++;
    else if (add_to(&a->table, cell, value))
        a->counters.no_memory++; /* the bin has it: it shows under "other" */
}

void sl_series_add(struct sl_agg *a, int64_t us, int64_t value) {
    struct sl_series *s = &a->series;
    uint64_t *slot = s->last;

    if (!slot || (uint64_t)(us - s->last_us) >= (uint64_t)s->width_us)
        slot = bin_slot(a, us, value);
    s->last = slot;
    if (!slot)
        return;
    s->last_us = sl_series_floor(us, s->width_us);
    sl_combine(SL_AGG_SERIES, slot, value);
    if (a->key_words)
        add_cell(a, sl_time_to_word(s->last_us), a->staged.words, value);
}

static int reserve(struct sl_agg *to, const struct sl_agg *from) {
    struct sl_series *t = &to->series;
    const struct sl_series *f = &from->series;

    t->last = NULL;
    return sl_table_reserve(&t->bins, t->bins.used + f->bins.used) ||
                   sl_table_reserve(&t->keys, t->keys.used + f->keys.used) ||
                   sl_table_reserve(&to->table, to->table.used + from->table.used)
               ? -1
               : 0;
}

static void merge_keys(struct sl_agg *to, const struct sl_order *keys) {
    for (size_t i = 0; i < keys->n; i++)
        (void)own_series(to, sl_slot_key(keys->items[i].slot));
}

/* Which bins and keys of from still fit is decided by their order. A bin without room goes to
 * "other" with all its cells. */
static void merge_bins(struct sl_agg *to, const struct sl_order *bins) {
    for (size_t i = 0; i < bins->n; i++) {
        const uint64_t *from = bins->items[i].slot;
        int64_t us = sl_word_to_time(*sl_slot_key(from));
        uint64_t *slot = bin_slot(to, us, (int64_t)0);
        if (slot)
            sl_combine(SL_AGG_SERIES, slot, sl_i128_load(from));
        else
            to->other += sl_i128_load(from);
    }
}

static void merge_cells(struct sl_agg *to, const struct sl_table *from) {
    for (const uint64_t *s = sl_table_next(from, NULL); s; s = sl_table_next(from, s)) {
        int64_t us = sl_word_to_time(*sl_slot_key(s));
        uint64_t bin = sl_time_to_word(sl_series_floor(us, to->series.width_us));
        if (!sl_slot_empty(sl_table_find(&to->series.bins, &bin, 1)))
            add_cell(to, bin, sl_slot_key(s) + 1, sl_i128_load(s));
    }
}

static int merge(struct sl_agg *to, const struct sl_agg *from) {
    struct sl_order bins, keys;

    if (sl_order_init(&bins, &from->series.bins, SL_ORDER_KEY, NULL))
        return -1;
    if (sl_order_init(&keys, &from->series.keys, SL_ORDER_KEY, NULL)) {
        sl_order_free(&bins);
        return -1;
    }
    if (to->series.rung < from->series.rung && widen(to, from->series.rung)) {
        sl_order_free(&bins);
        sl_order_free(&keys);
        return -1;
    }
    sl_order_sort(&bins, bins.n);
    sl_order_sort(&keys, keys.n);
    merge_keys(to, &keys);
    merge_bins(to, &bins);
    merge_cells(to, &from->table);
    to->other += from->other;
    to->series.last = NULL;
    sl_order_free(&bins);
    sl_order_free(&keys);
    return 0;
}

static void add_new(struct sl_agg *a, const uint64_t *key, int64_t value) {
    (void)key; /* reached only by a call that does not fit a series: there is no time */
    (void)value;
    a->counters.additions--;
    a->counters.bad_time++;
}

const struct sl_agg_ops sl_agg_series_ops = {add_new, reserve, merge};
