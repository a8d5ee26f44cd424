/* Names for what decode met. */
#ifndef SL_PACKET_NAMES_H
#define SL_PACKET_NAMES_H

#include "../types.h"

/* In abi.h: sl_proto_name (SL_P_…: Wireshark's filter name), sl_skip_name (SL_SKIP_…: in words) and
 * sl_ip_proto_name ("tcp", … by number); they give NULL where there is no name. */
uint32_t sl_link_of_dlt(int dlt);    /* and back */
int sl_link_dlt(uint32_t link_type); /* LINKTYPE_ value to libpcap's DLT_ value */
/* tcpdump's name ("EN10MB"), or NULL; valid for ever. */
const char *sl_link_name(uint32_t link_type);

#endif
