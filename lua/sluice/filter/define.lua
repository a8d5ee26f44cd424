-- Words in which the field registries are written.
--
-- A field: { name, type, about, guard = condition under which the packet has it, alts = its
-- values (more than one: ip.addr), max, names, boolean, fraction }. Types: protocol, number,
-- ipv4, ipv6, addr, ether, bytes, text, time. Values are described in number.lua, address.lua,
-- bytes.lua and scalar.lua; one with deferred = true reads packet bytes, so that it must not be
-- evaluated where the guard is false.

local bit, ffi = require "bit", require "ffi"
local cond = require "sluice.filter.cond"

local define = {}

-- The packet has this header. Bit 31 of the shifted word is the protocol's.
function define.met(...)
  local list = {}
  for i, name in ipairs { ... } do
    local at = tonumber(ffi.C["SL_P_" .. name])
    list[i] = cond.sign(("lshift(p.protos_w[%d], %d)"):format(math.floor(at / 32), 31 - at % 32))
  end
  return cond.any(list)
end

-- expr == n for a small non-negative expr.
function define.is(expr, n)
  return cond.sign(("bxor(%s, %d) - 1"):format(expr, n))
end

function define.positive(expr)
  return cond.sign("0 - " .. expr)
end

-- The first n bytes from `off` on were captured.
function define.holds(off, n)
  return cond.sign(("%s + %d - p.caplen"):format(off, n - 1))
end

-- A number field from 0 to max; further values of a field that has several as further arguments.
function define.number(name, guard, max, about, ...)
  local alts = {}
  for i, expr in ipairs { ... } do
    local small = max < 2 ^ 31
    alts[i] = { expr = expr, range = small and "small" or max < 2 ^ 32 and "u32" or "wide",
      max = small and max or nil }
  end
  return { name = name, type = "number", guard = guard, max = max, about = about, alts = alts }
end

-- A number read from the packet's bytes.
function define.read(...)
  local field = define.number(...)
  for _, alt in ipairs(field.alts) do
    alt.deferred = true
  end
  return field
end

-- Shown in hexadecimal, as tshark shows it.
function define.hex(digits, field)
  field.hex = digits
  return field
end

-- A bit of a small number.
function define.flag(name, guard, about, expr, mask)
  local shift = math.floor(math.log(mask) / math.log(2) + 0.5)
  local field = define.number(name, guard, 1, about,
    shift == 0 and ("band(%s, 1)"):format(expr) or ("band(rshift(%s, %d), 1)"):format(expr, shift))
  field.boolean = true
  return field
end

function define.deferred(field)
  field.alts[1].deferred = true
  return field
end

function define.any_number(name, guard, about, expr, fraction)
  return { name = name, type = "number", guard = guard, about = about, fraction = fraction,
    alts = { { expr = expr, range = "wide", fraction = fraction } } }
end

function define.time(name, guard, about, expr)
  return { name = name, type = "time", guard = guard, about = about,
    alts = { { s = expr .. ".s", ns = expr .. ".nsec" } } }
end

-- off: where the packet holds the address (nil: not sliced).
function define.ipv4(name, guard, about, ...)
  local alts = {}
  for i, at in ipairs { ... } do
    alts[i] = { expr = at[1] .. ".w[3]", range = "u32", off = at[2], address = at[1] }
  end
  return { name = name, type = "ipv4", guard = guard, about = about, alts = alts }
end

function define.ipv6(name, guard, about, ...)
  local alts = {}
  for i, at in ipairs { ... } do
    local w = {}
    for word = 1, 4 do
      w[word] = ("%s.w[%d]"):format(at[1], word - 1)
    end
    alts[i] = { w = w, off = at[2], address = at[1] }
  end
  return { name = name, type = "ipv6", guard = guard, about = about, alts = alts }
end

function define.ether(name, guard, about, ...)
  local alts = {}
  for i, off in ipairs { ... } do
    alts[i] = { off = off, len = 6, deferred = true }
  end
  return { name = name, type = "ether", guard = guard, about = about, alts = alts }
end

function define.bytes(name, guard, about, off, len)
  return { name = name, type = "bytes", guard = guard, about = about,
    alts = { { off = off, len = len, deferred = true } } }
end

-- off, len: its header; search: bytes from off on that contains and matches look at; inside: the
-- condition under which these are known.
function define.protocol(name, guard, about, region)
  local field = { name = name, type = "protocol", guard = guard, about = about, alts = {} }
  if region then
    field.alts[1] = { off = region.off, len = region.len, search = region.search,
      present = region.inside, deferred = true }
  end
  return field
end

-- expr may be nil, which is: the packet does not have the field.
function define.text(name, guard, about, ...)
  local alts = {}
  for i, expr in ipairs { ... } do
    alts[i] = { expr = expr, present = cond.test(("(%s ~= nil)"):format(expr)), deferred = true }
  end
  return { name = name, type = "text", guard = guard, about = about, alts = alts }
end

function define.u8(off, at)
  return ("p.data[%s + %d]"):format(off, at)
end

function define.u16(off, at)
  return ("bor(lshift(p.data[%s + %d], 8), p.data[%s + %d])"):format(off, at, off, at + 1)
end

function define.u32(off, at)
  return ("(%s * 65536 + %s)"):format(define.u16(off, at), define.u16(off, at + 2))
end

-- The number is one of `list`, all below 32.
function define.one_of(expr, list)
  local mask = 0
  for _, n in ipairs(list) do
    mask = bit.bor(mask, bit.lshift(1, n))
  end
  return cond.sign(("band(lshift(%d, 31 - %s), %s - 32)"):format(mask, expr, expr))
end

return define
