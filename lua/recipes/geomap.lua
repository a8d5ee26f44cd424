-- A world map of traffic: the bytes of all flows with an end in a country. Both ends count; a flow
-- inside one country counts once. Private, multicast and other special addresses are named apart.
return {
  about = "a world map of bytes by country",
  start = function()
    local bytes = sum { "bytes by country", key = "country" }
    return {
      flow = function(f)
        local n = f.bytes
        local from, to = geo.code(f.src), geo.code(f.dst)
        bytes:add(from, n)
        if to ~= from then bytes:add(to, n) end
      end,
      finish = function(out, run)
        local values = {}
        for i, row in ipairs(bytes:rows()) do values[i] = { geo.name(row[1]), row[2] } end
        out:map { title = "Traffic by country", unit = "bytes", values = values,
          whole = run.stats.bytes,
          notes = { "Both ends of a flow count, so shares add up to more than the capture." } }
      end,
    }
  end,
}
