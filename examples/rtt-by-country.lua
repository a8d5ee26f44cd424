-- How far away the servers are: the network's round trip to them, by country.
return {
  about = "TCP handshake round trip by country of the server", filter = "tcp",
  start = function()
    local rtt = quantile { "rtt by country", key = "country", q = { 0.5, 0.9 } }
    return {
      flow = function(f) if f.rtt_dst then rtt:add(f.dst, f.rtt_dst) end end,
      finish = function(out)
        local rows = rtt:top(20)
        for _, row in ipairs(rows) do row[4] = row.count end
        out:table { title = "Round trip by country", rows = rows, chart = "median", columns = {
          "country", { name = "median", type = "duration" }, { name = "p90", type = "duration" },
          { name = "flows", unit = "flows" } } }
      end,
    }
  end,
}
