"""The capture point: a mirror port of the office's switch, beside the router.

Everything that hosts send arrives here a moment after it left, everything from the Internet after
the router has handled it; so a frame's MAC address is its host's, or the router's for anybody else.
"""

from . import wire
from .world import HOSTS, ROUTER


class Capture:
    """Collects frames with their times in microseconds since the start; sorts them at the end."""

    def __init__(self):
        self._frames = []
        self._macs = {}
        for host in HOSTS:
            for address in (host.v4, host.v6, host.link_local):
                self._macs[address] = host.mac

    def frame(self, time_us, data):
        self._frames.append((time_us, len(self._frames), data))

    def packet(self, time_us, packet):
        """An IP packet in the frame that its addresses ask for."""
        v4 = packet[0] >> 4 == 4
        src, dst = (packet[12:16], packet[16:20]) if v4 else (packet[8:24], packet[24:40])
        self.frame(time_us, wire.ip_frame(self._mac(src), self._mac(dst), packet))

    def _mac(self, address):
        if (len(address) == 4 and address[0] >> 4 == 14) or address[0] == 0xFF:
            return wire.multicast_mac(address)
        if address == b"\xff\xff\xff\xff":
            return b"\xff" * 6
        return self._macs.get(address, ROUTER.mac)

    def between(self, start_us, end_us, epoch_us):
        """The frames with start <= time < end as (epoch + time, frame), in order of time."""
        return [(epoch_us + time_us, data) for time_us, _, data in sorted(self._frames)
                if start_us <= time_us < end_us]
