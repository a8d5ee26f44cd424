-- How long flows last and how large packets are. Every flow and every packet is in one class:
-- below the first edge and above the last one too.

-- Upper edges of the classes of durations, seconds; flows of one packet last no time at all.
local DURATIONS = { 0, 1e-3, 1e-2, 0.1, 1, 10, 60, 600, 3600, 86400 }
local SIZES = { 64, 128, 256, 512, 1024, 1280, 1519, 2048, 4096, 9217, 65536 }
local SHARED = 16 -- protocol number times this, plus the class, is a key
local MOST = 6 -- protocols that are shown by name

local function duration_class(s)
  if s <= 0 then return 0 end
  if s < 0.1 then
    return s < 1e-3 and 1 or s < 1e-2 and 2 or 3
  end
  if s < 60 then return s < 1 and 4 or s < 10 and 5 or 6 end
  if s < 3600 then return s < 600 and 7 or 8 end
  return s < 86400 and 9 or 10
end

local function size_class(n)
  if n < 512 then
    return n < 64 and 0 or n < 128 and 1 or n < 256 and 2 or 3
  end
  if n < 2048 then return n < 1024 and 4 or n < 1280 and 5 or n < 1519 and 6 or 7 end
  return n < 4096 and 8 or n < 9217 and 9 or n < 65536 and 10 or 11
end

-- The protocols with most flows in order, and which column each has; the rest share the last one.
local function columns_of(rows, name_of)
  local totals, order = {}, {}
  for _, row in ipairs(rows) do
    local proto = math.floor(row[1] / SHARED)
    if not totals[proto] then order[#order + 1] = proto end
    totals[proto] = (totals[proto] or 0) + row[2]
  end
  table.sort(order, function(a, b)
    if totals[a] ~= totals[b] then return totals[a] > totals[b] end
    return a < b
  end)
  local columns, at = {}, {}
  for i, proto in ipairs(order) do
    at[proto] = math.min(i, MOST + 1)
    columns[at[proto]] = { name = i > MOST and "other" or name_of(proto), unit = "flows" }
  end
  return columns, at
end

-- Classes from the first with content to the last one. n: amounts of a row, whose length Lua does
-- not tell where it has no upper edge.
local function trimmed(rows, n)
  local first, last
  for i, row in ipairs(rows) do
    for c = 3, n + 2 do
      if row[c] > 0 then first, last = first or i, i end
    end
  end
  local out = {}
  for i = first or 1, last or 0 do out[#out + 1] = rows[i] end
  return out
end

local function durations_of(flows, name_of)
  local counted = flows:rows()
  local columns, at = columns_of(counted, name_of)
  local rows = {}
  for class = 0, #DURATIONS do
    rows[class + 1] = { class == 0 and 0 or DURATIONS[class], DURATIONS[class + 1] }
    for c = 1, #columns do rows[class + 1][c + 2] = 0 end
  end
  for _, x in ipairs(counted) do
    local row, c = rows[x[1] % SHARED + 1], at[math.floor(x[1] / SHARED)] + 2
    row[c] = row[c] + x[2]
  end
  return trimmed(rows, #columns), columns
end

local function sizes_of(packets)
  local rows = {}
  for class = 0, #SIZES do
    rows[class + 1] = { SIZES[class] or 0, SIZES[class + 1], packets:get(class) or 0 }
  end
  return trimmed(rows, 1)
end

return {
  about = "how long flows last and how large packets are",
  start = function()
    local flows = count { "flows by protocol and class", key = "class" }
    local packets = count { "packets by class", key = "class" }
    return {
      packet = function(p) packets:add(size_class(p.len)) end,
      flow = function(f) flows:add(f.proto * SHARED + duration_class(f.duration)) end,
      finish = function(out, run)
        local rows, columns = durations_of(flows, run.proto_name)
        if #columns == 0 then columns = { { name = "flows", unit = "flows" } } end
        out:histogram { title = "Duration of flows", unit = "s", rows = rows, columns = columns }
        out:histogram { title = "Size of packets in bytes", unit = "number",
          rows = sizes_of(packets), columns = { { name = "packets", unit = "packets" } } }
      end,
    }
  end,
}
