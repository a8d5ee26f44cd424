"""The engine under recipes: intervals, errors and where they are told, options, several recipes in one
pass, filters in front of each, and what does not come back."""
import json
import os
import signal
import struct
import subprocess
import time

import pytest

from support import PROGRAM, ROOT, SLOWNESS, json_lines, pcap, tcp_frame, udp_frame

BUILT_IN = ["summary", "flows", "count", "packets", "protocols", "talkers", "timeline", "geomap"]
SYN, ACK, FIN = 2, 16, 1
T0 = 1_700_000_000


@pytest.fixture
def recipe(tmp_path):
    """recipe(handlers, start="", head="", name=…): the path of a recipe with these pieces of Lua."""
    def make(handlers, start="", head="", name="mine.lua"):
        path = tmp_path / name
        path.write_text("return {\n%s\nstart = function(opt)\n%s\nreturn { %s } end }\n" % (head, start, handlers))
        return path
    return make


@pytest.fixture
def made(tmp_path):
    """made([(seconds after T0, frame)]): the path of a capture."""
    def make(packets):
        path = tmp_path / "made.pcap"
        path.write_bytes(pcap([(T0 + int(at), round(at % 1 * 1e6), frame) for at, frame in packets]))
        return path
    return make


def dns(n=1):
    return udp_frame("192.0.2.%d" % n, "198.51.100.1", 5000 + n, 53, b"?")


def connection(at, n, port):
    """A whole TCP connection, from its SYN to both FINs."""
    client, server = ("192.0.2.%d" % n, "198.51.100.2", 40000 + n, port), ("198.51.100.2", "192.0.2.%d" % n, port, 40000 + n)
    steps = [(client, SYN), (server, SYN | ACK), (client, ACK), (client, ACK | FIN), (server, ACK | FIN)]
    return [(at + i / 100, tcp_frame(*ends, flags, seq=10 + i)) for i, (ends, flags) in enumerate(steps)]


def values(done):
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


# --- Intervals.

EVENTS = """interval = function(t) events[#events + 1] = "tick " .. t end,
packet = function(p) events[#events + 1] = "packet" end,
finish = function(out) out:record { title = "Events", fields = { { "events", out:array(events) } } } end"""


def events(sluice, path, recipe, every=None, *more):
    text = recipe(EVENTS, "local events = {}", "every = %s," % every if every else "")
    return values(sluice(text, path, "-T", "json", *more))["events"]


def test_interval_comes_at_each_boundary(sluice, recipe, made):
    path = made([(0.5, dns()), (1, dns()), (1.49, dns()), (1.5, dns()), (2.6, dns())])
    assert events(sluice, path, recipe) == ["packet", "packet", "packet", "tick 1", "packet", "tick 2", "packet"]


def test_interval_comes_once_for_each_that_went_by(sluice, recipe, made):
    path = made([(0, dns()), (35, dns())])
    assert events(sluice, path, recipe, 10) == ["packet", "tick 10", "tick 20", "tick 30", "packet"]


def test_interval_of_a_fraction_of_a_second(sluice, recipe, made):
    path = made([(0, dns()), (0.6, dns()), (0.8, dns())])
    assert events(sluice, path, recipe, 0.25) == ["packet", "tick 0.25", "tick 0.5", "packet", "tick 0.75", "packet"]


def test_interval_is_not_moved_by_filters(sluice, recipe, made):
    path = made([(0, dns(1)), (1.2, dns(2)), (2.2, dns(3))])
    assert events(sluice, path, recipe, None, "-Y", "udp.srcport == 5003") == ["tick 1", "tick 2", "packet"]


def test_interval_does_not_go_back(sluice, recipe, made):
    path = made([(0, dns()), (2, dns()), (0.5, dns()), (2.5, dns()), (3, dns())])
    assert events(sluice, path, recipe) == ["packet", "tick 1", "tick 2", "packet", "packet", "packet", "tick 3", "packet"]


def pcapng(packets):
    """[(microseconds since 1970, frame)], of any century."""
    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 0))
    for micros, frame in packets:
        out += block(6, struct.pack("<IIIII", 0, micros >> 32, micros & 0xFFFFFFFF, len(frame), len(frame)) + frame)
    return out


def test_one_stamp_500_years_ahead_fires_nothing(sluice, recipe, tmp_path):
    path = tmp_path / "ahead.pcapng"
    far = 500 * 365 * 86400
    path.write_bytes(pcapng([((T0 + s) * 10**6, dns()) for s in (0, 1, far, 2, 3)]))
    assert events(sluice, path, recipe) == ["packet", "tick 1", "packet", "packet", "tick 2", "packet", "tick 3", "packet"]


@pytest.mark.parametrize("gap, called, left_out", [(99999, 99999, 0), (100000, 100000, 0), (100001, 100000, 1), (10**9, 100000, 999900000)])
def test_interval_of_long_gaps(sluice, recipe, tmp_path, gap, called, left_out):
    """Of a gap of years between packets the first intervals are told, and the last; two packets confirm it."""
    path = tmp_path / "gap.pcapng"
    path.write_bytes(pcapng([((T0 + s) * 10**6, dns()) for s in (0, gap, gap)]))
    text = recipe("""interval = function(t) n, before, last = n + 1, last, t end,
finish = function(out) out:record { title = "Calls", fields = { { "n", n }, { "before", before }, { "last", last } } } end""",
                  "local n, before, last = 0, 0, 0")
    done = sluice(text, path, "-T", "json")
    assert values(done) == {"n": called, "before": 99999 if called == 100000 else called - 1, "last": gap}
    assert (b"not called for %d multiples" % left_out in done.stderr) == (left_out > 0)


def test_two_recipes_must_agree_on_the_interval(sluice, recipe, made):
    one = recipe("interval = function() end", "", "every = 1,", "one.lua")
    two = recipe("interval = function() end", "", "every = 2,", "two.lua")
    done = sluice("%s,%s" % (one, two), made([(0, dns())]))
    assert done.returncode == 2
    assert b"one.lua" in done.stderr and b"two.lua" in done.stderr and b"interval" in done.stderr


# --- Errors: the recipe, the line and what it was about; exit 2; no result.

def failed(done, *words):
    text = done.stderr.decode()
    assert (done.returncode, done.stdout) == (2, b""), text
    assert text.count("\n") == 1 and not [word for word in words if word not in text], text


ERRORS = {
    "packet": ('packet = function(p)\nif p.number == 3 then error("too much") end\nend', ("line 6", "too much", "packet 3")),
    "field": ("packet = function(p)\nreturn p.bytez\nend", ("line 6", "no field 'bytez'", "packet 1")),
    "flow": ('flow = function(f)\nif f.dport == 80 then error("no") end\nend', ("line 6", ": no", "flow of packet 6")),
    "flows": ('flows = function(flows, n)\nerror("stop")\nend', ("line 6", "stop")),
    "interval": ('interval = function(t)\nerror("at " .. t)\nend', ("line 6", "at 1")),
    "finish": ("finish = function(out)\nout:nothing()\nend", ("line 6", "nothing")),
    "global read": ("packet = function(p)\nreturn totl\nend", ("line 6", "'totl'", "packet 1")),
    "global written": ("packet = function(p)\ntotal = 1\nend", ("line 6", "'total'", "without local", "packet 1")),
    "table": ("packet = function(p)\nerror { 1 }\nend", ("recipe ", "packet 1")),
    "nil": ("packet = function(p)\nerror(nil)\nend", ("recipe ", "packet 1")),
    "deep": ("packet = function(p)\nlocal function f() return 1 + f() end\nf()\nend", ("stack overflow", "packet 1")),
}


@pytest.mark.parametrize("where", ERRORS)
def test_error_in_a_handler(sluice, recipe, made, where):
    text, words = ERRORS[where]
    path = recipe(text)
    done = sluice(path, made(connection(0, 1, 443) + connection(1, 2, 80) + [(9, dns())]), "-T", "json")
    failed(done, "mine.lua", *words)


def test_error_in_a_compiled_loop_names_its_packet(sluice, recipe, example):
    path = recipe('packet = function(p)\nif p.number == 40001 then error("here") end\nend')
    failed(sluice(path, example), "mine.lua", "line 6", "here", "packet 40001")


def test_error_behind_a_filter_names_its_packet(sluice, recipe, made):
    path = recipe('packet = function(p) error("here") end', head='filter = "udp",')
    failed(sluice(path, made(connection(0, 1, 443) + [(1, dns())])), "here", "packet 6")


def test_error_names_the_recipe_of_several(sluice, recipe, example):
    good = recipe("packet = function(p) end", name="good.lua")
    bad = recipe('packet = function(p) error("here") end', name="bad.lua")
    done = sluice("%s,%s,count" % (good, bad), example)
    failed(done, "bad.lua", "here", "packet 1")
    assert b"good.lua" not in done.stderr


@pytest.mark.parametrize("start, words", [
    ('error("no licence")', ("line 4", "no licence")),
    ("local x = nothing", ("line 4", "'nothing'")),
    ("all = 1", ("line 4", "'all'", "without local")),
    ("local c = sum {}", ("line 4", "name")),
])
def test_error_in_start(sluice, recipe, example, start, words):
    failed(sluice(recipe("", start), example), "mine.lua", *words)


def test_aggregate_made_too_late(sluice, recipe, made):
    failed(sluice(recipe('packet = function(p)\nlocal c = count { "late" }\nend'), made([(0, dns())])), "line 6", "start")


def test_unknown_handler(sluice, recipe, example):
    failed(sluice(recipe("packets = function(p) end"), example), "'packets'", "packet", "interval")


# --- Options of recipes.

OPTIONS = """options = { top = { default = 10, about = "rows" }, port = { default = "https", about = "port" },
  deep = { default = false, about = "all of it" } },"""
SHOW = """finish = function(out) out:record { title = "Options", fields = { { "top", opt.top }, { "port", opt.port },
  { "deep", opt.deep } } } end"""


def test_options_by_default_and_given(sluice, recipe, made):
    path, capture = recipe(SHOW, head=OPTIONS), made([(0, dns())])
    assert values(sluice(path, capture, "-T", "json")) == {"top": 10, "port": "https", "deep": False}
    given = sluice(path, "--top", "3", "--port=53", "--deep", capture, "-T", "json")
    assert values(given) == {"top": 3, "port": "53", "deep": True}


def test_option_of_the_wrong_type(sluice, recipe, example):
    failed(sluice(recipe(SHOW, head=OPTIONS), example, "--top", "many"), "--top", "number")


def test_unknown_option_lists_the_known_ones(sluice, recipe, example):
    failed(sluice(recipe(SHOW, head=OPTIONS), example, "--ports", "1"), "--ports", "--top", "--port", "--deep")


# --- Several recipes in one pass.

def test_together_as_alone(sluice, example):
    names = ["talkers", "timeline", "protocols", "geomap", "count"]
    together = values(sluice(",".join(names), example, "-T", "json"))
    alone = {}
    for name in names:
        result = sluice(name, example, "-T", "json")
        text = json.loads(result.stdout)
        alone[name] = text
    flat = [text for text in together.values()]
    for name, result in alone.items():
        for view in (result.values() if name == "protocols" else [result]):
            assert view in flat, name


SEEN = """packet = function(p) packets:add(1) if p.flow_pkt == 1 then firsts:add(1) end end,
flow = function(f) flows:add(1) bytes:add(f.bytes) end,
finish = function(out) out:record { title = "NAME", fields = { { "packets", packets:value() }, { "firsts", firsts:value() },
  { "flows", flows:value() }, { "bytes", bytes:value() } } } end"""
TOTALS = """local packets, firsts, flows = count { "packets" }, count { "firsts" }, count { "flows" }
local bytes = sum { "bytes" }"""


def test_each_filter_has_its_own_packets_and_flows(sluice, recipe, example):
    filters = {"web": "tcp.port == 443", "names": "udp.port == 53", "all": None}
    paths = {name: recipe(SEEN.replace("NAME", name), TOTALS, 'filter = "%s",' % text if text else "", name + ".lua")
             for name, text in filters.items()}
    together = values(sluice(",".join(map(str, paths.values())), example, "-T", "json"))
    assert list(together) == list(filters)
    for name, path in paths.items():
        assert values(sluice(path, example, "-T", "json")) == together[name]
    for name, text in filters.items():
        counted = values(sluice("count", "-T", "json", example, *(["-Y", text] if text else [])))
        assert together[name]["packets"] == counted["packets"]
    assert 0 < together["web"]["flows"] < together["all"]["flows"]
    assert together["web"]["bytes"] + together["names"]["bytes"] < together["all"]["bytes"]
    assert together["all"]["firsts"] == together["all"]["flows"]


TABLE = """finish = function(out, run) out:record { title = "Table", fields = {
  { "flows", run.flow_stats and tonumber(run.flow_stats.created) or -1 } } } end"""


@pytest.mark.parametrize("handlers, wanted", [
    ("packet = function(p) n = n + p.len end", False),
    ("", False),
    ("packet = function(p) if p.flow_pkt == 1 then n = n + 1 end end", True),
    ("packet = function(p) n = n + p.dir end", True),
    ("packet = function(p) helper(p) end", True),  # through a function of the recipe's own
    ("flow = function(f) n = n + 1 end", True),
], ids=["length", "nothing", "flow_pkt", "dir", "helper", "flow"])
def test_a_flow_table_only_where_it_is_used(sluice, recipe, made, handlers, wanted):
    path = recipe(handlers + (", " if handlers else "") + TABLE,
                  "local n = 0\nlocal function helper(p) if p.flow ~= 0 then n = n + 1 end end")
    shown = values(sluice(path, made(connection(0, 1, 443) + [(1, dns())]), "-T", "json"))
    assert shown == {"flows": 2 if wanted else -1}


# --- Filters and -c in front of recipes.

@pytest.mark.parametrize("args, first", [([], 7), (["-f", "udp"], 7), (["-Y", "udp"], 7), (["-f", "udp", "-Y", "udp.dstport == 53"], 7)])
def test_count_counts_what_passes(sluice, example, args, first):
    assert values(sluice("count", "-c", first, *args, example, "-T", "json"))["packets"] == first
    listed = json_lines(sluice("packets", "-c", first, *args, example, "-T", "jsonl").stdout)
    all_of_them = json_lines(sluice("packets", *args, example, "-T", "jsonl").stdout)
    assert listed == all_of_them[:first]


def test_count_past_the_end(sluice, made):
    assert values(sluice("count", "-c", "100", made([(0, dns()), (1, dns())]), "-T", "json"))["packets"] == 2


def test_flow_filter_narrows_flows(sluice, example):
    every = json_lines(sluice("flows", example, "-T", "jsonl").stdout)
    large = json_lines(sluice("flows", example, "-T", "jsonl", "-F", "flow.bytes > 10000").stdout)
    assert large == [flow for flow in every if flow["bytes_src"] + flow["bytes_dst"] > 10000]
    assert 0 < len(large) < len(every)
    # Where nobody looks at flows it would do nothing, without a word.
    failed(sluice("count", example, "-F", "flow.bytes > 10000"), "-F", "count", "-Y")


@pytest.mark.parametrize("name", BUILT_IN)
def test_bpf_and_display_filter_agree(sluice, example, name):
    by_bpf = sluice(name, example, "-T", "json", "-f", "tcp port 443")
    by_display = sluice(name, example, "-T", "json", "-Y", "tcp.port == 443")
    assert by_bpf.returncode == by_display.returncode == 0
    assert json.loads(by_bpf.stdout) == json.loads(by_display.stdout)
    assert by_bpf.stdout != sluice(name, example, "-T", "json").stdout


# --- What does not come back.

@pytest.mark.parametrize("loop", ["while true do end", "local i = 0 while true do i = i + 1 end"])
@pytest.mark.parametrize("handler", ["packet = function(p)", "flow = function(f)", "finish = function(out)"])
def test_interrupt_in_an_endless_loop(recipe, example, handler, loop):
    path = recipe('%s io.stderr:write "in it\\n" %s end' % (handler, loop), name="endless.lua")
    process = subprocess.Popen([PROGRAM, str(path), example], cwd=ROOT, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stderr.readline() == b"in it\n"
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, said = process.communicate(timeout=30 * SLOWNESS)
    finally:
        process.kill()
    assert process.returncode == 130
    assert b"endless.lua did not return within 2 s" in said
    assert time.monotonic() - began < 4 * SLOWNESS


def test_second_interrupt_ends_at_once(recipe, example):
    path = recipe('packet = function(p) io.stderr:write "in it\\n" while true do end end')
    process = subprocess.Popen([PROGRAM, str(path), example], cwd=ROOT, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        process.stderr.readline()
        began = time.monotonic()
        while process.poll() is None and time.monotonic() - began < 30:
            process.send_signal(signal.SIGTERM)
            time.sleep(0.05)
        assert time.monotonic() - began < 1.5 * SLOWNESS
        assert process.wait() == 130 and b"was not given the time to return" in process.stderr.read()
    finally:
        process.kill()


def test_heads_without_a_packet_handler(sluice, recipe, made):
    """Nobody looks at packets, but the first bytes of flows are collected from them."""
    path = recipe('flow = function(f) out:line(f.head_src:text()) end', head="head = 4,").with_name("mine.lua")
    path.write_text(path.read_text().replace("function(opt)", "function(opt, out)"))
    assert sluice(path, made([(0, dns(1)), (1, dns(2))])).stdout == b"?\n?\n"
