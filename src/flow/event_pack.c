#include "event_pack.h"

/* A trial is of so many events, and pays where they take no more than this; else so many batches
 * are told whole before the next one. */
enum { TRIAL_EVENTS = 2 * SL_BATCH, NEAR_BYTES_MAX = 14, WHOLE_BATCHES = 62 };

/* Of one event, with a key that says the same to every reader: the numbers that stand for IPv6
 * addresses are not in it, nor which of these is the lower one. */
static inline uint64_t add_to_sum(uint64_t sum, const struct sl_flow_event *e,
                                  const struct sl_event_more *more, uint64_t number) {
    uint64_t hosts = e->hosts;
    uint32_t ports = e->ports, kind = e->kind;

    if (kind & SL_KEY_V6) {
        const uint32_t *src = more->src.w, *dst = more->dst.w;
        hosts = (uint64_t)(src[0] ^ src[1] ^ src[2] ^ src[3]) << 32 |
                (dst[0] ^ dst[1] ^ dst[2] ^ dst[3]);
        ports = kind & SL_KEY_FROM_UPPER ? ports << 16 | ports >> 16 : ports;
        kind &= SL_KEY_SAME;
    }
    uint64_t a = sl_mix(hosts ^ 0xff51afd7ed558ccdu,
                        ((uint64_t)ports << 32 | e->seq) ^ number << 20 ^ 0xd1b54a32d192ed03u);
    uint64_t b = sl_mix(((uint64_t)e->len << 32 | e->ack) ^ 0x9e3779b97f4a7c15u,
                        ((uint64_t)e->payload_len << 32 | (uint32_t)e->tcp_flags << 16 | kind) ^
                            0xc4ceb9fe1a85ec53u);
    uint64_t c = (uint64_t)e->ip_len << 32 | (uint32_t)e->window << 16 | e->bits;

    return (sum ^ a ^ b ^ c) * 0xff51afd7ed558ccdu;
}

static uint64_t sum_of(uint64_t sum, const struct sl_event_batch *b) {
    for (uint32_t i = 0; i < b->n; i++) {
        const struct sl_flow_event *e = &b->events[i];
        sum = add_to_sum(sum, e, &b->more[e->kind & SL_KEY_V6 ? e->more : 0], b->base + e->number);
    }
    return sum;
}

/* Takes note of what a batch took by its differences. */
static void judge(struct sl_event_memory *memory, uint32_t n, size_t bytes) {
    memory->near_events += n;
    memory->near_bytes += (uint32_t)bytes;
    if (memory->near_events < TRIAL_EVENTS)
        return;
    if (memory->near_bytes > NEAR_BYTES_MAX * memory->near_events)
        memory->whole_left = WHOLE_BATCHES;
    memory->near_events = memory->near_bytes = 0;
}

uint8_t *sl_events_pack(uint8_t *to, struct sl_event_memory *memory,
                        const struct sl_event_batch *b) {
    uint64_t number = 2 * (uint64_t)b->n;

    memory->sum = sum_of(memory->sum, b);
    if (memory->whole_left) {
        memory->whole_left--;
        return sl_whole_pack(sl_number_pack(to, number), b);
    }
    to = sl_number_pack(to, number + 1);
    uint8_t *end = sl_near_pack(to, &memory->near, b);
    judge(memory, b->n, (size_t)(end - to));
    return end;
}

int sl_events_unpack(struct sl_cursor *from, struct sl_event_memory *memory,
                     struct sl_event_batch *b, const struct sl_packet *packets, uint32_t n_packets,
                     const struct sl_hash_seed *seed) {
    uint64_t number;

    if (sl_number_unpack(from, &number) < 0 || number / 2 > SL_BATCH)
        return -1;
    uint32_t n = (uint32_t)(number / 2);
    return number & 1 ? sl_near_unpack(from, &memory->near, b, n, packets, n_packets, seed)
                      : sl_whole_unpack(from, b, n, packets, n_packets, seed);
}
