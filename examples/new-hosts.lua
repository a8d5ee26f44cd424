-- Hosts of the inside that were not there before: how many begin to send in each hour (or
-- --minutes).
return {
  about = "when addresses of the inside were first seen",
  options = {
    inside = { default = "192.168.0.0/16", about = "the inside, as a CIDR block" },
    minutes = { default = 60, about = "length of a bin" },
  },
  start = function(opt)
    local inside, bin = net(opt.inside), opt.minutes * 60
    local first = min { "first seen", key = "host:address", decimals = 6 }
    return {
      packet = function(p)
        if p.src:within(inside) then first:add(p.src, p.ts:seconds()) end
      end,
      finish = function(out)
        local hosts, news = first:rows(), {}
        table.sort(hosts, function(a, b)
          if a[2] ~= b[2] then return a[2] < b[2] end
          return tostring(a[1]) < tostring(b[1])
        end)
        for _, row in ipairs(hosts) do
          local at = row[2] - row[2] % bin
          if #news == 0 or news[#news][1] ~= at then news[#news + 1] = { at, 0 } end
          news[#news][2] = news[#news][2] + 1
        end
        out:lines { title = "New hosts", rows = news, interval = bin, columns = {
          { name = "time", type = "time" }, { name = "hosts", unit = "hosts" } } }
        out:table { title = "First seen", rows = hosts, columns = {
          { name = "host", type = "address" }, { name = "first", type = "time" } } }
      end,
    }
  end,
}
