/* Events as bytes and back: the same events and times, whatever they are, and no more bytes than is
 * said; cut or changed bytes are refused or read as something else, never beyond their end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/flow/event_pack.h"
#include "../../src/flow/table.h"
#include "../../src/flow/time_pack.h"

static const struct sl_hash_seed write_seed = {1, 2}, read_seed = {3, 4};

struct side {
    struct sl_event_memory memory;
    struct sl_time_memory times;
    struct sl_packet packets[SL_BATCH];
    struct sl_event_batch events;
    uint32_t n;
};

static uint64_t state;

static uint32_t any(uint32_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return below ? (uint32_t)((state >> 33) % below) : (uint32_t)(state >> 32);
}

static struct sl_time any_time(struct sl_time before) {
    switch (any(20)) {
    case 0:
        return (struct sl_time){(int64_t)any(0) << 27, any(1000000000)};
    case 1:
        return (struct sl_time){-(int64_t)any(0), any(1000000000)};
    case 2:
        return (struct sl_time){before.s - any(5), any(1000000000)};
    default:
        before.nsec += any(1000000);
        return (struct sl_time){before.s + before.nsec / 1000000000, before.nsec % 1000000000};
    }
}

/* An event among few hosts, so that flows come again, from either end. */
static void make_event(struct sl_event_batch *b, uint32_t number, struct sl_time t) {
    struct sl_flow_event *e = &b->events[b->n];
    struct sl_event_more *more = &b->more[b->n_more];
    int v6 = any(3) == 0, from = (int)any(2);
    struct sl_addr ends[2] = {{{0, 0, 0, 0x0a000001 + any(3)}}, {{0, 0, 0, 0x0a000001 + any(3)}}};

    if (v6)
        for (int i = 0; i < 2; i++)
            ends[i].w[0] = 0x20010db8, ends[i].w[2] = any(2);
    *e = (struct sl_flow_event){.ts_s = t.s, .ts_nsec = t.nsec, .number = number};
    e->kind = (uint16_t)((any(4) ? 6 : any(256)) | (v6 ? SL_KEY_V6 : 0));
    e->bits = (uint8_t)(any(10)  ? SL_EVENT_TCP
                        : any(2) ? SL_EVENT_FIRST_FRAGMENT
                                 : SL_EVENT_LATER_FRAGMENT);
    e->len = any(4) ? 60 + any(1460) : any(0);
    e->ip_len = any(4) ? e->len - 14 : any(0);
    e->payload_len = any(4) ? e->ip_len - 40 : any(0);
    e->seq = any(3) ? any(100000) : any(0);
    e->ack = any(3) ? any(100000) : any(0);
    e->window = (uint16_t)any(65536);
    e->tcp_flags = (uint16_t)any(512);
    *more =
        (struct sl_event_more){ends[from], ends[!from], e->bits & SL_EVENT_TCP ? 0 : any(65536)};
    struct sl_ports ports = {(uint16_t)any(2), (uint16_t)any(2), any(10) == 0};
    sl_event_set_key(e, more, ports, &write_seed);
    if (v6 || !(e->bits & SL_EVENT_TCP))
        e->more = b->n_more++;
    b->n++;
}

static void make_batch(struct side *s) {
    s->n = any(SL_BATCH) + 1;
    sl_event_batch_clear(&s->events, 1);
    for (uint32_t i = 0; i < s->n; i++) {
        s->times.before = s->packets[i].ts = any_time(s->times.before);
        if (any(5))
            make_event(&s->events, i, s->packets[i].ts);
    }
}

static int read_batch(struct side *s, struct sl_cursor *c, const struct sl_hash_seed *seed) {
    sl_event_batch_clear(&s->events, 1);
    if (sl_times_unpack(c, &s->times, s->packets, &s->n) < 0)
        return -1;
    return sl_events_unpack(c, &s->memory, &s->events, s->packets, s->n, seed);
}

static void assert_same_event(const struct sl_event_batch *made, const struct sl_event_batch *read,
                              uint32_t i) {
    struct sl_flow_event a = made->events[i], b = read->events[i];
    int has_more = (a.kind & SL_KEY_V6) || !(a.bits & SL_EVENT_TCP);

    if (has_more)
        assert_memory_equal(&made->more[a.more], &read->more[b.more], sizeof *made->more);
    if (a.kind & SL_KEY_V6) { /* the reader's table has its own numbers for addresses */
        struct sl_ports ports = {(uint16_t)(a.ports >> 16), (uint16_t)a.ports,
                                 (a.kind & SL_KEY_ONE_WAY) != 0};
        if (a.kind & SL_KEY_FROM_UPPER)
            ports.sport = (uint16_t)a.ports, ports.dport = (uint16_t)(a.ports >> 16);
        sl_event_set_key(&a, &made->more[a.more], ports, &read_seed);
    } else {
        a.hash = sl_flow_hash(a.hosts, a.ports, a.kind, &read_seed);
    }
    a.more = b.more = 0;
    a.position = b.position = 0;
    assert_memory_equal(&a, &b, sizeof a);
}

static void comes_back(void **unused) {
    static uint8_t bytes[SL_PACKED_TIMES_MAX + SL_PACKED_EVENTS_MAX];
    struct side *made = calloc(1, sizeof *made), *writer = calloc(1, sizeof *writer);
    struct side *reader = calloc(1, sizeof *reader);

    (void)unused;
    assert_true(made && writer && reader);
    state = 1;
    for (int round = 0; round < 3000; round++) {
        make_batch(made);
        uint8_t *end = sl_times_pack(bytes, &writer->times, made->packets, made->n);
        end = sl_events_pack(end, &writer->memory, &made->events);
        assert_true((size_t)(end - bytes) <= sizeof bytes);
        struct sl_cursor c = {bytes, end};
        assert_int_equal(read_batch(reader, &c, &read_seed), 0);
        assert_int_equal(sl_left(&c), 0);
        assert_int_equal(reader->n, made->n);
        assert_int_equal(reader->events.n, made->events.n);
        for (uint32_t i = 0; i < made->n; i++)
            assert_memory_equal(&reader->packets[i].ts, &made->packets[i].ts,
                                sizeof(struct sl_time));
        for (uint32_t i = 0; i < made->events.n; i++)
            assert_same_event(&made->events, &reader->events, i);
    }
    free(made);
    free(writer);
    free(reader);
}

/* A transfer costs few bytes: that is what the form is for. */
static void is_small(void **unused) {
    static uint8_t bytes[SL_PACKED_EVENTS_MAX];
    struct side *s = calloc(1, sizeof *s);

    (void)unused;
    assert_non_null(s);
    sl_event_batch_clear(&s->events, 1);
    for (uint32_t i = 0; i < SL_BATCH; i++) {
        struct sl_event_more more = {{{0, 0, 0, 1}}, {{0, 0, 0, 2}}, 0};
        struct sl_flow_event *e = &s->events.events[s->events.n++];
        *e = (struct sl_flow_event){.kind = 6,
                                    .tcp_flags = 16,
                                    .len = 1514,
                                    .ip_len = 1500,
                                    .payload_len = 1460,
                                    .seq = 1460 * i,
                                    .ack = 7,
                                    .number = i,
                                    .window = 500,
                                    .bits = SL_EVENT_TCP};
        sl_event_set_key(e, &more, (struct sl_ports){1, 2, 0}, &write_seed);
    }
    uint8_t *end = sl_events_pack(bytes, &s->memory, &s->events);
    assert_in_range(end - bytes, 4 * SL_BATCH, 4 * SL_BATCH + 50);
    free(s);
}

/* Nothing can be foretold of packets of flows that do not come again: they are told whole. */
static void is_whole_where_flows_are_short(void **unused) {
    static uint8_t bytes[SL_PACKED_EVENTS_MAX];
    struct side *s = calloc(1, sizeof *s);
    size_t last = 0;

    (void)unused;
    assert_non_null(s);
    state = 3;
    for (int batch = 0; batch < 10; batch++) {
        sl_event_batch_clear(&s->events, 1);
        for (uint32_t i = 0; i < SL_BATCH; i++) {
            struct sl_event_more more = {{{0, 0, 0, any(0)}}, {{0, 0, 0, any(0)}}, 0};
            struct sl_flow_event *e = &s->events.events[s->events.n++];
            *e = (struct sl_flow_event){.kind = 6, .seq = any(0), .ack = any(0), .number = i};
            sl_event_set_key(e, &more, (struct sl_ports){(uint16_t)any(0), 443, 0}, &write_seed);
        }
        last = (size_t)(sl_events_pack(bytes, &s->memory, &s->events) - bytes);
    }
    assert_in_range(last, 32 * SL_BATCH, 32 * SL_BATCH + SL_PACKED_NUMBER_MAX);
    free(s);
}

static void damage_is_survived(void **unused) {
    static uint8_t bytes[SL_PACKED_TIMES_MAX + SL_PACKED_EVENTS_MAX];
    struct side *made = calloc(1, sizeof *made), *writer = calloc(1, sizeof *writer);
    struct side *reader = calloc(1, sizeof *reader);

    (void)unused;
    assert_true(made && writer && reader);
    state = 2;
    for (int round = 0; round < 3000; round++) {
        make_batch(made);
        uint8_t *end = sl_times_pack(bytes, &writer->times, made->packets, made->n);
        end = sl_events_pack(end, &writer->memory, &made->events);
        size_t size = any((uint32_t)(end - bytes)) + 1;
        uint8_t *copy = malloc(size); /* so that a byte beyond is found by ASan */
        assert_non_null(copy);
        memcpy(copy, bytes, size);
        copy[any((uint32_t)size)] = (uint8_t)any(256);
        struct sl_cursor c = {copy, copy + size};
        if (read_batch(reader, &c, &read_seed) == 0)
            for (uint32_t i = 0; i < reader->events.n; i++)
                assert_true(reader->events.events[i].number < reader->n);
        free(copy);
    }
    free(made);
    free(writer);
    free(reader);
}

static void numbers_end(void **unused) {
    static const uint8_t endless[12] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    struct sl_cursor c = {endless, endless + sizeof endless}, none = {endless, endless};
    uint8_t bytes[SL_PACKED_NUMBER_MAX];
    uint64_t n;

    (void)unused;
    assert_int_equal(sl_number_unpack(&c, &n), -1);
    assert_int_equal(sl_number_unpack(&none, &n), -1);
    c = (struct sl_cursor){bytes, sl_number_pack(bytes, UINT64_MAX)};
    assert_int_equal(sl_number_unpack(&c, &n), 0);
    assert_true(n == UINT64_MAX && !sl_left(&c));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),
        cmocka_unit_test(is_small),
        cmocka_unit_test(is_whole_where_flows_are_short),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(numbers_end),
    };
    return cmocka_run_group_tests_name("event_pack", tests, NULL, NULL);
}
