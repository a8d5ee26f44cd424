-- One row a host: as originator and as destination of flows, bytes both ways, first and last seen.
local MOST_RANKED = 20000 -- hosts among which the largest of each country are looked for
local BINS = 24 -- of a host's own timeline
local FOLLOWED = 20000 -- hosts that have one

-- A host's country's share of the list: the n largest hosts of each country.
local function by_country(rows, each)
  local list, left = {}, {}
  for _, row in ipairs(rows) do
    local country = geo.country(row[1])
    left[country] = (left[country] or each) - 1
    if left[country] >= 0 then list[#list + 1] = { country, row[1], row[2] } end
  end
  return list
end

-- { address = { { bin, flows }, … } } and the bins that there are.
local function timelines(seen)
  local of, first, last = {}, math.huge, -math.huge
  local rows = seen:rows()
  for _, x in ipairs(rows) do
    local name = tostring(x[2])
    if name ~= "other" then
      of[name] = of[name] or {}
      of[name][x[1]] = x[3]
      first, last = math.min(first, x[1]), math.max(last, x[1])
    end
  end
  return of, first, last, rows.bin
end

-- A host's flows bin by bin, as a list.
local function line_of(bins, first, last, width)
  local list = {}
  if not bins then return list end
  for t = first, last + width / 2, width do list[#list + 1] = bins[t] or 0 end
  return list
end

local COLUMNS = { { name = "address", type = "address", role = "address" },
  { name = "country", role = "country" }, { name = "bytes", unit = "bytes" },
  { name = "sent", unit = "bytes" }, { name = "received", unit = "bytes" },
  { name = "flows", unit = "flows" },
  { name = "flows_src", title = "As source", unit = "flows" },
  { name = "flows_dst", title = "As destination", unit = "flows" },
  { name = "first", title = "First seen", type = "time" },
  { name = "last", title = "Last seen", type = "time" },
  { name = "timeline", title = "Flows over time", type = "spark" } }

local ADDRESS = COLUMNS[1]
local SENT, RECEIVED = COLUMNS[4], COLUMNS[5]

-- Hosts at one end of flows: by flows, and by what they sent and received there.
local function ranking(view, n, title, flows, bytes, sent)
  local rows = {}
  local by_flows = flows:top(n)
  view:bars { title = title .. " by flows", rows = by_flows, total = by_flows.total,
    columns = { ADDRESS, COLUMNS[6] } }
  local by_bytes = bytes:top(n)
  for i, row in ipairs(by_bytes) do
    local out = sent:get(row[1]) or 0
    rows[i] = { row[1], out, row[2] - out }
  end
  view:bars { title = title .. " by bytes", rows = rows, total = by_bytes.total,
    columns = { ADDRESS, SENT, RECEIVED } }
end

return {
  about = "one row a host: as source and destination, bytes both ways, first and last seen",
  options = { hosts = { default = 1000, about = "hosts of a page, those with most bytes" },
    top = { default = 10, about = "hosts of each ranking" },
    each = { default = 5, about = "hosts of each country" } },
  start = function(opt, out)
    local bytes = sum { "bytes by address", key = "address" }
    local sent = sum { "sent by address", key = "address" }
    local received = sum { "received by address", key = "address" }
    local first = min { "first seen", key = "address", decimals = 6 }
    local last = max { "last seen", key = "address", decimals = 6 }
    local as_source = count { "flows by source", key = "address" }
    local as_target = count { "flows by destination", key = "address" }
    local from_bytes = sum { "bytes by source", key = "address" }
    local from_sent = sum { "sent by source", key = "address" }
    local to_bytes = sum { "bytes by destination", key = "address" }
    local to_sent = sum { "sent by destination", key = "address" }
    local seen = series { "flows of addresses", key = "address", bins = BINS, keys = FOLLOWED }
    return {
      flow = function(f)
        local to, from = f.bytes_src, f.bytes_dst
        local begin = tonumber(f.first.s) + f.first.nsec * 1e-9
        local ended = tonumber(f.last.s) + f.last.nsec * 1e-9
        bytes:add(f.src, to + from)
        sent:add(f.src, to)
        received:add(f.src, from)
        first:add(f.src, begin)
        last:add(f.src, ended)
        as_source:add(f.src)
        from_bytes:add(f.src, to + from)
        from_sent:add(f.src, to)
        seen:add(f.first, f.src, 1)
        as_target:add(f.dst)
        to_bytes:add(f.dst, to + from)
        to_sent:add(f.dst, from)
        if f.src == f.dst then return end
        bytes:add(f.dst, to + from)
        sent:add(f.dst, from)
        received:add(f.dst, to)
        first:add(f.dst, begin)
        last:add(f.dst, ended)
        seen:add(f.first, f.dst, 1)
      end,
      finish = function(view)
        local of, begun, till, width = timelines(seen)
        local rows = bytes:top(out:cut(opt.hosts))
        local list = {}
        for i, row in ipairs(rows) do
          local a = row[1]
          local s, d = as_source:get(a) or 0, as_target:get(a) or 0
          list[i] = { a, geo.country(a), row[2], sent:get(a) or 0, received:get(a) or 0, s + d, s,
            d, first:get(a), last:get(a), line_of(of[tostring(a)], begun, till, width) }
        end
        view:table { title = "Addresses", rows = list, total = rows.total, chart = "bytes",
          notes = bytes:notes(), columns = COLUMNS }
        local talkers = {}
        for i = 1, math.min(opt.top, #list) do
          talkers[i] = { list[i][1], list[i][4], list[i][5] }
        end
        view:bars { title = "Top talkers", rows = talkers, total = rows.total,
          columns = { ADDRESS, SENT, RECEIVED } }
        for _, end_of in ipairs { { "Sources", as_source, from_bytes, from_sent },
          { "Destinations", as_target, to_bytes, to_sent } } do
          ranking(view, opt.top, unpack(end_of))
        end
        view:table { title = "Addresses of countries", chart = "",
          rows = by_country(bytes:top(MOST_RANKED), opt.each), columns = {
            { name = "country", role = "country" }, ADDRESS, { name = "bytes", unit = "bytes" } } }
      end,
    }
  end,
}
