-- How long DNS servers take: flows to port 53 with one question and one answer.
return {
  about = "answer times of DNS servers", filter = "udp.port == 53",
  start = function()
    local time = quantile { "answer time", key = "server:address", q = { 0.5, 0.99 } }
    return {
      flow = function(f) if f.packets == 2 then time:add(f.dst, f.duration) end end,
      finish = function(out)
        out:table { title = "DNS servers", rows = time:rows(), columns = { "server",
          { name = "median", type = "duration" }, { name = "p99", type = "duration" } } }
      end,
    }
  end,
}
