-- Servers whose clients had to knock more than once: SYNs that are not their flow's first packet.
return {
  about = "repeated connection attempts by server and port", filter = "tcp",
  start = function()
    local again = count { "repeated SYNs", key = { "server:address", "port" } }
    return {
      packet = function(p)
        if p.tcp_flags == 2 and p.flow_pkt > 1 then again:add(p.dst, p.dport) end
      end,
      finish = function(out) out:bars { title = "Repeated SYNs", rows = again:top(15) } end,
    }
  end,
}
