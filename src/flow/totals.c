#include "totals.h"

int sl_totals_carry(struct sl_store *s, struct sl_hot *h, int dir, const struct sl_flow_event *e) {
    struct sl_extra *x = sl_store_extra(s, h->index);
    const uint32_t now[SL_SUMS] = {e->len, e->payload_len, e->ip_len};

    if (!x)
        return -1;
    for (int i = 0; i < SL_SUMS; i++)
        x->sums[dir][i] += sl_hot_sum(h, dir, i) + now[i];
    h->sums[dir] = 0;
    return 0;
}

int sl_totals_carry_packets(struct sl_store *s, struct sl_hot *h, int dir) {
    struct sl_extra *x = sl_store_extra(s, h->index);

    if (!x)
        return -1;
    x->packets[dir]++;
    h->flags |= SL_FLOW_CARRIED;
    return 0;
}
