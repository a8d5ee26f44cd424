"""-o FILE.sqlite: flows, packets and views as tables, with the numbers of the other forms."""
import json
import os
import sqlite3
import struct
import subprocess

import pytest

from support import PROGRAM, SLOWNESS, each_capture, path_of, pcap, supported, udp_frame


def rows(path, query):
    with sqlite3.connect("file:%s?mode=ro" % path, uri=True) as database:
        return database.execute(query).fetchall()


@each_capture(supported)
def test_sums_equal_the_summary(sluice, tmp_path, entry):
    out = tmp_path / "flows.sqlite"
    done = sluice("flows", "-q", "-o", out, path_of(entry))
    if not out.exists():  # nothing could be read of it
        assert done.returncode == 1 and json.loads(sluice("summary", "-T", "json", path_of(entry)).stdout or "{}").get("packets", 0) == 0
        return
    summary = json.loads(sluice("summary", "-T", "json", path_of(entry)).stdout)
    flows = [json.loads(line) for line in sluice("flows", "-T", "jsonl", path_of(entry)).stdout.splitlines()]
    count, packets = rows(out, "select count(*), total(packets_src + packets_dst) from flows")[0]
    assert (count, packets) == (summary["flows"], sum(f["packets_src"] + f["packets_dst"] for f in flows))
    assert rows(out, "select bytes_src, bytes_dst, payload_src, payload_dst from flows") == [
        (f["bytes_src"], f["bytes_dst"], f["payload_src"], f["payload_dst"]) for f in flows]
    columns = "first, last, duration, proto, src, sport, dst, dport, state, history, service, end, rtt"
    assert rows(out, "select %s from flows" % columns.replace("end", '"end"')) == [
        tuple(f[name] for name in columns.split(", ")) for f in flows]


def test_types_and_what_was_run(sluice, example, tmp_path):
    out = tmp_path / "flows.db"
    assert sluice("flows", example, "-o", out).returncode == 0
    assert rows(out, "pragma integrity_check") == [("ok",)]
    assert rows(out, "select distinct typeof(first), typeof(duration), typeof(sport), typeof(src) from flows") == [
        ("text", "real", "integer", "text")]
    assert dict(rows(out, "select * from about"))["Filters"] == "none: every packet and flow"
    assert rows(out, "select value from about where name = 'Input'")[0][0].endswith("(%d bytes)" % os.path.getsize(example))


def test_the_same_bytes_twice(sluice, example, tmp_path):
    contents = []
    for _ in range(2):
        assert sluice("flows", "-Y", "udp", example, "-o", "same.sqlite", cwd=tmp_path).returncode == 0
        contents.append((tmp_path / "same.sqlite").read_bytes())
    assert contents[0] == contents[1]


def test_several_recipes(sluice, example, tmp_path):
    out = tmp_path / "all.sqlite"
    assert sluice("summary,protocols,talkers", example, "-o", out).returncode == 0
    values = json.loads(sluice("summary", "-T", "json", example).stdout)
    assert rows(out, "select packets, bytes from summary") == [(values["packets"], values["bytes"])]
    assert rows(out, "select protocol, packets from protocols where protocol = 'tcp'") == [("tcp", values["protocols"]["tcp"]["packets"])]


def test_packets_as_they_come(sluice, example, tmp_path):
    out = tmp_path / "packets.sqlite"
    assert sluice("packets", "-Y", "dns || udp", "-c", "50", example, "-o", out).returncode == 2  # no such field: dns
    assert sluice("packets", "-Y", "udp", "-c", "50", example, "-o", out).returncode == 0
    assert rows(out, "select count(*), min(proto), max(proto), typeof(time) from packets") == [(50, "udp", "udp", "text")]


HOSTILE = """'); DROP TABLE x; -- "quoted" \x1b[31m"""


def test_text_is_never_sql(sluice, tmp_path):
    frame = udp_frame("10.0.0.1", "10.0.0.2", 1, 2, HOSTILE.encode())
    (tmp_path / "in.pcap").write_bytes(pcap([(0, 0, frame)]))
    (tmp_path / "say.lua").write_text("""
        return { about = "texts", start = function()
          local n = count { "n", key = "string" }
          return {
            packet = function(p) n:add(p.payload:text()) end,
            finish = function(out)
              local list = {}
              for i, row in ipairs(n:rows()) do list[i] = { row[1], row[2] } end
              out:table { name = "x", title = [[it's "x"]], columns = { [[a"); DROP TABLE y; --]], [[A"); DROP TABLE y; --]] }, rows = list }
            end }
        end }""")
    done = sluice("say.lua", "in.pcap", "-o", "x.sqlite", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert rows(tmp_path / "x.sqlite", "select * from x") == [(HOSTILE, 1)]


def test_a_cut_capture_keeps_what_was_read(sluice, example, tmp_path):
    with open(example, "rb") as file:
        (tmp_path / "cut.pcap").write_bytes(file.read(1_000_000))
    out = tmp_path / "cut.sqlite"
    done = sluice("flows", tmp_path / "cut.pcap", "-o", out)
    assert done.returncode == 1 and b"cut.pcap" in done.stderr
    assert rows(out, "select count(*) > 100 from flows") == [(1,)]


def test_full_disk(sluice, example, small_disk):
    done = sluice("flows", example, "-o", small_disk / "x.sqlite")
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1 and b"disk is full" in done.stderr
    assert os.listdir(small_disk) == []


@pytest.mark.parametrize("recipe", ["flows", "packets"])
def test_full_disk_is_told_at_once(small_disk, recipe):
    """The input, a pipe, does not end: whoever reads on would wait for it."""
    with subprocess.Popen([PROGRAM, recipe, "-q", "-", "-o", small_disk / "x.sqlite"], bufsize=0, stdin=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        process.stdin.write(pcap([]))
        with pytest.raises(BrokenPipeError):
            for n in range(400000):  # a hundred a second, so that flows are decided on the way
                frame = udp_frame("10.%d.%d.%d" % (n >> 16, n >> 8 & 255, n & 255), "192.0.2.1", 1024, 53, b"x")
                process.stdin.write(struct.pack("<IIII", n // 100, 0, len(frame), len(frame)) + frame)
            process.wait(60 * SLOWNESS)
        said = process.stderr.read()
        assert process.wait(60 * SLOWNESS) == 2
    assert said.count(b"\n") == 1 and b"x.sqlite: cannot write" in said and b"disk is full" in said
    assert os.listdir(small_disk) == []


@pytest.mark.parametrize("path, words", [("no/such/folder/x.sqlite", b"No such file"), (".sqlite/x.db", b"No such file")])
def test_no_such_place(sluice, example, tmp_path, path, words):
    done = sluice("flows", example, "-o", path, cwd=tmp_path)
    assert done.returncode == 2 and words in done.stderr and os.listdir(tmp_path) == []


def test_a_wrong_recipe_leaves_nothing(sluice, example, tmp_path):
    assert sluice("eval", "error 'no'", example, "-o", tmp_path / "x.sqlite").returncode == 2
    assert os.listdir(tmp_path) == []
