-- Day by hour: when was how much. Packets count in the hour of their time stamp, flows and their
-- duration in the hour in which they began. Times are UTC.
local units = require "sluice.units"

local FINE = 300 -- seconds of the detail
local IP, RECEIVED, PACKETS = 1, 2, 4 -- what the core adds; 3: bytes that are no IP
local MOST_DAYS = 62 -- rows of the grid
local FINE_KEYS = 5000 -- rows of the detail, more than 17 days
local SHARED = 2 ^ 26 -- hour times this, plus the service, is a key

local METRICS = { { name = "bytes", unit = "bytes" }, { name = "flows", unit = "flows" },
  { name = "sent", unit = "bytes" }, { name = "received", unit = "bytes" },
  { name = "duration", type = "duration", unit = "s" } }

-- { slot = { slot, bytes, flows, sent, received, duration } } of all that was counted.
local function slots_of(traffic, flows, durations)
  local slots = {}
  local function at(slot)
    slots[slot] = slots[slot] or { slot, 0, 0, 0, 0, 0 }
    return slots[slot]
  end
  for _, x in ipairs(traffic:rows()) do
    local metric, n = x[2], x[3]
    if n > 0 and metric ~= PACKETS then
      local slot = at(math.floor(x[1] / FINE))
      if metric == RECEIVED then
        slot[4], slot[5] = slot[4] - n, n
      else
        slot[2] = slot[2] + n
        if metric == IP then slot[4] = slot[4] + n end
      end
    end
  end
  for _, x in ipairs(flows:rows()) do at(x[1])[3] = x[2] end
  for _, x in ipairs(durations:rows()) do at(x[1])[6] = x[2] end
  return slots
end

local function sorted(slots)
  local list = {}
  for _, slot in pairs(slots) do list[#list + 1] = slot end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

-- Cells of the grid from five-minute slots; days in order.
local function grid(list)
  local cells, rows, days, of_day = {}, {}, {}, {}
  for _, slot in ipairs(list) do
    local t = slot[1] * FINE
    local day, hour = units.date(t), ("%02d"):format(math.floor(t / 3600) % 24)
    local cell = cells[day .. hour]
    if not cell then
      cell = { day, hour, 0, 0, 0, 0, 0 }
      cells[day .. hour] = cell
      rows[#rows + 1] = cell
      if not of_day[day] then
        of_day[day] = true
        days[#days + 1] = day
      end
    end
    for c = 2, 6 do cell[c + 1] = cell[c + 1] + slot[c] end
  end
  return rows, days
end

-- A capture that strays over the centuries is told by its last days.
local function bounded(rows, days)
  local notes, shown, kept = {}, {}, {}
  if #days <= MOST_DAYS then return rows, days, notes end
  notes[1] = ("the last %d of %d days with traffic are shown"):format(MOST_DAYS, #days)
  for i = #days - MOST_DAYS + 1, #days do
    kept[#kept + 1] = days[i]
    shown[days[i]] = true
  end
  local left = {}
  for _, row in ipairs(rows) do
    if shown[row[1]] then left[#left + 1] = row end
  end
  return left, kept, notes
end

local function last_rows(rows, n)
  local out = {}
  for i = math.max(1, #rows - n + 1), #rows do out[#out + 1] = rows[i] end
  return out
end

local function hour_names()
  local names = {}
  for hour = 0, 23 do names[hour + 1] = ("%02d"):format(hour) end
  return names
end

local function hour_services(by_service, each)
  local rows, left = {}, {}
  for _, x in ipairs(by_service:top(20000)) do
    local hour = math.floor(x[1] / SHARED)
    left[hour] = (left[hour] or each) - 1
    if left[hour] >= 0 then
      rows[#rows + 1] = { hour * 3600, services.key_name(x[1] % SHARED), x[2] }
    end
  end
  table.sort(rows, function(a, b)
    if a[1] ~= b[1] then return a[1] < b[1] end
    if a[3] ~= b[3] then return a[3] > b[3] end
    return a[2] < b[2]
  end)
  return rows
end

return {
  about = "day by hour: bytes, flows and their duration, with five-minute detail",
  options = { services = { default = 5, about = "services of each country or hour to name" } },
  start = function(opt)
    local traffic = series { "traffic by slot", key = "metric", bin = FINE }
    local flows = count { "flows by slot", key = "slot" }
    local durations = sum { "duration by slot", key = "slot", decimals = 6 }
    local sources = distinct { "sources by slot", key = "slot", of = "source:address",
      keys = FINE_KEYS }
    local targets = distinct { "destinations by slot", key = "slot", of = "destination:address",
      keys = FINE_KEYS }
    local by_service = sum { "bytes by hour and service", key = "hour and service" }
    return {
      traffic = traffic,
      flow = function(f)
        local s = tonumber(f.first.s)
        local slot = math.floor(s / FINE)
        flows:add(slot)
        durations:add(slot, f.duration)
        sources:add(slot, f.src)
        targets:add(slot, f.dst)
        by_service:add(math.floor(s / 3600) * SHARED + services.key(f), f.bytes)
      end,
      finish = function(out)
        local list = sorted(slots_of(traffic, flows, durations))
        local rows, days, notes = bounded(grid(list))
        local columns = { "day", "hour" }
        for i, metric in ipairs(METRICS) do columns[i + 2] = metric end
        out:heatmap { title = "Hours", y = days, x = hour_names(), rows = rows,
          columns = columns, notes = notes }
        local fine = {}
        for i, slot in ipairs(list) do
          fine[i] = { slot[1] * FINE, slot[2], slot[3], slot[4], slot[5], slot[6],
            sources:get(slot[1]) or 0, targets:get(slot[1]) or 0 }
        end
        columns = { { name = "time", type = "time" }, unpack(METRICS) }
        columns[#columns + 1] = { name = "sources", unit = "addresses" }
        columns[#columns + 1] = { name = "destinations", unit = "addresses" }
        out:table { title = "Five minutes", chart = "", total = #list,
          rows = last_rows(fine, FINE_KEYS), columns = columns, notes = sources:notes() }
        out:table { title = "Services of hours", rows = hour_services(by_service, opt.services),
          chart = "", columns = { { name = "hour", type = "time" },
            { name = "service", role = "service" }, { name = "bytes", unit = "bytes" } } }
      end,
    }
  end,
}
