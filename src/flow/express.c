/* The express lane from bytes to events (event.h). It must say of each packet that it takes what
 * decode says: tests/fuzz/fuzz_decode.c holds the two together. */
#include "event.h"

#include "../packet/cursor.h"
#include "table.h"

#include <string.h>

enum {
    ETHERNET = 14,
    TAG = 4,
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    TYPE_VLAN = 0x8100,
    IPV4 = 20,
    IPV6 = 40,
    TCP = 20,
    UDP = 8
};
enum { KIND_UDP = 1, KIND_V6 = 2, KIND_VLAN = 4 };

#define INLINE static inline __attribute__((always_inline))

/* What the layers below TCP and UDP tell. */
struct network {
    struct sl_cursor ip;        /* from the IP header to the end of what is captured */
    struct sl_cursor transport; /* from the transport header to the end of the IP packet, as far */
    uint32_t wire;              /* bytes of that on the wire */
    uint32_t ip_len;
};

uint64_t sl_express_protos(uint32_t kind) {
    return 1ull << SL_P_ETH | 1ull << (kind & KIND_UDP ? SL_P_UDP : SL_P_TCP) |
           1ull << (kind & KIND_V6 ? SL_P_IPV6 : SL_P_IP) |
           (kind & KIND_VLAN ? 1ull << SL_P_VLAN : 0);
}

INLINE uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* Goes past an IP header of `header` bytes; 0: the packet is not what it announces. */
INLINE int enter(struct network *n, const struct sl_packet *p, uint32_t header, uint32_t ip_len) {
    uint32_t below = (uint32_t)(n->ip.at - p->data);
    uint32_t captured = least(p->caplen - below, ip_len);
    uint32_t wire = least((p->len > p->caplen ? p->len : p->caplen) - below, ip_len);

    n->transport = (struct sl_cursor){n->ip.at + header, n->ip.at + captured};
    n->wire = wire - header;
    n->ip_len = ip_len;
    return captured >= header; /* and wire, which is not less */
}

/* The IP header; its fixed part is captured. */
INLINE int ipv4(struct network *n, const struct sl_packet *p) {
    uint32_t version = sl_u8(&n->ip, 0), header = (version & 15) * 4;

    return version >> 4 == 4 && header >= IPV4 && !(sl_u16(&n->ip, 6) & 0x3fff) &&
           enter(n, p, header, sl_u16(&n->ip, 2));
}

INLINE int ipv6(struct network *n, const struct sl_packet *p) {
    uint32_t length = sl_u16(&n->ip, 4);

    return sl_u8(&n->ip, 0) >> 4 == 6 && length && enter(n, p, IPV6, length + IPV6);
}

INLINE int tcp(struct sl_flow_event *e, const struct network *n) {
    if (!sl_has(&n->transport, TCP))
        return 0;
    uint32_t rest = sl_u32(&n->transport, 12), header = rest >> 28 << 2;
    uint64_t numbers = sl_u64(&n->transport, 4);

    e->seq = (uint32_t)(numbers >> 32);
    e->ack = (uint32_t)numbers;
    e->tcp_flags = rest >> 16 & 0x1ff;
    e->window = (uint16_t)rest;
    e->payload_len = n->wire - header;
    e->bits = SL_EVENT_TCP;
    return header >= TCP && header <= n->wire;
}

/* Of UDP those fields that are TCP's stay 0. */
INLINE int udp(struct sl_flow_event *e, const struct network *n) {
    if (!sl_has(&n->transport, UDP))
        return 0;
    uint32_t length = sl_u16(&n->transport, 4); /* 0: a jumbogram, RFC 2675 */
    e->payload_len = (length ? least(length, n->wire) : n->wire) - UDP;
    return length >= UDP || !length;
}

INLINE struct sl_addr address_v6(const struct sl_cursor *c, uint32_t at) {
    return (struct sl_addr){
        {sl_u32(c, at), sl_u32(c, at + 4), sl_u32(c, at + 8), sl_u32(c, at + 12)}};
}

INLINE void set_key(struct sl_flow_event *e, struct sl_event_batch *b, const struct network *n,
                    int v6, uint32_t proto, const struct sl_hash_seed *seed) {
    uint32_t both = sl_u32(&n->transport, 0);
    struct sl_ports ports = {.sport = (uint16_t)(both >> 16), .dport = (uint16_t)both};
    struct sl_flow_key k;

    if (v6) {
        struct sl_event_more *more = &b->more[b->n_more];
        more->src = address_v6(&n->ip, 8);
        more->dst = address_v6(&n->ip, 24);
        e->more = b->n_more++;
        uint64_t src = sl_host_v6(&more->src, seed), dst = sl_host_v6(&more->dst, seed);
        k = sl_flow_key_of(src << 32 | dst, ports, proto | SL_KEY_V6,
                           src == dst && memcmp(&more->src, &more->dst, sizeof more->src) > 0);
    } else {
        k = sl_flow_key_of(sl_u64(&n->ip, 12), ports, proto, 0);
    }
    e->hosts = k.hosts;
    e->ports = k.ports;
    e->kind = k.kind;
    e->hash = sl_flow_hash(k.hosts, k.ports, k.kind, seed);
}

/* One set of protocols, each with code of its own in the end: what differs is decided once. The
 * event is made in place, so that no copy of it waits for its small stores. */
INLINE int add(struct sl_event_batch *b, const struct sl_packet *p, const struct network *n,
               const struct sl_hash_seed *seed, int v6, uint32_t proto) {
    struct sl_flow_event *e = &b->events[b->n];

    *e = (struct sl_flow_event){.ts_s = p->ts.s,
                                .ts_nsec = p->ts.nsec,
                                .len = p->len,
                                .ip_len = n->ip_len,
                                .number = (uint32_t)(p->number64 - b->base)};
    if (proto == SL_PROTO_TCP ? !tcp(e, n) : !udp(e, n))
        return -1;
    set_key(e, b, n, v6, proto, seed);
    b->n++;
    return (proto == SL_PROTO_TCP ? 0 : KIND_UDP) | (v6 ? KIND_V6 : 0);
}

INLINE int add_ip(struct sl_event_batch *b, const struct sl_packet *p, const struct network *n,
                  const struct sl_hash_seed *seed, int v6, uint32_t proto) {
    return proto == SL_PROTO_TCP   ? add(b, p, n, seed, v6, SL_PROTO_TCP)
           : proto == SL_PROTO_UDP ? add(b, p, n, seed, v6, SL_PROTO_UDP)
                                   : -1;
}

int sl_event_express(struct sl_event_batch *b, const struct sl_packet *p,
                     const struct sl_hash_seed *seed) {
    struct sl_cursor c = {p->data, p->data + p->caplen};
    struct network n;

    if (p->caplen < ETHERNET + TAG + IPV4)
        return -1;
    uint32_t type = sl_u16(&c, 12), tagged = type == TYPE_VLAN;
    if (tagged)
        type = sl_u16(&c, 16);
    n.ip = (struct sl_cursor){c.at + ETHERNET + (tagged ? TAG : 0), c.end};
    int kind = -1;
    if (type == TYPE_IPV4 && ipv4(&n, p))
        kind = add_ip(b, p, &n, seed, 0, sl_u8(&n.ip, 9));
    else if (type == TYPE_IPV6 && sl_has(&n.ip, IPV6) && ipv6(&n, p))
        kind = add_ip(b, p, &n, seed, 1, sl_u8(&n.ip, 6));
    return kind < 0 || !tagged ? kind : kind | KIND_VLAN;
}
