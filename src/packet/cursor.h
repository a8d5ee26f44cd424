/* A bounds-checked view of packet bytes: all reads of captured data go through it. */
#ifndef SL_PACKET_CURSOR_H
#define SL_PACKET_CURSOR_H

#include "../types.h"

struct sl_cursor {
    const uint8_t *at, *end;
};

static inline size_t sl_left(const struct sl_cursor *c) {
    return (size_t)(c->end - c->at);
}
static inline int sl_has(const struct sl_cursor *c, size_t n) {
    return sl_left(c) >= n;
}
/* Moves n bytes on; 0 when there are not as many. */
static inline int sl_skip(struct sl_cursor *c, size_t n) {
    if (!sl_has(c, n))
        return 0;
    c->at += n;
    return 1;
}
/* These read big-endian numbers at a distance; the caller has checked with sl_has. */
static inline uint8_t sl_u8(const struct sl_cursor *c, size_t at) {
    return c->at[at];
}
static inline uint16_t sl_u16(const struct sl_cursor *c, size_t at) {
    uint16_t v;
    __builtin_memcpy(&v, c->at + at, sizeof v);
    return __builtin_bswap16(v);
}
static inline uint32_t sl_u32(const struct sl_cursor *c, size_t at) {
    uint32_t v;
    __builtin_memcpy(&v, c->at + at, sizeof v);
    return __builtin_bswap32(v);
}
static inline uint64_t sl_u64(const struct sl_cursor *c, size_t at) {
    uint64_t v;
    __builtin_memcpy(&v, c->at + at, sizeof v);
    return __builtin_bswap64(v);
}
/* … and these little-endian ones. */
static inline uint16_t sl_le16(const struct sl_cursor *c, size_t at) {
    uint16_t v;
    __builtin_memcpy(&v, c->at + at, sizeof v);
    return v;
}
static inline uint32_t sl_le32(const struct sl_cursor *c, size_t at) {
    uint32_t v;
    __builtin_memcpy(&v, c->at + at, sizeof v);
    return v;
}

#endif
