/* The flow table: packets in capture order go in, stamped packets and decided flows come out.
 *
 * Meaning (design contract, section 3):
 * - A flow is one protocol between two endpoints (address, port) in both directions. ICMP has type
 *   and code for ports, paired as Zeek pairs them (its analyzer/protocol/icmp/ICMP.cc): a request
 *   and its answer are one flow. Later IP fragments belong to their first fragment's flow.
 * - src is the originator: the sender of the SYN, the receiver of a SYN+ACK that comes first, else
 *   the sender of the first packet.
 * - A flow ends by its own gap: a packet more than the timeout after the flow's last one starts a
 *   new flow. The timeout is idle_s (TCP), idle_other_s, and closing_s once both sides sent FIN or
 *   one sent RST.
 * - Port reuse: a SYN without ACK whose sequence number differs from the first one in its
 *   direction starts a new flow, as in tshark.
 * - Sweeping (wheel.h) only emits early what could no longer grow.
 *
 * Decided flows come out in order of their decision time, ties by first packet.
 */
#ifndef SL_FLOW_H
#define SL_FLOW_H

#include "../aggregate/meter.h"
#include "event.h"

struct sl_flow_options {
    int64_t idle_tcp_s, idle_other_s; /* 0: never */
    int64_t closing_s;
    uint32_t max_flows; /* live flows at most; above it the longest idle is evicted. 0: no limit */
    int ordered;        /* somebody looks at decided flows; else they are only counted */
    struct sl_hash_seed seed; /* of the events that it will be given */
};

/* The defaults: 300 s, 60 s, 5 s, no limit, a random seed. */
struct sl_flow_options sl_flow_defaults(void);

/* Handed out in rounds, so that whoever loops over them keeps them in the cache. */
enum { SL_FLOWS_AT_ONCE = 1024 };

struct sl_flows;

struct sl_flows *sl_flows_new(const struct sl_flow_options *, struct sl_error *) SL_USED;
void sl_flows_free(struct sl_flows *);
/* The time of the capture's first packet, which sl_flow.t counts from. */
void sl_flows_begin(struct sl_flows *, struct sl_time origin);
/* Adds to these what is sent to originators; they outlive the table. NULL: to none. */
void sl_flows_meter(struct sl_flows *, struct sl_meters *);

/* Where a packet stands in the table. */
struct sl_stamp {
    uint64_t ordinal; /* in its flow, from 1 */
    uint32_t flow;
    uint8_t dir;
};

/* Takes a batch. stamps, unless NULL, gets one for each of its events; those of SL_EVENT_NO_FLOW
 * stay as they are. -1 with *err: out of memory. */
int sl_flows_take(struct sl_flows *, struct sl_event_batch *, struct sl_stamp *stamps,
                  struct sl_error *) SL_USED;
/* Decides what could no longer grow: no packet to come is before until_s, or only by little.
 * Decided flows wait at sl_flows_decided. */
int sl_flows_sweep(struct sl_flows *, int64_t until_s, struct sl_error *) SL_USED;

/* The input has ended, at that time: decides all flows that are left. Call sl_flows_decided until
 * it gives 0. */
int sl_flows_finish(struct sl_flows *, struct sl_time at_end, struct sl_error *) SL_USED;
/* The next decided flows (those of a sweep, or after finish all that are left), in order, valid
 * until the next call. Returns how many, SL_FLOWS_AT_ONCE at most. After finish the table's memory
 * goes with the last of them. */
uint32_t sl_flows_decided(struct sl_flows *, struct sl_flow ***flows);

const struct sl_flow_stats *sl_flows_stats(const struct sl_flows *);

#endif
