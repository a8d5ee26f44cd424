-- Names that DNS answers gave to addresses (RFC 1035, RFC 3596), read with bounds from a payload.
-- Whatever is cut, compressed into a loop or nonsense gives nothing.
local ffi = require "ffi"

local dns = {}

local HEADER = 12 -- bytes
local A, AAAA, IN = 1, 28, 1
local MOST_ANSWERS = 64 -- of one message that are looked at
local MOST_LABELS = 128 -- RFC 1035 allows 127

-- The name at byte i in small letters, and where it ends; nil where there is no whole one. A
-- question's name is never compressed.
local function question(v, i)
  local text = ""
  for _ = 1, MOST_LABELS do
    local length = v:u8(i)
    if not length or length > 63 or #text + length > 253 then return nil end
    if length == 0 then return text, i + 1 end
    local label = v:slice(i + 1, length)
    if not label then return nil end
    if #text > 0 then text = text .. "." end
    text = text .. ffi.string(label.data, length):lower()
    i = i + 1 + length
  end
  return nil
end

-- Where the name at byte i ends, compressed or not.
local function skip_name(v, i)
  for _ = 1, MOST_LABELS do
    local length = v:u8(i)
    if not length then return nil end
    if length >= 0xc0 then return i + 2 end
    if length > 63 then return nil end
    if length == 0 then return i + 1 end
    i = i + 1 + length
  end
  return nil
end

-- The address in the answer whose data begin at byte i, or nil.
local function address(v, kind, i, size)
  local addr = ffi.new "struct sl_addr"
  if kind == A and size == 4 and v:u32(i) then
    addr.w[2], addr.w[3] = 0xffff, v:u32(i)
    return addr
  elseif kind == AAAA and size == 16 and v:u32(i + 12) then
    addr.w[0], addr.w[1], addr.w[2], addr.w[3] = v:u32(i), v:u32(i + 4), v:u32(i + 8),
      v:u32(i + 12)
    return addr
  end
  return nil
end

--- Adds names:add(address, name) for every address that the answer in v (a payload) gives to the
--- name that was asked for. names: an aggregate with key = { "address:address", "name:string" }.
function dns.add_answers(v, names)
  local flags, questions, answers = v:u16(2), v:u16(4), v:u16(6)
  if not answers or flags < 0x8000 or questions ~= 1 then return end
  local name, i = question(v, HEADER)
  if not name or name == "" then return end
  i = i + 4 -- type and class
  for _ = 1, math.min(answers, MOST_ANSWERS) do
    i = skip_name(v, i)
    local kind, class, size = i and v:u16(i), i and v:u16(i + 2), i and v:u16(i + 8)
    if not size then return end
    local addr = class == IN and address(v, kind, i + 10, size)
    if addr then names:add(addr, name) end
    i = i + 10 + size
  end
end

--- The name of each address that was answered most often: { ["192.0.2.1"] = "example.com", … }.
function dns.names(names)
  local of, times = {}, {}
  for _, row in ipairs(names:rows()) do
    local addr = tostring(row[1])
    if row[3] > (times[addr] or 0) and addr ~= "other" then
      of[addr], times[addr] = row[2], row[3]
    end
  end
  return of
end

return dns
