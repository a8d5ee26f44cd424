/* Shared by the aggregate tests: repeatable random data, and short ways to make and compare. */
#ifndef AGGREGATE_UTIL_H
#define AGGREGATE_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

static inline struct sl_agg_spec spec_of(uint32_t kind, const char *types) {
    struct sl_agg_spec s = {.name = "test", .kind = kind, .parts = (uint32_t)strlen(types)};

    for (uint32_t i = 0; i < s.parts; i++) {
        s.type[i] = types[i] == 'a' ? SL_AGG_ADDRESS : SL_AGG_NUMBER;
        s.label[i] = types[i] == 'a' ? "address" : "number";
    }
    return s;
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

static inline struct sl_agg_stats stats_of(const struct sl_agg *a) {
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

static inline struct form form_of(const struct sl_agg *a) {
    struct sl_error err = {0};
    struct form f;

    if (sl_agg_to_bytes(a, &f.bytes, &f.size, &err))
        fail_msg("%s", err.message);
    return f;
}

static inline int same(const struct sl_agg *a, const struct sl_agg *b) {
    struct form x = form_of(a), y = form_of(b);
    int equal = x.size == y.size && !memcmp(x.bytes, y.bytes, x.size);

    sl_agg_bytes_free(x.bytes);
    sl_agg_bytes_free(y.bytes);
    return equal;
}

static inline void merge(struct sl_agg *to, const struct sl_agg *from) {
    struct sl_error err = {0};

    if (sl_agg_merge(to, from, &err))
        fail_msg("%s", err.message);
}

static inline struct sl_agg_rows *rows_of(const struct sl_agg *a, int order, uint64_t limit) {
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
