/* What Lua may see of the C core. This file stands once: C compiles it (through types.h), LuaJIT
 * reads the same text with ffi.cdef, and at load lua/sluice/abi.lua compares every struct's size.
 * So: no preprocessor lines here, only declarations that both languages read.
 *
 * Units: bytes, packets, seconds and nanoseconds as the names say. Numbers are in host byte order.
 * Pointers that Lua gets are borrowed until the next sl_run_next() unless stated otherwise.
 */

/* A point in time, seconds since 1970-01-01 UTC and nanoseconds 0..999999999 after it. */
struct sl_time {
    int64_t s;
    uint32_t nsec;
};

/* An IP address. w[0] holds the first four bytes, in host order. IPv4 a.b.c.d stands as
 * ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2), so w[3] is the IPv4 address as a number. */
struct sl_addr {
    uint32_t w[4];
};

/* Bits of sl_packet.protos: the headers that were met, outermost first to the transport. Names
 * for users are Wireshark's filter names (src/packet/names.c). */
enum {
    SL_P_ETH, SL_P_SLL, SL_P_SLL2, SL_P_RAW, SL_P_NULL, SL_P_PPP, SL_P_WLAN, SL_P_RADIOTAP,
    SL_P_VLAN, SL_P_QINQ, SL_P_MPLS, SL_P_PPPOED, SL_P_PPPOES, SL_P_LLC, SL_P_SNAP,
    SL_P_ARP, SL_P_RARP, SL_P_IPX, SL_P_LLDP, SL_P_EAPOL, SL_P_LOOP, SL_P_OTHER_ETHERTYPE,
    SL_P_IP, SL_P_IPV6, SL_P_AH,
    SL_P_TCP, SL_P_UDP, SL_P_UDPLITE, SL_P_SCTP, SL_P_DCCP, SL_P_ICMP, SL_P_ICMPV6, SL_P_IGMP,
    SL_P_GRE, SL_P_ESP, SL_P_OSPF, SL_P_PIM, SL_P_VRRP, SL_P_EIGRP, SL_P_L2TP, SL_P_IPIP,
    SL_P_OTHER_IP_PROTO,
    SL_P_FRAGMENT, /* a later IP fragment: no transport header inside */
    SL_P_N
};

/* Why decoding of a packet stopped before its transport header, if it did. */
enum {
    SL_SKIP_NONE,
    SL_SKIP_UNKNOWN_LINK_TYPE,
    SL_SKIP_TRUNCATED_LINK,      /* the frame ends inside a link-layer header */
    SL_SKIP_TRUNCATED_NETWORK,   /* … inside an IP or ARP header */
    SL_SKIP_TRUNCATED_TRANSPORT, /* … before the transport's ports, type or code */
    SL_SKIP_MALFORMED_NETWORK,   /* a header field that cannot be (IHL below 5, wrong version) */
    SL_SKIP_MALFORMED_TRANSPORT, /* … (TCP data offset below 5) */
    SL_SKIP_UNKNOWN_NETWORK,     /* no ethertype or network protocol that sluice names */
    SL_SKIP_N
};

/* Bits of sl_packet.tcp_flags (RFC 9293 section 3.1; NS in bit 8, RFC 3540). */
enum {
    SL_TCP_FIN = 1, SL_TCP_SYN = 2, SL_TCP_RST = 4, SL_TCP_PSH = 8,
    SL_TCP_ACK = 16, SL_TCP_URG = 32, SL_TCP_ECE = 64, SL_TCP_CWR = 128
};

enum { SL_NO_FLOW = 0xffffffff, SL_NO_VLAN = 0xffff };

/* One packet. Fields of a header that the packet does not have are 0 (vlan_id: SL_NO_VLAN); test
 * protos, ip_version or proto first. Offsets count from data. */
struct sl_packet {
    const uint8_t *data; /* the captured bytes: caplen of them */
    uint64_t number;     /* frame number in the capture, from 1 */
    uint64_t offset;     /* of the record in its input, bytes */
    struct sl_time ts;
    int64_t ts_ns;      /* ts as nanoseconds since 1970; saturates at the ends of int64 */
    double t;           /* seconds since the first packet of the capture */
    uint32_t caplen;    /* captured bytes */
    uint32_t len;       /* bytes on the wire */
    uint16_t link_type; /* LINKTYPE_ value, see pcap-linktype(7) */
    uint16_t iface;     /* interface number in its pcapng section; 0 in pcap */
    uint16_t input;     /* number of the input, from 0 */
    uint8_t no_time;    /* the record holds no time stamp: ts is that of the packet before */

    union {
        uint64_t protos;      /* bit set of SL_P_…; from here on decode fills */
        uint32_t protos_w[2]; /* the same: bits 0..31 and 32..63. LuaJIT works in 32 bits */
    };
    uint16_t ethertype; /* the innermost link-layer protocol number */
    uint16_t vlan_id;   /* of the first 802.1Q tag */
    uint8_t skip;       /* SL_SKIP_… */
    uint8_t ip_version; /* 4, 6, or 0: not IP */

    struct sl_addr src, dst; /* IP; of ARP the protocol addresses when they are IPv4 */
    uint32_t net_off;        /* of the IP or ARP header */
    uint32_t ip_len;         /* whole IP packet on the wire, header included, bytes */
    uint32_t ip_id;          /* identification (IPv6: of the fragment header) */
    uint32_t frag_offset;    /* bytes */
    uint8_t frag_more;       /* more fragments follow */
    uint8_t ttl;             /* hop limit */
    uint8_t tos;             /* DSCP and ECN; traffic class */
    uint8_t proto;           /* IP protocol number behind all extension headers */

    uint32_t l4_off;      /* of the transport header */
    uint32_t payload_off; /* of what TCP, UDP or SCTP carries */
    uint32_t payload_cap; /* captured bytes of it */
    uint32_t payload_len; /* bytes of it on the wire */
    uint16_t sport, dport;
    uint32_t seq, ack; /* TCP */
    uint16_t window;   /* as in the header, not scaled */
    uint16_t tcp_flags;
    uint8_t icmp_type, icmp_code; /* ICMP and ICMPv6 */
    uint16_t arp_op;

    uint8_t dir;       /* 0: from the flow's originator, 1: to it */
    uint32_t flow;     /* dense index of the live flow, SL_NO_FLOW: none */
    uint64_t flow_pkt; /* ordinal in its flow, from 1 */
};

/* Why a flow was decided; SL_END_EOF: the input ended. Names: sl_flow_end_name(). */
enum { SL_END_EOF, SL_END_FIN, SL_END_RST, SL_END_REUSE, SL_END_IDLE, SL_END_EVICTED };

/* One flow (design: src/flow/README is in flow.h). src is the originator. Bytes are wire bytes of
 * whole frames; payload is what TCP, UDP or SCTP carried. ICMP: sport type, dport code or the
 * type of the answer, as Zeek does. Index 0: sent by src, 1: sent by dst. */
struct sl_flow {
    struct sl_addr src, dst;
    uint16_t sport, dport;
    uint8_t proto;      /* IP protocol number */
    uint8_t ip_version; /* 4 or 6 */
    uint8_t end;        /* SL_END_… once it is decided */
    uint8_t flags;      /* internal */
    struct sl_time first, last;
    double t;        /* first, in seconds since the first packet of the capture */
    double duration; /* seconds; never negative */
    uint64_t packets_src, packets_dst;
    uint64_t bytes_src, bytes_dst;
    uint64_t payload_src, payload_dst;
    uint64_t number;       /* frame number of its first packet */
    uint32_t index;        /* dense index while it lives */
    uint16_t tcp_flags[2]; /* all flags seen, by direction */
    uint32_t isn[2];       /* internal: first sequence numbers */
    uint32_t hash;         /* internal */
    uint32_t wheel_next, wheel_prev; /* internal */
};

/* A Perl-compatible regular expression over bytes, case-insensitive as in Wireshark's "matches".
 * sl_regex_compile: NULL and a message when the pattern is wrong at byte *offset.
 * sl_regex_match: 1 or 0; a search that passes the match limit counts as 0 and in
 * sl_regex_limited(), so that hostile bytes cannot hold up a run. */
struct sl_regex;
struct sl_regex *sl_regex_compile(const char *pattern, size_t len, uint32_t *offset, char *message,
                                  size_t message_size);
int sl_regex_match(struct sl_regex *, const uint8_t *data, size_t len);
uint64_t sl_regex_limited(const struct sl_regex *);
void sl_regex_free(struct sl_regex *);
