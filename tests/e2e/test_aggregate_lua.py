"""The Lua face of the aggregates, run by luajit against a library built from their sources."""
import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

PRELUDE = r"""
local ffi = require("ffi")
package.path = ROOT .. "/lua/?.lua;" .. package.path
ffi.cdef(assert(io.open(ROOT .. "/src/abi.h")):read("*a"))
local lib = ffi.load(LIBRARY)
_G.aggregate_library = lib -- or a recipe's error may unload it before it frees its aggregates
local aggregate = require("sluice.aggregate")
local make = aggregate.new { C = lib }
local count, sum, min, max, top, series =
  make.count, make.sum, make.min, make.max, make.top, make.series
local function v4(n)
  return ffi.new("struct sl_addr", { { 0, 0, 0xffff, n } })
end
local function at(s, nsec)
  return ffi.new("struct sl_time", { s, nsec or 0 })
end
local function show(rows)
  for _, row in ipairs(rows) do
    local cells = {}
    for i, cell in ipairs(row) do
      cells[i] = type(cell) == "cdata" and "@" .. cell.w[3] or tostring(cell)
    end
    print(table.concat(cells, " "))
  end
end
local function fails(f, ...)
  local ok, message = pcall(f, ...)
  print(ok and "NO ERROR" or message)
end
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("aggregate") / "libaggregate.so"
    folder = os.path.join(ROOT, "src", "aggregate")
    sources = sorted(os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(".c"))
    subprocess.run(["gcc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-fPIC", "-shared",
                    "-I" + os.path.join(ROOT, "src"), "-o", str(path), *sources,
                    os.path.join(ROOT, "src", "error.c"), "-lz", "-lm"], check=True)
    return str(path)


@pytest.fixture
def lua(library, tmp_path):
    def run(code, *flags):
        script = tmp_path / "recipe.lua"
        head = "local ROOT, LIBRARY = [[%s]], [[%s]]\n" % (ROOT, library)
        script.write_text(head + PRELUDE + code, encoding="utf-8")
        done = subprocess.run(["luajit", *flags, str(script)], capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return (done.stdout + done.stderr).splitlines()
    return run


def test_sum_by_port_as_in_the_design(lua):
    assert lua("""
        local bytes = sum { "bytes by port", key = "port" }
        for i = 1, 300 do bytes:add(i % 3 == 0 and 443 or 80, i) end
        bytes:add(53, 7ULL)
        show(bytes:rows())
        local best = bytes:top(2)
        show(best)
        print(best.total, best.label, #best.notes, best.approximate, bytes:get(80), bytes:get(81))
    """) == ["53 7", "80 30000", "443 15150", "80 30000", "443 15150",
             "3\tbytes by port\t0\tfalse\t30000\tnil"]


def test_kinds_and_keyless_totals(lua):
    assert lua("""
        local c, s, lo, hi = count { "c" }, sum { "s" }, min { "lo" }, max { "hi" }
        print(c:value(), s:value(), tostring(lo:value()), tostring(hi:value()))
        for i = -2, 5 do
          c:add() s:add(i) lo:add(i) hi:add(i)
        end
        c:add(10)
        print(c:value(), s:value(), lo:value(), hi:value())
        local p = count { "p", key = "port" }
        p:add(80) p:add(80) p:add(22, 5)
        show(p:rows())
    """) == ["0\t0\tnil\tnil", "18\t12\t-2\t5", "22 5", "80 2"]


def test_addresses_and_composite_keys(lua):
    assert lua("""
        local a = max { "a", key = "address", decimals = 3 }
        a:add(v4(9), 0.0125) a:add(v4(9), 0.5) a:add(v4(7), 1e-9)
        show(a:rows())
        print(a:get(v4(9)))
        local pair = sum { "pair", key = { "src:address", "dst:address", "port" } }
        local p = ffi.new("struct sl_packet[1]")
        for i = 1, 4 do
          p[0].src, p[0].dst, p[0].dport = v4(i % 2), v4(5), 80
          pair:add(p[0].src, p[0].dst, p[0].dport, i)
        end
        local rows = pair:rows()
        p[0].src = v4(77) -- rows are copies
        show(rows)
        print(table.concat(rows.keys, ","), pair:get(v4(1), v4(5), 80))
    """) == ["@7 0", "@9 0.5", "0.5", "@0 @5 80 6", "@1 @5 80 4", "src,dst,port\t4"]


def test_top_says_when_it_is_approximate(lua):
    out = lua("""
        local t = top { "t", key = "n", n = 3, keys = 4 }
        for i = 1, 4 do t:add(i, 10 * i) end
        show(t:rows())
        print(t:approximate(), #t:notes())
        for i = 5, 9 do t:add(i, 1) end
        local rows = t:rows()
        print(rows.approximate, rows.error > 0, #rows <= 3, rows.notes[1])
    """)
    assert out[:4] == ["4 40", "3 30", "2 20", "false\t0"]
    assert out[4].startswith("true\ttrue\ttrue\tapproximate: ")
    assert "more than 4 came; no value is too low by more than" in out[4]


def test_other_and_notes(lua):
    assert lua("""
        local s = sum { "s", key = "n", keys = 2 }
        for i = 1, 5 do s:add(i, 100) end
        s:add(1, 0.5) s:add(1, 0/0) s:add(1/0, 1) s:add(1, 2^70)
        local rows = s:rows()
        show(rows)
        show(s:top(9))
        for _, note in ipairs(rows.notes) do print(note) end
    """) == ["1 101", "2 100", "other 300", "1 101", "2 100",
             "3 additions for keys past the bound of 2 are in \"other\" (raise it with keys = …)",
             "1 values with a fraction were rounded to whole numbers (keep fractions with "
             "decimals = 1 to 9)",
             "1 values that are no finite numbers were left out",
             "1 values too large to count exactly (2^63 and more) were left out",
             "1 additions whose key is no finite number were left out"]


def test_series(lua):
    assert lua("""
        local s = series { "bytes", bin = 60 }
        s:add(at(119, 999999999), 1) s:add(at(120), 2) s:add(at(300), 4)
        local rows = s:rows()
        show(rows)
        print(rows.bin, #rows.notes)
        local k = series { "by port", bin = 1, key = "port" }
        k:add(at(0), 80, 1) k:add(at(2), 80, 2) k:add(at(1), 22, 9)
        show(k:rows())
        local lines = k:lines(1)
        print(lines.columns[1].type, lines.columns[2].name, #lines.rows, lines.interval)
        lines = k:lines()
        print(lines.columns[2].name, lines.columns[3].name)
        show(lines.rows)
        show(s:lines().rows)
    """) == ["60 1", "120 2", "180 0", "240 0", "300 4", "60\t0",
             "0 22 0", "1 22 9", "2 22 0", "0 80 1", "1 80 0", "2 80 2",
             "time\t22\t3\t1", "22\t80", "0 0 1", "1 9 0", "2 0 2",
             "60 1", "120 2", "180 0", "240 0", "300 4"]


def test_merging_objects_and_bytes(lua):
    assert lua("""
        local one, two = aggregate.new { C = lib }, aggregate.new { C = lib }
        local a, b = one.sum { "x", key = "address" }, two.sum { "x", key = "address" }
        for i = 1, 1000 do
          local into = i % 2 == 0 and a or b
          into:add(v4(i % 10), i)
        end
        local bytes = b:to_bytes()
        a:merge(b)
        local c = aggregate.new { C = lib }.sum { "x", key = "address" }
        c:merge(bytes)
        b:merge(bytes)
        show(a:top(2))
        print(#a:rows(), c:to_bytes() == bytes, b:get(v4(1)) == 2 * c:get(v4(1)))
        fails(a.merge, a, bytes:sub(1, -2) .. "x")
        fails(a.merge, a, one.sum { "y", key = "address" })
    """) == ["@0 50500", "@9 50400", "10\ttrue\ttrue",
             "cannot read a stored aggregate: its checksum is wrong, near byte 330; write the "
             "file again",
             "cannot merge aggregate \"y\" into \"x\": their name differs; merge results of the "
             "same recipe with the same options"]


@pytest.mark.parametrize("code, message", [
    ('sum { "b", key = "port" }:add("http", 1)',
     'aggregate "b": its key "port" takes a number, not the string "http"'),
    ('sum { "b", key = "src" }:add(v4(1), 1)',
     'aggregate "b": its key "src" takes a number, not a struct sl_addr; declare '
     'key = "src:address" for addresses'),
    ('sum { "b", key = "address" }:add(1, 1)',
     'aggregate "b": its key "address" takes an address, not a number'),
    ('sum { "b", key = "address" }:add(nil, 1)',
     'aggregate "b": its key "address" takes an address, not nothing'),
    ('sum { "b", key = "port" }:add(80)',
     'aggregate "b": add takes a number as value, not nothing'),
    ('sum { "b" }:add(80, 1)',
     'aggregate "b": add takes 0 parts of a key here; declare them with key = …'),
    ('series { "s" }:add(5, 1)',
     'aggregate "s": add takes a time such as p.ts first, not a number'),
    ('sum { "b", kee = "port" }',
     'aggregate "b": sum has no option kee; it has key, keys, decimals'),
    ('sum { key = "port" }', 'sum needs a name: sum { "bytes by port", … }'),
    ('sum { "b", key = { "a", "b", "c", "d" } }', 'aggregate "b": a key has at most 3 parts'),
    ('sum { "b", key = "x:string" }', 'aggregate "b": a key is a number or an address, '
                                      'not "string"'),
    ('top { "t" }', 'aggregate "t": top needs a key'),
    ('sum { "b", decimals = 12 }', 'aggregate "b": decimals is 0 to 9'),
    ('series { "s", bin = 1e-9 }',
     'aggregate "s": bin is a number of seconds, in whole microseconds'),
    ('sum { "b" } sum { "b" }',
     'there is an aggregate "b" already: give each its own name'),
    ('sum { "b", key = "n" }:value()',
     'aggregate "b" has more than one value: use rows, top or get'),
    ('sum { "b", key = "n" }:top(0)',
     'aggregate "b": top takes a whole number of rows, 1 or more'),
    ('make.seal() count { "late" }',
     'count { … } belongs into start: aggregates made elsewhere could not be merged'),
])
def test_errors_name_the_line_of_the_recipe(lua, code, message):
    out = lua("fails(function()\n%s\nend)" % code)
    line = PRELUDE.count("\n") + 3
    assert len(out) == 1
    place, _, text = out[0].partition(": ")
    assert text == message
    assert place.endswith("recipe.lua:%d" % line)


def test_additions_are_compiled(lua):
    """No shape of key may drop out of the trace: a loop compiles, and nothing is left to the
    interpreter."""
    out = lua("""
        local p = ffi.new("struct sl_packet[4]")
        local adders = {
          sum { "n", key = "port" }, sum { "a", key = "address" },
          sum { "an", key = { "src:address", "port" } }, count { "k" }, series { "s" },
          series { "sn", key = "port" }, top { "t", key = "address", decimals = 6 },
        }
        local bodies = {
          "x:add(q.dport, q.len)", "x:add(q.src, q.len)", "x:add(q.src, q.dport, q.len)",
          "x:add()", "x:add(q.ts, q.len)", "x:add(q.ts, q.dport, q.len)",
          "x:add(q.src, q.t)",
        }
        for i, body in ipairs(bodies) do
          local f = assert(loadstring("local p, x = ... for i = 0, 9999 do local q = p[i % 4] " ..
            body .. " end", "=body" .. i))
          f(p, adders[i])
          assert(tonumber(adders[i]:memory()) > 0)
        end
    """, "-jv")
    for i in range(1, 8):
        assert any("body%d:1 loop" % i in line for line in out), (i, out)
    aborted = [line for line in out if "abort" in line and "body" in line]
    assert not aborted, aborted
