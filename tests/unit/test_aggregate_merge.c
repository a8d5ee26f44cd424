/* Properties of merging, on random data: order, grouping, seeds and byte forms change nothing. */
#include "aggregate_util.h"

enum { PARTS = 5 };

static const char *const shapes[] = {"",  "n", "a",  "nn", "an",  "aa", "p",
                                     "s", "c", "sp", "ns", "nan", "ss", "sss"};
static const char *const kept[] = {":n", ":a", ":s", ":pn", ":cns", ":aaa"};
enum { SHAPES = sizeof shapes / sizeof *shapes, KEPT = sizeof kept / sizeof *kept };

static struct sl_agg_spec random_spec(uint64_t *random) {
    uint32_t kind = SL_AGG_COUNT + (uint32_t)random_below(random, SL_AGG_KIND_END - SL_AGG_COUNT);
    uint32_t shape = (uint32_t)random_below(random, SHAPES);
    char types[16];
    struct sl_agg_spec spec;

    (void)snprintf(
        types, sizeof types, "%s%s", shapes[kind == SL_AGG_TOP && !shape ? 1 : shape],
        kind == SL_AGG_DISTINCT || kind == SL_AGG_SAMPLE ? kept[random_below(random, KEPT)] : "");
    spec = spec_of(kind, types);
    spec.decimals = (uint32_t)random_below(random, 4);
    if (kind == SL_AGG_DISTINCT) /* few registers: lists turn into them */
        spec.precision = 6 + (uint32_t)random_below(random, 3);
    if (kind == SL_AGG_SAMPLE) {
        spec.keep = 1 + (uint32_t)random_below(random, 20);
        spec.pick = random_below(random, 3);
    }
    if (kind == SL_AGG_SERIES) {
        spec.max_keys = 300; /* more than add_random makes: exact */
        spec.max_bins = 4 + random_below(random, 40);
        if (random_below(random, 3) == 0) {
            spec.bin_us = 1 + (int64_t)random_below(random, 100000000);
            spec.max_bins = 0;
        }
    }
    return spec;
}

static double random_value(const struct sl_agg_spec *spec, uint64_t *random) {
    double value = (double)random_below(random, 1000000) / 64;

    if (random_below(random, 50) == 0)
        value *= 0x1p40;
    if (spec->kind == SL_AGG_COUNT || spec->kind == SL_AGG_TOP || random_below(random, 2))
        return value;
    return -value;
}

static struct sl_time random_time(uint64_t *random) {
    struct sl_time t = {1700000000, (uint32_t)random_below(random, 1000000000)};
    uint64_t far = random_below(random, 60);

    if (far == 0)
        t.s = (int64_t)random_below(random, 8000000000000) - 4000000000000;
    else if (far < 10)
        t.s += (int64_t)random_below(random, 100000);
    return t;
}

/* One addition, the same for the same state of random. */
static void add_random(struct sl_agg *a, const struct sl_agg_spec *spec, uint64_t random) {
    double value = random_value(spec, &random);
    uint32_t numbers[SL_AGG_MAX_FIELDS];

    for (uint32_t i = 0; i < SL_AGG_MAX_FIELDS; i++)
        numbers[i] = (uint32_t)random_below(&random, i < spec->parts ? 6 : 60);
    add_any(a, spec, numbers, random_time(&random), value);
}

static void shuffle(uint64_t *items, size_t n, uint64_t *random) {
    for (size_t i = n; i > 1; i--) {
        size_t j = random_below(random, i);
        uint64_t swap = items[i - 1];
        items[i - 1] = items[j];
        items[j] = swap;
    }
}

/* Through bytes now and then, which must change nothing either. */
static struct sl_agg *reread(struct sl_agg *a) {
    struct form f = form_of(a);
    struct sl_error err = {0};
    struct sl_agg *b = sl_agg_from_bytes(f.bytes, f.size, &err);

    if (!b)
        fail_msg("%s", err.message);
    assert_true(same(a, b));
    sl_agg_bytes_free(f.bytes);
    sl_agg_free(a);
    return b;
}

static void any_order_and_grouping(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        uint64_t random = seed, items[200], n;
        struct sl_agg_spec spec = random_spec(&random);
        struct sl_agg *whole, *parts[PARTS];
        n = random_below(&random, 200);
        for (size_t i = 0; i < n; i++)
            items[i] = random_next(&random);
        spec.seed = random_next(&random) | 1;
        whole = make(spec);
        for (size_t i = 0; i < n; i++)
            add_random(whole, &spec, items[i]);
        shuffle(items, n, &random);
        for (size_t i = 0; i < PARTS; i++) {
            spec.seed = random_next(&random) | 1;
            parts[i] = make(spec);
        }
        for (size_t i = 0; i < n; i++)
            add_random(parts[random_below(&random, PARTS)], &spec, items[i]);
        for (size_t left = PARTS; left > 1; left--) { /* a random tree of merges */
            size_t to = random_below(&random, left), from = random_below(&random, left - 1);
            from += from >= to;
            if (random_below(&random, 2))
                parts[from] = reread(parts[from]);
            merge(parts[to], parts[from]);
            sl_agg_free(parts[from]);
            parts[from] = parts[left - 1];
        }
        if (!same(whole, parts[0]))
            fail_msg("seed %llu: kind %u", (unsigned long long)seed, spec.kind);
        sl_agg_free(whole);
        sl_agg_free(parts[0]);
    }
}

/* Past the bound: top is commutative, and what it shows stays within the error it states. */
static void top_past_its_bound(void **state) {
    enum { KEYS = 500 };
    static double truth[KEYS];

    (void)state;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct sl_agg_spec spec = spec_of(SL_AGG_TOP, "n");
        struct sl_agg *x[2], *y[2];
        uint64_t random = seed;
        double error, total = 0;
        spec.max_keys = 1 + random_below(&random, 100);
        memset(truth, 0, sizeof truth);
        for (int i = 0; i < 2; i++) {
            x[i] = make(spec);
            y[i] = make(spec);
        }
        for (int i = 0; i < 1500; i++) {
            uint64_t key = random_below(&random, 1 + random_below(&random, KEYS));
            uint64_t part = random_below(&random, 2);
            double value = (double)random_below(&random, 1500);
            truth[key] += value;
            total += value;
            sl_agg_add_n(x[part], (double)key, value);
            sl_agg_add_n(y[part], (double)key, value);
        }
        merge(x[0], x[1]);
        merge(y[1], y[0]);
        assert_true(same(x[0], y[1]));
        error = stats_of(x[0]).error;
        assert_true(error <= total / ((double)spec.max_keys / 2));
        for (int key = 0; key < KEYS; key++) {
            double shown = get_n(x[0], key);
            shown = shown < 0 ? 0 : shown;
            assert_true(shown <= truth[key] && truth[key] <= shown + error);
        }
        for (int i = 0; i < 2; i++) {
            sl_agg_free(x[i]);
            sl_agg_free(y[i]);
        }
    }
}

/* Past the bound of keys every value is still there: rows and "other" add up to the whole. */
static void other_conserves(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct sl_agg_spec spec = spec_of(SL_AGG_SUM, "n");
        struct sl_agg *a[2], *b[2];
        struct sl_agg_rows *r;
        uint64_t random = seed;
        double total = 0, shown = 0;
        spec.max_keys = 1 + random_below(&random, 50);
        for (int i = 0; i < 2; i++) {
            spec.seed = seed * 2 + (uint64_t)i;
            a[i] = make(spec);
            spec.seed = 0;
            b[i] = make(spec);
        }
        for (int i = 0; i < 200; i++) {
            double key = (double)random_below(&random, 80), value = (double)(i * i);
            total += value;
            sl_agg_add_n(a[i % 2], key, value);
            sl_agg_add_n(b[i % 2], key, value);
        }
        merge(a[0], a[1]);
        merge(b[0], b[1]);
        assert_true(same(a[0], b[0])); /* the seed decides nothing, even now */
        r = rows_of(a[0], SL_AGG_BY_KEY, 0);
        for (uint64_t i = 0; i < r->n; i++)
            shown += row_at(r, i).value;
        assert_true(shown == total);
        assert_int_equal(stats_of(a[0]).approximate, stats_of(a[0]).counters.past_keys > 0);
        sl_agg_rows_free(r);
        for (int i = 0; i < 2; i++) {
            sl_agg_free(a[i]);
            sl_agg_free(b[i]);
        }
    }
}

static void refused(struct sl_agg_spec x, struct sl_agg_spec y, const char *what) {
    struct sl_agg *a = make(x), *b = make(y);
    struct sl_error err = {0};
    struct form before = form_of(a), after;

    assert_int_equal(sl_agg_merge(a, b, &err), -1);
    assert_non_null(strstr(err.message, what));
    after = form_of(a);
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.bytes, after.bytes, after.size);
    sl_agg_bytes_free(before.bytes);
    sl_agg_bytes_free(after.bytes);
    sl_agg_free(a);
    sl_agg_free(b);
}

static void different_ones_do_not_merge(void **state) {
    struct sl_agg_spec base = spec_of(SL_AGG_SERIES, "n"), other = base;

    (void)state;
    other.name = "else";
    refused(base, other, "name differs");
    refused(spec_of(SL_AGG_SUM, "n"), spec_of(SL_AGG_MAX, "n"), "kind differs");
    refused(base, spec_of(SL_AGG_SERIES, "a"), "key differs");
    refused(base, spec_of(SL_AGG_SERIES, "nn"), "key differs");
    other = base;
    other.label[0] = "port";
    refused(base, other, "key differs");
    other = base;
    other.decimals = 2;
    refused(base, other, "decimals differs");
    other = base;
    other.max_keys = 7;
    refused(base, other, "bound of keys differs");
    other = base;
    other.bin_us = 1000000;
    refused(base, other, "bins differs");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_and_grouping),
        cmocka_unit_test(top_past_its_bound),
        cmocka_unit_test(other_conserves),
        cmocka_unit_test(different_ones_do_not_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
