-- A line a packet, as tshark prints it, from the headers to layer 4.
local bit = require "bit"
local band = bit.band

local FLAGS = { { 2, "SYN" }, { 1, "FIN" }, { 4, "RST" }, { 8, "PSH" }, { 16, "ACK" },
  { 32, "URG" }, { 64, "ECE" }, { 128, "CWR" } }

-- All 256 sets of flags as text, made once.
local flag_texts = {}
for set = 0, 255 do
  local names = {}
  for _, flag in ipairs(FLAGS) do
    if band(set, flag[1]) ~= 0 then names[#names + 1] = flag[2] end
  end
  flag_texts[set] = table.concat(names, ", ")
end

local ARP = { "who has", "reply" }

local function info(p, name)
  if name == "arp" then
    return ARP[p.arp_op] or ("opcode %d"):format(p.arp_op)
  elseif p.frag_offset > 0 then
    return ("fragment at %d, id 0x%04x"):format(p.frag_offset, p.ip_id)
  elseif name == "tcp" and p.sport + p.dport > 0 then
    return ("%d → %d [%s] Seq=%d Ack=%d Win=%d Len=%d"):format(p.sport, p.dport,
      flag_texts[band(p.tcp_flags, 255)], p.seq, p.ack, p.window, p.payload_len)
  elseif p.sport + p.dport > 0 then
    return ("%d → %d Len=%d"):format(p.sport, p.dport, p.payload_len)
  elseif name == "icmp" or name == "icmpv6" then
    return ("type %d code %d"):format(p.icmp_type, p.icmp_code)
  end
  return ""
end

-- The transport's name, or what the packet is when it is no IP; and whether it has addresses.
local function name_of(p)
  if p.ip_version > 0 then return p.proto_name, true end
  local name = p.network
  return name, name == "arp"
end

-- Columns as wide as tshark's: addresses stand against the arrow.
local function line(p, time)
  local name, addressed = name_of(p)
  if not addressed then
    return ("%5d %10s %s %d"):format(p.number, time, name:upper(), p.len)
  end
  return ("%5d %10s %12s → %-12s %s %d %s"):format(p.number, time, p.src:text(), p.dst:text(),
    name:upper(), p.len, info(p, name))
end

local COLUMNS = { "number", { name = "time", type = "time" }, "length", "src", "dst", "proto",
  "sport", "dport", "info" }

local function list_rows(out)
  local stream = out:stream(COLUMNS)
  return {
    packet = function(p)
      local name, addressed = name_of(p)
      stream:row { p.number, p.ts, p.len, addressed and p.src or nil, addressed and p.dst or nil,
        name, p.sport, p.dport, info(p, name) }
    end,
    finish = function() stream:done() end,
  }
end

return {
  about = "a line a packet; with -e FIELD a column a field",
  start = function(_, out)
    local row, done = out:fields()
    if row then return { packet = row, finish = done } end
    if not out:is_text() then return list_rows(out) end
    local time = out:clock()
    return { packet = function(p) out:line(line(p, time(p))) end }
  end,
}
