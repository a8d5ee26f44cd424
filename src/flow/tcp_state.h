/* The states of a TCP connection's two ends as Zeek keeps them (its TCPSessionAdapter.cc:
 * UpdateStateMachine), and what it says of the whole connection (base/protocols/conn/main.zeek:
 * conn_state). */
#ifndef SL_FLOW_TCP_STATE_H
#define SL_FLOW_TCP_STATE_H

#include "../types.h"

enum sl_tcp_end {
    SL_TCP_INACTIVE,     /* sent nothing so far */
    SL_TCP_SYN_SENT,     /* a SYN */
    SL_TCP_SYN_ACK_SENT, /* a SYN+ACK, as the originator */
    SL_TCP_PARTIAL,      /* something, but no SYN */
    SL_TCP_ESTABLISHED,
    SL_TCP_CLOSED, /* a FIN */
    SL_TCP_RESET   /* a RST */
};

/* Both ends in one number of 12 bits: the states of src and dst, then the states that each had
 * before its present one, three bits each. A number, so that it stays in a register. */
static inline unsigned sl_tcp_ends(unsigned src, unsigned dst, unsigned before_src,
                                   unsigned before_dst) {
    return src | dst << 3 | before_src << 6 | before_dst << 9;
}
static inline unsigned sl_tcp_end(unsigned ends, int dir) {
    return ends >> 3 * dir & 7;
}
static inline unsigned sl_tcp_end_before(unsigned ends, int dir) {
    return ends >> (6 + 3 * dir) & 7;
}
static inline unsigned sl_tcp_ends_set(unsigned ends, int dir, unsigned state) {
    unsigned was = sl_tcp_end(ends, dir);

    if (was == state)
        return ends;
    ends &= ~(7u << 3 * dir | 7u << (6 + 3 * dir));
    return ends | state << 3 * dir | was << (6 + 3 * dir);
}

/* The end `dir` has sent a segment with these flags and so much payload. Returns the ends then. */
unsigned sl_tcp_ends_step(unsigned ends, int dir, unsigned flags, uint32_t payload_len);
/* Whether the connection is established, or closing as it should: else a gap means nothing. */
int sl_tcp_ends_clean(unsigned ends);
/* SL_STATE_…; empty: neither end has sent or been acknowledged a byte. */
uint8_t sl_tcp_ends_summary(unsigned ends, int empty, const char *history);

#endif
