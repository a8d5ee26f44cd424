-- Fields as text, in the forms in which tshark prints them with -T fields -e: numbers in the base
-- of the field, addresses, bytes in hexadecimal, times with nine digits. One field after the other
-- becomes Lua source, so that LuaJIT compiles the whole row.
local cond = require "sluice.filter.cond"
local objects = require "sluice.filter.objects"
local prelude = require "sluice.filter.prelude"
local registry = require "sluice.filter.registry"
local units = require "sluice.units"

local show = {}

local text = {}

function text.number(field, alt)
  local expr = alt.expr
  if field.name == "frame.time_relative" then return "f_since(p)" end
  if alt.range == "u32" then expr = ("(%s) %% 4294967296"):format(expr) end
  if field.hex then return ("format('0x%%0%dx', %s)"):format(field.hex, expr) end
  if field.fraction then return ("format('%%.9f', %s)"):format(expr) end
  return ("format('%%d', %s)"):format(expr)
end

function text.ipv4(_, alt)
  return alt.address .. ":text()"
end

-- ::ffff:a.b.c.d is an IPv6 address here.
function text.ipv6(_, alt)
  return ("f_ipv6(%s)"):format(alt.address)
end

function text.ether(_, alt)
  return ("f_ether(p.data + %s)"):format(alt.off)
end

function text.bytes(_, alt)
  return ("f_hex(p.data + %s, %s)"):format(alt.off, alt.len)
end

function text.text(_, alt)
  return alt.expr
end

function text.time(field, alt)
  return ("%s(%s, %s)"):format(field.name == "frame.time" and "f_date" or "f_epoch", alt.s, alt.ns)
end

-- A protocol has no value: its name says that it is there.
local function protocol(field)
  return ("%q"):format(field.name)
end

local ENV = {}

local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
  "Dec" }

-- "Dec 12, 2003" of a day; packets of a day follow one another, so it is made seldom.
local day_shown, day_text

local function day(s)
  local number = math.floor(s / 86400)
  if number ~= day_shown then
    local y, m, d = units.date(s):match "^(%-?%d+)-(%d+)-(%d+)$"
    day_shown = number
    day_text = ("%s %2d, %d"):format(MONTHS[tonumber(m)], tonumber(d), tonumber(y))
  end
  return day_text
end

--- "Dec 12, 2003 14:59:33.519870000 UTC"
function ENV.f_date(s, ns)
  s = tonumber(s)
  return (("%s %s.%09d UTC"):format(day(s), units.clock(s, true), tonumber(ns)))
end

--- Seconds since 1970; a time before it counts down from 0.
function ENV.f_epoch(s, ns)
  s, ns = tonumber(s), tonumber(ns)
  if s >= 0 or ns == 0 then return (("%d.%09d"):format(s, ns)) end
  return ((s == -1 and "-%d.%09d" or "%d.%09d"):format(s + 1, 1000000000 - ns))
end

show.epoch = ENV.f_epoch

function ENV.f_ipv6(a)
  local shown = a:text()
  if a:is_ipv4() then return "::ffff:" .. shown end
  return shown
end

function ENV.f_ether(at)
  return (("%02x:%02x:%02x:%02x:%02x:%02x"):format(at[0], at[1], at[2], at[3], at[4], at[5]))
end

-- LuaJIT compiles neither string.byte of many nor gsub; a table of pairs it does.
local PAIRS = {}
for i = 0, 255 do PAIRS[i] = ("%02x"):format(i) end

function ENV.f_hex(at, n)
  local out = {}
  for i = 0, n - 1 do out[i + 1] = PAIRS[at[i]] end
  return (table.concat(out))
end

-- Seconds from the capture's first packet. p.t is a double, which has no nanoseconds after a
-- hundred days; so the time it counts from is taken from the first packet that is shown.
local function since()
  local origin_s, origin_ns
  return function(p)
    local s, ns = tonumber(p.ts.s), tonumber(p.ts.nsec)
    if not origin_s then
      local t = math.floor(p.t)
      origin_s = s - t
      origin_ns = ns - math.floor((p.t - t) * 1e9 + 0.5)
    end
    s, ns = s - origin_s, ns - origin_ns
    if ns < 0 then s, ns = s - 1, ns + 1000000000 end
    if ns >= 1000000000 then s, ns = s + 1, ns - 1000000000 end
    return (ENV.f_epoch(s, ns))
  end
end

local HELPERS = { "f_since", "f_date", "f_epoch", "f_ipv6", "f_ether", "f_hex" }

-- The expressions of a field's values: text, or nil where the packet has none.
local function values_of(field)
  if field.type == "protocol" then
    return { ("%s and %s or nil"):format(cond.render(field.guard), protocol(field)) }
  end
  local list = {}
  for i, alt in ipairs(field.alts) do
    local guard = alt.present and cond.all { field.guard, alt.present } or field.guard
    list[i] = ("%s and %s or nil"):format(cond.render(guard), text[field.type](field, alt))
  end
  return list
end

-- occurrence: "a" all values, "f" the first, "l" the last of those that the packet has.
local function chosen(values, occurrence)
  if #values == 1 or occurrence == "a" then return values end
  if occurrence == "f" then return { values[1] } end
  local last = {}
  for i, value in ipairs(values) do last[#values + 1 - i] = "(" .. value .. ")" end
  return { table.concat(last, " or ") }
end

-- Lines that put several values into cells[i], in their order; a packet may have some of them.
local function gathered(i, values, join)
  local lines = { "  do local all" }
  for _, value in ipairs(values) do
    lines[#lines + 1] = "  local v = " .. value
    lines[#lines + 1] = join
      and ("  if v then all = all and all .. %q .. v or v end"):format(join)
      or "  if v then all = all or {}; all[#all + 1] = v end"
  end
  lines[#lines + 1] = ("  cells[%d] = all or false end"):format(i)
  return table.concat(lines, "\n")
end

--- Whether there is such a field of packets, and else names like it.
function show.find(name)
  local field = registry.find("packet", name)
  if field then return field end
  return nil, registry.nearest("packet", name)
end

--- A function(p, cells) that fills cells[i] for each of the fields: text, or false where the packet
--- does not have it. join: what stands between several values, or nil: these become a list.
function show.row(fields, occurrence, join, env)
  local source, packed = {}, objects.new(env)
  for i, field in ipairs(fields) do
    local values = chosen(values_of(field), occurrence)
    source[#source + 1] = #values > 1 and gathered(i, values, join)
      or ("  cells[%d] = %s or false"):format(i, values[1])
  end
  local body = table.concat(source, "\n")
  local declared = prelude.of(body, packed.names)
  for _, name in ipairs(HELPERS) do
    if body:find(name, 1, true) then
      declared = declared .. ("local %s = show.%s\n"):format(name, name)
    end
  end
  local chunk = "local filter, show = ...\nlocal format = string.format\n" .. declared
    .. "return function(p, cells)\n" .. body .. "\nend"
  local helpers = setmetatable({ f_since = since() }, { __index = ENV })
  return assert(loadstring(chunk, "=fields"))(packed.values, helpers)
end

return show
