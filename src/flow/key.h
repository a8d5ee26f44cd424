/* The key of a packet's flow, and its hash.
 *
 * Both directions have one key: its ends stand in the order of their numbers, and one bit says
 * which way the packet went. So a comparison tells flow and direction without a guess that the
 * processor gets wrong every other time.
 */
#ifndef SL_FLOW_KEY_H
#define SL_FLOW_KEY_H

#include "../types.h"

/* sl_flow_key.kind */
enum {
    SL_KEY_V6 = 1,
    SL_KEY_ONE_WAY = 2, /* the answer, if any, is no packet of this flow (most ICMP types) */
    SL_KEY_SAME = SL_KEY_V6 | SL_KEY_ONE_WAY, /* what packets of one flow have in common */
    SL_KEY_FROM_UPPER = 4 /* the sender (of a flow: the originator) is the upper end */
};

struct sl_flow_key {
    uint64_t hosts; /* lower end << 32 | upper end: IPv4 addresses, keyed hashes of IPv6 ones */
    uint32_t ports; /* lower end << 16 | upper end */
    uint32_t hash;
    uint8_t proto, kind;
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

/* The packet must be IP. */
void sl_flow_key_of(const struct sl_packet *, struct sl_ports, const struct sl_hash_seed *,
                    struct sl_flow_key *);

/* Zeek's pairing of ICMP types: the port numbers of an ICMP or ICMPv6 packet. */
struct sl_ports sl_icmp_ports(const struct sl_packet *);

static inline uint64_t sl_mix(uint64_t a, uint64_t b) {
    unsigned __int128 m = (unsigned __int128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* The hash of a key's other fields: a flow need not keep it. */
static inline uint32_t sl_flow_hash(uint64_t hosts, uint32_t ports, uint8_t proto, uint8_t kind,
                                    const struct sl_hash_seed *s) {
    uint64_t rest = (uint64_t)ports << 32 | (uint64_t)proto << 8 | (kind & SL_KEY_SAME);
    uint64_t h = sl_mix(hosts ^ s->a, rest ^ s->b);

    return (uint32_t)(h ^ h >> 32);
}

#endif
