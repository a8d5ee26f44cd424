#include "clock.h"

uint32_t sl_clock_add(struct sl_clock *clock, const struct sl_packet *packets, const uint32_t *sel,
                      uint32_t n) {
    struct sl_clock c = *clock; /* a copy the compiler can keep in registers */
    uint32_t left = SL_CLOCK_BLOCK - (uint32_t)(c.packets % SL_CLOCK_BLOCK);

    if (c.packets == 0)
        c.latest = c.second = c.before = packets[sel[0]].ts;
    if (left == SL_CLOCK_BLOCK)
        c.current_min = packets[sel[0]].ts;
    if (n > left)
        n = left;
    for (uint32_t i = 0; i < n; i++) {
        struct sl_time ts = packets[sel[i]].ts;
        if (sl_before(ts, c.before)) {
            c.backwards++;
            if (sl_before(ts, c.current_min))
                c.current_min = ts;
        }
        c.before = ts;
        if (sl_before(c.latest, ts))
            c.second = c.latest, c.latest = ts;
        else if (sl_before(c.second, ts))
            c.second = ts;
    }
    c.packets += n;
    if (n == left)
        c.block_min[(c.packets / SL_CLOCK_BLOCK - 1) % SL_CLOCK_BLOCKS] = c.current_min;
    *clock = c;
    return n;
}

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
