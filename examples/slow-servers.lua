-- How long a TCP handshake takes, by server: half of them, and all but the worst twentieth.
return {
  about = "TCP handshake times by server", filter = "tcp",
  start = function()
    local rtt = quantile { "handshake by server", key = "server:address", q = { 0.5, 0.95 } }
    return {
      flow = function(f) if f.rtt then rtt:add(f.dst, f.rtt) end end,
      finish = function(out)
        out:table { title = "Handshakes", rows = rtt:top(20), columns = { "server",
          { name = "median", type = "duration" }, { name = "p95", type = "duration" } } }
      end,
    }
  end,
}
