-- Bytes by subnet, sent and received: addresses shortened to --bits (IPv6 to 64).
return {
  about = "bytes by subnet, sent and received",
  options = { bits = { default = 24, about = "length of an IPv4 prefix" } },
  start = function(opt)
    local subnet = ("subnet:address/%d/64"):format(opt.bits)
    local sent = sum { "bytes sent", key = subnet }
    local received = sum { "bytes received", key = subnet }
    local total = top { "bytes by subnet", key = subnet }
    return {
      packet = function(p)
        if p.ip_version == 0 then return end
        sent:add(p.src, p.len)
        received:add(p.dst, p.len)
        total:add(p.src, p.len)
        total:add(p.dst, p.len)
      end,
      finish = function(out)
        local rows = {}
        for i, r in ipairs(total:top(20)) do
          rows[i] = { tostring(r[1]), sent:get(r[1]) or 0, received:get(r[1]) or 0 }
        end
        out:table { title = "Subnets", rows = rows, columns = { "subnet",
          { name = "sent", unit = "bytes" }, { name = "received", unit = "bytes" } } }
      end,
    }
  end,
}
