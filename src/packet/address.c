/* Addresses to text and back (abi.h). */
#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *put_octet(char *to, uint32_t v) {
    if (v >= 100)
        *to++ = (char)('0' + v / 100);
    if (v >= 10)
        *to++ = (char)('0' + v / 10 % 10);
    *to++ = (char)('0' + v % 10);
    return to;
}

int sl_addr_text(const struct sl_addr *a, char text[46]) {
    char *to = text;

    if (sl_addr_is_ipv4(a)) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            to = put_octet(to, a->w[3] >> shift & 0xff);
            *to++ = shift ? '.' : '\0';
        }
        return (int)(to - text) - 1;
    }
    uint32_t wire[4];
    for (int i = 0; i < 4; i++)
        wire[i] = htonl(a->w[i]);
    inet_ntop(AF_INET6, wire, text, SL_ADDR_TEXT);
    return (int)strlen(text);
}

int sl_addr_parse(const char *text, struct sl_addr *a, int *bits) {
    char host[SL_ADDR_TEXT + 1];
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);
    uint32_t wire[4] = {0, 0, htonl(0xffff), 0};

    if (n >= sizeof host)
        return -1;
    memcpy(host, text, n);
    host[n] = '\0';
    int most = inet_pton(AF_INET, host, &wire[3]) == 1 ? 32
               : inet_pton(AF_INET6, host, wire) == 1  ? 128
                                                       : 0;
    if (!most)
        return -1;
    *bits = 128;
    if (slash) {
        char *end;
        long prefix = strtol(slash + 1, &end, 10);
        if (end == slash + 1 || *end || prefix < 0 || prefix > most)
            return -1;
        *bits = (int)prefix + 128 - most;
    }
    for (int i = 0; i < 4; i++)
        a->w[i] = ntohl(wire[i]);
    return 0;
}
