-- Flows that nobody answered, by protocol and port, and their share of the flows there.
local key = { "protocol:string", "port" }
local all, mute = count { "flows", key = key }, count { "unanswered", key = key }
local function share(row) return 100 * row[3] / row[4] end
return {
  about = "flows without an answer by service", filter = "tcp || udp",
  flow = function(f)
    all:add(f.proto_name, f.dport)
    if f.packets_dst == 0 then mute:add(f.proto_name, f.dport) end
  end,
  finish = function(out)
    out:table { title = "One-way flows", rows = mute:top(20, all), chart = "unanswered",
      more = { { name = "share", unit = "%", value = share } } }
  end,
}
