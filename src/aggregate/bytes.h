/* The byte form of an aggregate, written by write.c and read by read.c. All numbers are little
 * endian; text is u16 length and bytes.
 *
 *     "SLAG"  u16 version
 *     u8 kind, u8 decimals, u8 parts, u8 of_parts, fields x (u32 type, text label), text name
 *     u64 max_keys, u64 max_bins, i64 bin_us, u32 precision, u32 keep, u64 pick,
 *     u32 edges, edges x i64 (scaled by 10^decimals)
 *     counters, u64 each, in the order of struct sl_agg_counters
 *     i128 other, i128 error, u32 rung
 *     u64 texts, texts x text, ascending by the words that stand for them (texts.h)
 *     entries:  u64 n, n x (key words, u64 each; i128 value; extra), ascending by key words
 *         extra of a mean is its moments, u64 each; of distinct and sample a sketch
 *     of a series: its bins as entries, then its cells (bin and key) as entries
 *     of quantile and histogram: the rest as entries (bin), then its cells (key and bin)
 *     of a mean and of distinct and sample: the entries, then the extra of "other"
 *     u32 CRC-32 (that of zlib) of everything before
 *
 *     sketch:  u8 form: 0: none; 1: u32 n, n x u32 code, ascending; 2: registers, a byte each;
 *              3: u32 n, n x record (words of u64), ascending
 *
 * Version 2. A reader refuses any other, and refuses what it would not have written. */
#ifndef SL_AGG_BYTES_H
#define SL_AGG_BYTES_H

#include "../types.h"

enum { SL_BYTES_VERSION = 2, SL_COUNTERS = sizeof(struct sl_agg_counters) / sizeof(uint64_t) };
enum { SL_SKETCH_NONE, SL_SKETCH_CODES, SL_SKETCH_REGISTERS, SL_SKETCH_RECORDS };

#define SL_BYTES_MAGIC "SLAG"

#endif
