-- -z conv,TYPE and endpoints,TYPE: tshark's tables of who talked with whom. Those of TCP, UDP and
-- SCTP are flows, which then do not idle (a conversation of tshark's is never over); those of
-- Ethernet and IP count packets by their two addresses.
local C = require("sluice.abi").C
local inside = require "sluice.statistics.inside"

local ends = {}

local TYPES = {
  tcp = { proto = 6 }, udp = { proto = 17 }, sctp = { proto = 132 },
}
ends.types = { "eth", "ip", "ipv6", "tcp", "udp", "sctp" }

-- The place of a row in a list that remembers where its key is.
local function rows_by_key()
  local list, places = {}, {}
  return list, function(key, make)
    local at = places[key]
    if not at then
      at = #list + 1
      places[key] = at
      list[at] = make()
    end
    return list[at]
  end
end

local function by_frames(list, frames)
  table.sort(list, function(x, y)
    local a, b = frames(x), frames(y)
    if a ~= b then return a > b end
    return x.order < y.order
  end)
end

local function end_of(a, port)
  return (a:is_ipv4() and "%s:%d" or "[%s]:%d"):format(a:text(), port)
end

-- ---- conversations ----

local CONVERSATION = {
  { name = "a", title = "Address A" }, { name = "b", title = "Address B" },
  { name = "frames_to_a", title = "Frames <-" }, { name = "bytes_to_a", title = "Bytes <-" },
  { name = "frames_to_b", title = "Frames ->" }, { name = "bytes_to_b", title = "Bytes ->" },
  { name = "frames", title = "Frames" }, { name = "bytes", title = "Bytes" },
  { name = "start", title = "Start" }, { name = "duration", title = "Duration" },
}

local function frames_of_conversation(c) return c.frames[1] + c.frames[2] end

local function show_conversations(view, title, list)
  by_frames(list, frames_of_conversation)
  local rows = {}
  for i, c in ipairs(list) do
    rows[i] = { c.a, c.b, c.frames[2], c.bytes[2], c.frames[1], c.bytes[1],
      c.frames[1] + c.frames[2], c.bytes[1] + c.bytes[2], c.start, c.stop - c.start }
  end
  view:table { title = title, columns = CONVERSATION, rows = rows }
end

local function new_conversation(a, b, start, order)
  return { a = a, b = b, frames = { 0, 0 }, bytes = { 0, 0 }, start = start, stop = start,
    order = order }
end

-- One row for each flow of a transport: its ports may be used again, and then it is another one, as
-- for tshark.
local function conversations_of_flows(name)
  local proto, list = TYPES[name].proto, {}
  local function flow(f)
    if f.proto ~= proto then return end
    local c = new_conversation(end_of(f.src, f.sport), end_of(f.dst, f.dport), f.t, f.number)
    c.frames, c.bytes = { f.packets_src, f.packets_dst }, { f.bytes_src, f.bytes_dst }
    c.stop = f.t + f.duration
    list[#list + 1] = c
  end
  return { flow = flow,
    finish = function(view) show_conversations(view, name .. " conversations", list) end }
end

local ETH_BIT = tonumber(C.SL_P_ETH)

local function mac(at)
  return ("%02x:%02x:%02x:%02x:%02x:%02x"):format(at[0], at[1], at[2], at[3], at[4], at[5])
end

-- Sender and receiver of a packet, or nil: by type. Fragments without a flow count here, too.
local PAIRS = {
  eth = function(p)
    local here = bit.band(p.protos_w[0], bit.lshift(1, ETH_BIT)) ~= 0
    if not here or p.eth_off + 14 > p.caplen then return nil end
    return mac(p.data + p.eth_off + 6), mac(p.data + p.eth_off)
  end,
  ip = function(p)
    if p.ip_version == 4 then return p.src:text(), p.dst:text() end
  end,
  ipv6 = function(p) -- later fragments are no part of tshark's table, other than those of IPv4
    if p.ip_version == 6 and p.frag_offset == 0 then return p.src:text(), p.dst:text() end
  end,
}

-- One row for each pair of addresses.
local function conversations_of_packets(name)
  local list, row_of = rows_by_key()
  local ends_of = PAIRS[name]
  local function add(p)
    local src, dst = ends_of(p)
    if not src then return end
    local c = row_of(src < dst and src .. " " .. dst or dst .. " " .. src, function()
      return new_conversation(src, dst, p.t, p.number)
    end)
    local way = c.a == src and 1 or 2
    c.frames[way], c.bytes[way] = c.frames[way] + 1, c.bytes[way] + p.len
    c.start, c.stop = math.min(c.start, p.t), math.max(c.stop, p.t)
  end
  return { packet = inside.each(add),
    finish = function(view) show_conversations(view, name .. " conversations", list) end }
end

-- ---- endpoints ----

local function endpoint_columns(ports)
  local columns = { { name = "address", title = "Address" } }
  if ports then columns[2] = { name = "port", title = "Port" } end
  for _, name in ipairs { "packets", "bytes", "tx_packets", "tx_bytes", "rx_packets",
    "rx_bytes" } do
    columns[#columns + 1] = { name = name }
  end
  return columns
end

local function frames_of_endpoint(e) return e.tx + e.rx end

local function show_endpoints(view, title, list, ports)
  by_frames(list, frames_of_endpoint)
  local rows = {}
  for i, e in ipairs(list) do
    local row = { e.address }
    if ports then row[2] = e.port end
    for _, v in ipairs { e.tx + e.rx, e.tx_bytes + e.rx_bytes, e.tx, e.tx_bytes, e.rx,
      e.rx_bytes } do
      row[#row + 1] = v
    end
    rows[i] = row
  end
  view:table { title = title, columns = endpoint_columns(ports), rows = rows }
end

local function counter(row_of)
  return function(address, port, order, tx, tx_bytes, rx, rx_bytes)
    local e = row_of(port and address .. " " .. port or address, function()
      return { address = address, port = port, order = order, tx = 0, rx = 0, tx_bytes = 0,
        rx_bytes = 0 }
    end)
    e.tx, e.tx_bytes = e.tx + tx, e.tx_bytes + tx_bytes
    e.rx, e.rx_bytes = e.rx + rx, e.rx_bytes + rx_bytes
    e.order = math.min(e.order, order)
  end
end

local function endpoints_of_flows(name)
  local proto = TYPES[name].proto
  local list, row_of = rows_by_key()
  local add = counter(row_of)
  local function flow(f)
    if f.proto ~= proto then return end
    add(f.src:text(), f.sport, f.number, f.packets_src, f.bytes_src, f.packets_dst, f.bytes_dst)
    add(f.dst:text(), f.dport, f.number, f.packets_dst, f.bytes_dst, f.packets_src, f.bytes_src)
  end
  return { flow = flow,
    finish = function(view) show_endpoints(view, name .. " endpoints", list, true) end }
end

local function endpoints_of_packets(name)
  local list, row_of = rows_by_key()
  local add, ends_of = counter(row_of), PAIRS[name]
  local function ends_of_one(p)
    local src, dst = ends_of(p)
    if not src then return end
    add(src, nil, p.number, 1, p.len, 0, 0)
    add(dst, nil, p.number, 0, 0, 1, p.len)
  end
  return { packet = inside.each(ends_of_one),
    finish = function(view) show_endpoints(view, name .. " endpoints", list) end }
end

--- The handlers of conv,name and endpoints,name; nil: no such type.
function ends.conversations(name)
  if PAIRS[name] then return conversations_of_packets(name) end
  return TYPES[name] and conversations_of_flows(name)
end

function ends.endpoints(name)
  if PAIRS[name] then return endpoints_of_packets(name) end
  return TYPES[name] and endpoints_of_flows(name)
end

return ends
