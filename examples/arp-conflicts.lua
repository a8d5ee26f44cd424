-- IPv4 addresses that several hardware addresses claim: two hosts with one address, a failover, or
-- somebody who poisons ARP caches. Read off ARP's sender fields (RFC 826).
local MAC, IP = 8, 14 -- offsets of the sender in an ARP packet for Ethernet and IPv4

return {
  about = "IPv4 addresses with more than one hardware address",
  filter = "arp",
  start = function()
    local claims = count { "claims", key = { "ip:address", "mac" } }
    return {
      packet = function(p)
        local v = p.frame:slice(p.net_off)
        local high, low = v:u16(MAC), v:u32(MAC + 2)
        if low and (v:u32(IP) or 0) ~= 0 then claims:add(p.src, high * 2 ^ 32 + low) end
      end,
      finish = function(out)
        local rows, known = {}, claims:rows()
        for i, r in ipairs(known) do
          local before, after = known[i - 1], known[i + 1]
          if (before and before[1] == r[1]) or (after and after[1] == r[1]) then
            local mac = ("%012x"):format(r[2]):gsub("..", "%0:"):sub(1, 17)
            rows[#rows + 1] = { r[1], mac, r[3] }
          end
        end
        out:table { title = "ARP conflicts", rows = rows, columns = {
          { name = "address", type = "address" }, "hardware address",
          { name = "packets", unit = "packets" } } }
      end,
    }
  end,
}
