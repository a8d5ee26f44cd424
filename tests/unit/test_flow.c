/* The flow table's own promises that no small capture can show: totals past 2^32, and growing with
 * flows of both IP versions side by side. What a flow means is tested end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/flow/flow.h"

enum { MANY = 150000 };
static const struct sl_hash_seed seed = {0x0123456789abcdef, 0xfedcba9876543210};

static struct sl_flows *make(void) {
    struct sl_flow_options options = sl_flow_defaults();
    struct sl_error err = {0};

    options.seed = seed;
    struct sl_flows *t = sl_flows_new(&options, &err);

    assert_non_null(t);
    return t;
}

/* A UDP packet between hosts 1 and 2 of a world of its own for each id; odd ids are IPv6. */
static struct sl_packet packet(uint32_t id, int reply) {
    struct sl_addr a = {{id & 1 ? 0x20010db8 : 0, 0, id & 1 ? 1 : 0xffff, 2 * id + 1}};
    struct sl_addr b = {{a.w[0], 0, a.w[2], 2 * id}};
    struct sl_packet p = {.number64 = id + 1, .ts = {.s = 1000, .nsec = id}, .len = 100};

    p.protos = 1ull << SL_P_UDP;
    p.ip_version = id & 1 ? 6 : 4;
    p.proto = 17;
    p.src = reply ? b : a;
    p.dst = reply ? a : b;
    p.sport = reply ? 53 : 1024;
    p.dport = reply ? 1024 : 53;
    p.payload_len = 60;
    return p;
}

static void update(struct sl_flows *t, struct sl_packet *p) {
    static struct sl_event_batch batch;
    struct sl_error err = {0};
    struct sl_stamp stamp;

    sl_event_batch_clear(&batch, p->number64);
    assert_int_equal(sl_event_add(&batch, p, &seed), 1);
    assert_int_equal(sl_flows_take(t, &batch, &stamp, &err), 0);
    p->dir = stamp.dir;
    p->flow_pkt64 = stamp.ordinal;
}

static void finish(struct sl_flows *t) {
    struct sl_error err = {0};

    assert_int_equal(sl_flows_finish(t, (struct sl_time){1000, MANY}, &err), 0);
}

static void test_totals_past_32_bits(void **state) {
    struct sl_flows *t = make();
    struct sl_flow **flows;

    (void)state;
    for (int i = 0; i < 5; i++) {
        struct sl_packet p = packet(2, i == 4);
        p.len = UINT32_MAX;
        p.payload_len = UINT32_MAX - 1;
        update(t, &p);
        assert_int_equal(p.dir, i == 4);
        assert_int_equal(p.flow_pkt64, i + 1);
    }
    finish(t);
    assert_int_equal(sl_flows_decided(t, &flows), 1);
    assert_int_equal(flows[0]->n_packets[0], 4);
    assert_int_equal(flows[0]->n_packets[1], 1);
    assert_int_equal(flows[0]->n_bytes[0], 4 * (uint64_t)UINT32_MAX);
    assert_int_equal(flows[0]->n_bytes[1], UINT32_MAX);
    assert_int_equal(flows[0]->n_payload[0], 4 * (uint64_t)(UINT32_MAX - 1));
    assert_int_equal(flows[0]->n_payload[1], UINT32_MAX - 1);
    sl_flows_free(t);
}

static void same_flow(const struct sl_flow *f, uint32_t id) {
    struct sl_packet p = packet(id, 0);

    assert_memory_equal(&f->src, &p.src, sizeof f->src);
    assert_memory_equal(&f->dst, &p.dst, sizeof f->dst);
    assert_int_equal(f->sport, 1024);
    assert_int_equal(f->dport, 53);
    assert_int_equal(f->ip_version, p.ip_version);
    assert_int_equal(f->number64, id + 1);
    assert_int_equal(f->first.nsec, id);
    assert_int_equal(f->n_packets[0], 1);
    assert_int_equal(f->n_packets[1], 1);
    assert_int_equal(f->n_bytes[1], 100);
}

static void test_many_live_flows(void **state) {
    struct sl_flows *t = make();
    struct sl_flow **flows;
    uint32_t n, seen = 0;

    (void)state;
    for (int reply = 0; reply < 2; reply++) {
        for (uint32_t id = 0; id < MANY; id++) {
            struct sl_packet p = packet(id, reply);
            update(t, &p);
            assert_int_equal(p.dir, reply);
        }
    }
    assert_int_equal(sl_flows_stats(t)->created, MANY);
    assert_int_equal(sl_flows_stats(t)->live, MANY);
    finish(t);
    while ((n = sl_flows_decided(t, &flows)) > 0)
        for (uint32_t i = 0; i < n; i++) /* decided at one time: in order of their first packet */
            same_flow(flows[i], seen++);
    assert_int_equal(seen, MANY);
    sl_flows_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_totals_past_32_bits),
        cmocka_unit_test(test_many_live_flows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
