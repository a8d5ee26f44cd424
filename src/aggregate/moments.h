/* The moments of a set of integers, kept as integers so that they merge without loss: how many,
 * and the sum of their squares; their sum is the value of the slot that these words stand beside.
 * A square is below 2^126 and there are at most 2^62 of them, so the sum has 188 bits. */
#ifndef SL_MOMENTS_H
#define SL_MOMENTS_H

#include "int128.h"

enum { SL_MOMENT_WORDS = 4 }; /* count; squares, the lowest word first */

static inline void sl_moments_add_squares(uint64_t m[SL_MOMENT_WORDS], const uint64_t squares[3]) {
    unsigned carry = 0;

    for (int i = 0; i < 3; i++) {
        sl_u128 sum = (sl_u128)m[1 + i] + squares[i] + carry;
        m[1 + i] = (uint64_t)sum;
        carry = (unsigned)(sum >> 64);
    }
}

static inline void sl_moments_add(uint64_t m[SL_MOMENT_WORDS], int64_t v) {
    sl_u128 square = sl_i128_abs(v) * sl_i128_abs(v);
    const uint64_t words[3] = {(uint64_t)square, (uint64_t)(square >> 64), 0};

    m[0]++;
    sl_moments_add_squares(m, words);
}

static inline void sl_moments_merge(uint64_t to[SL_MOMENT_WORDS],
                                    const uint64_t from[SL_MOMENT_WORDS]) {
    to[0] += from[0];
    sl_moments_add_squares(to, from + 1);
}

/* Whether they can be those of m[0] values: at least one, squares not above what so many can have.
 * Then no sum of them overflows. */
static inline int sl_moments_possible(const uint64_t m[SL_MOMENT_WORDS]) {
    sl_u128 high = (sl_u128)m[3] << 64 | m[2]; /* squares >> 64 */

    return m[0] > 0 && m[0] <= SL_MAX_ADDITIONS && high >> 62 <= m[0];
}

/* The standard deviation of a sample of these values, from sums of 256 bits and rounded once; 0 of
 * a single value. */
double sl_moments_deviation(sl_i128 sum, const uint64_t m[SL_MOMENT_WORDS]);

#endif
