-- Nodes of a filter's tree that stand for values: names to fields, literals to the type of what
-- they are compared with, arithmetic, slices, functions.
--
-- An operand: type, guard (the condition under which the packet has it), alts (its values, see
-- define.lua), field (or a stand-in with its name, for messages), node.

local address = require "sluice.filter.address"
local byte_types = require "sluice.filter.bytes"
local cond = require "sluice.filter.cond"
local elsewhere = require "sluice.filter.elsewhere"
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

-- A compilation: text, mode, env (see filter.lua), needs, objects. compiler.lua makes conditions
-- of these values.
local values = { TYPES = TYPES }

local function looks_like_name(word)
  return word:find("^%a[%w_.]*$") and (word:find(".", 1, true) or word:find("[^%x]"))
end

-- Hint for a word that is no field: the option that has it, what to ask for instead, or the
-- nearest names.
function values:name_hint(word)
  if registry.find(OTHER[self.mode], word) then
    return ("Filters over %ss are given with %s."):format(OTHER[self.mode],
      OPTION[OTHER[self.mode]])
  end
  local instead = elsewhere.hint(word, self.mode)
  if instead then return instead end
  local names = registry.nearest(self.mode, word)
  return #names > 0 and "Near: " .. table.concat(names, ", ") .. "."
    or "Filters know the headers up to TCP and UDP, not what these carry."
end

function values:unknown(node)
  local other = registry.find(OTHER[self.mode], node.value)
  problem.raise(node, other
    and ("%s is a field of %ss, not of %ss"):format(node.value, OTHER[self.mode], self.mode)
    or ("%s is neither a field nor a protocol"):format(node.text), self:name_hint(node.value))
end

function values:field(node)
  return node.kind == "word" and registry.find(self.mode, node.value) or nil
end

function values:is_literal(node)
  if node.kind == "word" then
    return not self:field(node)
  elseif node.kind == "negate" then
    return self:is_literal(node.arg)
  elseif node.kind == "arith" then
    return self:is_literal(node.left) and self:is_literal(node.right)
  end
  return node.kind == "string" or node.kind == "char"
end

local function operand(node, kind, guard, alts, like)
  like = like or {}
  return { node = node, type = kind, guard = guard, alts = alts,
    field = { name = like.name or node.label or "the left side", max = like.max,
      names = like.names, boolean = like.boolean, fraction = like.fraction } }
end

function values:literal(node, like)
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
  node.near = node.kind == "word" and looks_like_name(node.value) and node.value:find("%.")
    and self:name_hint(node.value) or nil
  local kind = like and like.type or "number"
  local value = TYPES[kind].literal(node, like and like.field)
  return operand(node, kind, cond.TRUE, { value })
end

-- Values of two operands in pairs through fn(a, b).
function values.pairs_of(a, b, fn)
  local list = {}
  for _, x in ipairs(a.alts) do
    for _, y in ipairs(b.alts) do
      list[#list + 1] = fn(x, y)
    end
  end
  return list
end

function values.present(...)
  local list = {}
  for i = 1, select("#", ...) do
    list[i] = select(i, ...).present or cond.TRUE
  end
  return cond.all(list)
end

function values:text_of(node)
  return self.text:sub(node.from, node.to)
end

function values:arith(node)
  local left, right = self:two(node)
  local title = TYPES[left.type].title
  if not TYPES[left.type].arith then
    problem.raise(node, ("%s is %s, not something to calculate with"):format(self:text_of(
      left.node), title))
  end
  local alts = values.pairs_of(left, right, function(x, y)
    local value = TYPES[left.type].arith(node.op, x, y, node)
    value.present = cond.all { values.present(x, y), value.present or cond.TRUE }
    value.deferred = x.deferred or y.deferred
    return value
  end)
  local kind = left.type == "ether" and "bytes" or left.type
  local result = operand(node, kind, cond.all { left.guard, right.guard }, alts,
    { name = self:text_of(node), fraction = alts[1].fraction })
  result.calculated = true
  return result
end

function values:negated(node)
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

function values:slice(node)
  local arg = self:value(node.arg)
  local alts = {}
  for i, alt in ipairs(as_bytes(arg, node)) do
    local part = byte_types.bytes.slice({ off = alt.off, len = alt.len, items = alt.items,
      present = alt.present or cond.TRUE }, node)
    part.deferred = true
    alts[i] = part
  end
  return operand(node, "bytes", arg.guard, alts, { name = self:text_of(node) })
end

local FUNCTIONS = {}

function FUNCTIONS.count(self, node, arg)
  if arg.node.kind ~= "word" then
    problem.raise(arg.node, "count() counts the values of a field")
  end
  local always, sometimes = 0, {}
  for _, alt in ipairs(arg.alts) do
    if alt.present then
      sometimes[#sometimes + 1] = (" + (%s and 1 or 0)"):format(cond.render(alt.present))
    else
      always = always + 1
    end
  end
  local value = #sometimes == 0 and number.constant(math.max(1, always))
    or { expr = ("(%d%s)"):format(always, table.concat(sometimes)), range = "small",
      deferred = true }
  return operand(node, "number", arg.guard, { value }, { name = self:text_of(node) })
end

function FUNCTIONS.len(self, node, arg)
  local alts = {}
  local module = TYPES[arg.type]
  for i, alt in ipairs(arg.alts) do
    local size = module.size or module == number and (alt.max and alt.max < 256 and 1
      or alt.max and alt.max < 65536 and 2 or 4)
    if size then
      alts[i] = number.constant(size)
      alts[i].present = alt.present
    elseif module.length then
      alts[i] = { expr = module.length(alt), range = arg.type == "text" and "small" or "wide",
        present = alt.present, deferred = alt.deferred }
    end
  end
  if #alts == 0 then
    problem.raise(node, ("%s has no length"):format(arg.field.name))
  end
  return operand(node, "number", arg.guard, alts, { name = self:text_of(node) })
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
    return operand(node, "text", arg.guard, alts, { name = self:text_of(node) })
  end
end
FUNCTIONS.upper, FUNCTIONS.lower = change_case "upper", change_case "lower"

function values:call(node)
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
function values:value(node)
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

-- Texts come from functions that the caller passes, country names, service names, or (str) from the
-- flow itself.
function values:require_text_source(node, field)
  local source = field.alts[1].expr:match("^%a+")
  if source == "str" then return end
  self.needs[source == "country" and "geo" or source] = true
  if not self.env[source] then
    problem.raise(node, ("%s is not known here"):format(field.name),
      source == "country" and "It needs a country database: --geo FILE.mmdb." or nil)
  end
end

-- Both sides of an operator; a literal takes its type from the other side.
function values:two(node)
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
      self:text_of(left.node), TYPES[left.type].title, self:text_of(right.node),
      TYPES[right.type].title))
  end
  return left, right
end

return values
