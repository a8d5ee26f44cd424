/* Which bytes of a packet's payload may belong to the head of its side of a flow (head.h), for who
 * does not know the flow: a piece of a capture, whose flows may have begun in another piece. What
 * is kept is enough for any beginning that the flow may have; what turns out not to be is told by
 * sl_heads_wants when the pieces are put together.
 *
 * A side begins anew, as far as the sieve knows, with a SYN of either side that begins a flow,
 * behind a gap in which a flow may have ended, and where its place was taken by another one. It
 * does not with a second SYN+ACK: some proxies send two, of which the first one counts.
 */
#ifndef SL_FLOW_HEAD_SIEVE_H
#define SL_FLOW_HEAD_SIEVE_H

#include "event.h"

struct sl_head_sieve;

/* size: of heads; gap_s: no flow ends by a shorter gap (0: none ends by any). NULL: no memory. */
struct sl_head_sieve *sl_head_sieve_new(uint32_t size, int64_t gap_s);
void sl_head_sieve_free(struct sl_head_sieve *); /* NULL is allowed */
/* How many bytes of the front of a payload, of which so many are captured, are to be kept. Events
 * come in capture order. */
uint32_t sl_head_sieve_take(struct sl_head_sieve *, const struct sl_flow_event *,
                            uint32_t captured);

#endif
