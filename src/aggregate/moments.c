#include "moments.h"

#include <math.h>
#include <string.h>

struct wide {
    uint64_t w[4]; /* the lowest first */
};

/* words x factor, where words has n of them. */
static struct wide multiply(const uint64_t *words, int n, uint64_t factor, int shift) {
    struct wide product = {{0}};
    uint64_t carry = 0;

    for (int i = 0; i < n && i + shift < 4; i++) {
        sl_u128 p = (sl_u128)words[i] * factor + carry;
        product.w[i + shift] = (uint64_t)p;
        carry = (uint64_t)(p >> 64);
    }
    if (n + shift < 4)
        product.w[n + shift] = carry;
    return product;
}

static struct wide add(struct wide a, struct wide b) {
    unsigned carry = 0;

    for (int i = 0; i < 4; i++) {
        sl_u128 sum = (sl_u128)a.w[i] + b.w[i] + carry;
        a.w[i] = (uint64_t)sum;
        carry = (unsigned)(sum >> 64);
    }
    return a;
}

/* a - b, or 0 where b is larger: sums that no values have come from made-up files only. */
static struct wide subtract(struct wide a, struct wide b) {
    unsigned borrow = 0;

    for (int i = 0; i < 4; i++) {
        sl_u128 difference = (sl_u128)a.w[i] - b.w[i] - borrow;
        a.w[i] = (uint64_t)difference;
        borrow = (unsigned)(difference >> 64) & 1;
    }
    if (borrow)
        memset(&a, 0, sizeof a);
    return a;
}

double sl_moments_deviation(sl_i128 sum, const uint64_t m[SL_MOMENT_WORDS]) {
    sl_u128 size = sl_i128_abs(sum);
    const uint64_t s[2] = {(uint64_t)size, (uint64_t)(size >> 64)};
    struct wide square = add(multiply(s, 2, s[0], 0), multiply(s, 2, s[1], 1));
    struct wide rest = subtract(multiply(m + 1, 3, m[0], 0), square);
    double n = (double)m[0], value = 0;

    for (int i = 3; i >= 0; i--)
        value = value * 0x1p64 + (double)rest.w[i];
    return m[0] < 2 ? 0 : sqrt(value / n / (n - 1));
}
