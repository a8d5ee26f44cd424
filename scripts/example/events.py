"""The hour's stories, each of which some analysis should find."""

from . import messages, tls, wire
from .lan import arp
from .loss import LossyDownload
from .office import HOUR_US, MINUTE_US, SECOND_US
from .tcp import CLIENT, SERVER, Endpoint
from .web import tls_open
from .world import (BROADCAST_MAC, CAMERA, DESKS, HOSTS, LAPTOP, NAS, PREFIX_V4, SCANNER,
                    SCANNER_RTT_US, SITE)

# When, in minutes past the hour. Tests rely on these.
CALL_FROM, CALL_MINUTES = 12, 3
BACKUP_AT = 22
SCAN_AT = 27
LOSS_FROM, LOSS_TO = 32, 34
SWEEP_AT = 51
BEACON_S = 60

# Ports that the scanner tries, the well-known ones first.
SCAN_PORTS = (21, 22, 23, 25, 53, 80, 81, 110, 111, 135, 139, 143, 161, 389, 443, 445, 465, 502,
              514, 548, 554, 587, 631, 636, 873, 990, 993, 995, 1080, 1194, 1433, 1521, 1723, 1883,
              2049, 2082, 2222, 2375, 3000, 3128, 3306, 3389, 4443, 5000, 5060, 5432, 5601, 5672,
              5900, 5985, 6379, 6443, 7001, 8000, 8008, 8080, 8081, 8088, 8443, 8888, 9000, 9090,
              9100, 9200, 9418, 9999, 10000, 11211, 27017, 50000) + tuple(range(1, 1024, 3))


def stories(office):
    video_call(office)
    backup(office)
    inbound_scan(office)
    lossy_download(office)
    sweep(office)
    beacon(office)
    mail_connection(office)
    idle_shell(office)
    push_connection(office)
    unreachable_partner(office)
    radio(office)


def video_call(office):
    """Sound both ways each 60 ms, pictures four times a second, after STUN."""
    rng, host, far = office.rng, DESKS[3], SITE["call.meet.example"]
    time_us = office.resolve(CALL_FROM * MINUTE_US, host, far)
    port, transaction = office.port(host), rng.randbytes(12)
    office.datagram(time_us, host.v4, far.v4, port, 10000, messages.stun(1, transaction), host.ttl)
    time_us += far.rtt_us
    office.datagram(time_us, far.v4, host.v4, 10000, port,
                    messages.stun(0x101, transaction, wire.ip("203.0.113.20"), port),
                    64 - far.hops)
    minutes_us = office.amount(CALL_MINUTES * 60) * SECOND_US
    streams = ((True, 111, 60000, 2880, (50, 100)), (False, 111, 60000, 2880, (50, 100)),
               (True, 96, 250000, 22500, (700, 1180)), (False, 96, 250000, 22500, (700, 1180)))
    for outward, kind, period_us, ticks, sizes in streams:
        source, start = rng.getrandbits(32), rng.getrandbits(15)
        for number in range(minutes_us // period_us):
            at_us = time_us + 300000 + number * period_us
            payload = messages.rtp(kind, start + number, number * ticks, source,
                                   office.noise(rng.randrange(*sizes)))
            if outward:
                office.datagram(at_us + rng.randrange(400), host.v4, far.v4, port, 10000, payload,
                                host.ttl)
            else:
                office.datagram(at_us + rng.randrange(6000), far.v4, host.v4, 10000, port, payload,
                                64 - far.hops)


def backup(office):
    """The NAS uploads to its vault: most of the hour's bytes upwards."""
    connection = tls_open(office, BACKUP_AT * MINUTE_US, NAS, SITE["backup.vault.example"])
    for _ in range(office.amount(2)):
        connection.send(CLIENT, tls.application(office.noise, 560000), 30000)
        connection.send(SERVER, tls.application(office.noise, 120), 90000)
    connection.close(CLIENT)
    connection.finish()


def inbound_scan(office):
    """A public address tries ports of the NAS: open, closed (a reset) and filtered (silence)."""
    rng = office.rng
    time_us = SCAN_AT * MINUTE_US + 20 * SECOND_US
    ports = list(dict.fromkeys(SCAN_PORTS))[:office.amount(380)]
    for number, port in enumerate(ports):
        scanner = Endpoint(SCANNER, 40000 + number % 7, "windows", 128 - 21)
        nas = Endpoint(NAS.v4, port, NAS.stack, NAS.ttl)
        connection = office.connection(time_us, scanner, nas, (SCANNER_RTT_US, 200))
        if port in NAS.open_ports:
            connection.half_open()
        elif port % 10 < 6:
            connection.refuse()
        else:
            connection.syn_only()
        connection.finish()
        time_us += rng.randrange(60000, 200000)
    for port in (69, 161, 1900):
        udp_probe(office, time_us, port)
        time_us += rng.randrange(90000, 300000)


def udp_probe(office, time_us, port):
    """A datagram to a closed port, and the ICMP error that quotes it (RFC 1122 section 3.2.2)."""
    probe = wire.ip_packet(SCANNER, NAS.v4, wire.UDP, 107, office.rng.getrandbits(16),
                           wire.udp(SCANNER, NAS.v4, 40010, port, bytes(8)))
    error = wire.icmp(3, 3, bytes(4) + probe)
    office.capture.packet(time_us, probe)
    office.capture.packet(time_us + 210, wire.ip_packet(NAS.v4, SCANNER, wire.ICMP, 64,
                                                        office.rng.getrandbits(16), error))


def lossy_download(office):
    """The laptop fetches a large file over bad radio: the hour's only retransmissions."""
    mirror = SITE["mirror.example.net"]
    connection = office.connect(LOSS_FROM * MINUTE_US - 3 * SECOND_US, LAPTOP, mirror, 80)
    connection.open()
    path = "/images/installer-12.9.iso"
    connection.send(CLIENT, messages.http_request(mirror.name, path, LAPTOP.stack), 400)
    connection.wait(3 * SECOND_US)
    body = office.noise(office.amount(1400) * 1000)
    response = messages.http_response("200 OK", "application/octet-stream", body)
    link = LossyDownload(connection, LOSS_FROM * MINUTE_US, LOSS_TO * MINUTE_US)
    link.send(response)
    connection.close(CLIENT)
    connection.finish()


def sweep(office):
    """A desk looks for everybody: ARP for each address, then echo and SMB to who is there."""
    rng, host = office.rng, DESKS[4]
    by_address = {each.v4: each for each in HOSTS}
    time_us = SWEEP_AT * MINUTE_US
    for number in range(1, 255):
        address = wire.ip(f"{PREFIX_V4}{number}")
        target = by_address.get(address)
        time_us += rng.randrange(30000, 70000)
        if target is host:
            continue
        if not target:
            office.capture.frame(time_us, wire.arp_frame(1, host.mac, host.v4, bytes(6), address,
                                                         BROADCAST_MAC))
            continue
        arp(office, time_us, host, target)
        silent = target.stack == "windows"
        office.ping(time_us + 1200, host.v4, address, None if silent else 350, 0x0001, number,
                    target.ttl)
        connection = office.connect(time_us + 8000, host, target, 445)
        if 445 in target.open_ports:
            connection.open()
            connection.close(CLIENT)
        else:
            connection.refuse()
        connection.finish()


def beacon(office):
    """The camera reports home once a minute, give or take a second."""
    rng, far = office.rng, SITE["telemetry.camera.example"]
    for number in range(HOUR_US // (BEACON_S * SECOND_US)):
        time_us = number * BEACON_S * SECOND_US + 17 * SECOND_US + rng.randrange(1200000)
        connection = office.connect(time_us, CAMERA, far, 80)
        connection.open()
        status = f"id=cam-31 up={86400 + number * BEACON_S} motion={rng.randrange(2)}\n".encode()
        request = messages.http_request(far.name, "/v2/checkin", CAMERA.stack, "POST", status,
                                        "camera-fw/2.1.7")
        connection.send(CLIENT, request, 900)
        connection.send(SERVER, messages.http_response("200 OK", "text/plain", b"ok\n"), 15000)
        connection.close(SERVER)
        connection.finish()


def mail_connection(office):
    """Open since before the hour, so without handshake; a little is said now and then."""
    rng = office.rng
    connection = tls_open(office, -7 * MINUTE_US, DESKS[0], SITE["imap.mail.example"], 993)
    while connection.now() < HOUR_US:
        connection.send(CLIENT, tls.application(office.noise, rng.randrange(30, 60)))
        connection.send(SERVER, tls.application(office.noise, rng.randrange(60, 4000)), 3000)
        connection.wait(rng.randrange(90, 200) * SECOND_US)
    connection.finish()


def idle_shell(office):
    """SSH to a build machine: typing, then nothing for longer than any idle timeout, then again."""
    rng, noise = office.rng, office.noise
    connection = office.connect(8 * MINUTE_US, DESKS[5], SITE["build.dev.example"], 22)
    connection.open()
    connection.send(CLIENT, b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", 300)
    connection.send(SERVER, b"SSH-2.0-OpenSSH_9.6\r\n", 7000)
    connection.send(CLIENT, messages.ssh_key_exchange_init(noise), 500)
    connection.send(SERVER, messages.ssh_key_exchange_init(noise), 500)
    connection.send(CLIENT, messages.ssh_client_key(noise), 900)
    connection.send(SERVER, messages.ssh_server_key(noise), 3000)
    connection.send(CLIENT, messages.ssh_packet(21, b""), 900)
    for pause_s in (0, 21 * 60, 16 * 60):
        connection.wait(pause_s * SECOND_US)
        for _ in range(office.amount(500)):
            connection.send(CLIENT, noise(36), rng.randrange(90000, 420000))
            connection.send(SERVER, noise(rng.choice((36, 36, 36, 68, 420))), 900)
    connection.close(CLIENT)
    connection.finish()


def push_connection(office):
    """A phone-like notification channel: TCP keep-alives, still open when the hour ends."""
    connection = tls_open(office, 6 * MINUTE_US, LAPTOP, SITE["push.device.example"])
    while connection.now() < HOUR_US:
        for _ in range(4):
            connection.wait(75 * SECOND_US)
            connection.keep_alive(CLIENT)
        connection.wait(9 * SECOND_US)
        connection.send(SERVER, tls.application(office.noise, 310))
    connection.finish()


def unreachable_partner(office):
    """A service that is gone: its host refuses, then the program tries again."""
    for minute in (14, 15, 17, 21, 29, 45):
        target = SITE["old.partner.example"]
        connection = office.connect(minute * MINUTE_US + 5 * SECOND_US, DESKS[1], target, 443)
        connection.refuse()
        connection.finish()


def radio(office):
    """A plain HTTP stream, a block each second, that the listener cuts off with a reset."""
    station = SITE["radio.stream.example"]
    connection = office.connect(36 * MINUTE_US, DESKS[2], station, 80)
    connection.open()
    connection.send(CLIENT, messages.http_request(station.name, "/live", "linux"), 300)
    seconds = office.amount(300)
    head = (f"HTTP/1.1 200 OK\r\nServer: radio\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Length: {10**9}\r\nConnection: keep-alive\r\n\r\n").encode()
    connection.send(SERVER, head + office.noise(9000), 30000)
    for _ in range(seconds):
        connection.wait(SECOND_US)
        connection.send(SERVER, office.noise(1200))
    connection.reset(CLIENT)
    connection.finish()
