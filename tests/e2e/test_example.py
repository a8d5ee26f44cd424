"""The example capture: it is what its generator writes, and other tools see in it what is meant."""

import ipaddress
import shutil
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "office-hour.pcap"
GENERATOR = ROOT / "scripts" / "make-example.py"

sys.path.insert(0, str(ROOT / "scripts"))
from example import events, world  # noqa: E402

needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
needs_mmdblookup = pytest.mark.skipif(not shutil.which("mmdblookup"),
                                      reason="mmdblookup (mmdb-bin) is not installed")


def generate(path, *options):
    subprocess.run([sys.executable, "-B", GENERATOR, "-o", path, *options], check=True,
                   stdout=subprocess.DEVNULL)
    return path


def tshark(capture, display_filter, *fields, options=()):
    """Rows of field values of the packets that pass."""
    command = ["tshark", "-n", "-r", capture, "-Y", display_filter, "-T", "fields", *options]
    for field in fields:
        command += ["-e", field]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return [line.split("\t") for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The same hour with whole packets."""
    return generate(tmp_path_factory.mktemp("example") / "whole.pcap", "--snaplen", "0")


def records(path):
    """(time in us, kept, original length) of each record, and the bytes left over."""
    data = path.read_bytes()
    found, at = [], 24
    while at + 16 <= len(data):
        seconds, micros, kept, length = struct.unpack_from("<IIII", data, at)
        found.append((seconds * 10**6 + micros, kept, length))
        at += 16 + kept
    return found, len(data) - at


def test_generator_gives_the_committed_bytes(tmp_path):
    assert generate(tmp_path / "again.pcap").read_bytes() == EXAMPLE.read_bytes()


def test_another_seed_gives_another_hour(tmp_path):
    small = [generate(tmp_path / f"{seed}.pcap", "--packets", "3000", "--seed", str(seed))
             for seed in (1, 2)]
    assert small[0].read_bytes() != small[1].read_bytes()


def test_shape():
    found, rest = records(EXAMPLE)
    times = [time_us for time_us, _, _ in found]
    assert rest == 0
    assert 45000 <= len(found) <= 55000
    assert times == sorted(times)
    assert times[0] // 10**6 == 1772442000  # 2026-03-02 09:00:00 UTC
    assert 3590 * 10**6 < times[-1] - times[0] < 3600 * 10**6
    assert any(kept < length for _, kept, length in found)
    assert EXAMPLE.stat().st_size < 8 * 10**6


@needs_tshark
def test_nothing_is_malformed_and_checksums_hold(whole):
    switches = []
    for protocol in ("ip", "tcp", "udp"):
        switches += ["-o", f"{protocol}.check_checksum:TRUE"]
    bad = " or ".join(f"{protocol}.checksum.status == 0"
                      for protocol in ("ip", "tcp", "udp", "icmp", "icmpv6"))
    assert tshark(whole, "tcp.checksum.status == 1", "frame.number", options=switches)
    assert tshark(whole, f"_ws.malformed or {bad}", "frame.number", options=switches) == []


@needs_tshark
def test_handshakes_are_complete():
    opened = tshark(EXAMPLE, "tcp.flags.syn == 1 && tcp.flags.ack == 1", "tcp.stream")
    asked = {row[0] for row in tshark(EXAMPLE, "tcp.flags.syn == 1 && tcp.flags.ack == 0",
                                      "tcp.stream")}
    answered = {row[0] for row in opened}
    assert len(answered) > 700
    assert answered <= asked
    finished = Counter(row[0] for row in tshark(EXAMPLE, "tcp.flags.fin == 1", "tcp.stream"))
    assert sum(1 for stream in answered if finished[stream] == 2) > 0.9 * len(answered)


@needs_tshark
def test_retransmissions_stay_in_their_download():
    rows = tshark(EXAMPLE, "tcp.analysis.retransmission", "tcp.stream", "frame.time_relative",
                  "ip.src")
    mirror = str(ipaddress.ip_address(world.SITE["mirror.example.net"].v4))
    assert len(rows) > 100
    assert {row[0] for row in rows} == {rows[0][0]}
    assert {row[2] for row in rows} == {mirror}
    assert events.LOSS_FROM * 60 <= min(float(row[1]) for row in rows)
    assert max(float(row[1]) for row in rows) <= events.LOSS_TO * 60 + 5
    duplicates = tshark(EXAMPLE, "tcp.analysis.duplicate_ack && ip", "tcp.stream")
    assert rows[0][0] in {row[0] for row in duplicates}


@needs_tshark
def test_reordering_stays_on_its_path():
    surf = world.SITE["surf.travel.example"]
    rows = tshark(EXAMPLE, "tcp.analysis.out_of_order", "ip.src", "ipv6.src")
    assert rows
    assert {ipaddress.ip_address("".join(row)).packed for row in rows} <= {surf.v4, surf.v6}


@needs_tshark
def test_names_are_within_the_snap_length(whole):
    server_name = "tls.handshake.extensions_server_name"
    for display_filter, field in (("tls.handshake.type == 1", server_name),
                                  ("http.host", "http.host"), ("dns", "dns.qry.name")):
        cut = tshark(EXAMPLE, display_filter, "frame.number", field)
        assert len(cut) > 100
        assert cut == tshark(whole, display_filter, "frame.number", field)
    sites = {name for name, site in world.SITE.items() if site.scheme.startswith("tls")}
    shown = {row[0] for row in tshark(EXAMPLE, "tls.handshake.type == 1", server_name)}
    assert len(shown) > 18 and shown <= sites


@needs_tshark
def test_lookups_come_before_connections():
    known = set()
    rows = tshark(EXAMPLE, "dns.a or dns.aaaa or (tcp.flags.syn == 1 && tcp.flags.ack == 0)",
                  "dns.a", "dns.aaaa", "ip.dst", "ipv6.dst")
    for a, aaaa, v4, v6 in rows:
        if a or aaaa:
            known.update(a.split(",") + aaaa.split(","))
        elif not ipaddress.ip_address(v4 or v6).is_private:
            assert (v4 or v6) in known
    assert tshark(EXAMPLE, "dns.flags.rcode == 3", "frame.number")
    assert tshark(EXAMPLE, "dns.cname", "frame.number")


@needs_tshark
def test_stories():
    scanner = ipaddress.ip_address(world.SCANNER)
    scanned = tshark(EXAMPLE, f"ip.src == {scanner} && tcp.flags.syn == 1", "tcp.dstport")
    assert len({row[0] for row in scanned}) == len(scanned) > 300
    swept = tshark(EXAMPLE, f"arp.opcode == 1 && arp.src.proto_ipv4 == 192.168.20.105"
                   f" && frame.time_relative >= {events.SWEEP_AT * 60 - 1}", "arp.dst.proto_ipv4")
    assert len({row[0] for row in swept}) == 253
    home = ipaddress.ip_address(world.SITE["telemetry.camera.example"].v4)
    beats = [float(row[0]) for row in tshark(
        EXAMPLE, f"ip.dst == {home} && tcp.flags.syn == 1", "frame.time_relative")]
    gaps = [later - earlier for earlier, later in zip(beats, beats[1:])]
    assert len(beats) == 60 and all(58 < gap < 62 for gap in gaps)
    shell = [float(row[0]) for row in tshark(EXAMPLE, "ssh", "frame.time_relative")]
    assert max(later - earlier for earlier, later in zip(shell, shell[1:])) > 900


@needs_mmdblookup
def test_sites_are_in_their_countries():
    """With the country database of the project, where it is there."""
    database = next((ROOT / "lua" / "data").glob("*.mmdb"), None)
    if not database:
        pytest.skip("no country database in lua/data")
    expected = [(address, site.country) for site in world.SITE.values()
                for address in (site.v4, site.v6) if address]
    expected.append((world.SCANNER, world.SCANNER_COUNTRY))
    for address, country in expected:
        text = str(ipaddress.ip_address(address))
        shown = subprocess.run(
            ["mmdblookup", "-f", database, "-i", text, "country_code"],
            capture_output=True, text=True)
        assert f'"{country}"' in shown.stdout, (text, country)
    assert len({country for _, country in expected}) >= 12
