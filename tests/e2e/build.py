"""Makers of frames under every link type and in every tunnel, and of a pcapng that holds them all."""
import ipaddress
import struct

from support import ipv4 as _ipv4

V4 = ("192.0.2.1", "198.51.100.2")
V6 = ("2001:db8::1", "2001:db8::2")
MACS = bytes.fromhex("020000000001 020000000002")
OUTER4 = ("10.0.0.1", "10.0.0.2")
OUTER6 = ("2001:db8:ffff::1", "2001:db8:ffff::2")


def be(fmt, *values):
    return struct.pack(">" + fmt, *values)


def le(fmt, *values):
    return struct.pack("<" + fmt, *values)


def ip4(proto, body, ends=V4):
    return _ipv4(ends[0], ends[1], proto, body)


def ip6(proto, body, ends=V6):
    source, target = (ipaddress.ip_address(end).packed for end in ends)
    return be("IHBB", 6 << 28, len(body), proto, 64) + source + target + body


def tcp(sport, dport=443):
    return be("HHIIBBHHH", sport, dport, 1, 2, 5 << 4, 16, 65535, 0, 0)


def tcp4(sport):
    return ip4(6, tcp(sport))


def tcp6(sport):
    return ip6(6, tcp(sport))


def udp(dport, body, sport=8080):
    return be("HHHH", sport, dport, 8 + len(body), 0) + body


def eth(body, ethertype=0x0800):
    return MACS + be("H", ethertype) + body


def snap(body, ethertype=0x0800):
    return b"\xaa\xaa\3\0\0\0" + be("H", ethertype) + body


def outer4(proto, body):
    return eth(ip4(proto, body, OUTER4))


def outer6(proto, body):
    return eth(ip6(proto, body, OUTER6), 0x86DD)


def over_udp(dport, body, **more):
    return outer4(17, udp(dport, body, **more))


def gre(kind, body, flags=0, options=b""):
    return outer4(47, be("HH", flags, kind) + options + body)


def wlan(control, body, more=b"", flags=0x01):
    return bytes([control, flags, 0, 0]) + MACS + MACS[:6] + b"\x10\0" + more + body


def radiotap(body, present=0, fields=b""):
    return le("BBHI", 0, 0, 8 + len(fields), present) + fields + body


def pktap(link_type, body):
    return le("III", 108, 1, link_type) + b"en0".ljust(24, b"\0") + bytes(72) + body


def nflog(family, body, order):
    return be("BBH", family, 0, 0) + struct.pack(order + "HH", 5, 10) + b"x\0\0\0" + \
        struct.pack(order + "HH", 4 + len(body), 9) + body


def sll(body, protocol, hardware=1):
    return be("HHH8sH", 0, hardware, 6, bytes(8), protocol) + body


def sll2(body, protocol, hardware=1):
    return be("HHIHBB8s", protocol, 0, 2, hardware, 0, 6, bytes(8)) + body


def pcapng(frames):
    """Of [(link type, frame)]; every link type gets an interface."""
    def block(kind, body):
        body += bytes(-len(body) % 4)
        return le("II", kind, 12 + len(body)) + body + le("I", 12 + len(body))

    types = sorted({link_type for link_type, _ in frames})
    out = [block(0x0A0D0D0A, le("IHHq", 0x1A2B3C4D, 1, 0, -1))]
    out += [block(1, le("HHI", link_type, 0, 0)) for link_type in types]
    for number, (link_type, frame) in enumerate(frames):
        out.append(block(6, le("IIIII", types.index(link_type), 0, number, len(frame), len(frame)) + frame))
    return b"".join(out)


# name: (link type, maker of a frame from the source port of the TCP packet in it).
LINKS = {
    "null": (0, lambda n: le("I", 2) + tcp4(n)),
    "null of Darwin, IPv6": (0, lambda n: le("I", 30) + tcp6(n)),
    "null big-endian": (0, lambda n: be("I", 24) + tcp6(n)),
    "ethernet": (1, lambda n: eth(tcp4(n))),
    "vlan": (1, lambda n: eth(be("HH", 5, 0x86DD) + tcp6(n), 0x8100)),
    "qinq": (1, lambda n: eth(be("HHHH", 5, 0x8100, 6, 0x0800) + tcp4(n), 0x88A8)),
    "mpls in ethernet": (1, lambda n: eth(be("II", 0x10040, 0x20140) + tcp4(n), 0x8847)),
    "pppoe in ethernet": (1, lambda n: eth(be("BBHHH", 0x11, 0, 1, 42, 0x21) + tcp4(n), 0x8864)),
    "802.3": (1, lambda n: eth(snap(tcp4(n)), len(snap(tcp4(n))))),
    "ppp": (9, lambda n: be("HH", 0xFF03, 0x21) + tcp4(n)),
    "ppp, no address": (9, lambda n: be("H", 0x57) + tcp6(n)),
    "raw of BSD": (12, tcp4),
    "ppp hdlc": (50, lambda n: be("HH", 0xFF03, 0x21) + tcp4(n)),
    "chdlc under ppp hdlc": (50, lambda n: be("HH", 0x0F00, 0x0800) + tcp4(n)),
    "pppoe": (51, lambda n: be("BBHHH", 0x11, 0, 1, 42, 0x21) + tcp4(n)),
    "atm": (100, lambda n: snap(tcp4(n))),
    "raw": (101, tcp6),
    "chdlc": (104, lambda n: be("HH", 0x8F00, 0x86DD) + tcp6(n)),
    "wlan": (105, lambda n: wlan(0x08, snap(tcp4(n)))),
    "wlan qos": (105, lambda n: wlan(0x88, snap(tcp4(n)), b"\0\0")),
    "wlan qos, 4 addresses": (105, lambda n: wlan(0x88, snap(tcp4(n)), MACS[:6] + b"\0\0", 3)),
    "wlan qos, HT control": (105, lambda n: wlan(0x88, snap(tcp4(n)), b"\0\0\0\0\0\0", 0x81)),
    "wlan a-msdu": (105, lambda n: wlan(0x88, MACS + be("H", len(snap(tcp4(n)))) + snap(tcp4(n)), b"\x80\0")),
    "frame relay": (107, lambda n: b"\x18\x41\3\xcc" + tcp4(n)),
    "frame relay, IPv6": (107, lambda n: b"\x18\x41\3\x8e" + tcp6(n)),
    "frame relay, SNAP": (107, lambda n: b"\x18\x41\3\0\x80\0\0\0\x08\0" + tcp4(n)),
    "loop": (108, lambda n: be("I", 2) + tcp4(n)),
    "enc": (109, lambda n: le("III", 2, 1, 0) + tcp4(n)),
    "sll": (113, lambda n: sll(tcp4(n), 0x0800)),
    "sll of 802.3": (113, lambda n: sll(snap(tcp4(n)), 4)),
    "sll of radiotap": (113, lambda n: sll(radiotap(wlan(0x08, snap(tcp4(n)))), 4, 803)),
    "pflog": (117, lambda n: be("BB", 61, 2) + bytes(62) + tcp4(n)),
    "prism": (119, lambda n: le("II", 0x41, 144) + bytes(136) + wlan(0x08, snap(tcp4(n)))),
    "avs under prism": (119, lambda n: be("II", 0x80211001, 64) + bytes(56) + wlan(0x08, snap(tcp4(n)))),
    "radiotap": (127, lambda n: radiotap(wlan(0x08, snap(tcp4(n))))),
    "radiotap, padding": (127, lambda n: radiotap(wlan(0x88, snap(tcp4(n)), bytes(4)), 2, b"\x20")),
    "radiotap, time, padding, FCS": (127, lambda n: radiotap(wlan(0x88, snap(tcp4(n)), bytes(4)), 3,
                                                             bytes(8) + b"\x30") + b"\1\2\3\4"),
    "firewire": (138, lambda n: bytes(16) + be("H", 0x0800) + tcp4(n)),
    "avs": (163, lambda n: be("II", 0x80211002, 64) + bytes(56) + wlan(0x08, snap(tcp4(n)))),
    "ppi of ethernet": (192, lambda n: le("BBHI", 0, 0, 8, 1) + eth(tcp4(n))),
    "ppi of wlan": (192, lambda n: le("BBHI", 0, 0, 8, 105) + wlan(0x08, snap(tcp4(n)))),
    "ppp with direction": (204, lambda n: b"\0" + be("HH", 0xFF03, 0x21) + tcp4(n)),
    "chdlc with direction": (205, lambda n: b"\1" + be("HH", 0x0F00, 0x0800) + tcp4(n)),
    "frame relay with direction": (206, lambda n: b"\1\x18\x41\3\xcc" + tcp4(n)),
    "mpls": (219, lambda n: be("I", 0x20140) + tcp6(n)),
    "ipv4": (228, tcp4),
    "ipv6": (229, tcp6),
    "nflog": (239, lambda n: nflog(2, tcp4(n), "<")),
    "nflog, IPv6": (239, lambda n: nflog(10, tcp6(n), "<")),
    "nflog big-endian": (239, lambda n: nflog(2, tcp4(n), ">")),
    "pktap": (258, lambda n: pktap(1, eth(tcp4(n)))),
    "pktap of raw": (258, lambda n: pktap(12, tcp6(n))),
    "sll2": (276, lambda n: sll2(tcp6(n), 0x86DD)),
}

TUNNELS = {
    "ipip": (1, lambda n: outer4(4, tcp4(n))),
    "6in4": (1, lambda n: outer4(41, tcp6(n))),
    "4in6": (1, lambda n: outer6(4, tcp4(n))),
    "6in6": (1, lambda n: outer6(41, tcp6(n))),
    "mpls in ip": (1, lambda n: outer4(137, be("I", 0x20140) + tcp4(n))),
    "etherip": (1, lambda n: outer4(97, b"\x30\0" + eth(tcp4(n)))),
    "gre": (1, lambda n: gre(0x0800, tcp4(n))),
    "gre, IPv6": (1, lambda n: gre(0x86DD, tcp6(n))),
    "gre, key": (1, lambda n: gre(0x0800, tcp4(n), 0x2000, be("I", 7))),
    "gre, checksum, key, sequence": (1, lambda n: gre(0x0800, tcp4(n), 0xB000, be("HHII", 0, 0, 7, 8))),
    "gre of ethernet": (1, lambda n: gre(0x6558, eth(tcp4(n)), 0x2000, be("I", 7))),
    "gre of mpls": (1, lambda n: gre(0x8847, be("I", 0x20140) + tcp4(n))),
    "gre of wccp": (1, lambda n: gre(0x883E, be("I", 0) + tcp4(n))),
    "pptp": (1, lambda n: gre(0x880B, be("HH", 0xFF03, 0x21) + tcp4(n), 0x3081, be("HHII", 44, 1, 1, 1))),
    "erspan I": (1, lambda n: gre(0x88BE, eth(tcp4(n)))),
    "erspan II": (1, lambda n: gre(0x88BE, be("II", 0x10050000, 0) + eth(tcp4(n)), 0x1000, be("I", 1))),
    "erspan III": (1, lambda n: gre(0x22EB, be("III", 0x20050000, 0, 0) + eth(tcp4(n)), 0x1000, be("I", 1))),
    "erspan III, platform": (1, lambda n: gre(0x22EB, be("IIIQ", 0x20050000, 0, 1, 3 << 58) + eth(tcp6(n), 0x86DD),
                                              0x1000, be("I", 1))),
    "vxlan": (1, lambda n: over_udp(4789, be("II", 0x08000000, 7 << 8) + eth(tcp4(n)))),
    "vxlan of linux": (1, lambda n: over_udp(8472, be("II", 0x08000000, 7 << 8) + eth(tcp6(n), 0x86DD))),
    "vxlan of a tag": (1, lambda n: over_udp(4789, be("II", 0x08000000, 7 << 8)
                                             + eth(be("HH", 9, 0x0800) + tcp4(n), 0x8100))),
    "vxlan gpe": (1, lambda n: over_udp(4790, be("II", 0x0C000001, 7 << 8) + tcp4(n))),
    "geneve": (1, lambda n: over_udp(6081, be("HHI", 0, 0x6558, 7 << 8) + eth(tcp4(n)))),
    "geneve, options": (1, lambda n: over_udp(6081, be("HHI", 0x0200, 0x86DD, 7 << 8) + be("HBBI", 0x107, 1, 1, 0)
                                              + tcp6(n))),
    "gtp-u": (1, lambda n: over_udp(2152, be("BBHI", 0x30, 255, 40, 1) + tcp4(n), sport=2152)),
    "gtp-u, sequence": (1, lambda n: over_udp(2152, be("BBHIHBB", 0x32, 255, 44, 1, 9, 0, 0) + tcp4(n))),
    "gtp-u, extension": (1, lambda n: over_udp(2152, be("BBHIHBBBBBB", 0x34, 255, 68, 1, 0, 0, 0x85, 1, 0, 1, 0)
                                               + tcp6(n))),
    "teredo": (1, lambda n: over_udp(3544, tcp6(n))),
    "teredo, origin": (1, lambda n: over_udp(8080, be("HHI", 0, 1, 2) + tcp6(n), sport=3544)),
    "teredo, authentication, origin": (1, lambda n: over_udp(8080, be("HBB9s", 1, 0, 0, bytes(9)) + be("HHI", 0, 1, 2)
                                                             + tcp6(n), sport=3544)),
    "under sll": (113, lambda n: sll(ip4(47, be("HH", 0, 0x6558) + eth(tcp4(n)), OUTER4), 0x0800)),
    "four in one another": (1, lambda n: outer6(41, ip6(17, udp(4789, be("II", 0x08000000, 7 << 8)
                                                                + gre(0x0800, ip4(4, tcp4(n), OUTER4))), OUTER6))),
}
