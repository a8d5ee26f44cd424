-- The tree of a filter to one condition: what comparisons mean where a field has several values.

local cond = require "sluice.filter.cond"
local problem = require "sluice.filter.problem"
local sets = require "sluice.filter.sets"
local values = require "sluice.filter.values"

local TYPES, pairs_of, present = values.TYPES, values.pairs_of, values.present

local compiler = setmetatable({}, { __index = values })
compiler.__index = compiler

-- A value's condition; one that reads packet bytes becomes a test, which is not evaluated in vain.
local function settle(c, ...)
  for i = 1, select("#", ...) do
    if select(i, ...).deferred and c.kind == "sign" then
      local negated = c.negated
      c = cond.test("(" .. cond.render(c) .. ")")
      c.negated = negated and cond.test("(" .. cond.render(negated) .. ")")
    end
  end
  return c
end

-- leaf: { present =, holds = } for each pair of values.
local function quantify(leaves, every)
  local exist, list = {}, {}
  for i, leaf in ipairs(leaves) do
    exist[i] = leaf.present
    list[i] = every and cond.any { cond.negate(leaf.present), leaf.holds }
      or cond.all { leaf.present, leaf.holds }
  end
  return every and cond.all { cond.any(exist), cond.all(list) } or cond.any(list)
end

local ALL_BY_DEFAULT = { ["!="] = true, ["==="] = true }

local function relation(kind, op, a, b, objects, node)
  local module = TYPES[kind]
  if op == "==" or op == "===" then
    return module.eq(a, b, objects, node)
  elseif op == "!=" or op == "!==" then
    return cond.negate(module.eq(a, b, objects, node))
  elseif op == "<" or op == ">=" then
    local less = module.lt(a, b, objects, node)
    return op == "<" and less or cond.negate(less)
  end
  local greater = module.lt(b, a, objects, node)
  return op == ">" and greater or cond.negate(greater)
end

local function every(node)
  if node.quantifier then
    return node.quantifier == "all"
  end
  return ALL_BY_DEFAULT[node.op] or false
end

local SEARCHES = { contains = true, matches = true }

function compiler:compare(node)
  if SEARCHES[node.op] then
    return self:search(node)
  end
  local left, right = self:two(node)
  for _, side in ipairs { left, right } do
    if side.type == "protocol" and #side.alts == 0 then
      problem.raise(side.node, ("%s is a protocol, which a packet has or has not"):format(
        side.field.name), "Ask for it alone, or name one of its fields.")
    end
  end
  local leaves = pairs_of(left, right, function(x, y)
    return { present = present(x, y),
      holds = settle(relation(left.type, node.op, x, y, self.objects, node), x, y) }
  end)
  return cond.all { left.guard, right.guard, quantify(leaves, every(node)) }
end

local function regex(self, node)
  local name, message, offset = self.objects:regex(node.value)
  if not name then
    problem.raise(node, ("%s is not a regular expression: %s"):format(node.text, message),
      ("At byte %d of it."):format(offset))
  end
  return name
end

local WRITTEN = { word = true, string = true, char = true }

-- contains and matches.
function compiler:search(node)
  if self:is_literal(node.left) then
    self:value(node.left)
  end
  local left = self:value(node.left)
  local module = TYPES[left.type]
  if not module[node.op] or #left.alts == 0 then
    problem.raise(left.node, ("%s cannot be searched with %s"):format(self:text_of(left.node),
      node.op), "Payloads, slices, protocols and texts can.")
  elseif not WRITTEN[node.right.kind] or self:field(node.right) then
    problem.raise(node.right, ("behind %s stands a literal"):format(node.op))
  elseif node.op == "matches" and node.right.kind ~= "string" then
    problem.raise(node.right, "behind matches stands a regular expression in quotes")
  end
  local wanted
  if node.op == "matches" then
    wanted = regex(self, node.right)
  else
    local kind = left.type == "text" and "text" or "bytes"
    wanted = TYPES[kind].literal(node.right, left.field).const
    if #wanted == 0 then
      problem.raise(node.right, "there is nothing to look for in an empty literal")
    end
  end
  local leaves = {}
  for i, alt in ipairs(left.alts) do
    leaves[i] = { present = present(alt), holds = module[node.op](alt, wanted, self.objects, node) }
  end
  return cond.all { left.guard, quantify(leaves, every(node)) }
end

function compiler:element(left, node)
  if self:is_literal(node) then
    return self:literal(node, left)
  end
  local _, right = self:two { left = left.node, right = node, from = node.from, to = node.to }
  return right
end

-- Conditions that one value lies in one element.
local function inside(kind, value, element, objects, node)
  local module = TYPES[kind]
  local list = {}
  if not element.high then
    for i, low in ipairs(element.low.alts) do
      list[i] = cond.all { element.low.guard, present(low),
        settle(module.eq(value, low, objects, node), value, low) }
    end
    return cond.any(list)
  end
  for _, low in ipairs(element.low.alts) do
    for _, high in ipairs(element.high.alts) do
      list[#list + 1] = cond.all { element.low.guard, element.high.guard, present(low, high),
        settle(cond.negate(module.lt(value, low, objects, node)), value, low),
        settle(cond.negate(module.lt(high, value, objects, node)), value, high) }
    end
  end
  return cond.any(list)
end

function compiler:membership(node)
  local left = self:value(node.left)
  if left.type == "protocol" then
    problem.raise(left.node, ("%s is a protocol; a set holds values"):format(left.field.name))
  end
  local elements = {}
  for i, e in ipairs(node.set) do
    elements[i] = { low = self:element(left, e.low), high = e.high and self:element(left, e.high) }
    if e.high and not TYPES[left.type].lt then
      problem.raise(e.high, ("%s has no order"):format(left.field.name))
    end
  end
  local member = sets.of(left, elements, self.objects)
  local leaves = {}
  for i, value in ipairs(left.alts) do
    local holds
    if member then
      holds = settle(member(value), value)
    else
      local list = {}
      for k, e in ipairs(elements) do
        list[k] = inside(left.type, value, e, self.objects, node)
      end
      holds = cond.any(list)
    end
    leaves[i] = { present = present(value), holds = holds }
  end
  return cond.all { left.guard, quantify(leaves, node.quantifier == "all") }
end

-- A value on its own: the packet has it; a calculation: one of its values is not zero.
function compiler:exists(node)
  local value = self:value(node)
  if value.type == "protocol" then
    return value.guard
  end
  local leaves = {}
  for i, alt in ipairs(value.alts) do
    leaves[i] = { present = present(alt), holds = value.calculated
      and settle(TYPES[value.type].nonzero(alt), alt) or cond.TRUE }
  end
  return cond.all { value.guard, quantify(leaves, false) }
end

-- Alternatives with `field == literal` of one field become one set: the same by meaning, and as
-- fast for a thousand addresses as for ten.
function compiler:gathered(list)
  local kept, set_of = {}, {}
  for _, node in ipairs(list) do
    local field = node.kind == "compare" and node.op == "==" and not node.quantifier
      and self:field(node.left)
    if not field or not self:is_literal(node.right) then
      kept[#kept + 1] = node
    elseif set_of[field] then
      local set = set_of[field].set
      set[#set + 1] = { low = node.right }
      set_of[field].to = node.to
    else
      set_of[field] = { kind = "in", left = node.left, set = { { low = node.right } },
        from = node.from, to = node.to, alone = node }
      kept[#kept + 1] = set_of[field]
    end
  end
  for i, node in ipairs(kept) do
    kept[i] = node.alone and #node.set == 1 and node.alone or node
  end
  return kept
end

local function each(self, list)
  local conditions = {}
  for i, node in ipairs(list) do
    conditions[i] = self:condition(node)
  end
  return conditions
end

function compiler:condition(node)
  if node.kind == "and" then
    return cond.all(each(self, node.list))
  elseif node.kind == "or" then
    return cond.any(each(self, self:gathered(node.list)))
  elseif node.kind == "not" then
    return cond.negate(self:condition(node.arg))
  elseif node.kind == "compare" then
    return self:compare(node)
  elseif node.kind == "in" then
    return self:membership(node)
  end
  return self:exists(node)
end

return compiler
