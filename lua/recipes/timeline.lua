-- Bytes, packets and new flows over time. The width of a bin follows the length of the capture.
return {
  about = "bytes, packets and new flows over time",
  options = { bin = { default = 0, about = "seconds in a bin; 0: chosen to fit" } },
  start = function(opt)
    local bin = opt.bin > 0 and opt.bin or nil
    local bytes = series { "bytes", bin = bin, bins = 400 }
    local packets = series { "packets", bin = bin, bins = 400 }
    local flows = series { "flows", bin = bin, bins = 400 }
    return {
      packet = function(p)
        bytes:add(p.ts, p.len)
        packets:add(p.ts, 1)
        if p.flow_pkt == 1 then flows:add(p.ts, 1) end
      end,
      finish = function(out)
        local function lines(title, unit, s)
          local rows = s:rows()
          out:lines { title = title, unit = unit, columns = { { name = "time", type = "time" },
            { name = unit, unit = unit } }, rows = rows, interval = rows.bin, notes = s:notes() }
        end
        lines("Bytes over time", "bytes", bytes)
        lines("Packets over time", "packets", packets)
        lines("New flows over time", "flows", flows)
      end,
    }
  end,
}
