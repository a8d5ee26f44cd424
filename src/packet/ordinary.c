/* What most packets are: TCP or UDP over IP over Ethernet, at most one tag, nothing cut and nothing
 * in fragments. All fields of such a packet are set here, each once; what the decoders of single
 * headers find must be the same (tests/fuzz/fuzz_decode.c holds the two together). */
#include "layers.h"

enum {
    ETHERNET = 14,
    TAG = 4,
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    TYPE_VLAN = 0x8100,
    IPV4 = 20,
    IPV6 = 40,
    TCP = 20,
    UDP = 8,
    PROTO_TCP = 6,
    PROTO_UDP = 17
};

/* The transport header: its offset, captured bytes of the IP packet from there on, and as many as
 * were on the wire. */
struct transport {
    struct sl_cursor c;
    uint32_t at, captured, wire;
};

#define INLINE static inline __attribute__((always_inline))

INLINE uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* Goes past an IP header of `header` bytes at `off`. 0: it is cut. */
INLINE int enter(struct transport *t, const struct sl_packet *p, struct sl_cursor ip, uint32_t off,
                 uint32_t header, uint32_t ip_len) {
    uint32_t captured = least(p->caplen - off, ip_len);
    uint32_t wire = least((p->len > p->caplen ? p->len : p->caplen) - off, ip_len);

    *t = (struct transport){.c = {ip.at + header, ip.end},
                            .at = off + header,
                            .captured = captured - header,
                            .wire = wire - header};
    return captured >= header;
}

INLINE void set_payload(struct sl_packet *p, const struct transport *t, uint32_t header,
                        uint32_t wire) {
    uint32_t captured = t->captured > header ? t->captured - header : 0;

    p->l4_off = t->at;
    p->l4_cap = t->captured;
    p->payload_off = t->at + header;
    p->payload_len = wire - header;
    p->payload_cap = least(captured, wire - header);
}

INLINE int set_tcp(struct sl_packet *p, const struct transport *t) {
    if (t->captured < TCP)
        return 0;
    uint32_t bits = sl_u16(&t->c, 12), header = bits >> 12 << 2;
    if (header < TCP || header > t->wire)
        return 0;
    p->seq = sl_u32(&t->c, 4);
    p->ack = sl_u32(&t->c, 8);
    p->window = sl_u16(&t->c, 14);
    p->tcp_flags = bits & 0x1ff;
    set_payload(p, t, header, t->wire);
    return 1;
}

INLINE int set_udp(struct sl_packet *p, const struct transport *t) {
    if (t->captured < UDP)
        return 0;
    uint32_t length = sl_u16(&t->c, 4); /* 0: a jumbogram, RFC 2675 */
    if (length && length < UDP)
        return 0;
    p->seq = p->ack = 0;
    p->window = p->tcp_flags = 0;
    set_payload(p, t, UDP, length ? least(length, t->wire) : t->wire);
    return 1;
}

/* Behind the IP header; met: protocols up to there. */
INLINE int set_transport(struct sl_packet *p, const struct transport *t, unsigned proto,
                         uint64_t met) {
    if (proto == PROTO_TCP ? !set_tcp(p, t) : proto != PROTO_UDP || !set_udp(p, t))
        return 0;
    p->protos = met | (uint64_t)1 << (proto == PROTO_TCP ? SL_P_TCP : SL_P_UDP);
    p->proto = (uint8_t)proto;
    p->sport = sl_u16(&t->c, 0);
    p->dport = sl_u16(&t->c, 2);
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

INLINE int set_ipv4(struct sl_packet *p, struct sl_cursor ip, uint32_t off, uint64_t met) {
    uint32_t header = (sl_u8(&ip, 0) & 15u) * 4, ip_len = sl_u16(&ip, 2);
    struct transport t;

    if (sl_u8(&ip, 0) >> 4 != 4 || header < IPV4 || (sl_u16(&ip, 6) & 0x3fff) ||
        !enter(&t, p, ip, off, header, ip_len) ||
        !set_transport(p, &t, sl_u8(&ip, 9), met | (uint64_t)1 << SL_P_IP))
        return 0;
    p->ip_version = 4;
    p->tos = sl_u8(&ip, 1);
    p->ip_len = ip_len;
    p->ip_id = sl_u16(&ip, 4);
    p->ttl = sl_u8(&ip, 8);
    p->src = (struct sl_addr){{0, 0, 0xffff, sl_u32(&ip, 12)}};
    p->dst = (struct sl_addr){{0, 0, 0xffff, sl_u32(&ip, 16)}};
    return 1;
}

INLINE int set_ipv6(struct sl_packet *p, struct sl_cursor ip, uint32_t off, uint64_t met) {
    uint32_t length = sl_u16(&ip, 4); /* 0: a jumbogram, RFC 2675 */
    struct transport t;

    if (sl_u8(&ip, 0) >> 4 != 6 || !length || !enter(&t, p, ip, off, IPV6, length + IPV6) ||
        !set_transport(p, &t, sl_u8(&ip, 6), met | (uint64_t)1 << SL_P_IPV6))
        return 0;
    p->ip_version = 6;
    p->tos = (uint8_t)(sl_u16(&ip, 0) >> 4);
    p->ip_len = length + IPV6;
    p->ip_id = 0;
    p->ttl = sl_u8(&ip, 7);
    for (int i = 0; i < 4; i++) {
        p->src.w[i] = sl_u32(&ip, 8 + 4 * (size_t)i);
        p->dst.w[i] = sl_u32(&ip, 24 + 4 * (size_t)i);
    }
    return 1;
}

int sl_decode_ordinary(struct sl_packet *p, struct sl_cursor c) {
    uint64_t met = (uint64_t)1 << SL_P_ETH;
    uint32_t off = ETHERNET;

    if (!sl_has(&c, ETHERNET + TAG + IPV4))
        return 0;
    uint32_t type = sl_u16(&c, 12), vlan = SL_NO_VLAN;
    if (type == TYPE_VLAN) {
        vlan = sl_u16(&c, 14) & 0xfff;
        type = sl_u16(&c, 16);
        off += TAG;
        met |= (uint64_t)1 << SL_P_VLAN;
    }
    c.at += off;
    if (type == TYPE_IPV4 ? !set_ipv4(p, c, off, met)
                          : type != TYPE_IPV6 || sl_left(&c) < IPV6 || !set_ipv6(p, c, off, met))
        return 0;
    p->ethertype = (uint16_t)type;
    p->vlan_id = (uint16_t)vlan;
    p->net_off = off;
    return 1;
}
