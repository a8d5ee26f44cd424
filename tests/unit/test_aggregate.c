/* What single aggregates hold, round, refuse, bound and show. */
#include <math.h>

#include "aggregate_util.h"

static void keyless(void **state) {
    struct sl_agg *sum = make(spec_of(SL_AGG_SUM, "")), *min = make(spec_of(SL_AGG_MIN, ""));
    double value;

    (void)state;
    assert_int_equal(sl_agg_get(min, &value), 0);
    for (int i = -3; i <= 5; i++) {
        sl_agg_add(sum, i);
        sl_agg_add(min, i);
    }
    assert_int_equal(sl_agg_get(sum, &value), 1);
    assert_true(value == 9);
    assert_int_equal(sl_agg_get(min, &value), 1);
    assert_true(value == -3);
    sl_agg_free(sum);
    sl_agg_free(min);
}

/* What Lua has added itself is in everything that is asked for. */
static void additions_in_the_box(void **state) {
    struct sl_agg *boxed = make(spec_of(SL_AGG_SUM, "")), *plain = make(spec_of(SL_AGG_SUM, ""));
    struct sl_agg_box *box = (struct sl_agg_box *)(void *)boxed;
    struct sl_error err = {0};
    double value;

    (void)state;
    *box = (struct sl_agg_box){.sum = 7, .n = 2};
    sl_agg_add(plain, 3);
    sl_agg_add(plain, 4);
    assert_true(same(boxed, plain));
    assert_int_equal(box->n, 0);
    *box = (struct sl_agg_box){.sum = 5, .n = 1};
    assert_int_equal(sl_agg_get(boxed, &value), 1);
    assert_true(value == 12);
    *box = (struct sl_agg_box){.sum = 1, .n = SL_AGG_BOX_MAX}; /* it has no room for more */
    sl_agg_add(boxed, -2);
    assert_int_equal(box->n, 0);
    *box = (struct sl_agg_box){.sum = 2, .n = 1};
    assert_int_equal(stats_of(boxed).counters.additions, 5 + (uint64_t)SL_AGG_BOX_MAX);
    *box = (struct sl_agg_box){.sum = 100, .n = 1};
    assert_int_equal(sl_agg_merge(plain, boxed, &err), 0);
    assert_int_equal(sl_agg_get(plain, &value), 1);
    assert_true(value == 7 + 12 + 1 - 2 + 2 + 100);
    sl_agg_free(boxed);
    sl_agg_free(plain);
}

static void numbers_order_as_numbers(void **state) {
    const double keys[] = {-1e300, -2, -0.5, 0, 5e-324, 0.25, 1, 80, 443, 1e300};
    const size_t n = sizeof keys / sizeof *keys;
    struct sl_agg *a = make(spec_of(SL_AGG_COUNT, "n"));
    struct sl_agg_rows *r;

    (void)state;
    for (size_t i = n; i-- > 0;)
        sl_agg_add_n(a, keys[i], 1);
    sl_agg_add_n(a, -0.0, 1);
    r = rows_of(a, SL_AGG_BY_KEY, 0);
    assert_int_equal(r->n, n);
    for (size_t i = 0; i < n; i++) {
        assert_true(row_at(r, i).number[0] == keys[i]);
        assert_true(row_at(r, i).value == (i == 3 ? 2 : 1));
    }
    sl_agg_rows_free(r);
    sl_agg_free(a);
}

static void composite_keys(void **state) {
    struct sl_agg *a = make(spec_of(SL_AGG_SUM, "ana"));
    struct sl_addr x = v4(0x0a000001), y = {{0x20010db8, 1, 2, 3}};
    struct sl_agg_rows *r;
    struct sl_agg_row row;
    double value;

    (void)state;
    for (int port = 3; port > 0; port--) {
        sl_agg_key_a(a, &x);
        sl_agg_key_n(a, port);
        sl_agg_key_a(a, &y);
        sl_agg_add(a, 10 * port);
    }
    sl_agg_key_a(a, &x); /* too few parts: refused, and the next call starts afresh */
    sl_agg_add(a, 1);
    r = rows_of(a, SL_AGG_BY_KEY, 0);
    assert_int_equal(r->n, 3);
    row = row_at(r, 1);
    assert_memory_equal(&row.address[0], &x, sizeof x);
    assert_true(row.number[1] == 2 && row.value == 20);
    assert_memory_equal(&row.address[2], &y, sizeof y);
    assert_int_equal(stats_of(a).counters.bad_key, 1);
    sl_agg_key_a(a, &x);
    sl_agg_key_n(a, 3);
    sl_agg_key_a(a, &y);
    assert_int_equal(sl_agg_get(a, &value), 1);
    assert_true(value == 30);
    sl_agg_rows_free(r);
    sl_agg_free(a);
}

static void fixed_point(void **state) {
    static const struct {
        double value, kept;
        uint32_t decimals;
    } cases[] = {
        {0.1, 0.1, 6},
        {0.0000005, 0.000001, 6},
        {-0.0000005, -0.000001, 6},
        {0.0000004, 0, 6},
        {2.5, 3, 0},
        {-2.5, -3, 0},
        {0.49999999999999994, 0, 0},
        {1.5, 1.5, 1},
        {1700000000.123456, 1700000000.123456, 6},
        {4503599627370495.5, 4503599627370496, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sl_agg_spec spec = spec_of(SL_AGG_SUM, "n");
        struct sl_agg *a;
        spec.decimals = cases[i].decimals;
        a = make(spec);
        sl_agg_add_n(a, 1, cases[i].value);
        assert_true(get_n(a, 1) == cases[i].kept);
        assert_int_equal(stats_of(a).counters.inexact, cases[i].decimals == 0);
        sl_agg_free(a);
    }
}

static void refusals_never_poison(void **state) {
    struct sl_agg *sum = make(spec_of(SL_AGG_SUM, "n")), *top = make(spec_of(SL_AGG_TOP, "n"));
    struct sl_agg_counters c;

    (void)state;
    sl_agg_add_n(sum, 1, 5);
    sl_agg_add_n(sum, 1, NAN);
    sl_agg_add_n(sum, 1, INFINITY);
    sl_agg_add_n(sum, 1, -INFINITY);
    sl_agg_add_n(sum, NAN, 1);
    sl_agg_add_n(sum, INFINITY, 1);
    sl_agg_add_n(sum, 1, 0x1p63);
    sl_agg_add_n(sum, 1, -0x1p63);
    sl_agg_add_n(top, 1, -1);
    c = stats_of(sum).counters;
    assert_true(get_n(sum, 1) == 5);
    assert_int_equal(c.additions, 1);
    assert_int_equal(c.not_finite, 3);
    assert_int_equal(c.bad_key, 2);
    assert_int_equal(c.too_large, 2);
    assert_int_equal(stats_of(top).counters.negative, 1);
    assert_int_equal(stats_of(top).keys, 0);
    assert_int_equal(stats_of(sum).approximate, 0);
    sl_agg_free(sum);
    sl_agg_free(top);
}

/* 64 bits are not enough, 128 are: the sum passes 2^63 and comes back exactly. */
static void sums_pass_64_bits(void **state) {
    struct sl_agg *a = make(spec_of(SL_AGG_SUM, "n"));
    const double big = 0x1p62;

    (void)state;
    for (int i = 0; i < 4096; i++)
        sl_agg_add_n(a, 7, big);
    assert_true(get_n(a, 7) == 0x1p74);
    sl_agg_add_n(a, 7, 12345);
    for (int i = 0; i < 4096; i++)
        sl_agg_add_n(a, 7, -big);
    assert_true(get_n(a, 7) == 12345);
    sl_agg_free(a);
}

static void growth_keeps_every_key(void **state) {
    enum { KEYS = 200000 };
    struct sl_agg *a = make(spec_of(SL_AGG_SUM, "a"));
    struct sl_agg_rows *r;

    (void)state;
    for (int round = 1; round <= 2; round++)
        for (uint32_t i = 0; i < KEYS; i++) {
            struct sl_addr key = v4(i);
            sl_agg_add_a(a, &key, i);
        }
    assert_int_equal(stats_of(a).keys, KEYS);
    assert_in_range(stats_of(a).memory, KEYS * 32 / 0.6, KEYS * 32 * 4);
    r = rows_of(a, SL_AGG_BY_KEY, 0);
    for (uint32_t i = 0; i < KEYS; i++) {
        struct sl_agg_row row = row_at(r, i);
        assert_true(row.address[0].w[3] == i && row.value == 2.0 * i);
    }
    sl_agg_rows_free(r);
    sl_agg_free(a);
}

static void rows_by_value_then_key(void **state) {
    struct sl_agg *a = make(spec_of(SL_AGG_TOP, "n"));
    uint64_t random = 1;

    (void)state;
    for (int i = 0; i < 5000; i++)
        sl_agg_add_n(a, (double)random_below(&random, 900), (double)random_below(&random, 3));
    for (uint64_t limit = 0; limit < 1000; limit += 37) {
        struct sl_agg_rows *r = rows_of(a, SL_AGG_BY_VALUE, limit);
        struct sl_agg_rows *all = rows_of(a, SL_AGG_BY_VALUE, 0);
        assert_int_equal(r->n, limit && limit < all->n ? limit : all->n);
        assert_int_equal(r->total, all->n);
        for (uint64_t i = 0; i < r->n; i++) {
            struct sl_agg_row row = row_at(r, i), next = row_at(all, i + 1);
            assert_true(row.number[0] == row_at(all, i).number[0]);
            if (i + 1 < all->n)
                assert_true(row.value > next.value ||
                            (row.value == next.value && row.number[0] < next.number[0]));
        }
        sl_agg_rows_free(r);
        sl_agg_rows_free(all);
    }
    sl_agg_free(a);
}

static void keys_past_the_bound_are_other(void **state) {
    struct sl_agg_spec spec = spec_of(SL_AGG_MIN, "n");
    struct sl_agg *a;
    struct sl_agg_rows *r;
    struct sl_agg_row row;

    (void)state;
    spec.max_keys = 10;
    a = make(spec);
    for (int i = 0; i < 25; i++)
        sl_agg_add_n(a, i, 100 + i);
    sl_agg_add_n(a, 3, 1); /* known: not other */
    assert_int_equal(stats_of(a).keys, 10);
    assert_int_equal(stats_of(a).counters.past_keys, 15);
    assert_int_equal(stats_of(a).approximate, 1);
    assert_true(stats_of(a).other == 110);
    r = rows_of(a, SL_AGG_BY_KEY, 0);
    assert_int_equal(r->n, 11);
    row = row_at(r, 10);
    assert_true(row.other && row.value == 110);
    assert_true(row_at(r, 3).value == 1);
    sl_agg_rows_free(r);
    sl_agg_free(a);
}

/* Skewed data over far more keys than fit: whatever is shown is within the stated error, and the
 * stated error within what aggregate.h promises. */
static void top_keeps_its_error(void **state) {
    enum { KEYS = 3000 };
    static double truth[KEYS];

    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct sl_agg_spec spec = spec_of(SL_AGG_TOP, "n");
        struct sl_agg *a;
        uint64_t random = seed;
        double total = 0, error;
        memset(truth, 0, sizeof truth);
        spec.max_keys = 1 + random_below(&random, 400);
        a = make(spec);
        for (int i = 0; i < 8000; i++) {
            uint64_t wide = 1 + random_below(&random, KEYS), key = random_below(&random, wide);
            double value = (double)random_below(&random, 1500);
            truth[key] += value;
            total += value;
            sl_agg_add_n(a, (double)key, value);
        }
        error = stats_of(a).error;
        assert_int_equal(stats_of(a).approximate, 1);
        assert_true(error <= total / ((double)spec.max_keys / 2));
        assert_true(stats_of(a).keys <= spec.max_keys);
        for (int key = 0; key < KEYS; key++) {
            double shown = get_n(a, key);
            shown = shown < 0 ? 0 : shown;
            assert_true(shown <= truth[key] && truth[key] <= shown + error);
        }
        sl_agg_free(a);
    }
}

static void wrong_specs(void **state) {
    struct sl_agg_spec s;
    struct sl_error err;

    (void)state;
    s = spec_of(SL_AGG_TOP, "");
    assert_null(sl_agg_new(&s, &err));
    assert_non_null(strstr(err.message, "top needs a key"));
    s = spec_of(SL_AGG_SUM, "n");
    s.decimals = 10;
    assert_null(sl_agg_new(&s, &err));
    s = spec_of(SL_AGG_SUM, "n");
    s.name = "two\nlines";
    assert_null(sl_agg_new(&s, &err));
    s = spec_of(SL_AGG_SUM, "n");
    s.max_keys = UINT64_MAX;
    assert_null(sl_agg_new(&s, &err));
    s = spec_of(99, "n");
    assert_null(sl_agg_new(&s, &err));
}

static void unlike_ones_do_not_merge(void **state) {
    struct sl_agg *a = make(spec_of(SL_AGG_SUM, "")), *b = make(spec_of(SL_AGG_COUNT, ""));
    struct sl_error err;

    (void)state;
    assert_int_equal(sl_agg_merge(a, b, &err), -1);
    assert_non_null(strstr(err.message, "kind differs"));
    assert_int_equal(sl_agg_merge(a, a, &err), -1);
    assert_non_null(strstr(err.message, "the same one"));
    sl_agg_free(a);
    sl_agg_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keyless),
        cmocka_unit_test(additions_in_the_box),
        cmocka_unit_test(numbers_order_as_numbers),
        cmocka_unit_test(composite_keys),
        cmocka_unit_test(fixed_point),
        cmocka_unit_test(refusals_never_poison),
        cmocka_unit_test(sums_pass_64_bits),
        cmocka_unit_test(growth_keeps_every_key),
        cmocka_unit_test(rows_by_value_then_key),
        cmocka_unit_test(keys_past_the_bound_are_other),
        cmocka_unit_test(top_keeps_its_error),
        cmocka_unit_test(wrong_specs),
        cmocka_unit_test(unlike_ones_do_not_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
