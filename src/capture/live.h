/* Packets from an interface, through libpcap, as a source of bytes: those of a pcap file that never
 * ends, so that readers and everything behind them take it for a pipe from tcpdump.
 */
#ifndef SL_CAPTURE_LIVE_H
#define SL_CAPTURE_LIVE_H

#include "../source/source.h"

/* Begins to capture. bpf (NULL: none) filters in the kernel. NULL with *err: no such interface, no
 * permission, or a bad expression. */
struct sl_source *sl_live_open(const struct sl_live_options *, const char *bpf,
                               struct sl_error *) SL_USED;
void sl_live_counters(struct sl_source *, struct sl_live_counters *);

#endif
