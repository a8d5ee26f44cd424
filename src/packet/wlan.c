/* IEEE 802.11 data frames down to LLC, and the headers that capture programs put before them.
 * Management and control frames are named, protected ones are not looked into. */
#include "layers.h"

enum {
    FC_VERSION = 3, /* first byte of frame control, IEEE 802.11-2020 section 9.2.4.1 */
    FC_TYPE = 0x0c,
    FC_DATA = 0x08,
    FC_NO_DATA = 0x40, /* bits of a data frame's subtype */
    FC_QOS = 0x80,
    FC_TO_AND_FROM_DS = 0x03, /* second byte */
    FC_PROTECTED = 0x40,
    FC_ORDER = 0x80, /* in QoS frames: HT control follows */
    QOS_AMSDU = 0x80,
    HEADER = 24,
    SEQUENCE_AT = 22,
    SUBFRAME_HEADER = 14, /* of an A-MSDU: addresses and length */
    FCS = 4
};

/* radiotap.org, fields Flags and TSFT */
enum {
    RADIOTAP_MIN = 8,
    RADIOTAP_TSFT = 1 << 0,
    RADIOTAP_FLAGS = 1 << 1,
    FLAG_FCS = 0x10,
    FLAG_PADDING = 0x20
};

enum { PRISM_HEADER = 144, AVS_MAGIC = 0x80211000 };

/* padded: the header ends at a multiple of 4 bytes. Of an A-MSDU the first frame is taken. */
static void decode_frame(struct sl_packet *p, struct sl_cursor c, int padded) {
    sl_met(p, SL_P_WLAN);
    if (!sl_has(&c, 2)) {
        sl_truncated_link(p);
        return;
    }
    unsigned control = sl_u8(&c, 0), flags = sl_u8(&c, 1);
    if ((control & FC_VERSION) != 0) {
        p->skip = SL_SKIP_UNKNOWN_NETWORK;
        return;
    }
    if ((control & FC_TYPE) != FC_DATA || control & FC_NO_DATA)
        return;
    size_t header = HEADER + ((flags & FC_TO_AND_FROM_DS) == FC_TO_AND_FROM_DS ? 6 : 0);
    size_t qos_at = header;
    if (control & FC_QOS)
        header += flags & FC_ORDER ? 6 : 2;
    if (!sl_has(&c, header)) {
        sl_truncated_link(p);
        return;
    }
    if (flags & FC_PROTECTED || sl_u8(&c, SEQUENCE_AT) & 15) /* or a later fragment */
        return;
    int amsdu = control & FC_QOS && sl_u8(&c, qos_at) & QOS_AMSDU;
    if (padded)
        header = (header + 3) / 4 * 4;
    if (sl_skip(&c, header) && (!amsdu || sl_skip(&c, SUBFRAME_HEADER)))
        sl_decode_llc(p, c);
    else
        sl_truncated_link(p);
}

void sl_decode_wlan(struct sl_packet *p, struct sl_cursor c) {
    decode_frame(p, c, 0);
}

/* The Flags field, the second one; 0 where it is not there. header: bytes of the radiotap header.
 */
static unsigned radiotap_flags(const struct sl_cursor *c, size_t header) {
    uint32_t present = sl_le32(c, 4), word = present;
    size_t at = RADIOTAP_MIN;

    for (; word >> 31; at += 4) { /* another word of field bits follows */
        if (at + 4 > header)
            return 0;
        word = sl_le32(c, at);
    }
    if (present & RADIOTAP_TSFT)
        at = (at + 7) / 8 * 8 + 8;
    return present & RADIOTAP_FLAGS && at < header ? sl_u8(c, at) : 0;
}

void sl_decode_radiotap(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_RADIOTAP);
    size_t header = sl_has(&c, RADIOTAP_MIN) ? sl_le16(&c, 2) : 0;
    if (header < RADIOTAP_MIN || !sl_has(&c, header)) {
        sl_truncated_link(p);
        return;
    }
    unsigned flags = radiotap_flags(&c, header);
    sl_skip(&c, header);
    if (flags & FLAG_FCS && p->caplen >= p->len)
        c.end -= sl_left(&c) < FCS ? sl_left(&c) : FCS;
    decode_frame(p, c, (flags & FLAG_PADDING) != 0);
}

/* AVS: magic and version, header length, both in network order. */
void sl_decode_avs(struct sl_packet *p, struct sl_cursor c) {
    sl_met(p, SL_P_WLANCAP);
    if (sl_has(&c, 8) && sl_u32(&c, 4) >= 8 && sl_skip(&c, sl_u32(&c, 4)))
        decode_frame(p, c, 0);
    else
        sl_truncated_link(p);
}

/* Some programs write AVS headers under Prism's number, as libpcap and tcpdump know. */
void sl_decode_prism(struct sl_packet *p, struct sl_cursor c) {
    if (sl_has(&c, 8) && (sl_u32(&c, 0) & 0xfffff000) == AVS_MAGIC) {
        sl_decode_avs(p, c);
        return;
    }
    sl_met(p, SL_P_PRISM);
    if (sl_skip(&c, PRISM_HEADER))
        decode_frame(p, c, 0);
    else
        sl_truncated_link(p);
}
