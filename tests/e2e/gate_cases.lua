-- For test_uses.py: the tests that packet handlers begin with (sluice.uses.gate), against the
-- handlers themselves. CASES handlers of random tests are made; each is called for random packets,
-- once as it stands, and once as the loops do it: where the test holds, what is left of it. One
-- JSON line: { wrong =, gated =, shortened = }; wrong is the text of the first handler that
-- differs, or false.
local bit = require "bit"
local ffi = require "ffi"
local gate = require "sluice.uses.gate"
local json = require "cjson"
local prelude = require "sluice.filter.prelude"

local PACKETS = 200
-- Few values, so that tests hold now and then; those of 32 bits lie around the sign.
local FIELDS = {
  proto = { 0, 6, 17, 255 }, ip_version = { 0, 4, 6 }, tcp_flags = { 0, 2, 16, 18, 511 },
  sport = { 0, 53, 443, 65535 }, dport = { 0, 53, 443, 65535 }, ttl = { 0, 1, 64, 255 },
  len = { 0, 60, 1500, 2147483647, 2147483648, 4294967295 },
  caplen = { 0, 60, 1500, 2147483647, 2147483648, 4294967295 },
  seq = { 0, 1, 2147483647, 2147483648, 4294967295 },
  ack = { 0, 1, 2147483647, 2147483648, 4294967295 },
}
local CONSTANTS = { 0, 1, 2, 6, 17, 53, 60, 443, 1500, 65535, 65536, 2147483647, 2147483648,
  4294967295, 4294967296, -1, 1.5 }
local OPERATORS = { "==", "~=", "<", "<=", ">", ">=" }

local names = {}
for name in pairs(FIELDS) do names[#names + 1] = name end
table.sort(names)

local function one_of(list) return list[math.random(#list)] end

local function operand()
  local kind = math.random(8)
  if kind == 1 then return "PORT" end
  if kind == 2 then return ("band(p.%s, %d)"):format(one_of(names), one_of { 1, 2, 18, 255 }) end
  if kind == 3 then return "kept" end
  if kind < 6 then return tostring(one_of(CONSTANTS)) end
  return "p." .. one_of(names)
end

local function test(depth)
  local kind = depth > 0 and math.random(6) or 1
  if kind == 2 then return ("(%s and %s)"):format(test(depth - 1), test(depth - 1)) end
  if kind == 3 then return ("(%s or %s)"):format(test(depth - 1), test(depth - 1)) end
  if kind == 4 then return ("not %s"):format(test(depth - 1)) end
  return ("(%s %s %s)"):format(operand(), one_of(OPERATORS), operand())
end

local BODIES = {
  "if %s then out(p.len) end",
  "if %s then out(kept) end",
  "if %s then return end out(p.dport)",
  "if %s then return false end out(p.dport)",
  "if %s then out(1) elseif %s then out(2) end",
  "if %s then if %s then out(3) end end",
  "return %s",
  "while %s do out(4) return end",
  "local more = p.ttl if %s then out(more) end out(kept)",
}

local function make()
  local body = one_of(BODIES):gsub("%%s", function() return test(3) end)
  return ("local out, band = ...\nlocal PORT = 443\nreturn function(p)\nlocal kept = p.%s\n%s\nend")
    :format(one_of(names), body)
end

local function random_packet()
  local p = ffi.new "struct sl_packet"
  for name, values in pairs(FIELDS) do p[name] = one_of(values) end
  return p
end

-- What a handler does with a packet: the calls of out and its answer.
local function run(handler, done, p)
  for i = #done, 1, -1 do done[i] = nil end
  local answer = handler(p)
  return table.concat(done, " "), answer
end

local function differs(text, writes, told)
  local done = {}
  local handler = loadstring(text)(function(v) done[#done + 1] = v end, bit.band)
  local g = gate.of(handler, writes)
  if not g then return false end
  told.gated = told.gated + 1
  if g.handler ~= handler then told.shortened = told.shortened + 1 end
  local passes = loadstring(("%s return function(p) %s return (%s) < 0 end"):format(
    prelude.of(g.steps .. g.sign), g.steps, g.sign))()
  for _ = 1, PACKETS do
    local p = random_packet()
    local calls, answer = run(handler, done, p)
    local calls_here, answer_here = "", nil
    if passes(p) then calls_here, answer_here = run(g.handler, done, p) end
    if calls ~= calls_here or (writes and (answer == false) ~= (answer_here == false)) then
      return true
    end
  end
  return false
end

return {
  about = "the tests that handlers begin with",
  start = function()
    local told = { wrong = false, gated = 0, shortened = 0 }
    math.randomseed(5)
    for i = 1, tonumber(os.getenv "CASES") do
      local text = make()
      if differs(text, i % 2 == 0, told) then told.wrong = text break end
    end
    print(json.encode(told))
    return {}
  end,
}
