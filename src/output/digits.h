/* Numbers to text without printf, for rows by the million. Each writes at `to` and returns the end.
 */
#ifndef SL_OUTPUT_DIGITS_H
#define SL_OUTPUT_DIGITS_H

#include "../types.h"

#include <string.h>

static inline char *sl_put_text(char *to, const char *text) {
    size_t n = strlen(text);
    memcpy(to, text, n);
    return to + n;
}

static inline char *sl_put_u64(char *to, uint64_t v) {
    char digits[20];
    int n = 0;

    do
        digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n)
        *to++ = digits[--n];
    return to;
}

static inline char *sl_put_i64(char *to, int64_t v) {
    if (v < 0) {
        *to++ = '-';
        return sl_put_u64(to, 0 - (uint64_t)v);
    }
    return sl_put_u64(to, (uint64_t)v);
}

/* Exactly nine digits. */
static inline char *sl_put_nsec(char *to, uint32_t nsec) {
    for (int i = 8; i >= 0; i--) {
        to[i] = (char)('0' + nsec % 10);
        nsec /= 10;
    }
    return to + 9;
}

/* seconds.nanoseconds; a time before 1970 counts down from 0: -0.5 s is s -1, nsec 500000000. */
static inline char *sl_put_time(char *to, struct sl_time t) {
    if (t.s < 0 && t.nsec) {
        t.s++;
        t.nsec = 1000000000 - t.nsec;
        if (t.s == 0)
            *to++ = '-';
    }
    to = sl_put_i64(to, t.s);
    *to++ = '.';
    return sl_put_nsec(to, t.nsec);
}

#endif
