/* Events as bytes, each told whole: a record of 32 bytes, which is made and read without a look at
 * any other event. Behind it stands what few have: the rest of IPv6 addresses, the addresses and
 * the number of a fragment, and lengths that need more than 16 bits. One form of event_pack.h. */
#ifndef SL_FLOW_EVENT_WHOLE_H
#define SL_FLOW_EVENT_WHOLE_H

#include "../packet/cursor.h"
#include "event.h"

enum { SL_WHOLE_EVENT_MAX = 32 + 36 + 12 };

uint8_t *sl_whole_pack(uint8_t *to, const struct sl_event_batch *);
/* n events. Where they count and what is refused: sl_events_unpack. */
int sl_whole_unpack(struct sl_cursor *, struct sl_event_batch *, uint32_t n,
                    const struct sl_packet *, uint32_t n_packets,
                    const struct sl_hash_seed *) SL_USED;

#endif
