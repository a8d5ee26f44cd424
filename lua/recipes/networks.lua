-- Who is at the other end: bytes and flows by autonomous system where --geo gives a database of
-- them (GeoLite2-ASN, DB-IP ASN Lite), by country otherwise. Both ends of a flow count.
return {
  about = "bytes and flows by autonomous system (--geo), or by country",
  options = { top = { default = 20, about = "networks to show" } },
  start = function(opt)
    local by_system = geo.has_networks()
    local name = by_system and geo.network or geo.country
    local bytes = sum { "bytes by network", key = "network:string" }
    local flows = count { "flows by network", key = "network:string" }
    local hosts = distinct { "addresses by network", key = "network:string", of = "address" }
    return {
      flow = function(f)
        local from, to = name(f.src), name(f.dst)
        bytes:add(from, f.bytes)
        flows:add(from)
        hosts:add(from, f.src)
        hosts:add(to, f.dst)
        if from ~= to then
          bytes:add(to, f.bytes)
          flows:add(to)
        end
      end,
      finish = function(out)
        local rows = bytes:top(opt.top)
        for _, r in ipairs(rows) do r[3], r[4] = flows:get(r[1]), hosts:get(r[1]) end
        local notes = rows.notes
        if not by_system then
          notes[#notes + 1] = "By country: a database with AS numbers comes with --geo FILE.mmdb."
        end
        out:table { title = "Networks", rows = rows, total = rows.total, notes = notes,
          chart = "bytes", columns = { "network", { name = "bytes", unit = "bytes" },
            { name = "flows", unit = "flows" }, "addresses" } }
      end,
    }
  end,
}
