/* Zeek's lists, as its scripts have them in version 8: which ports are servers', which addresses
 * local. Taken from what base/protocols and base/packet-protocols register, and from
 * base/utils/site.zeek. */
#include "zeek.h"

#include <stdlib.h>

enum { TCP = 6, UDP = 17 };

/* In ascending order. */
static const uint16_t tcp_ports[] = {
    21,   22,   25,   53,   79,   80,   81,   88,   135,  139,   143,  389,  443,
    445,  465,  502,  514,  563,  585,  587,  614,  631,  636,   989,  990,  992,
    993,  995,  1080, 1434, 1883, 2811, 3128, 3268, 3306, 3389,  5222, 5223, 5269,
    5432, 6379, 6666, 6667, 6668, 6669, 8000, 8080, 8888, 20000,
};
static const uint16_t udp_ports[] = {
    53,   67,   88,   123,  137,  161,  162,  389,  443,  514,  1812, 2123,
    2152, 3389, 3544, 4011, 4754, 4789, 5060, 5072, 5353, 5355, 6081, 20000,
};

static int by_number(const void *a, const void *b) {
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

int sl_zeek_is_server_port(uint32_t proto, uint32_t port) {
    uint16_t key = (uint16_t)port;
    const uint16_t *list = proto == TCP ? tcp_ports : udp_ports;
    size_t n = proto == TCP ? sizeof tcp_ports / sizeof *list : sizeof udp_ports / sizeof *list;

    return (proto == TCP || proto == UDP) && bsearch(&key, list, n, sizeof *list, by_number);
}

struct block {
    uint32_t prefix[4];
    int bits;
};

#define V4(a, b, c, n)                                                                             \
    { {0, 0, 0xffff, (a##u << 24) | (b << 16) | (c << 8)}, 96 + n }
/* The same as a 6to4 address (RFC 3056). */
#define AS_6TO4(a, b, c, n)                                                                        \
    { {0x20020000 | (a##u << 8) | b, (uint32_t)(c) << 24, 0, 0}, 16 + n }
#define BOTH(a, b, c, n) V4(a, b, c, n), AS_6TO4(a, b, c, n)

static const struct block local[] = {
    BOTH(0, 0, 0, 8),
    BOTH(10, 0, 0, 8),
    BOTH(100, 64, 0, 10),
    BOTH(127, 0, 0, 8),
    BOTH(169, 254, 0, 16),
    BOTH(172, 16, 0, 12),
    BOTH(192, 0, 0, 24),
    BOTH(192, 0, 2, 24),
    BOTH(192, 168, 0, 16),
    BOTH(198, 18, 0, 15),
    BOTH(198, 51, 100, 24),
    BOTH(203, 0, 113, 24),
    BOTH(224, 0, 0, 24),
    BOTH(239, 0, 0, 8),
    BOTH(240, 0, 0, 4), /* 255.255.255.255, too */
    {{0, 0, 0, 0}, 128},
    {{0, 0, 0, 1}, 128},
    {{0x0064ff9b, 0x00010000, 0, 0}, 48},
    {{0x01000000, 0, 0, 0}, 64},
    {{0x20010000, 0, 0, 0}, 23},
    {{0x20010db8, 0, 0, 0}, 32},
    {{0xfc000000, 0, 0, 0}, 7},
    {{0xfe800000, 0, 0, 0}, 10},
    {{0xfec00000, 0, 0, 0}, 10},
};

static int within(const struct sl_addr *a, const struct block *b) {
    for (int i = 0, left = b->bits; left > 0; i++, left -= 32) {
        uint32_t mask = left >= 32 ? UINT32_MAX : ~(UINT32_MAX >> left);
        if ((a->w[i] ^ b->prefix[i]) & mask)
            return 0;
    }
    return 1;
}

int sl_zeek_is_local(const struct sl_addr *a) {
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        if (within(a, &local[i]))
            return 1;
    return 0;
}
