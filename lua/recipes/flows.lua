-- The flow table. For people the largest flows, for programs every flow as it is decided, in pages
-- the largest with all that is known of them.
local dns = require "sluice.dns"

local BRIEF = {
  { name = "first", type = "time", spare = true },
  { name = "duration", type = "duration", spare = true }, "proto",
  { name = "source" }, { name = "destination" },
  { name = "packets", unit = "packets", spare = true }, { name = "sent", unit = "bytes" },
  { name = "received", unit = "bytes" }, { name = "state", spare = true },
  { name = "countries", spare = true }, { name = "end", spare = true },
}

local HAS_PORTS = { [6] = true, [17] = true, [33] = true, [132] = true, [136] = true }

local function endpoint(addr, port, has_ports)
  if not has_ports then return tostring(addr) end
  return (addr:is_ipv4() and "%s:%d" or "[%s]:%d"):format(tostring(addr), port)
end

local function brief(f)
  local ports = HAS_PORTS[f.proto]
  return { f.first, f.duration, f.proto_name, endpoint(f.src, f.sport, ports),
    endpoint(f.dst, f.dport, ports), f.packets, f.bytes_src, f.bytes_dst,
    f.state, f.src_country .. " > " .. f.dst_country, f.end_name }
end

local function share(part, whole) return whole > 0 and 100 * part / whole or 0 end

-- What a page shows of a flow: a column and its value. minor: hidden until asked for.
local FULL = {
  { { name = "first", title = "Start", type = "time", role = "time" },
    function(f) return f.first end },
  { { name = "duration", type = "duration" }, function(f) return f.duration end },
  { { name = "src", title = "Source", type = "address", role = "address" },
    function(f) return f.src end },
  { { name = "sport", title = "Source port", role = "port", type = "number" },
    function(f) return f.sport end },
  { { name = "dst", title = "Destination", type = "address", role = "address" },
    function(f) return f.dst end },
  { { name = "name", title = "Name in DNS" }, function(_, names, dst) return names[dst] end },
  { { name = "dport", title = "Port", role = "port", type = "number" },
    function(f) return f.dport end },
  { { name = "proto", title = "Protocol", role = "protocol" },
    function(f) return f.proto_name end },
  { { name = "service", role = "service" }, function(f) return f.service end },
  { { name = "state" }, function(f) return f.state end },
  { { name = "src_country", title = "From", role = "country" },
    function(f) return f.src_country end },
  { { name = "dst_country", title = "To", role = "country" },
    function(f) return f.dst_country end },
  { { name = "bytes", unit = "bytes" }, function(f) return f.bytes end },
  { { name = "bytes_src", title = "Sent", unit = "bytes" }, function(f) return f.bytes_src end },
  { { name = "bytes_dst", title = "Received", unit = "bytes" },
    function(f) return f.bytes_dst end },
  { { name = "sent_share", title = "% sent", unit = "%" },
    function(f) return share(f.bytes_src, f.bytes) end },
  { { name = "received_share", title = "% received", unit = "%", minor = true },
    function(f) return share(f.bytes_dst, f.bytes) end },
  { { name = "packets_src", title = "Packets sent", unit = "packets", minor = true },
    function(f) return f.packets_src end },
  { { name = "packets_dst", title = "Packets received", unit = "packets", minor = true },
    function(f) return f.packets_dst end },
  { { name = "payload_src", title = "Payload sent", unit = "bytes", minor = true },
    function(f) return f.payload_src end },
  { { name = "payload_dst", title = "Payload received", unit = "bytes", minor = true },
    function(f) return f.payload_dst end },
  { { name = "missed_src", title = "Lost, sent", unit = "bytes", minor = true },
    function(f) return f.missed_src end },
  { { name = "missed_dst", title = "Lost, received", unit = "bytes", minor = true },
    function(f) return f.missed_dst end },
  { { name = "retransmitted_src", title = "Retransmitted, sent", unit = "bytes", minor = true },
    function(f) return f.retransmitted_src end },
  { { name = "retransmitted_dst", title = "Retransmitted, received", unit = "bytes",
    minor = true }, function(f) return f.retransmitted_dst end },
  { { name = "rtt", title = "Round trip", type = "duration", minor = true },
    function(f) return f.rtt end },
  { { name = "history", minor = true }, function(f) return f.history end },
  { { name = "end", title = "Ended by", minor = true }, function(f) return f.end_name end },
  { { name = "number", title = "First packet", type = "number", minor = true },
    function(f) return f.number end },
}

-- names: of addresses, as sluice.dns gives them.
local function full(f, names)
  local row, dst = {}, tostring(f.dst)
  for i, column in ipairs(FULL) do row[i] = column[2](f, names, dst) end
  return row
end

local FULL_COLUMNS = {}
for i, column in ipairs(FULL) do FULL_COLUMNS[i] = column[1] end

return {
  about = "the flow table: every flow with its ends, times, packets and bytes",
  options = { top = { default = 20, about = "flows to show in text form, the largest first" },
    flows = { default = 5000, about = "flows of a page, the largest" } },
  start = function(opt, out)
    local rows = out:rows()
    if rows then
      return {
        flows = function(flows, n) rows:add(flows, n) end,
        finish = function() rows:done() end,
      }
    end
    local is_page = out:is_page()
    local may_be_page = is_page or out:of_pieces()
    local seen = count { "flows" }
    local kept = largest { "largest flows", n = may_be_page and opt.flows or opt.top }
    local names = may_be_page and count { "names of addresses", keys = 50000,
      key = { "address:address", "name:string" } }
    return {
      packet = names and function(p)
        if p.sport == 53 and p.proto == 17 then dns.add_answers(p.payload, names) end
      end or nil,
      flow = function(f)
        seen:add(1)
        kept:add(f)
      end,
      finish = function(view)
        local shown = {}
        local of = is_page and dns.names(names)
        for i, f in kept:each() do
          if i > opt.top and not is_page then break end
          shown[i] = is_page and full(f, of) or brief(f)
        end
        view:table { title = "Largest flows", name = "flows", rows = shown, total = seen:value(),
          notes = kept:notes(), columns = is_page and FULL_COLUMNS or BRIEF, chart = "" }
      end,
    }
  end,
}
