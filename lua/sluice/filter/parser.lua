-- Tokens to a tree. Every node has kind, from and to (byte columns of its text).
--
--   and, or     list: two or more nodes            not       arg
--   compare     quantifier (nil, any, all), op (== === != !== < <= > >= contains matches),
--               left, right
--   in          quantifier, left, set: { { low, high or nil }, … }
--   arith       op (& + - * / %), left, right      negate    arg
--   slice       arg, ranges: { { first, count or nil }, … }, count counts bytes
--   call        name, args
--   word, string, char                             the lexer's tokens
--
-- From loosest to tightest: or, and, not, comparison, &, + -, * / %, unary minus, [slice].

local lexer = require "sluice.filter.lexer"
local problem = require "sluice.filter.problem"

local DEPTH_MAX = 40 -- nesting; LuaJIT's own parser takes 200 levels, and a node may need several
local RELATIONS = {
  ["=="] = true, ["==="] = true, ["!="] = true, ["!=="] = true, ["<"] = true, ["<="] = true,
  [">"] = true, [">="] = true, contains = true, matches = true,
}
local LEVELS = {
  { ["&"] = true },
  { ["+"] = true, ["-"] = true },
  { ["*"] = true, ["/"] = true, ["%"] = true },
}

local parser = {}
parser.__index = parser

function parser:peek()
  return self.list[self.at]
end

function parser:take()
  local token = self.list[self.at]
  self.at = math.min(self.at + 1, #self.list)
  return token
end

-- The operator at hand when it is one of `set`, taken; else nil.
function parser:take_op(set)
  local token = self:peek()
  if token.kind == "op" and set[token.value] then
    return self:take()
  end
end

function parser:expect(kind, why)
  local token = self:take()
  if token.kind ~= kind then
    problem.raise(token, ("%s expected %s, not %s"):format(kind, why, token.text))
  end
  return token
end

-- Runs a rule one level deeper.
function parser:nested(rule, ...)
  self.depth = self.depth + 1
  if self.depth > DEPTH_MAX then
    problem.raise(self:peek(), ("this is nested more than %d levels deep"):format(DEPTH_MAX))
  end
  local node = rule(self, ...)
  self.depth = self.depth - 1
  return node
end

local function chain(self, op, kind, rule)
  local first = rule(self)
  local list = { first }
  while self:take_op(op) do
    list[#list + 1] = rule(self)
  end
  if #list == 1 then
    return first
  end
  return { kind = kind, list = list, from = first.from, to = list[#list].to }
end

local OR, AND, NOT, QUANTIFIER, MEMBER, MINUS = { ["||"] = true }, { ["&&"] = true },
  { ["!"] = true }, { any = true, all = true }, { ["in"] = true }, { ["-"] = true, ["+"] = true }

function parser:any_of()
  return chain(self, OR, "or", self.all_of)
end

function parser:all_of()
  return chain(self, AND, "and", self.negation)
end

function parser:negation()
  local bang = self:take_op(NOT)
  if not bang then
    return self:relation()
  end
  local arg = self:nested(self.negation)
  return { kind = "not", arg = arg, from = bang.from, to = arg.to }
end

-- {80, 443, 8000..8999}: commas, or as before Wireshark 4.0 blanks.
function parser:set()
  local open = self:expect("{", "after in")
  local set = {}
  repeat
    if self:peek().kind == "}" then
      problem.raise(self:peek(), "a set holds at least one value, and one after each comma")
    end
    local element = { low = self:arithmetic(2) }
    if self:peek().kind == ".." then
      self:take()
      element.high = self:arithmetic(2)
    end
    set[#set + 1] = element
    local comma = self:peek().kind == ","
    if comma then
      self:take()
    end
  until not comma and self:peek().kind == "}" or self:peek().kind == "end"
  set.from, set.to = open.from, self:expect("}", "at the end of a set").to
  return set
end

function parser:membership(left, quantifier)
  local set = self:set()
  return { kind = "in", quantifier = quantifier, left = left, set = set, from = left.from,
    to = set.to }
end

-- a < b < c means a < b and b < c.
function parser:relation()
  local quantifier = self:take_op(QUANTIFIER)
  local left = self:arithmetic(1)
  local bang = self:peek().kind == "op" and self:peek().value == "!"
  if bang and self.list[self.at + 1].value == "in" then
    self:take()
    self:take()
    local inside = self:membership(left, quantifier and quantifier.value)
    return { kind = "not", arg = inside, from = inside.from, to = inside.to }
  elseif self:take_op(MEMBER) then
    return self:membership(left, quantifier and quantifier.value)
  end
  local list = {}
  while true do
    local op = self:take_op(RELATIONS)
    if not op then
      break
    end
    local right = self:arithmetic(1)
    list[#list + 1] = { kind = "compare", op = op.value, sign = op,
      quantifier = quantifier and quantifier.value, left = left, right = right,
      from = left.from, to = right.to }
    left = right
  end
  if #list == 0 then
    if quantifier then
      problem.raise(quantifier, ("%s needs a comparison behind it"):format(quantifier.text))
    end
    return left
  end
  return #list == 1 and list[1]
    or { kind = "and", list = list, from = list[1].from, to = list[#list].to }
end

function parser:arithmetic(level)
  if not LEVELS[level] then
    return self:unary()
  end
  local left = self:arithmetic(level + 1)
  while true do
    local op = self:take_op(LEVELS[level])
    if not op then
      return left
    end
    local right = self:arithmetic(level + 1)
    left = { kind = "arith", op = op.value, sign = op, left = left, right = right,
      from = left.from, to = right.to }
  end
end

function parser:unary()
  local minus = self:take_op(MINUS)
  if not minus then
    return self:sliced()
  end
  local arg = self:nested(self.unary)
  if minus.value == "+" then
    return arg
  end
  return { kind = "negate", arg = arg, from = minus.from, to = arg.to }
end

local function range(token, text)
  local first, count = text:match("^%s*(%-?%d+)%s*:%s*(%d+)%s*$")
  if first then
    return { first = tonumber(first), count = tonumber(count) }
  end
  count = text:match("^%s*:%s*(%d+)%s*$")
  if count then
    return { first = 0, count = tonumber(count) }
  end
  first = text:match("^%s*(%-?%d+)%s*:%s*$")
  if first then
    return { first = tonumber(first) }
  end
  local from, to = text:match("^%s*(%-?%d+)%s*%-%s*(%-?%d+)%s*$")
  if from and (tonumber(from) < 0) == (tonumber(to) < 0) then
    return { first = tonumber(from), count = tonumber(to) - tonumber(from) + 1 }
  end
  first = text:match("^%s*(%-?%d+)%s*$")
  if first then
    return { first = tonumber(first), count = 1 }
  end
  problem.raise(token, ('"%s" is not a range of bytes'):format(text),
    "Ranges: [offset:length] [first-last] [one] [:length] [offset:], several with commas.")
end

local SLICE_MAX = 65536

local function ranges(token)
  local list = {}
  for text in (token.value .. ","):gmatch("([^,]*),") do
    local r = range(token, text)
    if r.count and (r.count < 1 or r.count > SLICE_MAX) or math.abs(r.first) > SLICE_MAX then
      problem.raise(token, ("a slice has 1 to %d bytes, at an offset below that"):format(SLICE_MAX))
    end
    list[#list + 1] = r
  end
  return list
end

function parser:sliced()
  local node = self:primary()
  while self:peek().kind == "slice" do
    local token = self:take()
    node = { kind = "slice", arg = node, ranges = ranges(token), at = token, from = node.from,
      to = token.to }
  end
  if self:peek().value == "#" then
    self:layer(node)
  end
  return node
end

-- ip.addr#1: the first layer is the outermost, the only one that sluice looks at.
function parser:layer(node)
  local mark, token = self:take(), self:take()
  local text = token.kind == "slice" and token.value or token.value or ""
  if text ~= "1" then
    problem.raise({ from = mark.from, to = token.to }, "only layer 1, the outermost, can be asked",
      "Filters look at outermost headers.")
  end
  node.to = token.to
end

function parser:primary()
  local token = self:take()
  if token.kind == "word" and self:peek().kind == "(" then
    return self:nested(self.call, token)
  elseif token.kind == "word" or token.kind == "string" or token.kind == "char" then
    return token
  elseif token.kind == "(" or token.kind == "{" then
    local node = self:nested(self.any_of)
    self:expect(token.kind == "(" and ")" or "}", "here")
    return node
  elseif token.kind == "end" then
    problem.raise(token, "the filter ends where a field or value is expected")
  end
  problem.raise(token, ('"%s" stands where a field or value is expected'):format(token.text))
end

function parser:call(name)
  self:expect("(", "here")
  local args = {}
  while self:peek().kind ~= ")" do
    args[#args + 1] = self:any_of()
    if self:peek().kind ~= "," then
      break
    end
    self:take()
  end
  local close = self:expect(")", "behind the arguments")
  return { kind = "call", name = name, args = args, from = name.from, to = close.to }
end

-- The tree of a filter's text; throws a problem.
local function parse(text)
  local self = setmetatable({ list = lexer.tokens(text), at = 1, depth = 0 }, parser)
  if self:peek().kind == "end" then
    problem.raise(self:peek(), "the filter is empty")
  end
  local tree = self:any_of()
  local rest = self:peek()
  if rest.kind ~= "end" then
    local hint = rest.kind ~= ")" and "Join two tests with && (and) or || (or)." or nil
    problem.raise(rest, ('"%s" was not expected here'):format(rest.text), hint)
  end
  return tree
end

return { parse = parse }
