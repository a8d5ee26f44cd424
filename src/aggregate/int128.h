/* 128-bit sums. A sum of integers is the same whatever the order of its additions, and 128 bits
 * hold more than can be added: a single value is below 2^63, and additions are counted below 2^62
 * (sl_agg_merge and sl_agg_from_bytes refuse more), so that every sum stays below 2^125.
 *
 * In a table a value stands biased by 2^127 in two 64-bit words, the lower one first. A biased
 * value is never 0, which is how an empty slot is told from one that holds the value 0; zeroed
 * memory is an empty table; and biased values compare as unsigned numbers.
 */
#ifndef SL_INT128_H
#define SL_INT128_H

#include <stdint.h>

__extension__ typedef __int128 sl_i128;
__extension__ typedef unsigned __int128 sl_u128;

#define SL_BIAS          ((sl_u128)1 << 127)
#define SL_MAX_ADDITIONS ((uint64_t)1 << 62)

static inline sl_u128 sl_biased_load(const uint64_t w[2]) {
    return (sl_u128)w[1] << 64 | w[0];
}

static inline void sl_biased_store(uint64_t w[2], sl_u128 biased) {
    w[0] = (uint64_t)biased;
    w[1] = (uint64_t)(biased >> 64);
}

static inline sl_i128 sl_i128_load(const uint64_t w[2]) {
    return (sl_i128)(sl_biased_load(w) - SL_BIAS);
}

static inline void sl_i128_store(uint64_t w[2], sl_i128 value) {
    sl_biased_store(w, (sl_u128)value + SL_BIAS);
}

static inline sl_u128 sl_i128_abs(sl_i128 value) {
    return value < 0 ? (sl_u128)0 - (sl_u128)value : (sl_u128)value;
}

#endif
