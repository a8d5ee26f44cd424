-- Hosts by what they send and what they get: far off the diagonal are servers, backups, leaks.
return {
  about = "bytes sent against bytes received by host",
  start = function()
    local sent, got = sum { "sent", key = "host:address" }, sum { "received", key = "host:address" }
    return {
      flow = function(f)
        sent:add(f.src, f.bytes_src); sent:add(f.dst, f.bytes_dst)
        got:add(f.src, f.bytes_dst); got:add(f.dst, f.bytes_src)
      end,
      finish = function(out)
        local rows = sent:top(50)
        for _, row in ipairs(rows) do row[3] = got:get(row[1]) end
        out:scatter { title = "Sent and received", x = "sent", y = "received", rows = rows,
          columns = { "host", { name = "sent", unit = "bytes" },
            { name = "received", unit = "bytes" } } }
      end,
    }
  end,
}
