-- A run's statistics as a table of names and numbers, which files can hold and which add up; and
-- back as the structs that recipes read (sluice.info). Protocols and reasons stand under their
-- names and numbers: a version of the program that numbers them anew refuses them.
local ffi = require "ffi"
local C = require("sluice.abi").C
local value = require "sluice.value"

local tally = {}

local COUNTERS = { "packets", "bytes", "captured_bytes", "timed", "ts_saturated", "backwards" }
local FLOW_COUNTERS = { "created", "packets", "fragments_lost" }

local function name_of(pointer)
  return ffi.string(pointer)
end

-- The arrays of struct sl_stats, how many are in use, and what their places are called.
local ARRAYS = {
  { "proto_packets", C.SL_P_N, C.sl_proto_name }, { "proto_bytes", C.SL_P_N, C.sl_proto_name },
  { "network_packets", C.SL_P_N, C.sl_proto_name },
  { "skipped", C.SL_SKIP_N, C.sl_skip_name }, { "incomplete", C.SL_SKIP_N, C.sl_skip_name },
}
local FLOW_ARRAYS = { { "ended", C.SL_END_EVICTED + 1, C.sl_flow_end_name } }

local function put_counters(list, s, names)
  for _, name in ipairs(names) do list[#list + 1] = { name, s[name] } end
end

local function put_arrays(list, s, arrays)
  for _, a in ipairs(arrays) do
    local entries = {}
    for i = 0, a[2] - 1 do
      -- with its number, because some share a name
      local n = s[a[1]][i]
      if n > 0 then entries[#entries + 1] = { name_of(a[3](i)) .. "#" .. i, n } end
    end
    list[#list + 1] = { a[1], value.object(entries) }
  end
end

--- As an object for sluice.json. stats, flow_stats (or nil): of sluice.info.
function tally.of(stats)
  local list = {}
  put_counters(list, stats, COUNTERS)
  if stats.timed > 0 then
    list[#list + 1] = { "first", stats.first }
    list[#list + 1] = { "last", stats.last }
  end
  put_arrays(list, stats, ARRAYS)
  return value.object(list)
end

function tally.of_flows(stats)
  if not stats then return value.null end
  local list = {}
  put_counters(list, stats, FLOW_COUNTERS)
  list[#list + 1] = { "live_max", stats.live_max }
  put_arrays(list, stats, FLOW_ARRAYS)
  return value.object(list)
end

-- ---- adding up ----

local function add_counters(s, from, names)
  for _, name in ipairs(names) do s[name] = s[name] + from[name] end
end

local function add_arrays(s, from, arrays)
  for _, a in ipairs(arrays) do
    local places = {}
    for i = 0, a[2] - 1 do places[name_of(a[3](i)) .. "#" .. i] = i end
    for name, n in pairs(from[a[1]]) do
      local i = places[name]
      if not i then error(("it counts %s, which this version does not know"):format(name), 0) end
      s[a[1]][i] = s[a[1]][i] + n
    end
  end
end

local function time_of(text)
  local minus, s, nsec = text:match "^(%-?)(%d+)%.(%d+)$"
  local t = ffi.new "struct sl_time"
  t.s, t.nsec = tonumber(s), tonumber(nsec)
  if minus ~= "" then
    t.s = -tonumber(s)
    if t.nsec > 0 then t.s, t.nsec = t.s - 1, 1000000000 - t.nsec end
  end
  return t
end

local function before(a, b)
  return a.s < b.s or (a.s == b.s and a.nsec < b.nsec)
end

--- Adds what tally.of gave, decoded, to a struct sl_stats.
function tally.add(s, from)
  if from.first then
    local first, last = time_of(from.first), time_of(from.last)
    if s.timed == 0 or before(first, s.first) then s.first = first end
    if s.timed == 0 or before(s.last, last) then s.last = last end
  end
  add_counters(s, from, COUNTERS)
  add_arrays(s, from, ARRAYS)
end

--- The same for a struct sl_flow_stats.
function tally.add_flows(s, from)
  s.live_max = math.max(s.live_max, from.live_max)
  add_counters(s, from, FLOW_COUNTERS)
  add_arrays(s, from, FLOW_ARRAYS)
end

return tally
