/* Reader and decode on hostile bytes. The same bytes are read twice, in blocks of different sizes:
 * what comes out may not depend on how the bytes came in. Every offset that decode gives must lie
 * in the captured bytes. */
#include <stdlib.h>
#include <string.h>

#include "../../src/capture/reader.h"
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

static uint64_t read_all(const uint8_t *data, size_t size, size_t chunk) {
    struct sl_error err = {0};
    struct sl_packet packets[BATCH];
    uint64_t hash = 0xcbf29ce484222325;
    struct sl_source *source = sl_source_memory_open(data, size, chunk, &err);
    must(source != NULL);
    struct sl_reader *reader = sl_reader_open(source, &err);
    int n = reader ? 0 : SL_READ_ERROR;

    while (reader && (n = sl_reader_next(reader, packets, BATCH, -1, &err)) > 0)
        for (int i = 0; i < n; i++) {
            struct sl_packet *p = &packets[i];
            sl_decode(p);
            check_packet(p);
            hash = mix(mix(hash, p->offset), p->number);
            hash = mix(mix(hash, p->protos), p->payload_off);
            hash = mix(mix(hash, p->caplen), (uint64_t)p->ts.s ^ p->ts.nsec);
        }
    must(n == SL_READ_END || (n == SL_READ_ERROR && err.code && err.message[0]));
    for (const char *c = err.message; *c; c++)
        hash = mix(hash, (uint64_t)*c);
    sl_reader_close(reader);
    sl_source_close(source);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint64_t at_once = read_all(data, size, 0);

    must(read_all(data, size, 1 + size % 61) == at_once);
    return 0;
}
