-- Protocols: the headers that were met, the ports that carry most, and what services each country
-- uses.
local SHARED = 65536 -- protocol number times this, plus the port, is the key
local COUNTRY = 2 ^ 26 -- country times this, plus the service, is a key
local MATRIX = 12 -- services and countries of the matrix
local MOST_PAIRS = 20000

local HAS_PORTS = { [6] = true, [17] = true, [33] = true, [132] = true, [136] = true }

local function share(n, all) return all > 0 and 100 * n / all or 0 end

-- The labels that have most in all, at most n of them, the largest first.
local function largest(totals, n)
  local list = {}
  for label in pairs(totals) do list[#list + 1] = label end
  table.sort(list, function(a, b)
    if totals[a] ~= totals[b] then return totals[a] > totals[b] end
    return a < b
  end)
  for i = #list, n + 1, -1 do list[i] = nil end
  return list
end

local function matrix(view, pairs_of)
  local rows, by_country, by_service = {}, {}, {}
  for i, x in ipairs(pairs_of) do
    local country = geo.name(math.floor(x[1] / COUNTRY))
    local service = services.key_name(x[1] % COUNTRY)
    rows[i] = { service, country, x[2] }
    by_country[country] = (by_country[country] or 0) + x[2]
    by_service[service] = (by_service[service] or 0) + x[2]
  end
  local y, x = largest(by_service, MATRIX), largest(by_country, MATRIX)
  local shown, kept = {}, {}
  for _, label in ipairs(y) do shown[label] = true end
  for _, label in ipairs(x) do shown[label] = true end
  for _, row in ipairs(rows) do
    if shown[row[1]] and shown[row[2]] then kept[#kept + 1] = row end
  end
  view:heatmap { title = "Services and countries", y = y, x = x, rows = kept, columns = {
    { name = "service", role = "service" }, { name = "country", role = "country" },
    { name = "bytes", unit = "bytes" } },
    notes = { "Bytes of flows with an end in the country; both ends count." } }
end

return {
  about = "protocols by packets and bytes, server ports and services by bytes and flows",
  options = { top = { default = 20, about = "ports to show" },
    x = { default = "flows", about = "what places points across: flows, bytes, sent, received" },
    y = { default = "bytes", about = "the same, upwards" } },
  start = function(opt, out)
    local bytes = top { "bytes by port", key = "port" }
    local flows = count { "flows by port", key = "port" }
    local s_bytes = sum { "bytes by service", key = "service" }
    local s_flows = count { "flows by service", key = "service" }
    local s_sent = sum { "sent by service", key = "service" }
    local s_payload = sum { "payload by service", key = "service" }
    local by_country = sum { "bytes by country and service", key = "country and service" }
    local p_flows = count { "flows by protocol", key = "protocol" }
    return {
      flow = function(f)
        local proto, n = f.proto, f.bytes
        local port = proto * SHARED
        if HAS_PORTS[proto] then port = port + f.dport end
        bytes:add(port, n)
        flows:add(port)
        p_flows:add(proto)
        local service = services.key(f)
        s_bytes:add(service, n)
        s_flows:add(service)
        s_sent:add(service, f.bytes_src)
        s_payload:add(service, f.payload)
        local a, b = geo.code(f.src), geo.code(f.dst)
        by_country:add(a * COUNTRY + service, n)
        if a ~= b then by_country:add(b * COUNTRY + service, n) end
      end,
      finish = function(view, run)
        local all = tonumber(run.stats.bytes)
        local rows = {}
        for i, x in ipairs(run.protocols()) do
          rows[i] = { x[1], x.packets, x.bytes, share(tonumber(x.bytes), all) }
        end
        view:table { title = "Protocols", rows = rows, chart = "bytes", columns = { "protocol",
          { name = "packets", unit = "packets" }, { name = "bytes", unit = "bytes" },
          { name = "share", unit = "%" } } }
        local busiest = bytes:top(out:cut(opt.top))
        local list = {}
        for i, row in ipairs(busiest) do
          local proto, port = math.floor(row[1] / SHARED), row[1] % SHARED
          list[i] = { run.proto_name(proto), HAS_PORTS[proto] and port or nil,
            services.name(proto, port), flows:get(row[1]), row[2], share(row[2], all) }
        end
        view:table { title = "Services", rows = list, total = busiest.total, chart = "bytes",
          notes = bytes:notes(), columns = { { name = "protocol", role = "protocol" },
            { name = "port", role = "port" }, "service",
            { name = "flows", unit = "flows" }, { name = "bytes", unit = "bytes" },
            { name = "share", unit = "%" } } }
        local points = {}
        for i, row in ipairs(s_bytes:top(out:cut(opt.top))) do
          local key = row[1]
          local sent = s_sent:get(key)
          points[i] = { services.key_name(key), row[2], s_flows:get(key), sent, row[2] - sent,
            s_payload:get(key) or 0, row[2] / s_flows:get(key) }
        end
        local SERVICE = { name = "service", role = "service" }
        local bars = {}
        for i = 1, math.min(#points, 10) do
          bars[i] = { points[i][1], points[i][4], points[i][5] }
        end
        view:bars { title = "Services by bytes", rows = bars, total = #points, columns = { SERVICE,
          { name = "sent", unit = "bytes" }, { name = "received", unit = "bytes" } } }
        view:scatter { title = "Services by their amounts", rows = points, x = opt.x, y = opt.y,
          columns = { SERVICE, { name = "bytes", unit = "bytes" },
            { name = "flows", unit = "flows" }, { name = "sent", unit = "bytes" },
            { name = "received", unit = "bytes" }, { name = "payload", unit = "bytes" },
            { name = "bytes_per_flow", title = "Bytes per flow", unit = "bytes" } } }
        local protocols = {}
        for i, row in ipairs(p_flows:top(out:cut(opt.top))) do
          protocols[i] = { run.proto_name(row[1]), row[2] }
        end
        view:bars { title = "Protocols by flows", rows = protocols, columns = {
          { name = "protocol", role = "protocol" }, { name = "flows", unit = "flows" } } }
        matrix(view, by_country:top(MOST_PAIRS))
      end,
    }
  end,
}
