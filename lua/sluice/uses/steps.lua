-- What each instruction of LuaJIT's bytecode (2.1, src/lj_bc.h) does to the sets of
-- sluice.uses.value that its function's registers hold. An instruction that is not here is
-- refused.
local bytecode = require "sluice.uses.bytecode"
local jutil = require "jit.util"
local value = require "sluice.uses.value"

local steps = {}

local SCALAR, NOTHING = value.SCALAR, value.NOTHING
local join = value.join
local GAP = bytecode.FIRST_ARGUMENT

-- step[op](call, instruction, state): changes state, and returns the index of the next instruction
-- where that is not the one behind; false: none; a second index where it may also go on there.
local step = {}

local function get(state, register)
  return state[register] or NOTHING
end

local function jump(ins)
  return ins.at + 1 + ins.d - 0x8000
end

local function check_inert(call, set)
  if not value.is_inert(set) then call:refuse "computes with a value that is not understood" end
end

-- A number, or a pointer that was moved.
local function computed(call, ...)
  local out = SCALAR
  for _, set in ipairs { ... } do
    check_inert(call, set)
    for kind in pairs { data = true, own = true, foreign = true } do
      if value.has(set, kind) then out = join(out, value.of(kind)) end
    end
    for _, v in ipairs(set.known) do
      if type(v) == "cdata" then out = join(out, value.of "foreign") end
    end
  end
  return out
end

-- ---- comparing: always with a jump behind, which decides nothing here ----

local function compare_two(call, ins, state)
  check_inert(call, get(state, ins.a))
  check_inert(call, get(state, ins.d))
end
for _, op in ipairs { "ISLT", "ISGE", "ISLE", "ISGT", "ISEQV", "ISNEV" } do
  step[op] = compare_two
end

local function compare_one(call, ins, state)
  check_inert(call, get(state, ins.a))
end
for _, op in ipairs { "ISEQS", "ISNES", "ISEQN", "ISNEN" } do step[op] = compare_one end

local function nothing() end
for _, op in ipairs { "ISEQP", "ISNEP", "IST", "ISF", "LOOP" } do step[op] = nothing end

-- A comparison takes or passes the jump behind it: both ways are walked. What the copying ones copy
-- counts on both, too.
local function copy(_, ins, state)
  state[ins.a] = join(get(state, ins.a), get(state, ins.d))
end
step.ISTC, step.ISFC = copy, copy

-- ---- computing ----

function step.MOV(_, ins, state) state[ins.a] = get(state, ins.d) end
function step.NOT(_, ins, state) state[ins.a] = SCALAR end

local function unary(call, ins, state) state[ins.a] = computed(call, get(state, ins.d)) end
step.UNM, step.LEN = unary, unary

local function with_constant(call, ins, state)
  state[ins.a] = computed(call, get(state, ins.b))
end
local function of_two(call, ins, state)
  state[ins.a] = computed(call, get(state, ins.b), get(state, ins.c))
end
for _, name in ipairs { "ADD", "SUB", "MUL", "DIV", "MOD" } do
  step[name .. "VN"], step[name .. "NV"], step[name .. "VV"] = with_constant, with_constant, of_two
end
step.POW = of_two

function step.CAT(call, ins, state)
  for r = ins.b, ins.c do check_inert(call, get(state, r)) end
  state[ins.a] = SCALAR
end

local function constant(_, ins, state) state[ins.a] = SCALAR end
for _, op in ipairs { "KSTR", "KSHORT", "KNUM", "KPRI" } do step[op] = constant end
-- A constant such as 1ULL; it is boxed, but nothing reaches into it.
step.KCDATA = constant

function step.KNIL(_, ins, state)
  for r = ins.a, ins.d do state[r] = SCALAR end
end

-- ---- upvalues, globals, tables ----

function step.UGET(call, ins, state)
  local name, v = debug.getupvalue(call.f, ins.d + 1)
  state[ins.a] = value.known(v, name)
end

local function write_upvalue(call, ins)
  call:refuse(("writes the upvalue `%s`"):format(jutil.funcuvname(call.f, ins.a) or "?"))
end
for _, op in ipairs { "USETV", "USETS", "USETN", "USETP" } do step[op] = write_upvalue end

function step.FNEW(call) call:refuse "makes a function" end

local function new_table(call, ins, state)
  call:store(SCALAR)
  state[ins.a] = value.of "fresh"
end
step.TNEW, step.TDUP = new_table, new_table

function step.GGET(call, ins, state)
  local name = bytecode.text(call.f, ins.d)
  local v = rawget(debug.getfenv(call.f), name)
  state[ins.a] = v ~= nil and value.known(v, name) or SCALAR -- nil: an error with its line
end

function step.GSET(call, ins)
  call:refuse(("writes the global `%s`"):format(bytecode.text(call.f, ins.d)))
end

function step.TGETS(call, ins, state)
  state[ins.a] = call:index(get(state, ins.b), bytecode.text(call.f, ins.c))
end

local function get_any(call, ins, state) state[ins.a] = call:index(get(state, ins.b)) end
step.TGETV, step.TGETB, step.TGETR = get_any, get_any, get_any

local function set_any(call, ins, state)
  call:write(get(state, ins.b))
  call:store(get(state, ins.a))
end
step.TSETV, step.TSETS, step.TSETB, step.TSETR = set_any, set_any, set_any, set_any

function step.TSETM(call, ins, state)
  call:write(get(state, ins.a - 1))
  call:store(state.multi)
end

-- ---- calls: registers of arguments begin GAP behind the function ----

local function arguments(state, first, count)
  local args = {}
  for i = 1, count do args[i] = get(state, first + i - 1) end
  return args
end

local function put_results(state, ins, set, list)
  state.multi = set
  for i = 0, ins.b - 2 do
    state[ins.a + i] = list and (list[i + 1] or SCALAR) or join(set, SCALAR)
  end
end

local function calls(many, is_last)
  return function(call, ins, state)
    local operand = is_last and ins.d or ins.c
    local args = arguments(state, ins.a + GAP, many and operand or operand - 1)
    if many then -- and all that the call before returned
      args.rest = state.multi
      args[#args + 1] = state.multi
    end
    local set, list = call:call(get(state, ins.a), args)
    if is_last then
      call.returned = join(call.returned, set)
      return false
    end
    put_results(state, ins, set, list)
  end
end
step.CALL, step.CALLM = calls(false, false), calls(true, false)
step.CALLT, step.CALLMT = calls(false, true), calls(true, true)

local function iterate(call, ins, state)
  local args = { get(state, ins.a - 2), get(state, ins.a - 1) }
  put_results(state, ins, (call:call(get(state, ins.a - 3), args)))
end
step.ITERC, step.ITERN = iterate, iterate

-- ---- where it goes on ----

function step.JMP(_, ins) return jump(ins) end
step.ISNEXT, step.UCLO = step.JMP, step.JMP

function step.FORI(_, ins, state)
  state[ins.a + 3] = SCALAR
  return ins.at + 1, jump(ins)
end

function step.FORL(_, ins) return ins.at + 1, jump(ins) end

function step.ITERL(_, ins, state)
  state[ins.a - 1] = join(get(state, ins.a - 1), get(state, ins.a))
  return ins.at + 1, jump(ins)
end

local function return_from(call, ins, state, last)
  for r = ins.a, last do call.returned = join(call.returned, get(state, r)) end
  return false
end
function step.RET0() return false end
function step.RET1(call, ins, state) return return_from(call, ins, state, ins.a) end
function step.RET(call, ins, state) return return_from(call, ins, state, ins.a + ins.d - 2) end
function step.RETM(call, ins, state)
  call.returned = join(call.returned, state.multi)
  return return_from(call, ins, state, ins.a + ins.d - 1)
end

local COMPARES = {}
for _, op in ipairs { "ISLT", "ISGE", "ISLE", "ISGT", "ISEQV", "ISNEV", "ISEQS", "ISNES", "ISEQN",
  "ISNEN", "ISEQP", "ISNEP", "ISTC", "ISFC", "IST", "ISF" } do
  COMPARES[op] = true
end

--- Takes one instruction of call, with a state of its own, and hands the state on.
function steps.take(call, ins, state)
  local f = step[ins.op]
  if not f then call:refuse(("does what is not understood (%s)"):format(ins.op)) end
  local next_one, other = f(call, ins, state)
  if COMPARES[ins.op] then next_one, other = ins.at + 1, ins.at + 2 end
  if next_one == false then return end
  call:flow_to(next_one or ins.at + 1, state)
  if other then call:flow_to(other, state) end
end

return steps
