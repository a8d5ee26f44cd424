-- The tree of a filter to one condition: names to fields, types, and the meaning of comparisons
-- where a field has several values.

local address = require "sluice.filter.address"
local byte_types = require "sluice.filter.bytes"
local cond = require "sluice.filter.cond"
local number = require "sluice.filter.number"
local problem = require "sluice.filter.problem"
local registry = require "sluice.filter.registry"
local scalar = require "sluice.filter.scalar"

local TYPES = {
  number = number, ipv4 = address.ipv4, ipv6 = address.ipv6, addr = address.addr,
  bytes = byte_types.bytes, ether = byte_types.ether, protocol = byte_types.bytes,
  text = scalar.text, time = scalar.time,
}
-- Types whose values compare with each other.
local KIN = { bytes = "bytes", ether = "bytes", protocol = "bytes", ipv6 = "ipv6", addr = "ipv6" }
local OTHER = { packet = "flow", flow = "packet" }
local OPTION = { packet = "-Y", flow = "-F" }

local compiler = {}
compiler.__index = compiler

local function looks_like_name(word)
  return word:find("^%a[%w_.]*$") and (word:find(".", 1, true) or word:find("[^%x]"))
end

-- Hint for a word that is no field: the option that has it, or the nearest names.
function compiler:name_hint(word)
  if registry.find(OTHER[self.mode], word) then
    return ("%s is a field of %ss: use %s."):format(word, OTHER[self.mode],
      OPTION[OTHER[self.mode]])
  end
  local names = registry.nearest(self.mode, word)
  return #names > 0 and "Near: " .. table.concat(names, ", ") .. "." or nil
end

function compiler:unknown(node)
  local other = registry.find(OTHER[self.mode], node.value)
  problem.raise(node, other
    and ("%s is a field of %ss, not of %ss"):format(node.value, OTHER[self.mode], self.mode)
    or ("%s is neither a field nor a protocol"):format(node.text), self:name_hint(node.value))
end

function compiler:field(node)
  return node.kind == "word" and registry.find(self.mode, node.value) or nil
end

function compiler:is_literal(node)
  if node.kind == "word" then
    return not self:field(node)
  elseif node.kind == "negate" then
    return self:is_literal(node.arg)
  elseif node.kind == "arith" then
    return self:is_literal(node.left) and self:is_literal(node.right)
  end
  return node.kind == "string" or node.kind == "char"
end

-- An operand: type, field (or a stand-in with a name for messages), guard, alts.
local function operand(node, kind, guard, alts, like)
  like = like or {}
  return { node = node, type = kind, guard = guard, alts = alts,
    field = { name = like.name or node.label or "the left side", max = like.max,
      names = like.names, boolean = like.boolean, fraction = like.fraction } }
end

function compiler:literal(node, like)
  if node.kind == "negate" or node.kind == "arith" then
    if like and like.type ~= "number" then
      problem.raise(node, ("%s is %s, not something to calculate with"):format(like.field.name,
        TYPES[like.type].title))
    end
    local value = node.kind == "negate"
      and number.arith("-", number.constant(0), self:literal(node.arg).alts[1])
      or number.arith(node.op, self:literal(node.left).alts[1], self:literal(node.right).alts[1])
    return operand(node, "number", cond.TRUE, { value })
  end
  node.near = node.kind == "word" and looks_like_name(node.value) and self:name_hint(node.value)
  node.near = node.near or nil
  local kind = like and like.type or "number"
  local value = TYPES[kind].literal(node, like and like.field)
  return operand(node, kind, cond.TRUE, { value })
end

-- Values of two operands in pairs through fn(a, b).
local function pairs_of(a, b, fn)
  local list = {}
  for _, x in ipairs(a.alts) do
    for _, y in ipairs(b.alts) do
      list[#list + 1] = fn(x, y)
    end
  end
  return list
end

local function present(...)
  local list = {}
  for i = 1, select("#", ...) do
    list[i] = select(i, ...).present or cond.TRUE
  end
  return cond.all(list)
end

local function text_of(self, node)
  return self.text:sub(node.from, node.to)
end

function compiler:arith(node)
  local left, right = self:two(node)
  local title = TYPES[left.type].title
  if not TYPES[left.type].arith then
    problem.raise(node, ("%s is %s, not something to calculate with"):format(text_of(self,
      left.node), title))
  end
  local alts = pairs_of(left, right, function(x, y)
    local value = TYPES[left.type].arith(node.op, x, y, node)
    value.present = cond.all { present(x, y), value.present or cond.TRUE }
    value.deferred = x.deferred or y.deferred
    return value
  end)
  local kind = left.type == "ether" and "bytes" or left.type
  local result = operand(node, kind, cond.all { left.guard, right.guard }, alts,
    { name = text_of(self, node), fraction = alts[1].fraction })
  result.calculated = true
  return result
end

function compiler:negated(node)
  local zero = { kind = "word", value = "0", text = "0", from = node.from, to = node.from }
  return self:arith { kind = "arith", op = "-", left = zero, right = node.arg, sign = node,
    from = node.from, to = node.to }
end

-- A field's values as byte regions: what a slice or len() works on.
local function as_bytes(arg, node)
  local alts = {}
  for i, alt in ipairs(arg.alts) do
    local size = TYPES[arg.type].size
    if KIN[arg.type] == "bytes" then
      alts[i] = alt
    elseif size and alt.off then
      alts[i] = { off = alt.off, len = size, deferred = true }
    end
  end
  if #alts == 0 then
    problem.raise(node, arg.type == "protocol" and ("the bytes of %s are not known, only "
      .. "whether a packet has it"):format(arg.field.name)
      or ("%s is %s, which cannot be sliced"):format(arg.field.name, TYPES[arg.type].title))
  end
  return alts
end

function compiler:slice(node)
  local arg = self:value(node.arg)
  local alts = {}
  for i, alt in ipairs(as_bytes(arg, node)) do
    local part = byte_types.bytes.slice({ off = alt.off, len = alt.len, items = alt.items,
      present = alt.present or cond.TRUE }, node)
    part.deferred = true
    alts[i] = part
  end
  return operand(node, "bytes", arg.guard, alts, { name = text_of(self, node) })
end

local FUNCTIONS = {}

function FUNCTIONS.count(self, node, arg)
  if arg.node.kind ~= "word" then
    problem.raise(arg.node, "count() counts the values of a field")
  end
  return operand(node, "number", arg.guard, { number.constant(math.max(1, #arg.alts)) },
    { name = text_of(self, node) })
end

function FUNCTIONS.len(self, node, arg)
  local alts = {}
  local module = TYPES[arg.type]
  for i, alt in ipairs(arg.alts) do
    local size = module.size or module == number and (alt.max and alt.max < 256 and 1
      or alt.max and alt.max < 65536 and 2 or 4)
    if size then
      alts[i] = number.constant(size)
    elseif module.length then
      alts[i] = { expr = module.length(alt), range = arg.type == "text" and "small" or "wide",
        present = alt.present, deferred = alt.deferred }
    end
  end
  if #alts == 0 then
    problem.raise(node, ("%s has no length"):format(arg.field.name))
  end
  return operand(node, "number", arg.guard, alts, { name = text_of(self, node) })
end

local function change_case(name)
  return function(self, node, arg)
    if arg.type ~= "text" then
      problem.raise(arg.node, ("%s() needs a text; %s is %s"):format(name, arg.field.name,
        TYPES[arg.type].title))
    end
    local alts = {}
    for i, alt in ipairs(arg.alts) do
      alts[i] = { expr = ("%s(%s)"):format(name, alt.expr), present = alt.present, deferred = true }
    end
    return operand(node, "text", arg.guard, alts, { name = text_of(self, node) })
  end
end
FUNCTIONS.upper, FUNCTIONS.lower = change_case "upper", change_case "lower"

function compiler:call(node)
  local fn = FUNCTIONS[node.name.value]
  if not fn then
    problem.raise(node.name, ("there is no function %s()"):format(node.name.value),
      "Functions: count, len, lower, upper.")
  elseif #node.args ~= 1 then
    problem.raise(node, ("%s() takes one argument, not %d"):format(node.name.value, #node.args))
  end
  return fn(self, node, self:value(node.args[1]))
end

-- A node that is no literal, as an operand.
function compiler:value(node)
  local field = self:field(node)
  if field then
    if field.type == "text" then
      self:require_text_source(node, field)
    end
    return operand(node, field.type, field.guard, field.alts, field)
  elseif node.kind == "word" then
    self:unknown(node)
  elseif node.kind == "slice" then
    return self:slice(node)
  elseif node.kind == "call" then
    return self:call(node)
  elseif node.kind == "negate" then
    return self:negated(node)
  elseif node.kind == "arith" then
    return self:arith(node)
  elseif node.kind == "string" or node.kind == "char" then
    problem.raise(node, ("%s is a value where a field is needed"):format(node.text))
  end
  problem.raise(node, "a test is neither a number nor another value",
    "Put tests together with && and ||.")
end

-- Texts come from functions that the caller passes: country names, service names.
function compiler:require_text_source(node, field)
  local source = field.alts[1].expr:match("^%a+")
  self.needs[source == "country" and "geo" or source] = true
  if not self.env[source] then
    problem.raise(node, ("%s is not known here"):format(field.name),
      source == "country" and "It needs a country database: --geo FILE.mmdb." or nil)
  end
end

-- Both sides of an operator; a literal takes its type from the other side.
function compiler:two(node)
  local left_literal, right_literal = self:is_literal(node.left), self:is_literal(node.right)
  if left_literal and right_literal then
    for _, side in ipairs { node.left, node.right } do
      if side.kind == "word" and looks_like_name(side.value) then
        self:unknown(side)
      end
    end
    problem.raise(node, "one of the two sides must be a field")
  elseif left_literal then
    local right = self:value(node.right)
    return self:literal(node.left, right), right
  end
  local left = self:value(node.left)
  local right = right_literal and self:literal(node.right, left) or self:value(node.right)
  if (KIN[left.type] or left.type) ~= (KIN[right.type] or right.type) then
    problem.raise(node, ("%s is %s, %s is %s: they cannot be compared"):format(
      text_of(self, left.node), TYPES[left.type].title, text_of(self, right.node),
      TYPES[right.type].title))
  end
  return left, right
end

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

-- contains and matches.
function compiler:search(node)
  if self:is_literal(node.left) then
    self:value(node.left)
  end
  local left = self:value(node.left)
  local module = TYPES[left.type]
  if not module[node.op] or #left.alts == 0 then
    problem.raise(left.node, ("%s cannot be searched with %s"):format(text_of(self, left.node),
      node.op), "Payloads, slices, protocols and texts can.")
  elseif not self:is_literal(node.right) then
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

local TABLE_FROM = 4 -- elements from which one look-up beats comparisons

-- The set as a table of -1 and 0 by number, when all of it is numbers that index one.
function compiler:number_set(left, elements)
  local max = left.field.max
  if left.type ~= "number" or #elements < TABLE_FROM or not max or max > 65535
      or left.calculated then
    return nil
  end
  local members = {}
  for _, e in ipairs(elements) do
    local low, high = e.low.alts[1].const, (e.high or e.low).alts[1].const
    if not low or not high then
      return nil
    end
    for n = math.max(0, low), math.min(high, max) do
      members[n] = true
    end
  end
  return self.objects:set(members, max)
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
  local set = self:number_set(left, elements)
  local leaves = {}
  for i, value in ipairs(left.alts) do
    local holds
    if set then
      holds = settle(cond.sign(("%s[%s]"):format(set, value.expr)), value)
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
    return cond.any(each(self, node.list))
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
