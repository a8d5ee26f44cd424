/* Link layers, down to the ethertype. */
#include "decode.h"

#include <string.h>

enum {
    ETHERTYPE_MIN = 0x600, /* below: IEEE 802.3 length */
    TYPE_IPV4 = 0x0800,
    TYPE_ARP = 0x0806,
    TYPE_RARP = 0x8035,
    TYPE_VLAN = 0x8100,
    TYPE_IPX = 0x8137,
    TYPE_IPV6 = 0x86dd,
    TYPE_MPLS = 0x8847,
    TYPE_MPLS_UPSTREAM = 0x8848,
    TYPE_PPPOE_DISCOVERY = 0x8863,
    TYPE_PPPOE_SESSION = 0x8864,
    TYPE_EAPOL = 0x888e,
    TYPE_QINQ = 0x88a8,
    TYPE_QINQ_OLD = 0x9100,
    TYPE_LLDP = 0x88cc,
    TYPE_LOOP = 0x9000,
    SLL_8023 = 0x0001,
    SLL_LLC = 0x0004,
    PPP_IPV4 = 0x0021,
    PPP_IPV6 = 0x0057,
    PPP_MPLS = 0x0281,
    MPLS_LABELS_MAX = 32
};

static void truncated(struct sl_packet *p) {
    p->skip = SL_SKIP_TRUNCATED_LINK;
}

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
    if (sl_u16(&c, 2) != TYPE_IPV4 || plen != 4)
        return;
    p->src = (struct sl_addr){{0, 0, 0xffff, sl_u32(&c, 8 + hlen)}};
    p->dst = (struct sl_addr){{0, 0, 0xffff, sl_u32(&c, 8 + 2 * (size_t)hlen + plen)}};
}

/* MPLS label stack, RFC 3032; behind it an IP packet as its first nibble tells (RFC 4928). */
static void decode_mpls(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_MPLS);
    for (int labels = 0; labels < MPLS_LABELS_MAX; labels++) {
        if (!sl_has(&c, 4)) {
            truncated(p);
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

/* PPP protocol field (RFC 1661 section 2: may be compressed to one byte), address and control
 * bytes before it passed over. */
static void decode_ppp(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_PPP);
    if (sl_has(&c, 2) && sl_u16(&c, 0) == 0xff03)
        sl_skip(&c, 2);
    if (!sl_has(&c, 1)) {
        truncated(p);
        return;
    }
    unsigned protocol = sl_u8(&c, 0);
    if (protocol & 1) {
        sl_skip(&c, 1);
    } else if (sl_has(&c, 2)) {
        protocol = sl_u16(&c, 0);
        sl_skip(&c, 2);
    } else {
        truncated(p);
        return;
    }
    p->ethertype = (uint16_t)protocol;
    if (protocol == PPP_IPV4)
        sl_decode_ipv4(p, c);
    else if (protocol == PPP_IPV6)
        sl_decode_ipv6(p, c);
    else if (protocol == PPP_MPLS)
        decode_mpls(p, c);
    else
        p->skip = SL_SKIP_UNKNOWN_NETWORK;
}

/* PPPoE session header, RFC 2516 section 4. */
static void decode_pppoe(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_PPPOES);
    if (sl_skip(&c, 6))
        decode_ppp(p, c);
    else
        truncated(p);
}

/* IEEE 802.2; SNAP (RFC 1042) leads to an ethertype. */
static void decode_llc(struct sl_packet *p, struct sl_cursor c) {
    if (sl_has(&c, 2) && sl_u16(&c, 0) == 0xffff) { /* Novell "raw 802.3": IPX without LLC */
        sl_met(p, SL_P_IPX);
        return;
    }
    sl_met(p, SL_P_LLC);
    if (!sl_has(&c, 3)) {
        truncated(p);
        return;
    }
    unsigned dsap = sl_u8(&c, 0);
    if (dsap == 0xaa && sl_u8(&c, 1) == 0xaa && sl_u8(&c, 2) == 0x03) {
        sl_met(p, SL_P_SNAP);
        if (!sl_has(&c, 8)) {
            truncated(p);
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
    int tag = p->ethertype == TYPE_VLAN ? SL_P_VLAN : SL_P_QINQ;

    sl_met(p, tag);
    if (!sl_has(c, 4)) {
        truncated(p);
        return 0;
    }
    if (tag == SL_P_VLAN && p->vlan_id == SL_NO_VLAN)
        p->vlan_id = sl_u16(c, 0) & 0xfff;
    p->ethertype = sl_u16(c, 2);
    sl_skip(c, 4);
    if (p->ethertype >= ETHERTYPE_MIN)
        return 1;
    decode_llc(p, *c);
    return 0;
}

void sl_decode_ethertype(struct sl_packet *p, struct sl_cursor c) {
    while (p->ethertype == TYPE_VLAN || p->ethertype == TYPE_QINQ || p->ethertype == TYPE_QINQ_OLD)
        if (!decode_tag(p, &c))
            return;
    switch (p->ethertype) {
    case TYPE_IPV4:
        sl_decode_ipv4(p, c);
        break;
    case TYPE_IPV6:
        sl_decode_ipv6(p, c);
        break;
    case TYPE_ARP:
        sl_met(p, SL_P_ARP);
        decode_arp(p, c);
        break;
    case TYPE_RARP:
        sl_met(p, SL_P_RARP);
        decode_arp(p, c);
        break;
    case TYPE_MPLS:
    case TYPE_MPLS_UPSTREAM:
        decode_mpls(p, c);
        break;
    case TYPE_PPPOE_DISCOVERY:
        sl_met(p, SL_P_PPPOED);
        break;
    case TYPE_PPPOE_SESSION:
        decode_pppoe(p, c);
        break;
    case TYPE_IPX:
        sl_met(p, SL_P_IPX);
        break;
    case TYPE_LLDP:
        sl_met(p, SL_P_LLDP);
        break;
    case TYPE_EAPOL:
        sl_met(p, SL_P_EAPOL);
        break;
    case TYPE_LOOP:
        sl_met(p, SL_P_LOOP);
        break;
    default:
        p->skip = SL_SKIP_UNKNOWN_NETWORK;
    }
}

static void decode_ethernet(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_ETH);
    if (!sl_has(&c, 14)) {
        truncated(p);
        return;
    }
    p->ethertype = sl_u16(&c, 12);
    sl_skip(&c, 14);
    if (p->ethertype >= ETHERTYPE_MIN)
        sl_decode_ethertype(p, c);
    else
        decode_llc(p, c);
}

/* Linux cooked: the protocol stands at the end of the header (v1) or at its start (v2). */
static void decode_cooked(struct sl_packet *p, struct sl_cursor c, int proto, size_t header,
                          size_t type_at) {
    sl_met(p, proto);
    if (!sl_has(&c, header)) {
        truncated(p);
        return;
    }
    p->ethertype = sl_u16(&c, type_at);
    sl_skip(&c, header);
    if (p->ethertype == SLL_LLC || p->ethertype == SLL_8023)
        decode_llc(p, c);
    else
        sl_decode_ethertype(p, c);
}

/* BSD loopback: the address family in the byte order of the machine that captured (NULL), or in
 * network order (LOOP). IPv6's number differs between the BSDs, Darwin and Linux. */
static void decode_null(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_NULL);
    if (!sl_has(&c, 4)) {
        truncated(p);
        return;
    }
    uint32_t family = sl_u32(&c, 0);
    if (family > 0xffff)
        family = __builtin_bswap32(family);
    sl_skip(&c, 4);
    switch (family) {
    case 2:
        sl_decode_ipv4(p, c);
        break;
    case 10:
    case 24:
    case 28:
    case 30:
        sl_decode_ipv6(p, c);
        break;
    default:
        p->skip = SL_SKIP_UNKNOWN_NETWORK;
    }
}

/* Zeroes what decode fills. In two parts, because gcc makes of one a string instruction that takes
 * longer to start than the whole decode does. */
static void clear(struct sl_packet *p) {
    enum {
        FROM = offsetof(struct sl_packet, protos),
        SIZE = sizeof *p - FROM,
        HALF = SIZE / 16 * 8
    };

    memset((char *)p + FROM, 0, HALF);
    memset((char *)p + FROM + HALF, 0, SIZE - HALF);
}

void sl_decode(struct sl_packet *p) {
    struct sl_cursor c = {p->data, p->data + p->caplen};

    clear(p);
    p->vlan_id = SL_NO_VLAN;
    p->flow = SL_NO_FLOW;
    switch (p->link_type) {
    case SL_LINK_ETHERNET:
        decode_ethernet(p, c);
        break;
    case SL_LINK_LINUX_SLL:
        decode_cooked(p, c, SL_P_SLL, 16, 14);
        break;
    case SL_LINK_LINUX_SLL2:
        decode_cooked(p, c, SL_P_SLL2, 20, 0);
        break;
    case SL_LINK_RAW:
    case SL_LINK_RAW_BSD:
    case SL_LINK_RAW_OPENBSD:
        sl_met(p, SL_P_RAW);
        sl_decode_ip(p, c);
        break;
    case SL_LINK_IPV4:
        sl_met(p, SL_P_RAW);
        sl_decode_ipv4(p, c);
        break;
    case SL_LINK_IPV6:
        sl_met(p, SL_P_RAW);
        sl_decode_ipv6(p, c);
        break;
    case SL_LINK_NULL:
    case SL_LINK_LOOP:
        decode_null(p, c);
        break;
    case SL_LINK_PPP:
        decode_ppp(p, c);
        break;
    default:
        p->skip = SL_SKIP_UNKNOWN_LINK_TYPE;
    }
}
