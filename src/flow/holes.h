/* The holes below the highest sequence number of one direction of a flow. */
#ifndef SL_FLOW_HOLES_H
#define SL_FLOW_HOLES_H

#include "store.h"

/* A new one, above all others. */
void sl_holes_add(struct sl_extra *, int dir, uint32_t from, uint32_t to);
/* [from, to) has come. Returns how many bytes of it filled holes. */
uint32_t sl_holes_fill(struct sl_extra *, int dir, uint32_t from, uint32_t to);
/* Forgets the lowest hole, or the part of it, that lies below `until`, and returns its bytes; 0:
 * there is none. */
uint32_t sl_holes_give_up(struct sl_extra *, int dir, uint32_t until);

#endif
