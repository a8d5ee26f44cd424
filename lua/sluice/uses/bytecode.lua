-- Instructions of a Lua function. They are read from what string.dump writes: jit.util shows them
-- as LuaJIT has patched them to enter compiled code, string.dump undoes that. Everything else
-- (constants, lines, names) comes from jit.util.
local bit = require "bit"
local jutil = require "jit.util"
local vmdef = require "jit.vmdef"

local band, rshift = bit.band, bit.rshift

local bytecode = {}

local names, numbers = {}, {}
for i = 0, #vmdef.bcnames / 6 - 1 do
  names[i] = vmdef.bcnames:sub(i * 6 + 1, i * 6 + 6):gsub(" +$", "")
  numbers[names[i]] = i
end

-- An integer in base 128 at byte i of s (LuaJIT's lj_bcread.c); returns it and what follows.
local function uleb(s, i)
  local n, scale = 0, 1
  while true do
    local byte = s:byte(i)
    i = i + 1
    n = n + band(byte, 127) * scale
    if byte < 128 then return n, i end
    scale = scale * 128
  end
end

local STRIPPED = 2 -- a dump's flags: without names and lines

-- The last prototype of a dump: those that a function makes come before it.
local function own_prototype(dump)
  local flags, i = uleb(dump, 5) -- behind ESC L J version
  local from, size
  if band(flags, STRIPPED) == 0 then -- the chunk's name
    size, i = uleb(dump, i)
    i = i + size
  end
  while true do
    size, i = uleb(dump, i)
    if size == 0 then return from end
    from = i
    i = i + size
  end
end

local function operands(word, first)
  return { op = names[band(word, 255)], a = band(rshift(word, 8), 255), b = rshift(word, 24),
    c = band(rshift(word, 16), 255), d = rshift(word, 16), at = first }
end

local IMMUTABLE = 0x40 -- in the upper byte of an upvalue's word: nobody writes it (lj_obj.h)

-- Which upvalues keep their first value, by number from 0; they stand from byte i on.
local function fixed_upvalues(dump, n, i)
  local fixed = {}
  for k = 0, n - 1 do fixed[k] = band(dump:byte(i + 2 * k + 1), IMMUTABLE) ~= 0 end
  return fixed
end

--- bytecode.of(f) -> { instruction, … }, the first at index 1, each with op, a, b, c, d; where d is
--- a jump, the instruction is at index at + 1 + d - 0x8000. Beside them fixed: whether an upvalue,
--- by its number from 0, is written nowhere. Nil for functions that are not of Lua.
function bytecode.of(f)
  if jutil.funcinfo(f).addr then return nil end
  local dump = string.dump(f, true)
  local from = own_prototype(dump)
  local i = from + 4 -- flags, parameters, frame, upvalues
  local count, _
  _, i = uleb(dump, i)
  _, i = uleb(dump, i)
  count, i = uleb(dump, i)
  local list = {}
  for k = 1, count do
    local b1, b2, b3, b4 = dump:byte(i, i + 3)
    list[k] = operands(b1 + b2 * 0x100 + b3 * 0x10000 + b4 * 0x1000000, k)
    i = i + 4
  end
  list.fixed = fixed_upvalues(dump, dump:byte(from + 3), i)
  return list
end

--- The dump of f as a function that goes on at instruction `at` at once.
function bytecode.jumping(f, at)
  local dump = string.dump(f)
  local i = own_prototype(dump)
  local parameters = dump:byte(i + 1)
  local lines, _
  i = i + 4
  for _ = 1, 3 do _, i = uleb(dump, i) end -- constants, instructions
  lines, i = uleb(dump, i)
  if lines > 0 then -- its size; the first one, how many
    _, i = uleb(dump, i)
    _, i = uleb(dump, i)
  end
  local d = 0x8000 + at - 2
  return dump:sub(1, i - 1) .. string.char(numbers.JMP, parameters, d % 256,
    math.floor(d / 256)) .. dump:sub(i + 4)
end

--- The string constant of an instruction such as TGETS, GGET.
function bytecode.text(f, index)
  return jutil.funck(f, -index - 1)
end

--- The line of instruction i.
function bytecode.line(f, i)
  return jutil.funcinfo(f, i).currentline
end

-- A call's first argument stands one or two registers behind the function: LuaJIT on 64 bits may
-- keep a word of the frame between them.
local function gap()
  local code = bytecode.of(function(g) g(1) end)
  for k, ins in ipairs(code) do
    if ins.op == "CALL" then return code[k - 1].a - ins.a end
  end
end

bytecode.FIRST_ARGUMENT = gap()

return bytecode
