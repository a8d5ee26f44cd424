-- Who looks for open doors: a port scan tries many ports of one host, a sweep one port of many
-- hosts, mostly in vain. In vain: a TCP connection that was never set up, or a request without an
-- answer.
local findings = require "sluice.findings"

local VAIN = { S0 = true, REJ = true, RSTOS0 = true, SH = true }
local PORTS = 65536 -- protocol number times this, plus the port
local PAIRS = 100000 -- the first so many are looked at; their times are kept for the same ones
local NAMES = { [1] = "icmp", [6] = "tcp", [17] = "udp", [58] = "icmpv6" }

local function describe(number)
  local proto, port = math.floor(number / PORTS), number % PORTS
  local name = NAMES[proto] or tostring(proto)
  if proto == 1 or proto == 58 then return name, name end
  return ("%s port %d"):format(name, port), ("%s.port == %d"):format(name, port)
end

return {
  about = "port scans and host sweeps: who knocks where, mostly in vain",
  options = {
    ports = { default = 15, about = "ports of one host that make a scan" },
    hosts = { default = 15, about = "hosts at one port that make a sweep" },
  },
  start = function(opt)
    local pair, door = { "src:address", "dst:address" }, { "src:address", "door" }
    local ports = distinct { "ports tried", key = pair, of = "door", keys = PAIRS }
    local hosts = distinct { "hosts tried", key = door, of = "address", keys = PAIRS }
    local times = {}
    for i, key in ipairs { pair, door } do
      times[i] = { min { "first " .. i, key = key, decimals = 6, keys = PAIRS },
        max { "last " .. i, key = key, decimals = 6, keys = PAIRS } }
    end
    local pair_first, pair_last = times[1][1], times[1][2]
    local door_first, door_last = times[2][1], times[2][2]
    local multicast, multicast6 = net "224.0.0.0/4", net "ff00::/8"
    return {
      flow = function(f)
        if f.packets_dst > 0 and not VAIN[f.state] then return end
        if f.dst:within(multicast) or f.dst:within(multicast6) then return end
        local n, first, last = f.proto * PORTS + f.dport, f.first:seconds(), f.last:seconds()
        ports:add(f.src, f.dst, n)
        pair_first:add(f.src, f.dst, first)
        pair_last:add(f.src, f.dst, last)
        hosts:add(f.src, n, f.dst)
        door_first:add(f.src, n, first)
        door_last:add(f.src, n, last)
      end,
      finish = function(out)
        local rows = {}
        for _, r in ipairs(ports:top(1000)) do
          if r[3] >= opt.ports then
            rows[#rows + 1] = { "port scan", r[1], tostring(r[2]), pair_first:get(r[1], r[2]),
              pair_last:get(r[1], r[2]), r[3],
              findings.between(r[1], r[2]) }
          end
        end
        for _, r in ipairs(hosts:top(1000)) do
          if r[3] >= opt.hosts then
            local name, filter = describe(r[2])
            rows[#rows + 1] = { "host sweep", r[1], name, door_first:get(r[1], r[2]),
              door_last:get(r[1], r[2]), r[3],
              ("%s.src == %s && %s"):format(r[1]:is_ipv4() and "ip" or "ipv6", tostring(r[1]),
              filter) }
          end
        end
        table.sort(rows, function(a, b)
          if a[6] ~= b[6] then return a[6] > b[6] end
          return a[7] < b[7]
        end)
        out:findings { title = "Scans", amount = "tried", rows = rows, notes = ports:notes() }
      end,
    }
  end,
}
