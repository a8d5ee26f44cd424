-- What recipes read of packets and flows beside the plain fields of src/abi.h: 64-bit counters as
-- Lua numbers (exact to 2^53), names, countries. As methods of ctypes they cost nothing once
-- compiled.
local ffi = require "ffi"
local C = require("sluice.abi").C
local bytes = require "sluice.bytes"
local geo = require "sluice.geo"
local services = require "sluice.services"

local function name_of(number)
  local name = C.sl_ip_proto_name(number)
  return name ~= nil and ffi.string(name) or tostring(number)
end

-- Names by number, made once: strings are not built per packet.
local proto_names = {}
for i = 0, 255 do proto_names[i] = name_of(i) end

-- getters: what reads like a field; methods: what is called with a colon. No return here is a tail
-- call, of which LuaJIT takes 15 in a trace at most: handlers read many fields.
local function with_getters(ctype, getters, methods)
  ffi.metatype(ctype, {
    __index = function(object, key)
      local get = getters[key]
      if get then return (get(object)) end
      if methods[key] then return methods[key] end
      error(("no field '%s' in %s"):format(tostring(key), ctype:match "sl_(%w+)"), 2)
    end,
  })
end

-- What a packet is of when it is no IP: "arp", "lldp", … or why that is not known.
local function network_of(p)
  local bit_number = C.sl_network_of(p.protos)
  if bit_number < C.SL_P_N then return (ffi.string(C.sl_proto_name(bit_number))) end
  return (ffi.string(C.sl_skip_name(p.skip)))
end

local TCP_HEADER = 20 -- bytes, before the options
local END, PADDING = 0, 1

--- p:tcp_option(kind) -> view of the option's value, or nil: it is not there, or cut off (RFC 9293
--- 3.2).
local function tcp_option(p, kind)
  if p.proto ~= 6 or p.payload_off <= p.l4_off then return nil end
  local v, at, stop = bytes.view(p.data, p.caplen), p.l4_off + TCP_HEADER, p.payload_off
  while at < stop do
    local this, size = v:u8(at), 1
    if this == nil or this == END then return nil end
    if this ~= PADDING then
      size = v:u8(at + 1) or 0
      if size < 2 or at + size > stop then return nil end
      if this == kind then return v:slice(at + 2, size - 2) end
    end
    at = at + size
  end
  return nil
end

with_getters("struct sl_packet", {
  number = function(p) return (tonumber(p.number64)) end,
  offset = function(p) return (tonumber(p.offset64)) end,
  flow_pkt = function(p) return (tonumber(p.flow_pkt64)) end,
  proto_name = function(p) return proto_names[p.proto] end,
  network = network_of,
  payload = function(p) return (bytes.view(p.data + p.payload_off, p.payload_cap)) end,
  frame = function(p) return (bytes.view(p.data, p.caplen)) end,
  src_country = function(p) return (geo.country(p.src)) end,
  dst_country = function(p) return (geo.country(p.dst)) end,
}, { tcp_option = tcp_option })

local ends, states = {}, {}
for i = C.SL_END_EOF, C.SL_END_EVICTED do ends[i] = ffi.string(C.sl_flow_end_name(i)) end
for i = C.SL_STATE_OTH, C.SL_STATE_SHR do states[i] = ffi.string(C.sl_flow_state_name(i)) end

local NS = 1e-9

-- Seconds of a part of the handshake, or nil: it was not seen.
local function rtt(f, dir)
  local ns = tonumber(f.rtt_ns[dir])
  if ns >= 0 then return ns * NS end
  return nil
end

-- p.ts:seconds(), f.first:seconds() -> seconds since 1970, to a quarter of a microsecond.
ffi.metatype("struct sl_time", { __index = {
  seconds = function(ts) return (tonumber(ts.s) + ts.nsec * 1e-9) end,
} })

with_getters("struct sl_flow", {
  number = function(f) return (tonumber(f.number64)) end,
  packets_src = function(f) return (tonumber(f.n_packets[0])) end,
  packets_dst = function(f) return (tonumber(f.n_packets[1])) end,
  bytes_src = function(f) return (tonumber(f.n_bytes[0])) end,
  bytes_dst = function(f) return (tonumber(f.n_bytes[1])) end,
  payload_src = function(f) return (tonumber(f.n_payload[0])) end,
  payload_dst = function(f) return (tonumber(f.n_payload[1])) end,
  packets = function(f) return (tonumber(f.n_packets[0] + f.n_packets[1])) end,
  bytes = function(f) return (tonumber(f.n_bytes[0] + f.n_bytes[1])) end,
  payload = function(f) return (tonumber(f.n_payload[0] + f.n_payload[1])) end,
  ip_bytes_src = function(f) return (tonumber(f.n_ip_bytes[0])) end,
  ip_bytes_dst = function(f) return (tonumber(f.n_ip_bytes[1])) end,
  retransmitted_src = function(f) return (tonumber(f.n_retransmitted[0])) end,
  retransmitted_dst = function(f) return (tonumber(f.n_retransmitted[1])) end,
  missed_src = function(f) return (tonumber(f.n_missed[0])) end,
  missed_dst = function(f) return (tonumber(f.n_missed[1])) end,
  state = function(f) return states[f.conn_state] end,
  history = function(f) return (ffi.string(f.letters)) end,
  rtt_src = function(f) return (rtt(f, 0)) end,
  rtt_dst = function(f) return (rtt(f, 1)) end,
  rtt = function(f)
    local to_src, to_dst = tonumber(f.rtt_ns[0]), tonumber(f.rtt_ns[1])
    if to_src >= 0 and to_dst >= 0 then return ((to_src + to_dst) * NS) end
    return nil
  end,
  proto_name = function(f) return proto_names[f.proto] end,
  service = function(f) return services.of(f) end,
  head_src = function(f) return f.head[0] end,
  head_dst = function(f) return f.head[1] end,
  end_name = function(f) return ends[f["end"]] end,
  src_country = function(f) return (geo.country(f.src)) end,
  dst_country = function(f) return (geo.country(f.dst)) end,
}, {
  -- A flow of its own: f itself is only good until the batch is done.
  copy = function(f)
    local own = ffi.new "struct sl_flow"
    ffi.copy(own, f, ffi.sizeof(own))
    return own
  end,
})

return { proto_names = proto_names }
