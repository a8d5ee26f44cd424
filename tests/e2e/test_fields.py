"""packets -T fields -e …: tshark's columns, cell by cell, and the forms that list packets."""
import collections
import csv
import io
import json
import os
import re
import shutil
import subprocess

import pytest

from support import each_capture, json_lines, path_of, supported, whole

TSHARK = ["tshark", "-n", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o",
          "tcp.desegment_tcp_streams:FALSE"]
UTC = {**os.environ, "TZ": "UTC"}
# Not compared: 0 here in a pcap where tshark has no such field; fields of sluice's own.
OWN = {"frame.interface_id", "geo.src_country", "geo.dst_country", "geo.country", "ieee8021ad.etype"}
CELLS_MAX = 0.02
PACKETS_MAX = 3000  # of one capture: tshark takes its time
# Cells of headers that contradict themselves, which tshark gives up elsewhere.
FUZZED = {"malformed/fuzzed-packets-big-endian.pcap": 18}
# Names of protocols in frame.protocols behind which headers stand a second time.
AGAIN = re.compile(r"(^|:)(ip|ipv6|icmp|icmpv6|arp|eth)(:.*)?:(ip|ipv6|arp|eth)(:|$)")
LONG_S = 4e6  # of longer times a double does not hold the nanoseconds
needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")


def fields_of(sluice):
    rows = [line.split()[:2] for line in sluice("fields").stdout.decode().splitlines()]
    return [name for name, kind in rows if kind != "protocol" and not name.startswith("flow.") and name not in OWN]


def by_tshark(path, names, *more):
    args = [word for name in names for word in ("-e", name)]
    return subprocess.run([*TSHARK, "-r", path, "-T", "fields", *more, *args], capture_output=True, check=True,
                          env=UTC).stdout.decode().split("\n")


def by_sluice(sluice, path, names, *more):
    done = sluice(path, "-T", "fields", *more, *(word for name in names for word in ("-e", name)), timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode().split("\n")


def reason(name, theirs, ours, protocols, cells):
    """Why a cell is another one than tshark's; None: no known reason."""
    if AGAIN.search(protocols):
        if not ours or theirs.startswith(ours + ","):
            return "tshark shows headers behind the outermost ones, too"
    if name == "frame.time_delta" and abs(float(theirs)) > LONG_S and abs(float(theirs) - float(ours)) < 0.01:
        return "a step of more than 40 days is not exact to the nanosecond"
    if name == "tcp.ack_raw" and not theirs and cells["tcp.flags.ack"] != "1":
        return "tshark leaves out an acknowledgment number without the ACK flag"
    return None


@needs_tshark
@each_capture(supported, whole, lambda entry: "other_records" not in entry)
def test_cells_are_tsharks(sluice, entry):
    """Every field. What differs is a header behind the outermost one, which tshark shows as well."""
    names = fields_of(sluice)
    assert len(names) >= 100
    theirs = by_tshark(path_of(entry), [*names, "frame.protocols"], "-c", str(PACKETS_MAX))
    ours = by_sluice(sluice, path_of(entry), names, "-c", str(PACKETS_MAX))
    assert len(ours) == len(theirs) == min(entry["packets"], PACKETS_MAX) + 1
    unexplained, reasons, cells = {}, collections.Counter(), 0
    for number, (their_line, our_line) in enumerate(zip(theirs[:-1], ours), 1):
        *their_cells, protocols = their_line.split("\t")
        our_cells = dict(zip(names, our_line.split("\t"), strict=True))
        for name, cell in zip(names, their_cells, strict=True):
            cells += 1
            if cell != our_cells[name]:
                why = reason(name, cell, our_cells[name], protocols, our_cells)
                reasons[why] += 1
                if not why:
                    unexplained[number, name] = (cell[:60], our_cells[name][:60])
    assert len(unexplained) == FUZZED.get(entry["file"], 0), unexplained
    COUNTS[entry["file"]] = (sum(reasons.values()), cells)


COUNTS = {}


@needs_tshark
def test_few_cells_differ():
    """Over all captures, after the test above."""
    if len(COUNTS) < 20:
        pytest.skip("the captures were not compared")
    different, cells = (sum(column) for column in zip(*COUNTS.values()))
    assert different <= CELLS_MAX * cells


def test_escapes_quotes_and_occurrences(sluice, example):
    """-E as tshark has it."""
    names = ["frame.number", "ip.addr", "tcp.port", "udp.payload", "frame.time"]
    for more in (["header=y"], ["separator=,", "quote=d"], ["separator=/s", "quote=s", "occurrence=f"],
                 ["occurrence=l"], ["aggregator=;", "header=y", "separator=|"], ["aggregator=/s", "quote=d"]):
        options = [word for option in more for word in ("-E", option)]
        ours = by_sluice(sluice, example, names, "-c", "50", *options)
        assert ours == by_tshark(example, names, "-c", "50", *options), more


def test_other_forms(sluice, example):
    """The same cells as csv, tsv, json and jsonl, and in a file."""
    names = ["frame.number", "ip.src", "tcp.port", "frame.time"]
    args = [word for name in names for word in ("-e", name)]
    want = [line.split("\t") for line in by_sluice(sluice, example, names, "-c", "40")[:-1]]
    rows = list(csv.reader(io.StringIO(sluice(example, "-c", "40", "-T", "csv", *args).stdout.decode())))
    assert rows == [names, *want]
    assert sluice(example, "-c", "40", "-T", "tsv", *args).stdout.decode().splitlines()[1:] == ["\t".join(w) for w in want]
    objects = json_lines(sluice(example, "-c", "40", "-T", "jsonl", *args).stdout)
    assert json.loads(sluice(example, "-c", "40", "-T", "json", *args).stdout) == objects
    for row, packet in zip(want, objects, strict=True):
        cells = {name: cell for name, cell in zip(names, row) if cell}
        if "tcp.port" in cells:
            cells["tcp.port"] = cells["tcp.port"].split(",")
        assert packet == cells


def test_deltas_count_packets_that_were_filtered_out(sluice, example):
    every = by_sluice(sluice, example, ["frame.number", "frame.time_delta"])[:-1]
    some = by_sluice(sluice, example, ["frame.number", "frame.time_delta"], "-f", "udp", "-Y", "frame.time_delta > 0.001")[:-1]
    assert 0 < len(some) < len(every) and set(some) <= set(every)


# --- The list for people.

@needs_tshark
@pytest.mark.parametrize("form", ["r", "a", "ad", "d", "dd", "e", "u", "ud"])
@pytest.mark.parametrize("name", ["office", "ipv6-fragments.pcap"])
def test_times_and_addresses_of_the_list(sluice, example, form, name, request):
    """Number, time and addresses stand where tshark has them."""
    path = example if name == "office" else request.getfixturevalue("capture")(name)
    zone = {**os.environ, "TZ": "America/New_York"}
    theirs = subprocess.run([*TSHARK, "-r", path, "-t", form, "-Y", "frame.number <= 150 && !icmpv6 && !eapol && !arp"], capture_output=True,
                            check=True, env=zone).stdout.decode().splitlines()
    ours = sluice(path, "-t", form, "-Y", "frame.number <= 150 && !icmpv6 && !eapol && !arp", env={"TZ": "America/New_York"}).stdout.decode().splitlines()
    heads = [[re.match(r" *\d+ +[\d:. -]+ +[0-9a-f:.]+ → [0-9a-f:.]+ *", line) for line in lines] for lines in (theirs, ours)]
    pairs = [(a[0], b[0]) for a, b in zip(*heads, strict=True) if a and b]
    assert len(pairs) > 5 and not [pair for pair in pairs if pair[0] != pair[1]]


@pytest.mark.parametrize("args, words", [
    (["-T", "fields"], ["-e"]), (["-T", "fields", "-e", "ip.source"], ["ip.source", "ip.src", "sluice fields"]),
    (["-T", "fields", "-e", "ip.src", "-E", "quote=x"], ["quote", "d, n, s"]),
    (["-T", "fields", "-e", "ip.src", "-E", "colour=y"], ["colour=y", "header"]), (["-e", "ip.src"], ["-T fields"]),
    (["-E", "header=y"], ["-e"]), (["-t", "x"], ["-t x", "ad"]), (["summary", "-T", "json", "-e", "ip.src"], ["packets"]),
    (["summary", "-t", "a"], ["packets"]), (["summary", "-T", "fields", "-e", "ip.src"], ["packets"])])
def test_mistakes(sluice, example, args, words):
    done = sluice(*args, example)
    text = done.stderr.decode()
    assert done.returncode == 2 and done.stdout == b"" and text.count("\n") == 1, text
    assert not [word for word in words if word not in text], text


def test_fields_are_listed(sluice):
    lines = sluice("fields").stdout.decode().splitlines()
    assert len(lines) > 150 and all(re.match(r"[\w.]+ +(protocol|number|boolean|time|ether|ipv4|ipv6|addr|bytes|text) +\S", line)
                                    for line in lines)
    assert [line.split()[0] for line in sluice("fields", "udp.").stdout.decode().splitlines()][:2] == ["udp.srcport", "udp.dstport"]
    assert sluice("fields", "nothing").returncode == 2
