/* Names for what decode met. */
#ifndef SL_PACKET_NAMES_H
#define SL_PACKET_NAMES_H

#include "../types.h"

const char *sl_proto_name(uint32_t bit);     /* SL_P_…: Wireshark's filter name; NULL past the end */
const char *sl_skip_name(uint32_t reason);   /* SL_SKIP_…: in words; NULL past the end */
const char *sl_ip_proto_name(uint32_t number); /* "tcp", "udp" …; NULL where sluice has no name */
int sl_link_dlt(uint32_t link_type);          /* LINKTYPE_ value to libpcap's DLT_ value */
/* tcpdump's name ("EN10MB"), or NULL; valid for ever. */
const char *sl_link_name(uint32_t link_type);

#endif
