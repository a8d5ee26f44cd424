#include "names.h"

#include <pcap/pcap.h>

static const char *const proto_names[SL_P_N] = {
    [SL_P_ETH] = "eth",
    [SL_P_SLL] = "sll",
    [SL_P_SLL2] = "sll2",
    [SL_P_RAW] = "raw",
    [SL_P_NULL] = "null",
    [SL_P_ENC] = "enc",
    [SL_P_PFLOG] = "pflog",
    [SL_P_NFLOG] = "nflog",
    [SL_P_PKTAP] = "pktap",
    [SL_P_PPI] = "ppi",
    [SL_P_RADIOTAP] = "radiotap",
    [SL_P_PRISM] = "prism",
    [SL_P_WLANCAP] = "wlancap",
    [SL_P_WLAN] = "wlan",
    [SL_P_PPP] = "ppp",
    [SL_P_CHDLC] = "chdlc",
    [SL_P_FR] = "fr",
    [SL_P_VLAN] = "vlan",
    [SL_P_QINQ] = "ieee8021ad",
    [SL_P_MPLS] = "mpls",
    [SL_P_PPPOED] = "pppoed",
    [SL_P_PPPOES] = "pppoes",
    [SL_P_LLC] = "llc",
    [SL_P_SNAP] = "snap",
    [SL_P_ARP] = "arp",
    [SL_P_RARP] = "rarp",
    [SL_P_IPX] = "ipx",
    [SL_P_LLDP] = "lldp",
    [SL_P_EAPOL] = "eapol",
    [SL_P_LOOP] = "loop",
    [SL_P_OTHER_ETHERTYPE] = "other",
    [SL_P_IP] = "ip",
    [SL_P_IPV6] = "ipv6",
    [SL_P_AH] = "ah",
    [SL_P_TCP] = "tcp",
    [SL_P_UDP] = "udp",
    [SL_P_UDPLITE] = "udplite",
    [SL_P_SCTP] = "sctp",
    [SL_P_DCCP] = "dccp",
    [SL_P_ICMP] = "icmp",
    [SL_P_ICMPV6] = "icmpv6",
    [SL_P_IGMP] = "igmp",
    [SL_P_GRE] = "gre",
    [SL_P_ESP] = "esp",
    [SL_P_OSPF] = "ospf",
    [SL_P_PIM] = "pim",
    [SL_P_VRRP] = "vrrp",
    [SL_P_EIGRP] = "eigrp",
    [SL_P_L2TP] = "l2tp",
    [SL_P_IPIP] = "ipip",
    [SL_P_OTHER_IP_PROTO] = "other_ip_proto",
    [SL_P_FRAGMENT] = "fragment",
    [SL_P_VXLAN] = "vxlan",
    [SL_P_GENEVE] = "geneve",
    [SL_P_GTP] = "gtp",
    [SL_P_TEREDO] = "teredo",
    [SL_P_ERSPAN] = "erspan",
    [SL_P_ETHERIP] = "etherip",
    [SL_P_TUNNEL_UDP] = "udp",
};

static const char *const skip_names[SL_SKIP_N] = {
    [SL_SKIP_NONE] = "none",
    [SL_SKIP_UNKNOWN_LINK_TYPE] = "unknown link type",
    [SL_SKIP_TRUNCATED_LINK] = "truncated link header",
    [SL_SKIP_TRUNCATED_NETWORK] = "truncated network header",
    [SL_SKIP_TRUNCATED_TRANSPORT] = "truncated transport header",
    [SL_SKIP_MALFORMED_NETWORK] = "malformed network header",
    [SL_SKIP_MALFORMED_TRANSPORT] = "malformed transport header",
    [SL_SKIP_UNKNOWN_NETWORK] = "unknown network protocol",
};

const char *sl_proto_name(uint32_t bit) {
    return bit < SL_P_N ? proto_names[bit] : NULL;
}

const char *sl_skip_name(uint32_t reason) {
    return reason < SL_SKIP_N ? skip_names[reason] : NULL;
}

const char *sl_ip_proto_name(uint32_t number) {
    switch (number) {
    case 1:
        return "icmp";
    case 2:
        return "igmp";
    case 4:
        return "ipip";
    case 6:
        return "tcp";
    case 17:
        return "udp";
    case 33:
        return "dccp";
    case 41:
        return "ipv6";
    case 47:
        return "gre";
    case 50:
        return "esp";
    case 51:
        return "ah";
    case 58:
        return "icmpv6";
    case 88:
        return "eigrp";
    case 89:
        return "ospf";
    case 103:
        return "pim";
    case 112:
        return "vrrp";
    case 115:
        return "l2tp";
    case 132:
        return "sctp";
    case 136:
        return "udplite";
    default:
        return NULL;
    }
}

/* Files hold LINKTYPE_ values, libpcap's functions take DLT_ values; they differ where BSDs gave
 * one number to different things (pcap-linktype(7)). */
int sl_link_dlt(uint32_t link_type) {
    switch (link_type) {
    case 50:
        return DLT_PPP_SERIAL;
    case 51:
        return DLT_PPP_ETHER;
    case 100:
        return DLT_ATM_RFC1483;
    case 101:
        return DLT_RAW;
    case 102:
        return DLT_SLIP_BSDOS;
    case 103:
        return DLT_PPP_BSDOS;
    default:
        return (int)link_type;
    }
}

uint32_t sl_link_of_dlt(int dlt) {
    static const uint8_t differ[] = {50, 51, 100, 101, 102, 103};

    for (size_t i = 0; i < sizeof differ; i++)
        if (sl_link_dlt(differ[i]) == dlt)
            return differ[i];
    return (uint32_t)dlt;
}

const char *sl_link_name(uint32_t link_type) {
    /* Numbers for private use, DLT_USER0 to DLT_USER15, which libpcap's list leaves out. */
    static const char users[][8] = {"USER0",  "USER1",  "USER2",  "USER3", "USER4",  "USER5",
                                    "USER6",  "USER7",  "USER8",  "USER9", "USER10", "USER11",
                                    "USER12", "USER13", "USER14", "USER15"};
    enum { USER0 = 147, USER15 = 162 };

    if (link_type >= USER0 && link_type <= USER15)
        return users[link_type - USER0];
    return pcap_datalink_val_to_name(sl_link_dlt(link_type));
}
