-- Two captures side by side, before and after a change: what is new, gone, grown, by host, service
-- and country. `sluice compare A B` runs this once for each; finish gets the first one's profile.
local MOST_HOSTS = 20000 -- of each capture that are compared
local SHARED = 65536 -- the source's country times this, plus the destination's, is a key

local NAMES = { host = { name = "address", type = "address", role = "address" },
  service = { name = "service", role = "service" },
  country = { name = "country", role = "country" } }

local function columns_of(what)
  return { NAMES[what], "change", { name = "bytes_before", unit = "bytes" },
    { name = "bytes_after", unit = "bytes" },
    { name = "difference", unit = "bytes" }, { name = "percent", title = "%", unit = "%" },
    { name = "flows_before", unit = "flows" }, { name = "flows_after", unit = "flows" } }
end

local function add(list, name, bytes, flows)
  local at = list[name] or { 0, 0 }
  at[1], at[2] = at[1] + bytes, at[2] + flows
  list[name] = at
end

-- What one capture holds: amounts by name, { bytes, flows }.
local function profile(seen, service_bytes, service_flows, pair_bytes, pair_flows, run)
  local list = { host = {}, service = {}, country = {}, hosts = seen:count "bytes",
    notes = seen:notes(), input = run.inputs[1] }
  for _, x in seen:each("bytes", MOST_HOSTS) do
    add(list.host, tostring(x.addr), tonumber(x.n_sent[0] + x.n_sent[1] + x.n_received[0]
      + x.n_received[1]), tonumber(x.n_flows[0] + x.n_flows[1]))
  end
  for _, x in ipairs(service_bytes:rows()) do
    add(list.service, services.key_name(x[1]), x[2], service_flows:get(x[1]) or 0)
  end
  for _, x in ipairs(pair_bytes:rows()) do
    local a, b = math.floor(x[1] / SHARED), x[1] % SHARED
    add(list.country, geo.name(a), x[2], pair_flows:get(x[1]) or 0)
    if a ~= b then add(list.country, geo.name(b), x[2], pair_flows:get(x[1]) or 0) end
  end
  local s = run.stats
  list.packets, list.bytes = tonumber(s.packets), tonumber(s.bytes)
  list.flows = tonumber(run.flow_stats.created)
  list.seconds = tonumber(s.timed) > 0 and run.seconds(s.first, s.last) or 0
  return list
end

local function change_of(before, after)
  if before == 0 then return "new" end
  if after == 0 then return "gone" end
  if before == after then return "same" end
  return after > before and "grown" or "shrunk"
end

-- Rows of all names of either side, the largest difference first.
local function differences(before, after)
  local rows = {}
  local function row(name, a, b)
    rows[#rows + 1] = { name, change_of(a[1], b[1]), a[1], b[1], b[1] - a[1],
      a[1] > 0 and 100 * (b[1] - a[1]) / a[1] or nil, a[2], b[2] }
  end
  local nothing = { 0, 0 }
  for name, a in pairs(before) do row(name, a, after[name] or nothing) end
  for name, b in pairs(after) do
    if not before[name] then row(name, nothing, b) end
  end
  table.sort(rows, function(a, b)
    local x, y = math.abs(a[5]), math.abs(b[5])
    if x ~= y then return x > y end
    if a[4] ~= b[4] then return a[4] > b[4] end
    return a[1] < b[1]
  end)
  return rows
end

local function cut(rows, n)
  local out = {}
  for i = 1, math.min(n, #rows) do out[i] = rows[i] end
  return out
end

local function show_bars(out, opt, what, title, rows)
  local bars = {}
  for i = 1, math.min(opt.top, #rows) do bars[i] = { rows[i][1], rows[i][3], rows[i][4] } end
  out:bars { title = title .. ", before and after", rows = bars, total = #rows, grouped = true,
    columns = { NAMES[what], { name = "before", unit = "bytes" },
      { name = "after", unit = "bytes" } } }
end

local function show_table(out, opt, what, title, rows)
  out:table { title = title, rows = cut(rows, opt.rows), total = #rows, chart = "",
    columns = columns_of(what) }
end

local function rate(side) return side.seconds > 0 and 8 * side.bytes / side.seconds or nil end

-- Amounts of different units do not fit into a column with one, so they are text here.
local function overall(out, before, after)
  local units = require "sluice.units"
  local rows = {}
  local function row(name, unit, a, b)
    rows[#rows + 1] = { name, a and units.format(a, unit) or "–",
      b and units.format(b, unit) or "–", a and b and a > 0 and 100 * (b - a) / a or nil }
  end
  row("packets", "packets", before.packets, after.packets)
  row("bytes", "bytes", before.bytes, after.bytes)
  row("flows", "flows", before.flows, after.flows)
  row("addresses", "hosts", before.hosts, after.hosts)
  row("duration", "s", before.seconds, after.seconds)
  row("mean rate", "bits/s", rate(before), rate(after))
  local notes = { "before: " .. before.input, "after: " .. after.input }
  for _, side in ipairs { before, after } do
    for _, note in ipairs(side.notes) do notes[#notes + 1] = note end
  end
  out:table { title = "Compared", rows = rows, chart = "", notes = notes,
    columns = { "amount", "before", "after", { name = "percent", title = "Change", unit = "%" } } }
end

return {
  about = "two captures side by side: what is new, gone, grown; sluice compare A B",
  sides = true,
  options = { top = { default = 10, about = "rows of each chart" },
    rows = { default = 1000, about = "rows of each table, those with the largest difference" } },
  start = function(opt)
    local seen = hosts { "hosts" }
    local service_bytes = sum { "bytes by service", key = "service" }
    local service_flows = count { "flows by service", key = "service" }
    local pair_bytes = sum { "bytes by countries", key = "countries" }
    local pair_flows = count { "flows by countries", key = "countries" }
    return {
      flow = function(f)
        local service, pair = services.key(f), geo.code(f.src) * SHARED + geo.code(f.dst)
        seen:add(f)
        service_bytes:add(service, f.bytes)
        service_flows:add(service)
        pair_bytes:add(pair, f.bytes)
        pair_flows:add(pair)
      end,
      finish = function(out, run, before)
        local side = profile(seen, service_bytes, service_flows, pair_bytes, pair_flows, run)
        if not before then return side end
        overall(out, before, side)
        local kinds = { { "service", "Services" }, { "host", "Addresses" },
          { "country", "Countries" } }
        for _, kind in ipairs(kinds) do
          kind[3] = differences(before[kind[1]], side[kind[1]])
          show_bars(out, opt, unpack(kind))
        end
        for _, kind in ipairs(kinds) do show_table(out, opt, unpack(kind)) end
        return side
      end,
    }
  end,
}
