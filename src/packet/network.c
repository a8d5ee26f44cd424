/* IPv4 (RFC 791), IPv6 (RFC 8200) and its extension headers, the authentication header (RFC 4302).
 */
#include "layers.h"
#include "numbers.h"

enum {
    PROTO_HOP_BY_HOP = 0,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_AH = 51,
    PROTO_DESTINATION = 60,
    PROTO_HIP = 139,
    PROTO_SHIM6 = 140,
    EXTENSIONS_MAX = 64
};

/* Cuts the cursor to the n bytes that the header announces: what follows is Ethernet padding or a
 * frame check sequence. */
static void limit(struct sl_cursor *c, size_t n) {
    if (n < sl_left(c))
        c->end = c->at + n;
}

/* Bytes of the frame on the wire from the network header on: what a length of 0 stands for when
 * segmentation is left to the network card (tshark reads it so too), and IPv6 jumbograms. */
static uint32_t rest_of_frame(const struct sl_packet *p) {
    uint32_t wire = p->len > p->caplen ? p->len : p->caplen;
    return wire - p->net_off;
}

/* Bytes of the IP packet that were on the wire: a total length past the frame's end is a lie. */
static uint32_t on_wire(const struct sl_packet *p) {
    uint32_t rest = rest_of_frame(p);
    return p->ip_len < rest ? p->ip_len : rest;
}

/* Passes over authentication headers (both IP versions) and IPv6 extension headers. *wire shrinks
 * with them. 0: cut, malformed, or a later fragment; p->skip or p->protos tell. */
static int pass_extensions(struct sl_packet *p, struct sl_cursor *c, uint32_t *wire, int v6) {
    for (int n = 0; n < EXTENSIONS_MAX; n++) {
        uint32_t size;

        if (p->proto == PROTO_AH) {
            sl_met(p, SL_P_AH);
        } else if (!v6 || (p->proto != PROTO_HOP_BY_HOP && p->proto != PROTO_ROUTING &&
                           p->proto != PROTO_FRAGMENT && p->proto != PROTO_DESTINATION &&
                           p->proto != PROTO_HIP && p->proto != PROTO_SHIM6)) {
            return 1;
        }
        if (!sl_has(c, 8)) {
            p->skip = SL_SKIP_TRUNCATED_NETWORK;
            return 0;
        }
        size = p->proto == PROTO_FRAGMENT ? 8
               : p->proto == PROTO_AH     ? ((uint32_t)sl_u8(c, 1) + 2) * 4
                                          : ((uint32_t)sl_u8(c, 1) + 1) * 8;
        if (p->proto == PROTO_FRAGMENT) {
            p->frag_offset = sl_u16(c, 2) & 0xfff8u;
            p->frag_more = sl_u8(c, 3) & 1;
            p->ip_id = sl_u32(c, 4);
        }
        p->proto = sl_u8(c, 0);
        if (!sl_skip(c, size)) {
            p->skip = SL_SKIP_TRUNCATED_NETWORK;
            return 0;
        }
        *wire = *wire > size ? *wire - size : 0;
        if (p->frag_offset) {
            sl_met(p, SL_P_FRAGMENT);
            return 0;
        }
    }
    p->skip = SL_SKIP_MALFORMED_NETWORK;
    return 0;
}

void sl_decode_ipv4(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_IP);
    p->net_off = (uint32_t)(c.at - p->data);
    if (!sl_has(&c, SL_IPV4_BYTES)) {
        p->skip = SL_SKIP_TRUNCATED_NETWORK;
        return;
    }
    uint32_t header = (sl_u8(&c, 0) & 15u) * 4;
    if (sl_u8(&c, 0) >> 4 != 4 || header < SL_IPV4_BYTES) {
        p->skip = SL_SKIP_MALFORMED_NETWORK;
        return;
    }
    uint32_t fragment = sl_u16(&c, 6);
    p->ip_version = 4;
    p->tos = sl_u8(&c, 1);
    p->ip_len = sl_u16(&c, 2);
    p->ip_id = sl_u16(&c, 4);
    p->frag_more = fragment >> 13 & 1;
    p->frag_offset = (fragment & 0x1fff) * 8;
    p->ttl = sl_u8(&c, 8);
    p->proto = sl_u8(&c, 9);
    p->src = (struct sl_addr){{0, 0, 0xffff, sl_u32(&c, 12)}};
    p->dst = (struct sl_addr){{0, 0, 0xffff, sl_u32(&c, 16)}};
    if (!p->ip_len)
        p->ip_len = rest_of_frame(p);
    if (p->ip_len < header) {
        p->skip = SL_SKIP_MALFORMED_NETWORK;
        return;
    }
    limit(&c, p->ip_len);
    if (!sl_skip(&c, header)) {
        p->skip = SL_SKIP_TRUNCATED_NETWORK;
        return;
    }
    uint32_t wire = on_wire(p) - header;
    if (p->frag_offset)
        sl_met(p, SL_P_FRAGMENT);
    else if (p->proto != PROTO_AH || pass_extensions(p, &c, &wire, 0))
        sl_decode_transport(p, c, wire);
}

void sl_decode_ipv6(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_IPV6);
    p->net_off = (uint32_t)(c.at - p->data);
    if (!sl_has(&c, SL_IPV6_BYTES)) {
        p->skip = SL_SKIP_TRUNCATED_NETWORK;
        return;
    }
    if (sl_u8(&c, 0) >> 4 != 6) {
        p->skip = SL_SKIP_MALFORMED_NETWORK;
        return;
    }
    uint32_t wire = sl_u16(&c, 4);
    p->ip_version = 6;
    p->tos = (uint8_t)(sl_u16(&c, 0) >> 4);
    p->proto = sl_u8(&c, 6);
    p->ttl = sl_u8(&c, 7);
    for (int i = 0; i < 4; i++) {
        p->src.w[i] = sl_u32(&c, 8 + 4 * (size_t)i);
        p->dst.w[i] = sl_u32(&c, 24 + 4 * (size_t)i);
    }
    p->ip_len = wire ? wire + SL_IPV6_BYTES : rest_of_frame(p);
    wire = on_wire(p) - SL_IPV6_BYTES;
    limit(&c, p->ip_len);
    sl_skip(&c, SL_IPV6_BYTES);
    if (pass_extensions(p, &c, &wire, 1))
        sl_decode_transport(p, c, wire);
}

void sl_decode_ip(struct sl_packet *p, struct sl_cursor c) {
    unsigned version = sl_has(&c, 1) ? sl_u8(&c, 0) >> 4 : 0;

    if (version == 4)
        sl_decode_ipv4(p, c);
    else if (version == 6)
        sl_decode_ipv6(p, c);
    else
        p->skip = sl_has(&c, 1) ? SL_SKIP_UNKNOWN_NETWORK : SL_SKIP_TRUNCATED_LINK;
}
