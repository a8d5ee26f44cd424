-- Stands in for the program, so that views can be tested without it: sluice.abi from src/abi.h and
-- a shared library of the C files that pictures need. usage: luajit view_harness.lua LIB ABI_H SCRIPT …
local ffi = require "ffi"
local library, header = arg[1], arg[2]

package.preload["sluice.abi"] = function()
  local file = assert(io.open(header))
  ffi.cdef(file:read("*a"))
  file:close()
  return { C = ffi.load(library) }
end

local script = arg[3]
arg = { [0] = script, select(4, unpack(arg)) } -- luacheck: ignore
dofile(script)
