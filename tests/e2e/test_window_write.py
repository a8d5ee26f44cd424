"""-w with --from and --to: the window's file carries section and interfaces of the input, and its packets are
those that editcap -A -B cuts out; of files, and of servers, where little is fetched."""
import os
import struct
import subprocess
import time

import pytest

from httpd import Server
from test_window import EPOCH, SECTION, block, bytes_read, editcap, interface, traffic, utc

FIELDS = ("frame.time_epoch", "frame.interface_id", "frame.len", "frame.cap_len", "tcp.seq_raw", "tcp.payload")
COMMENT = 1  # options of pcapng
NAME = 2


def option(code, text):
    return struct.pack("<HH", code, len(text)) + text + bytes(-len(text) % 4)


def section(comment):
    return block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + option(COMMENT, comment) + bytes(4))


def named(name, resolution):
    return block(1, struct.pack("<HHIHHB3x", 1, 0, 0, 9, 1, resolution) + option(NAME, name) + bytes(4))


def packet(number, resolution, t, frame):
    ticks = round(t * 1e6) * 10 ** (resolution - 6)
    return block(6, struct.pack("<IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame)) + frame)


HEAD = section(b"written by hand") + named(b"eth0", 6) + named(b"eth1", 9)


@pytest.fixture(scope="module")
def packets():
    return traffic(lambda t: 28)


@pytest.fixture(scope="module")
def two_interfaces(packets):
    return HEAD + b"".join(packet(n % 2, 6 + 3 * (n % 2), t, frame) for n, (t, frame) in enumerate(packets))


@pytest.fixture(scope="module")
def rare_interfaces(packets):
    """Two that are described where nobody looks, of a few packets each."""
    late = {len(packets) // 4 + 5: named(b"eth2", 9), len(packets) // 2 + 5: named(b"eth3", 6)}
    out, known = [HEAD], 2
    for n, (t, frame) in enumerate(packets):
        if n in late:
            out.append(late[n])
            known += 1
        number = n % 400 - 10 if 2 <= n % 400 - 10 < known else 0
        out.append(packet(number, 9 if number == 2 else 6, t, frame))
    return b"".join(out)


@pytest.fixture(scope="module")
def server(two_interfaces, rare_interfaces):
    with Server({"two.pcapng": two_interfaces, "rare.pcapng": rare_interfaces}) as running:
        yield running


@pytest.fixture
def place(server, two_interfaces, rare_interfaces, tmp_path, monkeypatch):
    """The input by its name, as a file or behind a server; and that file."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    def at(where, name):
        path = tmp_path / name
        path.write_bytes({"two.pcapng": two_interfaces, "rare.pcapng": rare_interfaces}[name])
        server.log.clear()
        return (path if where == "file" else server.url("good", name)), str(path)
    return at


def shown(path):
    args = ["tshark", "-n", "-r", str(path), "-T", "fields", *(word for f in FIELDS for word in ("-e", f))]
    return subprocess.run(args, capture_output=True, check=True).stdout


def check_window(sluice, source, path, begin, end, tmp_path, *args):
    """Writes the window and compares its packets with editcap's. Returns the file and what was said."""
    out, cut = tmp_path / "window.pcapng", str(tmp_path / "cut.pcapng")
    done = sluice("-w", out, "-v", "--from", str(EPOCH + begin), "--to", str(EPOCH + end), *args, source)
    assert done.returncode == 0, done.stderr
    editcap(path, utc(EPOCH + begin), utc(EPOCH + end), cut)
    assert shown(out) == shown(cut) != b""
    return out, done


WINDOWS = [(300, 310), (-10, 3), (590, 700)]


@pytest.mark.parametrize("begin, end", WINDOWS)
@pytest.mark.parametrize("where", ["file", "http"])
def test_section_and_interfaces_are_kept(sluice, place, server, where, begin, end, tmp_path):
    source, path = place(where, "two.pcapng")
    out, done = check_window(sluice, source, path, begin, end, tmp_path)
    whole = tmp_path / "whole.pcapng"
    assert sluice("-w", whole, path).returncode == 0
    head = whole.read_bytes()[:len(HEAD)]
    assert head == HEAD and out.read_bytes()[:len(HEAD)] == HEAD
    assert b"the window was found" in done.stderr or begin < 0
    fetched = bytes_read(done) if where == "file" else sent(server)
    assert fetched <= os.path.getsize(out) + 4 * 1024 * 1024


def sent(server):
    time.sleep(0.05)  # an entry is written after its last byte is sent
    return sum(entry.sent for entry in server.log)


@pytest.mark.parametrize("begin, end", [(200, 215), (299, 320), (590, 700)])
@pytest.mark.parametrize("where", ["file", "http"])
def test_an_interface_in_what_was_passed_over(sluice, place, where, begin, end, tmp_path):
    source, path = place(where, "rare.pcapng")
    out, done = check_window(sluice, source, path, begin, end, tmp_path)
    assert b"was read for the interface of a packet there" in done.stderr
    assert out.read_bytes().startswith(HEAD + named(b"eth2", 9)[:12])
    plain = sluice("count", "--from", str(EPOCH + begin), "--to", str(EPOCH + end), source)
    assert plain.returncode == 0 and plain.stdout == sluice("count", out).stdout


def test_an_interface_that_is_described_in_the_window(sluice, packets, tmp_path):
    """It has the number 1 to who did not see the other one, which no packet shows; but it has 2."""
    begin = next(n for n, (t, _) in enumerate(packets) if t >= EPOCH + 302)
    out = [HEAD[:-len(named(b"eth1", 9))]]
    for n, (t, frame) in enumerate(packets):
        if n == len(packets) // 4 + 5:
            out.append(named(b"eth1", 9))
        if n == begin:
            out.append(named(b"eth2", 6))
        number = n % 3 if begin <= n < begin + 30 else 0
        out.append(packet(number, 9 if number == 1 else 6, t, frame))
    path = tmp_path / "hidden.pcapng"
    path.write_bytes(b"".join(out))
    _, done = check_window(sluice, path, str(path), 300, 310, tmp_path)
    assert b"was read for the interface of a packet there" in done.stderr


def test_blocks_between_packets_are_not_written_twice(sluice, packets, tmp_path):
    """Names of hosts stand behind where reading began, and before the packet that makes it go back."""
    names = block(4, struct.pack("<HH4s", 1, 9, bytes((10, 0, 0, 1))) + b"host\0" + bytes(3) + bytes(4))
    begin = next(n for n, (t, _) in enumerate(packets) if t >= EPOCH + 302)
    out = [HEAD]
    for n, (t, frame) in enumerate(packets):
        if n == len(packets) // 4 + 5:
            out.append(named(b"eth2", 6))
        if n in (5, begin):
            out.append(names)
        out.append(packet(2 if n == begin + 9 else 0, 6, t, frame))
    path = tmp_path / "names.pcapng"
    path.write_bytes(b"".join(out))
    written, done = check_window(sluice, path, str(path), 300, 310, tmp_path)
    assert b"was read for the interface of a packet there" in done.stderr
    assert written.read_bytes().count(names) == 1


def test_several_inputs_and_a_pcap(sluice, place, packets, tmp_path):
    """Inputs behind one another are one capture; a pcap of it has its time stamps."""
    _, path = place("file", "rare.pcapng")
    third, parts = len(packets) // 3, []
    for n in range(3):
        parts.append(tmp_path / ("part%d.pcapng" % n))
        part = packets[n * third:(n + 1) * third]
        parts[-1].write_bytes(SECTION + interface(6) + b"".join(packet(0, 6, *p) for p in part))
    window = ["--from", str(EPOCH + 190), "--to", str(EPOCH + 210)]
    seen = []
    for args in ((path,), parts):
        for ending in ("pcap", "pcapng"):
            out = tmp_path / ("out." + ending)
            assert sluice("-w", out, *window, *args).returncode == 0
            seen.append([line.split(b"\t")[0:1] + line.split(b"\t")[2:] for line in shown(out).splitlines()])
    assert len(seen[0]) > 100 and all(rows == seen[0] for rows in seen)


def test_an_interface_that_nobody_describes_is_damage(sluice, packets, tmp_path):
    bad = next(n for n, (t, _) in enumerate(packets) if t >= EPOCH + 305)
    path = tmp_path / "bad.pcapng"
    path.write_bytes(HEAD + b"".join(packet(9 if n == bad else 0, 6, *p) for n, p in enumerate(packets)))
    out = tmp_path / "out.pcapng"
    done = sluice("-w", out, "--from", str(EPOCH + 300), "--to", str(EPOCH + 310), path)
    assert done.returncode == 1 and b"a packet of an interface that was not described" in done.stderr
    assert 50 < len(shown(out).splitlines()) == sum(EPOCH + 300 <= t for t, _ in packets[:bad])
