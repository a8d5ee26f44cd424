/* Events as bytes, for partial results: what one program has made of packets another one can take
 * into its flow tables, as if it had read them itself.
 *
 * An event is written as what differs from the last one of the same way through the same flow, as
 * RFC 1144 does with headers: a data segment of a transfer takes some six bytes, the first packet
 * of a flow some thirty. Both sides remember the last event in each of SL_PACK_PLACES places; an
 * event whose place holds another flow is written whole. Hashes are not written: the reader's table
 * has a seed of its own.
 *
 * Form: unsigned numbers of seven bits a byte, the lowest first, bit 7: more follow (LEB128);
 * differences with their sign in bit 0. No byte order, no alignment.
 */
#ifndef SL_FLOW_EVENT_PACK_H
#define SL_FLOW_EVENT_PACK_H

#include "../packet/cursor.h"
#include "event.h"

enum { SL_PACK_PLACES = 1024, SL_PACKED_NUMBER_MAX = 10 };

/* What the last events were; all zero to begin with. One for each tap. */
struct sl_event_memory {
    struct sl_flow_event events[SL_PACK_PLACES];
    struct sl_event_more more[SL_PACK_PLACES];
};

/* Bytes that any batch fits in, and that the times of one fit in. */
enum {
    SL_PACKED_EVENTS_MAX = SL_PACKED_NUMBER_MAX + SL_BATCH * 128,
    SL_PACKED_TIMES_MAX = SL_PACKED_NUMBER_MAX * (1 + 2 * SL_BATCH)
};

/* These write at `to`, where there is room, and return where they ended. */
uint8_t *sl_number_pack(uint8_t *to, uint64_t number);
uint8_t *sl_events_pack(uint8_t *to, struct sl_event_memory *, const struct sl_event_batch *);
/* The time stamps of n packets, SL_BATCH at most; *before: of the one before, moved on. */
uint8_t *sl_times_pack(uint8_t *to, const struct sl_packet *, uint32_t n, struct sl_time *before);

/* A sum of what the events say, whatever batches they come in, that a reader of the packets makes
 * again; and of times. sum: of what was before, 0 to begin with. */
uint64_t sl_events_sum(uint64_t sum, const struct sl_event_batch *);
uint64_t sl_times_sum(uint64_t sum, const struct sl_packet *, uint32_t n);

/* These read them back. 0: done; -1: the bytes are not what was written. */
int sl_number_unpack(struct sl_cursor *, uint64_t *number) SL_USED;
/* Numbers count from the batch's base, which the caller has set, and are below n_packets; times
 * are those of the packets. */
int sl_events_unpack(struct sl_cursor *, struct sl_event_memory *, struct sl_event_batch *,
                     const struct sl_packet *, uint32_t n_packets,
                     const struct sl_hash_seed *) SL_USED;
/* Fills in ts and no_time of n packets; n: SL_BATCH at most. */
int sl_times_unpack(struct sl_cursor *, struct sl_packet *, uint32_t *n,
                    struct sl_time *before) SL_USED;

#endif
