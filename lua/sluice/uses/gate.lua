-- The test that a packet handler begins with, read off its bytecode: `if p.proto == 6 and p.dport
-- == 443 then … end` and the like. Comparisons of numbers of the packet with each other and with
-- constants change nothing, so they can be made for all packets of a batch first, in a loop without
-- branches (sluice.loops), and the handler is called for those alone with which it would go on.
-- Branches that vary cost LuaJIT side traces, each of which does again what the loop does once.
--
-- Every instruction is reached under a condition: a jump adds its own, and where ways meet either
-- holds. Packets for which the handler returns without a further step are left out. Jumps back,
-- and all that is not understood, count as going on.
local bit = require "bit"
local behind = require "sluice.uses.behind"
local bytecode = require "sluice.uses.bytecode"
local cond = require "sluice.filter.cond"
local jutil = require "jit.util"
local number = require "sluice.filter.number"

local gate = {}

local MAX_TESTS = 24

-- Fields of struct sl_packet (src/abi.h) by the range of number.lua.
local RANGES = {
  small = { "link_type", "iface", "input", "no_time", "ethertype", "vlan_id", "skip", "ip_version",
    "frag_more", "ttl", "tos", "proto", "sport", "dport", "window", "tcp_flags", "icmp_type",
    "icmp_code", "arp_op", "dir" },
  u32 = { "caplen", "len", "net_off", "ip_len", "ip_id", "frag_offset", "l4_off", "l4_cap",
    "payload_off", "payload_cap", "payload_len", "seq", "ack", "eth_off", "flow" },
}

local FIELDS = {}
for range, names in pairs(RANGES) do
  for _, name in ipairs(names) do FIELDS[name] = { expr = "p." .. name, range = range } end
end

local PACKET, BAND = { is = "packet" }, { is = "band" }

local function whole(n)
  local constant = number.constant(n)
  return constant.range ~= "wide" and constant or nil
end

local Gate = {}
Gate.__index = Gate

-- ---- what a register is made of; nil: not understood ----

local LOAD = {}

function LOAD.TGETS(g, ins, registers)
  return registers[ins.b] == PACKET and FIELDS[bytecode.text(g.f, ins.c)]
end

function LOAD.KSHORT(_, ins)
  return whole(ins.d < 0x8000 and ins.d or ins.d - 0x10000)
end

function LOAD.KNUM(g, ins)
  return whole(jutil.funck(g.f, ins.d))
end

function LOAD.KPRI(_, ins)
  return { is = ({ [0] = "nil", "false", "true" })[ins.d] }
end

function LOAD.MOV(_, ins, registers)
  return registers[ins.d]
end

-- A constant that the handler has from outside.
function LOAD.UGET(g, ins)
  if not g.code.fixed[ins.d] then return nil end
  local _, v = debug.getupvalue(g.f, ins.d + 1)
  return v == bit.band and BAND or type(v) == "number" and whole(v)
end

-- band(p.tcp_flags, 2)
function LOAD.CALL(_, ins, registers)
  local first = ins.a + bytecode.FIRST_ARGUMENT
  local x, y = registers[first], registers[first + 1]
  if registers[ins.a] ~= BAND or ins.b ~= 2 or ins.c ~= 3 then return nil end
  local v = x and y and x.expr and y.expr and number.arith("&", x, y)
  return v and v.range ~= "wide" and v
end

-- ---- tests ----

-- left, right of a comparison; a < b stands for what is compared in the others' places.
local TESTS = {
  ISEQV = { number.eq }, ISNEV = { number.eq, negated = true },
  ISEQN = { number.eq, constant = true }, ISNEN = { number.eq, constant = true, negated = true },
  ISLT = { number.lt }, ISGE = { number.lt, negated = true },
  ISGT = { number.lt, turned = true }, ISLE = { number.lt, turned = true, negated = true },
}

-- The condition of a comparison as signs, or nil.
local function condition(g, ins, registers)
  local t = TESTS[ins.op]
  local a = registers[ins.a]
  local b = not t.constant and registers[ins.d] or t.constant and whole(jutil.funck(g.f, ins.d))
  if not a or not b or not a.expr or not b.expr then return nil end
  if t.turned then a, b = b, a end
  local c = t[1](a, b)
  if c.kind == "test" then return nil end
  return t.negated and cond.negate(c) or c
end

-- ---- ways through the handler ----

-- Registers as they are on both ways.
local function common(one, other)
  local both = {}
  for r, v in pairs(one) do
    if other[r] and (other[r] == v or v.expr and other[r].expr == v.expr) then both[r] = v end
  end
  return both
end

-- nil, false and true, which decide what is returned, are not mixed where ways meet.
local function key_of(registers, n)
  local key = {}
  for r = 0, n - 1 do
    local v = registers[r]
    key[#key + 1] = v and not v.expr and v.is or "-"
  end
  return table.concat(key, " ")
end

-- Behind the test, at the instruction `at`, when the condition holds.
function Gate:goes_on(at, when)
  self.calls[#self.calls + 1] = when
  self.entry = (self.entry or at) == at and at or 0 -- 0: at several places
end

-- The instruction at `at` is reached with these registers when the condition holds.
function Gate:reach(at, registers, when)
  if at <= self.at then -- a loop
    self:goes_on(at, when)
    return
  end
  local here = self.ways[at] or {}
  self.ways[at] = here
  local key = key_of(registers, self.size)
  for _, way in ipairs(here) do
    if way.key == key then
      way.registers = common(way.registers, registers)
      way.when[#way.when + 1] = when
      return
    end
  end
  here[#here + 1] = { key = key, registers = registers, when = { when } }
end

-- Gives a condition a name, because several will be made of it.
function Gate:named(c)
  if c.kind ~= "sign" then return c end
  local name = "c" .. #self.steps + 1
  self.steps[#self.steps + 1] = ("local %s = %s"):format(name, c[1])
  return cond.sign(name)
end

local function target(ins)
  return ins.at + 1 + ins.d - 0x8000
end

-- What may be returned without being called for: the loops look for false only where packets are
-- written, and always for stop.
function Gate:is_silent(ins, registers)
  if ins.op == "RET0" then return true end
  local v = ins.op == "RET1" and registers[ins.a]
  return v and not v.expr
    and (v.is == "nil" or v.is == "true" or v.is == "false" and not self.writes)
end

function Gate:test(ins, registers, when)
  local c = self.tests < MAX_TESTS and condition(self, ins, registers)
  if not c then return false end
  self.tests = self.tests + 1
  c, when = self:named(c), self:named(when)
  self:reach(target(self.code[ins.at + 1]), registers, cond.all { when, c })
  self:reach(ins.at + 2, registers, cond.all { when, cond.negate(c) })
  return true
end

function Gate:load(ins, registers, when)
  local v = LOAD[ins.op](self, ins, registers)
  if not v then return false end
  local after = {}
  for r, of in pairs(registers) do after[r] = of end
  after[ins.a] = v
  self.loaded[ins.a] = true
  self:reach(ins.at + 1, after, when)
  return true
end

function Gate:take(ins, registers, when)
  if LOAD[ins.op] then return self:load(ins, registers, when) end
  if TESTS[ins.op] then return self:test(ins, registers, when) end
  if ins.op == "JMP" then
    self:reach(target(ins), registers, when)
    return true
  end
  return self:is_silent(ins, registers)
end

function Gate:walk()
  self:reach(1, { [0] = PACKET }, cond.TRUE)
  for at, ins in ipairs(self.code) do
    self.at = at
    for _, way in ipairs(self.ways[at] or {}) do
      local when = cond.any(way.when)
      if when ~= cond.FALSE and not self:take(ins, way.registers, when) then
        self:goes_on(at, when)
      end
    end
  end
end

local function walk(handler, writes)
  local info = jutil.funcinfo(handler)
  if info.addr or info.isvararg or info.params == 0 then return nil end
  local g = setmetatable({ f = handler, code = bytecode.of(handler), writes = writes, ways = {},
    steps = {}, calls = {}, loaded = {}, tests = 0, at = 0, size = info.stackslots }, Gate)
  g:walk()
  return g.tests > 0 and g
end

--- gate.of(handler, writes) -> { steps, sign, handler }: Lua statements over the local `p`, an
--- integer expression whose bit 31 tells that the handler goes on, and a function to call then,
--- which is the handler without its test where that can be. Nil: it does not begin with a test that
--- is understood. writes: the run writes packets, and asks for the handler's answer.
function gate.of(handler, writes)
  local g = walk(handler, writes)
  local calls = g and cond.any(g.calls)
  if not g or calls.kind ~= "sign" then return nil end
  local rest = g.entry > 0 and behind.of(handler, g.code, g.entry, g.loaded)
  return { steps = table.concat(g.steps, "\n"), sign = calls[1], handler = rest or handler }
end

--- Whether all that a handler does before its first upvalue is such a test.
function gate.is_whole(handler)
  local g = walk(handler, false)
  return g and (g.entry or 0) > 0 and g.code[g.entry].op == "UGET"
end

return gate
