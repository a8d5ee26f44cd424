"""--sample: estimates with intervals from blocks chosen by chance, and all that it refuses."""
import csv
import gzip
import json
import os
import random
import re
import struct
import sys
import time

import pytest

from httpd import MODES, Server
from support import (PROGRAM, ROOT, SANITISED, SECTION, as_pcapng, block, interface, pcap, udp_frame)

sys.path.insert(0, os.path.join(ROOT, "tests", "bench"))
import bursts  # noqa: E402  pylint: disable=wrong-import-position

TOTAL = 240000  # packets: 18 MB, of which a fifth is 55 blocks
CELL = 64 * 1024
HEALING = "tries=8 first_ms=20 most_ms=100 total_s=20 stall_s=1"
RETRY = "tries=2 first_ms=20 most_ms=50 total_s=5 stall_s=1"


@pytest.fixture(scope="module")
def bursty(tmp_path_factory):
    """The path of a capture, and what is true of it: {address or "all": [packets, bytes]}."""
    path = tmp_path_factory.mktemp("sample") / "bursts.pcap"
    return str(path), bursts.write(path, TOTAL, seed=3)


def asked(sluice, *args):
    done = sluice(*args, "-T", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def holds(row, what, truth):
    return row[what + "_low"] <= truth <= row[what + "_high"]


# ---- what it says ----

def test_the_same_command_gives_the_same_bytes(sluice, bursty):
    path, _ = bursty
    first = sluice("talkers,summary", path, "--sample", "20%").stdout
    assert first == sluice("talkers,summary", path, "--sample", "20%").stdout
    assert first == sluice("talkers,summary", path, "--sample", "20%", "--seed", 1).stdout
    assert first != sluice("talkers,summary", path, "--sample", "20%", "--seed", 2).stdout


def test_numbers_lie_in_their_intervals(sluice, bursty):
    path, truth = bursty
    summary = asked(sluice, "summary", path, "--sample", "20%")
    assert holds(summary, "packets", TOTAL) and holds(summary, "bytes", truth["all"][1])
    assert summary["packets_high"] - summary["packets_low"] < 0.02 * TOTAL
    assert 0.05 < (summary["bytes_high"] - summary["bytes_low"]) / truth["all"][1] < 0.6
    assert summary["flows"] is None and summary["truncated"] is False and summary["not_estimated"] == []
    sample = summary["sample"]
    assert sample["one_in"] == 5 and sample["blocks"] == (os.path.getsize(path) - 24) // 5 // CELL >= 30
    assert abs(sample["bytes_read"] - sample["of_bytes"] / 5) < 0.01 * sample["of_bytes"]
    assert sample["of_bytes"] == os.path.getsize(path) - 24 and sample["confidence"] == 0.95
    whole = asked(sluice, "summary", path)
    assert set(summary["protocols"]) == set(whole["protocols"]) == {"eth", "ip", "tcp", "udp"}
    for name, row in whole["protocols"].items():
        assert holds(summary["protocols"][name], "packets", row["packets"]), name
        assert holds(summary["protocols"][name], "bytes", row["bytes"]), name


def test_talkers_estimate_who_is_in_thirty_blocks(sluice, bursty):
    path, truth = bursty
    rows = asked(sluice, "talkers", path, "--sample", "20%")
    assert 3 <= len(rows) < bursts.HOSTS
    assert rows[0]["address"] == bursts.SERVER
    assert [row["bytes"] for row in rows] == sorted((row["bytes"] for row in rows), reverse=True)
    within = [holds(row, what, truth[row["address"]][i]) for row in rows for i, what in enumerate(("packets", "bytes"))]
    assert sum(within) >= len(within) - 2
    text = sluice("talkers", path, "--sample", "20%").stdout.decode()
    rare = int(re.search(r"not estimated: (\d+) addresses in fewer than 30 blocks", text)[1])
    assert 0 < rare <= bursts.HOSTS + 1 - len(rows)
    assert "Estimated from 55 blocks of 66.3 kB, one in 5 (seed 1)" in text


def test_columns_are_clear(sluice, bursty):
    path, _ = bursty
    columns = ["packets", "packets_low", "packets_high", "bytes", "bytes_low", "bytes_high"]
    for recipe, before in (("talkers", ["address", "country"]), ("count", [])):
        done = sluice(recipe, path, "--sample", "20%", "-T", "csv")
        head, *rows = csv.reader(done.stdout.decode().splitlines())
        assert head == before + columns
        for row in rows:
            low, value, high = (int(row[head.index(name)]) for name in ("bytes_low", "bytes", "bytes_high"))
            assert low <= value <= high
    both = asked(sluice, "protocols", path, "--sample", "20%")
    assert [row["protocol"] for row in both["protocols_estimated"]] == ["eth", "ip", "tcp", "udp"]
    services = {row["service"]: row for row in both["services_estimated"]}
    assert set(services) == {"https/tcp", "domain/udp"}
    tcp = both["protocols_estimated"][2]
    assert all(services["https/tcp"][name] == tcp[name] for name in columns)


def test_filters_narrow_what_is_estimated(sluice, bursty):
    path, _ = bursty
    for option in (["-f", "tcp"], ["-Y", "tcp"], ["-Y", "tcp.port == 443"]):
        row = asked(sluice, "count", path, "--sample", "20%", *option)
        assert holds(row, "packets", asked(sluice, "count", path, *option)["packets"])
        assert row == asked(sluice, "count", path, "--sample", "20%", "-f", "tcp")


def test_what_is_rare_is_not_estimated(sluice, bursty):
    path, _ = bursty
    rare = next(f"10.0.{n // 8}.{n % 8 + 1}" for n in (39, 38))
    row = asked(sluice, "count", path, "--sample", "20%", "-f", "host " + rare)
    assert set(row.values()) == {None}
    summary = asked(sluice, "summary", path, "--sample", "20%", "-f", "host " + rare)
    assert summary["packets"] is None and "ip" in summary["not_estimated"] and summary["protocols"] == {}


def test_all_of_it_is_exact(sluice, bursty):
    path, truth = bursty
    summary, whole = asked(sluice, "summary", path, "--sample", "100%"), asked(sluice, "summary", path)
    for name in ("packets", "bytes"):
        assert summary[name] == summary[name + "_low"] == summary[name + "_high"] == whole[name]
    for row in asked(sluice, "talkers", path, "--sample", "100%"):
        assert [row["packets"], row["bytes"]] == truth[row["address"]]
        assert row["bytes_low"] == row["bytes"] == row["bytes_high"]


@pytest.mark.parametrize("part, one_in", [("100%", 1), ("67%", 1), ("66%", 2), ("33.3%", 3), ("14%", 7), (".125e2%", 0)])
def test_the_part_is_one_in_a_whole_number(sluice, bursty, part, one_in):
    done = sluice("summary", bursty[0], "--sample", part, "-T", "json")
    if one_in:
        assert json.loads(done.stdout)["sample"]["one_in"] == one_in
    else:
        assert done.returncode == 2


def test_intervals_hold_the_truth_as_often_as_they_say(sluice, bursty):
    """A small form of the benchmark: the seeds are fixed, and so is the result."""
    assert sluice("--version").returncode == 0
    path, truth = bursty
    held = bursts.coverage(PROGRAM, path, truth, "20%", range(1, 11 if SANITISED else 41))
    of_hosts, of_all, _ = bursts.shares(held)
    assert of_hosts >= 0.9 and of_all >= 0.9


def test_a_page_says_what_it_is(sluice, bursty, tmp_path):
    page = tmp_path / "sample.html"
    done = sluice("protocols", bursty[0], "--sample", "20%", "-o", page)
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert ", a sample of it" in text and "--sample 20%" in text and "Protocols, estimated" in text and "Estimated from 55 blocks" in text


def test_a_picture_says_what_it_is(sluice, bursty, tmp_path):
    done = sluice("talkers", bursty[0], "--sample", "20%", "-o", tmp_path / "sample.svg")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "sample.svg").read_text()
    assert "a sample of" in text and "Top talkers, estimated" in text


# ---- formats, and what cannot be trusted ----

@pytest.fixture(scope="module")
def frames():
    """[(time, frame)], some 9 MB as pcapng."""
    return [(1700000000 + n / 1000, udp_frame(f"10.0.0.{n % 7}", "192.0.2.1", 5000, 53, bytes(n % 150)))
            for n in range(60000)]


def written(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("interfaces", [1, 3])
def test_pcapng(sluice, frames, tmp_path, interfaces):
    path = written(tmp_path, "a.pcapng", as_pcapng(frames, interfaces=interfaces))
    size = sum(len(frame) for _, frame in frames)
    row = asked(sluice, "count", path, "--sample", "25%")
    assert holds(row, "packets", len(frames)) and holds(row, "bytes", size)
    row = asked(sluice, "count", path, "--sample", "100%")
    assert row["packets"] == row["packets_high"] == len(frames) and row["bytes"] == row["bytes_low"] == size


def test_an_interface_that_comes_late_is_refused(sluice, frames, tmp_path):
    path = written(tmp_path, "late.pcapng", as_pcapng(frames, late=len(frames) // 2))
    done = sluice("count", path, "--sample", "25%")
    assert done.returncode == 2 and not done.stdout
    assert re.search(rb"no sample of it can be trusted, because .* byte \d+: read all of it", done.stderr)


def test_another_section_is_refused(sluice, frames, tmp_path):
    half = len(frames) // 2
    other = as_pcapng(frames[half:], interfaces=2)
    path = written(tmp_path, "sections.pcapng", as_pcapng(frames[:half]) + other)
    done = sluice("count", path, "--sample", "100%")
    assert done.returncode == 2 and not done.stdout
    assert b"another pcapng section or interface begins near byte" in done.stderr


def large_records(count=100):
    noise = random.Random(1)
    return [(1700000000 + n, 0, bytes(12) + b"\x08\x00\x45" + noise.randbytes(150000 + 1000 * (n % 40)))
            for n in range(count)]


def test_records_larger_than_a_block(sluice, tmp_path):
    """Blocks in which no record begins are empty, not damage."""
    frames = large_records()
    path = written(tmp_path, "large.pcap", pcap(frames))
    row = asked(sluice, "count", path, "--sample", "100%")
    assert row["packets"] == 100 and row["bytes"] == sum(len(frame) for _, _, frame in frames)
    rows = [asked(sluice, "count", path, "--sample", "33%", "--seed", seed) for seed in range(1, 21)]
    estimated = [row for row in rows if row["packets"]]
    assert len(estimated) >= 5 and sum(holds(row, "packets", 100) for row in estimated) >= 0.8 * len(estimated)


def test_a_block_with_foreign_bytes(sluice, bursty, tmp_path):
    """A stretch without records, in which blocks lie."""
    data = bytearray(open(bursty[0], "rb").read())
    at = len(data) // 2
    data[at:at + 2000000] = bytes(2000000)
    path = written(tmp_path, "hole.pcap", data)
    done = sluice("count", path, "--sample", "20%")
    assert done.returncode == 2 and not done.stdout and b"no record was found behind byte" in done.stderr


def test_damage_in_a_block(sluice, bursty, tmp_path):
    """What was read before it is reported, as what it is."""
    data = bytearray(open(bursty[0], "rb").read())
    at = 24 + 76 * (TOTAL // 2)
    data[at:at + 16] = b"\xff" * 16
    path = written(tmp_path, "damaged.pcap", data)
    done = sluice("count", path, "--sample", "100%")
    assert done.returncode == 1 and b"damaged at byte %d" % at in done.stderr
    said = re.search(rb"packets +\S+ (?:k|M) \((\d+)\)", done.stdout)
    assert TOTAL / 2 - 2000 < int(said[1]) <= TOTAL / 2
    assert b"Reading ended early: of the first 9." in done.stdout


def test_a_capture_cut_off_in_its_last_record(sluice, bursty, tmp_path):
    data = open(bursty[0], "rb").read()[:-30]
    path = written(tmp_path, "cut.pcap", data)
    done = sluice("summary", path, "--sample", "100%", "-T", "json")
    assert done.returncode == 1 and b"in the middle of the record" in done.stderr
    result = json.loads(done.stdout)
    assert result["packets"] == TOTAL - 1 and result["truncated"] is True
    for seed in range(1, 8):  # most do not read the last block
        done = sluice("count", path, "--sample", "20%", "--seed", seed, "-T", "json")
        assert done.returncode in (0, 1) and holds(json.loads(done.stdout), "packets", TOTAL)


# ---- servers ----

@pytest.fixture(scope="module")
def server(bursty):
    with open(bursty[0], "rb") as file:
        with Server({"bursts.pcap": file.read()}) as running:
            yield running


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_only_the_blocks_are_fetched(sluice, bursty, server):
    server.log.clear()
    result = asked(sluice, "summary", server.url("good", "bursts.pcap"), "--sample", "20%")
    time.sleep(0.05)  # an entry is written after its last byte is sent
    fetched = sum(entry.sent for entry in server.log)
    sample = result["sample"]
    # The head, and of each block what lies behind it until its last record has ended.
    assert fetched <= 128 * 1024 + sample["blocks"] * (sample["block_bytes"] + 17 * 1024 + 1), fetched
    assert fetched >= sample["bytes_read"]
    assert fetched < os.path.getsize(bursty[0]) / 3.5
    assert all(entry.status == 206 for entry in server.log)
    assert len(server.log) == 1 + sample["blocks"]  # a request each
    local = asked(sluice, "summary", bursty[0], "--sample", "20%")
    assert {**result, "inputs": 0} == {**local, "inputs": 0}


def test_all_of_it_from_a_server(sluice, bursty, server):
    """Stretches that follow each other without a gap are fetched once."""
    server.log.clear()
    result = asked(sluice, "count", server.url("good", "bursts.pcap"), "--sample", "100%")
    time.sleep(0.05)
    assert result["packets"] == TOTAL == result["packets_low"]
    assert sum(entry.sent for entry in server.log) < os.path.getsize(bursty[0]) + 1024 * 1024


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode.startswith("once-")] +
                         ["weak-etag", "no-etag", "appended", "appended-silently", "no-etag-appended", "impatient"])
def test_faults_that_heal(sluice, bursty, server, mode):
    done = sluice("talkers", server.url(mode, "bursts.pcap"), "--sample", "20%", env={"SLUICE_HTTP_RETRY": HEALING})
    assert done.returncode == 0, done.stderr
    assert done.stdout == sluice("talkers", bursty[0], "--sample", "20%").stdout


@pytest.mark.parametrize("in_flight", [1, 2, 64])
def test_large_records_from_a_server(sluice, tmp_path, in_flight):
    """Reading goes on behind the stretch that was planned, while later ones are on their way."""
    data = pcap(large_records(50))
    path = written(tmp_path, "large.pcap", data)
    with Server({"large.pcap": data}) as running:
        wanted = sluice("count", path, "--sample", "50%")
        done = sluice("count", running.url("good", "large.pcap"), "--sample", "50%", "--in-flight", in_flight)
        assert (done.returncode, done.stdout) == (0, wanted.stdout), done.stderr
        time.sleep(0.05)
        # A search looks at half a megabyte here; what is asked for in vain stays within twice of that.
        assert sum(entry.sent for entry in running.log) < 1024 * 1024 * 64


def test_a_server_that_stops_serving(sluice, bursty, server):
    """What was read is reported, as what it is: of the first part."""
    done = sluice("summary", server.url("drop-at-2-MB", "bursts.pcap"), "--sample", "20%", "-T", "json",
                  env={"SLUICE_HTTP_RETRY": RETRY})
    assert done.returncode == 1 and b"the transfer ended at byte" in done.stderr
    result = json.loads(done.stdout)
    assert result["truncated"] is True and result["packets"] is None
    assert result["sample"]["blocks"] < 30 and result["sample"]["of_bytes"] < os.path.getsize(bursty[0]) / 2


def test_a_server_without_ranges(sluice, server):
    done = sluice("summary", server.url("no-range", "bursts.pcap"), "--sample", "20%")
    assert done.returncode == 2 and b"does not serve ranges" in done.stderr and not done.stdout


# ---- refusals ----

def refused(done, text):
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 2 and len(lines) == 1 and text in lines[0] and not done.stdout, lines


@pytest.mark.parametrize("args, text", [
    (["flows"], "recipe flows wants every packet"), (["addresses"], "recipe addresses wants every packet"),
    (["scans"], "recipe scans wants every packet"), (["packets"], "recipe packets wants every packet"),
    ([], "recipe packets wants every packet"), (["report", "-o", "x.html"], "wants every packet"),
    (["eval", "p.dport == 53"], "recipe eval wants every packet"), (["summary,flows"], "recipe flows wants every packet"),
    (["summary", "-z", "conv,tcp"], "--idle wants flows"), (["compare", "x.pcap"], "recipe compare wants every packet"),
    (["summary", "-c", "5"], "--sample and -c exclude each other"),
    (["summary", "-w", "x.pcap"], "--sample and -w exclude each other"),
    (["summary", "--from", "+1"], "--sample and --from exclude each other"),
    (["summary", "--to", "+1"], "--sample and --to exclude each other"),
    (["summary", "--follow"], "--sample and --follow exclude each other"),
    (["summary", "--partial", "x"], "--partial and --sample exclude each other"),
    (["summary", "-F", "flow.bytes > 5"], "--sample and -F exclude each other"),
    (["summary", "--max-flows", "5"], "--sample and --max-flows exclude each other"),
    (["summary", "--idle", "5"], "--sample and --idle exclude each other"),
    (["summary", "-j", "2"], "leave -j 2 out"),
    (["summary", "-Y", "frame.number < 100"], "packets of a --sample have no numbers"),
    (["summary", "-Y", "frame.time_delta > 1"], "packets of a --sample have no times since"),
])
def test_what_a_sample_cannot_be(sluice, bursty, args, text):
    refused(sluice(*args, bursty[0], "--sample", "20%"), text)


@pytest.mark.parametrize("part", ["0%", "1", "0.01", "101%", "-1%", "%", "x%", "1e-9%", ""])
def test_what_is_no_part(sluice, bursty, part):
    refused(sluice("summary", bursty[0], "--sample=" + part), "--sample takes a part such as 1%")


def test_seed_alone(sluice, bursty):
    refused(sluice("summary", bursty[0], "--seed", 5), "--seed chooses the blocks of --sample")


def test_inputs_that_cannot_be_sampled(sluice, bursty, tmp_path):
    path, _ = bursty
    data = open(path, "rb").read()
    refused(sluice("summary", "-", "--sample", "20%", stdin=data), "which a pipe does not allow")
    packed = written(tmp_path, "a.pcap.gz", gzip.compress(data[:3000000], 1))
    refused(sluice("summary", packed, "--sample", "20%"), "compressed data do not allow")
    refused(sluice("summary", path, path, "--sample", "20%"), "--sample takes one input, not 2")
    refused(sluice("summary", path, "--sample", "1%"), "too small for --sample 1%, which takes at least 30 blocks of "
            "64 KiB: read all of it, or --sample 11.2% of it")
    small = written(tmp_path, "small.pcap", data[:24 + 76 * 1000])
    refused(sluice("summary", small, "--sample", "100%"), "30 blocks of 64 KiB: read all of it")


def test_the_advice_of_a_refusal_holds(sluice, bursty):
    done = sluice("count", bursty[0], "--sample", "11.2%", "-T", "json")
    assert done.returncode == 0, done.stderr
    assert holds(json.loads(done.stdout), "packets", TOTAL)


# ---- recipes of one's own ----

def recipe(tmp_path, sample, start="return {}"):
    path = tmp_path / "own.lua"
    path.write_text("return { about = 'own', start = function() %s end, sampled = function(opt, out) %s end }" %
                    (start, sample))
    return path


def test_a_recipe_of_ones_own(sluice, bursty, tmp_path):
    own = recipe(tmp_path, """
      local by_port = estimate { "packets by port", key = "port" }
      return { packet = function(p) by_port:add(p.dport, p.len) end,
        finish = function(view, run)
          view:table { rows = by_port:rows(), columns = { "port", unpack(by_port.columns) } } end }""")
    rows = {row["port"]: row for row in asked(sluice, own, bursty[0], "--sample", "20%")}
    tcp = asked(sluice, "count", bursty[0], "--sample", "20%", "-f", "tcp")
    assert set(rows) == {443, 53} and {"port": 443, **tcp} == rows[443]


def test_the_recipe_of_the_manual(sluice, bursty, tmp_path):
    with open(os.path.join(ROOT, "lua", "README.md"), encoding="utf-8") as file:
        text = next(text for text in re.findall(r"^```lua\n(.*?)^```", file.read(), re.M | re.S) if "estimate {" in text)
    path = written(tmp_path, "shown.lua", text.encode())
    rows = asked(sluice, path, bursty[0], "--sample", "20%")
    assert len(rows) == 1 and rows[0]["ttl"] == 64 and holds(rows[0], "packets", TOTAL)
    assert b"Estimated from 55 blocks" in sluice(path, bursty[0], "--sample", "20%").stdout


@pytest.mark.parametrize("sample, text", [
    ("return { flow = function(f) end }", "what sampled returns has packet and finish, nothing else"),
    ("return 5", "must return a table of handlers"),
    ("estimate { key = 'port' }", "it wants a name and a key"),
    ("estimate { 'x', key = 'string' }", "a key is \"address\", or a number's name"),
    ("estimate { 'x', key = 'address/24' }", "a key is \"address\", or a number's name"),
    ("return { packet = function(p) estimate { 'x', key = 'port' } end }", "belongs into sampled"),
])
def test_mistakes_of_recipes(sluice, bursty, tmp_path, sample, text):
    refused(sluice(recipe(tmp_path, sample), bursty[0], "--sample", "20%"), text)


def test_estimates_are_for_samples(sluice, bursty, tmp_path):
    refused(sluice(recipe(tmp_path, "", "estimate { 'x', key = 'port' } return {}"), bursty[0]), "belongs into sampled")
