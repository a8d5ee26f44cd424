-- Display filters: Wireshark's language, compiled to Lua source that LuaJIT compiles.
-- lua/sluice/filter/README.md is its manual.
--
--   local filter = require "sluice.filter"
--   local f, problem = filter.compile(text, "packet" | "flow" [, env])
--
-- problem: message, column, hint, tostring() (filter/problem.lua). env, all optional:
--   country(addr)  two letters, or nil: what geo.* and flow.*_country need
--   service(flow)  a name, or nil: what flow.service needs
--   core           library that has sl_regex_…; the program itself if it is not given
--
-- f.text, f.source (the Lua expression over the local `p`, of flows `f`; for people), f.needs
-- ({ geo = true, service = true } where it asks for these), f.test(p) -> boolean, f.limited() ->
-- how often a search with "matches" was given up because it took too long, and for engines that
-- write their own loops
--   f:condition() -> { prelude = "local …", expr = "…", sign = "…" or nil, upvalues = { … } }
-- expr is the expression; sign, where there is one, an integer whose bit 31 says the same without
-- a branch (filter/cond.lua); prelude declares what they need; the chunk gets upvalues as its
-- arguments.

local compiler = require "sluice.filter.compiler"
local cond = require "sluice.filter.cond"
local objects = require "sluice.filter.objects"
local parser = require "sluice.filter.parser"
local prelude = require "sluice.filter.prelude"
local problem = require "sluice.filter.problem"
local registry = require "sluice.filter.registry"

local filter = {}
local methods = {}
methods.__index = methods

local VARIABLE = { packet = "p", flow = "f" }

function methods:condition()
  return { prelude = "local filter = ...\n" .. prelude.of(self.source, self.objects.names),
    expr = self.source, sign = self.sign, upvalues = { self.objects.values } }
end

local function load_test(self, mode)
  local c = self:condition()
  local chunk = ("%s return function(%s) return %s end"):format(c.prelude, VARIABLE[mode], c.expr)
  local test = loadstring(chunk, "=filter")
  if not test then
    problem.raise({ from = 1, to = #self.text }, "the filter is too long or nested too deep")
  end
  return test(unpack(c.upvalues))
end

local function compile(text, mode, env)
  local tree = parser.parse(text)
  local self = setmetatable({ text = text, needs = {}, objects = objects.new(env) }, methods)
  local state = setmetatable({ text = text, mode = mode, env = env, needs = self.needs,
    objects = self.objects }, compiler)
  local whole = state:condition(tree)
  self.source = cond.render(whole)
  self.sign = whole.kind == "sign" and whole[1] or nil
  self.test = load_test(self, mode)
  return self
end

function methods:limited()
  return self.objects:limited()
end

function filter.compile(text, mode, env)
  assert(VARIABLE[mode], 'mode is "packet" or "flow"')
  return problem.catch(text, compile, text, mode, env or {})
end

-- { name, type, about, … } of every field of a mode, in order.
filter.fields = registry.list
filter.markdown = registry.markdown

return filter
