-- IP addresses as values: they compare, print, test against CIDR blocks and key aggregates without
-- becoming strings. Inside they are four 32-bit words (struct sl_addr, src/abi.h).
local ffi = require "ffi"
local bit = require "bit"
local C = require("sluice.abi").C

local band, bxor, tobit, lshift = bit.band, bit.bxor, bit.tobit, bit.lshift

local address = {}

local addr_t = ffi.typeof "struct sl_addr"
local text = ffi.new "char[46]"
local bits = ffi.new "int[1]"

local Addr = {}
Addr.__index = Addr

--- a:text() -> "192.0.2.1". The same as tostring(a), but LuaJIT compiles it.
function Addr.text(a)
  return (ffi.string(text, C.sl_addr_text(a, text)))
end

Addr.__tostring = Addr.text

-- LuaJIT asks here for a == nil too. A string is never equal, which is never what was meant.
function Addr.__eq(a, b)
  if type(a) == "string" or type(b) == "string" then
    error("compare addresses with addr \"192.0.2.1\" or p.src:within(net \"192.0.2.0/24\")", 2)
  end
  return ffi.istype(addr_t, a) and ffi.istype(addr_t, b) and a.w[3] == b.w[3]
    and a.w[2] == b.w[2] and a.w[1] == b.w[1] and a.w[0] == b.w[0]
end

--- a:is_ipv4() -> true for IPv4, false for IPv6.
function Addr.is_ipv4(a)
  return a.w[0] == 0 and a.w[1] == 0 and a.w[2] == 0xffff
end

--- a:within(block) -> whether a lies in net "10.0.0.0/8".
function Addr.within(a, block)
  return band(bxor(tobit(a.w[3]), block.v3), block.m3) == 0
    and band(bxor(tobit(a.w[2]), block.v2), block.m2) == 0
    and band(bxor(tobit(a.w[1]), block.v1), block.m1) == 0
    and band(bxor(tobit(a.w[0]), block.v0), block.m0) == 0
end

--- a:copy() -> an address of its own; p.src is only good until the handler returns.
function Addr.copy(a)
  return ffi.new("struct sl_addr", a)
end

ffi.metatype("struct sl_addr", Addr)

local function parse(s)
  local a = ffi.new "struct sl_addr"
  if type(s) ~= "string" or C.sl_addr_parse(s, a, bits) < 0 then return nil end
  return a, bits[0]
end

local function mask(prefix, word)
  local n = math.max(0, math.min(32, prefix - 32 * word))
  return n == 0 and 0 or lshift(-1, 32 - n)
end

-- Texts are constants of recipes, asked for again with each packet by one-liners such as
-- p.src:within(net "10.0.0.0/8"); found by text, the result is a constant of the compiled loop. Who
-- makes up texts as he goes finds no more than MAX_KNOWN of them kept.
local MAX_KNOWN = 1000

local function remembered(make)
  local known, n = {}, 0
  return function(s)
    local v = known[s]
    if v then return v end
    v = make(s)
    if n < MAX_KNOWN then
      known[s], n = v, n + 1
    end
    return v
  end
end

-- first: the address that it begins with.
local function block_of(s)
  local a, prefix = parse(s)
  if not a then return nil end
  local block = { text = s, first = a }
  for i = 0, 3 do block["v" .. i], block["m" .. i] = tobit(a.w[i]), mask(prefix, i) end
  return block
end

--- net "10.0.0.0/8", net "2001:db8::/32", net "192.0.2.1" -> a block for addr:within(block).
address.net = remembered(function(s)
  local block = block_of(s)
  if not block then
    error(("net: %q is not an address or CIDR block"):format(tostring(s)), 3)
  end
  return block
end)

-- In rows blocks stand as values, so they print. Those of handlers have no metatable: that they do
-- no more than compare must be seen in the bytecode (sluice.uses).
local Block = { __tostring = function(block) return block.text end }

--- address.shown("10.0.0.0/8") -> a block that prints.
function address.shown(s)
  return setmetatable(block_of(s), Block)
end

--- addr "192.0.2.1" -> an address, to compare with p.src == a.
address.addr = remembered(function(s)
  local a, prefix = parse(s)
  if not a or prefix ~= 128 then
    error(("addr: %q is not an address"):format(tostring(s)), 3)
  end
  return a
end)

return address
