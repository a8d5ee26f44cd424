#include "time_pack.h"

/* No reader of captures gives seconds further from 1970. */
static const int64_t MOST_S = (int64_t)1 << 60;

enum { NSEC = 1000000000, NEAR_S = 2, WHOLE = 3, WHOLE_BYTES = 12 };

static uint64_t add_to_sum(uint64_t sum, struct sl_time t) {
    uint64_t x = (sum ^ (uint64_t)t.s << 30 ^ t.nsec) * 0xff51afd7ed558ccdu;

    return x ^ x >> 29;
}

/* The distance in nanoseconds, where it fits in 32 bits with its sign. */
static inline int near(struct sl_time t, struct sl_time before, uint32_t *folded) {
    uint64_t s = (uint64_t)t.s - (uint64_t)before.s + NEAR_S;

    if (s > 2 * NEAR_S || t.nsec >= NSEC || before.nsec >= NSEC)
        return 0;
    int64_t ns = ((int64_t)s - NEAR_S) * NSEC + ((int64_t)t.nsec - (int64_t)before.nsec);
    *folded = sl_folded((uint32_t)ns);
    return ns == (int32_t)ns;
}

static uint8_t *pack_whole(uint8_t *to, struct sl_time t) {
    __builtin_memcpy(to, &t.s, 8);
    __builtin_memcpy(to + 8, &t.nsec, 4);
    return to + WHOLE_BYTES;
}

uint8_t *sl_times_pack(uint8_t *to, struct sl_time_memory *memory, const struct sl_packet *packets,
                       uint32_t n) {
    uint8_t *codes = sl_number_pack(to, n), *at = codes + (n + 3) / 4;
    struct sl_time before = memory->before;
    unsigned code_bits = 0;

    for (uint32_t i = 0; i < n; i++) {
        struct sl_time t = packets[i].ts;
        uint32_t distance;
        unsigned code = WHOLE;
        if (near(t, before, &distance)) {
            code = (unsigned)(distance > 0xff) + (distance > 0xffff);
            __builtin_memcpy(at, &distance, sizeof distance);
            at += 1u << code;
        } else {
            at = pack_whole(at, t);
        }
        code_bits = (i % 4 ? code_bits : 0) | code << 2 * (i % 4);
        codes[i / 4] = (uint8_t)code_bits;
        memory->sum = add_to_sum(memory->sum, t);
        before = t;
    }
    memory->before = before;
    return at;
}

static inline void add_distance(struct sl_time *t, uint32_t folded) {
    int64_t ns = (int64_t)t->nsec + (int32_t)sl_unfolded(folded), s = 0;

    if (ns < 0 || ns >= NSEC) {
        s = ns / NSEC - (ns < 0 && ns % NSEC);
        ns -= s * NSEC;
    }
    t->nsec = (uint32_t)ns;
    t->s += s;
}

static inline int unpack_time(struct sl_cursor *from, unsigned code, struct sl_time *t) {
    uint8_t copy[WHOLE_BYTES] = {0};
    const uint8_t *at = sl_readable(from, WHOLE_BYTES, copy);
    uint32_t size = code == WHOLE ? WHOLE_BYTES : 1u << code;

    if (!sl_skip(from, size))
        return -1;
    if (code == WHOLE) {
        __builtin_memcpy(&t->s, at, 8);
        __builtin_memcpy(&t->nsec, at + 8, 4);
    } else {
        add_distance(t, sl_coded_unpack(&at, code + 1));
    }
    return t->s <= MOST_S && t->s >= -MOST_S ? 0 : -1;
}

int sl_times_unpack(struct sl_cursor *from, struct sl_time_memory *memory,
                    struct sl_packet *packets, uint32_t *n) {
    uint64_t count;

    if (sl_number_unpack(from, &count) < 0 || count > SL_BATCH)
        return -1;
    const uint8_t *codes = from->at;
    if (!sl_skip(from, (count + 3) / 4))
        return -1;
    struct sl_time t = memory->before;
    for (uint32_t i = 0; i < count; i++) {
        if (unpack_time(from, codes[i / 4] >> 2 * (i % 4) & 3, &t) < 0)
            return -1;
        packets[i].ts = t;
    }
    memory->before = t;
    *n = (uint32_t)count;
    return 0;
}
