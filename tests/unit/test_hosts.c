/* Hosts of flows: sums by end, ranks, timelines that widen, and the bound with its error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aggregate/hosts.h"

static struct sl_addr v4(uint32_t a) {
    return (struct sl_addr){{0, 0, 0xffff, a}};
}

static struct sl_flow flow(uint32_t src, uint32_t dst, uint64_t sent, uint64_t received, double t) {
    struct sl_flow f = {.src = v4(src), .dst = v4(dst), .t = t};

    f.n_bytes[0] = sent;
    f.n_bytes[1] = received;
    f.first = (struct sl_time){100 + (int64_t)t, 5};
    f.last = (struct sl_time){100 + (int64_t)t, 9};
    return f;
}

static struct sl_hosts *table(uint32_t max) {
    struct sl_error err;
    struct sl_hosts *h = sl_hosts_new(max, &err);

    assert_non_null(h);
    return h;
}

static void add(struct sl_hosts *h, struct sl_flow f) {
    sl_hosts_add(h, &f);
}

static void sums_of_both_ends(void **state) {
    struct sl_hosts *h = table(100);
    (void)state;

    add(h, flow(1, 2, 10, 300, 7));
    add(h, flow(3, 1, 50, 4, 3));
    add(h, flow(4, 4, 6, 7, 0)); /* to itself: once, as source */
    assert_int_equal(sl_hosts_rank(h, SL_HOSTS_BY_BYTES, 10), 4);
    const struct sl_host *x = sl_hosts_at(h, 0);
    assert_int_equal(x->addr.w[3], 1);
    assert_int_equal(x->n_flows[0], 1);
    assert_int_equal(x->n_flows[1], 1);
    assert_int_equal(x->n_sent[0], 10);
    assert_int_equal(x->n_received[0], 300);
    assert_int_equal(x->n_sent[1], 4);
    assert_int_equal(x->n_received[1], 50);
    assert_int_equal(x->first.s, 103);
    assert_int_equal(x->last.s, 107);
    assert_int_equal(sl_hosts_at(h, 1)->addr.w[3], 2);
    assert_int_equal(sl_hosts_at(h, 3)->n_flows[1], 0);
    sl_hosts_free(h);
}

static void ranks_leave_out_who_has_nothing(void **state) {
    struct sl_hosts *h = table(100);
    (void)state;

    add(h, flow(9, 2, 1, 1, 0));
    add(h, flow(8, 2, 1, 1, 0));
    assert_int_equal(sl_hosts_count(h, SL_HOSTS_BY_SOURCE_FLOWS), 2);
    assert_int_equal(sl_hosts_rank(h, SL_HOSTS_BY_SOURCE_FLOWS, 10), 2);
    assert_int_equal(sl_hosts_at(h, 0)->addr.w[3], 8); /* ties by address */
    assert_int_equal(sl_hosts_rank(h, SL_HOSTS_BY_TARGET_FLOWS, 10), 1);
    assert_int_equal(sl_hosts_rank(h, SL_HOSTS_BY_TARGET_BYTES, 0), 0);
    sl_hosts_free(h);
}

static void a_rank_is_a_sorted_prefix(void **state) {
    struct sl_hosts *h = table(5000);
    uint64_t before = UINT64_MAX;
    (void)state;

    for (uint32_t i = 0; i < 4000; i++)
        add(h, flow(10 + i, 1, (i * 2654435761u) % 10007, 0, 0));
    assert_int_equal(sl_hosts_rank(h, SL_HOSTS_BY_SOURCE_BYTES, 500), 500);
    for (uint32_t i = 0; i < 500; i++) {
        uint64_t n = sl_hosts_at(h, i)->n_sent[0];
        assert_true(n <= before);
        before = n;
    }
    uint32_t above = 0;
    for (uint32_t i = 0; i < 4000; i++)
        above += (i * 2654435761u) % 10007 > before;
    assert_true(above < 500);
    sl_hosts_free(h);
}

static void timelines_widen(void **state) {
    struct sl_hosts *h = table(10);
    uint32_t sum = 0;
    (void)state;

    for (int i = 0; i < 50; i++)
        add(h, flow(1, 2, 1, 0, i * 10.0));
    add(h, flow(1, 2, 1, 0, -300)); /* decided later, begun before all others, before 1970 */
    assert_true(sl_hosts_bin(h) * SL_HOST_BINS > 790);
    assert_true(sl_hosts_bin(h) * SL_HOST_BINS <= 4 * 790);
    assert_true(sl_hosts_bins(h) > SL_HOST_BINS / 2 && sl_hosts_bins(h) <= SL_HOST_BINS);
    sl_hosts_rank(h, SL_HOSTS_BY_BYTES, 1);
    assert_int_equal(sl_hosts_flows_in(h, sl_hosts_at(h, 0), 0), 1);
    for (uint32_t k = 0; k < sl_hosts_bins(h); k++)
        sum += sl_hosts_flows_in(h, sl_hosts_at(h, 0), k);
    assert_int_equal(sum, 51);
    sl_hosts_free(h);
}

/* Few large hosts among many small ones stay whole to within the stated error. */
static void the_bound_keeps_the_large(void **state) {
    struct sl_hosts *h = table(64);
    uint64_t true_bytes[8] = {0};
    (void)state;

    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t large = i % 8;
        add(h, flow(1000 + i, large, 3, 100, 0));
        true_bytes[large] += 103;
    }
    assert_true(sl_hosts_dropped(h) > 0);
    assert_true(sl_hosts_count(h, SL_HOSTS_BY_BYTES) <= 64);
    assert_int_equal(sl_hosts_rank(h, SL_HOSTS_BY_BYTES, 8), 8);
    for (uint32_t i = 0; i < 8; i++) {
        const struct sl_host *x = sl_hosts_at(h, i);
        assert_true(x->addr.w[3] < 8);
        uint64_t bytes = x->n_sent[1] + x->n_received[1];
        assert_true(bytes <= true_bytes[x->addr.w[3]]);
        assert_true((double)bytes + sl_hosts_error(h) >= (double)true_bytes[x->addr.w[3]]);
    }
    sl_hosts_free(h);
}

static void equal_hosts_do_not_all_go(void **state) {
    struct sl_hosts *h = table(8);
    (void)state;

    for (uint32_t i = 0; i < 9; i++)
        add(h, flow(100 + i, 100 + i, 5, 0, 0));
    assert_int_equal(sl_hosts_count(h, SL_HOSTS_BY_BYTES), 5); /* half of 8, and the new one */
    assert_int_equal(sl_hosts_dropped(h), 4);
    sl_hosts_rank(h, SL_HOSTS_BY_BYTES, 5);
    assert_int_equal(sl_hosts_at(h, 0)->addr.w[3], 100);
    assert_int_equal(sl_hosts_at(h, 4)->addr.w[3], 108);
    sl_hosts_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_both_ends),
        cmocka_unit_test(ranks_leave_out_who_has_nothing),
        cmocka_unit_test(a_rank_is_a_sorted_prefix),
        cmocka_unit_test(timelines_widen),
        cmocka_unit_test(the_bound_keeps_the_large),
        cmocka_unit_test(equal_hosts_do_not_all_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
