-- A recipe that only turns LuaJIT's trace log on, into the file that SLUICE_TRACES names.
-- Run in front of the recipe that is looked at: sluice tests/jit/trace.lua,talkers CAPTURE
require("jit.v").on(os.getenv "SLUICE_TRACES")

return { about = "LuaJIT's trace log", start = function() return {} end }
