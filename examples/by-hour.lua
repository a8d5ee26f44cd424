-- Bytes by hour of the day (UTC), all days together.
return {
  about = "bytes by hour of the day",
  start = function()
    local bytes = sum { "bytes by hour", key = "hour" }
    return {
      packet = function(p) bytes:add(math.floor(p.ts:seconds() % 86400 / 3600), p.len) end,
      finish = function(out) out:bars { title = "Hours", rows = bytes:rows() } end,
    }
  end,
}
