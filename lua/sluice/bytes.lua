-- Views of bytes: a payload, a frame, the head of a flow (struct sl_view, src/abi.h). Every read
-- is checked against the end, in a form that NaN fails, too; what lies outside is nil. No string
-- is made unless text() is asked for, and LuaJIT compiles all of it.
--
-- Offsets count from 0, as in RFCs; numbers of several bytes are big-endian, as on the wire.
local ffi = require "ffi"
local C = require("sluice.abi").C

local bytes = {}

local view_t = ffi.typeof "struct sl_view"

local View = {}
View.__index = View

--- #v -> bytes in it.
function View.__len(v)
  return v.size
end

--- v:u8(i) -> the byte at i, or nil.
function View.u8(v, i)
  if not (i >= 0 and i < v.size) then return nil end
  return v.data[i]
end

--- v:u16(i), v:u24(i), v:u32(i) -> the number that begins at i, or nil.
function View.u16(v, i)
  if not (i >= 0 and i + 2 <= v.size) then return nil end
  local d = v.data
  return d[i] * 0x100 + d[i + 1]
end

function View.u24(v, i)
  if not (i >= 0 and i + 3 <= v.size) then return nil end
  local d = v.data
  return d[i] * 0x10000 + d[i + 1] * 0x100 + d[i + 2]
end

function View.u32(v, i)
  if not (i >= 0 and i + 4 <= v.size) then return nil end
  local d = v.data
  return d[i] * 0x1000000 + d[i + 1] * 0x10000 + d[i + 2] * 0x100 + d[i + 3]
end

--- v:slice(i) -> the view from i on; v:slice(i, n) -> n bytes of it; nil where it does not hold
--- them.
function View.slice(v, i, n)
  if not (i >= 0 and i <= v.size) then return nil end
  n = n or v.size - i
  if not (n >= 0 and i + n <= v.size) then return nil end
  return view_t(v.data + i, n)
end

--- v:find("text") -> where it first stands, or nil; v:find("text", i) -> from i on.
function View.find(v, text, i)
  i = i or 0
  if not (i >= 0 and i <= v.size) then return nil end
  local at = tonumber(C.sl_view_find(v, i, text, #text))
  if at < 0 then return nil end
  return at
end

--- v:starts "GET " -> whether these are the first bytes.
function View.starts(v, text)
  if #text > v.size then return false end
  return C.sl_view_starts(v, text, #text) == 1
end

local n_of = ffi.new "uint32_t[256]" -- how often each byte stands in a view

--- v:entropy() -> bits a byte, 0 to 8; nil of no bytes.
function View.entropy(v)
  if v.size == 0 then return nil end
  local sum = 0
  for i = 0, 255 do n_of[i] = 0 end
  for i = 0, v.size - 1 do n_of[v.data[i]] = n_of[v.data[i]] + 1 end
  for i = 0, 255 do
    if n_of[i] > 0 then sum = sum - n_of[i] / v.size * math.log(n_of[i] / v.size) end
  end
  return sum / math.log(2)
end

--- v:text() -> all as a string; v:text(i), v:text(i, n) as slice, cut where the view ends.
function View.text(v, i, n)
  i = i or 0
  if not (i >= 0 and i < v.size) then return "" end
  local rest = v.size - i
  if not n or n > rest then n = rest end
  if n < 0 then return "" end
  return (ffi.string(v.data + i, n))
end

View.__tostring = View.text

ffi.metatype("struct sl_view", View)

--- A view of n bytes at a pointer.
function bytes.view(data, n)
  return view_t(data, n)
end

return bytes
