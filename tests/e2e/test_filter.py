"""Display filters: the counts of truth.json, tshark's own counts, wrong filters, flow filters.

Most tests run filter_counts.lua, a recipe that counts many filters in one pass; some go through -Y and
-F as users do."""
import gzip
import ipaddress
import json
import os
import random
import re
import shutil
import subprocess

import pytest

from support import NO_CAPTURES, ROOT, TRUTH, compressed, each_capture, json_lines, path_of, supported

HERE = os.path.join(ROOT, "tests", "e2e")
COUNTS = os.path.join(HERE, "filter_counts.lua")
README = os.path.join(ROOT, "lua", "sluice", "filter", "README.md")

# (file, filter): (count of truth.json, sluice's count, why). Empty: all 47 filters agree everywhere.
EXCEPTIONS = {}

# Captures in which neither tunnels nor ICMP errors make tshark see a header twice.
WITHOUT_TUNNELS = (
    "tls-web-334-flows-ipv4-ipv6.pcap", "sctp-http.pcap", "vlan-ipx-llc-fragments.pcap", "linux-cooked-v1.pcap",
    "ipv6-fragments.pcap", "raw-ip-101.pcap", "qinq-pppoe-ipv6.pcap", "null-loopback.pcap",
    "pcapng-22-interfaces-nanoseconds.pcapng", "ipv4-fragments.pcap", "syn-scan-1994-flows.pcap",
    "pcapng-ethernet-and-cooked.pcapng",
)
# Sets with commas, which tshark's io,stat cannot take; asked one by one.
WITH_COMMAS = (
    "tcp.port in {443, 80, 8000..8999}", "ip.addr in {10.0.0.0/8, 192.168.0.0/16, 172.16.0.0..172.31.255.255}",
    "not tcp.port in {1..1023, 8080}", "ip.ttl in {60..64, 120..128, 255}", "frame[0,2-3] contains 00",
    "udp.port in {53, 67, 68, 123, 1900} && !(ip.dst in {224.0.0.0/4, 255.255.255.255})",
)
TSHARK = ["tshark", "-n", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o",
          "tcp.desegment_tcp_streams:FALSE"]


def lines(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return file.read().splitlines()


def data_of(entry):
    with open(path_of(entry), "rb") as file:
        data = file.read()
    return gzip.decompress(data) if compressed(entry) else data


@pytest.fixture
def count(sluice, tmp_path):
    """count(filters, path or bytes, mode): [{count, error}] in the order of the filters."""
    def call(filters, capture, mode="packet"):
        listed = tmp_path / "filters"
        listed.write_text("".join(f + "\n" for f in filters), encoding="utf-8")
        piped = isinstance(capture, bytes)
        done = sluice(COUNTS, "-" if piped else capture, stdin=capture if piped else None, timeout=120,
                      env={"FILTERS": str(listed), "MODE": mode})
        rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]
        assert len(rows) == len(filters), done.stderr.decode()
        return rows
    return call


@each_capture(supported, lambda entry: entry["packets"] > 0)
def test_outer_counts_of_truth(count, entry):
    filters = [f["filter"] for f in entry["filters"]]
    assert len(filters) == 47
    differences = {}
    for row, want in zip(count(filters, data_of(entry)), entry["filters"]):
        assert "error" not in row, row["error"]
        if row["count"] != want["outer"]:
            differences[entry["file"], want["filter"]] = (want["outer"], row["count"])
    expected = {key: value[:2] for key, value in EXCEPTIONS.items() if key[0] == entry["file"]}
    assert differences == expected


@each_capture(lambda entry: entry["file"] in ("vlan-backbone-1148-public-ips.pcap", "linux-cooked-v1.pcap"))
def test_option_gives_the_same(sluice, entry):
    """The loop that -Y gets, compiled, against the interpreter's pace of filter_counts.lua."""
    for want in entry["filters"]:
        done = sluice("count", "-Y", want["filter"], path_of(entry), "-T", "json")
        assert (done.returncode, json.loads(done.stdout)["packets"]) == (0, want["outer"]), want["filter"]


def tshark_counts(path, filters):
    """{filter: frames} in one pass of tshark; nothing where all packets have one time."""
    statistics = "io,stat,0," + ",".join(["frame", *filters])
    out = subprocess.run([*TSHARK, "-r", path, "-q", "-z", statistics], capture_output=True, text=True,
                         check=True, env={**os.environ, "TZ": "UTC"}).stdout
    row = re.search(r"^\|[^|\n]*<>[^|\n]*\|(.*)\|\s*$", out, re.M)
    cells = [int(cell) for cell in row[1].split("|")[::2] if cell.strip()]
    assert len(cells) == len(filters) + 1
    return dict(zip(filters, cells[1:]))


needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")


@needs_tshark
@pytest.mark.parametrize("name", WITHOUT_TUNNELS)
def test_same_as_tshark(count, name):
    if name not in TRUTH:
        pytest.skip(NO_CAPTURES)
    filters = lines("filters_like_tshark.txt")
    assert len(filters) >= 40
    want = tshark_counts(path_of(TRUTH[name]), filters)
    got = {f: row.get("error") or row["count"] for f, row in zip(filters, count(filters, path_of(TRUTH[name])))}
    assert got == want


@needs_tshark
@pytest.mark.parametrize("name", WITHOUT_TUNNELS[:3])
def test_sets_same_as_tshark(count, name):
    if name not in TRUTH:
        pytest.skip(NO_CAPTURES)
    for f, row in zip(WITH_COMMAS, count(WITH_COMMAS, path_of(TRUTH[name]))):
        out = subprocess.run([*TSHARK, "-r", path_of(TRUTH[name]), "-Y", f, "-T", "fields", "-e", "frame.number"],
                             capture_output=True, text=True, check=True).stdout
        assert row == {"count": len(out.splitlines())}, f


def assert_told(text, error):
    """A problem: a message, the filter, a caret below it, perhaps a hint."""
    shown = error.split("\n")
    assert 3 <= len(shown) <= 4, error
    assert "internal" not in error and ".lua:" not in error and "traceback" not in error, error
    assert shown[0] and shown[1].startswith("    ") and re.fullmatch(r" {4,}\^~*", shown[2]), error
    assert len(shown[2]) <= 4 + len(text) + 1, error


def mutations(filters, number):
    """Filters with a piece lost, doubled, swapped or put in; the same ones in every run."""
    chance = random.Random(5)
    pieces = ["&&", "==", "(", ")", "{", "}", "[", "]", "..", '"', "'", "\\", "!", "in", "any", "tcp.port", "80",
              "fe80::", "10.0.0.0/8", "~", "&", "-", "#", ",", "\t", "é", "len(", "matches", "0x", "/", "%", "="]
    for _ in range(number):
        text = chance.choice(filters)
        for _ in range(chance.randint(1, 3)):
            at, to = sorted(chance.randint(0, len(text)) for _ in "ab")
            text = chance.choice([text[:at] + text[to:], text[:at] + chance.choice(pieces) + text[at:],
                                  text[:to] + text[at:], text[:at] + chance.choice(pieces) + text[to:]])
        yield text[:200]


def test_wrong_filters_are_told(count, example):
    wrong = lines("filters_wrong.txt")
    for text, row in zip(wrong, count(wrong, example)):
        assert "error" in row, "%s was taken" % text
        assert_told(text, row["error"])


def test_mutated_filters_are_told_or_taken(count, example):
    texts = list(mutations(lines("filters_like_tshark.txt"), 3000))
    rows = count(texts, example)
    wrong = [(text, row["error"]) for text, row in zip(texts, rows) if "error" in row]
    assert len(wrong) >= 200
    for text, error in wrong:
        assert_told(text, error)


LARGE = {
    "parentheses": "(" * 5000, "not": "!" * 5000 + "tcp", "nested": "(" * 39 + "tcp" + ")" * 39,
    "minus": "-" * 3000 + "ip.ttl == 1", "digits": "tcp.port == " + "9" * 400,
    "alternatives": " or ".join("ip.addr == 10.0.%d.%d" % (i // 250, i % 250) for i in range(1000)),
    "searches": " and ".join('frame contains "%d"' % i for i in range(60)),
    "set": "tcp.port in {" + ",".join(map(str, range(3000))) + "}", "word": "x" * 70000, "calls": "len(" * 200,
    "slice": "frame[" + "0," * 500 + "0]", "expression": 'frame matches "' + "(" * 300 + ")" * 300 + '"',
    "deep": "!" * 37 + "(tcp || (ip && udp))",
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_large_filters_are_told_or_taken(count, example, text):
    row, = count([text], example)
    if "error" in row:
        assert len(row["error"]) < 3 * len(text) + 500 and ".lua:" not in row["error"], row["error"]


def test_many_addresses(count, capture):
    """A set of addresses is looked up: the same packets as asking for each."""
    path = capture("home-mix-247-public-ips.pcap")
    addresses = ["192.168.1.%d" % i for i in range(120)] + ["10.0.0.0/9", "173.194.0.0/16", "255.255.255.255", "0.0.0.0"]
    texts = ["ip.addr in {%s, 8.8.8.8..8.8.9.9}" % ", ".join(addresses),
             " or ".join("ip.addr == " + a for a in addresses) + " or (ip.addr >= 8.8.8.8 and ip.addr in {8.8.8.8..8.8.9.9})",
             *("ip.src == %s or ip.dst == %s" % (a, a) for a in addresses)]
    rows = count(texts, path)
    assert rows[0] == rows[1] and rows[0]["count"] > max(row["count"] for row in rows[2:]) > 0


def test_option_tells_what_is_wrong(sluice, example):
    for option, text, hint in (("-Y", "tcp.prt == 80", b"tcp.port"), ("-Y", "flow.bytes > 1", b"-F"),
                               ("-Y", "dns.qry.name", b"udp.port == 53"), ("-F", "tls", b"flow.port == 443"),
                               ("-Y", "tcp.analysis.retransmission", b"-F 'flow.retransmitted_src > 0 ||"),
                               ("-F", "tcp.stream == 3", b"flow.number"), ("-F", "tcp.port == 80", b"-Y"), ("-F", "flow.byte > 1", b"flow.bytes")):
        done = sluice("flows", option, text, example)
        assert done.returncode == 2 and done.stdout == b""
        assert hint in done.stderr and text.encode() in done.stderr and b"^~" in done.stderr
        assert b"traceback" not in done.stderr


@pytest.mark.parametrize("mode", ["packet", "flow"])
def test_what_is_told_instead_is_a_filter(count, example, mode):
    """Of every name that only Wireshark knows: what the hint says to ask for is taken."""
    with open(os.path.join(ROOT, "lua", "sluice", "filter", "elsewhere.lua"), encoding="utf-8") as file:
        names = re.findall(r'(?:\["([\w.]+)"\]|\b(\w+)) = (?:\{ "|"flow|RETR)', file.read())
    names = [dotted or word for dotted, word in names if word != "RETRANSMITTED"]
    assert len(names) > 35
    for name, row in zip(names, count(names, example, mode)):
        hint = row["error"].splitlines()[-1]
        flows = re.search(r"-F '(.*)'", hint)
        text = flows.group(1) if flows else hint.split(": ")[1].rstrip(".")
        taken, = count([text], example, "flow" if flows else mode)
        assert "count" in taken, (name, hint)


def test_catastrophic_expression_is_bounded(count):
    """A match limit: hostile bytes cannot make one packet cost seconds."""
    from support import pcap, udp_frame
    frame = udp_frame("10.0.0.1", "10.0.0.2", 1, 2, b"a" * 1000 + b"!")
    capture = pcap([(1, 0, frame)] * 20)
    rows = count(['udp.payload matches "^(a+)+$"', 'udp.payload matches "A{1000}!$"'], capture)
    assert [row["count"] for row in rows] == [0, 20]


def test_bytes_past_the_end_do_not_exist(count):
    """Every length of a frame: reads at fixed places stay inside (a sanitised build watches)."""
    from support import pcap, tcp_frame
    frame = tcp_frame("10.0.0.1", "10.0.0.2", 1, 2, 0x12, payload=b"GET / HTTP/1.1")
    capture = pcap([(1, n, frame[:n]) for n in range(len(frame) + 1)])
    got = [row["count"] for row in count(
        ["frame[13] == 00", "ip.checksum", "tcp.srcport", "tcp.flags.syn == 1", "tcp.checksum == 0",
         "tcp.payload[0:3] == \"GET\"", "frame[-1:] == 31", "tcp.payload contains \"HTTP\""], capture)]
    size = len(frame)
    assert got == [size - 13, size - 33, size - 37, size - 47, size - 51, size - 56,
                   sum(frame[n - 1] == 0x31 for n in range(1, size + 1)), 5]


FLOW_FILTERS = {
    "flow.bytes > 1e4": lambda f: f["bytes_src"] + f["bytes_dst"] > 10000,
    "flow.packets_dst == 0": lambda f: f["packets_dst"] == 0,
    'flow.proto == "tcp" && flow.dport in {80, 443}': lambda f: f["proto"] == "tcp" and f["dport"] in (80, 443),
    "flow.port != 53": lambda f: 53 not in (f["sport"], f["dport"]),
    "flow.src == 10.0.0.0/8": lambda f: within(f["src"], "10.0.0.0/8"),
    "!(flow.addr == 192.168.0.0/16)": lambda f: not any(within(f[k], "192.168.0.0/16") for k in ("src", "dst")),
    "flow.src == fe80::/10 or flow.sport < 1024": lambda f: within(f["src"], "fe80::/10") or f["sport"] < 1024,
    "flow.version == 6 and flow.dst == 2600::/12": lambda f: within(f["dst"], "2600::/12"),
    "flow.duration >= 1.5": lambda f: f["duration"] >= 1.5,
    'flow.end in {"fin" "rst"}': lambda f: f["end"] in ("fin", "rst"),
    'flow.dst_country == "US"': lambda f: f["dst_country"] == "US",
    'lower(flow.src_country) contains "priv"': lambda f: "priv" in f["src_country"].lower(),
    "flow.payload_src > flow.payload_dst": lambda f: f["payload_src"] > f["payload_dst"],
    "flow.bytes / flow.packets > 500": lambda f: (f["bytes_src"] + f["bytes_dst"])
                                                 // (f["packets_src"] + f["packets_dst"]) > 500,
}


def within(address, network):
    address, network = ipaddress.ip_address(address), ipaddress.ip_network(network)
    return address.version == network.version and address in network


@pytest.mark.parametrize("text", FLOW_FILTERS)
def test_flow_filters(sluice, capture, text):
    path = capture("tls-web-334-flows-ipv4-ipv6.pcap" if "::" in text else "home-mix-247-public-ips.pcap")
    flows = json_lines(sluice("flows", path, "-T", "jsonl").stdout)
    done = sluice("flows", "-F", text, path, "-T", "jsonl")
    assert done.returncode == 0, done.stderr.decode()
    want = [f for f in flows if FLOW_FILTERS[text](f)]
    assert 0 < len(want) < len(flows)
    assert json_lines(done.stdout) == want


def test_table_of_fields_is_current(sluice, example, tmp_path):
    """README.md's tables of fields are those of the registry."""
    recipe = tmp_path / "fields.lua"
    recipe.write_text('local filter = require "sluice.filter"\n'
                      'io.write("## Fields of packets\\n\\n", filter.markdown "packet",\n'
                      '  "\\n## Fields of flows\\n\\n", filter.markdown "flow")\n'
                      'return { about = "fields", start = function() return {} end }\n')
    made = sluice(recipe, example).stdout.decode()
    with open(README, encoding="utf-8") as file:
        text = file.read()
    assert text[text.index("## Fields of packets"):].strip() == made.strip()
