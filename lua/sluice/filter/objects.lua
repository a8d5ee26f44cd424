-- What generated code refers to but cannot be written as Lua source: byte strings, sets, compiled
-- regular expressions. Each method gives the object's name in the source; names lists them
-- and values holds them, with the functions that the caller passed.

local ffi = require "ffi"
local problem = require "sluice.filter.problem"

ffi.cdef [[
int memcmp(const void *, const void *, size_t);
void *memmem(const void *, size_t, const void *, size_t);
]]

local MAX = 40 -- LuaJIT allows 60 upvalues to a function; helpers need some
local uint8s, int8s = ffi.typeof "uint8_t[?]", ffi.typeof "int8_t[?]"
local uint32s = ffi.typeof "uint32_t[?]"
local MESSAGE_SIZE = 256

local objects = {}
objects.__index = objects

-- env: country, service and core as filter.compile has them.
function objects.new(env)
  return setmetatable({ names = {}, values = { country = env.country, service = env.service },
    regexes = {}, core_library = env.core or ffi.C }, objects)
end

function objects:add(name, value)
  if self.values[name] == nil then
    if #self.names == MAX then
      problem.raise({ from = 1, to = 1 },
        ("a filter has at most %d sets, byte strings and regular expressions"):format(MAX))
    end
    self.names[#self.names + 1] = name
    self.values[name] = value
  end
  return name
end

function objects:bytes(text)
  local array = uint8s(math.max(1, #text))
  ffi.copy(array, text, #text)
  return self:add("bytes" .. #self.names, array)
end

-- Numbers 0..max to -1 (a member) or 0: bit 31 is the answer.
function objects:set(members, max)
  local array = int8s(max + 1)
  for n in pairs(members) do
    array[n] = -1
  end
  return self:add("set" .. #self.names, array)
end

-- Ranges { first, last } of 32-bit numbers for sl_u32_in: the name, and how many there are when
-- those that touch are joined.
function objects:ranges(list)
  table.sort(list, function(a, b) return a[1] < b[1] end)
  local joined = {}
  for _, range in ipairs(list) do
    local last = joined[#joined]
    if last and range[1] <= last[2] + 1 then
      last[2] = math.max(last[2], range[2])
    else
      joined[#joined + 1] = { range[1], range[2] }
    end
  end
  local array = uint32s(2 * #joined)
  for i, range in ipairs(joined) do
    array[2 * i - 2], array[2 * i - 1] = range[1], range[2]
  end
  return self:add("ranges" .. #self.names, array), #joined
end

function objects:core()
  return self:add("core", self.core_library)
end

-- nil, message, byte offset when the pattern is wrong.
function objects:regex(pattern)
  local message, offset = ffi.new("char[?]", MESSAGE_SIZE), ffi.new "uint32_t[1]"
  local re = self.core_library.sl_regex_compile(pattern, #pattern, offset, message, MESSAGE_SIZE)
  if re == nil then
    return nil, ffi.string(message), offset[0]
  end
  self.regexes[#self.regexes + 1] = ffi.gc(re, self.core_library.sl_regex_free)
  return self:add("re" .. #self.names, self.regexes[#self.regexes])
end

-- How many searches were given up at the match limit.
function objects:limited()
  local n = 0
  for _, re in ipairs(self.regexes) do
    n = n + tonumber(self.core_library.sl_regex_limited(re))
  end
  return n
end

return objects
