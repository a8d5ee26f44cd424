/* What time it is in a capture whose time stamps cannot be trusted one by one.
 *
 * Two questions have two answers. "What can no longer grow?" asks for a time that no packet lies
 * before for long: the least stamp of the last 16,384 packets (SL_CLOCK_BLOCKS blocks), less some
 * slack. One packet far ahead never moves it, and packets of two clocks an hour apart, interleaved,
 * hold it at the slower one. "When did the input end?" asks for the latest stamp, but a leap of
 * more than a day is believed only when a second packet confirms it.
 *
 * All packets of the capture are counted in, whether they pass a filter or not. So blocks end at
 * frame numbers, and what the clock says does not depend on who asks.
 */
#ifndef SL_FLOW_CLOCK_H
#define SL_FLOW_CLOCK_H

#include "../types.h"

enum { SL_CLOCK_BLOCK = 4096, SL_CLOCK_BLOCKS = 4, SL_CLOCK_LEAP_S = 86400, SL_CLOCK_SLACK_S = 10 };

/* What a stretch of packets comes to: one block of the clock at most. */
struct sl_clock_part {
    struct sl_time first, last; /* stamps of the stretch's ends, */
    struct sl_time least;
    struct sl_time latest, second; /* the two latest ones (of one packet: the same twice) */
    uint32_t n;                    /* packets, > 0 */
    uint32_t backwards;            /* of these, earlier than the one before them in the stretch */
};

struct sl_clock {
    struct sl_time block_least[SL_CLOCK_BLOCKS];
    struct sl_time least; /* of the current block */
    struct sl_time latest, second;
    struct sl_time before; /* stamp of the packet before */
    uint64_t packets, backwards;
};

/* Without jumps: of two times of packets nobody can foretell which is the earlier. */
static inline int sl_before(struct sl_time a, struct sl_time b) {
    return (a.s < b.s) | ((a.s == b.s) & (a.nsec < b.nsec));
}
/* Stamps from 1970 to 2514 as one number that compares as they do. */
enum { SL_KEY_NSEC_BITS = 30, SL_KEY_SECOND_BITS = 34 };
static inline uint64_t sl_time_key(struct sl_time t) {
    return (uint64_t)t.s << SL_KEY_NSEC_BITS | t.nsec;
}
static inline struct sl_time sl_time_of_key(uint64_t key) {
    return (struct sl_time){(int64_t)(key >> SL_KEY_NSEC_BITS),
                            (uint32_t)(key & ((1u << SL_KEY_NSEC_BITS) - 1))};
}
/* Nanoseconds since 1970, saturated; and back. */
static inline int64_t sl_time_ns(struct sl_time t) {
    int64_t ns;

    if (__builtin_mul_overflow(t.s, 1000000000, &ns) ||
        __builtin_add_overflow(ns, (int64_t)t.nsec, &ns))
        return t.s < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}
static inline struct sl_time sl_time_of_ns(int64_t ns) {
    int64_t s = ns / 1000000000, nsec = ns % 1000000000;

    return nsec < 0 ? (struct sl_time){s - 1, (uint32_t)(nsec + 1000000000)}
                    : (struct sl_time){s, (uint32_t)nsec};
}
static inline double sl_seconds_between(struct sl_time from, struct sl_time to) {
    return (double)(to.s - from.s) + ((double)to.nsec - (double)from.nsec) * 1e-9;
}

/* Packets until the block that comes after so many packets ends. */
static inline uint32_t sl_clock_room(uint64_t packets) {
    return SL_CLOCK_BLOCK - (uint32_t)(packets % SL_CLOCK_BLOCK);
}

void sl_clock_part_of(struct sl_clock_part *, const struct sl_packet *packets, uint32_t n);
/* Adds a stretch to another that it follows, or (n 0) to nothing. */
void sl_clock_part_append(struct sl_clock_part *, const struct sl_clock_part *next);

/* Counts a stretch in, of sl_clock_room(clock->packets) packets at most. 1: flows that could no
 * longer grow at *until_s may be let out now. */
int sl_clock_add(struct sl_clock *, const struct sl_clock_part *, int64_t *until_s);
struct sl_time sl_clock_end(const struct sl_clock *);

#endif
