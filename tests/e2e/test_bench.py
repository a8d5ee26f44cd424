"""The bench generator gives what it promises, and the bench judges what it measures."""

import shutil
import stat
import struct
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = ROOT / "build" / "release" / "tests" / "bench" / "gen"
LAUNCHER = GENERATOR.with_name("launch")
BENCH = ROOT / "tests" / "bench" / "bench.py"
ETHERNET, TCP, UDP = 14, 6, 17


@pytest.fixture(scope="module", autouse=True)
def tools():
    targets = [path.relative_to(ROOT) for path in (GENERATOR, LAUNCHER)]
    subprocess.run(["make", "-s", *targets], cwd=ROOT, check=True)


def generate(*options):
    return subprocess.run([GENERATOR, *map(str, options)], check=True, capture_output=True).stdout


def packets(data):
    """(time in units of the file, frame, length on the wire) of a pcap file."""
    magic, snaplen = struct.unpack_from("<I12xI", data)
    per_second = {0xA1B2C3D4: 10**6, 0xA1B23C4D: 10**9}[magic]
    at = 24
    while at < len(data):
        seconds, part, kept, length = struct.unpack_from("<IIII", data, at)
        assert part < per_second and kept <= min(length, snaplen)
        yield seconds * per_second + part, data[at + 16:at + 16 + kept], length
        at += 16 + kept
    assert at == len(data)


def five_tuple(frame):
    ip = frame[ETHERNET:]
    if ip[0] >> 4 == 4:
        protocol, ends, transport = ip[9], (ip[12:16], ip[16:20]), ip[20:]
    else:
        protocol, ends, transport = ip[6], (ip[8:24], ip[24:40]), ip[40:]
    assert protocol in (TCP, UDP)
    return protocol, *sorted(zip(ends, (transport[:2], transport[2:4])))


@pytest.mark.parametrize("size, flows, live", [(1, 1, 1), (10, 10, 3), (5000, 5000, 50),
                                               (30000, 9000, 500), (60000, 4000, 400)])
def test_exact_packets_and_flows(size, flows, live):
    found = list(packets(generate("--packets", size, "--flows", flows, "--live", live)))
    times = [time for time, _, _ in found]
    assert len(found) == size
    assert times == sorted(times)
    assert len({five_tuple(frame) for _, frame, _ in found}) == flows


def test_flows_are_interleaved():
    span = {}
    found = list(packets(generate("--packets", 100000, "--flows", 10000, "--live", 1000)))
    for number, (_, frame, _) in enumerate(found):
        first, _ = span.get(five_tuple(frame), (number, None))
        span[five_tuple(frame)] = first, number
    middle = len(found) // 2
    assert 500 < sum(first <= middle <= last for first, last in span.values()) < 2000


def test_same_options_same_bytes():
    options = ("--packets", 2000, "--flows", 300, "--size-mix", "imix")
    assert generate(*options) == generate(*options)
    assert generate(*options) != generate(*options, "--seed", 2)


def test_sizes_snap_length_and_versions():
    full = list(packets(generate("--packets", 20000, "--flows", 500, "--size-mix", "full",
                                 "--snaplen", 100, "--v6", 0, "--nano")))
    assert max(length for _, _, length in full) == 1514
    assert max(len(frame) for _, frame, _ in full) == 100
    assert {frame[12:14] for _, frame, _ in full} == {b"\x08\x00"}
    small = list(packets(generate("--packets", 20000, "--flows", 500, "--v6", 100)))
    assert {frame[12:14] for _, frame, _ in small} == {b"\x86\xdd"}
    assert sum(length for _, _, length in small) < 150 * len(small)


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_other_tools_read_pcapng_as_pcap(tmp_path):
    told = []
    for name in ("pcap", "pcapng"):
        path = tmp_path / f"capture.{name}"
        path.write_bytes(generate("--packets", 3000, "--flows", 300, "--nano", "--format", name))
        told.append(subprocess.run(
            ["tshark", "-n", "-r", path, "-T", "fields", "-e", "frame.time_epoch", "-e", "ip.src",
             "-e", "ipv6.src", "-e", "tcp.analysis.retransmission", "-e", "frame.len"],
            check=True, capture_output=True, text=True).stdout.splitlines())
    assert told[0] == told[1]
    assert len(told[0]) == 3000
    assert all(line.split("\t")[3] == "" for line in told[0])


@pytest.mark.parametrize("options", [("--packets", "0"), ("--packets", "x"), ("--packets", "-1"),
                                     ("--packets", "5", "--flows", "6"), ("--size-mix", "big"),
                                     ("--v6", "101"), ("extra",)])
def test_wrong_options_are_refused(options):
    result = subprocess.run([GENERATOR, *options], capture_output=True, check=False)
    assert result.returncode == 2
    assert result.stderr and not result.stdout


@pytest.mark.skipif(not shutil.which("tcpdump"), reason="tcpdump is not installed")
@pytest.mark.parametrize("counted, status, verdict", [(120000, 0, "PASS|short"),
                                                      (119999, 1, "failed: counted 119999")])
def test_bench_checks_what_it_times(tmp_path, counted, status, verdict):
    program = tmp_path / "sluice"
    program.write_text(f"#!/bin/sh\necho '{{\"packets\": {counted}}}'\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    result = subprocess.run(
        [sys.executable, "-B", BENCH, "--scale", "0.01", "--rounds", "1", "--data", tmp_path,
         "--only", "1 worker / tcpdump", "--sluice", program],
        capture_output=True, text=True, check=False)
    assert result.returncode == status
    assert any(word in result.stdout for word in verdict.split("|"))


@pytest.mark.parametrize("merged, status, verdict", [("the same", 0, "PASS|short"), ("another", 1, "failed: printed something else")])
def test_bench_compares_pieces_with_one_run(tmp_path, merged, status, verdict):
    program = tmp_path / "sluice"
    program.write_text(f"#!/bin/sh\ncase \"$*\" in plan*) echo 1 ;; *--piece*) ;; merge*) echo {merged} ;; *) echo the same ;; esac\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    result = subprocess.run(
        [sys.executable, "-B", BENCH, "--scale", "0.01", "--data", tmp_path, "--only", "CPU: count, full", "--sluice", program],
        capture_output=True, text=True, check=False)
    assert result.returncode == status, result.stdout
    assert any(word in result.stdout for word in verdict.split("|"))


def test_bench_holds_a_merge_against_seconds_and_memory(tmp_path):
    """What prepares it is run once, and fails the case where it fails."""
    for command, status, verdict in (("exit 0", 0, "PASS"), ("[ $1 = merge ]", 1, "failed: pieces.sh ended with 1")):
        program = tmp_path / "sluice"
        program.write_text(f"#!/bin/sh\necho $1 >>{tmp_path}/runs\n{command}\n", encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        result = subprocess.run(
            [sys.executable, "-B", BENCH, "--scale", "0.01", "--data", tmp_path, "--only", "merge of .*, 1 M", "--sluice", program],
            capture_output=True, text=True, check=False)
        assert result.returncode == status and verdict in result.stdout
    assert (tmp_path / "runs").read_text().split() == ["plan", "merge", "merge", "merge", "plan"]


def test_launch_reports_the_command_alone(tmp_path):
    report = tmp_path / "report"
    for command, status in ((["true"], 0), (["false"], 1), (["sh", "-c", "kill -9 $$"], 137)):
        assert subprocess.run([LAUNCHER, report, *command], check=False).returncode == status
        wall_s, user_s, system_s, max_rss_bytes = map(float, report.read_text().split())
        assert 0 < wall_s < 5 and user_s + system_s < 5
        assert 100000 < max_rss_bytes < 8 << 20  # Python itself is larger
    missing = subprocess.run([LAUNCHER, report, tmp_path / "nothing"], capture_output=True,
                             check=False)
    assert missing.returncode == 127 and b"nothing" in missing.stderr
