-- Protocols: the headers that were met, and the ports and services that carry most.
local SHARED = 65536 -- protocol number times this, plus the port, is the key

local HAS_PORTS = { [6] = true, [17] = true, [33] = true, [132] = true, [136] = true }

local function share(n, all) return all > 0 and 100 * n / all or 0 end

-- Flows of each IP protocol from those of each service, the most first.
local function by_protocol(flows, name_of)
  local list, at = {}, {}
  for _, x in ipairs(flows:rows()) do
    local name = name_of(math.floor(x[1] / SHARED))
    if not at[name] then
      list[#list + 1] = { name, 0 }
      at[name] = list[#list]
    end
    at[name][2] = at[name][2] + x[2]
  end
  table.sort(list, function(a, b)
    if a[2] ~= b[2] then return a[2] > b[2] end
    return a[1] < b[1]
  end)
  return list
end

return {
  about = "protocols by packets and bytes, server ports and services by bytes and flows",
  options = { top = { default = 20, about = "ports to show" },
    x = { default = "flows", about = "what places points across: flows, bytes, sent, received" },
    y = { default = "bytes", about = "the same, upwards" } },
  sampled = function(opt, out)
    local by_service = estimate { "packets by service", key = "service" }
    return {
      packet = function(p)
        if p.ip_version > 0 then by_service:add(services.key_of(p), p.len) end
      end,
      finish = function(view, run)
        local sample, rows = run.sample, {}
        for i, x in ipairs(sample.protocols) do rows[i] = { x[1], sample:cells(x[2]) } end
        view:table { title = "Protocols, estimated", rows = rows, notes = sample:notes(true),
          chart = "bytes", columns = { "protocol", unpack(by_service.columns) } }
        local list = by_service:top(out:cut(opt.top))
        for _, row in ipairs(list) do row[1] = services.key_name(row[1]) end
        view:table { title = "Services, estimated", rows = list, total = list.total,
          notes = by_service:notes "services", chart = "bytes",
          columns = { { name = "service", role = "service" }, unpack(by_service.columns) } }
      end,
    }
  end,
  start = function(opt, out)
    local bytes = top { "bytes by port", key = "port" }
    local flows = count { "flows by port", key = "port" }
    local s_bytes = sum { "bytes by service", key = "service" }
    local s_flows = count { "flows by service", key = "service" }
    local s_sent = sum { "sent by service", key = "service" }
    local s_payload = sum { "payload by service", key = "service" }
    return {
      flow = function(f)
        local proto, n = f.proto, f.bytes
        local port = proto * SHARED
        if HAS_PORTS[proto] then port = port + f.dport end
        bytes:add(port, n)
        flows:add(port)
        local service = services.key(f)
        s_bytes:add(service, n)
        s_flows:add(service)
        s_sent:add(service, f.bytes_src)
        s_payload:add(service, f.payload)
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
        local services_by_bytes = s_bytes:top(out:cut(opt.top))
        for i, row in ipairs(services_by_bytes) do
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
        local total = services_by_bytes.total
        view:bars { title = "Services by bytes", total = total, rows = bars, columns = { SERVICE,
          { name = "sent", unit = "bytes" }, { name = "received", unit = "bytes" } } }
        view:scatter { title = "Services by their amounts", rows = points, total = total,
          x = opt.x, y = opt.y,
          columns = { SERVICE, { name = "bytes", unit = "bytes" },
            { name = "flows", unit = "flows" }, { name = "sent", unit = "bytes" },
            { name = "received", unit = "bytes" }, { name = "payload", unit = "bytes" },
            { name = "bytes_per_flow", title = "Bytes per flow", unit = "bytes" } } }
        view:bars { title = "Protocols by flows", rows = by_protocol(s_flows, run.proto_name),
          columns = { { name = "protocol", role = "protocol" },
            { name = "flows", unit = "flows" } } }
      end,
    }
  end,
}
