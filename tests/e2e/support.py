"""What the end-to-end tests share: where things are, the captures with their truth, and readers of
capture files simple enough to be trusted as a second opinion."""
import json
import os
import struct
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(os.path.join(ROOT, os.environ.get("SLUICE", "sluice")))
EXAMPLE = os.path.join(ROOT, "examples", "office-hour.pcap")
# Other people's captures, too big and too foreign to stand in the repository.
SHARED = os.path.abspath(os.path.join(ROOT, os.environ.get("SLUICE_SHARED", "../shared")))
CAPTURES = os.path.join(SHARED, "captures")
NO_CAPTURES = "no captures in " + CAPTURES

SANITISED = "san" in PROGRAM.split(os.sep)
# Sanitised programs start and run some five times slower.
SLOWNESS = 5 if SANITISED else 1


def read_truth():
    """truth.json by file name; empty where it is not there."""
    try:
        with open(os.path.join(CAPTURES, "truth.json"), encoding="utf-8") as file:
            return {entry["file"]: entry for entry in json.load(file)["files"]}
    except FileNotFoundError:
        return {}


TRUTH = read_truth()


def each_capture(*wanted):
    """Parametrises a test over the entries of truth that pass every predicate; one skip without."""
    if not TRUTH:
        return pytest.mark.parametrize("entry", [pytest.param(None, marks=pytest.mark.skip(NO_CAPTURES))])
    chosen = [entry for entry in TRUTH.values() if all(test(entry) for test in wanted)]
    assert chosen, "a test that would run over nothing"
    return pytest.mark.parametrize("entry", chosen, ids=[entry["file"] for entry in chosen])


def path_of(entry):
    return os.path.join(CAPTURES, entry["file"])


def supported(entry):
    """In a format that is read."""
    return not entry["file"].endswith(".snoop")


def compressed(entry):
    return entry["file"].endswith(".gz")


def whole(entry):
    return entry["read"]["status"] == "ok"


def plain(entry):
    """Supported, not compressed, whole: what most properties are held on."""
    return supported(entry) and whole(entry) and not compressed(entry)


def outer(entry, display_filter):
    """Frames whose outermost headers match one of truth's filters."""
    return next(f["outer"] for f in entry["filters"] if f["filter"] == display_filter)


def same_layers(entry, display_filter):
    """Whether looking at the outermost headers only makes no difference to a filter."""
    return next(f["outer"] == f["tshark"] for f in entry["filters"] if f["filter"] == display_filter)


def fragmented(entry):
    """Later fragments have no transport for truth.json, but belong to a flow for sluice."""
    return outer(entry, "ip.flags.mf==1 || ip.frag_offset>0") > 0 or entry["file"] == "ipv6-fragments.pcap"


def json_lines(data, **how):
    return [json.loads(line, **how) for line in data.decode().splitlines()]


def pcap_records(data):
    """[(offset, end, captured bytes, wire bytes)] of a pcap in memory, with the plain 2.4 header."""
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">",
             b"\xa1\xb2\x3c\x4d": ">"}[data[:4]]
    records, at = [], 24
    while at + 16 <= len(data):
        caplen, length = struct.unpack(order + "II", data[at + 8:at + 16])
        if at + 16 + caplen > len(data):
            break
        records.append((at, at + 16 + caplen, caplen, length))
        at += 16 + caplen
    return records


def pcapng_blocks(data):
    """[(offset, end, block type)] of a pcapng in memory; whole blocks only."""
    blocks, at, order = [], 0, "<"
    while at + 12 <= len(data):
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
        kind, length = struct.unpack(order + "II", data[at:at + 8])
        if at + length > len(data):
            break
        blocks.append((at, at + length, kind))
        at += length
    return blocks


def record_ends(data):
    """[(start, end, packets up to its end)] of every record or block after the file's first header."""
    spans, packets = [], 0
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        for start, end, kind in pcapng_blocks(data):
            packets += kind in (3, 6)
            spans.append((start, end, packets))
        return spans
    return [(start, end, number + 1) for number, (start, end, _, _) in enumerate(pcap_records(data))]


def pcap(packets, link_type=1, magic=0xA1B2C3D4, snaplen=262144):
    """A capture file made of [(seconds, microseconds, bytes)]."""
    out = [struct.pack("<IHHiIII", magic, 2, 4, 0, 0, snaplen, link_type)]
    for seconds, micros, frame in packets:
        out.append(struct.pack("<IIII", seconds, micros, len(frame), len(frame)) + frame)
    return b"".join(out)


def block(kind, body):
    """Of a pcapng file."""
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


SECTION = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(resolution):
    return block(1, struct.pack("<HHIHHB3xHH", 1, 0, 0, 9, 1, resolution, 0, 0))


def as_pcapng(packets, interfaces=1, late=None):
    """A pcapng file of [(time, frame)], in microseconds; packets from index `late` on are of an interface that is
    described just before them."""
    out = [SECTION] + [interface(6)] * interfaces
    for n, (t, frame) in enumerate(packets):
        if n == late:
            out.append(interface(9))
        number = interfaces if late is not None and n >= late else n % interfaces
        ticks = round(t * 1e6) * (1000 if number == interfaces else 1)
        out.append(block(6, struct.pack("<IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame),
                                        len(frame)) + frame))
    return b"".join(out)


def tcp_frame(src, dst, sport, dport, flags, seq=1, ack=0, payload=b""):
    """An Ethernet frame with an IPv4 TCP segment; checksums stay 0, as on a host with offloading."""
    tcp = struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, 65535, 0, 0) + payload
    return ethernet(ipv4(src, dst, 6, tcp))


def udp_frame(src, dst, sport, dport, payload=b""):
    return ethernet(ipv4(src, dst, 17, struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload))


def ipv4(src, dst, proto, body):
    def address(text):
        return bytes(int(part) for part in text.split("."))
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, proto, 0, address(src),
                       address(dst)) + body


def ethernet(body, ethertype=0x0800):
    return b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02" + struct.pack(">H", ethertype) + body


# exec counts what was resident before it, which is much in pytest: a small process starts the program.
LAUNCH = """import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))"""


def peak_kib(args, cwd):
    """Exit status, standard output and peak resident KiB of a run."""
    with open(cwd / "out", "wb") as out:
        done = subprocess.run([sys.executable, "-SEc", LAUNCH, PROGRAM, *map(str, args)], stdout=out,
                              stderr=subprocess.PIPE, cwd=cwd, check=False)
    return done.returncode, (cwd / "out").read_bytes(), int(done.stderr.split()[-1])
