#include "key.h"

enum { ICMP = 1, ICMPV6 = 58 };

/* Types that come in pairs, as icmp4_counterpart and icmp6_counterpart of Zeek's ICMP.cc. */
static int counterpart(int v6, unsigned type) {
    static const uint8_t v4_pairs[][2] = {{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18}};
    static const uint8_t v6_pairs[][2] = {{128, 129}, {133, 134}, {135, 136},
                                          {130, 131}, {139, 140}, {144, 145}};
    const uint8_t(*pairs)[2] = v6 ? v6_pairs : v4_pairs;
    size_t n = v6 ? sizeof v6_pairs / 2 : sizeof v4_pairs / 2;

    for (size_t i = 0; i < n; i++) {
        if (pairs[i][0] == type)
            return pairs[i][1];
        if (pairs[i][1] == type)
            return pairs[i][0];
    }
    return -1;
}

struct sl_ports sl_icmp_ports(const struct sl_packet *p) {
    int other = counterpart(p->proto == ICMPV6, p->icmp_type);

    return (struct sl_ports){.sport = p->icmp_type,
                             .dport = other < 0 ? p->icmp_code : (uint16_t)other,
                             .one_way = other < 0};
}
