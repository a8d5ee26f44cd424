-- Several workers at one capture (src/run/crew.h): whether a run may have them, and the part that
-- each of them does in a Lua of its own: filters and packet handlers. What these add goes to
-- aggregates of the worker's own, which are added to the main ones at the end. Flow handlers that
-- do nothing but add to aggregates run in workers, too, where there are several: each is at work in
-- one at a time, and adds to the main program's aggregates in place (src/run/takers.h). The others,
-- interval and finish are the main program's alone.
local ffi = require "ffi"
local C = require("sluice.abi").C
local guard = require "sluice.guard"
local late = require "sluice.late"
local recipe = require "sluice.recipe"
local trace = require "sluice.trace"
local shared_state = late "sluice.uses.shared"
local uses = late "sluice.uses"

local crew = {}

local LEAST_TAKERS = 2 -- one flow handler has the main thread to itself

local SPLIT = 2 ^ 20        -- bytes of a split, unless --split says
local SMALL = 4 * 2 ^ 20    -- a file of fewer bytes is read before workers have started

-- Options that need one run's order, or end it.
local ALONE = {
  { "count", "-c" }, { "max_flows", "--max-flows" }, { "follow", "--follow" },
  { "sample", "--sample" }, { "write", "-w" }, { "capture", "-i" },
  { "from", "--from" }, { "to", "--to" },
  { "log", "--partial" }, { "deltas", "somebody looks at times since the packet before" },
}

-- Flow runs in the main program, packet in workers: why packet could miss what flow writes, or nil.
local function met(r)
  local safe, why = uses.parallel(r.handlers.flow, "flow")
  if safe then return nil end
  local aggregates = {}
  for _, aggregate in ipairs(r.make.list) do aggregates[aggregate] = true end
  local name = shared_state.between(r.handlers.packet, r.handlers.flow, aggregates)
  if name then return ("%s, and its packet handler can reach `%s`"):format(why, name) end
  if why:find("global", 1, true) then return why end
  return nil
end

--- Why a recipe's handlers must run in one worker, or nil. heads: the first bytes of flows are kept
--- where flows are.
function crew.unsafe(r, heads)
  local h = r.handlers
  if r.open then return "makes aggregates as it goes" end
  if r.state then return "keeps state beside flows" end
  if r.head and not heads then return "asks for the heads of flows" end
  if h.interval then return "has an interval handler" end
  if h.packet then
    local safe, why = uses.parallel(h.packet)
    if not safe then return why end
    why = uses.ordered(h.packet)
    if why then return why end
    why = h.flow and met(r)
    if why then return why end
  end
  local early = h.flow and uses.ordered(h.flow, "flow")
  if early and early:match "stop" then return early end
  return nil
end

--- Why a run must do with one worker, in words for -v; nil: it need not.
function crew.alone(run)
  local o = run.opts
  if o.workers == 1 then return "-j 1" end
  if trace.wanted then return "it is traced" end
  if C.sl_run_can_share(run.handle) == 0 then return "its input is read in one piece" end
  for _, option in ipairs(ALONE) do
    if o[option[1]] and o[option[1]] ~= 0 then return option[2] end
  end
  if not o.workers then
    local size = tonumber(C.sl_run_size(run.handle))
    if size >= 0 and size < SMALL then return "its input is small" end
  end
  for _, r in ipairs(run.recipes) do
    local why = crew.unsafe(r)
    if why then return ("recipe %s: %s"):format(r.name, why) end
  end
  return nil
end

-- The aggregates that workers add to, in an order that is the same in each of them.
local function shared(recipes)
  local list = {}
  for _, r in ipairs(recipes) do
    if r.handlers.packet then
      for _, aggregate in ipairs(r.make.list) do
        if not aggregate.flows_only then list[#list + 1] = aggregate end
      end
    end
  end
  return list
end

-- The recipes whose flow handlers workers may run, in an order that is the same in each worker;
-- and their numbers in it.
local function takers_of(run)
  local list, number_of = {}, {}
  for _, r in ipairs(run.recipes) do
    local most = #list == C.SL_TAKERS_MAX
    if r.handlers.flow and not most and uses.parallel(r.handlers.flow, "flow") then
      list[#list + 1] = r
      number_of[r] = #list
    end
  end
  if #list < LEAST_TAKERS then return {}, {} end
  return list, number_of
end

-- What an aggregate that is lent is known by.
local function lent_name(r, aggregate)
  return ("%s: %s %s"):format(r.name, aggregate.kind, aggregate.name)
end

local function lend(run, r)
  for _, aggregate in ipairs(r.make.list) do
    local name = lent_name(r, aggregate)
    table.insert(run.lent, name) -- the core borrows it
    if C.sl_run_lend(run.handle, aggregate.c, name) < 0 then run:fail() end
  end
end

-- Leaves flow handlers to the workers.
local function give_takers(run)
  local takers, number_of = takers_of(run)
  run.lent, run.takers = {}, {}
  for _, r in ipairs(takers) do lend(run, r) end
  for _, g in ipairs(run.groups) do
    local left = {}
    for _, l in ipairs(g.flow_loops) do
      local number = number_of[l.recipe]
      if not number then
        left[#left + 1] = l
      elseif C.sl_tap_taker(g.tap, number) < 0 then
        run:fail()
      else
        g.gives = true
        table.insert(run.takers, l.recipe.name)
      end
    end
    g.flow_loops = left
  end
end

local function needs_lua(run)
  if run.display or run.takers[1] then return true end
  for _, g in ipairs(run.groups) do
    if g.filter or #g.packet_loops > 0 then return true end
  end
  return false
end

--- Starts the workers that the run may have; says how many, 0: the run is alone.
function crew.start(run)
  run.alone = crew.alone(run)
  local workers = run.alone and 0 or run.opts.workers or tonumber(C.sl_cores())
  if workers < 2 then workers = 0 end
  if workers > 0 then
    for _, aggregate in ipairs(shared(run.recipes)) do
      if C.sl_run_share(run.handle, aggregate.c) < 0 then run:fail() end
    end
    give_takers(run)
  end
  local script = workers > 0 and needs_lua(run) and run.opts.script or nil
  local split = run.opts.split_bytes or SPLIT
  if C.sl_run_start(run.handle, workers, split, script) < 0 then run:fail() end
  return workers
end

--- How many workers take the logs of pieces, 0: it is done alone, as the first bytes of flows want
--- (heads). wanted: -j, or nil.
function crew.of_replay(wanted, heads)
  local workers = wanted or tonumber(C.sl_cores())
  return not heads and workers > 1 and workers or 0
end

--- Names of the recipes whose handlers workers run, for the message when one does not return.
function crew.names(run)
  local names = { unpack(run.takers or {}) }
  for _, g in ipairs(run.groups) do
    for _, l in ipairs(g.packet_loops) do names[#names + 1] = l.recipe.name end
  end
  return table.concat(names, ",")
end

-- In a worker: the aggregates of a recipe, its own and the main program's.
local function borrow(run, r, before)
  local taker = { recipe = r, list = r.make.list, own = {}, lent = {} }
  for i, aggregate in ipairs(taker.list) do
    local at = C.sl_run_lent(run.handle, before + i - 1, lent_name(r, aggregate))
    if at == nil then
      recipe.fail("recipe %s: its start makes other aggregates in each worker: use -j 1", r.name)
    end
    taker.own[i] = aggregate.c
    taker.lent[i] = ffi.cast(ffi.typeof(aggregate.c), at)
  end
  return taker
end

-- The takers of a worker's run by number: those of the main program.
local function borrowed(run)
  local takers, number_of = takers_of(run)
  local list, n = {}, 0
  for number, r in ipairs(takers) do
    list[number] = borrow(run, r, n)
    n = n + #list[number].list
  end
  for _, g in ipairs(run.groups) do
    for _, l in ipairs(g.flow_loops) do
      local number = number_of[l.recipe]
      if number then list[number].run = l.run end
    end
  end
  return list
end

--- In a worker: the flow handler that the core names takes the flows that are there for it.
function crew.take(run)
  run.takers = run.takers or borrowed(run)
  local batch = run.batch
  local taker, tap = run.takers[batch.taker], run.groups[batch.tap + 1].tap
  run.guard:enter(taker.recipe, guard.about_flow, tap)
  for i, aggregate in ipairs(taker.list) do aggregate.c = taker.lent[i] end
  taker.run(tap)
  for i, aggregate in ipairs(taker.list) do aggregate.c = taker.own[i] end
end

--- In a worker: adds what its handlers have counted to the main program's aggregates.
function crew.merge(run)
  for i, aggregate in ipairs(shared(run.recipes)) do
    C.sl_crew_merge(run.handle, i - 1, aggregate.c)
  end
end

--- The run of a worker from script.c's pointer.
function crew.worker(pointer)
  return ffi.cast("struct sl_run *", pointer)
end

return crew
