-- The fields of ended flows: struct sl_flow. src is the originator.

local cond = require "sluice.filter.cond"
local define = require "sluice.filter.define"
local C = require("ffi").C

local d, TRUE = define, cond.TRUE
local BYTES, PACKETS, PAYLOAD = "bytes", "packets", "payload"

local function totals(add)
  for _, what in ipairs {
    { BYTES, "wire bytes of whole frames" }, { PACKETS, "packets" },
    { PAYLOAD, "bytes that TCP, UDP or SCTP carried" },
  } do
    local name, about = what[1], what[2]
    add(d.any_number("flow." .. name, TRUE, about .. ", both directions",
      ("tonumber(p.n_%s[0] + p.n_%s[1])"):format(name, name)))
    add(d.any_number("flow." .. name .. "_src", TRUE, about .. ", sent by src",
      ("tonumber(p.n_%s[0])"):format(name)))
    add(d.any_number("flow." .. name .. "_dst", TRUE, about .. ", sent by dst",
      ("tonumber(p.n_%s[1])"):format(name)))
  end
end

local function flow_addr(name, about, ...)
  local field = d.ipv6(name, TRUE, about, ...)
  field.type = "addr"
  return field
end

local function key(add)
  add(flow_addr("flow.src", "originator, IPv4 or IPv6", { "p.src" }))
  add(flow_addr("flow.dst", "responder", { "p.dst" }))
  add(flow_addr("flow.addr", "originator or responder", { "p.src" }, { "p.dst" }))
  add(d.number("flow.sport", TRUE, 65535, "the originator's port; ICMP: type", "p.sport"))
  add(d.number("flow.dport", TRUE, 65535, "the responder's port; ICMP: code or the answer's type",
    "p.dport"))
  add(d.number("flow.port", TRUE, 65535, "either port", "p.sport", "p.dport"))
  local proto = d.number("flow.proto", TRUE, 255, "IP protocol, number or name", "p.proto")
  proto.names = require "sluice.filter.ip_protocols"
  add(proto)
  add(d.number("flow.version", TRUE, 255, "IP version", "p.ip_version"))
end

local function course(add)
  add(d.any_number("flow.number", TRUE, "frame number of its first packet", "tonumber(p.number64)"))
  add(d.time("flow.first", TRUE, "time of its first packet", "p.first"))
  add(d.time("flow.last", TRUE, "time of its last packet", "p.last"))
  add(d.any_number("flow.time_relative", TRUE, "seconds from the first packet of the capture",
    "(floor(p.t * 1e9 + 0.5) / 1e9)", true))
  add(d.any_number("flow.duration", TRUE, "seconds", "p.duration", true))
  add(d.number("flow.tcp_flags_src", TRUE, 65535, "all TCP flags that src sent", "p.tcp_flags[0]"))
  add(d.number("flow.tcp_flags_dst", TRUE, 65535, "all TCP flags that dst sent", "p.tcp_flags[1]"))
  local ended = d.number("flow.end", TRUE, 255, "why it ended: eof, fin, rst, reuse, idle, evicted",
    'p["end"]')
  ended.names = {}
  for _, name in ipairs { "EOF", "FIN", "RST", "REUSE", "IDLE", "EVICTED" } do
    ended.names[name:lower()] = tonumber(C["SL_END_" .. name])
  end
  add(ended)
end

local function meaning(add)
  add(d.text("flow.service", TRUE, "service by its port, such as https", "service(p)"))
  add(d.text("flow.src_country", TRUE, "the originator's country, two letters", "country(p.src)"))
  add(d.text("flow.dst_country", TRUE, "the responder's country", "country(p.dst)"))
  add(d.text("flow.country", TRUE, "either country", "country(p.src)", "country(p.dst)"))
end

return { totals, key, course, meaning }
