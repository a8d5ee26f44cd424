"""The data path stays compiled: recipes, one-liners and filters under LuaJIT's trace log.

A handler that falls back to the interpreter still gives the right answer, ten to forty times slower, so
no other test notices. What is held is the number of bytecode instructions that were interpreted while
200,000 packets and 12,000 flows were read, which no clock and no other process disturbs; and that the
loop in question is a trace that loops."""
import glob
import os

import pytest

from support import ROOT
from tries import held

# Warming up takes some 20,000. A flow handler that is not compiled takes 10 for each flow at least, a
# packet handler for each packet.
INTERPRETED_MAX = 60000
# Cells of many kinds make a hundred traces, and warming up takes longer now and then. One string that is not
# compiled takes 4 million.
INTERPRETED_ROWS_MAX = 1000000

PACKET = "packet loop of {name}"
FLOW = "flow loop of {name}"
FILTER = "packet filter {name}"
# The loops of each recipe that ships. None: all of its work is the core's.
RECIPES = {
    "addresses": FLOW,
    "beacons": FLOW,
    "bursts": PACKET,
    "dns": None,  # a name is a loop inside, with traces of its own
    "health": FLOW,
    "http": None,  # the same
    "networks": FLOW,
    "resets": FLOW,
    "scans": FLOW,
    "tls": FLOW,
    "examples/multicast.lua": PACKET,
    "examples/subnets.lua": PACKET,
    "examples/abroad.lua": PACKET,
    "examples/by-hour.lua": PACKET,
    "examples/dns-times.lua": FLOW,
    "examples/dscp.lua": PACKET,
    "examples/old-tls.lua": PACKET,
    "examples/pings.lua": FILTER,  # few flows pass it
    "examples/repeated-syns.lua": PACKET,
    "examples/slow-servers.lua": FLOW,
    "examples/ssh-servers.lua": FLOW,
    "examples/uploads.lua": FLOW,
    "examples/balance.lua": FLOW,
    "examples/entropy.lua": None,  # loops over bytes, with traces of their own
    "examples/loss-by-network.lua": FLOW,
    "examples/mss.lua": None,  # the same over options
    "examples/odd-dns.lua": PACKET,
    "examples/one-way.lua": FLOW,
    "examples/open-ports.lua": FLOW,
    "examples/rtt-by-country.lua": FLOW,
    "examples/ttl-spread.lua": PACKET,
    "examples/vlan-protocols.lua": PACKET,
    "retransmissions": FLOW,
    "examples/arp-conflicts.lua": PACKET,
    "examples/asymmetry.lua": FLOW,
    "examples/before-after.lua": PACKET,
    "examples/first-packets.lua": PACKET,
    "examples/fragments.lua": PACKET,
    "examples/icmp-errors.lua": PACKET,
    "examples/idle.lua": FLOW,
    "examples/new-hosts.lua": PACKET,
    "examples/syn-flood.lua": PACKET,
    "compare": FLOW,
    "count": None,
    "countries": FLOW,
    "flows": FLOW,
    "geomap": FLOW,
    "hours": FLOW,
    "packets": None,  # strings: no single trace, but compiled all the same
    "protocols": FLOW,
    "report": None,
    "sizes": FLOW,
    "statistics": None,
    "summary": None,
    "talkers": FLOW,
    "timeline": FLOW,
    "examples/inside-outside.lua": PACKET,
    "examples/long-flows.lua": FLOW,
    "examples/packet-sizes.lua": PACKET,
    "examples/port-bytes.lua": FLOW,
    "examples/rate.lua": PACKET,
    "examples/unanswered.lua": FLOW,
}

# Many recipes at once warm up for longer.
SUITES = {"report", "statistics"}
INTERPRETED_SUITE_MAX = 400000

ONE_LINERS = [
    "p.proto == 6 and (p.sport == 443 or p.dport == 443)",
    "p.number % 2 == 0 and p.len > 100",
    "p.payload_len > 0 and p.data[p.payload_off] == 22",
    'p.src:within(net "10.0.0.0/8") and not p.dst:within(net "10.0.0.0/8")',
    'p.src == addr "192.0.2.1"',
    'p.src_country == "DE"',
    'count("ports", p.dport)',
    'if p.proto == 17 then sum("bytes", p.src, p.len) end',
    'max("size", p.len)',
    'top("talkers", p.src, p.len)',
    'series("bytes", p.ts, p.len)',
    'sum("bytes", p.src, p.dst, p.len)',
    'series("bytes by protocol", p.ts, p.proto, p.len)',
    'mean("size by port", p.dport, p.len)',
    'quantile("size by port", p.dport, p.len)',
    'histogram("sizes", p.len)',
    'distinct("clients", p.dport, p.src)',
    'sample("some", p, p.src)',
    'sum("bytes", p.proto_name, p.len)',
]

FILTERS = [
    "tcp.port == 443",
    "ip.src == 10.0.0.0/8 && udp.dstport == 53",
    "tcp.flags.syn == 1 && tcp.flags.ack == 0 || icmp",
    "tcp.dstport in {80, 443, 8000..8100}",
    "frame.len > 1000 && !(arp)",
    'tcp contains "GET"',
    'tcp.payload matches "^GET /"',
]


def shipped():
    built_in = [os.path.basename(path)[:-4] for path in glob.glob(os.path.join(ROOT, "lua", "recipes", "*.lua"))]
    return set(built_in) | {os.path.relpath(path, ROOT) for path in glob.glob(os.path.join(ROOT, "examples", "*.lua"))}


def assert_compiled(run, *loops, most=INTERPRETED_MAX):
    def check(log):
        assert log.interpreted <= most, log.text
        assert set(loops) <= log.loops(), log.text
        assert not log.refused(), log.text

    held(run, check)


def test_every_recipe_is_held():
    assert set(RECIPES) == shipped()


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_recipe(traced, long_capture, name):
    loop = RECIPES[name]
    inputs = [long_capture] * (2 if name == "compare" else 1)
    assert_compiled(lambda: traced(name, *inputs), *([loop.format(name=os.path.basename(name))] if loop else []),
                    most=INTERPRETED_SUITE_MAX if name in SUITES else INTERPRETED_MAX)


@pytest.mark.parametrize("name", ["talkers", "protocols"])
def test_sample(traced, long_capture, name):
    """What a recipe does of a sample are other loops."""
    assert_compiled(lambda: traced(name, "--sample", "100%", long_capture), PACKET.format(name=name))


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "tsv"])
@pytest.mark.parametrize("name", ["packets", "flows"])
def test_rows(traced, long_capture, name, form):
    assert_compiled(lambda: traced(name, "-T", form, long_capture), most=INTERPRETED_ROWS_MAX)


@pytest.mark.parametrize("text", ONE_LINERS)
def test_one_liner(traced, long_capture, text):
    assert_compiled(lambda: traced("eval", text, long_capture), "packet loop of eval")


@pytest.mark.parametrize("text", FILTERS)
def test_display_filter(traced, long_capture, text):
    assert_compiled(lambda: traced("count", "-Y", text, long_capture), "packet filter -Y")


def test_fields(traced, long_capture):
    fields = ["frame.number", "frame.time_epoch", "eth.src", "ip.addr", "ip.id", "tcp.port", "udp.srcport", "geo.country"]
    assert_compiled(lambda: traced("packets", "-T", "fields", *(w for f in fields for w in ("-e", f)), long_capture),
                    most=INTERPRETED_ROWS_MAX)


def test_writing(traced, long_capture, tmp_path):
    assert_compiled(lambda: traced("eval", "p.len > 100", "-Y", "tcp", "-w", tmp_path / "out.pcap", long_capture),
                    "packet filter -Y", "packet loop of eval")


def test_flow_filter(traced, long_capture):
    assert_compiled(lambda: traced("talkers", "-F", "flow.bytes > 1000 && flow.dport == 443", long_capture),
                    "flow filter -F", "flow loop of talkers")


def test_recipes_together(traced, long_capture):
    several = "talkers,timeline,geomap,examples/port-bytes.lua"
    assert_compiled(lambda: traced(several, "-Y", "ip", long_capture), "packet filter -Y", "packet filter port-bytes.lua", "flow loop of timeline",
                    "flow loop of talkers", "flow loop of geomap", "flow loop of port-bytes.lua")


# What is held above is noticed: handlers that LuaJIT cannot compile, each with a habit that recipes fall into.
HABITS = {
    "closure": "packet = function(p) local f = function() return p.len end n = n + f() end",
    "string.gsub": "packet = function(p) n = n + #p.proto_name:gsub('t', '') end",
    "loop over varargs": "packet = function(p) (function(...) n = n + select('#', ...) end)(unpack { p.len }) end",
    "sort": "packet = function(p) local t = { p.len, p.caplen } table.sort(t) n = n + t[1] end",
    "flow closure": "flow = function(f) local g = function() return f.bytes end n = n + g() end",
}


@pytest.mark.parametrize("habit", HABITS)
def test_bad_habit_is_noticed(traced, long_capture, tmp_path, habit):
    recipe = tmp_path / "bad.lua"
    recipe.write_text("return { start = function() local n = 0\nreturn { %s } end }\n" % HABITS[habit])
    with pytest.raises(AssertionError):
        assert_compiled(lambda: traced(recipe, long_capture))
