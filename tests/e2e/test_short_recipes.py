"""Recipes without start, and what spares them lines: joined rows, columns that views know, TCP options, entropy."""
import json

import pytest

from support import pcap, tcp_frame, udp_frame

SHORT = """local bytes = sum { "bytes by port", key = "port" }
local packets = count { "packets", key = "port", unit = "packets" }
return {
  about = "ports", filter = "udp",
  packet = function(p) bytes:add(p.dport, p.len) if p.dport > 1 then packets:add(p.dport) end end,
  finish = function(out) out:table { title = "Ports", name = "t", %s } end,
}
"""
FRAMES = [udp_frame("192.0.2.1", "192.0.2.2", 9, port, b"x" * port) for port in (1, 2, 2, 3)]


@pytest.fixture
def run(sluice, tmp_path):
    """run(recipe, frames, *options) -> what the program says."""
    def call(text, frames, *options):
        (tmp_path / "r.lua").write_text(text)
        (tmp_path / "in.pcap").write_bytes(pcap([(n, 0, frame) for n, frame in enumerate(frames)]))
        return sluice("r.lua", "in.pcap", "-q", *options, cwd=tmp_path)
    return call


def rows(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_joined_rows_have_columns(run):
    done = run(SHORT % "rows = bytes:top(5, packets)", FRAMES, "-T", "json")
    assert rows(done) == [{"port": 2, "bytes": 88, "packets": 2}, {"port": 3, "bytes": 45, "packets": 1}, {"port": 1, "bytes": 43, "packets": 0}]


def test_computed_and_picked(run):
    view = """rows = bytes:rows(packets), where = function(row) return row[3] > 0 end,
      more = { { name = "mean", unit = "bytes", value = function(row) return row[2] / row[3] end } }"""
    assert rows(run(SHORT % view, FRAMES, "-T", "json")) == [
        {"port": 2, "bytes": 88, "packets": 2, "mean": 44}, {"port": 3, "bytes": 45, "packets": 1, "mean": 45}]


def test_workers_agree(run):
    text = SHORT % "rows = bytes:rows(packets)"
    one, two = (run(text, FRAMES * 500, "-T", "json", "-j", n, "--split", "4096") for n in ("1", "2"))
    assert rows(one) == rows(two) and one.stdout == two.stdout


def test_quantiles_and_units(run):
    text = """local q = quantile { "gap by port", key = "port", q = { 0.5, 0.9 }, unit = "s" }
      return { about = "q", packet = function(p) q:add(p.dport, 0.25) end,
        finish = function(out) out:table { title = "q", rows = q:rows() } end }"""
    assert list(rows(run(text, FRAMES[:1], "-T", "json"))[0]) == ["port", "median", "p90"]
    assert b" 251 ms" in run(text, FRAMES[:1]).stdout  # to 1 %


def test_grids_and_points_by_themselves(run):
    text = """local n = count { "n", key = { "a", "b" } }
      local x, y = sum { "x", key = "a" }, sum { "y", key = "a" }
      return { about = "v", packet = function(p) n:add(p.dport, p.sport) x:add(p.dport, 1) y:add(p.dport, 2) end,
        finish = function(out)
          out:heatmap { title = "grid", rows = n:rows() }
          out:scatter { title = "points", rows = x:rows(y) }
        end }"""
    assert rows(run(text, FRAMES, "-T", "json")) == {
        "grid": [{"a": 1, "b": 9, "n": 1}, {"a": 2, "b": 9, "n": 2}, {"a": 3, "b": 9, "n": 1}],
        "points": [{"a": 1, "x": 1, "y": 2}, {"a": 2, "x": 2, "y": 4}, {"a": 3, "x": 1, "y": 2}]}
    assert run(text, FRAMES).returncode == 0  # as text, which needs the labels


@pytest.mark.parametrize("text, words", [
    ('return { about = "x", options = { n = { default = 1, about = "n" } }, packet = function() end }', b"options need start"),
    ('return { about = "x", packet = 5 }', b"'packet' must be a function"),
    ('return { about = "x", pakcet = function() end, packet = function() end }', b"unknown field 'pakcet'"),
    ('return { about = "x" }', b"it has no start"),
    ('local c = count { "c" }\nc:add(1)\nreturn { about = "x", packet = function() end }', b"r.lua line 2"),
    ('local a, b = count { "a", key = "port" }, count { "b" }\nreturn { about = "x", finish = function(out)\n'
     'out:table { title = "t", rows = a:rows(b) } end }', b'line 3: aggregate "b" cannot stand beside "a"'),
    ('local s = series { "s" }\nreturn { about = "x", finish = function(out)\nout:table { title = "t", rows = s:rows() } end }', b"columns"),
    ('local s = sum { "s", unit = 5 }\nreturn { about = "x", finish = function() end }', b"unit is a word"),
])
def test_mistakes(run, text, words):
    done = run(text, FRAMES)
    assert done.returncode == 2 and words in done.stderr and b"internal" not in done.stderr, done.stderr


OPTION = """local seen = count { "seen", key = "string" }
return { about = "options", packet = function(p)
  local o = p:tcp_option(%d)
  seen:add(o and ("%%d bytes, %%d"):format(o.size, o:u8(0) or -1) or "none")
end, finish = function(out) out:table { title = "t", name = "t", rows = seen:rows(), columns = { "o", "n" } } end }"""


def with_options(options):
    """A SYN whose header has these bytes of options, cut as they are."""
    frame = bytearray(tcp_frame("192.0.2.1", "192.0.2.2", 1, 2, 2, payload=options))
    frame[14 + 20 + 12] = (5 + len(options) // 4) << 4
    return bytes(frame)


@pytest.mark.parametrize("options, kind, seen", [
    (b"\x02\x04\x05\xb4", 2, "2 bytes, 5"), (b"\x01\x01\x02\x04\x05\xb4\x01\x03\x03\x07\x00\x00", 3, "1 bytes, 7"), (b"\x04\x02\x01\x01", 4, "0 bytes, -1"),
    (b"\x02\x04\x05\xb4", 3, "none"), (b"\x00\x02\x04\x05", 2, "none"), (b"\x02\x00\x01\x01", 2, "none"), (b"\x01\x01\x02\x05", 2, "none"), (b"", 2, "none")])
def test_tcp_options(run, options, kind, seen):
    assert rows(run(OPTION % kind, [with_options(options)], "-T", "json")) == [{"o": seen, "n": 1}]


@pytest.mark.parametrize("data, bits", [(b"aaaa", 0), (b"abab", 1), (bytes(range(256)), 8), (b"aaab", 0.811278)])
def test_entropy(run, data, bits):
    text = """local m = mean { "m" }
      return { about = "e", packet = function(p) m:add(p.payload:entropy()) end,
        finish = function(out) out:record { title = "e", fields = { { "e", m:value() } } } end }"""
    done = run(text, [udp_frame("192.0.2.1", "192.0.2.2", 1, 2, data)], "-T", "json")
    assert abs(rows(done)["e"] - bits) < 1e-6
