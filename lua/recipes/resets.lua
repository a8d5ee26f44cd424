-- Connections that were refused or torn down by a reset, by client, server and port.
local findings = require "sluice.findings"

local REFUSED, BY_SERVER, BY_CLIENT = 1, 2, 3
local WHAT = { "refused", "reset by the server", "reset by the client" }
local KINDS = { REJ = REFUSED, RSTR = BY_SERVER, RSTRH = BY_SERVER, RSTO = BY_CLIENT }
local PORTS = 65536 -- kind times this, plus the port

return {
  about = "TCP connections that were refused or reset, by client, server and port",
  options = { least = { default = 3, about = "connections that make a finding" } },
  start = function(opt)
    local key = { "src:address", "dst:address", "what" }
    local resets = count { "resets", key = key }
    local first = min { "first", key = key, decimals = 6 }
    local last = max { "last", key = key, decimals = 6 }
    local states = count { "connections by state", key = "state:string" }
    return {
      flow = function(f)
        if f.proto ~= 6 then return end -- no filter: so a report shares its flow table with this
        states:add(f.state)
        local kind = KINDS[f.state]
        if kind then
          local what = kind * PORTS + f.dport
          resets:add(f.src, f.dst, what)
          first:add(f.src, f.dst, what, f.first:seconds())
          last:add(f.src, f.dst, what, f.last:seconds())
        end
      end,
      finish = function(out)
        local rows = {}
        for _, r in ipairs(resets:top(1000)) do
          if r[4] < opt.least then break end
          local kind, port = math.floor(r[3] / PORTS), r[3] % PORTS
          local server = ("%s port %d"):format(tostring(r[2]), port)
          rows[#rows + 1] = { WHAT[kind], r[1], server, first:get(r[1], r[2], r[3]),
            last:get(r[1], r[2], r[3]), r[4],
            ("%s && tcp.port == %d"):format(findings.both(r[1], r[2]), port) }
        end
        out:findings { title = "Resets", amount = "connections", unit = "connections",
          rows = rows, notes = resets:notes() }
        out:bars { title = "Connections by state", rows = states:top(20), value = "connections" }
      end,
    }
  end,
}
