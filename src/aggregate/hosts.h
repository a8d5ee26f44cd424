/* Hosts: what every address did in the flows of a capture, for reports.
 *
 * A general aggregate holds one value a key, so a report would look the two ends of each flow up in
 * a dozen tables larger than any cache. Here a flow costs two look-ups. Declared in abi.h:
 *
 *   struct sl_hosts *h = sl_hosts_new(max_hosts, &error);
 *   sl_hosts_add(h, flow);                       once for each decided flow
 *   n = sl_hosts_rank(h, SL_HOSTS_BY_BYTES, n);  sorts; sl_hosts_at(h, i) for i < n
 *   sl_hosts_free(h);
 *
 * Bounds. When there are more than max_hosts, the half with fewer bytes is dropped; a host that
 * comes again begins anew. No host's bytes are too low by more than the sum of what the largest
 * dropped one had each time, sl_hosts_error(); other amounts belong to the same flows. dropped
 * counts what was dropped. Ranks and values depend on the flows and their order only, not on the
 * hash, whose seed is random because keys come from captures.
 *
 * A host's timeline has SL_HOST_BINS bins of flows by their beginning, aligned to 1970-01-01 UTC,
 * which sl_hosts_flows_in reads; all hosts share the width: the least of 1, 2, 4, … milliseconds at
 * which the bins reach from the first beginning to the last.
 *
 * Merging is associative and commutative: as long as nothing was dropped, every order and grouping
 * gives the same bytes; past the bound it is commutative and keeps the stated error. Refused before
 * anything changes: another bound, the same table, lack of memory for all hosts of both.
 *
 * The byte form, all numbers little endian:
 *
 *     "SLHO"  u16 version (1)  u32 max  u8 rung (a bin is 2^rung ms)  u8 bins
 *     i64 first bin, counted from 1970  u64 dropped  u64 lost  u64 error
 *     u32 n, n x host, ascending by address:
 *         4 x u32 address, as source and as destination (u64 flows, sent, received),
 *         first, last (i64 s, u32 ns), bins x u32
 *     u32 CRC-32 (that of zlib) of everything before
 *
 * sl_hosts_from_bytes takes any bytes from anywhere and refuses what would not have been written;
 * sl_hosts_to_bytes gives memory to free with sl_agg_bytes_free. */
#ifndef SL_HOSTS_H
#define SL_HOSTS_H

#include "../error.h"

double sl_hosts_bin(const struct sl_hosts *); /* seconds of a bin of timelines */

#endif
