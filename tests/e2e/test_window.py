"""Time windows: --from and --to give what editcap -A -B cuts out, whatever they read for it."""
import gzip
import json
import os
import random
import struct
import subprocess
import time

import pytest

from httpd import Server
from support import (SECTION, as_pcapng, block, compressed, each_capture, interface, json_lines, path_of, pcap, plain,
                     tcp_frame)

EPOCH = 1700000000
LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "list_packets.lua")


def utc(seconds, micros=0):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds)) + ".%06d" % micros


def stamped(seconds):
    """A float as (seconds, microseconds)."""
    micros = round(seconds * 1e6)
    return micros // 1000000, micros % 1000000


def traffic(rate, seed=1, seconds=600.0, jitter=0.0, size=1400):
    """[(time, frame)]: `rate(t)` packets a second, up to `jitter` seconds out of order."""
    draw, t, packets = random.Random(seed), 0.0, []
    body = bytes(range(256)) * 6
    while t < seconds:
        frame = tcp_frame("10.0.0.%d" % draw.randrange(1, 40), "192.0.2.1", draw.randrange(1024, 1400), 443,
                          0x18, seq=len(packets), payload=body[:draw.randrange(size)])
        packets.append((EPOCH + t + draw.uniform(-jitter, jitter), frame))
        t += draw.expovariate(rate(t))
    return packets


def as_pcap(packets):
    return pcap([(*stamped(t), frame) for t, frame in packets])


def editcap(path, begin, end, out):
    """The same window by Wireshark's editcap, which rewrites pcapng as it pleases: the packets are meant."""
    subprocess.run(["editcap", "-A", begin, "-B", end, path, out], check=True, env={**os.environ, "TZ": "UTC"},
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def result_of(sluice, *args):
    """Every packet with its number and its time as it stands."""
    done = sluice(LIST, *args)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def check_like_editcap(sluice, path, begin, end, tmp_path, source=None):
    cut = str(tmp_path / "cut")
    editcap(path, utc(*begin), utc(*end), cut)
    window = ["--from", utc(*begin).replace(" ", "T"), "--to", "%d.%06d" % end]
    assert result_of(sluice, *window, source or path) == result_of(sluice, cut)


@each_capture(plain, lambda entry: 50 < entry["packets"] < 6000)
def test_real_captures_equal_editcap(sluice, entry, tmp_path):
    path = path_of(entry)
    summary = json.loads(sluice("summary", path, "-T", "json").stdout)
    first, last = float(summary["first"]), float(summary["last"])
    for low, high in ((0.4, 0.6), (0.9, 2.0)):
        begin, end = stamped(first + low * (last - first)), stamped(first + high * (last - first) + 0.001)
        if end[0] < 2**32:  # more than editcap can say
            check_like_editcap(sluice, path, begin, end, tmp_path)


@each_capture(compressed)
def test_compressed_captures(sluice, entry, tmp_path):
    plain_copy = tmp_path / "plain.pcap"
    plain_copy.write_bytes(gzip.decompress(open(path_of(entry), "rb").read()))
    summary = json.loads(sluice("summary", plain_copy, "-T", "json").stdout)
    first, last = float(summary["first"]), float(summary["last"])
    begin, end = stamped((first + last) / 2), stamped(first * 0.4 + last * 0.6)
    check_like_editcap(sluice, str(plain_copy), begin, end, tmp_path, path_of(entry))


@pytest.fixture(scope="module")
def steady():
    """About 12 MiB over ten minutes, as [(time, frame)]."""
    return traffic(lambda t: 28)


@pytest.fixture(scope="module")
def bursty():
    """Most bytes come in a few seconds, nothing at all in others."""
    return traffic(lambda t: 900 if t % 60 < 1 else 8 if t % 200 < 150 else 0.5)


def written(tmp_path_factory, name, data):
    path = tmp_path_factory.mktemp("window") / name
    path.write_bytes(data)
    return str(path)


@pytest.fixture(scope="module")
def steady_pcap(steady, tmp_path_factory):
    return written(tmp_path_factory, "steady.pcap", as_pcap(steady))


@pytest.fixture(scope="module")
def bursty_pcapng(bursty, tmp_path_factory):
    return written(tmp_path_factory, "bursty.pcapng", as_pcapng(bursty, interfaces=3))


WINDOWS = [(0, 1), (0, 600), (10, 20), (299.5, 300.5), (300, 300.001), (590, 700), (-10, 5), (650, 700)]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("file", ["steady_pcap", "bursty_pcapng"])
def test_made_captures_equal_editcap(sluice, request, file, window, tmp_path):
    check_like_editcap(sluice, request.getfixturevalue(file), stamped(EPOCH + window[0]),
                       stamped(EPOCH + window[1]), tmp_path)


def test_open_windows(sluice, steady, steady_pcap):
    first = steady[0][0]
    for args, wanted in ((["--from", "+400"], [t for t, _ in steady if t >= first + 400]),
                         (["--to", "+2m"], [t for t, _ in steady if t < first + 120])):
        done = sluice("count", *args, steady_pcap, "-T", "json")
        assert abs(json.loads(done.stdout)["packets"] - len(wanted)) <= 1  # floats beside microseconds


def bytes_read(done):
    return int(next(line for line in done.stderr.decode().splitlines() if " bytes read" in line).split()[0])


@pytest.mark.parametrize("window", [("+300", "+310"), ("+1", "+2"), ("+599", "+700")])
def test_little_is_read_of_a_file(sluice, steady_pcap, window):
    done = sluice("summary", "-v", "--from", window[0], "--to", window[1], steady_pcap, "-T", "json")
    wanted = json.loads(done.stdout)
    assert bytes_read(done) <= wanted["bytes"] + 16 * wanted["packets"] + 4 * 1024 * 1024
    assert b"the window was found" in done.stderr or window[0] == "+1"


def test_numbers_and_times(sluice, steady_pcap):
    """t counts from the first packet of the capture, numbers from the first one of the window."""
    done = sluice("eval", "print('row', p.number, p.t)", "--from", "+300", "--to", "+301", steady_pcap)
    rows = [line.split()[1:] for line in done.stdout.decode().splitlines() if line.startswith("row")]
    assert [int(row[0]) for row in rows] == list(range(1, len(rows) + 1)) and len(rows) > 5
    assert all(300 <= float(row[1]) < 301 for row in rows)


def test_intervals_begin_with_the_window(sluice, steady_pcap, tmp_path):
    recipe = tmp_path / "ticks.lua"
    recipe.write_text("return { about = 'ticks', every = 10, start = function() return {\n"
                      "  interval = function(t) print(t) end } end }\n")
    done = sluice(recipe, "--from", "+300", "--to", "+341", steady_pcap)
    assert done.returncode == 0, done.stderr
    assert [float(line) for line in done.stdout.split()] == [310, 320, 330, 340]


def test_packets_a_little_out_of_order(sluice, tmp_path):
    path = tmp_path / "jitter.pcap"
    path.write_bytes(as_pcap(traffic(lambda t: 28, jitter=0.3)))
    for begin in (100.0, 300.25, 444.5):
        check_like_editcap(sluice, str(path), stamped(EPOCH + begin), stamped(EPOCH + begin + 7), tmp_path)
    done = sluice("count", "-v", "--from", "+300", "--to", "+301", path)
    assert b"the window was found" in done.stderr


def test_disorder_is_read_from_the_start(sluice, tmp_path):
    """Two captures behind one another: the second goes back in time."""
    path = tmp_path / "twice.pcap"
    path.write_bytes(as_pcap(traffic(lambda t: 28, seconds=300) + traffic(lambda t: 28, seconds=300, seed=2)))
    check_like_editcap(sluice, str(path), stamped(EPOCH + 150), stamped(EPOCH + 160), tmp_path)
    done = sluice("count", "-v", "--from", "+150", "--to", "+160", path)
    assert b"read from the start, because time goes back between bytes" in done.stderr


def test_unknown_interface_is_read_from_the_start(sluice, steady, tmp_path):
    path = tmp_path / "late.pcapng"
    path.write_bytes(as_pcapng(steady, late=len(steady) // 2))
    check_like_editcap(sluice, str(path), stamped(EPOCH + 500), stamped(EPOCH + 510), tmp_path)
    done = sluice("count", "-v", "--from", "+500", "--to", "+510", path)
    assert b"read from the start, because no record was found behind byte" in done.stderr


def test_another_section_is_read_from_the_start(sluice, steady, tmp_path):
    """A second file behind the first, with another clock."""
    half, path = len(steady) // 2, tmp_path / "sections.pcapng"
    path.write_bytes(as_pcapng(steady[:half]) + SECTION + interface(9) + b"".join(
        block(6, struct.pack("<IIIII", 0, round(t * 1e6) * 1000 >> 32, round(t * 1e6) * 1000 & 0xFFFFFFFF,
                             len(frame), len(frame)) + frame) for t, frame in steady[half:]))
    check_like_editcap(sluice, str(path), stamped(EPOCH + 500), stamped(EPOCH + 510), tmp_path)


def test_doubt_is_told(sluice, tmp_path):
    """Time goes back where it was not looked before the window was found: said without -v."""
    packets = traffic(lambda t: 28)
    middle = next(n for n, (t, _) in enumerate(packets) if t >= EPOCH + 302)
    moved = packets[:middle] + [(t - 20, frame) for t, frame in packets[middle:middle + 5]] + packets[middle + 5:]
    path = tmp_path / "step.pcap"
    path.write_bytes(as_pcap(moved))
    done = sluice("count", "--from", "+300", "--to", "+310", path)
    assert done.returncode == 0 and b"time goes back in the window" in done.stderr


def test_pipe_equals_file(sluice, steady_pcap):
    window = ["--from", "+300", "--to", "+310"]
    from_file = result_of(sluice, *window, steady_pcap)
    with open(steady_pcap, "rb") as file:
        data = file.read()
    done = sluice("summary", *window, "-", "-T", "json", "-v", stdin=data)
    assert json.loads(done.stdout)["packets"] == len(from_file) > 100
    assert b"cannot be read from elsewhere" in done.stderr


def test_several_inputs_are_one_capture(sluice, steady, tmp_path):
    """Rotated files: +offset counts from the first packet of all, and each is sought in."""
    third, parts = len(steady) // 3, []
    for n in range(3):
        parts.append(tmp_path / ("part%d.pcap" % n))
        parts[-1].write_bytes(as_pcap(steady[n * third:(n + 1) * third]))
    whole = tmp_path / "whole.pcap"
    whole.write_bytes(as_pcap(steady[:3 * third]))
    for window in (("+190", "+210"), ("+100", "+110"), ("+390", "+405")):
        args = ["--from", window[0], "--to", window[1]]
        assert result_of(sluice, *args, *reversed(parts)) == result_of(sluice, *args, whole)


@pytest.fixture(scope="module")
def server(steady_pcap):
    with open(steady_pcap, "rb") as file:
        with Server({"steady.pcap": file.read()}) as running:
            yield running


@pytest.mark.parametrize("window", [("+300", "+310"), ("+2", "+3"), ("+590", "+700")])
def test_little_is_fetched(sluice, server, steady_pcap, window, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    args = ["--from", window[0], "--to", window[1]]
    wanted = result_of(sluice, *args, steady_pcap)
    server.log.clear()
    done = sluice("summary", *args, server.url("good", "steady.pcap"), "-T", "json")
    time.sleep(0.05)  # an entry is written after its last byte is sent
    got = json.loads(done.stdout)
    assert got["packets"] == len(wanted) > 10
    fetched = sum(entry.sent for entry in server.log)
    assert fetched <= got["bytes"] + 16 * got["packets"] + 4 * 1024 * 1024, fetched


def test_server_without_ranges(sluice, server, steady_pcap, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    args = ["--from", "+300", "--to", "+310", "-T", "json"]
    done = sluice("count", *args, "-v", server.url("no-range", "steady.pcap"))
    assert done.returncode == 0 and done.stdout == sluice("count", *args, steady_pcap).stdout
    assert b"cannot be read from elsewhere" in done.stderr


@pytest.mark.parametrize("text, seconds", [
    ("2023-11-14T22:18:20Z", 300), ("2023-11-14T23:18:20+01:00", 300), ("2023-11-14 22:18:20", 300),
    ("2023-11-14T22:18", 280), ("2023-11-14T17:18:20.5-0500", 300.5), ("1700000300", 300),
    ("1700000300.25", 300.25), ("2023-11-14", None)])
def test_forms_of_time(sluice, steady, steady_pcap, text, seconds):
    wanted = len(steady) if seconds is None else sum(t >= EPOCH + seconds for t, _ in steady)
    done = sluice("count", "--from", text, steady_pcap, "-T", "json")
    assert json.loads(done.stdout)["packets"] == wanted


@pytest.mark.parametrize("text", ["", "x", "+", "+1y", "+1.", "2023-13-01", "2023-02-29", "2023-01-01T24:00:00",
                                  "2023-01-01T10:00:00+1", "-5", "1e9", "1700000300.", "2023-01-01T10:00.5"])
def test_no_times(sluice, steady_pcap, text):
    done = sluice("count", "--from=" + text, steady_pcap)
    assert done.returncode == 2 and b"is no time" in done.stderr


def test_leap_day_exists(sluice, steady_pcap):
    assert sluice("count", "--from", "2024-02-29", steady_pcap).returncode == 0


def test_from_must_be_before_to(sluice, steady_pcap):
    for begin, end in (("+5", "+5"), ("1700000005", "2023-11-14T22:13:21Z")):
        done = sluice("count", "--from", begin, "--to", end, steady_pcap)
        assert done.returncode == 2 and b"is not before" in done.stderr


def test_damage_in_the_window_is_told(sluice, steady, tmp_path):
    data = bytearray(as_pcap(steady))
    at = len(data) // 2
    path = tmp_path / "damaged.pcap"
    data[at:at + 3000] = b"\xff" * 3000
    path.write_bytes(data)
    done = sluice("count", "--from", "+200", "--to", "+500", path, "-T", "json")
    assert done.returncode == 1 and b"damaged at byte" in done.stderr
    assert json_lines(done.stdout)[0]["packets"] > 1000


def test_a_pipe_is_read_to_its_end(sluice, tmp_path):
    """Captures behind one another, through a pipe: packets of the window are in both."""
    data = as_pcap(traffic(lambda t: 28, seconds=300) + traffic(lambda t: 28, seconds=300, seed=2))
    path = tmp_path / "twice.pcap"
    path.write_bytes(data)
    args = ["--from", "+150", "--to", "+160", "-T", "json"]
    assert sluice("count", *args, "-", stdin=data).stdout == sluice("count", *args, path).stdout
