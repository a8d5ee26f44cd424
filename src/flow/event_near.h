/* Events as bytes, as what differs from the last one of the same way through the same flow, as RFC
 * 1144 does with headers: a data segment of a transfer takes some six bytes. Both sides remember
 * the last event in each of SL_NEAR_PLACES places; an event whose place holds another flow is
 * written whole. One form of event_pack.h.
 *
 * Each event begins with a word that says what follows and how long it is, so that neither side
 * has to look at bytes one by one.
 */
#ifndef SL_FLOW_EVENT_NEAR_H
#define SL_FLOW_EVENT_NEAR_H

#include "event.h"
#include "number_pack.h"

enum { SL_NEAR_PLACES = 1024 };
/* Bytes of one event at most, with what is read past its end. */
enum { SL_NEAR_EVENT_MAX = 2 + 1 + 14 + (int)sizeof(struct sl_event_more) + 2 + 6 * 4 };

/* The last event of a way through a flow, as far as it tells of the next one. */
struct sl_near_event {
    uint64_t hosts; /* the key of the event, */
    uint32_t ports;
    uint16_t kind;
    uint8_t bits;
    uint8_t in_use;
    uint32_t hash;
    uint32_t next_seq; /* and what the next one would have */
    uint32_t ack, len;
    uint32_t ip_more;      /* ip_len less len, */
    uint32_t payload_more; /* payload_len less ip_len */
    uint16_t window, tcp_flags;
};

/* What the last events were; all zero to begin with. */
struct sl_near_memory {
    struct sl_near_event events[SL_NEAR_PLACES];
    struct sl_event_more more[SL_NEAR_PLACES];
};

uint8_t *sl_near_pack(uint8_t *to, struct sl_near_memory *, const struct sl_event_batch *);
/* n events. Where they count and what is refused: sl_events_unpack. */
int sl_near_unpack(struct sl_cursor *, struct sl_near_memory *, struct sl_event_batch *, uint32_t n,
                   const struct sl_packet *, uint32_t n_packets,
                   const struct sl_hash_seed *) SL_USED;

#endif
