-- Country names, label points and outlines, from lua/data (see its README.md).
local countries = {}

-- The folder of this file is lua/sluice; data lies beside it.
local folder = debug.getinfo(1, "S").source:match("^@(.*)sluice/countries%.lua$") or ""
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

--- Outlines, large ones first: { code =, lon, lat, lon, lat, … } in degrees; code "-": no ISO code.
function countries.rings()
  local rings = {}
  for line in lines_of("world.tsv") do
    local code, points = line:match("^(%S+)\t(.+)$")
    local ring = { code = code }
    for hundredths in points:gmatch("%S+") do ring[#ring + 1] = tonumber(hundredths) / 100 end
    rings[#rings + 1] = ring
  end
  return rings
end

return countries
