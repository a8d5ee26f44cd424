-- Country names, label points and outlines, from lua/data (see its README.md).
local countries = {}

-- The folder of this file is lua/sluice; data lies beside it.
local folder = package.searchpath("sluice.countries", package.path)
  :match "^(.*)sluice/countries%.lua$"
local data = folder .. "data/"

local function lines_of(name)
  local path = data .. name
  local file, why = io.open(path, "r")
  if not file then error(("cannot read %s: reinstall sluice"):format(why), 0) end
  local text = file:read("*a")
  file:close()
  return text:gmatch("[^\n]+")
end

local known

local function load_names()
  known = {}
  for line in lines_of("countries.tsv") do
    local code, name, lon, lat = line:match("^(%u%u)\t([^\t]+)\t(%S+)\t(%S+)$")
    known[code] = { name = name, lon = tonumber(lon), lat = tonumber(lat) }
  end
end

--- { name =, lon =, lat = } of a code, or nil.
function countries.get(code)
  if not known then load_names() end
  return known[code]
end

--- The English name; a code without one, and "private" or "multicast", are their own names.
function countries.name(code)
  local country = countries.get(code)
  return country and country.name or code
end

--- Iterates over all codes and names, in no order.
function countries.each()
  if not known then load_names() end
  local code, country
  return function()
    code, country = next(known, code)
    return code, country and country.name
  end
end

--- Outlines, country by country, large ones first, and the borders between two countries: lists of
--- { code =, lon, lat, lon, lat, … } in degrees; an outline's code "-": land without an ISO code.
function countries.outlines()
  local rings, borders = {}, {}
  for line in lines_of("world.tsv") do
    local code, points = line:match("^(%S+)\t(.+)$")
    local list = code == "|" and borders or rings
    local shape = { code = code }
    for hundredths in points:gmatch("%S+") do shape[#shape + 1] = tonumber(hundredths) / 100 end
    list[#list + 1] = shape
  end
  return rings, borders
end

return countries
