#include "tcp_state.h"

#include <string.h>

/* UpdateInactiveState: the SYN. A SYN of src behind dst's SYN+ACK is one that was captured late
 * (two interfaces): the connection is established. */
static unsigned first_syn(unsigned ends, int dir, unsigned flags) {
    if (dir == 1) {
        if (sl_tcp_end(ends, 0) == SL_TCP_SYN_SENT)
            ends = sl_tcp_ends_set(ends, 0, SL_TCP_ESTABLISHED);
        return sl_tcp_ends_set(ends, 1, SL_TCP_ESTABLISHED);
    }
    if (flags & SL_TCP_ACK)
        return sl_tcp_ends_set(ends, 0, SL_TCP_SYN_ACK_SENT);
    int late = sl_tcp_end(ends, 1) == SL_TCP_ESTABLISHED;
    return sl_tcp_ends_set(ends, 0, late ? SL_TCP_ESTABLISHED : SL_TCP_SYN_SENT);
}

/* UpdateInactiveState: the first segment of an end. */
static unsigned first(unsigned ends, int dir, unsigned flags, uint32_t payload_len) {
    if (flags & SL_TCP_SYN)
        ends = first_syn(ends, dir, flags);
    if (flags & SL_TCP_FIN)
        ends = sl_tcp_ends_set(ends, dir, SL_TCP_CLOSED);
    if (flags & SL_TCP_RST)
        ends = sl_tcp_ends_set(ends, dir, SL_TCP_RESET);
    if (sl_tcp_end(ends, dir) != SL_TCP_INACTIVE)
        return ends;
    if (dir == 1 && !payload_len && sl_tcp_end(ends, 0) == SL_TCP_SYN_SENT)
        return ends; /* some acknowledge a SYN before they answer it */
    int answered = flags & SL_TCP_ACK && sl_tcp_end(ends, !dir) == SL_TCP_ESTABLISHED;
    return sl_tcp_ends_set(ends, dir, answered ? SL_TCP_ESTABLISHED : SL_TCP_PARTIAL);
}

/* UpdateEstablishedState. */
static unsigned established(unsigned ends, int dir, unsigned flags) {
    int peer = !dir;

    if ((flags & (SL_TCP_SYN | SL_TCP_ACK)) == SL_TCP_SYN &&
        sl_tcp_end(ends, dir) == SL_TCP_PARTIAL && sl_tcp_end(ends, peer) == SL_TCP_INACTIVE)
        ends = sl_tcp_ends_set(ends, dir, SL_TCP_SYN_SENT);
    if (flags & SL_TCP_RST)
        return sl_tcp_ends_set(ends, dir, SL_TCP_RESET);
    if (!(flags & SL_TCP_FIN))
        return ends;
    ends = sl_tcp_ends_set(ends, dir, SL_TCP_CLOSED);
    if (sl_tcp_end(ends, peer) == SL_TCP_RESET && sl_tcp_end_before(ends, peer) == SL_TCP_CLOSED)
        ends = sl_tcp_ends_set(ends, peer,
                               SL_TCP_CLOSED); /* it had sent its FIN: a normal end after all */
    return ends;
}

unsigned sl_tcp_ends_step(unsigned ends, int dir, unsigned flags, uint32_t payload_len) {
    switch (sl_tcp_end(ends, dir)) {
    case SL_TCP_INACTIVE:
        return first(ends, dir, flags, payload_len);
    case SL_TCP_SYN_SENT:
    case SL_TCP_SYN_ACK_SENT: /* UpdateSYN_SentState */
        if (flags & SL_TCP_FIN)
            ends = sl_tcp_ends_set(ends, dir, SL_TCP_CLOSED);
        return flags & SL_TCP_RST ? sl_tcp_ends_set(ends, dir, SL_TCP_RESET) : ends;
    case SL_TCP_PARTIAL:
    case SL_TCP_ESTABLISHED:
        return established(ends, dir, flags);
    case SL_TCP_CLOSED: /* UpdateClosedState: behind both FINs a RST changes nothing */
        if (flags & SL_TCP_RST && sl_tcp_end(ends, !dir) != SL_TCP_CLOSED)
            return sl_tcp_ends_set(ends, dir, SL_TCP_RESET);
        return ends;
    default:
        return ends;
    }
}

static int clean(unsigned ends, int dir) {
    return sl_tcp_end(ends, dir) == SL_TCP_ESTABLISHED ||
           (sl_tcp_end(ends, dir) == SL_TCP_CLOSED &&
            sl_tcp_end_before(ends, dir) == SL_TCP_ESTABLISHED);
}

/* established_or_cleanly_closing of Zeek's TCP_Reassembler.cc. */
int sl_tcp_ends_clean(unsigned ends) {
    return clean(ends, 0) && clean(ends, 1);
}

/* main.zeek's pattern ^?S[^HAFGIQ]*R.* over the whole history. */
static int syn_then_reset(const char *history) {
    if (*history == '^')
        history++;
    if (*history != 'S')
        return 0;
    return history[strcspn(history, "HAFGIQR")] == 'R';
}

static int unopened(unsigned state) {
    return state == SL_TCP_INACTIVE || state == SL_TCP_PARTIAL;
}

static uint8_t reset_by_responder(unsigned orig, int empty) {
    if (orig == SL_TCP_SYN_SENT || orig == SL_TCP_SYN_ACK_SENT || (orig == SL_TCP_RESET && empty))
        return SL_STATE_REJ;
    return unopened(orig) ? SL_STATE_RSTRH : SL_STATE_RSTR;
}

uint8_t sl_tcp_ends_summary(unsigned ends, int empty, const char *history) {
    unsigned orig = sl_tcp_end(ends, 0), resp = sl_tcp_end(ends, 1);

    if (resp == SL_TCP_RESET)
        return reset_by_responder(orig, empty);
    if (orig == SL_TCP_RESET) {
        if (!unopened(resp))
            return SL_STATE_RSTO;
        return syn_then_reset(history) ? SL_STATE_RSTOS0 : SL_STATE_OTH;
    }
    if (orig == SL_TCP_CLOSED && resp == SL_TCP_CLOSED)
        return SL_STATE_SF;
    if (orig == SL_TCP_CLOSED)
        return unopened(resp) ? SL_STATE_SH : SL_STATE_S2;
    if (resp == SL_TCP_CLOSED)
        return unopened(orig) ? SL_STATE_SHR : SL_STATE_S3;
    if (orig == SL_TCP_SYN_SENT && resp == SL_TCP_INACTIVE)
        return SL_STATE_S0;
    return orig == SL_TCP_ESTABLISHED && resp == SL_TCP_ESTABLISHED ? SL_STATE_S1 : SL_STATE_OTH;
}

const char *sl_flow_state_name(uint32_t state) {
    static const char *const names[] = {"OTH",  "S0",   "S1",     "S2",    "S3", "SF", "REJ",
                                        "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR"};
    return state < sizeof names / sizeof *names ? names[state] : NULL;
}
