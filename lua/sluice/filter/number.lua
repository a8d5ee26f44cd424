-- Numbers and booleans in a filter: literals, arithmetic, comparisons.
--
-- A value is { expr = Lua source, range =, const = its number if it is a literal, max = }. Ranges:
--   small  0 .. 2^31-1: differences have their sign in bit 31
--   u32    32 bits: a field of 32 bits, or a signed result of a bit operation on one
--   wide   any double: compared by tests, as nothing else can
-- fraction = true marks values that are not whole, so that / does not truncate them.

local cond = require "sluice.filter.cond"
local problem = require "sluice.filter.problem"

local number = { title = "a number" }
local TWO31, TWO32, TWO53 = 2 ^ 31, 2 ^ 32, 2 ^ 53

function number.constant(n, fraction)
  local whole = n == math.floor(n)
  local range = whole and n >= 0 and (n < TWO31 and "small" or n < TWO32 and "u32") or "wide"
  local expr = whole and math.abs(n) < TWO53 and ("%.0f"):format(n) or ("%.17g"):format(n)
  return { expr = n < 0 and "(" .. expr .. ")" or expr, range = range, const = n,
    fraction = fraction or not whole }
end

-- Text of an integer (C's decimal, hexadecimal, octal, or 0b binary) or decimal fraction, or nil.
local function parse(text)
  local low = text:lower()
  if low:find("^0x%x+$") then
    return tonumber(low:sub(3), 16)
  elseif low:find("^0b[01]+$") then
    return tonumber(low:sub(3), 2)
  elseif low:find("^0[0-7]+$") then
    return tonumber(low, 8)
  elseif low:find("^%d+%.?%d*$") or low:find("^%d+%.?%d*e[+-]?%d+$") then
    return tonumber(low, 10)
  end
end
number.parse = parse

local function boolean(node)
  local low = tostring(node.value):lower()
  local n = low == "true" and 1 or low == "false" and 0 or node.kind == "word" and parse(low)
  if not n then
    problem.raise(node, ("%s is not a boolean"):format(node.text), "Use 1 or 0, true or false.")
  end
  return number.constant(n ~= 0 and 1 or 0)
end

local function named(node, field)
  local known = {}
  for name, n in pairs(field.names) do
    if name == node.value:lower() then
      return number.constant(n)
    end
    known[#known + 1] = name
  end
  table.sort(known)
  problem.raise(node, ("%s has no value called %s"):format(field.name, node.text),
    "Known: " .. table.concat(known, ", ") .. ".")
end

-- The literal `node` as a value to compare with `field` (nil: in plain arithmetic).
function number.literal(node, field)
  if field and field.boolean then
    return boolean(node)
  end
  local n
  if node.kind == "char" then
    n = node.value
  elseif node.kind == "word" then
    n = parse(node.value)
  end
  if not n and field and field.names and node.kind ~= "char" then
    return named(node, field)
  elseif not n then
    problem.raise(node, field and ("%s is a number; %s is not"):format(field.name, node.text)
      or ("%s is not a number"):format(node.text), node.near)
  elseif field and field.max and n > field.max then
    problem.raise(node, ("%s is too big for %s, at most %d"):format(node.text, field.name,
      field.max))
  elseif field and not field.fraction and n ~= math.floor(n) then
    problem.raise(node, ("%s is a whole number; %s is not"):format(field.name, node.text))
  end
  return number.constant(n)
end

local function wide(a, b)
  return a.range == "wide" or b.range == "wide"
end

function number.eq(a, b)
  if a.const and b.const then
    return a.const == b.const and cond.TRUE or cond.FALSE
  elseif a.const then
    a, b = b, a
  end
  if b.const and a.range ~= "wide" and (b.range == "wide" or a.range == "small"
      and b.range == "u32") then
    return cond.FALSE
  elseif wide(a, b) then
    return cond.test(("(%s == %s)"):format(a.expr, b.expr))
  elseif b.const == 0 and a.range == "small" then
    return cond.sign(a.expr .. " - 1")
  end
  local differs = ("bxor(%s, %s)"):format(a.expr, b.expr)
  if a.range == "small" and b.range == "small" then
    return cond.sign(differs .. " - 1")
  end
  return cond.sign("f_zero(" .. differs .. ")")
end

-- a < b where one may have 32 bits. Bit 31 of a difference is the answer only when bit 31 of
-- both is the same.
local function less_u32(a, b)
  if a.const then
    return a.const == TWO32 - 1 and cond.FALSE
      or cond.negate(number.lt(b, number.constant(a.const + 1)))
  elseif b.const then
    return cond.sign((b.const < TWO31 and "band(bnot(%s), %s - %s)" or "bor(bnot(%s), %s - %s)")
      :format(a.expr, a.expr, b.expr))
  end
  return cond.sign(("bor(band(bnot(%s), %s), band(bnot(bxor(%s, %s)), %s - %s))")
    :format(a.expr, b.expr, a.expr, b.expr, a.expr, b.expr))
end

function number.lt(a, b)
  if a.const and b.const then
    return a.const < b.const and cond.TRUE or cond.FALSE
  elseif wide(a, b) then
    return cond.test(("(%s < %s)"):format(a.expr, b.expr))
  elseif a.range == "small" and b.range == "small" then
    return cond.sign(("%s - %s"):format(a.expr, b.expr))
  end
  return less_u32(a, b)
end

-- The test that a value alone stands for, where Wireshark asks "is it not zero".
function number.nonzero(a)
  return cond.negate(number.eq(a, number.constant(0)))
end

local FOLD = {
  ["+"] = function(a, b) return a + b end,
  ["-"] = function(a, b) return a - b end,
  ["*"] = function(a, b) return a * b end,
}

local function divide(op, a, b, fraction)
  local expr
  if op == "%" then
    expr = ("f_remainder(%s, %s)"):format(a.expr, b.expr)
  elseif fraction then
    expr = ("(%s / %s)"):format(a.expr, b.expr)
  else
    expr = ("f_quotient(%s, %s)"):format(a.expr, b.expr)
  end
  return { expr = expr, range = "wide", fraction = fraction,
    present = cond.negate(number.eq(b, number.constant(0))) }
end

local function bitwise_and(a, b)
  local expr = ("band(%s, %s)"):format(a.expr, b.expr)
  if a.range == "small" or b.range == "small" then
    return { expr = expr, range = "small" }
  end
  return { expr = ("(%s %% 4294967296)"):format(expr), range = "wide" }
end

function number.arith(op, a, b)
  local fraction = a.fraction or b.fraction
  if op == "&" then
    return bitwise_and(a, b)
  elseif not FOLD[op] then
    return divide(op, a, b, fraction)
  elseif a.const and b.const then
    return number.constant(FOLD[op](a.const, b.const))
  end
  return { expr = ("(%s %s %s)"):format(a.expr, op, b.expr), range = "wide", fraction = fraction }
end

return number
