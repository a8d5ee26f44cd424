-- Pings without an answer: how many echo requests each host got, and how many came back.
return {
  about = "pings and their answers, by target", filter = "icmp.type in {0, 8}",
  start = function()
    local asked, answered = sum { "asked", key = "address" }, sum { "answered", key = "address" }
    return {
      flow = function(f) asked:add(f.dst, f.packets_src) answered:add(f.dst, f.packets_dst) end,
      finish = function(out)
        local rows = asked:top(20)
        for _, row in ipairs(rows) do row[3] = answered:get(row[1]) end
        out:table { title = "Pings", rows = rows, columns = { "target", "asked", "answered" } }
      end,
    }
  end,
}
