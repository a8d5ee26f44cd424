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

/* What the layers below TCP and UDP tell. */
struct network {
    uint32_t at;       /* offset of the transport header */
    uint32_t captured; /* bytes of the IP packet from there, */
    uint32_t wire;     /* and as many as were on the wire */
    uint32_t ip_len;
    uint32_t proto;
};

uint64_t sl_express_protos(uint32_t kind) {
    return 1ull << SL_P_ETH | 1ull << (kind & KIND_UDP ? SL_P_UDP : SL_P_TCP) |
           1ull << (kind & KIND_V6 ? SL_P_IPV6 : SL_P_IP) |
           (kind & KIND_VLAN ? 1ull << SL_P_VLAN : 0);
}

static inline uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* Goes past an IP header of `header` bytes at `off`; 0: the packet is not what it announces. */
static inline int enter(struct network *n, const struct sl_packet *p, uint32_t off,
                        uint32_t header) {
    uint32_t captured = least(p->caplen - off, n->ip_len);
    uint32_t wire = least((p->len > p->caplen ? p->len : p->caplen) - off, n->ip_len);

    n->at = off + header;
    n->captured = captured - header;
    n->wire = wire - header;
    return captured >= header; /* and wire, which is not less */
}

/* The IP header at `off`; its fixed part is captured. */
static inline int ipv4(struct network *n, const struct sl_packet *p, struct sl_cursor c,
                       uint32_t off) {
    uint32_t version = sl_u8(&c, off), header = (version & 15) * 4;

    n->ip_len = sl_u16(&c, off + 2);
    n->proto = sl_u8(&c, off + 9);
    return version >> 4 == 4 && header >= IPV4 && !(sl_u16(&c, off + 6) & 0x3fff) &&
           enter(n, p, off, header);
}

static inline int ipv6(struct network *n, const struct sl_packet *p, struct sl_cursor c,
                       uint32_t off) {
    uint32_t length = sl_u16(&c, off + 4);

    n->ip_len = length + IPV6;
    n->proto = sl_u8(&c, off + 6);
    return sl_u8(&c, off) >> 4 == 6 && length && enter(n, p, off, IPV6);
}

static inline int tcp(struct sl_flow_event *e, const struct network *n, struct sl_cursor c) {
    if (n->captured < TCP)
        return 0;
    uint32_t bits = sl_u16(&c, n->at + 12), header = bits >> 12 << 2;
    e->seq = sl_u32(&c, n->at + 4);
    e->ack = sl_u32(&c, n->at + 8);
    e->tcp_flags = bits & 0x1ff;
    e->window = sl_u16(&c, n->at + 14);
    e->payload_len = n->wire - header;
    e->bits = SL_EVENT_TCP;
    return header >= TCP && header <= n->wire;
}

/* Of UDP those fields that are TCP's stay 0. */
static inline int udp(struct sl_flow_event *e, const struct network *n, struct sl_cursor c) {
    if (n->captured < UDP)
        return 0;
    uint32_t length = sl_u16(&c, n->at + 4); /* 0: a jumbogram, RFC 2675 */
    e->payload_len = (length ? least(length, n->wire) : n->wire) - UDP;
    return length >= UDP || !length;
}

static inline struct sl_addr address_v6(struct sl_cursor c, uint32_t at) {
    return (struct sl_addr){
        {sl_u32(&c, at), sl_u32(&c, at + 4), sl_u32(&c, at + 8), sl_u32(&c, at + 12)}};
}

static inline void set_key(struct sl_flow_event *e, struct sl_event_batch *b, struct sl_cursor c,
                           uint32_t off, const struct network *n, int v6,
                           const struct sl_hash_seed *seed) {
    struct sl_ports ports = {.sport = sl_u16(&c, n->at), .dport = sl_u16(&c, n->at + 2)};
    struct sl_flow_key k;

    if (v6) {
        struct sl_event_more *more = &b->more[b->n_more];
        more->src = address_v6(c, off + 8);
        more->dst = address_v6(c, off + 24);
        e->more = b->n_more++;
        uint32_t src = sl_host_v6(&more->src, seed), dst = sl_host_v6(&more->dst, seed);
        k = sl_flow_key_of(src, dst, ports, n->proto | SL_KEY_V6,
                           src == dst && memcmp(&more->src, &more->dst, sizeof more->src) > 0);
    } else {
        k = sl_flow_key_of(sl_u32(&c, off + 12), sl_u32(&c, off + 16), ports, n->proto, 0);
    }
    e->hosts = k.hosts;
    e->ports = k.ports;
    e->kind = k.kind;
    e->hash = sl_flow_hash(k.hosts, k.ports, k.kind, seed);
}

/* One set of protocols, each a function of its own in the end: what differs is decided once. */
static inline __attribute__((always_inline)) int
add(struct sl_event_batch *b, const struct sl_packet *p, uint32_t off, const struct network *n,
    const struct sl_hash_seed *seed, int v6, int is_tcp) {
    struct sl_cursor c = {p->data, p->data + p->caplen};
    struct sl_flow_event e = {.ts_s = p->ts.s,
                              .ts_nsec = p->ts.nsec,
                              .len = p->len,
                              .ip_len = n->ip_len,
                              .number = (uint32_t)(p->number64 - b->base)};

    if (is_tcp ? !tcp(&e, n, c) : !udp(&e, n, c))
        return -1;
    set_key(&e, b, c, off, n, v6, seed);
    b->events[b->n++] = e;
    return (is_tcp ? 0 : KIND_UDP) | (v6 ? KIND_V6 : 0) | (off > ETHERNET ? KIND_VLAN : 0);
}

int sl_event_express(struct sl_event_batch *b, const struct sl_packet *p,
                     const struct sl_hash_seed *seed) {
    struct sl_cursor c = {p->data, p->data + p->caplen};
    uint32_t off = ETHERNET;
    struct network n;

    if (p->caplen < ETHERNET + TAG + IPV4)
        return -1;
    uint32_t type = sl_u16(&c, 12);
    if (type == TYPE_VLAN) {
        type = sl_u16(&c, 16);
        off += TAG;
    }
    if (type == TYPE_IPV4 && ipv4(&n, p, c, off))
        return n.proto == SL_PROTO_TCP   ? add(b, p, off, &n, seed, 0, 1)
               : n.proto == SL_PROTO_UDP ? add(b, p, off, &n, seed, 0, 0)
                                         : -1;
    if (type == TYPE_IPV6 && p->caplen - off >= IPV6 && ipv6(&n, p, c, off))
        return n.proto == SL_PROTO_TCP   ? add(b, p, off, &n, seed, 1, 1)
               : n.proto == SL_PROTO_UDP ? add(b, p, off, &n, seed, 1, 0)
                                         : -1;
    return -1;
}
