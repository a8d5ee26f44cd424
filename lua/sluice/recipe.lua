-- Recipes: finding, loading, checking them, and starting them with their options.
local address = require "sluice.address"
local aggregate = require "sluice.aggregate"
local estimate = require "sluice.estimate"
local geo = require "sluice.geo"
local places = require "sluice.places"
local services = require "sluice.services"
local stop = require "sluice.stop"
local ffi = require "ffi"

local recipe = {}

local FIELDS = { about = "string", options = "table", filter = "string", start = "function",
  flows = "boolean", every = "number", state = "string", head = "number", sections = "table",
  sides = "boolean", sampled = "function" }
local HANDLERS = { packet = "function", flow = "function", flows = "function",
  interval = "function", finish = "function", every = "number", traffic = "table" }
-- A recipe without options may do without start: the file is all of it.
local SHORT = { about = "string", filter = "string", state = "string", head = "number",
  every = "number", packet = "function", flow = "function", interval = "function",
  finish = "function" }
local MAX_HEAD = 1048576 -- bytes
local OPTION_FIELDS = { default = true, about = true }

--- Raises an error that main.lua tells as it stands, with exit status 2.
local function fail(format, ...)
  error({ code = 2, message = format:format(...) }, 0)
end
recipe.fail = fail

--- Whether a caught error is one of fail's, or of the core in its form, ready to be told.
function recipe.is_told(why)
  return type(why) == "table" and type(why.code) == "number" and type(why.message) == "string"
end

-- What a recipe may use beside Lua's own: the aggregates of this run, addresses, countries.
-- Recipes are loaded into an environment of their own, where a global that nobody defined is a
-- mistake that is told with its line, not a nil that surfaces elsewhere.
function recipe.environment(make, path, estimates)
  local env = {}
  for name, v in pairs(_G) do env[name] = v end
  env._G = env
  env.net, env.addr, env.geo, env.services = address.net, address.addr, geo, services
  env.stop = stop
  env.estimate = estimate.maker(estimates or {})
  if path then env.require = places.require(path, env) end
  for kind in pairs(aggregate.kinds) do
    env[kind] = make[kind]
  end
  for kind in pairs(aggregate.flow_kinds) do
    env[kind] = make[kind]
  end
  return setmetatable(env, {
    __index = function(_, name)
      error(("there is no variable '%s'"):format(tostring(name)), 2)
    end,
    __newindex = function(_, name)
      error(("'%s' is set without local"):format(tostring(name)), 2)
    end,
  })
end

local function check_fields(where, what, fields, known)
  for name, v in pairs(fields) do
    local want = known[name]
    if not want then
      local names = {}
      for k in pairs(known) do names[#names + 1] = k end
      table.sort(names)
      fail("%s: unknown %s '%s'; known are: %s", where, what, tostring(name),
        table.concat(names, ", "))
    end
    if type(v) ~= want then
      fail("%s: %s '%s' must be a %s, not a %s", where, what, name, want, type(v))
    end
  end
end

local function check_options(r)
  for name, spec in pairs(r.options) do
    if type(name) ~= "string" or not name:match "^%l[%w_]*$" then
      fail("%s: option names are words, not '%s'", r.name, tostring(name))
    end
    if type(spec) ~= "table" or spec.default == nil then
      fail("%s: option '%s' needs { default = …, about = \"…\" }", r.name, name)
    end
    for field in pairs(spec) do
      if not OPTION_FIELDS[field] then
        fail("%s: option '%s' has an unknown field '%s'", r.name, name, tostring(field))
      end
    end
  end
end

local function readable(path)
  local file = io.open(path, "r")
  if file then file:close() end
  return file ~= nil
end

recipe.path = places.find

-- Turns "path:12: text" into "path line 12: text".
local function told(message)
  local meta = type(message) == "table" and getmetatable(message)
  if type(message) ~= "string" and not (meta and meta.__tostring) then
    return ("an error without a text (a %s)"):format(type(message))
  end
  if message == "not enough memory" then
    return "not enough memory: Lua's tables and texts have reached --lua-memory (1024 MiB unless "
      .. "given); totals belong into aggregates, which live outside and are bounded"
  end
  return (tostring(message):gsub("^([^\n]-):(%d+): ", "%1 line %2: "):gsub("\n.*", ""))
end
recipe.told = told

local function is_short(r)
  return not r.start and not r.sections and (r.packet or r.flow or r.interval or r.finish) ~= nil
end

-- Its start reads the file once more, where aggregates can be made, and takes the handlers.
local function long_form(short, name, chunk)
  if short.options then fail("recipe %s: options need start = function(opt) … end", name) end
  check_fields("recipe " .. name, "field", short, SHORT)
  return { about = short.about, filter = short.filter, state = short.state, head = short.head,
    every = short.every, start = function()
      local again = chunk()
      return { packet = again.packet, flow = again.flow, interval = again.interval,
        finish = again.finish }
    end }
end

--- Loads and checks a recipe. Its name is what users call it.
function recipe.load(path, name)
  local make = aggregate.new { C = ffi.C }
  local chunk, why = loadfile(path)
  if not chunk then
    if not readable(path) then fail("recipe %s: no such file", path) end
    fail("recipe %s: %s", name, told(why))
  end
  make.draft()
  local estimates = {}
  setfenv(chunk, recipe.environment(make, path, estimates))
  local ok, r = pcall(chunk)
  make.seal()
  if not ok then fail("recipe %s: %s", name, told(r)) end
  if type(r) ~= "table" then
    fail("recipe %s: the file must return a table with start = function(opt) … end", name)
  end
  if is_short(r) then
    r = long_form(r, name, chunk)
  elseif make.drafted() then
    fail("recipe %s: %s", name, told(make.drafted()))
  end
  check_fields("recipe " .. name, "field", r, FIELDS)
  if not r.start and not r.sections then
    fail("recipe %s: it has no start = function(opt) … end", name)
  end
  if r.head and (r.head < 1 or r.head > MAX_HEAD or r.head % 1 ~= 0) then
    fail("recipe %s: head is a number of bytes from 1 to %d", name, MAX_HEAD)
  end
  r.name, r.path, r.make, r.options = name, path, make, r.options or {}
  r.estimates = estimates
  check_options(r)
  return r
end

-- By its sampled instead of its start, where the run is over a sample.
local function handlers_of(r, opt, ctx, sampled)
  if not sampled then return r.start(opt, ctx) end
  r.estimates.open = true
  local handlers = r.sampled(opt, ctx)
  r.estimates.open = false
  return handlers
end

--- Starts a recipe: opt holds its options, ctx what it may know of the run (engine.lua). The
--- handlers land in r.handlers. Aggregates cannot be created later.
function recipe.start(r, opt, ctx, sampled)
  r.make.open()
  local ok, handlers = pcall(handlers_of, r, opt, ctx, sampled)
  if not ok then
    if recipe.is_told(handlers) then error(handlers, 0) end
    fail("recipe %s: %s", r.name, told(handlers))
  end
  if not r.open then r.make.seal() end -- eval makes its aggregates as it goes
  if type(handlers) ~= "table" then
    fail("recipe %s: start must return a table of handlers: packet, flow, interval, finish", r.name)
  end
  check_fields("recipe " .. r.name, "handler", handlers, HANDLERS)
  r.handlers = handlers
end

return recipe
