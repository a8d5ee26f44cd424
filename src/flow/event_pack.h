/* Events as bytes, for partial results: what one program has made of packets another one can take
 * into its flow tables, as if it had read them itself.
 *
 * A batch is written in one of two forms. Packets of many short flows are told whole, in 32 bytes
 * (event_whole.h): most of these bytes could not be foretold, and trying costs more time than the
 * bytes. Those of transfers are told by what differs from the last one of their flow
 * (event_near.h), in six bytes or so. Which it is is found by trying now and then. Hashes are not
 * written: the reader's table has a seed of its own. Little endian, no alignment: twice the number
 * of events, 1 more where they differ from others; the events.
 */
#ifndef SL_FLOW_EVENT_PACK_H
#define SL_FLOW_EVENT_PACK_H

#include "event_near.h"
#include "event_whole.h"
#include "number_pack.h"

/* What has been written or read; all zero to begin with. One for each tap. */
struct sl_event_memory {
    struct sl_near_memory near;
    uint64_t sum;         /* of what was written, whatever batches it came in */
    uint32_t whole_left;  /* batches to be told whole before the next trial */
    uint32_t near_events; /* of the trial: how many, */
    uint32_t near_bytes;  /* and what they took */
};

/* Bytes that any batch fits in. */
enum { SL_PACKED_EVENTS_MAX = SL_PACKED_NUMBER_MAX + SL_BATCH * SL_WHOLE_EVENT_MAX + 8 };

/* Writes at `to`, where there is room for any batch, and returns where it ended. */
uint8_t *sl_events_pack(uint8_t *to, struct sl_event_memory *, const struct sl_event_batch *);
/* Reads them back. Numbers count from the batch's base, which the caller has set, and are below
 * n_packets; times are those of the packets. 0: done; -1: the bytes are not what was written. */
int sl_events_unpack(struct sl_cursor *, struct sl_event_memory *, struct sl_event_batch *,
                     const struct sl_packet *, uint32_t n_packets,
                     const struct sl_hash_seed *) SL_USED;

#endif
