/* The key of a packet's flow, and its hash. */
#ifndef SL_FLOW_KEY_H
#define SL_FLOW_KEY_H

#include "../types.h"

/* What beside the packet's own addresses and protocol makes the key. */
struct sl_flow_key {
    uint32_t hash;
    uint16_t sport, dport;
    uint8_t one_way; /* the answer, if any, is no packet of this flow (most ICMP types) */
};

/* Random numbers, one pair a table, so that nobody can make a capture whose flows all collide. */
struct sl_hash_seed {
    uint64_t a, b;
};

/* The same for both directions. The packet must be IP; ports, or type and code, are the key's. */
uint32_t sl_flow_hash(const struct sl_packet *, const struct sl_flow_key *,
                      const struct sl_hash_seed *);

/* Zeek's pairing of ICMP types: the port numbers of an ICMP or ICMPv6 packet. Returns one_way. */
int sl_icmp_ports(const struct sl_packet *, uint16_t *sport, uint16_t *dport);

static inline uint64_t sl_mix(uint64_t a, uint64_t b) {
    unsigned __int128 m = (unsigned __int128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

#endif
