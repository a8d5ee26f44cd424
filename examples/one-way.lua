-- Flows that nobody answered, by protocol and port, and their share of the flows there.
return {
  about = "flows without an answer by service", filter = "tcp || udp",
  start = function()
    local key = { "protocol:string", "port" }
    local all, mute = count { "flows", key = key }, count { "unanswered", key = key }
    return {
      flow = function(f)
        all:add(f.proto_name, f.dport)
        if f.packets_dst == 0 then mute:add(f.proto_name, f.dport) end
      end,
      finish = function(out)
        local rows = mute:top(20)
        for _, row in ipairs(rows) do row[4] = 100 * row[3] / all:get(row[1], row[2]) end
        out:table { title = "One-way flows", rows = rows, chart = "unanswered", columns = {
          "protocol", "port", { name = "unanswered", unit = "flows" },
          { name = "share", unit = "%" } } }
      end,
    }
  end,
}
