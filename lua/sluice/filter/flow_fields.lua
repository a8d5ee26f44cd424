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
      ("tonumber(f.n_%s[0] + f.n_%s[1])"):format(name, name)))
    add(d.any_number("flow." .. name .. "_src", TRUE, about .. ", sent by src",
      ("tonumber(f.n_%s[0])"):format(name)))
    add(d.any_number("flow." .. name .. "_dst", TRUE, about .. ", sent by dst",
      ("tonumber(f.n_%s[1])"):format(name)))
  end
end

local function flow_addr(name, about, ...)
  local field = d.ipv6(name, TRUE, about, ...)
  field.type = "addr"
  return field
end

local function key(add)
  add(flow_addr("flow.src", "originator, IPv4 or IPv6", { "f.src" }))
  add(flow_addr("flow.dst", "responder", { "f.dst" }))
  add(flow_addr("flow.addr", "originator or responder", { "f.src" }, { "f.dst" }))
  add(d.number("flow.sport", TRUE, 65535, "the originator's port; ICMP: type", "f.sport"))
  add(d.number("flow.dport", TRUE, 65535, "the responder's port; ICMP: code or the answer's type",
    "f.dport"))
  add(d.number("flow.port", TRUE, 65535, "either port", "f.sport", "f.dport"))
  local proto = d.number("flow.proto", TRUE, 255, "IP protocol, number or name", "f.proto")
  proto.names = require "sluice.filter.ip_protocols"
  add(proto)
  add(d.number("flow.version", TRUE, 255, "IP version", "f.ip_version"))
end

local function course(add)
  add(d.any_number("flow.number", TRUE, "frame number of its first packet", "tonumber(f.number64)"))
  add(d.time("flow.first", TRUE, "time of its first packet", "f.first"))
  add(d.time("flow.last", TRUE, "time of its last packet", "f.last"))
  add(d.any_number("flow.time_relative", TRUE, "seconds from the first packet of the capture",
    "(floor(f.t * 1e9 + 0.5) / 1e9)", true))
  add(d.any_number("flow.duration", TRUE, "seconds", "f.duration", true))
  add(d.number("flow.tcp_flags_src", TRUE, 65535, "all TCP flags that src sent", "f.tcp_flags[0]"))
  add(d.number("flow.tcp_flags_dst", TRUE, 65535, "all TCP flags that dst sent", "f.tcp_flags[1]"))
  local ended = d.number("flow.end", TRUE, 255, "why it ended: eof, fin, rst, reuse, idle, evicted",
    'f["end"]')
  ended.names = {}
  for _, name in ipairs { "EOF", "FIN", "RST", "REUSE", "IDLE", "EVICTED" } do
    ended.names[name:lower()] = tonumber(C["SL_END_" .. name])
  end
  add(ended)
end

local STATES = { "S0", "S1", "S2", "S3", "SF", "REJ", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH",
  "SHR", "OTH" }

-- How TCP went. The parts of the handshake do not exist where they were not seen.
local function rtt(add, name, about, expr, ...)
  local seen = {}
  for i, dir in ipairs { ... } do
    seen[i] = cond.test(("(f.rtt_ns[%d] >= 0)"):format(dir))
  end
  add(d.any_number(name, cond.all(seen), about, expr, true))
end

local function tcp(add)
  local state = d.number("flow.state", TRUE, 255,
    "how it went, by Zeek's names: SF, S0, REJ, RSTO …", "f.conn_state")
  state.names = {}
  for _, name in ipairs(STATES) do
    state.names[name:lower()] = tonumber(C["SL_STATE_" .. name])
  end
  add(state)
  add(d.text("flow.history", TRUE, "what happened, in Zeek's letters: ShADadFf", "str(f.letters)"))
  rtt(add, "flow.rtt", "TCP handshake, SYN to SYN+ACK to ACK, seconds",
    "(tonumber(f.rtt_ns[0] + f.rtt_ns[1]) * 1e-9)", 0, 1)
  rtt(add, "flow.rtt_src", "its part SYN+ACK to ACK: the way to src and back",
    "(tonumber(f.rtt_ns[0]) * 1e-9)", 0)
  rtt(add, "flow.rtt_dst", "its part SYN to SYN+ACK: the way to dst and back",
    "(tonumber(f.rtt_ns[1]) * 1e-9)", 1)
  for _, what in ipairs {
    { "retransmitted", "TCP payload bytes sent again by " },
    { "missed", "TCP payload bytes acknowledged but not seen, of " },
    { "ip_bytes", "bytes of whole IP packets, sent by " },
  } do
    for i, side in ipairs { "src", "dst" } do
      add(d.any_number(("flow.%s_%s"):format(what[1], side), TRUE, what[2] .. side,
        ("tonumber(f.n_%s[%d])"):format(what[1], i - 1)))
    end
  end
end

local function meaning(add)
  add(d.text("flow.service", TRUE, "service by its port, such as https", "service(f)"))
  add(d.text("flow.src_country", TRUE, "the originator's country: two letters, or private …",
    "country(f.src)"))
  add(d.text("flow.dst_country", TRUE, "the responder's country", "country(f.dst)"))
  add(d.text("flow.country", TRUE, "either country", "country(f.src)", "country(f.dst)"))
end

return { totals, key, course, tcp, meaning }
