/* Remembers which ports the first fragment of a datagram had, so that later fragments, which hold
 * none, find their flow. A small table where new datagrams push out old ones. */
#ifndef SL_FLOW_FRAGMENT_H
#define SL_FLOW_FRAGMENT_H

#include "event.h"

enum { SL_FRAGMENT_SLOTS = 4096, SL_FRAGMENT_MAX_AGE_S = 60 /* RFC 8200 section 4.5 */ };

struct sl_fragment {
    struct sl_addr src, dst;
    int64_t ts_s;
    uint32_t id;
    struct sl_ports ports;
    uint8_t proto, used;
};

struct sl_fragments {
    struct sl_fragment slots[SL_FRAGMENT_SLOTS];
};

void sl_fragments_put(struct sl_fragments *t, const struct sl_flow_event *,
                      const struct sl_event_more *);
/* 1 and the ports of the datagram's first fragment, or 0: not seen. */
int sl_fragments_get(const struct sl_fragments *t, const struct sl_flow_event *,
                     const struct sl_event_more *, struct sl_ports *ports);

#endif
