"""Views without the program: luajit runs small scripts over lua/ and a library of the C parts.

Each script gets `view`, `render` and a `show(form, opts)` that prints the views of `out`.
"""
import csv
import io
import json
import os
import shutil
import subprocess
import xml.dom.minidom
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HARNESS = Path(__file__).with_name("view_harness.lua")
SOURCES = ["src/output/child.c", "src/output/outfile.c", "src/error.c"]

PRELUDE = """
local ffi = require "ffi"
local view, render = require "sluice.view", require "sluice.render"
local out = view.new()
local function show(form, opts)
  render.write(out.views, form, function(s) io.write(s) end, opts)
end
local function file(path, opts)
  local files, why = render.file(out.views, path, opts)
  print(files and table.concat(files, " ") or "ERROR " .. why)
end
"""

HOSTILE = [
    "`touch PWNED`", "$(touch PWNED)", "system('touch PWNED')", "EOD", "e", "T_END", "B_END", "|",
    "a\\nb", "\\\"quoted\\\" 'single' \\\\n \\\\", "100% %s %d %n", "{/Bold=40 big} ^2 _x @T",
    "<b>&amp;</b> ]]> <!--", "\\27[31mred\\7", "evil\\226\\128\\174gpj.exe", "\\230\\188\\162",
    "bad\\255utf8", "\\239\\191\\191", "$T << EOD", "\\0nul", "=cmd|' /C calc'!A0",
]


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("views") / "libviews.so"
    subprocess.run(["gcc", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fPIC",
                    "-shared", "-Isrc", "-o", str(path), *SOURCES], cwd=ROOT, check=True)
    return path


@pytest.fixture
def lua(library, tmp_path):
    def run(script, **environ):
        source = tmp_path / "script.lua"
        source.write_text(PRELUDE + script)
        done = subprocess.run(
            ["/usr/bin/luajit", str(HARNESS), str(library), str(ROOT / "src/abi.h"), str(source)],
            cwd=tmp_path, env={**os.environ, "LUA_PATH": f"{ROOT}/lua/?.lua;;", **environ},
            capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()
    return run


def hostile_bars():
    rows = ",".join(f'{{"{text}",{1000 - i}}}' for i, text in enumerate(HOSTILE))
    return f'out:bars{{title="`touch PWNED` \\"x\\nquit", rows={{{rows}}}, unit="bytes"}}\n'


# --- machine forms ---

def test_json_numbers_are_exact(lua):
    text = lua("""
      out:record { title = "r", fields = { {"a", 2^53}, {"b", 18446744073709551615ULL},
        {"c", -9223372036854775807LL}, {"d", 0.1}, {"e", 1/3}, {"f", 1e15}, {"g", 0/0}, {"h", 1/0},
        {"i", -0.0}, {"j", 123456789012345678}, {"k", 0.1 + 0.2, type = "duration"}, {"l", 1e300} } }
      show "json" """)
    values = json.loads(text)
    assert list(values) == list("abcdefghijkl")
    assert '"a":9007199254740992' in text and "e+15" not in text
    assert values["b"] == 2**64 - 1 and values["c"] == -(2**63) + 1
    assert values["d"] == 0.1 and values["e"] == 1 / 3 and '"f":1000000000000000' in text
    assert values["g"] is None and values["h"] is None and '"i":0' in text
    assert values["j"] == int(123456789012345678.0) and '"k":0.3' in text and values["l"] == 1e300


def test_json_shapes_order_and_strings(lua):
    text = lua("""
      local time = ffi.new("struct sl_time", { 1714556100, 7 })
      out:record { title = "Sum up", fields = { {"z", out:object { {"y", 1}, {"x", out:object {}} } },
        {"list", { "a", 2 }}, {"none", out.null}, {"empty", out:array {}}, {"at", time},
        {"before", ffi.new("struct sl_time", { -2, 500000000 })}, {"map", { b = 1, a = true }},
        {"bad", "x\\255/\\"\\\\\\n\\0\\127"} } }
      show "json"
      out:table { title = "Sum up", columns = { "b", "a" }, rows = { {1, nil}, {nil, "x"} } }
      out:table { title = "empty", columns = { "b" }, rows = {} }
      io.write "----"
      show "json" """)
    one, many = text.split("----")
    record = json.loads(one)
    assert record["z"] == {"y": 1, "x": {}} and record["list"] == ["a", 2]
    assert record["none"] is None and record["empty"] == [] and record["map"] == {"a": True, "b": 1}
    assert record["at"] == "1714556100.000000007" and record["before"] == "-1.500000000"
    assert record["bad"] == 'x\ufffd/"\\\n\0\x7f' and "\\/" not in one
    views = json.loads(many)
    assert list(views) == ["sum_up", "sum_up_2", "empty"]
    assert views["sum_up_2"] == [{"b": 1, "a": None}, {"b": None, "a": "x"}]
    assert list(views["sum_up_2"][0]) == ["b", "a"] and views["empty"] == []


def test_bars_of_an_aggregate_as_design_section_5_writes_them(lua):
    text = lua("""
      local rows = { {443, 5000}, {"x", 20} }
      rows.label = "bytes by port"
      out:bars { title = "Bytes per server port", rows = rows }
      show "jsonl" show "text" """)
    assert json.loads(text.splitlines()[0]) == {"port": 443, "bytes": 5000}
    assert "5.00 kB" in text and "█" in text


def test_keys_may_be_cdata_and_pairs(lua):
    text = lua("""
      local function text(a) return "10.0.0." .. a.w[3] end
      ffi.metatype("struct sl_addr", { __tostring = text, __index = { text = text } })
      local key = ffi.new("struct sl_addr") key.w[3] = 7
      out:bars { title = "t", rows = { {key, 5}, {{key, 443}, 3ULL} }, label = "who", value = "n" }
      show "csv" """)
    assert list(csv.reader(io.StringIO(text))) == [["who", "n"], ["10.0.0.7", "5"],
                                                   ['["10.0.0.7",443]', "3"]]


def test_csv_quoting_and_formula_guard(lua):
    text = lua("""
      out:table { title = "t", columns = { "a", "b" }, rows = { {"=1+1", -3}, {"@x", "-3"},
        {"+cmd", "say \\"hi\\""}, {"-x,y", "two\\nlines"}, {" pad ", nil}, {"bad\\255", true} } }
      show "csv" """)
    rows = list(csv.reader(io.StringIO(text)))
    assert rows == [["a", "b"], ["'=1+1", "-3"], ["'@x", "-3"], ["'+cmd", 'say "hi"'],
                    ["'-x,y", "two\nlines"], [" pad ", ""], ["bad\ufffd", "true"]]


def test_several_views_in_csv_and_tsv(lua):
    text = lua("""
      out:table { title = "One", columns = { "a" }, rows = { {"x\\ty\\\\"} } }
      out:text { title = "Two\\nlines", lines = { "l" } }
      show "tsv" """)
    assert text == "# One\na\nx\\ty\\\\\n\n# Two\\x0alines\ntext\nl\n"


# --- text ---

def test_no_string_drives_the_terminal(lua):
    text = lua(hostile_bars() + """
      local bad = "\\27]0;x\\7\\194\\155m\\226\\129\\166\\r\\nend"
      out:table { title = bad, columns = { { name = bad }, "n" }, rows = { {bad, 1} }, notes = { bad } }
      out:record { title = bad, fields = { {bad, bad}, {"o", out:object { {bad, bad} }} } }
      out:text { title = bad, lines = { bad } }
      out:map { title = bad, values = { {bad, 1} } }
      out:lines { title = bad, columns = { "time", bad }, rows = { {1, 2} } }
      out:table { title = "t", columns = { { "at", type = "time" } }, rows = { {bad} } }
      show("text", { width = 80 }) """)
    assert not [c for c in text if (ord(c) < 32 and c != "\n") or 0x7f <= ord(c) < 0xa0]
    assert not set(text) & set("\u202e\u2066\ufeff")
    assert "\\x1b[31mred\\x07" in text and "evil\\u{202e}gpj.exe" in text


def test_text_says_how_many_more(lua):
    text = lua("""
      out:table { title = "t", columns = { "a" }, rows = { {1}, {2}, {3} }, total = 99 }
      show("text", { top = 2 }) show "json" """)
    assert "… and 97 more (use --top)" in text and '{"a":3}' in text


def test_tables_align_and_keep_to_the_width(lua):
    text = lua("""
      out:table { title = "t", columns = { "name", { "bytes", unit = "bytes" } },
        rows = { {("x"):rep(200), 1}, {"\\230\\188\\162\\229\\173\\151", 123456789} } }
      show("text", { width = 40 }) """)
    lines = text.splitlines()[1:]
    assert len(lines[2]) == 40 and "…" in lines[2] and lines[2].endswith("    1 B")
    assert len(lines[3]) == 38 and lines[3].endswith("123 MB")  # two wide characters


@pytest.mark.parametrize("rows", ["", "{1714556100,0}", "{1714556100,5}", "{1,5},{1e11,2e15}",
                                  "{1714556100.5,1},{1714556100.500001,9}"])
@pytest.mark.parametrize("columns", ['"bytes"', '"bytes","more"'])
def test_lines_in_text_for_any_span(lua, rows, columns):
    text = lua(f'out:lines{{title="t",columns={{"time",{columns}}},rows={{{rows}}}}} '
               'show("text",{width=60})')
    assert "no data" in text if rows == "" else "Z" in text
    assert max(len(line) for line in text.splitlines()) <= 62


def test_units(lua):
    text = lua("""
      local units = require "sluice.units"
      for _, n in ipairs { 0, 999, 999.6, 1000, 999499, 999500, 12345678, 1e18, 1e300 } do
        io.write(units.format(n, "bytes"), "|")
      end
      for _, s in ipairs { 0, 1.5e-9, 0.0123, 0.9999, 1, 59.99, 200, 3600, 7500, 273600 } do
        io.write(units.duration(s), "|")
      end
      io.write(units.format(3.39e-06, "bits/s"), "|", units.format(0, "bits/s"), "|",
        units.format(0.5, "bytes/s"), "|")
      io.write(units.time(1709251199.9999996), "|", units.time("951782400.000000001"), "|",
        units.time(-0.5)) """)
    assert text.split("|") == [
        "0 B", "999 B", "1000 B", "1.00 kB", "999 kB", "1.00 MB", "12.3 MB", "1.00 EB", "1e+282 EB",
        "0 s", "1.5 ns", "12.3 ms", "1 s", "1 s", "1 min", "3 min 20 s", "1 h", "2 h 5 min", "3 d 4 h",
        "< 0.01 bit/s", "0 bit/s", "0.50 B/s", "2024-03-01T00:00:00Z", "2000-02-29T00:00:00.000000001Z", "1969-12-31T23:59:59.500Z"]


# --- pictures ---

VIEWS = {
    "hostile": hostile_bars(),
    "bars_empty": 'out:bars{title="t",rows={}}',
    "bars_one": 'out:bars{title="t",rows={{"a",1e300}},unit="bytes"}',
    "bars_zero": 'out:bars{title="t",rows={{"a",0}}}',
    "bars_negative_and_nan": 'out:bars{title="t",rows={{"a",-5},{"b",0/0},{"c",1/0}}}',
    "bars_many": 'local r={} for i=1,200 do r[i]={i,i} end out:bars{title="t",rows=r}',
    "lines_empty": 'out:lines{title="t",columns={"time","n"},rows={}}',
    "lines_one": 'out:lines{title="t",columns={"time",{"n",unit="bytes"}},rows={{1714556100,3}}}',
    "lines_same_time": 'out:lines{title="t",columns={"time","n"},rows={{5,3},{5,4}}}',
    "lines_far": 'out:lines{title="t",columns={"time","n"},rows={{-1e9,3},{1e11,1e300}}}',
    "lines_stacked": 'out:lines{title="t",stacked=true,columns={"time","a","b"},rows={{0,1,2},{1,3,4}}}',
    "map": 'out:map{title="t",unit="bytes",values={{"DE",5},{"SG",1e9},{"private",7},{"ZZ",1}}}',
    "map_one": 'out:map{title="t",values={{"FJ",1}}}',
    "map_none": 'out:map{title="t",values={}}',
    "map_zero": 'out:map{title="t",values={{"DE",0}},other={{"unknown",0}}}',
    "table": 'out:table{title="t",columns={"p",{"n",unit="packets"}},rows={{"tcp",4}}}',
}
MAGIC = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize("ending", MAGIC)
@pytest.mark.parametrize("name", VIEWS)
def test_pictures_are_whole_and_the_same_twice(lua, tmp_path, name, ending):
    script = VIEWS[name] + f'\nfile("a.{ending}", {{ subtitle = "`touch PWNED`\\n%s" }})'
    assert lua(script) == f"a.{ending}\n"
    first = (tmp_path / f"a.{ending}").read_bytes()
    assert first.startswith(MAGIC[ending]) and len(first) > 1000
    if ending == "svg":
        xml.dom.minidom.parseString(first)
    if ending == "pdf":  # the next second would show a clock in the file
        assert b"/CreationDate (D:1970" in first
    assert lua(script, TZ="Asia/Tokyo", LC_ALL="C") == f"a.{ending}\n"
    assert (tmp_path / f"a.{ending}").read_bytes() == first
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"a.{ending}", "script.lua"]


def test_hostile_text_is_text_in_svg(lua, tmp_path):
    lua(hostile_bars() + 'file("a.svg", { top = 50 })')
    svg = xml.dom.minidom.parse(str(tmp_path / "a.svg"))
    texts = ["".join(n.data for n in t.childNodes) for t in svg.getElementsByTagName("text")]
    for expected in ["`touch PWNED`", "$(touch PWNED)", "EOD", "e", "T_END", "B_END", "|", "a\\x0ab",
                     "\"quoted\" 'single' \\n \\", "100% %s %d %n", "{/Bold=40 big} ^2 _x @T",
                     "<b>&amp;</b> ]]> <!--", "\\x1b[31mred\\x07", "evil\\u{202e}gpj.exe",
                     "bad\ufffdutf8", "\\x00nul", '`touch PWNED` "x\\x0aquit']:
        assert expected in texts
    assert not (tmp_path / "PWNED").exists()


def test_map_has_no_line_across_the_picture(lua, tmp_path):
    """Russia, Fiji and Antarctica cross the antimeridian; cut, no edge of land is wider than 10 degrees
    but for those along the cut."""
    for line in (ROOT / "lua/data/world.tsv").read_text().splitlines():
        code, points = line.split("\t")
        lon = [int(n) / 100 for n in points.split()[::2]]
        lat = [int(n) / 100 for n in points.split()[1::2]]
        steps = [abs(a - b) for a, b, y in zip(lon, lon[1:], lat[1:]) if y > -89]
        limit = 30 if code in ("US", "CA", "|") else 13  # the 49th parallel is one long step
        assert max(steps, default=0) <= limit, code
        assert max(map(abs, lon)) <= 180


def test_several_charts_get_names_of_their_own(lua, tmp_path):
    assert lua("""
      out:text { title = "no chart", lines = {} }
      out:bars { title = "First", rows = { {"a", 1} } }
      out:bars { title = "The second", rows = { {"a", 1} } }
      file "dir.x.png" """) == "dir.x.png dir.x-the-second.png\n"
    assert (tmp_path / "dir.x-the-second.png").stat().st_size > 1000


def test_text_forms_into_files(lua, tmp_path):
    script = 'out:table{title="t",columns={"a"},rows={{1}}}\n'
    for ending in ["txt", "json", "jsonl", "csv", "tsv"]:
        assert lua(script + f'file "a.{ending}"') == f"a.{ending}\n"
    assert (tmp_path / "a.csv").read_text() == "a\n1\n"
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o666 & ~current_umask()


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_table_names_its_bars_by_the_columns_before_the_amounts(lua, tmp_path):
    lua("""
      out:table { title = "t", chart = "bytes", rows = { {"tcp", 443, 9, 8}, {"icmp", nil, 5, 4} },
        columns = { "protocol", "port", { "flows", unit = "flows" }, { "bytes", unit = "bytes" } } }
      file "a.svg" """)
    svg = (tmp_path / "a.svg").read_text()
    assert "<text>tcp 443</text>" in svg and "<text>icmp</text>" in svg and "<text>8 B</text>" in svg


# --- failures ---

BARS = 'out:bars{title="t",rows={{"a",1}}}\n'


def test_view_without_chart(lua):
    assert "no view of this recipe has a chart" in lua('out:text{lines={"x"}} file "a.png"')
    assert "unknown ending" in lua(BARS + 'file "a.gif"')


def test_table_of_several_amounts_without_chart(lua):
    table = 'out:table{title="t",rows={{"a",1,2}},columns={"n",{"x",unit="flows"},{"y",unit="flows"}}}'
    assert 'chart = "COLUMN" in out:table' in lua(table + ' file "a.png"')


@pytest.mark.parametrize("wrong, said", [
    ('out:table { rows = {} }', "out:table needs columns = { … }"),
    ('out:heatmap { rows = {}, columns = {} }', "out:heatmap needs columns for y, x and at least one amount"),
    ('out:findings { amount = "n" }', "out:findings needs rows = { … }"),
    ('out:table { rows = {}, columns = { { name = "a", type = "float" } } }', "column a: unknown type float"),
    ('out:lines { rows = {}, columns = { "time" } }', "out:lines needs a time column and at least one more"),
    ('out:scatter { rows = {}, columns = { "a" }, x = "b", y = "b" }', "out:scatter has no amount b"),
    ('out:findings { rows = {}, amount = 7 }', "a column needs a name"),
])
def test_a_wrong_view_is_told_with_the_line_of_the_recipe(sluice, example, tmp_path, wrong, said):
    recipe = tmp_path / "wrong.lua"
    recipe.write_text("return { start = function() return { finish = function(out)\n%s\nend } end }\n" % wrong)
    done = sluice(recipe, example, "-c", 1)
    assert done.returncode == 2 and "wrong.lua line 2: " + said in done.stderr.decode()


def test_text_of_fractions_without_a_unit(lua):
    text = lua('out:table { title = "t", columns = { "n" }, rows = { { 74 / 3 }, { 2 }, { 65535 }, { 0.1 } } } show("text", { width = 60 })')
    assert [line.strip() for line in text.splitlines()[3:]] == ["24.6667", "2", "65535", "0.1"]


def test_heatmap_in_text_shows_labels_where_there_is_room(lua):
    rows = 'out:heatmap{title="t",y={"a"},x={"arp","icmp"},columns={"y","x",{"n",unit="bytes"}},rows={{"a","icmp",5}}} '
    assert lua(rows + 'show("text", { width = 60 })').splitlines()[1:3] == ["   arp  icmp", "a   ·   ████"]
    assert lua(rows + 'show("text", { width = 10 })').splitlines()[1:3] == ["   a… i…", "a   · ██"]


def test_missing_gnuplot(lua, tmp_path):
    text = lua(BARS + 'file "a.png"', PATH=str(tmp_path))
    assert text == "ERROR gnuplot is not installed: apt-get install gnuplot-nox\n"
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize("path, why", [("none/a.png", "No such file"), ("none/a.csv", "No such file"),
                                       ("folder.png", "not a regular file"),
                                       ("/dev/null.png/x.png", "")])
def test_unwritable_path(lua, tmp_path, path, why):
    (tmp_path / "folder.png").mkdir()
    text = lua(BARS + f'file "{path}"')
    assert text.startswith(f"ERROR {path}: cannot write: ") and why in text


def fake_gnuplot(tmp_path, body):
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "gnuplot"
    program.write_text("#!/bin/sh\n" + body)
    program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize("body, why", [
    ("cat >/dev/null; printf 'first\\n\\033[1mlast words\\n\\n' >&2; exit 3",
     "ERROR gnuplot: failed with exit status 3: ?[1mlast words\n"),
    ("exec 0<&-; exit 4", "ERROR gnuplot: failed with exit status 4: \n"),
    ("kill -9 $$", "ERROR gnuplot: ended by signal 9: \n"),
    ("exit 0", "ERROR gnuplot"),
    ("cat >/dev/null", "ERROR gnuplot drew nothing\n"),
    # Standard error beyond every pipe's room, before anything is read: no deadlock.
    ("head -c 3000000 /dev/zero | tr '\\0' 'x' >&2; cat >/dev/null; exit 1",
     "ERROR gnuplot: failed with exit status 1: xxx"),
])
def test_gnuplot_that_fails(lua, tmp_path, body, why):
    (tmp_path / "a.svg").write_text("before")
    script = VIEWS["map"] + '\nfile "a.svg"'  # longer than a socket's buffer
    text = lua(script, PATH=fake_gnuplot(tmp_path, body))
    assert text.startswith(why)
    assert (tmp_path / "a.svg").read_text() == "before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.svg", "bin", "script.lua"]


def test_result_replaces_what_a_link_points_to(lua, tmp_path):
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    lua(BARS + 'file "link.csv"')
    assert (tmp_path / "link.csv").is_symlink() and "label" in (tmp_path / "real.csv").read_text()


def test_link_that_leads_nowhere(lua, tmp_path):
    (tmp_path / "link.csv").symlink_to("real.csv")
    assert "link.csv: cannot write: it is a symbolic link that leads nowhere" in lua(BARS + 'file "link.csv"')
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.csv", "script.lua"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_result_keeps_the_permissions_of_what_it_replaces(lua, tmp_path, mode):
    (tmp_path / "a.csv").write_text("old")
    (tmp_path / "a.csv").chmod(mode)
    lua(BARS + 'file "a.csv"')
    assert "label" in (tmp_path / "a.csv").read_text() and (tmp_path / "a.csv").stat().st_mode & 0o777 == mode


@pytest.mark.skipif(not shutil.which("pdftoppm"), reason="needs poppler-utils")
def test_pdf_can_be_read_again(lua, tmp_path):
    lua(VIEWS["map"] + 'file "a.pdf"')
    done = subprocess.run(["pdftoppm", "-r", "20", "-png", "a.pdf", "a"], cwd=tmp_path,
                          capture_output=True)
    assert done.returncode == 0 and done.stderr == b""


# --- time that stands still for years ---

SCALE = """
  local scale = require("sluice.time_scale")
  local function told(times, interval, relative)
    local s = { times = times, interval = interval, first = times[1], relative = relative,
      last = times[#times] + interval }
    local made = scale.new(s, 100, 1100)
    for _, piece in ipairs(made.pieces) do
      io.write(("%.0f-%.0f at %.0f-%.0f|"):format(piece.first, piece.last, piece.left, piece.right))
    end
    local before = -math.huge
    for _, t in ipairs(times) do
      local x, after = made.x_of(t), made.x_of(t + interval)
      assert(x >= before and after >= x and x >= 100 and after <= 1100.001, t)
      before = x
    end
    assert(math.abs(made.x_of(s.last) - 1100) < 1e-6 and made.x_of(s.first) == 100)
  end
"""


@pytest.mark.parametrize("times, pieces", [
    ("{ 0, 1, 2, 3 }, 1", "0-4 at 100-1100"),
    ("{ 0, 1, 500 }, 1", "0-501 at 100-1100"),  # a gap that leaves every bin a pixel
    ("{ 0, 1, 2, 1e9 }, 1", "0-3 at 100-782|1000000000-1000000001 at 800-1100"),
    ("{ 0, 1e6, 2e6 }, 1", "0-1 at 100-421|1000000-1000001 at 439-761|2000000-2000001 at 779-1100"),
    ("{ 0, 1e9 }, 1, true", "0-1000000001 at 100-1100"),  # counted from a beginning: there is but one clock
    ("{ 0, 1e5, 2e5, 3e5, 4e5, 5e5, 6e5, 7e5, 8e5 }, 1e-6", "0-800000 at 100-1100"),  # more than have room
])
def test_time_axis(lua, times, pieces):
    assert lua(SCALE + "told(%s)" % times).rstrip("|") == pieces


def test_far_apart_is_drawn_apart(lua, tmp_path):
    """A packet of another year does not squeeze all others into a line; where time is left out is marked."""
    rows = ",".join("{%d,%d}" % (1400000000 + i, 5 + i) for i in range(20)) + ",{1800000000,7}"
    lua('out:lines{title="t",columns={"time",{name="packets",unit="packets"}},interval=1,rows={%s}} file "a.svg"' % rows)
    svg = (tmp_path / "a.svg").read_text()
    assert "2014-05-13 UTC" in svg and "2027-01-15" in svg
    assert svg.count("16:53:") >= 3 and "08:00:00" in svg
