/* Estimates from blocks: the formulas against numbers worked out by hand, edges, the sums that
 * stand beside keys, and how often the intervals hold the truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "aggregate/estimate.h"

#include <math.h>

static void close_to(double a, double b, double within) {
    if (!(fabs(a - b) <= within))
        fail_msg("%.9g is not %.9g", a, b);
}

/* 97.5 % quantiles as tables have them. */
static void students_t(void **state) {
    (void)state;

    close_to(sl_student_t(4), 2.776445, 5e-3);
    close_to(sl_student_t(10), 2.228139, 2e-4);
    close_to(sl_student_t(20), 2.085963, 1e-5);
    close_to(sl_student_t(29), 2.045230, 1e-5);
    close_to(sl_student_t(120), 1.979930, 1e-6);
    close_to(sl_student_t(1e9), 1.959964, 1e-6);
}

static struct sl_blocks_read read_of(double *bytes, uint32_t n, uint32_t every, double of_bytes) {
    return (struct sl_blocks_read){.n = n, .every = every, .bytes = bytes, .of_bytes = of_bytes};
}

/* x = 10, 20, 30, 40 of blocks of 100, 100, 100, 120 bytes; R = 100 / 420. The sum of (x - R s)^2
 * is 3000 - 2 R 10800 + R^2 44400. */
static void by_hand(void **state) {
    double bytes[] = {100, 100, 100, 120};
    struct sl_blocks_read read = read_of(bytes, 4, 10, 4200);
    struct sl_ratio_base base = sl_ratio_base_of(&read);
    struct sl_ratio_sums sums = {0};
    (void)state;

    for (int i = 0; i < 4; i++)
        sl_ratio_add(&sums, 10 * (i + 1), bytes[i]);
    struct sl_interval e = sl_ratio_estimate(&base, &sums);
    double r = 100.0 / 420, squares = 3000 - 2 * r * 10800 + r * r * 44400;
    double error = 4200 / 105.0 * sqrt(0.9 * squares / 3 / 4); /* S / mean(s) * ... */
    /* Four values without a tail: n - 1 = 3 degrees. */
    double factor = exp(sl_student_t(3) * error / 1000);
    close_to(squares, 374.1497, 1e-3);
    close_to(e.value, 1000, 0);
    close_to(e.low, floor(1000 / factor), 0);
    close_to(e.high, ceil(1000 * factor), 0);
}

/* Bytes in one block of 100: the variance is worth little, and the interval is wide. */
static void few_degrees(void **state) {
    double bytes[100];
    struct sl_blocks_read read = read_of(bytes, 100, 10, 100000);
    struct sl_ratio_sums even = {0}, burst = {0};
    (void)state;

    for (int i = 0; i < 100; i++)
        bytes[i] = 100;
    struct sl_ratio_base base = sl_ratio_base_of(&read);
    for (int i = 0; i < 100; i++)
        sl_ratio_add(&even, i % 2 ? 15 : 5, 100);
    sl_ratio_add(&burst, 1000, 100);
    struct sl_interval e = sl_ratio_estimate(&base, &even), b = sl_ratio_estimate(&base, &burst);
    close_to(e.value, 10000, 0);
    close_to(e.high, ceil(10000 * exp(sl_student_t(99) * sqrt(0.9 * 2500 / 99 / 100) / 10)), 0);
    close_to(b.value, 10000, 0);
    close_to(b.high, ceil(10000 * exp(sl_student_t(4) * sqrt(0.9))), 0);
    close_to(b.low, 1000, 0); /* what was seen is there, whatever the formula says */
}

static void all_of_it(void **state) {
    double bytes[] = {100, 90, 110};
    struct sl_blocks_read read = read_of(bytes, 3, 1, 300);
    struct sl_ratio_base base = sl_ratio_base_of(&read);
    struct sl_ratio_sums sums = {0};
    (void)state;

    sl_ratio_add(&sums, 7, 100);
    sl_ratio_add(&sums, 1, 110);
    struct sl_interval e = sl_ratio_estimate(&base, &sums);
    close_to(e.value, 8, 0);
    close_to(e.low, 8, 0);
    close_to(e.high, 8, 0);
}

/* The same in every block: nothing to be unsure of, and no NaN from what cancels. */
static void no_spread(void **state) {
    double bytes[50];
    struct sl_blocks_read read = read_of(bytes, 50, 100, 5e6);
    struct sl_ratio_sums sums = {0};
    (void)state;

    for (int i = 0; i < 50; i++) {
        bytes[i] = 1000 + i;
        sl_ratio_add(&sums, 3 * bytes[i], bytes[i]);
    }
    struct sl_ratio_base base = sl_ratio_base_of(&read);
    struct sl_interval e = sl_ratio_estimate(&base, &sums);
    close_to(e.value, 1.5e7, 0);
    close_to(e.low, 1.5e7, 2);
    close_to(e.high, 1.5e7, 2);
}

/* ---- by key ---- */

struct blocks {
    struct sl_blocks_read read;
    double bytes[200];
};

static struct sl_estimate *estimate_over(struct blocks *b, uint32_t type) {
    struct sl_error err;
    struct sl_estimate *e = sl_estimate_new(type, &err);

    assert_non_null(e);
    *b = (struct blocks){.read = {.every = 10}};
    b->read.bytes = b->bytes;
    sl_estimate_follow(e, &b->read);
    return e;
}

static void end_block(struct blocks *b) {
    b->bytes[b->read.n++] = 100;
    b->read.of_bytes += 1000;
}

static void keys_and_what_is_rare(void **state) {
    struct blocks b;
    struct sl_estimate *e = estimate_over(&b, SL_AGG_NUMBER);
    (void)state;

    for (int i = 0; i < 40; i++) {
        sl_estimate_add_n(e, 443, 60);
        sl_estimate_add_n(e, 443, 40);
        if (i < 30)
            sl_estimate_add_n(e, 53, 500);
        if (i < 29)
            sl_estimate_add_n(e, 80, 9000);
        end_block(&b);
    }
    assert_int_equal(sl_estimate_rank(e), 2);
    assert_int_equal(sl_estimate_rare(e), 1);
    const struct sl_estimate_row *r = sl_estimate_at(e, 0);
    close_to(r->number, 53, 0); /* the most bytes first */
    close_to(r->bytes, 150000, 0);
    close_to(r->packets, 300, 0);
    close_to(r->blocks, 30, 0);
    assert_true(r->packets_low < 300 && r->packets_high > 300);
    r = sl_estimate_at(e, 1);
    close_to(r->packets, 800, 0);
    close_to(r->packets_low, 800, 0);
    close_to(r->bytes, 40000, 0);
    sl_estimate_free(e);
}

/* A block that was not read to its end counts for nothing; asking in between changes nothing. */
static void unfinished_block(void **state) {
    struct blocks b;
    struct sl_estimate *e = estimate_over(&b, SL_AGG_ADDRESS);
    struct sl_addr host = {{0, 0, 0xffff, 0x0a000001}}, other = {{0, 0, 0xffff, 0x0a000002}};
    (void)state;

    for (int i = 0; i < 30; i++) {
        sl_estimate_add_a(e, &host, 100);
        if (i == 28) {
            assert_int_equal(sl_estimate_rank(e), 0);
            assert_int_equal(sl_estimate_rare(e), 1);
        }
        end_block(&b);
    }
    sl_estimate_add_a(e, &host, 1e6);
    sl_estimate_add_a(e, &other, 1e6);
    assert_int_equal(sl_estimate_rank(e), 1);
    assert_int_equal(sl_estimate_rare(e), 0);
    assert_memory_equal(&sl_estimate_at(e, 0)->address, &host, sizeof host);
    close_to(sl_estimate_at(e, 0)->bytes, 30000, 0);
    end_block(&b);
    assert_int_equal(sl_estimate_rank(e), 1);
    close_to(sl_estimate_at(e, 0)->bytes, (30 * 100 + 1e6) * 10, 0);
    assert_int_equal(sl_estimate_rare(e), 1);
    sl_estimate_free(e);
}

/* Blocks that hold nothing of a key lower its estimate; ties go by key. */
static void blocks_named_from_outside(void **state) {
    struct blocks b;
    struct sl_estimate *e = estimate_over(&b, SL_AGG_NUMBER);
    (void)state;

    for (uint32_t i = 0; i < 60; i++) {
        end_block(&b);
        if (i % 2)
            continue;
        sl_estimate_add_block(e, i, 2, 5, 50);
        sl_estimate_add_block(e, i, 1, 5, 50);
    }
    assert_int_equal(sl_estimate_rank(e), 2);
    for (uint64_t i = 0; i < 2; i++) {
        close_to(sl_estimate_at(e, i)->number, (double)i + 1, 0);
        close_to(sl_estimate_at(e, i)->packets, 1500, 0);
        close_to(sl_estimate_at(e, i)->bytes, 15000, 0);
    }
    sl_estimate_free(e);
}

static void no_room(void **state) {
    struct blocks b;
    struct sl_estimate *e = estimate_over(&b, SL_AGG_NUMBER);
    (void)state;

    for (int i = 0; i < SL_ESTIMATE_KEYS + 7; i++)
        sl_estimate_add_n(e, i, 1);
    for (int i = 0; i < 30; i++) {
        sl_estimate_add_n(e, 0, 1);                    /* is there */
        sl_estimate_add_n(e, SL_ESTIMATE_KEYS + 6, 1); /* is not */
        end_block(&b);
    }
    assert_int_equal(sl_estimate_lost(e), 7 + 30);
    assert_int_equal(sl_estimate_rank(e), 1);
    close_to(sl_estimate_at(e, 0)->packets, 310, 0);
    assert_int_equal(sl_estimate_rare(e), SL_ESTIMATE_KEYS - 1);
    sl_estimate_free(e);
}

/* ---- coverage ---- */

static double uniform(uint64_t *seed) {
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*seed >> 11) / 9007199254740992.0;
}

/* A population of 1,000 cells of which two fifths hold something, 10 to 100 of it (Pareto); 1,000
 * samples of 100 of them, one of each ten. */
static void intervals_hold_the_truth(void **state) {
    double cells[1000], truth = 0, bytes[100];
    uint64_t seed = 7;
    int held = 0, tries = 0;
    (void)state;

    for (int i = 0; i < 1000; i++) {
        double u = uniform(&seed), v = uniform(&seed);
        cells[i] = u < 0.4 ? floor(fmin(10 * pow(1 - v, -1 / 1.5), 100)) : 0;
        truth += cells[i];
    }
    for (int i = 0; i < 100; i++)
        bytes[i] = 65536;
    struct sl_blocks_read read = read_of(bytes, 100, 10, 65536e3);
    struct sl_ratio_base base = sl_ratio_base_of(&read);
    for (int t = 0; t < 1000; t++) {
        struct sl_ratio_sums sums = {0};
        int blocks = 0;
        for (int i = 0; i < 100; i++) {
            double x = cells[10 * i + (int)(10 * uniform(&seed))];
            if (x > 0)
                sl_ratio_add(&sums, x, bytes[i]);
            blocks += x > 0;
        }
        if (blocks < SL_RATIO_BLOCKS_MIN)
            continue;
        struct sl_interval e = sl_ratio_estimate(&base, &sums);
        held += e.low <= truth && truth <= e.high;
        tries++;
    }
    assert_true(tries > 900);
    if (held < 0.93 * tries)
        fail_msg("%d of %d intervals hold the truth", held, tries);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(students_t),       cmocka_unit_test(by_hand),
        cmocka_unit_test(few_degrees),      cmocka_unit_test(all_of_it),
        cmocka_unit_test(no_spread),        cmocka_unit_test(keys_and_what_is_rare),
        cmocka_unit_test(unfinished_block), cmocka_unit_test(blocks_named_from_outside),
        cmocka_unit_test(no_room),          cmocka_unit_test(intervals_hold_the_truth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
