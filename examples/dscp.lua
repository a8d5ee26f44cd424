-- Which quality of service packets ask for: bytes by DSCP (the upper six bits of the field).
return {
  about = "bytes by DSCP", filter = "ip || ipv6",
  start = function()
    local bytes = sum { "bytes by dscp", key = "dscp" }
    return {
      packet = function(p) bytes:add(math.floor(p.tos / 4), p.len) end,
      finish = function(out) out:bars { title = "DSCP", rows = bytes:top(20) } end,
    }
  end,
}
