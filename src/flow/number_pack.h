/* Numbers as bytes, for what has to be small (event_pack.h, time_pack.h).
 *
 * Two forms. Seven bits a byte, the lowest first, bit 7: more follow (LEB128), for numbers that
 * stand alone. And numbers of 32 bits whose length, 0, 1, 2 or 4 bytes, is told by a code of two
 * bits that stands elsewhere: written and read without a jump, as all four bytes, of which as many
 * count. So there have to be SL_PACKED_SPARE bytes behind what is written.
 */
#ifndef SL_FLOW_NUMBER_PACK_H
#define SL_FLOW_NUMBER_PACK_H

#include "../packet/cursor.h"

enum { SL_PACKED_NUMBER_MAX = 10, SL_PACKED_SPARE = 4 };

/* Writes a number and returns where it ended. */
uint8_t *sl_number_pack(uint8_t *to, uint64_t number);
/* 0: done; -1: there is none. */
int sl_number_unpack(struct sl_cursor *, uint64_t *number) SL_USED;

static inline unsigned sl_code_of(uint32_t n) {
    return (unsigned)(n != 0) + (n > 0xff) + (n > 0xffff);
}
static inline uint32_t sl_code_size(unsigned code) {
    return code + (code == 3);
}

static inline uint8_t *sl_coded_pack(uint8_t *to, uint32_t n, unsigned code) {
    __builtin_memcpy(to, &n, sizeof n);
    return to + sl_code_size(code);
}

/* Four bytes can be read at *from. */
static inline uint32_t sl_coded_unpack(const uint8_t **from, unsigned code) {
    static const uint32_t masks[] = {0, 0xff, 0xffff, 0xffffffff};
    uint32_t n;

    __builtin_memcpy(&n, *from, sizeof n);
    *from += sl_code_size(code);
    return n & masks[code];
}

/* A number with its sign in bit 0, and back. */
static inline uint32_t sl_folded(uint32_t n) {
    return n << 1 ^ (0 - (n >> 31));
}
static inline uint32_t sl_unfolded(uint32_t n) {
    return n >> 1 ^ (0 - (n & 1));
}

/* Where the next n bytes can be read, whatever is left: at the cursor, or copied to `copy`, which
 * is all zero and has room for them. */
static inline const uint8_t *sl_readable(const struct sl_cursor *from, size_t n, uint8_t *copy) {
    if (__builtin_expect(sl_has(from, n), 1))
        return from->at;
    __builtin_memcpy(copy, from->at, sl_left(from));
    return copy;
}

#endif
