-- Functions that a handler may call although their bytecode does not show what they do: C
-- functions of LuaJIT's library, and functions of sluice's own that remember what they have looked
-- up. Each gives the same for the same arguments and changes nothing that can be seen.
local ffi = require "ffi"
local address = require "sluice.address"
local geo = require "sluice.geo"
local services = require "sluice.services"
local value = require "sluice.uses.value"

local known = {}

local SCALAR = value.SCALAR
local has, join = value.has, value.join

--- known.rules[f] = function(call, args) -> what f returns. call: see sluice.uses.effects.
local rules = setmetatable({}, { __mode = "k" })
known.rules = rules

local function all_inert(call, args)
  for _, set in ipairs(args) do
    if not value.is_inert(set) then call:refuse "uses a value that is not understood" end
  end
end

local function scalar(call, args)
  all_inert(call, args)
  return SCALAR
end

local function union(args, from)
  local set = SCALAR
  for i = from or 1, #args do set = join(set, args[i]) end
  return set
end

local function first_of(args)
  return args[1] or SCALAR
end

-- Functions whose result is a number or a text.
local NOT_MATH = { random = true, randomseed = true }
for name, f in pairs(math) do
  if type(f) == "function" and not NOT_MATH[name] then rules[f] = scalar end
end
for _, f in pairs(require "bit") do rules[f] = scalar end
for _, name in ipairs { "byte", "char", "find", "format", "len", "lower", "upper", "match", "rep",
  "reverse", "sub" } do
  rules[string[name]] = scalar
end
for _, f in ipairs { tonumber, tostring, type, rawequal, table.concat, ffi.sizeof, ffi.offsetof,
  ffi.istype, ffi.string } do
  rules[f] = scalar
end

-- Functions that hand on what they get.
local function element(call, args) return call:index(first_of(args)) end
rules[next], rules[rawget], rules[unpack] = element, element, element
rules[select] = function(_, args) return union(args, 2) end
rules[assert] = function(_, args) return union(args) end
rules[error] = function() return value.NOTHING end

rules[pairs] = function(_, args)
  local t = first_of(args)
  return join(t, value.known(next)), { value.known(next), t, SCALAR }
end

local ipairs_next = ipairs {}
rules[ipairs_next] = element
rules[ipairs] = function(_, args)
  local t = first_of(args)
  return join(t, value.known(ipairs_next)), { value.known(ipairs_next), t, SCALAR }
end

rules[pcall] = function(call, args)
  local given = {}
  for i = 2, #args do given[i - 1] = args[i] end
  return join(SCALAR, call:call(first_of(args), given))
end

rules[string.gsub] = function(call, args)
  all_inert(call, args)
  for _, set in ipairs(args) do
    if #set.known > 0 then call:refuse "calls gsub with what may be a function" end
  end
  return SCALAR
end

-- Memory of the handler's own.
rules[ffi.new] = function(call, args)
  all_inert(call, args)
  return value.of "own"
end

-- A pointer to what it was a pointer to.
rules[ffi.cast] = function(call, args)
  local from = args[2] or SCALAR
  if not value.is_inert(from) or has(from, "own") then
    call:refuse "casts a pointer that is not understood"
  end
  return value.of("scalar", "foreign")
end

local function writes_first(call, args)
  call:write(first_of(args))
  return SCALAR
end
rules[ffi.copy], rules[ffi.fill] = writes_first, writes_first

rules[table.insert] = function(call, args)
  call:write(first_of(args))
  call:store(args[#args] or SCALAR)
  return SCALAR
end

rules[table.remove] = function(call, args)
  call:write(first_of(args))
  return call:index(first_of(args))
end

rules[table.sort] = function(call, args)
  call:write(first_of(args))
  local element_set = call:index(first_of(args))
  if args[2] then call:call(args[2], { element_set, element_set }) end
  return SCALAR
end

-- sluice's own.
for _, f in ipairs { geo.code, geo.name, geo.country, geo.placed, geo.asn, geo.network, geo.city,
  services.name, services.of, services.key, services.key_name } do
  rules[f] = scalar
end
for _, f in ipairs { address.net, address.addr } do
  rules[f] = function(call, args)
    all_inert(call, args)
    return value.of("scalar", "plain", "data", "method")
  end
end

--- Says of a function of sluice's own that it gives the same for the same arguments.
function known.pure(f)
  rules[f] = scalar
end

return known
