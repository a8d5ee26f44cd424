-- Between which countries bytes flow. Private addresses are a place of their own.
return {
  about = "bytes from country to country",
  start = function()
    local bytes = sum { "bytes by countries", key = { "from:country", "to:country" } }
    return {
      packet = function(p) if p.ip_version > 0 then bytes:add(p.src, p.dst, p.len) end end,
      finish = function(out) out:bars { title = "From, to", rows = bytes:top(20) } end,
    }
  end,
}
