/* What is added up of a flow's packets: in the hot line, and what is too large for it in the extra
 * record (store.h). */
#ifndef SL_FLOW_TOTALS_H
#define SL_FLOW_TOTALS_H

#include "event.h"
#include "store.h"

/* When a sum is about to pass what a word holds, and when 2^16 packets are full. -1: out of memory.
 */
int sl_totals_carry(struct sl_store *, struct sl_hot *, int dir,
                    const struct sl_flow_event *) SL_USED;
int sl_totals_carry_packets(struct sl_store *, struct sl_hot *, int dir) SL_USED;

/* -1: out of memory. */
static inline int sl_totals_add(struct sl_store *s, struct sl_hot *h, int dir,
                                const struct sl_flow_event *e) {
    const uint64_t spare = (1ull | 1ull << SL_SUM_STEP | 1ull << 2 * SL_SUM_STEP) << SL_SUM_BITS;
    uint64_t sums = h->sums[dir] + e->len + ((uint64_t)e->payload_len << SL_SUM_STEP) +
                    ((uint64_t)e->ip_len << 2 * SL_SUM_STEP);
    int large = (e->len | e->payload_len | e->ip_len) > SL_SUM_MAX;

    if (__builtin_expect(!++h->packets[dir], 0) && sl_totals_carry_packets(s, h, dir) < 0)
        return -1;
    if (__builtin_expect(large || (sums & spare), 0))
        return sl_totals_carry(s, h, dir, e);
    h->sums[dir] = sums;
    return 0;
}

/* How many packets the flow has had. */
static inline uint64_t sl_totals_packets(const struct sl_store *s, const struct sl_hot *h) {
    uint64_t n = (uint64_t)h->packets[0] + h->packets[1];

    if (h->flags & SL_FLOW_CARRIED) {
        const struct sl_extra *x = sl_store_has_extra(s, h->index);
        n += ((uint64_t)x->packets[0] + x->packets[1]) << 16;
    }
    return n;
}

#endif
