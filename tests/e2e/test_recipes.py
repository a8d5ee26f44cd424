"""Every recipe that ships: its result on the example capture is the one that stands in golden/, the same for
any number of workers and any size of split, and what it finds is what was put there.

golden/NAME.json is `sluice NAME examples/office-hour.pcap -T json`. After a change that is meant:
UPDATE_GOLDEN=1 pytest tests/e2e/test_recipes.py, and read the difference."""
import glob
import json
import os
import random

import pytest

from mmdb import mmdb
from support import EXAMPLE, ROOT, pcap, tcp_frame, udp_frame

HERE = os.path.dirname(os.path.abspath(__file__))
T0 = 1_700_000_000
SYN, RST, PSH, ACK, FIN = 2, 4, 8, 16, 1
# Results of their own kind, held elsewhere: lists of packets and flows, text while it passes.
ELSEWHERE = {"packets", "flows", "rate", "report", "statistics", "hours", "sizes", "addresses", "countries",
             "compare"}


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
@pytest.mark.parametrize("options", [["-j", "2"], ["-j", "7"], ["-j", "3", "--split", "4096"]], ids=" ".join)
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


def with_ttl(frame, ttl):
    return frame[:22] + bytes([ttl]) + frame[23:]


def test_ttl_spread(rows, made):
    forged, honest = tcp_frame("192.0.2.1", "192.0.2.2", 1, 2, RST), tcp_frame("192.0.2.3", "192.0.2.2", 1, 2, ACK)
    packets = [(0, with_ttl(forged, 57)), (1, with_ttl(forged, 255)), (2, with_ttl(forged, 60)), (3, honest), (4, honest)]
    assert rows("examples/ttl-spread.lua", made(packets)) == [
        {"host": "192.0.2.1", "least": 57, "most": 255, "spread": 198}]


def test_odd_dns(rows, made):
    def message(flags, questions=1, answers=0):
        return b"\x12\x34" + bytes([flags >> 8, flags & 255, 0, questions, 0, answers, 0, 0, 0, 1]) + b"\1x\0\0\1\0\1"
    ask = [(53, message(0x0100)), (5300, message(0x0100)), (5300, message(0x0130)), (5300, message(0x8180)), (5301, message(0x0100, 2)),
           (5301, message(0x0100, 1, 1)), (5301, message(0x2800)), (5301, b"\0" * 11), (5301, b"")]
    packets = [(i, udp_frame("192.0.2.1", "192.0.2.2", 1000, port, payload)) for i, (port, payload) in enumerate(ask)]
    assert rows("examples/odd-dns.lua", made(packets)) == [{"server": "192.0.2.2", "port": 5300, "questions": 2}]


def test_mss(rows, made, capture):
    def syn(options):
        frame = bytearray(tcp_frame("192.0.2.1", "192.0.2.2", 1, 2, SYN, payload=options))
        frame[14 + 20 + 12] = (5 + len(options) // 4) << 4
        return bytes(frame)
    options = [b"\2\4\x05\xb4", b"\1\1\1\1\2\4\x05\x00", b"\3\3\7\1\2\4\x05\xb4",
               b"\3\0\0\0\2\4\1\1", b"\0\0\0\0\2\4\1\1", b"\x05\xff\0\0\2\4\1\1", b""]
    assert rows("examples/mss.lua", made([(i, syn(o)) for i, o in enumerate(options)])) == [
        {"mss": 1460, "syns": 2}, {"mss": 1280, "syns": 1}]
    # tshark -Y tcp.flags.syn==1 -T fields -e tcp.options.mss_val: the same, and six SYNs without one.
    found = rows("examples/mss.lua", capture("enterprise-mix-688-flows.pcap"))
    assert {row["mss"]: row["syns"] for row in found} == {1460: 1028, 16396: 2, 1420: 1, 1250: 1}


def test_vlan_protocols(rows, capture):
    found = rows("examples/vlan-protocols.lua", capture("gre-keepalive-vlan-llc.pcap"))
    assert [tuple(row.values()) for row in found] == [
        ("1213", "gre", 3586), ("1213", "llc", 1428), ("none", "llc", 3110), ("none", "loop", 320)]


def test_open_ports(rows, capture):
    assert rows("examples/open-ports.lua", capture("syn-scan-1994-flows.pcap")) == [{"host": "64.13.134.52", "ports": 3}]


def test_one_way(rows, made):
    packets = [(i, udp_frame("192.0.2.1", "192.0.2.2", 1000 + i, 69, b"x")) for i in range(4)]
    packets += [(5, udp_frame("192.0.2.2", "192.0.2.1", 69, 1000, b"y"))] + connection(6)
    assert rows("examples/one-way.lua", made(packets)) == [
        {"protocol": "udp", "port": 69, "unanswered": 3, "flows": 4, "share": 75}]


def test_loss_by_network(rows, capture):
    # Bytes of tcp.seq and tcp.len (tshark) that overlap what the same side of a stream has sent.
    found = rows("examples/loss-by-network.lua", capture("home-mix-247-public-ips.pcap"))
    assert [(row["network"], row["again"], row["sent"]) for row in found[:3]] == [
        ("208.117.231.0/24", 338800, 669200), ("90.84.59.0/24", 46200, 92400), ("127.0.0.0/24", 20626, 68433)]


def test_entropy(rows, made):
    flat, text = bytes(range(256)) * 2, b"ab" * 256
    packets = connection(0, [(False, flat)]) + connection(1, [(False, text)], ("192.0.2.1", "198.51.100.1", 40001, 81))
    packets += connection(2, [(False, b"short")], ("192.0.2.1", "198.51.100.1", 40002, 82))
    assert rows("examples/entropy.lua", made(packets)) == [
        {"port": 80, "bits_a_byte": 8}, {"port": 81, "bits_a_byte": 1}]


def test_balance(rows, made):
    packets = connection(0, [(False, b"x" * 1000)])
    sizes = [(frame[26:30], len(frame)) for _, frame in packets]
    client = sum(size for address, size in sizes if address == bytes([192, 0, 2, 1]))
    server = sum(size for _, size in sizes) - client
    assert rows("examples/balance.lua", made(packets)) == [
        {"host": "198.51.100.1", "sent": server, "received": client}, {"host": "192.0.2.1", "sent": client, "received": server}]


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


def test_means_of_bursts(sluice, made):
    """A mean near nothing, and none at all, are told as such."""
    def text(*times):
        path = made([(t, udp_frame("192.0.2.1", "192.0.2.2", 1, 2, b"x" * 58)) for t in times])
        return sluice("bursts", path).stdout.decode()
    assert "No time passes between packets, so there is no mean." in text(0, 0)
    far = text(0, 0, 1e8)
    assert "The mean is 3e-08 bytes in 0.01 s." in far
    assert "6.7e+09 times the mean" in far and far.count("times the mean") == 1  # one packet is no burst
    assert "The mean is 100 bytes in 0.01 s." in text(*(i / 100 for i in range(1001)))


def test_findings_filters_show_their_packets(rows, sluice, example):
    """The last column is a filter that finds the packets of the row."""
    for recipe in ("retransmissions", "bursts", "scans", "beacons", "resets"):
        found = rows(recipe, example)
        for row in (found if isinstance(found, list) else found[recipe])[:5]:
            count = json.loads(sluice("count", "-Y", row["flow"], example, "-T", "json").stdout)
            assert count["packets"] > 0, row


def test_scans(rows, example, made, capture):
    found = rows("scans", example)
    assert [(row["what"], row["who"], row["whom"]) for row in found] == [("port scan", "200.37.4.20", "192.168.20.10")]
    sweep = [(i / 10, tcp_frame("192.0.2.1", "10.0.0.%d" % i, 5000, 445, SYN)) for i in range(1, 31)]
    calm = connection(5) + [(9, tcp_frame("192.0.2.2", "10.0.0.1", 5000, 445, SYN))]
    [row] = rows("scans", made(sorted(sweep + calm)))
    assert (row["what"], row["who"], row["whom"], row["tried"]) == ("host sweep", "192.0.2.1", "tcp port 445", 30)
    assert (row["first"], row["last"]) == ("%d.100000000" % T0, "%d.000000000" % (T0 + 3))
    [row] = [row for row in rows("scans", capture("syn-scan-1994-flows.pcap")) if row["what"] == "port scan"]
    assert 950 < row["tried"] < 1010


def test_beacons(rows, example, made):
    camera = rows("beacons", example)[0]
    assert (camera["who"], camera["connections"]) == ("192.168.20.31", 60) and camera["what"].startswith("every 60")
    rng = random.Random(5)
    packets = []
    for i in range(20):
        packets += connection(30 * i + rng.uniform(-1, 1) + 1, client=("192.0.2.1", "198.51.100.1", 2000 + i, 443))
        packets += connection(rng.uniform(0, 600), client=("192.0.2.2", "198.51.100.1", 3000 + i, 443))
    found = rows("beacons", made(sorted(packets)))
    assert [(row["who"], row["connections"]) for row in found] == [("192.0.2.1", 20)]


def test_resets(rows, made):
    packets = sum((connection(i, client=("192.0.2.1", "198.51.100.1", 2000 + i, 80), end=RST) for i in range(4)), [])
    for i in range(3):
        packets += [(20 + i, tcp_frame("192.0.2.1", "198.51.100.1", 3000 + i, 81, SYN)),
                    (20.1 + i, tcp_frame("198.51.100.1", "192.0.2.1", 81, 3000 + i, RST | ACK))]
    result = rows("resets", made(packets))
    assert [(r["what"], r["whom"], r["connections"]) for r in result["resets"]] == [
        ("reset by the server", "198.51.100.1 port 80", 4), ("refused", "198.51.100.1 port 81", 3)]


def test_health(rows, made):
    packets = sum((connection(10 * i, client=("192.0.2.1", "198.51.100.1", 2000 + i, 80)) for i in range(5)), [])
    whole = rows("health", made(packets))["tcp"]
    assert (whole["connections"], whole["set up"], whole["reset"]) == (5, 5, 0)
    assert abs(whole["median handshake"] - 0.002) < 0.0001


def dns(name, answer=None, kind=1):
    labels = b"".join(bytes([len(label)]) + label for label in name)
    flags = 0x0100 if answer is None else 0x8180 | answer
    return flags.to_bytes(2, "big").join([b"\0\1", b"\0\1\0\0\0\0\0\0"]) + labels + b"\0" + kind.to_bytes(2, "big") + b"\0\1"


def test_dns(rows, made):
    def ask(data):
        return udp_frame("192.0.2.1", "198.51.100.53", 5000, 53, data)

    def answer(data):
        return udp_frame("198.51.100.53", "192.0.2.1", 53, 5000, data)

    frames = [ask(dns([b"WWW", b"Example"])), answer(dns([b"www", b"example"], 0)), ask(dns([b"gone", b"example"], kind=28)),
              answer(dns([b"gone", b"example"], 3)), ask(dns([])),
              # What is no question, or not a whole one:
              ask(b""), ask(b"x" * 5), ask(dns([b"cut", b"short"])[:18]), ask(dns([b"a" * 63] * 5)), ask(dns([b"loop"])[:12] + b"\xc0\x0c\0\1\0\1")]
    result = rows("dns", made(list(enumerate(frames))))
    assert result["names_asked_for"] == [{"name": ".", "queries": 1}, {"name": "gone.example", "queries": 1}, {"name": "www.example", "queries": 1}]
    assert result["failures"] == [{"name": "gone.example", "failure": "no such name", "answers": 1}]
    assert [(r["result"], r["answers"]) for r in result["servers"]] == [("answered", 1), ("no such name", 1)]


def client_hello(name, versions=(0x0A0A, 0x0304, 0x0303), padding=0):
    listed = b"".join(v.to_bytes(2, "big") for v in versions)
    extensions = b"\0\x15" + padding.to_bytes(2, "big") + b"\0" * padding
    if name is not None:
        entry = b"\0" + len(name).to_bytes(2, "big") + name
        data = len(entry).to_bytes(2, "big") + entry
        extensions += b"\0\0" + len(data).to_bytes(2, "big") + data
    if listed:
        extensions += b"\0\x2b" + (len(listed) + 1).to_bytes(2, "big") + bytes([len(listed)]) + listed
    body = b"\3\3" + b"r" * 32 + b"\x20" + b"s" * 32 + b"\0\2\x13\1" + b"\1\0" + len(extensions).to_bytes(2, "big") + extensions
    handshake = b"\1" + len(body).to_bytes(3, "big") + body
    return b"\x16\3\1" + len(handshake).to_bytes(2, "big") + handshake


def test_tls(rows, made):
    whole, long = client_hello(b"WWW.example"), client_hello(b"big.example", padding=1500)
    hellos = [[whole], [long[:1000], long[1000:]], [client_hello(None, ())], [whole[:60]], [b"GET / HTTP/1.1\r\n"], [b"\x16\3\1"]]
    packets = []
    for i, parts in enumerate(hellos):
        packets += connection(10 * i, [(True, part) for part in parts], client=("192.0.2.%d" % i, "198.51.100.1", 2000, 443))
    result = rows("tls", made(packets))
    assert {row["name"]: row["connections"] for row in result["tls_servers"]} == {"www.example": 1, "big.example": 1, "(no name)": 1}
    assert {row["version"]: row["connections"] for row in result["versions_offered"]} == {"TLS 1.2": 1, "TLS 1.3": 2}


def test_http(rows, made):
    requests = [b"GET / HTTP/1.1\r\nHost: a.example\r\nUser-Agent: x/1\r\n\r\n", b"POST /p HTTP/1.1\r\nhost:b.example\r\n\r\n", b"GET /old HTTP/1.0\r\n\r\n",
                b"\x16\3\1\0\0", b"GET /cut HTTP/1.1\r\nHost: c.exa"]
    packets = []
    for i, request in enumerate(requests):
        packets += connection(10 * i, [(True, request[:20]), (True, request[20:])] if len(request) > 20 else [(True, request)],
                              client=("192.0.2.%d" % i, "198.51.100.1", 2000, 80))
    result = rows("http", made(packets))
    assert [row["host"] for row in result["http_hosts"]] == ["198.51.100.1", "a.example", "b.example", "c.exa"]
    assert {row["method"]: row["connections"] for row in result["methods"]} == {"GET": 3, "POST": 1}


def test_hostile_names_are_text(sluice, made):
    """Escapes, HTML and marks that turn text around come out as text, in every form."""
    evil = b"\x1b]0;x\x07<b>\xe2\x80\xae.example"
    packets = connection(0, [(True, b"GET / HTTP/1.1\r\nHost: " + evil + b"\r\n\r\n")])
    packets += connection(9, [(True, client_hello(evil))], client=("192.0.2.8", "198.51.100.1", 2000, 443))
    packets += [(20, udp_frame("192.0.2.1", "198.51.100.53", 5000, 53, dns([evil])))]
    path = made(packets)
    for recipe in ("http", "tls", "dns"):
        text = sluice(recipe, path).stdout
        assert b"\x1b" not in text and b"\x07" not in text and "\u202e".encode() not in text
        assert b"<b>" in text and b"\\x1b]0;x\\x07" in text
        kept = json.dumps(json.loads(sluice(recipe, path, "-T", "json").stdout), ensure_ascii=False)
        assert json.dumps(evil.decode(), ensure_ascii=False).strip('"') in kept


def test_networks_with_a_database(rows, made, tmp_path):
    path = tmp_path / "networks.mmdb"
    path.write_bytes(mmdb("Test-ASN", {"198.41.0.0/16": {"autonomous_system_number": 64500, "autonomous_system_organization": "Example Net"}}))
    found = rows("networks", made([(0, udp_frame("10.0.0.1", "198.41.0.4", 1, 2)), (1, udp_frame("10.0.0.2", "198.41.9.9", 1, 2))]), "--geo", path)
    assert [(row["network"], row["flows"], row["addresses"]) for row in found] == [("AS64500 Example Net", 2, 2), ("private", 2, 2)]


def test_flows_of_a_day_and_more_are_in_the_histogram(rows, made):
    """The last class has no upper edge, and is not left out for that."""
    packets = [(t, udp_frame("192.0.2.1", "192.0.2.2", port, 2, b"x")) for port, t in ((1, 0), (2, 0), (2, 0.05), (3, 0), (3, 90000))]
    classes = rows("sizes", made(sorted(packets)), "--idle", "0")["duration_of_flows"]
    assert [(c["from"], c["to"], c["udp"]) for c in classes if c["udp"]] == [(0, 0, 1), (0.01, 0.1, 1), (86400, None, 1)]
    assert sum(c["udp"] for c in classes) == 3
