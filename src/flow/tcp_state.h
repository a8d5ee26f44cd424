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

/* Index 0: the originator. before: the state that each end had before its present one. */
struct sl_tcp_ends {
    uint8_t state[2], before[2];
};

/* In 12 bits. */
static inline unsigned sl_tcp_ends_pack(const struct sl_tcp_ends *e) {
    return e->state[0] | (unsigned)e->state[1] << 3 | (unsigned)e->before[0] << 6 |
           (unsigned)e->before[1] << 9;
}
static inline struct sl_tcp_ends sl_tcp_ends_unpack(unsigned packed) {
    return (struct sl_tcp_ends){{packed & 7, packed >> 3 & 7}, {packed >> 6 & 7, packed >> 9 & 7}};
}

/* The end `dir` has sent a segment with these flags and so much payload. */
void sl_tcp_ends_step(struct sl_tcp_ends *, int dir, unsigned flags, uint32_t payload_len);
/* Whether the connection is established, or closing as it should: else a gap means nothing. */
int sl_tcp_ends_clean(const struct sl_tcp_ends *);
/* SL_STATE_…; empty: neither end has sent or been acknowledged a byte. */
uint8_t sl_tcp_ends_summary(const struct sl_tcp_ends *, int empty, const char *history);

#endif
