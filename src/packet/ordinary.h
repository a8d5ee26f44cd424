/* The way to the transport header of what most packets are: TCP or UDP over IP over Ethernet, at
 * most one tag, nothing in fragments, nothing cut before the transport header. ordinary.c makes
 * packets of it, flow/express.c events; tests/fuzz/fuzz_decode.c holds both to what the decoders of
 * single headers find. */
#ifndef SL_PACKET_ORDINARY_H
#define SL_PACKET_ORDINARY_H

#include "cursor.h"
#include "numbers.h"

#define SL_INLINE static inline __attribute__((always_inline))

struct sl_ordinary {
    struct sl_cursor ip;        /* from the IP header to the end of what is captured */
    struct sl_cursor transport; /* from the transport header on */
    uint32_t captured, wire;    /* bytes of the IP packet from there on */
    uint32_t ip_len;            /* the whole IP packet on the wire, bytes */
    uint32_t off;               /* of the IP header */
    uint32_t type, tagged;      /* the ethertype of the IP header; whether a tag stands before */
};

/* Without jumps, which compilers make of ?: here: nobody can foretell which length is the lesser.
 */
SL_INLINE uint32_t sl_least(uint32_t a, uint32_t b) {
    return b ^ ((a ^ b) & -(uint32_t)(a < b));
}

/* To the IP header. 0: there is no room for one. */
SL_INLINE int sl_ordinary_link(struct sl_ordinary *o, const struct sl_packet *p) {
    struct sl_cursor c = {p->data, p->data + p->caplen};

    if (p->caplen < SL_ETHERNET_BYTES + SL_TAG_BYTES + SL_IPV4_BYTES)
        return 0;
    o->type = sl_u16(&c, 12);
    o->tagged = o->type == SL_TYPE_VLAN;
    if (o->tagged)
        o->type = sl_u16(&c, 16);
    o->off = SL_ETHERNET_BYTES + (o->tagged ? SL_TAG_BYTES : 0u);
    o->ip = (struct sl_cursor){c.at + o->off, c.end};
    return 1;
}

/* Goes past an IP header of `header` bytes; 0: the packet is not what it announces. */
SL_INLINE int sl_ordinary_enter(struct sl_ordinary *o, const struct sl_packet *p, uint32_t header,
                                uint32_t ip_len) {
    uint32_t captured = sl_least(p->caplen - o->off, ip_len);
    uint32_t longest = p->len ^ p->caplen ^ sl_least(p->len, p->caplen);
    uint32_t wire = sl_least(longest - o->off, ip_len);

    o->transport = (struct sl_cursor){o->ip.at + header, o->ip.end};
    o->captured = captured - header;
    o->wire = wire - header;
    o->ip_len = ip_len;
    return captured >= header; /* and wire, which is not less */
}

/* Through the IP header; its fixed part is captured (of IPv6: if there is room). 0: not so. */
SL_INLINE int sl_ordinary_ipv4(struct sl_ordinary *o, const struct sl_packet *p) {
    uint32_t version = sl_u8(&o->ip, 0), header = (version & 15) * 4;

    return o->type == SL_TYPE_IPV4 && version >> 4 == 4 && header >= SL_IPV4_BYTES &&
           !(sl_u16(&o->ip, 6) & 0x3fff) && sl_ordinary_enter(o, p, header, sl_u16(&o->ip, 2));
}

SL_INLINE int sl_ordinary_ipv6(struct sl_ordinary *o, const struct sl_packet *p) {
    if (o->type != SL_TYPE_IPV6 || !sl_has(&o->ip, SL_IPV6_BYTES))
        return 0;
    uint32_t length = sl_u16(&o->ip, 4); /* 0: a jumbogram, RFC 2675 */

    return sl_u8(&o->ip, 0) >> 4 == 6 && length &&
           sl_ordinary_enter(o, p, SL_IPV6_BYTES, length + SL_IPV6_BYTES);
}

/* Payload of UDP on the wire; its header is there. 0: its length makes no sense. */
SL_INLINE int sl_ordinary_udp(const struct sl_ordinary *o, uint32_t *payload) {
    uint32_t length = sl_u16(&o->transport, 4); /* 0: a jumbogram, RFC 2675 */

    *payload = (length ? sl_least(length, o->wire) : o->wire) - SL_UDP_BYTES;
    return length >= SL_UDP_BYTES || !length;
}

#endif
