-- Flows of which only one side is seen: routes that differ by direction, a mirror port that misses
-- one, or nobody at the other end. TCP that carries data one way and nothing back cannot be.
return {
  about = "TCP with data from one side and no packet of the other",
  options = { top = { default = 20, about = "pairs to show" } },
  filter = "tcp",
  start = function(opt)
    local all, lone = count { "flows" }, count { "one-sided flows" }
    local pairs_of = top { "one-sided packets", key = { "seen:address", "missing:address" } }
    return {
      flow = function(f)
        all:add(1)
        if f.payload == 0 or (f.packets_src > 0 and f.packets_dst > 0) then return end
        lone:add(1)
        if f.packets_src > 0 then
          pairs_of:add(f.src, f.dst, f.packets_src)
        else
          pairs_of:add(f.dst, f.src, f.packets_dst)
        end
      end,
      finish = function(out)
        out:record { title = "Asymmetry", fields = { { "tcp flows", all:value() },
          { "one-sided", lone:value() } } }
        local rows = pairs_of:top(opt.top)
        out:table { title = "One-sided pairs", rows = rows, total = rows.total, columns = {
          { name = "seen", type = "address" }, { name = "missing", type = "address" },
          { name = "packets", unit = "packets" } } }
      end,
    }
  end,
}
