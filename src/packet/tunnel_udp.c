/* Tunnels over UDP, known by their ports. */
#include "layers.h"

enum {
    PORT_GTP_U = 2152,
    PORT_TEREDO = 3544,
    PORT_VXLAN = 4789,
    PORT_VXLAN_GPE = 4790,
    PORT_GENEVE = 6081,
    PORT_VXLAN_LINUX = 8472 /* Linux's default, older than the assigned number */
};

/* RFC 7348. */
static int decode_vxlan(struct sl_packet *p, struct sl_cursor c) {
    enum { HEADER = 8, VALID = 0x08 };

    sl_met(p, SL_P_VXLAN);
    if (!sl_has(&c, HEADER) || !(sl_u8(&c, 0) & VALID))
        return 0;
    sl_skip(&c, HEADER);
    sl_decode_ethernet(p, c);
    return 1;
}

/* draft-ietf-nvo3-vxlan-gpe: the last byte of the first word names what follows. */
static int decode_vxlan_gpe(struct sl_packet *p, struct sl_cursor c) {
    enum { HEADER = 8, VALID = 0x08, NAMED = 0x04 };

    sl_met(p, SL_P_VXLAN);
    if (!sl_has(&c, HEADER) || (sl_u8(&c, 0) & (VALID | NAMED)) != (VALID | NAMED))
        return 0;
    unsigned next = sl_u8(&c, 3);
    sl_skip(&c, HEADER);
    switch (next) {
    case 1:
        sl_decode_ipv4(p, c);
        return 1;
    case 2:
        sl_decode_ipv6(p, c);
        return 1;
    case 3:
        sl_decode_ethernet(p, c);
        return 1;
    default:
        return 0;
    }
}

/* RFC 8926: version 0, options counted in words. */
static int decode_geneve(struct sl_packet *p, struct sl_cursor c) {
    enum { HEADER = 8, ETHERNET = 0x6558 };

    sl_met(p, SL_P_GENEVE);
    if (!sl_has(&c, HEADER) || sl_u8(&c, 0) >> 6 != 0)
        return 0;
    p->ethertype = sl_u16(&c, 2);
    if (!sl_skip(&c, HEADER + (sl_u8(&c, 0) & 0x3fu) * 4))
        return 0;
    if (p->ethertype == ETHERNET)
        sl_decode_ethernet(p, c);
    else
        sl_decode_ethertype(p, c);
    return 1;
}

/* Extension headers: length in words, content, type of the next one; 0 is the end. */
static int pass_gtp_extensions(struct sl_cursor *c, unsigned type) {
    while (type) {
        size_t length = sl_has(c, 1) ? sl_u8(c, 0) * (size_t)4 : 0;
        if (!length || !sl_has(c, length))
            return 0;
        type = sl_u8(c, length - 1);
        sl_skip(c, length);
    }
    return 1;
}

/* 3GPP TS 29.281: version 1, protocol type GTP, message G-PDU. */
static int decode_gtp_u(struct sl_packet *p, struct sl_cursor c) {
    enum { HEADER = 8, OPTIONAL = 4, EXTENDED = 0x04, HAS_OPTIONAL = 0x07, G_PDU = 255 };

    sl_met(p, SL_P_GTP);
    if (!sl_has(&c, HEADER) || sl_u8(&c, 0) >> 4 != 3 || sl_u8(&c, 1) != G_PDU)
        return 0;
    unsigned flags = sl_u8(&c, 0), extension = 0;
    size_t length = sl_u16(&c, 2);
    sl_skip(&c, HEADER);
    if (length < sl_left(&c))
        c.end = c.at + length;
    if (flags & HAS_OPTIONAL) {
        if (!sl_has(&c, OPTIONAL))
            return 0;
        extension = flags & EXTENDED ? sl_u8(&c, 3) : 0;
        sl_skip(&c, OPTIONAL);
    }
    if (!pass_gtp_extensions(&c, extension))
        return 0;
    sl_decode_ip(p, c);
    return 1;
}

/* RFC 4380 section 5.1.1: authentication and origin indication may stand before the packet. */
static int decode_teredo(struct sl_packet *p, struct sl_cursor c) {
    enum { AUTHENTICATION = 1, ORIGIN = 0, ORIGIN_SIZE = 8, AUTHENTICATION_MIN = 13 };

    sl_met(p, SL_P_TEREDO);
    if (sl_has(&c, 4) && sl_u16(&c, 0) == AUTHENTICATION &&
        !sl_skip(&c, AUTHENTICATION_MIN + (size_t)sl_u8(&c, 2) + sl_u8(&c, 3)))
        return 0;
    if (sl_has(&c, 2) && sl_u16(&c, 0) == ORIGIN && !sl_skip(&c, ORIGIN_SIZE))
        return 0;
    sl_decode_ipv6(p, c);
    return 1;
}

/* Answers of GTP-U and Teredo come from the port; the others choose their source port freely. */
int sl_decode_udp_tunnel(struct sl_packet *inner, struct sl_cursor c, unsigned sport,
                         unsigned dport) {
    switch (dport) {
    case PORT_VXLAN:
    case PORT_VXLAN_LINUX:
        return decode_vxlan(inner, c);
    case PORT_VXLAN_GPE:
        return decode_vxlan_gpe(inner, c);
    case PORT_GENEVE:
        return decode_geneve(inner, c);
    case PORT_GTP_U:
        return decode_gtp_u(inner, c);
    case PORT_TEREDO:
        return decode_teredo(inner, c);
    default:
        return sport == PORT_TEREDO  ? decode_teredo(inner, c)
               : sport == PORT_GTP_U ? decode_gtp_u(inner, c)
                                     : 0;
    }
}
