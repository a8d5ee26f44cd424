/* The layouts of pcap and pcapng as they are written, in this machine's byte order. Each function
 * writes at `to`. */
#ifndef SL_CAPTURE_ENCODE_H
#define SL_CAPTURE_ENCODE_H

#include "blocks.h"

enum {
    SL_PCAP_HEADER_BYTES = 24,
    SL_PCAP_RECORD_BYTES = 16,
    SL_PCAPNG_SECTION_BYTES = 28,
    SL_PCAPNG_INTERFACE_BYTES = 44, /* at most */
    SL_PCAPNG_PACKET_BYTES = 28,    /* before a packet's bytes */
    SL_PCAPNG_TAIL_BYTES = 7,       /* behind them, at most */
    SL_PCAPNG_RENUMBERED_BYTES = 12
};

void sl_pcap_put_header(uint8_t *to, const struct sl_interface *, int nsec);
/* The time must fit: seconds in 32 bits. */
void sl_pcap_put_record(uint8_t *to, const struct sl_packet *, int nsec);

void sl_pcapng_put_section(uint8_t *to);
size_t sl_pcapng_put_interface(uint8_t *to, const struct sl_interface *);
void sl_pcapng_put_packet(uint8_t *to, const struct sl_packet *, uint32_t number,
                          const struct sl_interface *);
size_t sl_pcapng_put_tail(uint8_t *to, uint32_t caplen);

/* An enhanced packet block's first bytes, with another interface number. */
int sl_pcapng_is_enhanced(const uint8_t *block);
void sl_pcapng_put_renumbered(uint8_t *to, const uint8_t *block, uint32_t iface);

#endif
