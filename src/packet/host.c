/* Headers that operating systems and capture programs make up: BSD loopback, IPsec's and the packet
 * filter's logs, Linux's NFLOG, Apple's PKTAP, and PPI. */
#include "layers.h"

enum { AF_IPV4 = 2, FAMILY_MAX = 0xffff };

/* Address families have the byte order of the machine that captured: a small number in the wrong
 * order is a huge one. */
static uint32_t family_of(uint32_t number) {
    return number > FAMILY_MAX ? __builtin_bswap32(number) : number;
}

/* IPv6's number differs between the BSDs, Darwin and Linux. */
static void decode_family(struct sl_packet *p, struct sl_cursor c, uint32_t family) {
    switch (family) {
    case AF_IPV4:
        sl_decode_ipv4(p, c);
        break;
    case 10: /* Linux */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* Darwin */
        sl_decode_ipv6(p, c);
        break;
    default:
        p->skip = SL_SKIP_UNKNOWN_NETWORK;
    }
}

/* The family at the start of a header of n bytes. */
static void decode_family_header(struct sl_packet *p, struct sl_cursor c, size_t n) {
    if (!sl_has(&c, n)) {
        sl_truncated_link(p);
        return;
    }
    uint32_t family = family_of(sl_u32(&c, 0));
    sl_skip(&c, n);
    decode_family(p, c, family);
}

/* NULL and LOOP: the latter is in network order always. */
void sl_decode_null(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_NULL);
    decode_family_header(p, c, 4);
}

/* Family, security parameter index, flags. */
void sl_decode_enc(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_ENC);
    decode_family_header(p, c, 12);
}

/* Header length and family in a byte each; the header is padded to a multiple of 4 bytes. */
void sl_decode_pflog(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_PFLOG);
    if (!sl_has(&c, 2)) {
        sl_truncated_link(p);
        return;
    }
    size_t header = ((size_t)sl_u8(&c, 0) + 3) / 4 * 4;
    unsigned family = sl_u8(&c, 1);
    if (header >= 2 && sl_skip(&c, header))
        decode_family(p, c, family);
    else
        sl_truncated_link(p);
}

/* Family, version, resource; then netlink attributes, one of which is the packet. They are in the
 * order of the machine that captured: their types are small, so one byte of a type is 0. */
void sl_decode_nflog(struct sl_packet *p, struct sl_cursor c) {
    enum { HEADER = 4, ATTRIBUTE = 4, PAYLOAD = 9 };

    sl_met(p, SL_P_NFLOG);
    unsigned family = sl_has(&c, HEADER) ? sl_u8(&c, 0) : 0;
    if (!sl_skip(&c, HEADER)) {
        sl_truncated_link(p);
        return;
    }
    while (sl_has(&c, ATTRIBUTE)) {
        int little = sl_u8(&c, 3) == 0;
        size_t length = little ? sl_le16(&c, 0) : sl_u16(&c, 0);
        unsigned type = little ? sl_le16(&c, 2) : sl_u16(&c, 2);
        if (length < ATTRIBUTE)
            break;
        if (type == PAYLOAD) {
            if (length < sl_left(&c))
                c.end = c.at + length;
            sl_skip(&c, ATTRIBUTE);
            decode_family(p, c, family);
            return;
        }
        if (!sl_skip(&c, (length + 3) / 4 * 4))
            break;
    }
    sl_truncated_link(p);
}

enum { PKTAP_HEADER = 108, PKTAP_PACKET = 1 };

/* Header length, record type, the packet's link type, 32 bits each; little-endian, as all machines
 * with it are. */
void sl_decode_pktap(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_PKTAP);
    if (!sl_has(&c, 12) || sl_le32(&c, 0) < 12 || !sl_has(&c, sl_le32(&c, 0))) {
        sl_truncated_link(p);
        return;
    }
    unsigned record = sl_le32(&c, 4);
    uint32_t link_type = sl_le32(&c, 8);
    sl_skip(&c, sl_le32(&c, 0));
    if (record == PKTAP_PACKET)
        sl_decode_carried(p, c, link_type);
    else
        p->skip = SL_SKIP_UNKNOWN_NETWORK;
}

/* A number for private use: PKTAP only if it looks like it. */
void sl_decode_user2(struct sl_packet *p, struct sl_cursor c) {
    if (sl_has(&c, PKTAP_HEADER) && sl_le32(&c, 0) >= PKTAP_HEADER &&
        sl_le32(&c, 0) <= sl_left(&c) && sl_le32(&c, 0) < 2 * PKTAP_HEADER &&
        sl_le32(&c, 4) == PKTAP_PACKET && sl_le32(&c, 8) <= FAMILY_MAX)
        sl_decode_pktap(p, c);
    else
        p->skip = SL_SKIP_UNKNOWN_LINK_TYPE;
}

/* CACE's Per-Packet Information: version, flags, header length, link type; little-endian. */
void sl_decode_ppi(struct sl_packet *p, struct sl_cursor c) {
    enum { HEADER = 8 };

    sl_met(p, SL_P_PPI);
    if (!sl_has(&c, HEADER) || sl_le16(&c, 2) < HEADER || !sl_has(&c, sl_le16(&c, 2))) {
        sl_truncated_link(p);
        return;
    }
    uint32_t link_type = sl_le32(&c, 4);
    sl_skip(&c, sl_le16(&c, 2));
    sl_decode_carried(p, c, link_type);
}
