-- Whether what one function writes can be read by another: they would have to meet in an upvalue
-- that the first one sets, or in a table that both can reach. (Instructions are read here, not by
-- uses/bytecode.lua: what a function makes is a prototype, which string.dump does not take.)
local bcnames = require("jit.vmdef").bcnames
local jutil = require "jit.util"

local shared = {}

local OPCODE_MASK, A_SHIFT = 0xff, 8

local function each_constant(of, visit)
  for i = -1, -1e9, -1 do
    local k = jutil.funck(of, i)
    if k == nil then break end
    visit(k)
  end
end

-- Calls visit(upvalue, counted from 1) for each that the function or prototype sets.
local function each_set(of, visit)
  for pc = 1, 1e9 do
    local ins = jutil.funcbc(of, pc)
    if not ins then break end
    local op = bit.band(ins, OPCODE_MASK)
    if bcnames:sub(op * 6 + 1, op * 6 + 4) == "USET" then
      visit(bit.band(bit.rshift(ins, A_SHIFT), 0xff) + 1)
    end
  end
end

-- Whether a function that this one makes sets upvalues; which ones cannot be told from outside.
local function children_set(of)
  local any = false
  each_constant(of, function(k)
    if type(k) == "proto" then
      each_set(k, function() any = true end)
      any = any or children_set(k)
    end
  end)
  return any
end

local Reach = {}
Reach.__index = Reach

-- Modules are looked at as a whole: what is in them is not followed.
local function is_module(t)
  for _, module in pairs(package.loaded) do
    if module == t then return true end
  end
  return false
end

function Reach:value(v, name)
  if type(v) == "function" then return self:func(v) end
  if type(v) ~= "table" or self.tables[v] or self.except[v] then return end
  self.tables[v] = name
  if is_module(v) then return end
  for k, x in next, v do
    self:value(k, name)
    self:value(x, name)
  end
end

function Reach:func(f)
  if self.seen[f] or jutil.funcinfo(f).addr then return end
  self.seen[f] = true
  local env = getfenv(f)
  each_constant(f, function(k)
    if type(k) == "string" then self:value(rawget(env, k), k) end
  end)
  local all = children_set(f)
  for i = 1, 255 do
    local name, v = debug.getupvalue(f, i)
    if not name then break end
    local id = debug.upvalueid(f, i)
    self.cells[id] = name
    if all then self.set[id] = name end
    self:value(v, name)
  end
  each_set(f, function(i) self.set[debug.upvalueid(f, i)] = debug.getupvalue(f, i) end)
end

local function reach(f, except)
  local r = setmetatable({ seen = {}, cells = {}, set = {}, tables = {}, except = except }, Reach)
  r:func(f)
  return r
end

--- The name of something that the writer may change and the reader may see, or nil: there is
--- nothing. except: tables that do not count, as a set. Globals that the writer sets are not looked
--- for.
function shared.between(reader, writer, except)
  local r, w = reach(reader, except), reach(writer, except)
  for id, name in pairs(w.set) do
    if r.cells[id] then return name end
  end
  for t, name in pairs(w.tables) do
    if r.tables[t] then return name end
  end
  return nil
end

return shared
