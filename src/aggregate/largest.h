/* The largest flows, whole: the n with most bytes of those that were added.
 *
 *   struct sl_largest *l = sl_largest_new(n, &error);
 *   sl_largest_add(l, flow);                       copies it where it belongs to them
 *   n = sl_largest_sort(l);                        sl_largest_at(l, i) for i < n: largest first
 *   sl_largest_free(l);
 *
 * The order is that of content: more bytes, earlier beginning, then protocol, ends, ending, and
 * number of the first packet. What its packets carried (head), index and t are not kept: they are
 * gone with the batch, or begin anew with every capture.
 *
 * Merging keeps the n largest of both: associative and commutative, the same bytes in any order.
 * numbers: packets that the capture had before those of `from`; what it adds to their numbers.
 * Refused before anything changes: another n, the same one, lack of memory.
 *
 * The byte form, all numbers little endian:
 *
 *     "SLLF"  u16 version (1)  u32 n  u64 lost  u32 flows, flows x flow in their order:
 *         2 x 4 x u32 address, 2 x u16 port, u8 protocol, u8 IP version, u8 end, u8 state,
 *         2 x u16 TCP flags, 7 x 2 x u64 (packets, bytes, payload, IP bytes, retransmitted, missed,
 *         stream), 2 x i64 round trip in ns, u8 size and letters, u64 number, u32 fragments,
 *         3 x (i64 s, u32 ns) first, last, decided, u64 bits of the duration (IEEE 754)
 *     u32 CRC-32 (that of zlib) of everything before
 *
 * sl_largest_from_bytes takes any bytes from anywhere and refuses what would not have been written;
 * sl_largest_to_bytes gives memory to free with sl_agg_bytes_free. */
#ifndef SL_LARGEST_H
#define SL_LARGEST_H

#include "../error.h"

#endif
