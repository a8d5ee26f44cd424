-- What a register may hold while a handler runs, as far as its bytecode tells: a set of kinds, and
-- of Lua values that are known because they came from an upvalue or a global.
local ffi = require "ffi"
local aggregate = require "sluice.aggregate"

local value = {}

-- Kinds:
--   scalar    a number, text, boolean or nil: nothing can be changed through it
--   packet, flow   the handler's argument
--   data      what was read of these: addresses, times, views, bytes. Its methods change nothing
--   method    a method of one of these
--   state     the recipe's own fields beside a flow, which it may write
--   add       the method of an aggregate that fills it
--   fresh     a table that the handler made
--   own       cdata that the handler made
--   plain     something inside a table from outside: scalars and tables without metatables only
--   foreign   something inside cdata from outside
--   unknown   anything
local KINDS = { "scalar", "packet", "flow", "data", "method", "state", "add", "fresh", "own",
  "plain", "foreign", "unknown" }

local MAX_KNOWN = 8 -- known values in one register
local MAX_SCANNED = 1e5 -- entries of a table that are looked at

local addr_t, time_t = ffi.typeof "struct sl_addr", ffi.typeof "struct sl_time"

local interned, ids, n_ids = {}, setmetatable({}, { __mode = "k" }), 0

local function id_of(v)
  if not ids[v] then
    n_ids = n_ids + 1
    ids[v] = n_ids
  end
  return ids[v]
end

-- Equal sets are the same table, so that == tells whether something has changed.
local function intern(kinds, known, name)
  local parts, numbers = {}, {}
  for _, kind in ipairs(KINDS) do
    if kinds[kind] then parts[#parts + 1] = kind end
  end
  for i, v in ipairs(known) do numbers[i] = id_of(v) end
  table.sort(numbers)
  local key = table.concat(parts, " ") .. " " .. table.concat(numbers, " ")
  local set = interned[key]
  if not set then
    set = { kinds = kinds, known = known, name = name }
    interned[key] = set
  end
  return set
end

--- A set of these kinds.
function value.of(...)
  local kinds = {}
  for _, kind in ipairs { ... } do kinds[kind] = true end
  return intern(kinds, {})
end

value.NOTHING = value.of()
value.SCALAR = value.of "scalar"
value.UNKNOWN = value.of "unknown"

--- A Lua value that is known. name: what the recipe calls it.
function value.known(v, name)
  local kind = type(v)
  if kind == "number" or kind == "string" or kind == "boolean" or v == nil then
    return value.SCALAR
  elseif kind == "thread" then
    return value.UNKNOWN
  end
  return intern({}, { v }, name)
end

--- What is in either set.
function value.join(a, b)
  if a == b or b == value.NOTHING then return a end
  if a == value.NOTHING then return b end
  local kinds, known, has = {}, {}, {}
  for _, set in ipairs { a, b } do
    for kind in pairs(set.kinds) do kinds[kind] = true end
    for _, v in ipairs(set.known) do
      if not has[v] then
        has[v] = true
        known[#known + 1] = v
      end
    end
  end
  if #known > MAX_KNOWN then return value.UNKNOWN end
  return intern(kinds, known, a.name or b.name)
end

--- Whether the set has this kind.
function value.has(set, kind)
  return set.kinds[kind] == true
end

local function is_address(v)
  return ffi.istype(addr_t, v) or ffi.istype(time_t, v)
end

-- Whether cdata may have a metatype that is not sluice's.
local function is_struct(v)
  local name = tostring(ffi.typeof(v))
  return not is_address(v) and (name:match "struct" or name:match "union") ~= nil
end

--- Whether arithmetic, comparing and making text of it calls no function of a recipe's.
function value.is_inert(set)
  if set.kinds.unknown then return false end
  for _, v in ipairs(set.known) do
    local meta = type(v) == "table" and getmetatable(v)
    if meta or type(v) == "userdata" or (type(v) == "cdata" and is_struct(v)) then return false end
  end
  return true
end

-- Whether t holds, however deep, only scalars, addresses and tables without metatables.
local function is_plain(t, seen, left)
  if seen[t] then return left end
  seen[t] = true
  if getmetatable(t) ~= nil then return nil end
  for _, v in next, t do
    left = left - 1
    if left < 0 then return nil end
    local kind = type(v)
    if kind == "table" then
      left = is_plain(v, seen, left)
      if not left then return nil end
    elseif kind == "function" or kind == "userdata" or kind == "thread"
      or (kind == "cdata" and not is_address(v)) then
      return nil
    end
  end
  return left
end

local function element_of_table(t)
  if getmetatable(t) ~= nil then return value.UNKNOWN end
  if is_plain(t, {}, MAX_SCANNED) then return value.of("scalar", "plain") end
  local set = value.SCALAR
  for _, v in next, t do
    set = value.join(set, value.known(v))
    if set == value.UNKNOWN then break end
  end
  return set
end

-- Of arrays of numbers; what a struct or a metatype would do when it is indexed cannot be seen.
local function element_of_cdata(v)
  if is_address(v) then return value.of("scalar", "data", "method") end
  if is_struct(v) then return value.UNKNOWN end
  return value.of("scalar", "foreign")
end

-- What stands at a field of a table, or of the table that its metatable names.
local function field_of_table(t, key)
  for _ = 1, 10 do
    local v = rawget(t, key)
    if v ~= nil then return value.known(v, tostring(key)) end
    local meta = getmetatable(t)
    if meta == nil then return value.SCALAR end
    t = type(meta) == "table" and rawget(meta, "__index")
    if type(t) ~= "table" then return value.UNKNOWN end
  end
  return value.UNKNOWN
end

--- What known[key] may be; key nil: it is not known which.
function value.field(v, key)
  if type(v) == "table" then
    if aggregate.is(v) then return key == "add" and value.of "add" or value.UNKNOWN end
    if key == nil then return element_of_table(v) end
    return field_of_table(v, key)
  elseif type(v) == "cdata" then
    return element_of_cdata(v)
  end
  return value.UNKNOWN
end

return value
