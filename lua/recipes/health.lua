-- How TCP fares: connections that came about and how they ended, how long handshakes took, what was
-- sent again or never seen, and who stopped reading. By server port and in all.
return {
  about = "TCP health: handshakes, retransmissions, zero windows, resets by server port",
  options = { top = { default = 15, about = "ports to show" } },
  filter = "tcp",
  start = function(opt)
    local flows = count { "connections by port", key = "port" }
    local made = count { "set up by port", key = "port" }
    local reset = count { "resets by port", key = "port" }
    local rtt = quantile { "handshake by port", key = "port", q = { 0.5, 0.95 }, keys = 1000 }
    local all_rtt = quantile { "handshakes", q = { 0.5, 0.95, 0.99 } }
    local sent = sum { "payload by port", key = "port" }
    local again = sum { "sent again by port", key = "port" }
    local missed = sum { "missed" }
    local zero = count { "zero windows by receiver", key = "receiver:address" }
    return {
      packet = function(p)
        if p.window == 0 and p.tcp_flags % 8 < 4 then zero:add(p.src) end -- a RST has none anyway
      end,
      flow = function(f)
        local port, time = f.dport, f.rtt
        flows:add(port)
        if time then
          made:add(port)
          rtt:add(port, time)
          all_rtt:add(time)
        end
        if f.end_name == "rst" then reset:add(port) end
        sent:add(port, f.payload)
        again:add(port, f.retransmitted_src + f.retransmitted_dst)
        missed:add(f.missed_src + f.missed_dst)
      end,
      finish = function(out)
        local rows, totals = {}, { flows = 0, made = 0, reset = 0, sent = 0, again = 0 }
        for _, r in ipairs(flows:rows()) do
          totals.flows, totals.made = totals.flows + r[2], totals.made + (made:get(r[1]) or 0)
          totals.reset = totals.reset + (reset:get(r[1]) or 0)
          totals.sent = totals.sent + (sent:get(r[1]) or 0)
          totals.again = totals.again + (again:get(r[1]) or 0)
        end
        local function percent(part, whole) return whole > 0 and 100 * part / whole or 0 end
        out:record { title = "TCP", fields = {
          { "connections", totals.flows }, { "set up", totals.made }, { "reset", totals.reset },
          { "payload", totals.sent, unit = "bytes" },
          { "sent again", percent(totals.again, totals.sent), unit = "%" },
          { "never seen", missed:value(), unit = "bytes" },
          { "median handshake", all_rtt:value(0.5), type = "duration" },
          { "95 % of handshakes", all_rtt:value(0.95), type = "duration" },
          { "99 % of handshakes", all_rtt:value(0.99), type = "duration" } } }
        local busiest = flows:top(opt.top)
        for i, r in ipairs(busiest) do
          local port = r[1]
          rows[i] = { port, services.name(6, port), r[2], made:get(port) or 0, reset:get(port) or 0,
            rtt:get(port, 0.5), rtt:get(port, 0.95), percent(again:get(port), sent:get(port)) }
        end
        out:table { title = "Server ports", rows = rows, total = busiest.total,
          chart = "connections", columns = { "port", "service",
            { name = "connections", unit = "connections" }, "set up",
            "reset", { name = "median handshake", type = "duration" },
            { name = "95 %", type = "duration" }, { name = "sent again", unit = "%" } } }
        out:bars { title = "Receivers that said stop (zero windows)", rows = zero:top(opt.top) }
      end,
    }
  end,
}
