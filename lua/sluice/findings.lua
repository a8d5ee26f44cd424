-- The common shape of what a recipe has found, so that a list of findings reads the same wherever
-- it came from and a report can put them together:
--
--   what     "port scan"            who     the address that did it (nil: nobody in particular)
--   whom     "192.0.2.7"            first, last   seconds since 1970: f.first:seconds()
--   amount   how much, in unit      flow    a display filter that shows its packets: for -Y
--
-- The rows come with the gravest first.
local ffi = require "ffi"

local findings = {}

-- To the microsecond, which is what a double holds of today's times.
local function time_of(seconds)
  if not seconds then return nil end
  local micros = math.floor(seconds * 1e6 + 0.5)
  return ffi.new("struct sl_time", math.floor(micros / 1e6), micros % 1e6 * 1000)
end

--- findings.between(a, b) -> a display filter for packets from a to b, of either IP version.
function findings.between(a, b)
  local ip = a:is_ipv4() and "ip" or "ipv6"
  return ("%s.src == %s && %s.dst == %s"):format(ip, tostring(a), ip, tostring(b))
end

--- The same for packets between the two, in both directions.
function findings.both(a, b)
  local ip = a:is_ipv4() and "ip" or "ipv6"
  return ("%s.addr == %s && %s.addr == %s"):format(ip, tostring(a), ip, tostring(b))
end

--- What out:table takes, from out:findings { title =, amount = "ports", unit =, total =, notes =,
--- rows = { { what, who, whom, first, last, amount, flow }, … } }.
function findings.table(spec)
  local rows = {}
  for i, r in ipairs(spec.rows) do
    rows[i] = { r[1], r[2], r[3], time_of(r[4]), time_of(r[5]), r[6], r[7] }
  end
  return { title = spec.title, rows = rows, total = spec.total, notes = spec.notes,
    chart = spec.amount, columns = { "what", { name = "who", type = "address", role = "address" },
      "whom",
      { name = "first", type = "time", spare = true },
      { name = "last", type = "time", spare = true },
      { name = spec.amount, unit = spec.unit, type = "number" }, { name = "flow", spare = true } } }
end

return findings
