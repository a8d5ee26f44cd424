#include "tcp_state.h"

#include <string.h>

static void set(struct sl_tcp_ends *e, int dir, uint8_t state) {
    if (e->state[dir] == state)
        return;
    e->before[dir] = e->state[dir];
    e->state[dir] = state;
}

/* UpdateInactiveState: the SYN. A SYN of src behind dst's SYN+ACK is one that was captured late
 * (two interfaces): the connection is established. */
static void first_syn(struct sl_tcp_ends *e, int dir, unsigned flags) {
    if (dir == 1) {
        if (e->state[0] == SL_TCP_SYN_SENT)
            set(e, 0, SL_TCP_ESTABLISHED);
        set(e, 1, SL_TCP_ESTABLISHED);
    } else if (flags & SL_TCP_ACK) {
        set(e, 0, SL_TCP_SYN_ACK_SENT);
    } else {
        set(e, 0, e->state[1] == SL_TCP_ESTABLISHED ? SL_TCP_ESTABLISHED : SL_TCP_SYN_SENT);
    }
}

/* UpdateInactiveState: the first segment of an end. */
static void first(struct sl_tcp_ends *e, int dir, unsigned flags, uint32_t payload_len) {
    if (flags & SL_TCP_SYN)
        first_syn(e, dir, flags);
    if (flags & SL_TCP_FIN)
        set(e, dir, SL_TCP_CLOSED);
    if (flags & SL_TCP_RST)
        set(e, dir, SL_TCP_RESET);
    if (e->state[dir] != SL_TCP_INACTIVE)
        return;
    if (dir == 1 && !payload_len && e->state[0] == SL_TCP_SYN_SENT)
        return; /* some acknowledge a SYN before they answer it */
    int answered = flags & SL_TCP_ACK && e->state[!dir] == SL_TCP_ESTABLISHED;
    set(e, dir, answered ? SL_TCP_ESTABLISHED : SL_TCP_PARTIAL);
}

/* UpdateEstablishedState. */
static void established(struct sl_tcp_ends *e, int dir, unsigned flags) {
    int peer = !dir;

    if ((flags & (SL_TCP_SYN | SL_TCP_ACK)) == SL_TCP_SYN && e->state[dir] == SL_TCP_PARTIAL &&
        e->state[peer] == SL_TCP_INACTIVE)
        set(e, dir, SL_TCP_SYN_SENT);
    if (flags & SL_TCP_RST) {
        set(e, dir, SL_TCP_RESET);
    } else if (flags & SL_TCP_FIN) {
        set(e, dir, SL_TCP_CLOSED);
        if (e->state[peer] == SL_TCP_RESET && e->before[peer] == SL_TCP_CLOSED)
            set(e, peer, SL_TCP_CLOSED); /* it had sent its FIN: a normal end after all */
    }
}

void sl_tcp_ends_step(struct sl_tcp_ends *e, int dir, unsigned flags, uint32_t payload_len) {
    switch (e->state[dir]) {
    case SL_TCP_INACTIVE:
        first(e, dir, flags, payload_len);
        break;
    case SL_TCP_SYN_SENT:
    case SL_TCP_SYN_ACK_SENT: /* UpdateSYN_SentState */
        if (flags & SL_TCP_FIN)
            set(e, dir, SL_TCP_CLOSED);
        if (flags & SL_TCP_RST)
            set(e, dir, SL_TCP_RESET);
        break;
    case SL_TCP_PARTIAL:
    case SL_TCP_ESTABLISHED:
        established(e, dir, flags);
        break;
    case SL_TCP_CLOSED: /* UpdateClosedState: behind both FINs a RST changes nothing */
        if (flags & SL_TCP_RST && e->state[!dir] != SL_TCP_CLOSED)
            set(e, dir, SL_TCP_RESET);
        break;
    default:
        break;
    }
}

static int clean(const struct sl_tcp_ends *e, int dir) {
    return e->state[dir] == SL_TCP_ESTABLISHED ||
           (e->state[dir] == SL_TCP_CLOSED && e->before[dir] == SL_TCP_ESTABLISHED);
}

/* established_or_cleanly_closing of Zeek's TCP_Reassembler.cc. */
int sl_tcp_ends_clean(const struct sl_tcp_ends *e) {
    return clean(e, 0) && clean(e, 1);
}

/* main.zeek's pattern ^?S[^HAFGIQ]*R.* over the whole history. */
static int syn_then_reset(const char *history) {
    if (*history == '^')
        history++;
    if (*history != 'S')
        return 0;
    return history[strcspn(history, "HAFGIQR")] == 'R';
}

static int unopened(uint8_t state) {
    return state == SL_TCP_INACTIVE || state == SL_TCP_PARTIAL;
}

static uint8_t reset_by_responder(uint8_t orig, int empty) {
    if (orig == SL_TCP_SYN_SENT || orig == SL_TCP_SYN_ACK_SENT || (orig == SL_TCP_RESET && empty))
        return SL_STATE_REJ;
    return unopened(orig) ? SL_STATE_RSTRH : SL_STATE_RSTR;
}

uint8_t sl_tcp_ends_summary(const struct sl_tcp_ends *e, int empty, const char *history) {
    uint8_t orig = e->state[0], resp = e->state[1];

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
