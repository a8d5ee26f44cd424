"""Compressed captures: the same result as from the plain bytes, from file, pipe and HTTP, whatever the
name; cuts and damage are one line, after everything that stands before them."""
import gzip
import json
import lzma
import os
import pty
import re
import signal
import subprocess
import time

import pytest

import support
from httpd import Server
from support import PROGRAM, SLOWNESS


def run_tool(*command):
    return lambda data: subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


PACK = {
    "gzip": lambda data: gzip.compress(data, 6),
    "zstd": run_tool("zstd", "-q", "-c"),
    "lz4": run_tool("lz4", "-q", "-c", "-B4"),  # blocks of 64 KiB: a cut one gives nothing
    "xz": lambda data: lzma.compress(data, preset=0),
}
each_format = pytest.mark.parametrize("form", PACK)


@pytest.fixture(scope="module")
def data():
    """Of 3 MiB, so that it is more than the blocks that are read ahead; half of it does not pack."""
    return support.pcap([(1700000000 + n // 100, n % 100 * 10000, support.tcp_frame(
        "10.0.%d.1" % (n % 97), "192.0.2.%d" % (n % 13 + 1), 1024 + n % 89, 443, 0x18, seq=n,
        payload=os.urandom(500) + bytes(500))) for n in range(2900)])


@pytest.fixture(scope="module")
def flows(sluice, data):
    done = sluice("flows", "-", "-T", "jsonl", stdin=data)
    assert done.returncode == 0 and done.stdout.count(b"\n") > 1000
    return done.stdout


def counted(done):
    return json.loads(done.stdout)["packets"]


def packets_in(data):
    return len(support.pcap_records(data))


def expect_error(done, *words):
    text = done.stderr.decode()
    assert done.returncode == 1, text
    assert text.count("\n") == 1 and text.endswith("\n"), text
    for word in words:
        assert word in text, (word, text)


@each_format
@pytest.mark.parametrize("name", ["capture", "capture.pcap", "capture.zst.gz"])
def test_file(sluice, tmp_path, data, flows, form, name):
    """By magic: no name says, or each says something else."""
    path = tmp_path / name
    path.write_bytes(PACK[form](data))
    done = sluice("flows", path, "-T", "jsonl")
    assert (done.returncode, done.stdout, done.stderr) == (0, flows, b"")


@each_format
def test_pipe(sluice, data, flows, form):
    done = sluice("flows", "-", "-T", "jsonl", stdin=PACK[form](data))
    assert (done.returncode, done.stdout, done.stderr) == (0, flows, b"")


@each_format
@pytest.mark.parametrize("mode", ["good", "no-range", "chunked"])
def test_http(sluice, data, flows, form, mode, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server({"x.pcap": PACK[form](data)}) as server:
        done = sluice("flows", server.url(mode, "x.pcap"), "-T", "jsonl")
    assert (done.returncode, done.stdout, done.stderr) == (0, flows, b"")


@each_format
def test_http_that_breaks_off(sluice, data, form, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server({"x.pcap": PACK[form](data)}) as server:
        done = sluice("count", server.url("no-range-drop", "x.pcap"), "-T", "json")
    expect_error(done, "http://127.0.0.1")
    assert 0 < counted(done) < packets_in(data)


@each_format
def test_several_inputs(sluice, tmp_path, data, flows, form):
    """Two halves, one of them compressed, are one capture."""
    middle = support.pcap_records(data)[1000][0]
    (tmp_path / "a").write_bytes(PACK[form](data[:middle]))
    (tmp_path / "b").write_bytes(data[:24] + data[middle:])
    done = sluice("flows", tmp_path / "a", tmp_path / "b", "-T", "jsonl")
    assert (done.returncode, done.stdout) == (0, flows)


@each_format
def test_members_behind_one_another(sluice, data, flows, form):
    middle = len(data) // 2
    packed = PACK[form](data[:middle]) + PACK[form](data[middle:])
    done = sluice("flows", "-", "-T", "jsonl", stdin=packed)
    assert (done.returncode, done.stdout, done.stderr) == (0, flows, b"")


@each_format
def test_pcapng(sluice, tmp_path, capture, form):
    path = capture("pcapng-sections-of-both-endians.pcapng")
    with open(path, "rb") as file:
        (tmp_path / "x").write_bytes(PACK[form](file.read()))
    plain, packed = (sluice("flows", each, "-T", "jsonl") for each in (path, tmp_path / "x"))
    assert (packed.returncode, packed.stdout) == (0, plain.stdout)


@each_format
def test_cut(sluice, tmp_path, data, form):
    """Whole packets of what can be unpacked of the cut file are counted, then the cut is named."""
    packed = PACK[form](data)
    path = tmp_path / "cut"
    for at in (len(packed) - 1, len(packed) // 2):
        path.write_bytes(packed[:at])
        done = sluice("count", path, "-T", "json")
        expect_error(done, str(path), "cut short", "byte %d," % at, form)
        assert 0 < counted(done) <= packets_in(data)
    assert counted(done) > 100  # of the half


def test_cut_gives_all_that_gzip_gives(sluice, data):
    packed = gzip.compress(data)[:700000]
    unpacked = subprocess.run(["gzip", "-dc"], input=packed, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=False).stdout
    done = sluice("count", "-", "-T", "json", stdin=packed)
    expect_error(done, "cut short")
    assert packets_in(data) > counted(done) >= packets_in(unpacked) > 500


@each_format
def test_damage(sluice, data, form):
    """In the second of two members: all packets of the first are there."""
    middle = support.pcap_records(data)[1500][0]
    first, second = PACK[form](data[:middle]), bytearray(PACK[form](data[middle:]))
    second[len(second) // 2:len(second) // 2 + 40] = b"\xff" * 40
    done = sluice("count", "-", "-T", "json", stdin=first + bytes(second))
    expect_error(done)
    assert counted(done) >= 1500
    # A reader of damaged bytes may meet them as a record that cannot be, before the checksum comes.
    found = re.search(r"behind byte (\d+) of the compressed input", done.stderr.decode())
    if found:
        assert len(first) <= int(found[1]) <= len(first) + len(second)
    else:
        assert b"(in the unpacked %s data)" % form.encode() in done.stderr


@each_format
def test_a_cut_inside_says_that_it_counts_unpacked_bytes(sluice, data, form):
    record = support.pcap_records(data)[10][0]
    done = sluice("count", "-", "-T", "json", stdin=PACK[form](data[:record + 20]))
    expect_error(done, "ends at byte %d" % (record + 20), "(in the unpacked %s data)" % form)
    assert counted(done) == 10


@each_format
def test_empty(sluice, form):
    expect_error(sluice("count", "-", stdin=PACK[form](b"")), "empty", form)


@each_format
def test_no_capture_inside(sluice, form):
    expect_error(sluice("count", "-", stdin=PACK[form](b"GET / HTTP/1.1\r\n" * 9)), "47 45 54 20", form)


@each_format
def test_one_level_only(sluice, data, form):
    done = sluice("count", "-", stdin=PACK[form](PACK["gzip"](data)))
    expect_error(done, "gzip data inside %s data" % form, "%s -dc IN | sluice" % form)


@each_format
def test_other_bytes_behind(sluice, data, form):
    packed = PACK[form](data)
    done = sluice("count", "-", "-T", "json", stdin=packed + b"more")
    expect_error(done, "byte %d of the compressed input" % len(packed))
    assert counted(done) == packets_in(data)
    assert sluice("count", "-", "-T", "json", stdin=packed + bytes(512)).returncode == 0


@pytest.mark.parametrize("magic, word", [(b"BZh91AY&SY", "bzcat"), (b"PK\x03\x04", "unzip"),
                                         (b"\x02\x21\x4c\x18", "lz4cat")])
def test_what_is_not_unpacked(sluice, magic, word):
    expect_error(sluice("count", "-", stdin=magic + bytes(64)), word)


@each_format
def test_stops_early(sluice, tmp_path, data, form):
    path = tmp_path / "x"
    path.write_bytes(PACK[form](data))
    done = sluice("count", path, "-c", "5", "-T", "json")
    assert (done.returncode, counted(done)) == (0, 5)


def feed(packed, *args, **more):
    child = subprocess.Popen([PROGRAM, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **more)
    child.stdin.write(packed)
    child.stdin.flush()
    return child


@each_format
@pytest.mark.parametrize("share", [0, 0.7], ids=["before the first packet", "in the middle"])
def test_interrupt_while_it_waits(data, form, share):
    """Ctrl-C while the unpacking thread waits for a pipe that gives no more."""
    packed = PACK[form](data)
    with feed(packed[:int(len(packed) * share) or 9], "count", "-T", "json", "-", stderr=subprocess.PIPE) as child:
        time.sleep(0.5 * SLOWNESS)
        child.send_signal(signal.SIGINT)
        started = time.monotonic()
        out, err = child.stdout.read(), child.stderr.read()
        child.wait(timeout=10 * SLOWNESS)
        assert time.monotonic() - started < 1.5 * SLOWNESS
    assert child.returncode == 130, err
    assert b"interrupted" in err
    if share:
        assert json.loads(out)["packets"] > 100


def test_progress_counts_compressed_bytes(tmp_path, data):
    """The size that the line shows is the file's, and the bytes read never pass it."""
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(data + data[24:] * 30, 1))
    size = path.stat().st_size
    parent, terminal = pty.openpty()
    slow = tmp_path / "slow.lua"
    slow.write_text("return { about = 'slow', start = function() local n = 0; return { packet = function(p) "
                    "for i = 1, 20000 do n = (n + i) % 7 end end, finish = function() end } end }")
    with subprocess.Popen([PROGRAM, slow, path], stdout=subprocess.DEVNULL, stderr=terminal) as child:
        os.close(terminal)
        said = b""
        try:
            while chunk := os.read(parent, 4096):
                said += chunk
        except OSError:  # the terminal's other end is closed
            pass
    os.close(parent)
    assert child.returncode == 0
    shown = re.findall(rb"([\d.]+) of ([\d.]+) MB \((\d+) %\)", said)
    assert shown, said
    assert {total.decode() for _, total, _ in shown} == {"%.1f" % (size / 1e6)}
    assert all(0 <= int(percent) <= 100 for _, _, percent in shown)
    assert int(shown[-1][2]) > int(shown[0][2]) or len(shown) == 1
