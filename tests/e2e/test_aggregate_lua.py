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
local mean, quantile, histogram, distinct, sample =
  make.mean, make.quantile, make.histogram, make.distinct, make.sample
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


def test_totals_of_any_numbers(lua):
    """Whole values that are not negative are added by Lua itself, others by the library."""
    assert lua("""
        local s, d, c = sum { "s" }, sum { "d", decimals = 2 }, count { "c" }
        local values = { 0, 1, 2^31 - 1, 2^31, 2^40, -1, -2^31, -0, 5, 2^31 - 1, "12" }
        for _, v in ipairs(values) do s:add(v) d:add(v) end
        print(("%d %d"):format(s:value(), d:value()))
        s:add(0.5) s:add(0/0) s:add(1e300) d:add(0.25)
        print(("%d %.2f"):format(s:value(), d:value()))
        for i = 1, 1000 do c:add(i % 3 == 0 and 2^32 or i) end
        c:add(-1)
        print(("%d"):format(c:value()))
        local more = sum { "more" }
        for i = 1, 1000 do more:add(i % 2 == 0 and i or -i) end
        print(more:value())
    """) == ["1103806595087 1103806595087", "1103806595088 1103806595087.25", "1430224443235", "500"]


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


def test_mean(lua):
    assert lua("""
        local m = mean { "m", key = "port" }
        for i = 1, 4 do m:add(80, i) m:add(443, i / 4) end
        local rows = m:top(2)
        show(rows)
        print(rows[1].count, ("%.9f"):format(rows[1].deviation), m:get(443), m:spread(80))
        local all = mean { "all" }
        print(tostring(all:value()), tostring(all:spread()))
        all:add(3)
        print(all:value(), all:spread())
    """) == ["80 2.5", "443 0.625", "4\t1.290994449\t0.625\t1.2909944487358\t4", "nil\tnil",
             "3\t0\t1"]


def test_quantile(lua):
    assert lua("""
        local q = quantile { "q", q = { 0, 0.5, 1 }, decimals = 0 }
        show(q:rows())
        print(tostring(q:value(0.5)), q:rows().count)
        for i = 1, 101 do q:add(i) end
        show(q:rows())
        print(q:value(), q:value(0.9), q:rows().count)
        local k = quantile { "k", key = "port", q = 0.5, decimals = 0 }
        for i = 1, 5 do k:add(80, i) k:add(443, 10 * i) k:add(443, 10 * i) end
        show(k:rows())
        local rows = k:top(1)
        show(rows)
        print(rows[1].count, rows.total, k:get(80, 1), tostring(k:get(81, 1)))
    """) == ["0", "0.5", "1", "nil\t0", "0 1", "0.5 51", "1 101", "51\t91\t101",
             "80 3", "443 30", "443 30", "10\t2\t5\tnil"]


def test_histogram(lua):
    assert lua("""
        local h = histogram { "h", from = 1, to = 100, factor = 10 }
        for _, v in ipairs { 0.5, 1, 9.99, 10, 11, 99, 100, 1e6 } do h:add(v) end
        show(h:rows())
        show(h:bars())
        local l = histogram { "l", from = 0, to = 1, step = 0.25, key = "port" }
        l:add(80, 0.3) l:add(80, 0.8) l:add(443, 0)
        show(l:bars())
        print(#l:rows(), histogram { "e", edges = { 5, 6 } }:rows()[1][3])
        show(histogram { "n", from = 0, to = 0.3, step = 0.1 }:rows())
    """) == ["-inf 1 1", "1 10 2", "10 100 3", "100 inf 2",
             "below 1 1", "1 – 10 2", "10 – 100 3", "100 and more 2",
             "80 0.25 – 0.5 1", "80 0.5 – 0.75 0", "80 0.75 – 1 1", "443 0 – 0.25 1", "8\t0",
             "0 0.1 0", "0.1 0.2 0", "0.2 0.3 0"]


def test_distinct(lua):
    assert lua("""
        local d = distinct { "d", of = "address" }
        print(d:value())
        for i = 1, 1000 do d:add(v4(i % 250)) end
        print(d:value())
        local k = distinct { "k", key = "port", of = { "src:address", "name:string" } }
        for i = 1, 60 do k:add(i % 3, v4(i % 4), i % 5 < 2 and "a" or "b") end
        show(k:top(2))
        print(k:get(2), tostring(k:get(3)), #k:rows())
    """) == ["0", "250", "0 8", "1 8", "8\tnil\t3"]


def test_sample(lua):
    out = lua("""
        local p = ffi.new("struct sl_packet")
        local function fill(make, first, last)
          local s = make.sample { "s", n = 5, of = { "name:string", "port" } }
          for i = first, last do
            p.ts.s, p.offset64 = 2000 - i, i
            s:add(p, "p" .. i, i)
          end
          return s
        end
        local whole = fill(make, 1, 200)
        local one, two = aggregate.new { C = lib }, aggregate.new { C = lib }
        local a, b = fill(one, 1, 77), fill(two, 78, 200)
        b:merge(a)
        print(b:to_bytes() == whole:to_bytes())
        local rows = whole:rows()
        for _, r in ipairs(rows) do print(r[1] + r[3], r[2] == "p" .. r[3], r.offset == r[3]) end
        print(rows[1][1] < rows[5][1])
        local f, s = ffi.new("struct sl_flow"), sample { "f", key = "proto" }
        f.first.s, f.proto = 7, 6
        s:add(f, f.proto)
        show(s:rows())
    """)
    assert out == ["true"] + ["2000\ttrue\ttrue"] * 5 + ["true", "7 6"]


def test_strings_as_keys(lua):
    assert lua("""
        local s = sum { "s", key = { "host:string", "port" } }
        s:add("b.example", 80, 2) s:add("a.example", 443, 1) s:add("a.example", 80, 5)
        s:add("", 1, 1) s:add(("x"):rep(300), 1, 1)
        local rows = s:rows()
        print(rows[1][1] == "", #rows[5][1], rows.notes[1])
        show { rows[2], rows[3], rows[4] }
        print(s:get("a.example", 80), tostring(s:get("c.example", 80)))
    """) == ["true\t255\t1 strings of more than 255 bytes were cut to that length",
             "a.example 80 5", "a.example 443 1", "b.example 80 2", "5\tnil"]


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
             "cannot read a stored aggregate: its checksum is wrong, near byte 370; write the "
             "file again",
             "cannot merge aggregate \"y\" into \"x\": their name differs; merge results of the "
             "same recipe with the same options"]


@pytest.mark.parametrize("code, message", [
    ('sum { "b", key = "port" }:add("http", 1)',
     'aggregate "b": its key "port" takes a number, not the string "http"; declare '
     'key = "port:string" for strings'),
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
     'aggregate "b": sum has no option kee; it has key, keys, decimals, unit'),
    ('sum { key = "port" }', 'sum needs a name: sum { "bytes by port", … }'),
    ('sum { "b", key = { "a", "b", "c", "d" } }', 'aggregate "b": a key has at most 3 parts'),
    ('sum { "b", key = "x:text" }', 'aggregate "b": a key is a number, an address, address/24, '
                                    'string or country, not "text"'),
    ('sum { "b", key = "x:address/33" }', 'aggregate "b": a prefix is said as "address/24" or '
                                          '"address/24/48", not "x:address/33"'),
    ('sum { "b", key = "n:string" }:add(5, 1)',
     'aggregate "b": its key "n" takes a string, not a number'),
    ('distinct { "d" }', 'aggregate "d": of says what is counted: of = "address"'),
    ('distinct { "d", of = "port" }:add(1, 2)',
     'aggregate "d": add takes 1 parts of a key here; declare them with key = …'),
    ('sample { "s" }:add(5)', 'aggregate "s": add takes a packet or a flow first, not a number'),
    ('quantile { "q", q = 99 }',
     'aggregate "q": q is a number from 0 to 1, or a list of such: 0.99'),
    ('histogram { "h", from = 1, to = 5 }',
     'aggregate "h": a histogram has edges = { … }, or from, to and step, or from, to and factor'),
    ('histogram { "h", from = 0, to = 5, factor = 2 }',
     'aggregate "h": factor is above 1, and from above 0 then'),
    ('histogram { "h", edges = { 3, 2 } }',
     'aggregate "h": edges ascend, by 10^-decimals or more'),
    ('histogram { "h", edges = { 3, "x" } }', 'aggregate "h": edges is a list of numbers'),
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
          mean { "m", key = "port" }, quantile { "q", key = "port" },
          histogram { "h", from = 1, to = 2000, factor = 2 },
          distinct { "d", key = "port", of = "address" }, sample { "sa", of = "address" },
          sum { "p", key = "address/24" }, sum { "st", key = "name:string" },
        }
        local bodies = {
          "x:add(q.dport, q.len)", "x:add(q.src, q.len)", "x:add(q.src, q.dport, q.len)",
          "x:add()", "x:add(q.ts, q.len)", "x:add(q.ts, q.dport, q.len)",
          "x:add(q.src, q.t)", "x:add(q.dport, q.t)", "x:add(q.dport, q.len)", "x:add(q.len)",
          "x:add(q.dport, q.src)", "x:add(q, q.src)", "x:add(q.src, q.len)",
          "x:add(q.dport == 0 and 'http' or 'https', q.len)",
        }
        for i, body in ipairs(bodies) do
          local f = assert(loadstring("local p, x = ... for i = 0, 9999 do local q = p[i % 4] " ..
            body .. " end", "=body" .. i))
          f(p, adders[i])
          assert(tonumber(adders[i]:memory()) > 0)
        end
    """, "-jv")
    for i in range(1, 15):
        assert any("body%d:1 loop" % i in line for line in out), (i, out)
    aborted = [line for line in out if "abort" in line and "body" in line]
    assert not aborted, aborted
