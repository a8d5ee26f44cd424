-- The functions add and get of an aggregate, written anew for each shape of key: LuaJIT then
-- compiles every addition to a direct call into C, with the checks of its arguments folded away.
-- They write no table and no upvalue, so that a handler that adds stays free to run in parallel.

local ffi = require("ffi")

local error, ipairs, pairs, tonumber, tostring, type =
  error, ipairs, pairs, tonumber, tostring, type

local addr_t = ffi.typeof("struct sl_addr")
local time_t = ffi.typeof("struct sl_time")

local function describe(value)
  if type(value) == "string" then
    return ("the string %q"):format(value:sub(1, 40))
  elseif type(value) == "cdata" then
    return tostring(ffi.typeof(value)):gsub("^ctype<(.*)>$", "a %1")
  end
  return value == nil and "nothing" or "a " .. type(value)
end

local function wrong_key(self, part, value)
  local kind = self.types[part]
  local hint = ""
  if kind == "number" and ffi.istype(addr_t, value) then
    hint = ("; declare key = \"%s:address\" for addresses"):format(self.labels[part])
  end
  error(("aggregate \"%s\": its key \"%s\" takes %s, not %s%s"):format(
    self.name, self.labels[part], kind == "number" and "a number" or "an address",
    describe(value), hint), 3)
end

local function wrong_value(self, value)
  error(("aggregate \"%s\": add takes a number as value, not %s"):format(
    self.name, describe(value)), 3)
end

local function wrong_time(self, value)
  error(("aggregate \"%s\": add takes a time such as p.ts first, not %s"):format(
    self.name, describe(value)), 3)
end

-- Somebody who forgot key = … would sum up ports and never know.
local function too_many(self)
  error(("aggregate \"%s\": add takes %d parts of a key here; declare them with key = …"):format(
    self.name, #self.types), 3)
end

-- The checks of the parts of a key, and the calls that hand them to C.
local function key_code(types)
  local names, checks, calls = {}, {}, {}
  for i, kind in ipairs(types) do
    names[i] = "k" .. i
    if kind == "number" then
      checks[i] = ("local n%d = tonumber(k%d) or wrong_key(self, %d, k%d)"):format(i, i, i, i)
      calls[i] = ("C.sl_agg_key_n(c, n%d)"):format(i)
    else
      checks[i] = ("if not istype(addr_t, k%d) then wrong_key(self, %d, k%d) end"):format(i, i, i)
      calls[i] = ("C.sl_agg_key_a(c, k%d)"):format(i)
    end
  end
  return names, checks, calls
end

local function add_code(kind, types)
  local names, checks, calls = key_code(types)
  local shape = table.concat(types, ",")
  names[#names + 1] = "value"
  names[#names + 1] = "extra"
  checks[#checks + 1] = "if extra ~= nil then too_many(self) end"
  if kind == "count" then
    checks[#checks + 1] = "if value == nil then value = 1 end"
  end
  checks[#checks + 1] = "local v = tonumber(value) or wrong_value(self, value)"
  if kind == "series" then
    table.insert(names, 1, "ts")
    table.insert(checks, 1, "if not istype(time_t, ts) then wrong_time(self, ts) end")
    calls[#calls + 1] = "C.sl_agg_add_t(c, ts, v)"
  elseif shape == "number" then
    calls = { "C.sl_agg_add_n(c, n1, v)" }
  elseif shape == "address" then
    calls = { "C.sl_agg_add_a(c, k1, v)" }
  else
    calls[#calls + 1] = "C.sl_agg_add(c, v)"
  end
  return ("return function(self, %s)\nlocal c = self.c\n%s\n%s\nend"):format(
    table.concat(names, ", "), table.concat(checks, "\n"), table.concat(calls, "\n"))
end

local function get_code(types)
  local names, checks, calls = key_code(types)
  table.insert(names, 1, "self")
  return ("return function(%s)\nlocal c, out = self.c, self.out\n%s\n%s\n" ..
    "if C.sl_agg_get(c, out) == 1 then return out[0] end\nreturn nil\nend"):format(
    table.concat(names, ", "), table.concat(checks, "\n"), table.concat(calls, "\n"))
end

local function compile(code, name, C)
  local known = {
    C = C, tonumber = tonumber, istype = ffi.istype, addr_t = addr_t, time_t = time_t,
    wrong_key = wrong_key, wrong_value = wrong_value, wrong_time = wrong_time,
    too_many = too_many,
  }
  local upvalues, values = {}, {}
  for key, value in pairs(known) do -- locals, because a global costs a look-up in the trace
    upvalues[#upvalues + 1] = key
    values[#values + 1] = value
  end
  local chunk = assert(loadstring(
    ("local %s = ...\n%s"):format(table.concat(upvalues, ", "), code), "=" .. name))
  return chunk(unpack(values, 1, #upvalues))
end

return {
  adder = function(kind, types, C) return compile(add_code(kind, types), kind .. ":add", C) end,
  getter = function(kind, types, C) return compile(get_code(types), kind .. ":get", C) end,
}
