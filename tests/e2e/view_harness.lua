-- Stands in for the program, so that views can be tested without it: sluice.abi from src/abi.h and
-- a shared library of the C files that pictures need.
-- usage: luajit view_harness.lua LIBRARY ABI_H SCRIPT [ARGUMENT]...
local ffi = require "ffi"
local library, header, script = arg[1], arg[2], arg[3]

package.preload["sluice.abi"] = function()
  local file = assert(io.open(header))
  ffi.cdef(file:read("*a"))
  file:close()
  return { C = ffi.load(library) }
end

assert(loadfile(script))(unpack(arg, 4))
