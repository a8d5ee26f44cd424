-- Which fields a Lua function can touch, read off its bytecode: the string constants of it, of the
-- functions it makes and of those it reaches through upvalues. What cannot be seen (a field named
-- by a computed string) is not there: recipes that do so must set flows = true.
local jutil = require "jit.util"

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

--- uses.fields(f) -> a set of the names that f may index with.
function uses.fields(f)
  local found = {}
  walk(f, found, {})
  return found
end

return uses
