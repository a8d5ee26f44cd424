/* What an aggregate may be, and when two are the same one. */
#include <inttypes.h>
#include <math.h>

#include "hll.h"
#include "kind.h"
#include "pick.h"

enum {
    MIN_BINS = 4, /* the widest rung of a series spans all times that are accepted in so many */
    MAX_EDGES = 4096
};

#define EDGE_LIMIT 0x1p50 /* scaled: then edges come back from the byte form as they were */

static const uint64_t default_keys[SL_AGG_KIND_END] = {
    [SL_AGG_COUNT] = 1000000, [SL_AGG_SUM] = 1000000,    [SL_AGG_MIN] = 1000000,
    [SL_AGG_MAX] = 1000000,   [SL_AGG_TOP] = 100000,     [SL_AGG_SERIES] = 100,
    [SL_AGG_MEAN] = 1000000,  [SL_AGG_QUANTILE] = 10000, [SL_AGG_HISTOGRAM] = 10000,
    [SL_AGG_DISTINCT] = 5000, [SL_AGG_SAMPLE] = 1000,
};

static int text_ok(const char *text) {
    size_t n = text ? strnlen(text, SL_AGG_MAX_TEXT + 1) : 0;

    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return 0;
    return n > 0 && n <= SL_AGG_MAX_TEXT;
}

static int type_ok(uint32_t type) {
    uint32_t base = type & 0xff, v4 = type >> 8 & 0xff, v6 = type >> 16;

    if (base < SL_AGG_NUMBER || base >= SL_AGG_TYPE_END)
        return 0;
    return base == SL_AGG_PREFIX ? v4 <= 32 && v6 <= 128 : type == base;
}

static int check_fields(const struct sl_agg_spec *s, struct sl_error *err) {
    if (s->parts > SL_AGG_MAX_PARTS || (s->kind == SL_AGG_TOP && !s->parts))
        return sl_error_set(err, SL_EXIT_USAGE, "aggregate \"%s\": %s", s->name,
                            s->parts ? "a key has at most 3 parts" : "top needs a key");
    if (s->of_parts > SL_AGG_MAX_PARTS || (s->kind == SL_AGG_DISTINCT && !s->of_parts))
        return sl_error_set(err, SL_EXIT_USAGE, "aggregate \"%s\": of takes 1 to 3 parts", s->name);
    for (uint32_t i = 0; i < s->parts + s->of_parts; i++)
        if (!text_ok(s->label[i]) || !type_ok(s->type[i]))
            return sl_error_set(err, SL_EXIT_USAGE,
                                "aggregate \"%s\": part %" PRIu32
                                " of its key has no label or type",
                                s->name, i + 1);
    return 0;
}

static int check_bins(struct sl_agg_spec *s, struct sl_error *err) {
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

static int check_edges(struct sl_agg_spec *s, struct sl_error *err) {
    double scale = pow(10, s->decimals);

    if (s->kind != SL_AGG_HISTOGRAM) {
        s->edges = NULL;
        s->n_edges = 0;
        return 0;
    }
    if (!s->edges || s->n_edges < 2 || s->n_edges > MAX_EDGES)
        return sl_error_set(err, SL_EXIT_USAGE, "aggregate \"%s\": a histogram has 2 to %d edges",
                            s->name, MAX_EDGES);
    for (uint32_t i = 0; i < s->n_edges; i++) {
        double edge = round(s->edges[i] * scale);
        if (!(fabs(edge) < EDGE_LIMIT))
            return sl_error_set(err, SL_EXIT_USAGE, "aggregate \"%s\": an edge is too large",
                                s->name);
        if (i && edge <= round(s->edges[i - 1] * scale))
            return sl_error_set(err, SL_EXIT_USAGE,
                                "aggregate \"%s\": edges ascend, by 10^-decimals or more", s->name);
    }
    return 0;
}

static int check_sketch(struct sl_agg_spec *s, struct sl_error *err) {
    if (s->kind == SL_AGG_DISTINCT)
        s->precision = s->precision ? s->precision : s->parts ? 12 : 14;
    else
        s->precision = 0;
    if (s->precision &&
        (s->precision < SL_HLL_MIN_PRECISION || s->precision > SL_HLL_MAX_PRECISION))
        return sl_error_set(err, SL_EXIT_USAGE, "aggregate \"%s\": precision is %d to %d", s->name,
                            SL_HLL_MIN_PRECISION, SL_HLL_MAX_PRECISION);
    if (s->kind == SL_AGG_SAMPLE) {
        s->keep = s->keep ? s->keep : 100;
    } else {
        s->keep = 0;
        s->pick = 0;
    }
    if (s->keep > SL_PICK_MAX)
        return sl_error_set(err, SL_EXIT_USAGE, "aggregate \"%s\": n is 1 to %d records", s->name,
                            SL_PICK_MAX);
    if (s->kind != SL_AGG_DISTINCT && s->kind != SL_AGG_SAMPLE)
        s->of_parts = 0;
    return 0;
}

int sl_spec_check(struct sl_agg_spec *s, struct sl_error *err) {
    if (!text_ok(s->name))
        return sl_error_set(err, SL_EXIT_USAGE,
                            "an aggregate needs a name of 1 to %d printable bytes",
                            SL_AGG_MAX_TEXT);
    if (s->kind < SL_AGG_COUNT || s->kind >= SL_AGG_KIND_END)
        return sl_error_set(err, SL_EXIT_USAGE, "aggregate \"%s\": no kind %" PRIu32, s->name,
                            s->kind);
    if (check_sketch(s, err) || check_fields(s, err))
        return -1;
    if (s->decimals > SL_AGG_MAX_DECIMALS)
        return sl_error_set(err, SL_EXIT_USAGE, "aggregate \"%s\": decimals is 0 to %d", s->name,
                            SL_AGG_MAX_DECIMALS);
    s->max_keys = s->max_keys ? s->max_keys : default_keys[s->kind];
    if (s->max_keys > SL_AGG_KEY_LIMIT)
        return sl_error_set(err, SL_EXIT_USAGE, "aggregate \"%s\": keys is 1 to %" PRIu64, s->name,
                            SL_AGG_KEY_LIMIT);
    return check_bins(s, err) || check_edges(s, err) ? -1 : 0;
}

static int same_edges(const struct sl_agg_spec *a, const struct sl_agg_spec *b) {
    if (a->n_edges != b->n_edges)
        return 0;
    for (uint32_t i = 0; i < a->n_edges; i++)
        if (a->edges[i] < b->edges[i] || a->edges[i] > b->edges[i])
            return 0;
    return 1;
}

const char *sl_spec_difference(const struct sl_agg_spec *a, const struct sl_agg_spec *b) {
    if (strcmp(a->name, b->name) != 0)
        return "name";
    if (a->kind != b->kind)
        return "kind";
    if (a->parts != b->parts || a->of_parts != b->of_parts)
        return "key";
    for (uint32_t i = 0; i < a->parts + a->of_parts; i++)
        if (a->type[i] != b->type[i] || strcmp(a->label[i], b->label[i]) != 0)
            return "key";
    if (a->decimals != b->decimals)
        return "decimals";
    if (a->max_keys != b->max_keys)
        return "bound of keys";
    if (a->bin_us != b->bin_us || a->max_bins != b->max_bins || !same_edges(a, b))
        return "bins";
    if (a->precision != b->precision)
        return "precision";
    if (a->keep != b->keep || a->pick != b->pick)
        return "choice";
    return NULL;
}
