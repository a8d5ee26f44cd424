"""-z: the numbers of tshark's tables, over all captures."""
import json
import os
import re
import shutil
import subprocess

import pytest

from build import TUNNELS
from support import each_capture, path_of, pcap, supported, whole

pytestmark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
TSHARK = ["tshark", "-n", "-q", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE"]


# Tables that differ from tshark's, and why. An exception that no longer happens fails.
EXCEPTIONS = {
    "6in4-tunnel.pcap": ("stat", "frame 23: TCP in a tunnel, and display filters look at the outermost headers"),
    "gre-keepalive-vlan-llc.pcap": ("ip, phs", "frame 16: behind Cisco MetaData (0x8909) in GRE, where sluice does not look"),
    "gtp-u-cooked.pcap": ("udp", "frame 64: for the RTP that a SIP message announced tshark makes a conversation of its own"),
    "ipv6-extension-headers.pcap": ("udp", "frame 3: of a routing header tshark takes the final destination"),
    "malformed/fuzzed-packets-big-endian.pcap": ("phs", "frame 669: IPv6 in IPv4, and longer than the IPv4 packet"),
    "malformed/link-type-with-flag-bits.pcap": ("tcp", "frame 1: of a TCP header that is cut in its options tshark makes no conversation"),
}
# Packets without a time: tshark gives them one of 1970.
TIMELESS = ("pcapng-all-block-types.pcapng", "pcapng-simple-packet-blocks.pcapng")
LONGEST_S = 10_000_000  # tshark prints a row for each interval


KINDS = {"eth": "Ethernet", "ip": "IPv4", "ipv6": "IPv6", "tcp": "TCP", "udp": "UDP", "sctp": "SCTP"}
STATS = ("0,ip,tcp.srcport < 1024", "600,frame.len > 100")
TABLES = ["%s,%s" % (table, kind) for table in ("conv", "endpoints") for kind in KINDS] + ["io,phs"]


def has_intervals(entry):
    return not entry.get("backward_steps") and entry["file"] not in TIMELESS and \
        entry["capinfos"]["duration"] != "n/a" and float(entry["capinfos"]["duration"]) < LONGEST_S


def wanted(entry):
    what = TABLES + ["io,stat," + s for s in STATS] if has_intervals(entry) else TABLES
    return [word for each in what for word in ("-z", each)]


def by_tshark(entry):
    """{title: text} of all tables, in one pass."""
    args = wanted(entry)
    text = subprocess.run([*TSHARK, "-r", path_of(entry), *args], capture_output=True, check=True,
                          env={**os.environ, "TZ": "UTC"}).stdout.decode()
    tables = {}
    for part in re.split(r"^=+\n", text, flags=re.M):
        title = part.split("\n", 1)[0].strip(" |")
        tables.setdefault(title, []).append(part)
    return tables


def by_sluice(sluice, entry):
    done = sluice(*wanted(entry), path_of(entry), "-T", "json", timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
    return json.loads(done.stdout)


def conversations_of_tshark(text):
    """{(end, end): [(frames, frames back, start, duration)]}, whichever end tshark puts first."""
    rows = {}
    for line in text.splitlines():
        row = re.match(r"(\S+)\s+<-> (\S+)\s+(\d+) (\d+ \w+)\s+(\d+) (\d+ \w+)\s+(\d+) (\d+ \w+)\s+(-?[\d.]+)\s+([\d.]+)", line)
        if row:
            a, b = row[1], row[2]
            ends = (a, b, int(row[3]), int(row[5])) if a < b else (b, a, int(row[5]), int(row[3]))
            rows.setdefault(ends[:2], []).append((*ends[2:], round(float(row[9]), 3), round(float(row[10]), 3)))
    return {key: sorted(value) for key, value in rows.items()}


def conversations_of_sluice(rows):
    got = {}
    for row in rows:
        a, b = row["a"].replace("[", "").replace("]", ""), row["b"].replace("[", "").replace("]", "")
        ends = (a, b, row["frames_to_a"], row["frames_to_b"]) if a < b else (b, a, row["frames_to_b"], row["frames_to_a"])
        got.setdefault(ends[:2], []).append((*ends[2:], row["start"], row["duration"]))
    return {key: sorted(value) for key, value in got.items()}


def check_conversations(entry, want, got):
    assert set(got) == set(want)
    for key, rows in want.items():
        assert [row[:2] for row in got[key]] == [row[:2] for row in rows], key
        if entry.get("backward_steps") == 0 and entry["file"] not in TIMELESS:
            for (_, _, start, duration), (_, _, their_start, their_duration) in zip(got[key], rows):
                assert abs(start - their_start) < 0.002 and abs(duration - their_duration) < 0.002, key


def endpoints_of_tshark(text):
    rows = {}
    for line in text.splitlines():
        cells = line.split()
        if len(cells) in (7, 8) and all(re.fullmatch(r"\d+", cell) for cell in cells[1:]):
            rows[tuple(cells[:-6])] = [int(cell) for cell in cells[-6:]]
    return rows


def endpoints_of_sluice(rows):
    names = ("packets", "bytes", "tx_packets", "tx_bytes", "rx_packets", "rx_bytes")
    return {(row["address"], str(row["port"])) if "port" in row else (row["address"],): [row[name] for name in names]
            for row in rows}


def check_stat(text, rows):
    want = [[int(cell) for cell in re.findall(r"\d+", line.split("|", 2)[2])] for line in text.splitlines()
            if re.match(r"\| *[\d.]+ <>", line)]
    got = [[value for name, value in row.items() if name[:5] in ("frame", "bytes")] for row in rows]
    assert got == want or (not want and len(got) == 1)  # tshark has no row where all frames have one time


def check_hierarchy(text, rows):
    """Frames and bytes of networks and transports; above these tshark goes on and sluice does not."""
    named = ("ip", "ipv6", "arp", "tcp", "udp", "sctp", "icmp", "icmpv6", "igmp")
    want = [(row[1], int(row[2]), int(row[3])) for row in re.finditer(r"^ *(\S+) +frames:(\d+) bytes:(\d+)$", text, re.M)]
    got = [(row["protocol"].strip(), row["frames"], row["bytes"]) for row in rows]
    assert sorted(row for row in got if row[0] in named) == sorted(row for row in want if row[0] in named)


def check_ends(entry, theirs, ours, kind):
    title = KINDS[kind]
    want = conversations_of_tshark(theirs[title + " Conversations"][0])
    check_conversations(entry, want, conversations_of_sluice(ours[kind + "_conversations"]))
    assert endpoints_of_sluice(ours[kind + "_endpoints"]) == endpoints_of_tshark(theirs[title + " Endpoints"][0])


def check_or_differ(entry, name, check, *args):
    names, why = EXCEPTIONS.get(entry["file"], ("", ""))
    if name not in names.split(", "):
        return check(*args)
    with pytest.raises(AssertionError):
        check(*args)
        pytest.fail("%s: no difference any more (%s)" % (name, why), pytrace=False)


@each_capture(supported, whole)
def test_tables_are_tsharks(sluice, entry):
    theirs, ours = by_tshark(entry), by_sluice(sluice, entry)
    for kind in KINDS:
        if kind == "sctp" and entry["file"] == "sctp-http.pcap":
            continue  # tshark's table leaves out a packet of an association
        check_or_differ(entry, kind, check_ends, entry, theirs, ours, kind)
    check_or_differ(entry, "phs", check_hierarchy, theirs["Protocol Hierarchy Statistics"][0], ours["protocol_hierarchy"])
    if has_intervals(entry):
        tables = [part for parts in theirs.values() for part in parts if "IO Statistics" in part]
        check_or_differ(entry, "stat", check_stat, next(part for part in tables if "tcp.srcport" in part), ours["io_statistics"])
        check_stat(next(part for part in tables if "frame.len" in part), ours["io_statistics_2"])


def frames(rows, name):
    """Sum of a column."""
    return sum(row[name] for row in rows)


@pytest.mark.parametrize("name, networks, ways", [
    ("vxlan", {"eth": 2, "ip": 2, "ipv6": 0}, "eth:ip:udp:vxlan:eth:ip:tcp"), ("6in4", {"eth": 1, "ip": 1, "ipv6": 1}, "eth:ip:ipip:ipv6:tcp"),
    ("four in one another", {"eth": 2, "ip": 3, "ipv6": 2}, "eth:ipv6:ipip:ipv6:udp:vxlan:eth:ip:gre:ip:ipip:ip:tcp")])
def test_packets_in_tunnels_count_beside_the_tunnel(sluice, tmp_path, name, networks, ways):
    """As many frames as three batches of the flow table hold, each with a connection of its own inside."""
    make, n = TUNNELS[name][1], 300
    path = tmp_path / "tunnels.pcap"
    path.write_bytes(pcap([(k, 0, make(1024 + k)) for k in range(n)]))
    wanted_words = [word for kind in ("eth", "ip", "ipv6", "tcp") for word in ("-z", "conv,%s" % kind)] + ["-z", "io,phs"]
    ours = json.loads(sluice(*wanted_words, path, "-T", "json").stdout)
    for kind, layers in networks.items():
        assert frames(ours[kind + "_conversations"], "frames") == layers * n, kind
    assert [row["frames"] for row in ours["tcp_conversations"]] == [1] * n
    last = ours["protocol_hierarchy"][-1]
    assert (last["path"], last["frames"]) == (ways, n)
    alone = json.loads(sluice("-z", "conv,tcp", "-z", "conv,udp", path, "-T", "json").stdout)  # without a packet handler
    assert alone["tcp_conversations"] == ours["tcp_conversations"]
    assert frames(alone["udp_conversations"], "frames") == (0 if name == "6in4" else n)
    assert json.loads(sluice("summary", "-z", "conv,tcp", path, "-T", "json").stdout)["summary"]["flows"] < n  # its own flows are outer ones


def test_with_a_recipe_and_a_filter(sluice, example):
    both = json.loads(sluice("count", "-z", "conv,tcp,tcp.port == 443", example, "-T", "json").stdout)
    assert set(both) == {"count", "tcp_conversations"} and len(both["tcp_conversations"]) > 10
    assert all("443" in row["a"] + row["b"] for row in both["tcp_conversations"])


@pytest.mark.parametrize("what, words", [
    ("conv,tpc", ["conv,tpc", "tcp"]), ("cnov,tcp", ["did you mean conv"]), ("io,stat", ["SECONDS"]), ("io,stat,x", ["SECONDS"]),
    ("io,stat,1,tcp.prt", ["tcp.port"]), ("io,stat,0.0001", ["longer"])])
def test_mistakes(sluice, example, what, words):
    done = sluice("-z", what, example)
    text = done.stderr.decode()
    assert done.returncode == 2 and done.stdout == b"" and "internal" not in text, text
    assert not [word for word in words if word not in text], text
