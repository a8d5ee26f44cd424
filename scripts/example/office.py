"""The stage: who can talk to whom, and the steps that every activity is made of."""

import random

from . import dns, wire
from .capture import Capture
from .tcp import Connection, Endpoint
from .world import ROUTER, Host

SECOND_US = 1000000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US

CACHE_US = 300 * SECOND_US  # how long hosts remember an answer
NOISE_BYTES = 8192
LAN_DELAY_US = 170


class Office:
    """Randomness, the capture, and the ways in which hosts open conversations."""

    def __init__(self, seed, scale):
        self.rng = random.Random(seed)
        self.scale = scale  # of everything whose amount does not matter, 1.0 for the full hour
        self.capture = Capture()
        # A short pattern: looks random, packs well in version control.
        self._pool = self.rng.randbytes(NOISE_BYTES) * 4

    def noise(self, size):
        start = 64 * self.rng.randrange(NOISE_BYTES // 64)
        repeated = self._pool[start:start + size]
        while len(repeated) < size:
            repeated += self._pool[:size - len(repeated)]
        return repeated

    def amount(self, full, least=1):
        return max(least, round(full * self.scale))

    def datagram(self, time_us, src, dst, sport, dport, payload, ttl=64, ident=None):
        ident = self.rng.getrandbits(16) if ident is None else ident
        segment = wire.udp(src, dst, sport, dport, payload)
        self.capture.packet(time_us, wire.ip_packet(src, dst, wire.UDP, ttl, ident, segment))

    def port(self, host):
        """The next ephemeral port of a host."""
        host.next_port = 49152 + (host.next_port - 49152 + 1 + self.rng.randrange(3)) % 16384
        return host.next_port

    def resolve(self, time_us, host, target):
        """Look up a site's name with the router unless remembered; returns when it is known."""
        if host.known_names.get(target.name, -1) >= time_us:
            return time_us
        known_us = time_us
        for kind, address, later_us in ((dns.A, target.v4, 0), (dns.AAAA, target.v6, 45)):
            name_port, ident = self.port(host), self.rng.getrandbits(16)
            upstream_us = self.rng.choice((280, 350, 9000, 14000, 22000))
            answered_us = time_us + later_us + upstream_us + self.rng.randrange(900)
            ttl_s = self.rng.randrange(30, 301)
            question = dns.query(ident, target.name, kind)
            answer = dns.answer(ident, target.name, kind, address, target.alias_of, ttl_s)
            self.exchange(time_us + later_us, answered_us, host, name_port, question, answer)
            known_us = max(known_us, answered_us + 150)
        host.known_names[target.name] = known_us + CACHE_US
        return known_us

    def fail_to_resolve(self, time_us, host, name):
        ident = self.rng.getrandbits(16)
        self.exchange(time_us, time_us + self.rng.randrange(9000, 30000), host, self.port(host),
                      dns.query(ident, name, dns.A), dns.no_such_name(ident, name, dns.A))

    def exchange(self, asked_us, answered_us, host, port, question, answer):
        """One question to the router's resolver, over IPv6 from hosts that like it better."""
        here, there = host.v4, ROUTER.v4
        if host.stack == "mac":
            here, there = host.v6, ROUTER.v6
        self.datagram(asked_us, here, there, port, 53, question, host.ttl)
        self.datagram(answered_us, there, here, 53, port, answer)

    def connect(self, time_us, host, target, port):
        """A connection of an office host: to a site after looking it up, or to another host."""
        if isinstance(target, Host):
            there = Endpoint(target.v4, port, target.stack, target.ttl)
            return self.connection(time_us, self._here(host, False), there,
                                   (LAN_DELAY_US, LAN_DELAY_US + 90))
        time_us = self.resolve(time_us, host, target) + self.rng.randrange(200, 1500)
        sixth = bool(target.v6) and self.rng.random() < 0.8
        there = Endpoint(target.v6 if sixth else target.v4, port, "linux", 64 - target.hops)
        return self.connection(time_us, self._here(host, sixth), there,
                               (LAN_DELAY_US, target.rtt_us))

    def connection(self, time_us, client, server, delay_us):
        return Connection(self.capture, self.rng, time_us, (client, server), delay_us)

    def _here(self, host, sixth):
        return Endpoint(host.v6 if sixth else host.v4, self.port(host), host.stack, host.ttl)

    def ping(self, time_us, here, there, delay_us, ident, sequence, ttl_back=64):
        """ICMP echo, either version; `delay_us` None: no answer."""
        body = ident.to_bytes(2, "big") + sequence.to_bytes(2, "big") + bytes(range(0x10, 0x40))
        if len(here) == 4:
            ask, reply = wire.icmp(8, 0, body), wire.icmp(0, 0, body)
            protocol = wire.ICMP
        else:
            ask = wire.icmpv6(here, there, 128, 0, body)
            reply = wire.icmpv6(there, here, 129, 0, body)
            protocol = wire.ICMPV6
        packet = wire.ip_packet(here, there, protocol, 64, self.rng.getrandbits(16), ask)
        self.capture.packet(time_us, packet)
        if delay_us is not None:
            back = self.rng.getrandbits(16)
            packet = wire.ip_packet(there, here, protocol, ttl_back, back, reply)
            self.capture.packet(time_us + delay_us, packet)
