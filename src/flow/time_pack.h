/* Time stamps as bytes, for the logs of pieces (run/log.h): the number of stamps; for each four of
 * them a byte of codes, two bits each; and each stamp as what its code says: 0, 1, 2: the distance
 * to the one before in nanoseconds, in 1, 2 or 4 bytes; 3: whole, seconds in 8 bytes and
 * nanoseconds in 4.
 */
#ifndef SL_FLOW_TIME_PACK_H
#define SL_FLOW_TIME_PACK_H

#include "number_pack.h"

/* What came before; all zero to begin with. */
struct sl_time_memory {
    struct sl_time before;
    uint64_t sum; /* of what was packed, whatever batches it came in */
};

/* Bytes that the times of any batch fit in. */
enum { SL_PACKED_TIMES_MAX = SL_PACKED_NUMBER_MAX + SL_BATCH / 4 + SL_BATCH * 12 + 8 };

/* Writes the times of n packets, SL_BATCH at most, at `to`, and returns where it ended. */
uint8_t *sl_times_pack(uint8_t *to, struct sl_time_memory *, const struct sl_packet *, uint32_t n);
/* Fills in ts of *n packets, SL_BATCH at most. 0: done; -1: the bytes are not what was written. */
int sl_times_unpack(struct sl_cursor *, struct sl_time_memory *, struct sl_packet *,
                    uint32_t *n) SL_USED;

#endif
