/* What the sieve keeps of payloads is enough for any head that a flow may have, wherever a piece of
 * the capture begins: random conversations whose bytes come out of order, again and with holes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../src/flow/flow.h"
#include "../../src/flow/head.h"
#include "../../src/flow/head_sieve.h"
#include "../../src/flow/table.h"

enum { N = 4000, SIZE = 200, PAYLOAD = 120, ROUNDS = 40 };

static uint8_t bytes[1 << 16];
static struct sl_packet packets[N];
static struct sl_flow_event events[N];
static uint64_t state;
static const struct sl_hash_seed seed = {5, 6};

static uint32_t any(uint32_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 33) % below);
}

static void make_packet(uint32_t i, uint32_t *isn, uint32_t *sent, int64_t now) {
    struct sl_packet *p = &packets[i];
    struct sl_event_batch b = {.base = 1};
    int way = (int)any(2);
    uint32_t *start = &isn[way], *at = &sent[way];

    *p = (struct sl_packet){.number64 = i + 1, .ip_version = 4, .proto = 6, .ts = {now, 0}};
    p->protos = 1ull << SL_P_IP | 1ull << SL_P_TCP;
    p->src.w[3] = way ? 2 : 1;
    p->dst.w[3] = way ? 1 : 2;
    p->sport = way ? 80 : 1024;
    p->dport = way ? 1024 : 80;
    if (any(60) == 0) {
        isn[0] = any(1u << 31) * 2, sent[0] = sent[1] = 0;
        p->seq = *start = isn[0];
        p->tcp_flags = way ? 18 : 2;
        if (way)
            *start = p->seq = any(1u << 31);
    } else {
        int32_t back = any(4) ? 0 : (int32_t)any(300) - 150;
        uint32_t from = back < 0 && *at < (uint32_t)-back ? 0 : *at + (uint32_t)back;
        p->tcp_flags = 16;
        p->seq = *start + 1 + from;
        p->payload_cap = any(3) ? any(PAYLOAD) : 0;
        p->data = bytes + from % 1000;
        if (from + p->payload_cap > *at)
            *at = from + p->payload_cap;
    }
    assert_int_equal(sl_event_add(&b, p, &seed), 1);
    events[i] = b.events[0];
}

/* Runs all packets through a flow table and heads; with cut, from `seam` on only what the sieve
 * kept.
 */
static void run(int is_cut, uint32_t seam, struct sl_heads *heads) {
    struct sl_flow_options options = {
        .idle_tcp_s = 300, .idle_other_s = 60, .closing_s = 5, .seed = seed};
    struct sl_error err;
    struct sl_flows *flows = sl_flows_new(&options, &err);
    struct sl_head_sieve *sieve = sl_head_sieve_new(SIZE, 5);
    uint32_t only = 0;

    assert_true(flows && sieve);
    for (uint32_t i = 0; i < N; i++) {
        struct sl_event_batch b = {.base = i + 1, .n = 1, .events = {events[i]}};
        struct sl_stamp stamp = {0};
        struct sl_packet p = packets[i];
        b.events[0].number = 0;
        assert_int_equal(sl_flows_take(flows, &b, &stamp, &err), 0);
        p.flow = stamp.flow;
        p.dir = stamp.dir;
        p.flow_pkt64 = stamp.ordinal;
        if (is_cut && i >= seam) {
            uint32_t kept = sl_head_sieve_take(sieve, &events[i], p.payload_cap);
            assert_true(sl_heads_wants(heads, &p) <= kept);
            p.payload_cap = kept;
        }
        assert_int_equal(sl_heads_take(heads, &p, &only, 1, &err), 0);
    }
    sl_head_sieve_free(sieve);
    sl_flows_free(flows);
}

static void enough_is_kept(void **unused) {
    struct sl_error err;

    (void)unused;
    state = 3;
    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)any(256);
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t isn[2] = {any(1000), any(1000)}, sent[2] = {0, 0};
        int64_t now = 1000;
        for (uint32_t i = 0; i < N; i++)
            make_packet(i, isn, sent, now += any(50) ? 0 : any(12));
        struct sl_heads *whole = sl_heads_new(SIZE, &err), *cut = sl_heads_new(SIZE, &err);
        assert_true(whole && cut);
        run(0, 0, whole);
        run(1, any(N), cut);
        for (uint32_t flow = 0; flow < 4; flow++)
            for (int dir = 0; dir < 2; dir++) {
                struct sl_view a = sl_heads_of(whole, flow, dir), b = sl_heads_of(cut, flow, dir);
                assert_int_equal(a.size, b.size);
                if (a.size)
                    assert_memory_equal(a.data, b.data, a.size);
            }
        sl_heads_free(whole);
        sl_heads_free(cut);
    }
}

static void little_is_kept(void **unused) {
    struct sl_head_sieve *sieve = sl_head_sieve_new(SIZE, 5);
    uint32_t kept = 0;

    (void)unused;
    assert_non_null(sieve);
    for (uint32_t i = 0; i < 10000; i++) {
        struct sl_flow_event e = {
            .kind = 6, .bits = SL_EVENT_TCP, .seq = 1000 * i, .tcp_flags = 16};
        kept += sl_head_sieve_take(sieve, &e, 1000);
    }
    assert_in_range(kept, SIZE, SIZE + 4096);
    for (uint32_t i = 0; i < 100; i++) {
        struct sl_flow_event e = {.kind = 17};
        kept += sl_head_sieve_take(sieve, &e, 150);
    }
    assert_in_range(kept, 2 * SIZE, 2 * SIZE + 4096);
    sl_head_sieve_free(sieve);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enough_is_kept),
        cmocka_unit_test(little_is_kept),
    };
    return cmocka_run_group_tests_name("head_sieve", tests, NULL, NULL);
}
