/* Series: widths, alignment, filling, outliers, keys. */
#include "aggregate_util.h"

static void at(struct sl_agg *a, int64_t s, uint32_t ms, double value) {
    struct sl_time t = {s, ms * 1000000};

    sl_agg_add_t(a, &t, value);
}

static void widens_along_the_ladder(void **state) {
    struct sl_agg_spec spec = spec_of(SL_AGG_SERIES, "");
    struct sl_agg *a;

    (void)state;
    spec.max_bins = 10;
    a = make(spec);
    for (int i = 0; i < 10; i++)
        at(a, 1000, (uint32_t)i, 1);
    assert_int_equal(stats_of(a).bin_us, 1000);
    at(a, 1000, 10, 1);
    assert_int_equal(stats_of(a).bin_us, 5000);
    for (int i = 0; i < 60; i++)
        at(a, 1000 + i, 0, 1);
    assert_int_equal(stats_of(a).bin_us, 10000000);
    at(a, -3600, 0, 1); /* one bin far away costs one bin */
    assert_in_range(stats_of(a).keys, 6, 10);
    sl_agg_free(a);
}

static void bins_align_before_1970_too(void **state) {
    struct sl_agg_spec spec = spec_of(SL_AGG_SERIES, "");
    struct sl_agg_rows *r;
    struct sl_agg *a;

    (void)state;
    spec.bin_us = 60000000;
    a = make(spec);
    at(a, -1, 999, 1); /* 1 ms before 1970 */
    at(a, -60, 0, 2);
    at(a, -61, 0, 4);
    at(a, 0, 0, 8);
    r = rows_of(a, SL_AGG_BY_KEY, 0);
    assert_int_equal(r->n, 3);
    assert_true(row_at(r, 0).time == -120 && row_at(r, 0).value == 4);
    assert_true(row_at(r, 1).time == -60 && row_at(r, 1).value == 3);
    assert_true(row_at(r, 2).time == 0 && row_at(r, 2).value == 8);
    assert_true(r->bin == 60);
    sl_agg_rows_free(r);
    sl_agg_free(a);
}

/* An hour of packets and one stamped 500 years ahead: the hour stays readable. */
static void outlier_leaves_a_gap(void **state) {
    struct sl_agg *a = make(spec_of(SL_AGG_SERIES, ""));
    struct sl_agg_rows *r;
    double sum = 0;

    (void)state;
    for (int i = 0; i < 360; i++)
        at(a, 1700000000 + 10 * i, 7, 2);
    at(a, 1700000000 + INT64_C(500) * 31556952, 0, 5);
    r = rows_of(a, SL_AGG_BY_KEY, 0);
    assert_int_equal(r->gaps, 1);
    assert_in_range(r->n, 361, 2000);
    for (uint64_t i = 0; i < r->n; i++) {
        sum += row_at(r, i).value;
        if (i + 2 < r->n)
            assert_true(row_at(r, i + 1).time - row_at(r, i).time == r->bin);
    }
    assert_true(sum == 725);
    sl_agg_rows_free(r);
    sl_agg_free(a);
}

/* A few packets far from each other make a line that can be drawn, not dots in a void. */
static void sparse_data_shows_wider_bins(void **state) {
    struct sl_agg *a = make(spec_of(SL_AGG_SERIES, ""));
    struct sl_agg_rows *r;

    (void)state;
    for (int i = 0; i < 4; i++)
        at(a, 1700000000 + 36000 * i, 0, 1);
    assert_int_equal(stats_of(a).bin_us, 1000);
    r = rows_of(a, SL_AGG_BY_KEY, 0);
    assert_int_equal(r->gaps, 0);
    assert_true(r->bin == 60);
    assert_int_equal(r->n, 1801);
    sl_agg_rows_free(r);
    sl_agg_free(a);
}

static void fixed_width_is_bounded(void **state) {
    struct sl_agg_spec spec = spec_of(SL_AGG_SERIES, "");
    struct sl_agg_rows *r;
    struct sl_agg *a;

    (void)state;
    spec.bin_us = 1000000;
    spec.max_bins = 5;
    a = make(spec);
    for (int i = 0; i < 8; i++)
        at(a, i < 4 ? i : i * 20000, 0, 1);
    assert_int_equal(stats_of(a).keys, 5);
    assert_int_equal(stats_of(a).counters.past_bins, 3);
    assert_true(stats_of(a).other == 3 && stats_of(a).approximate);
    r = rows_of(a, SL_AGG_BY_KEY, 0);
    assert_int_equal(r->n, 5);
    assert_int_equal(r->gaps, 1); /* 80,000 empty bins are not written out */
    sl_agg_rows_free(r);
    sl_agg_free(a);
}

static void impossible_times_are_refused(void **state) {
    struct sl_agg *a = make(spec_of(SL_AGG_SERIES, ""));

    (void)state;
    at(a, INT64_MAX, 0, 1);
    at(a, INT64_MIN, 0, 1);
    at(a, INT64_C(4000000000000), 999, 1);
    at(a, INT64_C(-4000000000000), 0, 1);
    assert_int_equal(stats_of(a).counters.bad_time, 2);
    assert_int_equal(stats_of(a).counters.additions, 2);
    sl_agg_free(a);
}

static void keys_and_other_add_up(void **state) {
    struct sl_agg_spec spec = spec_of(SL_AGG_SERIES, "n");
    struct sl_agg_rows *all, *best;
    struct sl_agg *a;
    double sum = 0, other = 0;

    (void)state;
    spec.max_keys = 3;
    spec.bin_us = 1000000;
    a = make(spec);
    for (int i = 0; i < 40; i++) {
        sl_agg_key_n(a, i % 5);
        at(a, i / 10, 0, i % 5 + 1);
    }
    all = rows_of(a, SL_AGG_BY_KEY, 0);
    assert_int_equal(all->n, 4 * 4); /* three keys and other, four seconds */
    for (uint64_t i = 0; i < all->n; i++) {
        struct sl_agg_row row = row_at(all, i);
        sum += row.value;
        other += row.other ? row.value : 0;
    }
    assert_true(sum == 120 && other == 8 * (4 + 5));
    assert_int_equal(stats_of(a).counters.past_keys, 16);
    best = rows_of(a, SL_AGG_BY_VALUE, 1);
    assert_int_equal(best->n, 4);
    assert_int_equal(best->total, 3);
    assert_true(row_at(best, 0).number[0] == 2 && row_at(best, 0).value == 6);
    sl_agg_rows_free(all);
    sl_agg_rows_free(best);
    sl_agg_free(a);
}

static void empty(void **state) {
    struct sl_agg *plain = make(spec_of(SL_AGG_SERIES, "")),
                  *keyed = make(spec_of(SL_AGG_SERIES, "a"));
    struct sl_agg_rows *r = rows_of(plain, SL_AGG_BY_KEY, 0), *k = rows_of(keyed, SL_AGG_BY_KEY, 0);

    (void)state;
    assert_int_equal(r->n, 0);
    assert_int_equal(k->n, 0);
    sl_agg_rows_free(r);
    sl_agg_rows_free(k);
    sl_agg_free(plain);
    sl_agg_free(keyed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widens_along_the_ladder), cmocka_unit_test(bins_align_before_1970_too),
        cmocka_unit_test(outlier_leaves_a_gap),    cmocka_unit_test(sparse_data_shows_wider_bins),
        cmocka_unit_test(fixed_width_is_bounded),  cmocka_unit_test(impossible_times_are_refused),
        cmocka_unit_test(keys_and_other_add_up),   cmocka_unit_test(empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
