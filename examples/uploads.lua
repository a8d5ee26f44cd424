-- Who sends most to whom: payload that clients sent to servers.
return {
  about = "the largest uploads, by client and server",
  start = function()
    local sent = top { "bytes by pair", key = { "client:address", "server:address" } }
    return {
      flow = function(f) sent:add(f.src, f.dst, f.payload_src) end,
      finish = function(out) out:bars { title = "Uploads", rows = sent:top(15) } end,
    }
  end,
}
