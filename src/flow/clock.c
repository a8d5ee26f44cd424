#include "clock.h"

int sl_clock_low(const struct sl_clock *c, struct sl_time *low) {
    if (c->packets < (uint64_t)SL_CLOCK_BLOCK * SL_CLOCK_BLOCKS)
        return 0;
    *low = c->block_min[0];
    for (int i = 1; i < SL_CLOCK_BLOCKS; i++)
        if (sl_before(c->block_min[i], *low))
            *low = c->block_min[i];
    return 1;
}

struct sl_time sl_clock_end(const struct sl_clock *c) {
    return c->latest.s - c->second.s > SL_CLOCK_LEAP_S ? c->second : c->latest;
}
