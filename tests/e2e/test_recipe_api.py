"""What recipes get beside fields and aggregates: views of bytes, heads and states of flows, an early end."""
import json

import pytest

from mmdb import mmdb
from support import pcap, tcp_frame, udp_frame

SYN, ACK, PSH, FIN = 2, 16, 8, 1
T0 = 1_700_000_000
CLIENT, SERVER = ("192.0.2.1", "198.51.100.1", 40000, 80), ("198.51.100.1", "192.0.2.1", 80, 40000)


@pytest.fixture
def run(sluice, tmp_path):
    """run(recipe's text, frames or a path, *options): the CompletedProcess."""
    def call(text, frames, *options):
        recipe, path = tmp_path / "mine.lua", frames
        recipe.write_text(text)
        if isinstance(frames, list):
            path = tmp_path / "made.pcap"
            path.write_bytes(pcap([(T0 + i, 0, frame) for i, frame in enumerate(frames)]))
        return sluice(recipe, path, *options)
    return call


def lines(done):
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()


def handlers(text, head="", start=""):
    return "return {\n%s\nstart = function(opt, out)\n%s\nreturn {\n%s\n} end }\n" % (head, start, text)


# --- Views.

VIEW = """packet = function(p)
  local v = p.payload
  local function show(x) out:line(tostring(x)) end
  %s
end"""


@pytest.mark.parametrize("expression, result", [
    ("#v", "10"), ("v.size", "10"), ("v:u8(0)", "1"), ("v:u8(9)", "10"), ("v:u8(10)", "nil"), ("v:u8(-1)", "nil"),
    ("v:u16(0)", "258"), ("v:u16(8)", "2314"), ("v:u16(9)", "nil"), ("v:u24(0)", "66051"), ("v:u24(8)", "nil"),
    ("v:u32(6)", str(0x0708090a)), ("v:u32(7)", "nil"), ("v:u32(-4)", "nil"), ("v:u8(2^40)", "nil"), ("v:u16(0/0)", "nil"),
    ("v:slice(2):u8(0)", "3"), ("v:slice(2, 3).size", "3"), ("v:slice(2, 3):u8(3)", "nil"), ("v:slice(10).size", "0"),
    ("v:slice(8, 3)", "nil"), ("v:slice(11)", "nil"), ("v:slice(2, -1)", "nil"), ("v:slice(2):slice(3, 2):u16(0)", str(0x0607)),
    ('v:find("\\3\\4")', "2"), ('v:find("\\3\\4", 2)', "2"), ('v:find("\\3\\4", 3)', "nil"), ('v:find("x")', "nil"),
    ('v:find("", 10)', "10"), ('v:find("", 11)', "nil"), ('v:find("\\9\\10\\11")', "nil"),
    ('v:starts "\\1\\2"', "true"), ('v:starts "\\2"', "false"), ('v:starts "\\1\\2\\3\\4\\5\\6\\7\\8\\9\\10\\11"', "false"),
    ("#v:text()", "10"), ("v:text(3, 2):byte(2)", "5"), ("#v:text(8, 100)", "2"), ("#v:text(100)", "0"),
    ("p.frame:u16(12)", str(0x0800)), ("p.frame.size == p.caplen", "true"),
    ("#v:text(3, -1)", "0"), ("v:slice(0, 0/0)", "nil"), ("v:find('\\1', 0/0)", "nil"),
])
def test_view(run, expression, result):
    frame = udp_frame("192.0.2.1", "192.0.2.2", 1, 2, bytes(range(1, 11)))
    assert lines(run(handlers(VIEW % ("show(%s)" % expression)), [frame])) == [result]


def test_view_of_nothing(run):
    text = handlers(VIEW % "show(#v) show(v:u8(0)) show(v:find('a')) show(v:text() == '')")
    assert lines(run(text, [udp_frame("192.0.2.1", "192.0.2.2", 1, 2)])) == ["0", "nil", "nil", "true"]


def test_view_is_read_only(run):
    done = run(handlers("packet = function(p) p.payload.data[0] = 1 end"), [udp_frame("192.0.2.1", "192.0.2.2", 1, 2, b"x")])
    assert done.returncode == 2 and b"constant" in done.stderr and b"packet 1" in done.stderr


# --- Heads.

HEAD = handlers("flow = function(f) out:line(f.head_src:text() .. '|' .. f.head_dst:text()) end", "head = 8,")


def said(side, seq, payload, flags=ACK | PSH):
    return tcp_frame(*side, flags, seq=seq, payload=payload)


def test_head_in_sequence_order(run):
    frames = [said(CLIENT, 99, b"", SYN), said(SERVER, 499, b"", SYN | ACK), said(CLIENT, 104, b"e12345"), said(CLIENT, 100, b"GE"),
              said(SERVER, 500, b"HT"), said(CLIENT, 102, b"T "), said(CLIENT, 100, b"XX"), said(SERVER, 502, b"TP/1.1")]
    assert lines(run(HEAD, frames)) == ["GET e123|HTTP/1.1"]


def test_head_of_each_flow_on_the_same_ends(run):
    """The second connection has the first one's index: its head begins anew."""
    first = [said(CLIENT, 9, b"", SYN), said(CLIENT, 10, b"one"), said(CLIENT, 13, b"", FIN | ACK), said(SERVER, 1, b"", FIN | ACK)]
    again = [said(CLIENT, 999, b"", SYN), said(CLIENT, 1000, b"two")]
    assert lines(run(HEAD, first + again)) == ["one|", "two|"]


def test_head_of_datagrams_and_of_two_recipes(run, sluice, tmp_path):
    frames = [udp_frame("192.0.2.1", "192.0.2.2", 5, 6, b"ab"), udp_frame("192.0.2.2", "192.0.2.1", 6, 5, b"xy"),
              udp_frame("192.0.2.1", "192.0.2.2", 5, 6, b"cdefghijk")]
    assert lines(run(HEAD, frames)) == ["abcdefgh|xy"]
    other = tmp_path / "other.lua"
    other.write_text(HEAD.replace("head = 8", "head = 3"))
    both = lines(sluice("%s,%s" % (tmp_path / "mine.lua", other), tmp_path / "made.pcap"))
    assert both == ["abcdefgh|xy"] * 2, "recipes that share a table share its larger head"


@pytest.mark.parametrize("head", ["0", "-1", "1.5", "1e9", '"many"'])
def test_wrong_head(run, example, head):
    done = run(handlers("", "head = %s," % head), example)
    assert done.returncode == 2 and b"head" in done.stderr


# --- States.

COUNTED = handlers("""packet = function(p, s)
  if not s then out:line("no flow") return end
  s.n = s.n + 1
  s.bytes = s.bytes + p.len
end,
flow = function(f, s)
  out:line(("%d %d %s"):format(s.n, f.packets, tostring(s.bytes == f.bytes)))
end""", 'state = "uint32_t n; double bytes;",')


def test_state_counts_what_the_flow_counts(run, example):
    for line in lines(run(COUNTED, example)):
        n, packets, same = line.split() if line != "no flow" else ("0", "0", "true")
        assert n == packets and same == "true"


def test_state_of_an_index_that_is_used_again(run, tmp_path):
    """Two thousand flows one after the other, and at once: past the first size of the array."""
    for step in (100, 0):
        frames = [(T0 + i * step, i, udp_frame("192.0.2.1", "192.0.2.2", 1000 + i, 53, b"?")) for i in range(2000)]
        twice = [x for f in frames for x in (f, f)] if step else frames + frames
        path = tmp_path / "many.pcap"
        path.write_bytes(pcap(twice))
        assert lines(run(COUNTED, path)) == ["2 2 true"] * 2000


def test_no_state_without_a_flow(run):
    arp = b"\xff" * 6 + b"\x02\0\0\0\0\x01" + b"\x08\x06" + bytes.fromhex("0001080006040001") + b"\0" * 20
    assert lines(run(COUNTED, [arp])) == ["no flow"]


@pytest.mark.parametrize("fields", ["uint32_t", "nonsense x;", "uint32_t a; } x; struct {", "int n[?];"])
def test_wrong_state(run, example, fields):
    done = run(handlers("packet = function(p, s) end", 'state = "%s",' % fields), example)
    assert done.returncode == 2 and b"state" in done.stderr, done.stderr
    assert b"internal" not in done.stderr and done.stderr.count(b"\n") == 1


def test_unknown_field_of_a_state(run, example):
    done = run(handlers("packet = function(p, s) if s then s.m = 1 end end", 'state = "int n;",'), example)
    assert done.returncode == 2 and b"line 6" in done.stderr and b"'m'" in done.stderr


# --- Enough.

def test_stop_in_packet(run, example):
    text = handlers("packet = function(p)\nlast = p.number\nif p.number == 100 then return stop end\nend,\n"
                    "finish = function(view, run) out:line(last .. ' ' .. (tonumber(run.stats.packets) < 1000 and 'early' or 'late')) end",
                    start="local last = 0")
    assert lines(run(text, example)) == ["100 early"]


def test_stop_in_flow(run, example):
    text = handlers("flow = function(f)\nn = n + 1\nif n == 3 then return stop end\nend,\nfinish = function() out:line(tostring(n)) end",
                    start="local n = 0")
    assert lines(run(text, example)) == ["3"]


def test_one_stops_the_other_goes_on(run, example, sluice, tmp_path):
    text = handlers("packet = function(p) n = n + 1 return stop end,\nfinish = function(view) view:record { title = 'n', fields = { { 'n', n } } } end",
                    start="local n = 0")
    run(text, example)
    both = list(json.loads(sluice("%s,summary" % (tmp_path / "mine.lua"), example, "-T", "json").stdout).values())
    alone = json.loads(sluice("summary", example, "-T", "json").stdout)
    assert both == [{"n": 1}, alone]


def test_stop_in_eval(sluice, example):
    done = sluice("eval", 'if p.number > 10 then return stop end count("seen")', example, "-T", "json")
    assert json.loads(done.stdout) == {"seen": 10}


# --- Aggregates belong into start.

@pytest.mark.parametrize("text, line", [
    ('local c = count { "early" }\nreturn { start = function() return {} end }', b"line 1"),
    ('return { start = function() return {\nfinish = function() local c = count { "late" } end } end }', b"line 2"),
    ('return { start = function() return {\npacket = function() local c = count { "late" } end } end }', b"line 2"),
])
def test_aggregate_elsewhere(run, example, text, line):
    done = run(text, example)
    assert done.returncode == 2 and line in done.stderr and b"belongs into start" in done.stderr, done.stderr


# --- Countries, cities, autonomous systems.

@pytest.fixture
def databases(tmp_path):
    """Paths of a database of cities and one of autonomous systems."""
    cities, networks = tmp_path / "cities.mmdb", tmp_path / "networks.mmdb"
    cities.write_bytes(mmdb("GeoLite2-City", {
        "8.8.8.0/24": {"city": {"names": {"en": "Springfield"}}, "country": {"iso_code": "US"}},
        "9.9.0.0/16": {"city": {"names": {"en": "Springfield"}}, "country": {"iso_code": "CA"}},
        "11.0.0.0/8": {"country": {"iso_code": "DE"}}}))
    networks.write_bytes(mmdb("DBIP-ASN-Lite", {
        "8.8.8.0/24": {"autonomous_system_number": 15169, "autonomous_system_organization": "Example \x1b[31m Cloud"},
        "9.9.0.0/16": {"autonomous_system_number": 4200000000}}))
    return cities, networks


PLACES = handlers("packet = function(p) out:line(geo.city(p.src) .. '|' .. geo.asn(p.src) .. '|' .. geo.network(p.src) .. '|' .. p.src_country) end")


@pytest.mark.parametrize("address, place", [
    ("8.8.8.8", "Springfield, US|15169|AS15169 Example \\x1b[31m Cloud|US"), ("9.9.9.9", "Springfield, CA|4200000000|AS4200000000|CA"),
    ("11.1.1.1", "DE|0|unknown|DE"), ("10.1.1.1", "private|0|private|private"), ("12.1.1.1", "unknown|0|unknown|unknown"),
])
def test_places(run, databases, address, place):
    cities, networks = databases
    for order in ((cities, networks), (networks, cities)):
        options = [word for path in order for word in ("--geo", path)]
        assert lines(run(PLACES, [udp_frame(address, "192.0.2.2", 1, 2)] * 2, *options)) == [place] * 2


def test_networks_alone_leave_the_built_in_countries(run, databases):
    text = handlers("packet = function(p) out:line(p.src_country) end")
    assert lines(run(text, [udp_frame("8.8.8.8", "192.0.2.2", 1, 2)], "--geo", databases[1])) == ["US"]


def test_no_database_of_networks(run):
    done = run(PLACES, [udp_frame("8.8.8.8", "192.0.2.2", 1, 2)])
    assert done.returncode == 2 and b"--geo FILE.mmdb" in done.stderr and b"line" in done.stderr


def test_no_mmdb(run, example):
    done = run(handlers("packet = function(p) return p.src_country == 'DE' end"), example, "--geo", example)
    assert done.returncode == 2 and b"not readable as a MaxMind DB" in done.stderr


# --- Too much memory.

@pytest.mark.parametrize("text, words", [
    (handlers("packet = function(p) for i = 1, 1000 do t[#t + 1] = { p.number } end end", start="local t = {}"), b"packet "),
    (handlers("packet = function(p) s = s .. s .. 'x' end", start="local s = ''"), b"mine.lua"),  # compiled or not
    (handlers("", start="local t = {} for i = 1, 1e9 do t[i] = i end"), b"mine.lua"),
    (handlers("finish = function() local t = {} for i = 1, 1e9 do t[i] = { i } end end"), b"mine.lua"),
])
def test_too_much_memory(run, example, text, words):
    done = run(text, example, "--lua-memory", 32)
    assert done.returncode == 2 and b"not enough memory" in done.stderr and words in done.stderr
    assert done.stderr.count(b"\n") == 1 and b"aggregates" in done.stderr


# --- Views of an interval.

LIVE = handlers("packet = function(p) c:add(p.dport) end,\ninterval = function(t, view) view:bars { title = 'at ' .. t, rows = c:rows() } end",
                "every = 10,", 'local c = count { "packets by port", key = "port" }')


def test_live_views(run, tmp_path):
    frames = [udp_frame("192.0.2.1", "192.0.2.2", 1, 1 + i // 15) for i in range(30)]
    text = lines(run(LIVE, frames))
    assert [line for line in text if line.startswith("at ")] == ["at 10", "at 20"]
    rows = list(map(json.loads, lines(run(LIVE, frames, "-T", "jsonl"))))
    assert [list(row.values()) for row in rows] == [[1, 10], [1, 15], [2, 5]]
    done = run(LIVE, frames, "-o", tmp_path / "live.png")
    assert done.returncode == 2 and b"interval" in done.stderr


@pytest.mark.parametrize("text, shown", [
    ("plain → ░ é 日本", "plain → ░ é 日本"), ("\x1b]0;title\x07", "\\x1b]0;title\\x07"), ("a\x9bb", "a\\x9bb"), ("user\u202etxt.exe", "user\\u{202e}txt.exe"),
    ("a\u200bb", "a\\u{200b}b"), ("\ufeffx", "\\u{feff}x"), ("\u061cx", "\\u{061c}x"), ("two\nlines", "two\\x0alines"), ("\U000e0041", "\\u{e0041}"),
    ("<script>alert(1)</script>", "<script>alert(1)</script>"),
])
def test_hostile_text_in_a_line(run, text, shown):
    """What packets hold goes to the terminal as text, nothing else."""
    frame = udp_frame("192.0.2.1", "192.0.2.2", 1, 2, text.encode())
    assert lines(run(handlers("packet = function(p) out:line(p.payload:text()) end"), [frame])) == [shown]


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"\xe2\x80", b"\xe2", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xed\xa0\x80", b"\x80"])
def test_broken_text_in_a_line(run, raw):
    done = run(handlers("packet = function(p) out:line(p.payload:text()) end"), [udp_frame("192.0.2.1", "192.0.2.2", 1, 2, raw)])
    assert done.returncode == 0 and done.stdout.decode("utf-8") is not None


@pytest.mark.parametrize("made, word", [
    ("count { 'n', key = 'what' }", "no series with one number as key"), ("series { 'n' }", "no series with one number as key"),
    ("series { 'n', key = 'a:address' }", "no series with one number as key"), ("hosts { 'n' }", "traffic is a series"),
    ("{ 5 }", "traffic is a series"),
])
def test_traffic_wants_a_series(run, made, word):
    done = run(handlers("traffic = a", start="local a = " + made), [udp_frame("192.0.2.1", "192.0.2.2", 1, 2, b"x")])
    assert done.returncode == 2 and word in done.stderr.decode(), done.stderr
    assert b"internal" not in done.stderr
