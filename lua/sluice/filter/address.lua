-- IP addresses in a filter. Words are compared under masks, never as strings.
--
-- ipv4: values { expr = the address as a 32-bit number, const =, prefix = }.
-- ipv6, and addr for flows, whose addresses are of either version: values
-- { w = { four expressions }, const = { four numbers } or nil, prefix = }, as in struct sl_addr,
-- where a.b.c.d is ::ffff:a.b.c.d. off: where the packet holds the address, for slices.

local bit = require "bit"
local cond = require "sluice.filter.cond"
local number = require "sluice.filter.number"
local problem = require "sluice.filter.problem"

local ipv4 = { title = "an IPv4 address", size = 4 }
local ipv6 = { title = "an IPv6 address", size = 16 }
local addr = { title = "an IP address", size = 16 }

local function dotted(text)
  local a, b, c, d = text:match("^(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$")
  if a and math.max(a, b, c, d) <= 255 then
    return ((a * 256 + b) * 256 + c) * 256 + d
  end
end

local function split_prefix(text, bits)
  local address, prefix = text:match("^(.*)/([^/]*)$")
  if not address then
    return text, bits
  end
  prefix = prefix:find("^%d+$") and tonumber(prefix)
  return address, prefix and prefix <= bits and prefix or nil
end

-- Groups of 16 bits of one side of "::" appended to list; nil when malformed.
local function groups(text, list)
  if text == "" then
    return list
  end
  for group in (text .. ":"):gmatch("([^:]*):") do
    if not group:find("^%x%x?%x?%x?$") then
      return nil
    end
    list[#list + 1] = tonumber(group, 16)
  end
  return list
end

-- Four words, or nil (RFC 4291 section 2.2).
local function parse_ipv6(text)
  local head, tail = text:match("^(.*:)([%d.]+)$")
  local last = tail and tail:find(".", 1, true) and dotted(tail)
  if last then
    text = ("%s%x:%x"):format(head, math.floor(last / 65536), last % 65536)
  end
  local left, right = text:match("^(.-)::(.*)$")
  local list = groups(left or text, {})
  local rest = right and groups(right, {})
  if not list or right and not rest or text == "" then
    return nil
  elseif right then
    if #list + #rest > 7 then
      return nil
    end
    while #list + #rest < 8 do
      list[#list + 1] = 0
    end
    for _, group in ipairs(rest) do
      list[#list + 1] = group
    end
  end
  if #list ~= 8 then
    return nil
  end
  local w = {}
  for i = 1, 4 do
    w[i] = list[2 * i - 1] * 65536 + list[2 * i]
  end
  return w
end

local function bad(node, field, title)
  problem.raise(node, ("%s is %s; %s is not"):format(field.name, title, node.text), node.near)
end

local function prefix_of(node, prefix, bits)
  return prefix or problem.raise(node,
    ("the prefix length of %s is not one of 0 to %d"):format(node.text, bits))
end

function ipv4.literal(node, field)
  local text, prefix = split_prefix(node.kind == "word" and node.value or "", 32)
  local n = dotted(text)
  if not n then
    bad(node, field, ipv4.title)
  end
  return { expr = ("%.0f"):format(n), const = n, range = "u32",
    prefix = prefix_of(node, prefix, 32) }
end

-- A value's leading `prefix` bits as a number value.
local function head_of(v, prefix)
  if prefix == 32 then
    return { expr = v.expr, const = v.const, range = "u32" }
  elseif v.const then
    return number.constant(math.floor(v.const / 2 ^ (32 - prefix)))
  end
  return { expr = ("rshift(%s, %d)"):format(v.expr, 32 - prefix), range = "small" }
end

local function prefix_in(a, b, bits)
  return math.min(a.prefix or bits, b.prefix or bits)
end

function ipv4.eq(a, b)
  local prefix = prefix_in(a, b, 32)
  if prefix == 0 then
    return cond.TRUE
  elseif prefix == 32 then
    return cond.sign(("f_zero(bxor(%s, %s))"):format(a.expr, b.expr))
  end
  return cond.sign(("rshift(bxor(%s, %s), %d) - 1"):format(a.expr, b.expr, 32 - prefix))
end

function ipv4.lt(a, b)
  local prefix = prefix_in(a, b, 32)
  if prefix == 0 then
    return cond.FALSE
  end
  return number.lt(head_of(a, prefix), head_of(b, prefix))
end

function ipv4.arith(op, a, b, node)
  if op ~= "&" then
    problem.raise(node.sign, ("%s is not defined for addresses"):format(op))
  end
  return { expr = ("band(%s, %s)"):format(a.expr, b.expr), range = "u32" }
end

function ipv4.nonzero(a)
  return cond.negate(cond.sign("f_zero(" .. a.expr .. ")"))
end

local function words(const, prefix)
  local w = {}
  for i = 1, 4 do
    w[i] = ("%.0f"):format(const[i])
  end
  return { w = w, const = const, prefix = prefix }
end

function ipv6.literal(node, field)
  local text, prefix = split_prefix(node.kind == "word" and node.value or "", 128)
  local const = parse_ipv6(text)
  if not const then
    bad(node, field, ipv6.title)
  end
  return words(const, prefix_of(node, prefix, 128))
end

function addr.literal(node, field)
  local text, prefix = split_prefix(node.kind == "word" and node.value or "", 32)
  local n = dotted(text)
  if n then
    return words({ 0, 0, 0xffff, n }, 96 + prefix_of(node, prefix, 32))
  elseif not (node.kind == "word" and parse_ipv6((split_prefix(node.value, 128)))) then
    bad(node, field, addr.title)
  end
  return ipv6.literal(node, field)
end

function ipv6.eq(a, b)
  local prefix, differ = prefix_in(a, b, 128), {}
  local full, partial = math.floor(prefix / 32), prefix % 32
  for i = 1, full do
    differ[i] = ("bxor(%s, %s)"):format(a.w[i], b.w[i])
  end
  if partial > 0 then
    differ[full + 1] = ("rshift(bxor(%s, %s), %d)"):format(a.w[full + 1], b.w[full + 1],
      32 - partial)
  end
  if #differ == 0 then
    return cond.TRUE
  end
  return cond.sign(#differ == 1 and "f_zero(" .. differ[1] .. ")"
    or "f_zero(bor(" .. table.concat(differ, ", ") .. "))")
end

-- The words of a value as far as the prefix reaches, for f_less4.
local function ordered(v, prefix)
  local list = {}
  for i = 1, 4 do
    local kept = math.max(0, math.min(32, prefix - 32 * (i - 1)))
    if kept == 32 then
      list[i] = v.w[i]
    elseif kept == 0 then
      list[i] = "0"
    else
      list[i] = v.const and ("%d"):format(bit.rshift(v.const[i], 32 - kept))
        or ("rshift(%s, %d)"):format(v.w[i], 32 - kept)
    end
  end
  return table.concat(list, ", ")
end

function ipv6.lt(a, b)
  local prefix = prefix_in(a, b, 128)
  return cond.test(("f_less4(%s, %s)"):format(ordered(a, prefix), ordered(b, prefix)))
end

addr.eq, addr.lt = ipv6.eq, ipv6.lt

return { ipv4 = ipv4, ipv6 = ipv6, addr = addr }
