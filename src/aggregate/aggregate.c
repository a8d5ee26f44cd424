/* Making, freeing, comparing and describing aggregates. */
#include "aggregate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "kind.h"

enum { MIN_BINS = 4 }; /* the widest rung spans all times that are accepted in so many */

static const struct {
    const struct sl_agg_ops *ops;
    uint64_t max_keys;
    int non_negative;
} kinds[SL_AGG_KIND_END] = {
    [SL_AGG_COUNT] = {&sl_agg_keyed_ops, 1000000, 1},
    [SL_AGG_SUM] = {&sl_agg_keyed_ops, 1000000, 0},
    [SL_AGG_MIN] = {&sl_agg_keyed_ops, 1000000, 0},
    [SL_AGG_MAX] = {&sl_agg_keyed_ops, 1000000, 0},
    [SL_AGG_TOP] = {&sl_agg_top_ops, 100000, 1},
    [SL_AGG_SERIES] = {&sl_agg_series_ops, 100, 0},
};

uint32_t sl_type_words(uint32_t type) {
    return type == SL_AGG_ADDRESS ? 2 : 1;
}

double sl_word_to_number(uint64_t word) {
    uint64_t bits = word ^ (word >> 63 ? UINT64_C(1) << 63 : UINT64_MAX);
    double number;

    memcpy(&number, &bits, sizeof number);
    return number;
}

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

static int text_ok(const char *text) {
    size_t n = text ? strnlen(text, SL_AGG_MAX_TEXT + 1) : 0;

    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return 0;
    return n > 0 && n <= SL_AGG_MAX_TEXT;
}

/* Fills in defaults, and refuses what cannot be. */
static int check_spec(struct sl_agg_spec *s, struct sl_error *err) {
    if (!text_ok(s->name))
        return sl_error_set(err, SL_EXIT_USAGE,
                            "an aggregate needs a name of 1 to %d printable bytes",
                            SL_AGG_MAX_TEXT);
    if (s->kind < SL_AGG_COUNT || s->kind >= SL_AGG_KIND_END)
        return sl_error_set(err, SL_EXIT_USAGE, "aggregate \"%s\": no kind %" PRIu32, s->name,
                            s->kind);
    if (s->parts > SL_AGG_MAX_PARTS || (s->kind == SL_AGG_TOP && !s->parts))
        return sl_error_set(err, SL_EXIT_USAGE, "aggregate \"%s\": %s", s->name,
                            s->parts ? "a key has at most 3 parts" : "top needs a key");
    for (uint32_t i = 0; i < s->parts; i++)
        if (!text_ok(s->label[i]) || s->type[i] < SL_AGG_NUMBER || s->type[i] >= SL_AGG_KEY_END)
            return sl_error_set(err, SL_EXIT_USAGE,
                                "aggregate \"%s\": part %" PRIu32
                                " of its key has no label or type",
                                s->name, i + 1);
    if (s->decimals > SL_AGG_MAX_DECIMALS)
        return sl_error_set(err, SL_EXIT_USAGE, "aggregate \"%s\": decimals is 0 to %d", s->name,
                            SL_AGG_MAX_DECIMALS);
    s->max_keys = s->max_keys ? s->max_keys : kinds[s->kind].max_keys;
    if (s->max_keys > SL_AGG_KEY_LIMIT)
        return sl_error_set(err, SL_EXIT_USAGE, "aggregate \"%s\": keys is 1 to %" PRIu64, s->name,
                            SL_AGG_KEY_LIMIT);
    if (s->kind != SL_AGG_SERIES) {
        s->max_bins = 0;
        s->bin_us = 0;
        return 0;
    }
    s->max_bins = s->max_bins ? s->max_bins : s->bin_us ? 1000000 : 2000;
    if (s->max_bins < MIN_BINS || s->max_bins > SL_AGG_BIN_LIMIT)
        return sl_error_set(err, SL_EXIT_USAGE, "aggregate \"%s\": bins is %d to %" PRIu64, s->name,
                            MIN_BINS, SL_AGG_BIN_LIMIT);
    if (s->bin_us < 0 || s->bin_us > SL_SERIES_MAX_S / 2 * 1000000)
        return sl_error_set(err, SL_EXIT_USAGE,
                            "aggregate \"%s\": bin is a positive number of seconds", s->name);
    return 0;
}

static int copy_spec(struct sl_agg *a, const struct sl_agg_spec *s) {
    a->spec = *s;
    memset(a->spec.label, 0, sizeof a->spec.label);
    a->spec.name = a->texts[SL_AGG_MAX_PARTS] = strdup(s->name);
    if (!a->spec.name)
        return -1;
    for (uint32_t i = 0; i < s->parts; i++) {
        a->spec.label[i] = a->texts[i] = strdup(s->label[i]);
        if (!a->spec.label[i])
            return -1;
        a->key_words += sl_type_words(s->type[i]);
    }
    return 0;
}

static int make_tables(struct sl_agg *a) {
    uint64_t seed[2] = {a->spec.seed, a->spec.seed * UINT64_C(0x9e3779b97f4a7c15)};
    struct sl_series *s = &a->series;

    if (!a->spec.seed && getrandom(seed, sizeof seed, 0) != sizeof seed)
        return -1;
    if (a->spec.kind != SL_AGG_SERIES)
        return sl_table_init(&a->table, a->key_words, a->spec.max_keys, seed);
    s->width_us = a->spec.bin_us ? a->spec.bin_us : sl_series_rung_us(0);
    if (sl_table_init(&s->bins, 1, a->spec.max_bins, seed) ||
        sl_table_init(&s->keys, a->key_words, a->spec.max_keys, seed))
        return -1;
    return sl_table_init(&a->table, 1 + a->key_words, 0, seed);
}

struct sl_agg *sl_agg_new(const struct sl_agg_spec *spec, struct sl_error *err) {
    struct sl_agg_spec checked = *spec;
    struct sl_agg *a;

    if (check_spec(&checked, err))
        return NULL;
    a = calloc(1, sizeof *a);
    if (!a || copy_spec(a, &checked) || make_tables(a)) {
        (void)sl_error_set(err, SL_EXIT_USAGE, "no memory for aggregate \"%s\"", spec->name);
        sl_agg_free(a);
        return NULL;
    }
    a->ops = kinds[a->spec.kind].ops;
    a->non_negative = kinds[a->spec.kind].non_negative;
    a->scale = 1;
    for (uint32_t i = 0; i < a->spec.decimals; i++)
        a->scale *= 10;
    return a;
}

void sl_agg_free(struct sl_agg *a) {
    if (!a)
        return;
    sl_table_free(&a->table);
    sl_table_free(&a->series.bins);
    sl_table_free(&a->series.keys);
    for (size_t i = 0; i <= SL_AGG_MAX_PARTS; i++)
        free(a->texts[i]);
    free(a);
}

static const char *difference(const struct sl_agg_spec *a, const struct sl_agg_spec *b) {
    if (strcmp(a->name, b->name) != 0)
        return "name";
    if (a->kind != b->kind)
        return "kind";
    if (a->parts != b->parts)
        return "key";
    for (uint32_t i = 0; i < a->parts; i++)
        if (a->type[i] != b->type[i] || strcmp(a->label[i], b->label[i]) != 0)
            return "key";
    if (a->decimals != b->decimals)
        return "decimals";
    if (a->max_keys != b->max_keys)
        return "bound of keys";
    if (a->bin_us != b->bin_us || a->max_bins != b->max_bins)
        return "bins";
    return NULL;
}

/* Counters stop at their end: the sum is then still the same in any order. */
static void merge_counters(struct sl_agg_counters *to, const struct sl_agg_counters *from) {
    uint64_t *t = (uint64_t *)to;
    const uint64_t *f = (const uint64_t *)from;

    for (size_t i = 0; i < sizeof *to / sizeof *t; i++)
        t[i] = t[i] + f[i] < SL_MAX_ADDITIONS ? t[i] + f[i] : SL_MAX_ADDITIONS;
}

int sl_agg_merge(struct sl_agg *to, const struct sl_agg *from, struct sl_error *err) {
    const char *what = difference(&to->spec, &from->spec);

    if (what)
        return sl_error_set(err, SL_EXIT_USAGE,
                            "cannot merge aggregate \"%s\" into \"%s\": their %s differs; merge "
                            "results of the same recipe with the same options",
                            from->spec.name, to->spec.name, what);
    if (to == from || to->counters.additions + from->counters.additions > SL_MAX_ADDITIONS)
        return sl_error_set(err, SL_EXIT_USAGE, "cannot merge aggregate \"%s\": %s", to->spec.name,
                            to == from ? "it is the same one" : "more than 2^62 additions");
    if (to->ops->reserve(to, from) || to->ops->merge(to, from))
        return sl_error_set(err, SL_EXIT_USAGE, "no memory to merge aggregate \"%s\"",
                            to->spec.name);
    merge_counters(&to->counters, &from->counters);
    return 0;
}

void sl_agg_stats(const struct sl_agg *a, struct sl_agg_stats *out) {
    const struct sl_series *s = &a->series;
    int series = a->spec.kind == SL_AGG_SERIES;

    *out = (struct sl_agg_stats){.counters = a->counters, .spec = a->spec};
    out->keys = !series ? a->table.used : a->spec.parts ? s->keys.used : s->bins.used;
    out->memory = sizeof *a + sl_table_bytes(&a->table);
    if (series)
        out->memory += sl_table_bytes(&s->bins) + sl_table_bytes(&s->keys);
    out->bin_us = s->width_us;
    out->error = sl_agg_double(a, a->error);
    out->other = sl_has_other(a) ? sl_agg_double(a, a->other) : 0;
    out->approximate = sl_has_other(a) || a->error != 0;
}
