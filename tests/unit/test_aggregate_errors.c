/* What estimates state holds on random data of many shapes: distinct, quantile, sample. */
#include <math.h>

#include "aggregate/hll.h"
#include "aggregate_util.h"

enum { SETS = 1000 };

/* ---- distinct ---- */

/* The i-th of things that are all different, in ways in which captures count up. */
static double thing(uint64_t set, uint64_t i) {
    switch (set % 4) {
    case 0:
        return (double)i;
    case 1:
        return (double)(i << 16);
    case 2:
        return (double)i * 0.25 - 1000;
    default:
        return (double)(i * UINT64_C(2654435761) % (UINT64_C(1) << 40));
    }
}

static double estimate(const struct sl_agg_spec *spec, uint64_t set, uint64_t n, uint64_t *random) {
    struct sl_agg *a = make(*spec);
    double value = 0;

    for (uint64_t i = 0; i < n + n / 2;
         i++) { /* each at least once, a third of the calls repeats */
        sl_agg_key_n(a, thing(set, i < n ? i : random_below(random, n)));
        sl_agg_add_d(a);
    }
    assert_int_equal(sl_agg_get(a, &value), 1);
    sl_agg_free(a);
    return value;
}

static void distinct_keeps_its_error(void **state) {
    int within[3] = {0};

    (void)state;
    for (uint64_t set = 0; set < SETS; set++) {
        struct sl_agg_spec spec = spec_of(SL_AGG_DISTINCT, ":n");
        uint64_t random = set, n;
        double sigma, off;
        spec.precision = 8 + (uint32_t)(set % 6);
        n = ((uint64_t)3 << (spec.precision - 3)) + random_below(&random, 8000); /* no list */
        sigma = 1.04 / sqrt((double)(1 << spec.precision));
        off = fabs(estimate(&spec, set, n, &random) - (double)n) / (double)n / sigma;
        for (int k = 0; k < 3; k++)
            within[k] += off <= k + 1;
        assert_true(off < 5);
    }
    assert_true(within[0] > 0.64 * SETS); /* of a normal distribution 0.683, 0.954, 0.997 */
    assert_true(within[1] > 0.93 * SETS);
    assert_true(within[2] > 0.99 * SETS);
}

static void few_things_are_counted_exactly(void **state) {
    (void)state;
    for (uint64_t set = 0; set < SETS; set++) {
        struct sl_agg_spec spec = spec_of(SL_AGG_DISTINCT, ":n");
        uint64_t random = set, n = 1 + random_below(&random, sl_hll_codes_max(14));
        assert_true(fabs(estimate(&spec, set, n, &random) - (double)n) <= 1);
    }
}

/* ---- quantile ---- */

static int by_size(const void *x, const void *y) {
    const double *a = x, *b = y;

    return (*a > *b) - (*a < *b);
}

/* Values of many scales, signs and multiplicities. */
static double any_value(uint64_t set, uint64_t *random) {
    double u = (double)random_below(random, 1000000) / 1e6;

    switch (set % 5) {
    case 0:
        return floor(u * 1500);
    case 1:
        return u;
    case 2:
        return exp(20 * u);
    case 3:
        return u < 0.5 ? -exp(10 * u) : exp(12 * u);
    default:
        return (double)random_below(random, 4) * 1e9;
    }
}

static void quantile_keeps_its_error(void **state) {
    static const double qs[] = {0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1};
    static double values[600];

    (void)state;
    for (uint64_t set = 0; set < SETS; set++) {
        struct sl_agg_spec spec = spec_of(SL_AGG_QUANTILE, "n");
        uint64_t random = set, n = 1 + random_below(&random, 600);
        struct sl_agg_rows *rows;
        struct sl_agg *a;
        spec.decimals = 6;
        a = make(spec);
        for (uint64_t i = 0; i < n; i++) {
            values[i] = any_value(set, &random);
            sl_agg_add_n(a, 7, values[i]);
            sl_agg_add_n(a, 8, -1);
        }
        qsort(values, n, sizeof *values, by_size);
        rows = rows_of(a, SL_AGG_BY_KEY, 0);
        for (size_t k = 0; k < sizeof qs / sizeof *qs; k++) {
            double is = values[(size_t)floor(qs[k] * (double)(n - 1))], shown;
            sl_agg_key_n(a, 7);
            assert_int_equal(sl_agg_get_quantile(a, qs[k], &shown), 1);
            assert_true(shown == sl_agg_row_quantile(rows, 0, qs[k]));
            assert_true(fabs(shown - is) <= 0.01 * fabs(is) + 1e-6);
        }
        sl_agg_rows_free(rows);
        sl_agg_free(a);
    }
}

/* Integers below 128 have a bin each. */
static void small_integers_are_exact(void **state) {
    struct sl_agg *a = make(spec_of(SL_AGG_QUANTILE, ""));
    double value;

    (void)state;
    assert_int_equal(sl_agg_get_quantile(a, 0.5, &value), 0);
    for (int i = -127; i <= 127; i++)
        sl_agg_add(a, i);
    for (int i = -127; i <= 127; i++) {
        assert_int_equal(sl_agg_get_quantile(a, (i + 127 + 0.1) / 254, &value), 1);
        assert_true(value == i);
    }
    sl_agg_free(a);
}

static void the_largest_values_have_bins(void **state) {
    struct sl_agg *a = make(spec_of(SL_AGG_QUANTILE, ""));
    double value;

    (void)state;
    sl_agg_add(a, 9223372036854774784.0); /* the double below 2^63 */
    sl_agg_add(a, -9223372036854774784.0);
    assert_int_equal(sl_agg_get_quantile(a, 1, &value), 1);
    assert_true(fabs(value / 9223372036854774784.0 - 1) < 0.01);
    assert_int_equal(sl_agg_get_quantile(a, 0, &value), 1);
    assert_true(fabs(value / -9223372036854774784.0 - 1) < 0.01);
    sl_agg_free(a);
}

/* ---- sample ---- */

/* Every record has the same chance, whatever came before it. */
static void sample_is_fair(void **state) {
    enum { RECORDS = 200, KEEP = 20 };
    static int chosen[RECORDS];
    double chi = 0, expected = (double)SETS * KEEP / RECORDS;

    (void)state;
    memset(chosen, 0, sizeof chosen);
    for (uint64_t set = 0; set < SETS; set++) {
        struct sl_agg_spec spec = spec_of(SL_AGG_SAMPLE, ":n");
        struct sl_agg_rows *rows;
        struct sl_agg *a;
        spec.keep = KEEP;
        spec.pick = set;
        a = make(spec);
        for (uint64_t i = 0; i < RECORDS; i++) {
            struct sl_packet p = {.ts = {1700000000, 0}, .offset64 = 24 + 76 * i, .len = 60};
            sl_agg_key_n(a, (double)i);
            sl_agg_add_p(a, &p);
        }
        rows = rows_of(a, SL_AGG_BY_KEY, 0);
        assert_int_equal(rows->n, KEEP);
        for (uint64_t i = 0; i < rows->n; i++) {
            struct sl_agg_row row = row_at(rows, i);
            assert_true(row.place == 24 + 76 * row.number[0]);
            assert_true(row.time == 1700000000);
            chosen[(int)row.number[0]]++;
        }
        sl_agg_rows_free(rows);
        sl_agg_free(a);
    }
    for (int i = 0; i < RECORDS; i++)
        chi += (chosen[i] - expected) * (chosen[i] - expected) / expected;
    assert_true(chi < 290); /* 199 degrees of freedom: above this once in 25,000 */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distinct_keeps_its_error),
        cmocka_unit_test(few_things_are_counted_exactly),
        cmocka_unit_test(quantile_keeps_its_error),
        cmocka_unit_test(small_integers_are_exact),
        cmocka_unit_test(the_largest_values_have_bins),
        cmocka_unit_test(sample_is_fair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
