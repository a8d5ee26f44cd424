-- Servers that get more connection attempts in a second than they answer: a SYN flood, or a service
-- that is overrun. The worst second of each server.
return {
  about = "servers with the most unanswered SYNs in one second",
  options = { least = { default = 10, about = "unanswered SYNs in a second" } },
  filter = "tcp",
  start = function(opt)
    local key = { "server:address", "second" }
    local syns = count { "SYNs", key = key }
    local answers = count { "answers", key = key }
    return {
      packet = function(p)
        local second = p.ts:seconds()
        second = second - second % 1
        local flags = p.tcp_flags % 32
        if flags == 2 then
          syns:add(p.dst, second)
        elseif flags == 18 then
          answers:add(p.src, second)
        end
      end,
      finish = function(out)
        local worst, rows = {}, {}
        for _, r in ipairs(syns:rows()) do
          local server, open = tostring(r[1]), r[3] - (answers:get(r[1], r[2]) or 0)
          if open >= opt.least and open > (worst[server] and worst[server][3] or 0) then
            worst[server] = { r[1], r[2], open, r[3] }
          end
        end
        for _, row in pairs(worst) do rows[#rows + 1] = row end
        table.sort(rows, function(a, b)
          if a[3] ~= b[3] then return a[3] > b[3] end
          return tostring(a[1]) < tostring(b[1])
        end)
        out:table { title = "Unanswered SYNs", rows = rows, columns = {
          { name = "server", type = "address" }, { name = "second", type = "time" },
          { name = "unanswered", type = "number" }, { name = "SYNs", type = "number" } } }
      end,
    }
  end,
}
