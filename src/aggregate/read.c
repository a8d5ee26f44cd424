/* The byte form of an aggregate (bytes.h): reading. Nothing is believed. */
#include "aggregate.h"

#include <stdlib.h>

#include "bytes.h"
#include "hll.h"
#include "kind.h"
#include "pick.h"
#include "wire.h"

static sl_i128 get_i128(struct sl_wire_in *r) {
    sl_u128 low = sl_wire_get(r, 8);

    return (sl_i128)((sl_u128)sl_wire_get(r, 8) << 64 | low);
}

/* The bytes of a text, which must be there; NULL: they are not. */
static const char *get_text(struct sl_wire_in *r, size_t limit, size_t *size) {
    const char *text = (const char *)r->at + 2;

    *size = (size_t)sl_wire_get(r, 2);
    sl_wire_refuse(r, *size > limit || *size > (size_t)(r->end - r->at), "a text is too long");
    if (r->bad)
        return NULL;
    r->at += *size;
    return text;
}

static void get_name(struct sl_wire_in *r, char name[SL_AGG_MAX_TEXT + 1]) {
    size_t size;
    const char *text = get_text(r, SL_AGG_MAX_TEXT, &size);

    name[0] = '\0';
    if (!text)
        return;
    memcpy(name, text, size);
    name[size] = '\0';
    sl_wire_refuse(r, strlen(name) != size, "a text holds a zero byte");
}

/* ---- what it is ---- */

struct names {
    char name[SL_AGG_MAX_TEXT + 1], label[SL_AGG_MAX_FIELDS][SL_AGG_MAX_TEXT + 1];
};

static void get_fields(struct sl_wire_in *r, struct sl_agg_spec *spec, struct names *n) {
    spec->kind = (uint32_t)sl_wire_get(r, 1);
    spec->decimals = (uint32_t)sl_wire_get(r, 1);
    spec->parts = (uint32_t)sl_wire_get(r, 1);
    spec->of_parts = (uint32_t)sl_wire_get(r, 1);
    sl_wire_refuse(r, spec->parts > SL_AGG_MAX_PARTS || spec->of_parts > SL_AGG_MAX_PARTS,
                   "its key has too many parts");
    sl_wire_refuse(r,
                   spec->of_parts && spec->kind != SL_AGG_DISTINCT && spec->kind != SL_AGG_SAMPLE,
                   "its kind keeps no parts");
    for (uint32_t i = 0; !r->bad && i < spec->parts + spec->of_parts; i++) {
        spec->type[i] = (uint32_t)sl_wire_get(r, 4);
        get_name(r, n->label[i]);
        spec->label[i] = n->label[i];
    }
    get_name(r, n->name);
    spec->name = n->name;
}

static void get_bounds(struct sl_wire_in *r, struct sl_agg_spec *spec) {
    int series = spec->kind == SL_AGG_SERIES;

    spec->max_keys = sl_wire_get(r, 8);
    spec->max_bins = sl_wire_get(r, 8);
    spec->bin_us = (int64_t)sl_wire_get(r, 8);
    spec->precision = (uint32_t)sl_wire_get(r, 4);
    spec->keep = (uint32_t)sl_wire_get(r, 4);
    spec->pick = sl_wire_get(r, 8);
    spec->n_edges = (uint32_t)sl_wire_get(r, 4);
    sl_wire_refuse(r, !spec->max_keys, "its bound of keys is 0");
    sl_wire_refuse(r, series != (spec->max_bins > 0) || (!series && spec->bin_us),
                   "its bins do not fit its kind");
    sl_wire_refuse(r, (spec->kind == SL_AGG_DISTINCT) != (spec->precision > 0),
                   "its precision does not fit its kind");
    sl_wire_refuse(r,
                   (spec->kind == SL_AGG_SAMPLE) != (spec->keep > 0) || (!spec->keep && spec->pick),
                   "its choice does not fit its kind");
    sl_wire_refuse(r, (spec->kind == SL_AGG_HISTOGRAM) != (spec->n_edges > 0),
                   "its edges do not fit its kind");
    sl_wire_refuse(r, spec->n_edges > (size_t)(r->end - r->at) / 8, "it ends too early");
}

/* Edges are stored scaled, and must come back as they were. */
static struct sl_agg *with_edges(struct sl_wire_in *r, struct sl_agg_spec *spec,
                                 struct sl_error *err) {
    const uint8_t *stored = r->at;
    double *edges = calloc(spec->n_edges + 1, sizeof *edges), scale = 1;
    struct sl_agg *a = NULL;

    for (uint32_t i = 0; i < spec->decimals && i < SL_AGG_MAX_DECIMALS; i++)
        scale *= 10;
    for (uint32_t i = 0; edges && i < spec->n_edges; i++)
        edges[i] = (double)(int64_t)sl_wire_get(r, 8) / scale;
    spec->edges = edges;
    if (edges) {
        a = sl_agg_new(spec, err);
        sl_wire_refuse(r, !a, err->message);
    }
    sl_wire_refuse(r, !edges, "there is no memory for it");
    r->at = stored;
    for (uint32_t i = 0; i < spec->n_edges; i++) {
        int64_t edge = (int64_t)sl_wire_get(r, 8);
        sl_wire_refuse(r, a && a->cells.edges[i] != edge, "an edge is out of range");
    }
    free(edges);
    return a;
}

static struct sl_agg *get_spec(struct sl_wire_in *r, struct sl_error *err) {
    struct names names = {{0}, {{0}}};
    struct sl_agg_spec spec = {.name = NULL};

    get_fields(r, &spec, &names);
    get_bounds(r, &spec);
    return r->bad ? NULL : with_edges(r, &spec, err);
}

/* ---- what it holds ---- */

/* Values must be possible: each below 2^63 times the additions, and all of them together too.
 * left is what may still come; it is what rules out overflow later. */
static int spend(sl_u128 *left, sl_i128 value) {
    sl_u128 size = sl_i128_abs(value);

    if (size > *left)
        return -1;
    *left -= size;
    return 0;
}

static void get_head(struct sl_wire_in *r, struct sl_agg *a) {
    uint64_t *counters = (uint64_t *)&a->counters;
    sl_u128 left;

    for (size_t i = 0; i < SL_COUNTERS; i++) {
        counters[i] = sl_wire_get(r, 8);
        sl_wire_refuse(r, counters[i] > SL_MAX_ADDITIONS, "a counter is out of range");
    }
    left = (sl_u128)a->counters.additions << 63;
    a->other = get_i128(r);
    a->error = get_i128(r);
    a->series.rung = (uint32_t)sl_wire_get(r, 4);
    sl_wire_refuse(r, a->error < 0 || (a->error && a->spec.kind != SL_AGG_TOP),
                   "its error is impossible");
    sl_wire_refuse(r, spend(&left, a->other) || spend(&left, a->error), "a value is out of range");
    sl_wire_refuse(r,
                   a->other && (!sl_has_other(a) || a->spec.kind == SL_AGG_TOP || sl_has_cells(a)),
                   "nothing is in other");
    sl_wire_refuse(r, a->series.rung >= SL_SERIES_RUNGS, "its bins have no known width");
    sl_wire_refuse(r, a->series.rung && (a->spec.kind != SL_AGG_SERIES || a->spec.bin_us),
                   "its bins have two widths");
    if (!r->bad && a->spec.kind == SL_AGG_SERIES && !a->spec.bin_us)
        a->series.width_us = sl_series_rung_us(a->series.rung);
}

static int before(const uint64_t *a, const uint64_t *b, uint32_t words) {
    return sl_pick_compare(a, b, words) < 0;
}

static void get_texts(struct sl_wire_in *r, struct sl_agg *a) {
    uint64_t words[2][SL_TEXT_WORDS] = {{0}}, n = sl_wire_get(r, 8);

    sl_wire_refuse(r, n > (size_t)(r->end - r->at) / 2 || (n && !a->has_texts),
                   "it has too many texts");
    for (uint64_t i = 0; i < n && !r->bad; i++) {
        size_t size;
        const char *text = get_text(r, SL_TEXT_LIMIT, &size);
        if (!text)
            return;
        sl_text_words(text, size, words[i % 2]);
        sl_wire_refuse(r, i && !before(words[(i + 1) % 2], words[i % 2], SL_TEXT_WORDS),
                       "its texts are not in order");
        sl_wire_refuse(r, sl_texts_put(&a->texts, words[i % 2], text, size) != 0,
                       "there is no memory for it");
    }
}

/* Fields first .. end - 1 are what their types can be, and their texts are there. */
static int fields_ok(const struct sl_agg *a, const uint64_t *words, uint32_t first, uint32_t end) {
    for (uint32_t i = first; i < end; words += sl_type_words(a->spec.type[i]), i++) {
        uint32_t type = a->spec.type[i];
        size_t size;
        if (sl_type_words(type) == 1) {
            double n = sl_word_to_number(*words);
            if (!(n - n == 0) || sl_number_to_word(n) != *words)
                return 0;
        } else if ((type & 0xff) == SL_AGG_PREFIX) {
            uint64_t masked[2] = {words[0], words[1]};
            sl_words_to_prefix(type, masked);
            if (masked[0] != words[0] || masked[1] != words[1])
                return 0;
        } else if (type == SL_AGG_STRING && !sl_texts_get(&a->texts, words, &size)) {
            return 0;
        }
    }
    return 1;
}

static int time_ok(uint64_t word, int64_t slack_us) {
    int64_t us = sl_word_to_time(word), limit = SL_SERIES_MAX_S * 1000000;

    return us <= limit + 5000000 && us > -limit - slack_us;
}

/* Whether a key may stand in that table. */
static int key_ok(const struct sl_agg *a, const struct sl_table *t, const uint64_t *key) {
    int64_t width = a->series.width_us;

    if (t == &a->cells.rest)
        return sl_cells_bin_possible(a, key[0]);
    if (sl_has_cells(a) && !sl_cells_bin_possible(a, key[a->key_words]))
        return 0;
    if (a->spec.kind != SL_AGG_SERIES)
        return fields_ok(a, key, 0, a->spec.parts);
    if (!time_ok(key[0], width) ||
        sl_word_to_time(key[0]) != sl_series_floor(sl_word_to_time(key[0]), width))
        return 0;
    return t == &a->series.bins || fields_ok(a, key + 1, 0, a->spec.parts);
}

static void get_hll(struct sl_wire_in *r, const struct sl_agg *a, struct sl_hll **h,
                    uint64_t form) {
    uint32_t precision = a->spec.precision, n = 0, last = 0;

    if (form == SL_SKETCH_REGISTERS) {
        size_t size = (size_t)1 << precision;
        sl_wire_refuse(r, size > (size_t)(r->end - r->at), "it ends too early");
        *h = r->bad ? NULL : sl_hll_with_registers(precision);
        sl_wire_refuse(r, !*h, "there is no memory for it");
        for (size_t i = 0; i < size && !r->bad; i++) {
            sl_hll_registers(*h)[i] = (uint8_t)sl_wire_get(r, 1);
            sl_wire_refuse(r, sl_hll_registers(*h)[i] > sl_hll_register_max(precision),
                           "a register is out of range");
        }
        return;
    }
    n = (uint32_t)sl_wire_get(r, 4);
    sl_wire_refuse(r, !n || n > sl_hll_codes_max(precision), "it has more codes than can be");
    for (uint32_t i = 0; i < n && !r->bad; i++) {
        uint32_t code = (uint32_t)sl_wire_get(r, 4);
        sl_wire_refuse(r, !sl_hll_code_possible(code), "a code is out of range");
        sl_wire_refuse(r, i && code >> 6 <= last >> 6, "its codes are not in order");
        last = code;
        sl_wire_refuse(r, !r->bad && sl_hll_add_code(h, precision, code),
                       "there is no memory for it");
    }
}

static void get_pick(struct sl_wire_in *r, const struct sl_agg *a, struct sl_pick **p) {
    uint64_t rows[2][SL_PICK_MAX_WORDS] = {{0}};
    uint32_t words = sl_pick_words(a), n = (uint32_t)sl_wire_get(r, 4);

    sl_wire_refuse(r, !n || n > a->spec.keep, "it has more records than can be");
    for (uint32_t i = 0; i < n && !r->bad; i++) {
        uint64_t *row = rows[i % 2];
        for (uint32_t k = 0; k < words; k++)
            row[k] = sl_wire_get(r, 8);
        sl_wire_refuse(r, i && before(row, rows[(i + 1) % 2], words),
                       "its records are not in order");
        sl_wire_refuse(r, !time_ok(row[SL_PICK_TIME], 0), "a time is out of range");
        sl_wire_refuse(
            r, !fields_ok(a, row + SL_PICK_HEAD, a->spec.parts, a->spec.parts + a->spec.of_parts),
            "a record is not what it should be");
        sl_wire_refuse(r, !r->bad && sl_pick_add(p, a->spec.keep, words, row),
                       "there is no memory for it");
    }
}

static void get_sketch(struct sl_wire_in *r, const struct sl_agg *a, uint64_t *extra) {
    uint64_t form = sl_wire_get(r, 1);

    sl_wire_refuse(r, form > SL_SKETCH_RECORDS, "a sketch has no known form");
    sl_wire_refuse(r, form && (form == SL_SKETCH_RECORDS) != (a->spec.kind == SL_AGG_SAMPLE),
                   "a sketch does not fit its kind");
    if (r->bad || form == SL_SKETCH_NONE)
        return;
    if (form == SL_SKETCH_RECORDS) {
        struct sl_pick *p = NULL;
        get_pick(r, a, &p);
        *extra = sl_sketch_word(p);
    } else {
        struct sl_hll *h = NULL;
        get_hll(r, a, &h, form);
        *extra = sl_sketch_word(h);
    }
}

/* entry: of a key, which has at least one value; else of "other", which may have none. */
static void get_extra(struct sl_wire_in *r, const struct sl_agg *a, uint64_t *extra, int entry) {
    if (a->spec.kind == SL_AGG_MEAN) {
        int any = 0;
        for (uint32_t i = 0; i < SL_MOMENT_WORDS; i++) {
            extra[i] = sl_wire_get(r, 8);
            any |= extra[i] != 0;
        }
        sl_wire_refuse(r, (any || entry) && !sl_moments_possible(extra),
                       "its moments are impossible");
        sl_wire_refuse(r, extra[0] > a->counters.additions || (!entry && !any && a->other),
                       "its moments are impossible");
    } else if (sl_has_sketches(a)) {
        get_sketch(r, a, extra);
    }
}

/* Reads one entry into a slot of t that was made for it. last: the key of the one before. */
static void get_entry(struct sl_wire_in *r, struct sl_agg *a, struct sl_table *t,
                      const uint64_t *last, uint64_t *key, sl_u128 *left) {
    uint64_t *slot;
    sl_i128 value;

    for (uint32_t k = 0; k < t->key_words; k++)
        key[k] = sl_wire_get(r, 8);
    value = get_i128(r);
    sl_wire_refuse(r, last && !before(last, key, t->key_words), "its keys are not in order");
    sl_wire_refuse(r, !r->bad && !key_ok(a, t, key), "a key is not what it should be");
    sl_wire_refuse(r,
                   spend(left, value) ||
                       (value < 0 && (a->non_negative || sl_has_cells(a) || sl_has_sketches(a))),
                   "a value is out of range");
    if (r->bad)
        return;
    slot = sl_table_insert(t, key);
    sl_wire_refuse(r, !slot, "there is no memory for it");
    if (!slot)
        return;
    sl_i128_store(slot, value);
    if (t == &a->table)
        get_extra(r, a, sl_slot_extra(t, slot), 1);
}

static void get_entries(struct sl_wire_in *r, struct sl_agg *a, struct sl_table *t,
                        uint64_t bound) {
    sl_u128 left = (sl_u128)a->counters.additions << 63;
    uint64_t keys[2][SL_TABLE_MAX_WORDS] = {{0}}, n = sl_wire_get(r, 8);

    sl_wire_refuse(r, n > (size_t)(r->end - r->at) / (t->key_words * 8 + 16), "it ends too early");
    sl_wire_refuse(r, n > bound || n > a->counters.additions, "it has more keys than can be");
    if (!r->bad && sl_table_reserve(t, n))
        sl_wire_refuse(r, 1, "there is no memory for it");
    for (uint64_t i = 0; i < n && !r->bad; i++)
        get_entry(r, a, t, i ? keys[(i + 1) % 2] : NULL, keys[i % 2], &left);
}

/* Every cell's key is one of those with bins of their own, and of a series it lies in a bin. */
static void link_cells(struct sl_wire_in *r, struct sl_agg *a) {
    struct sl_series *s = &a->series;
    int series = a->spec.kind == SL_AGG_SERIES;
    struct sl_table *keys = series ? &s->keys : &a->cells.keys;

    for (const uint64_t *c = sl_table_next(&a->table, NULL); c && !r->bad && a->spec.parts;
         c = sl_table_next(&a->table, c)) {
        const uint64_t *key = sl_slot_key(c) + series;
        sl_wire_refuse(r, series && sl_slot_empty(sl_table_find(&s->bins, sl_slot_key(c), 1)),
                       "a bin is missing");
        sl_wire_refuse(r, !sl_table_insert(keys, key), "there is no memory for it");
        sl_wire_refuse(r, keys->used > a->spec.max_keys, "it has more keys than can be");
    }
}

static void get_tables(struct sl_wire_in *r, struct sl_agg *a) {
    uint64_t bound = a->key_words ? a->spec.max_keys : 1;

    if (a->spec.kind == SL_AGG_SERIES) {
        get_entries(r, a, &a->series.bins, a->spec.max_bins);
        bound = a->spec.parts ? UINT64_MAX : 0;
    } else if (sl_has_cells(a)) {
        get_entries(r, a, &a->cells.rest, sl_has_other(a) ? UINT64_MAX : 0);
        bound = UINT64_MAX;
    }
    if (!r->bad)
        get_entries(r, a, &a->table, bound);
    if (!r->bad && (a->spec.kind == SL_AGG_SERIES || sl_has_cells(a)))
        link_cells(r, a);
    if (!r->bad)
        get_extra(r, a, a->other_extra, 0);
}

static struct sl_agg *get_all(struct sl_wire_in *r, struct sl_error *err) {
    struct sl_agg *a = get_spec(r, err);
    uint64_t texts;

    if (!a)
        return NULL;
    if (!r->bad)
        get_head(r, a);
    if (!r->bad)
        get_texts(r, a);
    if (!r->bad)
        get_tables(r, a);
    if (!r->bad && a->has_texts) {
        texts = a->texts.index.used;
        sl_sweep_texts(a);
        sl_wire_refuse(r, a->texts.index.used != texts, "a text belongs to nothing");
    }
    sl_wire_refuse(r, r->at != r->end, "something follows its end");
    return a;
}

struct sl_agg *sl_agg_from_bytes(const uint8_t *bytes, size_t size, struct sl_error *err) {
    struct sl_wire_in r = sl_wire_open(bytes, size, SL_BYTES_MAGIC, SL_BYTES_VERSION);
    struct sl_agg *a = NULL;

    if (!r.bad)
        a = get_all(&r, err);
    if (!r.bad)
        return a;
    sl_agg_free(a);
    if (r.bad == err->message) /* sl_agg_new has said it */
        return NULL;
    (void)sl_error_set(err, SL_EXIT_USAGE,
                       "cannot read a stored aggregate: %s, near byte %zu; write the file again",
                       r.bad, (size_t)(r.at - bytes));
    return NULL;
}
