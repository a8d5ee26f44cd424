-- Bytes, packets and new flows over time. The width of a bin follows the length of the capture.
-- Sent is what originators of flows sent, received what was sent to them, other what is no IP.
local SENT, OTHER, PACKETS, FLOWS = 1, 3, 4, 5 -- 2: received

-- One series for all, so that they share their bins: { time, metric, value } to a row a time.
local function by_time(long)
  local rows, at = {}, {}
  for _, x in ipairs(long) do
    local row = at[x[1]]
    if not row then
      row = { x[1], 0, 0, 0, 0, 0, 0 }
      at[x[1]] = row
      rows[#rows + 1] = row
    end
    if x[2] <= OTHER then row[2] = row[2] + x[3] end
    row[2 + x[2]] = x[3]
  end
  table.sort(rows, function(a, b) return a[1] < b[1] end)
  return rows
end

return {
  about = "bytes, packets and new flows over time",
  options = { bin = { default = 0, about = "seconds in a bin; 0: chosen to fit" } },
  start = function(opt)
    if opt.bin < 0 then error("--bin takes seconds, 0 or more", 0) end
    local amounts = opt.bin > 0 and series { "amounts", key = "metric", bins = 1e6, bin = opt.bin }
      or series { "amounts", key = "metric", bins = 400 }
    return {
      packet = function(p)
        local of = SENT + p.dir
        if p.ip_version == 0 then of = OTHER end
        amounts:add(p.ts, of, p.len)
        amounts:add(p.ts, PACKETS, 1)
      end,
      flow = function(f) amounts:add(f.first, FLOWS, 1) end,
      finish = function(out)
        local long = amounts:rows()
        out:lines { title = "Traffic over time", rows = by_time(long), interval = long.bin,
          notes = amounts:notes(), stacked = true, columns = { { name = "time", type = "time" },
            { name = "bytes", unit = "bytes", minor = true }, { name = "sent", unit = "bytes" },
            { name = "received", unit = "bytes" }, { name = "other", unit = "bytes" },
            { name = "packets", unit = "packets" }, { name = "new_flows", unit = "flows" } } }
      end,
    }
  end,
}
