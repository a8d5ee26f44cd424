-- Hosts that accept TCP connections on the most ports.
return {
  about = "TCP ports on which a host answers", filter = "tcp",
  start = function()
    local ports = distinct { "ports by host", key = "host:address", of = "port" }
    return {
      flow = function(f)
        if bit.band(f.tcp_flags[1], 18) == 18 then ports:add(f.dst, f.dport) end
      end,
      finish = function(out)
        out:bars { title = "Ports that answer", rows = ports:top(20), unit = "ports" }
      end,
    }
  end,
}
