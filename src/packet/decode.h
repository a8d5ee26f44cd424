/* Headers to layer 4: fills every field of a raw packet behind those that the reader filled.
 *
 * Only the outermost IP header counts; VLAN, QinQ, MPLS, PPPoE and LLC/SNAP are looked through.
 * Malformed, cut and unknown packets are no error: p->skip says why decoding stopped, and what
 * was met before that place stays in p->protos.
 */
#ifndef SL_PACKET_DECODE_H
#define SL_PACKET_DECODE_H

#include "cursor.h"

/* LINKTYPE_ values that sluice decodes (https://www.tcpdump.org/linktypes.html). */
enum sl_linktype {
    SL_LINK_NULL = 0,
    SL_LINK_ETHERNET = 1,
    SL_LINK_PPP = 9,
    SL_LINK_RAW_BSD = 12, /* DLT_RAW written as it stands by some programs */
    SL_LINK_RAW_OPENBSD = 14,
    SL_LINK_RAW = 101,
    SL_LINK_LOOP = 108,
    SL_LINK_LINUX_SLL = 113,
    SL_LINK_IPV4 = 228,
    SL_LINK_IPV6 = 229,
    SL_LINK_LINUX_SLL2 = 276
};

void sl_decode(struct sl_packet *);

/* The stages; the cursor stands at the header, its end is the end of the captured bytes. */
void sl_decode_ethertype(struct sl_packet *, struct sl_cursor);
void sl_decode_ip(struct sl_packet *, struct sl_cursor); /* by the version nibble */
void sl_decode_ipv4(struct sl_packet *, struct sl_cursor);
void sl_decode_ipv6(struct sl_packet *, struct sl_cursor);
/* wire: bytes from the transport header to the end of the IP packet, captured or not. */
void sl_decode_transport(struct sl_packet *, struct sl_cursor, uint32_t wire);

static inline void sl_met(struct sl_packet *p, int proto) {
    p->protos |= (uint64_t)1 << proto;
}

#endif
