-- The values that stand in views: what kind each is, and its exact text for machine forms. Lists of
-- packets go through here cell by cell, and LuaJIT takes 15 tail calls in a trace at most: hence
-- return (f(x)) and not return f(x).
local ffi = require "ffi"
require "sluice.abi" -- struct sl_time

local value = {}

--- null, where a recipe means "there is none" inside a list.
value.null = setmetatable({}, { __tostring = function() return "null" end })

local object_tag, array_tag = {}, {}

--- An ordered object: value.object{ {"packets", 1}, {"bytes", 60} }.
function value.object(fields) return setmetatable(fields, object_tag) end

--- A list, also where it is empty.
function value.array(items) return setmetatable(items, array_tag) end

local int64_t, uint64_t = ffi.typeof "int64_t", ffi.typeof "uint64_t"
local sl_time, sl_addr = ffi.typeof "struct sl_time", ffi.typeof "struct sl_addr"

local function kind_of_table(v)
  if v == value.null then return "null" end
  local tag = getmetatable(v)
  if tag == object_tag then return "object" end
  if tag == array_tag or #v > 0 or next(v) == nil then return "array" end
  return "map"
end

--- "null", "boolean", "number", "integer" (64 bit), "time", "string", "object" (ordered), "array"
--- or "map" (a plain table with string keys). Anything else is what tostring() makes of it.
function value.kind(v)
  local t = type(v)
  if t == "nil" then return "null" end
  if t == "table" then
    local tag = getmetatable(v)
    if tag and tag.__tostring and v ~= value.null then return "string" end
    return (kind_of_table(v))
  end
  if t == "cdata" then
    if v == nil then return "null" end -- a NULL pointer
    if ffi.istype(int64_t, v) or ffi.istype(uint64_t, v) then return "integer" end
    return ffi.istype(sl_time, v) and "time" or "string"
  end
  return (t == "number" or t == "boolean") and t or "string"
end

-- The fewest digits that give the same double back.
local function shortest(n)
  for digits = 15, 17 do
    local text = ("%." .. digits .. "g"):format(n)
    if tonumber(text) == n then return text end
  end
end

--- A number's exact decimal text, whole numbers without exponent; nil for NaN and infinities.
--- type "time" or "duration": nanoseconds are enough, 0.1 + 0.2 is 0.3.
function value.number(n, column_type)
  if n ~= n or n == math.huge or n == -math.huge then return nil end
  if n == 0 then return "0" end
  if n % 1 == 0 and math.abs(n) < 2^53 then return (("%d"):format(n)) end
  if n % 1 == 0 and math.abs(n) < 1e21 then return (("%.0f"):format(n)) end
  if (column_type == "time" or column_type == "duration") and math.abs(n) < 1e12 then
    -- A double holds today's times to 0.2 us: more digits would be made up.
    local form = column_type == "time" and "%.6f" or "%.9f"
    local text = form:format(n):gsub("0+$", ""):gsub("%.$", "")
    return text == "-0" and "0" or text
  end
  return (shortest(n))
end

--- A 64-bit integer's digits, without LuaJIT's LL or ULL.
function value.integer(n)
  local number = tonumber(n) -- compiled, where tostring is not
  if number > -2^53 and number < 2^53 then return (("%d"):format(number)) end
  return (tostring(n):gsub("U?LL$", ""))
end

--- A struct sl_time as "s.nnnnnnnnn". Before 1970 too: the fraction counts upwards from s.
function value.time(ts)
  local s, nsec = ts.s, tonumber(ts.nsec)
  if s >= 0 or nsec == 0 then return (("%s.%09d"):format(value.integer(s), nsec)) end
  local whole = value.integer(-(s + 1))
  return ("-%s.%09d"):format(whole, 1000000000 - nsec)
end

--- Any value as a Lua number for charts and sorting; nil where it is none.
function value.tonumber(v)
  local kind = value.kind(v)
  if kind == "number" then return v == v and math.abs(v) ~= math.huge and v or nil end
  if kind == "integer" then return tonumber(v) end
  if kind == "time" then return tonumber(v.s) + tonumber(v.nsec) / 1e9 end
end

--- A scalar's plain text; null is "". Lists (the pairs that are keys of aggregates) join with ", ".
function value.text(v, column_type)
  local kind = value.kind(v)
  if kind == "null" then return "" end
  if kind == "number" then return value.number(v, column_type) or "" end
  if kind == "integer" then return (value.integer(v)) end
  if kind == "time" then return (value.time(v)) end
  if kind == "array" then
    local out = {}
    for i = 1, #v do out[i] = value.text(v[i]) end
    return table.concat(out, ", ")
  end
  if ffi.istype(sl_addr, v) then return (v:text()) end
  return tostring(v)
end

return value
