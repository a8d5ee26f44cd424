"""What gives way in tables that are wider than the terminal: times, spare columns, then text; no address."""
import re

import pytest

from support import each_capture, path_of, supported

RECIPE = """return { about = "a table", start = function() return { finish = function(out)
  out:table { title = "T", rows = { %s }, columns = { { name = "at", type = "time" }, "what", "who",
    { name = "bytes", unit = "bytes" }, { name = "far", spare = true }, "whom", { name = "end", spare = true } } }
end } end }
"""
TIME, LONG = "1700000000.25", "a text that is rather long"
V4, V6 = "192.168.100.200:65000", "[2001:db8:1234:5678:9abc:def0:1234:5678]:65000"
ADDRESS = r"(?<!\S)(?:\d+\.\d+\.\d+\.\d+(?::\d+)?|\[?[0-9a-f]*:[0-9a-f:.]+\]?(?::\d+)?)(?!\S)"


@pytest.fixture
def table(sluice, example, tmp_path):
    """table(width, *rows): lines of the table, without title."""
    def call(width, *rows):
        recipe = tmp_path / "t.lua"
        recipe.write_text(RECIPE % ", ".join("{ %s }" % ", ".join(row) for row in rows))
        done = sluice(recipe, "-q", "-c", "1", example, env={"COLUMNS": str(width)})
        assert done.returncode == 0, done.stderr
        return done.stdout.decode().splitlines()[1:]
    return call


def row(who, whom, what=LONG, far="far away", end="done"):
    return [TIME] + ['"%s"' % text for text in (what, who)] + ["123456"] + ['"%s"' % text for text in (far, whom, end)]


def test_times_give_way_first(table):
    wide, whole = max(table(300, row(V4, V4)), key=len), table(300, row(V4, V4))[2]
    assert re.match(r"2023-11-14T22:13:20\.25\d*Z  a text", whole)
    seen = table(len(wide) - 1, row(V4, V4))
    assert seen[2] == re.sub(r"\.25\d*Z", "Z", whole) and len(seen) == 3


def test_spare_columns_go_from_the_right(table):
    width = len(table(300, row(V4, V4))[2]) - len(".250000") - 1
    seen = table(width, row(V4, V4))
    assert "End" not in seen[0] and "Far" in seen[0] and seen[-1] == "(a wider terminal shows End too)"
    seen = table(len(seen[2]) - 1, row(V4, V4))
    assert seen[0].split() == ["At", "What", "Who", "Bytes", "Whom"] and seen[-1] == "(a wider terminal shows Far, End too)"
    assert LONG in seen[2]


@pytest.mark.parametrize("who, whom", [(V4, V6), (V6, V4), ("10.0.0.0/8", "fe80::1"), ("02:00:5e:10:00:01", "::")])
def test_text_is_shortened_and_addresses_are_whole(table, who, whom):
    least = len(table(1, row(who, whom))[1])
    for width in (least + 9, least, least - 5, 1):
        lines = table(width, row(who, whom))
        assert len(lines[1]) == max(width, least)
        assert who in lines[2].split() and whom in lines[2].split() and "123 kB" in lines[2]
    assert "a text …" in lines[2]


def test_text_behind_an_address_is_shortened(table):
    lines = table(1, row(V4, "%s, and 7 more" % V6))
    assert lines[2].endswith(V6 + "…") and V4 in lines[2]


@each_capture(supported)
def test_flows_of_every_capture(sluice, entry):
    """At 80 columns the table's addresses are those of the widest one."""
    def addresses(width):
        text = sluice("flows", "-q", path_of(entry), env={"COLUMNS": str(width)}).stdout.decode()
        rows = [line for line in text.splitlines()[3:] if line[0] not in "(…"]
        return [re.findall(ADDRESS, line) for line in rows]
    whole = addresses(1000)
    assert addresses(80) == whole
    assert all(len(pair) == 2 for pair in whole)
