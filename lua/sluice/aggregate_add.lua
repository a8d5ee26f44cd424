-- The functions add and get of an aggregate, written anew for each shape of key: LuaJIT then
-- compiles every addition to direct calls into C, with the checks of its arguments folded away.
-- They write no table and no upvalue, so that a handler that adds stays free to run in parallel.

local bit = require("bit")
local ffi = require("ffi")

local error, pairs, tonumber, tostring, type = error, pairs, tonumber, tostring, type

local addr_t = ffi.typeof("struct sl_addr")
local time_t = ffi.typeof("struct sl_time")
local box_t = ffi.typeof("struct sl_agg_box *")
local packet_t = ffi.typeof("struct sl_packet")
local flow_t = ffi.typeof("struct sl_flow")

local TAKES = { number = "a number", address = "an address", prefix = "an address",
  string = "a string", country = "an address or a country" }

local function describe(value)
  if type(value) == "string" then
    return ("the string %q"):format(value:sub(1, 40))
  elseif type(value) == "cdata" then
    return tostring(ffi.typeof(value)):gsub("^ctype<(.*)>$", "a %1")
  end
  return value == nil and "nothing" or "a " .. type(value)
end

local function wrong_key(self, at, value)
  local part = self.parts[at]
  local hint = ""
  if part.type == "number" and ffi.istype(addr_t, value) then
    hint = ("; declare key = \"%s:address\" for addresses"):format(part.label)
  elseif part.type == "number" and type(value) == "string" then
    hint = ("; declare key = \"%s:string\" for strings"):format(part.label)
  end
  error(("aggregate \"%s\": its key \"%s\" takes %s, not %s%s"):format(
    self.name, part.label, TAKES[part.type], describe(value), hint), 3)
end

local function wrong_value(self, value)
  error(("aggregate \"%s\": add takes a number as value, not %s"):format(
    self.name, describe(value)), 3)
end

local function wrong_time(self, value)
  error(("aggregate \"%s\": add takes a time such as p.ts first, not %s"):format(
    self.name, describe(value)), 3)
end

local function wrong_record(self, value)
  error(("aggregate \"%s\": add takes a packet or a flow first, not %s"):format(
    self.name, describe(value)), 3)
end

-- Somebody who forgot key = … would sum up ports and never know.
local function too_many(self)
  error(("aggregate \"%s\": add takes %d parts of a key here; declare them with key = …"):format(
    self.name, #self.parts), 3)
end

-- A country as its code: of an address, or of its name. The database is opened by the first one.
-- LuaJIT compiles neither require nor tonumber of a struct: the one is called once, the other last.
local geo
local function code_of(value)
  if not geo then geo = require("sluice.geo") end
  if ffi.istype(addr_t, value) then
    return (geo.code(value))
  end
  return type(value) == "string" and geo.code_of(value) or nil
end

-- Lines that check part k@ and hand it to C, by its type; @ is its number.
local PART = {
  number = "local n@ = tonumber(k@) or wrong_key(self, @, k@)\n",
  address = "if not istype(addr_t, k@) then wrong_key(self, @, k@) end\n",
  prefix = "if not istype(addr_t, k@) then k@ = first_of(k@) or wrong_key(self, @, k@) end\n",
  string = "if type(k@) ~= \"string\" then wrong_key(self, @, k@) end\n",
  country = "local n@ = code_of(k@) or tonumber(k@) or wrong_key(self, @, k@)\n",
}
local CALL = {
  number = "C.sl_agg_key_n(c, n@)\n", address = "C.sl_agg_key_a(c, k@)\n",
  prefix = "C.sl_agg_key_a(c, k@)\n", string = "C.sl_agg_key_s(c, k@, #k@)\n",
  country = "C.sl_agg_key_n(c, n@)\n",
}

-- The first address of a block, which rows of prefixes hold.
local function first_of(block)
  return type(block) == "table" and block.first or nil
end

-- Names, checks and calls of parts 1 to n.
local function part_code(parts, n)
  local names, checks, calls = {}, {}, {}
  for i = 1, n do
    names[i] = "k" .. i
    checks[i] = PART[parts[i].type]:gsub("@", i)
    calls[i] = CALL[parts[i].type]:gsub("@", i)
  end
  return names, table.concat(checks), table.concat(calls)
end

local function text_of(names, checks, calls)
  return ("return function(self, %s)\nlocal c = self.c\n%s%send"):format(
    table.concat(names, ", "), checks, calls)
end

-- Lua adds whole values to a count or sum without key itself (struct sl_agg_box).
local BOXED = [==[
local n, box = tobit(v), cast(box_t, c)
if n == v and n >= 0 and box.n < BOX_MAX then
  box.sum, box.n = box.sum + n, box.n + 1
else
  C.sl_agg_add(c, v)
end
]==]

-- Keys that go to C in one call: the letters of their parts, and what is handed over.
local AT_ONCE = { [""] = "0(c", n = "n(c, n1", a = "a(c, k1", aa = "aa(c, k1, k2",
  an = "an(c, k1, n2", aan = "aan(c, k1, k2, n3", naa = "naa(c, n1, k2, k3" }
local LETTER = { number = "n", country = "n", address = "a" }

local function last_call(object, parts, calls)
  local kind, letters = object.kind, {}
  for i, part in ipairs(parts) do letters[i] = LETTER[part.type] or "?" end
  local at_once = AT_ONCE[table.concat(letters)]
  if kind == "series" then
    return calls .. "C.sl_agg_add_t(c, ts, v)\n"
  elseif #parts == 0 and object.decimals == 0 and (kind == "count" or kind == "sum") then
    return BOXED
  elseif at_once then
    return ("C.sl_agg_add_%s, v)\n"):format(at_once)
  elseif #parts == 1 and parts[1].type == "prefix" then
    return "C.sl_agg_add_a(c, k1, v)\n"
  end
  return calls .. "C.sl_agg_add(c, v)\n"
end

local function value_code(object)
  local names, checks, calls = part_code(object.parts, #object.parts)
  names[#names + 1] = "value"
  names[#names + 1] = "extra"
  checks = checks .. "if extra ~= nil then too_many(self) end\n"
  if object.kind == "count" then
    checks = checks .. "if value == nil then value = 1 end\n"
  end
  checks = checks .. "local v = tonumber(value) or wrong_value(self, value)\n"
  if object.kind == "series" then
    table.insert(names, 1, "ts")
    checks = "if not istype(time_t, ts) then wrong_time(self, ts) end\n" .. checks
  end
  return text_of(names, checks, last_call(object, object.parts, calls))
end

local function distinct_code(object)
  local names, checks, calls = part_code(object.parts, #object.parts)
  names[#names + 1] = "extra"
  return text_of(names, checks .. "if extra ~= nil then too_many(self) end\n",
    calls .. "C.sl_agg_add_d(c)\n")
end

local function sample_code(object)
  local names, checks, calls = part_code(object.parts, #object.parts)
  table.insert(names, 1, "record")
  names[#names + 1] = "extra"
  checks = "local flow = istype(flow_t, record)\n" ..
    "if not flow and not istype(packet_t, record) then wrong_record(self, record) end\n" ..
    "if extra ~= nil then too_many(self) end\n" .. checks
  return text_of(names, checks, calls ..
    "if flow then C.sl_agg_add_f(c, record) else C.sl_agg_add_p(c, record) end\n")
end

-- call: the function that fills out, and what it returns of it.
local function get_code(object, call, result)
  local names, checks, calls = part_code(object.parts, object.n_key)
  if object.kind == "quantile" then
    names[#names + 1] = "q"
    checks = checks .. "local part = tonumber(q or 0.5) or wrong_value(self, q)\n"
  end
  table.insert(names, 1, "self")
  return ("return function(%s)\nlocal c, out = self.c, self.out\n%s%s" ..
    "if %s == 1 then return %s end\nreturn nil\nend"):format(
    table.concat(names, ", "), checks, calls, call, result)
end

local function compile(text, name, C)
  local known = {
    C = C, tonumber = tonumber, type = type, istype = ffi.istype, addr_t = addr_t, time_t = time_t,
    packet_t = packet_t, flow_t = flow_t, wrong_key = wrong_key, wrong_value = wrong_value,
    wrong_time = wrong_time, wrong_record = wrong_record, too_many = too_many, code_of = code_of,
    first_of = first_of, tobit = bit.tobit, cast = ffi.cast, box_t = box_t,
    BOX_MAX = ffi.C.SL_AGG_BOX_MAX,
  }
  local upvalues, values = {}, {}
  for key, value in pairs(known) do -- locals, because a global costs a look-up in the trace
    upvalues[#upvalues + 1] = key
    values[#values + 1] = value
  end
  local chunk = assert(loadstring(
    ("local %s = ...\n%s"):format(table.concat(upvalues, ", "), text), "=" .. name))
  return chunk(unpack(values, 1, #upvalues))
end

local ADD = { distinct = distinct_code, sample = sample_code }
local NO_GET = { series = true, histogram = true, sample = true }

return {
  adder = function(object, C)
    return compile((ADD[object.kind] or value_code)(object), object.kind .. ":add", C)
  end,
  getter = function(object, C)
    if NO_GET[object.kind] then
      return nil
    end
    local call = object.kind == "quantile" and "C.sl_agg_get_quantile(c, part, out)"
      or "C.sl_agg_get(c, out)"
    return compile(get_code(object, call, "out[0]"), object.kind .. ":get", C)
  end,
  -- of a mean: the standard deviation (of a sample), and how many values there were
  spreader = function(object, C)
    if object.kind ~= "mean" then
      return nil
    end
    return compile(get_code(object, "C.sl_agg_get_spread(c, out, out + 1)", "out[0], out[1]"),
      "mean:spread", C)
  end,
}
