-- A world map of traffic: the bytes of all flows with an end in a country. Both ends count; a flow
-- inside one country counts once. Private, multicast and other special addresses are named apart.
-- Sent is what addresses of the country sent, received what was sent to them.
return {
  about = "a world map of traffic by country",
  start = function()
    local bytes = sum { "bytes by country", key = "country" }
    local flows = count { "flows by country", key = "country" }
    local sent = sum { "sent by country", key = "country" }
    local received = sum { "received by country", key = "country" }
    return {
      flow = function(f)
        local to, from = f.bytes_src, f.bytes_dst
        local a, b = geo.code(f.src), geo.code(f.dst)
        bytes:add(a, to + from)
        flows:add(a)
        sent:add(a, to)
        received:add(b, to)
        if from > 0 then
          sent:add(b, from)
          received:add(a, from)
        end
        if a ~= b then
          bytes:add(b, to + from)
          flows:add(b)
        end
      end,
      finish = function(out, run)
        local values = {}
        for i, row in ipairs(bytes:rows()) do
          local name = row[1]
          values[i] = { name, row[2], flows:get(name), sent:get(name) or 0,
            received:get(name) or 0 }
        end
        out:map { title = "Traffic by country", values = values, whole = run.stats.bytes,
          columns = { { name = "bytes", unit = "bytes" }, { name = "flows", unit = "flows" },
            { name = "sent", unit = "bytes" }, { name = "received", unit = "bytes" } },
          notes = { "Both ends of a flow count, so shares add up to more than the capture." } }
      end,
    }
  end,
}
