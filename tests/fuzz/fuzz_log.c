/* A hostile log of events (src/flow/event_pack.h), as a partial result might hold it: what is read
 * of it goes into a flow table. What it is read as must be written and read again as the same. */
#include <stdlib.h>
#include <string.h>

#include "../../src/flow/event_pack.h"
#include "../../src/flow/flow.h"
#include "../../src/flow/time_pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sl_hash_seed seed = {0x0123456789abcdef, 0xfedcba9876543210};

struct side {
    struct sl_event_memory memory;
    struct sl_time_memory times;
    struct sl_packet packets[SL_BATCH];
    struct sl_event_batch events;
    uint32_t n;
};

static void must(int truth) {
    if (!truth)
        abort();
}

static int read_block(struct side *s, struct sl_cursor *from) {
    sl_event_batch_clear(&s->events, 1);
    return sl_times_unpack(from, &s->times, s->packets, &s->n) < 0 ||
                   sl_events_unpack(from, &s->memory, &s->events, s->packets, s->n, &seed) < 0
               ? -1
               : 0;
}

static void same(const struct side *a, const struct side *b) {
    must(a->n == b->n && a->events.n == b->events.n && a->events.n_more == b->events.n_more);
    for (uint32_t i = 0; i < a->events.n; i++) {
        struct sl_flow_event x = a->events.events[i], y = b->events.events[i];
        x.position = y.position = 0; /* counts only where packets have stamps */
        must(!memcmp(&x, &y, sizeof x));
    }
    must(!memcmp(a->events.more, b->events.more, a->events.n_more * sizeof *a->events.more));
}

static void check_again(const struct side *s, struct side *writer, struct side *reader) {
    static uint8_t bytes[SL_PACKED_TIMES_MAX + SL_PACKED_EVENTS_MAX];
    uint8_t *end = sl_times_pack(bytes, &writer->times, s->packets, s->n);

    end = sl_events_pack(end, &writer->memory, &s->events);
    must((size_t)(end - bytes) <= sizeof bytes);
    struct sl_cursor again = {bytes, end};
    must(read_block(reader, &again) == 0 && !sl_left(&again));
    same(s, reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sl_flow_options options = {
        .idle_tcp_s = 300, .idle_other_s = 60, .closing_s = 5, .ordered = 1, .seed = seed};
    struct side *sides = calloc(3, sizeof *sides);
    struct sl_cursor from = {data, data + size};
    struct sl_error err;
    struct sl_flows *flows = sl_flows_new(&options, &err);
    struct sl_flow **decided;

    must(sides && flows);
    while (sl_left(&from) && read_block(&sides[0], &from) == 0) {
        check_again(&sides[0], &sides[1], &sides[2]);
        must(sl_flows_take(flows, &sides[0].events, NULL, &err) == 0);
        if (sides[0].n)
            must(sl_flows_sweep(flows, sides[0].packets[0].ts.s, &err) == 0);
        while (sl_flows_decided(flows, &decided))
            continue;
    }
    must(sl_flows_finish(flows, sides[0].times.before, &err) == 0);
    while (sl_flows_decided(flows, &decided))
        continue;
    sl_flows_free(flows);
    free(sides);
    return 0;
}
