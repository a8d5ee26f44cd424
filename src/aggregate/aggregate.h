/* Aggregates: totals that recipes add to, kept in C, bounded in memory, and merged without loss.
 *
 *     count   how many: the sum of ones (or of n)        per key or over all
 *     sum     the sum of values                          the same
 *     min     the smallest value                         the same
 *     max     the largest value                          the same
 *     top     sums of the keys with the largest sums     per key
 *     series  the sum of values in each bin of time      per key or over all
 *
 * The functions that Lua calls too stand in abi.h; this page says what they promise.
 *
 * Keys. A key has 0 to 3 parts, each a number (any finite double; -0 is 0) or an address. Inside
 * it is a row of 64-bit words whose order as unsigned numbers is the order of the keys, so a new
 * type of key only has to say how it becomes words.
 *
 * Values. Doubles come in, integers of 10^-decimals are kept: value * 10^decimals is rounded half
 * away from zero. Integers are exact up to 2^53. Without decimals, a value with a fraction
 * is rounded too and counted as inexact. NaN, infinities and values of 2^63 or more after scaling
 * are refused and counted. Sums have 128 bits and cannot overflow (int128.h). What comes out is a
 * double again: exact up to 2^53, else the nearest one.
 *
 * Bounds. count, sum, min and max hold max_keys keys (1,000,000 by default); additions for further
 * keys go to the row "other". top holds max_keys keys (100,000) and is exact as long as there are
 * no more; then it keeps the larger half and says how much too low a value may be: at most the
 * sum of all values / (max_keys / 2). That is the summary of Misra and Gries with weights, which
 * merges (Agarwal et al., Mergeable Summaries, PODS 2012), cut in batches (Anderson et al.,
 * A High-Performance Algorithm for Identifying Frequent Items in Data Streams, IMC 2017); it keeps
 * the same guarantee as space-saving (Metwally et al., ICDT 2005). A keyed series holds max_keys
 * keys (100) and sums the others up as "other" in each bin. What lacked memory is treated like
 * what came past a bound.
 *
 * Series. Bins are aligned to 1970-01-01 UTC. With bin_us 0 they start at one millisecond and
 * become as wide as needed for max_bins (2,000) of them to hold all that has content, along a
 * ladder in which each width divides the next: the final width and content depend on the
 * data alone, not on the order of additions or merges. Only bins with content are stored, so one
 * packet stamped 500 years ahead costs one bin. A fixed width holds max_bins (1,000,000) bins; what
 * is past them is not shown, but counted and summed. Rows are filled up with zeros between bins:
 * with automatic width up to max_bins rows, which may make the bins shown wider than those stored.
 *
 * Merging is associative and commutative: as long as nothing is approximate, every order and
 * grouping gives the same bytes. Past a bound it is commutative for top, and results stay within
 * what they state. sl_agg_merge refuses, before it changes anything, two aggregates that differ in
 * name, kind, key, decimals or bounds, and lack of memory.
 *
 * The byte form is versioned, canonical (the same content gives the same bytes on every machine)
 * and ends with a CRC; see bytes.c. sl_agg_from_bytes takes any bytes from anywhere and refuses
 * what is not such a form. sl_agg_to_bytes gives memory to free with sl_agg_bytes_free.
 *
 * The sl_agg_add_… functions trust that the call fits the key: _n for one number, _a for one
 * address, _t for a series. For other keys give every part with sl_agg_key_…, in order, then call
 * sl_agg_add or sl_agg_add_t (or sl_agg_get). Nothing here is locked: one thread an aggregate.
 */
#ifndef SL_AGGREGATE_H
#define SL_AGGREGATE_H

#include "../error.h"

#define SL_AGG_KEY_LIMIT ((uint64_t)100000000) /* the most that max_keys may ask for */
#define SL_AGG_BIN_LIMIT ((uint64_t)10000000)  /* the same for max_bins; the least is 4 */

#endif
