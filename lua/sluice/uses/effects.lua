-- What a handler does, read off its bytecode without running it: each register holds a set of what
-- it may hold (sluice.uses.value), instruction by instruction, branches joined, until nothing
-- changes. Functions that it calls are followed with the arguments that they get. What is not
-- understood is refused: the answer "safe" is a proof.
--
-- Instructions: LuaJIT's bytecode, version 2.1 (src/lj_bc.h).
local bytecode = require "sluice.uses.bytecode"
local jutil = require "jit.util"
local known = require "sluice.uses.known"
local steps = require "sluice.uses.steps"
local value = require "sluice.uses.value"

local effects = {}

local SCALAR, NOTHING, UNKNOWN = value.SCALAR, value.NOTHING, value.UNKNOWN
local has, join = value.has, value.join

local MAX_DEPTH = 40 -- of calls
local MAX_STEPS = 200000 -- instructions looked at

local Call = {}
Call.__index = Call

local function where(f, at)
  local source = jutil.funcinfo(f, at).source or "?"
  return source, bytecode.line(f, at)
end

--- Gives up: the handler may not run in several workers. what: "writes the upvalue `seen`".
function Call:refuse(what)
  local source, line = where(self.f, self.at)
  error({ refused = true, what = what, source = source, line = line }, 0)
end

--- The handler writes into what is in set.
function Call:write(set)
  if has(set, "state") then self:read_field "state" end
  local name = set.name and (" `%s`"):format(set.name) or ""
  if has(set, "unknown") then self:refuse("writes into what is not understood" .. name) end
  if has(set, "packet") or has(set, "flow") or has(set, "data") then
    self:refuse "writes into the packet or flow"
  end
  if has(set, "foreign") then self:refuse "writes into memory that outlives the packet" end
  if has(set, "plain") then self:refuse "writes a table that outlives the packet" end
  for _, v in ipairs(set.known) do
    self:refuse(("writes the %s%s"):format(type(v) == "cdata" and "cdata" or "table", name))
  end
end

--- Something is put into a table of the handler's own. One set stands for what is in all of them.
function Call:store(set)
  local pass = self.pass
  local all = join(pass.stored, set)
  if all ~= pass.stored then pass.stored, pass.changed = all, true end
end

function Call:read_field(key)
  key = key or "*"
  if not self.pass.reads[key] then self.pass.reads[key] = bytecode.line(self.f, self.at) end
end

local RESULTS = {
  data = value.of("scalar", "data", "method"),
  plain = value.of("scalar", "plain", "data", "method"),
  own = value.of("scalar", "own"), foreign = value.of("scalar", "foreign"),
  state = value.of("scalar", "state"), scalar = NOTHING, method = NOTHING, add = NOTHING,
}

function Call:index_kind(kind, key)
  if kind == "packet" or kind == "flow" then
    self:read_field(key)
    return RESULTS.data
  elseif kind == "state" then
    self:read_field "state"
    return RESULTS.state
  elseif kind == "fresh" then
    return join(SCALAR, self.pass.stored)
  end
  return RESULTS[kind] or UNKNOWN
end

--- What set[key] may be; key nil: it is not known which.
function Call:index(set, key)
  local found = NOTHING
  for kind in pairs(set.kinds) do found = join(found, self:index_kind(kind, key)) end
  for _, v in ipairs(set.known) do found = join(found, value.field(v, key)) end
  if key and (has(set, "scalar") or has(set, "plain")) and rawget(string, key) then
    found = join(found, value.known(string[key], key)) -- ("text"):sub(1, 3)
  end
  return found
end

-- Why an index gave nothing that can be called.
local function why_unknown(set)
  for _, v in ipairs(set.known) do
    if type(v) == "function" then
      return ("calls `%s`, which is not known to change nothing"):format(set.name or "a function")
    end
  end
  return "calls a function that is not understood"
end

function Call:call_known(f, set, args)
  local rule = known.rules[f]
  if rule then return rule(self, args) end
  if type(f) == "cdata" and tostring(f):match "^ctype<" then return value.of "own" end
  if type(f) ~= "function" or jutil.funcinfo(f).addr then self:refuse(why_unknown(set)) end
  return self.pass:run(f, args, self)
end

--- What calling anything in set with these sets gives: one set for all results, and, where they are
--- known one by one, their list.
function Call:call(set, args)
  if has(set, "unknown") then self:refuse(why_unknown(set)) end
  for _, kind in ipairs { "packet", "flow", "state", "foreign", "own" } do
    if has(set, kind) then self:refuse "calls a function that is not understood" end
  end
  local found, list = NOTHING, nil
  if has(set, "method") then found = RESULTS.data end
  if has(set, "add") then found = join(found, SCALAR) end
  for _, f in ipairs(set.known) do
    local one, each = self:call_known(f, set, args)
    found = join(found, one)
    list = #set.known == 1 and each or nil
  end
  return found, list
end

-- ---- one function ----

-- Joins state into what is known before instruction at; remembers to look at it (again).
function Call:flow_to(at, state)
  local before = self.states[at]
  if not before then
    self.states[at], self.todo[at] = state, true
    return
  end
  local joined = { multi = join(before.multi, state.multi) }
  local changed = joined.multi ~= before.multi
  for r = 0, self.size do
    local a, b = before[r] or NOTHING, state[r] or NOTHING
    joined[r] = join(a, b)
    changed = changed or joined[r] ~= a
  end
  if changed then self.states[at], self.todo[at] = joined, true end
end

function Call:first_state(args)
  local state = { multi = NOTHING }
  local rest = args.rest or SCALAR -- what may come behind those that are known one by one
  for i = 1, jutil.funcinfo(self.f).params do state[i - 1] = args[i] or rest end
  return state
end

local function copy_of(state)
  local own = {}
  for k, v in pairs(state) do own[k] = v end
  return own
end

function Call:walk(args)
  local code = self.code
  self:flow_to(1, self:first_state(args))
  while true do
    local at
    for i = 1, #code do
      if self.todo[i] then
        at = i
        break
      end
    end
    if not at then return end
    self.todo[at], self.at = nil, at
    self.pass:count(self)
    steps.take(self, code[at], copy_of(self.states[at]))
  end
end

-- ---- the whole handler ----

local Pass = {}
Pass.__index = Pass

function Pass:count(call)
  self.steps = self.steps + 1
  if self.steps > MAX_STEPS then call:refuse "is too long to be understood" end
end

local function key_of(f, args)
  local parts = { tostring(f) .. tostring(args.rest) }
  for i, set in ipairs(args) do parts[i + 1] = tostring(set) end
  return table.concat(parts, " ")
end

--- What f gives for args. A function that is being looked at already gives what is known so far;
--- the pass is repeated until that is all.
function Pass:run(f, args, from)
  local key = key_of(f, args)
  if self.done[key] then return self.results[key] or NOTHING end
  self.done[key] = true
  local info = jutil.funcinfo(f)
  if from and (info.isvararg or self.depth >= MAX_DEPTH) then
    from:refuse(info.isvararg and "calls a function of any number of arguments"
      or "calls too deep to be understood")
  end
  local call = setmetatable({ f = f, code = bytecode.of(f), pass = self, states = {}, todo = {},
    size = info.stackslots, returned = NOTHING, at = 1 }, Call)
  if info.isvararg then call:refuse "takes any number of arguments" end
  self.depth = self.depth + 1
  call:walk(args)
  self.depth = self.depth - 1
  if join(self.results[key] or NOTHING, call.returned) ~= self.results[key] then
    self.results[key], self.changed = call.returned, true
  end
  return call.returned
end

--- effects.of(handler, "packet" or "flow") -> { reads = { name = line }, returned = set }, and,
--- where it is refused, what, source and line.
function effects.of(handler, argument)
  local pass = setmetatable({ stored = NOTHING, results = {}, reads = {}, steps = 0 }, Pass)
  local args = { value.of(argument), value.of "state" }
  local returned
  local ok, why = pcall(function()
    repeat
      pass.done, pass.depth, pass.changed = {}, 0, false
      returned = pass:run(handler, args)
    until not pass.changed
  end)
  if ok then return { reads = pass.reads, returned = returned } end
  if type(why) ~= "table" or not why.refused then error(why, 0) end
  why.reads = pass.reads
  return why
end

return effects
