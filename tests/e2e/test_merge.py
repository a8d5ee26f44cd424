"""Partial results: sluice RECIPE --partial FILE over the pieces of a capture and sluice merge give what one run over
all of them gives, and what does not belong together is refused."""
import glob
import json
import os
import random
import struct
import zlib

import pytest

from support import EXAMPLE, ROOT

PIECES = 3
APART_S = 4000  # more than any flow's timeout: the pieces share no flow

# Recipes whose pieces add up, which must not be lost. Others may say why theirs do not.
MERGE = {
    "addresses", "beacons", "bursts", "count", "countries", "flows", "geomap", "hours", "networks", "protocols", "report", "resets",
    "retransmissions", "scans", "sizes", "statistics", "summary", "talkers", "timeline", "examples/long-flows.lua",
    "examples/asymmetry.lua", "examples/first-packets.lua", "examples/fragments.lua", "examples/icmp-errors.lua",
    "examples/inside-outside.lua", "examples/new-hosts.lua", "examples/packet-sizes.lua", "examples/port-bytes.lua",
    "examples/syn-flood.lua", "examples/unanswered.lua",
}
# What those say whose handlers are known to be of another kind.
REFUSED = {
    "examples/before-after.lua": "uses input", "examples/rate.lua": "interval",
}


def shipped():
    built_in = [os.path.basename(path)[:-4] for path in glob.glob(os.path.join(ROOT, "lua", "recipes", "*.lua"))]
    return sorted(built_in + [os.path.relpath(path, ROOT) for path in glob.glob(os.path.join(ROOT, "examples", "*.lua"))])


def cut(apart_s, folder):
    """The example capture in pieces, each so many seconds later than it was."""
    with open(EXAMPLE, "rb") as file:
        data = file.read()
    records, at = [], 24
    while at < len(data):
        seconds, _, size, _ = struct.unpack_from("<IIII", data, at)
        records.append((seconds, data[at + 4:at + 16 + size]))
        at += 16 + size
    each, paths = len(records) // PIECES, []
    for i in range(PIECES):
        part = records[i * each:(i + 1) * each]
        paths.append(folder / ("piece%d.pcap" % i))
        paths[-1].write_bytes(data[:24] + b"".join(struct.pack("<I", s + i * apart_s) + rest for s, rest in part))
    return paths


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    return cut(APART_S, tmp_path_factory.mktemp("pieces"))


def recipe_of(name):
    return os.path.join(ROOT, name) if name.endswith(".lua") else name


@pytest.fixture
def partials(sluice, tmp_path, pieces):
    """partials(recipe, *options): the files of --partial, one a piece."""
    def call(name, *options, inputs=None):
        paths = []
        for i, piece in enumerate(inputs or pieces):
            paths.append(tmp_path / ("%d.part" % i))
            done = sluice(name, piece, "--partial", paths[-1], *options)
            assert done.returncode == 0, done.stderr.decode()
            assert done.stdout == b""
        return paths
    return call


@pytest.mark.parametrize("name", shipped())
def test_every_recipe_merges_or_says_why_not(sluice, partials, pieces, tmp_path, name):
    recipe = recipe_of(name)
    done = sluice(recipe, pieces[0], "--partial", tmp_path / "x.part")
    if done.returncode == 2:
        assert name not in MERGE, done.stderr
        assert b"--partial: " in done.stderr and REFUSED.get(name, "").encode() in done.stderr
        assert os.listdir(tmp_path) == []
        return
    assert name not in REFUSED
    merged = sluice("merge", recipe, *partials(recipe), "-T", "json")
    whole = sluice(recipe, *pieces, "-T", "json")
    assert merged.returncode == whole.returncode == 0, merged.stderr.decode()
    assert merged.stdout == whole.stdout


def test_the_recipes_of_the_tables_are_there():
    assert MERGE | set(REFUSED) <= set(shipped())


def test_any_order_gives_the_same(sluice, partials):
    a, b, c = partials("talkers")
    results = {sluice("merge", "talkers", *order, "-T", "json").stdout for order in ((a, b, c), (c, a, b), (b, c, a))}
    assert len(results) == 1 and json.loads(results.pop())


def test_a_report_in_any_order(sluice, partials, tmp_path):
    """The page that comes out names its inputs in the order in which they were given, and counts frames in that of time."""
    a, b, c = partials("report")
    pages = []
    for order in ((a, b, c), (c, b, a)):
        done = sluice("merge", "report", *order, "-T", "json")
        assert done.returncode == 0, done.stderr
        page = json.loads(done.stdout)
        del page["summary"]
        pages.append(page)
    assert pages[0] == pages[1] and len(pages[0]["flows"]) > 1000
    numbers = [flow["number"] for flow in pages[0]["flows"]]
    assert len(set(numbers)) == len(numbers)  # those of each piece begin behind those before it
    assert sluice("merge", "report", a, b, c, "-o", tmp_path / "report.html").returncode == 0
    assert b"Largest flows" in (tmp_path / "report.html").read_bytes()


def test_several_recipes_and_filters(sluice, partials, pieces):
    options = ("-Y", "ip", "-F", "flow.bytes > 1000", "--idle", "30")
    merged = sluice("merge", "talkers,geomap", *partials("talkers,geomap", *options), "-T", "json")
    assert merged.stdout == sluice("talkers,geomap", *pieces, *options, "-T", "json").stdout


def test_a_picture_and_other_forms(sluice, partials, tmp_path):
    files = partials("timeline")
    for form in ("text", "csv", "jsonl"):
        assert sluice("merge", "timeline", *files, "-T", form).stdout
    assert sluice("merge", "timeline", *files, "-o", tmp_path / "t.svg").returncode == 0
    assert (tmp_path / "t.svg").read_bytes().startswith(b"<?xml")


def test_rows_shown_are_the_merges_own(sluice, partials):
    files = partials("talkers")
    assert len(sluice("merge", "talkers", *files, "--top", "3").stdout.splitlines()) == 7
    done = sluice("merge", "examples/inside-outside.lua", *partials("examples/inside-outside.lua"), "--inside", "10.0.0.0/8")
    assert done.returncode == 2 and b"--inside 10.0.0.0/8" in done.stderr and b"192.168.0.0/16" in done.stderr


@pytest.mark.parametrize("name", ["summary", "flows", "talkers", "addresses"])
def test_flows_that_go_on_are_one(sluice, partials, tmp_path, name):
    inputs = cut(0, tmp_path)
    merged = sluice("merge", name, *partials(name, inputs=inputs), "-T", "json")
    assert merged.returncode == 0 and merged.stderr == b""
    assert merged.stdout == sluice(name, *inputs, "-T", "json").stdout


def test_flows_that_go_on_are_said_where_pieces_decide_them(sluice, partials, tmp_path):
    path = tmp_path / "sent.lua"
    path.write_text('return { start = function() local n = sum { "sent" } return {'
                    ' packet = function(p) if p.dir == 0 then n:add(p.len) end end,'
                    ' finish = function(out) out:record { fields = { { "sent", n:value() } } } end } end }')
    files = partials(path, inputs=cut(0, tmp_path))
    done = sluice("merge", path, *files, "-T", "json")
    assert done.returncode == 0
    assert done.stderr.count(b"\n") == 1 and b"flows were open where pieces end" in done.stderr


def test_captures_that_overlap_are_said(sluice, partials, pieces, tmp_path):
    files = partials("summary", inputs=[pieces[0], EXAMPLE])
    done = sluice("merge", "summary", *files, "-T", "json")
    assert done.returncode == 0 and b"overlap in time" in done.stderr
    assert sluice("merge", "count", *partials("count", inputs=[pieces[0], EXAMPLE]), "-T", "json").stderr == b""


def test_merges_of_merges(sluice, partials, pieces, tmp_path):
    a, b, c = partials("flows,summary")
    both = tmp_path / "both.part"
    assert sluice("merge", "flows,summary", c, a, "--partial", both).returncode == 0
    merged = sluice("merge", "flows,summary", both, b, "-T", "json")
    assert merged.returncode == 0, merged.stderr
    assert merged.stdout == sluice("flows,summary", *pieces, "-T", "json").stdout
    refused(sluice("merge", "flows,summary", both, a, b), "0.part", "same counts")


# --- What is refused: which file, why, exit 1, and no result.

def refused(done, *words, code=1):
    assert done.returncode == code, done.stdout
    assert done.stdout == b"" and done.stderr.count(b"\n") == 1
    for word in words:
        assert word.encode() in done.stderr, done.stderr


def test_another_recipe(sluice, partials):
    files = partials("count")
    refused(sluice("merge", "talkers", *files), "0.part", "it is of count, not of talkers")


def test_another_text_of_the_recipe(sluice, partials, tmp_path):
    path = tmp_path / "mine.lua"
    text = 'return { start = function() local n = count { "n" } return { packet = function(p) n:add(1) end } end }'
    path.write_text(text)
    files = partials(path)
    assert sluice("merge", path, *files).returncode == 0
    path.write_text(text + " -- changed")
    refused(sluice("merge", path, *files), "0.part", "another text")


def test_other_options(sluice, partials, pieces, tmp_path):
    files = partials("count", "-f", "tcp")
    other = tmp_path / "other.part"
    assert sluice("count", pieces[2], "--partial", other, "-f", "udp").returncode == 0
    refused(sluice("merge", "count", files[0], other), "other.part", "bpf is udp", "0.part is tcp")
    refused(sluice("merge", "count", *files, "-f", "udp"), "bpf is udp", "tcp", code=2)
    assert sluice("merge", "count", *files, "-f", "tcp").returncode == 0


def test_the_same_piece_twice(sluice, partials, pieces, tmp_path):
    files = partials("count")
    refused(sluice("merge", "count", *files, files[1]), "1.part", "same counts")
    copy = tmp_path / "copy.pcap"
    copy.write_bytes(pieces[1].read_bytes())
    again = tmp_path / "again.part"
    assert sluice("count", copy, pieces[0], "--partial", again).returncode == 0
    refused(sluice("merge", "count", files[1], again), "again.part", "copy.pcap is in", "1.part already")


def test_damage_is_noticed(sluice, partials, tmp_path):
    files = partials("talkers")
    data = files[0].read_bytes()
    bad = tmp_path / "bad.part"
    for at in [0, 9, 12, 16, 100, len(data) // 2, len(data) - 2]:
        bad.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1:])
        refused(sluice("merge", "talkers", bad, files[1]), "bad.part")
    for size in (0, 5, 20, 1000, len(data) - 1):
        bad.write_bytes(data[:size])
        refused(sluice("merge", "talkers", bad, files[1]), "bad.part")


TRAILER = struct.Struct("<QII")  # where the head begins, its size, CRC-32 of all from there on


def changed(data, change):
    """The file with another head and aggregates, and a good checksum."""
    start, size, _ = TRAILER.unpack(data[-TRAILER.size:])
    head, rest = change(data[start:start + size], data[start + size:-TRAILER.size])
    body = head + rest + struct.pack("<QI", start, len(head))
    return data[:start] + body + struct.pack("<I", zlib.crc32(body))


def test_a_version_that_is_to_come(sluice, partials, tmp_path):
    files = partials("talkers")
    data = files[0].read_bytes()
    files[0].write_bytes(data[:10] + struct.pack("<I", 4) + data[14:])
    refused(sluice("merge", "talkers", *files), "0.part", "version is 4")


@pytest.mark.parametrize("change, word", [
    (lambda head, rest: (head[:-1], rest), "damaged"),
    (lambda head, rest: (head, rest + b"x"), "damaged"),
    (lambda head, rest: (head.replace(b'"kind":"top"', b'"kind":7777'), rest), ""),
    (lambda head, rest: (head.replace(b'"statistics":{', b'"statistics":0,'), rest), "damaged"),
    (lambda head, rest: (head, rest.replace(b"SLAG", b"SLAX")), "no aggregate"),
    (lambda head, rest: (head.replace(b'"recipes":', b'"recipez":'), rest), "damaged"),
    (lambda head, rest: (head.replace(b'"inputs":[', b'"inputz":['), rest), "damaged"),
    (lambda head, rest: (head.replace(b'"parts":[', b'"partz":['), rest), "damaged"),
    (lambda head, rest: (head.replace(b'"offset":14', b'"offset":15'), rest), "damaged"),
    (lambda head, rest: (head.replace(b'"log":{', b'"lag":{'), rest), "damaged"),
])
def test_made_up_with_a_good_checksum(sluice, partials, tmp_path, change, word):
    files = partials("bursts,flows")
    bad = tmp_path / "bad.part"
    bad.write_bytes(changed(files[0].read_bytes(), change))
    done = sluice("merge", "bursts,flows", bad, files[1])
    assert done.returncode in (0, 1) and b"internal" not in done.stderr and b"traceback" not in done.stderr
    if word:
        assert done.returncode == 1 and b"bad.part" in done.stderr and word.encode() in done.stderr, done.stderr


@pytest.mark.parametrize("recipe", ["flows", "http"])
def test_a_made_up_log(sluice, partials, tmp_path, recipe):
    """Its checksums are good: every byte of it has to be looked at."""
    files = partials(recipe)
    data = files[0].read_bytes()
    start, size, _ = TRAILER.unpack(data[-TRAILER.size:])
    numbers = random.Random(8)
    for _ in range(40):
        log = bytearray(data[14:start])
        for _ in range(numbers.randrange(1, 20)):
            log[numbers.randrange(min(len(log), numbers.choice([20, 2000, len(log)])))] = numbers.randrange(256)
        crc = b'"crc":%d' % zlib.crc32(data[14:start])
        files[0].write_bytes(changed(data[:14] + log + data[start:], lambda head, rest: (
            head.replace(crc, b'"crc":%d' % zlib.crc32(bytes(log))), rest)))
        done = sluice("merge", recipe, *files, "-T", "jsonl", "-j", numbers.choice([1, 2]))
        assert done.returncode in (0, 1) and b"internal" not in done.stderr
        assert done.returncode == 0 or b"0.part" in done.stderr


def test_what_makes_no_sense(sluice, pieces, tmp_path):
    path = tmp_path / "x.part"
    for options in (("-c", "5"), ("--max-flows", "10"), ("-T", "json"), ("-o", tmp_path / "x.csv")):
        done = sluice("count", pieces[0], "--partial", path, *options)
        assert done.returncode == 2 and b"--partial" in done.stderr
    assert sluice("eval", 'count("n")', pieces[0], "--partial", path).returncode == 2
    assert sluice("merge").returncode == 2
    assert sluice("merge", "count").returncode == 2
    assert sluice("merge", "count", pieces[0]).returncode == 1
    assert sluice("merge", "count", tmp_path / "none.part").returncode == 1
    assert not path.exists()


@pytest.mark.parametrize("options", [("-c", "5"), ("--max-flows", "10"), ("--follow",), ("--sample", "1%"), ("-w", "x.pcap"), ("-i", "lo"),
                                     ("--checkpoint", "x"), ("--piece", "1"), ("--pieces", "2"), ("--piece-size", "1M"), ("--url-file", os.devnull)])
def test_options_of_reading_are_not_for_a_merge(sluice, partials, options):
    refused(sluice("merge", "talkers", *partials("talkers"), "-T", "json", *options), options[0], "reads partial results", code=2)


def test_cannot_be_written(sluice, pieces, tmp_path):
    done = sluice("count", pieces[0], "--partial", tmp_path / "no" / "such" / "x.part")
    assert done.returncode == 2 and b"x.part" in done.stderr


def test_a_cut_capture(sluice, pieces, tmp_path):
    short = tmp_path / "short.pcap"
    short.write_bytes(pieces[0].read_bytes()[:-10])
    done = sluice("summary", short, "--partial", tmp_path / "a.part")
    assert done.returncode == 1 and b"short.pcap" in done.stderr
    assert sluice("summary", pieces[1], "--partial", tmp_path / "b.part").returncode == 0
    merged = sluice("merge", "summary", tmp_path / "a.part", tmp_path / "b.part", "-T", "json")
    assert merged.returncode == 1 and b"a.part is of a run that did not reach its end" in merged.stderr
    assert json.loads(merged.stdout)["truncated"] is True
