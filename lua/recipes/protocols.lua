-- Protocols: the headers that were met, and the ports that carry most.
local SHARED = 65536 -- protocol number times this, plus the port, is the key

local HAS_PORTS = { [6] = true, [17] = true, [33] = true, [132] = true, [136] = true }

return {
  about = "protocols by packets and bytes, and server ports by bytes and flows",
  options = { top = { default = 20, about = "ports to show" } },
  start = function(opt, out)
    local bytes = top { "bytes by service", key = "service" }
    local flows = count { "flows by service", key = "service" }
    return {
      flow = function(f)
        local key = f.proto * SHARED
        if HAS_PORTS[f.proto] then key = key + f.dport end
        bytes:add(key, f.bytes)
        flows:add(key)
      end,
      finish = function(view, run)
        local all = tonumber(run.stats.bytes)
        local rows = {}
        for i, x in ipairs(run.protocols()) do
          local n = tonumber(x.bytes)
          rows[i] = { x[1], x.packets, x.bytes, all > 0 and 100 * n / all or 0 }
        end
        view:table { title = "Protocols", rows = rows, chart = "bytes", columns = { "protocol",
          { name = "packets", unit = "packets" }, { name = "bytes", unit = "bytes" },
          { name = "share", unit = "%" } } }
        local busiest = bytes:top(out:cut(opt.top))
        local list = {}
        for i, row in ipairs(busiest) do
          local proto, port = math.floor(row[1] / SHARED), row[1] % SHARED
          list[i] = { run.proto_name(proto), HAS_PORTS[proto] and port or nil,
            services.name(proto, port), flows:get(row[1]), row[2],
            all > 0 and 100 * row[2] / all or 0 }
        end
        view:table { title = "Services", rows = list, total = busiest.total, chart = "bytes",
          notes = bytes:notes(), columns = { "protocol", "port", "service",
            { name = "flows", unit = "flows" }, { name = "bytes", unit = "bytes" },
            { name = "share", unit = "%" } } }
      end,
    }
  end,
}
