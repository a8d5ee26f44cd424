-- Sets of values that are looked up instead of compared one by one.

local cond = require "sluice.filter.cond"

local sets = {}
local TABLE_FROM, RANGES_FROM = 4, 9 -- elements from which a look-up beats comparisons

-- Small numbers: a table of -1 and 0 by number.
local function by_table(elements, max, objects)
  local members = {}
  for _, e in ipairs(elements) do
    local low, high = e.low.alts[1].const, (e.high or e.low).alts[1].const
    for n = math.max(0, low), math.min(high, max) do
      members[n] = true
    end
  end
  local set = objects:set(members, max)
  return function(value)
    return cond.sign(("%s[%s]"):format(set, value.expr))
  end
end

-- IPv4 addresses: sorted ranges.
local function by_ranges(elements, objects)
  local list = {}
  for _, e in ipairs(elements) do
    local low, high = e.low.alts[1], (e.high or e.low).alts[1]
    local size = 2 ^ (32 - low.prefix)
    local first = low.const - low.const % size
    local last = e.high and high.const or first + size - 1
    if first <= last then
      list[#list + 1] = { first, last }
    end
  end
  local ranges, n = objects:ranges(list)
  local core = objects:core()
  return function(value)
    return cond.test(("(%s.sl_u32_in(%s, %d, %s) == 1)"):format(core, ranges, n, value.expr))
  end
end

local function all_literals(elements)
  for _, e in ipairs(elements) do
    local low, high = e.low.alts[1], (e.high or e.low).alts[1]
    if not low.const or not high.const or e.high and (low.prefix or 32) + (high.prefix or 32) < 64
    then
      return false
    end
  end
  return true
end

-- A function from a value of the operand `left` to the condition that it is in the set, or nil
-- where comparing is the way. elements: { { low = operand, high = operand or nil }, … }.
function sets.of(left, elements, objects)
  local max = left.field.max
  if left.calculated or not all_literals(elements) then
    return nil
  elseif left.type == "number" and #elements >= TABLE_FROM and max and max <= 65535 then
    return by_table(elements, max, objects)
  elseif left.type == "ipv4" and #elements >= RANGES_FROM then
    return by_ranges(elements, objects)
  end
end

return sets
