/* What the flow table wants to know of a packet, in one cache line. Events can be made anywhere, by
 * several workers at a time; taken in capture order they make the same flows whoever made them.
 */
#ifndef SL_FLOW_EVENT_H
#define SL_FLOW_EVENT_H

#include "key.h"

/* sl_flow_event.bits */
enum {
    SL_EVENT_TCP = 1,            /* seq, ack, window and tcp_flags count */
    SL_EVENT_FIRST_FRAGMENT = 2, /* of a datagram: later ones ask for its ports */
    SL_EVENT_LATER_FRAGMENT = 4, /* holds no ports */
    SL_EVENT_NO_FLOW = 8         /* a later fragment whose first one was not seen */
};

struct sl_flow_event {
    uint64_t hosts; /* the key, as in key.h */
    uint32_t ports;
    uint16_t kind;
    uint16_t tcp_flags;
    int64_t ts_s;
    uint32_t ts_nsec;
    uint32_t hash; /* of the key */
    uint32_t len;  /* bytes on the wire, of the frame, */
    uint32_t ip_len;
    uint32_t payload_len;
    uint32_t seq, ack;
    uint32_t number; /* frame number less the batch's base */
    uint32_t more;   /* which of the batch's struct sl_event_more: with IPv6 and of fragments */
    uint16_t window;
    uint8_t bits;
    uint8_t position; /* where a batch of packets has it, for its stamps */
};

/* What few packets have. */
struct sl_event_more {
    struct sl_addr src, dst;
    uint32_t ip_id; /* of fragments */
};

struct sl_event_batch {
    uint64_t base;
    struct sl_event_batch *next; /* where batches queue */
    uint32_t n, n_more;
    struct sl_flow_event events[SL_BATCH];
    struct sl_event_more more[SL_BATCH];
};

/* Flows are of one of 16 classes by their hosts, in whichever direction: what may be shared out
 * among tables. Not seeded, so that a capture falls into the same classes each time. */
enum { SL_EVENT_CLASSES = 16 };

static inline uint32_t sl_event_class(const struct sl_addr *src, const struct sl_addr *dst) {
    uint32_t x = src->w[0] ^ dst->w[0] ^ src->w[1] ^ dst->w[1] ^ src->w[2] ^ dst->w[2] ^ src->w[3] ^
                 dst->w[3];
    return x * 0x9e3779b1u >> 28;
}

static inline struct sl_time sl_event_time(const struct sl_flow_event *e) {
    return (struct sl_time){e->ts_s, e->ts_nsec};
}

static inline void sl_event_batch_clear(struct sl_event_batch *b, uint64_t base) {
    b->base = base;
    b->next = NULL;
    b->n = b->n_more = 0;
}

/* Adds the event of a decoded packet; the batch must have room. 0: it belongs to no flow. */
int sl_event_add(struct sl_event_batch *, const struct sl_packet *, const struct sl_hash_seed *);

/* The same for the packets that most captures are made of, straight from their bytes: TCP and UDP,
 * whole headers, over IP without fragments, over Ethernet with one VLAN tag at most. Returns which
 * set of protocols it is (below SL_EXPRESS_KINDS), or -1: decode it and use sl_event_add. Nothing
 * of the packet is read but data, caplen, len, ts and number64, and nothing written. */
enum { SL_EXPRESS_KINDS = 8 };
int sl_event_express(struct sl_event_batch *, const struct sl_packet *,
                     const struct sl_hash_seed *);
/* The SL_P_… bits of such a set. */
uint64_t sl_express_protos(uint32_t kind);

#endif
