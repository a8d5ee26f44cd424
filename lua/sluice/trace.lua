-- A developer's aid: what LuaJIT compiles while the inputs are read, and what it leaves to the
-- interpreter.
--
-- SLUICE_TRACE=FILE writes LuaJIT's log of traces to FILE ("[TRACE number (parent/exit) start
-- link]", "[TRACE --- start -- why not]", as jit.v has it) and below it how many bytecode
-- instructions were interpreted. Hooks are never called from compiled code, so a hook on every STEP
-- instructions counts just those. STEP is long because a hook that is called during the recording
-- of a trace ends it. tests/jit/ rests on this.
local trace = {}

local STEP = 10000

local path = os.getenv "SLUICE_TRACE"

--- Whether there is to be a log: of one Lua, so of one worker.
trace.wanted = path ~= nil

--- Calls read(...) under the log, if there is to be one; returns what it returns.
function trace.reading(read, ...)
  if not path then return read(...) end
  local log, steps = require "jit.v", 0
  log.on(path)
  debug.sethook(function() steps = steps + 1 end, "", STEP)
  local status, message = read(...)
  debug.sethook()
  log.off()
  local file = assert(io.open(path, "a"))
  file:write(("interpreted: %d\n"):format(steps * STEP))
  file:close()
  return status, message
end

return trace
