/* A flow as the outside sees it (abi.h), from the parts that the store keeps. */
#include "clock.h"
#include "table.h"

static struct sl_addr ipv4(uint64_t number) {
    return (struct sl_addr){{0, 0, 0xffff, (uint32_t)number}};
}

static void put_key(const struct sl_store *s, const struct sl_hot *h, struct sl_flow *to) {
    const struct sl_rare *r = sl_store_rare(s, h->index);
    int v6 = h->kind & SL_KEY_V6, from_upper = h->kind & SL_KEY_FROM_UPPER;
    struct sl_addr lower = v6 ? r->lower : ipv4(h->hosts >> 32);
    struct sl_addr upper = v6 ? r->upper : ipv4(h->hosts);
    uint16_t lower_port = (uint16_t)(h->ports >> 16), upper_port = (uint16_t)h->ports;

    to->src = from_upper ? upper : lower;
    to->dst = from_upper ? lower : upper;
    to->sport = from_upper ? upper_port : lower_port;
    to->dport = from_upper ? lower_port : upper_port;
    to->proto = (uint8_t)h->kind;
    to->ip_version = v6 ? 6 : 4;
}

static void put_totals(const struct sl_store *s, const struct sl_hot *h, struct sl_flow *to) {
    const struct sl_rare *r = sl_store_rare(s, h->index);

    for (int dir = 0; dir < 2; dir++) {
        to->n_packets[dir] = h->packets[dir];
        to->n_bytes[dir] = h->bytes[dir];
        to->n_payload[dir] = h->payload[dir];
        if (h->flags & SL_FLOW_CARRIED) {
            to->n_packets[dir] += (uint64_t)r->packets[dir] << 32;
            to->n_bytes[dir] += (uint64_t)r->bytes[dir] << 32;
            to->n_payload[dir] += (uint64_t)r->payload[dir] << 32;
        }
        to->tcp_flags[dir] = h->tcp_flags[dir];
    }
}

void sl_flow_assemble(const struct sl_flows *t, uint32_t index, struct sl_flow *to) {
    const struct sl_store *s = &t->store;
    const struct sl_hot *h = sl_store_hot(s, index);
    const struct sl_cold *c = sl_store_cold(s, index);

    put_key(s, h, to);
    put_totals(s, h, to);
    to->index = index;
    to->number64 = c->number;
    to->first = sl_cold_first(c);
    to->last = sl_hot_last(h);
    to->decided = sl_cold_decided(c);
    to->t = sl_seconds_between(t->origin, to->first);
    to->duration = sl_seconds_between(to->first, to->last);
    to->fragments = c->fragments;
    to->end = c->end;
}
