/* Serial lines: PPP, Cisco HDLC, Frame Relay. */
#include "layers.h"

enum {
    PPP_IPV4 = 0x0021,
    PPP_IPV6 = 0x0057,
    PPP_MPLS = 0x0281,
    HDLC_ALL = 0xff,      /* the address byte of PPP in HDLC framing, RFC 1662 */
    CISCO_UNICAST = 0x0f, /* … and those of Cisco HDLC */
    CISCO_MULTICAST = 0x8f,
    CISCO_SLARP = 0x8035, /* RARP's number means keepalives here */
    UNNUMBERED = 0x03,    /* control byte of RFC 2427 section 3 */
    NLPID_PADDING = 0x00,
    NLPID_SNAP = 0x80,
    NLPID_IPV6 = 0x8e,
    NLPID_IPV4 = 0xcc,
    NLPID_PPP = 0xcf, /* RFC 1973 */
    ADDRESS_MAX = 4,
    ETHERTYPE_MIN = 0x600
};

/* PPP protocol field (RFC 1661 section 2: may be compressed to one byte), address and control
 * bytes before it passed over. */
void sl_decode_ppp(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_PPP);
    if (sl_has(&c, 2) && sl_u16(&c, 0) == 0xff03)
        sl_skip(&c, 2);
    if (!sl_has(&c, 1)) {
        sl_truncated_link(p);
        return;
    }
    unsigned protocol = sl_u8(&c, 0);
    if (protocol & 1) {
        sl_skip(&c, 1);
    } else if (sl_has(&c, 2)) {
        protocol = sl_u16(&c, 0);
        sl_skip(&c, 2);
    } else {
        sl_truncated_link(p);
        return;
    }
    p->ethertype = (uint16_t)protocol;
    if (protocol == PPP_IPV4)
        sl_decode_ipv4(p, c);
    else if (protocol == PPP_IPV6)
        sl_decode_ipv6(p, c);
    else if (protocol == PPP_MPLS)
        sl_decode_mpls(p, c);
    else
        p->skip = SL_SKIP_UNKNOWN_NETWORK;
}

/* Address, control, ethertype. */
void sl_decode_chdlc(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_CHDLC);
    if (!sl_has(&c, 4)) {
        sl_truncated_link(p);
        return;
    }
    p->ethertype = sl_u16(&c, 2);
    sl_skip(&c, 4);
    if (p->ethertype == CISCO_SLARP)
        p->skip = SL_SKIP_UNKNOWN_NETWORK;
    else
        sl_decode_ethertype(p, c);
}

void sl_decode_hdlc(struct sl_packet *p, struct sl_cursor c) {
    unsigned address = sl_has(&c, 1) ? sl_u8(&c, 0) : HDLC_ALL;

    if (address == CISCO_UNICAST || address == CISCO_MULTICAST) {
        sl_decode_chdlc(p, c);
        return;
    }
    if (address == HDLC_ALL && !sl_skip(&c, 2))
        c.at = c.end;
    sl_decode_ppp(p, c);
}

/* RFC 2427 section 4.2: a bridged or routed frame behind an organisation's number. */
static void decode_frame_relay_snap(struct sl_packet *p, struct sl_cursor c) {
    enum { BRIDGED = 0x0080c2, ETHERNET_WITH_FCS = 1, ETHERNET = 7 };

    sl_met(p, SL_P_SNAP);
    if (!sl_has(&c, 5)) {
        sl_truncated_link(p);
        return;
    }
    uint32_t oui = sl_u32(&c, 0) >> 8;
    unsigned pid = p->ethertype = sl_u16(&c, 3);
    sl_skip(&c, 5);
    if (!oui)
        sl_decode_ethertype(p, c);
    else if (oui == BRIDGED && (pid == ETHERNET || pid == ETHERNET_WITH_FCS))
        sl_decode_ethernet(p, c);
    else
        p->skip = SL_SKIP_UNKNOWN_NETWORK;
}

/* The network layer protocol identifier behind the control byte. */
static void decode_nlpid(struct sl_packet *p, struct sl_cursor c) {
    if (sl_has(&c, 2) && sl_u8(&c, 0) == NLPID_PADDING)
        sl_skip(&c, 1);
    if (!sl_has(&c, 1)) {
        sl_truncated_link(p);
        return;
    }
    unsigned nlpid = sl_u8(&c, 0);
    sl_skip(&c, 1);
    switch (nlpid) {
    case NLPID_IPV4:
        sl_decode_ipv4(p, c);
        break;
    case NLPID_IPV6:
        sl_decode_ipv6(p, c);
        break;
    case NLPID_PPP:
        sl_decode_ppp(p, c);
        break;
    case NLPID_SNAP:
        decode_frame_relay_snap(p, c);
        break;
    default:
        p->skip = SL_SKIP_UNKNOWN_NETWORK;
    }
}

/* Q.922 address: bit 0 of its last byte is set. Behind it RFC 2427, or Cisco's form: an ethertype.
 */
void sl_decode_frame_relay(struct sl_packet *p, struct sl_cursor c) {
    size_t address = 1;

    sl_met(p, SL_P_FR);
    while (sl_has(&c, address) && !(sl_u8(&c, address - 1) & 1) && address < ADDRESS_MAX)
        address++;
    if (!sl_skip(&c, address) || !sl_has(&c, 2)) {
        sl_truncated_link(p);
        return;
    }
    if (sl_u8(&c, 0) == UNNUMBERED) {
        sl_skip(&c, 1);
        decode_nlpid(p, c);
        return;
    }
    p->ethertype = sl_u16(&c, 0);
    sl_skip(&c, 2);
    if (address > 1 && p->ethertype >= ETHERTYPE_MIN)
        sl_decode_ethertype(p, c);
    else
        p->skip = SL_SKIP_UNKNOWN_NETWORK;
}

/* The same behind a byte that tells sent from received. */
void sl_decode_ppp_with_dir(struct sl_packet *p, struct sl_cursor c) {
    (void)sl_skip(&c, 1);
    sl_decode_ppp(p, c);
}

void sl_decode_chdlc_with_dir(struct sl_packet *p, struct sl_cursor c) {
    (void)sl_skip(&c, 1);
    sl_decode_chdlc(p, c);
}

void sl_decode_frame_relay_with_dir(struct sl_packet *p, struct sl_cursor c) {
    (void)sl_skip(&c, 1);
    sl_decode_frame_relay(p, c);
}
