-- How far away the servers are: the network's round trip to them, by country.
local rtt = quantile { "rtt by country", key = "country", q = { 0.5, 0.9 }, unit = "s" }
return {
  about = "TCP handshake round trip by country of the server", filter = "tcp",
  flow = function(f) if f.rtt_dst then rtt:add(f.dst, f.rtt_dst) end end,
  finish = function(out)
    out:table { title = "Round trip by country", rows = rtt:top(20), chart = "median",
      more = { { name = "flows", unit = "flows", value = function(row) return row.count end } } }
  end,
}
