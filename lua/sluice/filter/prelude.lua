-- What compiled filters begin with: the functions that their expressions call.
local prelude = {}

-- What generated code may use. Each is declared when the expression calls it.
local HELPERS = {
  { "country", "local country = filter.country" },
  { "service", "local service = filter.service" },
  { "str", "local str = ffi.string" },
  { "find", "local find = string.find" },
  { "upper", "local upper = string.upper" },
  { "lower", "local lower = string.lower" },
  { "floor", "local floor = math.floor" },
  { "f_quotient", [[
local floor, ceil = math.floor, math.ceil
local function f_quotient(a, b)
  local q = a / b
  return q < 0 and ceil(q) or floor(q)
end]] },
  -- What a division leaves, with the sign of a, as in C; LuaJIT does not compile math.fmod.
  { "f_remainder", [[
local floor, ceil = math.floor, math.ceil
local function f_remainder(a, b)
  local q = a / b
  return a - b * (q < 0 and ceil(q) or floor(q))
end]] },
  -- Bit 31: x is 0.
  { "f_zero", "local function f_zero(x) return band(bnot(x), x - 1) end" },
  -- The first of two 128-bit numbers in four words is less.
  { "f_less4", [[
local function f_less4(a, b, c, d, e, f, g, h)
  return a < e or a == e and (b < f or b == f and (c < g or c == g and d < h))
end]] },
  -- Captured bytes of [from, to).
  { "f_span", [[
local function f_span(p, from, to)
  to = to < p.caplen and to or p.caplen
  return to > from and to - from or 0
end]] },
  -- Byte strings in order: negative, 0, positive. Shorter ones come first, as Wireshark has it.
  { "f_order", [[
local function f_order(a, m, b, n)
  return m ~= n and m - n or C.memcmp(a, b, m)
end]] },
  -- f_tag: where what is in the next tag of one of two ethertypes begins, or 0; `at` is the place
  -- of an ethertype. Up to four other tags are passed; written without a loop, because LuaJIT
  -- compiles innermost loops. f_next_tag: the same behind a tag; f_label: the MPLS label behind it.
  { "f_tag", [[
local function f_type(p, at)
  return at + 6 <= p.caplen and bor(lshift(p.data[at], 8), p.data[at + 1]) or 0
end
local function f_is_tag(etype)
  return etype == 0x8100 or etype == 0x88a8 or etype == 0x9100
end
local function f_tag(p, at, a, b)
  local etype = f_type(p, at)
  if etype == a or etype == b then return at + 2 elseif not f_is_tag(etype) then return 0 end
  etype = f_type(p, at + 4)
  if etype == a or etype == b then return at + 6 elseif not f_is_tag(etype) then return 0 end
  etype = f_type(p, at + 8)
  if etype == a or etype == b then return at + 10 elseif not f_is_tag(etype) then return 0 end
  etype = f_type(p, at + 12)
  if etype == a or etype == b then return at + 14 elseif not f_is_tag(etype) then return 0 end
  etype = f_type(p, at + 16)
  return (etype == a or etype == b) and at + 18 or 0
end
local function f_next_tag(p, at, a, b)
  return at > 0 and f_tag(p, at + 2, a, b) or 0
end
local function f_label(p, at)
  return at > 0 and at + 8 <= p.caplen and band(p.data[at + 2], 1) == 0 and at + 4 or 0
end]] },
}

local BASE = [[
local ffi, bit = require "ffi", require "bit"
local C = ffi.C
local band, bor, bxor, bnot = bit.band, bit.bor, bit.bxor, bit.bnot
local lshift, rshift = bit.lshift, bit.rshift]]

--- What code that calls helpers declares before it; its objects are in `filter`, by these names.
function prelude.of(source, names)
  local lines = { BASE }
  for _, helper in ipairs(HELPERS) do
    if source:find("%f[%w_]" .. helper[1] .. "%(") then
      lines[#lines + 1] = helper[2]
    end
  end
  for _, name in ipairs(names or {}) do
    lines[#lines + 1] = ("local %s = filter.%s"):format(name, name)
  end
  return table.concat(lines, "\n") .. "\n"
end

return prelude
