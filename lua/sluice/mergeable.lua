-- Whether what recipes count in pieces of a capture, run one by one, adds up to what one run over
-- all of it counts: read off their handlers' bytecode (sluice.uses), so nobody has to declare it.
local recipe = require "sluice.recipe"
local uses = require "sluice.uses"

local mergeable = {}

-- Fields that start anew with every piece.
local ANEW = {
  { "number", "the number of the frame" }, { "number64", "the number of the frame" },
  { "t", "the time since the first packet" }, { "delta", "the time since the packet before" },
  { "flow", "the index of a live flow" }, { "input", "the number of the input" },
}

local function of_handler(handler, argument)
  local safe, why = uses.parallel(handler, argument)
  if not safe then return why end
  why = uses.ordered(handler, argument)
  if why and why:match "stop" then return why end
  local fields = uses.fields(handler)
  for _, field in ipairs(ANEW) do
    if fields[field[1]] then
      return ("uses %s, %s, which begins anew with every piece"):format(field[1], field[2])
    end
  end
  return nil
end

--- Why the pieces of a recipe do not add up, in words, or nil: they do.
function mergeable.why_not(r)
  local h = r.handlers
  if r.sides then return "compares two captures" end
  if r.open then return "makes its aggregates as it goes: write it as a recipe" end
  if h.flows then return "takes flows in lists, which it hands on as they come" end
  if h.interval then return "has an interval handler" end
  return h.packet and of_handler(h.packet, "packet") or h.flow and of_handler(h.flow, "flow") or nil
end

-- Options that cut a run short or tie it to its order.
local NEVER = { { "count", "-c" }, { "max_flows", "--max-flows" }, { "follow", "--follow" },
  { "sample", "--sample" }, { "write", "-w" } }

--- Fails where --partial makes no sense. streamed: somebody has begun to write the result.
function mergeable.check(options, recipes, streamed)
  for _, o in ipairs(NEVER) do
    if options[o[1]] then recipe.fail("--partial and %s exclude each other", o[2]) end
  end
  for _, name in ipairs { "from", "to" } do
    if tostring(options[name] or ""):match "^%+" then
      recipe.fail("--partial: --%s counts from the first packet, which each piece has of its own: "
        .. "give a date", name)
    end
  end
  if options.form or options.file then
    recipe.fail "--partial writes no result: give -T and -o to sluice merge"
  end
  if streamed then recipe.fail "--partial: this recipe writes its result as it comes" end
  for _, r in ipairs(recipes) do
    local why = mergeable.why_not(r)
    if why then
      recipe.fail("--partial: pieces of recipe %s do not add up: %s", r.name, why)
    end
  end
end

return mergeable
