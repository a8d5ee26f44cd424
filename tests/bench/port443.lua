-- TCP with port 443 on either side, counted by a packet handler: what filter_c.c does in C.
return {
  about = "packets and bytes of TCP port 443",
  start = function()
    local packets, bytes = count { "packets" }, sum { "bytes" }
    return {
      packet = function(p)
        if p.proto == 6 and (p.sport == 443 or p.dport == 443) then
          packets:add(1)
          bytes:add(p.len)
        end
      end,
      finish = function(out)
        out:record { title = "Port 443", fields = {
          { "packets", packets:value() }, { "bytes", bytes:value() },
        } }
      end,
    }
  end,
}
