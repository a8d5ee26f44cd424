"""Several workers give what one gives, to the byte: every built-in recipe and example, every capture, any size
of splits; on pipes and compressed input, with time that leaps, with damage, with captures inside captures."""
import gzip
import os
import random
import subprocess

import pytest

from support import PROGRAM, ROOT, SLOWNESS, each_capture, path_of, pcap, peak_kib, tcp_frame, udp_frame

# Recipes that go in one pass, and that several workers may run.
PARALLEL = "summary,flows,protocols,talkers,geomap,countries,addresses,sizes,statistics,timeline,hours"
# Recipes that want capture order: -v says why, and -j changes nothing.
IN_ORDER = {"packets", "http", "tls"}
BUILT_IN = sorted(name[:-4] for name in os.listdir(os.path.join(ROOT, "lua", "recipes")) if name.endswith(".lua"))
EXAMPLES = sorted("examples/" + name for name in os.listdir(os.path.join(ROOT, "examples")) if name.endswith(".lua"))
MANY = (["-j", "2"], ["-j", "7"], ["-j", "2", "--split", "4096"], ["-j", "7", "--split", "4096"])


def outcome(sluice, *args, **how):
    done = sluice(*args, "-q", **how)
    return done.returncode, done.stdout, done.stderr


def same(sluice, *args, many=MANY, **how):
    """The outcome with one worker, which others must equal."""
    one = outcome(sluice, *args, "-j", "1", **how)
    for options in many:
        assert outcome(sluice, *args, *options, **how) == one, options
    return one


def workers(sluice, *args):
    return sluice(*args, "-q", "-v").stderr.decode().splitlines()[-1]


@each_capture()
def test_every_capture(sluice, entry):
    same(sluice, PARALLEL, "-T", "json", path_of(entry), many=(MANY[1], MANY[2]))


@each_capture(lambda entry: entry["packets"] < 2000)
def test_a_cut_at_every_packet(sluice, entry):
    """A split of one byte is a split of one packet: what stands on both sides is joined at every boundary."""
    same(sluice, PARALLEL, "-T", "json", path_of(entry), many=(["-j", "2", "--split", "1"], ["-j", "7", "--split", "1"]))


@pytest.mark.large
@each_capture()
def test_every_recipe_on_every_capture(sluice, entry):
    for recipe in sorted(set(BUILT_IN) - {"compare"}):
        same(sluice, recipe, "-T", "json", path_of(entry))


@each_capture()
def test_every_capture_filtered(sluice, entry):
    same(sluice, "flows,talkers", "-T", "json", "-f", "ip or ip6", "-Y", "udp || tcp.flags.syn == 1", "-F",
         "flow.packets > 1", path_of(entry), many=(MANY[3],))


@pytest.mark.parametrize("recipe", BUILT_IN + EXAMPLES)
def test_every_recipe(sluice, example, recipe):
    same(sluice, recipe, "-T", "json", example, many=(MANY[0], MANY[3]))


def test_in_parallel_where_it_may(sluice, example):
    assert "7 workers" in workers(sluice, PARALLEL, "-T", "json", "-j", "7", example)
    assert "7 workers" in workers(sluice, "count", "-Y", "tcp", "-j", "7", example)
    for recipe in set(BUILT_IN) - IN_ORDER - {"compare"}:  # which wants two captures
        assert "2 workers" in workers(sluice, recipe, "-T", "json", "-j", "2", example), recipe


WRITES_IN_FLOW = """return { filter = "tcp", start = function()
  local n, seen = count { "packets to known ports", key = "port" }, {}
  return {%s
    flow = function(f)
      if not seen[f.dport] then n:add(f.dport) end
      seen[f.dport] = true
    end,
    finish = function(out) out:bars { rows = n:rows() } end } end }
"""


def test_what_flow_writes_packet_may_read(sluice, example, tmp_path):
    """Flow handlers run in the main program, where no worker would see what they write."""
    reads, alone = tmp_path / "reads.lua", tmp_path / "alone.lua"
    reads.write_text(WRITES_IN_FLOW % " packet = function(p) if seen[p.dport] then n:add(p.dport) end end,")
    status, rows, _ = same(sluice, reads, "-T", "csv", example)
    assert status == 0 and b"443," in rows
    assert "line 6 writes the table `seen`, and its packet handler can reach `seen`" in workers(sluice, reads, "-j", "2", example)
    reads.write_text(WRITES_IN_FLOW.replace("return {%s", "local function find(p) return seen[p.dport] end return {\n packet = function(p) "
                                            "if find(p) then n:add(p.dport) end end,"))
    same(sluice, reads, "-T", "csv", example)
    assert "can reach `seen`" in workers(sluice, reads, "-j", "2", example)
    alone.write_text(WRITES_IN_FLOW % " packet = function(p) n:add(p.sport) end,")  # it reads nothing of that
    same(sluice, alone, "-T", "csv", example)
    assert workers(sluice, alone, "-j", "2", example).endswith("2 workers")
    alone.write_text(WRITES_IN_FLOW % "")
    same(sluice, alone, "-T", "csv", example)
    assert workers(sluice, alone, "-j", "2", example).endswith("2 workers")


def test_one_worker_says_why(sluice, example):
    assert "one worker (recipe http: asks for the heads" in workers(sluice, "http", "-j", "2", example)
    assert "one worker (-c)" in workers(sluice, "summary", "-c", "10", "-j", "2", example)
    assert "one worker (--max-flows)" in workers(sluice, "summary", "--max-flows", "10", "-j", "2", example)
    assert "one worker (-j 1)" in workers(sluice, "summary", "-j", "1", example)


def test_packet_handlers_add_up(sluice, example, tmp_path):
    recipe = tmp_path / "both.lua"
    recipe.write_text("""
        return { about = "both kinds of handlers", start = function()
          local bytes, ends = sum { "bytes", key = "address" }, count { "ends" }
          local sizes = quantile { "sizes" }
          return {
            packet = function(p) if p.ip_version == 4 then bytes:add(p.src, p.len) sizes:add(p.len) end end,
            flow = function(f) ends:add(1) bytes:add(f.dst, f.packets) end,
            finish = function(out)
              out:record { title = "x", fields = { { "ends", ends:value() }, { "median", sizes:value(0.5) } } }
              out:table { title = "y", columns = { "a", "n" }, rows = bytes:rows() }
            end }
        end }""")
    code, out, err = same(sluice, recipe, "-T", "json", example)
    assert (code, err) == (0, b"") and b'"ends"' in out
    assert "2 workers" in workers(sluice, recipe, "-j", "2", example)


@pytest.mark.parametrize("filtered", ["", 'filter = "tcp or arp", '])
def test_traffic_is_what_a_handler_would_add(sluice, example, tmp_path, filtered):
    """Which way a packet went the core knows in any worker; a handler that asks for it runs in one."""
    recipe, results = tmp_path / "traffic.lua", []
    for handler in ("traffic = { a },", """packet = function(p)
          a:add(p.ts, p.ip_version > 0 and 1 or 3, p.len)
          a:add(p.ts, 4, 1)
          if p.dir == 1 then a:add(p.ts, 2, p.len) end
        end,"""):
        recipe.write_text("return { %sstart = function() local a = series { 'a', key = 'what', bin = 2 } return { %s\n"
                          "finish = function(out) out:table { columns = { 't', 'what', 'n' }, rows = a:rows() } end } end }"
                          % (filtered, handler))
        results.append(same(sluice, recipe, "-T", "csv", example))
        results.append(same(sluice, recipe, "-T", "csv", "-Y", "udp or ipv6", "--idle", "0.5", example))
    assert results[:2] == results[2:]
    assert results[0][1].count(b"\n") > 100 and (b",3," in results[0][1]) and results[0][2] == b""


def test_past_a_bound_every_run_is_the_same(sluice, example, tmp_path):
    """What workers keep of too many keys depends on who had which split, so that is fixed."""
    recipe = tmp_path / "few.lua"
    recipe.write_text("return { start = function() local n = top { 'n', key = { 'a:address', 'port' }, keys = 60 } return {\n"
                      "packet = function(p) if p.sport then n:add(p.src, p.sport, p.len) end end,\n"
                      "finish = function(out) out:table { columns = { 'a', 'p', 'n' }, rows = n:top(60) } end } end }")
    args = (recipe, "-T", "csv", "-j", "5", "--split", "4096", example)
    first = outcome(sluice, *args)
    assert first[0] == 0 and first[1].count(b"\n") > 20
    assert first[1] != outcome(sluice, recipe, "-T", "csv", "-j", "1", example)[1]  # it is past its bound
    for _ in range(12):
        assert outcome(sluice, *args) == first


def test_flows_wait_in_bounded_memory(tmp_path):
    """Where the recipe is slower than its workers they wait for it: they would keep 250 MB of flows for it."""
    record = bytearray(pcap([(0, 0, udp_frame("10.0.0.1", "10.0.1.1", 1, 53))])[24:])
    with open(tmp_path / "many.pcap", "wb") as file:
        file.write(pcap([]))
        for i in range(600_000):
            record[0:4] = (1000 + i // 300).to_bytes(4, "little")
            record[16 + 26:16 + 30] = i.to_bytes(4, "big")
            file.write(record)
    (tmp_path / "slow.lua").write_text("""
        return { about = "slow", start = function()
          local n = sum { "n" }
          return {
            flow = function(f)
              local x = f.packets
              for i = 1, 2000 do x = x + math.sqrt(i) end
              n:add(x > 0 and 1 or 0)
            end,
            finish = function(out) out:record { title = "x", fields = { { "n", n:value() } } } end }
        end }""")
    code, out, peak = peak_kib(["slow.lua", "many.pcap", "-q", "-j", "4", "-T", "json"], tmp_path)
    assert code == 0 and b"600000" in out
    assert peak < 200 * 1024 or SLOWNESS > 1  # a sanitiser's own memory says nothing


# ---- inputs ----

def test_pipes_and_packed_captures(sluice, example):
    with open(example, "rb") as file:
        data = file.read()
    _, whole, _ = same(sluice, "flows", "-T", "jsonl", example)
    for stdin in (data, gzip.compress(data, 1)):
        assert outcome(sluice, "flows", "-T", "jsonl", "-j", "3", "--split", "65536", "-", stdin=stdin) == (0, whole, b"")


def test_cut_and_damaged(sluice, example, tmp_path):
    with open(example, "rb") as file:
        data = file.read(3_000_000)
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(data)
    code, _, err = same(sluice, "flows", "-T", "jsonl", cut)
    assert code == 1 and b"in the middle of the record" in err
    at = max(end for end in record_starts(data) if end < 2_000_000)
    damaged = tmp_path / "damaged.pcap"
    damaged.write_bytes(data[:at + 8] + b"\xff\xff\xff\x7f" + data[at + 12:])
    code, _, err = same(sluice, "summary", "-T", "json", damaged)
    assert code == 1 and b"damaged at byte %d" % at in err


def record_starts(data):
    at = 24
    while at + 16 <= len(data):
        yield at
        at += 16 + int.from_bytes(data[at + 8:at + 12], "little")


def stamped(frames):
    return pcap([(s, 0, frame) for s, frame in frames])


def conversation(n, start, step=0.0):
    """n UDP packets between a few hosts, a second or so apart."""
    return [(int(start + i * step), udp_frame("10.0.0.%d" % (1 + i % 5), "10.0.1.%d" % (1 + i % 3), 1000 + i % 7,
                                              53, b"x" * (i % 90))) for i in range(n)]


@pytest.mark.parametrize("frames", [
    conversation(3000, 1000, 1.0) + conversation(3000, 100, 1.0),              # time steps back
    conversation(3000, 1000, 1.0) + conversation(3000, 10**6, 1.0),            # and far ahead
    conversation(2000, 10, .1) + [(2**32 - 1, tcp_frame("1.1.1.1", "2.2.2.2", 1, 2, 2))] + conversation(9000, 210, .1),
    conversation(20000, 0, 0.01),                                              # as slow as sweeps are
], ids=["back", "ahead", "one-far-ahead", "slow"])
def test_time_that_leaps(sluice, tmp_path, frames):
    file = tmp_path / "times.pcap"
    file.write_bytes(stamped(frames))
    code, out, _ = same(sluice, "flows", "-T", "jsonl", file)
    assert code == 0 and out


def test_a_capture_inside_a_capture(sluice, tmp_path):
    """A TCP stream that carries a pcap file: its records look like records of the capture."""
    inner = pcap([(5000 + i, 0, udp_frame("9.9.9.9", "8.8.8.8", i, 53, b"inner")) for i in range(2000)])
    frames, seq = [], 1
    for at in range(0, len(inner), 1400):
        piece = inner[at:at + 1400]
        frames.append((100, tcp_frame("1.1.1.1", "2.2.2.2", 1234, 80, 0x18, seq, 1, piece)))
        seq += len(piece)
    file = tmp_path / "nested.pcap"
    file.write_bytes(stamped(frames))
    _, out, _ = same(sluice, "flows", "-T", "jsonl", file)
    assert out.count(b"\n") == 1 and b"9.9.9.9" not in out


def test_fragments_of_many_datagrams(sluice, tmp_path):
    """First and later fragments in different splits; datagrams that push each other out of the table."""
    random.seed(7)
    later, frames = [], []
    for i in range(9000):
        first, rest = fragments("10.%d.%d.1" % (i % 50, i % 7), "10.0.9.%d" % (i % 250), i)
        frames.append((100 + i // 1000, first))
        later.append((100 + i // 1000, rest))
        if len(later) > 300:
            frames.append(later.pop(random.randrange(len(later))))
    file = tmp_path / "fragments.pcap"
    file.write_bytes(stamped(frames + later))
    code, out, _ = same(sluice, "flows", "-T", "jsonl", file)
    assert code == 0 and out


def fragments(src, dst, ident):
    """A UDP datagram in two fragments, as frames."""
    frame = udp_frame(src, dst, 1000 + ident % 3, 53, b"y" * 64)
    head, body = bytearray(frame[:34]), frame[34:]
    head[18:20] = (ident & 0xffff).to_bytes(2, "big")
    parts = []
    for offset, more, piece in ((0, 0x2000, body[:32]), (4, 0, body[32:])):
        head[16:18] = (20 + len(piece)).to_bytes(2, "big")
        head[20:22] = (more | offset).to_bytes(2, "big")
        parts.append(bytes(head) + piece)
    return parts


# ---- flow handlers in workers ----

TAKER = """return { about = "adds flows", start = function()
  local bytes, seen, kept = sum { "bytes", key = "address" }, hosts { "hosts" }, largest { "flows", n = 3 }
  local both = %s
  return {
    packet = function(p) both:add(1) end,
    flow = function(f)
      %s
      bytes:add(f.dst, f.bytes) seen:add(f) kept:add(f) both:add(2)
    end,
    finish = function(out)
      local rows = {}
      for i, f in kept:each() do rows[i] = { tostring(f.src), f.bytes } end
      out:table { title = "largest", columns = { "src", "n" }, rows = rows }
      out:table { title = "bytes", columns = { "dst", "n" }, rows = bytes:rows() }
      out:table { title = "both", columns = { "kind", "n" }, rows = both:rows() }
      out:record { title = "hosts", fields = { { "hosts", seen:count "bytes" } } }
    end }
end }
"""
COUNTER = 'count { "both", key = "kind" }'


@pytest.fixture
def takers(tmp_path):
    """Recipes of the same kind, whose flow handlers say something first."""
    def write(*says, both=COUNTER):
        files = []
        for i, line in enumerate(says):
            file = tmp_path / ("taker%d.lua" % i)
            file.write_text(TAKER % (both, line))
            files.append(str(file))
        return ",".join(files)
    return write


def test_flow_handlers_of_several_recipes(sluice, example, takers):
    """They run in workers at once, and add to the same aggregates as packet handlers do; one that writes runs in the main program."""
    names = takers("", "if f.proto == 17 then return end", "", "if f.dport < 1024 then return end")
    code, out, err = same(sluice, names, "-T", "json", example)
    assert (code, err) == (0, b"") and b'"largest"' in out
    assert "2 workers" in workers(sluice, names, "-j", "2", example)
    same(sluice, names, "-T", "json", "-F", "flow.packets > 3", example)


def test_flow_handlers_with_filters_of_their_own(sluice, example, takers, tmp_path):
    names = takers("", "")
    for i, expr in enumerate(("udp", "tcp")):
        file = tmp_path / ("taker%d.lua" % i)
        file.write_text(file.read_text().replace("return { about", 'return { filter = "%s", about' % expr, 1))
    code, out, _ = same(sluice, names, "-T", "json", example)
    assert code == 0 and b'"largest_2"' in out


def test_a_flow_handler_that_fails_in_a_worker(sluice, example, takers):
    """Its first flow is told, whichever worker met it; of several the first."""
    names = takers("", "if f.dport == 53 then error 'a name' end", "")
    code, out, err = same(sluice, names, "-T", "json", example)
    assert code == 2 and out == b"" and b"taker1.lua line 7: a name (flow of packet " in err
    for names in (takers("error 'one'", "", "error 'three'"), takers("error 'one'", "error 'two'", "error 'three'")):
        for options in MANY:  # nobody may be left to take flows
            code, out, err = outcome(sluice, names, "-T", "json", *options, example)
            assert code == 2 and out == b"" and b"line 7: " in err and b"internal" not in err


def test_aggregates_that_differ_from_worker_to_worker(sluice, example, takers):
    names = takers("", "", both='count { "both" .. tostring({}), key = "kind" }')
    code, _, err = outcome(sluice, names, "-j", "2", example)
    assert code == 2 and b"taker" in err and b"makes other aggregates in each worker: use -j 1" in err
    assert outcome(sluice, names, "-j", "1", example)[0] == 0


def test_flow_handlers_of_a_cut_capture(sluice, example, takers, tmp_path):
    cut = tmp_path / "cut.pcap"
    with open(example, "rb") as file:
        cut.write_bytes(file.read(3_000_000))
    code, out, err = same(sluice, takers("", ""), "-T", "json", cut)
    assert code == 1 and out and b"in the middle of the record" in err


def test_many_flows_are_given(sluice, takers, tmp_path):
    """More than wait at most, most of them at the end."""
    file = tmp_path / "flows.pcap"
    file.write_bytes(stamped([(i // 20000, udp_frame("10.%d.0.1" % (i % 100), "10.9.9.9", 1 + i % 60000, 53, b"x")) for i in range(80000)]))
    code, out, _ = same(sluice, takers("", "", ""), "-T", "json", file, many=(MANY[0], MANY[3]))
    assert code == 0 and b'"n":80000' in out.replace(b" ", b"")


# ---- failures ----

def test_the_first_failure_is_told(sluice, example, tmp_path):
    recipe = tmp_path / "throws.lua"
    recipe.write_text("""
        return { about = "throws", start = function()
          local n = count { "n" }
          return { packet = function(p)
            if p.tcp_flags == 4 then error "a reset" end
            n:add(1)
          end }
        end }""")
    code, out, err = same(sluice, recipe, "-T", "json", example)
    assert code == 2 and out == b"" and b"throws.lua line 5: a reset (packet " in err


def test_a_pipe_that_closes(example):
    done = subprocess.run("%s flows -T jsonl -j 4 --split 4096 %s | head -n 1" % (PROGRAM, example), shell=True, cwd=ROOT,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.stdout.count(b"\n") == 1 and done.stderr == b""
