"""-w: what is written is what was read, byte for byte, in every format; in one file, a row, a file a flow;
and what happens on a full disk or when a pipe's reader leaves."""
import gzip
import os
import re
import resource
import shutil
import struct
import subprocess
import time
from decimal import Decimal

import pytest

import support
from support import PROGRAM, SLOWNESS, each_capture, json_lines, path_of, supported, whole

TIMES = ("frame.time_epoch", "frame.len", "frame.cap_len")
FILTERS = ["tcp or icmp6", "udp port 53 or greater 200"]
# What tcpdump and tshark show of these cannot stand in a pcap.
NO_PCAP = {
    "pcapng-11-interfaces-ethernet-null.pcapng": "link type", "pcapng-all-block-types.pcapng": "link type",
    "pcapng-ethernet-and-cooked.pcapng": "link type", "pcapng-sections-of-both-endians.pcapng": "link type",
    "pcapng-big-endian.pcapng": "time",
}


def read(path):
    with open(path, "rb") as file:
        return file.read()


def seen_by_tshark(path, *fields):
    args = ["tshark", "-n", "-r", path, "-T", "fields", *(word for f in fields for word in ("-e", f))]
    return subprocess.run(args, capture_output=True, check=True, env={**os.environ, "TZ": "UTC"}).stdout


def packets_of(path):
    """[(time or None, captured bytes, wire length)] by a reader of its own, of pcap and pcapng alike."""
    data = read(path)
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return ng_packets(data) if data[:4] == b"\x0a\x0d\x0d\x0a" else pcap_packets(data)


def pcap_packets(data):
    order, unit = {b"\xd4\xc3\xb2\xa1": ("<", 6), b"\x4d\x3c\xb2\xa1": ("<", 9), b"\xa1\xb2\xc3\xd4": (">", 6),
                   b"\xa1\xb2\x3c\x4d": (">", 9), b"\x34\xcd\xb2\xa1": ("<", 6)}[data[:4]]
    head = 24 if data[:4] == b"\x34\xcd\xb2\xa1" else 16
    swapped = struct.unpack(order + "HH", data[4:8]) < (2, 3)
    packets, at = [], 24
    while at < len(data):
        s, ticks, caplen, length = struct.unpack(order + "IIII", data[at:at + 16])
        if swapped:
            caplen, length = length, caplen
        packets.append((s + Decimal(ticks).scaleb(-unit), data[at + head:at + head + caplen], length))
        at += head + caplen
    return packets


def tsresol(options, order):
    while len(options) >= 4:
        code, size = struct.unpack(order + "HH", options[:4])
        if code == 9:
            return options[4]
        options = options[4 + (size + 3) // 4 * 4:]
    return 6


def ng_packets(data):
    packets, ifaces, order = [], [], "<"
    for at, end, kind in support.pcapng_blocks(data):
        if kind == 0x0A0D0D0A:
            order, ifaces = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">", []
        body = data[at + 8:end - 4]
        if kind == 1:
            ifaces.append((tsresol(body[8:], order), struct.unpack(order + "I", body[4:8])[0]))
        elif kind in (6, 2):
            number = struct.unpack(order + ("H" if kind == 2 else "I"), body[:2 if kind == 2 else 4])[0]
            high, low, caplen, length = struct.unpack(order + "IIII", body[4:20])
            resol = ifaces[number][0]
            unit = Decimal(2) ** -(resol & 127) if resol & 128 else Decimal(1).scaleb(-resol)
            packets.append(((high << 32 | low) * unit, body[20:20 + caplen], length))
        elif kind == 3:
            length = struct.unpack(order + "I", body[:4])[0]
            packets.append((None, body[4:4 + min(length, ifaces[0][1] or length)], length))
    return packets


def without_lengths(data):
    """A pcapng's bytes with its sections' lengths left open, and without blocks that must not be copied."""
    out = []
    for at, end, kind in support.pcapng_blocks(data):
        block = data[at:end]
        if kind == 0x0A0D0D0A:
            block = block[:16] + b"\xff" * 8 + block[24:]
        if kind != 0x40000BAD:
            out.append(block)
    return b"".join(out)


def is_pcapng(entry):
    return read(path_of(entry))[:4] == b"\x0a\x0d\x0d\x0a"


# --- Round trips.

@each_capture(supported, whole, lambda entry: is_pcapng(entry))
def test_pcapng_to_pcapng_is_the_same_file(sluice, tmp_path, entry):
    out = tmp_path / "out.pcapng"
    done = sluice("-w", out, path_of(entry))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert read(out) == without_lengths(read(path_of(entry)))


@each_capture(supported, whole, lambda entry: not is_pcapng(entry))
def test_pcap_to_pcap_is_the_same(sluice, tmp_path, entry):
    out = tmp_path / "out.pcap"
    done = sluice("-w", out, path_of(entry))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    want = read(path_of(entry))
    if want[:2] == b"\x1f\x8b":
        want = gzip.decompress(want)
    if want[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") and want[4:8] == b"\2\0\4\0" and want[8:16] == bytes(8):
        assert read(out) == want
    else:
        assert packets_of(out) == packets_of(path_of(entry))


@each_capture(supported, whole)
def test_other_form_and_back(sluice, tmp_path, entry):
    """pcap to pcapng, pcapng to pcap: the same packets, and other tools read it."""
    out = tmp_path / ("out.pcap" if is_pcapng(entry) else "out.pcapng")
    done = sluice("-w", out, path_of(entry))
    if entry["file"] in NO_PCAP:
        assert done.returncode == 2 and NO_PCAP[entry["file"]].encode() in done.stderr, done.stderr
        assert os.listdir(tmp_path) == []
        return
    assert (done.returncode, done.stderr) == (0, b"")
    want, got = packets_of(path_of(entry)), packets_of(out)
    assert [packet[1:] for packet in got] == [packet[1:] for packet in want]
    assert [t for t, _, _ in want if t is not None] == [t for t, (w, _, _) in zip((p[0] for p in got), want) if w is not None]
    if want:
        counted = subprocess.run(["capinfos", "-Mc", out], capture_output=True, check=True, text=True).stdout
        assert re.search(r"Number of packets: *(\d+)", counted)[1] == str(len(want))
        if entry["packets"] < 1000 and not is_pcapng(entry):
            assert seen_by_tshark(out, *TIMES) == seen_by_tshark(path_of(entry), *TIMES)


@each_capture(supported, whole)
@pytest.mark.parametrize("text", FILTERS)
def test_filter_gives_tcpdumps_file(sluice, tmp_path, entry, text):
    data = read(path_of(entry))
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    nsec = ["--time-stamp-precision=nano"] if data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else []
    theirs = subprocess.run(["tcpdump", "-Z", "root", *nsec, "-r", "-", "-w", "-", text], input=data, capture_output=True, check=False)
    if theirs.returncode or entry["file"] in NO_PCAP:
        pytest.skip("tcpdump: " + theirs.stderr.decode().strip().splitlines()[-1])
    done = sluice("-f", text, "-w", tmp_path / "out.pcap", path_of(entry))
    assert (done.returncode, done.stderr) == (0, b"")
    got = read(tmp_path / "out.pcap")
    if is_pcapng(entry):  # tcpdump has microseconds only, and 0 where there is no time
        assert [p[1:] for p in pcap_packets(got)] == [p[1:] for p in pcap_packets(theirs.stdout)]
    elif entry["file"] == "raw-ip-12-ipv6.pcap":  # libpcap writes link type 101 for 12: raw IP, too
        assert got[:20] + b"\x65\0\0\0" + got[24:] == theirs.stdout
    else:
        assert got == theirs.stdout


def test_display_filter_count_and_tunnels(sluice, capture, tmp_path):
    path = capture("vxlan.pcap")
    sluice("-w", tmp_path / "inner.pcap", "--decap", "-Y", "tcp.port == 22 or icmp", path)
    chosen = packets_of(tmp_path / "inner.pcap")
    assert chosen and set(chosen) <= set(packets_of(path))  # raw packets, tunnel and all
    sluice("-w", tmp_path / "few.pcap", "-c", "3", path)
    assert packets_of(tmp_path / "few.pcap") == packets_of(path)[:3]


def test_several_inputs(sluice, capture, tmp_path):
    """Merged by time; interfaces of each input keep their resolution, packets their comments."""
    paths = [capture("pcapng-22-interfaces-nanoseconds.pcapng"), capture("pcapng-home-154-flows.pcapng"),
             capture("pcap-nanosecond-snapped.pcap"), capture("pcapng-decryption-secrets-cooked.pcapng")]
    done = sluice("-w", tmp_path / "all.pcapng", *paths)
    assert (done.returncode, done.stderr) == (0, b"")
    got = packets_of(tmp_path / "all.pcapng")
    assert sorted(got) == sorted(packet for path in paths for packet in packets_of(path))
    comments = [seen_by_tshark(path, "frame.comment").split(b"\n") for path in paths]
    merged = seen_by_tshark(tmp_path / "all.pcapng", "frame.comment").split(b"\n")
    assert sorted(merged) == sorted([line for lines in comments for line in lines if line] + [b""] * merged.count(b""))


def test_cut_input_gives_what_was_read(sluice, example, tmp_path):
    data = read(example)
    (tmp_path / "cut.pcap").write_bytes(data[:50000])
    done = sluice("-w", tmp_path / "out.pcap", tmp_path / "cut.pcap")
    assert done.returncode == 1 and b"byte 50000" in done.stderr
    kept = read(tmp_path / "out.pcap")
    assert 0 < len(kept) < 50000 and data.startswith(kept)


def test_nothing_passes(sluice, example, tmp_path):
    for name in ("none.pcap", "none.pcapng"):
        assert sluice("-w", tmp_path / name, "-Y", "frame.len == 1", example).returncode == 0
        assert packets_of(tmp_path / name) == []
        subprocess.run(["capinfos", tmp_path / name], check=True, capture_output=True)


@each_capture(supported, lambda entry: not whole(entry) or entry["file"].startswith("malformed/"))
def test_damaged_inputs(sluice, tmp_path, entry):
    sluice("-w", tmp_path / "out.pcapng", "--per-flow", tmp_path / "flows", path_of(entry))
    if (tmp_path / "out.pcapng").exists():
        assert len(packets_of(tmp_path / "out.pcapng")) == entry["packets"]


# --- Compression, pipes.

def test_gzip_and_zstd(sluice, example, tmp_path):
    sluice("-w", tmp_path / "out.pcap.gz", example)
    assert gzip.decompress(read(tmp_path / "out.pcap.gz")) == read(example)
    sluice("-w", tmp_path / "out.pcap.zst", example)
    done = subprocess.run(["zstd", "-dc", tmp_path / "out.pcap.zst"], capture_output=True, check=True)
    assert done.stdout == read(example)
    assert (tmp_path / "out.pcap.zst").stat().st_size < len(read(example)) / 2


def test_pipes(sluice, example):
    data = read(example)
    assert sluice("-w", "-", example).stdout == data
    assert sluice("-w", "-", "-", stdin=data).stdout == data
    line = '"$0" -l -w - "$1" | tcpdump -r - --count udp'
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line, PROGRAM, example], capture_output=True, check=True,
                          timeout=60 * SLOWNESS)
    assert done.stdout == subprocess.run(["tcpdump", "-r", example, "--count", "udp"], capture_output=True, check=True).stdout


@pytest.mark.parametrize("name", ["-", "pcap.gz"])
def test_reader_that_leaves(example, tmp_path, name):
    target = "-"
    if name != "-":
        target = str(tmp_path / name)
        os.mkfifo(target)
    line = '"$0" -w - "$1" | head -c 100 >/dev/null; exit ${PIPESTATUS[0]}' if target == "-" else \
        'head -c 10 "$2" >/dev/null & "$0" -w "$2" "$1"'
    done = subprocess.run(["bash", "-c", line, PROGRAM, example, target], capture_output=True, check=False, timeout=60 * SLOWNESS)
    assert (done.returncode, done.stderr) == (0, b"")


def test_every_batch_at_once(example):
    """-l: the other end sees packets while the input is still open."""
    with subprocess.Popen([PROGRAM, "-l", "-w", "-", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        start = read(example)[:5000]
        child.stdin.write(start)
        child.stdin.flush()
        got = b""
        while len(got) < 4000:
            got += os.read(child.stdout.fileno(), 4096)
        assert start.startswith(got)
        child.stdin.close()
        child.stdout.read()
        child.wait(timeout=30 * SLOWNESS)


# --- Rows of files.

def files_in(folder):
    return sorted(os.listdir(folder))


@pytest.mark.parametrize("ending", ["pcap", "pcapng", "pcap.gz"])
def test_split_by_packets(sluice, example, tmp_path, ending):
    assert sluice("-w", tmp_path / ("o." + ending), "-b", "packets:1000", example).returncode == 0
    names = files_in(tmp_path)
    rows = [packets_of(tmp_path / name) for name in names]
    assert all(re.fullmatch(r"o_%05d_\d{14}\.%s" % (i + 1, re.escape(ending)), n) for i, n in enumerate(names))
    assert [len(row) for row in rows[:-1]] == [1000] * (len(rows) - 1) and len(rows) > 2
    assert [packet for row in rows for packet in row] == packets_of(example)


def test_split_by_size_and_time(sluice, example, tmp_path):
    assert sluice("-w", tmp_path / "s.pcap", "-b", "filesize:100", example).returncode == 0
    names = files_in(tmp_path)
    assert all(100000 <= (tmp_path / name).stat().st_size < 102000 for name in names[:-1])
    assert sum(((packets_of(tmp_path / name)) for name in names), []) == packets_of(example)
    os.mkdir(tmp_path / "t")
    assert sluice("-w", tmp_path / "t" / "t.pcap", "-b", "duration:600", example).returncode == 0
    rows = [packets_of(tmp_path / "t" / name) for name in files_in(tmp_path / "t")]
    assert len(rows) > 2 and sum(rows, []) == packets_of(example)
    for row, after in zip(rows, rows[1:]):
        assert row[-1][0] - row[0][0] < 600 <= after[0][0] - row[0][0]


def test_ring_keeps_the_last(sluice, example, tmp_path):
    args = ["-w", tmp_path / "r.pcap", "-b", "packets:1000", "-b", "files:2"]
    assert sluice(*args, example).returncode == 0
    want = packets_of(example)
    assert sum((packets_of(tmp_path / name) for name in files_in(tmp_path)), []) == want[(len(want) - 1) // 1000 * 1000 - 1000:]
    assert len(files_in(tmp_path)) == 2


def test_row_of_pcapng_repeats_interfaces(sluice, capture, tmp_path):
    path = capture("pcapng-22-interfaces-nanoseconds.pcapng")
    sluice("-w", tmp_path / "o.pcapng", "-b", "packets:100", path)
    parts = [packets_of(tmp_path / name) for name in files_in(tmp_path)]
    assert len(parts) == 7 and sum(parts, []) == packets_of(path)


# --- A file a flow.

@pytest.mark.parametrize("open_files", [None, 24])
def test_a_file_a_flow(sluice, capture, tmp_path, open_files):
    path = capture("tls-web-334-flows-ipv4-ipv6.pcap")
    limit = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))} if open_files else {}
    done = sluice("--per-flow", tmp_path / "flows", path, **limit)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    flows = json_lines(sluice("flows", path, "-T", "jsonl").stdout)
    names = files_in(tmp_path / "flows")
    assert len([name for name in names if name != "no-flow.pcap"]) == len(flows)
    packets = [packet for name in names for packet in packets_of(tmp_path / "flows" / name)]
    assert sorted(packets) == sorted(packets_of(path))
    for name in names[:20] + [name for name in names if "_" in name][:5]:
        one, = json_lines(sluice("flows", tmp_path / "flows" / name, "-T", "jsonl", "--idle", "0").stdout)
        ends = "-%s-%s-%d-%s-%d.pcap" % (one["proto"], one["src"].replace(":", "_"), one["sport"],
                                        one["dst"].replace(":", "_"), one["dport"])
        assert name.endswith(ends), (name, ends)


def test_flows_of_pcapng(sluice, capture, tmp_path):
    path = capture("pcapng-22-interfaces-nanoseconds.pcapng")
    assert sluice("--per-flow", tmp_path / "flows", path).returncode == 0
    names = files_in(tmp_path / "flows")
    assert sorted(p for name in names for p in packets_of(tmp_path / "flows" / name)) == sorted(packets_of(path))


# --- What recipes have to say.

def test_recipe_that_drops(sluice, example, tmp_path):
    recipe = tmp_path / "large.lua"
    recipe.write_text('return { filter = "tcp", start = function()\n'
                      '  return { packet = function(p) return p.len > 500 end }\nend }\n')
    sluice(recipe, "-w", tmp_path / "a.pcap", example)
    sluice("-w", tmp_path / "b.pcap", "-Y", "tcp && frame.len > 500", example)
    assert read(tmp_path / "a.pcap") == read(tmp_path / "b.pcap") != read(example)
    sluice("eval", "p.len > 500", "-Y", "tcp", "-w", tmp_path / "c.pcap", example)
    assert read(tmp_path / "c.pcap") == read(tmp_path / "b.pcap")


def test_recipe_that_looks_on(sluice, example, tmp_path):
    plain = sluice("summary,flows", example, "-T", "json").stdout
    done = sluice("summary,flows", "-w", tmp_path / "all.pcap", example, "-T", "json")
    assert done.stdout == plain and read(tmp_path / "all.pcap") == read(example)


def test_result_that_nobody_reads(example, tmp_path):
    """The capture is whole although the reader of the list left."""
    line = '"$0" packets -w "$2" "$1" | head -n 1'
    subprocess.run(["bash", "-c", line, PROGRAM, example, tmp_path / "all.pcap"], capture_output=True, check=True, timeout=60 * SLOWNESS)
    assert read(tmp_path / "all.pcap") == read(example)


# --- What goes wrong.

@pytest.mark.parametrize("args, left", [
    (["-w", "{}/out.pcap"], 0), (["-w", "{}/out.pcapng"], 0), (["-w", "{}/out.pcap.gz"], 0),
    (["-w", "{}/out.pcap", "-b", "filesize:100"], 2), (["--per-flow", "{}/flows"], 0)])
def test_full_disk(sluice, capture, small_disk, args, left):
    done = sluice(*(arg.format(small_disk) for arg in args), capture("tls-web-334-flows-ipv4-ipv6.pcap"))
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1
    assert b"No space left on device" in done.stderr and str(small_disk).encode() in done.stderr
    files = [name for _, _, names in os.walk(small_disk) for name in names]
    assert not [name for name in files if name.endswith(".part")]
    assert len(files) == left
    for folder, _, names in os.walk(small_disk):
        for name in names:  # whole ones
            packets_of(os.path.join(folder, name))


def test_a_failure_at_the_end_is_told(example, tmp_path):
    """The last files of flows get their names when all is read; the other file must not hide that."""
    folder, out = tmp_path / "flows", tmp_path / "out.pcap"
    with subprocess.Popen([PROGRAM, "-w", out, "--per-flow", folder, "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        child.stdin.write(read(example)[:4000])
        child.stdin.flush()
        until = time.monotonic() + 30 * SLOWNESS
        while not (folder.exists() and files_in(folder)) and time.monotonic() < until:
            time.sleep(0.05)
        shutil.rmtree(folder)
        _, err = child.communicate(timeout=30 * SLOWNESS)
    assert child.returncode == 2 and str(folder).encode() in err and err.count(b"\n") == 1, err
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("args, words", [
    (["-w", "no/such/folder/x.pcap"], ["no/such/folder/x.pcap", "No such file"]),
    (["-w", "x.pcap", "-b", "size:10"], ["-b size:10", "filesize"]), (["-w", "x.pcap", "-b", "packets:0"], ["packets:0"]),
    (["-w", "x.pcap", "-b", "files:3"], ["files:N", "filesize"]), (["-b", "packets:3"], ["-w FILE"]),
    (["-w", "-", "-b", "packets:3"], ["-w FILE"]), (["summary", "-w", "-"], ["-o"]),
    (["--per-flow", "/dev/null"], ["/dev/null"]), (["--per-flow", "/"], ["holds files already"])])
def test_mistakes(sluice, example, args, words):
    done = sluice(*args, example)
    text = done.stderr.decode()
    assert done.returncode == 2 and done.stdout == b"" and text.count("\n") == 1, text
    assert not [word for word in words if word not in text], text


def test_recipe_that_fails_leaves_no_file(sluice, example, tmp_path):
    (tmp_path / "bad.lua").write_text("return { start = function() return { packet = function(p) error 'no' end } end }\n")
    assert sluice(tmp_path / "bad.lua", "-w", tmp_path / "out.pcap", example).returncode == 2
    assert files_in(tmp_path) == ["bad.lua"]


def test_input_may_be_the_output(sluice, example, tmp_path):
    shutil.copy(example, tmp_path / "x.pcap")
    assert sluice("-w", tmp_path / "x.pcap", "-f", "udp", tmp_path / "x.pcap").returncode == 0
    assert 0 < len(packets_of(tmp_path / "x.pcap")) < len(packets_of(example))


def test_stamps_that_a_pcap_cuts_are_told(sluice, capture, tmp_path):
    """Interfaces of nanoseconds that come after microseconds went into the pcap's header."""
    micro = support.pcap([(1, 0, support.udp_frame("10.0.0.1", "10.0.0.2", 1, 2))])
    (tmp_path / "a.pcap").write_bytes(micro)
    sluice("-w", tmp_path / "a.pcapng", tmp_path / "a.pcap")
    both = read(tmp_path / "a.pcapng") + read(capture("pcapng-22-interfaces-nanoseconds.pcapng"))
    (tmp_path / "both.pcapng").write_bytes(both)
    done = sluice("-w", tmp_path / "o.pcap", tmp_path / "both.pcapng")
    assert done.returncode == 0 and re.search(rb"-w: \d+ time stamps lost their nanoseconds", done.stderr)
