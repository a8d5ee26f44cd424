/* When the same bytes are asked for again, and when no more. Pure: clock and dice are arguments.
 *
 * Waits double from first_ms to most_ms, and each is cut by up to half at random, so that requests
 * that failed together do not come back together. A server's Retry-After is never undercut. */
#ifndef SL_SOURCE_HTTP_RETRY_H
#define SL_SOURCE_HTTP_RETRY_H

#include "../error.h"

/* Variable of the environment with other settings, for tests: "tries=3 first_ms=20 most_ms=80
 * total_s=5 stall_s=1", any of them in any order. */
#define SL_HTTP_RETRY_VARIABLE "SLUICE_HTTP_RETRY"

struct sl_http_retry {
    uint32_t tries;    /* failures in a row without progress; 1: never again */
    uint32_t first_ms; /* the wait behind the first failure */
    uint32_t most_ms;  /* no wait is longer, but for Retry-After */
    uint32_t total_s;  /* no try begins later than this behind the first failure in a row */
    uint32_t stall_s;  /* a transfer this long below SL_HTTP_STALL_BYTES a second has failed */
};

enum { SL_HTTP_STALL_BYTES = 128 };

/* Failures in a row, and since when; zero at first and after progress. */
struct sl_http_failures {
    uint32_t n;
    int64_t since_ms;
};

/* settings: NULL for the defaults, or as above. -1 with *err when they cannot be understood. */
int sl_http_retry_read(struct sl_http_retry *, const char *settings, struct sl_error *) SL_USED;

/* Counts a failure at now_ms. Returns after how many ms to try again, or -1: no more.
 * after_s: the server's Retry-After, -1 for none. dice: any number. */
int64_t sl_http_retry_wait_ms(const struct sl_http_retry *, struct sl_http_failures *,
                              int64_t now_ms, int64_t after_s, uint32_t dice) SL_USED;

/* The value of a Retry-After header, seconds or a date, as seconds from now; -1: neither. */
int64_t sl_http_retry_after_s(const char *value, int64_t now_s);

#endif
