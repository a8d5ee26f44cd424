-- Countries by flows, and which services the traffic of each one is. Both ends of a flow count; a
-- flow inside one country counts once.
local SHARED = 2 ^ 32 -- country times this, plus the service, is a key of its own
local MOST_PAIRS = 20000
local MATRIX = 12 -- services and countries of the matrix

-- The largest services of each country.
local function services_of(pairs_of, each)
  local rows, left = {}, {}
  for _, x in ipairs(pairs_of) do
    local country = geo.name(math.floor(x[1] / SHARED))
    left[country] = (left[country] or each) - 1
    if left[country] >= 0 then
      rows[#rows + 1] = { country, services.key_name(x[1] % SHARED), x[2] }
    end
  end
  return rows
end

-- The labels that have most in all, at most n of them, the largest first.
local function largest(totals, n)
  local list = {}
  for label in pairs(totals) do list[#list + 1] = label end
  table.sort(list, function(a, b)
    if totals[a] ~= totals[b] then return totals[a] > totals[b] end
    return a < b
  end)
  for i = #list, n + 1, -1 do list[i] = nil end
  return list
end

local function matrix(view, pairs_of)
  local rows, by_country, by_service = {}, {}, {}
  for i, x in ipairs(pairs_of) do
    local country = geo.name(math.floor(x[1] / SHARED))
    local service = services.key_name(x[1] % SHARED)
    rows[i] = { service, country, x[2] }
    by_country[country] = (by_country[country] or 0) + x[2]
    by_service[service] = (by_service[service] or 0) + x[2]
  end
  local y, x = largest(by_service, MATRIX), largest(by_country, MATRIX)
  local shown, kept = {}, {}
  for _, label in ipairs(y) do shown[label] = true end
  for _, label in ipairs(x) do shown[label] = true end
  for _, row in ipairs(rows) do
    if shown[row[1]] and shown[row[2]] then kept[#kept + 1] = row end
  end
  view:heatmap { title = "Services and countries", y = y, x = x, rows = kept, columns = {
    { name = "service", role = "service" }, { name = "country", role = "country" },
    { name = "bytes", unit = "bytes" } },
    notes = { "Bytes of flows with an end in the country; both ends count." } }
end

return {
  about = "countries by flows, and the services of each",
  options = { services = { default = 5, about = "services of each country or hour to name" } },
  start = function(opt)
    local flows = count { "flows by country", key = "country" }
    local bytes = sum { "bytes by country and service", key = "country and service" }
    return {
      flow = function(f)
        local a, b = geo.code(f.src), geo.code(f.dst)
        local service, n = services.key(f), f.bytes
        flows:add(a)
        bytes:add(a * SHARED + service, n)
        if a == b then return end
        flows:add(b)
        bytes:add(b * SHARED + service, n)
      end,
      finish = function(out)
        local rows = {}
        for i, row in ipairs(flows:top(300)) do rows[i] = { geo.name(row[1]), row[2] } end
        out:bars { title = "Countries by flows", rows = rows, columns = {
          { name = "country", role = "country" }, { name = "flows", unit = "flows" } } }
        local pairs_of = bytes:top(MOST_PAIRS)
        matrix(out, pairs_of)
        out:table { title = "Services of countries", chart = "",
          rows = services_of(pairs_of, opt.services), columns = {
            { name = "country", role = "country" }, { name = "service", role = "service" },
            { name = "bytes", unit = "bytes" } } }
      end,
    }
  end,
}
