-- A recipe's own fields beside each flow: `state = "uint32_t queries;"`. They are an array of C
-- structs by the flow's dense index, zeroed when an index comes to another flow, so that reading
-- and writing them costs what a field of a struct costs.
local ffi = require "ffi"
local recipe = require "sluice.recipe"

local state = {}

local State = {}
State.__index = State

local FIRST = 1024

--- Makes room for a flow's index. Loops look at array and size anew for each packet.
function State:grow(flow)
  local size = self.size
  while size <= flow do size = size * 2 end
  local larger = self.array_t(size)
  ffi.copy(larger, self.array, self.bytes * self.size)
  self.array, self.size = larger, size
end

--- The index has come to another flow.
function State:clear(flow)
  ffi.fill(self.array + flow, self.bytes)
end

local function make(fields)
  local ctype = ffi.typeof("struct { " .. fields .. " }")
  local array_t = ffi.typeof("$[?]", ctype)
  return setmetatable({ array_t = array_t, bytes = ffi.sizeof(ctype), array = array_t(FIRST),
    size = FIRST }, State)
end

--- fields: C declarations as a recipe's state field has them.
function state.new(fields, name)
  local ok, made = pcall(make, fields)
  if ok then return made end
  local why = tostring(made):gsub(" near .*", ""):gsub("^.-:%d+: ", "")
  recipe.fail("recipe %s: state = %q is not a list of C fields such as \"uint32_t queries;\": %s",
    name, fields, why)
end

return state
