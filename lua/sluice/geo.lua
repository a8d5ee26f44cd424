-- Countries of addresses. The database is opened when the first one is asked for.
local ffi = require "ffi"
local C = require("sluice.abi").C

local geo = { path = nil }

local handle
local names = {}
local text = ffi.new "char[16]"

--- Which MaxMind DB to use; main.lua sets it before any recipe starts.
function geo.use(path)
  geo.path = path
end

--- The open database, for C functions that want one.
function geo.handle()
  if handle then return handle end
  local err = ffi.new "struct sl_error"
  local opened = C.sl_geo_open(geo.path, err)
  if opened == nil then error({ code = err.code, message = ffi.string(err.message) }, 0) end
  handle = ffi.gc(opened, C.sl_geo_close)
  return handle
end

--- geo.code(p.src) -> the country as a number, good as a key of aggregates.
function geo.code(addr)
  return (C.sl_geo_country(handle or geo.handle(), addr))
end

--- geo.name(code) -> "DE", or "private", "loopback", "link-local", "multicast", "unknown" …
function geo.name(code)
  local name = names[code]
  if not name then
    name = ffi.string(text, C.sl_geo_name(code, text))
    names[code] = name
  end
  return name
end

--- geo.country(p.src) -> the name at once.
function geo.country(addr)
  return (geo.name(geo.code(addr)))
end

--- geo.placed(code) -> whether the code is a country, not "private" and the like.
function geo.placed(code)
  return code >= 0x100
end

return geo
