-- Connections that last and hardly say a word: tunnels, forgotten shells, keep-alives that fill
-- tables of firewalls. The least talkative first.
return {
  about = "long connections that are mostly silent",
  options = {
    minutes = { default = 10, about = "how long a connection lasts at least" },
    rate = { default = 100, about = "bytes a second that it sends at most" },
  },
  start = function(opt)
    local quiet = {}
    return {
      flow = function(f)
        if f.duration >= opt.minutes * 60 and f.bytes <= opt.rate * f.duration then
          quiet[#quiet + 1] = f:copy()
        end
      end,
      finish = function(out)
        local rows = {}
        for i, f in ipairs(quiet) do
          rows[i] = { f.proto_name, f.src, f.dst, f.dport, f.duration, f.packets,
            f.bytes / f.duration }
        end
        table.sort(rows, function(a, b)
          if a[7] ~= b[7] then return a[7] < b[7] end
          return a[5] > b[5]
        end)
        out:table { title = "Long and silent", rows = rows, columns = { "protocol",
          { name = "source", type = "address" }, { name = "destination", type = "address" }, "port",
          { name = "duration", type = "duration" }, { name = "packets", unit = "packets" },
          { name = "rate", unit = "bytes/s" } } }
      end,
    }
  end,
}
