-- SHA-256 (FIPS 180-4) of a string: names contents in pages, and allows a page's own scripts.
local bit = require "bit"

local band, bnot, bxor, ror, rshift, tobit =
  bit.band, bit.bnot, bit.bxor, bit.ror, bit.rshift, bit.tobit

local sha256 = {}

-- The first 32 bits of the fractional parts of the cube roots of the first 64 primes, and of the
-- square roots of the first eight.
local function constants()
  local k, h, n = {}, {}, 2
  while #k < 64 do
    local prime = true
    for d = 2, math.floor(math.sqrt(n)) do
      if n % d == 0 then prime = false break end
    end
    if prime then
      if #h < 8 then h[#h + 1] = tobit(math.floor(math.sqrt(n) % 1 * 2 ^ 32)) end
      k[#k + 1] = tobit(math.floor(n ^ (1 / 3) % 1 * 2 ^ 32))
    end
    n = n + 1
  end
  return k, h
end

local K, H = constants()

local function words_of(block, at, w)
  for i = 0, 15 do
    local a, b, c, d = block:byte(at + 4 * i, at + 4 * i + 3)
    w[i] = tobit(((a * 256 + b) * 256 + c) * 256 + d)
  end
  for i = 16, 63 do
    local x, y = w[i - 15], w[i - 2]
    local s0 = bxor(ror(x, 7), ror(x, 18), rshift(x, 3))
    local s1 = bxor(ror(y, 17), ror(y, 19), rshift(y, 10))
    w[i] = tobit(w[i - 16] + s0 + w[i - 7] + s1)
  end
end

local function compress(state, w)
  local a, b, c, d, e, f, g, h = unpack(state)
  for i = 0, 63 do
    local s1 = bxor(ror(e, 6), ror(e, 11), ror(e, 25))
    local t1 = h + s1 + bxor(band(e, f), band(bnot(e), g)) + K[i + 1] + w[i]
    local s0 = bxor(ror(a, 2), ror(a, 13), ror(a, 22))
    local t2 = s0 + bxor(band(a, b), band(a, c), band(b, c))
    h, g, f, e, d, c, b, a = g, f, e, tobit(d + t1), c, b, a, tobit(t1 + t2)
  end
  for i, v in ipairs { a, b, c, d, e, f, g, h } do state[i] = tobit(state[i] + v) end
end

local function length_bytes(n)
  local out = {}
  for i = 8, 1, -1 do
    out[i] = string.char(n % 256)
    n = math.floor(n / 256)
  end
  return table.concat(out)
end

--- The 32 bytes of text's hash.
function sha256.bytes(text)
  local padded = text .. "\128" .. ("\0"):rep((55 - #text) % 64) .. length_bytes(8 * #text)
  local state, w = { unpack(H) }, {}
  for at = 1, #padded, 64 do
    words_of(padded, at, w)
    compress(state, w)
  end
  local out = {}
  for i, v in ipairs(state) do
    out[i] = string.char(band(rshift(v, 24), 255), band(rshift(v, 16), 255),
      band(rshift(v, 8), 255), band(v, 255))
  end
  return table.concat(out)
end

--- The same as hexadecimal digits.
function sha256.hex(text)
  return (sha256.bytes(text):gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

--- The same as base64, as a content security policy wants it.
function sha256.base64(text)
  local bytes, out = sha256.bytes(text) .. "\0", {}
  for at = 1, 33, 3 do
    local a, b, c = bytes:byte(at, at + 2)
    local n = (a * 256 + b) * 256 + c
    for shift = 18, 0, -6 do
      local i = math.floor(n / 2 ^ shift) % 64 + 1
      out[#out + 1] = ALPHABET:sub(i, i)
    end
  end
  return table.concat(out):sub(1, 43) .. "="
end

return sha256
