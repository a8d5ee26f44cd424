/* Aggregates: totals that recipes add to, kept in C, bounded in memory, and merged without loss.
 *
 *     count      how many: the sum of ones (or of n)         per key or over all
 *     sum        the sum of values                           the same
 *     min, max   the smallest, the largest value             the same
 *     mean       the mean of values and their deviation      the same
 *     top        sums of the keys with the largest sums      per key
 *     series     the sum of values in each bin of time       per key or over all
 *     quantile   what value a part of all lies below         the same
 *     histogram  how many values lie between edges           the same
 *     distinct   how many different things                   the same
 *     sample     records chosen by chance                    the same
 *
 * The functions that Lua calls too stand in abi.h; this page says what they promise.
 *
 * Keys. A key has 0 to 3 parts, each a number (any finite double; -0 is 0), an address, a prefix
 * (an address of which the first bits count), a string (its first 255 bytes), or a country (its
 * code). Inside it is a row of 64-bit words whose order as unsigned numbers is the order of the
 * keys, but for strings, whose texts stand apart (texts.h); a new type of key only has to say how
 * it becomes words (key.c). What a distinct counts and a sample keeps are fields of the same types.
 *
 * Values. Doubles come in, integers of 10^-decimals are kept: value * 10^decimals is rounded half
 * away from zero. Integers are exact up to 2^53. Without decimals, a value with a fraction
 * is rounded too and counted as inexact. NaN, infinities and values of 2^63 or more after scaling
 * are refused and counted. Sums have 128 bits and cannot overflow (int128.h); a mean keeps the sum
 * of squares too, in 192 (moments.h). What comes out is a double again: exact up to 2^53, else the
 * nearest one.
 *
 * Estimates. A quantile is off by 1 % of the value at most, and by half of 10^-decimals (DDSketch,
 * cells.c). A distinct is a HyperLogLog (hll.h): its standard error is 0.8 % without a key, 1.6 %
 * with one; up to 3,072 and 768 things it counts them (nearly) exactly. A sample has every record
 * with the same chance (pick.h).
 *
 * Bounds. count, sum, min, max and mean hold max_keys keys (1,000,000 by default), quantile and
 * histogram 10,000, distinct 5,000, sample 1,000; additions for further keys go to the row "other".
 * top holds max_keys keys (100,000) and is exact as long as there are
 * no more; then it keeps the larger half and says how much too low a value may be: at most the
 * sum of all values / (max_keys / 2). That is the summary of Misra and Gries with weights, which
 * merges (Agarwal et al., Mergeable Summaries, PODS 2012), cut in batches (Anderson et al.,
 * A High-Performance Algorithm for Identifying Frequent Items in Data Streams, IMC 2017); it keeps
 * the same guarantee as space-saving (Metwally et al., ICDT 2005). A keyed series holds max_keys
 * keys (100) and sums the others up as "other" in each bin. What lacked memory is treated like
 * what came past a bound. A key costs 16 bytes and 8 for each word (two of an address), in tables
 * that are 3/4 full at most; a mean 32 more; a bin of quantile or histogram (that has content) is
 * such a key; a distinct 24 bytes to 4 KiB, without key 16 KiB; a sample 24 bytes a record and more
 * for what it keeps.
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
 * grouping gives the same bytes; estimates of quantile, distinct and sample do not count as such.
 * Past a bound it is commutative for top, and results stay within what they state. sl_agg_merge
 * refuses, before it changes anything, two aggregates that differ in name, kind, key, decimals,
 * bounds or bins, and lack of memory.
 *
 * The byte form is versioned, canonical (the same content gives the same bytes on every machine)
 * and ends with a CRC; see bytes.h. sl_agg_from_bytes takes any bytes from anywhere and refuses
 * what is not such a form. sl_agg_to_bytes gives memory to free with sl_agg_bytes_free.
 *
 * The sl_agg_add_… functions trust that the call fits the kind: _t for a series, _d for a distinct,
 * _p and _f for a sample; _n and _a for one number and one address as key of the others. For other
 * keys give every part with sl_agg_key_…, in order, then call sl_agg_add or sl_agg_add_t (or
 * sl_agg_get). Additions may wait in the aggregate (add.c) and are made before anything is read,
 * which is why no function that reads takes a const one. Nothing here is locked or shared: one
 * thread an aggregate.
 */
#ifndef SL_AGGREGATE_H
#define SL_AGGREGATE_H

#include "../error.h"

#define SL_AGG_KEY_LIMIT ((uint64_t)100000000) /* the most that max_keys may ask for */
#define SL_AGG_BIN_LIMIT ((uint64_t)10000000)  /* the same for max_bins; the least is 4 */

#endif
