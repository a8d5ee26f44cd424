-- Aggregates for recipes: totals that live in C, stay within a bound, and merge.
--
--   local make = require("sluice.aggregate").new { C = ffi.C }   one set for each recipe's worker
--   make.sum, make.count, …    what the engine puts into the recipe's environment
--   make.open()                inside start
--   make.seal()                outside of it, where creating one is an error
--   make.draft()               while a file is read: what it makes is a draft that nothing can be
--                              done with, for the file runs again where it is all of start
--   make.drafted()             why the first draft is an error where there is a start; nil: none
--   make.list                  the aggregates, in the order of their creation
--
-- What recipes may write stands in lua/README.md: the kinds and their options here and in
-- aggregate_spec.lua, what is added in aggregate_add.lua, what is read in aggregate_read.lua. What
-- is exact, bounded and stated: src/aggregate/aggregate.h. Those of whole flows (hosts, largest)
-- stand in aggregate_flows.lua. src/abi.h must have been given to ffi.cdef before this is loaded.

local ffi = require("ffi")
local code = require("sluice.aggregate_add")
local of_flows = require("sluice.aggregate_flows")
local read = require("sluice.aggregate_read")
local spec = require("sluice.aggregate_spec")

local debug, error, getmetatable, pairs, pcall, setmetatable, type =
  debug, error, getmetatable, pairs, pcall, setmetatable, type

local aggregate = { kinds = spec.kinds, flow_kinds = of_flows.kinds }

local function new_c(lib, fields)
  local c_spec, err = ffi.new("struct sl_agg_spec"), ffi.new("struct sl_error")
  spec.fill(c_spec, fields) -- borrows texts and edges of fields, during the call only
  local c = lib.sl_agg_new(c_spec, err)
  if c == nil then
    error(ffi.string(err.message), 0)
  end
  return ffi.gc(c, lib.sl_agg_free)
end

local metatables, is_metatable = {}, {}
for kind in pairs(spec.kinds) do
  local metatable = { __index = read.methods(kind) }
  metatables[kind], is_metatable[metatable] = metatable, true
end

for _, kind in pairs(of_flows.kinds) do is_metatable[kind.metatable] = true end

local function construct(lib, kind, options)
  local object = spec.check(kind, options)
  object.c = new_c(lib, object)
  object.lib = lib
  object.out = ffi.new("double[2]")
  object.add = code.adder(object, lib)
  object.get = code.getter(object, lib)
  object.spread = code.spreader(object, lib)
  return setmetatable(object, metatables[kind])
end

--- A set of constructors, whose aggregates have names of their own. context.C: the library.
function aggregate.new(context)
  local lib = context and context.C or ffi.C
  local make, by_name, sealed, drafts, drafted = { list = {} }, {}, false, false, nil

  local function constructor(kind, construct_one)
    return function(options)
      if sealed or drafts then
        local why = ("%s { … } belongs into start: aggregates made elsewhere could not be merged")
          :format(kind)
        if sealed then error(why, 2) end
        local at = debug.getinfo(2, "Sl")
        drafted = drafted or ("%s:%d: %s"):format(at.short_src, at.currentline, why)
        return {}
      end
      local done, object = pcall(construct_one, kind, options)
      if not done then
        error(object, 2)
      elseif by_name[object.name] then
        error(("there is an aggregate \"%s\" already: give each its own name"):format(
          object.name), 2)
      end
      by_name[object.name] = object
      make.list[#make.list + 1] = object
      return object
    end
  end

  for kind in pairs(spec.kinds) do
    make[kind] = constructor(kind, function(...) return construct(lib, ...) end)
  end
  for kind in pairs(of_flows.kinds) do
    make[kind] = constructor(kind, of_flows.new)
  end
  function make.seal()
    sealed, drafts = true, false
  end
  function make.open()
    sealed, drafts = false, false
  end
  function make.draft()
    sealed, drafts = false, true
  end
  function make.drafted()
    return drafted
  end
  return make
end

--- Whether a Lua value is an aggregate.
function aggregate.is(object)
  return type(object) == "table" and is_metatable[getmetatable(object)] == true
end

return aggregate
