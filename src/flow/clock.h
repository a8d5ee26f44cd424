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
    uint64_t packets;
};

static inline int sl_before(struct sl_time a, struct sl_time b) {
    return a.s < b.s || (a.s == b.s && a.nsec < b.nsec);
}
static inline double sl_seconds_between(struct sl_time from, struct sl_time to) {
    return (double)(to.s - from.s) + ((double)to.nsec - (double)from.nsec) * 1e-9;
}

/* Counts one packet in. 1: a block is full, the low-water mark may have moved. */
static inline int sl_clock_tick(struct sl_clock *c, struct sl_time ts) {
    if (c->packets == 0)
        c->latest = c->second = ts;
    else if (sl_before(c->latest, ts))
        c->second = c->latest, c->latest = ts;
    else if (sl_before(c->second, ts))
        c->second = ts;
    uint64_t in_block = c->packets++ % SL_CLOCK_BLOCK;
    if (in_block == 0 || sl_before(ts, c->current_min))
        c->current_min = ts;
    if (in_block != SL_CLOCK_BLOCK - 1)
        return 0;
    c->block_min[(c->packets / SL_CLOCK_BLOCK - 1) % SL_CLOCK_BLOCKS] = c->current_min;
    return 1;
}

/* 1 and the low-water mark, or 0: too few packets to tell. Call it when a block is full. */
int sl_clock_low(const struct sl_clock *, struct sl_time *low);
struct sl_time sl_clock_end(const struct sl_clock *);

#endif
