/* libpcap filter expressions (-f) on raw packets, compiled once for each link type that is met. */
#ifndef SL_PACKET_BPF_H
#define SL_PACKET_BPF_H

#include "../error.h"

struct sl_bpf;

/* Checks the expression against Ethernet, so that a typing error is told before any reading. */
struct sl_bpf *sl_bpf_new(const char *expression, struct sl_error *) SL_USED;
/* Another one of the same expression, for another thread. */
struct sl_bpf *sl_bpf_copy(const struct sl_bpf *, struct sl_error *) SL_USED;
void sl_bpf_free(struct sl_bpf *);

/* 1: passes, 0: not, -1 with *err: the expression makes no sense for this packet's link type. */
int sl_bpf_test(struct sl_bpf *, const struct sl_packet *, struct sl_error *) SL_USED;

#endif
