"""What an office network does by itself: neighbours, addresses, clocks, names, pings, printing."""

from . import dns, messages, wire
from .office import HOUR_US, MINUTE_US, SECOND_US
from .tcp import CLIENT, SERVER
from .world import (BROADCAST_MAC, CAMERA, DESKS, HOSTS, LAPTOP, NAS, PHONES, PREFIX_V6, PRINTER,
                    ROUTER, SITE)

MDNS = wire.ip("224.0.0.251")
MDNS_V6 = wire.ip("ff02::fb")
SSDP = wire.ip("239.255.255.250")
ALL_NODES, ALL_ROUTERS = wire.ip("ff02::1"), wire.ip("ff02::2")
NOBODY = bytes(6)
LAPTOP_JOINS_US = 4 * MINUTE_US + 11 * SECOND_US
NTP_EPOCH_S = 2208988800  # 1970 in seconds since 1900


def background(office, epoch_us):
    neighbours(office)
    router_advertisements(office)
    laptop_joins(office)
    clocks(office, epoch_us // SECOND_US + NTP_EPOCH_S)
    announcements(office)
    pings(office)
    printing(office)
    nas_sync(office)


def every(rng, period_us, start_us=None):
    """Times about `period_us` apart through the hour."""
    time_us = rng.randrange(period_us) if start_us is None else start_us
    while time_us < HOUR_US:
        yield time_us
        time_us += rng.randrange(period_us * 9 // 10, period_us * 11 // 10)


def neighbours(office):
    """Each host asks for the router's MAC address when it starts, then every few minutes."""
    for host in HOSTS:
        if host is ROUTER:
            continue
        start_us = LAPTOP_JOINS_US + 900000 if host is LAPTOP else office.rng.randrange(200000)
        for time_us in every(office.rng, 4 * MINUTE_US, start_us):
            arp(office, time_us, host, ROUTER)
            neighbour_discovery(office, time_us + 5200, host, ROUTER)


def arp(office, time_us, host, target):
    ask = wire.arp_frame(1, host.mac, host.v4, NOBODY, target.v4, BROADCAST_MAC)
    office.capture.frame(time_us, ask)
    reply = wire.arp_frame(2, target.mac, target.v4, host.mac, host.v4, host.mac)
    office.capture.frame(time_us + office.rng.randrange(120, 900), reply)


def icmpv6(office, time_us, src, dst, kind, body):
    """Neighbour discovery (RFC 4861): the hop limit proves that the sender is on the link."""
    payload = wire.icmpv6(src, dst, kind, 0, body)
    office.capture.packet(time_us, wire.ip_packet(src, dst, wire.ICMPV6, 255, 0, payload))


def neighbour_discovery(office, time_us, host, target):
    group = wire.ip("ff02::1:ff00:0")[:13] + target.v6[13:]
    ask = bytes(4) + target.v6 + b"\1\1" + host.mac
    reply = b"\x60\0\0\0" + target.v6 + b"\2\1" + target.mac
    icmpv6(office, time_us, host.v6, group, 135, ask)
    icmpv6(office, time_us + office.rng.randrange(150, 800), target.v6, host.v6, 136, reply)


def router_advertisements(office):
    for time_us in every(office.rng, 8 * MINUTE_US):
        advertise(office, time_us)


def advertise(office, time_us):
    prefix = bytes([3, 4, 64, 0xC0]) + (86400).to_bytes(4, "big") + (14400).to_bytes(4, "big")
    prefix += bytes(4) + wire.ip(PREFIX_V6)
    body = bytes([64, 0]) + (1800).to_bytes(2, "big") + bytes(8) + prefix + b"\1\1" + ROUTER.mac
    icmpv6(office, time_us, ROUTER.link_local, ALL_NODES, 134, body)


def laptop_joins(office):
    """DHCP, a probe that nobody has the address, router and duplicate address discovery."""
    time_us, rng = LAPTOP_JOINS_US, office.rng
    everybody, nobody = b"\xff" * 4, bytes(4)
    transaction = rng.getrandbits(32)
    steps = ((messages.DHCP_DISCOVER, 0), (messages.DHCP_OFFER, 41000),
             (messages.DHCP_REQUEST, 43500), (messages.DHCP_ACK, 51200))
    for kind, later_us in steps:
        payload = messages.dhcp(kind, transaction, LAPTOP.mac, LAPTOP.name, LAPTOP.v4, ROUTER.v4,
                                ROUTER.v4)
        if kind in (messages.DHCP_OFFER, messages.DHCP_ACK):
            src, dst, sport, dport, from_mac = ROUTER.v4, everybody, 67, 68, ROUTER.mac
        else:
            src, dst, sport, dport, from_mac = nobody, everybody, 68, 67, LAPTOP.mac
        packet = wire.ip_packet(src, dst, wire.UDP, 64, rng.getrandbits(16),
                                wire.udp(src, dst, sport, dport, payload))
        office.capture.frame(time_us + later_us, wire.ip_frame(from_mac, BROADCAST_MAC, packet))
    for later_us in (90000, 420000):
        probe = wire.arp_frame(1, LAPTOP.mac, nobody, NOBODY, LAPTOP.v4, BROADCAST_MAC)
        office.capture.frame(time_us + later_us, probe)
    icmpv6(office, time_us + 120000, LAPTOP.link_local, ALL_ROUTERS, 133,
           bytes(4) + b"\1\1" + LAPTOP.mac)
    advertise(office, time_us + 122000)
    group = wire.ip("ff02::1:ff00:0")[:13] + LAPTOP.v6[13:]
    packet = wire.icmpv6(bytes(16), group, 135, 0, bytes(4) + LAPTOP.v6)
    packet = wire.ip_packet(bytes(16), group, wire.ICMPV6, 255, 0, packet)
    office.capture.frame(time_us + 130000,
                         wire.ip_frame(LAPTOP.mac, wire.multicast_mac(group), packet))


def clocks(office, start_s):
    """Hosts ask the router for the time, the NAS asks a public server."""
    rng, public = office.rng, SITE["ntp.time.example"]
    for host in [*DESKS, NAS, CAMERA]:
        there, delay_us, ttl = ROUTER.v4, 300, 64
        for time_us in every(rng, 17 * MINUTE_US):
            if host is NAS:
                office.resolve(time_us - 40000, host, public)
                there, delay_us, ttl = public.v4, public.rtt_us, 64 - public.hops
            now_s = start_s + time_us // SECOND_US
            ask = messages.ntp(3, 0, (0, 0, 0, now_s), office.noise)
            reply = messages.ntp(4, 2, (now_s - 37, now_s, now_s, now_s), office.noise)
            office.datagram(time_us, host.v4, there, 123, 123, ask, host.ttl)
            office.datagram(time_us + delay_us, there, host.v4, 123, 123, reply, ttl)


def announcements(office):
    """Multicast DNS and SSDP."""
    rng = office.rng
    services = ((PRINTER, "_ipp._tcp.local", "Office printer", 631),
                (NAS, "_smb._tcp.local", "NAS", 445))
    for host, service, instance, port in services:
        told = dns.service_announcement(service, instance, host.name + ".local", port, host.v4)
        for time_us in every(rng, 12 * MINUTE_US):
            office.datagram(time_us, host.v4, MDNS, 5353, 5353, told, 255)
    asked = dns.multicast_query("_ipp._tcp.local")
    for host in [each for each in DESKS + PHONES if each.stack != "windows"]:
        for time_us in every(rng, 9 * MINUTE_US):
            office.datagram(time_us, host.v4, MDNS, 5353, 5353, asked, 255)
            office.datagram(time_us + 60, host.link_local, MDNS_V6, 5353, 5353, asked, 255)
    for host in DESKS[:2]:
        for time_us in every(rng, 6 * MINUTE_US):
            port = office.port(host)
            for number in range(4):
                office.datagram(time_us + number * SECOND_US, host.v4, SSDP, port, 1900,
                                messages.ssdp_search(), 1)
    notice = messages.ssdp_notify("192.168.20.31", CAMERA.name)
    for time_us in every(rng, 14 * MINUTE_US):
        office.datagram(time_us, CAMERA.v4, SSDP, 1900, 1900, notice, 2)


def pings(office):
    """The NAS watches the line: the router each ten seconds, a far server each minute."""
    far = SITE["docs.project.example"]
    for sequence in range(360):
        time_us = sequence * 10 * SECOND_US + 412345
        office.ping(time_us, NAS.v4, ROUTER.v4, 240 + office.rng.randrange(120), 0x1D0C, sequence)
        if sequence % 6 == 1:
            answer_us = None if sequence == 175 else far.rtt_us + office.rng.randrange(3000)
            office.ping(time_us + 1500, NAS.v4, far.v4, answer_us, 0x1D0D, sequence, 64 - far.hops)
        if sequence % 12 == 3:
            office.ping(time_us + 3000, NAS.v6, ROUTER.v6, 260, 0x1D0E, sequence)


def printing(office):
    """Documents to the printer's raw port."""
    for minute, host, kilobytes in ((7, DESKS[1], 90), (26, DESKS[2], 40), (48, DESKS[0], 150)):
        connection = office.connect(minute * MINUTE_US + 7 * SECOND_US, host, PRINTER, 9100)
        connection.open()
        job = b"\x1b%-12345X@PJL JOB NAME = \"report\"\r\n@PJL ENTER LANGUAGE = PCL\r\n"
        job += office.noise(office.amount(kilobytes) * 1000) + b"\x1b%-12345X"
        connection.send(CLIENT, job, 2000)
        connection.send(SERVER, b"@PJL USTATUS JOB\r\nEND\r\n\f", 800000)
        connection.close(CLIENT)
        connection.finish()


def nas_sync(office):
    """Folders copied to the NAS by rsync; one desk asks a service that the NAS does not run."""
    for minute, host, kilobytes in ((2, DESKS[2], 300), (19, DESKS[5], 420), (44, DESKS[2], 260)):
        connection = office.connect(minute * MINUTE_US + 31 * SECOND_US, host, NAS, 873)
        connection.open()
        connection.send(SERVER, b"@RSYNCD: 31.0\n", 3000)
        connection.send(CLIENT, b"@RSYNCD: 31.0\nfiles\n")
        connection.send(SERVER, b"@RSYNCD: OK\n", 900)
        connection.send(CLIENT, office.noise(office.amount(kilobytes) * 1000), 40000)
        connection.send(SERVER, office.noise(140), 30000)
        connection.close(CLIENT)
        connection.finish()
    for minute in (3, 23, 43):
        connection = office.connect(minute * MINUTE_US, DESKS[4], NAS, 2049)
        connection.refuse()
        connection.finish()
