/* Ordinary packets (ordinary.h): all fields of one are set here, each once. */
#include "ordinary.h"

#include "layers.h"

SL_INLINE void set_payload(struct sl_packet *p, const struct sl_ordinary *o, uint32_t header,
                           uint32_t wire) {
    uint32_t captured = o->captured;

    p->l4_off = o->off + (uint32_t)(o->transport.at - o->ip.at);
    p->l4_cap = captured;
    p->payload_off = p->l4_off + header;
    p->payload_len = wire;
    p->payload_cap = sl_least(captured - sl_least(captured, header), wire);
}

SL_INLINE int set_tcp(struct sl_packet *p, const struct sl_ordinary *o) {
    if (o->captured < SL_TCP_BYTES)
        return 0;
    uint32_t bits = sl_u16(&o->transport, 12), header = bits >> 12 << 2;
    if (header < SL_TCP_BYTES || header > o->wire)
        return 0;
    p->seq = sl_u32(&o->transport, 4);
    p->ack = sl_u32(&o->transport, 8);
    p->window = sl_u16(&o->transport, 14);
    p->tcp_flags = bits & 0x1ff;
    set_payload(p, o, header, o->wire - header);
    return 1;
}

SL_INLINE int set_udp(struct sl_packet *p, const struct sl_ordinary *o) {
    uint32_t payload;

    if (o->captured < SL_UDP_BYTES || !sl_ordinary_udp(o, &payload))
        return 0;
    p->seq = p->ack = 0;
    p->window = p->tcp_flags = 0;
    set_payload(p, o, SL_UDP_BYTES, payload);
    return 1;
}

/* Behind the IP header; met: protocols up to there. */
SL_INLINE int set_transport(struct sl_packet *p, const struct sl_ordinary *o, unsigned proto,
                            uint64_t met) {
    int tcp = proto == SL_PROTO_TCP;

    if (tcp ? !set_tcp(p, o) : proto != SL_PROTO_UDP || !set_udp(p, o))
        return 0;
    p->protos = met | (uint64_t)1 << (tcp ? SL_P_TCP : SL_P_UDP);
    p->proto = (uint8_t)proto;
    p->sport = sl_u16(&o->transport, 0);
    p->dport = sl_u16(&o->transport, 2);
    p->skip = SL_SKIP_NONE;
    p->frag_offset = 0;
    p->frag_more = 0;
    p->icmp_type = p->icmp_code = 0;
    p->arp_op = 0;
    p->eth_off = 0;
    p->dir = 0;
    p->flow = SL_NO_FLOW;
    p->flow_pkt64 = 0;
    return 1;
}

SL_INLINE int set_ipv4(struct sl_packet *p, struct sl_ordinary *o, uint64_t met) {
    const struct sl_cursor *ip = &o->ip;

    if (!sl_ordinary_ipv4(o, p) || !set_transport(p, o, sl_u8(ip, 9), met | (uint64_t)1 << SL_P_IP))
        return 0;
    p->ip_version = 4;
    p->tos = sl_u8(ip, 1);
    p->ip_id = sl_u16(ip, 4);
    p->ttl = sl_u8(ip, 8);
    p->src = (struct sl_addr){{0, 0, 0xffff, sl_u32(ip, 12)}};
    p->dst = (struct sl_addr){{0, 0, 0xffff, sl_u32(ip, 16)}};
    return 1;
}

SL_INLINE int set_ipv6(struct sl_packet *p, struct sl_ordinary *o, uint64_t met) {
    const struct sl_cursor *ip = &o->ip;

    if (!sl_ordinary_ipv6(o, p) ||
        !set_transport(p, o, sl_u8(ip, 6), met | (uint64_t)1 << SL_P_IPV6))
        return 0;
    p->ip_version = 6;
    p->tos = (uint8_t)(sl_u16(ip, 0) >> 4);
    p->ip_id = 0;
    p->ttl = sl_u8(ip, 7);
    for (uint32_t i = 0; i < 4; i++) {
        p->src.w[i] = sl_u32(ip, 8 + 4 * i);
        p->dst.w[i] = sl_u32(ip, 24 + 4 * i);
    }
    return 1;
}

int sl_decode_ordinary(struct sl_packet *p) {
    struct sl_ordinary o;

    if (!sl_ordinary_link(&o, p))
        return 0;
    uint64_t met = (uint64_t)1 << SL_P_ETH | (uint64_t)o.tagged << SL_P_VLAN;
    uint32_t vlan = o.tagged ? (p->data[14] & 0xfu) << 8 | p->data[15] : SL_NO_VLAN;
    if (!set_ipv4(p, &o, met) && !set_ipv6(p, &o, met))
        return 0;
    p->ethertype = (uint16_t)o.type;
    p->vlan_id = (uint16_t)vlan;
    p->net_off = o.off;
    p->ip_len = o.ip_len;
    return 1;
}
