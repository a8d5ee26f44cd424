/* The byte form of an aggregate. All numbers little endian; text is u16 length and bytes.
 *
 *     "SLAG"  u16 version
 *     u8 kind, u8 decimals, u8 parts, parts x (u8 type, text label), text name
 *     u64 max_keys, u64 max_bins, i64 bin_us
 *     counters, u64 each, in the order of struct sl_agg_counters
 *     i128 other, i128 error, u32 rung
 *     entries:  u64 n, n x (key words, u64 each; i128 value), ascending by key words
 *     of a series: its bins as entries, then its cells (bin and key) as entries
 *     u32 CRC-32 (that of zlib) of everything before
 *
 * Version 1. A reader refuses any other, and refuses what it would not have written. */
#include "aggregate.h"

#include <stdlib.h>
#include <zlib.h>

#include "kind.h"

enum { VERSION = 1, COUNTERS = sizeof(struct sl_agg_counters) / sizeof(uint64_t) };

static const uint8_t magic[4] = {'S', 'L', 'A', 'G'};

/* ---- writing ---- */

/* Counts while bytes is NULL, writes in a second pass. */
struct writer {
    uint8_t *bytes;
    size_t n;
};

static void put(struct writer *w, uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; i++, w->n++)
        if (w->bytes)
            w->bytes[w->n] = (uint8_t)(value >> 8 * i);
}

static void put_i128(struct writer *w, sl_i128 value) {
    put(w, (uint64_t)(sl_u128)value, 8);
    put(w, (uint64_t)((sl_u128)value >> 64), 8);
}

static void put_text(struct writer *w, const char *text) {
    size_t n = strlen(text);

    put(w, n, 2);
    for (size_t i = 0; i < n; i++)
        put(w, (uint8_t)text[i], 1);
}

static void put_head(struct writer *w, const struct sl_agg *a) {
    const uint64_t *counters = (const uint64_t *)&a->counters;

    for (size_t i = 0; i < sizeof magic; i++)
        put(w, magic[i], 1);
    put(w, VERSION, 2);
    put(w, a->spec.kind, 1);
    put(w, a->spec.decimals, 1);
    put(w, a->spec.parts, 1);
    for (uint32_t i = 0; i < a->spec.parts; i++) {
        put(w, a->spec.type[i], 1);
        put_text(w, a->spec.label[i]);
    }
    put_text(w, a->spec.name);
    put(w, a->spec.max_keys, 8);
    put(w, a->spec.max_bins, 8);
    put(w, (uint64_t)a->spec.bin_us, 8);
    for (size_t i = 0; i < COUNTERS; i++)
        put(w, counters[i], 8);
    put_i128(w, a->other);
    put_i128(w, a->error);
    put(w, a->series.rung, 4);
}

static void put_entries(struct writer *w, const struct sl_order *order) {
    uint32_t words = order->table->key_words;

    put(w, order->n, 8);
    if (!w->bytes) {
        w->n += order->n * (words * 8 + 16);
        return;
    }
    for (size_t i = 0; i < order->n; i++) {
        const uint64_t *slot = order->items[i].slot;
        for (uint32_t k = 0; k < words; k++)
            put(w, sl_slot_key(slot)[k], 8);
        put_i128(w, sl_i128_load(slot));
    }
}

static int write_all(struct writer *w, const struct sl_agg *a, const struct sl_order *bins,
                     const struct sl_order *cells) {
    for (int pass = 0; pass < 2; pass++) {
        w->n = 0;
        put_head(w, a);
        if (bins)
            put_entries(w, bins);
        put_entries(w, cells);
        if (!pass && !(w->bytes = malloc(w->n + 4)))
            return -1;
    }
    put(w, crc32_z(0, w->bytes, w->n), 4);
    return 0;
}

int sl_agg_to_bytes(const struct sl_agg *a, uint8_t **bytes, size_t *size, struct sl_error *err) {
    struct sl_order bins = {0}, cells = {0};
    struct writer w = {0};
    int series = a->spec.kind == SL_AGG_SERIES, failed;

    failed = sl_order_init(&cells, &a->table, SL_ORDER_KEY);
    if (!failed && series)
        failed = sl_order_init(&bins, &a->series.bins, SL_ORDER_KEY);
    if (!failed) {
        sl_order_sort(&cells, cells.n);
        sl_order_sort(&bins, bins.n);
        failed = write_all(&w, a, series ? &bins : NULL, &cells);
    }
    sl_order_free(&cells);
    sl_order_free(&bins);
    *bytes = w.bytes;
    *size = w.n;
    return failed ? sl_error_set(err, SL_EXIT_USAGE, "no memory to write aggregate \"%s\"",
                                 a->spec.name)
                  : 0;
}

void sl_agg_bytes_free(uint8_t *bytes) {
    free(bytes);
}

/* ---- reading: nothing is believed ---- */

struct reader {
    const uint8_t *at, *end;
    const char *bad; /* what is wrong, the first thing found; NULL: nothing yet */
};

static uint64_t get(struct reader *r, unsigned size) {
    uint64_t value = 0;

    if ((size_t)(r->end - r->at) < size) {
        r->bad = r->bad ? r->bad : "it ends too early";
        r->at = r->end;
        return 0;
    }
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)*r->at++ << 8 * i;
    return value;
}

static sl_i128 get_i128(struct reader *r) {
    sl_u128 low = get(r, 8);

    return (sl_i128)((sl_u128)get(r, 8) << 64 | low);
}

static void refuse(struct reader *r, int condition, const char *what) {
    if (condition && !r->bad)
        r->bad = what;
}

static void get_text(struct reader *r, char text[SL_AGG_MAX_TEXT + 1]) {
    size_t n = (size_t)get(r, 2);

    text[0] = '\0';
    refuse(r, n > SL_AGG_MAX_TEXT || n > (size_t)(r->end - r->at), "a text is too long");
    if (r->bad)
        return;
    memcpy(text, r->at, n);
    text[n] = '\0';
    refuse(r, strlen(text) != n, "a text holds a zero byte");
    r->at += n;
}

static struct sl_agg *get_spec(struct reader *r, struct sl_error *err) {
    char name[SL_AGG_MAX_TEXT + 1], label[SL_AGG_MAX_PARTS][SL_AGG_MAX_TEXT + 1] = {{0}};
    struct sl_agg_spec spec = {.name = name};
    struct sl_agg *a;

    spec.kind = (uint32_t)get(r, 1);
    spec.decimals = (uint32_t)get(r, 1);
    spec.parts = (uint32_t)get(r, 1);
    refuse(r, spec.parts > SL_AGG_MAX_PARTS, "its key has too many parts");
    for (uint32_t i = 0; i < spec.parts && !r->bad; i++) {
        spec.type[i] = (uint32_t)get(r, 1);
        get_text(r, label[i]);
        spec.label[i] = label[i];
    }
    get_text(r, name);
    spec.max_keys = get(r, 8);
    spec.max_bins = get(r, 8);
    spec.bin_us = (int64_t)get(r, 8);
    refuse(r, !spec.max_keys, "its bound of keys is 0");
    refuse(r, (spec.kind == SL_AGG_SERIES) != (spec.max_bins > 0), "its bins do not fit its kind");
    refuse(r, spec.kind != SL_AGG_SERIES && spec.bin_us, "its bins do not fit its kind");
    if (r->bad)
        return NULL;
    a = sl_agg_new(&spec, err);
    refuse(r, !a, err->message);
    return a;
}

/* Values must be possible: each below 2^63 times the additions, and all of them together too.
 * left is what may still come; it is what rules out overflow later. */
static int spend(sl_u128 *left, sl_i128 value) {
    sl_u128 size = sl_i128_abs(value);

    if (size > *left)
        return -1;
    *left -= size;
    return 0;
}

static int number_parts_ok(const struct sl_agg *a, const uint64_t *key) {
    for (uint32_t i = 0; i < a->spec.parts; key += sl_type_words(a->spec.type[i]), i++)
        if (a->spec.type[i] == SL_AGG_NUMBER) {
            double n = sl_word_to_number(*key);
            if (!(n - n == 0) || sl_number_to_word(n) != *key)
                return 0;
        }
    return 1;
}

static int bin_ok(const struct sl_agg *a, uint64_t word) {
    int64_t us = sl_word_to_time(word), limit = SL_SERIES_MAX_S * 1000000;

    return us <= limit + 5000000 && us > -limit - a->series.width_us &&
           us == sl_series_floor(us, a->series.width_us);
}

static void get_head(struct reader *r, struct sl_agg *a) {
    uint64_t *counters = (uint64_t *)&a->counters;
    sl_u128 left;

    for (size_t i = 0; i < COUNTERS; i++) {
        counters[i] = get(r, 8);
        refuse(r, counters[i] > SL_MAX_ADDITIONS, "a counter is out of range");
    }
    left = (sl_u128)a->counters.additions << 63;
    a->other = get_i128(r);
    a->error = get_i128(r);
    a->series.rung = (uint32_t)get(r, 4);
    refuse(r, a->error < 0 || (a->error && a->spec.kind != SL_AGG_TOP), "its error is impossible");
    refuse(r, spend(&left, a->other) || spend(&left, a->error), "a value is out of range");
    refuse(r, a->other && (!sl_has_other(a) || a->spec.kind == SL_AGG_TOP), "nothing is in other");
    refuse(r, a->series.rung >= SL_SERIES_RUNGS, "its bins have no known width");
    refuse(r, a->series.rung && (a->spec.kind != SL_AGG_SERIES || a->spec.bin_us),
           "its bins have two widths");
    if (!r->bad && a->spec.kind == SL_AGG_SERIES && !a->spec.bin_us)
        a->series.width_us = sl_series_rung_us(a->series.rung);
}

/* Reads one entry into a slot of t that was made for it. before: the key of the last one. */
static void get_entry(struct reader *r, const struct sl_agg *a, struct sl_table *t, int with_bin,
                      const uint64_t *before, uint64_t *key, sl_u128 *left) {
    int larger = before == NULL;
    uint64_t *slot;
    sl_i128 value;

    for (uint32_t k = 0; k < t->key_words; k++)
        key[k] = get(r, 8);
    value = get_i128(r);
    for (uint32_t k = 0; !larger && k < t->key_words; k++) {
        refuse(r, key[k] < before[k], "its keys are not in order");
        larger = key[k] != before[k];
    }
    refuse(r, !larger, "a key comes twice");
    refuse(r, with_bin && !bin_ok(a, key[0]), "a bin is not where bins are");
    refuse(r, t != &a->series.bins && !number_parts_ok(a, key + with_bin), "a key is no number");
    refuse(r, spend(left, value) || (value < 0 && a->non_negative), "a value is out of range");
    if (r->bad)
        return;
    slot = sl_table_insert(t, key);
    refuse(r, !slot, "there is no memory for it");
    if (slot)
        sl_i128_store(slot, value);
}

static void get_entries(struct reader *r, struct sl_agg *a, struct sl_table *t, uint64_t bound) {
    sl_u128 left = (sl_u128)a->counters.additions << 63;
    uint64_t keys[2][SL_TABLE_MAX_WORDS] = {{0}}, n = get(r, 8);
    int with_bin = a->spec.kind == SL_AGG_SERIES;

    refuse(r, n > (size_t)(r->end - r->at) / (t->key_words * 8 + 16), "it ends too early");
    refuse(r, n > bound || n > a->counters.additions, "it has more keys than can be");
    if (!r->bad && sl_table_reserve(t, n))
        refuse(r, 1, "there is no memory for it");
    for (uint64_t i = 0; i < n && !r->bad; i++)
        get_entry(r, a, t, with_bin, i ? keys[(i - 1) % 2] : NULL, keys[i % 2], &left);
}

/* Every cell lies in a bin, and its key is one of those with a series of their own. */
static void link_cells(struct reader *r, struct sl_agg *a) {
    struct sl_series *s = &a->series;

    for (const uint64_t *c = sl_table_next(&a->table, NULL); c && !r->bad;
         c = sl_table_next(&a->table, c)) {
        refuse(r, sl_slot_empty(sl_table_find(&s->bins, sl_slot_key(c), 1)), "a bin is missing");
        refuse(r, !sl_table_insert(&s->keys, sl_slot_key(c) + 1), "there is no memory for it");
        refuse(r, s->keys.used > a->spec.max_keys, "it has more keys than can be");
    }
}

static struct sl_agg *get_all(struct reader *r, struct sl_error *err) {
    struct sl_agg *a = get_spec(r, err);

    if (!a)
        return NULL;
    get_head(r, a);
    if (a->spec.kind == SL_AGG_SERIES) {
        if (!r->bad)
            get_entries(r, a, &a->series.bins, a->spec.max_bins);
        if (!r->bad)
            get_entries(r, a, &a->table, a->spec.parts ? UINT64_MAX : 0);
        link_cells(r, a);
    } else if (!r->bad) {
        get_entries(r, a, &a->table, a->key_words ? a->spec.max_keys : 1);
    }
    refuse(r, r->at != r->end, "something follows its end");
    return a;
}

struct sl_agg *sl_agg_from_bytes(const uint8_t *bytes, size_t size, struct sl_error *err) {
    struct reader r = {bytes, bytes + size, NULL}, tail;
    struct sl_agg *a = NULL;

    refuse(&r, size < sizeof magic + 6 || memcmp(bytes, magic, sizeof magic) != 0,
           "it is no aggregate");
    if (!r.bad) {
        r.end -= 4;
        tail = (struct reader){r.end, r.end + 4, NULL};
        refuse(&r, get(&tail, 4) != crc32_z(0, bytes, size - 4), "its checksum is wrong");
        r.at = r.bad ? r.end : r.at + sizeof magic;
    }
    if (!r.bad)
        refuse(&r, get(&r, 2) != VERSION, "its version is not 1");
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
