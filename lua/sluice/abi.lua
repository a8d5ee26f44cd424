-- The C core as Lua sees it. main.lua calls load() with the text of src/abi.h before anything else
-- is required; every other module takes C from here.
local ffi = require "ffi"

local abi = { C = ffi.C }

--- Declares the core to the FFI and compares every struct's size with what C reports: a program and
--- Lua files of different versions must not read each other's memory.
function abi.load(text, sizes)
  ffi.cdef(text)
  for name, size in pairs(sizes) do
    if ffi.sizeof(name) ~= size then
      error(("%s has %d bytes in Lua and %d in the program: they are of different versions")
        :format(name, ffi.sizeof(name), size), 0)
    end
  end
end

return abi
