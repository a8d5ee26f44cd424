#include "tcp.h"

#include "clock.h"
#include "holes.h"

/* Zeek's TOO_LARGE_SEQ_DELTA: by more than that nobody trusts a SYN or RST. */
enum { LEAP = 1048576 };

/* The turn stays in registers as long as nobody takes its address: this is the path of most packets
 * of short connections. */
#define INLINE static inline __attribute__((always_inline))

/* One segment at work. */
struct turn {
    struct sl_store *store;
    struct sl_hot *h;
    struct sl_cold *c;
    const struct sl_flow_event *g;
    unsigned ends, phase; /* of the cold line, and back there at the end */
    int dir;
    int fresh;  /* the side's sequence numbers begin with this segment */
    int failed; /* out of memory */
};

INLINE struct sl_extra *extra(struct turn *t) {
    struct sl_extra *x = sl_store_extra(t->store, t->h->index);

    t->failed |= !x;
    return x;
}

INLINE int has(const struct turn *t, unsigned flags) {
    return (t->g->tcp_flags & flags) != 0;
}

/* Behind a is positive. */
static int32_t distance(uint32_t a, uint32_t b) {
    return (int32_t)(b - a);
}

/* ---- history ---- */

/* Where the first word is full. */
static void add_beyond(struct sl_extra *x, enum sl_letter letter, int dir) {
    for (int i = 0; i < SL_HISTORY_WORDS; i++)
        if (sl_history_add(&x->history[i], letter, dir))
            return;
}

INLINE void add_letter(struct turn *t, enum sl_letter letter, int dir) {
    struct sl_extra *x;

    if (!sl_history_add(&t->c->history, letter, dir) && (x = extra(t)))
        add_beyond(x, letter, dir);
}

static int held(const struct sl_cold *c, const struct sl_extra *x, enum sl_letter letter, int dir) {
    if (sl_history_has(c->history, letter, dir))
        return 1;
    for (int i = 0; x && i < SL_HISTORY_WORDS; i++)
        if (sl_history_has(x->history[i], letter, dir))
            return 1;
    return 0;
}

/* flag: without it there can be no such letter. */
INLINE int has_letter(const struct turn *t, enum sl_letter letter, unsigned flag) {
    return ((unsigned)t->c->control >> 3 * t->dir & flag) &&
           held(t->c, sl_store_has_extra(t->store, t->h->index), letter, t->dir);
}

INLINE void add_once(struct turn *t, enum sl_letter letter) {
    if (!has_letter(t, letter, SL_TCP_FIN | SL_TCP_SYN | SL_TCP_RST))
        add_letter(t, letter, t->dir);
}

/* A letter that comes again when its sequence number differs from the one before. */
INLINE void add_at(struct turn *t, enum sl_letter letter, int before, uint32_t *last,
                   uint32_t seq) {
    if (!before || seq != *last)
        add_letter(t, letter, t->dir);
    *last = seq;
}

/* ScaledHistoryEntry: the letter at the 1st, 10th, 100th … time. */
INLINE void add_scaled(struct turn *t, enum sl_letter letter, int dir, uint32_t *count) {
    uint32_t n = *count == UINT32_MAX ? *count : ++*count;

    while (n && n % 10 == 0)
        n /= 10;
    if (n == 1)
        add_letter(t, letter, dir);
}

INLINE void note_syn(struct turn *t, uint32_t offset) {
    int before = has_letter(t, SL_LETTER_S, SL_TCP_SYN) || has_letter(t, SL_LETTER_H, SL_TCP_SYN);
    struct sl_extra *x = sl_store_has_extra(t->store, t->h->index);
    uint32_t none = 0; /* without a record it was 0 */

    if (!x && offset && !(x = extra(t)))
        return;
    add_at(t, has(t, SL_TCP_ACK) ? SL_LETTER_H : SL_LETTER_S, before,
           x ? &x->last_syn[t->dir] : &none, offset);
}

/* The flags that are new, and the first data and the first pure ACK. */
INLINE void note_news(struct turn *t, unsigned seen) {
    unsigned news = seen & (unsigned)~t->h->seen[t->dir];

    if (news & (SL_SEEN_DATA | SL_SEEN_ACK))
        add_letter(t, news & SL_SEEN_DATA ? SL_LETTER_D : SL_LETTER_A, t->dir);
    t->h->seen[t->dir] |= (uint8_t)news;
}

/* update_history. */
INLINE void note_letters(struct turn *t) {
    const struct sl_flow_event *g = t->g;
    unsigned control = g->tcp_flags & (SL_TCP_FIN | SL_TCP_SYN | SL_TCP_RST);
    uint32_t offset = g->seq - t->c->isn[t->dir];

    if (control & (control - 1))
        add_once(t, has(t, SL_TCP_FIN) && has(t, SL_TCP_RST) ? SL_LETTER_I : SL_LETTER_Q);
    else if (control == SL_TCP_SYN)
        note_syn(t, offset);
    else if (control == SL_TCP_FIN)
        add_at(t, SL_LETTER_F, has_letter(t, SL_LETTER_F, SL_TCP_FIN), &t->c->last_fin[t->dir],
               offset + g->payload_len);
    else if (control == SL_TCP_RST)
        add_at(t, SL_LETTER_R, has_letter(t, SL_LETTER_R, SL_TCP_RST), &t->c->last_rst[t->dir],
               offset);
    note_news(t, sl_tcp_news(g) & (control ? SL_SEEN_OF_FLAGS : UINT8_MAX));
    t->c->control |= (uint8_t)(control << 3 * t->dir);
}

/* update_window. */
INLINE void note_zero_window(struct turn *t) {
    struct sl_extra *x;

    if (t->g->window || has(t, SL_TCP_RST) || sl_tcp_end(t->ends, !t->dir) == SL_TCP_CLOSED ||
        sl_tcp_end(t->ends, t->dir) == SL_TCP_RESET || !(x = extra(t)))
        return;
    add_scaled(t, SL_LETTER_W, t->dir, &x->zero_windows[t->dir]);
}

/* ---- the handshake ---- */

INLINE void wait_from_now(struct turn *t, unsigned phase) {
    t->c->waiting_s = t->g->ts_s;
    t->c->waiting_nsec = t->g->ts_nsec;
    t->phase = phase;
}

/* More than 4 s are not the network's: they stay unknown, and so do negative ones. */
INLINE void waited(struct turn *t, int dir) {
    int64_t s;

    if (__builtin_sub_overflow(t->g->ts_s, t->c->waiting_s, &s) || s < 0 || s > 4)
        return;
    int64_t ns = s * 1000000000 + t->g->ts_nsec - t->c->waiting_nsec;
    if (ns >= 0 && ns < UINT32_MAX)
        t->c->rtt[dir] = (uint32_t)ns + 1;
}

/* From now on the cold line holds last_fin and last_rst. */
INLINE void begin_closing(struct turn *t) {
    t->phase = SL_PHASE_CLOSING;
    for (int dir = 0; dir < 2; dir++)
        t->c->last_fin[dir] = t->c->last_rst[dir] = 0;
}

/* Times the last SYN, the first SYN+ACK behind it, and the first ACK behind the last SYN+ACK: what
 * is sent again is not told from what it answers otherwise. */
INLINE void measure_handshake(struct turn *t) {
    int syn = has(t, SL_TCP_SYN), ack = has(t, SL_TCP_ACK), first = !sl_tcp_end(t->ends, t->dir);

    if (t->phase == SL_PHASE_CLOSING)
        return;
    if (!has(t, SL_TCP_FIN | SL_TCP_RST)) {
        if (t->dir == 0 && syn && !ack && (t->phase == SL_PHASE_SYN || first))
            wait_from_now(t, SL_PHASE_SYN);
        if (t->dir == 1 && syn && ack && (t->phase != SL_PHASE_OPEN || first)) {
            if (t->phase == SL_PHASE_SYN)
                waited(t, 1);
            wait_from_now(t, SL_PHASE_SYN_ACK);
        }
    }
    if (t->dir == 0 && ack && !syn && !has(t, SL_TCP_RST) && t->phase == SL_PHASE_SYN_ACK) {
        waited(t, 0);
        t->phase = SL_PHASE_OPEN;
    }
    if (has(t, SL_TCP_FIN | SL_TCP_RST))
        begin_closing(t);
}

/* ---- sequence numbers ---- */

/* get_segment_len. */
INLINE uint32_t length(const struct turn *t) {
    uint32_t data = has(t, SL_TCP_RST) ? 0 : t->g->payload_len;

    return data + (uint32_t)has(t, SL_TCP_SYN) + (uint32_t)has(t, SL_TCP_FIN);
}

/* init_endpoint: where a side's sequence numbers begin, or begin anew with a SYN that differs. */
INLINE void begin_side(struct turn *t) {
    struct sl_extra *x = sl_store_has_extra(t->store, t->h->index);
    uint32_t seq = t->g->seq;
    int dir = t->dir, syn = has(t, SL_TCP_SYN);
    unsigned state = sl_tcp_end(t->ends, dir);

    if (state == SL_TCP_CLOSED ||
        (state == SL_TCP_RESET && (!syn || sl_tcp_end_before(t->ends, dir) != SL_TCP_INACTIVE)))
        return;
    if (state != SL_TCP_INACTIVE && (!syn || seq == t->c->isn[dir]))
        return;
    t->c->isn[dir] = syn ? seq : seq - 1;
    t->h->next_seq[dir] = syn ? seq + length(t) : seq;
    t->h->flags |= (uint8_t)(SL_FLOW_HAS_ISN0 << dir);
    t->fresh = 1;
    if (x)
        x->n_holes[dir] = x->ahead[dir] = 0;
}

/* Payload that lies below the highest sequence number: it came again, or fills holes. */
INLINE void note_old_payload(struct turn *t) {
    uint32_t from = t->g->seq + (uint32_t)has(t, SL_TCP_SYN), to = from + t->g->payload_len;
    uint32_t start = t->c->isn[t->dir] + 1, next = t->h->next_seq[t->dir];
    struct sl_extra *x;

    if (distance(next, to) > 0)
        to = next;
    if (distance(from, start) > 0) /* before the first that was seen: not known to be there twice */
        from = start;
    if (distance(from, to) <= 0 || !(x = extra(t)))
        return;
    x->retransmitted[t->dir] += to - from - sl_holes_fill(x, t->dir, from, to);
}

INLINE void advance(struct turn *t, uint32_t end) {
    const struct sl_extra *had = sl_store_has_extra(t->store, t->h->index);
    uint32_t begin = t->g->seq + (uint32_t)has(t, SL_TCP_SYN), known = t->h->next_seq[t->dir];
    struct sl_extra *x;

    if (had && had->ahead[t->dir] && distance(known, had->acked[t->dir]) > 0)
        known = had->acked[t->dir];
    if (distance(known, begin) > 0 && !has(t, SL_TCP_RST) && (x = extra(t)))
        sl_holes_add(x, t->dir, known, begin);
    t->h->next_seq[t->dir] = end;
}

/* update_last_seq. */
INLINE void note_sequence(struct turn *t) {
    const struct sl_flow_event *g = t->g;
    uint32_t end = g->seq + length(t), *next = &t->h->next_seq[t->dir];
    int32_t delta = distance(*next, end);
    struct sl_extra *x;

    if (has(t, SL_TCP_SYN | SL_TCP_RST) && (delta > LEAP || delta < -LEAP))
        return;
    int only_syn =
        *next == t->c->isn[t->dir] + 1; /* then a FIN is believed, whatever lies between */
    if (sl_tcp_end(t->ends, t->dir) == SL_TCP_RESET && !(has(t, SL_TCP_FIN) && only_syn))
        return;
    if (g->payload_len && !t->fresh && !has(t, SL_TCP_RST))
        note_old_payload(t);
    if (delta > 0)
        advance(t, end);
    else if (has(t, SL_TCP_FIN) && only_syn)
        *next = end;
    else if (g->payload_len && (x = extra(t)))
        add_scaled(t, SL_LETTER_T, t->dir, &x->retransmissions[t->dir]);
}

/* ---- gaps ---- */

INLINE void note_gap(struct turn *t, struct sl_extra *x, int dir, uint32_t bytes) {
    if (!sl_tcp_ends_clean(t->ends))
        return;
    x->missed[dir] += bytes;
    add_scaled(t, SL_LETTER_G, dir, &x->gaps[dir]);
}

/* AckReceived: what is acknowledged and was not seen will not come. */
INLINE void note_acknowledged(struct turn *t) {
    int peer = !t->dir;
    uint32_t ack = t->g->ack, next = t->h->next_seq[peer], bytes;
    uint32_t fin = t->c->isn[peer] + t->c->last_fin[peer];
    struct sl_extra *x = sl_store_has_extra(t->store, t->h->index);

    if (t->phase == SL_PHASE_CLOSING && (unsigned)t->c->control >> 3 * peer & SL_TCP_FIN &&
        distance(fin, ack) > 0)
        ack = fin;
    while (x && (bytes = sl_holes_give_up(x, peer, ack)) > 0)
        note_gap(t, x, peer, bytes);
    if (x && x->ahead[peer] && distance(next, x->acked[peer]) > 0)
        next = x->acked[peer];
    if (distance(next, ack) <= 0 || !(x = extra(t)))
        return;
    note_gap(t, x, peer, ack - next);
    x->acked[peer] = ack;
    x->ahead[peer] = 1;
}

/* Whether later segments must be looked at closely, however ordinary they are. */
INLINE int careful(const struct turn *t) {
    struct sl_extra *x = sl_store_has_extra(t->store, t->h->index);
    int watch = sl_tcp_end(t->ends, t->dir) == SL_TCP_INACTIVE ||
                sl_tcp_end(t->ends, 0) == SL_TCP_RESET || sl_tcp_end(t->ends, 1) == SL_TCP_RESET;

    for (int dir = 0; x && dir < 2; dir++) {
        x->ahead[dir] &= distance(t->h->next_seq[dir], x->acked[dir]) > 0;
        watch |= x->n_holes[dir] || x->ahead[dir];
    }
    return watch;
}

/* A segment in order that brings a letter, or ends the handshake: no state changes. */
INLINE void take_news(struct turn *t) {
    if (t->phase == SL_PHASE_SYN_ACK)
        measure_handshake(t);
    note_news(t, sl_tcp_news(t->g));
    t->h->next_seq[t->dir] += t->g->payload_len;
}

/* The SYN, then the SYN+ACK, of the many connections that open as they should: what take_any would
 * come to, in a third of its time. 0: this is none of them. */
INLINE int take_opening(struct turn *t) {
    unsigned flags = t->g->tcp_flags & (SL_TCP_FIN | SL_TCP_SYN | SL_TCP_RST | SL_TCP_ACK);
    unsigned known = t->h->flags & (SL_FLOW_HAS_ISN0 | SL_FLOW_HAS_ISN1);
    int answer = t->dir;

    if (!t->g->window || t->g->payload_len || known != (answer ? SL_FLOW_HAS_ISN0 : 0u) ||
        flags != (answer ? SL_TCP_SYN | SL_TCP_ACK : SL_TCP_SYN))
        return 0;
    if (answer) {
        if (t->phase != SL_PHASE_SYN || t->ends != sl_tcp_ends(SL_TCP_SYN_SENT, 0, 0, 0) ||
            t->g->ack != t->h->next_seq[0])
            return 0;
        waited(t, 1);
        t->ends = sl_tcp_ends(SL_TCP_ESTABLISHED, SL_TCP_ESTABLISHED, SL_TCP_SYN_SENT, 0);
    } else {
        t->ends = sl_tcp_ends(SL_TCP_SYN_SENT, 0, 0, 0);
    }
    wait_from_now(t, answer ? SL_PHASE_SYN_ACK : SL_PHASE_SYN);
    add_letter(t, answer ? SL_LETTER_H : SL_LETTER_S, t->dir);
    note_news(t, sl_tcp_news(t->g) & SL_SEEN_OF_FLAGS);
    t->c->control |= (uint8_t)(SL_TCP_SYN << 3 * t->dir);
    t->c->isn[t->dir] = t->g->seq;
    t->h->next_seq[t->dir] = t->g->seq + 1;
    t->h->flags |= (uint8_t)(SL_FLOW_HAS_ISN0 << t->dir);
    return 1;
}

/* The same of the FIN that ends what an end of an established connection has sent, all of it seen.
 */
INLINE int take_closing(struct turn *t) {
    const unsigned known = SL_FLOW_HAS_ISN0 | SL_FLOW_HAS_ISN1;
    const struct sl_flow_event *g = t->g;
    unsigned flags = g->tcp_flags & (SL_TCP_FIN | SL_TCP_SYN | SL_TCP_RST | SL_TCP_ACK);
    unsigned peer = sl_tcp_end(t->ends, !t->dir);

    if (flags != (SL_TCP_FIN | SL_TCP_ACK) || g->seq != t->h->next_seq[t->dir] || !g->window ||
        (t->h->flags & (known | SL_FLOW_CAREFUL | SL_FLOW_EXTRA)) != known ||
        distance(t->h->next_seq[!t->dir], g->ack) > 0 || g->payload_len > LEAP ||
        t->c->control >> 3 * t->dir & SL_TCP_FIN ||
        sl_tcp_end(t->ends, t->dir) != SL_TCP_ESTABLISHED ||
        (peer != SL_TCP_ESTABLISHED && peer != SL_TCP_CLOSED))
        return 0;
    if (t->phase == SL_PHASE_SYN_ACK && t->dir == 0)
        waited(t, 0);
    if (t->phase != SL_PHASE_CLOSING)
        begin_closing(t);
    add_letter(t, SL_LETTER_F, t->dir);
    note_news(t, sl_tcp_news(g) & SL_SEEN_OF_FLAGS);
    t->c->last_fin[t->dir] = g->seq - t->c->isn[t->dir] + g->payload_len;
    t->c->control |= (uint8_t)(SL_TCP_FIN << 3 * t->dir);
    t->h->next_seq[t->dir] = g->seq + g->payload_len + 1;
    t->ends = sl_tcp_ends_set(t->ends, t->dir, SL_TCP_CLOSED);
    return 1;
}

INLINE void take_any(struct turn *t) {
    int answers = has(t, SL_TCP_ACK) && sl_tcp_end(t->ends, !t->dir) != SL_TCP_INACTIVE;

    begin_side(t);
    measure_handshake(t);
    note_letters(t);
    note_zero_window(t);
    note_sequence(t);
    t->ends = sl_tcp_ends_step(t->ends, t->dir, t->g->tcp_flags, t->g->payload_len);
    if (answers)
        note_acknowledged(t);
    t->h->flags = (uint8_t)((t->h->flags & ~SL_FLOW_CAREFUL) | (careful(t) ? SL_FLOW_CAREFUL : 0));
}

int sl_tcp_take(struct sl_store *store, struct sl_hot *h, int dir, const struct sl_flow_event *g) {
    struct sl_cold *c = sl_store_cold(store, h->index);
    struct turn t = {.store = store,
                     .h = h,
                     .c = c,
                     .g = g,
                     .ends = c->ends & ((1u << SL_ENDS_BITS) - 1),
                     .phase = c->ends >> SL_ENDS_BITS,
                     .dir = dir};

    if (h->flags & SL_FLOW_HAS_ISN0 << dir && sl_tcp_in_order(h, dir, g))
        take_news(&t);
    else if (!take_closing(&t) && !take_opening(&t))
        take_any(&t);
    c->ends = (uint16_t)(t.ends | t.phase << SL_ENDS_BITS);
    return t.failed ? -1 : 0;
}

/* ---- results ---- */

uint16_t sl_tcp_flags(const struct sl_hot *h, const struct sl_cold *c, int dir) {
    unsigned seen = h->seen[dir];

    return (uint16_t)((seen & SL_SEEN_FLAGS) | (seen & SL_SEEN_NS) << 6 |
                      (c->control >> 3 * dir & 7));
}

uint64_t sl_tcp_stream_bytes(const struct sl_flow *f, const struct sl_hot *h,
                             const struct sl_cold *c, const struct sl_extra *x, int dir) {
    uint64_t near = f->n_payload[dir] - f->n_retransmitted[dir] + f->n_missed[dir];
    uint32_t end = h->next_seq[dir];

    if (!(h->flags & SL_FLOW_HAS_ISN0 << dir))
        return 0;
    if (x && x->ahead[dir])
        end = x->acked[dir];
    uint32_t size = end - c->isn[dir];
    size -= size != 0; /* the SYN, which is assumed where none was seen */
    size -= size != 0 && c->control >> 3 * dir & SL_TCP_FIN;
    /* The low half of the number: the high one is where it comes near to what was counted. */
    int64_t bytes = (int64_t)near + (int32_t)(size - (uint32_t)near);
    return bytes < 0 ? 0 : (uint64_t)bytes;
}
