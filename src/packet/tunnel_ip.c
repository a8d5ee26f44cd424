/* Tunnels with an IP protocol number of their own. */
#include "layers.h"

enum { PROTO_IPV4 = 4, PROTO_IPV6 = 41, PROTO_GRE = 47, PROTO_ETHERIP = 97, PROTO_MPLS = 137 };

enum { /* RFC 2784, RFC 2890; of version 1 RFC 2637 */
       GRE_CHECKSUM = 0x8000,
       GRE_ROUTING = 0x4000,
       GRE_KEY = 0x2000,
       GRE_SEQUENCE = 0x1000,
       GRE_ACKNOWLEDGMENT = 0x0080,
       GRE_VERSION = 0x0007
};

enum {
    TYPE_ETHERNET = 0x6558, /* transparent Ethernet bridging */
    TYPE_WCCP = 0x883e,
    TYPE_PPP = 0x880b,
    TYPE_ERSPAN = 0x88be,
    TYPE_ERSPAN_III = 0x22eb
};

/* draft-foschiano-erspan-03: type I has no header of its own and no sequence number, type II has
 * one of 8 bytes, type III of 12 and with the O bit of 8 more. */
static int decode_erspan(struct sl_packet *p, struct sl_cursor c, unsigned type, int sequence) {
    enum { HEADER_II = 8, HEADER_III = 12, SUBHEADER = 8, VERSION_II = 1, VERSION_III = 2 };

    sl_met(p, SL_P_ERSPAN);
    if (type == TYPE_ERSPAN_III) {
        if (!sl_has(&c, HEADER_III) || sl_u8(&c, 0) >> 4 != VERSION_III ||
            !sl_skip(&c, HEADER_III + (sl_u8(&c, 11) & 1 ? SUBHEADER : 0)))
            return 0;
    } else if (sequence) {
        if (!sl_has(&c, HEADER_II) || sl_u8(&c, 0) >> 4 != VERSION_II)
            return 0;
        sl_skip(&c, HEADER_II);
    }
    sl_decode_ethernet(p, c);
    return 1;
}

/* WCCP's redirect header of 4 bytes stands before the packet in its second version only. */
static int decode_wccp(struct sl_packet *p, struct sl_cursor c) {
    if (sl_has(&c, 1) && sl_u8(&c, 0) >> 4 != 4 && !sl_skip(&c, 4))
        return 0;
    sl_decode_ipv4(p, c);
    return 1;
}

static int decode_gre_payload(struct sl_packet *p, struct sl_cursor c, unsigned type,
                              int sequence) {
    p->ethertype = (uint16_t)type;
    switch (type) {
    case TYPE_ETHERNET:
        sl_decode_ethernet(p, c);
        return 1;
    case TYPE_ERSPAN:
    case TYPE_ERSPAN_III:
        return decode_erspan(p, c, type, sequence);
    case TYPE_WCCP:
        return decode_wccp(p, c);
    case TYPE_PPP:
        sl_decode_ppp(p, c);
        return 1;
    default:
        sl_decode_ethertype(p, c);
        return 1;
    }
}

/* Source routes (RFC 1701) and unknown versions are in doubt. */
static int decode_gre(struct sl_packet *p, struct sl_cursor c) {
    if (!sl_has(&c, 4))
        return 0;
    unsigned flags = sl_u16(&c, 0), type = sl_u16(&c, 2), version = flags & GRE_VERSION;
    int pptp = version == 1 && type == TYPE_PPP && flags & GRE_KEY;
    size_t header = 4 + (flags & GRE_CHECKSUM ? 4u : 0) + (flags & GRE_KEY ? 4u : 0) +
                    (flags & GRE_SEQUENCE ? 4u : 0) + (pptp && flags & GRE_ACKNOWLEDGMENT ? 4u : 0);

    if (flags & GRE_ROUTING || (version != 0 && !pptp) || !sl_skip(&c, header))
        return 0;
    return decode_gre_payload(p, c, type, (flags & GRE_SEQUENCE) != 0);
}

/* RFC 3378: version 3 and 12 zero bits. */
static int decode_etherip(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_ETHERIP);
    if (!sl_has(&c, 2) || sl_u16(&c, 0) != 0x3000)
        return 0;
    sl_skip(&c, 2);
    sl_decode_ethernet(p, c);
    return 1;
}

int sl_decode_ip_tunnel(struct sl_packet *inner, struct sl_cursor c, unsigned proto) {
    switch (proto) {
    case PROTO_IPV4:
        sl_decode_ipv4(inner, c);
        return 1;
    case PROTO_IPV6:
        sl_decode_ipv6(inner, c);
        return 1;
    case PROTO_GRE:
        return decode_gre(inner, c);
    case PROTO_ETHERIP:
        return decode_etherip(inner, c);
    case PROTO_MPLS: /* RFC 4023 */
        sl_decode_mpls(inner, c);
        return 1;
    default:
        return 0;
    }
}
