"""-z: the numbers of tshark's tables, over all captures without headers behind the outermost ones."""
import json
import os
import re
import shutil
import subprocess

import pytest

from support import each_capture, fragmented, path_of

pytestmark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
TSHARK = ["tshark", "-n", "-q", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE"]
TRANSPORTS = ("tcp", "udp", "sctp")


# Captures where tshark sees each header once, as sluice does. The others hold tunnels or ICMP errors (tshark counts the
# headers inside as well, and the conversations that they name), fragments of IPv6 (its tables of IPv6 addresses leave
# them out), link types that it alone takes apart, packets without a time, or times millennia apart.
FLAT = (
    "tls-web-334-flows-ipv4-ipv6.pcap", "sctp-http.pcap", "vlan-ipx-llc-fragments.pcap", "linux-cooked-v1.pcap",
    "raw-ip-101.pcap", "null-loopback.pcap", "pcapng-22-interfaces-nanoseconds.pcapng", "ipv4-fragments.pcap",
    "syn-scan-1994-flows.pcap", "linux-cooked-v2.pcap", "radiotap-80211-http.pcap", "ppp-quic.pcap",
    "raw-ip-12-ipv6.pcap", "pcap-nanosecond-snapped.pcap", "pcap-modified-raw-ip.pcap",
    "gz-mpls-10507-packets-snapped.pcap.gz", "big-tcp-ip-length-0.pcap", "gz-82582-packets-500-flows.pcap.gz",
    "malformed/captured-more-than-wire.pcap", "malformed/garbage-fragments.pcap",
    "malformed/ipv4-header-length-under-20.pcap", "p2p-502-public-ips.pcap", "pcap-big-endian-version-2.1.pcap",
    "pcap-nanosecond-big-endian.pcap", "pcapng-big-endian.pcapng", "pcapng-decryption-secrets-cooked.pcapng",
    "pcapng-home-154-flows.pcapng", "pcapng-misnamed-custom-block.pcap", "pcapng-sections-of-both-endians.pcapng",
    "pcapng-simple-packets-snaplen-big-endian.pcapng", "qinq-pppoe-ipv6.pcap", "routing-ospf-pim-lldp-ipv6.pcap",
    "vpn-times-go-backwards.pcap",
)


KINDS = {"eth": "Ethernet", "ip": "IPv4", "ipv6": "IPv6", "tcp": "TCP", "udp": "UDP", "sctp": "SCTP"}
STATS = ("0,ip,tcp.srcport < 1024", "600,frame.len > 100")
WHAT = ["%s,%s" % (table, kind) for table in ("conv", "endpoints") for kind in KINDS] + ["io,phs"] + ["io,stat," + s for s in STATS]


def by_tshark(entry):
    """{title: text} of all tables, in one pass."""
    args = [word for what in WHAT for word in ("-z", what)]
    text = subprocess.run([*TSHARK, "-r", path_of(entry), *args], capture_output=True, check=True,
                          env={**os.environ, "TZ": "UTC"}).stdout.decode()
    tables = {}
    for part in re.split(r"^=+\n", text, flags=re.M):
        title = part.split("\n", 1)[0].strip(" |")
        tables.setdefault(title, []).append(part)
    return tables


def by_sluice(sluice, entry):
    done = sluice(*(word for what in WHAT for word in ("-z", what)), path_of(entry), "-T", "json", timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
    return json.loads(done.stdout)


def conversations_of_tshark(text):
    """{(end, end): [(frames, frames back, start, duration)]}, whichever end tshark puts first."""
    rows = {}
    for line in text.splitlines():
        row = re.match(r"(\S+)\s+<-> (\S+)\s+(\d+) (\d+ \w+)\s+(\d+) (\d+ \w+)\s+(\d+) (\d+ \w+)\s+([\d.]+)\s+([\d.]+)", line)
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
        if entry["backward_steps"] == 0:
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


@each_capture(lambda entry: entry["file"] in FLAT)
def test_tables_are_tsharks(sluice, entry):
    theirs, ours = by_tshark(entry), by_sluice(sluice, entry)
    for kind, title in KINDS.items():
        if kind in ("tcp", "udp", "sctp") and fragmented(entry):
            continue  # a later fragment is no part of what tshark counts by ports
        if kind == "sctp" and entry["file"] == "sctp-http.pcap":
            continue  # tshark's table leaves out a packet of an association
        want = conversations_of_tshark(theirs[title + " Conversations"][0])
        check_conversations(entry, want, conversations_of_sluice(ours[kind + "_conversations"]))
        assert endpoints_of_sluice(ours[kind + "_endpoints"]) == endpoints_of_tshark(theirs[title + " Endpoints"][0])
    check_hierarchy(theirs["Protocol Hierarchy Statistics"][0], ours["protocol_hierarchy"])
    if entry["backward_steps"] == 0 and entry["file"] not in STRAY:
        tables = [part for parts in theirs.values() for part in parts if "IO Statistics" in part]
        check_stat(next(part for part in tables if "tcp.srcport" in part), ours["io_statistics"])
        check_stat(next(part for part in tables if "frame.len" in part), ours["io_statistics_2"])


# Two packets lie decades apart: tshark prints millions of intervals.
STRAY = {"timestamps-after-2038.pcap", "ipv6-extension-headers.pcap"}


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
