/* Heads of flows: segments in any order, repeated, overlapping, cut; places used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/flow/head.h"

enum { SIZE = 64, DATA = 200 };

static uint8_t stream[DATA]; /* what a side sends: byte i is i */

static struct sl_heads *make(uint32_t size) {
    struct sl_error err = {0};
    struct sl_heads *h = sl_heads_new(size, &err);

    assert_non_null(h);
    for (int i = 0; i < DATA; i++)
        stream[i] = (uint8_t)i;
    return h;
}

/* A packet of flow with n bytes of stream from byte at on; seq is that of byte 0 plus isn. */
static struct sl_packet segment(uint32_t flow, uint32_t isn, uint32_t at, uint32_t n) {
    return (struct sl_packet){.data = stream,
                              .protos = 1ull << SL_P_TCP,
                              .flow = flow,
                              .flow_pkt64 = 2,
                              .seq = isn + at,
                              .payload_off = at,
                              .payload_cap = n,
                              .payload_len = n};
}

static void take(struct sl_heads *h, struct sl_packet p) {
    struct sl_error err = {0};
    uint32_t sel = 0;

    assert_int_equal(sl_heads_take(h, &p, &sel, 1, &err), 0);
}

static void begin(struct sl_heads *h, uint32_t flow, uint32_t isn) {
    struct sl_packet syn = segment(flow, isn - 1, 0, 0);

    syn.tcp_flags = SL_TCP_SYN;
    syn.flow_pkt64 = 1;
    take(h, syn);
}

/* The head is the first n bytes of the stream. */
static void assert_head(const struct sl_heads *h, uint32_t flow, int dir, uint32_t n) {
    struct sl_view v = sl_heads_of(h, flow, dir);

    assert_int_equal(v.size, n);
    if (n)
        assert_memory_equal(v.data, stream, n);
}

static void test_in_order(void **state) {
    struct sl_heads *h = make(SIZE);

    (void)state;
    begin(h, 0, 1000);
    assert_head(h, 0, 0, 0);
    take(h, segment(0, 1000, 0, 10));
    take(h, segment(0, 1000, 10, 20));
    assert_head(h, 0, 0, 30);
    take(h, segment(0, 1000, 30, 100));
    assert_head(h, 0, 0, SIZE);
    take(h, segment(0, 1000, 130, 10));
    assert_head(h, 0, 0, SIZE);
    assert_head(h, 0, 1, 0);
    assert_head(h, 99999, 0, 0);
    sl_heads_free(h);
}

/* All orders of four segments, with one of them twice, and numbers that wrap in the middle. */
static void test_any_order(void **state) {
    (void)state;
    for (int order = 0; order < 256; order++) {
        struct sl_heads *h = make(SIZE);
        uint32_t isn = UINT32_MAX - 20;
        unsigned seen = 0;
        begin(h, 3, isn);
        for (int k = 0, bits = order; k < 4; k++, bits >>= 2) {
            uint32_t which = (uint32_t)bits & 3;
            take(h, segment(3, isn, which * 16, 16));
            seen |= 1u << which;
        }
        uint32_t whole = 0;
        while (whole < 4 && seen >> whole & 1)
            whole++;
        assert_head(h, 3, 0, whole * 16);
        sl_heads_free(h);
    }
}

static void test_overlaps(void **state) {
    struct sl_heads *h = make(SIZE);

    (void)state;
    begin(h, 0, 5);
    take(h, segment(0, 5, 20, 10));
    take(h, segment(0, 5, 25, 15));
    take(h, segment(0, 5, 50, 4));
    take(h, segment(0, 5, 0, 22));
    assert_head(h, 0, 0, 40);
    take(h, segment(0, 5, 3, 55));
    assert_head(h, 0, 0, 58);
    sl_heads_free(h);
}

/* Without a SYN the first byte seen begins; earlier ones and keep-alives change nothing. */
static void test_late_start(void **state) {
    struct sl_heads *h = make(SIZE);
    struct sl_view v;

    (void)state;
    take(h, segment(0, 0, 100, 10));
    take(h, segment(0, 0, 99, 1));
    take(h, segment(0, 0, 90, 15));
    v = sl_heads_of(h, 0, 0);
    assert_int_equal(v.size, 10);
    assert_memory_equal(v.data, stream + 100, 10);
    sl_heads_free(h);
}

/* More holes than are remembered: the head only ends earlier. */
static void test_many_holes(void **state) {
    struct sl_heads *h = make(SIZE);

    (void)state;
    begin(h, 0, 0);
    for (uint32_t at = 4; at < 60; at += 8)
        take(h, segment(0, 0, at, 4));
    take(h, segment(0, 0, 0, 4));
    assert_head(h, 0, 0, 8);
    take(h, segment(0, 0, 0, 60));
    assert_head(h, 0, 0, 60);
    sl_heads_free(h);
}

static void test_used_again(void **state) {
    struct sl_heads *h = make(SIZE);

    (void)state;
    begin(h, 5000, 7);
    take(h, segment(5000, 7, 0, 40));
    begin(h, 5000, 900);
    assert_head(h, 5000, 0, 0);
    take(h, segment(5000, 900, 0, 12));
    assert_head(h, 5000, 0, 12);
    sl_heads_free(h);
}

/* Datagrams one behind the other, each side apart; no flow, no head. */
static void test_datagrams(void **state) {
    struct sl_heads *h = make(SIZE);
    struct sl_packet p = segment(0, 0, 0, 10);

    (void)state;
    p.protos = 1ull << SL_P_UDP;
    p.flow_pkt64 = 1;
    take(h, p);
    p.flow_pkt64 = 2;
    p.payload_off = 10;
    take(h, p);
    assert_head(h, 0, 0, 20);
    p.dir = 1;
    p.payload_off = 0;
    take(h, p);
    assert_head(h, 0, 1, 10);
    assert_head(h, 0, 0, 20);
    p.flow = SL_NO_FLOW;
    take(h, p);
    assert_head(h, 0, 1, 10);
    sl_heads_free(h);
}

/* Past SL_HEADS_MAX heads are cut, which is counted once for each side. */
static void test_bound(void **state) {
    enum { LARGE = 1 << 20, TIMES = 3 };
    static uint8_t data[LARGE];
    struct sl_heads *h = make(LARGE);
    struct sl_packet p = segment(0, 0, 0, LARGE);

    (void)state;
    p.data = data;
    p.protos = 1ull << SL_P_UDP;
    for (p.flow = 0; p.flow < SL_HEADS_MAX / LARGE + TIMES; p.flow++) {
        p.flow_pkt64 = 1;
        take(h, p);
        p.flow_pkt64 = 2;
        take(h, p);
    }
    assert_int_equal(sl_heads_lost(h), TIMES);
    assert_int_equal(sl_heads_of(h, 0, 0).size, LARGE);
    assert_int_equal(sl_heads_of(h, SL_HEADS_MAX / LARGE + 1, 0).size, 0);
    sl_heads_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),   cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_overlaps),   cmocka_unit_test(test_late_start),
        cmocka_unit_test(test_many_holes), cmocka_unit_test(test_used_again),
        cmocka_unit_test(test_datagrams),  cmocka_unit_test(test_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
