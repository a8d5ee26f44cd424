-- Where TCP had to send again: bytes sent twice, by sender, receiver and server port, and the share
-- of what the sender sent. A percent is felt; five make a connection crawl.
local findings = require "sluice.findings"

return {
  about = "TCP bytes that were sent again, by sender and receiver",
  options = {
    share = { default = 0.5, about = "percent of the bytes that make a finding" },
    least = { default = 3000, about = "bytes sent again that make a finding" },
  },
  start = function(opt)
    local key = { "from:address", "to:address", "port" }
    local again = sum { "bytes sent again", key = key }
    local sent = sum { "bytes sent", key = key }
    local first = min { "first", key = key, decimals = 6 }
    local last = max { "last", key = key, decimals = 6 }
    local function add(from, to, f, n, bytes)
      if bytes == 0 then return end
      sent:add(from, to, f.dport, bytes)
      if n == 0 then return end
      again:add(from, to, f.dport, n)
      first:add(from, to, f.dport, f.first:seconds())
      last:add(from, to, f.dport, f.last:seconds())
    end
    return {
      flow = function(f)
        if f.proto ~= 6 then return end -- no filter: so a report shares its flow table with this
        add(f.src, f.dst, f, f.retransmitted_src, f.payload_src)
        add(f.dst, f.src, f, f.retransmitted_dst, f.payload_dst)
      end,
      finish = function(out)
        local rows, all = {}, 0
        for _, r in ipairs(again:rows()) do
          local from, to, port, n = r[1], r[2], r[3], r[4]
          local share = 100 * n / sent:get(from, to, port)
          all = all + n
          if n >= opt.least and share >= opt.share then
            rows[#rows + 1] = { ("%.1f %% sent again"):format(share), from,
              ("%s port %d"):format(tostring(to), port), first:get(from, to, port),
              last:get(from, to, port), n,
              ("%s && tcp.port == %d"):format(findings.between(from, to), port) }
          end
        end
        table.sort(rows, function(a, b)
          if a[6] ~= b[6] then return a[6] > b[6] end
          return a[7] < b[7]
        end)
        out:findings { title = "Retransmissions", amount = "sent again", unit = "bytes",
          rows = rows, notes = { ("%d bytes were sent again in all."):format(all) } }
      end,
    }
  end,
}
