-- Multicast and broadcast: groups by packets and bytes, and how many hosts send to each.
return {
  about = "multicast groups and broadcasts: packets, bytes, senders",
  options = { top = { default = 20, about = "groups to show" } },
  filter = "ip || ipv6",
  start = function(opt)
    local v4, v6, all = net "224.0.0.0/4", net "ff00::/8", addr "255.255.255.255"
    local packets = count { "packets by group", key = "group:address" }
    local bytes = sum { "bytes by group", key = "group:address" }
    local senders = distinct { "senders by group", key = "group:address", of = "address" }
    return {
      packet = function(p)
        local to = p.dst
        if to:within(v4) or to:within(v6) or to == all then
          packets:add(to)
          bytes:add(to, p.len)
          senders:add(to, p.src)
        end
      end,
      finish = function(out)
        local rows = packets:top(opt.top)
        for _, r in ipairs(rows) do r[3], r[4] = bytes:get(r[1]), senders:get(r[1]) end
        out:table { title = "Groups", rows = rows, total = rows.total, columns = {
          { name = "group", type = "address" }, { name = "packets", unit = "packets" },
          { name = "bytes", unit = "bytes" }, "senders" } }
      end,
    }
  end,
}
