-- Clients that offer no more than TLS 1.1: a handshake record with a ClientHello of that version.
return {
  about = "clients with TLS 1.1 or older", filter = "tcp",
  start = function()
    local old = count { "hellos by client", key = "client:address" }
    return {
      packet = function(p)
        local v = p.payload
        if v:u8(0) == 22 and v:u8(5) == 1 and (v:u16(9) or 999) < 0x0303 then old:add(p.src) end
      end,
      finish = function(out) out:bars { title = "Old TLS", rows = old:top(20) } end,
    }
  end,
}
