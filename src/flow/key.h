/* The key of a packet's flow, and its hash. */
#ifndef SL_FLOW_KEY_H
#define SL_FLOW_KEY_H

#include "../types.h"

struct sl_flow_key {
    struct sl_addr src, dst;
    uint16_t sport, dport;
    uint8_t proto, ip_version;
    uint8_t one_way; /* the answer, if any, is no packet of this flow (most ICMP types) */
    uint32_t hash;
};

enum sl_key_match { SL_KEY_OTHER = -1, SL_KEY_FORWARD = 0, SL_KEY_REVERSE = 1 };

/* Random numbers, one pair a table, so that nobody can make a capture whose flows all collide. */
struct sl_hash_seed {
    uint64_t a, b;
};

/* Ports, or type and code, of a packet that has them, with the hash. The packet must be IP. */
void sl_flow_key_of(struct sl_flow_key *, const struct sl_packet *, uint16_t sport, uint16_t dport,
                    const struct sl_hash_seed *);

/* Zeek's pairing of ICMP types: the port numbers of an ICMP or ICMPv6 packet. Returns one_way. */
int sl_icmp_ports(const struct sl_packet *, uint16_t *sport, uint16_t *dport);

static inline uint64_t sl_mix(uint64_t a, uint64_t b) {
    unsigned __int128 m = (unsigned __int128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

#endif
