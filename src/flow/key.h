/* The key of a packet's flow, and its hash.
 *
 * Both directions have one key: its ends stand in the order of their numbers, and one bit says
 * which way the packet went. So a comparison tells flow and direction without a guess that the
 * processor gets wrong every other time.
 */
#ifndef SL_FLOW_KEY_H
#define SL_FLOW_KEY_H

#include "../types.h"

/* kind: the IP protocol, and above it */
enum {
    SL_KEY_V6 = 0x100,
    SL_KEY_ONE_WAY = 0x200,    /* the answer, if any, is no packet of this flow (most ICMP types) */
    SL_KEY_FROM_UPPER = 0x400, /* the sender (of a flow: the originator) is the upper end */
    SL_KEY_SAME = 0x3ff,       /* what all packets of a flow have in common */
    SL_KEY_PROTO = 0xff
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

static inline uint64_t sl_mix(uint64_t a, uint64_t b) {
    unsigned __int128 m = (unsigned __int128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* An IPv6 address as a number of 32 bits. Two may share one: who finds a flow by it compares. */
static inline uint32_t sl_host_v6(const struct sl_addr *a, const struct sl_hash_seed *s) {
    uint64_t w[2];

    __builtin_memcpy(w, a, sizeof w);
    return (uint32_t)(sl_mix(w[0] ^ s->a, w[1] ^ s->b) >> 16);
}

/* The hash of a key's other fields: a flow need not keep it. */
static inline uint32_t sl_flow_hash(uint64_t hosts, uint32_t ports, uint16_t kind,
                                    const struct sl_hash_seed *s) {
    uint64_t rest = (uint64_t)ports << 16 | (kind & SL_KEY_SAME);
    uint64_t h = sl_mix(hosts ^ s->a, rest ^ s->b);

    return (uint32_t)(h ^ h >> 32);
}

/* A key: both ends and what the packets between them are. */
struct sl_flow_key {
    uint64_t hosts; /* lower end << 32 | upper end: IPv4 addresses, keyed hashes of IPv6 ones */
    uint32_t ports; /* lower end << 16 | upper end */
    uint16_t kind;
};

/* hosts: src << 32 | dst, sl_host_v6 or IPv4 addresses as numbers. where_equal tells the order of
 * ends that look the same: two IPv6 addresses may share a number. No jump: which end is the lower
 * one cannot be foretold. */
static inline __attribute__((always_inline)) struct sl_flow_key
sl_flow_key_of(uint64_t hosts, struct sl_ports p, unsigned kind, int where_equal) {
    uint32_t ports = (uint32_t)p.sport << 16 | p.dport, back = ports << 16 | ports >> 16;
    uint64_t hosts_back = hosts << 32 | hosts >> 32;
    int later = ports == back ? where_equal : ports > back;
    unsigned swapped =
        (unsigned)((hosts > hosts_back) | ((hosts == hosts_back) & later)) & (p.one_way ^ 1u);

    return (struct sl_flow_key){.hosts = hosts ^ ((hosts ^ hosts_back) & (0 - (uint64_t)swapped)),
                                .ports = ports ^ ((ports ^ back) & (0 - (uint32_t)swapped)),
                                .kind = (uint16_t)(kind | p.one_way * (unsigned)SL_KEY_ONE_WAY |
                                                   swapped * (unsigned)SL_KEY_FROM_UPPER)};
}

#endif
