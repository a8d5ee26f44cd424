"""A TCP connection as the capture point sees it.

The two sides take turns: whoever sends has seen all that the other sent. Within a turn data goes
out in flights of a growing congestion window, acknowledged every second segment. All times are
those at the capture point, in microseconds.
"""

import struct
from dataclasses import dataclass

from . import wire

CLIENT, SERVER = 0, 1
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

FIRST_WINDOW_SEGMENTS = 10  # RFC 6928
MAX_WINDOW_SEGMENTS = 40  # stays below the window that every stack here announces first
REMOTE_GAP_US = 245  # a full frame on the office's 50 Mbit/s line
LOCAL_GAP_US = 13  # a full frame on gigabit Ethernet
UPLINK_GAP_US = 1210  # a full frame on the line's 10 Mbit/s up
REMOTE_FROM_US = 4000  # a side that needs longer than this to answer is beyond that line


@dataclass(frozen=True)
class Stack:
    """What an operating system announces in its SYN."""
    window: int
    scale: int
    layout: str  # the options: m MSS, s SACK permitted, t time stamps, n padding, w scale, e end

    @property
    def stamps(self):
        return "t" in self.layout


PLAIN_LAYOUT = "mnnsnw"  # of a SYN+ACK to a SYN without time stamps

STACKS = {
    "linux": Stack(64240, 7, "mstnw"),
    "windows": Stack(64240, 8, "mnwnns"),
    "mac": Stack(65535, 6, "mnwnntsee"),
}


@dataclass(frozen=True)
class Endpoint:
    address: bytes
    port: int
    stack: str
    ttl: int


@dataclass
class Segment:
    time_us: int
    side: int
    flags: int
    seq: int
    ack: int
    window: int
    payload: bytes = b""
    sack: tuple = ()


class Connection:
    """Build with the turns below, then finish().

    `delay_us[side]` is the time from a packet towards that side until its answer is seen.
    """

    def __init__(self, capture, rng, start_us, ends, delay_us):
        self.rng = rng
        self.delay_us = delay_us
        self.window_segments = FIRST_WINDOW_SEGMENTS
        self._capture = capture
        self._ends = ends
        self._stacks = [STACKS[end.stack] for end in ends]
        self._stamps = all(stack.stamps for stack in self._stacks)
        self._isn = [rng.getrandbits(32), rng.getrandbits(32)]
        self.next = list(self._isn)
        self._spoke_us = [start_us, -10**15]  # last time that a side sent something to answer
        self._last_us = [-10**15, -10**15]  # last time that a side sent anything
        self._floor_us = start_us
        self._segments = []

    @property
    def mss(self):
        header = 20 if len(self._ends[0].address) == 4 else 40
        return 1500 - header - 20

    @property
    def room(self):
        """Payload bytes in a full segment."""
        return self.mss - (12 if self._stamps else 0)

    def reaction(self, side):
        delay_us = self.delay_us[side]
        return delay_us + self.rng.randrange(delay_us // 24 + 60)

    def turn(self, side):
        """When `side` may send next."""
        return max(self._spoke_us[1 - side] + self.reaction(side), self._spoke_us[side] + 30,
                   self._floor_us)

    def now(self):
        return max(self._spoke_us)

    def wait(self, time_us):
        """Nobody sends for so long."""
        self._floor_us = max(self.now(), self._floor_us) + time_us

    def open(self):
        self._speak(self.turn(CLIENT), CLIENT, SYN)
        self._speak(self.turn(SERVER), SERVER, SYN | ACK)
        self._speak(self.turn(CLIENT), CLIENT, ACK)

    def refuse(self):
        """The SYN meets a closed port."""
        self._speak(self.turn(CLIENT), CLIENT, SYN)
        self._speak(self.turn(SERVER), SERVER, RST | ACK)

    def syn_only(self):
        self._speak(self.turn(CLIENT), CLIENT, SYN)

    def half_open(self):
        """A scanner's visit to an open port: SYN, SYN+ACK, RST."""
        self._speak(self.turn(CLIENT), CLIENT, SYN)
        self._speak(self.turn(SERVER), SERVER, SYN | ACK)
        self._speak(self.turn(CLIENT), CLIENT, RST)

    def send(self, side, data, think_us=0, reorder=False):
        """One turn. With `reorder`, one pair of segments in each flight arrives exchanged."""
        time_us = self.turn(side) + think_us
        while data:
            size = self.window_segments * self.room
            flight, data = self.cut(data[:size]), data[size:]
            if reorder and len(flight) > 4:
                first_ack_us = self._flight_exchanged(side, time_us, flight)
            else:
                first_ack_us = self._flight(side, time_us, flight, final=not data)
            time_us = first_ack_us + self.reaction(side)
            self.window_segments = min(2 * self.window_segments, MAX_WINDOW_SEGMENTS)

    def close(self, side):
        other = 1 - side
        self._speak(self.turn(side), side, FIN | ACK)
        if self.rng.random() < 0.3:
            self.acknowledge(other, self._spoke_us[side] + self.reaction(other))
            self._floor_us = self._last_us[other] + self.rng.randrange(200, 4000)
        self._speak(self.turn(other), other, FIN | ACK)
        self.acknowledge(side, self.turn(side))

    def reset(self, side):
        self._speak(self.turn(side), side, RST | ACK)

    def keep_alive(self, side):
        """RFC 9293 section 3.8.4: an empty segment one below what the other expects."""
        self._emit(self.turn(side), side, ACK, seq=self.next[side] - 1)
        self._spoke_us[side] = self._last_us[side]
        self.acknowledge(1 - side, self._last_us[side] + self.reaction(1 - side))

    # The pieces that turns are made of; loss.py uses them too.

    def cut(self, data):
        return [data[at:at + self.room] for at in range(0, len(data), self.room)]

    def gap(self, side):
        return REMOTE_GAP_US if self.delay_us[side] > REMOTE_FROM_US else LOCAL_GAP_US

    def data(self, time_us, side, chunk, push=False):
        """New data; returns the time it got."""
        self._emit(time_us, side, ACK | (PSH if push else 0), payload=chunk)
        self.next[side] += len(chunk)
        self._spoke_us[side] = self._last_us[side]
        return self._last_us[side]

    def resend(self, time_us, side, seq, chunk):
        self._emit(time_us, side, ACK | PSH, payload=chunk, seq=seq)
        self._spoke_us[side] = self._last_us[side]
        return self._last_us[side]

    def acknowledge(self, side, time_us, ack=None, sack=()):
        self._emit(time_us, side, ACK, ack=ack, sack=sack)
        return self._last_us[side]

    def finish(self):
        """Hand the connection to the capture."""
        self._segments.sort(key=lambda segment: segment.time_us)  # stable
        idents = [self.rng.getrandbits(16), self.rng.getrandbits(16)]
        clocks = [self.rng.getrandbits(30), self.rng.getrandbits(30)]
        stamps = [[(-10**15, 0)], [(-10**15, 0)]]
        for segment in self._segments:
            side = segment.side
            heard_by_us = segment.time_us - self.delay_us[side]
            echo = next(value for at, value in reversed(stamps[1 - side]) if at <= heard_by_us)
            stamp = clocks[side] + (segment.time_us - self.delay_us[side] // 2) // 1000
            stamps[side].append((segment.time_us, stamp))
            options = self._options(segment, stamp & 0xFFFFFFFF, echo & 0xFFFFFFFF)
            self._capture.packet(segment.time_us, self._packet(segment, idents[side], options))
            idents[side] = (idents[side] + 1) & 0xFFFF

    def _flight(self, side, time_us, flight, final):
        other = 1 - side
        uplink = self.gap(side) == LOCAL_GAP_US and self.gap(other) == REMOTE_GAP_US
        # The last segment is often acknowledged by the answer, whose turn it is.
        answered = final and self.rng.random() < 0.6
        first_ack_us = None
        for number, chunk in enumerate(flight):
            last = number == len(flight) - 1
            at_us = self.data(time_us + number * self.gap(side), side, chunk, final and last)
            if number % 2 == 1 or (last and not answered):
                queued_us = number * UPLINK_GAP_US if uplink else 0
                ack_us = self.acknowledge(other, at_us + queued_us + self.reaction(other))
                first_ack_us = first_ack_us or ack_us
        return first_ack_us or at_us

    def _flight_exchanged(self, side, time_us, flight):
        """Segments 2 and 3 of the flight swap places: a duplicate ACK with SACK follows."""
        other = 1 - side
        gap_us = self.gap(side)
        seqs = [self.next[side] + self.room * number for number in range(len(flight))]
        for number in (0, 1, 3, 2, *range(4, len(flight))):
            self.next[side] = seqs[number]
            at_us = self.data(time_us, side, flight[number])
            time_us = at_us + gap_us
            answer_us = at_us + min(self.reaction(other), gap_us - 20)
            if number == 3:
                block = (seqs[3], seqs[3] + len(flight[3]))
                self.acknowledge(other, answer_us, ack=seqs[2], sack=(block,))
            else:
                newest = 3 if number == 2 else number
                end = seqs[newest] + len(flight[newest])
                self.acknowledge(other, answer_us, ack=end)
        return at_us

    def _speak(self, time_us, side, flags):
        self._emit(time_us, side, flags)
        self._spoke_us[side] = self._last_us[side]
        if flags & (SYN | FIN):
            self.next[side] += 1

    def _emit(self, time_us, side, flags, payload=b"", seq=None, ack=None, sack=()):
        time_us = max(time_us, self._last_us[side] + 1)
        self._last_us[side] = time_us
        if ack is None:
            ack = self.next[1 - side] if flags & ACK else 0
        self._segments.append(Segment(time_us, side, flags, self.next[side] if seq is None else seq,
                                      ack, self._window(side, flags, ack), payload, sack))

    def _window(self, side, flags, ack):
        stack = self._stacks[side]
        if flags & RST:
            return 0
        if flags & SYN:
            return stack.window
        received = ack - self._isn[1 - side]
        return min(stack.window + 2 * received, 3 << 20) >> stack.scale

    def _options(self, segment, stamp, echo):
        stack = self._stacks[segment.side]
        if segment.flags & RST:
            return b""
        time_stamp = struct.pack("!BBII", 8, 10, stamp, echo)
        if segment.flags & SYN:
            kinds = {"m": struct.pack("!BBH", 2, 4, self.mss), "s": b"\4\2", "t": time_stamp,
                     "n": b"\1", "w": bytes([3, 3, stack.scale]), "e": b"\0"}
            plain = "t" in stack.layout and segment.side == SERVER and not self._stamps
            return b"".join(kinds[kind] for kind in (PLAIN_LAYOUT if plain else stack.layout))
        options = b"\1\1" + time_stamp if self._stamps else b""
        if segment.sack:
            blocks = b"".join(struct.pack("!II", start & 0xFFFFFFFF, end & 0xFFFFFFFF)
                              for start, end in segment.sack[:3])
            options += b"\1\1" + bytes([5, 2 + len(blocks)]) + blocks
        return options

    def _packet(self, segment, ident, options):
        here, there = self._ends[segment.side], self._ends[1 - segment.side]
        data = wire.tcp(here.address, there.address, here.port, there.port, segment.seq,
                        segment.ack, segment.flags, segment.window, options, segment.payload)
        return wire.ip_packet(here.address, there.address, wire.TCP, here.ttl, ident, data)
