-- What a handler uses, read off its bytecode: which fields it can touch, whether it may run in
-- several workers at once, and whether it must see the capture in order (src/README.md).
local effects = require "sluice.uses.effects"
local jutil = require "jit.util"
local stop = require "sluice.stop"

local uses = {}

local function constants(of, found)
  for i = -1, -1e9, -1 do
    local k = jutil.funck(of, i)
    if k == nil then break end
    if type(k) == "string" then
      found[k] = true
    elseif type(k) == "proto" then
      constants(k, found)
    end
  end
end

local function walk(f, found, seen)
  if seen[f] or jutil.funcinfo(f).addr then return end
  seen[f] = true
  constants(f, found)
  for i = 1, 255 do
    local name, v = debug.getupvalue(f, i)
    if not name then break end
    if type(v) == "function" then walk(v, found, seen) end
  end
end

-- One answer for each handler: several ask.
local answers = setmetatable({}, { __mode = "k" })

local function effects_of(f, argument)
  local by_argument = answers[f] or {}
  answers[f] = by_argument
  by_argument[argument] = by_argument[argument] or effects.of(f, argument)
  return by_argument[argument]
end

--- uses.fields(f) -> a set of the names that f may index with: the string constants of it, of the
--- functions it makes and of those it reaches through upvalues, and what its bytecode reads of a
--- packet in functions that it reaches otherwise. What cannot be seen (a field named by a computed
--- string) is not there: recipes that do so must set flows = true.
function uses.fields(f)
  local found = {}
  walk(f, found, {})
  for name in pairs(effects_of(f, "packet").reads) do found[name] = true end
  return found
end

-- A place as people look for it: the file's name only where it is not the handler's own.
local function placed(f, effect)
  local text = ("line %d %s"):format(effect.line, effect.what)
  local own = jutil.funcinfo(f).source
  if effect.source == own then return text end
  return ("%s %s"):format(effect.source:gsub("^[@=]", ""), text)
end

--- uses.parallel(handler[, "flow"]) -> true, or false and why: "line 12 writes the upvalue `seen`".
--- True is a proof that calling it for packets (or flows) in several workers, in any order, and
--- merging the aggregates gives what one worker gives, as long as all handlers of the recipe are
--- safe: it changes nothing but what it makes itself and the aggregates that it adds to.
function uses.parallel(handler, argument)
  local effect = effects_of(handler, argument or "packet")
  if effect.what then return false, placed(handler, effect) end
  return true
end

-- What is stamped or counted in capture order.
local ORDERED = {
  packet = { "flow_pkt", "flow_pkt64", "number", "number64", "flow", "dir", "offset", "offset64",
    "delta", "flow_delta", "state", "*" },
  flow = { "state", "head", "head_src", "head_dst", "*" },
}
local SAID = {
  ["*"] = "a field by a name that is made up as it goes", state = "the recipe's state of a flow",
  flow_pkt64 = "flow_pkt", number64 = "number", offset64 = "offset",
}

--- uses.ordered(handler[, "flow"]) -> why it must see packets (or flows) in capture order, "line 3
--- reads flow_pkt", or nil.
function uses.ordered(handler, argument)
  local kind = argument or "packet"
  local effect = effects_of(handler, kind)
  for _, name in ipairs(ORDERED[kind]) do
    if effect.reads[name] then
      return ("line %d reads %s"):format(effect.reads[name], SAID[name] or name)
    end
  end
  for _, v in ipairs(effect.returned and effect.returned.known or {}) do
    if v == stop then return "it may stop the run early" end
  end
  return nil
end

return uses
