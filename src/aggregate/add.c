/* The path of every addition: value to integer, key to words, slot, done. */
#include <math.h>

#include "aggregate.h"
#include "hll.h"
#include "kind.h"
#include "pick.h"

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

static inline void apply(struct sl_agg *a, const uint64_t *key, uint32_t words, uint64_t hash,
                         int64_t v) {
    uint64_t *slot = sl_table_find_hashed(&a->table, key, words, hash);

    if (sl_slot_empty(slot)) {
        a->ops->add_new(a, key, v);
        return;
    }
    sl_combine(a->spec.kind, slot, v);
    if (a->spec.kind == SL_AGG_MEAN)
        sl_moments_add(sl_slot_extra(&a->table, slot), v);
}

/* In a table larger than the caches nearly every addition misses them. So its slot is asked for
 * now, and used SL_QUEUE additions later; they are made in the order in which they came.
 *
 * The place of the next one: what was there is done first. words: of the key. */
static inline struct sl_queued *enqueue(struct sl_agg *a, const uint64_t *key, uint32_t words) {
    struct sl_queue *q = &a->queue;
    struct sl_queued *item = &q->items[q->at];

    if (q->n < SL_QUEUE)
        q->n++;
    else if (sl_has_sketches(a))
        sl_sketch_add(a, item->words, item->hash);
    else
        apply(a, item->words, words, item->hash, item->value);
    item->hash = sl_table_hash(&a->table, key, words);
    const uint64_t *home = sl_table_home(&a->table, item->hash);
    __builtin_prefetch(home);
    __builtin_prefetch(home + 8); /* most slots lie in two lines, and some keys in the next slot */
    q->at = (q->at + 1) % SL_QUEUE;
    return item;
}

static inline void copy_words(uint64_t *to, const uint64_t *from, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        to[i] = from[i];
}

static void take_box(struct sl_agg *a) {
    static const uint64_t none;

    a->counters.additions += a->box.n;
    apply(a, &none, 0, sl_table_hash(&a->table, &none, 0), a->box.sum);
    a->box = (struct sl_agg_box){0};
}

void sl_settle(struct sl_agg *a) {
    struct sl_queue *q = &a->queue;

    if (a->box.n)
        take_box(a);

    for (; q->n; q->n--) {
        const struct sl_queued *item = &q->items[(q->at + SL_QUEUE - q->n) % SL_QUEUE];
        if (sl_has_sketches(a))
            sl_sketch_add(a, item->words, item->hash);
        else
            apply(a, item->words, a->key_words, item->hash, item->value);
    }
}

/* The sketch behind a slot that was asked for half a queue ago lies elsewhere: asks for that. */
static inline void ask_for_sketch(const struct sl_agg *a) {
    const struct sl_queue *q = &a->queue;
    const struct sl_queued *item = &q->items[(q->at + SL_QUEUE / 2) % SL_QUEUE];

    if (q->n == SL_QUEUE)
        __builtin_prefetch(
            sl_sketch_load(sl_slot_extra_of(&a->table, sl_table_home(&a->table, item->hash))));
}

/* words: key, then what the sketch gets, n in all. */
static void add_to_sketch(struct sl_agg *a, const uint64_t *words, uint32_t n) {
    if (a->table.capacity < a->queue.from) {
        sl_sketch_add(a, words, sl_table_hash(&a->table, words, a->key_words));
        return;
    }
    copy_words(enqueue(a, words, a->key_words)->words, words, n);
    ask_for_sketch(a);
}

static inline void put_off(struct sl_agg *a, const uint64_t *key, uint32_t words, int64_t v) {
    struct sl_queued *item = enqueue(a, key, words);

    item->value = v;
    copy_words(item->words, key, words);
}

static inline void add_words(struct sl_agg *a, const uint64_t *key, uint32_t words, int64_t v) {
    a->counters.additions++;
    if (sl_has_cells(a))
        sl_cells_add(a, key, v);
    else if (a->table.capacity < a->queue.from || sl_has_sketches(a))
        apply(a, key, words, sl_table_hash(&a->table, key, words), v);
    else
        put_off(a, key, words, v);
}

void sl_agg_add_n(struct sl_agg *a, double key, double value) {
    uint64_t word;
    int64_t v;

    if (!isfinite(key) || a->key_words != 1) {
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

    if (a->key_words != 2) {
        a->counters.bad_key++;
        return;
    }
    if (scale(a, value, &v))
        return;
    sl_addr_to_words(key, words);
    if (a->spec.type[0] != SL_AGG_ADDRESS)
        sl_words_to_prefix(a->spec.type[0], words);
    add_words(a, words, 2, v);
}

/* ---- keys of several parts, at once ---- */

static inline void add_parts(struct sl_agg *a, const uint64_t *words, uint32_t n, double value) {
    int64_t v;

    if (a->key_words != n) {
        a->counters.bad_key++;
        return;
    }
    if (scale(a, value, &v) == 0)
        add_words(a, words, n, v);
}

void sl_agg_add_0(struct sl_agg *a, double value) {
    add_parts(a, NULL, 0, value);
}

void sl_agg_add_aa(struct sl_agg *a, const struct sl_addr *k, const struct sl_addr *l,
                   double value) {
    uint64_t words[4];

    sl_addr_to_words(k, words);
    sl_addr_to_words(l, words + 2);
    add_parts(a, words, 4, value);
}

/* 0: no number is told by it. */
static inline int number_part(struct sl_agg *a, double number, uint64_t *word) {
    *word = sl_number_to_word(number);
    if (isfinite(number))
        return 1;
    a->counters.bad_key++;
    return 0;
}

void sl_agg_add_an(struct sl_agg *a, const struct sl_addr *k, double l, double value) {
    uint64_t words[3];

    sl_addr_to_words(k, words);
    if (number_part(a, l, words + 2))
        add_parts(a, words, 3, value);
}

void sl_agg_add_aan(struct sl_agg *a, const struct sl_addr *k, const struct sl_addr *l, double m,
                    double value) {
    uint64_t words[5];

    sl_addr_to_words(k, words);
    sl_addr_to_words(l, words + 2);
    if (number_part(a, m, words + 4))
        add_parts(a, words, 5, value);
}

void sl_agg_add_naa(struct sl_agg *a, double k, const struct sl_addr *l, const struct sl_addr *m,
                    double value) {
    uint64_t words[5];

    sl_addr_to_words(l, words + 1);
    sl_addr_to_words(m, words + 3);
    if (number_part(a, k, words))
        add_parts(a, words, 5, value);
}

/* ---- keys given part by part ---- */

void sl_agg_add(struct sl_agg *a, double value) {
    int64_t v;

    if (a->box.n == SL_AGG_BOX_MAX)
        take_box(a);
    if (sl_take_staged(a, a->key_words)) {
        a->counters.bad_key++;
        return;
    }
    if (scale(a, value, &v))
        return;
    add_words(a, a->staged.words, a->key_words, v);
}

void sl_agg_add_t(struct sl_agg *a, const struct sl_time *ts, double value) {
    struct sl_series *s = &a->series;
    int64_t v, us;

    if (sl_take_staged(a, a->key_words)) {
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

void sl_agg_add_d(struct sl_agg *a) {
    if (sl_take_staged(a, a->all_words) || a->spec.kind != SL_AGG_DISTINCT) {
        a->counters.bad_key++;
        return;
    }
    a->counters.additions++;
    a->staged.words[a->key_words] =
        sl_hll_hash(a->staged.words + a->key_words, a->all_words - a->key_words);
    add_to_sketch(a, a->staged.words, a->key_words + 1);
}

/* A record of a sample: key, then hash, time, place, then what is kept. */
static void add_record(struct sl_agg *a, const uint64_t *identity, uint32_t n, struct sl_time ts,
                       uint64_t place) {
    uint64_t words[SL_KEY_WORDS + SL_PICK_MAX_WORDS];
    uint64_t *record = words + a->key_words;

    if (sl_take_staged(a, a->all_words) || a->spec.kind != SL_AGG_SAMPLE) {
        a->counters.bad_key++;
        return;
    }
    if (ts.s > SL_SERIES_MAX_S || ts.s < -SL_SERIES_MAX_S) {
        a->counters.bad_time++;
        return;
    }
    a->counters.additions++;
    memcpy(words, a->staged.words, a->key_words * sizeof *words);
    memcpy(record + SL_PICK_HEAD, a->staged.words + a->key_words,
           (a->all_words - a->key_words) * sizeof *words);
    record[SL_PICK_HASH] = sl_hll_hash(identity, n);
    record[SL_PICK_TIME] = sl_time_to_word(ts.s * 1000000 + ts.nsec / 1000);
    record[SL_PICK_PLACE] = place;
    add_to_sketch(a, words, a->key_words + sl_pick_words(a));
}

/* A packet is known by its time, its place in its input, and its lengths: the same capture gives
 * the same sample under any name and on any machine. */
void sl_agg_add_p(struct sl_agg *a, const struct sl_packet *p) {
    const uint64_t identity[] = {a->spec.pick, (uint64_t)p->ts.s, p->ts.nsec, p->offset64,
                                 (uint64_t)p->len << 32 | p->caplen};

    add_record(a, identity, sizeof identity / sizeof *identity, p->ts, p->offset64);
}

void sl_agg_add_f(struct sl_agg *a, const struct sl_flow *f) {
    uint64_t identity[8] = {a->spec.pick, (uint64_t)f->first.s, f->first.nsec,
                            (uint64_t)f->sport << 32 | (uint64_t)f->dport << 8 | f->proto};

    sl_addr_to_words(&f->src, identity + 4);
    sl_addr_to_words(&f->dst, identity + 6);
    add_record(a, identity, sizeof identity / sizeof *identity, f->first, 0);
}
