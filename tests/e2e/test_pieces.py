"""A capture in pieces: sluice plan, --piece and merge give what one run gives, to the byte, also where flows go on from
one piece to the next; what does not belong together is refused by name, and no secret is in any file."""
import json
import os
import random
import struct

import pytest

from httpd import Server
from support import EXAMPLE, ROOT, each_capture, path_of, pcap, supported, tcp_frame, whole

# They go in one pass; flows and summary want flow tables, sizes and count packets alone.
TOGETHER = "summary,talkers,protocols,addresses,sizes,count,timeline,hours,http,tls"
BUILT_IN = sorted(name[:-4] for name in os.listdir(os.path.join(ROOT, "lua", "recipes")) if name.endswith(".lua"))
# Recipes that no piece can be counted for, and what they say.
IN_ONE_PIECE = {"compare": "compares two captures", "packets": "reads number"}
SAS = "?sv=2021-08-06&sig=S3cr3t%2Bsignature"


@pytest.fixture
def pieces(sluice, tmp_path):
    """pieces(recipe, inputs, *options, cut=…): the files of all pieces of a plan; pieces.plan is the plan's path."""
    def call(recipe, inputs, *options, cut=("--pieces", "5"), env=None):
        plan = tmp_path / "plan"
        done = sluice("plan", recipe, *inputs, *options, *cut, env=env)
        assert done.returncode == 0, done.stderr.decode()
        plan.write_bytes(done.stdout)
        paths = []
        for number in range(1, done.stdout.count(b"\n") + 1):
            paths.append(tmp_path / ("%d.part" % number))
            call.last = sluice(recipe, "--piece", number, plan, "--partial", paths[-1], *options, env=env)
            assert call.last.returncode == 0, call.last.stderr.decode()
            assert call.last.stdout == b""
        call.plan = plan
        return paths
    return call


def same(sluice, recipe, files, inputs, *options, form="json"):
    """The merge of the files is what one run over the inputs gives."""
    one = sluice(recipe, "-j", "1", *inputs, *options, "-T", form)
    for workers in (1, 3):
        merged = sluice("merge", recipe, *files, "-T", form, "-j", workers)
        assert merged.stdout == one.stdout, merged.stderr.decode()
        assert merged.returncode == one.returncode == 0
    return merged


@pytest.mark.parametrize("recipe", BUILT_IN)
def test_every_recipe(sluice, pieces, recipe):
    why = IN_ONE_PIECE.get(recipe)
    if why:
        done = sluice("plan", recipe, EXAMPLE)
        assert done.returncode == 2 and done.stdout == b"" and why.encode() in done.stderr and done.stderr.count(b"\n") == 1
        return
    files = pieces(recipe, [EXAMPLE])
    assert len(files) == 5
    same(sluice, recipe, files, [EXAMPLE])


@pytest.mark.parametrize("options", [
    ("-f", "tcp or arp"), ("-Y", "ip.ttl < 64 || arp"), ("-F", "flow.bytes > 1000"), ("--idle", "0"), ("--idle", "1"), ("--decap",),
], ids=" ".join)
def test_options(sluice, pieces, options):
    recipe = "flows" if "-F" in options else "flows,summary"
    same(sluice, recipe, pieces(recipe, [EXAMPLE], *options), [EXAMPLE], *options)


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "csv", "zeek"])
def test_forms(sluice, pieces, form):
    same(sluice, "flows", pieces("flows", [EXAMPLE]), [EXAMPLE], form=form)


def test_files(sluice, pieces, tmp_path):
    files = pieces("statistics", [EXAMPLE])
    for name in ("a.html", "a.csv", "a.sqlite"):
        assert sluice("merge", "statistics", *files, "-o", tmp_path / name).returncode == 0
        assert (tmp_path / name).stat().st_size > 1000


def seams(entry):
    """In how small pieces a capture is to be tried: about ten, whatever its size."""
    return max(os.path.getsize(path_of(entry)) // 10, 200)


@each_capture(supported, whole)
def test_every_capture(sluice, pieces, entry):
    """The few that cannot be cut where the plan cuts them are refused by the merge, never counted wrongly."""
    path = path_of(entry)
    files = pieces(TOGETHER, [path], cut=("--piece-size", seams(entry)))
    merged = sluice("merge", TOGETHER, *files, "-T", "json")
    if merged.returncode == 1 and len(files) > 1:
        assert merged.stdout == b"" and b"cannot be read without piece" in merged.stderr
        assert entry["file"].endswith(".pcapng"), merged.stderr
        return
    same(sluice, TOGETHER, files, [path])
    same(sluice, "flows", pieces("flows", [path], cut=("--piece-size", seams(entry))), [path], form="jsonl")


@each_capture(supported, whole, lambda entry: entry["packets"] < 60)
def test_a_seam_at_every_packet(sluice, pieces, entry):
    path = path_of(entry)
    files = pieces("flows", [path], cut=("--piece-size", 20))
    merged = sluice("merge", "flows", *files, "-T", "jsonl")
    if merged.returncode == 0:
        assert merged.stdout == sluice("flows", path, "-T", "jsonl", "-j", "1").stdout
    else:
        assert merged.returncode == 1 and merged.stdout == b"" and merged.stderr.count(b"\n") == 1


def odd_capture(seed):
    """Times that step back and leap ahead, many short flows, ports used again: what clocks and sweeps stumble over."""
    numbers, packets, now = random.Random(seed), [], 1700000000
    for n in range(30000):
        now += numbers.choice([0] * 40 + [1, 1, 1, 2, 20, 70, 400])
        at = now + numbers.choice([0] * 200 + [-5, -60, -400, 100000, 86400 * 3650])
        port = 1024 + numbers.randrange(300)
        flags = numbers.choice([2, 18, 16, 16, 16, 24, 17, 4])
        packets.append((max(at, 0) & 0xffffffff, numbers.randrange(1000000),
                        tcp_frame("10.0.0.%d" % numbers.randrange(1, 4), "192.0.2.1", port, 80, flags, seq=numbers.randrange(5000),
                                  ack=numbers.randrange(5000), payload=b"x" * numbers.choice([0, 0, 10]))))
    return pcap(packets)


HEADS = """return { filter = "ip", head = 700, flows = true, start = function(opt, out)
  local stream = out:stream { "src", "sport", "dport", "head" }
  return { flow = function(f) stream:row { f.src, f.sport, f.dport, #f.head_src > 0 and f.head_src:text() or "" } end,
    finish = function() stream:done() end }
end }"""


def head_capture(seed):
    """Conversations whose first bytes come in any order, again and with holes, over every seam."""
    numbers, packets, now = random.Random(seed), [], 1700000000.0
    flows = {}
    for _ in range(12000):
        now += numbers.choice([0.001, 0.001, 0.002, 0.5, 7])
        port = 1024 + numbers.randrange(40)
        flow = flows.get(port)
        if flow is None or numbers.random() < 0.02:
            flow = flows[port] = [numbers.randrange(1 << 32), 0]
            packets.append((now, tcp_frame("10.0.0.1", "192.0.2.1", port, 80, 2, seq=flow[0])))
            continue
        at = max(0, flow[1] + numbers.choice([0] * 8 + [-50, -300, 60, 200]))
        size = numbers.choice([0, 1, 20, 100, 300])
        payload = bytes(97 + (at + i) % 23 for i in range(size))
        packets.append((now, tcp_frame("10.0.0.1", "192.0.2.1", port, 80, numbers.choice([24] * 30 + [17, 20]),
                                       seq=(flow[0] + 1 + at) & 0xffffffff, payload=payload)))
        flow[1] = max(flow[1], at + size)
    return pcap([(int(t), int(t % 1 * 1000000), frame) for t, frame in packets])


@pytest.mark.parametrize("seed", range(4))
def test_first_bytes_of_flows(sluice, pieces, tmp_path, seed):
    path, recipe = tmp_path / "heads.pcap", tmp_path / "heads.lua"
    path.write_bytes(head_capture(seed))
    recipe.write_text(HEADS)
    one = sluice(recipe, path, "-T", "csv")
    assert one.returncode == 0 and one.stdout.count(b"\n") > 100
    files = pieces(recipe, [path], cut=("--pieces", "12"))
    assert sluice("merge", recipe, *files, "-T", "csv").stdout == one.stdout


def test_first_bytes_that_no_piece_can_know(sluice, pieces, tmp_path):
    """What is sent again from long before the first byte seen of a side: told, never left out in silence."""
    frames = [(1700000000, n, tcp_frame("10.0.0.1", "192.0.2.1", 1024, 80, 16, seq=100000 + n, payload=b"y")) for n in range(30)]
    seam = len(pcap(frames))
    frames += [(1700000000, 1000, tcp_frame("10.0.0.1", "192.0.2.1", 1024, 80, 16, seq=1000, payload=b"old"))]
    frames += [(1700000000, 2000 + n, tcp_frame("10.0.0.1", "192.0.2.1", 1024, 80, 16, seq=100030 + n, payload=b"y")) for n in range(3000)]
    path = tmp_path / "heads.pcap"
    path.write_bytes(pcap(frames))
    counted = tmp_path / "counted.lua"
    counted.write_text('return { head = 700, start = function() local n = count { "flows that say something" } return {'
                       ' flow = function(f) if #f.head_src > 0 then n:add(1) end end,'
                       ' finish = function(out) out:record { fields = { { "n", n:value() } } } end } end }')
    files = pieces(counted, [path], cut=("--piece-size", seam))
    refused(sluice("merge", counted, *files), "2.part", "first bytes of the flow of packet", "larger pieces")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_disorder(sluice, pieces, tmp_path, seed):
    path = tmp_path / "odd.pcap"
    path.write_bytes(odd_capture(seed))
    same(sluice, "flows", pieces("flows", [path], cut=("--pieces", "7")), [path], form="jsonl")
    same(sluice, "flows", pieces("flows", [path], "--idle", "5", cut=("--pieces", "3")), [path], "--idle", "5", form="jsonl")


def rotated(folder, count=30):
    """The example as a ring of files, one after the other."""
    with open(EXAMPLE, "rb") as file:
        data = file.read()
    records, at = [], 24
    while at < len(data):
        size, = struct.unpack_from("<I", data, at + 8)
        records.append(data[at:at + 16 + size])
        at += 16 + size
    each, paths = len(records) // count + 1, []
    for i in range(count):
        paths.append(folder / ("ring%02d.pcap" % i))
        paths[-1].write_bytes(data[:24] + b"".join(records[i * each:(i + 1) * each]))
    return paths


def test_rotated_captures(sluice, pieces, tmp_path):
    """Flows span the files, and these are named in any order."""
    paths = rotated(tmp_path)
    random.Random(5).shuffle(paths)
    for recipe in ("flows", "addresses"):
        files = pieces(recipe, paths, cut=("--piece-size", "1G"))
        assert len(files) == 30
        same(sluice, recipe, files, sorted(paths), form="json")


def test_large_and_small_inputs(sluice, pieces, tmp_path):
    paths = rotated(tmp_path, 3)
    files = pieces("flows", paths, cut=("--piece-size", "900k"))
    lines = [json.loads(line) for line in pieces.plan.read_text().splitlines()]
    assert [line["number"] for line in lines] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    same(sluice, "flows", files, paths)


def test_a_compressed_input_is_one_piece(sluice, pieces, tmp_path):
    import gzip
    path = tmp_path / "x.pcap.gz"
    with open(EXAMPLE, "rb") as file:
        path.write_bytes(gzip.compress(file.read(), 1))
    files = pieces("flows", [path])
    assert len(files) == 1
    same(sluice, "flows", files, [path])


def test_a_tree_of_merges(sluice, pieces, tmp_path):
    files = pieces("flows,bursts", [EXAMPLE], cut=("--pieces", "9"))
    random.Random(3).shuffle(files)
    upper = []
    for i in range(3):
        upper.append(tmp_path / ("upper%d.part" % i))
        assert sluice("merge", "flows,bursts", *files[i::3], "--partial", upper[-1]).returncode == 0
    same(sluice, "flows,bursts", upper, [EXAMPLE])


# --- Behind HTTP.

def test_urls_come_with_the_piece(sluice, pieces, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with open(EXAMPLE, "rb") as file, Server({"a/office.pcap": file.read()}) as server:
        url = server.url("good", "a/office.pcap", SAS)
        given = tmp_path / "urls"
        given.write_text("# those of today\n%s\n" % url)
        files = pieces("flows", [], "--url-file", given)
        assert len(files) == 5
        ranges = [entry.range for entry in server.log]
        by_name = [path.read_bytes() for path in files]
        in_environment = {"SLUICE_URLS": url.replace("office.pcap", "")}
        done = sluice("flows", "--piece", 3, pieces.plan, "--partial", files[2], env=in_environment)
        assert done.returncode == 0
        for data in by_name + [pieces.plan.read_bytes()]:
            assert b"S3cr3t" not in data
        without = sluice("flows", "--piece", 1, pieces.plan, "--partial", tmp_path / "x")
        assert without.returncode == 2 and b"SLUICE_URLS" in without.stderr and b"S3cr3t" not in without.stderr
        again = tmp_path / "again.part"
        again.write_bytes(by_name[2])  # the same, in whatever pieces the bytes came
        merged = sluice("merge", "flows", *files, again, "-T", "json")
        assert merged.stdout == sluice("flows", EXAMPLE, "-T", "json").stdout
    assert all(ranges)  # nothing is read whole
    assert "S3cr3t" not in pieces.plan.read_text() and json.loads(pieces.plan.read_text().splitlines()[0])["secret"] is True


def test_a_piece_fetches_little_more_than_itself(sluice, pieces, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with open(EXAMPLE, "rb") as file, Server({"office.pcap": file.read()}) as server:
        pieces("flows", [server.url("good", "office.pcap")])
        server.log.clear()
        assert sluice("flows", "--piece", 4, pieces.plan, "--partial", tmp_path / "x").returncode == 0
        line = json.loads(pieces.plan.read_text().splitlines()[3])
        assert sum(entry.sent for entry in server.log) < line["stop"] - line["start"] + 300000
        # Who looks whether it is the input of the plan, and who reads, are one.
        assert sum(entry.range.startswith("bytes=0-") for entry in server.log) <= 2


# --- What is refused: which file, why, exit 1, and no result.

def refused(done, *words, code=1):
    assert done.returncode == code, (done.stdout[:200], done.stderr)
    assert done.stdout == b"" and done.stderr.count(b"\n") == 1
    for word in words:
        assert word.encode() in done.stderr, done.stderr


def test_a_piece_is_missing(sluice, pieces):
    files = pieces("flows", [EXAMPLE])
    refused(sluice("merge", "flows", *files[:2], *files[3:]), "piece 3 of 5 is missing", "--piece 3")
    refused(sluice("merge", "flows", files[1]), "pieces 1, 3, 4, 5 of 5 are missing")


def test_a_piece_that_was_run_twice(sluice, pieces, tmp_path):
    files = pieces("flows", [EXAMPLE])
    again = tmp_path / "again.part"
    assert sluice("flows", "--piece", 2, pieces.plan, "--partial", again).returncode == 0
    assert again.read_bytes() == files[1].read_bytes()
    same(sluice, "flows", [*files, again], [EXAMPLE])


def test_two_pieces_of_one_number_that_differ(sluice, pieces, tmp_path):
    changed = tmp_path / "office.pcap"
    with open(EXAMPLE, "rb") as file:
        data = bytearray(file.read())
    changed.write_bytes(data)
    files = pieces("flows", [changed])
    line = json.loads(pieces.plan.read_text().splitlines()[2])
    data[line["start"] + 16 + 14 + 16] ^= 1  # an address
    changed.write_bytes(data)
    again = tmp_path / "again.part"
    assert sluice("flows", "--piece", 3, pieces.plan, "--partial", again).returncode == 0
    refused(sluice("merge", "flows", *files, again), "again.part", "piece 3", "3.part")


def test_a_piece_of_another_plan(sluice, pieces, tmp_path):
    files = pieces("flows", [EXAMPLE])
    kept = tmp_path / "kept.part"
    kept.write_bytes(files[1].read_bytes())
    files = pieces("flows", [EXAMPLE], cut=("--pieces", "4"))
    refused(sluice("merge", "flows", files[0], kept, *files[2:]), "kept.part", "another plan")
    whole_run = tmp_path / "whole.part"
    assert sluice("flows", EXAMPLE, "--partial", whole_run).returncode == 0
    refused(sluice("merge", "flows", *files, whole_run), "whole.part", "no piece of a plan")


def test_another_input(sluice, pieces, tmp_path):
    path = tmp_path / "x.pcap"
    with open(EXAMPLE, "rb") as file:
        data = file.read()
    path.write_bytes(data)
    pieces("flows", [path])
    path.write_bytes(data[:24] + data[100:])
    refused(sluice("flows", "--piece", 2, pieces.plan, "--partial", tmp_path / "x"), "x.pcap", "not what the plan was made of")
    path.unlink()
    refused(sluice("flows", "--piece", 2, pieces.plan, "--partial", tmp_path / "x"), "x.pcap")


def test_pieces_that_do_not_meet(sluice, pieces, tmp_path):
    """A plan that somebody has changed, or that was deceived by what a payload holds."""
    pieces("flows", [EXAMPLE])
    lines = pieces.plan.read_text().splitlines()
    third = json.loads(lines[2])
    second = json.loads(lines[1])
    with open(EXAMPLE, "rb") as file:
        file.seek(third["start"] + 8)
        size, = struct.unpack("<I", file.read(4))
    third["start"] += 16 + size
    pieces.plan.write_text("\n".join([lines[0], lines[1], json.dumps(third), *lines[3:]]) + "\n")
    files = []
    for number in range(1, 6):
        files.append(tmp_path / ("%d.again" % number))
        assert sluice("flows", "--piece", number, pieces.plan, "--partial", files[-1]).returncode == 0
    refused(sluice("merge", "flows", *files), "3.again", "piece 3 begins at byte %d" % third["start"],
            "piece 2 ended at byte %d" % second["stop"])


def test_a_capture_that_ends_too_early(sluice, pieces, tmp_path):
    """What one run says of it, too."""
    path = tmp_path / "x.pcap"
    with open(EXAMPLE, "rb") as file:
        path.write_bytes(file.read()[:-10])
    done = sluice("plan", "flows", path, "--pieces", "3")
    plan = tmp_path / "plan"
    plan.write_bytes(done.stdout)
    codes = [sluice("flows", "--piece", n, plan, "--partial", tmp_path / ("%d.part" % n)).returncode for n in (1, 2, 3)]
    assert codes == [0, 0, 1]
    merged = sluice("merge", "flows", *(tmp_path / ("%d.part" % n) for n in (1, 2, 3)), "-T", "json")
    assert merged.returncode == 1 and b"3.part is of a run that did not reach its end" in merged.stderr
    assert merged.stdout == sluice("flows", path, "-T", "json").stdout


def test_what_makes_no_sense(sluice, pieces, tmp_path):
    files = pieces("flows", [EXAMPLE])
    out = tmp_path / "x"
    refused(sluice("flows", "--piece", 9, pieces.plan, "--partial", out), "5 pieces", code=2)
    refused(sluice("flows", "--piece", 1, pieces.plan), "--partial", code=2)
    refused(sluice("flows", "--piece", 1, "--partial", out), "no input", code=2)
    refused(sluice("summary", "--piece", 1, pieces.plan, "--partial", out), "plan is of flows", code=2)
    refused(sluice("flows", "--piece", 1, EXAMPLE, "--partial", out), "none of a plan")
    refused(sluice("flows", "--piece", 1, tmp_path / "none", "--partial", out), "none")
    refused(sluice("plan", "flows", EXAMPLE, "--piece-size", "many"), "--piece-size", code=2)
    refused(sluice("plan", "flows", EXAMPLE, "--piece-size", "1M", "--pieces", "3"), "exclude", code=2)
    refused(sluice("plan", "flows"), "no input", code=2)
    refused(sluice("plan", "flows", EXAMPLE, "--from", "2026-03-02T09:10:00Z"), "--from", code=2)
    refused(sluice("plan", EXAMPLE), "recipe", code=2)
    refused(sluice("plan", "flows", "-"), "standard input", code=2)
    refused(sluice("plan", "flows", tmp_path / "none.pcap"), "none.pcap")
    refused(sluice("merge", "summary", *files), "it is of flows", code=1)
    assert not out.exists()


def test_interrupted_pieces_leave_nothing_under_the_name(sluice, pieces, tmp_path):
    """A full disk, in short: the file cannot be written."""
    pieces("flows", [EXAMPLE])
    refused(sluice("flows", "--piece", 1, pieces.plan, "--partial", tmp_path / "no" / "x.part"), "x.part", code=2)
    refused(sluice("flows", "--piece", 1, pieces.plan, "--partial", "/dev/full"), "/dev/full", code=2)
