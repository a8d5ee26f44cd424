/* Shared by the aggregate tests: repeatable random data, and short ways to make and compare. */
#ifndef AGGREGATE_UTIL_H
#define AGGREGATE_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aggregate/aggregate.h"

/* splitmix64 (Steele et al. 2014): the same on every machine. */
static inline uint64_t random_next(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline uint64_t random_below(uint64_t *state, uint64_t n) {
    return random_next(state) % n;
}

/* types: a letter for each part of the key, and behind a colon those of what is counted or kept. */
static inline struct sl_agg_spec spec_of(uint32_t kind, const char *types) {
    static const double edges[] = {-10, 0, 1, 10, 100, 1000.5};
    struct sl_agg_spec s = {.name = "test", .kind = kind};
    uint32_t n = 0;

    for (int of = 0; *types; types++) {
        if (*types == ':') {
            of = 1;
            continue;
        }
        s.type[n] = *types == 'a'   ? SL_AGG_ADDRESS
                    : *types == 'p' ? SL_AGG_PREFIX | 24 << 8 | 48 << 16
                    : *types == 's' ? SL_AGG_STRING
                    : *types == 'c' ? SL_AGG_COUNTRY
                                    : SL_AGG_NUMBER;
        s.label[n++] = *types == 'a' ? "address" : "number";
        s.parts += !of;
        s.of_parts += (uint32_t)of;
    }
    if (kind == SL_AGG_HISTOGRAM) {
        s.edges = edges;
        s.n_edges = sizeof edges / sizeof *edges;
    }
    return s;
}

/* Gives every field a value made of one number. */
static inline void stage(struct sl_agg *a, const struct sl_agg_spec *spec, uint32_t first,
                         uint32_t end, const uint32_t *numbers) {
    static char texts[SL_AGG_MAX_FIELDS][40];

    for (uint32_t i = first; i < end; i++) {
        uint32_t k = numbers[i];
        struct sl_addr address = {{0, 0, 0xffff, k * 0x01010101}};
        switch (spec->type[i] & 0xff) {
        case SL_AGG_ADDRESS:
        case SL_AGG_PREFIX:
            if (k % 3 == 2)
                address = (struct sl_addr){{0x20010db8, k << 12, k, k}};
            sl_agg_key_a(a, &address);
            break;
        case SL_AGG_STRING: /* the same front, a length that varies, one that is empty */
            (void)snprintf(texts[i], sizeof texts[i], "%.*s%u", (int)(k % 20),
                           "www.example.com/dir/", k);
            sl_agg_key_s(a, texts[i], k ? strlen(texts[i]) : 0);
            break;
        default:
            sl_agg_key_n(a, (double)k - 2.5);
        }
    }
}

/* One addition of whatever kind. */
static inline void add_any(struct sl_agg *a, const struct sl_agg_spec *spec,
                           const uint32_t *numbers, struct sl_time ts, double value) {
    struct sl_packet p = {.ts = ts, .offset64 = (uint64_t)value, .len = 60};

    stage(a, spec, 0, spec->parts + spec->of_parts, numbers);
    if (spec->kind == SL_AGG_SERIES)
        sl_agg_add_t(a, &ts, value);
    else if (spec->kind == SL_AGG_DISTINCT)
        sl_agg_add_d(a);
    else if (spec->kind == SL_AGG_SAMPLE)
        sl_agg_add_p(a, &p);
    else
        sl_agg_add(a, value);
}

static inline struct sl_agg *make(struct sl_agg_spec spec) {
    struct sl_error err = {0};
    struct sl_agg *a = sl_agg_new(&spec, &err);

    if (!a)
        fail_msg("%s", err.message);
    return a;
}

static inline struct sl_addr v4(uint32_t a) {
    return (struct sl_addr){{0, 0, 0xffff, a}};
}

static inline struct sl_agg_stats stats_of(struct sl_agg *a) {
    struct sl_agg_stats s;

    sl_agg_stats(a, &s);
    return s;
}

static inline double get_n(struct sl_agg *a, double key) {
    double value = -12345;

    sl_agg_key_n(a, key);
    return sl_agg_get(a, &value) ? value : -12345;
}

struct form {
    uint8_t *bytes;
    size_t size;
};

static inline struct form form_of(struct sl_agg *a) {
    struct sl_error err = {0};
    struct form f;

    if (sl_agg_to_bytes(a, &f.bytes, &f.size, &err))
        fail_msg("%s", err.message);
    return f;
}

static inline int same(struct sl_agg *a, struct sl_agg *b) {
    struct form x = form_of(a), y = form_of(b);
    int equal = x.size == y.size && !memcmp(x.bytes, y.bytes, x.size);

    sl_agg_bytes_free(x.bytes);
    sl_agg_bytes_free(y.bytes);
    return equal;
}

static inline void merge(struct sl_agg *to, struct sl_agg *from) {
    struct sl_error err = {0};

    if (sl_agg_merge(to, from, &err))
        fail_msg("%s", err.message);
}

static inline struct sl_agg_rows *rows_of(struct sl_agg *a, int order, uint64_t limit) {
    struct sl_error err = {0};
    struct sl_agg_rows *r = sl_agg_rows_new(a, order, limit, &err);

    if (!r)
        fail_msg("%s", err.message);
    return r;
}

static inline struct sl_agg_row row_at(const struct sl_agg_rows *r, uint64_t i) {
    struct sl_agg_row row;

    sl_agg_row(r, i, &row);
    return row;
}

#endif
