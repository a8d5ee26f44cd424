-- What changed between two captures: bytes by server port in the first input and in the second, the
-- largest change first. As shares, because captures are never of the same length.
return {
  about = "bytes by port in two captures: give two inputs",
  options = { top = { default = 15, about = "ports to show" } },
  filter = "tcp || udp",
  start = function(opt)
    local bytes = sum { "bytes by port", key = { "input", "port" } }
    local whole = sum { "bytes", key = "input" }
    return {
      packet = function(p)
        bytes:add(p.input, p.sport < p.dport and p.sport or p.dport, p.len)
        whole:add(p.input, p.len)
      end,
      finish = function(out)
        local rows, seen = {}, {}
        local function share(input, port)
          return 100 * (bytes:get(input, port) or 0) / math.max(1, whole:get(input) or 0)
        end
        for _, r in ipairs(bytes:rows()) do
          local port = r[2]
          if not seen[port] then
            seen[port] = true
            local before, after = share(0, port), share(1, port)
            rows[#rows + 1] = { port, services.name(6, port), before, after, after - before }
          end
        end
        table.sort(rows, function(a, b)
          local x, y = math.abs(a[5]), math.abs(b[5])
          if x ~= y then return x > y end
          return a[1] < b[1]
        end)
        for i = #rows, opt.top + 1, -1 do rows[i] = nil end
        out:table { title = "Before and after", rows = rows, total = #rows, columns = { "port",
          "service", { name = "before", unit = "%" }, { name = "after", unit = "%" },
          { name = "change", unit = "%" } } }
      end,
    }
  end,
}
