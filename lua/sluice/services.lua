-- Names of services by registered port. The list is read when the first one is asked for.
local ffi = require "ffi"
local C = require("sluice.abi").C

local services = { path = nil }

local handle

--- Which list to use; main.lua sets it before any recipe starts.
function services.use(path)
  services.path = path
end

--- The open list, for C functions that want one.
function services.handle()
  if handle then return handle end
  local err = ffi.new "struct sl_error"
  local opened = C.sl_services_open(services.path, err)
  if opened == nil then error({ code = err.code, message = ffi.string(err.message) }, 0) end
  handle = ffi.gc(opened, C.sl_services_close)
  return handle
end

local function text(name)
  return name ~= nil and ffi.string(name) or nil
end

--- services.name(6, 443) -> "https", or nil.
function services.name(proto, port)
  return text(C.sl_service_name(services.handle(), proto, port))
end

--- services.of(f) -> the service of a flow by its ports, or nil.
function services.of(f)
  return text(C.sl_flow_service(services.handle(), f))
end

return services
