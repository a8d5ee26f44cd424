/* Ethernet and what stands between it and the network: tags, LLC/SNAP, MPLS, PPPoE. ARP too. */
#include "layers.h"
#include "numbers.h"

enum {
    ETHERTYPE_MIN = 0x600, /* below: IEEE 802.3 length */
    MPLS_LABELS_MAX = 32
};

/* ARP, RFC 826; the addresses where they are IPv4's. */
static void decode_arp(struct sl_packet *p, struct sl_cursor c) {
    p->net_off = (uint32_t)(c.at - p->data);
    if (!sl_has(&c, 8)) {
        p->skip = SL_SKIP_TRUNCATED_NETWORK;
        return;
    }
    unsigned hlen = sl_u8(&c, 4), plen = sl_u8(&c, 5);
    p->arp_op = sl_u16(&c, 6);
    if (!sl_has(&c, 8 + 2 * (size_t)(hlen + plen))) {
        p->skip = SL_SKIP_TRUNCATED_NETWORK;
        return;
    }
    if (sl_u16(&c, 2) != SL_TYPE_IPV4 || plen != 4)
        return;
    p->src = (struct sl_addr){{0, 0, 0xffff, sl_u32(&c, 8 + hlen)}};
    p->dst = (struct sl_addr){{0, 0, 0xffff, sl_u32(&c, 8 + 2 * (size_t)hlen + plen)}};
}

/* MPLS label stack, RFC 3032; behind it an IP packet as its first nibble tells (RFC 4928). */
void sl_decode_mpls(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_MPLS);
    for (int labels = 0; labels < MPLS_LABELS_MAX; labels++) {
        if (!sl_has(&c, 4)) {
            sl_truncated_link(p);
            return;
        }
        int bottom = sl_u8(&c, 2) & 1;
        sl_skip(&c, 4);
        if (bottom) {
            sl_decode_ip(p, c);
            return;
        }
    }
    p->skip = SL_SKIP_UNKNOWN_NETWORK;
}

/* PPPoE session header, RFC 2516 section 4. */
static void decode_pppoe_session(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_PPPOES);
    if (sl_skip(&c, 6))
        sl_decode_ppp(p, c);
    else
        sl_truncated_link(p);
}

/* Under a link type of its own, discovery has no ethertype to be told by, but a code. */
void sl_decode_pppoe_link(struct sl_packet *p, struct sl_cursor c) {
    if (sl_has(&c, 6) && sl_u8(&c, 1) != 0)
        sl_met(p, SL_P_PPPOED);
    else
        decode_pppoe_session(p, c);
}

/* IEEE 802.2; SNAP (RFC 1042) leads to an ethertype. */
void sl_decode_llc(struct sl_packet *p, struct sl_cursor c) {
    if (sl_has(&c, 2) && sl_u16(&c, 0) == 0xffff) { /* Novell "raw 802.3": IPX without LLC */
        sl_met(p, SL_P_IPX);
        return;
    }
    sl_met(p, SL_P_LLC);
    if (!sl_has(&c, 3)) {
        sl_truncated_link(p);
        return;
    }
    unsigned dsap = sl_u8(&c, 0);
    if (dsap == 0xaa && sl_u8(&c, 1) == 0xaa && sl_u8(&c, 2) == 0x03) {
        sl_met(p, SL_P_SNAP);
        if (!sl_has(&c, 8)) {
            sl_truncated_link(p);
            return;
        }
        uint32_t oui = sl_u32(&c, 3) >> 8;
        p->ethertype = sl_u16(&c, 6);
        sl_skip(&c, 8);
        if (oui == 0 || oui == 0xf8) /* encapsulated Ethernet; IEEE 802.1H bridge tunnel */
            sl_decode_ethertype(p, c);
    } else if (dsap == 0x06 && sl_u8(&c, 1) == 0x06) {
        sl_skip(&c, 3);
        sl_decode_ipv4(p, c);
    } else if (dsap == 0xe0 || dsap == 0x10) {
        sl_met(p, SL_P_IPX);
    }
}

/* One 802.1Q or 802.1ad tag; sets the ethertype behind it. 0: cut, or no ethertype follows. */
static int decode_tag(struct sl_packet *p, struct sl_cursor *c) {
    int tag = p->ethertype == SL_TYPE_8021AD ? SL_P_QINQ : SL_P_VLAN;

    sl_met(p, tag);
    if (!sl_has(c, 4)) {
        sl_truncated_link(p);
        return 0;
    }
    if (tag == SL_P_VLAN && p->vlan_id == SL_NO_VLAN)
        p->vlan_id = sl_u16(c, 0) & 0xfff;
    p->ethertype = sl_u16(c, 2);
    sl_skip(c, 4);
    if (p->ethertype >= ETHERTYPE_MIN)
        return 1;
    if (p->protos >> SL_P_LLC & 1) /* tags and LLC in turns: bounds the recursion */
        p->skip = SL_SKIP_UNKNOWN_NETWORK;
    else
        sl_decode_llc(p, *c);
    return 0;
}

void sl_decode_ethertype(struct sl_packet *p, struct sl_cursor c) {
    while (p->ethertype == SL_TYPE_VLAN || p->ethertype == SL_TYPE_8021AD ||
           p->ethertype == SL_TYPE_QINQ)
        if (!decode_tag(p, &c))
            return;
    switch (p->ethertype) {
    case SL_TYPE_IPV4:
        sl_decode_ipv4(p, c);
        break;
    case SL_TYPE_IPV6:
        sl_decode_ipv6(p, c);
        break;
    case SL_TYPE_ARP:
        sl_met(p, SL_P_ARP);
        decode_arp(p, c);
        break;
    case SL_TYPE_RARP:
        sl_met(p, SL_P_RARP);
        decode_arp(p, c);
        break;
    case SL_TYPE_MPLS:
    case SL_TYPE_MPLS_UPSTREAM:
        sl_decode_mpls(p, c);
        break;
    case SL_TYPE_PPPOE_DISCOVERY:
        sl_met(p, SL_P_PPPOED);
        break;
    case SL_TYPE_PPPOE_SESSION:
        decode_pppoe_session(p, c);
        break;
    case SL_TYPE_IPX:
        sl_met(p, SL_P_IPX);
        break;
    case SL_TYPE_LLDP:
        sl_met(p, SL_P_LLDP);
        break;
    case SL_TYPE_EAPOL:
        sl_met(p, SL_P_EAPOL);
        break;
    case SL_TYPE_LOOP:
        sl_met(p, SL_P_LOOP);
        break;
    default:
        p->skip = SL_SKIP_UNKNOWN_NETWORK;
    }
}

void sl_decode_ethernet(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_ETH);
    if (!sl_has(&c, 14)) {
        sl_truncated_link(p);
        return;
    }
    p->eth_off = (uint32_t)(c.at - p->data);
    p->ethertype = sl_u16(&c, 12);
    sl_skip(&c, 14);
    if (p->ethertype >= ETHERTYPE_MIN)
        sl_decode_ethertype(p, c);
    else
        sl_decode_llc(p, c);
}

/* IP over FireWire as Apple captures it: two addresses of 8 bytes, then an ethertype. */
void sl_decode_ieee1394(struct sl_packet *p, struct sl_cursor c) {
    if (!sl_has(&c, 18)) {
        sl_truncated_link(p);
        return;
    }
    p->ethertype = sl_u16(&c, 16);
    sl_skip(&c, 18);
    sl_decode_ethertype(p, c);
}
