/* The decoders of single headers, each of which calls the next one's. The cursor stands at the
 * header, its end is the end of the captured bytes; what was met and why decoding stopped go into
 * the packet. */
#ifndef SL_PACKET_LAYERS_H
#define SL_PACKET_LAYERS_H

#include "cursor.h"
#include "decode.h"

/* Zeroes what decode fills. */
void sl_decode_clear(struct sl_packet *);

/* ordinary.c: a whole Ethernet frame, where it holds what most do. 0: the packet is as it was or in
 * parts filled, and the decoders of its headers are to be called. */
int sl_decode_ordinary(struct sl_packet *);

/* link.c: by LINKTYPE_ value; _carried: of a frame behind a capture program's own header, which may
 * not be another such header. */
void sl_decode_link(struct sl_packet *, struct sl_cursor, uint32_t link_type);
void sl_decode_carried(struct sl_packet *, struct sl_cursor, uint32_t link_type);

/* ethernet.c */
void sl_decode_ethernet(struct sl_packet *, struct sl_cursor);
void sl_decode_ethertype(struct sl_packet *, struct sl_cursor); /* p->ethertype is set */
void sl_decode_llc(struct sl_packet *, struct sl_cursor);
void sl_decode_mpls(struct sl_packet *, struct sl_cursor);
void sl_decode_pppoe_link(struct sl_packet *, struct sl_cursor);
void sl_decode_ieee1394(struct sl_packet *, struct sl_cursor);

/* serial.c */
void sl_decode_ppp(struct sl_packet *, struct sl_cursor);
void sl_decode_hdlc(struct sl_packet *, struct sl_cursor); /* PPP or C-HDLC, told by the address */
void sl_decode_chdlc(struct sl_packet *, struct sl_cursor);
void sl_decode_frame_relay(struct sl_packet *, struct sl_cursor);
void sl_decode_ppp_with_dir(struct sl_packet *, struct sl_cursor);
void sl_decode_chdlc_with_dir(struct sl_packet *, struct sl_cursor);
void sl_decode_frame_relay_with_dir(struct sl_packet *, struct sl_cursor);

/* wlan.c */
void sl_decode_wlan(struct sl_packet *, struct sl_cursor);
void sl_decode_radiotap(struct sl_packet *, struct sl_cursor);
void sl_decode_prism(struct sl_packet *, struct sl_cursor);
void sl_decode_avs(struct sl_packet *, struct sl_cursor);

/* cooked.c */
void sl_decode_sll(struct sl_packet *, struct sl_cursor);
void sl_decode_sll2(struct sl_packet *, struct sl_cursor);

/* host.c: headers that an operating system or a capture program makes up */
void sl_decode_null(struct sl_packet *, struct sl_cursor);
void sl_decode_enc(struct sl_packet *, struct sl_cursor);
void sl_decode_pflog(struct sl_packet *, struct sl_cursor);
void sl_decode_nflog(struct sl_packet *, struct sl_cursor);
void sl_decode_pktap(struct sl_packet *, struct sl_cursor);
void sl_decode_user2(struct sl_packet *, struct sl_cursor);
void sl_decode_ppi(struct sl_packet *, struct sl_cursor);

/* network.c */
void sl_decode_ip(struct sl_packet *, struct sl_cursor); /* by the version nibble */
void sl_decode_ipv4(struct sl_packet *, struct sl_cursor);
void sl_decode_ipv6(struct sl_packet *, struct sl_cursor);

/* transport.c. wire: bytes from the transport header to the end of the IP packet, captured or not.
 */
void sl_decode_transport(struct sl_packet *, struct sl_cursor, uint32_t wire);

/* tunnel_ip.c and tunnel_udp.c: what the payload of an IP protocol or of UDP holds if it is a
 * tunnel; the cursor's end is that of the outer payload. The inner packet's fields are clear
 * before. 0: no tunnel, or one that is in doubt. */
int sl_decode_ip_tunnel(struct sl_packet *inner, struct sl_cursor, unsigned proto);
int sl_decode_udp_tunnel(struct sl_packet *inner, struct sl_cursor, unsigned sport, unsigned dport);

static inline void sl_met(struct sl_packet *p, int proto) {
    p->protos |= (uint64_t)1 << proto;
}
static inline void sl_truncated_link(struct sl_packet *p) {
    p->skip = SL_SKIP_TRUNCATED_LINK;
}

#endif
