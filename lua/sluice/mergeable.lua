-- Whether what recipes count in pieces of a capture, run one by one, adds up to what one run over
-- all of it counts: read off their handlers' bytecode (sluice.uses), so nobody has to declare it.
--
-- Best is when pieces leave flows to the merge: they log what the flow tables want to know
-- (src/run/log.h), and the merge decides flows and calls the flow handlers, whatever these do. A
-- recipe whose packet handler wants to see flows, or that keeps something beside them, has to
-- decide them in each piece; its results are right as far as no flow goes on in another piece.
local crew = require "sluice.crew"
local recipe = require "sluice.recipe"
local uses = require "sluice.uses"

local mergeable = {}

-- Fields that start anew with every piece.
local ANEW = {
  { "number", "the number of the frame" }, { "number64", "the number of the frame" },
  { "t", "the time since the first packet" }, { "delta", "the time since the packet before" },
  { "flow", "the index of a live flow" }, { "input", "the number of the input" },
}

local function begins_anew(handler)
  local fields = uses.fields(handler)
  for _, field in ipairs(ANEW) do
    if fields[field[1]] then
      return ("uses %s, %s, which begins anew with every piece"):format(field[1], field[2])
    end
  end
  return nil
end

local function of_handler(handler, argument)
  local safe, why = uses.parallel(handler, argument)
  if not safe then return why end
  why = uses.ordered(handler, argument)
  if why and why:match "stop" then return why end
  return begins_anew(handler)
end

-- Why no piece of a recipe can be run alone, in words, or nil.
local function never(r)
  if r.sides then return "compares two captures" end
  if r.open then return "makes its aggregates as it goes: write it as a recipe" end
  if r.handlers.interval then return "has an interval handler" end
  return nil
end

-- Why a recipe cannot leave its flows to the merge, in words, or nil.
local function not_by_log(r)
  local packet = r.handlers.packet
  return never(r) or crew.unsafe(r, true) or packet and begins_anew(packet) or nil
end

-- Why the pieces of a recipe do not add up where each decides its flows itself, or nil.
local function why_not(r)
  local h, why = r.handlers, never(r)
  if why then return why end
  if h.flows then return "takes flows in lists, which it hands on as they come" end
  return h.packet and of_handler(h.packet, "packet") or h.flow and of_handler(h.flow, "flow") or nil
end

--- Why the recipes cannot all leave flows to the merge, in words, or nil.
function mergeable.not_by_log(recipes)
  for _, r in ipairs(recipes) do
    local why = not_by_log(r)
    if why then return ("recipe %s: %s"):format(r.name, why) end
  end
  return nil
end

-- Options that cut a run short or tie it to its order.
local NEVER = { { "count", "-c" }, { "max_flows", "--max-flows" }, { "follow", "--follow" },
  { "sample", "--sample" }, { "write", "-w" }, { "interface", "-i" },
  { "checkpoint", "--checkpoint" } }

local function check_options(options)
  for _, o in ipairs(NEVER) do
    if options[o[1]] then recipe.fail("--partial and %s exclude each other", o[2]) end
  end
  for _, name in ipairs { "from", "to" } do
    if options.piece and options[name] then
      recipe.fail("a plan is of whole inputs: --%s excludes it", name)
    end
    if tostring(options[name] or ""):match "^%+" then
      recipe.fail("--partial: --%s counts from the first packet, which each piece has of its own: "
        .. "give a date", name)
    end
  end
  if options.form or options.file then
    recipe.fail "--partial writes no result: give -T and -o to sluice merge"
  end
end

--- Fails where --partial makes no sense. Returns whether the pieces leave flows to the merge.
function mergeable.check(options, recipes)
  check_options(options)
  local why_not_by_log = mergeable.not_by_log(recipes)
  if not why_not_by_log then return true end
  if options.piece then
    recipe.fail("--piece: pieces of one capture do not add up: %s", why_not_by_log)
  end
  for _, r in ipairs(recipes) do
    local why = why_not(r)
    if why then
      recipe.fail("--partial: pieces of recipe %s do not add up: %s", r.name, why)
    end
  end
  return false
end

return mergeable
