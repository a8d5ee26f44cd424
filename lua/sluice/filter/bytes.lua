-- Byte strings in a filter: payloads, MAC addresses, slices, whole protocols.
--
-- A value is a region of the packet { off = expression, len = number or expression } or a list of
-- computed bytes { items = { expressions } }, or a literal { const = Lua string }; present: the
-- condition under which it exists and lies inside the captured bytes. Conditions here are tests,
-- because they must not be evaluated where present is false.

local cond = require "sluice.filter.cond"
local number = require "sluice.filter.number"
local problem = require "sluice.filter.problem"

local bytes = { title = "a byte string" }
local INLINE_MAX = 16 -- longer ones are compared by memcmp

local function hex_bytes(text)
  local plain = text
  local separator = text:match("^%x%x([:.-])")
  if separator then
    plain = text:gsub("%" .. separator, "")
    local expected = {}
    for pair in plain:gmatch("..") do
      expected[#expected + 1] = pair
    end
    if table.concat(expected, separator) ~= text and expected[1] .. separator ~= text then
      return nil
    end
  end
  if #plain % 2 ~= 0 or not plain:find("^%x+$") then
    return nil
  end
  return (plain:gsub("..", function(pair) return string.char(tonumber(pair, 16)) end))
end

-- 00:11:22, 00-11-22, 00.11.22, 001122, 0011.2233; one byte also as a number; "text"; 'c'.
function bytes.literal(node, field)
  if node.kind == "string" then
    return { const = node.value }
  elseif node.kind == "char" then
    return { const = string.char(node.value) }
  end
  local const = hex_bytes(node.value)
  if not const and node.value:find("^%x%x%x%x%.[%x.]+$") then
    const = hex_bytes((node.value:gsub("%.", "")))
  end
  local n = not const and number.parse(node.value)
  if n and n <= 255 and n == math.floor(n) then
    const = string.char(n)
  end
  if not const then
    problem.raise(node, ("%s is %s; %s is not"):format(field.name, field.title or bytes.title,
      node.text), node.near or 'Bytes: 00:11:22, or "text" in quotes.')
  end
  return { const = const }
end

local ether = setmetatable({ title = "a MAC address", size = 6 }, { __index = bytes })

function ether.literal(node, field)
  local v = node.kind == "word" and bytes.literal(node, { name = field.name, title = ether.title })
  if not v or #v.const ~= 6 then
    problem.raise(node, ("%s is %s; %s is not"):format(field.name, ether.title, node.text),
      "MAC addresses: 00:11:22:33:44:55; of the first three bytes: " .. field.name
      .. "[0:3] == 00:11:22.")
  end
  return v
end

local function byte_at(off, i)
  return ("p.data[%s + %d]"):format(off, i)
end

-- The bytes of a short value one by one, or nil.
local function items_of(v)
  if v.items then
    return v.items
  end
  local items = {}
  if v.const then
    for i = 1, #v.const do
      items[i] = tostring(v.const:byte(i))
    end
  elseif type(v.len) == "number" and v.len <= INLINE_MAX then
    for i = 1, v.len do
      items[i] = byte_at(v.off, i - 1)
    end
  else
    return nil
  end
  return items
end

local function equal_items(a, b)
  if #a ~= #b then
    return cond.FALSE
  elseif #a == 0 then
    return cond.TRUE
  end
  local differ = {}
  for i = 1, #a do
    differ[i] = ("bxor(%s, %s)"):format(a[i], b[i])
  end
  return cond.test(#a == 1 and ("(%s == %s)"):format(a[1], b[1])
    or ("(bor(%s) == 0)"):format(table.concat(differ, ", ")))
end

-- pointer, length as source.
local function span(v, objects)
  if v.const then
    return objects:bytes(v.const), tostring(#v.const)
  end
  return ("p.data + %s"):format(v.off), tostring(v.len)
end

local function order(a, b, objects, relation, node)
  if a.items or b.items then
    problem.raise(node, "computed bytes can only be compared when their number is fixed",
      "Compare each slice on its own.")
  end
  local a_at, a_len = span(a, objects)
  local b_at, b_len = span(b, objects)
  return cond.test(("(f_order(%s, %s, %s, %s) %s 0)"):format(a_at, a_len, b_at, b_len, relation))
end

function bytes.eq(a, b, objects, node)
  local const = a.const or b.const
  if a.const then
    a, b = b, a
  end
  local left, right = items_of(a), items_of(b)
  if left and right and #left <= INLINE_MAX then
    return equal_items(left, right)
  elseif left and right or not const or #const > INLINE_MAX then
    return order(a, b, objects, "==", node)
  end
  local head = items_of({ off = a.off, len = #const })
  return cond.all { cond.test(("(%s == %d)"):format(a.len, #const)), equal_items(head, right) }
end

function bytes.lt(a, b, objects, node)
  local left, right = items_of(a), items_of(b)
  if left and right and #left == 1 and #right == 1 then
    return cond.test(("(%s < %s)"):format(left[1], right[1]))
  end
  return order(a, b, objects, "<", node)
end

function bytes.arith(op, a, b, node)
  if op ~= "&" then
    problem.raise(node.sign, ("%s is not defined for bytes"):format(op))
  end
  local n = math.min(#(a.const or ""), #(b.const or ""))
  local left, right = items_of(a), items_of(b)
  if not left or not right then
    problem.raise(node, "& needs byte strings of a fixed length of at most 16",
      "Take a slice: " .. "udp.payload[0:2] & 80:00.")
  end
  local items = {}
  for i = 1, math.max(n, math.min(#left, #right)) do
    items[i] = ("band(%s, %s)"):format(left[i], right[i])
  end
  return { items = items }
end

function bytes.nonzero(v)
  return cond.test(("(bor(%s) ~= 0)"):format(table.concat(v.items, ", ")))
end

-- One range of a region.
local function cut(v, range)
  local off, len, first, count = v.off, v.len, range.first, range.count
  if type(len) == "number" then
    first = first < 0 and len + first or first
    count = count or len - first
    if first < 0 or count < 1 or first + count > len then
      return { off = off, len = 1, present = cond.FALSE }
    end
    return { off = ("%s + %d"):format(off, first), len = count, present = v.present }
  elseif first < 0 then
    count = count or -first
    if first + count > 0 then
      return { off = off, len = 1, present = cond.FALSE }
    end
    return { off = ("%s + %s - %d"):format(off, len, -first), len = count,
      present = cond.all { v.present, cond.test(("(%s >= %d)"):format(len, -first)) } }
  end
  return { off = ("%s + %d"):format(off, first), len = count or ("(%s - %d)"):format(len, first),
    present = cond.all { v.present, cond.test(("(%s >= %d)"):format(len, first + (count or 1))) } }
end

-- A value's bytes as the node's slice takes them.
function bytes.slice(v, node)
  if v.items then
    problem.raise(node.at, "computed bytes cannot be sliced")
  elseif #node.ranges == 1 then
    return cut(v, node.ranges[1])
  end
  local items, present = {}, { v.present }
  for _, range in ipairs(node.ranges) do
    local part = cut(v, range)
    local list = items_of(part)
    if not list then
      problem.raise(node.at, "a slice of several ranges takes at most 16 bytes each")
    end
    for _, item in ipairs(list) do
      items[#items + 1] = item
    end
    present[#present + 1] = part.present
  end
  return { items = items, present = cond.all(present) }
end

function bytes.length(v)
  return v.items and tostring(#v.items) or tostring(v.len)
end

-- The literal at one place or another of a few computed bytes.
local function contained(items, const)
  local wanted, places = items_of { const = const }, {}
  for first = 1, #items - #wanted + 1 do
    places[first] = equal_items({ unpack(items, first, first + #wanted - 1) }, wanted)
  end
  return cond.any(places)
end

function bytes.contains(v, const, objects)
  if v.items then
    return contained(v.items, const)
  end
  return cond.test(("(C.memmem(p.data + %s, %s, %s, %d) ~= nil)"):format(v.off,
    v.search or v.len, objects:bytes(const), #const))
end

function bytes.matches(v, regex, objects, node)
  if v.items then
    problem.raise(node, "computed bytes cannot be searched with matches")
  end
  return cond.test(("(%s.sl_regex_match(%s, p.data + %s, %s) == 1)"):format(objects:core(), regex,
    v.off, v.search or v.len))
end

return { bytes = bytes, ether = ether }
