/* Linux cooked captures: what the "any" interface gives. The ARPHRD_ number of the interface tells
 * what the protocol field and the bytes behind the header are. */
#include "layers.h"

enum { /* <linux/if_arp.h> */
       ARPHRD_FRAD = 770,
       ARPHRD_IEEE80211 = 801,
       ARPHRD_IEEE80211_PRISM = 802,
       ARPHRD_IEEE80211_RADIOTAP = 803,
       ARPHRD_NETLINK = 824
};
enum { /* <linux/if_ether.h>: protocols below the least ethertype */
       PROTO_NOVELL = 0x0001,
       PROTO_ETHERNET = 0x0003,
       PROTO_LLC = 0x0004,
       PROTO_PPP = 0x0007,
       PROTO_BRIDGED = 0x6558 /* GRE's number for Ethernet, from ARPHRD_IPGRE */
};

static void decode_protocol(struct sl_packet *p, struct sl_cursor c) {
    switch (p->ethertype) {
    case PROTO_NOVELL:
    case PROTO_LLC:
        sl_decode_llc(p, c);
        break;
    case PROTO_ETHERNET:
    case PROTO_BRIDGED:
        sl_decode_ethernet(p, c);
        break;
    case PROTO_PPP:
        sl_decode_hdlc(p, c);
        break;
    default:
        sl_decode_ethertype(p, c);
    }
}

static void decode_body(struct sl_packet *p, struct sl_cursor c, unsigned hardware) {
    switch (hardware) {
    case ARPHRD_FRAD:
        sl_decode_frame_relay(p, c);
        break;
    case ARPHRD_IEEE80211:
        sl_decode_wlan(p, c);
        break;
    case ARPHRD_IEEE80211_PRISM:
        sl_decode_prism(p, c);
        break;
    case ARPHRD_IEEE80211_RADIOTAP:
        sl_decode_radiotap(p, c);
        break;
    case ARPHRD_NETLINK:
        p->skip = SL_SKIP_UNKNOWN_NETWORK;
        break;
    default:
        decode_protocol(p, c);
    }
}

static void decode_cooked(struct sl_packet *p, struct sl_cursor c, size_t header,
                          size_t hardware_at, size_t protocol_at) {
    if (!sl_has(&c, header)) {
        sl_truncated_link(p);
        return;
    }
    unsigned hardware = sl_u16(&c, hardware_at);
    p->ethertype = sl_u16(&c, protocol_at);
    sl_skip(&c, header);
    decode_body(p, c, hardware);
}

void sl_decode_sll(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_SLL);
    decode_cooked(p, c, 16, 2, 14);
}

void sl_decode_sll2(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_SLL2);
    decode_cooked(p, c, 20, 8, 0);
}
