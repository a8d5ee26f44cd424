-- Hosts whose TCP packets arrive with more than one TTL: several machines behind one address, a
-- route that changes, or somebody on the way who forges their packets.
local least, most = min { "least", key = "host:address" }, max { "most", key = "host:address" }
return {
  about = "hosts seen with several TTLs", filter = "tcp",
  packet = function(p) least:add(p.src, p.ttl); most:add(p.src, p.ttl) end,
  finish = function(out)
    out:table { title = "TTL spread", rows = least:rows(most), chart = "spread",
      where = function(row) return row[3] > row[2] end, more = {
        { name = "spread", unit = "hops", value = function(row) return row[3] - row[2] end } } }
  end,
}
