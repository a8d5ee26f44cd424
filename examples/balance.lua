-- Hosts by what they send and what they get: far off the diagonal are servers, backups, leaks.
local sent = sum { "sent", key = "host:address", unit = "bytes" }
local got = sum { "received", key = "host:address", unit = "bytes" }
return {
  about = "bytes sent against bytes received by host",
  flow = function(f)
    sent:add(f.src, f.bytes_src); sent:add(f.dst, f.bytes_dst)
    got:add(f.src, f.bytes_dst); got:add(f.dst, f.bytes_src)
  end,
  finish = function(out)
    out:scatter { title = "Sent and received", rows = sent:top(50, got) }
  end,
}
