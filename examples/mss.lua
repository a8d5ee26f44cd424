-- The MSS that hosts announce in their SYNs: a small one tells of a tunnel on the way.
return {
  about = "announced TCP MSS", filter = "tcp.flags.syn",
  start = function()
    local mss = count { "SYNs by mss", key = "mss" }
    return {
      packet = function(p)
        local v, at = p.frame, p.l4_off + 20 -- behind the fixed header stand the options
        while at < p.payload_off do
          local kind, size = v:u8(at), v:u8(at + 1) or 0
          if kind == 2 and v:u16(at + 2) then mss:add(v:u16(at + 2)) end
          if kind ~= 1 and (kind == 0 or size < 2) then return end -- the end, or broken
          at = at + (kind == 1 and 1 or size)
        end
      end,
      finish = function(out)
        out:bars { title = "Announced MSS", rows = mss:top(20), unit = "packets" }
      end,
    }
  end,
}
