#include "event_whole.h"

#include "table.h"

#include <string.h>

struct record {
    uint64_t hosts; /* of IPv6: the upper half of the source address */
    uint32_t ports; /* of IPv6: source and destination */
    uint32_t seq, ack;
    uint16_t window;
    uint16_t len, ip_len, payload_len; /* the lower halves, where LONG */
    uint16_t kind;                     /* and bits, and LONG */
    uint16_t flags;                    /* and the distance from the packet before */
};

enum {
    BITS_AT = 11,
    BITS_MAX = SL_EVENT_TCP | SL_EVENT_FIRST_FRAGMENT | SL_EVENT_LATER_FRAGMENT,
    LONG = 1 << 14,
    DISTANCE_AT = 9,
    FRAGMENT = SL_EVENT_FIRST_FRAGMENT | SL_EVENT_LATER_FRAGMENT,
    V6_REST = 24, /* bytes of its addresses that follow */
    LENGTHS = 12
};

static inline uint16_t low(uint32_t n) {
    return (uint16_t)n;
}

/* Nothing of a reader's or writer's hash is in it, nor which end is the lower one by that. */
static inline uint8_t *put_v6(uint8_t *at, struct record *r, const struct sl_event_more *more) {
    memcpy(&r->hosts, &more->src, sizeof r->hosts);
    memcpy(at, (const char *)&more->src + sizeof r->hosts, V6_REST);
    if (r->kind & SL_KEY_FROM_UPPER)
        r->ports = r->ports << 16 | r->ports >> 16;
    r->kind &= (uint16_t)~SL_KEY_FROM_UPPER;
    return at + V6_REST;
}

/* What follows the record of an event that has more. */
static uint8_t *put_more(uint8_t *at, struct record *r, const struct sl_flow_event *e,
                         const struct sl_event_more *more) {
    if (e->kind & SL_KEY_V6) {
        at = put_v6(at, r, more);
    } else {
        memcpy(at, &more->src, 2 * sizeof more->src);
        at += 2 * sizeof more->src;
    }
    if (!(e->bits & FRAGMENT))
        return at;
    memcpy(at, &more->ip_id, sizeof more->ip_id);
    return at + sizeof more->ip_id;
}

static uint8_t *put_lengths(uint8_t *at, const struct sl_flow_event *e) {
    const uint32_t lengths[] = {e->len, e->ip_len, e->payload_len};

    memcpy(at, lengths, LENGTHS);
    return at + LENGTHS;
}

uint8_t *sl_whole_pack(uint8_t *to, const struct sl_event_batch *b) {
    uint32_t number = 0;

    for (uint32_t i = 0; i < b->n; i++) {
        const struct sl_flow_event *e = &b->events[i];
        int is_long = (e->len | e->ip_len | e->payload_len) > UINT16_MAX;
        struct record r = {.hosts = e->hosts,
                           .ports = e->ports,
                           .seq = e->seq,
                           .ack = e->ack,
                           .window = e->window,
                           .len = low(e->len),
                           .ip_len = low(e->ip_len),
                           .payload_len = low(e->payload_len),
                           .kind =
                               low(e->kind | (uint32_t)e->bits << BITS_AT | (is_long ? LONG : 0u)),
                           .flags = low(e->tcp_flags | (e->number - number) << DISTANCE_AT)};
        uint8_t *at = to + sizeof r;
        number = e->number;
        if (e->kind & SL_KEY_V6 || e->bits & FRAGMENT)
            at = put_more(at, &r, e, &b->more[e->more]);
        memcpy(to, &r, sizeof r);
        to = is_long ? put_lengths(at, e) : at;
    }
    return to;
}

static int get(struct sl_cursor *from, void *to, size_t n) {
    if (!sl_has(from, n))
        return -1;
    memcpy(to, from->at, n);
    from->at += n;
    return 0;
}

static int get_v6(struct sl_cursor *from, struct sl_flow_event *e, struct sl_event_more *more,
                  const struct sl_hash_seed *seed) {
    struct sl_ports ports = {(uint16_t)(e->ports >> 16), (uint16_t)e->ports,
                             (e->kind & SL_KEY_ONE_WAY) != 0};

    memcpy(&more->src, &e->hosts, sizeof e->hosts);
    if (get(from, (char *)&more->src + sizeof e->hosts, V6_REST) < 0)
        return -1;
    e->kind &= SL_KEY_SAME;
    sl_event_set_key(e, more, ports, seed);
    return 0;
}

static int get_more(struct sl_cursor *from, struct sl_flow_event *e, struct sl_event_more *more,
                    const struct sl_hash_seed *seed) {
    int failed = e->kind & SL_KEY_V6 ? get_v6(from, e, more, seed)
                                     : get(from, &more->src, 2 * sizeof more->src);

    more->ip_id = 0;
    if (e->bits & FRAGMENT && get(from, &more->ip_id, sizeof more->ip_id) < 0)
        return -1;
    return failed;
}

static int get_lengths(struct sl_cursor *from, struct sl_flow_event *e) {
    uint32_t lengths[3];

    if (get(from, lengths, LENGTHS) < 0)
        return -1;
    e->len = lengths[0];
    e->ip_len = lengths[1];
    e->payload_len = lengths[2];
    return 0;
}

/* What stands in the record itself. */
static inline void take_record(struct sl_flow_event *e, const struct record *r) {
    e->hosts = r->hosts;
    e->ports = r->ports;
    e->kind = r->kind & (SL_KEY_SAME | SL_KEY_FROM_UPPER);
    e->tcp_flags = r->flags & ((1u << DISTANCE_AT) - 1);
    e->len = r->len;
    e->ip_len = r->ip_len;
    e->payload_len = r->payload_len;
    e->seq = r->seq;
    e->ack = r->ack;
    e->window = r->window;
    e->bits = (uint8_t)(r->kind >> BITS_AT & BITS_MAX);
    e->position = 0;
}

int sl_whole_unpack(struct sl_cursor *from, struct sl_event_batch *b, uint32_t n,
                    const struct sl_packet *packets, uint32_t n_packets,
                    const struct sl_hash_seed *seed) {
    uint32_t number = 0;

    for (b->n = b->n_more = 0; b->n < n; b->n++) {
        struct sl_flow_event *e = &b->events[b->n];
        struct record r;
        if (get(from, &r, sizeof r) < 0 || (number += r.flags >> DISTANCE_AT) >= n_packets)
            return -1;
        take_record(e, &r);
        e->number = number;
        e->more = b->n_more;
        e->ts_s = packets[number].ts.s;
        e->ts_nsec = packets[number].ts.nsec;
        if (e->kind & SL_KEY_V6 || e->bits & FRAGMENT) {
            if (get_more(from, e, &b->more[b->n_more++], seed) < 0)
                return -1;
        }
        if (!(e->kind & SL_KEY_V6))
            e->hash = sl_flow_hash(e->hosts, e->ports, e->kind, seed);
        if (__builtin_expect(r.kind & LONG, 0) && get_lengths(from, e) < 0)
            return -1;
    }
    return 0;
}
