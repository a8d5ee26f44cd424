-- Display filters for the engine: text in, a condition for sluice.loops out.
local filter = require "sluice.filter"
local geo = require "sluice.geo"
local recipe = require "sluice.recipe"
local services = require "sluice.services"

local filters = {}

--- what: "packet" or "flow". of: the recipe whose filter it is, or nil for -Y and -F.
function filters.compile(text, what, of)
  local f, why = filter.compile(text, what, { country = geo.country, service = services.of })
  if not f then
    recipe.fail("%s: %s", of and "recipe " .. of.name or what == "flow" and "-F" or "-Y",
      why:tostring())
  end
  return f:condition()
end

return filters
