#include "event_pack.h"

#include "table.h"

#include <string.h>

/* What follows of an event, in this order. */
enum {
    WHOLE = 1, /* its key; what follows differs from zero */
    FLAGS = 2,
    SEQ = 4,
    ACK = 8,
    WINDOW = 16,
    LEN = 32,
    IP_LEN = 64,
    PAYLOAD = 128
};

enum { FRAGMENT = SL_EVENT_FIRST_FRAGMENT | SL_EVENT_LATER_FRAGMENT, TCP_SYN = 2, TCP_FIN = 1 };
enum { BITS_MAX = SL_EVENT_TCP | FRAGMENT, KIND_MAX = SL_KEY_SAME | SL_KEY_FROM_UPPER };
/* A place that holds an event says so where events say what nobody asks for here. */
enum { IN_USE = 1 };
enum { PLACE_BITS = 10, NSEC_MAX = 999999999, NEAR_S = 1 << 30 };

/* ---- numbers ---- */

uint8_t *sl_number_pack(uint8_t *to, uint64_t number) {
    for (; number > 0x7f; number >>= 7)
        *to++ = (uint8_t)(number | 0x80);
    *to++ = (uint8_t)number;
    return to;
}

int sl_number_unpack(struct sl_cursor *from, uint64_t *number) {
    *number = 0;
    for (unsigned shift = 0; shift < 64 && sl_has(from, 1); shift += 7) {
        uint8_t byte = *from->at++;
        *number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return 0;
    }
    return -1;
}

static uint64_t folded(int64_t n) {
    return (uint64_t)n << 1 ^ (n < 0 ? UINT64_MAX : 0);
}

static int64_t unfolded(uint64_t n) {
    return (int64_t)(n >> 1 ^ (0 - (n & 1)));
}

static uint8_t *pack_difference(uint8_t *to, uint32_t a, uint32_t b) {
    return sl_number_pack(to, folded((int32_t)(a - b)));
}

/* Adds a difference to *value, if the event has one. */
static int unpack_difference(struct sl_cursor *from, int has, uint32_t *value) {
    uint64_t n;

    if (!has)
        return 0;
    if (sl_number_unpack(from, &n) < 0 || n > UINT32_MAX)
        return -1;
    *value += (uint32_t)unfolded(n);
    return 0;
}

/* ---- keys ---- */

/* A key that says the same to every reader: numbers that stand for IPv6 addresses are not in it,
 * nor which of these is the lower one. */
struct key {
    uint64_t hosts; /* of IPv6: something of the addresses */
    uint32_t ports; /* of IPv6: source and destination */
    uint16_t kind;
};

static struct key key_of(const struct sl_flow_event *e, const struct sl_event_more *more) {
    struct key k = {e->hosts, e->ports, e->kind};

    if (!(e->kind & SL_KEY_V6))
        return k;
    const uint32_t *src = more->src.w, *dst = more->dst.w;
    k.hosts =
        (uint64_t)(src[0] ^ src[1] ^ src[2] ^ src[3]) << 32 | (dst[0] ^ dst[1] ^ dst[2] ^ dst[3]);
    if (e->kind & SL_KEY_FROM_UPPER)
        k.ports = e->ports << 16 | e->ports >> 16;
    k.kind = e->kind & SL_KEY_SAME;
    return k;
}

static uint32_t place_of(const struct key *k) {
    uint64_t x = k->hosts * 0x9e3779b97f4a7c15u ^ ((uint64_t)k->ports << 16 | k->kind);

    return (uint32_t)(x * 0xff51afd7ed558ccdu >> (64 - PLACE_BITS));
}

static int has_more(const struct sl_flow_event *e) {
    return (e->kind & SL_KEY_V6) || (e->bits & FRAGMENT);
}

static int same_way(const struct sl_flow_event *a, const struct sl_event_more *more_a,
                    const struct sl_flow_event *b, const struct sl_event_more *more_b) {
    return a->hosts == b->hosts && a->ports == b->ports && a->kind == b->kind &&
           a->bits == b->bits && !(a->bits & FRAGMENT) &&
           (!(a->kind & SL_KEY_V6) || !memcmp(more_a, more_b, sizeof *more_a));
}

static uint8_t *pack_more(uint8_t *to, const struct sl_event_more *more) {
    for (int i = 0; i < 4; i++)
        to = sl_number_pack(to, more->src.w[i]);
    for (int i = 0; i < 4; i++)
        to = sl_number_pack(to, more->dst.w[i]);
    return sl_number_pack(to, more->ip_id);
}

static uint8_t *pack_key(uint8_t *to, const struct sl_flow_event *e,
                         const struct sl_event_more *more, const struct key *k) {
    to = sl_number_pack(to, k->kind);
    *to++ = e->bits;
    if (!(e->kind & SL_KEY_V6))
        to = sl_number_pack(to, k->hosts);
    to = sl_number_pack(to, k->ports);
    return has_more(e) ? pack_more(to, more) : to;
}

static int unpack_word(struct sl_cursor *from, uint32_t *word) {
    uint64_t n;

    if (sl_number_unpack(from, &n) < 0 || n > UINT32_MAX)
        return -1;
    *word = (uint32_t)n;
    return 0;
}

static int unpack_more(struct sl_cursor *from, struct sl_event_more *more) {
    for (int i = 0; i < 4; i++)
        if (unpack_word(from, &more->src.w[i]) < 0)
            return -1;
    for (int i = 0; i < 4; i++)
        if (unpack_word(from, &more->dst.w[i]) < 0)
            return -1;
    return unpack_word(from, &more->ip_id);
}

/* The event's kind, bits, hosts and ports, and what stands in *more. */
static int unpack_key(struct sl_cursor *from, struct sl_flow_event *e, struct sl_event_more *more,
                      const struct sl_hash_seed *seed) {
    uint64_t kind;

    if (sl_number_unpack(from, &kind) < 0 || kind > KIND_MAX || !sl_has(from, 1))
        return -1;
    e->kind = (uint16_t)kind;
    e->bits = *from->at++;
    if (e->bits > BITS_MAX || (e->bits & FRAGMENT) == FRAGMENT)
        return -1;
    if (!(kind & SL_KEY_V6) && sl_number_unpack(from, &e->hosts) < 0)
        return -1;
    if (unpack_word(from, &e->ports) < 0 || (has_more(e) && unpack_more(from, more) < 0))
        return -1;
    if (kind & SL_KEY_V6) {
        struct sl_ports ports = {(uint16_t)(e->ports >> 16), (uint16_t)e->ports,
                                 (kind & SL_KEY_ONE_WAY) != 0};
        sl_event_set_key(e, more, ports, seed);
    } else {
        e->hash = sl_flow_hash(e->hosts, e->ports, e->kind, seed);
    }
    return 0;
}

/* ---- events ---- */

static uint32_t next_seq(const struct sl_flow_event *last) {
    return last->seq + last->payload_len + !!(last->tcp_flags & TCP_SYN) +
           !!(last->tcp_flags & TCP_FIN);
}

/* What the last event makes likely of this one, in place; its len is known already. */
static uint32_t likely_ip_len(const struct sl_flow_event *last, uint32_t len) {
    return len + (last->ip_len - last->len);
}

static uint32_t likely_payload(const struct sl_flow_event *last, uint32_t ip_len) {
    return ip_len + (last->payload_len - last->ip_len);
}

static unsigned changes(const struct sl_flow_event *e, const struct sl_flow_event *last) {
    return (e->tcp_flags != last->tcp_flags ? FLAGS : 0) | (e->seq != next_seq(last) ? SEQ : 0) |
           (e->ack != last->ack ? ACK : 0) | (e->window != last->window ? WINDOW : 0) |
           (e->len != last->len ? LEN : 0) |
           (e->ip_len != likely_ip_len(last, e->len) ? IP_LEN : 0) |
           (e->payload_len != likely_payload(last, e->ip_len) ? PAYLOAD : 0);
}

static uint8_t *pack_changes(uint8_t *to, unsigned what, const struct sl_flow_event *e,
                             const struct sl_flow_event *last) {
    if (what & FLAGS)
        to = sl_number_pack(to, e->tcp_flags);
    if (what & SEQ)
        to = pack_difference(to, e->seq, next_seq(last));
    if (what & ACK)
        to = pack_difference(to, e->ack, last->ack);
    if (what & WINDOW)
        to = pack_difference(to, e->window, last->window);
    if (what & LEN)
        to = pack_difference(to, e->len, last->len);
    if (what & IP_LEN)
        to = pack_difference(to, e->ip_len, likely_ip_len(last, e->len));
    if (what & PAYLOAD)
        to = pack_difference(to, e->payload_len, likely_payload(last, e->ip_len));
    return to;
}

static int unpack_changes(struct sl_cursor *from, unsigned what, struct sl_flow_event *e,
                          const struct sl_flow_event *last) {
    uint64_t flags = last->tcp_flags;
    uint32_t window = last->window;

    if ((what & FLAGS) && sl_number_unpack(from, &flags) < 0)
        return -1;
    e->seq = next_seq(last);
    e->ack = last->ack;
    e->len = last->len;
    if (unpack_difference(from, what & SEQ, &e->seq) < 0 ||
        unpack_difference(from, what & ACK, &e->ack) < 0 ||
        unpack_difference(from, what & WINDOW, &window) < 0 ||
        unpack_difference(from, what & LEN, &e->len) < 0)
        return -1;
    e->ip_len = likely_ip_len(last, e->len);
    if (unpack_difference(from, what & IP_LEN, &e->ip_len) < 0)
        return -1;
    e->payload_len = likely_payload(last, e->ip_len);
    if (unpack_difference(from, what & PAYLOAD, &e->payload_len) < 0)
        return -1;
    if (flags > UINT16_MAX || window > UINT16_MAX)
        return -1;
    e->tcp_flags = (uint16_t)flags;
    e->window = (uint16_t)window;
    return 0;
}

static void remember(struct sl_event_memory *memory, uint32_t place, const struct sl_flow_event *e,
                     const struct sl_event_more *more) {
    memory->events[place] = *e;
    memory->events[place].position = IN_USE;
    if (has_more(e))
        memory->more[place] = *more;
}

static uint8_t *pack_event(uint8_t *to, struct sl_event_memory *memory,
                           const struct sl_flow_event *e, const struct sl_event_more *more,
                           uint32_t distance) {
    static const struct sl_flow_event none;
    struct key k = key_of(e, more);
    uint32_t place = place_of(&k);
    const struct sl_flow_event *last = &memory->events[place];
    unsigned whole = last->position && same_way(e, more, last, &memory->more[place]) ? 0 : WHOLE;

    if (whole)
        last = &none;
    unsigned what = whole | changes(e, last);
    *to++ = (uint8_t)what;
    to = sl_number_pack(to, distance);
    if (whole) {
        to = pack_key(to, e, more, &k);
    } else {
        *to++ = (uint8_t)place;
        *to++ = (uint8_t)(place >> 8);
    }
    to = pack_changes(to, what, e, last);
    remember(memory, place, e, more);
    return to;
}

uint8_t *sl_events_pack(uint8_t *to, struct sl_event_memory *memory,
                        const struct sl_event_batch *b) {
    uint32_t number = 0;

    to = sl_number_pack(to, b->n);
    for (uint32_t i = 0; i < b->n; i++) {
        const struct sl_flow_event *e = &b->events[i];
        to = pack_event(to, memory, e, &b->more[has_more(e) ? e->more : 0], e->number - number);
        number = e->number;
    }
    return to;
}

static inline uint64_t add_to_sum(uint64_t sum, uint64_t word) {
    return (sum ^ word) * 0xff51afd7ed558ccdu;
}

uint64_t sl_events_sum(uint64_t sum, const struct sl_event_batch *b) {
    for (uint32_t i = 0; i < b->n; i++) {
        const struct sl_flow_event *e = &b->events[i];
        struct key k = key_of(e, &b->more[has_more(e) ? e->more : 0]);
        sum = add_to_sum(sum, k.hosts ^ (b->base + e->number) << 20);
        sum = add_to_sum(sum ^ sum >> 29, (uint64_t)k.ports << 32 | e->seq);
        sum = add_to_sum(sum, (uint64_t)e->len << 32 | e->ack);
        sum = add_to_sum(sum ^ sum >> 31,
                         (uint64_t)e->payload_len << 32 | (uint32_t)e->tcp_flags << 16 | k.kind);
    }
    return sum;
}

uint64_t sl_times_sum(uint64_t sum, const struct sl_packet *packets, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        sum = add_to_sum(sum ^ sum >> 29, (uint64_t)packets[i].ts.s << 30 ^ packets[i].ts.nsec);
    return sum;
}

static int unpack_event(struct sl_cursor *from, struct sl_event_memory *memory,
                        struct sl_event_batch *b, uint64_t *number,
                        const struct sl_hash_seed *seed) {
    static const struct sl_flow_event none;
    struct sl_flow_event *e = &b->events[b->n];
    struct sl_event_more *more = &b->more[b->n_more];
    const struct sl_flow_event *last = &none;
    uint64_t distance;
    uint32_t place;

    if (!sl_has(from, 1))
        return -1;
    unsigned what = *from->at++;
    if (sl_number_unpack(from, &distance) < 0 || distance > SL_BATCH)
        return -1;
    *number += distance;
    *e = none;
    if (what & WHOLE) {
        if (unpack_key(from, e, more, seed) < 0)
            return -1;
        struct key k = key_of(e, more);
        place = place_of(&k);
    } else {
        if (!sl_has(from, 2) || (place = sl_le16(from, 0)) >= SL_PACK_PLACES)
            return -1;
        from->at += 2;
        *e = *(last = &memory->events[place]);
        if (!last->position)
            return -1;
        if (has_more(e))
            *more = memory->more[place];
    }
    if (unpack_changes(from, what, e, last) < 0)
        return -1;
    e->number = (uint32_t)*number;
    e->more = b->n_more;
    b->n_more += (uint32_t)has_more(e);
    remember(memory, place, e, more);
    return 0;
}

int sl_events_unpack(struct sl_cursor *from, struct sl_event_memory *memory,
                     struct sl_event_batch *b, const struct sl_packet *packets, uint32_t n_packets,
                     const struct sl_hash_seed *seed) {
    uint64_t n, number = 0;

    if (sl_number_unpack(from, &n) < 0 || n > SL_BATCH)
        return -1;
    for (b->n = b->n_more = 0; b->n < n; b->n++) {
        if (unpack_event(from, memory, b, &number, seed) < 0 || number >= n_packets)
            return -1;
        b->events[b->n].ts_s = packets[number].ts.s;
        b->events[b->n].ts_nsec = packets[number].ts.nsec;
    }
    return 0;
}

/* ---- times ---- */

/* A time that is near the one before as their distance in nanoseconds, doubled; others whole. */
static uint8_t *pack_time(uint8_t *to, struct sl_time t, struct sl_time before) {
    int64_t s;

    if (__builtin_sub_overflow(t.s, before.s, &s) || s > NEAR_S || s < -NEAR_S ||
        t.nsec > NSEC_MAX || before.nsec > NSEC_MAX) {
        *to++ = 1;
        to = sl_number_pack(to, folded(t.s));
        return sl_number_pack(to, t.nsec);
    }
    int64_t ns = s * (NSEC_MAX + 1) + ((int64_t)t.nsec - (int64_t)before.nsec);
    return sl_number_pack(to, folded(ns) << 1);
}

static int unpack_time(struct sl_cursor *from, struct sl_time *t) {
    uint64_t n, nsec;

    if (sl_number_unpack(from, &n) < 0)
        return -1;
    if (n & 1) {
        if (n != 1 || sl_number_unpack(from, &n) < 0 || sl_number_unpack(from, &nsec) < 0 ||
            nsec > UINT32_MAX)
            return -1;
        *t = (struct sl_time){unfolded(n), (uint32_t)nsec};
        return 0;
    }
    int64_t ns = unfolded(n >> 1), s = ns / (NSEC_MAX + 1);
    ns -= s * (NSEC_MAX + 1);
    ns += t->nsec;
    if (ns < 0) {
        ns += NSEC_MAX + 1;
        s--;
    } else if (ns > NSEC_MAX) {
        ns -= NSEC_MAX + 1;
        s++;
    }
    if (__builtin_add_overflow(t->s, s, &t->s))
        return -1;
    t->nsec = (uint32_t)ns;
    return 0;
}

uint8_t *sl_times_pack(uint8_t *to, const struct sl_packet *packets, uint32_t n,
                       struct sl_time *before) {
    to = sl_number_pack(to, n);
    for (uint32_t i = 0; i < n; i++) {
        to = pack_time(to, packets[i].ts, *before);
        *before = packets[i].ts;
    }
    return to;
}

int sl_times_unpack(struct sl_cursor *from, struct sl_packet *packets, uint32_t *n,
                    struct sl_time *before) {
    uint64_t count;

    if (sl_number_unpack(from, &count) < 0 || count > SL_BATCH)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        if (unpack_time(from, before) < 0)
            return -1;
        packets[i].ts = *before;
    }
    *n = (uint32_t)count;
    return 0;
}
