/* Addresses compared: struct sl_addr holds IPv4 as ::ffff:a.b.c.d. */
#ifndef SL_PACKET_ADDRESS_H
#define SL_PACKET_ADDRESS_H

#include "../types.h"

static inline int sl_addr_is_ipv4(const struct sl_addr *a) {
    return ((a->w[0] | a->w[1]) | (a->w[2] ^ 0xffff)) == 0;
}
/* In place and without a jump for each word. */
static inline int sl_addr_same(const struct sl_addr *a, const struct sl_addr *b) {
    return ((a->w[0] ^ b->w[0]) | (a->w[1] ^ b->w[1]) | (a->w[2] ^ b->w[2]) |
            (a->w[3] ^ b->w[3])) == 0;
}

#endif
