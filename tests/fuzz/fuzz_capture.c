/* Reader, decode and flow table on hostile bytes. The same bytes are read twice, in blocks of
 * different sizes: packets, errors, flows and their order may not depend on how the bytes came in.
 * Every offset that decode gives must lie in the captured bytes; flows neither lose nor invent
 * packets. */
#include <stdlib.h>
#include <string.h>

#include "../../src/capture/reader.h"
#include "../../src/flow/clock.h"
#include "../../src/flow/flow.h"
#include "../../src/packet/decode.h"

enum { BATCH = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth) {
    if (!truth)
        abort();
}

/* A place in the captured bytes, or just behind them. */
static void check_packet(const struct sl_packet *p) {
    must(p->net_off <= p->caplen);
    must(p->l4_off <= p->caplen);
    must(p->skip < SL_SKIP_N);
    must(p->protos >> SL_P_N == 0);
    must(p->payload_cap <= p->payload_len);
    must(p->payload_cap == 0 || p->payload_off + p->payload_cap <= p->caplen);
    must(p->ts.nsec < 1000000000);
    uint32_t sum = 0; /* ASan sees every byte that a recipe may look at */
    for (uint32_t i = 0; i < p->payload_cap; i++)
        sum += p->data[p->payload_off + i];
    must(sum <= 255 * (p->payload_cap + 1));
}

/* FNV-1a over what a reader and decode say of a packet. */
static uint64_t mix(uint64_t hash, uint64_t value) {
    for (int i = 0; i < 8; i++)
        hash = (hash ^ (value >> 8 * i & 255)) * 0x100000001b3;
    return hash;
}

/* What one reading of the capture came to. */
struct result {
    uint64_t packets, flows; /* hashes over both in their order */
    uint64_t n_packets, n_flow_packets;
};

static void add_flows(struct result *r, struct sl_flows *table) {
    struct sl_flow **flows;
    uint32_t n;

    while ((n = sl_flows_decided(table, &flows)) > 0)
        for (uint32_t i = 0; i < n; i++) {
            const struct sl_flow *f = flows[i];
            r->n_flow_packets += f->n_packets[0] + f->n_packets[1];
            r->flows = mix(mix(r->flows, f->number64), f->n_packets[0]);
            r->flows = mix(mix(r->flows, f->n_bytes[0]), f->n_bytes[1]);
            r->flows = mix(mix(r->flows, f->end), (uint64_t)f->last.s ^ f->last.nsec);
            r->flows = mix(mix(r->flows, f->conn_state), (uint64_t)f->rtt_ns[0] ^ f->n_ip_bytes[0]);
            r->flows = mix(mix(r->flows, f->n_retransmitted[0]), f->n_missed[1]);
            for (const char *c = f->letters; *c; c++)
                r->flows = mix(r->flows, (uint64_t)*c);
            must(strlen(f->letters) < sizeof f->letters);
            must(f->n_retransmitted[0] <= f->n_payload[0] &&
                 f->n_retransmitted[1] <= f->n_payload[1]);
        }
}

static void add_packets(struct result *r, struct sl_packet *packets, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        struct sl_packet *p = &packets[i];
        sl_decode(p);
        check_packet(p);
        must(p->number64 == ++r->n_packets);
        r->packets = mix(mix(r->packets, p->offset64), p->protos);
        r->packets = mix(mix(r->packets, p->payload_off), p->caplen);
        r->packets = mix(r->packets, (uint64_t)p->ts.s ^ p->ts.nsec);
    }
}

/* As run.c has it: the clock sees all packets, and lets flows out where its blocks end. */
static void update(struct sl_flows *table, struct sl_clock *clock, struct sl_packet *packets,
                   uint32_t n, const struct sl_hash_seed *seed) {
    struct sl_event_batch batch;
    struct sl_clock_part part;
    struct sl_error err = {0};
    int64_t until_s;

    sl_event_batch_clear(&batch, packets[0].number64);
    for (uint32_t i = 0; i < n; i++)
        (void)sl_event_add(&batch, &packets[i], seed);
    must(sl_flows_take(table, &batch, NULL, &err) == 0);
    sl_clock_part_of(&part, packets, n);
    if (sl_clock_add(clock, &part, &until_s))
        must(sl_flows_sweep(table, until_s, &err) == 0);
}

static struct result read_all(const uint8_t *data, size_t size, size_t chunk,
                              struct sl_flows *table, const struct sl_hash_seed *seed) {
    struct sl_error err = {0};
    struct sl_packet packets[BATCH];
    struct sl_clock clock = {0};
    struct result r = {.packets = 0xcbf29ce484222325, .flows = 0xcbf29ce484222325};
    struct sl_source *source = NULL;
    struct sl_reader *reader;
    int n;

    /* libFuzzer's alarm may interrupt a wait for the thread that unpacks: again, then. */
    do {
        sl_source_close(source);
        source = sl_source_memory_open(data, size, chunk, &err);
        must(source != NULL);
        reader = sl_reader_open(source, &err);
    } while (!reader && err.code == SL_EXIT_INTERRUPTED);
    n = reader ? SL_READ_WAIT : SL_READ_ERROR;

    while (reader && (n > 0 || n == SL_READ_WAIT)) {
        uint32_t room = sl_clock_room(clock.packets);
        n = sl_reader_next(reader, packets, room < BATCH ? room : BATCH, -1, &err);
        if (n <= 0)
            continue;
        add_packets(&r, packets, (uint32_t)n);
        update(table, &clock, packets, (uint32_t)n, seed);
        add_flows(&r, table);
    }
    must(n == SL_READ_END || (n == SL_READ_ERROR && err.code && err.message[0]));
    /* Where in compressed bytes a library notices damage depends on the pieces it was given. */
    int unpacking = strstr(err.message, "compressed input") != NULL;
    for (const char *c = err.message; *c && !unpacking; c++)
        r.packets = mix(r.packets, (uint64_t)*c);
    must(sl_flows_finish(table, sl_clock_end(&clock), &err) == 0);
    add_flows(&r, table);
    must(sl_flows_stats(table)->packets == r.n_flow_packets);
    must(r.n_flow_packets <= r.n_packets);
    sl_reader_close(reader);
    sl_source_close(source);
    return r;
}

static struct result read_in_chunks(const uint8_t *data, size_t size, size_t chunk) {
    struct sl_flow_options options = sl_flow_defaults();
    struct sl_error err = {0};

    options.ordered = 1;
    options.max_flows = size % 3 ? 0 : 2;
    if (size % 5 == 0)
        options.idle_tcp_s = options.idle_other_s = 0;
    struct sl_flows *table = sl_flows_new(&options, &err);
    must(table != NULL);
    struct result r = read_all(data, size, chunk, table, &options.seed);
    sl_flows_free(table);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct result at_once = read_in_chunks(data, size, 0);
    struct result in_pieces = read_in_chunks(data, size, 1 + size % 61);

    must(at_once.packets == in_pieces.packets);
    must(at_once.flows == in_pieces.flows);
    return 0;
}
