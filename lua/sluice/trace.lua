-- A developer's aid: what LuaJIT compiled, and how much the interpreter still did.
--
-- SLUICE_TRACE=FILE writes LuaJIT's log of traces to FILE (jit.v's form: [TRACE number (parent/exit) start
-- link], [TRACE --- start -- why not]), and at the end, for the time from trace.reading() to
-- trace.stop(), how many bytecode instructions were interpreted. Hooks are never called from
-- compiled code, so a hook on every STEP instructions counts just those. tests/jit/ rests on it.
local trace = {}

local STEP = 10000

local file, steps

function trace.start(path)
  require("jit.v").on(path)
  file = path
end

--- From here on the interpreter's instructions count.
function trace.reading()
  if not file then return end
  steps = 0
  debug.sethook(function() steps = steps + 1 end, "", STEP)
end

function trace.stop()
  if not steps then return end
  debug.sethook()
  require("jit.v").off()
  local out = assert(io.open(file, "a"))
  out:write(("interpreted: %d\n"):format(steps * STEP))
  out:close()
  steps = nil
end

return trace
