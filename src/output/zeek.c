#include "zeek.h"

#include "../flow/tcp_state.h"
#include "../packet/address.h"

#include <ctype.h>
#include <string.h>

enum { TCP = 6, UDP = 17, RECORDED = 60 /* letters that a history has at most */ };

/* A history that is run again in Zeek's roles. */
struct replay {
    unsigned ends;
    int opposite; /* so far Zeek's originator is the flow's dst */
    char *to;     /* the end of the history */
};

static void put(struct replay *r, char letter) {
    *r->to++ = letter;
}

static char turned(char letter) {
    return (char)(isupper((unsigned char)letter) ? tolower((unsigned char)letter)
                                                 : toupper((unsigned char)letter));
}

/* Connection::FlipRoles. */
static void turn_round(struct replay *r) {
    r->opposite = !r->opposite;
    r->ends = sl_tcp_ends(sl_tcp_end(r->ends, 1), sl_tcp_end(r->ends, 0),
                          sl_tcp_end_before(r->ends, 1), sl_tcp_end_before(r->ends, 0));
}

/* What a segment that gave this letter looked like. Of Q there are two kinds: SYN+FIN stands for
 * SYN+RST, too. */
static unsigned flags_of(char capital) {
    switch (capital) {
    case 'S':
        return SL_TCP_SYN;
    case 'H':
        return SL_TCP_SYN | SL_TCP_ACK;
    case 'F':
        return SL_TCP_FIN | SL_TCP_ACK;
    case 'R':
        return SL_TCP_RST | SL_TCP_ACK;
    case 'I':
        return SL_TCP_FIN | SL_TCP_RST;
    case 'Q':
        return SL_TCP_SYN | SL_TCP_FIN;
    default:
        return SL_TCP_ACK;
    }
}

static void step(struct replay *r, char letter) {
    char capital = (char)toupper((unsigned char)letter);
    int dir = (capital != letter) ^ r->opposite;

    if (capital == 'T' || capital == 'W' || capital == 'G')
        return;
    if (capital == 'S' && dir == 0 && sl_tcp_end(r->ends, 0) == SL_TCP_INACTIVE)
        /* Behind a SYN+ACK, too, while the roles are not turned round. */
        r->ends = sl_tcp_ends(SL_TCP_SYN_SENT, sl_tcp_end(r->ends, 1), SL_TCP_INACTIVE,
                              sl_tcp_end_before(r->ends, 1));
    else
        r->ends = sl_tcp_ends_step(r->ends, dir, flags_of(capital), capital == 'D');
}

/* A SYN+ACK that comes first may be a scan, so Zeek takes its sender for the originator, unless its
 * port is a server's. It turns the roles round when data or a pure ACK follow (CheckHistory of
 * TCP_Endpoint.cc), or the SYN itself (UpdateInactiveState). */
static const char *begin_with_answer(struct replay *r, const char *letters) {
    step(r, *letters++);
    if (strchr("AaDd", *letters) && *letters) {
        put(r, '^');
        put(r, 'h');
        turn_round(r);
    } else if (*letters == 'S') {
        memcpy(r->to, "Hs^", 3);
        r->to += 3;
        letters++;
        turn_round(r);
        r->ends = sl_tcp_ends(SL_TCP_ESTABLISHED, SL_TCP_ESTABLISHED, SL_TCP_INACTIVE,
                              SL_TCP_SYN_ACK_SENT);
    } else {
        put(r, 'H');
    }
    return letters;
}

static void replay(const struct sl_flow *f, int opposite, struct sl_zeek_view *v) {
    struct replay r = {.opposite = opposite, .to = v->history};
    const char *letters = f->letters;
    int answer = *letters == 'h', gaps = 0;

    if (opposite && answer)
        letters = begin_with_answer(&r, letters);
    else if (opposite || answer)
        put(&r, '^');
    for (; *letters; letters++) {
        int gap = toupper((unsigned char)*letters) == 'G';
        step(&r, *letters);
        if (gap && !sl_tcp_ends_clean(r.ends))
            continue; /* Zeek does not count it: the handshake was not as it should be */
        gaps |= gap;
        put(&r, r.opposite ? turned(*letters) : *letters);
    }
    *r.to = '\0';
    v->swapped = r.opposite;
    v->missed = gaps ? v->missed : 0;
    if (strlen(f->letters) < RECORDED)
        v->conn_state = sl_tcp_ends_summary(r.ends, !f->n_stream[0] && !f->n_stream[1], v->history);
}

static int is_broadcast(const struct sl_addr *a) {
    return sl_addr_is_ipv4(a) && a->w[3] == 0xffffffff;
}

/* WantConnection of Zeek's TCP.cc, where the sender of the first packet has port `from`: whether it
 * is the responder. */
static int tcp_turns(int syn_ack, uint32_t from, uint32_t to) {
    if (!sl_zeek_is_server_port(TCP, from))
        return 0;
    return !sl_zeek_is_server_port(TCP, to) || (!syn_ack && from < to);
}

static void see_tcp(const struct sl_flow *f, struct sl_zeek_view *v) {
    switch (f->letters[0]) {
    case 'S':
    case 'Q':
        break;
    case 'h': /* dst sent it */
        replay(f, !tcp_turns(1, f->dport, f->sport) || is_broadcast(&f->src), v);
        break;
    default:
        if (tcp_turns(0, f->sport, f->dport) && !is_broadcast(&f->dst))
            replay(f, 1, v);
    }
}

/* WantConnection of UDP.cc. */
static void see_udp(const struct sl_flow *f, struct sl_zeek_view *v) {
    if (!sl_zeek_is_server_port(UDP, f->sport) || sl_zeek_is_server_port(UDP, f->dport) ||
        is_broadcast(&f->dst))
        return;
    v->swapped = 1;
    strcpy(v->history, f->n_packets[1] ? "^dD" : "^d");
    v->conn_state = f->n_packets[1] ? SL_STATE_SF : SL_STATE_SHR;
}

void sl_zeek_see(const struct sl_flow *f, struct sl_zeek_view *v) {
    v->swapped = 0;
    v->conn_state = f->conn_state;
    v->missed = f->n_missed[0] + f->n_missed[1];
    strcpy(v->history, f->letters);
    if (f->proto == TCP)
        see_tcp(f, v);
    else if (f->proto == UDP)
        see_udp(f, v);
}
