-- Text from outside, made fit to be shown: valid UTF-8, nothing that drives a terminal, measured
-- in columns. Data keeps its bytes until a renderer asks for one of these.
local bit = require "bit"
local ffi = require "ffi"

ffi.cdef "size_t strcspn(const char *s, const char *reject);"
local C = ffi.C

local strings = {}

--- Whether s holds none of these bytes, nor a NUL. In place of s:find("[…]"), which LuaJIT does not
--- compile: lists of packets ask this of every cell.
function strings.free_of(s, bytes)
  return C.strcspn(s, bytes) == #s
end

--- All bytes from first to last, for free_of.
function strings.range(first, last)
  local list = {}
  for byte = first, last do list[#list + 1] = string.char(byte) end
  return table.concat(list)
end

local NOT_ASCII = strings.range(128, 255)

local REPLACEMENT = "\239\191\189" -- U+FFFD

-- Length and least code point by the lead byte's class (RFC 3629).
local function lead(byte)
  if byte < 0x80 then return 1, 0, byte end
  if byte >= 0xc2 and byte < 0xe0 then return 2, 0x80, bit.band(byte, 0x1f) end
  if byte >= 0xe0 and byte < 0xf0 then return 3, 0x800, bit.band(byte, 0x0f) end
  if byte >= 0xf0 and byte < 0xf5 then return 4, 0x10000, bit.band(byte, 0x07) end
end

--- The code point at byte i of s and the index behind it; nil and i + 1 where there is none.
function strings.decode(s, i)
  local length, least, code = lead(s:byte(i))
  if not length or i + length - 1 > #s then return nil, i + 1 end
  for k = i + 1, i + length - 1 do
    local byte = s:byte(k)
    if byte < 0x80 or byte > 0xbf then return nil, i + 1 end
    code = code * 64 + (byte - 0x80)
  end
  if code < least or code > 0x10ffff or (code >= 0xd800 and code <= 0xdfff) then
    return nil, i + 1
  end
  return code, i + length
end

-- Calls f(code or nil, the bytes) for each character and joins what it returns.
local function map(s, f)
  local out, i = {}, 1
  while i <= #s do
    local code, after = strings.decode(s, i)
    out[#out + 1] = f(code, s:sub(i, after - 1))
    i = after
  end
  return table.concat(out)
end

local function well_formed(s)
  local i = 1
  while i <= #s do
    local code, after = strings.decode(s, i)
    if not code then return false end
    i = after
  end
  return true
end

-- Apart, because LuaJIT compiles no function that holds a closure, though it does not come to it.
local function repaired(s)
  return map(s, function(code, bytes) return code and bytes or REPLACEMENT end)
end

--- s as valid UTF-8: what is not becomes U+FFFD.
function strings.valid(s)
  if strings.free_of(s, NOT_ASCII) or well_formed(s) then return s end
  return repaired(s)
end

local function within(ranges, code)
  for i = 1, #ranges, 2 do
    if code >= ranges[i] and code <= ranges[i + 1] then return true end
  end
  return false
end

-- Characters that change what is seen around them: controls, bidirectional marks and overrides
-- (CVE-2021-42574), joiners, separators, byte order mark, tags, annotation, no characters at all.
local INVISIBLE = {
  0x00, 0x1f, 0x7f, 0x9f, 0xad, 0xad, 0x61c, 0x61c, 0x115f, 0x1160, 0x180e, 0x180e,
  0x200b, 0x200f, 0x2028, 0x202e, 0x2060, 0x206f, 0x3164, 0x3164, 0xfe00, 0xfe0f,
  0xfeff, 0xfeff, 0xfff9, 0xfffb, 0xfffe, 0xffff, 0xe0000, 0xe0fff,
}

--- s for a terminal or a picture: one line, what would be unseen written as \xNN or \u{NNNN}.
function strings.visible(s)
  if not s:find("[%c\128-\255]") then return s end
  return map(s, function(code, bytes)
    if not code then return REPLACEMENT end
    if not within(INVISIBLE, code) then return bytes end
    return (code < 0x100 and "\\x%02x" or "\\u{%04x}"):format(code)
  end)
end

--- s with U+FFFD for every character outside ranges: { first, last, first, last, … }.
function strings.only(s, ranges)
  if not s:find("[\128-\255]") then return s end
  return map(s, function(code, bytes)
    return code and within(ranges, code) and bytes or REPLACEMENT
  end)
end

-- Unicode's East Asian Width W and F, and characters that combine: coarse ranges, for alignment.
local WIDE = {
  0x1100, 0x115f, 0x2e80, 0x303e, 0x3041, 0xa4cf, 0xac00, 0xd7a3, 0xf900, 0xfaff,
  0xfe30, 0xfe6f, 0xff00, 0xff60, 0xffe0, 0xffe6, 0x1f300, 0x1f64f, 0x1f680, 0x1f6ff,
  0x1f900, 0x1f9ff, 0x20000, 0x3fffd,
}
local COMBINING = { 0x300, 0x36f, 0x483, 0x489, 0x591, 0x5bd, 0x64b, 0x65f, 0x1ab0, 0x1aff,
  0x1dc0, 0x1dff, 0x20d0, 0x20ff, 0xfe20, 0xfe2f }

local function columns_of(code)
  if code < 0x300 then return 1 end
  if within(COMBINING, code) then return 0 end
  return within(WIDE, code) and 2 or 1
end

--- Columns that s takes on a terminal.
function strings.width(s)
  if not s:find("[\128-\255]") then return #s end
  local total, i = 0, 1
  while i <= #s do
    local code, after = strings.decode(s, i)
    total = total + (code and columns_of(code) or 1)
    i = after
  end
  return total
end

--- s cut to at most columns (1 or more), the cut marked by an ellipsis.
function strings.fit(s, columns)
  if strings.width(s) <= columns then return s end
  local used, i = 0, 1
  while i <= #s do
    local code, after = strings.decode(s, i)
    local wide = code and columns_of(code) or 1
    if used + wide > columns - 1 then break end
    used, i = used + wide, after
  end
  return s:sub(1, i - 1) .. "…"
end

--- s filled with spaces to columns; right: aligned to the right.
function strings.pad(s, columns, right)
  local fill = (" "):rep(columns - strings.width(s))
  return right and fill .. s or s .. fill
end

--- A name for keys and files: lower-case ASCII letters, digits, joined by `with` (default "_").
function strings.slug(s, with)
  with = with or "_"
  local slug = s:lower():gsub("[^a-z0-9]+", with)
  slug = slug:gsub("^%" .. with .. "+", ""):gsub("%" .. with .. "+$", "")
  return slug
end

return strings
