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

int sl_decode_inside(const struct sl_packet *p, struct sl_packet *inside) {
    int udp = p->protos >> SL_P_UDP & 1;
    uint32_t off = udp ? p->payload_off : p->l4_off, cap = udp ? p->payload_cap : p->l4_cap;
    uint32_t room = udp ? p->payload_len : p->ip_len - (p->l4_off - p->net_off);

    if (p->skip || !p->ip_version || p->frag_offset || p->frag_more || !cap)
        return 0;
    struct sl_cursor c = {p->data + off, p->data + off + cap};
    *inside = *p;
    sl_decode_clear(inside);
    int found = udp ? sl_decode_udp_tunnel(inside, c, p->sport, p->dport)
                    : sl_decode_ip_tunnel(inside, c, p->proto);
    return found && is_sound(inside, room);
}

void sl_decap(struct sl_packet *p) {
    struct sl_packet inside;

    for (int n = 0; n < SL_TUNNELS_MAX && sl_decode_inside(p, &inside); n++)
        take(p, &inside);
}
