/* The path of every addition: value to integer, key to words, slot, done. */
#include <math.h>

#include "aggregate.h"
#include "kind.h"

#define COLD __attribute__((noinline, cold))

COLD static void refuse(struct sl_agg *a, double value) {
    if (isfinite(value))
        a->counters.too_large++;
    else
        a->counters.not_finite++;
}

/* x is not whole; its integer part is v. Half goes away from zero. Both differences are exact. */
COLD static int64_t round_away(struct sl_agg *a, double x, int64_t v) {
    double fraction = x - (double)v;

    if (!a->spec.decimals)
        a->counters.inexact++;
    return fraction >= 0.5 ? v + 1 : fraction <= -0.5 ? v - 1 : v;
}

#define VALUE_LIMIT 9223372036854775808.0 /* 2^63 */

static inline int scale(struct sl_agg *a, double value, int64_t *out) {
    double x = value * a->scale;
    int64_t v;

    if (!(x > -VALUE_LIMIT && x < VALUE_LIMIT)) { /* NaN too */
        refuse(a, value);
        return -1;
    }
    v = (int64_t)x;
    if ((double)v != x)
        v = round_away(a, x, v);
    if (v < 0 && a->non_negative) {
        a->counters.negative++;
        return -1;
    }
    *out = v;
    return 0;
}

static inline void add_words(struct sl_agg *a, const uint64_t *key, uint32_t words, int64_t v) {
    uint64_t *slot = sl_table_find(&a->table, key, words);

    a->counters.additions++;
    if (sl_slot_empty(slot))
        a->ops->add_new(a, key, v);
    else
        sl_combine(a->spec.kind, slot, v);
}

void sl_agg_add_n(struct sl_agg *a, double key, double value) {
    uint64_t word;
    int64_t v;

    if (!isfinite(key)) {
        a->counters.bad_key++;
        return;
    }
    if (scale(a, value, &v))
        return;
    word = sl_number_to_word(key);
    add_words(a, &word, 1, v);
}

void sl_agg_add_a(struct sl_agg *a, const struct sl_addr *key, double value) {
    uint64_t words[2];
    int64_t v;

    if (scale(a, value, &v))
        return;
    sl_addr_to_words(key, words);
    add_words(a, words, 2, v);
}

void sl_agg_key_n(struct sl_agg *a, double part) {
    if (!isfinite(part))
        a->staged_bad = 1;
    if (a->staged_words < a->key_words)
        a->staged[a->staged_words++] = sl_number_to_word(part);
}

void sl_agg_key_a(struct sl_agg *a, const struct sl_addr *part) {
    if (a->staged_words + 2 > a->key_words)
        return;
    sl_addr_to_words(part, a->staged + a->staged_words);
    a->staged_words += 2;
}

/* Takes the key given in parts; -1: it is not one. */
static inline int staged(struct sl_agg *a) {
    int bad = a->staged_bad || a->staged_words != a->key_words;

    a->staged_words = 0;
    a->staged_bad = 0;
    return bad ? -1 : 0;
}

void sl_agg_add(struct sl_agg *a, double value) {
    int64_t v;

    if (staged(a)) {
        a->counters.bad_key++;
        return;
    }
    if (scale(a, value, &v))
        return;
    add_words(a, a->staged, a->key_words, v);
}

void sl_agg_add_t(struct sl_agg *a, const struct sl_time *ts, double value) {
    struct sl_series *s = &a->series;
    int64_t v, us;

    if (staged(a)) {
        a->counters.bad_key++;
        return;
    }
    if (ts->s > SL_SERIES_MAX_S || ts->s < -SL_SERIES_MAX_S) {
        a->counters.bad_time++;
        return;
    }
    if (scale(a, value, &v))
        return;
    us = ts->s * 1000000 + ts->nsec / 1000;
    a->counters.additions++;
    if (s->last && !a->key_words && (uint64_t)(us - s->last_us) < (uint64_t)s->width_us)
        sl_combine(SL_AGG_SERIES, s->last, v);
    else
        sl_series_add(a, us, v);
}

int sl_agg_get(struct sl_agg *a, double *value) {
    const uint64_t *slot;

    if (staged(a) || a->spec.kind == SL_AGG_SERIES)
        return 0;
    slot = sl_table_find(&a->table, a->staged, a->key_words);
    if (sl_slot_empty(slot))
        return 0;
    *value = sl_agg_double(a, sl_i128_load(slot));
    return 1;
}
