-- A handler without the test that it begins with (sluice.uses.gate), for packets that have passed
-- it: the same function, whose first instruction jumps to where it goes on.
local bit = require "bit"
local bytecode = require "sluice.uses.bytecode"
local jutil = require "jit.util"

local band, rshift = bit.band, bit.rshift

local behind = {}

-- Modes of operands (src/lj_bc.h): a register that is written, the first of several, one that is
-- read, the first of several that are read.
local DST, BASE, VAR, RBASE = 1, 2, 3, 4

-- Whether an instruction may read register r. Of calls the arguments are known; of other
-- instructions over several registers nothing is.
local function reads(f, ins, r)
  local _, mode = jutil.funcbc(f, ins.at)
  local a, b, c = band(mode, 7), band(rshift(mode, 3), 15), band(rshift(mode, 7), 15)
  local second = b == 0 and ins.d or ins.c
  if ins.op == "JMP" or ins.op == "RET0" then return false end
  if ins.op == "RET1" then return r == ins.a end
  if ins.op == "CALL" then
    local first = ins.a + bytecode.FIRST_ARGUMENT
    return r == ins.a or r >= first and r < first + ins.c - 1
  end
  return (a == BASE or a == RBASE) and r >= ins.a or a == VAR and r == ins.a
    or b == VAR and r == ins.b or c == VAR and r == second
    or b == RBASE and r >= ins.b or c == RBASE and r <= second and b ~= RBASE
end

-- A call leaves nothing in the registers of its frame.
local function writes(f, ins, r)
  if ins.op == "CALL" then return r >= ins.a end
  local _, mode = jutil.funcbc(f, ins.at)
  return band(mode, 7) == DST and r == ins.a
end

local function branches(ins)
  return ins.op == "JMP" or ins.op:match "^FOR" or ins.op:match "^IT" or ins.op:match "^LOOP"
end

-- Whether what register r held before instruction `at` does not matter from there on.
local function is_dead(f, code, at, r)
  local straight = true
  for i = at, #code do
    local ins = code[i]
    if reads(f, ins, r) then return false end
    if straight and writes(f, ins, r) then return true end
    straight = straight and not branches(ins)
  end
  return true
end

--- behind.of(handler, code, at, registers) -> the function that goes on at instruction `at`,
--- sharing the handler's upvalues; nil: it would miss one of the registers (a set) that the test
--- has set.
function behind.of(handler, code, at, registers)
  for r in pairs(registers) do
    if not is_dead(handler, code, at, r) then return nil end
  end
  local chunk = loadstring(bytecode.jumping(handler, at))
  for i = 1, jutil.funcinfo(handler).upvalues do debug.upvaluejoin(chunk, i, handler, i) end
  return debug.setfenv(chunk, debug.getfenv(handler))
end

return behind
