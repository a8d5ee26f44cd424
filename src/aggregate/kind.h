/* What the modules of src/aggregate share: the aggregate itself, and one function table for each
 * way of holding keys. Nobody else includes this. */
#ifndef SL_AGG_KIND_H
#define SL_AGG_KIND_H

#include "aggregate.h"
#include "order.h"
#include "table.h"

enum { SL_KEY_WORDS = 6, SL_SERIES_RUNGS = 24 };

#define SL_SERIES_MAX_S INT64_C(4000000000000) /* seconds from 1970 that a time may have */

struct sl_agg_ops {
    /* Adds to a key that the table does not hold yet. */
    void (*add_new)(struct sl_agg *, const uint64_t *key, int64_t value);
    /* Room for what from holds: 0, or -1 without memory and nothing changed. */
    int (*reserve)(struct sl_agg *, const struct sl_agg *from);
    /* Adds what from holds; -1 without memory for temporaries, and nothing changed. */
    int (*merge)(struct sl_agg *, const struct sl_agg *from);
};

struct sl_series {
    struct sl_table bins; /* start of bin -> value over all keys */
    struct sl_table keys; /* the keys that have a series of their own; values unused */
    int64_t width_us;     /* of a bin */
    uint32_t rung;        /* of the ladder; unused with a fixed width */
    int64_t last_us;      /* start of the bin behind last */
    uint64_t *last;       /* slot of the bin that was added to last; NULL: none */
};

struct sl_agg {
    struct sl_agg_spec spec; /* name and labels point into texts */
    char *texts[SL_AGG_MAX_PARTS + 1];
    const struct sl_agg_ops *ops;
    double scale;          /* 10^decimals */
    uint32_t key_words;    /* of a key as users know it, without the bin of a series */
    int non_negative;      /* negative values are refused */
    struct sl_table table; /* key -> value; of a series: bin and key -> value */
    struct sl_series series;
    struct sl_agg_counters counters;
    sl_i128 other; /* of what is past a bound; valid if a counter of those is not 0 */
    sl_i128 error; /* of a top: no value is too low by more */
    uint64_t staged[SL_KEY_WORDS];
    uint32_t staged_words;
    int staged_bad;
};

extern const struct sl_agg_ops sl_agg_keyed_ops, sl_agg_top_ops, sl_agg_series_ops;

/* Numbers become words in the same order: the bits of a positive double grow with it, those of a
 * negative one fall. */
static inline uint64_t sl_number_to_word(double number) {
    uint64_t bits;

    number += 0.0; /* -0 and 0 are one key */
    memcpy(&bits, &number, sizeof bits);
    return bits ^ (bits >> 63 ? UINT64_MAX : UINT64_C(1) << 63);
}

double sl_word_to_number(uint64_t word);

static inline void sl_addr_to_words(const struct sl_addr *a, uint64_t word[2]) {
    word[0] = (uint64_t)a->w[0] << 32 | a->w[1];
    word[1] = (uint64_t)a->w[2] << 32 | a->w[3];
}

static inline uint64_t sl_time_to_word(int64_t us) {
    return (uint64_t)us ^ UINT64_C(1) << 63;
}

static inline int64_t sl_word_to_time(uint64_t word) {
    return (int64_t)(word ^ UINT64_C(1) << 63);
}

uint32_t sl_type_words(uint32_t type); /* of one part of a key */

/* Combines a value into a slot that holds one. */
static inline void sl_combine(uint32_t kind, uint64_t *slot, sl_i128 value) {
    sl_u128 old = sl_biased_load(slot), biased = (sl_u128)value + SL_BIAS;

    if (kind == SL_AGG_MIN)
        biased = biased < old ? biased : old;
    else if (kind == SL_AGG_MAX)
        biased = biased > old ? biased : old;
    else
        biased = old + (sl_u128)value;
    sl_biased_store(slot, biased);
}

/* The same into agg->other; fresh: nothing is there yet. */
void sl_combine_other(struct sl_agg *, sl_i128 value, int fresh);
int sl_has_other(const struct sl_agg *);

/* A value as users know it. */
double sl_agg_double(const struct sl_agg *, sl_i128 value);

/* series.c: adds past the fast path; the width of a rung; a table with its first word, a bin,
 * made wider. fill of rebin: 0, or -1 without memory and *to freed. */
void sl_series_add(struct sl_agg *, int64_t us, int64_t value);
int64_t sl_series_rung_us(uint32_t rung);
int64_t sl_series_floor(int64_t us, int64_t width_us);
int sl_series_rebin(struct sl_table *to, const struct sl_table *from, int64_t width_us) SL_USED;

/* The rows of a keyed aggregate and of a series share the public struct and its functions. */
struct sl_rows {
    struct sl_agg_rows head;
    const struct sl_agg *agg;
    struct sl_order order; /* the keys */
    uint64_t shown;        /* of them */
    int other;             /* a row (of a series: a row a bin) for keys past the bound follows */
    struct sl_table bins, cells, keys; /* of a series: as it is shown */
    int64_t *times;                    /* of a series: start of each bin shown */
    size_t times_n;
};

int sl_series_rows(struct sl_rows *, int order, uint64_t limit) SL_USED;
void sl_series_row(const struct sl_rows *, uint64_t i, struct sl_agg_row *);
void sl_row_key(const struct sl_agg *, const uint64_t *key, struct sl_agg_row *);

#endif
