-- Hosts whose TCP packets arrive with more than one TTL: several machines behind one address, a
-- route that changes, or somebody on the way who forges their packets.
return {
  about = "hosts seen with several TTLs", filter = "tcp",
  start = function()
    local least, most = min { "least ttl", key = "address" }, max { "most ttl", key = "address" }
    return {
      packet = function(p) least:add(p.src, p.ttl); most:add(p.src, p.ttl) end,
      finish = function(out)
        local rows = {}
        for _, row in ipairs(most:rows()) do
          local low = least:get(row[1])
          if row[2] > low then rows[#rows + 1] = { row[1], low, row[2], row[2] - low } end
        end
        out:table { title = "TTL spread", rows = rows, chart = "spread", columns = {
          { name = "host", type = "address" }, { name = "least", type = "number" },
          { name = "most", type = "number" }, { name = "spread", unit = "hops" } } }
      end,
    }
  end,
}
