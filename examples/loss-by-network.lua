-- Which part of what a network sends over TCP is sent again.
return {
  about = "TCP retransmission rate by the sender's network", filter = "tcp",
  start = function()
    local key = "network:address/24/48"
    local sent, again = sum { "sent", key = key }, sum { "again", key = key }
    return {
      flow = function(f)
        sent:add(f.src, f.payload_src); sent:add(f.dst, f.payload_dst)
        again:add(f.src, f.retransmitted_src); again:add(f.dst, f.retransmitted_dst)
      end,
      finish = function(out)
        local rows = {}
        for _, row in ipairs(again:top(20)) do
          local total = sent:get(row[1])
          if row[2] > 0 then rows[#rows + 1] = { row[1], row[2], total, 100 * row[2] / total } end
        end
        out:table { title = "Sent again", rows = rows, chart = "rate", columns = { "network",
          { name = "again", unit = "bytes" }, { name = "sent", unit = "bytes" },
          { name = "rate", unit = "%" } } }
      end,
    }
  end,
}
