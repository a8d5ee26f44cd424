#!/usr/bin/env python3
"""Write the project's example capture: one invented hour of a small office's network traffic.

Everything in it is made up: see scripts/example/world.py for who is in it and events.py for what
happens and when. The same options give the same bytes on every run and machine. The committed
example is what this command writes:

    scripts/make-example.py -o examples/office-hour.pcap
"""

import argparse
import datetime
import sys
from pathlib import Path

from example import events, lan, web, wire
from example.office import HOUR_US, Office

EPOCH_US = int(datetime.datetime(2026, 3, 2, 9, tzinfo=datetime.timezone.utc).timestamp()) * 10**6
FULL_PACKETS = 50000
SNAP_LENGTH = 264


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True,
                        help="pcap file to write")
    parser.add_argument("--seed", type=int, default=20260302, help="default: %(default)s")
    parser.add_argument("--packets", type=int, default=FULL_PACKETS, metavar="N",
                        help="about how many packets to make (default: %(default)s); the stories "
                             "stay, with less traffic around them; below some 5000 there is "
                             "nothing left to take away")
    parser.add_argument("--snaplen", type=int, default=SNAP_LENGTH, metavar="BYTES",
                        help="bytes kept of each packet, 0: all (default: %(default)s)")
    arguments = parser.parse_args()
    if arguments.packets < 1 or arguments.snaplen < 0:
        parser.error("--packets must be at least 1 and --snaplen at least 0")
    return arguments


def main():
    arguments = parse_arguments()
    office = Office(arguments.seed, arguments.packets / FULL_PACKETS)
    lan.background(office, EPOCH_US)
    events.stories(office)
    web.browse(office)
    frames = office.capture.between(0, HOUR_US, EPOCH_US)
    try:
        arguments.output.write_bytes(wire.pcap_bytes(frames, arguments.snaplen))
    except OSError as error:
        sys.exit(f"make-example: cannot write {arguments.output}: {error.strerror}")
    print(f"{arguments.output}: {len(frames)} packets")


if __name__ == "__main__":
    main()
