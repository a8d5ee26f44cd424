-- Which part of what a network sends over TCP is sent again.
local sent = sum { "sent", key = "network:address/24/48", unit = "bytes" }
local again = sum { "again", key = "network:address/24/48", unit = "bytes" }
return {
  about = "TCP retransmission rate by the sender's network", filter = "tcp",
  flow = function(f)
    sent:add(f.src, f.payload_src); sent:add(f.dst, f.payload_dst)
    again:add(f.src, f.retransmitted_src); again:add(f.dst, f.retransmitted_dst)
  end,
  finish = function(out)
    out:table { title = "Sent again", rows = again:top(20, sent), chart = "rate",
      where = function(row) return row[2] > 0 end, more = {
        { name = "rate", unit = "%", value = function(row) return 100 * row[2] / row[3] end } } }
  end,
}
