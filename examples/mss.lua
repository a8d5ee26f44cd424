-- The MSS that hosts announce in their SYNs: a small one tells of a tunnel on the way.
local mss = count { "SYNs by mss", key = "mss" }
return {
  about = "announced TCP MSS", filter = "tcp.flags.syn",
  packet = function(p)
    local option = p:tcp_option(2)
    if option and option.size == 2 then mss:add(option:u16(0)) end
  end,
  finish = function(out)
    out:bars { title = "Announced MSS", rows = mss:top(20), unit = "packets" }
  end,
}
