/* Statistics over packets, against the same sums made one packet after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/run/stats.h"

enum { N = 100, ROUNDS = 2000 };

static uint64_t draw(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* How far from 1970 stamps are: within hours, years, or outside what nanoseconds can hold. */
static struct sl_packet packet_of(uint64_t *state, unsigned kind) {
    static const int64_t ranges[] = {10000, 1000000000, 9223372036, 10000000000};
    int64_t range = ranges[kind % 4];
    struct sl_packet p = {.len = (uint32_t)draw(state), .caplen = (uint32_t)draw(state)};

    p.ts.s = (int64_t)(draw(state) << 31 | draw(state)) % (2 * range + 1) - range;
    p.ts.nsec = (uint32_t)(draw(state) % 1000000000);
    p.ts_ns = sl_time_ns(p.ts);
    p.protos = (uint64_t)1 << SL_P_ETH | (uint64_t)1 << (draw(state) & 1 ? SL_P_IP : SL_P_ARP);
    p.no_time = kind / 4 % 2 && draw(state) % 4 == 0;
    return p;
}

static void add_one(struct sl_stats *s, const struct sl_packet *p) {
    s->packets++;
    s->bytes += p->len;
    s->captured_bytes += p->caplen;
    s->ts_saturated += p->ts_ns == INT64_MAX || p->ts_ns == INT64_MIN;
    if (p->no_time)
        return;
    if (!s->timed++) {
        s->first = s->last = p->ts;
        return;
    }
    if (sl_before(p->ts, s->first))
        s->first = p->ts;
    if (sl_before(s->last, p->ts))
        s->last = p->ts;
}

static void check(const struct sl_stats *got, const struct sl_stats *want) {
    assert_int_equal(got->packets, want->packets);
    assert_int_equal(got->bytes, want->bytes);
    assert_int_equal(got->captured_bytes, want->captured_bytes);
    assert_int_equal(got->timed, want->timed);
    assert_int_equal(got->ts_saturated, want->ts_saturated);
    assert_int_equal(got->first.s, want->first.s);
    assert_int_equal(got->first.nsec, want->first.nsec);
    assert_int_equal(got->last.s, want->last.s);
    assert_int_equal(got->last.nsec, want->last.nsec);
    assert_int_equal(got->proto_packets[SL_P_ETH], want->packets);
}

/* Every second packet of batches of all sizes, one counter for several batches. */
static void counts_like_one_by_one(void **unused) {
    static struct sl_counter c;
    struct sl_packet packets[N];
    uint32_t sel[N];
    uint64_t state = 1;
    (void)unused;

    for (unsigned round = 0; round < ROUNDS; round++) {
        struct sl_stats want = {0};
        memset(&c, 0, sizeof c);
        for (unsigned batch = 0; batch < 3; batch++) {
            uint32_t n = 0, size = (uint32_t)(draw(&state) % (N + 1));
            for (uint32_t i = 0; i < size; i++) {
                packets[i] = packet_of(&state, round);
                if (i % 2)
                    continue;
                sel[n++] = i;
                add_one(&want, &packets[i]);
            }
            sl_counter_add(&c, packets, sel, n);
        }
        check(sl_counter_stats(&c), &want);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_like_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
