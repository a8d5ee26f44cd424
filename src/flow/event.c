#include "event.h"

#include "table.h"

#include <string.h>

static const uint64_t WITH_PORTS = 1ull << SL_P_TCP | 1ull << SL_P_UDP | 1ull << SL_P_UDPLITE |
                                   1ull << SL_P_SCTP | 1ull << SL_P_DCCP;

int sl_proto_wants_ports(unsigned proto) {
    return proto == SL_PROTO_TCP || proto == SL_PROTO_UDP || proto == SL_PROTO_UDPLITE ||
           proto == SL_PROTO_SCTP || proto == SL_PROTO_DCCP || proto == SL_PROTO_ICMP ||
           proto == SL_PROTO_ICMPV6;
}

void sl_event_set_key(struct sl_flow_event *e, const struct sl_event_more *more,
                      struct sl_ports ports, const struct sl_hash_seed *seed) {
    int v6 = e->kind & SL_KEY_V6;
    uint64_t src = v6 ? sl_host_v6(&more->src, seed) : more->src.w[3];
    uint64_t dst = v6 ? sl_host_v6(&more->dst, seed) : more->dst.w[3];
    struct sl_flow_key k =
        sl_flow_key_of(src << 32 | dst, ports, e->kind & (SL_KEY_V6 | SL_KEY_PROTO),
                       memcmp(&more->src, &more->dst, sizeof more->src) > 0);

    e->hosts = k.hosts;
    e->ports = k.ports;
    e->kind = k.kind;
    e->hash = sl_flow_hash(k.hosts, k.ports, k.kind, seed);
}

/* The ports of a packet that is no later fragment; 0: its transport header is cut or damaged. */
static int ports_of(const struct sl_packet *p, struct sl_ports *ports) {
    *ports = (struct sl_ports){.sport = p->sport, .dport = p->dport};
    if (p->protos & WITH_PORTS)
        return 1;
    if (p->skip)
        return 0;
    if (p->proto == SL_PROTO_ICMP || p->proto == SL_PROTO_ICMPV6)
        *ports = sl_icmp_ports(p);
    return 1;
}

static uint8_t bits_of(const struct sl_packet *p) {
    uint8_t bits = p->protos >> SL_P_TCP & 1 ? SL_EVENT_TCP : 0;

    if (p->frag_offset && !(p->protos & WITH_PORTS))
        return bits | SL_EVENT_LATER_FRAGMENT;
    return bits | (p->frag_more && !p->frag_offset ? SL_EVENT_FIRST_FRAGMENT : 0);
}

int sl_event_add(struct sl_event_batch *b, const struct sl_packet *p,
                 const struct sl_hash_seed *seed) {
    struct sl_flow_event *e = &b->events[b->n];
    struct sl_event_more *more = &b->more[b->n_more];
    struct sl_ports ports = {0};
    uint8_t bits = bits_of(p);

    if (!p->ip_version || (!(bits & SL_EVENT_LATER_FRAGMENT) && !ports_of(p, &ports)))
        return 0;
    *e = (struct sl_flow_event){.kind = (uint16_t)(p->proto | (p->ip_version == 6) * SL_KEY_V6),
                                .tcp_flags = p->tcp_flags,
                                .ts_s = p->ts.s,
                                .ts_nsec = p->ts.nsec,
                                .len = p->len,
                                .ip_len = p->ip_len,
                                .payload_len = p->payload_len,
                                .seq = p->seq,
                                .ack = p->ack,
                                .number = (uint32_t)(p->number64 - b->base),
                                .more = b->n_more,
                                .window = p->window,
                                .bits = bits};
    *more = (struct sl_event_more){.src = p->src, .dst = p->dst, .ip_id = p->ip_id};
    sl_event_set_key(e, more, ports, seed);
    b->n++;
    if (e->kind & SL_KEY_V6 || bits & (SL_EVENT_FIRST_FRAGMENT | SL_EVENT_LATER_FRAGMENT))
        b->n_more++;
    return 1;
}
