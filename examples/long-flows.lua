-- The connections that lasted longest, with how much they carried: tunnels and forgotten sessions.
return {
  about = "flows by duration, the longest first",
  options = { top = { default = 10, about = "flows to show" } },
  start = function(opt)
    local longest = {}
    return {
      flow = function(f)
        local n = #longest
        if n == opt.top and f.duration <= longest[n].duration then return end
        local i = n
        while i > 0 and longest[i].duration < f.duration do
          longest[i + 1] = longest[i]
          i = i - 1
        end
        longest[i + 1] = f:copy()
        longest[opt.top + 1] = nil
      end,
      finish = function(out)
        local rows = {}
        for i, f in ipairs(longest) do
          rows[i] = { f.proto_name, f.src, f.dst, f.dport, f.duration, f.bytes }
        end
        out:table { title = "Longest flows", rows = rows, columns = { "protocol", "source",
          "destination", "port", { name = "duration", type = "duration" },
          { name = "bytes", unit = "bytes" } } }
      end,
    }
  end,
}
