/* Counts over packets by the protocols that were met. Captures hold few distinct sets of protocols,
 * so packets are counted by the whole set first, and by protocol when somebody asks. */
#ifndef SL_RUN_STATS_H
#define SL_RUN_STATS_H

#include "../types.h"

enum { SL_PATTERNS = 64 };

struct sl_pattern {
    uint64_t protos, packets, bytes;
    uint32_t skip;
};

struct sl_counter {
    struct sl_stats stats;
    struct sl_pattern patterns[SL_PATTERNS];
};

void sl_counter_add(struct sl_counter *, const struct sl_packet *packets, const uint32_t *sel,
                    uint32_t n);
/* Everything added so far. */
const struct sl_stats *sl_counter_stats(struct sl_counter *);

#endif
