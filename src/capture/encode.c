#include "encode.h"

#include <string.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_ENHANCED = 6,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    OPTION_TSRESOL = 9,
    OPTION_TSOFFSET = 14,
    TSRESOL_DEFAULT = 6,
    PACKET_MIN = 32 /* of an enhanced packet block without bytes */
};

static uint8_t *put16(uint8_t *to, uint16_t v) {
    memcpy(to, &v, sizeof v);
    return to + sizeof v;
}

static uint8_t *put32(uint8_t *to, uint32_t v) {
    memcpy(to, &v, sizeof v);
    return to + sizeof v;
}

static uint8_t *put64(uint8_t *to, uint64_t v) {
    memcpy(to, &v, sizeof v);
    return to + sizeof v;
}

void sl_pcap_put_header(uint8_t *to, const struct sl_interface *iface, int nsec) {
    to = put32(to, nsec ? 0xa1b23c4d : 0xa1b2c3d4);
    to = put16(to, 2);
    to = put16(to, 4);
    to = put64(to, 0); /* time zone and accuracy, which nobody fills */
    to = put32(to, iface->snaplen);
    put32(to, iface->link_type);
}

void sl_pcap_put_record(uint8_t *to, const struct sl_packet *p, int nsec) {
    to = put32(to, (uint32_t)p->ts.s);
    to = put32(to, nsec ? p->ts.nsec : p->ts.nsec / 1000);
    to = put32(to, p->caplen);
    put32(to, p->len);
}

void sl_pcapng_put_section(uint8_t *to) {
    to = put32(to, BLOCK_SECTION);
    to = put32(to, SL_PCAPNG_SECTION_BYTES);
    to = put32(to, BYTE_ORDER_MAGIC);
    to = put16(to, 1);
    to = put16(to, 0);
    to = put64(to, UINT64_MAX); /* length not specified */
    put32(to, SL_PCAPNG_SECTION_BYTES);
}

size_t sl_pcapng_put_interface(uint8_t *to, const struct sl_interface *iface) {
    uint8_t *start = to;

    to = put32(to, BLOCK_INTERFACE);
    to = put32(to, 0); /* the length, below */
    to = put16(to, (uint16_t)iface->link_type);
    to = put16(to, 0);
    to = put32(to, iface->snaplen);
    if (iface->tsresol != TSRESOL_DEFAULT) {
        to = put16(to, OPTION_TSRESOL);
        to = put16(to, 1);
        to = put32(to, 0);
        to[-4] = iface->tsresol;
    }
    if (iface->offset_s) {
        to = put16(to, OPTION_TSOFFSET);
        to = put16(to, 8);
        to = put64(to, (uint64_t)iface->offset_s);
    }
    if (to - start > 16)
        to = put32(to, 0); /* end of options */
    uint32_t size = (uint32_t)(to - start) + 4;
    put32(start + 4, size);
    put32(to, size);
    return size;
}

/* Rounded up, because reading cuts fractions of a nanosecond off: it comes to the same stamp. */
static uint64_t ticks_of(struct sl_time t, const struct sl_interface *iface) {
    unsigned __int128 fraction = (unsigned __int128)t.nsec * iface->ticks_per_s;

    return (uint64_t)(t.s - iface->offset_s) * iface->ticks_per_s +
           (uint64_t)((fraction + 999999999) / 1000000000);
}

void sl_pcapng_put_packet(uint8_t *to, const struct sl_packet *p, uint32_t number,
                          const struct sl_interface *iface) {
    uint64_t ticks = ticks_of(p->ts, iface);

    to = put32(to, BLOCK_ENHANCED);
    to = put32(to, PACKET_MIN + ((p->caplen + 3) & ~UINT32_C(3)));
    to = put32(to, number);
    to = put32(to, (uint32_t)(ticks >> 32));
    to = put32(to, (uint32_t)ticks);
    to = put32(to, p->caplen);
    put32(to, p->len);
}

size_t sl_pcapng_put_tail(uint8_t *to, uint32_t caplen) {
    uint32_t padded = (caplen + 3) & ~UINT32_C(3), padding = padded - caplen;

    memset(to, 0, padding);
    put32(to + padding, PACKET_MIN + padded);
    return padding + 4;
}

int sl_pcapng_is_enhanced(const uint8_t *block) {
    uint32_t type;

    memcpy(&type, block, sizeof type);
    return type == BLOCK_ENHANCED;
}

void sl_pcapng_put_renumbered(uint8_t *to, const uint8_t *block, uint32_t iface) {
    memcpy(to, block, 8);
    put32(to + 8, iface);
}
