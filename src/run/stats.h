/* Counts over packets by the protocols that were met. Captures hold few distinct sets of protocols,
 * so packets are counted by the whole set first, and by protocol when somebody asks. */
#ifndef SL_RUN_STATS_H
#define SL_RUN_STATS_H

#include "../flow/clock.h"
#include "../flow/event.h"

enum { SL_PATTERNS = 64 };

struct sl_pattern {
    uint64_t protos, packets, bytes;
    uint32_t skip;
};

struct sl_counter {
    struct sl_stats stats;
    uint64_t express_packets[SL_EXPRESS_KINDS], express_bytes[SL_EXPRESS_KINDS];
    struct sl_pattern patterns[SL_PATTERNS];
};

void sl_counter_add(struct sl_counter *, const struct sl_packet *packets, const uint32_t *sel,
                    uint32_t n);
static inline void sl_stats_time(struct sl_stats *s, struct sl_time ts) {
    if (!s->timed++)
        s->first = s->last = ts;
    else if (sl_before(ts, s->first))
        s->first = ts;
    else if (sl_before(s->last, ts))
        s->last = ts;
}
/* n stamps of which these are the earliest and the latest. */
static inline void sl_stats_times(struct sl_stats *s, uint64_t n, struct sl_time first,
                                  struct sl_time last) {
    if (!n)
        return;
    sl_stats_time(s, first);
    sl_stats_time(s, last);
    s->timed += n - 2; /* of one: less by one */
}

/* The stamps (clock.h: sl_time_key) of packets that went by express. */
struct sl_express_times {
    uint64_t first, last;
    uint32_t n;
};

/* One that went by express; its stamp is counted with others, by sl_stats_times. */
static inline void sl_counter_express(struct sl_counter *c, struct sl_express_times *times,
                                      uint32_t kind, const struct sl_packet *p) {
    uint64_t key = sl_time_key(p->ts);

    c->express_packets[kind]++;
    c->express_bytes[kind] += p->len;
    c->stats.captured_bytes += p->caplen;
    times->first = key < times->first ? key : times->first;
    times->last = key > times->last ? key : times->last;
    times->n++;
}
/* Adds what another one has counted, all of it. */
void sl_counter_merge(struct sl_counter *, struct sl_counter *from);
/* Everything added so far. */
const struct sl_stats *sl_counter_stats(struct sl_counter *);

#endif
