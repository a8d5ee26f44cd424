/* The express lane from bytes to events (event.h). It must say of each packet that it takes what
 * decode says: tests/fuzz/fuzz_decode.c holds the two together. */
#include "event.h"

#include "../packet/ordinary.h"

#include <string.h>

enum { KIND_UDP = 1, KIND_V6 = 2, KIND_VLAN = 4 };

uint64_t sl_express_protos(uint32_t kind) {
    return 1ull << SL_P_ETH | 1ull << (kind & KIND_UDP ? SL_P_UDP : SL_P_TCP) |
           1ull << (kind & KIND_V6 ? SL_P_IPV6 : SL_P_IP) |
           (kind & KIND_VLAN ? 1ull << SL_P_VLAN : 0);
}

SL_INLINE int tcp(struct sl_flow_event *e, const struct sl_ordinary *o) {
    if (o->captured < SL_TCP_BYTES)
        return 0;
    uint32_t rest = sl_u32(&o->transport, 12), header = rest >> 28 << 2;
    uint64_t numbers = sl_u64(&o->transport, 4);

    e->seq = (uint32_t)(numbers >> 32);
    e->ack = (uint32_t)numbers;
    e->tcp_flags = rest >> 16 & 0x1ff;
    e->window = (uint16_t)rest;
    e->payload_len = o->wire - header;
    e->bits = SL_EVENT_TCP;
    return header >= SL_TCP_BYTES && header <= o->wire;
}

/* Of UDP those fields that are TCP's stay 0. */
SL_INLINE int udp(struct sl_flow_event *e, const struct sl_ordinary *o) {
    return o->captured >= SL_UDP_BYTES && sl_ordinary_udp(o, &e->payload_len);
}

SL_INLINE struct sl_addr address_v6(const struct sl_cursor *c, uint32_t at) {
    return (struct sl_addr){
        {sl_u32(c, at), sl_u32(c, at + 4), sl_u32(c, at + 8), sl_u32(c, at + 12)}};
}

SL_INLINE void set_key(struct sl_flow_event *e, struct sl_event_batch *b,
                       const struct sl_ordinary *o, int v6, uint32_t proto,
                       const struct sl_hash_seed *seed) {
    uint32_t both = sl_u32(&o->transport, 0);
    struct sl_ports ports = {.sport = (uint16_t)(both >> 16), .dport = (uint16_t)both};
    struct sl_flow_key k;

    if (v6) {
        struct sl_event_more *more = &b->more[b->n_more];
        more->src = address_v6(&o->ip, 8);
        more->dst = address_v6(&o->ip, 24);
        e->more = b->n_more++;
        uint64_t src = sl_host_v6(&more->src, seed), dst = sl_host_v6(&more->dst, seed);
        k = sl_flow_key_of(src << 32 | dst, ports, proto | SL_KEY_V6,
                           src == dst && memcmp(&more->src, &more->dst, sizeof more->src) > 0);
    } else {
        k = sl_flow_key_of(sl_u64(&o->ip, 12), ports, proto, 0);
    }
    e->hosts = k.hosts;
    e->ports = k.ports;
    e->kind = k.kind;
    e->hash = sl_flow_hash(k.hosts, k.ports, k.kind, seed);
}

/* One set of protocols, each with code of its own in the end: what differs is decided once. The
 * event is made in place, so that no copy of it waits for its small stores. */
SL_INLINE int add(struct sl_event_batch *b, const struct sl_packet *p, const struct sl_ordinary *o,
                  const struct sl_hash_seed *seed, int v6, uint32_t proto) {
    struct sl_flow_event *e = &b->events[b->n];

    *e = (struct sl_flow_event){.ts_s = p->ts.s,
                                .ts_nsec = p->ts.nsec,
                                .len = p->len,
                                .ip_len = o->ip_len,
                                .number = (uint32_t)(p->number64 - b->base)};
    if (proto == SL_PROTO_TCP ? !tcp(e, o) : !udp(e, o))
        return -1;
    set_key(e, b, o, v6, proto, seed);
    b->n++;
    return (proto == SL_PROTO_TCP ? 0 : KIND_UDP) | (v6 ? KIND_V6 : 0);
}

SL_INLINE int add_ip(struct sl_event_batch *b, const struct sl_packet *p,
                     const struct sl_ordinary *o, const struct sl_hash_seed *seed, int v6,
                     uint32_t proto) {
    return proto == SL_PROTO_TCP   ? add(b, p, o, seed, v6, SL_PROTO_TCP)
           : proto == SL_PROTO_UDP ? add(b, p, o, seed, v6, SL_PROTO_UDP)
                                   : -1;
}

int sl_event_express(struct sl_event_batch *b, const struct sl_packet *p,
                     const struct sl_hash_seed *seed) {
    struct sl_ordinary o;
    int kind = -1;

    if (!sl_ordinary_link(&o, p))
        return -1;
    if (sl_ordinary_ipv4(&o, p))
        kind = add_ip(b, p, &o, seed, 0, sl_u8(&o.ip, 9));
    else if (sl_ordinary_ipv6(&o, p))
        kind = add_ip(b, p, &o, seed, 1, sl_u8(&o.ip, 6));
    return kind < 0 || !o.tagged ? kind : kind | KIND_VLAN;
}
