"""What sluice reads off a handler's bytecode: whether it may run in several workers, why not, and whether it
must see packets in order, and which test it begins with. Each case is the body of a recipe's start and returns the handler."""
import json
import os
import re
import subprocess

import pytest

from support import EXAMPLE, PROGRAM, ROOT

SAFE = {
    "counts": 'local c = count { "NAME", key = "port" } return function(p) c:add(p.dport) end',
    "sums by address": 'local s = sum { "NAME", key = "address" } return function(p) s:add(p.src, p.len) end',
    "two keys": 'local s = sum { "NAME", key = { "a:address", "b" } } return function(p) s:add(p.src, p.dport, p.len) end',
    "a series": 'local s = series { "NAME" } return function(p) s:add(p.ts, p.len) end',
    "one of two aggregates": 'local a, b = count { "NAME" }, count { "NAME b" }\n'
                             "return function(p) local c = p.len > 100 and a or b c:add(1) end",
    "arithmetic": 'local s = sum { "NAME" } return function(p) s:add((p.len * 8 - 3) % 7 + p.ttl ^ 2 / 2) end',
    "bits": 'local bit = require "bit" local c = count { "NAME" }\n'
            "return function(p) if bit.band(p.tcp_flags, 18) == 18 then c:add(1) end end",
    "bits through a local": 'local band = require("bit").band local c = count { "NAME" }\n'
                            "return function(p) if band(p.tcp_flags, 18) == 18 then c:add(1) end end",
    "math": 'local s = max { "NAME" } return function(p) s:add(math.floor(math.log(p.len + 1))) end',
    "a loop": 'local c = count { "NAME", key = "size" }\n'
              "return function(p) local n = 64 while n < p.len do n = n * 2 end c:add(n) end",
    "a numeric for": 'local s = sum { "NAME" } return function(p) local n = 0\n'
                     "for i = 0, p.caplen - 1 do n = n + p.data[i] end s:add(n) end",
    "a table of constants": 'local class = { [80] = 1, [443] = 2 } local c = count { "NAME", key = "class" }\n'
                            "return function(p) local k = class[p.dport] if k then c:add(k) end end",
    "tables in a table of constants": 'local rules = { { from = 1, to = 9 }, { from = 20, to = 29 } } local c = count { "NAME" }\n'
                                      "return function(p) for _, r in ipairs(rules) do\n"
                                      "if p.dport >= r.from and p.dport <= r.to then c:add(1) end end end",
    "pairs over constants": 'local ports = { web = 80, mail = 25 } local c = count { "NAME" }\n'
                            "return function(p) for _, port in pairs(ports) do if p.dport == port then c:add(1) end end end",
    "a block": 'local inside = net "10.0.0.0/8" local c = count { "NAME" }\n'
               "return function(p) if p.src:within(inside) then c:add(1) end end",
    "a block named as it goes": 'local c = count { "NAME" } return function(p) if p.src:within(net "10.0.0.0/8") then c:add(1) end end',
    "blocks in a table": 'local nets = { net "10.0.0.0/8", net "192.168.0.0/16" } local c = count { "NAME" }\n'
                         "return function(p) for i = 1, #nets do if p.src:within(nets[i]) then c:add(1) end end end",
    "compares addresses": 'local gateway = addr "192.0.2.1" local c = count { "NAME" }\n'
                          "return function(p) if p.src == gateway or p.dst == gateway then c:add(1) end end",
    "addresses in a table": 'local known = { addr "192.0.2.1", addr "192.0.2.2" } local c = count { "NAME" }\n'
                            "return function(p) for i = 1, #known do if known[i]:is_ipv4() and p.src == known[i] then c:add(1) end end end",
    "words of an address": 'local bit = require "bit" local c = count { "NAME", key = "net" }\n'
                           "return function(p) c:add(bit.band(p.src.w[3], 0xffffff00)) end",
    "countries": 'local c = count { "NAME", key = "country" } return function(p) c:add(geo.code(p.src)) end',
    "country names": 'local c = count { "NAME" } return function(p) if p.src_country == "DE" then c:add(1) end end',
    "services": 'local c = count { "NAME" } return function(p) if services.name(p.proto, p.dport) == "https" then c:add(1) end end',
    "its own function": 'local c = count { "NAME" } local function wanted(p) return p.dport == 443 end\n'
                        "return function(p) if wanted(p) then c:add(1) end end",
    "functions in a table": 'local M = {} function M.size(n) return n > 100 and 1 or 2 end local c = count { "NAME", key = "k" }\n'
                            "return function(p) c:add(M.size(p.len)) end",
    "a function that fills": 'local c = count { "NAME" } local function add(to) to:add(1) end return function(p) add(c) end',
    "recursion": 'local c = count { "NAME", key = "n" } local function half(n) if n < 2 then return n end return half((n - n % 2) / 2) end\n'
                 "return function(p) c:add(half(p.len)) end",
    "a table of its own": 'local s = sum { "NAME" } return function(p) local t = { p.len, p.ttl } t[3] = 1 s:add(t[1] + t[2] + t[3]) end',
    "a table of its own in one": 'local s = sum { "NAME" } return function(p) local t = { a = {} } t.a.b = 1 s:add(t.a.b + p.len) end',
    "insert, sort, concat": 'local c = count { "NAME" } return function(p) local t = {}\n'
                            "table.insert(t, p.len) table.insert(t, p.ttl) table.sort(t)\n"
                            "if table.concat(t, ' ') == '1 2' then c:add(1) end end",
    "sorts by its own order": 'local c = count { "NAME" } local function less(a, b) return a < b end\n'
                              "return function(p) local t = { p.len, p.ttl } table.sort(t, less) c:add(t[1]) end",
    "its own cdata": 'local ffi = require "ffi" local s = sum { "NAME" }\n'
                     'return function(p) local b = ffi.new("uint8_t[4]") b[0] = p.ttl ffi.copy(b, p.data, 1) s:add(b[0]) end',
    "reads cdata from outside": 'local ffi = require "ffi" local weight = ffi.new("double[256]") local s = sum { "NAME" }\n'
                                "return function(p) s:add(weight[p.ttl]) end",
    "bytes": 'local ffi = require "ffi" local c = count { "NAME" }\n'
             'return function(p) if p.payload_cap > 3 and ffi.string(p.data + p.payload_off, 3) == "GET" then c:add(1) end end',
    "text": 'local c = count { "NAME" } return function(p) local s = p.proto_name .. ":" .. p.dport\n'
            'if s:sub(1, 3) == "tcp" and s:find("4", 1, true) and #s > 4 then c:add(1) end end',
    "text by format": 'local c = count { "NAME" } return function(p) if ("%d"):format(p.dport) == "443" then c:add(1) end end',
    "gsub with text": 'local c = count { "NAME" } return function(p) if p.proto_name:gsub("c", "d") == "tdp" then c:add(1) end end',
    "drops": "return function(p) return p.len > 100 end",
    "drops by not": "return function(p) if not (p.dport == 443) then return false end end",
    "throws": 'return function(p) if p.len > 1e9 then error("too large") end assert(p.len) end',
    "catches": 'local function risky(p) return p.len / p.ttl end return function(p) local ok, n = pcall(risky, p) return ok and n > 2 end',
    "several results": 'local c = count { "NAME" } local function ends(p) return p.sport, p.dport end\n'
                       "return function(p) local a, b = ends(p) if a == b then c:add(1) end end",
    "hands results on": 'local s = sum { "NAME", key = "port" } local function pair(p) return p.dport, p.len end\n'
                        "return function(p) s:add(pair(p)) end",
    "select and unpack": 'local s = sum { "NAME" } return function(p) local t = { p.len, p.ttl } s:add((select(2, unpack(t)))) end',
    "conditions": 'local c = count { "NAME" } return function(p)\n'
                  "if (p.proto == 6 and p.dport == 443) or (p.proto == 17 and not (p.sport == 53)) then c:add(1) end end",
    "goto": 'local c = count { "NAME" } return function(p) if p.len < 10 then goto out end c:add(1) ::out:: end',
    "repeat": 'local c = count { "NAME" } return function(p) local i = 0 repeat i = i + 1 until i > p.ttl or i == 7 c:add(i) end',
    "a flow": ('local s = sum { "NAME", key = "port" } return function(f) s:add(f.dport, f.bytes_src + f.bytes_dst) end', "flow"),
    "a flow's service": ('local s = sum { "NAME" } return function(f) if f.service == "https" then s:add(f.duration) end end', "flow"),
    "a copy that is dropped": ('local s = sum { "NAME" } return function(f) local own = f:copy() s:add(own.n_bytes[0]) end', "flow"),
}

UNSAFE = {
    "counts in a local": ("local n = 0\nreturn function(p)\n  n = n + 1\nend", "line 3 writes the upvalue `n`"),
    "remembers": ("local seen = {}\nreturn function(p)\n  seen[p.dport] = true\nend", "line 3 writes the table `seen`"),
    "remembers by name": ("local state = { n = 0 }\nreturn function(p) state.n = state.n + 1 end", "line 2 writes the table `state`"),
    "by a number": ("local t = {}\nreturn function(p) t[1] = p.len end", "line 2 writes the table `t`"),
    "inside a table": ("local t = { a = {} }\nreturn function(p) t.a.b = p.len end", "line 2 writes .*table `a`"),
    "inside a table, by key": ("local t = { {} }\nreturn function(p) t[p.ttl].b = p.len end", "line 2 writes a table that outlives"),
    "hidden in a local": ("local seen = {}\nreturn function(p)\n  local s = seen\n  s[1] = 1\nend", "line 4 writes the table"),
    "one of two": ("local seen = {}\nreturn function(p)\n  local t = p.len > 9 and seen or {}\n  t[1] = 1\nend", "line 4 writes the table"),
    "in its own function": ("local n = 0\nlocal function more()\n  n = n + 1\nend\nreturn function(p) more() end", "line 3 writes the upvalue `n`"),
    "through an argument": ("local t = {}\nlocal function put(to, v) to[1] = v end\nreturn function(p) put(t, p.len) end", "line 2 writes the table"),
    "through a result": ("local t = {}\nlocal function get() return t end\nreturn function(p) get()[1] = 1 end", "line 3 writes the table"),
    "the last of many results": ("local t = {}\nlocal function five() return 1, 2, 3, 4, t end\nlocal function put(a, b, c, d, e) e[1] = a end\n"
                                 "return function(p) put(five()) end", "line 3 writes the table `t`"),
    "put into its own": ("local t = {}\nreturn function(p)\n  local own = { t }\n  own[1].x = 1\nend", "line 4 writes the table"),
    "a global": ("return function(p) _G = 1 end", "line 1 writes the global `_G`"),
    "rawset": ("local t = {}\nreturn function(p) rawset(t, 1, 2) end", "line 2 calls `rawset`"),
    "table.insert": ("local t = {}\nreturn function(p) table.insert(t, p.len) end", "line 2 writes the table `t`"),
    "table.sort": ("local t = { 2, 1 }\nreturn function(p) table.sort(t) end", "line 2 writes the table `t`"),
    "setmetatable": ("return function(p) setmetatable({}, {}) end", "line 1 calls `setmetatable`"),
    "cdata": ('local n = require("ffi").new("uint64_t[1]")\nreturn function(p) n[0] = n[0] + 1 end', "line 2 writes the cdata `n`"),
    "a struct": ('local ffi = require "ffi" local s = ffi.new("struct { int n; }")\nreturn function(p) s.n = s.n + 1 end', "line 2 .*understood"),
    "ffi.copy": ('local ffi = require "ffi" local b = ffi.new("uint8_t[4]")\nreturn function(p) ffi.copy(b, p.data, 4) end', "line 2 writes the cdata `b`"),
    "a cast": ('local ffi = require "ffi"\nreturn function(p) ffi.cast("uint8_t *", p.data)[0] = 1 end', "line 2 writes into memory"),
    "the packet": ("return function(p)\n  p.len = 1\nend", "line 2 writes into the packet"),
    "bytes of the packet": ("return function(p) p.data[0] = 1 end", "line 1 writes into the packet"),
    "C": ('local ffi = require "ffi"\nreturn function(p) ffi.C.sl_interrupt_at("x") end', "line 2 calls"),
    "random": ("return function(p) return math.random() < 0.5 end", "line 1 calls `random`"),
    "the clock": ("return function(p) return os.time() > p.t end", "line 1 calls `time`"),
    "output": ("return function(p) io.write(p.len) end", "line 1 calls `write`"),
    "print": ("return function(p) print(p.len) end", "line 1 calls `print`"),
    "a closure": ("return function(p)\n  local f = function() return p.len end\n  return f() > 1\nend", "line 2 makes a function"),
    "any number of arguments": ("return function(...) return ... end", "line 1 takes any number"),
    "calls with any number": ("local function n(...) return select('#', ...) end\nreturn function(p) return n(p.len) > 0 end", "line 2 calls a function of any number"),
    "calls what it finds": ("local f = { [6] = function() end }\nreturn function(p) local g = f[p.proto] or print g() end", "line 2 calls"),
    "a metatable": ("local t = setmetatable({}, { __index = function(t, k) rawset(t, k, 1) return 1 end })\nreturn function(p) return t[p.dport] == 1 end",
                    "line 2 .*not understood"),
    "a metatable's addition": ("local t = setmetatable({}, { __add = function() end })\nreturn function(p) return t + 1 end", "line 2 computes with"),
    "a metatable's comparison": ("local t = setmetatable({}, { __eq = function() end })\nlocal u = setmetatable({}, getmetatable(t))\n"
                                 "return function(p) return t == u end", "line 3 computes with"),
    "reads an aggregate": ('local c = count { "NAME", key = "port" }\nreturn function(p) return c:get(p.dport) == nil end', "line 2 .*understood"),
    "makes an aggregate": ('return function(p) count { "NAME" } end', "line .*"),
    "gsub with a function": ("local function f() end\nreturn function(p) return p.proto_name:gsub('t', f) end", "line 2 calls gsub"),
    "a coroutine": ("return function(p) return coroutine.wrap(print) end", "line 1 calls `wrap`"),
    "loads": ("return function(p) return loadstring('x = 1') end", "line 1 calls `loadstring`"),
    "keeps a flow": ("local kept = {}\nreturn function(f)\n  kept[1] = f:copy()\nend", "line 3 writes the table `kept`", "flow"),
    "writes a flow": ("return function(f) f.n_bytes[0] = 1 end", "line 1 writes into the packet or flow", "flow"),
}

ORDERED = {
    "its ordinal": ("return function(p) return p.flow_pkt == 1 end", "line 1 reads flow_pkt"),
    "its number": ("return function(p)\n  return p.number > 100\nend", "line 2 reads number"),
    "its flow": ("local c = count { 'NAME', key = 'flow' } return function(p) c:add(p.flow) end", "line 1 reads flow"),
    "its direction": ("return function(p) return p.dir == 0 end", "line 1 reads dir"),
    "in its own function": ("local function first(p) return p.flow_pkt == 1 end\nreturn function(p) return first(p) end", "line 1 reads flow_pkt"),
    "in a function of a table": ("local M = { first = function(p) return p.flow_pkt == 1 end }\nreturn function(p) return M.first(p) end",
                                 "line 1 reads flow_pkt"),
    "by a made up name": ("return function(p) return p['flow_' .. 'p' .. p.proto_name] end", "made up"),
    "stops": ("return function(p) if p.len > 9 then return stop end end", "it may stop the run early"),
    "not: sizes": ("return function(p) return p.len > 1 end", None),
    "not: a word in a text": ("return function(p) return p.proto_name == 'flow' end", None),
    "not: of a flow": ("return function(f) return f.number > 1 end", None, "flow"),
}


def test_gates():
    """Handlers of random tests do the same where their test was made for the whole batch before."""
    recipe = os.path.join(ROOT, "tests", "e2e", "gate_cases.lua")
    done = subprocess.run([PROGRAM, recipe, EXAMPLE], env={**os.environ, "CASES": "2000"}, check=False,
                          capture_output=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout)
    assert not told["wrong"], told["wrong"]
    assert told["gated"] > 1000 and told["shortened"] > 300, told


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """What one run of the program says of all cases, by table and name."""
    names, cases = [], []
    for table in ("SAFE", "UNSAFE", "ORDERED"):
        for name, case in globals()[table].items():
            case = (case,) if isinstance(case, str) else case
            kind = case[-1] if len(case) > 1 and case[-1] == "flow" else "packet"
            names.append((table, name))
            cases.append({"code": case[0], "kind": kind})
    path = tmp_path_factory.mktemp("uses") / "cases.json"
    path.write_text(json.dumps(cases))
    recipe = os.path.join(ROOT, "tests", "e2e", "uses_cases.lua")
    done = subprocess.run([PROGRAM, recipe, EXAMPLE], env={**os.environ, "CASES": str(path)}, check=False,
                          capture_output=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr.decode()
    return dict(zip(names, map(json.loads, done.stdout.decode().splitlines()), strict=True))


@pytest.mark.parametrize("name", SAFE)
def test_safe(judged, name):
    assert judged["SAFE", name] == {"parallel": True}


@pytest.mark.parametrize("name", UNSAFE)
def test_not_safe(judged, name):
    answer = judged["UNSAFE", name]
    assert not answer["parallel"]
    assert re.search(UNSAFE[name][1], answer["why"]), answer["why"]


@pytest.mark.parametrize("name", ORDERED)
def test_order(judged, name):
    want, answer = ORDERED[name][1], judged["ORDERED", name].get("ordered")
    assert want in answer if want else answer is None
