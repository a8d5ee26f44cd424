/* Numbers by which headers name what follows: ethertypes (IEEE 802, IANA's list), IP protocols
 * (IANA) that flows care for; and how long headers without options are, in bytes. */
#ifndef SL_PACKET_NUMBERS_H
#define SL_PACKET_NUMBERS_H

enum {
    SL_TYPE_IPV4 = 0x0800,
    SL_TYPE_ARP = 0x0806,
    SL_TYPE_RARP = 0x8035,
    SL_TYPE_VLAN = 0x8100,
    SL_TYPE_IPX = 0x8137,
    SL_TYPE_IPV6 = 0x86dd,
    SL_TYPE_MPLS = 0x8847,
    SL_TYPE_MPLS_UPSTREAM = 0x8848,
    SL_TYPE_PPPOE_DISCOVERY = 0x8863,
    SL_TYPE_PPPOE_SESSION = 0x8864,
    SL_TYPE_EAPOL = 0x888e,
    SL_TYPE_8021AD = 0x88a8,
    SL_TYPE_LLDP = 0x88cc,
    SL_TYPE_LOOP = 0x9000,
    SL_TYPE_QINQ = 0x9100
};

enum {
    SL_PROTO_ICMP = 1,
    SL_PROTO_TCP = 6,
    SL_PROTO_UDP = 17,
    SL_PROTO_DCCP = 33,
    SL_PROTO_ICMPV6 = 58,
    SL_PROTO_SCTP = 132,
    SL_PROTO_UDPLITE = 136
};

enum {
    SL_ETHERNET_BYTES = 14,
    SL_TAG_BYTES = 4,
    SL_IPV4_BYTES = 20,
    SL_IPV6_BYTES = 40,
    SL_TCP_BYTES = 20,
    SL_UDP_BYTES = 8
};

#endif
