"""TCP in flows against tshark's analysis, where both mean the same; fragments and tunnels on hand-made captures.

What each letter and state means is tested in unit/test_tcp.c."""
import collections
import shutil
import struct
import subprocess

import pytest

import build
import support
from support import each_capture, ethernet, fragmented, json_lines, path_of, plain, same_layers

pytestmark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")

COMPARED = [plain, lambda entry: same_layers(entry, "tcp"), lambda entry: not fragmented(entry),
            lambda entry: entry["conversations"]["tcp"] > 0]
FIELDS = ["tcp.stream", "tcp.flags", "frame.time_epoch", "tcp.srcport", "tcp.dstport", "tcp.len", "tcp.analysis.initial_rtt",
          "tcp.analysis.retransmission", "tcp.analysis.out_of_order", "tcp.analysis.keep_alive"]


def streams(path):
    """tshark's: {(first time, the two ports): (round-trip time, payload bytes sent again)}. The time is None where there
    is no SYN+ACK, or several: which of them was answered is a matter of taste."""
    lines = subprocess.run(["tshark", "-n", "-r", path, "-Y", "tcp", "-T", "fields"]
                           + [word for name in FIELDS for word in ("-e", name)],
                           check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode().splitlines()
    found = collections.OrderedDict()
    for line in lines:
        row = dict(zip(FIELDS, line.split("\t")))
        key = (row["frame.time_epoch"], *sorted([int(row["tcp.srcport"]), int(row["tcp.dstport"])]))
        entry = found.setdefault(row["tcp.stream"], {"key": key, "rtt": None, "again": 0, "answers": 0})
        entry["answers"] += int(row["tcp.flags"], 16) & 18 == 18
        if row["tcp.analysis.initial_rtt"]:
            entry["rtt"] = float(row["tcp.analysis.initial_rtt"])
        if (row["tcp.analysis.retransmission"] or row["tcp.analysis.keep_alive"]) and not row["tcp.analysis.out_of_order"]:
            entry["again"] += int(row["tcp.len"])
    return {entry["key"]: (entry["rtt"] if entry["answers"] == 1 else None, entry["again"]) for entry in found.values()}


def flows(sluice, path, *args):
    done = sluice("flows", path, "--idle", "0", *args, "-T", "jsonl")
    assert done.returncode == 0, done.stderr
    return json_lines(done.stdout)


@each_capture(*COMPARED)
def test_as_tshark_analyses_it(sluice, entry):
    """The handshake's time where all three segments were seen (tshark takes a RST for an answer, too), and the bytes
    that were sent again."""
    want = streams(path_of(entry))
    got = [flow for flow in flows(sluice, path_of(entry)) if flow["proto"] == "tcp"]
    assert len(got) >= len(want)
    timed = 0
    for flow in got:
        rtt, again = want[(flow["first"], *sorted([flow["sport"], flow["dport"]]))]
        assert flow["retransmitted_src"] + flow["retransmitted_dst"] == again, flow
        if flow["rtt"] is not None and rtt is not None:
            assert rtt == pytest.approx(flow["rtt"], abs=1.5e-9), flow
            timed += 1
            assert flow["rtt_src"] + flow["rtt_dst"] == pytest.approx(flow["rtt"], abs=1e-9)
    assert timed > 300 or not entry["file"].startswith("enterprise")


def made(tmp_path, frames):
    path = tmp_path / "made.pcap"
    path.write_bytes(support.pcap([(10, 1000 * i, frame) for i, frame in enumerate(frames)]))
    return path


# --- Fragments.

def fragments(proto, body, size, identification=7):
    """An IPv4 datagram from 10.0.0.1 to 10.0.0.2 in pieces of `size`, a multiple of 8."""
    whole = support.ipv4("10.0.0.1", "10.0.0.2", proto, body)
    out = []
    for at in range(0, len(body), size):
        piece = body[at:at + size]
        more = 0x2000 if at + size < len(body) else 0
        header = whole[:2] + struct.pack(">HHH", 20 + len(piece), identification, more | at // 8) + whole[8:20]
        out.append(ethernet(header + piece))
    return out


def test_fragments_are_in_the_flow_of_their_first(sluice, tmp_path):
    udp = struct.pack(">HHHH", 1000, 2000, 108, 0) + b"u" * 100
    tcp = struct.pack(">HHIIBBHHH", 1000, 2000, 1, 1, 5 << 4, 16, 9, 0, 0) + b"t" * 100
    frames = fragments(17, udp, 40) + fragments(6, tcp, 64) + fragments(17, udp, 40, identification=8)
    got = {flow["proto"]: flow for flow in flows(sluice, made(tmp_path, frames))}
    assert set(got) == {"udp", "tcp"}
    assert (got["udp"]["sport"], got["udp"]["dport"], got["udp"]["packets_src"]) == (1000, 2000, 6)
    assert got["udp"]["bytes_src"] == 2 * (108 + 3 * 34)
    assert (got["tcp"]["sport"], got["tcp"]["packets_src"]) == (1000, 2)


def test_fragments_without_their_first_are_in_no_flow(sluice, tmp_path):
    udp = struct.pack(">HHHH", 1000, 2000, 108, 0) + b"u" * 100
    first, second, third = fragments(17, udp, 40)
    assert flows(sluice, made(tmp_path, [second, third])) == []
    (flow,) = flows(sluice, made(tmp_path, [second, first, third]))  # what came before it is lost
    assert flow["packets_src"] == 2


def test_first_fragments_of_two_datagrams_at_a_time(sluice, tmp_path):
    """Interleaved, with ports swapped: each later fragment finds its own."""
    one = fragments(17, struct.pack(">HHHH", 1000, 2000, 88, 0) + b"a" * 80, 48, identification=1)
    two = fragments(17, struct.pack(">HHHH", 3000, 4000, 88, 0) + b"b" * 80, 48, identification=2)
    got = flows(sluice, made(tmp_path, [one[0], two[0], two[1], one[1]]))
    assert {(flow["sport"], flow["packets_src"]) for flow in got} == {(1000, 2), (3000, 2)}


# --- A connection in each tunnel.

FIN, SYN, ACK = 1, 2, 16
CONNECTION = [(0, SYN, 100, 0, b""), (1, SYN | ACK, 500, 101, b""), (0, ACK, 101, 501, b""), (0, ACK, 101, 501, b"hello"),
              (1, ACK, 501, 106, b"hi"), (0, FIN | ACK, 106, 503, b""), (1, FIN | ACK, 503, 107, b"")]


def segment(dir_, flags, seq, ack, payload, sport):
    ports = (443, sport) if dir_ else (sport, 443)
    return struct.pack(">HHIIBBHHH", *ports, seq, ack, 5 << 4, flags, 9, 0, 0) + payload


@pytest.mark.parametrize("name", sorted(build.TUNNELS))
def test_a_connection_in_a_tunnel(sluice, tmp_path, monkeypatch, name):
    """With --decap the connection inside, else the tunnel's flow."""
    frames = []
    for step in CONNECTION:
        ends = {build.ip4: build.V4, build.ip6: build.V6}
        monkeypatch.setattr(build, "tcp", lambda sport, dport=443, step=step: segment(*step, sport))
        monkeypatch.setattr(build, "tcp4", lambda sport, step=step: inner(build.ip4, ends, step, sport))
        monkeypatch.setattr(build, "tcp6", lambda sport, step=step: inner(build.ip6, ends, step, sport))
        link_type, make = build.TUNNELS[name]
        frames.append((link_type, make(50000)))
    path = tmp_path / "made.pcapng"
    path.write_bytes(build.pcapng(frames))  # a microsecond apart
    (flow,) = flows(sluice, path, "--decap")
    assert (flow["proto"], flow["sport"], flow["dport"]) == ("tcp", 50000, 443)
    assert (flow["state"], flow["history"]) == ("SF", "ShADdFf")
    assert (flow["payload_src"], flow["payload_dst"], flow["rtt"]) == (5, 2, 2e-6)
    assert all(outer["proto"] != "tcp" for outer in flows(sluice, path))


def inner(ip, ends, step, sport):
    source, target = ends[ip]
    return ip(6, segment(*step, sport), (target, source) if step[0] else (source, target))
