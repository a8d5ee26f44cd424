/* The first bytes that each side of a flow sent, in sequence order, for recipes with `head = N`.
 *
 * Fed with packets that the flow table has stamped. TCP: from the byte behind the SYN, or from the
 * first byte that was seen; segments may come in any order, repeat and overlap. Other protocols:
 * payloads one behind the other. Only captured bytes count; the head ends at the first hole.
 *
 * Memory grows with what flows really send, up to N for each side, and to SL_HEADS_MAX in all: what
 * finds no room then is counted, and the flow's head stays as it is.
 */
#ifndef SL_FLOW_HEAD_H
#define SL_FLOW_HEAD_H

#include "../error.h"

enum { SL_HEADS_MAX = 1 << 28 };

struct sl_heads;

/* size: bytes of each side at most. NULL with *err: out of memory. */
struct sl_heads *sl_heads_new(uint32_t size, struct sl_error *) SL_USED;
void sl_heads_free(struct sl_heads *);

/* Takes packets[sel[0 .. n-1]], stamped with dir, flow and flow_pkt. -1 with *err: out of memory.
 */
int sl_heads_take(struct sl_heads *, const struct sl_packet *packets, const uint32_t *sel,
                  uint32_t n, struct sl_error *) SL_USED;

/* How many bytes of the front of a stamped packet's payload sl_heads_take would want to see, if it
 * were given now. */
uint32_t sl_heads_wants(const struct sl_heads *, const struct sl_packet *);

/* What the side dir (0: src, 1: dst) of the flow with that index has sent; valid until the next
 * sl_heads_take. */
struct sl_view sl_heads_of(const struct sl_heads *, uint32_t flow, int dir);

/* Sides whose head was cut because of SL_HEADS_MAX. */
uint64_t sl_heads_lost(const struct sl_heads *);

#endif
