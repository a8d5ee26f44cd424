"""Every recipe that ships: its result on the example capture is the one that stands in golden/, the same for
any number of workers and any size of split, and what it finds is what was put there.

golden/NAME.json is `sluice NAME examples/office-hour.pcap -T json`. After a change that is meant:
UPDATE_GOLDEN=1 pytest tests/e2e/test_recipes.py, and read the difference."""
import glob
import json
import os

import pytest

from mmdb import mmdb
from support import EXAMPLE, ROOT, pcap, tcp_frame, udp_frame

HERE = os.path.dirname(os.path.abspath(__file__))
T0 = 1_700_000_000
SYN, RST, PSH, ACK, FIN = 2, 4, 8, 16, 1
# Results of their own kind, held elsewhere: lists of packets and flows, text while it passes.
ELSEWHERE = {"packets", "flows", "rate", "report", "statistics", "hours", "sizes", "addresses", "countries"}


def shipped():
    built_in = [os.path.basename(path)[:-4] for path in glob.glob(os.path.join(ROOT, "lua", "recipes", "*.lua"))]
    examples = [os.path.relpath(path, ROOT) for path in glob.glob(os.path.join(ROOT, "examples", "*.lua"))]
    return sorted(name for name in built_in + examples if short(name) not in ELSEWHERE)


def short(name):
    return os.path.basename(name).removesuffix(".lua")


def inputs(name):
    return ["examples/office-hour.pcap"] * (2 if "before-after" in name else 1)


@pytest.fixture
def made(tmp_path):
    """made([(seconds after T0, frame)]): the path of a capture."""
    def make(packets):
        path = tmp_path / "made.pcap"
        path.write_bytes(pcap([(T0 + int(at), round(at % 1 * 1e6), frame) for at, frame in packets]))
        return path
    return make


@pytest.fixture
def rows(sluice):
    """rows(recipe, input, *options, view=None): the rows of the only view, or of the one of that name."""
    def call(*args, view=None):
        done = sluice(*args, "-T", "json")
        assert done.returncode == 0, done.stderr.decode()
        result = json.loads(done.stdout)
        return result[view] if view else result
    return call


@pytest.mark.parametrize("name", shipped())
def test_golden(sluice, name):
    path = os.path.join(HERE, "golden", short(name) + ".json")
    done = sluice(name, *inputs(name), "-T", "json", "--top", 30)
    assert done.returncode == 0 and not done.stderr, done.stderr.decode()
    if os.environ.get("UPDATE_GOLDEN"):
        with open(path, "wb") as file:
            file.write(done.stdout)
    with open(path, "rb") as file:
        assert done.stdout == file.read()


def test_no_golden_without_a_recipe():
    kept = {os.path.basename(path)[:-5] for path in glob.glob(os.path.join(HERE, "golden", "*.json"))}
    assert kept == {short(name) for name in shipped()}


@pytest.mark.parametrize("name", shipped())
@pytest.mark.parametrize("options", [["-j", "2"], ["-j", "7"]], ids=" ".join)
def test_workers_change_nothing(sluice, name, options):
    one, many = (sluice(name, *inputs(name), *with_options, "-T", "json") for with_options in (["-j", "1"], options))
    assert one.stdout == many.stdout and one.returncode == many.returncode == 0


# --- What they find.

CLIENT, SERVER = ("192.0.2.1", "198.51.100.1", 40000, 80), ("198.51.100.1", "192.0.2.1", 80, 40000)


def connection(at, data=(), client=CLIENT, end=FIN):
    """A TCP connection with [(from client?, payload)] in it."""
    server = (client[1], client[0], client[3], client[2])
    seq = {client: 100, server: 500}
    steps = [(client, SYN, b""), (server, SYN | ACK, b""), (client, ACK, b"")]
    steps += [(client if from_client else server, PSH | ACK, payload) for from_client, payload in data]
    steps += [(client, FIN | ACK, b""), (server, FIN | ACK, b"")] if end == FIN else [(server, RST, b"")]
    packets = []
    for i, (side, flags, payload) in enumerate(steps):
        packets.append((at + i / 1000, tcp_frame(*side, flags, seq=seq[side], payload=payload)))
        seq[side] += len(payload) + (1 if flags & (SYN | FIN) else 0)
    return packets


def test_syn_flood(rows, made):
    packets = [(i / 100, tcp_frame("192.0.2.%d" % (i % 250), "198.51.100.1", 1000 + i, 80, SYN)) for i in range(150)]
    packets += connection(3)
    assert rows("examples/syn-flood.lua", made(packets)) == [
        {"server": "198.51.100.1", "second": T0, "unanswered": 100, "SYNs": 100}]


def test_asymmetry(rows, made):
    packets = connection(0, [(True, b"hello"), (False, b"hi")])
    packets += [(5 + i, tcp_frame("192.0.2.9", "198.51.100.9", 5, 6, ACK, seq=1 + 4 * i, payload=b"data")) for i in range(3)]
    result = rows("examples/asymmetry.lua", made(packets))
    assert result["asymmetry"] == {"tcp flows": 2, "one-sided": 1}
    assert result["one_sided_pairs"] == [{"seen": "192.0.2.9", "missing": "198.51.100.9", "packets": 3}]


def arp(mac, address):
    sender = bytes.fromhex(mac) + bytes(map(int, address.split(".")))
    return b"\xff" * 6 + bytes.fromhex(mac) + b"\x08\x06" + bytes.fromhex("0001080006040002") + sender + b"\0" * 10


def test_arp_conflicts(rows, made):
    packets = [(0, arp("020000000001", "192.0.2.1")), (1, arp("02ffffffffff", "192.0.2.1")), (2, arp("020000000003", "192.0.2.3")),
               (3, arp("020000000001", "192.0.2.1")), (4, arp("020000000001", "0.0.0.0")), (5, arp("020000000002", "0.0.0.0"))]
    assert rows("examples/arp-conflicts.lua", made(packets)) == [
        {"address": "192.0.2.1", "hardware address": "02:00:00:00:00:01", "packets": 2},
        {"address": "192.0.2.1", "hardware address": "02:ff:ff:ff:ff:ff", "packets": 1}]


def test_fragments(rows, capture):
    result = rows("examples/fragments.lua", capture("ipv4-fragments.pcap"))
    assert sum(row["packets"] for row in result["fragments"]) == 50


def test_first_packets_are_written(sluice, example, tmp_path):
    out = tmp_path / "first.pcap"
    assert sluice("examples/first-packets.lua", example, "--n", 1, "-w", out).returncode == 0
    flows = json.loads(sluice("summary", example, "-T", "json").stdout)["flows"]
    written = json.loads(sluice("count", out, "-f", "ip or ip6", "-T", "json").stdout)["packets"]
    assert written == flows == json.loads(sluice("summary", out, "-T", "json").stdout)["flows"]


def test_idle(rows, made):
    quiet = [(60 * i, udp_frame("192.0.2.1", "192.0.2.2", 1, 2, b"x")) for i in range(12)]
    loud = [(60 * i + 1, udp_frame("192.0.2.3", "192.0.2.4", 3, 4, b"x" * 9000)) for i in range(12)]
    found = rows("examples/idle.lua", made(sorted(quiet + loud)))
    assert [(row["source"], row["packets"], row["duration"]) for row in found] == [("192.0.2.1", 12, 660)]


def test_new_hosts(rows, made):
    packets = [(at, udp_frame(host, "198.51.100.1", 1, 2)) for at, host in
               [(10, "192.168.0.1"), (20, "192.168.0.2"), (3700, "192.168.0.1"), (3700.5, "192.168.0.3"), (3701, "10.0.0.1")]]
    result = rows("examples/new-hosts.lua", made(packets))
    hour = T0 - T0 % 3600
    assert [(row["time"], row["hosts"]) for row in result["new_hosts"]] == [(hour, 2), (hour + 3600, 1)]
    assert [row["host"] for row in result["first_seen"]] == ["192.168.0.1", "192.168.0.2", "192.168.0.3"]


def test_retransmissions(rows, made):
    data = [(False, b"x" * 1000)] * 10
    packets = connection(0, data)
    again = packets[4:8]  # the server's second to fifth kilobyte once more, behind everything but the FINs
    packets = packets[:-2] + [(0.5 + i / 100, frame) for i, (_, frame) in enumerate(again)] + [(1 + at, frame) for at, frame in packets[-2:]]
    found = rows("retransmissions", made(packets))
    assert [(r["what"], r["who"], r["whom"], r["sent again"]) for r in found] == [
        ("28.6 % sent again", "198.51.100.1", "192.0.2.1 port 80", 4000)]


def test_bursts(rows, made):
    calm = [(i, udp_frame("192.0.2.1", "192.0.2.2", 1, 2, b"x" * 58)) for i in range(100)]
    burst = [(50.5 + i / 10000, udp_frame("192.0.2.8", "192.0.2.9", 1, 2, b"x" * 958)) for i in range(50)]
    [found] = rows("bursts", made(sorted(calm + burst)), "--width", "0.01")
    assert (found["who"], found["bytes"], found["first"]) == ("192.0.2.8", 50000, "%d.500000000" % (T0 + 50))
    assert found["whom"].startswith("192.0.2.9, 100 %")


def test_findings_filters_show_their_packets(rows, sluice, example):
    """The last column is a filter that finds the packets of the row."""
    for recipe in ("retransmissions", "bursts"):
        for row in rows(recipe, example)[:5]:
            count = json.loads(sluice("count", "-Y", row["flow"], example, "-T", "json").stdout)
            assert count["packets"] > 0, row
