"""Frames as bytes: Ethernet, ARP, IPv4, IPv6, ICMP, UDP, TCP, and the pcap file around them.

Addresses are packed bytes throughout: 6 for a MAC, 4 for IPv4, 16 for IPv6.
"""

import ipaddress
import struct

ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86DD
ICMP, IGMP, TCP, UDP, ICMPV6 = 1, 2, 6, 17, 58

MIN_FRAME = 60  # IEEE 802.3 without the frame check sequence: a switch pads to this


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ip(text):
    return ipaddress.ip_address(text).packed


def checksum(data):
    """The Internet checksum of RFC 1071: a ones' complement sum is a remainder modulo 2^16 - 1."""
    if len(data) % 2:
        data += b"\0"
    total = int.from_bytes(data, "big") % 0xFFFF
    # A sum of nonzero words is never +0, so the remainder 0 stands for 0xffff.
    return 0xFFFF - (total or 0xFFFF)


def with_checksum(header, offset, covered):
    """The header with the checksum of `covered` stored big-endian at `offset`."""
    return header[:offset] + struct.pack("!H", checksum(covered)) + header[offset + 2:]


def pseudo_header(src, dst, protocol, length):
    if len(src) == 4:
        return src + dst + struct.pack("!BBH", 0, protocol, length)
    return src + dst + struct.pack("!II", length, protocol)


def transport(src, dst, protocol, header, offset, payload):
    """Header and payload with the checksum over pseudo-header, header and payload."""
    segment = header + payload
    covered = pseudo_header(src, dst, protocol, len(segment)) + segment
    header = with_checksum(header, offset, covered)
    if protocol == UDP and header[offset:offset + 2] == b"\0\0":  # 0 means "none" in UDP
        header = header[:offset] + b"\xff\xff" + header[offset + 2:]
    return header + payload


def udp(src, dst, sport, dport, payload):
    header = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    return transport(src, dst, UDP, header, 6, payload)


def tcp(src, dst, sport, dport, seq, ack, flags, window, options, payload):
    words = 5 + len(options) // 4
    header = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF,
                         words << 4, flags, window, 0, 0) + options
    return transport(src, dst, TCP, header, 16, payload)


def icmp(kind, code, body):
    header = struct.pack("!BBH", kind, code, 0)
    return with_checksum(header, 2, header + body) + body


def icmpv6(src, dst, kind, code, body):
    return transport(src, dst, ICMPV6, struct.pack("!BBH", kind, code, 0), 2, body)


def ip_packet(src, dst, protocol, ttl, ident, payload, options=b""):
    """An IPv4 packet (do not fragment, options as given) or an IPv6 one; `ident` is IPv4's."""
    if len(src) == 4:
        header = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, 0,
                             20 + len(options) + len(payload), ident, 0x4000, ttl, protocol, 0)
        header += src + dst + options
        return with_checksum(header, 10, header) + payload
    return struct.pack("!IHBB", 6 << 28, len(payload), protocol, ttl) + src + dst + payload


def frame(src_mac, dst_mac, ethertype, payload):
    data = dst_mac + src_mac + struct.pack("!H", ethertype) + payload
    return data.ljust(MIN_FRAME, b"\0")


def ip_frame(src_mac, dst_mac, packet):
    return frame(src_mac, dst_mac, IPV4 if packet[0] >> 4 == 4 else IPV6, packet)


def arp_frame(operation, sender_mac, sender_ip, target_mac, target_ip, dst_mac):
    body = struct.pack("!HHBBH", 1, IPV4, 6, 4, operation)
    return frame(sender_mac, dst_mac, ARP,
                 body + sender_mac + sender_ip + target_mac + target_ip)


def multicast_mac(address):
    """RFC 1112 section 6.4 and RFC 2464 section 7."""
    if len(address) == 4:
        return b"\x01\x00\x5e" + bytes([address[1] & 0x7F]) + address[2:]
    return b"\x33\x33" + address[12:]


def pcap_bytes(frames, snaplen):
    """A little-endian pcap file of Ethernet frames: pairs of time in us and frame, in that order.

    `snaplen` 0 keeps whole frames.
    """
    limit = snaplen or 262144
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, limit, 1)]
    for time_us, data in frames:
        kept = data[:limit]
        parts.append(struct.pack("<IIII", time_us // 1000000, time_us % 1000000,
                                 len(kept), len(data)))
        parts.append(kept)
    return b"".join(parts)
