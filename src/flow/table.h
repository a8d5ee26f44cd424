/* What table.c (packets find their flows) and decide.c (flows end and come out) share. */
#ifndef SL_FLOW_TABLE_H
#define SL_FLOW_TABLE_H

#include "clock.h"
#include "evict.h"
#include "flow.h"
#include "fragment.h"
#include "slots.h"
#include "wheel.h"

enum {
    SL_PROTO_ICMP = 1,
    SL_PROTO_TCP = 6,
    SL_PROTO_UDP = 17,
    SL_PROTO_DCCP = 33,
    SL_PROTO_ICMPV6 = 58,
    SL_PROTO_SCTP = 132,
    SL_PROTO_UDPLITE = 136
};

/* sl_flow.flags */
enum {
    SL_FLOW_HAS_ISN0 = 1, /* isn[0] is set; the next bit: isn[1] */
    SL_FLOW_HAS_ISN1 = 2,
    SL_FLOW_FIN = 4, /* both sides have sent FIN */
    SL_FLOW_RST = 8,
    SL_FLOW_DECIDED = 16,
    SL_FLOW_ONE_WAY = 32,
    SL_FLOW_LIVE = 64
};

struct sl_flows {
    struct sl_flow_options options;
    struct sl_hash_seed seed;
    struct sl_slots slots;
    struct sl_store store;
    struct sl_wheel wheel;
    struct sl_clock clock;
    struct sl_evict evict;
    struct sl_fragments *fragments; /* made when the first fragment comes */
    struct sl_time before;          /* time of the packet before */
    struct sl_flow **decided;       /* [taken, n_decided) are still to be handed out */
    size_t n_decided, taken, room;
    struct sl_flow_stats stats;
    /* Of the current update: */
    struct sl_flow_key keys[SL_BATCH];
    uint32_t who[SL_BATCH];       /* which packet a key is of */
    uint32_t candidate[SL_BATCH]; /* the flow that its hash led to; SL_NIL: none */
};

/* When the flow's time is up, if no packet comes. */
struct sl_time sl_flow_due(const struct sl_flows *, const struct sl_flow *);
/* Why, then. */
uint8_t sl_flow_end_when_idle(const struct sl_flow *);

/* Ends a flow before a sweep finds it; it waits in the wheel for its turn in the order. */
int sl_flow_end_early(struct sl_flows *, struct sl_flow *, uint8_t why,
                      struct sl_time when) SL_USED;
/* Gives back the places of flows that were handed out in the last round. */
int sl_flows_release(struct sl_flows *) SL_USED;
/* Lets out what could no longer grow, when the capture's clock has moved on. */
int sl_flows_sweep_if_due(struct sl_flows *) SL_USED;

#endif
