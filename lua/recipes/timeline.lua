-- Bytes, packets and new flows over time. The width of a bin follows the length of the capture.
-- Sent is what originators of flows sent, received what was sent to them, other what is no IP.
local IP, RECEIVED, OTHER, FLOWS = 1, 2, 3, 5 -- 4: packets

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
    local metric, n = x[2], x[3]
    if metric == IP or metric == OTHER then row[2] = row[2] + n end -- bytes
    if metric == RECEIVED then row[3] = row[3] - n end
    row[2 + metric] = row[2 + metric] + n
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
      traffic = amounts,
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
