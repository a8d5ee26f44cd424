-- Which handler is at work, so that its error can be told with the recipe, the line, and the packet
-- or flow that it was about, and a recipe that does not return on Ctrl-C with its name.
local ffi = require "ffi"
local C = require("sluice.abi").C
local recipe = require "sluice.recipe"

local Guard = {}
Guard.__index = Guard

local guard = {}

local function nobody() end

--- packets: those of the run's batch. is_worker: the main program says who is at work.
function guard.new(handle, packets, is_worker)
  return setmetatable({ handle = handle, packets = packets, is_worker = is_worker,
    interrupt_at = is_worker and nobody or C.sl_interrupt_at }, Guard)
end

--- Raises the core's error.
function guard.fail(handle)
  local err = C.sl_run_error(handle)
  error({ code = err.code, message = ffi.string(err.message) }, 0)
end

function guard.about_packet(at)
  local tap = at.tap
  return (" (packet %d)"):format(tonumber(at.packets[tap.sel[tap.at]].number64))
end

function guard.about_flow(at)
  local f = at.tap.flows[at.tap.at]
  return (" (flow of packet %d)"):format(tonumber(f.number64))
end

function guard.about_nothing() return "" end

--- A handler of recipe r begins; about: one of those above, of the tap.
function Guard:enter(r, about, tap)
  self.recipe, self.about, self.tap = r, about, tap
  self.interrupt_at(r.name)
end

--- No recipe is at work. names: those that may be, elsewhere; or nil.
function Guard:leave(names)
  self.recipe = nil
  if names then self.interrupt_at(names) end
end

-- An error as main.lua tells it.
local function told(at, why)
  if recipe.is_told(why) then return why end
  if not at.recipe then
    return { code = 2, message = "internal error: " .. debug.traceback(tostring(why), 2) }
  end
  return { code = 2, message = ("recipe %s: %s%s"):format(at.recipe.name, recipe.told(why),
    at:about()) }
end

--- Calls f(...), where errors of recipes get their names.
---
--- One xpcall stands around a whole phase, never around a loop: LuaJIT cannot compile the way out
--- of a loop through the frame of a pcall ("return to lower frame"), so that after every batch the
--- interpreter would have to find its way back into the compiled code.
function Guard:call(f, ...)
  local ok, why = xpcall(f, function(why) return told(self, why) end, ...)
  if not ok then
    why = told(self, why) -- the handler had no room where the stack overflowed
    if not self.is_worker then C.sl_run_halt(self.handle) end -- workers add to what goes away now
    error(why, 0)
  end
  self.recipe = nil
end

return guard
