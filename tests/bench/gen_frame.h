/* Frames of the bench generator: Ethernet, IPv4 or IPv6, TCP or UDP, and padding for payload.
 *
 * Clients are in 10.0.0.0/8 and 2001:2:0:1::/64, servers in 198.18.0.0/16 and 2001:2:0:2::/64, the
 * blocks for benchmarks (RFC 2544, RFC 5180). IP checksums are right; TCP and UDP checksums are 0,
 * as a host that offloads them captures its own traffic.
 */
#ifndef SL_BENCH_GEN_FRAME_H
#define SL_BENCH_GEN_FRAME_H

#include "gen_flow.h"

#include <stddef.h>
#include <stdint.h>

enum gen_size_mix {
    GEN_SMALL, /* data of a few dozen bytes: the most packets a byte */
    GEN_IMIX,  /* 64, 576 and 1500 byte packets as 7 : 4 : 1 */
    GEN_FULL,  /* data in full Ethernet frames */
};

#define GEN_FRAME_MAX 1514

/* Writes the first min(length, limit) bytes of packet `flow->sent` to `frame`, which has room for
 * GEN_FRAME_MAX, and advances the flow's sequence numbers. `random` decides size. Returns the
 * frame's length on the wire. */
uint32_t gen_frame(struct gen_flow *flow, enum gen_size_mix mix, uint64_t random, uint32_t limit,
                   uint8_t *frame);

#endif
