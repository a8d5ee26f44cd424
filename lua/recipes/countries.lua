-- Countries by flows, and which services the traffic of each one is. Both ends of a flow count; a
-- flow inside one country counts once.
local SHARED = 2 ^ 32 -- country times this, plus the service, is a key of its own
local MOST_PAIRS = 20000

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
        out:table { title = "Services of countries", chart = "",
          rows = services_of(bytes:top(MOST_PAIRS), opt.services), columns = {
            { name = "country", role = "country" }, { name = "service", role = "service" },
            { name = "bytes", unit = "bytes" } } }
      end,
    }
  end,
}
