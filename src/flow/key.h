/* The key of a packet's flow, and its hash.
 *
 * Both directions have one key: its ends stand in the order of their numbers, and one bit says
 * which way the packet went. So a comparison tells flow and direction without a guess that the
 * processor gets wrong every other time.
 */
#ifndef SL_FLOW_KEY_H
#define SL_FLOW_KEY_H

#include "../types.h"

/* sl_flow_key.kind: the IP protocol, and above it */
enum {
    SL_KEY_V6 = 0x100,
    SL_KEY_ONE_WAY = 0x200,    /* the answer, if any, is no packet of this flow (most ICMP types) */
    SL_KEY_FROM_UPPER = 0x400, /* the sender (of a flow: the originator) is the upper end */
    SL_KEY_SAME = 0x3ff        /* what all packets of a flow have in common */
};

struct sl_flow_key {
    uint64_t hosts; /* lower end << 32 | upper end: IPv4 addresses, keyed hashes of IPv6 ones */
    uint32_t ports; /* lower end << 16 | upper end */
    uint32_t hash;
    struct sl_packet *packet; /* whose key it is; borrowed */
    uint16_t position;        /* where it stands in the selection */
    uint16_t kind;
};

/* The ports of a packet; of ICMP type and code. */
struct sl_ports {
    uint16_t sport, dport;
    uint8_t one_way;
};

/* Random numbers, one pair a table, so that nobody can make a capture whose flows all collide. */
struct sl_hash_seed {
    uint64_t a, b;
};

/* Zeek's pairing of ICMP types: the port numbers of an ICMP or ICMPv6 packet. */
struct sl_ports sl_icmp_ports(const struct sl_packet *);

/* An IPv6 address as a number of 32 bits. Two may share one: who finds a flow by it compares. */
uint32_t sl_host_v6(const struct sl_addr *, const struct sl_hash_seed *);

static inline uint64_t sl_mix(uint64_t a, uint64_t b) {
    unsigned __int128 m = (unsigned __int128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* The hash of a key's other fields: a flow need not keep it. */
static inline uint32_t sl_flow_hash(uint64_t hosts, uint32_t ports, uint16_t kind,
                                    const struct sl_hash_seed *s) {
    uint64_t rest = (uint64_t)ports << 16 | (kind & SL_KEY_SAME);
    uint64_t h = sl_mix(hosts ^ s->a, rest ^ s->b);

    return (uint32_t)(h ^ h >> 32);
}

/* Fills in all but position. The packet must be IP. */
static inline void sl_flow_key_of(struct sl_packet *p, struct sl_ports ports,
                                  const struct sl_hash_seed *seed, struct sl_flow_key *k) {
    int v6 = p->ip_version == 6;
    uint64_t src = v6 ? sl_host_v6(&p->src, seed) : p->src.w[3];
    uint64_t dst = v6 ? sl_host_v6(&p->dst, seed) : p->dst.w[3];
    uint64_t from = src << 16 | ports.sport, to = dst << 16 | ports.dport;
    int swapped = from > to;

    if (from == to) /* or so it seems: two IPv6 addresses with one number */
        swapped = __builtin_memcmp(&p->src, &p->dst, sizeof p->src) > 0;
    swapped &= !ports.one_way;
    uint64_t lower = swapped ? to : from, upper = swapped ? from : to;
    k->hosts = lower >> 16 << 32 | upper >> 16;
    k->ports = (uint32_t)(lower << 16 | (upper & 0xffff));
    k->kind = (uint16_t)(p->proto | v6 * SL_KEY_V6 | ports.one_way * SL_KEY_ONE_WAY |
                         swapped * SL_KEY_FROM_UPPER);
    k->hash = sl_flow_hash(k->hosts, k->ports, k->kind, seed);
    k->packet = p;
}

#endif
