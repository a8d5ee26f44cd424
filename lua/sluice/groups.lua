-- Groups of a run: recipes with the same filter share a selection and a flow table, which in the
-- core is a tap. Each of their handlers gets a loop of its own.
local aggregate = require "sluice.aggregate"
local C = require("sluice.abi").C
local guard = require "sluice.guard"
local loops = require "sluice.loops"
local recipe = require "sluice.recipe"
local states = require "sluice.state"
local late = require "sluice.late"
local uses = late "sluice.uses"

local groups = {}

local FLOW_FIELDS = { "flow", "dir", "flow_pkt" }

-- Whether a recipe's handlers need a flow table at all. One over a sample does not: of
-- flows there are pieces only.
local function needs_flows(r, opts)
  local h = r.handlers
  if opts.sample then return false end
  if r.flows or r.state or r.head or h.flow or h.flows or h.traffic then return true end
  local fields = h.packet and uses.fields(h.packet) or {}
  for _, name in ipairs(FLOW_FIELDS) do
    if fields[name] then return true end
  end
  return false
end

--- groups.of(recipes, opts) -> a list of { recipes =, filter = a loop or nil, flows = it keeps a
--- flow table, look = somebody looks at decided flows, head = bytes of flows that are kept,
--- inside = flows are also those inside tunnels (of -z) }. opts: compile, sample.
function groups.of(recipes, opts)
  local compile = opts.compile
  local list, by_filter = {}, {}
  for _, r in ipairs(recipes) do
    local key = (r.inside and "inside " or "") .. (r.filter or "")
    local g = by_filter[key]
    if not g then
      g = { recipes = {}, inside = r.inside, flows = false, look = false, head = 0,
        filter = r.filter and loops.packet_filter(compile(r.filter, "packet", r), r.name) }
      by_filter[key] = g
      list[#list + 1] = g
    end
    g.recipes[#g.recipes + 1] = r
    g.flows = g.flows or needs_flows(r, opts)
    g.head = math.max(g.head, r.head or 0)
    g.look = g.look or r.handlers.flow ~= nil or r.handlers.flows ~= nil
  end
  return list
end

--- Makes the loops of a group's handlers: packet_loops, flow_loops, flow_lists, each a list of
--- { run =, recipe = }. dropped: see sluice.writer; nil: the run writes no packets.
function groups.fill(g, dropped)
  g.packet_loops, g.flow_loops, g.flow_lists = {}, {}, {}
  for _, r in ipairs(g.recipes) do
    local h, kept = r.handlers, r.state and states.new(r.state, r.name)
    if h.packet then
      local run = kept and loops.packets_with_state(h.packet, r.name, kept, dropped)
        or loops.packets(h.packet, r.name, dropped)
      g.packet_loops[#g.packet_loops + 1] = { run = run, recipe = r }
    end
    if h.flow then
      local run = kept and loops.flows_with_state(h.flow, r.name, kept)
        or loops.flows(h.flow, r.name)
      g.flow_loops[#g.flow_loops + 1] = { run = run, recipe = r }
    end
    if h.flows then
      g.flow_lists[#g.flow_lists + 1] = { run = h.flows, recipe = r }
    end
  end
end

-- The series that recipes of a group want filled with its traffic: one, or a list.
local function meter(handle, g)
  for _, r in ipairs(g.recipes) do
    local wanted = r.handlers.traffic or {}
    for _, series in ipairs(aggregate.is(wanted) and { wanted } or wanted) do
      if not aggregate.is(series) or series.flows_only then
        recipe.fail("recipe %s: traffic is a series, or a list of them", r.name)
      end
      if C.sl_tap_meter(g.tap, series.c) < 0 then guard.fail(handle) end
    end
  end
end

--- Opens the group's tap in the core and makes its loops.
function groups.open(g, handle, dropped)
  g.tap = C.sl_run_tap(handle, g.flows and 1 or 0, g.look and 1 or 0)
  if g.tap == nil then guard.fail(handle) end
  meter(handle, g)
  if g.inside then C.sl_tap_inside(g.tap) end
  if g.head > 0 and C.sl_tap_heads(g.tap, g.head) < 0 then guard.fail(handle) end
  groups.fill(g, dropped)
end

local function without(list, r)
  local left = {}
  for _, l in ipairs(list) do
    if l.recipe ~= r then left[#left + 1] = l end
  end
  return left
end

--- Takes a recipe's loops out. Returns whether none are left in any group.
function groups.leave_out(list, r)
  local empty = true
  for _, g in ipairs(list) do
    g.packet_loops, g.flow_loops = without(g.packet_loops, r), without(g.flow_loops, r)
    if #g.packet_loops + #g.flow_loops + #g.flow_lists > 0 then empty = false end
  end
  return empty
end

--- The next decided flows of a group are there: those that the run before this one has handed out
--- (g.over) are left out, the others counted.
function groups.pass_over(g)
  local tap, over = g.tap, g.over or 0
  g.handed = (g.handed or 0) + tap.n_flows
  if over == 0 then return end
  local n = math.min(over, tap.n_flows)
  g.over, tap.flows, tap.n_flows = over - n, tap.flows + n, tap.n_flows - n
end

return groups
