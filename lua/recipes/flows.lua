-- The flow table. For people the largest flows, for programs every flow as it is decided.
local COLUMNS = {
  { name = "first", type = "time" }, { name = "duration", type = "duration" }, "proto",
  { name = "source" }, { name = "destination" },
  { name = "packets", unit = "packets" }, { name = "sent", unit = "bytes" },
  { name = "received", unit = "bytes" }, "state", { name = "countries" }, "end",
}

local function endpoint(addr, port, has_ports)
  if not has_ports then return tostring(addr) end
  return (addr:is_ipv4() and "%s:%d" or "[%s]:%d"):format(tostring(addr), port)
end

local HAS_PORTS = { [6] = true, [17] = true, [33] = true, [132] = true, [136] = true }

local function row(f)
  local ports = HAS_PORTS[f.proto]
  return { f.first, f.duration, f.proto_name, endpoint(f.src, f.sport, ports),
    endpoint(f.dst, f.dport, ports), f.packets, f.bytes_src, f.bytes_dst,
    f.state, f.src_country .. " > " .. f.dst_country, f.end_name }
end

local function larger(a, b)
  if a.bytes ~= b.bytes then return a.bytes > b.bytes end
  return a.number < b.number
end

-- Keeps the n largest flows, ties by first packet, in a sorted list. Few flows still fit once it
-- is full, so only those are copied: f itself is gone after the batch.
local function largest(n)
  local list, least = {}, -1
  return list, function(f)
    if f.bytes <= least then return end
    local i = #list
    while i > 0 and larger(f, list[i]) do
      list[i + 1] = list[i]
      i = i - 1
    end
    list[i + 1] = f:copy()
    list[n + 1] = nil
    if #list == n then least = list[n].bytes end
  end
end

return {
  about = "the flow table: every flow with its ends, times, packets and bytes",
  options = { top = { default = 20, about = "flows to show in text form, the largest first" } },
  start = function(opt, out)
    local rows = out:rows()
    if rows then
      return {
        flows = function(flows, n) rows:add(flows, n) end,
        finish = function() rows:done() end,
      }
    end
    local list, keep = largest(opt.top)
    local seen = count { "flows" }
    return {
      flow = function(f)
        seen:add(1)
        keep(f)
      end,
      finish = function(view)
        local shown = {}
        for i, f in ipairs(list) do shown[i] = row(f) end
        view:table { title = "Largest flows", columns = COLUMNS, rows = shown,
          total = seen:value() }
      end,
    }
  end,
}
