/* What TCP does in a flow: history and states by Zeek's rules, retransmissions, gaps, and how long
 * the handshake took. Rules that are Zeek's stand at the functions of its TCPSessionAdapter.cc,
 * TCP_Endpoint.cc and TCP_Reassembler.cc that the comments name. Where sluice differs:
 *
 * - Directions are flow.h's. Zeek's own, by well-known ports, are made for its conn.log only.
 * - What was captured of a payload does not matter, only its length on the wire.
 * - Segments are not kept: of each direction there is the highest sequence number, and the holes
 *   below it, SL_HOLES at most. When there are more the lowest is forgotten: what fills it later
 *   counts as retransmitted, and what never comes is not missed.
 * - A history has SL_HISTORY_A_WORD * (1 + SL_HISTORY_WORDS) letters at most: 60. Later ones are
 *   dropped.
 *
 * A retransmitted byte is one whose sequence number had been seen from that side; a missed one was
 * acknowledged but not seen, in a connection whose handshake was. Fragments are not put together: a
 * fragmented segment counts as long as its first fragment.
 */
#ifndef SL_FLOW_TCP_H
#define SL_FLOW_TCP_H

#include "event.h"
#include "store.h"
#include "tcp_state.h"

/* sl_hot.seen: bits that flags have no use for here, and what needs noting once only. */
enum { SL_SEEN_DATA = 1, SL_SEEN_ACK = 2, SL_SEEN_NS = 4, SL_SEEN_FLAGS = 0xf8 };
enum { SL_SEEN_OF_FLAGS = SL_SEEN_NS | SL_SEEN_FLAGS };

static inline unsigned sl_tcp_news(const struct sl_flow_event *g) {
    unsigned pure = g->payload_len ? SL_SEEN_DATA : g->tcp_flags >> 3 & SL_SEEN_ACK;

    return (g->tcp_flags & SL_SEEN_FLAGS) | (g->tcp_flags >> 6 & SL_SEEN_NS) | pure;
}

/* Whether the segment is what was to come next, in a connection where nothing is odd. */
static inline int sl_tcp_in_order(const struct sl_hot *h, int dir, const struct sl_flow_event *g) {
    unsigned odd =
        (g->tcp_flags & (SL_TCP_FIN | SL_TCP_SYN | SL_TCP_RST)) | (h->flags & SL_FLOW_CAREFUL);
    int ahead = (int32_t)(g->ack - h->next_seq[!dir]) > 0 && h->flags & SL_FLOW_HAS_ISN0 << !dir;

    return !odd && !ahead && g->seq == h->next_seq[dir] && g->window;
}

/* Takes a segment that is in order and brings nothing new, which touches nothing but the hot line.
 * 0: it is another; call sl_tcp_take. */
static inline int sl_tcp_expected(struct sl_hot *h, int dir, const struct sl_flow_event *g) {
    if (sl_tcp_news(g) & (unsigned)~h->seen[dir] || !sl_tcp_in_order(h, dir, g))
        return 0;
    h->next_seq[dir] += g->payload_len;
    return 1;
}

/* Takes any segment. -1: out of memory. */
int sl_tcp_take(struct sl_store *, struct sl_hot *, int dir, const struct sl_flow_event *) SL_USED;

/* All flags that one side has sent. */
uint16_t sl_tcp_flags(const struct sl_hot *, const struct sl_cold *, int dir);
/* Payload bytes that one side sent by its sequence numbers, and by what was acknowledged (Size of
 * Zeek's TCP_Endpoint.cc). */
uint64_t sl_tcp_stream_bytes(const struct sl_flow *, const struct sl_hot *, const struct sl_cold *,
                             const struct sl_extra *, int dir);

#endif
