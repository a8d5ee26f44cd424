/* A flow as the outside sees it (abi.h), from the parts that the store keeps. */
#include "clock.h"
#include "table.h"
#include "tcp.h"

#include <string.h>

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

static void put_totals(const struct sl_hot *h, const struct sl_extra *x, struct sl_flow *to) {
    for (int dir = 0; dir < 2; dir++) {
        to->n_packets[dir] = h->packets[dir] + (x ? (uint64_t)x->packets[dir] << 16 : 0);
        uint64_t sums[SL_SUMS];
        for (int i = 0; i < SL_SUMS; i++)
            sums[i] = sl_hot_sum(h, dir, i) + (x ? x->sums[dir][i] : 0);
        to->n_bytes[dir] = sums[SL_SUM_BYTES];
        to->n_payload[dir] = sums[SL_SUM_PAYLOAD];
        to->n_ip_bytes[dir] = sums[SL_SUM_IP];
    }
}

static void put_tcp(const struct sl_hot *h, const struct sl_cold *c, const struct sl_extra *x,
                    struct sl_flow *to) {
    char *end = sl_history_text(c->history, to->letters);

    for (int i = 0; x && i < SL_HISTORY_WORDS; i++)
        end = sl_history_text(x->history[i], end);
    *end = '\0';
    for (int dir = 0; dir < 2; dir++) {
        to->tcp_flags[dir] = sl_tcp_flags(h, c, dir);
        to->rtt_ns[dir] = (int64_t)c->rtt[dir] - 1;
        to->n_retransmitted[dir] = x ? x->retransmitted[dir] : 0;
        to->n_missed[dir] = x ? x->missed[dir] : 0;
        to->n_stream[dir] = sl_tcp_stream_bytes(to, h, c, x, dir);
    }
    to->conn_state = sl_tcp_ends_summary(c->ends & ((1u << SL_ENDS_BITS) - 1),
                                         !to->n_stream[0] && !to->n_stream[1], to->letters);
}

/* What Zeek says of flows without connections: of UDP who sent, of others nothing. */
static void put_no_tcp(struct sl_flow *to) {
    int udp = to->proto == SL_PROTO_UDP, answered = to->n_packets[1] > 0;

    for (int dir = 0; dir < 2; dir++) {
        to->tcp_flags[dir] = 0;
        to->rtt_ns[dir] = -1;
        to->n_retransmitted[dir] = to->n_missed[dir] = 0;
        to->n_stream[dir] = to->n_payload[dir];
    }
    strcpy(to->letters, !udp ? "" : answered ? "Dd" : "D");
    to->conn_state = !udp ? SL_STATE_OTH : answered ? SL_STATE_SF : SL_STATE_S0;
}

void sl_flow_assemble(const struct sl_flows *t, uint32_t index, struct sl_flow *to) {
    const struct sl_store *s = &t->store;
    const struct sl_hot *h = sl_store_hot(s, index);
    const struct sl_cold *c = sl_store_cold(s, index);
    const struct sl_extra *x = sl_store_has_extra(s, index);

    put_key(s, h, to);
    put_totals(h, x, to);
    to->index = index;
    to->number64 = sl_cold_number(c);
    to->first = sl_cold_first(c);
    to->last = sl_hot_last(h);
    to->decided = sl_cold_decided(c);
    to->t = sl_seconds_between(t->origin, to->first);
    to->duration = sl_seconds_between(to->first, to->last);
    to->fragments = x ? x->fragments : 0;
    to->end = c->end;
    if (to->proto == SL_PROTO_TCP)
        put_tcp(h, c, x, to);
    else
        put_no_tcp(to);
}
