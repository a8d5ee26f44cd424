-- A packet, and one after the other those in the tunnels that it is.
local ffi = require "ffi"
local C = require("sluice.abi").C

local inside = {}

local DEEPEST = 8 -- tunnels in one another, as packet/decode.h has it

--- each(see) -> function(p) that calls see(p), and see(q) for every packet q inside of p.
function inside.each(see)
  local room = ffi.new "struct sl_packet[2]"
  return function(p)
    see(p)
    for n = 1, DEEPEST do
      local q = room[n % 2]
      if C.sl_decode_inside(p, q) == 0 then return end
      see(q)
      p = q
    end
  end
end

return inside
