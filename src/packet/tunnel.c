/* Packets inside packets: sl_decap. */
#include "layers.h"

/* What the tunnel's payload can be taken for: headers that are whole, of a packet that fits. A
 * port number alone makes no tunnel, so only IP and ARP are believed, which can be told from any
 * bytes. */
static int is_sound(const struct sl_packet *p, uint32_t room) {
    static const uint64_t arp = (uint64_t)1 << SL_P_ARP | (uint64_t)1 << SL_P_RARP;

    if (p->skip)
        return 0;
    return p->ip_version ? p->ip_len <= room : (p->protos & arp) != 0;
}

/* The inner packet takes over; what it has none of stays the outer's. */
static void take(struct sl_packet *p, struct sl_packet *inner) {
    uint64_t outer = p->protos;

    if (outer >> SL_P_UDP & 1)
        outer ^= (uint64_t)1 << SL_P_UDP | (uint64_t)1 << SL_P_TUNNEL_UDP;
    if (inner->vlan_id == SL_NO_VLAN)
        inner->vlan_id = p->vlan_id;
    if (!(inner->protos >> SL_P_ETH & 1))
        inner->eth_off = p->eth_off;
    inner->protos |= outer;
    *p = *inner;
}

/* One tunnel. 1: p is now the packet inside. */
static int enter(struct sl_packet *p) {
    int udp = p->protos >> SL_P_UDP & 1;
    uint32_t off = udp ? p->payload_off : p->l4_off, cap = udp ? p->payload_cap : p->l4_cap;
    uint32_t room = udp ? p->payload_len : p->ip_len - (p->l4_off - p->net_off);

    if (p->skip || !p->ip_version || p->frag_offset || p->frag_more || !cap)
        return 0;
    struct sl_cursor c = {p->data + off, p->data + off + cap};
    struct sl_packet inner = *p;
    sl_decode_clear(&inner);
    int found = udp ? sl_decode_udp_tunnel(&inner, c, p->sport, p->dport)
                    : sl_decode_ip_tunnel(&inner, c, p->proto);
    if (!found || !is_sound(&inner, room))
        return 0;
    take(p, &inner);
    return 1;
}

void sl_decap(struct sl_packet *p) {
    for (int n = 0; n < SL_TUNNELS_MAX && enter(p); n++)
        continue;
}
