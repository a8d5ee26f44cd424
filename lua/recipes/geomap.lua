-- A world map of traffic: the bytes of all flows with an end in a country. Both ends count; a flow
-- inside one country counts once. Private, multicast and other special addresses are named apart.
-- Sent is what addresses of the country sent, received what was sent to them.
local SHARED = 65536 -- the source's country times this, plus the destination's, is a key

-- From pairs of countries to each one: { code, bytes, flows, sent, received }.
local function by_country(flows, to, from)
  local list, at = {}, {}
  local function add(code, n, sent, received)
    local row = at[code]
    if not row then
      row = { code, 0, 0, 0, 0 }
      at[code] = row
      list[#list + 1] = row
    end
    row[2], row[3], row[4], row[5] = row[2] + sent + received, row[3] + n, row[4] + sent,
      row[5] + received
  end
  for _, x in ipairs(flows:rows()) do
    local a, b = math.floor(x[1] / SHARED), x[1] % SHARED
    local there, back = to:get(x[1]) or 0, from:get(x[1]) or 0
    if a ~= b then
      add(a, x[2], there, back)
      add(b, x[2], back, there)
    else
      add(a, x[2], there + back, 0)
      at[a][5] = at[a][5] + there + back -- every byte was sent and received there
    end
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

return {
  about = "a world map of traffic by country",
  start = function()
    local flows = count { "flows by countries", key = "countries" }
    local to = sum { "bytes sent by countries", key = "countries" }
    local from = sum { "bytes received by countries", key = "countries" }
    return {
      flow = function(f)
        local pair = geo.code(f.src) * SHARED + geo.code(f.dst)
        flows:add(pair)
        to:add(pair, f.bytes_src)
        if f.bytes_dst > 0 then from:add(pair, f.bytes_dst) end
      end,
      finish = function(out, run)
        local values = by_country(flows, to, from)
        for _, row in ipairs(values) do row[1] = geo.name(row[1]) end
        out:map { title = "Traffic by country", values = values, whole = run.stats.bytes,
          columns = { { name = "bytes", unit = "bytes" }, { name = "flows", unit = "flows" },
            { name = "sent", unit = "bytes" }, { name = "received", unit = "bytes" } },
          notes = { "Both ends of a flow count, so shares add up to more than the capture." } }
      end,
    }
  end,
}
