-- Beacons: connections that one host opens to another at regular intervals, as malware and update
-- checks do. Regular: most gaps between their beginnings are a multiple of the same period.
local findings = require "sluice.findings"

local NEAR = 0.15 -- of a period
local TRIPLES = 20000 -- the first so many are looked at

-- The period of sorted times, and the share of gaps that keep it. n: how many there were before
-- the sample thinned them out.
local function rhythm(times, n)
  local gaps = {}
  for i = 2, #times do gaps[i - 1] = times[i] - times[i - 1] end
  local sorted = { unpack(gaps) }
  table.sort(sorted)
  local period = sorted[math.ceil(#sorted / 2)]
  if #times < n then period = (times[#times] - times[1]) / (n - 1) end
  local kept = 0
  for _, gap in ipairs(gaps) do
    local beats = gap / period
    if beats > 0.5 and math.abs(beats - math.floor(beats + 0.5)) < NEAR then kept = kept + 1 end
  end
  return period, kept / #gaps
end

return {
  about = "connections at regular intervals between two hosts",
  options = {
    least = { default = 8, about = "connections that make a rhythm" },
    regular = { default = 80, about = "percent of them that keep it" },
    shortest = { default = 1, about = "seconds that the period lasts at least" },
  },
  start = function(opt)
    local key = { "src:address", "dst:address", "port" }
    local many = count { "connections", key = key, keys = TRIPLES }
    local begun = sample { "beginnings", key = key, of = "time", n = 250, keys = TRIPLES }
    return {
      flow = function(f)
        -- No filter: so a report shares its flow table with this.
        if f.proto ~= 6 and f.proto ~= 17 then return end
        many:add(f.src, f.dst, f.dport)
        begun:add(f, f.src, f.dst, f.dport, f.proto)
      end,
      finish = function(out)
        local times, order = {}, {}
        for _, r in ipairs(begun:rows()) do
          if type(r[4]) ~= "number" then break end -- what is past the bound is no pair
          local id = ("%s %s %d"):format(tostring(r[2]), tostring(r[3]), r[4])
          if not times[id] then
            times[id] = { src = r[2], dst = r[3], port = r[4] }
            order[#order + 1] = times[id]
          end
          table.insert(times[id], r[1])
        end
        local rows = {}
        for _, t in ipairs(order) do
          local n = many:get(t.src, t.dst, t.port) or 0 -- none: times past all bounds
          if n >= opt.least and #t >= opt.least then
            table.sort(t)
            local period, share = rhythm(t, n)
            if period >= opt.shortest and 100 * share >= opt.regular then
              rows[#rows + 1] = { ("every %.4g s"):format(period), t.src,
                ("%s port %d"):format(tostring(t.dst), t.port), t[1], t[#t], n,
                findings.both(t.src, t.dst) }
            end
          end
        end
        table.sort(rows, function(a, b)
          if a[6] ~= b[6] then return a[6] > b[6] end
          return a[7] .. a[3] < b[7] .. b[3]
        end)
        out:findings { title = "Beacons", amount = "connections", unit = "connections",
          rows = rows, notes = begun:notes() }
      end,
    }
  end,
}
