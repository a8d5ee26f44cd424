-- One row a host: as originator and as destination of flows, bytes both ways, first and last seen.
local MOST_RANKED = 20000 -- hosts among which the largest of each country are looked for

local COLUMNS = { { name = "address", type = "address", role = "address" },
  { name = "country", role = "country" }, { name = "bytes", unit = "bytes" },
  { name = "sent", unit = "bytes" }, { name = "received", unit = "bytes" },
  { name = "flows", unit = "flows" },
  { name = "flows_src", title = "As source", unit = "flows", spare = true },
  { name = "flows_dst", title = "As destination", unit = "flows", spare = true },
  { name = "first", title = "First seen", type = "time", spare = true },
  { name = "last", title = "Last seen", type = "time", spare = true },
  { name = "timeline", title = "Flows over time", type = "spark", spare = true } }
local ADDRESS, SENT, RECEIVED, FLOWS = COLUMNS[1], COLUMNS[4], COLUMNS[5], COLUMNS[6]

local function both(counters) return tonumber(counters[0] + counters[1]) end

local function bytes_of(host) return both(host.n_sent) + both(host.n_received) end

local function table_of(seen, n)
  local rows = {}
  for i, x in seen:each("bytes", n) do
    rows[i] = { x.addr:copy(), geo.country(x.addr), bytes_of(x), both(x.n_sent),
      both(x.n_received), both(x.n_flows), tonumber(x.n_flows[0]), tonumber(x.n_flows[1]),
      x.first, x.last, seen:timeline(x) }
  end
  return rows
end

-- The largest hosts of each country.
local function by_country(seen, each)
  local list, left = {}, {}
  for _, x in seen:each("bytes", MOST_RANKED) do
    local country = geo.country(x.addr)
    left[country] = (left[country] or each) - 1
    if left[country] >= 0 then list[#list + 1] = { country, x.addr:copy(), bytes_of(x) } end
  end
  return list
end

-- Hosts at one end of flows: 0, the source, or 1.
local function rankings(view, seen, n, name, role, title)
  local at = role == "source" and 0 or 1
  local rows = {}
  for i, x in seen:each(role .. "_flows", n) do
    rows[i] = { x.addr:copy(), tonumber(x.n_flows[at]) }
  end
  view:bars { title = title .. " by flows", name = name .. "_by_flows", rows = rows,
    total = seen:count(role .. "_flows"), columns = { ADDRESS, FLOWS }, notes = seen:notes() }
  rows = {}
  for i, x in seen:each(role .. "_bytes", n) do
    rows[i] = { x.addr:copy(), tonumber(x.n_sent[at]), tonumber(x.n_received[at]) }
  end
  view:bars { title = title .. " by bytes", name = name .. "_by_bytes", rows = rows,
    total = seen:count(role .. "_bytes"), columns = { ADDRESS, SENT, RECEIVED },
    notes = seen:notes() }
end

return {
  about = "one row a host: as source and destination, bytes both ways, first and last seen",
  options = { hosts = { default = 1000, about = "hosts of a page, those with most bytes" },
    top = { default = 10, about = "hosts of each ranking" },
    each = { default = 5, about = "hosts of each country" } },
  start = function(opt, out)
    local seen = hosts { "hosts" }
    return {
      flow = function(f) seen:add(f) end,
      finish = function(view)
        local rows = table_of(seen, out:cut(opt.hosts))
        local total = seen:count "bytes"
        view:table { title = "Addresses", rows = rows, total = total, chart = "bytes",
          notes = seen:notes(), columns = COLUMNS }
        local talkers = {}
        for i = 1, math.min(opt.top, #rows) do
          talkers[i] = { rows[i][1], rows[i][4], rows[i][5] }
        end
        view:bars { title = "Top talkers", rows = talkers, total = total, notes = seen:notes(),
          columns = { ADDRESS, SENT, RECEIVED } }
        rankings(view, seen, opt.top, "sources", "source", "Sources")
        rankings(view, seen, opt.top, "destinations", "target", "Destinations")
        view:table { title = "Addresses of countries", chart = "",
          rows = by_country(seen, opt.each), columns = {
            { name = "country", role = "country" }, ADDRESS, { name = "bytes", unit = "bytes" } } }
      end,
    }
  end,
}
