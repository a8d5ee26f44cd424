/* What the kinds hold and show: means, histograms, keys of every type, bounds, and additions that
 * wait for memory. */
#include <math.h>

#include "aggregate_util.h"

static void mean_and_deviation(void **state) {
    struct sl_agg_spec spec = spec_of(SL_AGG_MEAN, "n");
    struct sl_agg *a;
    struct sl_agg_rows *r;
    double value, deviation, count;

    (void)state;
    spec.decimals = 3;
    spec.max_keys = 2;
    a = make(spec);
    for (int i = 1; i <= 5; i++)
        sl_agg_add_n(a, 1, i * 0.5);
    sl_agg_add_n(a, 2, 4e15); /* its square alone takes 124 bits */
    sl_agg_add_n(a, 2, 4e15);
    sl_agg_add_n(a, 3, 7);
    sl_agg_add_n(a, 4, 9);
    r = rows_of(a, SL_AGG_BY_VALUE, 0);
    assert_int_equal(r->n, 3);
    assert_true(row_at(r, 0).value == 4e15 && row_at(r, 0).deviation == 0);
    assert_true(row_at(r, 1).value == 1.5 && row_at(r, 1).count == 5);
    assert_true(fabs(row_at(r, 1).deviation - sqrt(0.625)) < 1e-15);
    assert_true(row_at(r, 2).other && row_at(r, 2).value == 8);
    assert_true(fabs(row_at(r, 2).deviation - sqrt(2)) < 1e-15);
    sl_agg_rows_free(r);
    sl_agg_key_n(a, 1);
    assert_int_equal(sl_agg_get(a, &value), 1);
    sl_agg_key_n(a, 1);
    assert_int_equal(sl_agg_get_spread(a, &deviation, &count), 1);
    assert_true(value == 1.5 && count == 5 && fabs(deviation - sqrt(0.625)) < 1e-15);
    sl_agg_key_n(a, 5);
    assert_int_equal(sl_agg_get_spread(a, &deviation, &count), 0);
    sl_agg_free(a);
}

/* Numbers that differ in their last digits only: textbook formulas lose all of them. */
static void deviation_of_large_values(void **state) {
    struct sl_agg *a = make(spec_of(SL_AGG_MEAN, ""));
    double deviation, count;

    (void)state;
    for (int i = 0; i < 1000; i++)
        sl_agg_add(a, 0x1p52 + i % 2);
    assert_int_equal(sl_agg_get_spread(a, &deviation, &count), 1);
    assert_true(fabs(deviation - sqrt(0.25 * 1000 / 999)) < 1e-12);
    sl_agg_free(a);
}

static void histogram_of(const double *edges, uint32_t n, const double *want) {
    const double values[] = {-1e6, -10, -0.1, 0, 0.999, 1, 5, 9.999, 10, 99, 100, 1e6};
    struct sl_agg_spec spec = spec_of(SL_AGG_HISTOGRAM, "");
    struct sl_agg_rows *r;
    struct sl_agg *a;

    spec.edges = edges;
    spec.n_edges = n;
    spec.decimals = 3;
    a = make(spec);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        sl_agg_add(a, values[i]);
    r = rows_of(a, SL_AGG_BY_KEY, 0);
    assert_int_equal(r->n, n + 1);
    for (uint32_t i = 0; i <= n; i++) {
        struct sl_agg_row row = row_at(r, i);
        assert_true(row.value == want[i]);
        assert_true(i ? row.from == edges[i - 1] : row.from == -INFINITY);
        assert_true(i < n ? row.to == edges[i] : row.to == INFINITY);
    }
    sl_agg_rows_free(r);
    sl_agg_free(a);
}

static void histogram_counts_under_and_over(void **state) {
    const double uneven[] = {-10, 0, 1, 10, 100}, even[] = {0, 10, 20};

    (void)state;
    histogram_of(uneven, 5, (const double[]){1, 2, 2, 3, 2, 2});
    histogram_of(even, 3, (const double[]){3, 5, 1, 3});
}

static void empty_ones_have_rows(void **state) {
    const uint32_t kinds[] = {SL_AGG_QUANTILE, SL_AGG_HISTOGRAM, SL_AGG_SAMPLE, SL_AGG_MEAN};
    const uint64_t rows[] = {1, 7, 0, 0};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct sl_agg *a = make(spec_of(kinds[i], ""));
        struct sl_agg_rows *r = rows_of(a, SL_AGG_BY_KEY, 0);
        assert_int_equal(r->n, rows[i]);
        assert_true(row_at(r, 0).value == 0);
        sl_agg_rows_free(r);
        sl_agg_free(a);
    }
}

/* ---- keys ---- */

static void add_text(struct sl_agg *a, const char *text) {
    sl_agg_key_s(a, text, strlen(text));
    sl_agg_add(a, 1);
}

static int row_is(const struct sl_agg_rows *r, uint64_t i, const char *text) {
    struct sl_agg_row row = row_at(r, i);

    return row.text_size[0] == strlen(text) && !memcmp(row.text[0], text, row.text_size[0]);
}

static void texts_sort_as_texts(void **state) {
    const char *const sorted[] = {"", "a", "www.example.com", "www.example.com.", "www.example.net",
                                  "z"};
    struct sl_agg *a = make(spec_of(SL_AGG_COUNT, "s"));
    struct sl_agg_rows *r;
    double value;

    (void)state;
    for (size_t i = 6; i-- > 0;)
        add_text(a, sorted[i]);
    add_text(a, "z");
    r = rows_of(a, SL_AGG_BY_KEY, 0);
    assert_int_equal(r->n, 6);
    for (size_t i = 0; i < 6; i++)
        assert_true(row_is(r, i, sorted[i]));
    sl_agg_rows_free(r);
    r = rows_of(a, SL_AGG_BY_VALUE, 2); /* ties by text */
    assert_true(row_is(r, 0, "z") && row_is(r, 1, ""));
    sl_agg_rows_free(r);
    sl_agg_key_s(a, "www.example.net", 15);
    assert_int_equal(sl_agg_get(a, &value), 1);
    sl_agg_key_s(a, "www.example.ne", 14);
    assert_int_equal(sl_agg_get(a, &value), 0);
    sl_agg_free(a);
}

static void long_texts_are_cut(void **state) {
    struct sl_agg *a = make(spec_of(SL_AGG_COUNT, "s"));
    struct sl_agg_rows *r;
    char text[1000];

    (void)state;
    memset(text, 'x', sizeof text);
    sl_agg_key_s(a, text, 256);
    sl_agg_add(a, 1);
    sl_agg_key_s(a, text, 1000);
    sl_agg_add(a, 1);
    r = rows_of(a, SL_AGG_BY_KEY, 0);
    assert_int_equal(r->n, 1);
    assert_int_equal(row_at(r, 0).text_size[0], 255);
    assert_int_equal(stats_of(a).counters.cut_texts, 2);
    sl_agg_rows_free(r);
    sl_agg_free(a);
}

/* Texts of keys that a top drops do not pile up. */
static void dropped_texts_are_forgotten(void **state) {
    struct sl_agg_spec spec = spec_of(SL_AGG_TOP, "s");
    struct sl_agg *a;
    char text[40];

    (void)state;
    spec.max_keys = 100;
    a = make(spec);
    for (int i = 0; i < 100000; i++) {
        (void)snprintf(text, sizeof text, "a name that takes its place %d", i);
        add_text(a, text);
    }
    assert_true(stats_of(a).memory < 60000);
    sl_agg_free(a);
}

static void prefixes_take_addresses_together(void **state) {
    struct sl_agg *a = make(spec_of(SL_AGG_COUNT, "p")); /* /24 and /48 */
    const struct sl_addr six = {{0x20010db8, 0x00010002, 3, 4}}, also = {{0x20010db8, 0x00011234}};
    struct sl_agg_rows *r;

    (void)state;
    for (uint32_t i = 0; i < 512; i++) {
        struct sl_addr four = v4(0x0a000000 + i);
        sl_agg_add_a(a, &four, 1);
    }
    sl_agg_add_a(a, &six, 1);
    sl_agg_key_a(a, &also);
    sl_agg_add(a, 1);
    r = rows_of(a, SL_AGG_BY_KEY, 0);
    assert_int_equal(r->n, 3);
    assert_true(row_at(r, 0).value == 256 && row_at(r, 0).address[0].w[3] == 0x0a000000);
    assert_true(row_at(r, 1).value == 256 && row_at(r, 1).address[0].w[3] == 0x0a000100);
    assert_true(row_at(r, 2).value == 2 && row_at(r, 2).address[0].w[1] == 0x00010000);
    sl_agg_rows_free(r);
    sl_agg_free(a);
}

/* ---- bounds ---- */

static void keys_past_the_bound_of_sketches_and_cells(void **state) {
    const uint32_t kinds[] = {SL_AGG_DISTINCT, SL_AGG_SAMPLE, SL_AGG_QUANTILE, SL_AGG_HISTOGRAM};

    (void)state;
    for (size_t k = 0; k < 4; k++) {
        struct sl_agg_spec spec = spec_of(kinds[k], k < 2 ? "n:n" : "n");
        struct sl_agg_rows *r;
        struct sl_agg *a;
        double other = 0;
        spec.max_keys = 3;
        a = make(spec);
        for (uint32_t i = 0; i < 50; i++)
            add_any(a, &spec, (const uint32_t[]){i % 5, i}, (struct sl_time){i, 0}, i);
        assert_int_equal(stats_of(a).keys, 3);
        assert_int_equal(stats_of(a).approximate, 1);
        assert_true(stats_of(a).counters.past_keys > 0);
        r = rows_of(a, SL_AGG_BY_KEY, 0);
        for (uint64_t i = 0; i < r->n; i++)
            if (row_at(r, i).other)
                other += kinds[k] == SL_AGG_SAMPLE ? 1 : row_at(r, i).value;
        assert_true(other == 20);
        sl_agg_rows_free(r);
        sl_agg_free(a);
    }
}

/* ---- additions that wait ---- */

static void waiting_additions_are_made(void **state) {
    enum { KEYS = 60000, ROUNDS = 4 };
    struct sl_agg *a = make(spec_of(SL_AGG_SUM, "a")), *mean = make(spec_of(SL_AGG_MEAN, "nn"));
    uint64_t random = 1;
    struct sl_agg_rows *r;
    double total = 0, shown = 0, value;

    (void)state;
    for (int i = 0; i < KEYS * ROUNDS; i++) {
        uint32_t key = i < KEYS ? (uint32_t)i : (uint32_t)random_below(&random, KEYS);
        struct sl_addr address = v4(key);
        sl_agg_add_a(a, &address, i);
        sl_agg_key_n(mean, key);
        sl_agg_key_n(mean, key % 7);
        sl_agg_add(mean, key);
        total += i;
        if (i % 9999 == 0) { /* reading sees what was added last */
            double before, after;
            sl_agg_key_a(a, &address);
            assert_int_equal(sl_agg_get(a, &before), 1);
            sl_agg_add_a(a, &address, 5);
            sl_agg_key_a(a, &address);
            assert_int_equal(sl_agg_get(a, &after), 1);
            assert_true(after == before + 5);
            total += 5;
        }
    }
    r = rows_of(a, SL_AGG_BY_KEY, 0);
    assert_int_equal(r->n, KEYS);
    for (uint64_t i = 0; i < r->n; i++)
        shown += row_at(r, i).value;
    assert_true(shown == total);
    sl_agg_rows_free(r);
    for (int key = 0; key < KEYS; key += 777) {
        sl_agg_key_n(mean, key);
        sl_agg_key_n(mean, key % 7);
        assert_int_equal(sl_agg_get(mean, &value), 1);
        assert_true(value == key);
    }
    sl_agg_free(a);
    sl_agg_free(mean);
}

/* The same for sketches: what is read is what was added, and calls meant for others are refused. */
static void waiting_sketches_are_filled(void **state) {
    enum { KEYS = 40000, VALUES = 3 };
    struct sl_agg_spec distinct = spec_of(SL_AGG_DISTINCT, "n:n"),
                       sample = spec_of(SL_AGG_SAMPLE, "n:n");
    uint64_t random = 3;

    (void)state;
    distinct.max_keys = sample.max_keys = KEYS;
    sample.keep = VALUES;
    struct sl_agg *d = make(distinct), *s = make(sample);
    for (uint32_t i = 0; i < KEYS * VALUES; i++) {
        const uint32_t first[] = {i % KEYS, i / KEYS};
        const uint32_t again[] = {(uint32_t)random_below(&random, i % KEYS + 1), 0};
        add_any(d, &distinct, first, (struct sl_time){0}, 1);
        add_any(d, &distinct, again, (struct sl_time){0}, 1);
        add_any(s, &sample, first, (struct sl_time){i, 0}, i);
    }
    struct sl_agg_rows *r = rows_of(d, SL_AGG_BY_KEY, 0);
    assert_int_equal(r->n, KEYS);
    for (uint64_t i = 0; i < r->n; i++)
        assert_true(row_at(r, i).value == VALUES);
    sl_agg_rows_free(r);
    r = rows_of(s, SL_AGG_BY_KEY, 0);
    assert_int_equal(r->n, KEYS * VALUES);
    sl_agg_rows_free(r);
    sl_agg_add_n(d, 5, 1);
    assert_int_equal(stats_of(d).counters.bad_key, 1);
    assert_int_equal(stats_of(d).counters.additions, 2 * KEYS * VALUES);
    sl_agg_free(d);
    sl_agg_free(s);
}

static void wrong_edges_and_sizes(void **state) {
    const double falling[] = {0, 1, 1}, close[] = {0, 0.3, 1}, nan_edge[] = {0, NAN};
    struct sl_agg_spec specs[6];
    struct sl_error err = {0};

    (void)state;
    for (int i = 0; i < 4; i++)
        specs[i] = spec_of(SL_AGG_HISTOGRAM, "");
    specs[0].edges = falling;
    specs[0].n_edges = 3;
    specs[1].edges = close;
    specs[1].n_edges = 3;
    specs[2].edges = nan_edge;
    specs[2].n_edges = 2;
    specs[3].n_edges = 1;
    specs[4] = spec_of(SL_AGG_DISTINCT, ":n");
    specs[4].precision = 17;
    specs[5] = spec_of(SL_AGG_DISTINCT, "n");
    for (int i = 0; i < 6; i++) {
        assert_null(sl_agg_new(&specs[i], &err));
        assert_true(err.message[0] != '\0');
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_and_deviation),
        cmocka_unit_test(deviation_of_large_values),
        cmocka_unit_test(histogram_counts_under_and_over),
        cmocka_unit_test(empty_ones_have_rows),
        cmocka_unit_test(texts_sort_as_texts),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(dropped_texts_are_forgotten),
        cmocka_unit_test(prefixes_take_addresses_together),
        cmocka_unit_test(keys_past_the_bound_of_sketches_and_cells),
        cmocka_unit_test(waiting_additions_are_made),
        cmocka_unit_test(waiting_sketches_are_filled),
        cmocka_unit_test(wrong_edges_and_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
