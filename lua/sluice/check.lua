-- sluice check FILE [INPUT]...: runs a recipe over a small capture with one worker and with two,
-- and tells what would surprise later: results that differ, names that are not defined, lines that
-- LuaJIT cannot compile.
local bit = require "bit"
local jutil = require "jit.util"
local recipe = require "sluice.recipe"
local vmdef = require "jit.vmdef"

local check = {}

local GLOBAL = { GGET = "reads", GSET = "sets" }

local function op_name(number)
  return (vmdef.bcnames:sub(number * 6 + 1, number * 6 + 6):gsub(" +$", ""))
end

-- Globals that a function and those in it touch, and that env does not have.
local function undefined(f, env, found)
  for i = 1, jutil.funcinfo(f).bytecodes - 1 do
    local ins = jutil.funcbc(f, i)
    local what = GLOBAL[op_name(bit.band(ins, 255))]
    local name = what and jutil.funck(f, -bit.rshift(ins, 16) - 1)
    if what and (what == "sets" or rawget(env, name) == nil) then
      found[#found + 1] = ("line %d %s the variable `%s`, which nobody defines"):format(
        jutil.funcinfo(f, i).currentline, what, name)
    end
  end
  for i = -1, -1e9, -1 do
    local k = jutil.funck(f, i)
    if k == nil then break end
    if type(k) == "proto" then undefined(k, env, found) end
  end
  return found
end

local function quoted(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- Runs this program: its result, what it said on standard error, and its exit status.
local function run(words, before)
  local said = os.tmpname()
  local list = {}
  for i, word in ipairs(words) do list[i] = quoted(word) end
  local pipe = assert(io.popen(("%s \"/proc/$PPID/exe\" %s -q 2>%s; echo \"status $?\""):format(
    before or "", table.concat(list, " "), quoted(said)), "r"))
  local text = pipe:read "*a"
  pipe:close()
  local file = assert(io.open(said, "r"))
  local message = file:read "*a"
  file:close()
  os.remove(said)
  local result, status = text:match "^(.*)status (%d+)\n$"
  return result, message, tonumber(status)
end

local WHY = {
  FNEW = "makes a function for each packet or flow: make it once, in start",
  VARG = "hands on any number of arguments (...): name them",
  UCLO = "leaves a loop whose variable a function holds: make the function in start",
}

local function told(why)
  local op = why:match "NYI: bytecode (%d+)"
  if op then
    local name = op_name(tonumber(op))
    return WHY[name] or ("does what LuaJIT does not compile (%s)"):format(name)
  end
  return nil
end

-- Lines of the recipe's file in LuaJIT's log that stay with the interpreter.
local function uncompiled(log, file)
  local found, seen = {}, {}
  local function note(line, what)
    local text = ("line %s %s"):format(line, what)
    if not seen[text] then found[#found + 1] = text end
    seen[text] = true
  end
  for row in log:gmatch "[^\n]+" do
    local called = row:match "^%[TRACE .- stitch ([%w_.]+)%]"
    local line = row:match(file:gsub("%p", "%%%0") .. ":(%d+) stitch ")
    if called and line then
      note(line, ("and on: calls %s, which LuaJIT does not compile: 10 to 40 times slower")
        :format(called))
    end
    local why, where, at = row:match "^%[TRACE %-%-%- .- %-%- (NYI.-) at ([^:]*):(%d+)%]"
    if why and where == file and told(why) then note(at, told(why)) end
  end
  return found
end

local function trace_of(words)
  local path = os.tmpname()
  run(words, "SLUICE_TRACE=" .. quoted(path))
  local file = io.open(path, "r")
  local log = file and file:read "*a" or ""
  if file then file:close() end
  os.remove(path)
  return log
end

local function with(words, ...)
  local list = { unpack(words) }
  for _, word in ipairs { ... } do list[#list + 1] = word end
  return list
end

--- words: the recipe's file and inputs; sample: a capture for who gives none. Returns the exit
--- status: 0, or 2 where something is wrong. A slow line is no error.
function check.file(words, sample)
  local path = words[1]
  if not path then recipe.fail "check wants a recipe: sluice check FILE.lua [INPUT]..." end
  local r = recipe.load(path, path)
  local chunk = assert(loadfile(path))
  local wrong = undefined(chunk, recipe.environment(r.make, path), {})
  if #words == 1 then words = { path, sample } end
  local one, why, status = run(with(words, "-T", "json", "-j", "1"))
  if status ~= 0 then
    wrong[#wrong + 1] = why:gsub("^sluice: ", ""):gsub("\n+$", "")
  else
    local two, said = run(with(words, "-T", "json", "-j", "2", "-v"))
    if one ~= two then wrong[#wrong + 1] = "two workers give another result than one" end
    local workers = said:match "one worker %(([^\n]*)%)"
    print(workers and "one worker: " .. workers or "several workers may share its work")
    for _, line in ipairs(uncompiled(trace_of(words), path:match "[^/]*$")) do
      print("slow: " .. line)
    end
  end
  for _, line in ipairs(wrong) do print("wrong: " .. line) end
  if #wrong == 0 then print(path .. ": good") end
  return #wrong == 0 and 0 or 2
end

return check
