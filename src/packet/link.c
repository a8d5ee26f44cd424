/* Link types and their decoders. */
#include "layers.h"

#include <string.h>

enum { N_LINK_TYPES = SL_LINK_LINUX_SLL2 + 1 };

static void decode_raw(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_RAW);
    sl_decode_ip(p, c);
}

static void decode_raw_ipv4(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_RAW);
    sl_decode_ipv4(p, c);
}

static void decode_raw_ipv6(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_RAW);
    sl_decode_ipv6(p, c);
}

static void (*const decoders[N_LINK_TYPES])(struct sl_packet *, struct sl_cursor) = {
    [SL_LINK_NULL] = sl_decode_null,
    [SL_LINK_ETHERNET] = sl_decode_ethernet,
    [SL_LINK_PPP] = sl_decode_ppp,
    [SL_LINK_RAW_BSD] = decode_raw,
    [SL_LINK_RAW_OPENBSD] = decode_raw,
    [SL_LINK_PPP_HDLC] = sl_decode_hdlc,
    [SL_LINK_PPP_ETHER] = sl_decode_pppoe_link,
    [SL_LINK_ATM_RFC1483] = sl_decode_llc,
    [SL_LINK_RAW] = decode_raw,
    [SL_LINK_C_HDLC] = sl_decode_chdlc,
    [SL_LINK_IEEE802_11] = sl_decode_wlan,
    [SL_LINK_FRELAY] = sl_decode_frame_relay,
    [SL_LINK_LOOP] = sl_decode_null,
    [SL_LINK_ENC] = sl_decode_enc,
    [SL_LINK_LINUX_SLL] = sl_decode_sll,
    [SL_LINK_PFLOG] = sl_decode_pflog,
    [SL_LINK_IEEE802_11_PRISM] = sl_decode_prism,
    [SL_LINK_IEEE802_11_RADIOTAP] = sl_decode_radiotap,
    [SL_LINK_APPLE_IP_OVER_IEEE1394] = sl_decode_ieee1394,
    [SL_LINK_USER2] = sl_decode_user2,
    [SL_LINK_IEEE802_11_AVS] = sl_decode_avs,
    [SL_LINK_PPI] = sl_decode_ppi,
    [SL_LINK_PPP_WITH_DIR] = sl_decode_ppp_with_dir,
    [SL_LINK_C_HDLC_WITH_DIR] = sl_decode_chdlc_with_dir,
    [SL_LINK_FRELAY_WITH_DIR] = sl_decode_frame_relay_with_dir,
    [SL_LINK_MPLS] = sl_decode_mpls,
    [SL_LINK_IPV4] = decode_raw_ipv4,
    [SL_LINK_IPV6] = decode_raw_ipv6,
    [SL_LINK_NFLOG] = sl_decode_nflog,
    [SL_LINK_PKTAP] = sl_decode_pktap,
    [SL_LINK_LINUX_SLL2] = sl_decode_sll2,
};

void sl_decode_link(struct sl_packet *p, struct sl_cursor c, uint32_t link_type) {
    if (link_type < N_LINK_TYPES && decoders[link_type])
        decoders[link_type](p, c);
    else
        p->skip = SL_SKIP_UNKNOWN_LINK_TYPE;
}

void sl_decode_carried(struct sl_packet *p, struct sl_cursor c, uint32_t link_type) {
    if (link_type == SL_LINK_PPI || link_type == SL_LINK_PKTAP || link_type == SL_LINK_USER2)
        p->skip = SL_SKIP_UNKNOWN_LINK_TYPE;
    else
        sl_decode_link(p, c, link_type);
}

/* In two parts, because gcc makes of one a string instruction that takes longer to start than the
 * whole decode does. */
void sl_decode_clear(struct sl_packet *p) {
    enum {
        FROM = offsetof(struct sl_packet, protos),
        SIZE = sizeof *p - FROM,
        HALF = SIZE / 16 * 8
    };

    memset((char *)p + FROM, 0, HALF);
    memset((char *)p + FROM + HALF, 0, SIZE - HALF);
    p->vlan_id = SL_NO_VLAN;
    p->flow = SL_NO_FLOW;
}

void sl_decode(struct sl_packet *p) {
    if (p->link_type == SL_LINK_ETHERNET && sl_decode_ordinary(p))
        return;
    sl_decode_clear(p);
    sl_decode_link(p, (struct sl_cursor){p->data, p->data + p->caplen}, p->link_type);
}
