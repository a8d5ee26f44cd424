/* TCP (RFC 9293), UDP (RFC 768), SCTP (RFC 9260), ICMP (RFC 792), ICMPv6 (RFC 4443): ports, flags
 * and how much they carry. Other protocols are named by number. */
#include "layers.h"
#include "numbers.h"

enum { PORTS = 4, OFFSET_END = 13, SCTP_HEADER = 12, DCCP_MIN = 12 };

/* Which bit of protos an IP protocol number sets. */
static const uint8_t proto_bit[256] = {
    [1] = SL_P_ICMP,      [2] = SL_P_IGMP,    [4] = SL_P_IPIP,   [6] = SL_P_TCP,
    [17] = SL_P_UDP,      [33] = SL_P_DCCP,   [41] = SL_P_IPIP,  [47] = SL_P_GRE,
    [50] = SL_P_ESP,      [58] = SL_P_ICMPV6, [88] = SL_P_EIGRP, [89] = SL_P_OSPF,
    [103] = SL_P_PIM,     [112] = SL_P_VRRP,  [115] = SL_P_L2TP, [132] = SL_P_SCTP,
    [136] = SL_P_UDPLITE,
};

/* What lies behind a header of `header` bytes; wire and the cursor count from the header's start.
 */
static void set_payload(struct sl_packet *p, struct sl_cursor c, uint32_t header, uint32_t wire) {
    if (wire < header)
        return;
    p->payload_off = p->l4_off + header;
    p->payload_len = wire - header;
    p->payload_cap = sl_left(&c) > header ? (uint32_t)sl_left(&c) - header : 0;
    if (p->payload_cap > p->payload_len)
        p->payload_cap = p->payload_len;
}

/* A header that is cut gives the fields that are whole. Behind a data offset below 5 nothing is a
 * field any more. */
static void decode_tcp(struct sl_packet *p, struct sl_cursor c, uint32_t wire) {
    uint32_t header = sl_has(&c, OFFSET_END) ? (sl_u8(&c, 12) >> 4) * 4u : SL_TCP_BYTES;
    int cut = !sl_has(&c, SL_TCP_BYTES);

    if (header < SL_TCP_BYTES) {
        p->l4_cap = OFFSET_END;
        c.end = c.at + OFFSET_END;
    }
    if (sl_has(&c, 8))
        p->seq = sl_u32(&c, 4);
    if (sl_has(&c, 12))
        p->ack = sl_u32(&c, 8);
    if (sl_has(&c, 14))
        p->tcp_flags = sl_u16(&c, 12) & 0x1ff;
    if (sl_has(&c, 16))
        p->window = sl_u16(&c, 14);
    if (cut)
        p->skip = SL_SKIP_TRUNCATED_TRANSPORT;
    else if (header < SL_TCP_BYTES || header > wire)
        p->skip = SL_SKIP_MALFORMED_TRANSPORT;
    else
        set_payload(p, c, header, wire);
}

/* UDP's own length counts where it is less than IP's; 0 is a jumbogram (RFC 2675). */
static void decode_udp(struct sl_packet *p, struct sl_cursor c, uint32_t wire) {
    if (!sl_has(&c, SL_UDP_BYTES)) {
        p->skip = SL_SKIP_TRUNCATED_TRANSPORT;
        return;
    }
    uint32_t length = sl_u16(&c, 4);
    if (length && length < SL_UDP_BYTES)
        p->skip = SL_SKIP_MALFORMED_TRANSPORT;
    else if (length && length < wire && p->proto == SL_PROTO_UDP)
        wire = length;
    set_payload(p, c, SL_UDP_BYTES, wire);
}

static void decode_ports(struct sl_packet *p, struct sl_cursor c, uint32_t wire) {
    if (!sl_has(&c, PORTS)) {
        p->skip = SL_SKIP_TRUNCATED_TRANSPORT;
        return;
    }
    sl_met(p, proto_bit[p->proto]);
    p->sport = sl_u16(&c, 0);
    p->dport = sl_u16(&c, 2);
    switch (proto_bit[p->proto]) {
    case SL_P_TCP:
        decode_tcp(p, c, wire);
        break;
    case SL_P_UDP:
    case SL_P_UDPLITE:
        decode_udp(p, c, wire);
        break;
    case SL_P_SCTP:
        set_payload(p, c, SCTP_HEADER, wire);
        break;
    default:
        set_payload(p, c, DCCP_MIN, wire);
    }
}

void sl_decode_transport(struct sl_packet *p, struct sl_cursor c, uint32_t wire) {
    int bit = proto_bit[p->proto];

    p->l4_off = (uint32_t)(c.at - p->data);
    p->l4_cap = (uint32_t)sl_left(&c);
    switch (bit) {
    case SL_P_TCP:
    case SL_P_UDP:
    case SL_P_UDPLITE:
    case SL_P_SCTP:
    case SL_P_DCCP:
        decode_ports(p, c, wire);
        break;
    case SL_P_ICMP:
    case SL_P_ICMPV6:
        sl_met(p, bit);
        if (sl_has(&c, 2)) {
            p->icmp_type = sl_u8(&c, 0);
            p->icmp_code = sl_u8(&c, 1);
        } else {
            p->skip = SL_SKIP_TRUNCATED_TRANSPORT;
        }
        break;
    default:
        sl_met(p, bit ? bit : SL_P_OTHER_IP_PROTO);
    }
}
