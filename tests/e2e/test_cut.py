"""Captures cut short and fed in pieces: never a crash, all that stood before the cut, and its offset."""
import concurrent.futures
import json
import re
import struct
import subprocess
import time

import pytest

import build
from support import PROGRAM, SLOWNESS, record_ends

# Small captures of different readers. Here a cut costs a process, so every byte is the matter of
# tests/unit/test_cut.c; these steps are odd, so that all places within a record come up.
DENSE = ["pcap-nanosecond-big-endian.pcap", "pcapng-all-block-types.pcapng"]
STRIDE = ["raw-ip-101.pcap", "pcapng-sections-of-both-endians.pcapng", "pcapng-simple-packet-blocks.pcapng"]


def cut_summary(sluice, data):
    done = sluice("summary", "-", "-T", "json", stdin=data)
    return done.returncode, done.stdout, done.stderr.decode()


def expected(spans, at, header):
    """Packets that are whole before the cut; the offset of the record it is in, or None between records."""
    packets = 0
    for start, end, number in spans:
        if end <= at:
            packets = number
        elif start < at:
            return packets, start
    return packets, 0 if at < header else None


@pytest.mark.parametrize("name, step", [(name, 7) for name in DENSE] + [(name, 101) for name in STRIDE])
def test_cut_anywhere(sluice, capture, name, step):
    with open(capture(name), "rb") as file:
        data = file.read()
    spans = record_ends(data)
    header = 24 if data[:4] != b"\x0a\x0d\x0d\x0a" else spans[0][1]
    cuts = range(1, len(data), step * SLOWNESS)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda at: cut_summary(sluice, data[:at]), cuts))
    for at, (status, out, err) in zip(cuts, results):
        packets, inside = expected(spans, at, header)
        assert status == (0 if inside is None else 1), (at, err)
        assert err.count("\n") == status, (at, err)
        if at >= header:
            assert json.loads(out)["packets"] == packets, at
        if inside is not None and at >= header:
            assert str(inside) in re.findall(r"\d+", err) or str(at) in re.findall(r"\d+", err), (at, inside, err)


@pytest.mark.parametrize("size, pause", [(1, 0), (13, 0), (4096, 0.001)])
@pytest.mark.parametrize("name", DENSE[:1] + STRIDE[1:])
def test_pieces_make_no_difference(sluice, capture, name, size, pause):
    with open(capture(name), "rb") as file:
        data = file.read()
    whole = sluice("flows", capture(name), "-T", "jsonl")
    with subprocess.Popen([PROGRAM, "flows", "-", "-T", "jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        for at in range(0, len(data), size):
            child.stdin.write(data[at:at + size])
            child.stdin.flush()
            if pause:
                time.sleep(pause)
        out, _ = child.communicate(timeout=60 * SLOWNESS)
    assert (child.returncode, out) == (0, whole.stdout)


def test_a_cut_in_a_block_that_is_passed_over(sluice):
    """Blocks without packets are not held when they are large: the offset is still that of the block."""
    block = build.pcapng([(1, build.eth(build.tcp4(1000)))])
    unknown = struct.pack("<II", 0x0BAD, 4 << 20) + bytes(100)
    done = sluice("summary", "-", "-T", "json", stdin=block + unknown)
    assert done.returncode == 1
    assert json.loads(done.stdout)["packets"] == 1
    assert f"the record that starts at byte {len(block)}" in done.stderr.decode()
