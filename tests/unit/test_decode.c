/* Every link type and every tunnel: whole, the packet inside is found; cut at every length, nothing
 * is read behind the cut (run under ASan), no field points there, and a tunnel is either entered
 * whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/packet/decode.h"

/* Packets to be found: TCP from port 1000 to 443, over IPv4 (192.0.2.1 to 198.51.100.2) and IPv6.
 */
#define TCP        "\x03\xe8\x01\xbb\0\0\0\1\0\0\0\2\x50\x10\xff\xff\0\0\0\0"
#define IP4        "\x45\0\0\x28\0\1\0\0\x40\x06\0\0\xc0\0\2\1\xc6\x33\x64\2" TCP
#define ADDRESSES6 "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"
#define IP6        "\x60\0\0\0\0\x14\x06\x40" ADDRESSES6 TCP

#define MACS  "\2\0\0\0\0\1\2\0\0\0\0\2"
#define ETH4  MACS "\x08\0"
#define ETH6  MACS "\x86\xdd"
#define SNAP4 "\xaa\xaa\3\0\0\0\x08\0"
#define FRAME ETH4 IP4 /* Ethernet to be found in a tunnel */

/* Outer headers; lengths of 0 stand for the rest of the frame. */
#define OUTER(proto)    ETH4 "\x45\0\0\0\0\1\0\0\x40" proto "\0\0\x0a\0\0\1\x0a\0\0\2"
#define OUTER6(proto)   ETH6 "\x60\0\0\0\0\0" proto "\x40" ADDRESSES6
#define UDP(dport)      OUTER("\x11") "\x1f\x90" dport "\0\0\0\0"
#define UDP_FROM(sport) OUTER("\x11") sport "\x1f\x90\0\0\0\0"

#define WLAN(control)  control "\0\0" MACS "\2\0\0\0\0\3\x10\0"
#define WLAN4(control) control "\0\0" MACS "\2\0\0\0\0\3\x10\0\2\0\0\0\0\4"
#define TEN            "\0\0\0\0\0\0\0\0\0\0"
#define EIGHT          "\0\0\0\0\0\0\0\0"
#define PRISM                                                                                      \
    "\0\0\0\x41\x90\0\0\0" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "\0\0\0\0\0\0"
#define PKTAP(type)                                                                                \
    "\x6c\0\0\0\1\0\0\0" type "\0\0\0" TEN TEN TEN TEN TEN TEN TEN TEN TEN "\0\0\0\0\0\0"
#define BIT(proto) ((uint64_t)1 << SL_P_##proto)

struct frame {
    const char *name;
    uint32_t link_type;
    uint64_t protos; /* that must have been met */
    const char *bytes;
    size_t size;
};

#define F(name, link, protos, bytes)                                                               \
    { name, link, protos, bytes, sizeof(bytes) - 1 }

static const struct frame links[] = {
    F("ethernet", 1, BIT(ETH) | BIT(IP), ETH4 IP4),
    F("ethernet ipv6", 1, BIT(ETH) | BIT(IPV6), ETH6 IP6),
    F("802.1Q", 1, BIT(VLAN), MACS "\x81\0\0\7\x08\0" IP4),
    F("802.1ad", 1, BIT(QINQ) | BIT(VLAN), MACS "\x88\xa8\0\7\x81\0\0\x8\x08\0" IP4),
    F("QinQ before 802.1ad", 1, BIT(VLAN), MACS "\x91\0\0\7\x81\0\0\x8\x08\0" IP4),
    F("802.3 LLC/SNAP", 1, BIT(LLC) | BIT(SNAP), MACS "\0\x30" SNAP4 IP4),
    F("mpls in ethernet", 1, BIT(MPLS), MACS "\x88\x47\0\1\0\x40\0\1\1\x40" IP4),
    F("pppoe in ethernet", 1, BIT(PPPOES) | BIT(PPP), MACS "\x88\x64\x11\0\0\1\0\x2a\0\x21" IP4),
    F("null", 0, ((uint64_t)1 << SL_P_NULL), "\2\0\0\0" IP4),
    F("null big-endian ipv6", 0, ((uint64_t)1 << SL_P_NULL) | BIT(IPV6), "\0\0\0\x1e" IP6),
    F("loop", 108, ((uint64_t)1 << SL_P_NULL), "\0\0\0\2" IP4),
    F("ppp", 9, BIT(PPP), "\xff\3\0\x21" IP4),
    F("ppp compressed", 9, BIT(PPP) | BIT(IPV6), "\x57" IP6),
    F("ppp hdlc", 50, BIT(PPP), "\xff\3\0\x21" IP4),
    F("chdlc under ppp hdlc", 50, BIT(CHDLC), "\x0f\0\x08\0" IP4),
    F("pppoe", 51, BIT(PPPOES) | BIT(PPP), "\x11\0\0\1\0\x2a\0\x21" IP4),
    F("ppp with direction", 204, BIT(PPP), "\1\xff\3\0\x21" IP4),
    F("chdlc", 104, BIT(CHDLC), "\x8f\0\x86\xdd" IP6),
    F("chdlc with direction", 205, BIT(CHDLC), "\0\x0f\0\x08\0" IP4),
    F("frame relay", 107, BIT(FR), "\x18\x41\3\xcc" IP4),
    F("frame relay padded", 107, BIT(FR), "\x18\x41\3\0\x8e" IP6),
    F("frame relay 4 bytes", 107, BIT(FR), "\x18\x40\x40\1\3\xcc" IP4),
    F("frame relay snap", 107, BIT(FR) | BIT(SNAP), "\x18\x41\3\0\x80\0\0\0\x08\0" IP4),
    F("frame relay bridged", 107, BIT(FR) | BIT(ETH), "\x18\x41\3\0\x80\0\x80\xc2\0\7" FRAME),
    F("frame relay ppp", 107, BIT(FR) | BIT(PPP), "\x18\x41\3\xcf\0\x21" IP4),
    F("frame relay cisco", 107, BIT(FR), "\x18\x41\x08\0" IP4),
    F("frame relay with direction", 206, BIT(FR), "\1\x18\x41\3\xcc" IP4),
    F("raw", 101, BIT(RAW), IP4),
    F("raw 12", 12, BIT(RAW) | BIT(IPV6), IP6),
    F("ipv4", 228, BIT(RAW), IP4),
    F("ipv6", 229, BIT(RAW), IP6),
    F("atm rfc 1483", 100, BIT(SNAP), SNAP4 IP4),
    F("mpls", 219, BIT(MPLS), "\0\1\1\x40" IP4),
    F("enc", 109, BIT(ENC), "\2\0\0\0\0\0\0\1\0\0\0\0" IP4),
    F("ip over firewire", 138, 0, TEN "\0\0\0\0\0\0\x08\0" IP4),
    F("pflog", 117, BIT(PFLOG), "\x3d\2\0\0" TEN TEN TEN TEN TEN TEN IP4),
    F("nflog little-endian", 239, BIT(NFLOG), "\2\0\0\0\5\0\x0a\0x\0\0\0\x2c\0\x09\0" IP4),
    F("nflog big-endian", 239, BIT(NFLOG), "\x0a\0\0\0\0\5\0\x0ax\0\0\0\0\x40\0\x09" IP6),
    F("pktap", 258, BIT(PKTAP) | BIT(ETH), PKTAP("\1") FRAME),
    F("pktap raw", 258, BIT(PKTAP) | BIT(RAW), PKTAP("\x0c") IP4),
    F("pktap under user2", 149, BIT(PKTAP) | BIT(ETH), PKTAP("\1") FRAME),
    F("ppi ethernet", 192, BIT(PPI) | BIT(ETH), "\0\0\x08\0\1\0\0\0" FRAME),
    F("ppi 802.11", 192, BIT(PPI) | BIT(WLAN),
      "\0\0\x0c\0\x69\0\0\0\2\0\0\0" WLAN("\x08\1") SNAP4 IP4),
    F("sll", 113, BIT(SLL), "\0\0\0\1\0\6" EIGHT "\x08\0" IP4),
    F("sll llc", 113, BIT(SLL) | BIT(SNAP), "\0\0\0\1\0\6" EIGHT "\0\4" SNAP4 IP4),
    F("sll ethernet", 113, BIT(SLL) | BIT(ETH), "\0\0\0\1\0\6" EIGHT "\0\3" FRAME),
    F("sll radiotap", 113, BIT(SLL) | BIT(RADIOTAP) | BIT(WLAN),
      "\0\0\3\x23\0\6" EIGHT "\0\4\0\0\x08\0\0\0\0\0" WLAN("\x08\1") SNAP4 IP4),
    F("sll frame relay", 113, BIT(SLL) | BIT(FR), "\0\0\3\2\0\0" EIGHT "\0\0\x18\x41\3\xcc" IP4),
    F("sll2", 276, BIT(SLL2), "\x86\xdd\0\0\0\0\0\2\0\1\0\6" EIGHT IP6),
    F("sll2 gre ethernet", 276, BIT(SLL2) | BIT(ETH), "\x65\x58\0\0\0\0\0\2\3\x0a\0\0" EIGHT FRAME),
    F("802.11", 105, BIT(WLAN) | BIT(LLC) | BIT(SNAP), WLAN("\x08\1") SNAP4 IP4),
    F("802.11 qos", 105, BIT(WLAN), WLAN("\x88\2") "\0\0" SNAP4 IP4),
    F("802.11 qos ht control", 105, BIT(WLAN), WLAN("\x88\x82") "\0\0\0\0\0\0" SNAP4 IP4),
    F("802.11 4 addresses", 105, BIT(WLAN), WLAN4("\x08\3") SNAP4 IP4),
    F("802.11 4 addresses qos", 105, BIT(WLAN), WLAN4("\x88\3") "\0\0" SNAP4 IP4),
    F("802.11 a-msdu", 105, BIT(WLAN), WLAN("\x88\2") "\x80\0" MACS "\0\x30" SNAP4 IP4),
    F("radiotap", 127, BIT(RADIOTAP) | BIT(WLAN), "\0\0\x08\0\0\0\0\0" WLAN("\x08\1") SNAP4 IP4),
    F("radiotap padding", 127, BIT(RADIOTAP) | BIT(WLAN),
      "\0\0\x09\0\2\0\0\0\x20" WLAN("\x88\1") "\0\0\0\0" SNAP4 IP4),
    F("radiotap time, padding", 127, BIT(RADIOTAP) | BIT(WLAN),
      "\0\0\x11\0\3\0\0\0" EIGHT "\x20" WLAN("\x88\1") "\0\0\0\0" SNAP4 IP4),
    F("radiotap two words, time, padding", 127, BIT(RADIOTAP) | BIT(WLAN),
      "\0\0\x19\0\3\0\0\x80" EIGHT EIGHT "\x20" WLAN("\x88\1") "\0\0\0\0" SNAP4 IP4),
    F("prism", 119, BIT(PRISM) | BIT(WLAN), PRISM WLAN("\x08\1") SNAP4 IP4),
    F("avs under prism", 119, BIT(WLANCAP) | BIT(WLAN),
      "\x80\x21\x10\1\0\0\0\x40" EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT WLAN("\x08\1")
          SNAP4 IP4),
    F("avs", 163, BIT(WLANCAP) | BIT(WLAN),
      "\x80\x21\x10\2\0\0\0\x40" EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT WLAN("\x08\1")
          SNAP4 IP4),
};

static const struct frame tunnels[] = {
    F("ipip", 1, BIT(IPIP), OUTER("\x04") IP4),
    F("6in4", 1, BIT(IPIP) | BIT(IPV6), OUTER("\x29") IP6),
    F("6in6", 1, BIT(IPIP) | BIT(IPV6), OUTER6("\x29") IP6),
    F("4in6", 1, BIT(IPIP) | BIT(IPV6) | BIT(IP), OUTER6("\x04") IP4),
    F("mpls in ip", 1, BIT(MPLS), OUTER("\x89") "\0\1\1\x40" IP4),
    F("etherip", 1, BIT(ETHERIP), OUTER("\x61") "\x30\0" FRAME),
    F("gre", 1, BIT(GRE), OUTER("\x2f") "\0\0\x08\0" IP4),
    F("gre with all", 1, BIT(GRE), OUTER("\x2f") "\xb0\0\x86\xdd" EIGHT "\0\0\0\1" IP6),
    F("gre key", 1, BIT(GRE), OUTER6("\x2f") "\x20\0\x08\0\0\0\0\1" IP4),
    F("gre ethernet", 1, BIT(GRE), OUTER("\x2f") "\x20\0\x65\x58\0\0\0\1" FRAME),
    F("gre mpls", 1, BIT(GRE) | BIT(MPLS), OUTER("\x2f") "\0\0\x88\x47\0\1\1\x40" IP4),
    F("gre wccp", 1, BIT(GRE), OUTER("\x2f") "\0\0\x88\x3e\0\0\0\0" IP4),
    F("pptp", 1, BIT(GRE) | BIT(PPP),
      OUTER("\x2f") "\x30\x81\x88\x0b\0\x30\0\1\0\0\0\1\0\0\0\1\xff\3\0\x21" IP4),
    F("erspan I", 1, BIT(GRE) | BIT(ERSPAN), OUTER("\x2f") "\0\0\x88\xbe" FRAME),
    F("erspan II", 1, BIT(GRE) | BIT(ERSPAN),
      OUTER("\x2f") "\x10\0\x88\xbe\0\0\0\1\x10\0\0\0\0\0\0\0" FRAME),
    F("erspan III", 1, BIT(GRE) | BIT(ERSPAN),
      OUTER("\x2f") "\x10\0\x22\xeb\0\0\0\1\x20\0\0\0\0\0\0\0\0\0\0\0" FRAME),
    F("erspan III with platform header", 1, BIT(GRE) | BIT(ERSPAN),
      OUTER("\x2f") "\x10\0\x22\xeb\0\0\0\1\x20\0\0\0\0\0\0\0\0\0\0\1" EIGHT FRAME),
    F("vxlan", 1, BIT(VXLAN) | BIT(TUNNEL_UDP), UDP("\x12\xb5") "\x08\0\0\0\0\0\7\0" FRAME),
    F("vxlan linux", 1, BIT(VXLAN), UDP("\x21\x18") "\x08\0\0\0\0\0\7\0" ETH6 IP6),
    F("vxlan gpe", 1, BIT(VXLAN), UDP("\x12\xb6") "\x0c\0\0\1\0\0\7\0" IP4),
    F("geneve", 1, BIT(GENEVE), UDP("\x17\xc1") "\0\0\x65\x58\0\0\7\0" FRAME),
    F("geneve options", 1, BIT(GENEVE), UDP("\x17\xc1") "\2\0\x86\xdd\0\0\7\0" EIGHT IP6),
    F("gtp-u", 1, BIT(GTP), UDP("\x08\x68") "\x30\xff\0\x28\0\0\0\1" IP4),
    F("gtp-u sequence", 1, BIT(GTP), UDP("\x08\x68") "\x32\xff\0\x2c\0\0\0\1\0\1\0\0" IP4),
    F("gtp-u extensions", 1, BIT(GTP),
      UDP_FROM("\x08\x68") "\x34\xff\0\x48\0\0\0\1\0\0\0\x85\1\0\0\x40\1\0\0\0" IP6),
    F("teredo", 1, BIT(TEREDO), UDP("\x0d\xd8") IP6),
    F("teredo origin", 1, BIT(TEREDO), UDP_FROM("\x0d\xd8") "\0\0\x1f\x90\1\2\3\4" IP6),
    F("teredo authentication, origin", 1, BIT(TEREDO),
      UDP_FROM("\x0d\xd8") "\0\1\0\0" EIGHT "\0\0\0\x1f\x90\1\2\3\4" IP6),
    F("gre in vxlan in 6in4", 1, BIT(GRE) | BIT(VXLAN) | BIT(IPIP) | BIT(TUNNEL_UDP),
      OUTER("\x29") "\x60\0\0\0\0\0\x11\x40" ADDRESSES6
                    "\x1f\x90\x12\xb5\0\0\0\0\x08\0\0\0\0\0\7\0" OUTER("\x2f") "\0\0\x08\0" IP4),
};

/* Packets in which there is a reason not to look inside. */
static const struct frame doubtful[] = {
    F("first fragment", 1, BIT(IPIP),
      ETH4 "\x45\0\0\0\0\1\x20\0\x40\4\0\0\x0a\0\0\1\x0a\0\0\2" IP4),
    F("later fragment", 1, BIT(FRAGMENT),
      ETH4 "\x45\0\0\0\0\1\0\1\x40\4\0\0\x0a\0\0\1\x0a\0\0\2" IP4),
    F("6 where 4 should be", 1, BIT(IPIP), OUTER("\x04") IP6),
    F("longer than its tunnel", 1, BIT(IPIP),
      ETH4 "\x45\0\0\x3b\0\1\0\0\x40\4\0\0\x0a\0\0\1\x0a\0\0\2" IP4),
    F("gre with routing", 1, BIT(GRE), OUTER("\x2f") "\x40\0\x08\0" EIGHT IP4),
    F("gre version 2", 1, BIT(GRE), OUTER("\x2f") "\0\2\x08\0" IP4),
    F("gre of something", 1, BIT(GRE), OUTER("\x2f") "\0\0\x12\x34" IP4),
    F("gre of EAPOL", 1, BIT(GRE), OUTER("\x2f") "\0\0\x88\x8e\1\0\0\0"),
    F("vxlan without its flag", 1, BIT(UDP), UDP("\x12\xb5") "\0\0\0\0\0\0\7\0" FRAME),
    F("vxlan of spanning tree", 1, BIT(UDP),
      UDP("\x12\xb5") "\x08\0\0\0\0\0\7\0" MACS "\0\3\x42\x42\3"),
    F("geneve version 1", 1, BIT(UDP), UDP("\x17\xc1") "\x40\0\x65\x58\0\0\7\0" FRAME),
    F("gtp-u echo", 1, BIT(UDP), UDP("\x08\x68") "\x32\1\0\x2c\0\0\0\1\0\1\0\0" IP4),
    F("gtp-u extension of no length", 1, BIT(UDP),
      UDP("\x08\x68") "\x34\xff\0\x30\0\0\0\1\0\0\0\x85\0\0\0\0" IP4),
    F("teredo of IPv4", 1, BIT(UDP), UDP("\x0d\xd8") IP4),
    F("another port", 1, BIT(UDP), UDP("\x12\xb7") "\x08\0\0\0\0\0\7\0" FRAME),
};

/* In memory of exactly n bytes, so that ASan sees a read behind them. */
static struct sl_packet packet_of(const struct frame *f, size_t n, uint8_t **copy) {
    struct sl_packet p = {0};

    *copy = malloc(n ? n : 1);
    assert_non_null(*copy);
    memcpy(*copy, f->bytes, n);
    p.data = *copy;
    p.caplen = (uint32_t)n;
    p.len = (uint32_t)f->size;
    p.link_type = (uint16_t)f->link_type;
    return p;
}

static void check_places(const struct sl_packet *p) {
    assert_true(p->net_off <= p->caplen && p->l4_off <= p->caplen && p->eth_off <= p->caplen);
    assert_true(p->l4_cap <= p->caplen - p->l4_off);
    assert_true(p->payload_cap <= p->payload_len);
    assert_true(!p->payload_cap || p->payload_off + p->payload_cap <= p->caplen);
    assert_true(p->skip < SL_SKIP_N && p->protos >> SL_P_N == 0);
}

/* sl_decap left the packet as it was. */
static int is_untouched(const struct sl_packet *p, const struct sl_packet *outer) {
    return p->net_off == outer->net_off && p->l4_off == outer->l4_off &&
           p->protos == outer->protos && p->skip == outer->skip && p->proto == outer->proto &&
           p->src.w[3] == outer->src.w[3] && p->sport == outer->sport && p->dport == outer->dport &&
           p->ip_len == outer->ip_len;
}

static void check_found(const struct frame *f, const struct sl_packet *p) {
    if (p->proto != 6 || p->sport != 1000 || p->dport != 443 || p->skip || ~p->protos & f->protos)
        fail_msg("%s: proto %u, ports %u %u, skip %u, protos %llx", f->name, p->proto, p->sport,
                 p->dport, p->skip, (unsigned long long)p->protos);
    assert_int_equal(p->src.w[3], p->ip_version == 4 ? 0xc0000201 : 1);
    assert_int_equal(p->seq, 1);
    assert_int_equal(p->payload_len, 0);
}

static void test_links(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        for (size_t n = 0; n <= links[i].size; n++) {
            uint8_t *copy;
            struct sl_packet p = packet_of(&links[i], n, &copy);
            sl_decode(&p);
            check_places(&p);
            if (n == links[i].size)
                check_found(&links[i], &p);
            else if (p.skip == SL_SKIP_NONE || p.skip == SL_SKIP_MALFORMED_NETWORK)
                fail_msg("%s cut at %zu: skip %u", links[i].name, n, p.skip);
            sl_decap(&p);
            check_places(&p);
            free(copy);
        }
}

/* Entered whole or not at all: a packet in a tunnel has its ports, or the fields are the outer's.
 */
static void test_tunnels(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof tunnels / sizeof *tunnels; i++)
        for (size_t n = 0; n <= tunnels[i].size; n++) {
            uint8_t *copy;
            struct sl_packet p = packet_of(&tunnels[i], n, &copy), outer;
            sl_decode(&p);
            outer = p;
            sl_decap(&p);
            check_places(&p);
            if (n == tunnels[i].size)
                check_found(&tunnels[i], &p);
            else if (!is_untouched(&p, &outer))
                assert_true(!p.skip && p.net_off > outer.net_off &&
                            (p.protos & outer.protos & ~BIT(UDP)));
            free(copy);
        }
}

static void test_doubt_leaves_the_outer_packet(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof doubtful / sizeof *doubtful; i++) {
        uint8_t *copy;
        struct sl_packet p = packet_of(&doubtful[i], doubtful[i].size, &copy), outer;
        sl_decode(&p);
        outer = p;
        sl_decap(&p);
        if (!is_untouched(&p, &outer) || ~p.protos & doubtful[i].protos)
            fail_msg("%s was looked into", doubtful[i].name);
        free(copy);
    }
}

/* Twelve IP headers in one another. */
static void test_at_most_so_many_tunnels(void **state) {
    static const char layers[] = "\x45\0\0\0\0\1\0\0\x40\4\0\0\x0a\0\0\1\x0a\0\0\2";
    enum { DEPTH = 12, HEADER = 20 };
    uint8_t bytes[DEPTH * HEADER];
    struct sl_packet p = {
        .data = bytes, .caplen = sizeof bytes, .len = sizeof bytes, .link_type = 101};

    (void)state;
    for (int i = 0; i < DEPTH; i++)
        memcpy(bytes + i * HEADER, layers, HEADER);
    sl_decode(&p);
    assert_int_equal(p.net_off, 0);
    sl_decap(&p);
    assert_int_equal(p.net_off, SL_TUNNELS_MAX * HEADER);
}

/* 802.11 frames without a network in them, under the name of their link layer and no reason. */
static void test_wlan_without_network(void **state) {
    static const struct frame frames[] = {
        F("beacon", 105, BIT(WLAN), WLAN("\x80\0") EIGHT "\x64\0\1\4"),
        F("acknowledgment", 105, BIT(WLAN), "\xd4\0\0\0\2\0\0\0\0\1"),
        F("null data", 105, BIT(WLAN), WLAN("\x48\1")),
        F("protected", 105, BIT(WLAN), WLAN("\x08\x41") SNAP4 IP4),
    };

    (void)state;
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        uint8_t *copy;
        struct sl_packet p = packet_of(&frames[i], frames[i].size, &copy);
        sl_decode(&p);
        assert_int_equal(p.protos, frames[i].protos);
        assert_int_equal(p.skip, SL_SKIP_NONE);
        assert_int_equal(sl_network_of(p.protos), SL_P_WLAN);
        free(copy);
    }
}

static void test_unknown_link_types(void **state) {
    static const uint16_t types[] = {2, 147, 149, 162, 187, 189, 201, 220, 249, 277, 300, 65535};

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct sl_packet p = {
            .data = (const uint8_t *)IP4, .caplen = 40, .len = 40, .link_type = types[i]};
        sl_decode(&p);
        assert_int_equal(p.skip, SL_SKIP_UNKNOWN_LINK_TYPE);
        assert_int_equal(p.protos, 0);
    }
}

/* Headers that lead back to themselves must not lead the stack away: 4 MB of tags and LLC, of
 * PKTAP in PKTAP. */
static void test_hostile_nesting(void **state) {
    static const char unit[] = "\x81\0\0\1\0\4\xaa\xaa\3\0\0\0", tap[12] = "\x0c\0\0\0\1\0\0\0\2\1";
    enum { SIZE = 4 << 20, UNIT = sizeof unit - 1 };
    uint8_t *bytes = malloc(SIZE);
    struct sl_packet p = {.data = bytes, .caplen = SIZE, .len = SIZE, .link_type = 1};

    (void)state;
    assert_non_null(bytes);
    for (size_t at = 12; at + UNIT <= SIZE; at += UNIT)
        memcpy(bytes + at, unit, UNIT);
    sl_decode(&p);
    assert_int_equal(p.skip, SL_SKIP_UNKNOWN_NETWORK);
    for (size_t at = 0; at + sizeof tap <= SIZE; at += sizeof tap)
        memcpy(bytes + at, tap, sizeof tap);
    p.link_type = 258;
    sl_decode(&p);
    assert_int_equal(p.skip, SL_SKIP_UNKNOWN_LINK_TYPE);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_tunnels),
        cmocka_unit_test(test_doubt_leaves_the_outer_packet),
        cmocka_unit_test(test_at_most_so_many_tunnels),
        cmocka_unit_test(test_wlan_without_network),
        cmocka_unit_test(test_unknown_link_types),
        cmocka_unit_test(test_hostile_nesting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
