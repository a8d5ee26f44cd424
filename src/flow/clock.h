/* What time it is in a capture whose time stamps cannot be trusted one by one.
 *
 * Two questions have two answers. "What can no longer grow?" asks for a time that no packet lies
 * before for long: the least stamp of the last 16,384 to 20,480 packets (SL_CLOCK_BLOCKS blocks).
 * One packet far ahead never moves it, and packets of two clocks an hour apart, interleaved, hold
 * it at the slower one. "When did the input end?" asks for the latest stamp, but a leap of more
 * than a day is believed only when a second packet confirms it.
 */
#ifndef SL_FLOW_CLOCK_H
#define SL_FLOW_CLOCK_H

#include "../types.h"

enum { SL_CLOCK_BLOCK = 4096, SL_CLOCK_BLOCKS = 4, SL_CLOCK_LEAP_S = 86400 };

struct sl_clock {
    struct sl_time block_min[SL_CLOCK_BLOCKS];
    struct sl_time current_min;
    struct sl_time latest, second; /* the two latest stamps of the capture */
    struct sl_time before;         /* of the packet before */
    uint64_t packets, backwards;   /* backwards: packets earlier than the one before them */
};

static inline int sl_before(struct sl_time a, struct sl_time b) {
    return a.s < b.s || (a.s == b.s && a.nsec < b.nsec);
}
static inline double sl_seconds_between(struct sl_time from, struct sl_time to) {
    return (double)(to.s - from.s) + ((double)to.nsec - (double)from.nsec) * 1e-9;
}

/* Counts packets[sel[0 .. n-1]] in, n > 0, up to the end of a block. Returns how many. */
uint32_t sl_clock_add(struct sl_clock *, const struct sl_packet *packets, const uint32_t *sel,
                      uint32_t n);

/* Whether a block has just been filled: the low-water mark may have moved. */
static inline int sl_clock_block_full(const struct sl_clock *c) {
    return c->packets % SL_CLOCK_BLOCK == 0;
}
/* 1 and the low-water mark, or 0: too few packets to tell. Call it when a block is full. */
int sl_clock_low(const struct sl_clock *, struct sl_time *low);
struct sl_time sl_clock_end(const struct sl_clock *);

#endif
