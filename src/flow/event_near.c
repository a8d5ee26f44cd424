#include "event_near.h"

#include "table.h"

#include <string.h>

/* The word that an event begins with. Behind it stand, in this order: a byte of distance; the key
 * or the place (u16) that holds it; the window (u16); and what differs from what the last event
 * makes likely, each as long as its code says. */
enum {
    WHOLE = 1,    /* its key is here, and no last event */
    DISTANCE = 2, /* it is not the packet behind that of the event before */
    WINDOW = 4,
    FLAGS_AT = 4, /* where the codes stand */
    SEQ_AT = 6,
    ACK_AT = 8,
    LEN_AT = 10,
    IP_LEN_AT = 12,
    PAYLOAD_AT = 14
};

enum { FRAGMENT = SL_EVENT_FIRST_FRAGMENT | SL_EVENT_LATER_FRAGMENT, TCP_SYN = 2, TCP_FIN = 1 };
enum { BITS_MAX = SL_EVENT_TCP | FRAGMENT, KIND_MAX = SL_KEY_SAME | SL_KEY_FROM_UPPER };
enum { PLACE_BITS = 10, KIND_BITS = 11 };
/* Where fields stand, which are written and read as they are. */
#define PUT(at, field) (memcpy(at, &(field), sizeof(field)), (at) += sizeof(field))
#define GET(at, field) (memcpy(&(field), at, sizeof(field)), (at) += sizeof(field))

/* ---- keys ---- */

/* A key that says the same to every reader: numbers that stand for IPv6 addresses are not in it,
 * nor which of these is the lower one. */
struct key {
    uint64_t hosts; /* of IPv6: something of the addresses */
    uint32_t ports; /* of IPv6: source and destination */
    uint16_t kind;
};

static inline struct key key_of(const struct sl_flow_event *e, const struct sl_event_more *more) {
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

static inline uint16_t place_of(const struct key *k) {
    uint64_t x = k->hosts * 0x9e3779b97f4a7c15u ^ ((uint64_t)k->ports << 16 | k->kind);

    return (uint16_t)(x * 0xff51afd7ed558ccdu >> (64 - PLACE_BITS));
}

static inline int has_more(const struct sl_flow_event *e) {
    return (e->kind & SL_KEY_V6) || (e->bits & FRAGMENT);
}

static inline int same_way(const struct sl_near_event *last, const struct sl_event_more *last_more,
                           const struct sl_flow_event *e, const struct sl_event_more *more) {
    if ((last->hosts ^ e->hosts) | (last->ports ^ e->ports) | (unsigned)(last->kind ^ e->kind) |
        (unsigned)(last->bits ^ e->bits) | (e->bits & FRAGMENT) | !last->in_use)
        return 0;
    return !(e->kind & SL_KEY_V6) || !memcmp(last_more, more, sizeof *more);
}

static inline uint8_t *pack_key(uint8_t *at, const struct sl_flow_event *e,
                                const struct sl_event_more *more, const struct key *k) {
    uint16_t kind = (uint16_t)(k->kind | e->bits << KIND_BITS);

    PUT(at, kind);
    PUT(at, k->ports);
    if (!(e->kind & SL_KEY_V6))
        PUT(at, k->hosts);
    if (has_more(e))
        PUT(at, *more);
    return at;
}

/* The event's kind, bits, hosts and ports, and what stands in *more. -1: nobody wrote that. */
static inline int unpack_key(const uint8_t **from, struct sl_flow_event *e,
                             struct sl_event_more *more, const struct sl_hash_seed *seed) {
    const uint8_t *at = *from;
    uint32_t ports;
    uint16_t kind;

    GET(at, kind);
    GET(at, ports);
    e->bits = (uint8_t)(kind >> KIND_BITS);
    e->kind = kind & ((1u << KIND_BITS) - 1);
    e->ports = ports;
    if (e->bits > BITS_MAX || e->kind > KIND_MAX)
        return -1;
    if (!(e->kind & SL_KEY_V6))
        GET(at, e->hosts);
    if (has_more(e))
        GET(at, *more);
    *from = at;
    if (e->kind & SL_KEY_V6) {
        e->kind &= SL_KEY_SAME;
        sl_event_set_key(e, more,
                         (struct sl_ports){(uint16_t)(ports >> 16), (uint16_t)ports,
                                           (e->kind & SL_KEY_ONE_WAY) != 0},
                         seed);
    } else {
        e->hash = sl_flow_hash(e->hosts, e->ports, e->kind, seed);
    }
    return 0;
}

/* ---- what is likely ---- */

/* Where there is no last event: what most packets are, over Ethernet and without options. */
static inline struct sl_near_event likely_first(unsigned kind, unsigned bits) {
    uint32_t network = kind & SL_KEY_V6 ? 40 : 20, transport = bits & SL_EVENT_TCP ? 20 : 8;

    return (struct sl_near_event){.ip_more = 0 - 14u, .payload_more = 0 - network - transport};
}

static inline uint32_t next_seq(const struct sl_flow_event *e) {
    uint32_t length = e->payload_len + !!(e->tcp_flags & TCP_SYN) + !!(e->tcp_flags & TCP_FIN);

    return e->seq + (e->bits & SL_EVENT_TCP ? length : 0);
}

/* Field by field: read as a whole it would wait for what has just been written of it. */
static inline void remember(struct sl_near_event *last, struct sl_event_more *last_more,
                            const struct sl_flow_event *e, const struct sl_event_more *more) {
    last->hosts = e->hosts;
    last->ports = e->ports;
    last->kind = e->kind;
    last->bits = e->bits;
    last->in_use = 1;
    last->hash = e->hash;
    last->next_seq = next_seq(e);
    last->ack = e->ack;
    last->len = e->len;
    last->ip_more = e->ip_len - e->len;
    last->payload_more = e->payload_len - e->ip_len;
    last->window = e->window;
    last->tcp_flags = e->tcp_flags;
    if (has_more(e))
        *last_more = *more;
}

/* ---- events ---- */

/* Adds a number and its code. */
static inline uint8_t *put(uint8_t *at, unsigned *what, unsigned code_at, uint32_t n) {
    unsigned code = sl_code_of(n);

    *what |= code << code_at;
    return sl_coded_pack(at, n, code);
}

static inline uint8_t *pack_changes(uint8_t *at, unsigned *what, const struct sl_flow_event *e,
                                    const struct sl_near_event *last) {
    memcpy(at, &e->window, sizeof e->window);
    if (e->window != last->window) {
        *what |= WINDOW;
        at += sizeof e->window;
    }
    at = put(at, what, FLAGS_AT, (uint32_t)(e->tcp_flags ^ last->tcp_flags));
    at = put(at, what, SEQ_AT, sl_folded(e->seq - last->next_seq));
    at = put(at, what, ACK_AT, sl_folded(e->ack - last->ack));
    at = put(at, what, LEN_AT, sl_folded(e->len - last->len));
    at = put(at, what, IP_LEN_AT, sl_folded(e->ip_len - e->len - last->ip_more));
    return put(at, what, PAYLOAD_AT, sl_folded(e->payload_len - e->ip_len - last->payload_more));
}

static inline uint32_t get(const uint8_t **at, unsigned what, unsigned code_at) {
    return sl_coded_unpack(at, what >> code_at & 3);
}

static inline int unpack_changes(const uint8_t **at, unsigned what, struct sl_flow_event *e,
                                 const struct sl_near_event *last) {
    uint16_t window;

    memcpy(&window, *at, sizeof window);
    *at += what & WINDOW ? sizeof window : 0;
    e->window = what & WINDOW ? window : last->window;
    uint32_t flags = get(at, what, FLAGS_AT) ^ last->tcp_flags;
    e->seq = last->next_seq + sl_unfolded(get(at, what, SEQ_AT));
    e->ack = last->ack + sl_unfolded(get(at, what, ACK_AT));
    e->len = last->len + sl_unfolded(get(at, what, LEN_AT));
    e->ip_len = e->len + last->ip_more + sl_unfolded(get(at, what, IP_LEN_AT));
    e->payload_len = e->ip_len + last->payload_more + sl_unfolded(get(at, what, PAYLOAD_AT));
    e->tcp_flags = (uint16_t)flags;
    return flags > UINT16_MAX ? -1 : 0;
}

static inline uint8_t *pack_event(uint8_t *to, struct sl_near_memory *memory,
                                  const struct sl_flow_event *e, const struct sl_event_more *more,
                                  const struct key *k, uint32_t distance) {
    uint16_t place = place_of(k);
    struct sl_near_event *last = &memory->events[place], likely = *last;
    unsigned what = distance == 1 ? 0 : DISTANCE;
    uint8_t *at = to + 2;

    *at = (uint8_t)distance;
    at += distance != 1;
    if (same_way(last, &memory->more[place], e, more)) {
        PUT(at, place);
    } else {
        what |= WHOLE;
        likely = likely_first(e->kind, e->bits);
        at = pack_key(at, e, more, k);
    }
    at = pack_changes(at, &what, e, &likely);
    uint16_t word = (uint16_t)what;
    memcpy(to, &word, sizeof word);
    remember(last, &memory->more[place], e, more);
    return at;
}

uint8_t *sl_near_pack(uint8_t *to, struct sl_near_memory *memory, const struct sl_event_batch *b) {
    uint32_t number = 0;

    for (uint32_t i = 0; i < b->n; i++) {
        const struct sl_flow_event *e = &b->events[i];
        const struct sl_event_more *more = &b->more[has_more(e) ? e->more : 0];
        struct key k = key_of(e, more);
        to = pack_event(to, memory, e, more, &k, e->number - number);
        number = e->number;
    }
    return to;
}

/* The key of an event that has a place. -1: nobody wrote that. */
static inline int recall_key(const struct sl_near_event *last,
                             const struct sl_event_more *last_more, struct sl_flow_event *e,
                             struct sl_event_more *more) {
    e->hosts = last->hosts;
    e->ports = last->ports;
    e->kind = last->kind;
    e->bits = last->bits;
    e->hash = last->hash;
    if (has_more(e))
        *more = *last_more;
    return last->in_use ? 0 : -1;
}

/* Reads at *at, where SL_NEAR_EVENT_MAX bytes can be read. */
static inline int unpack_event(const uint8_t **at, struct sl_near_memory *memory,
                               struct sl_event_batch *b, uint32_t *number,
                               const struct sl_hash_seed *seed) {
    struct sl_flow_event *e = &b->events[b->n];
    struct sl_event_more *more = &b->more[b->n_more];
    struct sl_near_event likely;
    uint16_t what, place;

    GET(*at, what);
    *number += what & DISTANCE ? **at : 1;
    *at += (what & DISTANCE) != 0;
    if (what & WHOLE) {
        if (unpack_key(at, e, more, seed) < 0)
            return -1;
        struct key k = key_of(e, more);
        place = place_of(&k);
        likely = likely_first(e->kind, e->bits);
    } else {
        GET(*at, place);
        if (place >= SL_NEAR_PLACES ||
            recall_key(&memory->events[place], &memory->more[place], e, more) < 0)
            return -1;
        likely = memory->events[place];
    }
    if (unpack_changes(at, what, e, &likely) < 0)
        return -1;
    e->number = *number;
    e->more = b->n_more;
    e->position = 0;
    b->n_more += (uint32_t)has_more(e);
    remember(&memory->events[place], &memory->more[place], e, more);
    return 0;
}

int sl_near_unpack(struct sl_cursor *from, struct sl_near_memory *memory, struct sl_event_batch *b,
                   uint32_t n, const struct sl_packet *packets, uint32_t n_packets,
                   const struct sl_hash_seed *seed) {
    uint32_t number = 0;

    for (b->n = b->n_more = 0; b->n < n; b->n++) {
        uint8_t copy[SL_NEAR_EVENT_MAX] = {0};
        const uint8_t *begin = sl_readable(from, SL_NEAR_EVENT_MAX, copy), *at = begin;
        if (unpack_event(&at, memory, b, &number, seed) < 0 || number >= n_packets ||
            !sl_skip(from, (size_t)(at - begin)))
            return -1;
        b->events[b->n].ts_s = packets[number].ts.s;
        b->events[b->n].ts_nsec = packets[number].ts.nsec;
    }
    return 0;
}
