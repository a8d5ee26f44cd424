/* Headers to layer 4: fills every field of a raw packet behind those that the reader filled.
 *
 * sl_decode takes the outermost IP header; VLAN, QinQ, MPLS, PPPoE and LLC/SNAP are looked through.
 * Malformed, cut and unknown packets are no error: p->skip says why decoding stopped, and what
 * was met before that place stays in p->protos. The decoders of single headers are in layers.h.
 */
#ifndef SL_PACKET_DECODE_H
#define SL_PACKET_DECODE_H

#include "../types.h"

/* LINKTYPE_ values that sluice decodes (https://www.tcpdump.org/linktypes.html). */
enum sl_linktype {
    SL_LINK_NULL = 0,
    SL_LINK_ETHERNET = 1,
    SL_LINK_PPP = 9,
    SL_LINK_RAW_BSD = 12, /* DLT_RAW written as it stands by some programs */
    SL_LINK_RAW_OPENBSD = 14,
    SL_LINK_PPP_HDLC = 50,
    SL_LINK_PPP_ETHER = 51,
    SL_LINK_ATM_RFC1483 = 100,
    SL_LINK_RAW = 101,
    SL_LINK_C_HDLC = 104,
    SL_LINK_IEEE802_11 = 105,
    SL_LINK_FRELAY = 107,
    SL_LINK_LOOP = 108,
    SL_LINK_ENC = 109,
    SL_LINK_LINUX_SLL = 113,
    SL_LINK_PFLOG = 117,
    SL_LINK_IEEE802_11_PRISM = 119,
    SL_LINK_IEEE802_11_RADIOTAP = 127,
    SL_LINK_APPLE_IP_OVER_IEEE1394 = 138,
    SL_LINK_USER2 = 149, /* Apple's PKTAP before it had a number of its own */
    SL_LINK_IEEE802_11_AVS = 163,
    SL_LINK_PPI = 192,
    SL_LINK_PPP_WITH_DIR = 204,
    SL_LINK_C_HDLC_WITH_DIR = 205,
    SL_LINK_FRELAY_WITH_DIR = 206,
    SL_LINK_MPLS = 219,
    SL_LINK_IPV4 = 228,
    SL_LINK_IPV6 = 229,
    SL_LINK_NFLOG = 239,
    SL_LINK_PKTAP = 258,
    SL_LINK_LINUX_SLL2 = 276
};

void sl_decode(struct sl_packet *);

/* Looks inside the tunnels of a packet that sl_decode has been through, at most SL_TUNNELS_MAX of
 * them one in another: IP in IP, 6in4, GRE with PPTP and ERSPAN, VXLAN, Geneve, GTP-U, Teredo,
 * EtherIP and MPLS in IP. The fields become those of the innermost packet whose headers are whole
 * and make sense, protos holds those of all; anything in doubt leaves the packet as it was.
 * Fragments are not looked into. */
enum { SL_TUNNELS_MAX = 8 };
void sl_decap(struct sl_packet *);
/* One tunnel alone: sl_decode_inside of abi.h. */

#endif
