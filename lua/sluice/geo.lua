-- Countries, cities and autonomous systems of addresses. Databases are opened when the first one is
-- asked for; a country database is built in, the others come with --geo.
local bit = require "bit"
local ffi = require "ffi"
local C = require("sluice.abi").C

local geo = {}

local SIZE = 128
local text = ffi.new("char[?]", SIZE)
local UNKNOWN = "unknown"

local paths, default = {}, nil
local opened -- list of handles, by path
local handles = {} -- by what they hold
local names = {} -- of countries by code
local city_names, network_names = {}, {}

--- Which MaxMind DBs to use; main.lua sets it before any recipe starts. Of two that hold the same
--- the first counts; built_in is for countries when none of them holds any.
function geo.use(files, built_in)
  paths, default = files, built_in
end

local function open(path)
  local err = ffi.new "struct sl_error"
  local handle = C.sl_geo_open(path, err)
  if handle == nil then error({ code = err.code, message = ffi.string(err.message) }, 0) end
  return ffi.gc(handle, C.sl_geo_close)
end

local function open_all()
  if opened then return end
  opened = {}
  for i, path in ipairs(paths) do opened[i] = open(path) end
end

-- The database that holds what. Countries are always there.
local function holding(what, asked)
  local found = handles[what]
  if found then return found end
  open_all()
  for _, handle in ipairs(opened) do
    if not found and bit.band(C.sl_geo_holds(handle), what) ~= 0 then found = handle end
  end
  if not found and what == C.SL_GEO_COUNTRIES then found = open(default) end
  if not found then
    error(("%s: no database tells: give one with --geo FILE.mmdb, such as GeoLite2-%s"):format(
      asked, what == C.SL_GEO_CITIES and "City" or "ASN"), 3)
  end
  handles[what] = found
  return found
end

--- The open database of countries, for C functions that want one.
function geo.handle()
  return holding(C.SL_GEO_COUNTRIES)
end

local countries

--- geo.code(p.src) -> the country as a number, good as a key of aggregates.
function geo.code(addr)
  if not countries then countries = geo.handle() end
  return (C.sl_geo_country(countries, addr))
end

--- geo.name(code) -> "DE", or "private", "loopback", "link-local", "multicast", "unknown" …
--- A name, as rows of aggregates hold it, stays one.
function geo.name(code)
  if type(code) == "string" then return code end
  local name = names[code]
  if not name then
    name = ffi.string(text, C.sl_geo_name(code, text))
    names[code] = name
  end
  return name
end

--- geo.code_of("DE") -> its code, or nil: no country and no other place is called so.
function geo.code_of(name)
  if name:find "^%u%u$" then return name:byte(1) * 0x100 + name:byte(2) end
  for code = 0, C.SL_GEO_N - 1 do
    if geo.name(code) == name then return code end
  end
  return nil
end

--- geo.country(p.src) -> the name at once.
function geo.country(addr)
  return (geo.name(geo.code(addr)))
end

--- geo.placed(code) -> whether the code is a country, not "private" and the like.
function geo.placed(code)
  return code >= 0x100
end

--- geo.has_networks() -> whether --geo named a database of autonomous systems.
function geo.has_networks()
  open_all()
  for _, handle in ipairs(opened) do
    if bit.band(C.sl_geo_holds(handle), C.SL_GEO_NETWORKS) ~= 0 then return true end
  end
  return false
end

--- geo.asn(p.src) -> the number of its autonomous system, 0: unknown or a special address.
function geo.asn(addr)
  return (C.sl_geo_number(holding(C.SL_GEO_NETWORKS, "geo.asn"), addr, C.SL_GEO_NETWORKS))
end

-- A name that is the same for all addresses with this number, made once.
local function name_of(known, number, handle, addr, what, format)
  local name = known[number]
  if not name then
    local n = C.sl_geo_text(handle, addr, what, text, SIZE)
    name = format(number, ffi.string(text, n), addr)
    known[number] = name
  end
  return name
end

local function network_name(number, holder)
  return holder == "" and "AS" .. number or ("AS%d %s"):format(number, holder)
end

--- geo.network(p.src) -> "AS3320 Deutsche Telekom AG"; "private" and the like; "unknown".
function geo.network(addr)
  local handle = holding(C.SL_GEO_NETWORKS, "geo.network")
  local number = C.sl_geo_number(handle, addr, C.SL_GEO_NETWORKS)
  if number == 0 then
    local code = geo.code(addr)
    return geo.placed(code) and UNKNOWN or geo.name(code)
  end
  return (name_of(network_names, number, handle, addr, C.SL_GEO_NETWORKS, network_name))
end

local function city_name(_, name, addr)
  return name .. ", " .. geo.country(addr)
end

--- geo.city(p.src) -> "Berlin, DE"; where the city is unknown the country, or "private" …
function geo.city(addr)
  local handle = holding(C.SL_GEO_CITIES, "geo.city")
  local number = C.sl_geo_number(handle, addr, C.SL_GEO_CITIES)
  if number == 0 then return (geo.country(addr)) end
  return (name_of(city_names, number, handle, addr, C.SL_GEO_CITIES, city_name))
end

--- What the databases in use say of themselves: list of { path, type, built (seconds since 1970) }.
function geo.databases()
  open_all()
  local list, built = {}, ffi.new "uint64_t[1]"
  local function add(handle, path)
    local known = C.sl_geo_about(handle, text, built) == 0
    list[#list + 1] = { path, known and ffi.string(text) or UNKNOWN, tonumber(built[0]) }
  end
  for i, handle in ipairs(opened) do add(handle, paths[i]) end
  local countries_of, given = geo.handle(), false
  for _, handle in ipairs(opened) do given = given or handle == countries_of end
  if not given then add(countries_of, default) end
  return list
end

return geo
