/* What the modules of src/aggregate share: the aggregate itself, and one function table for each
 * way of holding keys. Nobody else includes this. */
#ifndef SL_AGG_KIND_H
#define SL_AGG_KIND_H

#include "aggregate.h"
#include "moments.h"
#include "order.h"
#include "table.h"
#include "texts.h"

enum {
    SL_KEY_WORDS = SL_AGG_MAX_PARTS * SL_TEXT_WORDS,
    SL_STAGED_WORDS = 2 * SL_KEY_WORDS,
    SL_SERIES_RUNGS = 24,
    SL_QUEUE = 32,
    SL_QUEUE_WORDS = 10 /* of what can be queued: two addresses, a number and a short record */
};

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

struct sl_cells {
    struct sl_table keys; /* the keys that have bins of their own; values unused */
    struct sl_table rest; /* bin -> count, of keys past the bound */
    int64_t *edges;       /* of a histogram, scaled */
    int64_t step;         /* between two edges where it is the same for all; else 0 */
};

/* Additions that wait for their slot to come from memory (add.c). */
struct sl_queue {
    uint64_t from; /* a table with fewer slots needs no queue; UINT64_MAX: never */
    uint32_t n, at;
    struct sl_queued {
        uint64_t hash, words[SL_QUEUE_WORDS]; /* hash: of the key, which comes first */
        int64_t value;
    } items[SL_QUEUE];
};

struct sl_text {
    const char *bytes;
    size_t size;
};

/* A key, and what a distinct counts or a sample keeps, as they are given part by part. */
struct sl_staged {
    uint64_t words[SL_STAGED_WORDS];
    struct sl_text texts[SL_AGG_MAX_FIELDS]; /* of the parts that are strings */
    uint32_t n, fields;
    int bad;
};

struct sl_agg {
    struct sl_agg_box box;   /* first: Lua adds to it */
    struct sl_agg_spec spec; /* its texts point into labels, its edges into edges */
    char *labels[SL_AGG_MAX_FIELDS + 1];
    double *edges;
    const struct sl_agg_ops *ops;
    double scale;          /* 10^decimals */
    uint32_t key_words;    /* of a key as users know it, without bins */
    uint32_t all_words;    /* the same with what is counted or kept */
    int non_negative;      /* negative values are refused */
    int has_texts;         /* a part is a string */
    struct sl_table table; /* key -> value; of a series: bin and key -> value; of quantile and
                              histogram: key and bin -> value; of distinct and sample: a sketch
                              stands beside the value, which counts additions */
    struct sl_series series;
    struct sl_cells cells;
    struct sl_texts texts;
    struct sl_queue queue;
    struct sl_staged staged;
    struct sl_agg_counters counters;
    sl_i128 other; /* of what is past a bound; valid if a counter of those is not 0 */
    uint64_t other_extra[SL_MOMENT_WORDS]; /* the same of a mean; of distinct and sample a sketch */
    sl_i128 error;                         /* of a top: no value is too low by more */
    const struct sl_agg *from; /* where a merge takes texts from; NULL: from what is staged */
};

extern const struct sl_agg_ops sl_agg_keyed_ops, sl_agg_top_ops, sl_agg_series_ops,
    sl_agg_cells_ops, sl_agg_sketch_ops;

static inline int sl_has_cells(const struct sl_agg *a) {
    return a->spec.kind == SL_AGG_QUANTILE || a->spec.kind == SL_AGG_HISTOGRAM;
}

static inline int sl_has_sketches(const struct sl_agg *a) {
    return a->spec.kind == SL_AGG_DISTINCT || a->spec.kind == SL_AGG_SAMPLE;
}

/* ---- spec.c ---- */

/* Fills in defaults, and refuses what cannot be. */
int sl_spec_check(struct sl_agg_spec *, struct sl_error *) SL_USED;
/* What differs between two that cannot be merged, or NULL. */
const char *sl_spec_difference(const struct sl_agg_spec *, const struct sl_agg_spec *);

/* ---- key.c: keys as words ---- */

uint32_t sl_type_words(uint32_t type); /* of one part of a key */

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

/* Keeps the bits of an address that its type names. */
void sl_words_to_prefix(uint32_t type, uint64_t word[2]);

static inline uint64_t sl_time_to_word(int64_t us) {
    return (uint64_t)us ^ UINT64_C(1) << 63;
}

static inline int64_t sl_word_to_time(uint64_t word) {
    return (int64_t)(word ^ UINT64_C(1) << 63);
}

/* Takes what was staged; -1: it is not what the aggregate wants. */
static inline int sl_take_staged(struct sl_agg *a, uint32_t words) {
    int bad = a->staged.bad || a->staged.n != words;

    a->staged.n = a->staged.fields = 0;
    a->staged.bad = 0;
    return bad ? -1 : 0;
}

/* Remembers the texts of words that stand for fields first .. end - 1: those of what is staged, or
 * in a merge those that the other aggregate has. 0, or -1 without memory. */
int sl_keep_texts(struct sl_agg *, const uint64_t *words, uint32_t first, uint32_t end) SL_USED;
/* Forgets texts that are in no key and no sample any more; without memory for that it keeps them.
 */
void sl_sweep_texts(struct sl_agg *);
/* Calls visit for the words of each text that a key or a sample needs. */
int sl_each_text(const struct sl_agg *, int (*visit)(void *, const uint64_t *words), void *);
/* Fields first .. end - 1 of a row, from their words. */
void sl_row_fields(const struct sl_agg *, const uint64_t *words, uint32_t first, uint32_t end,
                   struct sl_agg_row *);
/* How keys compare for users: texts as texts. NULL where words do that. */
typedef int sl_compare_keys(const void *agg, const uint64_t *a, const uint64_t *b);
sl_compare_keys *sl_key_order(const struct sl_agg *);

/* ---- aggregate.c, add.c ---- */

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

/* Makes the additions that still wait; before anything is read. */
void sl_settle(struct sl_agg *);

/* ---- series.c ---- */

/* Adds past the fast path; the width of a rung; a table with its first word, a bin, made wider.
 * fill of rebin: 0, or -1 without memory and *to freed. */
void sl_series_add(struct sl_agg *, int64_t us, int64_t value);
int64_t sl_series_rung_us(uint32_t rung);
int64_t sl_series_floor(int64_t us, int64_t width_us);
int sl_series_rebin(struct sl_table *to, const struct sl_table *from, int64_t width_us) SL_USED;

/* ---- cells.c ---- */

/* The bin of a value, as a word that sorts by it, and the value that stands for one. */
uint64_t sl_cells_bin(const struct sl_agg *, int64_t value);
int sl_cells_bin_possible(const struct sl_agg *, uint64_t bin);
double sl_quantile_of_bin(const struct sl_agg *, uint64_t word);
void sl_cells_add(struct sl_agg *, const uint64_t *key, int64_t value);

/* ---- sketch.c ---- */

/* words: key, then the hash of what is counted, or a record; hash: that of the key. */
void sl_sketch_add(struct sl_agg *, const uint64_t *words, uint64_t hash);
double sl_distinct_estimate(const struct sl_agg *, const uint64_t *extra);
void sl_sketches_free(struct sl_agg *);
uint64_t sl_sketches_memory(const struct sl_agg *);
uint32_t sl_pick_words(const struct sl_agg *); /* of a record that a sample keeps */

/* The sketch that stands in an extra word, and the word for a sketch. */
static inline void *sl_sketch_load(const uint64_t *extra) {
    return (void *)(uintptr_t)*extra;
}

static inline uint64_t sl_sketch_word(const void *sketch) {
    return (uint64_t)(uintptr_t)sketch;
}

/* ---- rows ---- */

/* Where the bins of one key lie in the order of all cells. */
struct sl_range {
    size_t first, n;
    sl_i128 count;
};

/* What stands behind the public struct: the rows of all kinds share it and its functions. */
struct sl_agg_view {
    struct sl_agg_rows head;
    const struct sl_agg *agg;
    struct sl_order order; /* the keys; of quantile and histogram the cells */
    uint64_t shown;        /* keys that are shown */
    int other;             /* a row (of a series: a row a bin) for keys past the bound follows */
    struct sl_table bins, cells, keys; /* of a series: as it is shown */
    int64_t *times;                    /* of a series: start of each bin shown */
    size_t times_n;
    struct sl_order rest;    /* of quantile and histogram: bins of keys past the bound */
    struct sl_range *ranges; /* a key each, and one more for those past the bound */
    size_t *starts;          /* of a sample: the first row of each key, and the end */
};

int sl_series_rows(struct sl_agg_view *, int order, uint64_t limit) SL_USED;
void sl_series_row(const struct sl_agg_view *, uint64_t i, struct sl_agg_row *);
int sl_cells_rows(struct sl_agg_view *, int order, uint64_t limit) SL_USED;
void sl_cells_row(const struct sl_agg_view *, uint64_t i, struct sl_agg_row *);

#endif
