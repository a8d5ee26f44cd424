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

-- A flow's service as a number, good as a key of aggregates: protocol and registered port.
local PORTS = 65536

--- services.key(f) -> protocol times 65536 plus the port whose service services.of names, or plus
--- 0 where it names none.
function services.key(f)
  local list, proto = handle or services.handle(), f.proto
  if C.sl_flow_service(list, f) == nil then return proto * PORTS end
  local port = f.dport
  if C.sl_service_name(list, proto, port) == nil then port = f.sport end
  return proto * PORTS + port
end

--- The same of a packet, which does not say who has begun: of two ports that have a name the lower.
function services.key_of(p)
  local list, proto, low, high = handle or services.handle(), p.proto, p.sport, p.dport
  if low > high then low, high = high, low end
  if C.sl_service_name(list, proto, low) ~= nil then return proto * PORTS + low end
  if C.sl_service_name(list, proto, high) ~= nil then return proto * PORTS + high end
  return proto * PORTS
end

--- "https/tcp" of such a key, "other/tcp", or "icmp" for a protocol without ports.
function services.key_name(key)
  local proto, port = math.floor(key / PORTS), key % PORTS
  local name = C.sl_ip_proto_name(proto)
  name = name ~= nil and ffi.string(name) or tostring(proto)
  if port > 0 then return services.name(proto, port) .. "/" .. name end
  local has_ports = proto == 6 or proto == 17 or proto == 33 or proto == 132 or proto == 136
  return has_ports and "other/" .. name or name
end

return services
