#include "gen_frame.h"

#include <string.h>

#define ETHERNET 14u
#define FIN      1
#define SYN      2
#define RST      4
#define PSH      8
#define ACK      16

#define FRAME_MIN 60
#define PROTO_TCP 6
#define PROTO_UDP 17

struct step {
    int side; /* 0: the client sends */
    int flags;
    bool data;
};

static uint8_t *put16(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t value) {
    return put16(put16(at, value >> 16), value);
}

/* What packet number `sent` of a TCP flow is. Complete flows open with a handshake and a request,
 * go on with two data packets of the server for each acknowledgement, and close from both sides. */
static struct step tcp_step(const struct gen_flow *flow) {
    uint64_t left = flow->total - flow->sent;
    bool complete = flow->total >= 7;
    bool resets = flow->id % 32 == 0;
    if (flow->sent == 0) {
        return (struct step){0, SYN, false};
    }
    if (flow->sent == 1) {
        return (struct step){1, SYN | ACK, false};
    }
    if (flow->sent == 2) {
        return (struct step){0, ACK, false};
    }
    if (flow->sent == 3) {
        return (struct step){0, PSH | ACK, true};
    }
    if (complete && left == 3 && !resets) {
        return (struct step){1, FIN | ACK, false};
    }
    if (complete && left == 2 && !resets) {
        return (struct step){0, FIN | ACK, false};
    }
    if (complete && left == 1) {
        return resets ? (struct step){0, RST | ACK, false} : (struct step){1, ACK, false};
    }
    if (flow->sent % 3 == 0) {
        return (struct step){0, ACK, false};
    }
    return (struct step){1, PSH | ACK, true};
}

/* Bytes of payload under `headers` bytes of Ethernet, IP and transport. */
static uint32_t payload_size(enum gen_size_mix mix, uint32_t random, uint32_t headers) {
    static const uint16_t imix[12] = {64, 64, 64, 64, 64, 64, 64, 576, 576, 576, 576, 1500};
    uint32_t wire = GEN_FRAME_MAX;
    if (mix == GEN_SMALL) {
        return 1 + random % 64;
    }
    if (mix == GEN_IMIX) {
        wire = imix[random % 12] + ETHERNET;
    }
    return wire > headers ? wire - headers : 1;
}

static uint32_t ipv4_checksum(const uint8_t *header) {
    uint32_t sum = 0;
    for (int i = 0; i < 20; i += 2) {
        sum += (uint32_t)header[i] << 8 | header[i + 1];
    }
    sum = (sum & 0xFFFF) + (sum >> 16);
    return 0xFFFF & ~(sum + (sum >> 16));
}

static void put_address(uint8_t *at, const struct gen_flow *flow, int side) {
    uint32_t host = side ? flow->server : flow->client;
    if (flow->v6) {
        put32(at, UINT32_C(0x20010002));
        put32(put32(put32(at + 4, side ? 2 : 1), 0), host + 1);
    } else {
        put32(at, (side ? UINT32_C(0xC6120000) : UINT32_C(0x0A000000)) | host);
    }
}

/* Ethernet and IP; returns where the transport header goes. */
static uint8_t *put_network(uint8_t *frame, const struct gen_flow *flow, int side, int protocol,
                            uint32_t length) {
    static const uint8_t macs[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};
    memcpy(frame, macs[!side], 6);
    memcpy(frame + 6, macs[side], 6);
    put16(frame + 12, flow->v6 ? 0x86DD : 0x0800);
    uint8_t *ip = frame + ETHERNET;
    uint32_t ttl = side ? 53 : 64;
    if (flow->v6) {
        put32(ip, UINT32_C(0x60000000));
        put16(put16(ip + 4, length), (uint32_t)protocol << 8 | ttl);
        put_address(ip + 8, flow, side);
        put_address(ip + 24, flow, !side);
        return ip + 40;
    }
    put16(put16(ip, 0x4500), length + 20);
    put16(put16(ip + 4, (uint32_t)flow->sent & 0xFFFF), 0x4000);
    put32(ip + 8, ttl << 24 | (uint32_t)protocol << 16);
    put_address(ip + 12, flow, side);
    put_address(ip + 16, flow, !side);
    put16(ip + 10, ipv4_checksum(ip));
    return ip + 20;
}

/* SYNs carry MSS, SACK permitted and window scale; the rest time stamps. */
static uint32_t put_tcp(uint8_t *at, struct gen_flow *flow, struct step step, uint32_t payload) {
    static const uint8_t syn_options[12] = {2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7};
    put16(put16(at, step.side ? flow->dport : flow->sport), step.side ? flow->sport : flow->dport);
    put32(at + 4, flow->seq[step.side]);
    put32(at + 8, step.flags & ACK ? flow->seq[!step.side] : 0);
    put32(at + 12, UINT32_C(0x80000000) | (uint32_t)step.flags << 16 | 502);
    put32(at + 16, 0);
    if (step.flags & SYN) {
        memcpy(at + 20, syn_options, sizeof syn_options);
    } else {
        put32(at + 20, UINT32_C(0x0101080a));
        put32(put32(at + 24, flow->id + (uint32_t)flow->sent), flow->id);
    }
    flow->seq[step.side] += payload + (step.flags & (SYN | FIN) ? 1 : 0);
    return 32;
}

static uint32_t put_udp(uint8_t *at, const struct gen_flow *flow, int side, uint32_t payload) {
    put16(put16(at, side ? flow->dport : flow->sport), side ? flow->sport : flow->dport);
    put16(put16(at + 4, 8 + payload), 0);
    return 8;
}

uint32_t gen_frame(struct gen_flow *flow, enum gen_size_mix mix, uint64_t random, uint32_t limit,
                   uint8_t *frame) {
    bool udp = flow->kind == GEN_UDP;
    struct step step = udp ? (struct step){(int)(flow->sent & 1), 0, true} : tcp_step(flow);
    uint32_t headers = ETHERNET + (flow->v6 ? 40u : 20u) + (udp ? 8u : 32u);
    uint32_t payload = step.data ? payload_size(mix, (uint32_t)(random >> 32), headers) : 0;
    uint32_t network = udp ? 8 : 32;
    uint8_t *transport =
        put_network(frame, flow, step.side, udp ? PROTO_UDP : PROTO_TCP, network + payload);
    if (udp) {
        put_udp(transport, flow, step.side, payload);
    } else {
        put_tcp(transport, flow, step, payload);
    }
    uint32_t length = headers + payload;
    length = length > FRAME_MIN ? length : FRAME_MIN;
    uint32_t kept = length < limit ? length : limit;
    if (kept > headers) {
        uint32_t filled = kept < headers + payload ? kept - headers : payload;
        memset(frame + headers, (int)(random & 0xFF), filled);
        memset(frame + headers + filled, 0, kept - headers - filled);
    }
    return length;
}
